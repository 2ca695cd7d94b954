"""Missing files and powers of zero, told from text alone: which path it is, and all that cannot do without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.repair.telling import after, told

GONE = "FileNotFoundError: [Errno 2] No such file or directory: "
POWER = "ZeroDivisionError: 0.0 cannot be raised to a negative power"


def test_the_folder_of_a_bare_name_is_made_only_where_there_is_one(tmp_path: Path) -> None:
    source = "import os\ndef save(name):\n    os.makedirs(os.path.split(name)[0], exist_ok=True)\n    open(name, 'w')\n"
    text = after(told(tmp_path, "missing-file", source, "makedirs", GONE + "''"))
    assert "    if os.path.split(name)[0]:\n        os.makedirs" in text


def test_what_is_looked_for_in_a_folder_says_nothing_of_the_folder(tmp_path: Path) -> None:
    source = (
        "import os\ndef fonts(found, d):\n    if d:\n"
        "        found = found + [f for f in os.listdir(d) if os.path.isfile(os.path.join(d, f))]\n    return found\n"
    )
    text = after(told(tmp_path, "missing-file", source, "listdir", GONE + "'/home/u/fonts'"))
    made: dict[str, object] = {}
    exec(text, made)
    assert made["fonts"]([1], str(tmp_path / "none")) == [1]  # type: ignore[operator]


def test_where_what_is_copied_was_found_its_goal_has_no_folder(tmp_path: Path) -> None:
    source = (
        "import os, shutil\ndef take(name, here, there):\n    path = os.path.join(here, name)\n"
        "    if os.path.isfile(path):\n        goal = os.path.join(there, name)\n        shutil.copy(path, goal)\n"
        "        return goal\n    return None\n"
    )
    found = told(tmp_path, "missing-file", source, "shutil.copy", GONE + "'/there/a.so'")
    made: dict[str, object] = {}
    exec(after(found), made)
    (tmp_path / "a.so").write_text("a")
    assert Path(made["take"]("a.so", str(tmp_path), str(tmp_path / "new" / "deep"))).is_file()  # type: ignore[operator]


def test_what_deletes_it_behind_is_left_out_too(tmp_path: Path) -> None:
    source = (
        "import os\ndef clear(d):\n    for name in os.listdir(d):\n        os.remove(os.path.join(d, name))\n"
        "    os.rmdir(d)\n    return 'clear'\n"
    )
    made: dict[str, object] = {}
    exec(after(told(tmp_path, "missing-file", source, "listdir", GONE + "'gone'")), made)
    assert made["clear"](str(tmp_path / "gone")) == "clear"  # type: ignore[operator]


def test_what_is_made_behind_is_not_left_out(tmp_path: Path) -> None:
    source = "import os\ndef turn(log):\n    os.rename(log, log + '.1')\n    open(log, 'w').close()\n"
    text = after(told(tmp_path, "missing-file", source, "os.rename", GONE + "'a' -> 'a.1'"))
    assert text.endswith("\n    open(log, 'w').close()\n")


@pytest.mark.parametrize("path", ["'web/b'", "'b'", '"b\'s/rb"'])
def test_a_path_that_ends_with_b_is_taken_whole(tmp_path: Path, path: str) -> None:
    source = (
        "import os\ndef size(d):\n    total = 0\n    for base, _, files in os.walk(d):\n        for f in files:\n"
        "            total += os.path.getsize(os.path.join(base, f))\n    return total\n"
    )
    found = told(tmp_path, "missing-file", source, "getsize", GONE + path)
    if "/" in path:
        assert "continue" in after(found)
    else:
        assert getattr(found, "reason", "") == "the folder stands before the name by now"


def test_what_lies_in_a_home_need_not_be_there(tmp_path: Path) -> None:
    source = (
        "from pathlib import Path\nSAID = {'a': '1'}\nOWN = Path.home() / '.apprc'\nwith open(OWN) as f:\n"
        "    SAID.update(line.split('=') for line in f)\n"
    )
    assert "if OWN.exists():\n    with" in after(
        told(tmp_path, "missing-file", source, "open(", GONE + "'/home/u/.app'")
    )


def test_a_version_without_its_program_is_unknown(tmp_path: Path) -> None:
    source = (
        "import subprocess\ndef git_hash():\n"
        "    return subprocess.check_output(['git', 'rev-parse', 'HEAD']).decode().strip()\n"
    )
    assert "return 'unknown'" in after(told(tmp_path, "missing-file", source, "check_output", GONE + "'git'"))


def test_it_is_the_power_that_a_message_of_powers_is_about(tmp_path: Path) -> None:
    source = "def harmonic(values):\n    return len(values) / sum(v ** -1 for v in values)\n"
    made: dict[str, object] = {}
    exec(after(told(tmp_path, "zero-division", source, "**", POWER)), made)
    assert made["harmonic"]([0.0, 2.0]) == 4.0  # type: ignore[operator]


@pytest.mark.parametrize("path", ["Path(d) / name", "out_dir / name", "here / f'{name}.txt'", "Path(d).parent / name"])
def test_what_joins_paths_divides_nothing(tmp_path: Path, path: str) -> None:
    source = f"def f(d, out_dir, here, name, part, whole):\n    return ({path}), part / whole\n"
    text = after(told(tmp_path, "zero-division", source, "return", "ZeroDivisionError: division by zero"))
    assert f"return ({path}), part / whole if whole else 0.0" in text


def test_a_loop_that_goes_on_to_its_next_round_is_gone_round(tmp_path: Path) -> None:
    source = (
        "import os\nclass Store:\n    def last(self):\n        most = 0\n        for name in os.listdir(self.root):\n"
        "            try:\n                at = int(name)\n            except ValueError:\n                continue\n"
        "            most = max(most, at)\n        return most\n"
    )
    made: dict[str, type] = {}
    exec(after(told(tmp_path, "missing-file", source, "listdir", GONE + "'gone'")), made)
    store = made["Store"]()
    store.root = str(tmp_path / "gone")
    assert store.last() == 0


def test_of_several_files_of_a_statement_it_is_the_one_on_the_line(tmp_path: Path) -> None:
    source = "def f(a, b, show):\n    show(\n        first=open(a).read(),\n        second=open(b).read(),\n    )\n"
    text = after(told(tmp_path, "missing-file", source, "open(b", GONE + "'x'"))
    assert "exists(b)" in text
    assert "exists(a)" not in text


def test_what_waits_for_none_waits_as_long_as_for_one(tmp_path: Path) -> None:
    source = "def left(alive):\n    max_timeout = 1.0 / len(alive)\n    return min(3.0, max_timeout)\n"
    made: dict[str, object] = {}
    exec(after(told(tmp_path, "zero-division", source, "1.0 /", "ZeroDivisionError: float division by zero")), made)
    assert made["left"]([]) == 1.0  # type: ignore[operator]
    assert made["left"]([1, 2]) == 0.5  # type: ignore[operator]


def test_what_was_begun_empty_stays_so(tmp_path: Path) -> None:
    source = (
        "import json\nclass Store:\n    def __init__(self, path):\n        self.path = path\n        self.known = {}\n"
        "        with open(self.path) as file:\n            self.known = json.load(file)\n"
    )
    made: dict[str, type] = {}
    exec(after(told(tmp_path, "missing-file", source, "open(", GONE + "'x'")), made)
    assert made["Store"](str(tmp_path / "none")).known == {}
