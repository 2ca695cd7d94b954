"""Camera RAW: the size of the picture, which way is up, and the preview that the camera put in.

Relies on rawpy (LibRaw), loaded when the first RAW file comes. The sensor's own data are developed only where a file
holds no usable preview, at half size. Raises whatever LibRaw raises; `decode.opened` makes refusals of it.
"""

from __future__ import annotations

import ctypes
import functools
import io
import os
import sys
from typing import Any, BinaryIO

from PIL import Image

# LibRaw's flip -> EXIF orientation.
_ORIENTATIONS = {0: 1, 3: 3, 5: 8, 6: 6}
# A preview below this is a thumbnail: too small to judge sharpness by. Longer side, pixels.
_USABLE = 640


@functools.cache
def _libraw() -> Any:
    """rawpy, loaded once and made silent: LibRaw tells of damage on the C library's `stderr`, which is the screen.

    Only that stream is turned away, not the descriptor, which the app itself draws on.
    """
    import rawpy

    name = "__stderrp" if sys.platform == "darwin" else "stderr"
    try:
        libc = ctypes.CDLL(None)
        libc.fopen.restype = ctypes.c_void_p
        nowhere = libc.fopen(os.devnull.encode(), b"w")
        if nowhere:
            ctypes.c_void_p.in_dll(libc, name).value = nowhere
    except (OSError, ValueError, AttributeError):  # a C library without that name: damaged RAW files would be heard
        pass
    return rawpy


def preview(source: BinaryIO, max_pixels: int) -> Image.Image:
    """The embedded preview, as the sensor lay. `info` holds `raw_size` (as displayed) and `raw_orientation`."""
    rawpy = _libraw()
    with rawpy.imread(source) as raw:
        sizes = raw.sizes
        orientation = _ORIENTATIONS.get(sizes.flip, 1)
        width, height = int(sizes.width), int(sizes.height)
        if orientation >= 5:
            width, height = height, width
        is_allowed = width * height <= max_pixels  # beyond it the caller refuses: nothing need be decoded
        image = (_embedded(raw) or _developed(raw)) if is_allowed else Image.new("L", (1, 1))
    image.info["raw_size"], image.info["raw_orientation"] = (width, height), orientation
    return image


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height of the developed picture as stored, in pixels; None where LibRaw cannot say."""
    rawpy = _libraw()
    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            return int(raw.sizes.width), int(raw.sizes.height)
    except rawpy.LibRawError:
        return None


def _embedded(raw: Any) -> Image.Image | None:
    rawpy = _libraw()
    try:
        thumb = raw.extract_thumb()
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
        return None
    if thumb.format == rawpy.ThumbFormat.JPEG:
        image: Image.Image = Image.open(io.BytesIO(thumb.data), formats=["JPEG"])
    elif thumb.format == rawpy.ThumbFormat.BITMAP:
        image = Image.fromarray(thumb.data)
    else:
        return None
    full = max(raw.sizes.width, raw.sizes.height)
    return image if max(image.size) >= min(_USABLE, full // 2) else None


def _developed(raw: Any) -> Image.Image:
    pixels = raw.postprocess(half_size=True, use_camera_wb=True, user_flip=0, output_bps=8)
    return Image.fromarray(pixels)
