"""A project that says it runs on Python 2 gets no words that only Python 3 knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.files import Folder
from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.registry import built_in
from engine.repair.patterns.source.python_two import has_shims, in_old_words, is_for_python_two
from engine.repair.record import ErrorRecord, Frame

READ = "import cv2\nimport numpy as np\n\n\ndef size(path):\n    image = cv2.imread(path)\n    return image.shape[:2]\n"


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        ("setup.py", "setup(classifiers=['Programming Language :: Python :: 2.7'])", True),
        ("setup.py", "setup(python_requires='>=2.7, !=3.0.*')", True),
        ("setup.py", "setup(python_requires='>=3.6')", False),
        ("tox.ini", "[tox]\nenvlist = py27, py36\n", True),
        ("tox.ini", "[tox]\nenvlist = py{27,36}\n", True),
        ("tox.ini", "[tox]\nenvlist = py37\n", False),
        (".travis.yml", 'python:\n  - "2.7"\n  - "3.5"\n', True),
        (".travis.yml", 'python: "3.9"\nversion: 2.7\n', False),
    ],
)
def test_metadata_tox_and_ci_say_it(tmp_path: Path, path: str, text: str, says: bool) -> None:
    (tmp_path / path).write_text(text, encoding="utf-8")
    assert is_for_python_two(Folder(tmp_path)) is says


@pytest.mark.parametrize("is_old", [False, True])
def test_an_image_that_cannot_be_read_is_told_in_its_words(tmp_path: Path, is_old: bool) -> None:
    (tmp_path / "app.py").write_text(READ, encoding="utf-8")
    (tmp_path / "tox.ini").write_text(f"[tox]\nenvlist = py{27 if is_old else 311}\n", encoding="utf-8")
    frame = Frame(str(tmp_path / "app.py"), 7, "size", "return image.shape[:2]")
    record = ErrorRecord("AttributeError", "'NoneType' object has no attribute 'shape'", (frame,))
    found = built_in("imread").propose(Case(Folder(tmp_path), "g", [record], "app.py", frame, 7, READ.encode()))
    assert isinstance(found, Proposal)
    text = found.edits[0].after.decode()
    if is_old:
        assert 'raise IOError("cannot read image: %s" % (path,))' in text and "except (IOError, OSError):" in text
    else:
        assert 'raise FileNotFoundError(f"cannot read image: {path}")' in text


WRITE = (
    "# encoding: utf8\nimport sys\n\n\ndef save(path, text):\n    with open(path, 'w') as file:\n"
    "        file.write(text)\n\n\ndef load(path):\n    with open(path) as file:\n        return file.read()\n"
)


@pytest.mark.parametrize("how", ["tox", "shim", "no"])
def test_text_is_opened_as_both_pythons_can(tmp_path: Path, how: str) -> None:
    source = WRITE.replace(
        "import sys\n", "import sys\n\nPY2 = sys.version_info[0] < 3\n" if how == "shim" else "import sys\n"
    )
    (tmp_path / "app.py").write_text(source, encoding="utf-8")
    (tmp_path / "tox.ini").write_text(f"[tox]\nenvlist = py{27 if how == 'tox' else 311}\n", encoding="utf-8")
    line = source.splitlines().index("        file.write(text)") + 1
    frame = Frame(str(tmp_path / "app.py"), line, "save", "file.write(text)")
    record = ErrorRecord(
        "UnicodeEncodeError",
        "'ascii' codec can't encode character '\\xe9' in position 3: ordinal not in range(128)",
        (frame,),
    )
    found = built_in("unicode").propose(Case(Folder(tmp_path), "g", [record], "app.py", frame, line, source.encode()))
    assert isinstance(found, Proposal)
    text = found.edits[0].after.decode()
    if how == "no":
        assert "open(path, 'w', encoding='utf-8')" in text and "codecs" not in text
    else:
        assert "codecs.open(path, 'w', encoding='utf-8')" in text and "io.open(path, encoding='utf-8')" in text
        assert "import codecs\nimport io\nimport sys\n" in text


def test_a_warning_is_written_as_both_can(tmp_path: Path) -> None:
    source = (
        "import cv2\n\n\ndef sizes(paths):\n    for path in paths:\n        image = cv2.imread(path)\n"
        "        print(image.shape)\n"
    )
    (tmp_path / "app.py").write_text(source, encoding="utf-8")
    (tmp_path / "tox.ini").write_text("[tox]\nenvlist = py27\n", encoding="utf-8")
    frame = Frame(str(tmp_path / "app.py"), 7, "sizes", "print(image.shape)")
    record = ErrorRecord("AttributeError", "'NoneType' object has no attribute 'shape'", (frame,))
    found = built_in("imread").propose(Case(Folder(tmp_path), "g", [record], "app.py", frame, 7, source.encode()))
    assert isinstance(found, Proposal)
    wanted = """            sys.stderr.write("Skipping an unreadable image: %s" % (path,) + '\\n')\n"""
    assert wanted in found.edits[0].after.decode()


def test_a_file_that_refuses_python_two_makes_up_for_nothing() -> None:
    assert has_shims("if sys.version_info < (3,):\n    text = unicode\n")
    assert not has_shims("if sys.version_info < (3,):\n    sys.exit('Python 3 is needed')\n")
    assert not has_shims("if sys.version_info < (3, 8):\n    import tomli\n")


SAVE = "import os\n\n\ndef save(path, text):\n    with open(path, 'w') as file:\n        file.write(text)\n"
LOAD = "def load(path):\n    with open(path) as file:\n        return file.read()\n"


@pytest.mark.parametrize(
    ("source", "line", "function", "old", "new"),
    [
        (SAVE, 5, "save", "):\n        os.makedirs(os.path.dirname(path) or '.')\n", "exist_ok=True"),
        (LOAD, 2, "load", 'raise IOError("', 'raise FileNotFoundError(f"'),
    ],
)
@pytest.mark.parametrize("is_old", [False, True])
def test_a_missing_file_is_answered_in_its_words(
    tmp_path: Path, source: str, line: int, function: str, old: str, new: str, is_old: bool
) -> None:
    (tmp_path / "app.py").write_text(source, encoding="utf-8")
    (tmp_path / "tox.ini").write_text(f"[tox]\nenvlist = py{27 if is_old else 311}\n", encoding="utf-8")
    code = source.splitlines()[line - 1].strip()
    frame = Frame(str(tmp_path / "app.py"), line, function, code)
    record = ErrorRecord("FileNotFoundError", "[Errno 2] No such file or directory: 'out/a.txt'", (frame,))
    case = Case(Folder(tmp_path), "g", [record], "app.py", frame, line, source.encode())
    found = built_in("missing-file").propose(case)
    assert isinstance(found, Proposal)
    text = found.edits[0].after.decode()
    assert (old in text, new in text) == (is_old, not is_old)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "raise ValueError(f'no {kind} in {path!r}, 5 % of it')\n",
            "raise ValueError('no %s in %r, 5 %% of it' % (kind, path))\n",
        ),
        ("said = f'plain'\n", "said = 'plain'\n"),
        ("said = f'{share:.2f}'\n", "said = f'{share:.2f}'\n"),
    ],
)
def test_texts_are_put_together_by_percent_where_that_says_the_same(line: str, expected: str) -> None:
    assert in_old_words(line) == expected


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("try:\n    profile\nexcept NameError:\n    profile = None\n", False),
        ("# raw_input and xrange were Python 2's, as was six\n", False),
        ('"""import six\n\nPY2 and unicode_literals are gone."""\n', False),
        ("raw_input = model(1)\nuse(raw_input)\n", False),
        ("def f(raw_input):\n    return raw_input\n", False),
        ("try:\n    input = raw_input\nexcept NameError:\n    pass\n", True),
        ("try:\n    xrange\nexcept NameError:\n    xrange = range\n", True),
        ("name = raw_input()\n", True),
        ("from six import text_type\n", True),
    ],
)
def test_a_file_makes_up_for_python_two_by_its_code_alone(text: str, does: bool) -> None:
    assert has_shims(text) is does


PROBE = "try:\n    profile\nexcept NameError:\n    profile = None\n\n\n"


@pytest.mark.parametrize("mode", ["wt", "w"])
@pytest.mark.parametrize(
    ("head", "floor", "opener"),
    [
        (PROBE, ">=3.10", "open"),
        (PROBE, "", "open"),
        ("import six\n\n\n", ">=3.10", "open"),
        ("import six\n\n\n", "", "both"),
    ],
)
def test_open_stays_what_it_is_where_nothing_shows_python_two(
    tmp_path: Path, head: str, floor: str, opener: str, mode: str
) -> None:
    source = head + f"def save(path, text):\n    with open(path, '{mode}') as file:\n        file.write(text)\n"
    (tmp_path / "app.py").write_text(source, encoding="utf-8")
    if floor:
        (tmp_path / "pyproject.toml").write_text(f'[project]\nrequires-python = "{floor}"\n', encoding="utf-8")
    line = source.splitlines().index("        file.write(text)") + 1
    frame = Frame(str(tmp_path / "app.py"), line, "save", "file.write(text)")
    message = "'ascii' codec can't encode character '\\xe9' in position 3: ordinal not in range(128)"
    record = ErrorRecord("UnicodeEncodeError", message, (frame,))
    found = built_in("unicode").propose(Case(Folder(tmp_path), "g", [record], "app.py", frame, line, source.encode()))
    assert isinstance(found, Proposal)
    wanted = opener if opener == "open" else "io.open" if "t" in mode else "codecs.open"
    text = found.edits[0].after.decode()
    assert f"with {wanted}(path, '{mode}', encoding='utf-8')" in text
    assert wanted != "codecs.open" or found.applicability == "review"
