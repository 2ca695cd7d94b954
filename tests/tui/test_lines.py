"""Rows of text fit exactly, whatever is in them and however narrow the screen is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.widgets.chrome import bar
from tui.widgets.lines import Row, clip, clip_middle, lay_out, row, width_of

texts = st.text(st.characters(codec="utf-8", exclude_categories=("C", "M", "Z")), max_size=30)
spans = st.lists(st.tuples(texts, st.just("text")), max_size=5).map(tuple)


@given(spans, spans, st.integers(1, 120))
def test_a_row_is_exactly_as_wide_as_its_place(left, right, width: int) -> None:
    assert width_of(lay_out(Row(left, right), width)) == width


@given(texts, st.integers(0, 40))
def test_a_clipped_text_never_exceeds_its_width(text: str, width: int) -> None:
    assert cell_len(clip(text, width)) <= width
    assert cell_len(clip_middle(text, width)) <= width


def test_what_does_not_fit_ends_in_an_ellipsis() -> None:
    assert clip("20250708_060711_stage2_upscaled", 12) == "20250708_06…"
    assert clip_middle("Reconyx_HC500_Hyperfire_copy.jpg", 18) == "Reconyx_…_copy.jpg"
    assert clip_middle("写真写真写真写真.jpg", 11) == "写真…真.jpg"
    assert (
        "".join(text for text, _ in lay_out(row("stage2_upscaled", right=[("★ 87 %", "suggest")]), 16))
        == "stage2_u… ★ 87 %"
    )


def test_the_right_part_gives_way_before_the_left_is_lost() -> None:
    line = row("proofsheet", right=[("agrees with you 8/10", "dim"), ("◐", "suggest")])
    assert "".join(text for text, _ in lay_out(line, 14)).startswith("proofsheet")


@given(st.floats(-1, 2), st.integers(1, 40))
def test_a_bar_keeps_its_width(share: float, width: int) -> None:
    assert width_of(bar(share, width)) == width


def test_control_characters_of_a_name_never_reach_the_terminal() -> None:
    """A line break would tear the screen, an escape sequence would be carried out."""
    hostile = row(("new\nline\x1b[2J\u202e.jpg", "text"), right=[("a\tb", "dim")])
    drawn = "".join(text for text, _ in lay_out(hostile, 40))
    assert drawn == "new�line�[2J�.jpg".ljust(37) + "a�b"
    spaced = row(("日本\u3000写真\xa0é.jpg", "text"))
    assert "".join(text for text, _ in lay_out(spaced, 40)).rstrip() == "日本\u3000写真\xa0é.jpg"
