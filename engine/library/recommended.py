"""Which mix of images is recommended: `recommended_distribution.json`, as it ships or as a workspace changes it.

A copy in the workspace's folder counts instead of the one that ships; it may leave an axis out (then nothing is
recommended for it). Relies on nothing but the file; an error names the file, the key and what is possible.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

from engine.errors import UsageError

FILE = "recommended_distribution.json"
Axis = Literal["format", "quality", "lighting", "source", "resolution"]

#: The classes of each axis in the order in which they are shown.
CLASSES: Mapping[Axis, tuple[str, ...]] = {
    "format": ("jpeg", "heic", "png", "raw", "other"),
    "quality": ("excellent", "good", "average", "poor"),
    "lighting": ("natural", "artificial", "challenging"),
    "source": ("phone", "dslr", "other"),
    "resolution": ("vga", "hd", "full_hd", "qhd", "4k"),
}
AXES: tuple[Axis, ...] = get_args(Axis)

#: How each class is called on a screen.
WORDS: Mapping[str, str] = {
    "jpeg": "JPEG", "heic": "HEIC", "png": "PNG", "raw": "RAW", "dslr": "DSLR", "challenging": "low light",
    "vga": "VGA", "hd": "HD", "full_hd": "Full HD", "qhd": "QHD", "4k": "4K+",
}  # fmt: skip

#: Pixels from which a picture is of the next class: 1280×720, 1920×1080, 2560×1440, 3840×2160.
RESOLUTION_BOUNDS: tuple[int, ...] = (1280 * 720, 1920 * 1080, 2560 * 1440, 3840 * 2160)


@dataclass(frozen=True, slots=True)
class Recommended:
    """The recommended shares: axis -> class -> share of 1, exact, each axis adding up to 1. `file` is where from."""

    shares: Mapping[Axis, Mapping[str, Fraction]]
    file: str


def load(workspace: Path) -> Recommended:
    """What is recommended in the workspace at this folder. Raises UsageError naming file and key."""
    own = workspace / FILE
    if own.is_file():
        try:
            return parse(own.read_bytes(), str(own))
        except OSError as error:
            raise UsageError(f"{own} cannot be read: {error.strerror}") from error
    shipped = resources.files("data").joinpath(FILE)
    return parse(shipped.read_bytes(), FILE)


def parse(content: bytes, file: str) -> Recommended:
    """The shares that a file's bytes (UTF-8 JSON, percentages) say. Raises UsageError naming file and key."""
    try:
        told = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise UsageError(f"{file} is not JSON: {error.msg} in line {error.lineno}") from error
    except ValueError as error:
        raise UsageError(f"{file}: {error}") from error
    except RecursionError as error:
        raise UsageError(f"{file} is nested without end") from error
    if not isinstance(told, dict):
        raise UsageError(f"{file} is not a JSON object", remedy=f"Axes: {', '.join(AXES)}.")
    shares: dict[Axis, Mapping[str, Fraction]] = {}
    for name, classes in told.items():
        axis = next((each for each in AXES if each == name), None)
        if axis is None:
            raise UsageError(f"{file}: there is no axis '{name}'", remedy=f"Axes: {', '.join(AXES)}.")
        shares[axis] = _shares(file, axis, classes)
    return Recommended(shares, file)


def _shares(file: str, axis: Axis, told: Any) -> Mapping[str, Fraction]:
    if not isinstance(told, dict) or not told:
        raise UsageError(f"{file}: '{axis}' is not an object of percentages", remedy=_possible(axis))
    found: dict[str, Fraction] = {}
    for name, percent in told.items():
        if name not in CLASSES[axis]:
            raise UsageError(f"{file}: '{axis}' has no class '{name}'", remedy=_possible(axis))
        if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
            raise UsageError(f"{file}: '{axis}.{name}' is {percent!r}, not a percentage from 0 to 100")
        found[name] = Fraction(str(percent)) / 100
    total = sum(found.values())
    if total != 1:
        raise UsageError(
            f"{file}: the shares of '{axis}' add up to {float(total * 100):g} %, not to 100 %",
            remedy="Change one of them so that they do.",
        )
    return {name: found.get(name, Fraction(0)) for name in CLASSES[axis]}


def _possible(axis: Axis) -> str:
    return f"Classes of '{axis}': {', '.join(CLASSES[axis])}."


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are each there once: of two, one would be lost in silence."""
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise ValueError(f"the key '{key}' is there twice")
        made[key] = value
    return made


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")
