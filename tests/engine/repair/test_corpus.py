"""Each fix pattern against its corpus: `corpus/<pattern>.py` with PROGRAMS and LOOKALIKES (and PRELOAD, LOCALE_C).

For every program: the check fails for real, the pattern proposes from that traceback, nothing but the lines meant
changes, the check passes after, and the pattern has nothing more to propose. Look-alikes come out untouched.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

from engine.repair.patterns.files import Folder
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.registry import built_in
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.record import ErrorRecord
from engine.repair.tracebacks import read
from tests.engine.repair.corpus.program import Program

HERE = Path(__file__).parent / "corpus"
PATTERNS = (
    *("unicode", "missing-file", "imread", "missing-import"),
    *("zero-division", "out-of-memory", "attribute", "type-mismatch"),
)


def corpus(pattern: str) -> ModuleType:
    return importlib.import_module(f"tests.engine.repair.corpus.{pattern.replace('-', '_')}")


def lay_out(root: Path, files: object) -> None:
    for name, text in dict(files).items():  # type: ignore[call-overload]
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())


def run(module: ModuleType, jobs: Sequence[tuple[Path, str]]) -> list[tuple[int, str]]:
    """Exit status and output of each piece of code, run in its folder."""
    if not jobs:
        return []
    at = jobs[0][0].parent / "jobs.json"
    work = {
        "preload": list(getattr(module, "PRELOAD", ())),
        "jobs": [{"folder": str(folder), "code": code} for folder, code in jobs],
    }
    at.write_text(json.dumps(work), encoding="utf-8")
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    env.pop("PYTHONIOENCODING", None)
    if getattr(module, "LOCALE_C", False):
        env |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run([sys.executable, str(HERE / "worker.py"), str(at)], check=True, env=env, timeout=170)
    found = []
    for folder, _code in jobs:
        out = Path(f"{folder}.out").read_bytes().decode("utf-8", "replace")
        found.append((int(Path(f"{folder}.status").read_text("ascii")), out))
    return found


def case_of(root: Path, log: str) -> Case:
    """The last error of a log, as the suggesting side shows it to a pattern."""
    project = Folder(root)
    records = [one for one in read(log) if isinstance(one, ErrorRecord)]
    assert records, f"no error in the log:\n{log}"
    record = records[-1]
    own = [(path, frame) for frame in record.frames if (path := project.relative(frame.file))]
    own = [(path, frame) for path, frame in own if project.read(path) is not None]
    assert own, f"no frame inside the project:\n{log}"
    path, frame = own[-1]
    source = project.read(path)
    assert source is not None
    try:
        line = Module(path, source).line_of(frame.code, frame.line) or frame.line
    except NotEditable:
        line = frame.line
    return Case(project, "g", [record], path, frame, line, source)


def proposed(pattern: str, case: Case) -> Proposal | Declined | None:
    it = built_in(pattern)
    return it.propose(case) if it.recognises(case.records[0]) else None


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_program_of_the_corpus_is_mended_and_nothing_else_changes(pattern: str, tmp_path: Path) -> None:
    module = corpus(pattern)
    programs: list[Program] = module.PROGRAMS
    assert len(programs) >= 20
    assert len({one.name for one in programs}) == len(programs)
    roots = [tmp_path / f"{index:03d}" for index in range(len(programs))]
    for root, one in zip(roots, programs, strict=True):
        lay_out(root, one.files)
    before = run(module, [(root, one.run or one.check) for root, one in zip(roots, programs, strict=True)])
    problems: list[str] = []
    mended: list[tuple[Path, Program]] = []
    for root, one, (status, out) in zip(roots, programs, before, strict=True):
        if not status:
            problems.append(f"{one.name}: does not fail before the fix")
            continue
        log = one.log.replace("{root}", str(root)) or out
        anew = root.with_name(root.name + "b")
        lay_out(anew, one.files)  # what the first run wrote is gone
        why, case = mend(pattern, anew, one, log.replace(str(root), str(anew)))
        if why:
            problems.append(f"{one.name}: {why}")
        elif case is not None:
            mended.append((anew, one))
    for (_root, one), (status, out) in zip(mended, run(module, [(r, o.check) for r, o in mended]), strict=True):
        if status:
            problems.append(f"{one.name}: still fails after the fix:\n{out[-1500:]}")
    assert not problems, f"{len(problems)} of {len(programs)}\n" + "\n".join(problems)


def mend(pattern: str, root: Path, one: Program, log: str) -> tuple[str, Case | None]:
    """Apply the pattern's proposal on disk; why it is not right, or '' and the case."""
    case = case_of(root, log)
    proposal = proposed(pattern, case)
    if not isinstance(proposal, Proposal):
        return f"{getattr(proposal, 'reason', 'not recognised')}\n{log[-800:]}", None
    if one.operator and proposal.operator != one.operator:
        return f"operator {proposal.operator}, not {one.operator}", None
    if one.applicability and proposal.applicability != one.applicability:
        return f"{proposal.applicability}, not {one.applicability}", None
    allowed = one.touches or ("app.py",)
    for edit in proposal.edits:
        if edit.path not in allowed:
            return f"touches {edit.path}", None
        if problem := not_only_the_lines_meant(edit.path, edit.before, edit.after):
            return problem, None
        (root / edit.path).parent.mkdir(parents=True, exist_ok=True)
        (root / edit.path).write_bytes(edit.after)
    for path, wanted in one.after.items():
        if (found := (root / path).read_bytes()) != wanted.encode():
            shown = "".join(difflib.unified_diff(wanted.splitlines(True), found.decode().splitlines(True), "wanted"))
            return f"{path} is not as meant:\n{shown}", None
    again = proposed(pattern, case_of(root, log))
    if isinstance(again, Proposal):
        shown = "".join(difflib.unified_diff(*(side.decode().splitlines(True) for side in (
            again.edits[0].before or b"", again.edits[0].after))))  # fmt: skip
        return f"a second fix is proposed:\n{shown}", None
    return "", case


