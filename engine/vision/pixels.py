"""Pictures for an encoder: decoded just large enough, upright and in sRGB, as fast as the file allows.

JPEGs (nearly all photographs) go through libjpeg-turbo at a fraction of their size, straight from the file's bytes;
everything else, and every JPEG that is in any way unusual or damaged, takes the library's way, which also words what is
wrong with it. Relies on the library's decoder. Only ever reads.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from engine.library.apart import decode
from engine.library.colour import to_srgb
from engine.library.model import Image as LibraryImage
from engine.library.source import UnreadableImage, open_source
from engine.vision.encoders import Encoder

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_IN_MEMORY = 64 * 1024 * 1024
_PROFILE = b"ICC_PROFILE\0"


@dataclass(frozen=True, slots=True)
class Source:
    """What is needed to read one picture, and to know that it is still the one that was scanned."""

    path: Path
    content_hash: str
    width: int
    height: int
    size: int
    mtime_ns: int
    orientation: int = 0

    @classmethod
    def of(cls, image: LibraryImage) -> Source:
        """From an image of the library."""
        return cls(
            image.path,
            image.content_hash,
            image.width,
            image.height,
            image.size,
            image.mtime_ns,
            image.orientation if image.format == "jpeg" else 0,
        )


def read(source: Source, encoder: Encoder, max_pixels: int, *, magnified: float = 1.0) -> Image.Image | str:
    """The picture, at least as large as the encoder needs it; or the reason why there is none.

    `magnified` is for a part of it: how many times smaller than the whole the part is.
    """
    try:
        state = source.path.stat()
        if (state.st_size, state.st_mtime_ns) != (source.size, source.mtime_ns):
            return "the file changed since it was scanned"
        box = _magnified_box(source, encoder, magnified)
        quick = _quick(source, box, max_pixels) if source.orientation and encoder.id.startswith("open_clip") else None
        return quick or decode(source.path, box, max_pixels)
    except FileNotFoundError:
        return "the file is gone"
    except OSError as error:
        return f"the file cannot be read: {error.strerror}"
    except UnreadableImage as error:
        return error.reason


def _magnified_box(source: Source, encoder: Encoder, magnified: float) -> tuple[int, int]:
    """The box for a picture of which a part, so many times smaller, is to be large enough."""
    part = max(1, round(source.width / magnified)), max(1, round(source.height / magnified))
    width, height = encoder.box_for(*part)
    return min(source.width, round(width * magnified)), min(source.height, round(height * magnified))


def _quick(source: Source, box: tuple[int, int], max_pixels: int) -> Image.Image | None:
    """A JPEG by libjpeg-turbo at the smallest of its scales that fills the box; None where that is not for it."""
    if source.size > _IN_MEMORY or source.width * source.height > max_pixels:
        return None
    simplejpeg = _simplejpeg()
    file, _state = open_source(source.path)
    with file:
        data = file.read()
    profile = _icc_profile(data)
    width, height = (box[1], box[0]) if source.orientation >= 5 else box
    try:
        _, _, space, _ = simplejpeg.decode_jpeg_header(data)
        if space != "YCbCr" and (space != "Gray" or profile):
            return None
        pixels = simplejpeg.decode_jpeg(data, "RGB", min_height=height, min_width=width)
    except (ValueError, RuntimeError):
        return None  # damaged, or beyond libjpeg-turbo: the library's decoder says what it is
    picture = Image.fromarray(pixels)
    colours = to_srgb(picture, profile) if profile else picture
    turn = _UPRIGHT.get(source.orientation)
    return colours.transpose(turn) if turn is not None else colours


def _icc_profile(data: bytes) -> bytes | None:
    """The ICC profile in a JPEG's APP2 segments, its parts in order (ICC.1, annex B.4)."""
    parts: dict[int, bytes] = {}
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == 0xE2 and data.startswith(_PROFILE, at + 4):
            parts[data[at + 16]] = data[at + 18 : at + 2 + length]
        at += 2 + length
    return b"".join(parts[number] for number in sorted(parts)) or None


@functools.cache
def _simplejpeg():  # type: ignore[no-untyped-def]
    import simplejpeg

    return simplejpeg
