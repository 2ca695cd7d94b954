"""Running a project's tests as a stranger's program: limits, no network where possible, no shell, nothing on our own
terminal.

Relies on `confine` for the limits. Names of passed and failed tests come from JUnit XML (asked for by PYTEST_ADDOPTS,
so that it works however pytest is started), else from what pytest or unittest print, else there is one test: the
command.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from engine.errors import UsageError
from engine.repair import confine
from engine.repair.scratch import scratch

SECONDS = 600.0
MEMORY = 8 << 30
LARGEST_FILE = 2 << 30
TAIL = 4000  # characters of output kept
MOST_REPORT = 64 << 20  # bytes of a test report that are read
C_LOCALE = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
_PASSED_ON = re.compile(r"(?i)(?:secret|token|passw|credential|api_?key|admin|auth|^aws_|^proofsheet_|^pytest_|_pat$)")
_SUMMARY = re.compile(r"^(PASSED|FAILED|ERROR)\s+(\S+::\S+|\S+\.py)(?:\s+-\s.*)?$", re.MULTILINE)
_PYTEST_COUNT = re.compile(r"(\d+) (passed|failed|error(?:s)?)\b")
_UNITTEST_BAD = re.compile(r"^(?:FAIL|ERROR): (\S+ \([\w.]+\)|\S+)", re.MULTILINE)
_UNITTEST_RAN = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)
_COMMAND = "(the test command)"
NO_TESTS = 5  # pytest's exit code when it collects nothing


@dataclass(frozen=True, slots=True)
class Limits:
    """Wall seconds, bytes of address space."""

    seconds: float = SECONDS
    memory: int = MEMORY


@dataclass(frozen=True, slots=True)
class Trial:
    """How one run of the tests ended. `passed` counts tests; `failures` names those that failed, `successes` those that
    are known by name to have passed. `ended_well`: the run came to its end, whatever the tests said."""

    passed: int
    failures: frozenset[str]
    successes: frozenset[str]
    ended_well: bool
    is_late: bool
    seconds: float
    tail: str

    def document(self) -> dict[str, int]:
        """The JSON form: counts."""
        return {"passed": self.passed, "failed": len(self.failures)}


def newly_failing(before: Trial, after: Trial) -> tuple[str, ...]:
    """Tests that fail now and did not before. Those of a module that could not even be loaded before are not new."""
    unloaded = tuple(name for name in before.failures if "::" not in name)
    found = {
        name
        for name in after.failures - before.failures
        if not any(name.startswith((f"{module}::", f"{module}.")) for module in unloaded) or name in before.successes
    }
    if before.ended_well and not after.ended_well:
        found.add("the run was stopped at its time limit" if after.is_late else "the run broke off")
    return tuple(sorted(found))


def command_of(words: str) -> list[str]:
    """A command line as a shell would split it. Raises UsageError for one that cannot be."""
    import shlex

    try:
        found = shlex.split(words)
    except ValueError as error:
        raise UsageError(f"--tests {words!r} cannot be split into words: {error}") from error
    if not found:
        raise UsageError("--tests is empty", remedy="Name a command: --tests 'python -m pytest -q'")
    return found


def has_tests(root: Path, files: Sequence[str]) -> bool:
    """Whether the project holds what pytest would collect by name."""
    del root
    names = [path.rpartition("/")[2] for path in files]
    return any(name.startswith("test_") or name.endswith("_test.py") for name in names)


def interpreter(root: Path) -> str:
    """The Python of the project: its own virtual environment's, else the one that runs this program."""
    for place in (".venv/bin/python", "venv/bin/python", "env/bin/python"):
        if (root / place).is_file() and (root / place).parent.parent.joinpath("pyvenv.cfg").is_file():
            return str(root / place)
    return sys.executable


