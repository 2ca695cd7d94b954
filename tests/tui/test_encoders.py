"""Half-blocks, sixels and kitty pictures, read back by small interpreters and compared with what went in."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from tui.imaging import halfblock, kitty, sixel
from tui.imaging.geometry import crop_box, decode_box, fit


def read_half_row(text: str) -> list[tuple[object, object]]:
    """The (upper, lower) colours of each cell that a terminal would show for a row of half-blocks."""
    front: object = None
    back: object = None
    shown: list[tuple[object, object]] = []
    for codes, char in re.findall("\x1b\\[([\\d;]*)m|([^\x1b])", text):
        if char:
            shown.append({"▀": (front, back), "▄": (back, front), " ": (back, back)}[char])
            continue
        values = [int(code) for code in codes.split(";")]
        while values:
            first = values.pop(0)
            if first == 0:
                front = back = None
                continue
            kind = values.pop(0)
            colour = tuple(values.pop(0) for _ in range(3)) if kind == 2 else values.pop(0)
            if first == 38:
                front = colour
            else:
                back = colour
    assert text.endswith("\x1b[0m"), "a row leaves the terminal's colours as they were"
    return shown


def read_sixel(text: str) -> np.ndarray:
    """(h, w, 3) percent of each colour; -1 where nothing was drawn. Only `#n` selects a register, as in xterm."""
    match = re.fullmatch('\x1bP0;1;0q"1;1;(\\d+);(\\d+)(.*)\x1b\\\\', text, re.DOTALL)
    assert match
    width, height = int(match[1]), int(match[2])
    canvas = np.full((height + 6, width, 3), -1)
    registers: dict[int, tuple[int, ...]] = {}
    colour: int | None = None
    x = band = 0
    for define, select, count, char in re.findall(r"#(\d+;2;\d+;\d+;\d+)|#(\d+)|(?:!(\d+))?([?-~$-])", match[3]):
        if define:
            number, _, *rgb = (int(v) for v in define.split(";"))
            registers[number] = tuple(rgb)
        elif select:
            colour = int(select)
        elif char == "$":
            x = 0
        elif char == "-":
            x, band = 0, band + 1
        else:
            width_of_run = int(count or 1)
            for bit in range(6):
                if (ord(char) - 63) >> bit & 1:
                    assert colour is not None
                    canvas[band * 6 + bit, x : x + width_of_run] = registers[colour]
            x += width_of_run
    assert (canvas[height:] == -1).all(), "nothing is drawn below the picture"
    return canvas[:height]


pictures = arrays(
    np.uint8,
    st.tuples(st.integers(1, 3), st.integers(1, 12), st.just(2), st.just(3)),
    elements=st.sampled_from([0, 7, 200, 255]),
)


@given(pictures)
def test_half_blocks_show_exactly_the_pixels(pixels: np.ndarray) -> None:
    for row in pixels:
        assert read_half_row(halfblock.row_text(row)) == [(tuple(up), tuple(low)) for up, low in row.tolist()]


@given(pictures)
def test_the_segments_for_tinted_screens_show_the_same_pixels(pixels: np.ndarray) -> None:
    for row in pixels:
        shown = []
        for text, style, _ in halfblock.row_segments(row):
            assert style is not None and style.color and style.bgcolor
            pair = (tuple(style.color.triplet or ()), tuple(style.bgcolor.triplet or ()))
            shown += [pair] * len(text)
        assert shown == [(tuple(up), tuple(low)) for up, low in row.tolist()]


def test_half_blocks_of_a_known_image() -> None:
    image = Image.new("RGB", (2, 4), (255, 0, 0))
    image.putpixel((0, 1), (0, 255, 0))
    pixels = halfblock.cells(image, 2, 4, (0, 0, 0))
    assert read_half_row(halfblock.row_text(pixels[0])) == [((255, 0, 0), (0, 255, 0)), ((255, 0, 0), (255, 0, 0))]


def test_an_odd_last_half_is_background() -> None:
    pixels = halfblock.cells(Image.new("RGB", (1, 1), (9, 9, 9)), 1, 1, (1, 2, 3))
    assert pixels.tolist() == [[[[9, 9, 9], [1, 2, 3]]]]


def test_256_colours_use_the_nearest_of_cube_and_greys() -> None:
    colours = np.array([[[255, 0, 0], [128, 128, 128]], [[95, 135, 175], [0, 0, 0]]], dtype=np.uint8)
    assert halfblock.xterm_256(colours).tolist() == [[196, 244], [67, 16]]
    assert read_half_row(halfblock.row_text(colours, 256)) == [(196, 244), (67, 16)]


def test_without_colour_the_picture_is_grey() -> None:
    grey = halfblock.greys(np.array([[[[255, 0, 0], [0, 255, 0]]]], dtype=np.uint8))
    assert grey.tolist() == [[[[76, 76, 76], [150, 150, 150]]]]


def test_equal_neighbours_cost_one_byte_each() -> None:
    flat = np.full((1, 80, 2, 3), 40, dtype=np.uint8)
    assert len(halfblock.row_text(flat[0])) < 80 + 40


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 40)), elements=st.integers(0, 5)),
    arrays(np.uint8, (6, 3)),
)
@settings(max_examples=60, deadline=None)
def test_sixels_show_exactly_the_palette(indices: np.ndarray, palette: np.ndarray) -> None:
    shown = read_sixel(sixel.encode(indices, palette))
    percent = (palette.astype(int) * 100 + 127) // 255
    assert (shown == percent[indices]).all()


def test_long_runs_and_many_colours_survive_the_sixel_encoder() -> None:
    indices = np.arange(256, dtype=np.uint8).repeat(20).reshape(16, 320)
    indices[3] = 7
    palette = np.stack([np.arange(256)] * 3, axis=1).astype(np.uint8)
    shown = read_sixel(sixel.encode(indices, palette))
    assert (shown[..., 0] == (indices.astype(int) * 100 + 127) // 255).all()


@pytest.mark.parametrize("is_dithered", [False, True])
def test_quantised_colours_stay_close(is_dithered: bool) -> None:
    gradient = np.linspace(0, 255, 64 * 48 * 3).reshape(48, 64, 3).astype(np.uint8)
    indices, palette = sixel.quantise(Image.fromarray(gradient), 256, is_dithered=is_dithered)
    assert np.abs(palette[indices].astype(int) - gradient).mean() < 12


def read_kitty(messages: list[str]) -> tuple[Image.Image, dict[str, str]]:
    payload, keys = "", {}
    for message in messages:
        head, _, data = message.removeprefix("\x1b_G").removesuffix("\x1b\\").partition(";")
        keys.update(pair.split("=") for pair in head.split(","))
        payload += data
    return Image.open(io.BytesIO(base64.b64decode(payload))), keys


@pytest.mark.parametrize("frugal", [False, True])
def test_kitty_gets_the_picture_in_chunks_and_then_a_placement(frugal: bool) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (80, 90, 3)).astype(np.uint8)
    messages = kitty.transmission(Image.fromarray(noise), 42, 9, 4, frugal=frugal, tmux=False)
    assert all(len(message) < 4200 for message in messages) and len(messages) > 2
    assert "m=1" in messages[0] and "m=0" in messages[-2] and "U=1" in messages[-1]
    image, keys = read_kitty(messages)
    assert image.size == (90, 80) and (keys["c"], keys["r"], keys["i"]) == ("9", "4", "42")
    if not frugal:
        assert (np.asarray(image.convert("RGB")) == noise).all()


def test_inside_tmux_every_message_is_passed_through() -> None:
    messages = kitty.transmission(Image.new("RGB", (4, 4)), 1, 1, 1, frugal=False, tmux=True)
    assert all(m.startswith("\x1bPtmux;\x1b\x1b_G") and m.endswith("\x1b\x1b\\\x1b\\") for m in messages)


def test_placeholders_name_picture_row_and_first_column() -> None:
    text = kitty.row_text(0x02010203, 3, 5, 8)
    assert (
        text
        == f"\x1b[38;2;1;2;3m\U0010eeee{kitty.MARKS[3]}{kitty.MARKS[5]}{kitty.MARKS[2]}\U0010eeee\U0010eeee\x1b[39m"
    )
    assert kitty.LARGEST == 297 and kitty.MARKS[0] == "\u0305" and kitty.MARKS[-1] == "\U0001d244"


def test_the_terminal_keeps_the_pictures_used_last() -> None:
    held = kitty.KittyPictures(capacity=2)
    first, second, third = (held.next_identity() for _ in range(3))
    assert len({first, second, third}) == 3
    assert held.add(first) == [] and held.add(second) == []
    assert held.holds(first)
    assert held.add(third) == [second]
    assert sorted(held.clear()) == sorted([first, third]) and not held.holds(first)


@given(
    st.tuples(st.integers(1, 9000), st.integers(1, 9000)),
    st.tuples(st.integers(1, 200), st.integers(1, 80)),
    st.tuples(st.integers(4, 20), st.integers(8, 40)),
)
def test_a_picture_keeps_its_aspect_and_stays_in_its_slot(
    size: tuple[int, int], slot: tuple[int, int], cell: tuple[int, int]
) -> None:
    placed = fit(size, slot, cell)
    assert placed.x >= 0 and placed.x + placed.columns <= slot[0]
    assert placed.y >= 0 and placed.y + placed.rows <= slot[1]
    assert placed.width <= placed.columns * cell[0] and placed.height <= placed.rows * cell[1]
    scale = min(slot[0] * cell[0] / size[0], slot[1] * cell[1] / size[1])
    assert abs(placed.width - size[0] * scale) <= 1 and abs(placed.height - size[1] * scale) <= 1
    assert abs((slot[0] - placed.columns) - 2 * placed.x) <= 1, "centred"


@given(
    st.tuples(st.integers(1, 500), st.integers(1, 500)),
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
)
def test_a_region_is_never_empty_and_never_outside(size: tuple[int, int], edges: tuple[float, ...]) -> None:
    left, right = sorted(edges[:2])
    top, bottom = sorted(edges[2:])
    x0, y0, x1, y1 = crop_box(size, (left, top, right, bottom))
    assert 0 <= x0 < x1 <= size[0] and 0 <= y0 < y1 <= size[1]


def test_a_region_is_decoded_large_enough_to_fill_the_slot() -> None:
    assert decode_box((400, 300), (0.25, 0.5, 0.5, 1.0)) == (1600, 600)
