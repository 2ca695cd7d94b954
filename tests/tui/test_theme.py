"""Themes: those that ship are right, a wrong file is named with its line and never stops the app."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from engine.errors import ProofsheetError
from tui.theme import DEFAULT, ROLES, NoColour, load, parse

GOOD = 'name = "mine"\n[colours]\n' + "\n".join(
    f'{role} = "#{place:02x}{place:02x}{place:02x}"' for place, role in enumerate(ROLES)
)


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""

    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[place : place + 2], 16)) for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, WCAG 2.2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_three_themes_ship_and_the_default_is_dark() -> None:
    themes = load()
    assert set(themes.palettes) == {"darkroom", "daylight", "contrast"}
    assert not themes.problems
    assert themes.palettes[DEFAULT].dark
    assert not themes.palettes["daylight"].dark


@pytest.mark.parametrize("name", ["darkroom", "daylight", "contrast"])
def test_what_must_be_read_can_be_read(name: str) -> None:
    colours = load().palettes[name].colours
    needed = 7.0 if name == "contrast" else 4.5
    for role in ("dim", "text", "strong", "suggest", "decided", "danger"):
        assert contrast(colours[role], colours["background"]) >= needed, role


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "mine"\n[colours\n', "line 2"),
        (GOOD.replace("#030303", "red"), "line 6: faint is 'red'"),
        (GOOD + '\nsugest = "#000000"', "line 13: unknown colour 'sugest'"),
        (GOOD.replace('rule = "#020202"\n', ""), "the colour 'rule' is missing"),
        ("font = 3\n" + GOOD, "line 1: unknown key 'font'"),
        (GOOD.replace('"mine"', '"My Theme"'), "line 1: name must be"),
        ('name = "mine"', "no [colours] table"),
    ],
)
def test_a_wrong_theme_is_refused_with_file_and_line(text: str, said: str) -> None:
    with pytest.raises(ProofsheetError) as refusal:
        parse(text, "themes/mine.toml")
    assert "themes/mine.toml" in refusal.value.message
    assert said in refusal.value.message


def test_a_persons_own_theme_is_found_and_a_broken_one_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    (tmp_path / "torn.toml").write_text("name = ")
    themes = load([tmp_path, tmp_path / "absent"])
    assert "mine" in themes.palettes
    assert len(themes.problems) == 1
    palette, problem = themes.choose("torn")
    assert palette.name == DEFAULT
    assert "torn.toml, line 1" in problem


def test_an_unknown_theme_falls_back_and_says_what_there_is() -> None:
    palette, problem = load().choose("neon")
    assert palette.name == DEFAULT
    assert "darkroom" in problem


def test_without_colour_weight_remains_and_pictures_turn_grey() -> None:
    red, black = RichColor.from_rgb(200, 30, 30), RichColor.from_rgb(15, 15, 16)
    words, faint, picture = NoColour().apply(
        [
            Segment("picked", Style(color=RichColor.from_rgb(240, 240, 240), bgcolor=black, bold=True)),
            Segment("units", Style(color=RichColor.from_rgb(90, 90, 90), bgcolor=black)),
            Segment("▀▀", Style(color=red, bgcolor=black)),
        ],
        Color(0, 0, 0),
    )
    assert words.style is not None and words.style.color is None and words.style.bold
    assert faint.style is not None and faint.style.color is None and faint.style.dim
    assert picture.style is not None and picture.style.color is not None and picture.style.color.triplet is not None
    assert len(set(picture.style.color.triplet)) == 1
