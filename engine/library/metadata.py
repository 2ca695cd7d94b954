"""What an image file says of itself: when, where, by which camera, under which words. Reads the header only.

Relies on containers, tiffdir, xmp, iptc, ciff, pictureinfo and capture; on Pillow for HEIC, AVIF and the rarer
formats. Nothing is invented: what a file does not say is None. Where several places say it, XMP is believed before
IPTC and IPTC before EXIF for words (as the Metadata Working Group has it), and EXIF before XMP for what the camera
measured.
"""

from __future__ import annotations

import io
import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.library import ciff, containers, formats, iptc, pictureinfo, tiffdir, xmp
from engine.library.capture import offset_in, offset_of, taken_at
from engine.library.containers import Parts
from engine.library.findings import StoredMetadata
from engine.library.model import Format, TakenAtSource
from engine.library.source import UnreadableImage, explained, open_source
from engine.library.tiffdir import NOTHING, Directory, number, text

# Most headers end well before this; the few that do not are read on. Bytes.
_HEAD_BYTES = 96 * 1024
_MOST_BYTES = 64 * 1024 * 1024

_IFD0 = frozenset({0x010E, 0x010F, 0x0110, 0x0112, 0x0132, 0x4746, 0x8769, 0x8825, 0x9C9B, 0x9C9E, 0xC614, 0x0100,
                   0x0101, 0x829A, 0x829D, 0x8827, 0x9003, 0x920A, *tiffdir.PACKETS})  # fmt: skip
_DETAILS = frozenset({0x829A, 0x829D, 0x8827, 0x8832, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9201, 0x9202, 0x9209,
                      0x920A, 0x9290, 0x9291, 0x9292, 0xA002, 0xA003, 0xA433, 0xA434})  # fmt: skip
_GPS = frozenset({1, 2, 3, 4, 5, 6, 7, 0x1D})


@dataclass(frozen=True, slots=True)
class FileMetadata:
    """One file's metadata. `size` in pixels as stored; `orientation` 1 to 8, None where the file gives none."""

    size: tuple[int, int] | None
    orientation: int | None
    taken_at: str
    taken_at_source: TakenAtSource
    stored: StoredMetadata
    tables: list[tuple[int, ...]] = field(default_factory=list)

    @property
    def upright_size(self) -> tuple[int, int] | None:
        """Width and height as displayed."""
        if self.size is None or (self.orientation or 1) < 5:
            return self.size
        return self.size[1], self.size[0]


def directories(exif: bytes) -> tuple[Directory, Directory, Directory]:
    """IFD0, the Exif directory and the GPS directory of a TIFF's bytes; empty where absent or damaged."""
    order = tiffdir.order_of(exif)
    if order is None:
        return NOTHING, NOTHING, NOTHING
    try:
        main, _ = tiffdir.first(exif, _IFD0)
        details, gps = NOTHING, NOTHING
        if isinstance(at := main.get(0x8769), int):
            details, _ = tiffdir.directory(exif, order, at, _DETAILS)
        if isinstance(at := main.get(0x8825), int):
            gps, _ = tiffdir.directory(exif, order, at, _GPS)
    except struct.error:
        return NOTHING, NOTHING, NOTHING
    return main, details or {tag: value for tag, value in main.items() if tag in _DETAILS}, gps


def older_directories(parts: Parts) -> tuple[Directory, Directory]:
    """What a camera of before EXIF says, as a main and an Exif directory; empty for nearly every file."""
    if parts.ciff:
        return ciff.directories(parts.ciff)
    return pictureinfo.directories(parts.pictureinfo) if parts.pictureinfo else (NOTHING, NOTHING)


