"""The taste card: what the person prefers, in plain words, each with three of their own pairs as proof.

Relies on `engine.ranking.taste` and `consistency`; decides nothing. Pairs stand side by side, the picked one first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Horizontal
from textual.events import Resize
from textual.message import Message

from tui.actions import bindings
from tui.messages import EngineReady
from tui.screens import taste_words as words
from tui.screens.base import Page
from tui.widgets.lines import Lines, row
from tui.widgets.preview import PreviewImage

if TYPE_CHECKING:
    from engine.ranking import Consistency
    from engine.ranking.taste import TasteCard, Trait

PAIRS = 3
ROWS_A_PAIR = 8  # below this many rows a pair, fewer pairs are shown


@dataclass
class Read(Message, bubble=False):
    """What is known of the taste."""

    card: TasteCard
    own: Consistency


class Heading(Lines):
    """Over one picture: centred in the width that the layout gives it, whenever it does."""

    said: tuple[str, bool] | None = None

    def say(self, name: str, is_winner: bool) -> None:
        self.said = (name, is_winner)
        self.on_resize()

    def on_resize(self) -> None:
        if self.said is not None and self.size.width:
            self.put(words.heading(*self.said, self.size.width))


class Traits(Lines):
    """The preferences: told anew whenever they get another width, as when the first proofs come beside them."""

    def __init__(self, draw: Callable[[], None], *, id: str) -> None:
        super().__init__(id=id)
        self._draw = draw

    def on_resize(self) -> None:
        self._draw()


class TasteScreen(Page):
    """`T`"""

    place = "taste"
    BINDINGS = bindings("taste")

    def __init__(self, project: str | None) -> None:
        super().__init__()
        self.project = project
        self.card: TasteCard | None = None
        self.own: Consistency | None = None
        self.cursor = 0

    def compose_body(self) -> ComposeResult:
        self.traits = Traits(self._draw, id="traits")
        self.pictures = [(PreviewImage(), PreviewImage()) for _ in range(PAIRS)]
        self.headings = [(Heading(), Heading()) for _ in range(PAIRS)]
        self.told = [Horizontal(*pair, classes="told") for pair in self.headings]
        self.pairs = [Horizontal(*pair, classes="pair") for pair in self.pictures]
        shown = [widget for pair in zip(self.told, self.pairs, strict=True) for widget in pair]
        self.proofs = Container(*shown, id="proofs")
        with Container(classes="body"), Container(id="taste"):
            yield self.traits
            yield self.proofs

    @on(EngineReady)
    def _begin(self) -> None:
        self._draw()
        self.work(self._read, group="read", exclusive=True)

    async def _read(self) -> None:
        ranking = self.engine.ranking
        self.post_message(Read(await ranking.taste(self.project), await ranking.consistency(self.project)))

    @on(Read)
    def _heard(self, event: Read) -> None:
        self.card, self.own = event.card, event.own
        self._draw()

    @property
    def marked(self) -> Trait | None:
        """The preference under the cursor."""
        return self.card.traits[self.cursor] if self.card is not None and self.card.traits else None

    def _draw(self) -> None:
        dot = ("  ·  ", "faint")
        self.top.here(("your taste", "strong bold"), dot, (self.project or "all projects", "text"))
        marked = self.marked
        self.proofs.display = marked is not None
        self.traits.styles.width = None if marked is not None else "100%"
        width = (self.traits.content_size.width or 40) if marked is not None else max(30, self.size.width - 8)
        if self.card is None:
            self.traits.put(row(), row(("Reading your picks…", "dim")))
        else:
            self.traits.put(*words.card(self.card, self.own, self.cursor, width))
        if marked is not None:
            self._prove(marked)
        self.offer(["taste.down", "taste.back"] if marked is not None else ["taste.back"])

    def _prove(self, trait: Trait) -> None:
        """Its pairs, as many as have room, the most telling first."""
        room = max(1, min(PAIRS, self.proofs.size.height // ROWS_A_PAIR)) if self.proofs.size.height else PAIRS
        for place, pair in enumerate(self.pictures):
            is_shown = place < min(room, len(trait.proof))
            self.pairs[place].display = self.told[place].display = is_shown
            if not is_shown:
                continue
            proof = trait.proof[place]
            for picture, heading, image in zip(pair, self.headings[place], (proof.winner, proof.loser), strict=True):
                heading.say(image.name, image is proof.winner)
                if picture.path != image.path:
                    picture.show(image.path)

    def on_resize(self, event: Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self._draw)

    def relaid(self) -> None:
        self._draw()

    def action_move(self, step: int) -> None:
        if self.card is not None and self.card.traits:
            self.cursor = max(0, min(len(self.card.traits) - 1, self.cursor + step))
            self._draw()

    def action_back(self) -> None:
        if not self.banner.close():
            self.dismiss(None)

    def view_state(self) -> dict[str, Any]:
        return {}
