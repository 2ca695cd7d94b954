"""The fix patterns on real bugs of open-source history: what is proposed for the tree before a person's fix.

Two tables of facts alone: repository, the commit that fixed it, the kind of fix (`none` for one of none of the eight
kinds), the error, and the lines (file:line, outermost first) that it went through before that commit. The tracebacks
are made from these lines; the last is what the fix is about. A fix of running out of memory is of that kind where it
shrinks the batch; to skip it, to answer an error or to compute elsewhere is `none`.

`realbugs.tsv` has those that the patterns were mended on, `realbugs_held_out.tsv` those that they were not: of other
projects, or of another kind than those of the same project (five projects). These were written down without a look at
the patterns, and each proposal, as it was at f63b804, was judged once, by reading it beside the person's fix: `right`
has the same effect on the failing input, `harmless` is another guard that a reviewer would take. 71 of 112 guards were
right or harmless, 63 %: unicode 9 of 11, missing-import 12 of 13, imread 8 of 11, missing-file 12 of 17, zero-division
9 of 14, attribute 9 of 18, type-mismatch 12 of 24, out-of-memory 0 of 4; on 73 of the 112 nothing is raised any more on
the failing input, whatever its value. None of the 20 `none` was `safe`. Defects that these rows and a reading of the
change showed were mended afterwards (a logger of another function, a comment by another check, forms for memory that
runs out): they were not measured again. Measured in the same way before they were mended on, with older patterns: 31 of
49, 35 of 50, 22 of 47, 41 of 95, 23 of 56, 25 of 62, 49 of 78, 32 of 50, 87 of 129, and, with those of this round, 86
of 135 (with the proposals for memory that runs out, where people skip or answer, 87 of 146); and, of unicode, imread,
out-of-memory and missing-import alone, 24 of 48, 27 of 45.

`REALBUGS_CLONES` names a folder of clones, `OWNER+NAME/repo`, `OWNER+NAME` or `OWNER/NAME`; without it nothing is
measured, and the rows say so.

Whether a proposal is a fix is for a person (or the project's tests) to judge: `python -m tests.bench.realbugs
[KIND|held_out]...` prints every one of them.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine.repair.fix import Fix
from engine.repair.groups import Group
from engine.repair.patterns.registry import BUILT_IN, built_in
from engine.repair.record import ErrorRecord, Frame
from engine.repair.suggest import suggest
from tests.bench.table import Row

FACTS = Path(__file__).with_name("realbugs.tsv")
HELD_OUT = FACTS.with_name("realbugs_held_out.tsv")
CLONES = "REALBUGS_CLONES"
PROPOSED = "real bugs fixed by a guard of the eight kinds: a proposal is made (not yet: is right)"
LARGE_ENDS = ("json", "ipynb", "bin", "png", "jpg", "gz", "zip", "pt", "onnx", "pdf", "npz", "mat", "mp4")
LARGE = tuple(f":(exclude)*.{end}" for end in LARGE_ENDS)
HELD = "the same, of those that the patterns were never mended on"
SAFE = "real bugs of none of the eight kinds: proposals marked `safe`"


@dataclass(frozen=True)
class Fact:
    """One bug: the fixing commit, the kind of its fix, the error's last line, and (file, line) of each frame."""

    repository: str
    commit: str
    kind: str
    error: str
    places: tuple[tuple[str, int], ...]


def facts(table: Path = FACTS) -> Iterator[Fact]:
    """Every line of a table."""
    for line in table.read_text(encoding="utf-8").splitlines():
        repository, commit, kind, error, places = line.split("\t")
        at = [one.rsplit(":", 1) for one in places.split()]
        yield Fact(repository, commit, kind, error, tuple((file, int(number)) for file, number in at))


