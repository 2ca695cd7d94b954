"""IPTC's information interchange model: title, caption, keywords. Pure functions over bytes.

Relies on nothing but IIM 4.2, chapters 1, 3 and 6. A record that runs out is read as far as it goes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.library.tiffdir import clean
from engine.library.undecodable import otherwise

_TITLE, _KEYWORD, _HEADLINE, _CAPTION = 5, 25, 105, 120
_UTF8 = b"\x1b%G"
_MOST_KEYWORDS = 1000


@dataclass(slots=True)
class Record:
    """What the application record says, as texts; None or empty where it says nothing."""

    title: str | None = None
    headline: str | None = None
    caption: str | None = None
    keywords: list[str] = field(default_factory=list)


def record_of(data: bytes) -> Record:
    """The data sets of record 2 that a library shows."""
    record = Record()
    is_utf8 = False
    at = 0
    while at + 5 <= len(data):
        if data[at] != 0x1C:
            break
        number, name, length = data[at + 1], data[at + 2], int.from_bytes(data[at + 3 : at + 5], "big")
        at += 5
        if length & 0x8000:  # extended: the length's own length follows
            width = length & 0x7FFF
            if width > 4:
                break
            length = int.from_bytes(data[at : at + width], "big")
            at += width
        value = data[at : at + length]
        at += length
        if number == 1 and name == 90:
            is_utf8 = value.startswith(_UTF8)
        elif number == 2:
            _note(record, name, value, is_utf8)
    return record


def _note(record: Record, name: int, value: bytes, is_utf8: bool) -> None:
    if name not in (_TITLE, _KEYWORD, _HEADLINE, _CAPTION):
        return
    try:
        words = value.decode("utf-8")
    except UnicodeDecodeError:
        words = value.decode("utf-8", "replace") if is_utf8 else otherwise(value, "a text in its IPTC data")
    text = clean(words)
    if not text:
        return
    if name == _KEYWORD:
        if text not in record.keywords and len(record.keywords) < _MOST_KEYWORDS:
            record.keywords.append(text)
    elif name == _TITLE:
        record.title = record.title or text
    elif name == _HEADLINE:
        record.headline = record.headline or text
    else:
        record.caption = record.caption or text
