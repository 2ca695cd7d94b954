"""What the keys of the duplicates screen decide: keep one, none is a duplicate, all identical files at once, take back.

A verdict is marked at once and carried out by a worker; until it is, no other is taken. Each ends in a message that
says what became of it. What is shown is the screen's own matter.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on

from engine.errors import ProofsheetError, UsageError
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
        self.totals = words.Totals()
        self.groups: list[Group] = []
        self.index = 0
        self.cursor = 0
        self.images: int | None = None  # None until the first search is over
        self.decided = 0
        self.is_deciding = False
        self.is_merging = False
        self._wanted: str | None = None  # the group to come back to
        self._unlisted: set[str] = set()  # projects whose groups may be others than those that are shown
        self._settled: set[str] = set()  # groups decided since the last search began
        self._held: Listed | None = None
        self._is_forming = False
        self.is_read = False  # whether what is known was listed

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

    # -- the list -----------------------------------------------------------------------------------------------------

    async def _list(self, projects: Sequence[str]) -> None:
        """What is so now in these projects, the others' as they were: a verdict moves nothing beyond its own."""
        found: list[Group] = []
        for project in projects:
            try:
                found += (await self.engine.duplicates.groups(project, is_counted=False)).groups
            except UsageError:  # its last image is gone, and the project with it
                continue
        others = (group for group in self.every if group.project not in projects)
        await self._tell([*others, *found], projects=tuple(projects))

    async def _tell(
        self, groups: Sequence[Group], *, projects: tuple[str, ...] = (), images: int | None = None
    ) -> None:
        """Hand groups over, in order and counted, without keeping a key waiting."""
        from engine.library.duplicate_groups import in_order

        def made() -> Listed:
            every = tuple(in_order(groups))
            return Listed(every, words.Totals(every), projects, images)

        self.post_message(await asyncio.to_thread(made))

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        if self.is_deciding:
            self._held = event  # taken in with the verdict
            return
        self._take_in(event)
        has_wanted = any(group.id == self._wanted for group in self.every)
        self.narrow_down(self._wanted if has_wanted else self.group.id if self.group else None)
        if has_wanted or event.projects or event.images is not None:
            self._wanted = None

    def _take_in(self, event: Listed) -> None:
        """These are the groups, but for what was decided while they were formed."""
        self.is_read = True
        self.every, self.totals = event.groups, event.totals
        self._unlisted.difference_update(event.projects)
        if event.images is not None:
            self.images = event.images
        if self._settled:
            self._drop(self._settled)

    def _drop(self, names: Collection[str]) -> None:
        dropped = [group for group in self.every if group.id in names]
        if dropped:
            self.totals.without(dropped)
            self.every = tuple(group for group in self.every if group.id not in names)

    def _list_again(self, projects: Iterable[str] = ()) -> None:
        """List these projects, and those for which it was asked before and not done yet; once all are listed, while
        groups are being formed."""
        self._unlisted.update(projects)
        if self._unlisted and not self._is_forming:
            self.work(self._list, sorted(self._unlisted), group="list", exclusive=True)

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
        self.is_deciding, self._wanted = True, None
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
        names = frozenset(event.groups)  # of identical files there may be ten thousand
        projects = {group.project for group in self.every if group.id in names}
        self._settled.update(names)
        self._drop(names)
        self._take_in_held()
        self.narrow_down(None)
        self.remember()
        self._list_again(projects)  # other groups may have lost a member, too

    def _take_in_held(self) -> None:
        """What was listed while a verdict was carried out."""
        held, self._held = self._held, None
        if held is not None:
            self._take_in(held)

    @on(Failed)
    def _failed(self) -> None:
        self.is_deciding = False
        here = self.group.id if self.group else None
        self._take_in_held()
        self.narrow_down(here)

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
        here = self.group.id if self.group else None
        self._settled.difference_update(undone.groups if undone else ())
        self._take_in_held()
        self.narrow_down(here)
        if undone is None:
            self.notice("nothing left to undo")
            return
        self.decided = max(0, self.decided - len(undone.groups))
        self._wanted = undone.groups[0]
        files = "file is" if undone.restored == 1 else "files are"
        what = f"{undone.restored:,} {files} back" if undone.restored else "open again"
        self.status.last(("undone: ", "dim"), (what, "text"))
        self._list_again(undone.projects)