def realbugs(_folder: Path | None = None) -> list[Row]:
    """The share of guard bugs with a proposal, and of the other bugs with a safe one."""
    place = os.environ.get(CLONES)
    if not place:
        return _skipped(f"skipped: {CLONES} names no folder of clones")
    guards, others, held, absent = [], [], [], 0
    for table in (FACTS, HELD_OUT):
        for fact in facts(table):
            made = proposals(fact, Path(place))
            if made is None:
                absent += 1
            elif fact.kind == "none":
                others.append(made)
            else:
                (held if table == HELD_OUT else guards).append(made)
    lacking = f"; {absent} of which no clone is there" if absent else ""
    if not guards or not others or not held:
        return _skipped(f"skipped: too few of the clones are in {place}")
    share = sum(map(bool, guards)) / len(guards)
    share_held = sum(map(bool, held)) / len(held)
    safe = sum(any(fix.applicability == "safe" for fix in made) for made in others) / len(others)
    return [
        Row(PROPOSED, "≥ 80 %", f"{share:.0%} of {len(guards)}{lacking}", share >= 0.8),
        Row(HELD, "≥ 80 %", f"{share_held:.0%} of {len(held)}{lacking}", share_held >= 0.8),
        Row(SAFE, "≤ 3 %", f"{safe:.0%} of {len(others)}{lacking}", safe <= 0.03),
    ]


def _skipped(said: str) -> list[Row]:
    return [Row(PROPOSED, "≥ 80 %", said), Row(HELD, "≥ 80 %", said), Row(SAFE, "≤ 3 %", said)]


def proposals(fact: Fact, clones: Path) -> tuple[Fix, ...] | None:
    """What is proposed for the tree before the fix; None where its clone or commit is not there."""
    owner, _, name = fact.repository.partition("/")
    choices = (clones / f"{owner}+{name}" / "repo", clones / f"{owner}+{name}", clones / owner / name)
    clone = next((one for one in choices if one.is_dir()), None)
    if clone is None:
        return None
    folders = {str(PurePosixPath(file).parent) if "/" in file else file for file, _line in fact.places}
    names = sorted({*folders, *_python_and_declarations(clone, fact.commit)})
    archive = ["git", "-C", str(clone), "archive", f"{fact.commit}~1", "--", *names]
    done = subprocess.run(archive, capture_output=True, check=False)
    if done.returncode:  # some clones lack their largest files
        done = subprocess.run([*archive, *LARGE], capture_output=True, check=False)
    if done.returncode:
        return None
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(root, filter="data")
        frames = tuple(_frame(root, file, line) for file, line in fact.places)
        kind, _, message = fact.error.partition(": ")
        record = ErrorRecord(kind, message, frames)
        last = frames[-1]
        group = Group("g", kind, message, last.file, last.function, last.line, 3, 2, "", "", (), 0.0, None, (record,))
        return suggest(root, [group], {name: built_in(name) for name in BUILT_IN}).fixes


def _python_and_declarations(clone: Path, commit: str) -> list[str]:
    """Every file that can say what a project is made of and needs: those stand anywhere in it."""
    listed = subprocess.run(
        ["git", "-C", str(clone), "ls-tree", "-r", "--name-only", "-z", f"{commit}~1"], capture_output=True, check=False
    )
    names = listed.stdout.decode("utf-8", "replace").split("\0")
    return [name for name in names if name.endswith((".py", ".txt", ".toml", ".cfg", ".in", ".yml", "Pipfile"))]


def _frame(root: Path, file: str, line: int) -> Frame:
    lines = (root / file).read_text(encoding="utf-8", errors="replace").splitlines()
    indent = len(lines[line - 1]) - len(lines[line - 1].lstrip())
    above = (re.match(r"(\s*)(?:async )?def (\w+)", one) for one in reversed(lines[:line]))
    function = next((one[2] for one in above if one and len(one[1]) < indent), "<module>")
    return Frame(str(root / file), line, function, lines[line - 1].strip())


def main() -> None:
    """Print each bug (of the kinds named, or held out) with what is proposed for it, then the shares."""
    place = os.environ.get(CLONES)
    kinds = sys.argv[1:]
    table = HELD_OUT if kinds == ["held_out"] else FACTS
    for fact in facts(table) if place else ():
        if table == FACTS and kinds and fact.kind not in kinds:
            continue
        made = proposals(fact, Path(str(place)))
        print(f"== {fact.repository} {fact.commit} {fact.kind}: {fact.error}")
        for fix in made or ():
            print(f"{fix.pattern}/{fix.operator} {fix.applicability}: {fix.why}\n{fix.diff}")
        if not made:
            print("not there" if made is None else "no proposal")
    for row in () if kinds else realbugs():
        print(row)


if __name__ == "__main__":
    main()
