"""The command palette (Ctrl+P, `:`): every action of the screen below, the screens, themes and ways to draw pictures.

A provider for Textual's own palette, made from the action registry; there is no list of commands besides that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.actions import TITLES, actions

if TYPE_CHECKING:
    from tui.app import ProofsheetApp
    from tui.terminal import Choice

_MODES: tuple[Choice, ...] = ("auto", "kitty", "sixel", "half", "off")


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the palette."""

    name: str
    help: str
    run: Callable[[], Any]


class Commands(Provider):
    """What can be done here and now."""

    def _commands(self) -> Iterator[Command]:
        app = cast("ProofsheetApp", self.app)
        page = app.page
        if page is not None:
            for action in (*page.actions(), *actions("everywhere")):
                if action.in_palette and not action.numbered:
                    where = TITLES[action.place]
                    keys = app.keymap.shown(action, most=2)
                    run = partial(page.run_action, action.call)
                    yield Command(f"{action.label}  ({keys})", f"{where}: {action.help}", run)
        for palette in app.themes.palettes.values():
            yield Command(
                f"theme: {palette.title}", "Change the colours at once.", partial(app.use_theme, palette.name)
            )
        for mode in _MODES:
            yield Command(f"pictures: {mode}", "How pictures are drawn.", partial(app.use_images, mode))

    async def discover(self) -> Hits:
        for command in self._commands():
            yield DiscoveryHit(command.name, command.run, help=command.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command in self._commands():
            # A help text is long: letters scattered over it would match nearly any word.
            score = matcher.match(command.name) or (0.1 if query.casefold() in command.help.casefold() else 0.0)
            if score > 0:
                yield Hit(score, matcher.highlight(command.name), command.run, help=command.help)
