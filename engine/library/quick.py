"""A JPEG for an encoder: by libjpeg-turbo at the smallest of its scales that fills a box, upright and in sRGB.

Relies on simplejpeg. Whatever is in any way unusual or damaged is left to `decode`, which also words what is wrong with
it. Runs in a decoder process.
"""

from __future__ import annotations

import simplejpeg
from PIL import Image

from engine.library.colour import to_srgb
from engine.library.decode import IN_MEMORY, turn_of
from engine.library.source import explained, open_source

_PROFILE = b"ICC_PROFILE\0"


def quick(path: str, box: tuple[int, int], max_pixels: int, orientation: int) -> Image.Image | None:
    """The picture, RGB, at least as large as `box` (pixels, as displayed) where it has so many; None where this is not
    the way. `orientation` is the file's, as it was scanned (EXIF, 1 to 8). Raises UnreadableImage."""
    file, state = open_source(path)
    with file:
        if state.st_size > IN_MEMORY:
            return None
        try:
            data = file.read()
        except OSError as error:
            raise explained(error) from error
    profile = icc_profile(data)
    width, height = (box[1], box[0]) if orientation >= 5 else box
    try:
        rows, columns, space, _ = simplejpeg.decode_jpeg_header(data)
        if rows * columns > max_pixels or (space != "YCbCr" and (space != "Gray" or profile)):
            return None
        pixels = simplejpeg.decode_jpeg(data, "RGB", min_height=height, min_width=width)
    except (ValueError, RuntimeError):
        return None  # damaged, or beyond libjpeg-turbo: `decode` says what it is
    picture = Image.fromarray(pixels)
    colours = to_srgb(picture, profile) if profile else picture
    turn = turn_of("jpeg", orientation)
    return colours.transpose(turn) if turn is not None else colours


def icc_profile(data: bytes) -> bytes | None:
    """The ICC profile in a JPEG's APP2 segments, its parts in order (ICC.1, annex B.4)."""
    parts: dict[int, bytes] = {}
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == 0xE2 and data.startswith(_PROFILE, at + 4) and at + 18 <= len(data):
            parts[data[at + 16]] = data[at + 18 : at + 2 + length]
        at += 2 + length
    return b"".join(parts[number] for number in sorted(parts)) or None
