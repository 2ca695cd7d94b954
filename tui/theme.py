"""Themes: ten named colours in a TOML file, made into a Textual theme.

Three ship in `themes/` (package data); a person's own lie in the user's configuration folder and may replace a
shipped one by its name. A file that is wrong is refused with its name and line, and the app goes on without it.
Relies on tomllib and importlib.resources. `NoColour` is what remains when NO_COLOR is set: weight instead of
colour, so that every state still has a face (glyphs carry the meaning everywhere).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

from engine.errors import ProofsheetError

ROLES = ("background", "raised", "rule", "faint", "dim", "text", "strong", "suggest", "decided", "danger")
DEFAULT = "darkroom"
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class Palette:
    """A theme as it stands in its file: `colours` maps each of ROLES to `#rrggbb`."""

    name: str
    title: str
    dark: bool
    colours: dict[str, str]
    source: str

    def textual(self) -> Theme:
        """The same as a Textual theme; the roles are CSS variables too (`$suggest`, `$rule`...)."""
        colour = self.colours
        return Theme(
            name=self.name,
            primary=colour["suggest"],
            secondary=colour["decided"],
            accent=colour["suggest"],
            warning=colour["suggest"],
            error=colour["danger"],
            success=colour["decided"],
            foreground=colour["text"],
            background=colour["background"],
            surface=colour["background"],
            panel=colour["raised"],
            dark=self.dark,
            variables={
                **{role: value for role, value in colour.items() if role != "background"},
                "border": colour["rule"],
                "border-blurred": colour["rule"],
                "scrollbar": colour["rule"],
                "scrollbar-hover": colour["faint"],
                "scrollbar-active": colour["dim"],
                "scrollbar-background": colour["background"],
                "scrollbar-background-hover": colour["background"],
                "scrollbar-background-active": colour["background"],
                "scrollbar-corner-color": colour["background"],
                "input-selection-background": colour["rule"],
                "block-cursor-background": colour["raised"],
                "block-cursor-foreground": colour["strong"],
                "block-cursor-text-style": "bold",
                "block-cursor-blurred-background": colour["raised"],
                "block-hover-background": colour["raised"],
            },
        )


@dataclass(frozen=True, slots=True)
class Themes:
    """Every theme that could be read, by name, and what was wrong with the others."""

    palettes: dict[str, Palette]
    problems: tuple[str, ...]

    def choose(self, name: str) -> tuple[Palette, str]:
        """The theme called `name` and '', or the default and a sentence saying why."""
        if name in self.palettes:
            return self.palettes[name], ""
        reason = next((problem for problem in self.problems if f"{name}.toml" in problem), "")
        names = ", ".join(sorted(self.palettes))
        return self.palettes[DEFAULT], reason or f"there is no theme called {name!r}; there are {names}"


def parse(text: str, source: str) -> Palette:
    """A theme file's text as a Palette. Raises ProofsheetError that names `source` and the line."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = _line_in(str(error), text)
        raise _refuse(source, line, f"not valid TOML ({str(error).split(' (at')[0].lower()})") from error
    colours = document.pop("colours", None)
    unknown = sorted(set(document) - {"name", "title", "dark"})
    if unknown:
        raise _refuse(source, _line_of(text, unknown[0]), f"unknown key {unknown[0]!r}")
    if not isinstance(colours, dict):
        raise _refuse(source, None, "there is no [colours] table")
    for role, value in colours.items():
        if role not in ROLES:
            raise _refuse(source, _line_of(text, role), f"unknown colour {role!r}; known are {', '.join(ROLES)}")
        if not isinstance(value, str) or not _HEX.fullmatch(value):
            raise _refuse(source, _line_of(text, role), f"{role} is {value!r}, not a colour like '#1a2b3c'")
    missing = [role for role in ROLES if role not in colours]
    if missing:
        raise _refuse(source, None, f"the colour {missing[0]!r} is missing")
    name, title, dark = document.get("name"), document.get("title"), document.get("dark", True)
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise _refuse(source, _line_of(text, "name"), "name must be lower-case letters, digits and hyphens")
    if not isinstance(dark, bool):
        raise _refuse(source, _line_of(text, "dark"), "dark must be true or false")
    return Palette(name, title if isinstance(title, str) else name.title(), dark, colours, source)


def load(folders: Iterable[Path] = ()) -> Themes:
    """The shipped themes and those in `folders`, later ones win. A wrong file is a problem, never an exception."""
    palettes: dict[str, Palette] = {}
    problems: list[str] = []
    shipped = [entry for entry in resources.files("themes").iterdir() if entry.name.endswith(".toml")]
    own = [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.toml"))]
    for entry in (*sorted(shipped, key=lambda entry: entry.name), *own):
        try:
            palette = parse(entry.read_text(encoding="utf-8"), str(entry))
        except ProofsheetError as error:
            problems.append(error.message)
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{entry}: cannot be read ({error})")
        else:
            palettes[palette.name] = palette
    return Themes(palettes, tuple(problems))


def user_folder() -> Path:
    """Where a person's own themes lie."""
    from engine.settings import user_config_folder

    return user_config_folder() / "themes"


def _refuse(source: str, line: int | None, what: str) -> ProofsheetError:
    place = f"{source}, line {line}" if line else source
    return ProofsheetError(f"theme {place}: {what}", remedy="Correct the file, or remove it to use the default.")


def _line_of(text: str, key: str) -> int | None:
    pattern = re.compile(rf"\s*\"?{re.escape(key)}\"?\s*=")
    return next((number for number, line in enumerate(text.splitlines(), 1) if pattern.match(line)), None)


def _line_in(message: str, text: str) -> int:
    """The line that a message of tomllib names; what it calls the end of the document is the last line."""
    found = re.search(r"at line (\d+)", message)
    return int(found[1]) if found else max(1, len(text.splitlines()))


class NoColour(LineFilter):
    """Take every colour from the chrome and keep its weight; pictures keep their brightness, as greys.

    What is close to its background becomes `dim`; a background that differs from the screen's becomes `reverse`
    only where the style asked for it, because glyphs already mark every state.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002  # Textual's
        return [
            Segment(text, _weight(style, "▀" in text or "▄" in text), control) if style is not None else segment
            for segment in segments
            for text, style, control in (segment,)
        ]


@lru_cache(4096)
def _weight(style: Style, picture: bool) -> Style:
    if picture:
        return style + Style(color=_grey(style.color), bgcolor=_grey(style.bgcolor))
    faint = False
    if style.color and style.bgcolor and style.color.triplet and style.bgcolor.triplet:
        faint = abs(_luma(style.color.triplet) - _luma(style.bgcolor.triplet)) < 110
    return Style(
        bold=style.bold,
        dim=True if faint else style.dim,
        italic=style.italic,
        underline=style.underline,
        reverse=style.reverse,
        strike=style.strike,
        meta=style.meta,
    )


def _grey(colour: RichColor | None) -> RichColor | None:
    if colour is None or colour.triplet is None:
        return colour
    level = round(_luma(colour.triplet))
    return RichColor.from_rgb(level, level, level)


def _luma(triplet: Sequence[int]) -> float:
    """Rec. 709 luma of an (r, g, b) triplet, 0 to 255."""
    red, green, blue = triplet
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
