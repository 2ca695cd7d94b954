"""One pass over one image file: opened once, read once, hashed, its header checked, its picture verified.

Relies on decode and capture. Never writes anything, and leaves no trace on the file but, at most, its time of last
access. Safe to call from any thread.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import xxhash
from PIL import ExifTags, Image

from engine.library import containers, decode, metadata, xmp
from engine.library.capture import taken_at
from engine.library.containers import Parts
from engine.library.source import UnreadableImage, explained, open_source

_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says of itself. `width` and `height` as displayed; `content_hash` is xxh3_128 in hexadecimal."""

    format: str
    width: int
    height: int
    orientation: int
    taken_at: str
    taken_at_source: str
    content_hash: str
    size: int
    mtime_ns: int


def read_image(path: str, max_pixels: int) -> Reading:
    """Read and verify the image at `path`. Raises UnreadableImage."""
    file, state = open_source(path, follow_links=False)
    with file:
        if state.st_size == 0:
            raise UnreadableImage("empty", "the file is empty (0 bytes)")
        try:
            data = file.read() if state.st_size <= decode.IN_MEMORY else None
            content_hash = _hash_of(file) if data is None else xxhash.xxh3_128_hexdigest(data)
        except OSError as error:
            raise explained(error) from error
        source: BinaryIO = file if data is None else io.BytesIO(data)
        with decode.opened(source, path, max_pixels) as (image, kind):
            exif = decode.exif_of(image)
            orientation = decode.orientation_of(image, kind, exif)
            parts = containers.parts_of(kind, data) if data is not None else None
            older = metadata.older_directories(parts or Parts())[1]
            if kind == "raw":
                head = _head(source)
                main, details, gps = metadata.raw_directories(head)
                older = metadata.older_directories(Parts(ciff=head))[1]
            else:
                main, details, gps = exif, _part(exif, ExifTags.IFD.Exif), _part(exif, ExifTags.IFD.GPSInfo)
            width, height = decode.upright_size(image, kind, orientation)
            packet = _packet(image, parts)
            name = path.rpartition("/")[2]
            moment, moment_source = taken_at(main, details, gps, name, state.st_mtime_ns, packet, older)
            decode.verify(image, kind, data)
    return Reading(
        kind, width, height, orientation, moment, moment_source, content_hash, state.st_size, state.st_mtime_ns
    )


def _packet(image: Image.Image, parts: Parts | None) -> xmp.Packet:
    """The file's XMP, as far as it is at hand without reading on."""
    raw = parts.xmp if parts is not None else image.info.get("xmp")
    return xmp.packet_of(raw) if isinstance(raw, bytes) and raw else xmp.EMPTY


def _hash_of(file: BinaryIO) -> str:
    digest = xxhash.xxh3_128()
    while block := file.read(_BLOCK):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()


def _head(source: BinaryIO) -> bytes:
    """As much of a RAW file as its directories need."""
    source.seek(0)
    return source.read(decode.IN_MEMORY)


def _part(exif: Image.Exif, which: ExifTags.IFD) -> Mapping[int, Any]:
    """One of EXIF's inner directories; empty where it is absent or damaged."""
    try:
        return exif.get_ifd(which)
    except Exception:  # noqa: BLE001 - broken metadata raises anything, and must not cost the picture
        return {}
