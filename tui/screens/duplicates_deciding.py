"""What the keys of the duplicates screen decide: keep one, none is a duplicate, all identical files at once, take back.

A verdict is marked at once and carried out by a worker; until it is, no other is taken. Each ends in a message that
says what became of it. What is shown is the screen's own matter.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on

from engine.errors import ProofsheetError
from tui.screens import duplicates_words as words
from tui.screens.base import Page
from tui.screens.duplicates_messages import Done, Failed, Listed, Reversed
from tui.screens.ranking_words import PLACES
from tui.widgets.cell import Cell, Mark

if TYPE_CHECKING:
    from engine.library.duplicates import Group, Member


class Deciding(Page):
    """The half of the screen that acts. `every` holds all open groups, `groups` those of the kind that is shown; the
    one on the table is `groups[index]`, and `cursor` marks whom of it to keep."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[Cell] = []
        self.every: tuple[Group, ...] = ()
        self.groups: list[Group] = []
        self.index = 0
        self.cursor = 0
        self.images: int | None = None  # None until the first search is over
        self.decided = 0
        self.is_deciding = False
        self.is_merging = False
        self._wanted: str | None = None  # the group to come back to

    @property
    def group(self) -> Group | None:
        """The group on the table."""
        return self.groups[self.index] if self.index < len(self.groups) else None

    @abstractmethod
    def show(self) -> None:
        """Draw what is so now."""

    @abstractmethod
    def narrow_down(self, keep: str | None) -> None:
        """Show the groups of the kind that is asked for, the one named `keep` on the table if it is among them."""

    async def _list(self) -> None:
        self.post_message(Listed(await self.engine.duplicates.groups(is_counted=False), is_whole=True))

    def _may_decide(self) -> bool:
        if self.is_deciding:
            self.notice("one moment: the files are being moved")
        return self.group is not None and not self.is_deciding

    def action_approve(self) -> None:
        group = self.group
        if group is None or not self._may_decide():
            return
        marks: dict[int, Mark] = dict.fromkeys(range(len(group.members)), "refused")
        marks[self.cursor] = "picked"
        self._decide(marks)
        self.work(self._approve, group, group.members[self.cursor], self.is_merging)

    async def _approve(self, group: Group, keeper: Member, merge: bool) -> None:
        async def act() -> None:
            await self.engine.duplicates.approve([group], keeper.image.id, merge=merge)

        await self._carry_out(act, Done((group.id,), words.kept(group, keeper.image.name)))

    def action_reject(self) -> None:
        group = self.group
        if group is None or not self._may_decide():
            return
        self._decide(dict.fromkeys(range(len(group.members)), "skipped"))
        self.work(self._reject, group)

    async def _reject(self, group: Group) -> None:
        async def act() -> None:
            await self.engine.duplicates.reject(group)

        await self._carry_out(act, Done((group.id,), words.rejected(group)))

    def action_bulk(self) -> None:
        exact = [group for group in self.every if group.kind == "exact"]
        if self.is_deciding or not exact:
            return
        count = sum(len(group.members) - 1 for group in exact)

        def answer(text: str | None) -> None:
            if text is not None and text.strip().lower() in ("y", "yes") and not self.is_deciding:
                self._decide({})
                self.work(self._bulk, exact, count)

        files, groups = "file" if count == 1 else "files", "group" if len(exact) == 1 else "groups"
        self.prompt.ask(f"move {count:,} identical {files} of {len(exact):,} {groups} to the trash?", "yes", answer)

    async def _bulk(self, exact: Sequence[Group], count: int) -> None:
        async def act() -> None:
            await self.engine.duplicates.approve(exact)

        said = (
            ("last: ", "dim"),
            (f"✓ {count:,} identical {'file' if count == 1 else 'files'} to the trash", "decided bold"),
        )
        await self._carry_out(act, Done(tuple(group.id for group in exact), said))

    async def _carry_out(self, act: Callable[[], Awaitable[None]], done: Done) -> None:
        try:
            await act()
        except ProofsheetError:
            self.post_message(Failed())
            raise
        self.post_message(done)

    def _decide(self, marks: dict[int, Mark]) -> None:
        """Paint the verdict at once; until it is carried out, no other is taken."""
        self.is_deciding = True
        first = self.cursor // PLACES * PLACES
        for cell in self.cells:
            mark = marks.get(first + cell.place)
            if mark and cell.face is not None:
                cell.wear(replace(cell.face, mark=mark))

    @on(Done)
    def _done(self, event: Done) -> None:
        self.is_deciding = False
        self.decided += len(event.groups)
        self.status.last(*event.said)
        self.every = tuple(group for group in self.every if group.id not in event.groups)
        self.narrow_down(None)
        self.remember()
        # Other groups may have lost a member, too.
        self.work(self._list, group="list", exclusive=True)

    @on(Failed)
    def _failed(self) -> None:
        self.is_deciding = False
        self.show()

    def action_undo(self) -> None:
        if self.proof.engine is None:
            return
        if self.is_deciding:
            self.notice("one moment: the files are being moved")
            return
        self.is_deciding = True
        self.notice("taking the last verdict back…")
        self.work(self._undo, group="undo")

    async def _undo(self) -> None:
        try:
            undone = await self.engine.duplicates.undo()
        except ProofsheetError:
            self.post_message(Failed())
            raise
        self.post_message(Reversed(undone))

    @on(Reversed)
    def _reversed(self, event: Reversed) -> None:
        self.is_deciding = False
        undone = event.undone
        if undone is None:
            self.notice("nothing left to undo")
            return
        self.decided = max(0, self.decided - len(undone.groups))
        self._wanted = undone.groups[0]
        files = "file is" if undone.restored == 1 else "files are"
        what = f"{undone.restored:,} {files} back" if undone.restored else "open again"
        self.status.last(("undone: ", "dim"), (what, "text"))
        self.work(self._list, group="list", exclusive=True)
