"""Approve together: the sets whose suggestions can be trusted, listed and looked at before anything is approved.

Relies on `engine.ranking.bulk_plan` for what may be approved and how right that is expected to be; Enter approves it as
one decision. Answers with the decisions made, or None. Nothing is approved by opening it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Horizontal
from textual.events import Resize
from textual.message import Message

from tui.actions import bindings
from tui.messages import EngineReady
from tui.screens import bulk_words as words
from tui.screens.base import Page
from tui.widgets.lines import Lines, Row
from tui.widgets.preview import PreviewImage

if TYPE_CHECKING:
    from engine.ranking.bulk import BulkPlan, BulkSet
    from engine.review import Decision

TARGETS = (0.9, 0.95, 0.98, 0.99)
OTHERS = 3  # losers shown beside the winner


@dataclass
class Looked(Message, bubble=False):
    """So many of the remaining sets were looked at."""

    done: int
    total: int


@dataclass
class Planned(Message, bubble=False):
    """What could be approved."""

    plan: BulkPlan


@dataclass
class Approved(Message, bubble=False):
    """It is approved and durable."""

    made: list[Decision]


class BulkScreen(Page):
    """`b`"""

    place = "bulk"
    BINDINGS = bindings("bulk")

    def __init__(self, project: str | None, target: float) -> None:
        super().__init__()
        self.project = project
        self.target = target
        self.plan: BulkPlan | None = None
        self.cursor = 0
        self.is_approving = False
        self._looked: tuple[int, int] = (0, 0)

    def compose_body(self) -> ComposeResult:
        self.list = Lines(id="bulk-list")
        self.winner = PreviewImage(id="bulk-winner")
        self.told = Lines(id="bulk-told")
        self.others = [PreviewImage() for _ in range(OTHERS)]
        self.side = Container(self.winner, self.told, Horizontal(*self.others, id="bulk-rest"), id="bulk-side")
        with Container(classes="body"), Container(id="bulk"):
            yield self.list
            yield self.side

    @on(EngineReady)
    def _begin(self) -> None:
        self._ask()

    def _ask(self) -> None:
        self.plan, self.cursor, self._looked = None, 0, (0, 0)
        self._draw()
        self.work(self._make_plan, group="plan", exclusive=True)

    async def _make_plan(self) -> None:
        async def tell(done: int, total: int) -> None:
            self.post_message(Looked(done, total))
            await asyncio.sleep(0)

        self.post_message(Planned(await self.engine.ranking.bulk_plan(self.project, self.target, tell)))

    @on(Looked)
    def _tell(self, event: Looked) -> None:
        self._looked = (event.done, event.total)
        if self.plan is None:
            self.calmly(self._draw, 0.1)

    @on(Planned)
    def _planned(self, event: Planned) -> None:
        if event.plan.target == self.target:
            self.plan = event.plan
            self._draw()

    # -- drawing ----------------------------------------------------------------------------------------------------

    @property
    def marked(self) -> BulkSet | None:
        """The set under the cursor."""
        return self.plan.sets[self.cursor] if self.plan is not None and self.plan.sets else None

    def _draw(self) -> None:
        plan, narrow = self.plan, self.is_narrow
        self.top.here(*words.here(self.project, self.target, narrow))
        marked = self.marked
        self.side.display = marked is not None
        if plan is None:
            self.list.put(*words.looking(*self._looked))
        elif marked is None:
            self.list.put(*words.nothing(plan, max(24, self.size.width - 12)))
        else:
            head = words.head(plan, narrow)
            room = max(3, self.list.size.height - len(head))
            width = self.list.size.width or self.size.width // 2
            first = max(0, min(self.cursor - room // 2, len(plan.sets) - room))
            shown = plan.sets[first : first + room]
            rows: list[Row] = [words.line(one, first + n == self.cursor, width) for n, one in enumerate(shown)]
            self.list.put(*head, *rows)
            self._show(marked)
        self.offer(
            ["bulk.approve", "bulk.down", "bulk.stricter", "bulk.laxer", "bulk.back"]
            if marked is not None
            else ["bulk.stricter", "bulk.laxer", "bulk.back"],
            {"bulk.approve": f"approve {len(plan.sets):,}"} if plan is not None else None,
        )

    def _show(self, one: BulkSet) -> None:
        """The suggested winner large, the others below it."""
        members = one.shown.members
        winner = next(member for member in members if member.image.id == one.image_id)
        if self.winner.path != winner.image.path:
            self.winner.show(winner.image.path)
        rest = [member.image.path for member in members if member.image.id != one.image_id]
        for place, picture in enumerate(self.others):
            picture.display = place < len(rest)
            if place < len(rest) and picture.path != rest[place]:
                picture.show(rest[place])
        self.told.put(*words.told(one, len(rest)))

    def on_resize(self, event: Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self._draw)

    def relaid(self) -> None:
        self._draw()

    # -- actions ------------------------------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        if self.plan is not None and self.plan.sets:
            self.cursor = max(0, min(len(self.plan.sets) - 1, self.cursor + step))
            self._draw()

    def action_page(self, step: int) -> None:
        self.action_move(step * max(1, self.list.size.height - 4))

    def action_target(self, step: int) -> None:
        wanted = TARGETS.index(self.target) + step
        if 0 <= wanted < len(TARGETS) and not self.is_approving:
            self.target = TARGETS[wanted]
            self._ask()

    def action_approve(self) -> None:
        if self.plan is None or not self.plan.sets or self.is_approving:
            return
        self.is_approving = True
        self.notice(f"approving {len(self.plan.sets):,} sets…")
        self.work(self._approve, self.plan)

    async def _approve(self, plan: BulkPlan) -> None:
        try:
            made = await self.engine.ranking.bulk_approve(plan)
        finally:
            self.is_approving = False
        self.post_message(Approved(made))

    @on(Approved)
    def _approved(self, event: Approved) -> None:
        self.dismiss(event.made)

    def action_back(self) -> None:
        if not self.banner.close() and not self.is_approving:
            self.dismiss(None)

    def view_state(self) -> dict[str, Any]:
        return {}
