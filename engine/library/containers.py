"""Where an image file keeps its size, its EXIF, its XMP, its IPTC and its quantisation tables: out of bytes.

Relies on the formats' own structure and never decodes a picture. Whatever does not fit is passed over: the
answer is what could be found. HEIC, AVIF and the rest are asked through Pillow, by `metadata`.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass, field

from engine.library import tiffdir
from engine.library.model import Format

_EXIF, _XMP, _PHOTOSHOP = b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"
_CIFF = b"HEAPJPGM"
_MOST_TEXT = 4 * 1024 * 1024
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_TIFF = frozenset({0x0100, 0x0101, *tiffdir.PACKETS})


@dataclass(slots=True)
class Parts:
    """What a file holds besides its picture. `size` as stored, in pixels; `tables` are JPEG quantisation tables,
    64 numbers each; `texts` are PNG's; `ciff` and `pictureinfo` are what cameras wrote before EXIF. `is_complete` is
    False where the bytes ended before the picture began."""

    size: tuple[int, int] | None = None
    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    ciff: bytes = b""
    pictureinfo: bytes = b""
    texts: dict[str, str] = field(default_factory=dict)
    tables: list[tuple[int, ...]] = field(default_factory=list)
    channels: int | None = None
    orientation: int | None = None  # where the decoder has turned the picture and taken it out of the EXIF
    is_complete: bool = True


def parts_of(kind: Format, data: bytes) -> Parts | None:
    """The parts of a file; None for formats whose structure is left to Pillow."""
    try:
        if kind == "jpeg":
            return jpeg(data)
        if kind == "png":
            return png(data)
        if kind == "webp":
            return webp(data)
        if kind == "tiff":
            return tiff(data)
    except (struct.error, IndexError):
        return Parts(is_complete=False)
    return None


def jpeg(data: bytes) -> Parts:
    """The segments up to the first scan (ITU-T T.81, annex B)."""
    parts = Parts(is_complete=False)
    photoshop = b""
    at, size = 2, len(data)
    while at + 4 <= size:
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
            continue
        length = (data[at + 2] << 8) | data[at + 3]
        start, end = at + 4, at + 2 + length
        if marker == 0xDA or marker == 0xD9 or length < 2:
            parts.is_complete = True
            break
        if end > size:
            break
        if marker == 0xE1:
            if not parts.exif and data.startswith(_EXIF, start):
                parts.exif = data[start + 6 : end]
            elif not parts.xmp and data.startswith(_XMP, start):
                parts.xmp = data[start + len(_XMP) : end]
        elif marker == 0xED and data.startswith(_PHOTOSHOP, start):
            photoshop += data[start + len(_PHOTOSHOP) : end]
        elif marker == 0xE0 and not parts.ciff and data.startswith(_CIFF, start + 6):
            parts.ciff = data[start:end]
        elif marker == 0xEC and not parts.pictureinfo:
            parts.pictureinfo = data[start:end]
        elif marker == 0xDB:
            parts.tables += _tables(data[start:end])
        elif marker in _FRAMES and end - start >= 6 and parts.size is None:
            height, width = struct.unpack_from(">HH", data, start + 1)
            parts.size, parts.channels = (width, height), data[start + 5]
        at = end
    parts.iptc = iptc_in(photoshop) if photoshop else b""
    return parts


def _tables(segment: bytes) -> list[tuple[int, ...]]:
    found = []
    at = 0
    while at < len(segment):
        is_wide = segment[at] >> 4
        length = 128 if is_wide else 64
        values = segment[at + 1 : at + 1 + length]
        if len(values) < length:
            break
        found.append(struct.unpack(">64H", values) if is_wide else tuple(values))
        at += 1 + length
    return found


def iptc_in(resources: bytes) -> bytes:
    """The IPTC record (resource 0x0404) among Photoshop's image resources."""
    at = 0
    while at + 12 <= len(resources) and resources.startswith(b"8BIM", at):
        identity, name = struct.unpack_from(">HB", resources, at + 4)
        start = at + 6 + ((name + 2) & ~1)
        if start + 4 > len(resources):
            break
        length = struct.unpack_from(">I", resources, start)[0]
        if identity == 0x0404:
            return resources[start + 4 : start + 4 + length]
        at = start + 4 + ((length + 1) & ~1)
    return b""


