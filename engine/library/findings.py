"""What one pass finds out about an image, as values: what its pixels say, and what its file says of itself.

Relies on nothing, because a decoder process makes these and must not load a database to do so. Their rows in the store
are `facts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Flag = Literal["screenshot", "document", "dark", "overexposed", "low_information"]
Quality = Literal["excellent", "good", "average", "poor"]
Lighting = Literal["natural", "artificial", "challenging"]
Source = Literal["phone", "dslr", "other"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the pixels say. Fields as in `engine.store.schema.facts.image_facts`; fractions are 0 to 1."""

    phash: int
    dhash: int
    sharpness: float
    subject_sharpness: float
    brightness: float
    exposure: float
    clipped_low: float
    clipped_high: float
    contrast: float
    noise: float
    colourfulness: float
    information: float
    jpeg_quality: int | None
    colours: list[dict[str, Any]]
    flags: list[Flag]
    quality: Quality
    quality_reason: str
    lighting: Lighting
    source: Source


@dataclass(frozen=True, slots=True)
class StoredMetadata:
    """What the file says of itself, as the store keeps it. Fields as in `image_metadata`; None where absent."""

    camera_make: str | None
    camera_model: str | None
    lens: str | None
    exposure_time: float | None
    f_number: float | None
    iso: int | None
    focal_length: float | None
    flash: bool | None
    latitude: float | None
    longitude: float | None
    altitude: float | None
    taken_offset: str | None
    title: str | None
    description: str | None
    keywords: list[str]
    rating: int | None
    people: list[str]


def signed(bits: int) -> int:
    """64 unsigned bits as the store keeps them: a signed integer."""
    return bits - (1 << 64) if bits >= 1 << 63 else bits


def hexadecimal(stored: int) -> str:
    """A stored hash as imagehash writes it: 16 hexadecimal digits."""
    return f"{stored & 0xFFFFFFFFFFFFFFFF:016x}"
