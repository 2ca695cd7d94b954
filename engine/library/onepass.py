"""One pass over one image: its bytes are read once, and one scaled decode gives hashes, quality and colours.

Relies on simplejpeg for JPEGs, and on `decode` (Pillow, HEIF, RAW) for what it refuses and for the other formats. The
hashes are of the pixels as the file has them, before any turning, as imagehash gives for `Image.open(path)`.
Runs in a worker process: see `workers`. Never writes.
"""

from __future__ import annotations

import contextlib
import io
import math
from dataclasses import dataclass

import numpy as np
import simplejpeg
import xxhash
from numpy.typing import NDArray
from PIL import Image

from engine.library import colours, containers, decode, formats, hashes, heif_thumbnail, quality
from engine.library.classes import flags_of, lighting_of, quality_of, source_of
from engine.library.colour import eight_bit
from engine.library.containers import Parts
from engine.library.findings import Facts, StoredMetadata, signed
from engine.library.metadata import FileMetadata, metadata_of
from engine.library.model import Format
from engine.library.prints import Prints, prints
from engine.library.quality import Measures
from engine.library.source import UnreadableImage, explained, open_source
from engine.library.undecodable import noting

# A picture is decoded at 1/2 where its shorter side keeps this many pixels, else as it is; hashes alone do with less.
FOR_QUALITY, FOR_HASH = 400, 128
_SMALL = 64  # shorter side of the picture that colours are counted in, pixels
_FEW = 3  # of each of its pixels so many in a row and in a column are looked at
_STRIP = 1 << 19  # pixels that are turned grey at a time: more leave the cache before they are laid down

