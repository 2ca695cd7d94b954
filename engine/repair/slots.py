"""What of a message tells errors apart, and what is only their circumstances.

Paths, numbers, ids, times and addresses are circumstances and become parameters; quoted identifiers, codecs, operand
types and keys are kept: 'utf-8' is no number, and `KeyError: 'tags'` is another fault than `KeyError: 'faces'`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_QUOTED = re.compile(r"""'((?:[^'\\\n]|\\.){0,300})'|"((?:[^"\\\n]|\\.){0,300})"|`([^`\n]{0,300})`""")
#: From the second recipe on an apostrophe within a word opens no quotation: `can't encode character 'é'`.
_QUOTED_APART = re.compile(
    r"""(?<!\w)[bBrRuU]{0,2}'((?:[^'\\\n]|\\.){0,300})'|"((?:[^"\\\n]|\\.){0,300})"|`([^`\n]{0,300})`"""
)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z_0-9]*(?:[.\-][A-Za-z_][A-Za-z_0-9]*)*\Z")
_CODECS = re.compile(
    r"(?:utf[-_]?\d+(?:[-_](?:le|be|sig))?|ascii|latin[-_]?\d|cp\d+|iso[-_]?8859[-_]\d+|charmap|gbk|big5|"
    r"shift[-_]jis|euc[-_]\w+|koi8[-_]\w|mbcs|idna|punycode)\Z",
    re.IGNORECASE,
)
_FILE_NAME = re.compile(r"(?:[^/\\]+)\.[A-Za-z0-9]{1,8}\Z")
_COUNTED = re.compile(r"[A-Za-z_]*?\d{2,}[A-Za-z_0-9]*\Z|.*[_-]\d+\Z")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class _Part:
    """A kind of circumstance. It is looked for only where one of its `signs` stands (with none: always), and only where
    there is a digit if it needs one: most messages have few of them, and a large log has many messages."""

    name: str
    pattern: re.Pattern[str]
    signs: tuple[str, ...] = ()
    needs_digit: bool = True

    def masked(self, text: str, has_digit: bool) -> str:
        if self.needs_digit and not has_digit:
            return text
        if self.signs and not any(sign in text for sign in self.signs):
            return text
        return self.pattern.sub(self.name, text)


_PARTS = (
    _Part("<url>", re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s'\"<>]+"), ("://",), False),
    _Part("<mail>", re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b"), ("@",), False),
    _Part(
        "<id>",
        re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"),
        ("-",),
        False,
    ),
    _Part(
        "<time>",
        re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"),
        ("-",),
    ),
    _Part("<time>", re.compile(r"\b\d\d:\d\d(?::\d\d(?:\.\d+)?)?\b"), (":",)),
    _Part("<number>", re.compile(r"\b0x[0-9a-fA-F]+\b"), ("0x",)),
    _Part(
        "<path>",
        re.compile(r"(?<![\w'\"])(?:[A-Za-z]:\\|\\\\|~?/|\.{1,2}/)[^\s'\",:;()\[\]<>]+"),
        ("/", "\\"),
        False,
    ),
    _Part("<id>", re.compile(r"\b[0-9a-fA-F]{12,64}\b"), (), False),
    _Part(
        "<id>",
        re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*[-_]\d+\b"),
        ("-", "_"),
    ),
    _Part(
        "<number>",
        re.compile(r"(?<![\w.])[-+]?\d[\d_,]*(?:\.\d+)?(?:[eE][-+]?\d+)?%?(?:\s?(?:[KMGT]i?B|bytes|ms|s|px))?(?!\w)"),
    ),
)
_PRIVATE = 0xE000  # a private-use character stands for each quoted part while the rest is masked
_MOST = 64
_SPACE = re.compile(r"\s+")


def template(type_name: str, message: str, version: int = 2) -> str:
    """The message's first line with its circumstances as parameters: equal for the same fault, short, stable.

    `version` is that of the grouping's recipe.
    """
    first = message.strip().split("\n", 1)[0][:2000]
    kept: list[str] = []

    def quoted(found: re.Match[str]) -> str:
        inner = next(part for part in found.groups() if part is not None)
        kept.append(f"'{_inner(type_name, inner)}'")
        return chr(_PRIVATE + len(kept) - 1) if len(kept) <= _MOST else "'...'"

    text = (_QUOTED if version == 1 else _QUOTED_APART).sub(quoted, first)
    has_digit = _DIGIT.search(text) is not None
    for part in _PARTS:
        text = part.masked(text, has_digit)
    for number, own in enumerate(kept[:_MOST]):
        text = text.replace(chr(_PRIVATE + number), own)
    return _SPACE.sub(" ", text).strip()[:400]


def _inner(type_name: str, inner: str) -> str:
    """What stands for a quoted text: itself where it is a name that code knows, else a parameter."""
    if _CODECS.match(inner):
        return inner.lower().replace("_", "-")
    if type_name == "ValueError":
        return "<text>"
    if "/" in inner or "\\" in inner:
        return "<path>"
    if _IDENTIFIER.match(inner):
        if _COUNTED.match(inner):
            return "<text>"
        last = type_name.rpartition(".")[2]
        if _FILE_NAME.match(inner) and last in ("FileNotFoundError", "PermissionError", "IsADirectoryError", "OSError"):
            return "<path>"
        return inner
    if _FILE_NAME.match(inner):
        return "<path>"
    return "<text>"
