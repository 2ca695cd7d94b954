"""The small picture that phones put beside the large one in a HEIC file, so that a decoder gives that one alone.

Works on bytes and decodes nothing (ISO/IEC 14496-12 and 23008-12). No decoder at hand gives a thumbnail, so a copy of
the file is made in memory in which the thumbnail is the primary item: the number in `pitm` is its, and its `thmb`
reference is renamed to something that readers pass over. No length changes, so that every offset in the file stays
right. None where anything is out of the ordinary: then the large picture is decoded, as without a thumbnail.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

# A thumbnail of other proportions shows another part of the picture, or bars. Share of the longer side.
_ASPECT = 0.02
# What turns, mirrors or cuts a picture has to be as it is for the large one.
_TURNING = (b"irot", b"imir", b"clap")
_NOBODY_READS = b"skip"

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """`data`: the file with its thumbnail as the primary item. `size` of the thumbnail as displayed, in pixels."""

    data: bytes
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Item:
    """What is told of one item: its (type, content) properties."""

    properties: list[tuple[bytes, bytes]]

    @property
    def size(self) -> tuple[int, int] | None:
        found = [content for kind, content in self.properties if kind == b"ispe"]
        return struct.unpack(">4x2I", found[0][:12]) if len(found) == 1 and len(found[0]) >= 12 else None

    def all(self, kinds: tuple[bytes, ...]) -> list[tuple[bytes, bytes]]:
        """Its properties of these kinds, in their order."""
        return [one for one in self.properties if one[0] in kinds]


class _Odd(Exception):
    """The file is not of the plain kind that this is for."""


def thumbnail(data: bytes) -> Thumbnail | None:
    """The thumbnail of a HEIC file given as a whole; None where it has none, or none that can stand for the picture."""
    try:
        return _thumbnail(data)
    except (_Odd, struct.error, IndexError):
        return None


def _thumbnail(data: bytes) -> Thumbnail | None:
    meta = _inside(data, _whole(data), b"meta", 4)
    parts = {kind: (start, end) for kind, start, end in _boxes(data, *meta)}
    at, width = _place_of_primary(data, parts[b"pitm"]) if b"pitm" in parts else _refuse()
    primary = int.from_bytes(data[at : at + width], "big")
    if not {b"iref", b"iprp", b"iloc", b"iinf"} <= parts.keys():
        return None
    reference = _reference(data, parts[b"iref"], primary)
    if reference is None:
        return None
    small, name_at = reference
    items = _items(data, parts[b"iprp"], {primary, small})
    size = _fitting(items[primary], items[small])
    types = _types(data, parts[b"iinf"])
    _extents_are_there(data, parts[b"iloc"])
    if size is None or types.get(small) != b"hvc1" or small >= 1 << (8 * width):
        return None
    copy = bytearray(data)
    copy[at : at + width] = small.to_bytes(width, "big")
    copy[name_at : name_at + 4] = _NOBODY_READS
    is_across = any(kind == b"irot" and content[:1] in (b"\1", b"\3") for kind, content in items[small].properties)
    return Thumbnail(bytes(copy), (size[1], size[0]) if is_across else size)


def _refuse() -> tuple[int, int]:
    raise _Odd


def _fitting(large: _Item, small: _Item) -> tuple[int, int] | None:
    """The thumbnail's size as stored, where it is the same picture in the same position and colours, only smaller."""
    whole, part = large.size, small.size
    if whole is None or part is None or 0 in (*whole, *part) or part[0] > whole[0] or part[1] > whole[1]:
        return None
    if large.all((b"clap",)) or large.all(_TURNING) != small.all(_TURNING):
        return None
    if _colours(large) != _colours(small) or large.all((b"pixi",)) != small.all((b"pixi",)):
        return None
    stretch = (part[0] * whole[1]) / (part[1] * whole[0])
    return part if abs(stretch - 1) <= _ASPECT else None


def _colours(item: _Item) -> list[bytes]:
    """Its colour profiles. Numbers that name a colour space (nclx) are in the coded picture too: writers leave them out
    of a thumbnail."""
    return [content for kind, content in item.properties if kind == b"colr" and not content.startswith(b"nclx")]