def not_only_the_lines_meant(path: str, before: bytes | None, after: bytes) -> str:
    """Whether an edit keeps what it should: it compiles, and line endings, mark and last newline stay."""
    if path.endswith(".py"):
        ast.parse(after)
    if not before:
        return ""
    if before.startswith(b"\xef\xbb\xbf") != after.startswith(b"\xef\xbb\xbf"):
        return "the byte-order mark changed"
    if before.endswith((b"\n", b"\r")) != after.endswith((b"\n", b"\r")):
        return "the end of the file changed"
    kept, lines = before.splitlines(True), after.splitlines(True)
    same = sum(block.size for block in difflib.SequenceMatcher(None, kept, lines, autojunk=False).get_matching_blocks())
    if len(kept) - same > 8:
        return f"{len(kept) - same} lines of {path} changed"
    return ""


@pytest.mark.parametrize("pattern", PATTERNS)
def test_look_alikes_are_left_alone(pattern: str, tmp_path: Path) -> None:
    module = corpus(pattern)
    spared: list[Program] = module.LOOKALIKES
    assert len(spared) >= 30
    assert len({one.name for one in spared}) == len(spared)
    roots = [tmp_path / f"{index:03d}" for index in range(len(spared))]
    for root, one in zip(roots, spared, strict=True):
        lay_out(root, one.files)
    needed = [(root, one.run) for root, one in zip(roots, spared, strict=True) if not one.log]
    outs = {root: out for (root, _code), (_status, out) in zip(needed, run(module, needed), strict=True)}
    problems: list[str] = []
    for root, one in zip(roots, spared, strict=True):
        log = outs.get(root) or one.log.replace("{root}", str(root))
        if "Traceback" not in log:
            problems.append(f"{one.name}: does not fail\n{log[-500:]}")
            continue
        found = proposed(pattern, case_of(root, log))
        if isinstance(found, Proposal):
            edit = found.edits[0]
            shown = "".join(difflib.unified_diff((edit.before or b"").decode(errors="replace").splitlines(True),
                                                 edit.after.decode(errors="replace").splitlines(True)))  # fmt: skip
            problems.append(f"{one.name}: {found.operator}\n{shown}")
        elif isinstance(found, Declined):
            assert found.reason, one.name
            if one.reason not in found.reason:
                problems.append(f"{one.name}: declined since {found.reason}")
    assert not problems, f"{len(problems)} of {len(spared)}\n" + "\n".join(problems)
