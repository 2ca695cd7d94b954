"""What cameras before EXIF wrote as text into a JPEG's APP12 segment ('picture info'). Pure functions over bytes.

Relies on the text's own form: an optional maker's name, then sections such as `[picture info]` and `[camera info]`
of `Key=value` lines (Olympus, Agfa, Polaroid). There is no published standard: keys and units are those that
exiftool lists under APP12 PictureInfo. Answers in EXIF's tags, so that what follows reads one vocabulary. Whatever
does not fit is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from engine.library.tiffdir import NOTHING, Directory

_MOST_BYTES = 65_536
_SECTIONS = frozenset({"picture info", "camera info"})
_SECTION = re.compile(rb"\[(picture|camera) ?info\]", re.IGNORECASE)
_MAKER = re.compile(rb"[A-Za-z][\x20-\x5a\x5c\x5e-\x7e]{1,63}")
_STOPS = re.compile(r"[A-Za-z ]{0,8}(\d{1,3}(?:\.\d{1,4})?)")


def directories(segment: bytes) -> tuple[Directory, Directory]:
    """What the text says, as EXIF's main and Exif directories by tag number; both empty where it is no such text."""
    text = segment[:_MOST_BYTES]
    if _SECTION.search(text) is None:
        return NOTHING, NOTHING
    main: dict[int, bytes] = {}
    if maker := _MAKER.match(text):
        main[0x010F] = maker[0]
    said = dict(_lines(text))
    if kind := said.get("type"):
        main[0x0110] = kind.encode("ascii")
    details: dict[int, float | int | bytes] = {}
    if moment := clock(said.get("timedate", "")):
        details[0x9003] = moment
    shutter = said.get("shutter") or said.get("shtr", "")
    if shutter.isdigit() and int(shutter[:12]) > 0:
        details[0x829A] = int(shutter[:12]) / 1e6  # microseconds
    if stops := _STOPS.fullmatch(said.get("fnumber", "")):
        details[0x829D] = float(stops[1])
    if said.get("flash") in ("0", "1"):
        details[0x9209] = int(said["flash"])
    return main, details


def clock(words: str) -> bytes | None:
    """A camera's clock as EXIF spells times: seconds since 1970 on that clock (no zone is known), or as it stands.

    None for 0, which is a clock that was never set, and for what 32 bits do not hold.
    """
    if not words.isdigit():
        return words.encode("ascii") or None
    seconds = int(words[:12])
    if not 0 < seconds < 2**32:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y:%m:%d %H:%M:%S").encode("ascii")


def _lines(text: bytes) -> Iterator[tuple[str, str]]:
    """Keys in lower case and values of the camera's own sections, the first of a kind last so that it wins."""
    found: list[tuple[str, str]] = []
    is_ours = False
    for line in re.split(r"[\r\n\0]+", text.decode("ascii", "replace")):
        header = re.search(r"\[([^\[\]]{1,32})\]\s*$", line)
        if header is not None:
            is_ours = header[1].lower() in _SECTIONS
            continue
        key, equals, value = line.partition("=")
        if is_ours and equals and value.strip().isascii() and value.strip().isprintable():
            found.append((key.strip().lower(), value.strip()))
    return reversed(found)
