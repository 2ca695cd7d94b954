"""Simulated pictures and what the library would know of them, the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image as pillow
from PIL import ImageDraw, ImageEnhance, ImageFilter

from engine.library.distribution import Mix, open_axis, recommended_axis
from engine.library.facts import Facts, StoredMetadata
from engine.library.model import Image
from engine.library.recommended import load as load_recommended

STAGES = ("generated", "upscaled", "enhanced")


AT = "2026-11-20T21:50:12.000000Z"


def draw_scene(seed: int, size: tuple[int, int] = (320, 240)) -> pillow.Image:
    """A simulated landscape, the same for the same seed: sky, sun, hills, a few trees."""
    width, height = size
    picture = pillow.new("RGB", size)
    drawing = ImageDraw.Draw(picture)
    warm = (seed * 53) % 90
    for y in range(height):
        share = y / height
        drawing.line([(0, y), (width, y)], fill=(70 + warm + int(90 * share), 110 + int(60 * share), 190 - warm))
    x, y = (seed * 71) % width, height // 4 + (seed * 13) % 30
    drawing.ellipse([x - 18, y - 18, x + 18, y + 18], fill=(255, 236, 180))
    for hill in range(3):
        base = height // 2 + hill * height // 7
        points = [(0, height)]
        for step in range(9):
            rise = ((seed * 31 + hill * 17 + step * 29) % 40) - 20
            points.append((step * width // 8, base + rise))
        shade = 120 - hill * 35
        drawing.polygon([*points, (width, height)], fill=(shade // 2, shade, shade // 2 + 12))
    for tree in range(5):
        x = (seed * 37 + tree * 67) % width
        y = height - 20 - (seed + tree * 11) % 30
        drawing.polygon([(x, y - 34), (x - 9, y), (x + 9, y)], fill=(20, 52, 30))
    return picture


def variation(picture: pillow.Image, kind: int) -> pillow.Image:
    """The same scene out of focus, dark, pale... 0 is as it was drawn."""
    match kind % 5:
        case 1:
            return picture.filter(ImageFilter.GaussianBlur(3))
        case 2:
            return ImageEnhance.Brightness(picture).enhance(0.55)
        case 3:
            return ImageEnhance.Color(picture).enhance(0.3)
        case 4:
            return ImageEnhance.Contrast(picture).enhance(1.6)
        case _:
            return picture


def make_image(number: int, path: Path, project: str = "mojo1", size: tuple[int, int] = (320, 240)) -> Image:
    return Image(
        id=number,
        path=path,
        name=path.name,
        project=project,
        format="jpeg",
        width=size[0],
        height=size[1],
        size=900_000 + number * 1000,
        mtime_ns=0,
        content_hash=f"{number:032x}",
        orientation=1,
        taken_at=f"2025-07-08T06:{number % 60:02d}:11+00:00",
        taken_at_source="exif:original",
    )


def _facts(number: int) -> tuple[Facts | None, StoredMetadata | None]:
    """Simulated facts; the seventh image was not studied yet."""
    if number == 7:
        return None, None
    quality = ("excellent", "good", "average", "poor")[number % 4]
    facts = Facts(
        phash=number, dhash=number, sharpness=1 - number % 9 / 10, subject_sharpness=0.5, brightness=0.5, exposure=0.0,
        clipped_low=0.0, clipped_high=0.0, contrast=0.3, noise=0.1, colourfulness=0.4, information=0.8,
        jpeg_quality=90, colours=[], flags=["dark"] if number == 2 else [], quality=quality,
        quality_reason="sharp" if number % 4 < 2 else "soft", lighting="natural", source="dslr",
    )  # fmt: skip
    told = StoredMetadata(
        camera_make="NIKON", camera_model="NIKON D70", lens=None, exposure_time=0.004, f_number=2.8, iso=200,
        focal_length=35.0, flash=False, latitude=None, longitude=None, altitude=None, taken_offset=None, title=None,
        description=None, keywords=[], rating=None, people=[],
    )  # fmt: skip
    return facts, told


def make_mix(count: int, projects: Sequence[str] = (), refused: int = 0) -> Mix:
    """A simulated mix of `count` images: mostly JPEG, no RAW, little low light."""
    recommended = load_recommended(Path("/nowhere"))
    held = {
        "format": {"jpeg": count - count // 6, "png": count // 6},
        "quality": {"good": count - count // 3, "average": count // 3},
        "lighting": {"natural": count - count // 9, "challenging": count // 9},
        "source": {"dslr": count},
        "resolution": {"vga": count // 2, "full_hd": count - count // 2},
    }
    made = {axis: recommended_axis(axis, held[axis], count, recommended.shares.get(axis)) for axis in held}
    made["project"] = open_axis("project", [(name, f"project:{name}", count // len(projects)) for name in projects])
    made["date"] = open_axis("date", [("2025-07", "taken:2025-07", count)] if count else [])
    made["camera"] = open_axis("camera", [("NIKON D70", 'camera:"NIKON D70"', count)] if count else [])
    codes = (("truncated", refused),) if refused else ()
    return Mix(count, count, made, codes, recommended.file, near_duplicates=0.12)
