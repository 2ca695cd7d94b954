"""Where a rule that mends one thing would break another: what must stay as it is, told from text alone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from engine.repair.patterns.pattern import Proposal
from tests.engine.repair.telling import after, is_left, told

NONE = "AttributeError: 'NoneType' object has no attribute "
GONE = "FileNotFoundError: [Errno 2] No such file or directory: "


def test_a_line_that_does_not_match_does_not_end_a_reader(tmp_path: Path) -> None:
    source = (
        "def pump(sock, pattern, sink):\n    while True:\n        line = sock.readline()\n        if not line:\n"
        "            break\n        found = pattern.match(line)\n        sink.write(found.group(1))\n"
    )
    assert after(told(tmp_path, "attribute", source, "group", NONE + "'group'")).count("break") == 1


def test_what_takes_something_is_not_asked_once_more(tmp_path: Path) -> None:
    source = (
        "class P:\n    def two(self):\n        first = self.lexer.token().value\n"
        "        second = self.lexer.token().value\n"
        "        return first, second\n"
    )
    text = after(told(tmp_path, "attribute", source, "first =", NONE + "'value'"))
    assert text.count("self.lexer.token()") == 2


def test_nobody_sees_not_everything(tmp_path: Path) -> None:
    source = "def visible(documents, user=None):\n    return documents.filter(user.id)\n"
    found = told(tmp_path, "attribute", source, "filter", NONE + "'id'")
    assert is_left(found) or "return documents\n" not in after(found)


def test_one_name_for_another_is_no_nothing(tmp_path: Path) -> None:
    source = (
        "def told(level, log):\n    if level == 'warn':\n        level = 'warning'\n    return log[level.upper()]\n"
    )
    found = told(tmp_path, "attribute", source, "upper", NONE + "'upper'")
    assert is_left(found) or "level is None or level == 'warn'" not in after(found)


def test_calls_of_a_dict_say_nothing_of_a_method_of_its_name(tmp_path: Path) -> None:
    source = "class Cache:\n    def get(self, key):\n        found = self.find(key)\n        return found.value\n"
    files = {"other.py": "import os\n\n\ndef home():\n    return os.environ.get('HOME', '').strip()\n"}
    text = after(told(tmp_path, "attribute", source, "found.value", NONE + "'value'", files))
    assert "return ''" not in text
    assert 'return ""' not in text


def test_a_record_of_lists_does_not_begin_with_zeros(tmp_path: Path) -> None:
    source = (
        "def gather(rows):\n    totals = {}\n    for user, tags in rows:\n        totals[user]['tags'] += tags\n"
        "    return totals\n"
    )
    found = told(tmp_path, "type-mismatch", source, "+= tags", "KeyError: 'ann'")
    assert is_left(found) or "'tags': 0" not in after(found)


def test_a_program_is_not_run_with_no_arguments(tmp_path: Path) -> None:
    source = "import subprocess\ndef go(cfg):\n    subprocess.run(args=cfg['command'], check=True)\n"
    found = told(tmp_path, "type-mismatch", source, "subprocess.run", "KeyError: 'command'")
    assert is_left(found) or "cfg.get('command')" not in after(found)


@pytest.mark.parametrize("name", ["free_path", "critical_path", "mean_free_path"])
def test_a_path_of_particles_is_divided(tmp_path: Path, name: str) -> None:
    source = f"def time({name}, speed):\n    return {name} / speed\n"
    assert "if speed else" in after(
        told(tmp_path, "zero-division", source, "return", "ZeroDivisionError: division by zero")
    )


def test_what_is_built_by_a_missing_program_has_no_name(tmp_path: Path) -> None:
    source = (
        "import subprocess\ndef build_image():\n"
        "    return subprocess.check_output(['docker', 'build', '-q', '.']).decode().strip()\n"
    )
    assert is_left(told(tmp_path, "missing-file", source, "check_output", GONE + "'docker'"))


def test_all_that_is_copied_into_a_folder_is_there_afterwards(tmp_path: Path) -> None:
    source = (
        "import os, shutil\ndef keep(names, out_dir):\n    for name in names:\n        if os.path.exists(name):\n"
        "            shutil.copy(name, out_dir)\n"
    )
    found = told(tmp_path, "missing-file", source, "shutil.copy", GONE + "'backups/today'")
    assert isinstance(found, Proposal)
    made: dict[str, object] = {"os": os, "shutil": shutil}
    exec(after(found), made)
    names = [tmp_path / "a", tmp_path / "b"]
    for one in names:
        one.write_text(one.name)
    made["keep"](list(map(str, names)), str(tmp_path / "backups" / "today"))  # type: ignore[operator]
    assert sorted(one.name for one in (tmp_path / "backups" / "today").iterdir()) == ["a", "b"]


@pytest.mark.parametrize("said", ["n == 2", "tries > limit"])
def test_a_retry_of_its_own_is_left(tmp_path: Path, said: str) -> None:
    source = (
        "def wait(path, n, tries, limit):\n    n = tries = limit = 2\n    try:\n        return open(path)\n"
        f"    except FileNotFoundError:\n        left = {said}\n        if left:\n            raise\n"
    )
    assert is_left(told(tmp_path, "missing-file", source, "open(", GONE + "'x'"))


def test_a_handler_that_raises_what_is_no_answer_to_it_is_no_answer(tmp_path: Path) -> None:
    source = (
        "import errno, os\ndef mkdir(path):\n    try:\n        os.makedirs(path)\n    except OSError as error:\n"
        "        if error.errno == errno.EEXIST:\n            pass\n        else:\n            raise\n"
    )
    assert "if path:" in after(told(tmp_path, "missing-file", source, "makedirs", GONE + "''"))


@pytest.mark.parametrize("kind", ["IOError", "OSError"])
def test_a_missing_file_in_older_words_is_answered_in_them(tmp_path: Path, kind: str) -> None:
    source = "def put(path, data):\n    with open(path, 'w') as file:\n        file.write(data)\n"
    text = after(
        told(tmp_path, "missing-file", source, "open(", f"{kind}: [Errno 2] No such file or directory: '/a/b'")
    )
    made: dict[str, object] = {}
    exec(text, made)
    made["put"](str(tmp_path / "new" / "a"), "b")  # type: ignore[operator]
    assert (tmp_path / "new" / "a").read_text() == "b"
    assert "exist_ok" not in text
    assert "pathlib" not in text


def test_what_is_gone_already_is_said_in_older_words(tmp_path: Path) -> None:
    source = "import os\ndef drop(path):\n    os.remove(path)\n    return 'dropped'\n"
    text = after(
        told(tmp_path, "missing-file", source, "os.remove", "OSError: [Errno 2] No such file or directory: 'x'")
    )
    made: dict[str, object] = {}
    exec(text, made)
    assert made["drop"](str(tmp_path / "none")) == "dropped"  # type: ignore[operator]
    with pytest.raises(OSError, match=r"irectory|permitted"):
        made["drop"](str(tmp_path))  # type: ignore[operator]
    assert "contextlib" not in text


@pytest.mark.parametrize("test", ["speed == 99999", "speed * width > limit"])
def test_a_check_of_another_number_does_not_keep_zero_out(tmp_path: Path, test: str) -> None:
    source = f"def part(speed, width, limit):\n    return 1 if {test} else 1 - (1 / speed)\n"
    made: dict[str, object] = {}
    exec(after(told(tmp_path, "zero-division", source, "return", "ZeroDivisionError: division by zero")), made)
    made["part"](0, 1, 1)  # type: ignore[operator]
    assert made["part"](2, 0, 1) == 0.5  # type: ignore[operator]


@pytest.mark.parametrize("where", ["other", "here"])
def test_a_logger_that_another_function_imports_is_none_of_its_own(tmp_path: Path, where: str) -> None:
    source = (
        "import os\ndef other():\n    IMPORT\n    logger.info('on')\ndef here(names):\n    IMPORT\n    total = 0\n"
        "    for name in names:\n        total += os.path.getsize(name)\n    return total\n"
    )
    parts = source.split("IMPORT")
    said = "from tools import logger"
    source = said.join(parts) if where == "here" else f"{parts[0]}{said}{parts[1]}pass{parts[2]}"
    text = after(told(tmp_path, "missing-file", source, "getsize", GONE + "'x'"))
    assert ("logger.warning(" in text) == (where == "here")


def test_a_comment_by_another_check_is_about_that(tmp_path: Path) -> None:
    source = (
        "from pathlib import Path\ndef make(out, suffix):\n    path = Path(out)\n    path.mkdir(exist_ok=True)\n"
        "    a = 1\n    b = 2\n    c = 3\n    # Fail fast\n    if suffix is None:\n        raise ValueError(suffix)\n"
        "    return path\n"
    )
    assert "parents=True" in after(told(tmp_path, "missing-file", source, "path.mkdir", GONE + "'/a/b'"))
    near = source.replace("    path.mkdir", "    # fail fast\n    path.mkdir")
    assert is_left(told(tmp_path, "missing-file", near, "path.mkdir", GONE + "'/a/b'"))


def test_less_than_another_lets_none_by(tmp_path: Path) -> None:
    source = (
        "def fill(some, total):\n    if len(some) < total:\n        some = some * (total // len(some) + 1)\n"
        "    return some\n"
    )
    text = after(told(tmp_path, "zero-division", source, "//", "ZeroDivisionError: integer division or modulo by zero"))
    made: dict[str, object] = {}
    exec(text, made)
    assert made["fill"]([], 3) == []  # type: ignore[operator]
    assert made["fill"]([1], 3) == [1] * 4  # type: ignore[operator]


def test_what_a_condition_asks_for_alone_need_not_be_there(tmp_path: Path) -> None:
    source = (
        "def fit(dataloaders, step):\n    if dataloaders['val'] and step % 10 == 0:\n        return 1\n    return 0\n"
    )
    made: dict[str, object] = {}
    exec(after(told(tmp_path, "type-mismatch", source, "if dataloaders", "KeyError: 'val'")), made)
    assert made["fit"]({}, 10) == 0  # type: ignore[operator]


def test_a_long_statement_is_still_a_statement_in_older_words(tmp_path: Path) -> None:
    source = "import os\ndef drop(name):\n    os.remove(\n        # this one\n\n        name\n    )\n    return 1\n"
    made: dict[str, object] = {}
    exec(
        after(told(tmp_path, "missing-file", source, "os.remove", "OSError: [Errno 2] No such file or directory: 'x'")),
        made,
    )
    assert made["drop"](str(tmp_path / "none")) == 1  # type: ignore[operator]


def test_a_persons_own_lines_are_left_in_their_words(tmp_path: Path) -> None:
    source = (
        "from __future__ import print_function\nimport os, sys\ndef sizes(names):\n    for name in names:\n"
        "        print('got', name, file=sys.stderr)\n    total = open(names[0]).read()\n"
        "    print('x', total, file=sys.stderr)\n"
        "    return total\n"
    )
    found = told(tmp_path, "missing-file", source, "total =", "IOError: [Errno 2] No such file or directory: 'x'")
    assert is_left(found) or "print('x', total, file=sys.stderr)" in after(found)


def test_rows_of_another_thing_are_all_kept(tmp_path: Path) -> None:
    source = (
        "class Notes:\n    def get(self, key):\n        found = self.find(key)\n        return found.text\n\n\n"
        "def rows(table):\n    out = []\n    for row in table:\n        note = row.get('note')\n"
        "        out.append(note)\n    return out\n"
    )
    text = after(told(tmp_path, "attribute", source, "found.text", NONE + "'text'"))
    made: dict[str, object] = {}
    exec(text, made)
    assert made["rows"]([{}, {"note": 1}]) == [None, 1]  # type: ignore[operator]


def test_what_a_class_works_with_is_not_left_out(tmp_path: Path) -> None:
    source = (
        "class Node:\n    def __init__(self, name, size=3):\n        self.name = name.strip()\n"
        "        self.size = size\n"
        "    @classmethod\n    def from_dict(cls, data):\n        return cls(data['name'], data['size'])\n"
    )
    found = told(tmp_path, "type-mismatch", source, "return cls", "KeyError: 'name'")
    assert is_left(found) or "data.get('name')" not in after(found)


def test_a_caller_that_waits_for_the_error_gets_it(tmp_path: Path) -> None:
    source = (
        "class Bad(Exception):\n    pass\ndef one(data):\n    try:\n        return int(data['n'])\n"
        "    except ValueError:\n        raise Bad('bad number')\ndef all_of(rows):\n    out = []\n"
        "    for row in rows:\n        try:\n            out.append(one(row))\n        except KeyError:\n"
        "            out.append(0)\n    return out\n"
    )
    found = told(tmp_path, "type-mismatch", source, "int(data", "KeyError: 'n'")
    assert is_left(found) or "except (ValueError, KeyError)" not in after(found)