Pixels = NDArray[np.uint8]  # (h, w, channels)


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass found. `size` as displayed, in pixels; `prints` of the picture as displayed; `otherwise` names the
    texts that are not UTF-8."""

    content_hash: str
    format: Format
    size: tuple[int, int]
    facts: Facts
    metadata: FileMetadata
    prints: Prints
    otherwise: tuple[str, ...] = ()


def study_file(path: str, max_pixels: int) -> Pass:
    """Everything about the file at `path`. Raises UnreadableImage."""
    data, mtime_ns = read_whole(path)
    content_hash = xxhash.xxh3_128_hexdigest(data)
    kind = decode.checked_format(data[: formats.HEAD], path)
    parts = containers.parts_of(kind, data)
    with noting() as otherwise:
        said = metadata_of(kind, data, path.rpartition("/")[2], mtime_ns, parts)
    picture, extent, stored_size, laid_upon = _half(kind, data, path, max_pixels, parts)
    size = said.upright_size or stored_size
    grey, values = _grey(picture, laid_upon)
    small, small_extent = hashes.reduced(grey, extent)
    luma = hashes.squeezed(small, small_extent)
    both = hashes.phash_of(luma), hashes.dhash(small, small_extent)
    found = facts_of(kind, quality.measures(values, pixels := _small(picture)), pixels, both, size, said)
    upright = prints(_upright(luma, kind, said.orientation))
    return Pass(content_hash, kind, size, found, said, upright, tuple(otherwise))


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


def facts_of(
    kind: Format,
    found: Measures,
    pixels: NDArray[np.uint8],
    both_hashes: tuple[int, int],
    size: tuple[int, int],
    said: FileMetadata,
) -> Facts:
    """What was measured and hashed (phash, dhash), put beside what the file says of itself. `pixels`: the picture in
    colour, much smaller, (h, w, 3) uint8; `size` as displayed."""
    phash, dhash = both_hashes
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


def _upright(luma: NDArray[np.uint8], kind: Format, orientation: int | None) -> NDArray[np.uint8]:
    """Small grey values turned as the picture is displayed."""
    turn = decode.turn_of(kind, orientation)
    return luma if turn is None else np.asarray(Image.fromarray(luma).transpose(turn))


def _grey(picture: Image.Image, pixels: Pixels | None) -> tuple[Image.Image, NDArray[np.uint8]]:
    """The picture in mode L, and its values (h, w) uint8: one memory, because Pillow is slow to give its own away.
    `pixels`: those that the picture is laid upon, if it is."""
    values = np.empty((picture.height, picture.width), dtype=np.uint8)
    grey = Image.frombuffer("L", picture.size, values, "raw", "L", 0, 1)
    grey.readonly = 0  # so that it is pasted into, not copied first
    if picture.mode == "L" or pixels is None:
        grey.paste(picture if picture.mode == "L" else picture.convert("L"))
    else:
        rows = max(1, _STRIP // picture.width)
        for top in range(0, len(pixels), rows):
            grey.paste(_laid_upon(pixels[top : top + rows]).convert("L"), (0, top))
    return grey, values


def _laid_upon(pixels: Pixels) -> Image.Image:
    """Decoded pixels as a picture, L or RGBX: laid out as Pillow does it, so that nothing is copied."""
    mode = "L" if pixels.shape[2] == 1 else "RGBX"
    return Image.frombuffer(mode, (pixels.shape[1], pixels.shape[0]), pixels, "raw", mode, 0, 1)


def _small(picture: Image.Image) -> NDArray[np.uint8]:
    """The picture in colour, its shorter side about 64 pixels, (h, w, 3) uint8: each the mean of nine of a block."""
    factor = max(1, min(picture.size) // _SMALL)
    if factor > 1:
        size = picture.width // factor, picture.height // factor
        few = min(_FEW, factor)
        box = (0, 0, size[0] * factor, size[1] * factor)
        picture = picture.resize((size[0] * few, size[1] * few), Image.Resampling.NEAREST, box=box).reduce(few)
    return np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))


def _short(value: float) -> float:
    return round(value, 4) if math.isfinite(value) else 0.0


def perceptual_hashes(path: str, max_pixels: int = decode.MAX_PIXELS) -> tuple[int, int]:
    """phash and dhash of a file, unsigned, by the least decoding that gives them. Raises UnreadableImage."""
    data, _ = read_whole(path)
    kind = decode.checked_format(data[: formats.HEAD], path)
    if kind == "jpeg":
        scaled = _scaled(data, "GRAY", FOR_HASH, 8, max_pixels)
        if scaled is not None:
            return hashes.hashes_of(_laid_upon(scaled[0]), scaled[1])
    if kind == "heic":
        small = heif_thumbnail.thumbnail(data)
        if small is not None and min(small.size) >= FOR_HASH:
            with contextlib.suppress(UnreadableImage):  # the thumbnail alone is damaged
                picture, size = _through_pillow(small.data, path, max_pixels, FOR_HASH)
                if size == small.size:  # else it is not what was promised
                    return hashes.hashes_of(picture.convert("L"))
    picture, _ = _through_pillow(data, path, max_pixels, FOR_HASH)
    return hashes.hashes_of(picture.convert("L"))


def _half(
    kind: Format, data: bytes, path: str, max_pixels: int, parts: Parts | None
) -> tuple[Image.Image, hashes.Extent, tuple[int, int], Pixels | None]:
    """The picture at half scale, L, RGB or RGBX, its extent, the file's size as stored, and what it is laid upon."""
    if kind == "jpeg" and parts is not None and parts.size is not None and parts.channels in (1, 3):
        scaled = _scaled(data, "GRAY" if parts.channels == 1 else "RGBX", FOR_QUALITY, 2, max_pixels)
        if scaled is not None:
            pixels, extent = scaled
            return _laid_upon(pixels), extent, parts.size, pixels
    picture, size = _through_pillow(data, path, max_pixels, FOR_QUALITY)
    return picture, picture.size, size, None


def _scaled(
    data: bytes, colourspace: str, least: int, most_factor: int, max_pixels: int
) -> tuple[Pixels, hashes.Extent] | None:
    """A JPEG at 1/2, 1/4 or 1/8 (not below 1/`most_factor`), its shorter side at least `least` pixels where it has
    them; None for the few files that this decoder refuses."""
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data, strict=False)
        if width * height > max_pixels:
            return None
        factor = most_factor
        while factor > 1 and min(width, height) < least * factor:
            factor //= 2
        pixels: Pixels = simplejpeg.decode_jpeg(
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
    return pixels, (min(width / factor, pixels.shape[1]), min(height / factor, pixels.shape[0]))


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
