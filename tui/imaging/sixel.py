"""Sixel encoding in numpy, made to be cut: a picture is quantised once and encoded in blocks of whole cell rows.

A block can be sent, paced and redrawn by itself, so that a key never waits behind a whole picture and an overlay that
goes away costs one block. Colour registers are defined first and always selected by number afterwards: xterm does not
select a register when it is defined, and draws the first run of each colour wrongly otherwise. Nothing loops over
pixels in Python, so a worker thread that encodes leaves the interpreter to the screen. Never writes to the terminal.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

Indices = npt.NDArray[np.uint8]
Bytes = npt.NDArray[np.uint8]

BAND = 6
_SAMPLE = (120, 90)  # pixels enough to find 256 colours in
_DIGITS = 4  # widest run or gap that is written, 9,999 columns
_FIRST = 0x3F  # a sixel byte is 63 plus its six bits


def quantise(image: Image.Image, colours: int, *, is_dithered: bool = False) -> tuple[Indices, npt.NDArray[np.uint8]]:
    """Reduce an RGB picture to ((h, w) uint8 indices, (colours, 3) uint8 palette).

    Plain is quick and small, with bands in skies and skin. Dithered takes the palette from a small copy by median
    cut and diffuses the error: bands go, for a tenth to a half more bytes and some 30 ms at 100,000 pixels.
    """
    if is_dithered:
        small = image.copy()
        small.thumbnail(_SAMPLE)
        palette_of = small.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        reduced = image.quantize(palette=palette_of, dither=Image.Dither.FLOYDSTEINBERG)
    else:
        reduced = image.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette = np.array(reduced.getpalette() or [], dtype=np.uint8).reshape(-1, 3)
    return np.asarray(reduced, dtype=np.uint8), palette


def encode(indices: Indices, palette: npt.NDArray[np.uint8]) -> str:
    """One complete sixel picture of (h, w) palette indices: its escape sequence, ready to be written at the cursor."""
    height, width = indices.shape
    used, dense = np.unique(indices, return_inverse=True)
    rows = dense.reshape(height, width)
    percent = (palette[used].astype(np.uint32) * 100 + 127) // 255
    registers = "".join(f"#{n};2;{r};{g};{b}" for n, (r, g, b) in enumerate(percent.tolist()))
    bands = _bands(rows.astype(np.int64), len(used))
    return f'\x1bP0;1;0q"1;1;{width};{height}{registers}' + bands.tobytes().decode("ascii") + "\x1b\\"


def _bands(rows: npt.NDArray[np.int64], colours: int) -> Bytes:
    """All bands as bytes: for each colour of a band its runs, `$` between colours, `-` between bands.

    A pixel is the key (band, colour, column) with one of six bits; sorting the keys puts every run of every colour in
    writing order, and the bytes of each kind of token are then filled in at once.
    """
    height, width = rows.shape
    band, bit = np.divmod(np.arange(height), BAND)
    key = ((band[:, None] * colours + rows) * width + np.arange(width)[None, :]).ravel()
    bits = np.broadcast_to((1 << bit).astype(np.uint8)[:, None], rows.shape).ravel()
    order = np.argsort(key, kind="stable")
    key, bits = key[order], bits[order]
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    key = key[first]
    mask = np.add.reduceat(bits, first).astype(np.uint8)

    group, column = np.divmod(key, width)
    starts_group = np.r_[True, group[1:] != group[:-1]]
    breaks = starts_group | np.r_[True, (key[1:] != key[:-1] + 1) | (mask[1:] != mask[:-1])]
    run = np.flatnonzero(breaks)
    length = np.diff(np.r_[run, len(key)])
    column, mask, group, opens = column[run], mask[run], group[run], starts_group[run]
    end = np.r_[0, (column + length)[:-1]]
    gap = np.where(opens, column, column - end)
    band_of = group // colours
    new_band = np.r_[False, band_of[1:] != band_of[:-1]]

    # Four tokens a run, most of them empty: a separator, the colour, the gap before, the run itself.
    separator = np.where(new_band, ord("-"), np.where(opens, ord("$"), 0))
    separator[0] = 0
    select = np.where(opens, group % colours, -1)
    widths = np.stack(
        [(separator > 0).astype(np.int64), _number_width(select), _run_width(gap), _run_width(length)], axis=1
    ).ravel()
    place = np.r_[0, np.cumsum(widths)]
    out = np.zeros(int(place[-1]), dtype=np.uint8)
    starts = place[:-1].reshape(-1, 4)
    shown = separator > 0
    out[starts[shown, 0]] = separator[shown]
    _write_number(out, starts[:, 1], select, ord("#"))
    _write_run(out, starts[:, 2], gap, np.full(len(gap), _FIRST, dtype=np.uint8))
    _write_run(out, starts[:, 3], length, mask + np.uint8(_FIRST))
    return out


def _digits(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return 1 + (values > 9).astype(np.int64) + (values > 99) + (values > 999)


def _number_width(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.where(values < 0, 0, 1 + _digits(values))


def _run_width(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.where(values < 4, values, 2 + _digits(values))


def _write_number(out: Bytes, at: npt.NDArray[np.int64], values: npt.NDArray[np.int64], sign: int) -> None:
    """Write sign and decimal number where the value is not negative."""
    for digits in range(1, _DIGITS + 1):
        chosen = (values >= 0) & (_digits(values) == digits)
        start, number = at[chosen], values[chosen]
        out[start] = sign
        for position in range(digits):
            out[start + digits - position] = 48 + number // 10**position % 10


def _write_run(out: Bytes, at: npt.NDArray[np.int64], count: npt.NDArray[np.int64], char: Bytes) -> None:
    """Write `char` count times: plainly up to three, else as `!count` and the byte."""
    for repeat in (1, 2, 3):
        chosen = count == repeat
        for position in range(repeat):
            out[at[chosen] + position] = char[chosen]
    long = count >= 4
    _write_number(out, at[long], count[long], ord("!"))
    out[at[long] + 1 + _digits(count[long])] = char[long]
