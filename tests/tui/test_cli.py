"""The command line's frame: quick help, exit codes, errors in words, a folder as the first word."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tui.cli import COMMANDS, main

HEAVY = ("torch", "pandas", "textual", "sqlalchemy", "pydantic", "numpy", "PIL", "asyncio")


def run(*words: str, workspace: Path | None = None) -> subprocess.CompletedProcess[str]:
    where = ["--workspace", str(workspace)] if workspace else []
    return subprocess.run(
        [sys.executable, "-m", "tui.cli", *where, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, tui.cli\n"
        "try: tui.cli.main(['--help'])\n"
        f"except SystemExit: print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
    for name in COMMANDS:
        assert name in done.stdout


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_loads_and_helps(name: str) -> None:
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0, done.output
    assert "Usage:" in done.output


def test_an_unknown_command_is_a_usage_error() -> None:
    done = run("scna")
    assert done.returncode == 2
    assert "scna" in done.stderr


def test_init_makes_a_workspace_and_config_says_where_values_come_from(tmp_path: Path) -> None:
    made = run("init", str(tmp_path / "new"), "--json")
    assert made.returncode == 0
    assert json.loads(made.stdout)["workspace"] == str(tmp_path / "new")
    assert (tmp_path / "new" / "library.db").is_file()
    (tmp_path / "new" / "proofsheet.toml").write_text('\ntheme = "daylight"\n')
    shown = json.loads(run("config", "--json", workspace=tmp_path / "new").stdout)
    theme = next(row for row in shown["settings"] if row["key"] == "theme")
    assert (theme["value"], theme["origin"]) == ("daylight", f"{tmp_path / 'new' / 'proofsheet.toml'}, line 2")


def test_a_bad_setting_is_told_with_its_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "proofsheet.toml").write_text("seed = 1\nsede = 2\n")
    done = run("runs", workspace=tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path / 'proofsheet.toml'}, line 2" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_corrupt_database_is_told_with_the_remedy_and_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "library.db").write_bytes(b"no database" * 500)
    done = run("runs", "list", "--json", workspace=tmp_path)
    assert done.returncode == 1
    assert "Nothing was changed" in done.stderr
    assert done.stdout == ""


def test_without_a_terminal_the_app_says_what_to_do_instead(tmp_path: Path) -> None:
    for words in ((), (str(tmp_path),)):
        done = run(*words, workspace=tmp_path / "w")
        assert done.returncode == 2
        assert "needs a terminal" in done.stderr
        assert "proofsheet scan" in done.stderr


def test_an_unexpected_error_is_one_line_and_the_story_is_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.engine import Engine

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("an accident")

    monkeypatch.setattr(Engine, "_open", broken)
    done = CliRunner().invoke(main, ["--workspace", str(tmp_path), "runs", "list"])
    assert done.exit_code == 1
    assert "unexpected RuntimeError: an accident" in done.stderr
    assert "Traceback" not in done.stderr
    assert "an accident" in (tmp_path / "logs" / "crash.log").read_text()


@pytest.mark.parametrize("group", ["runs", "sets", "changes"])
def test_a_group_alone_lists_also_as_json(group: str, tmp_path: Path) -> None:
    done = run(group, "--json", workspace=tmp_path)
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout), dict)


def test_config_keeps_the_databases_password_to_itself(tmp_path: Path) -> None:
    (tmp_path / "proofsheet.toml").write_text('database_url = "postgresql://me:secret@db/x"\n')
    for words in (("config",), ("config", "--json")):
        done = run(*words, workspace=tmp_path)
        assert "secret" not in done.stdout
        assert "postgresql://me:***@db/x" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_printed_for_each_shell(shell: str) -> None:
    done = run("completions", shell)
    assert done.returncode == 0
    assert "_PROOFSHEET_COMPLETE" in done.stdout


def test_keys_pressed_while_the_demo_prepares_are_neither_echoed_nor_kept(monkeypatch) -> None:
    import os
    import pty
    import select
    import termios

    from tui.commands.demo import _quiet_keys

    master, slave = pty.openpty()
    with os.fdopen(slave, "r") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        before = termios.tcgetattr(slave)
        with _quiet_keys():
            os.write(master, b"x")
            assert select.select([slave], [], [], 5)[0], "the key never came"
        assert not select.select([slave], [], [], 0)[0]
        assert not select.select([master], [], [], 0)[0]
        assert termios.tcgetattr(slave) == before
    os.close(master)


def test_doctor_makes_nothing_and_tells_of_a_wrong_setting_as_a_finding(tmp_path: Path, monkeypatch) -> None:
    where = tmp_path / "not" / "yet"
    done = run("doctor", "--json", workspace=where)
    found = {one["name"]: one for one in json.loads(done.stdout)["findings"]}
    assert found["workspace"]["is_right"]
    assert found["workspace"]["value"] == f"not made yet: {where}"
    assert str(tmp_path) in found["disk space"]["value"]
    assert not (tmp_path / "not").exists()
    monkeypatch.setenv("PROOFSHEET_BURST_SECONDS", "soon")
    done = run("doctor", "--json", workspace=where)
    found = {one["name"]: one for one in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1
    assert not found["settings"]["is_right"]
    assert "PROOFSHEET_BURST_SECONDS" in found["settings"]["value"]
