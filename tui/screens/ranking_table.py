"""The table of the ranking screen: one image set, how it stands, and what is told of it.

Wide, the images stand in a grid; narrow, the marked one is large and the others are a strip. Everything that the
screen shows follows from the state that is kept here, and only what differs is painted. Relies on `plan_for` for the
geometry and on `ranking_words` for what is said; takes no key and asks the engine nothing.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Container

from tui.actions import footer
from tui.screens import ranking_words as words
from tui.screens.base import Page
from tui.screens.deck import Deck
from tui.screens.layout import plan_for
from tui.screens.ranking_words import PLACES
from tui.widgets.cell import Cell, Face, Mark, shorter
from tui.widgets.lines import Lines
from tui.widgets.preview import PreviewImage

if TYPE_CHECKING:
    from engine.ranking.model import ImageSet, RankerStatus, SetMember
    from engine.review import Agreement, Suggestion


class Table(Page):
    """The set on the table, or why there is none."""

    place = "ranking"

    def __init__(self) -> None:
        super().__init__()
        self.deck: Deck | None = None
        self.shown: ImageSet | None = None
        self.suggestion: Suggestion | None = None
        self.cursor = 0
        self.has_moved = False
        self.is_deciding = False
        self.suggests = True
        self.agreement: Agreement | None = None
        self.standing: RankerStatus | None = None

    def compose_body(self) -> ComposeResult:
        self.cells = [Cell(place) for place in range(PLACES)]
        self.large = PreviewImage(id="large")
        self.reasons = Lines(id="reasons")
        self.grid = Container(*self.cells, self.reasons, id="grid")
        self.hollow = Lines(classes="empty")
        self.stage = Container(self.large, self.grid, id="stage")
        self.body = Container(self.stage, self.hollow, classes="body")
        yield self.body

    def on_mount(self) -> None:
        self.suggests = self.proof.settings.suggestions
        self._face_empty()
        super().on_mount()

    # -- what is on the table ---------------------------------------------------------------------------------------

    @property
    def page_number(self) -> int:
        """Which nine images of a large set are shown."""
        return self.cursor // PLACES

    @property
    def members(self) -> tuple[SetMember, ...]:
        """The images that have a place on the screen."""
        if self.shown is None:
            return ()
        first = self.page_number * PLACES
        return self.shown.members[first : first + PLACES]

    @property
    def marked(self) -> SetMember | None:
        """The image under the cursor."""
        return self.shown.members[self.cursor] if self.shown else None

    @property
    def star(self) -> int | None:
        """The index of the suggested image, while suggestions are on."""
        wanted = words.suggested_image(self.suggestion) if self.suggests else None
        if self.shown is None or wanted not in self.shown.image_ids:
            return None
        return self.shown.image_ids.index(wanted)

    # -- drawing ----------------------------------------------------------------------------------------------------

    def _face_empty(self) -> None:
        deck, watch = self.deck, self.proof.run_watch
        self.shown = self.suggestion = None
        self.stage.display, self.hollow.display = False, True
        active = watch.active() if watch else []
        decided = deck.decided if deck else 0
        project = deck.project if deck else None
        self.hollow.put(*words.empty(decided, active, deck is not None, project))
        self._lines()

    def _arrange(self) -> None:
        """Give each image its place; nothing moves while the number of images stays."""
        count = len(self.members)
        for cell in self.cells:
            cell.display = cell.place < count
        if self.is_narrow:
            tall = count * 5 <= self.body.size.height
            self.grid.styles.width, self.grid.styles.height = None, "100%"
            self.reasons.display = not tall
            for cell in self.cells:
                cell.stand("strip" if tall else "short")
            return
        self.reasons.display = False
        width, height = self.body.size  # the stage itself has none while it is hidden
        sizes = [(member.image.width, member.image.height) for member in self.members]
        plan = plan_for(sizes, width, height, self.proof.terminal.cell)
        self.grid.styles.grid_size_columns, self.grid.styles.grid_size_rows = plan.columns, plan.rows
        self.grid.styles.width, self.grid.styles.height = plan.width, plan.height
        for cell in self.cells:
            cell.stand("column")

    def _faces(self) -> None:
        """Bring every cell, the large picture and the lines up to date; only what differs is painted."""
        star = self.star
        first = self.page_number * PLACES
        faces = [self._face(member, first + place, star) for place, member in enumerate(self.members)]
        for cell, face in zip_longest(self.cells, faces):
            cell.wear(face)
        if self.is_narrow and self.marked is not None:
            self.large.show(self.marked.image.path)
            told = self.suggestion.reasons if self.suggestion is not None and star is not None else ()
            self.reasons.put(*words.below_strip(list(map(shorter, told)), self.body.size.height - 2 * len(faces)))
        self._lines()

    def _face(self, member: SetMember, index: int, star: int | None) -> Face:
        suggestion = self.suggestion
        is_star = index == star
        confidence = suggestion.confidence if suggestion is not None and is_star else None
        return Face(
            path=member.image.path,
            number=index % PLACES + 1,
            label=member.label or member.image.name,
            details=words.details(member.image),
            is_marked=index == self.cursor,
            is_suggested=is_star,
            confidence=words.percent(confidence) if confidence is not None else "",
            share=confidence,
            sure=words.sure(confidence) if confidence is not None else "",
            reasons=" · ".join(suggestion.reasons) if suggestion is not None and is_star else "",
        )

    def _lines(self) -> None:
        """The top, status and bottom lines."""
        deck, narrow = self.deck, self.is_narrow
        number, total = (deck.number, deck.total) if deck else (0, 0)
        project = deck.project if deck else None
        paging = words.paging(self.cursor, len(self.shown.members)) if self.shown else ()
        self.top.here(*words.here(number, total, self.shown, project, narrow), *paging)
        self.top.there(*words.agreement(self.agreement, narrow))
        self.status.fact(*words.adviser(self.suggests, self.suggestion, self.standing, narrow))
        if self.shown is None:
            self.offer(["ranking.undo", "ranking.project"] if deck and deck.decided else [])
        else:
            offered = [action.id for action in footer("ranking") if paging or action.id != "ranking.next_page"]
            self.offer(offered, words.footer_labels(self.cursor == self.star, self.cursor % PLACES + 1))

    def _mark(self, marks: dict[int, Mark]) -> None:
        """Paint the verdict at once: a line a cell. Until it is durable, no other verdict is taken."""
        self.is_deciding = True
        first = self.page_number * PLACES
        for cell in self.cells:
            mark = marks.get(first + cell.place)
            if mark and cell.face is not None:
                cell.wear(replace(cell.face, mark=mark))

    def _rival(self) -> int:
        """Whom the marked image is compared with: the suggestion, else the runner-up by score, else its neighbour."""
        if self.star is not None and self.star != self.cursor:
            return self.star
        ids = self.shown.image_ids if self.shown is not None else ()
        scores = self.suggestion.proposal.get("scores", {}) if self.suggestion is not None and self.suggests else {}
        others = [index for index in range(len(ids)) if index != self.cursor]
        if scores:
            return max(others, key=lambda index: float(scores.get(str(ids[index]), scores.get(ids[index], 0.0))))
        return others[0] if others else self.cursor

    def relaid(self) -> None:
        if self.shown is not None:
            for cell in self.cells:
                cell.wear(None)
            self._arrange()
            self._faces()
            self.call_after_refresh(self._faces)

    def _move_cursor(self, index: int) -> None:
        """Mark this image; where it stands on another page, that page is laid out."""
        turned = index // PLACES != self.page_number
        self.cursor = index
        if turned:
            self._arrange()
        self._faces()
        self.remember()

    def view_state(self) -> dict[str, Any]:
        return {
            "set": self.shown.id if self.shown else None,
            "cursor": self.cursor,
            "moved": self.has_moved,
            "suggestions": self.suggests,
            "project": self.deck.project if self.deck else None,
        }
