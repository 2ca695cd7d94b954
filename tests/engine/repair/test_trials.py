"""Running a project's tests: limits, no network, no survivors, and what they said by name."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.repair import trials
from engine.repair.merge import Overlap, hunks, merged, some
from engine.repair.trials import C_LOCALE, Limits, newly_failing


def script(root: Path, text: str) -> list[str]:
    (root / "check.py").write_text(text)
    return [sys.executable, "check.py"]


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    code = "import subprocess, sys, time\nchild = subprocess.Popen(['sleep', '60'])\n"
    code += f"open({str(told)!r}, 'w').write(str(child.pid))\ntime.sleep(60)\n"
    found = trials.run(script(tmp_path, code), tmp_path, limits=Limits(2.0))
    assert (found.is_late, found.ended_well, found.seconds < 30) == (True, False, True)
    end = time.monotonic() + 10
    while _lives(int(told.read_text())):
        assert time.monotonic() < end, "a grandchild outlived its test run"
        time.sleep(0.01)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_memory_is_limited_and_the_network_is_away_but_for_the_loopback(tmp_path: Path) -> None:
    code = "try:\n    x = bytearray(2 << 30)\nexcept MemoryError:\n    sys.exit(3)\n"
    found = trials.run(script(tmp_path, "import sys\n" + code), tmp_path, limits=Limits(20, 1 << 30))
    assert found.failures and found.ended_well
    if not trials.is_offline():
        pytest.skip("this system does not let a program leave the network")
    code = "import socket\nassert [name for _, name in socket.if_nameindex()] == ['lo']\n"
    code += "s = socket.create_server(('127.0.0.1', 0))\nsocket.create_connection(s.getsockname()).close()\n"
    found = trials.run(script(tmp_path, code), tmp_path)
    assert not found.failures, found.tail


def test_secrets_and_the_home_are_not_handed_on_and_the_locale_is_as_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    home = str(Path.home())
    code = "import locale, os\nassert 'OPENAI_API_KEY' not in os.environ\n"
    code += f"assert os.path.expanduser('~') != {home!r}\nprint(locale.getpreferredencoding(False))\n"
    found = trials.run(script(tmp_path, code), tmp_path, extra=C_LOCALE)
    assert not found.failures, found.tail
    assert "ANSI_X3.4-1968" in found.tail or "US-ASCII" in found.tail


def test_unittest_is_read_by_name(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import unittest\n\nclass T(unittest.TestCase):\n    def test_a(self): pass\n    def test_b(self): 1 / 0\n"
    )
    found = trials.run(trials.command_of("python -m unittest test_it"), tmp_path)
    assert (found.passed, len(found.failures)) == (1, 1)
    assert "test_b" in next(iter(found.failures))


def test_tests_of_a_module_that_could_not_be_loaded_are_not_new() -> None:
    blank = trials.Trial(0, frozenset({"tests.test_a"}), frozenset(), True, False, 0.0, "")
    after = trials.Trial(
        1, frozenset({"tests.test_a::test_x", "tests.test_b::test_y"}), frozenset(), True, False, 0.0, ""
    )
    assert newly_failing(blank, after) == ("tests.test_b::test_y",)


def test_a_command_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be run"):
        trials.run(["no-such-command"], tmp_path)
    with pytest.raises(UsageError, match="cannot be split"):
        trials.command_of("pytest 'x")


def test_edits_of_one_file_go_together_where_they_keep_apart() -> None:
    before = b"import os\r\n\r\na = 1\r\nb = 2\r\nc = 3\n"
    one = before.replace(b"import os\r\n", b"import os\r\nimport json\r\n").replace(b"a = 1", b"a = 10")
    two = before.replace(b"import os\r\n", b"import os\r\nimport json\r\n").replace(b"c = 3", b"c = 30")
    both = merged(before, [one, two])
    assert both == b"import os\r\nimport json\r\n\r\na = 10\r\nb = 2\r\nc = 30\n"
    assert some(before, both, {1}) == before.replace(b"a = 1", b"a = 10")
    assert len(hunks(before, both)) == 3
    with pytest.raises(Overlap):
        merged(before, [one, before.replace(b"a = 1", b"a = 11")])
