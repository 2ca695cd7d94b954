"""JPEGs that end before their picture does, although a decoder shows them without complaint. Pure functions over bytes.

Relies on how libjpeg fills what it cannot read: blocks after a premature end stay exactly mid-grey. That is a
suspicion, not a proof (a picture may be grey), so the proof is made: the same file with noise put before
its end-of-image marker decodes to the same picture if the picture was whole, and to another one if it was not.
Never decodes anything itself.
"""

from __future__ import annotations

import re

# A marker that ends entropy-coded data: FF, then neither a stuffed zero, nor a restart, nor fill.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_WITHOUT_LENGTH = {0x01, 0xD8, *range(0xD0, 0xD8)}
_START_OF_SCAN = 0xDA
# What may stand between two scans: tables, restart interval, number of lines, application data, comments.
_BETWEEN_SCANS = {0xC4, 0xCC, _START_OF_SCAN, 0xDB, 0xDC, 0xDD, *range(0xE0, 0xF0), 0xFE}
# No FF in it, so that it reads as entropy-coded data; long enough to fill many blocks.
_NOISE = bytes((37 * at + 11) % 251 for at in range(4096))
ZERO_TAIL = 64


def end_of_picture(data: bytes) -> int | None:
    """Where a decoder stops reading the first picture: its end-of-image marker, or a marker that has no business
    in the midst of the data. None where the data runs out first.

    Walks the segments (ITU-T T.81, annex B), so that a thumbnail's own end, or a second picture behind the first
    (as phones append), is not mistaken for it.
    """
    at = 2
    has_scan = False
    while at + 2 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        elif has_scan and marker not in _BETWEEN_SCANS:
            return at
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
            if marker == _START_OF_SCAN:
                has_scan = True
                found = _MARKER.search(data, at)
                if found is None:
                    return None
                at = found.start()
    return None


def has_zeroed_end(data: bytes) -> bool:
    """Whether the data stops in a run of zero bytes without an end marker: a copy that was never finished."""
    return data.endswith(bytes(ZERO_TAIL)) and end_of_picture(data) is None


def with_noise_at_the_end(data: bytes) -> bytes | None:
    """The file with noise where a decoder stops reading it; None where the data runs out first."""
    end = end_of_picture(data)
    return None if end is None else data[:end] + _NOISE + b"\xff\xd9"
