# ruff: noqa: E501
"""What looks like a value that is missing and is something else: work done in between, a key that is None, other types."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.repair.telling import after, is_left, told

SHORT = "IndexError: list index out of range"
AS_TEXT = "TypeError: a bytes-like object is required, not 'str'"
AS_BYTES = "TypeError: cannot use a string pattern on a bytes-like object"
NO_ORDER = "TypeError: '<' not supported between instances of 'NoneType' and 'int'"
NO_MORE = "TypeError: '>' not supported between instances of 'NoneType' and 'int'"
NOT_ITERABLE = "TypeError: 'NoneType' object is not iterable"


@pytest.mark.parametrize(
    "between",
    [
        "parts.append('')",
        "parts += ['']",
        "parts[1:] = ['']",
        "more(parts)",
        "yield name",
        "row.save()",
        "kept = row.save()",
        "print(name)",
        "del row['x']",
    ],
)
def test_reads_behind_other_work_are_not_asked_for_at_once(tmp_path: Path, between: str) -> None:
    source = (
        f"def f(parts, row, more):\n    name = parts[0]\n    {between}\n    value = parts[1]\n    return name, value\n"
    )
    text = after(told(tmp_path, "type-mismatch", source, 2, SHORT))
    assert "    if not parts:\n" in text and "len(parts) < 2" not in text


def test_a_row_of_one_goes_on_being_kept(tmp_path: Path) -> None:
    source = "def f(parts, row):\n    row.save(parts[0])\n    row.value = parts[1]\n    return row\n"
    assert "len(parts) < 2" not in after(told(tmp_path, "type-mismatch", source, 2, SHORT))


def test_an_empty_row_is_passed_over_behind_the_work_too(tmp_path: Path) -> None:
    source = "def f(parts):\n    print(parts[0])\n    value = parts[1]\n    return value\n"
    text = after(told(tmp_path, "type-mismatch", source, 2, SHORT))
    names: dict[str, object] = {}
    exec(text, names)  # our own text
    mended = names["f"]
    assert callable(mended) and mended([]) is None and mended(["a", "b"]) == "b"
    with pytest.raises(IndexError):
        mended(["a"])


def test_reads_right_behind_are_asked_for_at_once(tmp_path: Path) -> None:
    source = "def f(parts):\n    name = parts[0].strip()\n    count = len(parts)\n    value = int(parts[1])\n    return name, value, count\n"
    assert "    if len(parts) < 2:\n" in after(told(tmp_path, "type-mismatch", source, 2, SHORT))


@pytest.mark.parametrize(
    ("source", "at"),
    [
        ("def order(xs, key=None):\n    return sorted(xs, key=key)\n", 2),
        ("def order(xs):\n    return sorted(xs, key=None)\n", 2),
        ("def order(xs, by):\n    return sorted(xs, key=by if by else None)\n", 2),
        ("def order(xs, by):\n    key = None\n    if by:\n        key = by.key\n    xs.sort(key=key)\n", 5),
        ("def order(xs, by):\n    key = by.key if by else None\n    return max(xs, key=key)\n", 3),
        ("def order(xs, by):\n    return sorted(xs, key=KEYS.get(by))\n", 2),
        (
            "class A:\n    def __init__(self, key=None):\n        self.key = key\n\n    def order(self, xs):\n        return sorted(xs, key=self.key)\n",
            6,
        ),
        ("import functools\n\n\ndef order(xs, by):\n    return sorted(xs, key=functools.cmp_to_key(by))\n", 5),
    ],
)
def test_a_key_that_may_be_none_is_not_called(tmp_path: Path, source: str, at: int) -> None:
    assert is_left(told(tmp_path, "type-mismatch", source, at, NO_ORDER))


@pytest.mark.parametrize(
    ("source", "at"),
    [
        ("def order(xs, key):\n    return sorted(xs, key=key)\n", 2),
        ("def order(xs, key=None):\n    key = key or str\n    return sorted(xs, key=key)\n", 3),
        ("def order(xs, key=None):\n    if key:\n        return sorted(xs, key=key)\n    return xs\n", 3),
    ],
)
def test_a_key_that_is_given_puts_none_first(tmp_path: Path, source: str, at: int) -> None:
    text = after(told(tmp_path, "type-mismatch", source, at, NO_ORDER))
    assert "lambda one: ((value := key(one)) is not None, value)" in text


@pytest.mark.parametrize("given", ["*xs, a, b, c", "*xs, a, b", "a, *xs", "*xs", "a, b, **more"])
def test_none_among_starred_arguments_is_left(tmp_path: Path, given: str) -> None:
    source = f"def most(xs, a, b, c, more):\n    return max({given})\n"
    assert is_left(told(tmp_path, "type-mismatch", source, 2, NO_MORE))


@pytest.mark.parametrize(
    ("source", "at", "error", "then"),
    [
        ("def f(data):\n    return data.startswith('\\x89PNG')\n", 2, AS_TEXT, "data.startswith(b'\\x89PNG')"),
        ("def f(text):\n    return text.startswith('\\x89PNG')\n", 2, AS_TEXT, "text.startswith(b'\\x89PNG')"),
        ("def f(text):\n    return text.split('\\0')\n", 2, AS_TEXT, "text.split(b'\\0')"),
        ("def f(data):\n    return 'JFIF' in data\n", 2, AS_TEXT, "b'JFIF' in data"),
        (
            "def f(body: str):\n    return b'|'.join(body.split('\\n'))\n",
            2,
            AS_TEXT,
            "b'|'.join(body.split(b'\\n'))",
        ),
        (
            "def f(body: str):\n    return body.split('\\n')\n",
            2,
            AS_TEXT,
            "(body.decode() if isinstance(body, bytes) else body).split('\\n')",
        ),
        (
            "def f(xs, ys, c):\n    return b' '.join(xs if c else ys)\n",
            2,
            "TypeError: sequence item 0: expected a bytes-like object, str found",
            "for one in (xs if c else ys)",
        ),
        (
            "def f(xs, ys, c):\n    return sorted(xs if c else ys)\n",
            2,
            NO_ORDER,
            "for one in (xs if c else ys) if one is not None",
        ),
        (
            "def f(a, b):\n    return dict(zip(a, b))\n",
            2,
            NOT_ITERABLE,
            "zip(a if a is not None else (), b if b is not None else ())",
        ),
    ],
)
def test_what_worked_with_other_values_goes_on_working(
    tmp_path: Path, source: str, at: int, error: str, then: str
) -> None:
    assert then in after(told(tmp_path, "type-mismatch", source, at, error))


@pytest.mark.parametrize(
    ("source", "at", "error"),
    [
        ("import re\n\n\ndef f(args):\n    return re.match('x', *args)\n", 5, AS_BYTES),
        ("import re\n\n\ndef f(data):\n    return re.match('\\x89PNG', data)\n", 5, AS_BYTES),
        ("import re\n\n\ndef f(data):\n    return re.match(r'\\x89PNG', data)\n", 5, AS_BYTES),
        ("def f(sock, parts):\n    sock.send(*parts)\n", 2, AS_TEXT),
        ("import hashlib\n\n\ndef f(str):\n    return hashlib.md5(str)\n", 5, "TypeError: Strings must be encoded"),
        ("def f(data):\n    return data.startswith('\\u2713')\n", 2, AS_TEXT),
        (
            "def f(parts):\n    return ''.join(*parts)\n",
            2,
            "TypeError: sequence item 0: expected str instance, int found",
        ),
        (
            "class Task:\n    def run(self):\n        return self.kwargs['slug'].lower()\n",
            3,
            "KeyError: 'slug'",
        ),
        (
            "from PyQt5.QtWidgets import QTreeView\n\n\nclass Tree(QTreeView):\n    def run(self):\n        return self.kwargs['slug']\n",
            6,
            "KeyError: 'slug'",
        ),
        (
            'def mean(rows):\n    """The mean. If there are no rows, let it raise."""\n    return rows[0].value\n',
            3,
            SHORT,
        ),
        ('def mean(rows):\n    """If the list is empty the error propagates."""\n    return rows[0].value\n', 3, SHORT),
    ],
)
def test_what_is_something_else_is_left_alone(tmp_path: Path, source: str, at: int, error: str) -> None:
    assert is_left(told(tmp_path, "type-mismatch", source, at, error))


def test_a_format_of_the_codes_own_is_not_called(tmp_path: Path) -> None:
    source = "def f(price, format):\n    return f'{price:.2f} {format}'\n"
    error = "TypeError: unsupported format string passed to NoneType.__format__"
    text = after(told(tmp_path, "type-mismatch", source, 2, error))
    assert "format(price" not in text and "if price is None:" in text


@pytest.mark.parametrize(("asked", "default"), [("if args.log", "False"), ("if args.log is None", "None")])
def test_an_option_that_is_only_tested_is_false(tmp_path: Path, asked: str, default: str) -> None:
    source = f"import app\n\n\ndef f():\n    if app.args.log:\n        return 1\n\n\ndef g():\n    {asked}:\n        return 1\n"
    source = source.replace("app.args", "args").replace("import app", "from app import args")
    error = "AttributeError: 'Namespace' object has no attribute 'log'"
    text = after(told(tmp_path, "attribute", source, 5, error))
    assert f'    if getattr(args, "log", {default}):\n' in text


def test_each_round_of_a_loop_has_its_own(tmp_path: Path) -> None:
    source = "def f(pairs, out):\n    for one, kind in pairs:\n        if kind:\n            one = 255 - one\n        out.extend([one.copy()])\n"
    error = "TypeError: unsupported operand type(s) for -: 'int' and 'NoneType'"
    text = after(told(tmp_path, "type-mismatch", source, 4, error))
    assert "            if one is None:\n                continue\n" in text and "return" not in text