def _whole(data: bytes) -> Span:
    """The file as a span. Raises _Odd where its boxes do not end with it: something is missing."""
    if max((end for _, _, end in _boxes(data, 0, len(data))), default=0) != len(data):
        raise _Odd
    return 0, len(data)


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, start, end) of the content of each box in a span; a box that reaches beyond it is odd."""
    while at + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if length == 1:
            length = struct.unpack_from(">Q", data, start)[0]
            start += 8
        elif length == 0:
            length = end - at
        if at + length < start or at + length > end:
            raise _Odd
        yield kind, start, at + length
        at += length


def _inside(data: bytes, span: Span, kind: bytes, header: int = 0) -> Span:
    found = [(start + header, end) for one, start, end in _boxes(data, *span) if one == kind]
    if len(found) != 1:
        raise _Odd
    return found[0]


def _place_of_primary(data: bytes, span: Span) -> tuple[int, int]:
    """Where the primary item's number stands, and how many bytes it has."""
    return span[0] + 4, 2 if data[span[0]] == 0 else 4


def _reference(data: bytes, span: Span, primary: int) -> tuple[int, int] | None:
    """The item that is a thumbnail of the primary one, and where that reference's type stands; None unless it is one
    and of that one alone."""
    width = 2 if data[span[0]] == 0 else 4
    found = []
    at = span[0] + 4
    for kind, start, end in _boxes(data, at, span[1]):
        if start != at + 8:
            raise _Odd  # a length of 64 bits: nobody needs one here, and the type stands elsewhere
        at = end
        if kind != b"thmb":
            continue
        count = int.from_bytes(data[start + width : start + width + 2], "big")
        first = start + width + 2
        numbers = [int.from_bytes(data[first + width * n : first + width * (n + 1)], "big") for n in range(count)]
        if first + width * count != end:
            raise _Odd
        if primary in numbers:
            found.append((int.from_bytes(data[start : start + width], "big"), start - 4, count))
    if len(found) != 1 or found[0][2] != 1:
        return None
    return found[0][0], found[0][1]


def _items(data: bytes, span: Span, wanted: set[int]) -> dict[int, _Item]:
    """The properties of some items (ISO/IEC 23008-12, `iprp`)."""
    properties = [(kind, bytes(data[start:end])) for kind, start, end in _boxes(data, *_inside(data, span, b"ipco"))]
    at, _ = _inside(data, span, b"ipma")
    version, is_wide = data[at], data[at + 3] & 1
    count = int.from_bytes(data[at + 4 : at + 8], "big")
    at += 8
    items = {number: _Item([]) for number in wanted}
    for _ in range(count):
        width = 2 if version == 0 else 4
        number = int.from_bytes(data[at : at + width], "big")
        at += width + 1
        for _ in range(data[at - 1]):
            index = int.from_bytes(data[at : at + 2], "big") & 0x7FFF if is_wide else data[at] & 0x7F
            at += 2 if is_wide else 1
            if number in items and 1 <= index <= len(properties):
                items[number].properties.append(properties[index - 1])
    return items


def _types(data: bytes, span: Span) -> dict[int, bytes]:
    """Item number -> its type (`iinf`)."""
    width = 2 if data[span[0]] == 0 else 4
    found = {}
    for kind, start, _ in _boxes(data, span[0] + 4 + width, span[1]):
        version = data[start]
        if kind == b"infe" and version in (2, 3):
            wide = 2 if version == 2 else 4
            number = int.from_bytes(data[start + 4 : start + 4 + wide], "big")
            found[number] = bytes(data[start + 6 + wide : start + 10 + wide])
    return found


def _extents_are_there(data: bytes, span: Span) -> None:
    """Raises _Odd where the content of any item lies, by `iloc`, beyond the end of the file."""
    at = span[0]
    version = data[at]
    (offset_size, length_size), (base_size, index_size) = (divmod(data[at + n], 16) for n in (4, 5))
    wide = 4 if version == 2 else 2
    count = int.from_bytes(data[at + 6 : at + 6 + wide], "big")
    at += 6 + wide
    for _ in range(count):
        at += wide
        method = 0
        if version in (1, 2):
            method = data[at + 1] & 15
            at += 2
        at += 2
        base = int.from_bytes(data[at : at + base_size], "big")
        at += base_size
        extents = int.from_bytes(data[at : at + 2], "big")
        at += 2
        for _ in range(extents):
            at += index_size if version in (1, 2) else 0
            offset = int.from_bytes(data[at : at + offset_size], "big")
            length = int.from_bytes(data[at + offset_size : at + offset_size + length_size], "big")
            at += offset_size + length_size
            if at > span[1] or (method == 0 and base + offset + length > len(data)):
                raise _Odd
