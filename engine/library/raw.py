"""Camera RAW: the size of the picture, which way is up, and the preview that the camera put in.

Relies on rawpy (LibRaw), loaded when the first RAW file comes. The sensor's own data are developed only where a file
holds no usable preview, at half size. Raises whatever LibRaw raises; `decode.opened` makes refusals of it.
"""

from __future__ import annotations

import io
from typing import Any, BinaryIO

from PIL import Image

# LibRaw's flip -> EXIF orientation.
_ORIENTATIONS = {0: 1, 3: 3, 5: 8, 6: 6}
# A preview below this is a thumbnail: too small to judge sharpness by. Longer side, pixels.
_USABLE = 640


def preview(source: BinaryIO, max_pixels: int) -> Image.Image:
    """The embedded preview, as the camera's sensor lay. `info` holds `raw_size` (as displayed) and `raw_orientation`."""
    import rawpy

    with rawpy.imread(source) as raw:
        sizes = raw.sizes
        orientation = _ORIENTATIONS.get(sizes.flip, 1)
        width, height = int(sizes.width), int(sizes.height)
        if orientation >= 5:
            width, height = height, width
        image = None
        if width * height <= max_pixels:  # beyond it the caller refuses: nothing need be decoded
            image = _embedded(raw) or _developed(raw)
        else:
            image = Image.new("L", (1, 1))
    image.info["raw_size"], image.info["raw_orientation"] = (width, height), orientation
    return image


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height of the developed picture as stored, in pixels; None where LibRaw cannot say."""
    import rawpy

    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            return int(raw.sizes.width), int(raw.sizes.height)
    except rawpy.LibRawError:
        return None


def _embedded(raw: Any) -> Image.Image | None:
    import rawpy

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
