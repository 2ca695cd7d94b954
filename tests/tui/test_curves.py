"""A panel's second curve is dashed, so that the two are told apart without colours."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from tui.screens.training_words import figures, legend, panels
from tui.widgets.curves import dashes

WAVE = [(float(x), math.sin(x / 5)) for x in range(40)]


def test_dashes_lie_on_the_curve_with_gaps_as_long_as_they_are() -> None:
    found = dashes(WAVE)
    assert len(found) > 10
    assert found[0][0] == WAVE[0]
    for dash in found:
        for x, y in dash:
            place = min(int(x), len(WAVE) - 2)
            (_, low), (_, high) = WAVE[place], WAVE[place + 1]
            assert y == pytest.approx(low + (high - low) * (x - place))
    drawn = sum(dash[-1][0] - dash[0][0] for dash in found)
    assert 0.4 < drawn / WAVE[-1][0] < 0.6
    assert all(before[-1][0] < after[0][0] for before, after in pairwise(found))


def test_what_cannot_be_cut_stays_whole() -> None:
    assert dashes([(0.0, 1.0)]) == [[(0.0, 1.0)]]
    assert dashes([(0.0, math.nan), (1.0, 2.0)]) == [[(0.0, math.nan), (1.0, 2.0)]]
    level = dashes([(0.0, 2.0), (10.0, 2.0)])
    assert {y for dash in level for _, y in dash} == {2.0}


@pytest.mark.parametrize("narrow", [False, True])
def test_the_figures_name_each_curve_by_its_stroke_and_no_two_alike(narrow: bool) -> None:
    curves = {name: [(0.0, 1.0), (1.0, 0.5)] for name in ("loss", "held_out_loss", "held_out_pair_accuracy")}
    costs, rates = panels(curves)
    assert [stroke for stroke, _ in legend(costs).values()] == ["─ ", "╌ "]
    assert [stroke for stroke, _ in legend(rates).values()] == [""]
    said = "".join(span[0] for span in figures(curves, None, None, narrow).left)
    assert "─ loss .500" in said and "╌ held out loss .500" in said
