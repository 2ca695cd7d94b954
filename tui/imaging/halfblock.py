"""Pictures as half-blocks: two pixels a cell, by the upper half block in one colour on another.

A row is written as one string that changes only the colours that change, so that it costs a third of the bytes of
cell by cell styling and nothing but a string to paint. In 256-colour terminals the nearest of the cube and the greys
is used. The same pixels as Rich segments serve where Textual wants to tint or export them. Never writes to the
terminal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from tui.terminal import TRUE_COLOUR

Pixels = npt.NDArray[np.uint8]
"""(rows, columns, 2, 3) uint8: for each cell the colour of its upper and its lower half."""

_CUBE = np.array([0, 95, 135, 175, 215, 255], dtype=np.int32)
_UPPER, _LOWER, _BLANK = "▀", "▄", " "


def cells(image: Image.Image, columns: int, half_rows: int, background: tuple[int, int, int]) -> Pixels:
    """Scale an RGB image to columns x half_rows pixels and pair its rows; an odd last half is background."""
    small = np.asarray(image.resize((columns, half_rows), Image.Resampling.LANCZOS, reducing_gap=2.0), dtype=np.uint8)
    if half_rows % 2:
        small = np.concatenate([small, np.full((1, columns, 3), background, dtype=np.uint8)])
    return np.ascontiguousarray(small.reshape(-1, 2, columns, 3).transpose(0, 2, 1, 3))


def coarsen(pixels: Pixels, bits: int) -> Pixels:
    """Keep the highest bits of each channel, centred, so that neighbours become equal and need no bytes."""
    step = 1 << (8 - bits)
    return np.minimum(pixels // step * step + step // 2, 255).astype(np.uint8)


def greys(pixels: Pixels) -> Pixels:
    """The pixels without colour, for NO_COLOR: Rec. 601 luma."""
    luma = (pixels.astype(np.uint32) @ np.array([299, 587, 114], dtype=np.uint32) + 500) // 1000
    return np.repeat(luma.astype(np.uint8)[..., None], 3, axis=-1)


def xterm_256(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """The nearest of colours 16-255 (six-level cube and 24 greys) for each pixel; the last axis is dropped."""
    rgb = pixels.astype(np.int32)
    level = np.searchsorted((_CUBE[1:] + _CUBE[:-1]) // 2 + 1, rgb, side="right")
    cube = _CUBE[level]
    grey = np.clip((rgb.mean(axis=-1) - 3) // 10, 0, 23).astype(np.int32)
    grey_rgb = (grey * 10 + 8)[..., None]
    is_grey = ((grey_rgb - rgb) ** 2).sum(-1) < ((cube - rgb) ** 2).sum(-1)
    index = 16 + 36 * level[..., 0] + 6 * level[..., 1] + level[..., 2]
    return np.where(is_grey, 232 + grey, index).astype(np.uint8)


def row_text(row: npt.NDArray[np.uint8], colours: int = TRUE_COLOUR) -> str:
    """One row of cells, (columns, 2, 3) uint8, as text with escape sequences that ends with plain colours."""
    name: Callable[[int], str]
    if colours >= TRUE_COLOUR:
        packed = (row.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)).tolist()
        name = _true_colour
    else:
        packed = xterm_256(row).tolist()
        name = _indexed
    out: list[str] = []
    front = back = -1
    for upper, lower in packed:
        if upper == lower:
            if upper == back:
                out.append(_BLANK)
            else:
                back = upper
                out.append(f"\x1b[4{name(upper)}m ")
        elif upper == front and lower == back:
            out.append(_UPPER)
        elif lower == front and upper == back:
            out.append(_LOWER)
        elif lower == front or upper == back:
            changes = [] if lower == front else [f"3{name(lower)}"]
            changes += [] if upper == back else [f"4{name(upper)}"]
            front, back = lower, upper
            out.append(f"\x1b[{';'.join(changes)}m{_LOWER}")
        else:
            changes = [] if upper == front else [f"3{name(upper)}"]
            changes += [] if lower == back else [f"4{name(lower)}"]
            front, back = upper, lower
            out.append(f"\x1b[{';'.join(changes)}m{_UPPER}")
    return "".join(out) + "\x1b[0m"


def row_segments(row: npt.NDArray[np.uint8]) -> list[Segment]:
    """One row of cells, (columns, 2, 3) uint8, as styled segments, equal neighbours merged."""
    segments: list[Segment] = []
    last: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    count = 0
    for upper, lower in [*row.tolist(), (None, None)]:
        pair = None if upper is None else (tuple(upper), tuple(lower))
        if pair == last:
            count += 1
            continue
        if last is not None:
            segments.append(Segment(_UPPER * count, _style(*last)))
        last, count = pair, 1
    return segments


@lru_cache(maxsize=8192)
def _style(upper: tuple[int, int, int], lower: tuple[int, int, int]) -> Style:
    return Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower))


@lru_cache(maxsize=65536)
def _true_colour(packed: int) -> str:
    return f"8;2;{packed >> 16};{packed >> 8 & 255};{packed & 255}"


def _indexed(index: int) -> str:
    return f"8;5;{index}"
