"""From whatever a file holds to plain sRGB: palettes, alpha, 16 bits, CMYK, Lab and embedded profiles.

Relies on Pillow and its LittleCMS. Alpha is laid on a neutral grey, so that neither dark nor light subjects
vanish into it. A profile that is damaged or makes no sense is passed over: a picture in slightly wrong colours
is better than none. Never reads a file.
"""

from __future__ import annotations

import io
import threading

import numpy as np
from PIL import Image, ImageCms

NEUTRAL_GREY = (128, 128, 128)
_DEEP = {"I;16", "I;16L", "I;16B", "I;16N", "I", "F"}
_WITH_ALPHA = {"RGBA", "RGBa", "LA", "La", "PA"}
_PROFILES_KEPT = 16

_local = threading.local()


def eight_bit(image: Image.Image) -> Image.Image:
    """A picture in L, RGB, RGBA, CMYK or LAB that can be resized; may be the same object."""
    if image.mode in _DEEP:
        return _from_deep(image)
    if image.mode == "1":
        return image.convert("L")
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode in ("L", "RGB", "CMYK", "LAB"):
        return image
    return image.convert("RGB")


def _from_deep(image: Image.Image) -> Image.Image:
    """16-bit values by their high byte; 32-bit integers and floats from their own smallest to largest value."""
    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        return Image.fromarray((values >> 8).astype(np.uint8))
    numbers = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(numbers.min(initial=np.inf)), float(numbers.max(initial=-np.inf))
    return Image.fromarray(((numbers - low) * (255.0 / ((high - low) or 1.0))).astype(np.uint8))


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture as RGB in sRGB. `profile` is the embedded ICC profile, if there is one."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha is not None else image
    if profile or colours.mode == "LAB":
        colours = _through_profile(colours, profile)
    if colours.mode != "RGB":
        colours = colours.convert("RGB")
    if alpha is None:
        return colours
    ground = Image.new("RGB", colours.size, NEUTRAL_GREY)
    ground.paste(colours, mask=alpha)
    return ground


def _through_profile(image: Image.Image, profile: bytes | None) -> Image.Image:
    transform = _transform(profile, image.mode)
    if transform is None:
        return image
    try:
        return ImageCms.applyTransform(image, transform) or image
    except (ImageCms.PyCMSError, ValueError):
        return image


def _transform(profile: bytes | None, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform to sRGB, or None where none is needed or none can be made. Kept a thread: building one is slow."""
    kept: dict[tuple[bytes | None, str], ImageCms.ImageCmsTransform | None] = getattr(_local, "transforms", {})
    _local.transforms = kept
    key = (profile, mode)
    if key not in kept:
        if len(kept) >= _PROFILES_KEPT:
            kept.clear()
        kept[key] = _build(profile, mode)
    return kept[key]


def _build(profile: bytes | None, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        if mode == "LAB":
            source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        else:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile or b""))
            if "sRGB" in (source.profile.profile_description or ""):
                return None
        target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        return ImageCms.buildTransform(source, target, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