def metadata_of(kind: Format, data: bytes, name: str, mtime_ns: int, parts: Parts | None = None) -> FileMetadata:
    """The metadata in a file's bytes (all of them, or as much as the header needs). Never raises for odd content."""
    parts = parts or containers.parts_of(kind, data) or _through_pillow(kind, data)
    main, details, gps = raw_directories(data) if kind == "raw" else directories(parts.exif)
    packet = xmp.packet_of(parts.xmp) if parts.xmp else xmp.EMPTY
    record = iptc.record_of(parts.iptc) if parts.iptc else iptc.Record()
    older_main, older = older_directories(parts)
    moment, source = taken_at(main, details, gps, name, mtime_ns, packet, older)
    if older_main or older:  # they fill what EXIF leaves open
        main, details = {**older_main, **main}, {**older, **details}
    latitude, longitude = _place(gps, packet)
    size = parts.size or _size(main, details)
    orientation = parts.orientation or main.get(0x0112)
    if orientation is None and kind not in ("heic", "avif"):
        orientation = _whole(packet.one("tiff:Orientation"))
    subjects = [*packet.values.get("dc:subject", ()), *record.keywords, *_windows_words(main)]
    stored = StoredMetadata(
        camera_make=text(main.get(0x010F)) or packet.one("tiff:Make"),
        camera_model=text(main.get(0x0110)) or text(main.get(0xC614)) or packet.one("tiff:Model"),
        lens=text(details.get(0xA434)) or packet.one("aux:Lens") or packet.one("exifEX:LensModel"),
        exposure_time=_exposure_time(details, packet),
        f_number=_f_number(details, packet),
        iso=_iso(details, packet),
        focal_length=_above_zero(number(details.get(0x920A))) or _fraction(packet.one("exif:FocalLength")),
        flash=_flash(details, packet),
        latitude=latitude,
        longitude=longitude,
        altitude=_altitude(gps, packet),
        taken_offset=_offset(details, packet, source),
        title=packet.one("dc:title") or record.title or tiffdir.wide_text(main.get(0x9C9B)) or parts.texts.get("Title"),
        description=packet.one("dc:description")
        or record.caption
        or text(main.get(0x010E))
        or parts.texts.get("Description"),
        keywords=list(dict.fromkeys(subjects)),
        rating=_rating(main, packet),
        people=packet.people,
    )
    is_right = isinstance(orientation, int) and 1 <= orientation <= 8
    return FileMetadata(size, orientation if is_right else None, moment, source, stored, parts.tables)


def read_metadata(path: str | os.PathLike[str]) -> tuple[Format, FileMetadata]:
    """Format and metadata of the file at `path`; reads its header only, where the format has it in front.

    Raises UnreadableImage for what is no image, empty, mislabelled or not ours to read, and for a header cut off.
    """
    from engine.library.decode import checked_format

    spelled = os.fspath(path)
    file, state = open_source(spelled)
    with file:
        try:
            data = file.read(_HEAD_BYTES)
            kind = checked_format(data[: formats.HEAD], spelled)
            parts = containers.parts_of(kind, data) if kind != "tiff" else None
            is_short = (parts is None or not parts.is_complete) and len(data) < state.st_size
            if is_short:
                data += file.read(_MOST_BYTES - len(data))
                parts = None
        except OSError as error:
            raise explained(error) from error
    found = metadata_of(kind, data, spelled.rpartition("/")[2], state.st_mtime_ns, parts)
    if found.size is None:
        raise UnreadableImage("truncated", f"the {formats.NAMES[kind]} ends before it says how large its picture is")
    return kind, found


def _through_pillow(kind: Format, data: bytes) -> Parts:
    """Size, EXIF and XMP as Pillow's (or LibRaw's) reader of the format tells them."""
    from engine.library import decode, raw

    if kind == "raw":
        parts = containers.tiff(raw_tiff(data))
        parts.size = raw.size_of(data) or parts.size
        parts.ciff = data  # Canon's CRW is such a heap as a whole
        return parts
    try:
        with decode.opened(io.BytesIO(data), f"x.{kind}", decode.MAX_PIXELS) as (image, _):
            parts = Parts(size=image.size)
            exif, packet = image.info.get("exif"), image.info.get("xmp")
            if kind == "heic":
                _turn_back(parts, image.info.get("original_orientation"))
    except UnreadableImage:
        return Parts()
    if isinstance(exif, bytes):
        parts.exif = exif[6:] if exif.startswith(b"Exif\0\0") else exif
    if isinstance(packet, bytes | str):
        parts.xmp = packet if isinstance(packet, bytes) else packet.encode()
    return parts


