"""What the measures amount to, in words: flags, quality with its reason, lighting, source. Pure functions.

Relies on the measures and the metadata. Every bound is spelled out here, once. A class that rests on a guess is
the milder one: an image is called poor only for what a person would see.
"""

from __future__ import annotations

import math
import re

from engine.library.findings import Flag, Lighting, Quality, Source, StoredMetadata
from engine.library.quality import Measures

_PHONES = re.compile(
    r"\b(apple|iphone|ipad|samsung|google|pixel|huawei|honor|xiaomi|redmi|poco|oneplus|oppo|vivo|realme|hmd|nokia|motorola|"
    r"lge?|htc|zte|asus|blackberry|fairphone|nothing|tecno|infinix|sony ericsson|palm|microsoft|wiko|meizu|lenovo|"
    r"jolla|xperia)\b|\bsony (xq-|so-?\d|[a-j]\d{4}\b)",
    re.IGNORECASE,
)
# A phone's maker may make cameras too: these models are cameras.
_NO_PHONE = re.compile(
    r"digimax|\bnx\d|\bwb\d|\bst\d{2}|\bes\d{2}|techwin|\bpl\d{2}|\bex\d\b|\bgalaxy camera", re.IGNORECASE
)
# Each begins a word: an EX-M2 is no X-M, an FE-100 no E-100. Drones bear the name of their lens's maker.
_INTERCHANGEABLE = re.compile(
    r"\b(canon eos|nikon d\d|nikon z|nikon 1 |ilce|ilca|slt-|nex-|dslr|pentax k|pentax \*ist|e-m\d|e-p(l|m)?\d|"
    r"e-\d{1,3}\b|om-\d|dmc-g|dc-g|dc-s\d|dmc-l\d|x-(t|e|h|pro|a|m|s)\d|gfx|leica (m|sl|s|cl|tl)\b|"
    r"sigma (fp|sd)|finepix s\d ?pro|hasselblad(?! l\dd)|phase one|nx\d|kodak dcs|maxxum|dynax)",
    re.IGNORECASE,
)
_SCREENS = {
    (1280, 720), (1280, 800), (1366, 768), (1440, 900), (1536, 864), (1600, 900), (1680, 1050), (1920, 1080),
    (1920, 1200), (2160, 1440), (2256, 1504), (2560, 1440), (2560, 1600), (2880, 1800), (3024, 1964), (3456, 2234),
    (3440, 1440), (3840, 2160), (5120, 2880), (1334, 750), (1792, 828), (2208, 1242), (2436, 1125), (2532, 1170),
    (2556, 1179), (2688, 1242), (2778, 1284), (2796, 1290), (2340, 1080), (2400, 1080), (3200, 1440), (2048, 1536),
    (2732, 2048), (1024, 768), (2360, 1640), (2622, 1206), (2868, 1320),
}  # fmt: skip


def flags_of(kind: str, size: tuple[int, int], found: Measures, said: StoredMetadata) -> list[Flag]:
    """What is special about a picture, of the closed set `Flag`."""
    flags: list[Flag] = []
    has_camera = bool(said.camera_make or said.camera_model)
    is_screen = (max(size), min(size)) in _SCREENS
    if (
        not has_camera
        and found.flat > 0.15
        and (is_screen or (kind == "png" and found.flat > 0.35 and found.busy > 0.02))
    ):
        flags.append("screenshot")
    is_paper = found.brightness > 0.72 and found.colourfulness < 0.15 and found.busy > 0.12
    if is_paper and "screenshot" not in flags:
        flags.append("document")
    if found.brightness < 0.14 or (found.clipped_low > 0.6 and found.brightness < 0.25):
        flags.append("dark")
    if "document" not in flags and "screenshot" not in flags and (found.clipped_high > 0.3 or found.brightness > 0.9):
        flags.append("overexposed")
    if found.information < 0.3 or found.contrast < 0.04:
        flags.append("low_information")
    return flags


