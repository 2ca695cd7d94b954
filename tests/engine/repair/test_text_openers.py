"""Callables that open text among other things: a log's set-up, an argument's file, numpy's tables, stdin."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.pattern import Declined, Proposal
from tests.engine.repair.telling import told

DECODE = "'charmap' codec can't decode byte 0x8f in position 120: character maps to <undefined>"
ENCODE = "'charmap' codec can't encode character '\\u2713' in position 0: character maps to <undefined>"
NOT_UTF8 = "'utf-8' codec can't decode byte 0xe9 in position 37: invalid continuation byte"


def proposed(root: Path, source: str, code: str, message: str) -> Proposal | Declined:
    kind = "UnicodeDecodeError" if "decode" in message else "UnicodeEncodeError"
    return told(root, "unicode", source, code, f"{kind}: {message}")


@pytest.mark.parametrize(
    ("source", "code", "message", "then"),
    [
        (
            "import logging\n\nlogging.basicConfig(filename='x.log')\n\n\ndef f(text):\n    logging.info(text)\n",
            "logging.info",
            ENCODE,
            "logging.basicConfig(handlers=[logging.FileHandler('x.log', encoding='utf-8')])",
        ),
        (
            "import argparse\n\n\ndef f(parser):\n    parser.add_argument('file', type=argparse.FileType('r'))\n"
            "    args = parser.parse_args()\n    return args.file.read()\n",
            "args.file",
            DECODE,
            "argparse.FileType('r', encoding='utf-8')",
        ),
        (
            "import numpy as np\n\n\ndef f(path):\n    return np.genfromtxt(path, dtype=str)\n",
            "genfromtxt",
            DECODE,
            'np.genfromtxt(path, dtype=str, encoding="utf-8")',
        ),
        (
            "import sys\n\n\ndef f():\n    for line in sys.stdin:\n        print(line)\n",
            "in sys.stdin",
            NOT_UTF8,
            'sys.stdin.reconfigure(encoding="utf-8", errors="replace")',
        ),
    ],
)
def test_the_encoding_is_named_where_they_are_set_up(
    tmp_path: Path, source: str, code: str, message: str, then: str
) -> None:
    found = proposed(tmp_path, source, code, message)
    assert isinstance(found, Proposal) and found.applicability == "review"
    assert then in found.edits[0].after.decode()


def test_what_does_not_open_a_file_or_cannot_do_it_is_left_alone(tmp_path: Path) -> None:
    log = "import logging\n\nlogging.basicConfig(level=10)\n\n\ndef f(text):\n    logging.info(text)\n"
    assert isinstance(proposed(tmp_path, log, "logging.info", ENCODE), Declined)
    table = "import numpy as np\n\n\ndef f(path):\n    return np.loadtxt(path, dtype=str)\n"
    assert isinstance(proposed(tmp_path, table, "loadtxt", NOT_UTF8), Declined)


def test_a_table_of_numbers_beside_it_stays_as_it_is(tmp_path: Path) -> None:
    source = (
        "import numpy as np\n\n\ndef f(path):\n    np.loadtxt(path)\n"
        "    with open(path) as file:\n        return file.read()\n"
    )
    found = proposed(tmp_path, source, "file.read", DECODE)
    assert isinstance(found, Proposal) and "np.loadtxt(path)\n" in found.edits[0].after.decode()


LOG = (
    "import logging\n\nlogging.basicConfig(\n    level=10, filename='x.log', filemode='w'\n)\n\n\n"
    "def f(text):\n    logging.info(text)\n"
)


@pytest.mark.parametrize(
    ("floor", "then"),
    [
        (">=3.9", "level=10, filename='x.log', filemode='w', encoding='utf-8'"),
        (">=3.7", "level=10, handlers=[logging.FileHandler('x.log', 'w', encoding='utf-8')]"),
        ("<4,>=3.8", "level=10, handlers=[logging.FileHandler('x.log', 'w', encoding='utf-8')]"),
    ],
)
def test_a_log_is_set_up_as_the_oldest_python_of_the_project_can(tmp_path: Path, floor: str, then: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[project]\nrequires-python = '{floor}'\n", encoding="utf-8")
    found = proposed(tmp_path, LOG, "logging.info", ENCODE)
    assert isinstance(found, Proposal) and then in found.edits[0].after.decode()


def test_a_log_of_python_two_is_left_as_it_is_set_up(tmp_path: Path) -> None:
    for line in ("from __future__ import unicode_literals\n", "import six\n"):
        assert isinstance(proposed(tmp_path, line + LOG, "logging.info", ENCODE), Declined)


def test_a_helper_stands_under_the_imports_whatever_stands_above_them(tmp_path: Path) -> None:
    head = "__author__ = 'a'\n__version__ = '1'\n__license__ = 'MIT'\n__status__ = 'beta'\n\n"
    source = head + "import torch\n\n\ndef f(model, batch):\n    return model(batch)\n"
    error = "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB"
    found = told(tmp_path, "out-of-memory", source, "return model(batch)", error)
    assert isinstance(found, Proposal)
    assert found.edits[0].after.decode().startswith(head + "import torch\n\n\ndef _")


def test_what_other_files_write_and_read_is_told_the_same_encoding(tmp_path: Path) -> None:
    source = (
        "def f():\n    with open('out/marks.txt') as file:\n        lines = file.readlines()\n"
        "    with open('out/commas.txt', 'w') as file:\n        file.writelines(lines)\n"
    )
    files = {
        "marks.py": "def g(lines):\n    with open('out/marks.txt', 'w') as file:\n        file.writelines(lines)\n",
        "joins.py": "def h():\n    with open('out/commas.txt') as file:\n        text = file.read()\n"
        "    open('out/joined.txt', 'w').write(text)\n",
        "other.py": "open('out/marks.bin', 'rb').read()\nopen('out/marks.txt', 'rb').read()\nopen('x.txt').read()\n",
    }
    found = told(
        tmp_path, "unicode", source, "readlines", "UnicodeDecodeError: " + DECODE.replace("charmap", "gbk"), files
    )
    assert isinstance(found, Proposal), found
    texts = {one.path: one.after.decode() for one in found.edits}
    assert sorted(texts) == ["app.py", "joins.py", "marks.py"] and found.applicability == "review"
    assert "open('out/marks.txt', 'w', encoding='utf-8')" in texts["marks.py"]
    assert "open('out/commas.txt', encoding='utf-8')" in texts["joins.py"]