def _turn_back(parts: Parts, orientation: Any) -> None:
    """HEIC decoders answer in displayed pixels: give the size as stored, as every other format does."""
    if isinstance(orientation, int) and 1 <= orientation <= 8:
        parts.orientation = orientation
        if orientation >= 5 and parts.size is not None:
            parts.size = parts.size[1], parts.size[0]


def raw_tiff(data: bytes) -> bytes:
    """The TIFF inside a RAW file: the file itself; for Fujifilm's the EXIF of its JPEG, for Canon's CR3 its first."""
    if data.startswith(b"FUJIFILMCCD-RAW") and len(data) > 92:
        at, length = struct.unpack_from(">II", data, 84)
        return containers.jpeg(data[at : at + length]).exif
    return _box(data, b"CMT1") if data[4:8] == b"ftyp" else data


def raw_directories(data: bytes) -> tuple[Directory, Directory, Directory]:
    """IFD0, Exif and GPS directories of a RAW file."""
    return _canon(data) if data[4:8] == b"ftyp" else directories(raw_tiff(data))


def _canon(data: bytes) -> tuple[Directory, Directory, Directory]:
    """Canon's CR3 keeps its directories in boxes of their own, each a TIFF: main, Exif, GPS."""
    wanted = ((b"CMT1", _IFD0), (b"CMT2", _DETAILS), (b"CMT4", _GPS))
    main, details, gps = (tiffdir.first(_box(data, name), tags)[0] for name, tags in wanted)
    return main, details, gps


def _box(data: bytes, name: bytes) -> bytes:
    at = data.find(name, 0, 1024 * 1024)
    if at < 4:
        return b""
    return data[at + 4 : at - 4 + int.from_bytes(data[at - 4 : at], "big")]


def _size(main: Directory, details: Directory) -> tuple[int, int] | None:
    for width, height in ((main.get(0x0100), main.get(0x0101)), (details.get(0xA002), details.get(0xA003))):
        if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0:
            return width, height
    return None


def _place(gps: Directory, packet: xmp.Packet) -> tuple[float | None, float | None]:
    """Latitude and longitude, signed decimal degrees; both or neither."""
    latitude = _angle(gps.get(2), text(gps.get(1)), "N", "S", 90)
    longitude = _angle(gps.get(4), text(gps.get(3)), "E", "W", 180)
    if latitude is None or longitude is None:
        latitude = _spelled_angle(packet.one("exif:GPSLatitude"), "N", "S", 90)
        longitude = _spelled_angle(packet.one("exif:GPSLongitude"), "E", "W", 180)
    return (latitude, longitude) if latitude is not None and longitude is not None else (None, None)


def _angle(value: Any, reference: str | None, plus: str, minus: str, most: float) -> float | None:
    parts = value if isinstance(value, tuple) else (value,)
    sign = {plus: 1.0, minus: -1.0}.get((reference or "")[:1].upper())
    if sign is None or not parts or parts[0] is None:
        return None
    total = 0.0
    for scale, part in zip((1, 60, 3600), parts, strict=False):
        if part is None:
            continue
        if not isinstance(part, int | float) or not math.isfinite(part) or part < 0:
            return None
        total += part / scale
    return sign * total if total <= most else None


def _spelled_angle(words: str | None, plus: str, minus: str, most: float) -> float | None:
    """XMP's `38,54.321N` or `38,54,19N`."""
    if not words or words[-1].upper() not in (plus, minus):
        return None
    try:
        parts = tuple(float(each) for each in words[:-1].split(","))
    except ValueError:
        return None
    return _angle(parts, words[-1], plus, minus, most)


def _altitude(gps: Directory, packet: xmp.Packet) -> float | None:
    """Metres; below sea level negative (EXIF 2.32: GPSAltitudeRef 1; EXIF 3: 3 is below the ellipsoid)."""
    height = number(gps.get(6))
    if height is not None:
        reference = gps.get(5)
        if isinstance(reference, bytes):
            reference = reference[0] if reference else 0
        return -height if reference in (1, 3) else height
    height = _fraction(packet.one("exif:GPSAltitude"), zero=True)
    if height is None:
        return None
    return -height if packet.one("exif:GPSAltitudeRef") == "1" else height