def quality_of(
    size: tuple[int, int], found: Measures, jpeg_quality: int | None, flags: list[Flag]
) -> tuple[Quality, str]:
    """The class, and in a few words what it rests on: the weakest of the picture's sides, or its strengths."""
    pixels = size[0] * size[1] / 1e6
    sharp = max(found.subject_sharpness, 0.8 * found.sharpness)
    marks: list[tuple[int, str]] = [
        (_grade(sharp, 0.12, 0.24, 0.38), "blurred" if sharp < 0.12 else "soft"),
        (_grade(pixels, 0.3, 1.0, 1.9), f"small ({size[0]} x {size[1]})"),
        (_grade(-found.noise, -0.08, -0.04, -0.02), "noisy"),
        (_grade(-abs(found.exposure), -0.88, -0.7, -0.5), "too dark" if found.exposure < 0 else "too bright"),
        (_grade(-found.clipped_high, -0.3, -0.12, -0.04), "highlights are lost"),
        (_grade(-found.clipped_low, -0.6, -0.3, -0.12), "shadows are lost"),
        (_grade(found.contrast, 0.04, 0.14, 0.22), "flat contrast"),
    ]
    if jpeg_quality is not None:
        marks.append((_grade(jpeg_quality, 35, 60, 80), f"compressed hard (JPEG quality {jpeg_quality})"))
    if "low_information" in flags:
        marks.append((0, "hardly anything is in it"))
    worst = min(grade for grade, _ in marks)
    total = sum(grade for grade, _ in marks) / (3 * len(marks))
    weak = [words for grade, words in marks if grade == worst]
    if worst == 0:
        return "poor", ", ".join(weak[:2])
    if worst == 1:
        several = sum(1 for grade, _ in marks if grade == 1)
        return ("average" if several > 1 or total < 0.85 else "good"), ", ".join(weak[:2])
    if worst == 2:
        several = sum(1 for grade, _ in marks if grade == 2)
        return ("good" if several > 1 else "excellent"), f"sound; {weak[0]}, slightly"
    return "excellent", "sharp, well exposed, clean"


def _grade(value: float, poor: float, average: float, good: float) -> int:
    """0 below `poor`, 1 below `average`, 2 below `good`, else 3."""
    return (value >= poor) + (value >= average) + (value >= good)


# EV at ISO 100. Below the first it is night, or nearly; below the second a lit room; from the third on the day lights
# the picture, and a flash only its shadows. Held against 61 photographs by eye: tests/engine/library/test_classes.py.
_NIGHT, _ROOM, _DAY = 3.0, 7.5, 11.0


def lighting_of(found: Measures, said: StoredMetadata, flags: list[Flag]) -> Lighting:
    """Challenging where there is too little or too much light; artificial by flash or by the light that the
    exposure implies (EV at ISO 100: rooms lie below 7, open shade above 9); else natural."""
    value = exposure_value(said)
    if "dark" in flags or "overexposed" in flags or (value is not None and value < _NIGHT):
        return "challenging"
    if found.clipped_low > 0.2 and found.clipped_high > 0.08:
        return "challenging"  # against the light
    if said.flash:
        return "natural" if value is not None and value >= _DAY else "artificial"
    if value is not None:
        return "artificial" if value < _ROOM else "natural"
    return "challenging" if found.brightness < 0.2 else "natural"


def exposure_value(said: StoredMetadata) -> float | None:
    """EV at ISO 100 from aperture, time and sensitivity; None where one is missing. ISO 2720."""
    if not said.f_number or not said.exposure_time or not said.iso:
        return None
    return math.log2(said.f_number**2 / said.exposure_time) - math.log2(said.iso / 100)


def source_of(said: StoredMetadata) -> Source:
    """Phone, camera with interchangeable lenses, or other."""
    name = f"{said.camera_make or ''} {said.camera_model or ''}".strip()
    if not name:
        return "other"
    if _INTERCHANGEABLE.search(name):
        return "dslr"
    if _PHONES.search(name) and not _NO_PHONE.search(name):
        return "phone"
    return "other"
