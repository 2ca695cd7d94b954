"""From an image file to a `Preview`: decoded just large enough, cropped, scaled, and encoded for one protocol.

Runs in worker threads; the heavy steps are native code that leaves the interpreter free. Frugal previews, for slow
lines, have fewer colours and, by kitty, fewer pixels. The decode function is handed in. Never touches the terminal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps, UnidentifiedImageError

from tui.imaging import halfblock, kitty, sixel
from tui.imaging.geometry import Placement, Region, crop_box, decode_box, fit
from tui.imaging.surface import Block
from tui.terminal import Protocol, Terminal

Decode = Callable[[Path, tuple[int, int]], Image.Image]
Measure = Callable[[Path], tuple[int, int] | None]
"""(path, (width, height) that is to be filled) -> the image: upright, about that large or larger, never enlarged."""
Colour = tuple[int, int, int]

BLACK: Colour = (0, 0, 0)
_BLOCK_BYTES = 20_000
"""About what a block of sixels may weigh; few blocks are best where nobody waits, small ones where keys do."""
_BLOCKS = 6


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture ready to be drawn. `slot` is (columns, rows); `pixels` its half-blocks; `blocks` what is written."""

    path: Path
    protocol: Protocol
    slot: tuple[int, int]
    placement: Placement
    pixels: halfblock.Pixels
    blocks: tuple[Block, ...]
    background: Colour = BLACK
    colours: int = 1 << 24
    identity: int = 0
    transmission: tuple[str, ...] = ()
    is_frugal: bool = False
    """Made for a slow line; a better one can follow when the line is idle."""
    dimensions: tuple[int, int] | None = None
    """(width, height) of the image as displayed; known only where a card is shown instead of a picture."""

    @property
    def cost(self) -> int:
        """Bytes a terminal is sent to show all of it."""
        return sum(block.size for block in self.blocks) + sum(map(len, self.transmission))

    @property
    def weight(self) -> int:
        """Bytes it holds in memory, roughly."""
        return self.cost + self.pixels.nbytes + 1024


