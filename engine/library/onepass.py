"""One pass over one image: its bytes are read once, and one scaled decode gives hashes, quality and colours.

Relies on simplejpeg for JPEGs, and on `decode` (Pillow, HEIF, RAW) for what it refuses and for the other formats. The
hashes are of the pixels as the file has them, before any turning, as imagehash gives for `Image.open(path)`.
Runs in a worker process: see `workers`. Never writes.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
import simplejpeg
import xxhash
from PIL import Image

from engine.library import colours, containers, decode, formats, hashes, quality
from engine.library.classes import flags_of, lighting_of, quality_of, source_of
from engine.library.colour import eight_bit
from engine.library.containers import Parts
from engine.library.facts import Facts, StoredMetadata, signed
from engine.library.metadata import FileMetadata, metadata_of
from engine.library.model import Format
from engine.library.source import UnreadableImage, explained, open_source

# A picture is decoded at 1/2 where its shorter side keeps this many pixels, else as it is; hashes alone do with less.
FOR_QUALITY, FOR_HASH = 400, 160
_SMALL = 96  # shorter side of the picture that colours are counted in, pixels


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass found. `size` as displayed, in pixels."""

    content_hash: str
    format: Format
    size: tuple[int, int]
    facts: Facts
    metadata: FileMetadata


def study_file(path: str, max_pixels: int) -> Pass:
    """Everything about the file at `path`. Raises UnreadableImage."""
    data, mtime_ns = read_whole(path)
    content_hash = xxhash.xxh3_128_hexdigest(data)
    kind = decode.checked_format(data[: formats.HEAD], path)
    parts = containers.parts_of(kind, data)
    said = metadata_of(kind, data, path.rpartition("/")[2], mtime_ns, parts)
    picture, stored_size = _half(kind, data, path, max_pixels, parts)
    size = said.upright_size or stored_size
    return Pass(content_hash, kind, size, facts_of(kind, picture, size, said), said)


def read_whole(path: str) -> tuple[bytes, int]:
    """A file's bytes and its time of modification, in nanoseconds. Raises UnreadableImage."""
    file, state = open_source(path, follow_links=False)
    with file:
        if state.st_size == 0:
            raise UnreadableImage("empty", "the file is empty (0 bytes)")
        try:
            return file.read(), state.st_mtime_ns
        except OSError as error:
            raise explained(error) from error
        except MemoryError as error:
            raise UnreadableImage("too_large", "there is not enough memory to read this") from error


def facts_of(kind: Format, picture: Image.Image, size: tuple[int, int], said: FileMetadata) -> Facts:
    """The facts of a picture (mode L, RGB or RGBX, at half scale) of a file with that metadata."""
    grey = picture if picture.mode == "L" else picture.convert("L")
    phash, dhash = hashes.hashes_of(grey)
    factor = max(1, min(picture.size) // _SMALL)
    small = picture.reduce(factor) if factor > 1 else picture
    pixels = np.asarray(small if small.mode == "RGB" else small.convert("RGB"))
    found = quality.measures(grey, pixels)
    stored: StoredMetadata = said.stored
    written_at = quality.jpeg_quality(said.tables) if kind == "jpeg" else None
    flags = flags_of(kind, size, found, stored)
    grade, reason = quality_of(size, found, written_at, flags)
    return Facts(
        phash=signed(phash),
        dhash=signed(dhash),
        sharpness=_short(found.sharpness),
        subject_sharpness=_short(found.subject_sharpness),
        brightness=_short(found.brightness),
        exposure=_short(found.exposure),
        clipped_low=_short(found.clipped_low),
        clipped_high=_short(found.clipped_high),
        contrast=_short(found.contrast),
        noise=_short(found.noise),
        colourfulness=_short(found.colourfulness),
        information=_short(found.information),
        jpeg_quality=written_at,
        colours=colours.dominant(pixels),
        flags=flags,
        quality=grade,
        quality_reason=reason,
        lighting=lighting_of(found, stored, flags),
        source=source_of(stored),
    )


def _short(value: float) -> float:
    return round(value, 4) if math.isfinite(value) else 0.0


def perceptual_hashes(path: str, max_pixels: int = decode.MAX_PIXELS) -> tuple[int, int]:
    """phash and dhash of a file, unsigned, by the least decoding that gives them. Raises UnreadableImage."""
    data, _ = read_whole(path)
    kind = decode.checked_format(data[: formats.HEAD], path)
    if kind == "jpeg":
        picture = _scaled(data, "GRAY", FOR_HASH, 8, max_pixels)
        if picture is not None:
            return hashes.hashes_of(picture)
    picture, _ = _through_pillow(data, path, max_pixels, FOR_HASH)
    return hashes.hashes_of(picture.convert("L"))


def _half(
    kind: Format, data: bytes, path: str, max_pixels: int, parts: Parts | None
) -> tuple[Image.Image, tuple[int, int]]:
    """The picture at half scale, L, RGB or RGBX, and the file's size as stored."""
    if kind == "jpeg" and parts is not None and parts.size is not None and parts.channels in (1, 3):
        picture = _scaled(data, "GRAY" if parts.channels == 1 else "RGBX", FOR_QUALITY, 2, max_pixels)
        if picture is not None:
            return picture, parts.size
    return _through_pillow(data, path, max_pixels, FOR_QUALITY)


def _scaled(data: bytes, colourspace: str, least: int, most_factor: int, max_pixels: int) -> Image.Image | None:
    """A JPEG at 1/2, 1/4 or 1/8 (not below 1/`most_factor`), its shorter side at least `least` pixels where it has
    them; None for the few files that this decoder refuses."""
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data, strict=False)
        if width * height > max_pixels:
            return None
        factor = most_factor
        while factor > 1 and min(width, height) < least * factor:
            factor //= 2
        pixels = simplejpeg.decode_jpeg(
            data,
            colorspace=colourspace,
            fastdct=True,
            fastupsample=True,
            min_height=-(-height // factor),
            min_width=-(-width // factor),
            min_factor=1,
            strict=False,
        )
    except ValueError:
        return None
    mode = "L" if colourspace == "GRAY" else "RGBX"  # laid out as Pillow does it: nothing is copied
    return Image.frombuffer(mode, (pixels.shape[1], pixels.shape[0]), pixels, "raw", mode, 0, 1)


def _through_pillow(data: bytes, path: str, max_pixels: int, least: int) -> tuple[Image.Image, tuple[int, int]]:
    with decode.opened(io.BytesIO(data), path, max_pixels) as (image, _):
        size = image.size
        if image.format == "JPEG" and min(size) >= 2 * least:
            image.draft("RGB", (size[0] // 2, size[1] // 2))
        image.load()
        flat = eight_bit(image)
        if flat.mode == "RGBA":
            ground = Image.new("RGB", flat.size, (128, 128, 128))
            ground.paste(flat, mask=flat.getchannel("A"))
            flat = ground
        elif flat.mode not in ("L", "RGB"):
            flat = flat.convert("RGB")
        if min(flat.size) >= 2 * least and min(size) == min(flat.size):
            flat = flat.reduce(2)
        return flat.copy() if flat is image else flat, size