@cache
def knows_pytest(python: str) -> bool:
    """Whether that interpreter can run pytest."""
    done = subprocess.run(
        [python, "-c", "import pytest"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    return done.returncode == 0


@cache
def is_offline() -> bool:
    """Whether commands can be kept off the network here."""
    command = _confined([sys.executable, "-I", "-S", "-c", ""], Limits(20), must=True)
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def run(
    command: Sequence[str], root: Path, *, extra: Mapping[str, str] | None = None, limits: Limits | None = None
) -> Trial:
    """Run the tests in `root`. Raises UsageError when the command is not there."""
    limits = limits or Limits()
    with scratch("trial") as desk:
        report, said = desk / "report.xml", desk / "said"
        environment = _environment(root, desk, report) | dict(extra or {})
        begun = time.monotonic()
        code, is_late = _run(_found(command, environment), root, environment, said, limits)
        seconds = time.monotonic() - begun
        tail = _tail(said)
        if code == confine.NO_COMMAND and not report.exists():
            raise UsageError(
                f"the test command {command[0]} cannot be run: {tail.strip() or 'not found'}",
                remedy="Name a command that is there: --tests 'python -m pytest -q'",
            )
        passed, failures, successes, is_read = _read(report, tail)
    if not is_read and code == NO_TESTS and "no tests ran" in tail:
        is_read = True
    if not is_read:
        failures = frozenset() if code == 0 else frozenset({_COMMAND})
        passed, successes = (1, frozenset({_COMMAND})) if code == 0 else (0, frozenset())
    ended_well = not is_late and (is_read or code >= 0)
    return Trial(passed, failures, successes, ended_well, is_late, seconds, tail)


def _confined(command: Sequence[str], limits: Limits, *, must: bool = False) -> list[str]:
    told = {
        "memory": limits.memory,
        "seconds": max(1, int(limits.seconds * (os.cpu_count() or 1))),
        "file": LARGEST_FILE,
        "must": must,
    }
    return [sys.executable, "-I", "-S", confine.__file__, json.dumps(told), *command]


def _run(
    command: Sequence[str], root: Path, environment: Mapping[str, str], said: Path, limits: Limits
) -> tuple[int, bool]:
    """(exit code, negative for a signal; whether time ran out). Everything it started is ended with it."""
    with said.open("wb") as ear:
        child = subprocess.Popen(
            _confined(command, limits),
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=ear,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return child.wait(limits.seconds), False
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL, True
        finally:
            _end_group(child.pid)
            child.wait()


def _end_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # all of them ended by themselves


def _environment(root: Path, desk: Path, report: Path) -> dict[str, str]:
    """The person's environment without secrets, with a home and a place for temporary files that go away."""
    import site

    kept = {name: value for name, value in os.environ.items() if not _PASSED_ON.search(name)}
    home, temporary = desk / "home", desk / "tmp"
    home.mkdir()
    temporary.mkdir()
    sources = [str(place) for place in (root, root / "src") if place.is_dir()]
    return kept | {
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONPATH": os.pathsep.join(sources),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTEST_ADDOPTS": f"-p no:cacheprovider --junitxml={report}",
        "NO_COLOR": "1",
    }


def _found(command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The command with its first word found; `python` and `pytest` are our own where the path has none that will do."""
    first, *rest = command
    if "/" in first:
        return list(command)
    there = shutil.which(first, path=environment.get("PATH"))
    if first in ("pytest", "py.test") and there is None:
        return [sys.executable, "-m", "pytest", *rest]
    if re.fullmatch(r"python(?:3(?:\.\d+)?)?", first):
        lacks = there is not None and rest[:2] == ["-m", "pytest"] and not knows_pytest(there)
        if there is None or (lacks and knows_pytest(sys.executable)):
            return [sys.executable, *rest]
    return list(command)


def _tail(said: Path) -> str:
    with said.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 256_000))
        return file.read().decode("utf-8", "replace")


Names = tuple[int, frozenset[str], frozenset[str], bool]


def _read(report: Path, said: str) -> Names:
    """(how many passed, names that failed, names that passed, whether anything could be read)."""
    found = _junit(report)
    if found is not None:
        return found
    if ran := _UNITTEST_RAN.search(said):
        bad = frozenset(_UNITTEST_BAD.findall(said))
        return max(0, int(ran[1]) - len(bad)), bad, frozenset(), True
    names = {(verdict, name) for verdict, name in _SUMMARY.findall(said)}
    counts = {word.rstrip("s") if word.startswith("error") else word: int(n) for n, word in _PYTEST_COUNT.findall(said)}
    if not names and not counts:
        return 0, frozenset(), frozenset(), False
    bad = frozenset(name for verdict, name in names if verdict != "PASSED")
    good = frozenset(name for verdict, name in names if verdict == "PASSED")
    missing = counts.get("failed", 0) + counts.get("error", 0) - len(bad)
    bad |= {f"unnamed failure {number}" for number in range(1, missing + 1)}
    return max(counts.get("passed", 0), len(good)), bad, good, True


def _junit(report: Path) -> Names | None:
    try:
        if report.stat().st_size > MOST_REPORT:
            return None
        text = report.read_text(encoding="utf-8", errors="replace")
        if "<!DOCTYPE" in text[:1000]:
            return None  # pytest writes none, and none is needed
        tree = ElementTree.fromstring(text)  # noqa: S314 - no document type, so no entities to expand
    except (OSError, ElementTree.ParseError):
        return None
    good: set[str] = set()
    bad: set[str] = set()
    for case in tree.iter("testcase"):
        place, name = case.get("classname") or "", case.get("name") or ""
        full = f"{place}::{name}" if place else name
        if case.find("failure") is not None or case.find("error") is not None:
            bad.add(full)
        elif case.find("skipped") is None:
            good.add(full)
    good -= bad  # a test that passed and could not be torn down failed
    if not good and not bad:
        return None
    return len(good), frozenset(bad), frozenset(good), True