def render(
    decode: Decode,
    path: Path,
    slot: tuple[int, int],
    region: Region,
    background: Colour,
    protocol: Protocol,
    terminal: Terminal,
    *,
    is_frugal: bool = False,
    identity: int = 0,
    measure: Measure | None = None,
) -> Preview:
    """Prepare one preview. Raises whatever `decode` raises; the caller words the refusal."""
    if protocol == "off":
        return _card(path, slot, measure or measure_plainly)
    cell = terminal.cell
    pixels = (slot[0] * cell[0], slot[1] * cell[1])
    if protocol == "half":
        pixels = (min(pixels[0], slot[0] * 4), min(pixels[1], slot[1] * 8))
    image = decode(path, decode_box(pixels, region)).convert("RGB")
    image = image.crop(crop_box(image.size, region))
    placement = fit(image.size, slot, cell)
    halves = _halves(image, placement, background, terminal, is_frugal=is_frugal)
    if protocol == "half":
        texts = [halfblock.row_text(row, terminal.colours) for row in halves]
        blocks = tuple(Block(row, row + 1, text, len(text)) for row, text in enumerate(texts))
        return Preview(path, protocol, slot, placement, halves, blocks, background, terminal.colours)
    size = (placement.width, placement.height)
    if protocol == "kitty":
        blocks = tuple(Block(row, row + 1, "", 40 + 4 * placement.columns) for row in range(placement.rows))
        whole = (placement.columns * cell[0], placement.rows * cell[1])
        exact = kitty.pad(_scaled(image, size), whole, background)
        if is_frugal:
            exact = exact.resize((max(1, whole[0] // 2), max(1, whole[1] // 2)), Image.Resampling.LANCZOS)
        transmission = kitty.transmission(
            exact,
            identity,
            placement.columns,
            placement.rows,
            frugal=is_frugal,
            tmux=terminal.multiplexer == "tmux",
        )
        return Preview(
            path,
            protocol,
            slot,
            placement,
            halves,
            blocks,
            background,
            terminal.colours,
            identity,
            tuple(transmission),
            is_frugal,
        )
    blocks = _sixel_blocks(
        _scaled(image, size), placement, cell, background, is_frugal=is_frugal, is_paced=terminal.is_slow
    )
    return Preview(path, protocol, slot, placement, halves, blocks, background, terminal.colours, is_frugal=is_frugal)


def _scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.size == size:
        return image
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _halves(
    image: Image.Image, placement: Placement, background: Colour, terminal: Terminal, *, is_frugal: bool
) -> halfblock.Pixels:
    cell_width, cell_height = terminal.cell
    columns = min(placement.columns, max(1, round(placement.width / cell_width)))
    half_rows = min(placement.rows * 2, max(1, round(placement.height * 2 / cell_height)))
    pixels = halfblock.cells(image, columns, half_rows, background)
    missing = (placement.rows - pixels.shape[0], placement.columns - columns)
    if any(missing):
        canvas = np.empty((placement.rows, placement.columns, 2, 3), dtype=np.uint8)
        canvas[:] = np.array(background, dtype=np.uint8)
        canvas[: pixels.shape[0], missing[1] // 2 : missing[1] // 2 + columns] = pixels
        pixels = canvas
    if terminal.no_colour:
        pixels = halfblock.greys(pixels)
    is_paper = (pixels == np.array(background, dtype=np.uint8)).all(axis=-1, keepdims=True)
    return np.where(is_paper, pixels, halfblock.coarsen(pixels, 5 if is_frugal else 7))


def _sixel_blocks(
    image: Image.Image,
    placement: Placement,
    cell: tuple[int, int],
    background: Colour,
    *,
    is_frugal: bool,
    is_paced: bool,
) -> tuple[Block, ...]:
    """Quantise once, cut into blocks of whole rows, encode each. Lone pixels cost bytes: frugal ones are softened."""
    width, height = placement.columns * cell[0], placement.rows * cell[1]
    if is_frugal:
        image = image.filter(ImageFilter.SMOOTH)
    colours = 64 if is_frugal else 256
    whole = kitty.pad(image, (width, height), background)
    indices, palette = sixel.quantise(whole, colours, is_dithered=not is_frugal)
    guess = width * height * (1.0 if is_frugal else 2.2)
    rows = max(1, round(placement.rows * _BLOCK_BYTES / guess)) if is_paced else -(-placement.rows // _BLOCKS)
    blocks = []
    for first in range(0, placement.rows, rows):
        last = min(placement.rows, first + rows)
        text = sixel.encode(indices[first * cell[1] : last * cell[1]], palette)
        blocks.append(Block(first, last, text, len(text)))
    return tuple(blocks)


def _card(path: Path, slot: tuple[int, int], measure: Measure) -> Preview:
    """No picture: only the image's dimensions, from its header where that can be read."""
    nothing = Placement(0, 0, 0, 0, 0, 0)
    empty = np.zeros((0, 0, 2, 3), dtype=np.uint8)
    return Preview(path, "off", slot, nothing, empty, (), dimensions=measure(path))


def measure_plainly(path: Path) -> tuple[int, int] | None:
    """A measure function for demonstrations and tests, on pictures that the program made itself: Pillow alone."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            return (height, width) if turned else (width, height)
    except (UnidentifiedImageError, Image.DecompressionBombError, ValueError, SyntaxError):
        return None


def open_plainly(path: Path, box: tuple[int, int]) -> Image.Image:
    """A decode function for demonstrations and tests, on pictures that the program made itself: Pillow alone, scaled
    decoding, turned upright. The app is handed one that decodes in another process."""
    with Image.open(path) as image:
        image.draft("RGB", box)
        return ImageOps.exif_transpose(image).convert("RGB")
