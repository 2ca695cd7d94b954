"""How far the closer look's bounds hold on photographs that they were not chosen on.

The photographs are dealt into two halves by their bytes. On each half the bounds are chosen anew, by a search over a
grid for the fewest mistakes, and held to the other half; beside that the bounds that ship, which were set with all of
these photographs in view. Copies and second exposures are made from them (simulated); the HDR pairs are real.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import xxhash
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from engine.library import closer, prints
from engine.library.closer import Closer
from engine.library.likeness import likeness
from tests.bench.duplicates import DRAWN, PHOTOS, warped
from tests.bench.table import Row

_SIDE = 1200
# The grid: a tenth of the blocks is off by more than so many shares of the side, and standard errors; in common.
_OFF_TENTH = np.geomspace(0.0006, 0.006, 16)
_SURELY_TENTH = np.geomspace(2, 20, 12)
_COMMON = np.arange(0.80, 0.97, 0.02)
_SHIPPED = (closer._OFF_TENTH, closer._SURELY_TENTH, closer._LEAST_COMMON)

Bounds = tuple[float, float, float]


@dataclass(frozen=True)
class Pair:
    """Two pictures of photograph `subject`: `kind` is how the second was made, `is_copy` what a look should find."""

    subject: str
    kind: str
    is_copy: bool
    found: Closer


def _saved(picture: Image.Image, quality: int) -> Image.Image:
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=quality)
    return Image.open(held).convert("RGB")


def _made(picture: Image.Image) -> dict[str, tuple[Image.Image, Image.Image, bool]]:
    """By kind: one picture, another, and whether they are copies."""
    w, h = picture.size

    def cut(left: float, top: float, right: float, bottom: float) -> Image.Image:
        return picture.crop((round(w * left), round(h * top), round(w * right), round(h * bottom)))

    half = picture.resize((w // 2, h // 2), Image.Resampling.LANCZOS)
    straight = picture.rotate(0.7, Image.Resampling.BICUBIC).crop((w // 40, h // 40, w - w // 40, h - h // 40))
    brighter = ImageEnhance.Brightness(picture).enhance(1.3)
    window, step = 0.8, 0.8 * 0.115
    return {
        "half the size, quality 40": (picture, _saved(half, 40), True),
        "quality 15": (picture, _saved(picture, 15), True),
        "cut-out of 90 %": (picture, _saved(cut(0.06, 0.04, 0.96, 0.94), 80), True),
        "two cut-outs": (cut(0, 0, 0.97, 0.98), _saved(cut(0.03, 0.02, 1, 1), 80), True),
        "brighter": (picture, _saved(brighter, 80), True),
        "straightened by 0.7 degrees": (picture, _saved(straight, 80), True),
        "pan": (cut(0, 0, window, 1), _saved(cut(step, 0, step + window, 1), 88), False),
        "second exposure, 0.1 %": (picture, _saved(warped(picture, 0.001), 88), False),
        "second exposure, 0.2 %": (picture, _saved(warped(picture, 0.002, seed=2), 88), False),
        "second exposure, 0.4 %": (picture, _saved(warped(picture, 0.004, seed=3), 88), False),
    }


def _looked(one: Image.Image, other: Image.Image) -> Closer | None:
    side = (closer.SIDE, closer.SIDE)
    a, b = (
        np.asarray(each.convert("L").resize(side, Image.Resampling.LANCZOS), dtype=np.uint8) for each in (one, other)
    )
    place = likeness(prints.reduced(a)[None], prints.reduced(b)[None]).place[0]
    return closer.closer(a, b, place)


def pairs_of(photos: Sequence[Path]) -> list[tuple[int, Pair]]:
    """Every pair that can be looked at, with the half (0 or 1) that its photograph is in; an HDR pair is in one."""
    from engine.library.decode import decode
    from engine.library.source import UnreadableImage

    found: list[tuple[int, Pair]] = []
    exposures: dict[str, list[tuple[int, Image.Image]]] = {}
    for photo in photos:
        is_numbered = photo.parent.name == "orientation" and not photo.stem.endswith("_1")
        if photo.suffix == ".tiff" or photo.stem in DRAWN or is_numbered:
            continue
        try:
            picture = decode(photo, (_SIDE, _SIDE)).convert("RGB")
        except UnreadableImage:
            continue
        half = xxhash.xxh3_128_intdigest(photo.read_bytes()) & 1
        if photo.parent.name == "hdr":
            exposures.setdefault(photo.stem.partition("_")[0], []).append((half, picture))
        if max(picture.size) < 400:
            continue
        for kind, (one, other, is_copy) in _made(picture).items():
            look = _looked(one, other)
            if look is not None:
                found.append((half, Pair(photo.name, kind, is_copy, look)))
    for name, both in exposures.items():
        if len(both) == 2:
            look = _looked(both[0][1], both[1][1])
            if look is not None:
                found.append((both[0][0], Pair(name, "HDR", False, look)))
    return found


def _is_another(found: Closer, bounds: Bounds) -> bool:
    """As `Closer.is_another_exposure` decides, with other bounds for what moved and for what is in common."""
    off_tenth, surely_tenth, common = bounds
    if found.common < common or (found.off_tenth > off_tenth and found.surely_tenth > surely_tenth):
        return True
    return found.outside > closer._MOST_OUTSIDE and found.off > closer._OFF and found.surely > closer._SURELY


def mistakes(pairs: Sequence[Pair], bounds: Bounds) -> tuple[list[Pair], list[Pair]]:
    """Copies that are taken for two pictures, and two pictures that are taken for copies."""
    wrong = [pair for pair in pairs if _is_another(pair.found, bounds) == pair.is_copy]
    return [pair for pair in wrong if pair.is_copy], [pair for pair in wrong if not pair.is_copy]


def chosen(pairs: Sequence[Pair]) -> Bounds:
    """The bounds of the grid with the fewest mistakes; of several, the one in the middle."""
    tried = list(product(_OFF_TENTH.tolist(), _SURELY_TENTH.tolist(), _COMMON.tolist()))
    counts: NDArray[np.int64] = np.array([sum(map(len, mistakes(pairs, bounds))) for bounds in tried])
    best = np.array([tried[at] for at in np.flatnonzero(counts == counts.min())])
    logs = np.log(best)
    off, surely, common = best[np.abs(logs - np.median(logs, axis=0)).sum(axis=1).argmin()]
    return float(off), float(surely), float(common)


def held_out(_folder: Path) -> list[Row]:
    """Mistakes of bounds that were chosen on one half of the photographs, on the other; in both directions."""
    if not PHOTOS.is_dir():
        return [Row("closer look, bounds of one half on the other", "", f"no photographs at {PHOTOS}")]
    pairs = pairs_of(sorted(path for path in PHOTOS.rglob("*") if path.is_file()))
    halves = [[pair for half, pair in pairs if half == which] for which in (0, 1)]
    rows = []
    for which, own in enumerate(halves):
        bounds, other = chosen(own), halves[1 - which]
        rows.append(
            Row(
                f"closer look, bounds chosen on half {which + 1} ({len(own)} pairs), on the other half",
                "",
                _told(other, bounds),
            )
        )
        rows.append(
            Row(
                f"the bounds that ship, on half {which + 1} (they were set with both in view)", "", _told(own, _SHIPPED)
            )
        )
    return rows


def _told(pairs: Sequence[Pair], bounds: Bounds) -> str:
    parted, joined = mistakes(pairs, bounds)
    copies = sum(pair.is_copy for pair in pairs)
    kinds = sorted({pair.kind for pair in (*parted, *joined)})
    off, surely, common = bounds
    return (
        f"{len(parted)} of {copies} copies parted, {len(joined)} of {len(pairs) - copies} others joined"
        f" (off {off:.4f}, surely {surely:.1f}, common {common:.2f})" + (f": {'; '.join(kinds)}" if kinds else "")
    )