def _exposure_time(details: Directory, packet: xmp.Packet) -> float | None:
    seconds = _above_zero(number(details.get(0x829A)))
    if seconds is None and (apex := number(details.get(0x9201))) is not None and -20 < apex < 32:
        seconds = 2.0**-apex  # EXIF 2.32, annex C: APEX units
    return seconds if seconds is not None else _fraction(packet.one("exif:ExposureTime"))


def _f_number(details: Directory, packet: xmp.Packet) -> float | None:
    stops = _above_zero(number(details.get(0x829D)))
    if stops is None and (apex := number(details.get(0x9202))) is not None and 0 < apex < 32:
        stops = 2.0 ** (apex / 2)
    return stops if stops is not None else _fraction(packet.one("exif:FNumber"))


def _iso(details: Directory, packet: xmp.Packet) -> int | None:
    speed = _above_zero(number(details.get(0x8827)))
    if speed == 65535:  # more than the field holds: the index says it
        speed = _above_zero(number(details.get(0x8832))) or speed
    if speed is None:
        speed = _fraction(packet.one("exif:ISOSpeedRatings") or packet.one("exifEX:PhotographicSensitivity"))
    return round(speed) if speed is not None else None


def _flash(details: Directory, packet: xmp.Packet) -> bool | None:
    """Whether it fired (bit 0). The field has seven bits: a value beyond says nothing."""
    value = details.get(0x9209)
    if isinstance(value, int):
        return bool(value & 1) if 0 <= value < 0x80 else None
    said = packet.one("exif:Flash")
    return {"true": True, "false": False}.get((said or "").lower())


def _rating(main: Directory, packet: xmp.Packet) -> int | None:
    """Stars, 0 to 5; -1 is rejected."""
    value = _whole(packet.one("xmp:Rating"))
    if value is None and isinstance(main.get(0x4746), int):
        value = main[0x4746]
    return value if value is not None and -1 <= value <= 5 else None


def _windows_words(main: Directory) -> list[str]:
    said = tiffdir.wide_text(main.get(0x9C9E))
    return [word for word in (each.strip() for each in said.split(";")) if word] if said else []


def _offset(details: Directory, packet: xmp.Packet, source: TakenAtSource) -> str | None:
    """The offset from UTC of the capture time, as `+02:00`."""
    tag = {"exif:original": 0x9011, "exif:digitized": 0x9012, "exif:modified": 0x9010}.get(source)
    zone = offset_of(details.get(tag)) if tag else offset_in(packet, source)
    if zone is None:
        return None
    minutes = round(zone.utcoffset(None).total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _above_zero(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None


def _whole(words: str | None) -> int | None:
    try:
        return round(float(words)) if words else None
    except (ValueError, OverflowError):
        return None


def _fraction(words: str | None, *, zero: bool = False) -> float | None:
    """`1/250` or `2.8` as a number above zero (or zero, where that may be)."""
    above, _, below = (words or "").partition("/")
    try:
        value = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        return None
    return value if math.isfinite(value) and (value > 0 or (zero and value == 0)) else None


def document(path: str, kind: str, found: FileMetadata) -> Mapping[str, Any]:
    """One file's metadata as `proofsheet metadata --json` prints it; None where the file says nothing."""
    stored = found.stored
    width, height = found.upright_size or (None, None)
    place = None
    if stored.latitude is not None:
        place = {"lat": stored.latitude, "lon": stored.longitude, "alt": stored.altitude}
    return {
        "path": path,
        "format": kind,
        "width": width,
        "height": height,
        "megapixels": round(width * height / 1e6, 3) if width and height else None,
        "taken_at": found.taken_at,
        "taken_at_source": found.taken_at_source,
        "offset": stored.taken_offset,
        "gps": place,
        "camera": {"make": stored.camera_make, "model": stored.camera_model, "lens": stored.lens},
        "exposure": {
            "time": stored.exposure_time,
            "f": stored.f_number,
            "iso": stored.iso,
            "focal_length": stored.focal_length,
            "flash": stored.flash,
        },
        "orientation": found.orientation,
        "keywords": stored.keywords,
        "rating": stored.rating,
        "title": stored.title,
        "description": stored.description,
        "people": stored.people,
    }


__all__ = ["FileMetadata", "directories", "document", "metadata_of", "read_metadata"]
