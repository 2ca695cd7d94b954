"""Canon's heap of before EXIF (CIFF), in a JPEG's APP0 segment or as a whole CRW file. Pure functions over bytes.

Relies on struct alone. Written for hostile input: a heap is a block whose last four bytes say where its directory
is, an entry may be a heap itself, and nothing stops a file from pointing back at what contains it. So every range is
held inside the file, no heap is entered twice, and the entries read in all are counted. Canon, 'CIFF Specification
on Image Data File', version 1.0 revision 4 (1997). Answers in EXIF's tags, so that what follows reads one vocabulary.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from engine.library.pictureinfo import clock
from engine.library.tiffdir import NOTHING, Directory

_KINDS = (b"HEAPJPGM", b"HEAPCCDR")
_MOST_ENTRIES = 2048
_MOST_VALUE = 1024
_MAKE_MODEL, _BASE_ISO, _FOCAL_LENGTH, _TIME, _EXPOSURE = 0x080A, 0x101C, 0x1029, 0x180E, 0x1818
# Later cameras scale sensitivity and focal length by figures in these; such cameras write EXIF as well.
_SHOT, _SETTINGS = 0x102A, 0x102D
_WANTED = frozenset({_MAKE_MODEL, _BASE_ISO, _FOCAL_LENGTH, _TIME, _EXPOSURE, _SHOT, _SETTINGS})


def directories(data: bytes) -> tuple[Directory, Directory]:
    """What the heap says, as EXIF's main and Exif directories by tag number; both empty where it is no heap."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or data[6:14] not in _KINDS:
        return NOTHING, NOTHING
    found: dict[int, bytes] = {}
    for tag, value in _records(data, order, struct.unpack_from(order + "I", data, 2)[0]):
        found.setdefault(tag, value)
    main: dict[int, bytes] = {}
    if _MAKE_MODEL in found:
        make, _, model = found[_MAKE_MODEL].partition(b"\0")
        main = {0x010F: make, 0x0110: model}
    return main, _exposure(found, order)


def _exposure(found: dict[int, bytes], order: str) -> Directory:
    details: dict[int, bytes | float | int] = {}
    # The clock's own time: whether a zone beside it has been counted in already is not said, so none is claimed.
    if len(stamp := found.get(_TIME, b"")) >= 4 and (moment := clock(str(struct.unpack_from(order + "I", stamp)[0]))):
        details[0x9003] = moment
    if len(exposure := found.get(_EXPOSURE, b"")) >= 12 and any(exposure[4:12]):
        _, details[0x9201], details[0x9202] = struct.unpack_from(order + "3f", exposure)  # APEX
    if len(speed := found.get(_BASE_ISO, b"")) >= 2 and _SHOT not in found:
        details[0x8827] = struct.unpack_from(order + "H", speed)[0]
    if len(focal := found.get(_FOCAL_LENGTH, b"")) >= 4 and _SETTINGS not in found:
        details[0x920A] = struct.unpack_from(order + "2H", focal)[1]  # millimetres
    return details


def _records(data: bytes, order: str, start: int) -> Iterator[tuple[int, bytes]]:
    """The wanted records of the heap from byte `start` to the end, and of the heaps within it."""
    waiting, entered = [(start, len(data))], set[tuple[int, int]]()
    entry = struct.Struct(order + "HII")
    left = _MOST_ENTRIES
    while waiting and left > 0:
        start, end = heap = waiting.pop()
        if heap in entered or start < 14 or end > len(data) or end - start < 6:
            continue
        entered.add(heap)
        table = start + struct.unpack_from(order + "I", data, end - 4)[0]
        if table + 2 > end:
            continue
        count = struct.unpack_from(order + "H", data, table)[0]
        for at in range(table + 2, min(table + 2 + 10 * min(count, left), end - 9), 10):
            left -= 1
            tag, length, offset = entry.unpack_from(data, at)
            place, kind = tag & 0xC000, tag & 0x3FFF
            if place == 0x4000:  # the value stands in the entry itself
                value = (at + 2, at + 10)
            elif place == 0 and start + offset + length <= end:
                value = (start + offset, start + offset + length)
            else:
                continue
            if kind & 0x3800 in (0x2800, 0x3000) and place == 0:
                waiting.append(value)
            elif kind in _WANTED:
                yield kind, data[value[0] : min(value[1], value[0] + _MOST_VALUE)]
