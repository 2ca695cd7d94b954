"""When a picture was taken, and which of its sources said so. Pure functions over EXIF values and names.

Relies on nothing but EXIF's own conventions. A time is never invented: zeroes, blanks and impossible dates
are passed over and the next source is asked: DateTimeOriginal (EXIF's, XMP's, then what the camera wrote outside
both), GPS, DateTimeDigitized or XMP's CreateDate, a stamp in the file's name, EXIF's modification time, and last the
file's own. A capture time keeps its own offset from UTC; where the camera did not say, it carries none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from engine.clock import iso
from engine.library.model import TakenAtSource
from engine.library.tiffdir import NOTHING
from engine.library.xmp import EMPTY, Packet

# EXIF 2.32, tables 4, 5, 8 and 15.
_DATE_TIME = 0x0132
_DATE_TIME_ORIGINAL, _DATE_TIME_DIGITIZED = 0x9003, 0x9004
_OFFSET, _OFFSET_ORIGINAL, _OFFSET_DIGITIZED = 0x9010, 0x9011, 0x9012
_SUBSEC, _SUBSEC_ORIGINAL, _SUBSEC_DIGITIZED = 0x9290, 0x9291, 0x9292
_GPS_TIME, _GPS_DATE = 0x07, 0x1D

_EXIF_TIME = re.compile(
    r"(\d{4})[:/.\- ](\d{1,2})[:/.\- ](\d{1,2})[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?(?:[.,](\d{1,9}))?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?\s*(AM|PM)?",
    re.IGNORECASE,
)
_OFFSET_TEXT = re.compile(r"(Z)|([+-])(\d{2}):?(\d{2})")
# 20250708_060711, IMG-2019-01-01-12-34-56, 2023-05-06 07.08.09, "2023-05-06 at 07.08.09", PXL_20210203_040506789
_STAMP = re.compile(
    r"(?<!\d)((?:19|20)\d{2})[-_.]?(\d{2})[-_.]?(\d{2})(?:[-_.T ]|[ _]at[ _])?"
    r"(\d{2})[-_.:]?(\d{2})[-_.:]?(\d{2})(?:[.]?(\d{3}))?(?!\d)"
)
# XMP's names for the same moments (Metadata Working Group 2.0, table 5): what repeats EXIF first, then Photoshop's.
XMP_TIMES: Mapping[str, tuple[str, ...]] = {
    "xmp:original": ("exif:DateTimeOriginal", "photoshop:DateCreated"),
    "xmp:created": ("xmp:CreateDate", "exif:DateTimeDigitized"),
}
_EARLIEST_YEAR = 1826  # the first photograph


def taken_at(
    exif: Mapping[int, Any],
    details: Mapping[int, Any],
    gps: Mapping[int, Any],
    name: str,
    mtime_ns: int,
    packet: Packet = EMPTY,
    older: Mapping[int, Any] = NOTHING,
) -> tuple[str, TakenAtSource]:
    """The capture time as ISO 8601 (microseconds; with its offset where known, `Z` for UTC) and its source.

    `exif` is IFD0, `details` the Exif IFD, `gps` the GPS IFD, each by tag number with whatever values were
    read; `packet` is XMP's, and `older` an Exif IFD's worth of what a camera of before EXIF says.
    """
    get = details.get
    asked: tuple[tuple[TakenAtSource, Callable[[], datetime | None]], ...] = (
        ("exif:original", lambda: exif_time(get(_DATE_TIME_ORIGINAL), get(_SUBSEC_ORIGINAL), get(_OFFSET_ORIGINAL))),
        ("xmp:original", lambda: _first(packet, XMP_TIMES["xmp:original"])),
        ("camera:original", lambda: exif_time(older.get(_DATE_TIME_ORIGINAL))),
        ("exif:gps", lambda: gps_time(gps)),
        (
            "exif:digitized",
            lambda: exif_time(get(_DATE_TIME_DIGITIZED), get(_SUBSEC_DIGITIZED), get(_OFFSET_DIGITIZED)),
        ),
        ("xmp:created", lambda: _first(packet, XMP_TIMES["xmp:created"])),
        ("name", lambda: stamp_in(name)),
        ("exif:modified", lambda: exif_time(exif.get(_DATE_TIME), get(_SUBSEC), get(_OFFSET))),
    )
    for source, ask in asked:
        moment = ask()
        if moment is not None:
            return written(moment), source
    return written(_from_ns(mtime_ns)), "mtime"


def _first(packet: Packet, names: Sequence[str]) -> datetime | None:
    return next((moment for name in names if (moment := exif_time(packet.one(name))) is not None), None)


def offset_in(packet: Packet, source: TakenAtSource) -> timezone | None:
    """The offset of a capture time that XMP gave; None where it said none, or where another source was taken."""
    moment = _first(packet, XMP_TIMES.get(source, ()))
    return moment.tzinfo if moment is not None and isinstance(moment.tzinfo, timezone) else None


def exif_time(value: Any, subsec: Any = None, offset: Any = None) -> datetime | None:
    """`2008:10:22 16:28:39` with its sub-seconds (decimal digits) and offset (`+02:00`); None for what is no time."""
    found = _EXIF_TIME.match(_text(value))
    if found is None:
        return None
    year, month, day, hour, minute = (int(found[at]) for at in range(1, 6))
    if found[9]:
        hour = hour % 12 + (12 if found[9].upper() == "PM" else 0)
    fraction = found[7] or _digits(subsec)
    zone = offset_of(found[8] or offset)
    return _moment(year, month, day, hour, minute, int(found[6] or 0), fraction, zone)


def offset_of(value: Any) -> timezone | None:
    """`+09:00`, `-0430` or `Z`; None where it is absent or beyond what the earth has."""
    found = _OFFSET_TEXT.match(_text(value))
    if found is None:
        return None
    if found[1]:
        return UTC
    distance = timedelta(hours=int(found[3]), minutes=int(found[4]))
    if distance > timedelta(hours=14) or int(found[4]) > 59:
        return None
    return timezone(-distance if found[2] == "-" else distance)


def gps_time(gps: Mapping[int, Any]) -> datetime | None:
    """The time of the GPS fix, which is always UTC; None unless both its date and its time are there and make sense."""
    day = re.match(r"(\d{4})[:/\-](\d{1,2})[:/\-](\d{1,2})", _text(gps.get(_GPS_DATE)))
    try:
        hour, minute, second = (float(part) for part in gps[_GPS_TIME])
        whole = int(second)
        fraction = f"{second - whole:.6f}"[2:]
        if day is None:
            return None
        return _moment(int(day[1]), int(day[2]), int(day[3]), int(hour), int(minute), whole, fraction, UTC)
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None


def stamp_in(name: str) -> datetime | None:
    """The date and time in a file's name, without an offset; None where there is none, or only a date."""
    for found in _STAMP.finditer(name):
        year, month, day, hour, minute, second = (int(found[at]) for at in range(1, 7))
        moment = _moment(year, month, day, hour, minute, second, found[7] or "", None)
        if moment is not None:
            return moment
    return None


def written(moment: datetime) -> str:
    """ISO 8601 with microseconds: `Z` for UTC, else the moment's own offset, or none where it is unknown."""
    return iso(moment) if moment.tzinfo is UTC else moment.isoformat(timespec="microseconds")


def _moment(
    year: int, month: int, day: int, hour: int, minute: int, second: int, fraction: str, zone: timezone | None
) -> datetime | None:
    if year < _EARLIEST_YEAR:
        return None
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), int(f"{fraction:0<6}"[:6] or 0), zone)
    except ValueError:
        return None


def _from_ns(mtime_ns: int) -> datetime:
    """A file's modification time; the ends of the calendar stand in for what lies beyond them."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    try:
        return epoch + timedelta(microseconds=mtime_ns // 1000)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if mtime_ns > 0 else datetime.min.replace(tzinfo=UTC)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value.strip("\0 \t\r\n") if isinstance(value, str) else ""


def _digits(value: Any) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)
    return text if text.isascii() and text.isdigit() else ""
