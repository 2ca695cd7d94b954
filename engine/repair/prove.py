"""Does a fix do what it says? Built on a copy, compiled, and the project's tests run before and after.

Relies on `copies` and `trials`; never writes to the project. A proof says how sure it is: 'proven' when a test that
failed passes now and none newly fails; 'refuted' when something breaks; 'plausible' in between, with the reason.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from engine.errors import ProofsheetError
from engine.repair import trials
from engine.repair.copies import copied
from engine.repair.patterns.files import Folder
from engine.repair.patterns.pattern import FileEdit
from engine.repair.trials import Limits, Trial, newly_failing

Verdict = Literal["proven", "plausible", "refuted"]
_IMPORT = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"


@dataclass(frozen=True, slots=True)
class Proof:
    """What a dry run found. `reason` is a sentence for people; `output` is the end of what the tests said after."""

    compiles: bool
    before: Trial | None
    after: Trial | None
    newly_failing: tuple[str, ...]
    verdict: Verdict
    reason: str
    how: str = ""
    output: str = ""

    def document(self) -> dict[str, Any]:
        """The JSON form of the contract, and more."""
        return {
            "compiles": self.compiles,
            "tests_before": self.before.document() if self.before else None,
            "tests_after": self.after.document() if self.after else None,
            "newly_failing": list(self.newly_failing),
            "verdict": self.verdict,
            "reason": self.reason,
            "copy": self.how,
            "offline": trials.is_offline(),
            "seconds": round(sum(one.seconds for one in (self.before, self.after) if one), 2),
            "output": self.output,
        }


@dataclass(frozen=True, slots=True)
class Tests:
    """The project's test command; None where it has none that can be run, and why."""

    command: tuple[str, ...] | None
    why_none: str = ""


def tests_of(root: Path, words: str | None) -> Tests:
    """The command to run: `words` split as a shell would, else pytest where there are tests for it."""
    if words is not None:
        return Tests(tuple(trials.command_of(words)))
    if not trials.has_tests(root, Folder(root).python_files()):
        return Tests(None, "the project has no tests")
    for python in dict.fromkeys((trials.interpreter(root), sys.executable)):
        if trials.knows_pytest(python):
            return Tests((python, "-m", "pytest", "-q"))
    return Tests(None, "there are tests, but pytest is not installed to run them; name a command with --tests")


def environment_for(patterns: Sequence[str]) -> dict[str, str]:
    """Encoding faults are seen under the C locale; everything else as it is."""
    return dict(trials.C_LOCALE) if "unicode" in patterns else {}


def why_no_python(edits: Sequence[FileEdit]) -> str | None:
    """The first edited Python file that does not compile, and why; None when all do."""
    for edit in edits:
        if edit.path.endswith(".py"):
            try:
                compile(edit.after, edit.path, "exec", dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                return f"{edit.path} does not compile: {error}"
    return None


def prove(
    root: Path,
    edits: Sequence[FileEdit],
    tests: Tests,
    *,
    extra: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Proof:
    """Try the edits on a copy of `root`. Raises ProofsheetError when no copy can be made or the tests cannot be run."""
    problem = why_no_python(edits)
    if problem:
        return Proof(False, None, None, (), "refuted", problem)
    with copied(root) as copy:
        _check_same(copy.root, edits)
        if tests.command is None:
            return _by_import(copy.root, copy.how, edits, tests.why_none, extra, limits)
        before = trials.run(tests.command, copy.root, extra=extra, limits=limits)
        if before.is_late:
            return Proof(True, before, None, (), "plausible", too_late(before), copy.how, before.tail[-trials.TAIL :])
        put(copy.root, edits)
        after = trials.run(tests.command, copy.root, extra=extra, limits=limits)
        new = newly_failing(before, after)
        if new:  # a test that fails now and then is no reason to refuse a fix: it must fail twice
            again = trials.run(tests.command, copy.root, extra=extra, limits=limits)
            new = tuple(sorted(set(new) & set(newly_failing(before, again))))
            after = after if new else again
        verdict, reason = judged(before, after, new)
        return Proof(True, before, after, new, verdict, reason, copy.how, after.tail[-trials.TAIL :])


def too_late(before: Trial) -> str:
    """Why tests that did not end in time say nothing, and what to do about it."""
    return (
        f"the tests did not end within {before.seconds:.0f} s, so they say nothing: name fewer with --tests, "
        "or give them longer (fix_tests_seconds)"
    )


def judged(before: Trial, after: Trial, new: Sequence[str]) -> tuple[Verdict, str]:
    """The verdict on two runs of the tests, with its reason."""
    if new:
        return "refuted", f"newly failing: {', '.join(new[:3])}{' ...' if len(new) > 3 else ''}"
    mended = before.failures - after.failures
    if mended and after.ended_well:
        left = f"; {len(after.failures)} fail as before" if after.failures else ""
        count = len(mended)
        said = "1 test failed before and passes now" if count == 1 else f"{count} tests failed before and pass now"
        return "proven", f"{said}{left}"
    if before.failures:
        return "plausible", "nothing newly fails, but what failed before fails still"
    if not after.passed:
        return "plausible", "no test was run, before as after: nothing shows the error"
    said = "the one test passes" if after.passed == 1 else f"all {after.passed} tests pass"
    return (
        "plausible",
        f"{said}, before as after: {'it does not show' if after.passed == 1 else 'none of them shows'} the error",
    )


def put(root: Path, edits: Sequence[FileEdit]) -> None:
    """Write the edits into a copy."""
    for edit in edits:
        place = root / edit.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(edit.after)


def _check_same(root: Path, edits: Sequence[FileEdit]) -> None:
    for edit in edits:
        place = root / edit.path
        now = place.read_bytes() if place.is_file() and not place.is_symlink() else None
        if now != edit.before:
            raise ProofsheetError(
                f"{edit.path} is not as it was when the fix was proposed", remedy="Run `proofsheet fix suggest` again."
            )


def _by_import(
    root: Path,
    how: str,
    edits: Sequence[FileEdit],
    why: str,
    extra: Mapping[str, str] | None,
    limits: Limits | None,
) -> Proof:
    names = [name for name in map(_module, (edit.path for edit in edits)) if name]
    if not names:
        put(root, edits)
        return Proof(True, None, None, (), "plausible", f"{why}: it compiles, and no more is known", how)
    command = (trials.interpreter(root), "-c", _IMPORT, *names)
    before = trials.run(command, root, extra=extra, limits=limits)
    put(root, edits)
    after = trials.run(command, root, extra=extra, limits=limits)
    output = after.tail[-trials.TAIL :]
    if after.failures and not before.failures:
        return Proof(
            True,
            None,
            None,
            (f"import of {', '.join(names)}",),
            "refuted",
            "it cannot be imported any more",
            how,
            output,
        )
    said = (
        "it compiles and is imported" if not after.failures else "it compiles; it cannot be imported, before as after"
    )
    return Proof(True, None, None, (), "plausible", f"{why}: {said}, and no more is known", how, output)


def _module(path: str) -> str | None:
    """The dotted name by which a file is imported from the root or `src`; None where it has none."""
    parts = list(PurePosixPath(path).parts)
    if not parts or not parts[-1].endswith(".py"):
        return None
    parts[-1] = parts[-1].removesuffix(".py")
    parts = parts[1:] if parts[0] == "src" and len(parts) > 1 else parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else None
