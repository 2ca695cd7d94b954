"""TIFF directories (EXIF, GPS, TIFF and RAW files) out of bytes, bounded in every way, and quick.

Relies on struct alone. Written for hostile input: an offset that leads out of the data, a count beyond reason or
a directory that leads back to itself is passed over, never followed; no value is copied that was not asked for.
TIFF 6.0, section 2; EXIF 2.32, section 4.6.
"""

from __future__ import annotations

import struct
from collections.abc import Container, Mapping
from typing import Any

from engine.library.undecodable import otherwise

# Bytes of one value, by type.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
_CODES = {3: "H", 4: "I", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 6: "b"}
MOST_ENTRIES = 2048
MOST_VALUE = 65_536  # bytes of a value that is no packet
MOST_PACKET = 16 * 1024 * 1024
PACKETS = frozenset({0x02BC, 0x83BB, 0x8649})  # XMP, IPTC, Photoshop's resources

Directory = Mapping[int, Any]
NOTHING: Directory = {}


def order_of(data: bytes) -> str | None:
    """`<` or `>` for bytes that begin like a TIFF (or like the RAW files built upon it), else None."""
    if data[:2] == b"II" and data[2:4] in (b"*\0", b"U\0", b"RO", b"RS"):
        return "<"
    if data[:2] == b"MM" and data[2:4] in (b"\0*", b"OR"):
        return ">"
    return None


def first(data: bytes, wanted: Container[int]) -> tuple[Directory, int]:
    """The first directory of a TIFF's bytes, and where the next one is (0: nowhere)."""
    order = order_of(data)
    if order is None or len(data) < 8:
        return NOTHING, 0
    return directory(data, order, struct.unpack_from(order + "I", data, 4)[0], wanted)


def directory(data: bytes, order: str, at: int, wanted: Container[int]) -> tuple[Directory, int]:
    """The `wanted` tags of the directory at byte `at`, and the offset of the one after it (0: none).

    Texts and packets are bytes, numbers are int or float, several of them a tuple; a fraction over zero is None.
    """
    size = len(data)
    if at < 4 or at + 2 > size:
        return NOTHING, 0
    count = struct.unpack_from(order + "H", data, at)[0]
    if count > MOST_ENTRIES:
        return NOTHING, 0
    found: dict[int, Any] = {}
    end = at + 2 + 12 * count
    following = struct.unpack_from(order + "I", data, end)[0] if end + 4 <= size else 0
    entry = struct.Struct(order + "HHI")
    for place in range(at + 2, min(end, size - 11), 12):
        tag, kind, number = entry.unpack_from(data, place)
        if tag not in wanted or tag in found:
            continue
        width = _SIZES.get(kind)
        if width is None or number == 0:
            continue
        length = width * number
        if length > (MOST_PACKET if tag in PACKETS else MOST_VALUE):
            continue
        start = place + 8 if length <= 4 else struct.unpack_from(order + "I", data, place + 8)[0]
        if start + length > size:
            if kind != 2 or start >= size:  # a text that is cut off is still a text
                continue
            length = size - start
        found[tag] = _value(data, order, kind, number, start, length)
    return found, following


def _value(data: bytes, order: str, kind: int, number: int, start: int, length: int) -> Any:
    if kind in (1, 2, 7, 129):
        raw = bytes(data[start : start + length])
        return raw[0] if kind == 1 and number == 1 else raw
    if kind in (5, 10):
        numbers = struct.unpack_from(f"{order}{2 * number}{'I' if kind == 5 else 'i'}", data, start)
        values = tuple(
            above / below if below else None for above, below in zip(numbers[::2], numbers[1::2], strict=True)
        )
    else:
        values = struct.unpack_from(f"{order}{number}{_CODES[kind]}", data, start)
    return values[0] if number == 1 else values


def text(value: Any) -> str | None:
    """A TIFF text: UTF-8 where it is that, else Latin-1; without its padding. None where there is none."""
    if not isinstance(value, bytes):
        return None
    raw = value.split(b"\0", 1)[0].strip()
    if not raw:
        return None
    return decoded(raw)


def decoded(raw: bytes) -> str | None:
    """Bytes as a text: UTF-8 where they are that, else Latin-1; without control characters. None for nothing."""
    try:
        words = raw.decode("utf-8")
    except UnicodeDecodeError:
        words = otherwise(raw, "a text in its EXIF data")
    return clean(words)


def clean(words: str) -> str | None:
    """A text without NUL and other control characters (line ends stay), None where nothing is left."""
    if not words.isprintable():
        words = "".join(each for each in words if each >= " " or each in "\n\t")
        words = words.replace("\x7f", "")
    return words.strip() or None


def wide_text(value: Any) -> str | None:
    """Windows' XP tags: UTF-16, little-endian."""
    if not isinstance(value, bytes):
        return None
    return clean(value.decode("utf-16-le", "ignore").split("\0", 1)[0])


def number(value: Any) -> float | None:
    """A finite number, the first of several; None for what is none."""
    if isinstance(value, tuple):
        value = value[0] if value else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    result = float(value)
    return result if result == result and abs(result) != float("inf") else None