def png(data: bytes) -> Parts:
    """PNG's chunks up to the picture, and those after it where they are there."""
    parts = Parts(is_complete=False)
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        start, end = at + 8, at + 8 + length
        if name == b"IHDR" and length >= 8:
            parts.size = struct.unpack_from(">II", data, start)
            parts.channels = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}.get(data[start + 9])
        elif name == b"IEND":
            parts.is_complete = True
            break
        elif end > len(data):
            break
        elif name == b"eXIf":
            parts.exif = data[start:end]
        elif name in (b"tEXt", b"zTXt", b"iTXt"):
            _png_text(parts, name, data[start:end])
        at = end + 4
    return parts


def _png_text(parts: Parts, name: bytes, chunk: bytes) -> None:
    keyword, _, rest = chunk.partition(b"\0")
    if name == b"iTXt":
        is_packed, _, rest = rest[:1] == b"\1", rest[1:2], rest[2:]
        rest = rest.split(b"\0", 2)[-1]
    else:
        is_packed = name == b"zTXt"
        rest = rest[1:] if is_packed else rest
    if is_packed:
        try:
            rest = zlib.decompressobj().decompress(rest, _MOST_TEXT)
        except zlib.error:
            return
    key = keyword.decode("latin-1")
    if key == "XML:com.adobe.xmp":
        parts.xmp = rest
    elif key in ("Raw profile type exif", "Raw profile type APP1", "Raw profile type iptc"):
        _raw_profile(parts, rest, is_iptc=key.endswith("iptc"))
    elif key in ("Title", "Description", "Comment", "Author", "Software", "Creation Time"):
        try:
            parts.texts[key] = rest.decode("utf-8" if name == b"iTXt" else "latin-1")
        except UnicodeDecodeError:
            return


def _raw_profile(parts: Parts, text: bytes, *, is_iptc: bool) -> None:
    """ImageMagick's way to keep EXIF and IPTC in a PNG: a name, a length, and hexadecimal digits."""
    lines = text.strip().split(b"\n", 2)
    if len(lines) < 3:
        return
    digits = re.sub(rb"\s", b"", lines[2])
    try:
        raw = bytes.fromhex(digits.decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        return
    if is_iptc:
        parts.iptc = iptc_in(raw) or raw
    elif raw.startswith(_EXIF):
        parts.exif = parts.exif or raw[6:]
    elif raw.startswith(_XMP):
        parts.xmp = parts.xmp or raw[len(_XMP) :]


def webp(data: bytes) -> Parts:
    """WebP's RIFF chunks."""
    parts = Parts(is_complete=False)
    at = 12
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        start, end = at + 8, at + 8 + length
        if name == b"VP8X" and start + 10 <= len(data):
            width = int.from_bytes(data[start + 4 : start + 7], "little") + 1
            parts.size = width, int.from_bytes(data[start + 7 : start + 10], "little") + 1
        elif name == b"VP8 " and parts.size is None and start + 10 <= len(data):
            width, height = struct.unpack_from("<HH", data, start + 6)
            parts.size = width & 0x3FFF, height & 0x3FFF
        elif name == b"VP8L" and parts.size is None and start + 5 <= len(data):
            bits = int.from_bytes(data[start + 1 : start + 5], "little")
            parts.size = (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
        if end > len(data):
            return parts
        if name == b"EXIF":
            raw = data[start:end]
            parts.exif = raw[6:] if raw.startswith(_EXIF) else raw
        elif name == b"XMP ":
            parts.xmp = data[start:end]
        at = end + (length & 1)
    parts.is_complete = True
    return parts


def tiff(data: bytes) -> Parts:
    """A TIFF is its own EXIF; the packets lie in its first directory."""
    found, _ = tiffdir.first(data, _TIFF)
    parts = Parts(exif=data)
    width, height = tiffdir.number(found.get(0x0100)), tiffdir.number(found.get(0x0101))
    if width and height:
        parts.size = int(width), int(height)
    for tag, value in found.items():
        if not isinstance(value, bytes):
            continue
        if tag == 0x02BC:
            parts.xmp = value
        elif tag == 0x83BB:
            parts.iptc = value
        elif tag == 0x8649:
            parts.iptc = parts.iptc or iptc_in(value)
    return parts
