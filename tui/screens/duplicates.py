"""The duplicates screen: one group side by side, the one to keep marked, a verdict by one key.

Groups come from `engine.duplicates`; what is known is shown at once, what is new is searched for behind it. A verdict
is marked at once, carried out by a worker, and only then the next group comes. Nothing is ever deleted: the others move
to the trash folder, and `u` brings them back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from engine.errors import ProofsheetError
from tui.actions import bindings, footer
from tui.messages import EngineReady, RunEnded, RunMoved
from tui.screens import duplicates_words as words
from tui.screens.base import Page
from tui.screens.duplicates_messages import Done, Failed, Listed, Reversed
from tui.screens.layout import plan_for
from tui.screens.ranking_words import PLACES, paging
from tui.widgets.cell import Cell, Face, Mark
from tui.widgets.lines import Lines
from tui.widgets.preview import PreviewImage

if TYPE_CHECKING:
    from engine.library.duplicates import Group, Member

LIST_WIDTH = 36  # as in the style sheet
AGAIN_AFTER = 1.0  # seconds after a scan


class DuplicatesScreen(Page):
    """Keep one of each group."""

    place = "duplicates"
    BINDINGS = bindings("duplicates")

    def __init__(self) -> None:
        super().__init__()
        self.every: tuple[Group, ...] = ()
        self.groups: list[Group] = []
        self.index = 0
        self.cursor = 0
        self.kind = ""
        self.images: int | None = None  # None until the first search is over
        self.decided = 0
        self.is_deciding = False
        self.is_merging = False
        self._wanted: str | None = None  # the group to come back to
        self._is_searching = False
        self._must_search_again = False

    def compose_body(self) -> ComposeResult:
        self.list = Lines(id="groups")
        self.cells = [Cell(place) for place in range(PLACES)]
        self.large = PreviewImage(id="large")
        self.reasons = Lines(id="reasons")
        self.grid = Container(*self.cells, self.reasons, id="grid")
        self.hollow = Lines(classes="empty")
        self.stage = Container(self.large, self.grid, id="stage")
        self.body = Container(self.list, self.stage, self.hollow, classes="body")
        yield self.body

    def on_mount(self) -> None:
        self._show()
        super().on_mount()

    # -- groups -------------------------------------------------------------------------------------------------------

    @on(EngineReady)
    def _begin(self) -> None:
        kept = self.proof.views.get("duplicates", {})
        self.kind = kept.get("kind", "") if kept.get("kind", "") in words.FILTERS else ""
        self._wanted = kept.get("group")
        self.work(self._search, group="search")

    async def _search(self) -> None:
        """What is known at once, then what is new. One search at a time: what comes meanwhile is looked at after it."""
        self._must_search_again = True
        if self._is_searching:
            return
        self._is_searching = True
        try:
            known = await self.engine.duplicates.groups()
            if known.groups:
                self.post_message(Listed(known, is_whole=False))
            while self._must_search_again:
                self._must_search_again = False
                self.post_message(Listed(await self.engine.duplicates.find(), is_whole=True))
        finally:
            self._is_searching = False

    async def _list(self) -> None:
        self.post_message(Listed(await self.engine.duplicates.groups(), is_whole=True))

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        if self.is_deciding:
            return  # the list comes again with the verdict
        self.every = event.found.groups
        if event.is_whole:
            self.images = event.found.images
        self._narrow_down(self._wanted or (self.group.id if self.group else None))
        self._wanted = None

    def _narrow_down(self, keep: str | None) -> None:
        """The groups of the kind that is asked for; the one on the table stays there, if it is one of them."""
        before = self.group
        self.groups = [group for group in self.every if self.kind in ("", group.kind)]
        names = [group.id for group in self.groups]
        self.index = names.index(keep) if keep in names else min(self.index, max(0, len(names) - 1))
        if before is None or self.group is None or before.id != self.group.id:
            self._turned()
        self._show()

    @property
    def group(self) -> Group | None:
        """The group on the table."""
        return self.groups[self.index] if self.index < len(self.groups) else None

    @property
    def members(self) -> Sequence[Member]:
        """The images that have a place on the screen."""
        first = self.cursor // PLACES * PLACES
        return self.group.members[first : first + PLACES] if self.group else ()

    def _turned(self) -> None:
        self.cursor, self.is_merging = 0, False
        self.large.clear()

    # -- drawing ------------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        group = self.group
        self.stage.display, self.hollow.display = group is not None, group is None
        self.list.display = group is not None and not self.is_narrow
        if group is None:
            watch = self.proof.run_watch
            active = watch.active() if watch else []
            is_open = self.proof.engine is not None
            self.hollow.put(
                *words.empty(is_open, active, self.images, self.kind, bool(self.every and self.kind), self.decided)
            )
        else:
            self._arrange()
            self._faces()
        self._lines()

    def _arrange(self) -> None:
        """Give each image its place."""
        members = self.members
        for cell in self.cells:
            cell.display = cell.place < len(members)
        if self.is_narrow:
            tall = len(members) * 5 <= self.body.size.height
            self.grid.styles.width, self.grid.styles.height = None, "100%"
            self.reasons.display = not tall
            for cell in self.cells:
                cell.stand("strip" if tall else "short")
            return
        self.reasons.display = False
        width, height = self.body.size
        sizes = [(member.image.width, member.image.height) for member in members]
        plan = plan_for(sizes, max(20, width - LIST_WIDTH), height, self.proof.terminal.cell)
        self.grid.styles.grid_size_columns, self.grid.styles.grid_size_rows = plan.columns, plan.rows
        self.grid.styles.width, self.grid.styles.height = plan.width, plan.height
        for cell in self.cells:
            cell.stand("column")

    def _faces(self) -> None:
        group = self.group
        if group is None:
            return
        first = self.cursor // PLACES * PLACES
        faces = [self._face(group, member, first + place) for place, member in enumerate(self.members)]
        for cell, face in zip_longest(self.cells, faces):
            cell.wear(face)
        if self.is_narrow:
            self.large.show(group.members[self.cursor].image.path)
            self.reasons.put(*words.below(group, self.body.size.height - 2 * len(faces)))

    def _face(self, group: Group, member: Member, index: int) -> Face:
        is_star = index == 0
        kept = group.members[self.cursor]
        differs = words.differences(member, kept, group.kind)
        reasons = group.reason if index == self.cursor else f"{group.reason} · {differs}"
        return Face(
            path=member.image.path,
            number=index % PLACES + 1,
            label=member.image.name,
            details=words.details(member),
            is_marked=index == self.cursor,
            is_suggested=is_star,
            reasons=reasons if is_star else "",
            differences="keep this one" if index == self.cursor else differs,
        )

    def _lines(self) -> None:
        group, narrow = self.group, self.is_narrow
        self.top.here(
            *words.here(self.index, self.groups, self.kind, narrow),
            *(paging(self.cursor, len(group.members)) if group else ()),
        )
        self.top.there(*words.summary(self.every, narrow))
        offered = words.offer(group.offered, self.is_merging) if group else ()
        self.status.fact(*(offered or words.spare(self.every)))
        room = max(1, self.list.size.height - 1)
        self.list.put(*words.group_rows(self.groups, self.index, room))
        self.offer(self._offered(), words.labels(self.cursor))

    def _offered(self) -> list[str]:
        group = self.group
        if group is None:
            return [
                *(["duplicates.undo"] if self.decided else []),
                *(["duplicates.filter"] if self.every else []),
                *(["duplicates.search"] if self.images is not None else []),
            ]
        left_out = set() if group.offered else {"duplicates.merge"}
        if not any(one.kind == "exact" for one in self.every):
            left_out.add("duplicates.bulk")
        return [action.id for action in footer("duplicates") if action.id not in left_out]

    def relaid(self) -> None:
        for cell in self.cells:
            cell.wear(None)
        self._show()
        self.call_after_refresh(self._show)

    # -- moving -------------------------------------------------------------------------------------------------------

    def action_keep(self, step: int) -> None:
        group = self.group
        if group is not None and not self.is_deciding and 0 <= self.cursor + step < len(group.members):
            self._mark_to_keep(self.cursor + step)

    def action_number(self, number: int) -> None:
        index = self.cursor // PLACES * PLACES + number - 1
        if self.group is not None and not self.is_deciding and index < len(self.group.members):
            self._mark_to_keep(index)

    def _mark_to_keep(self, index: int) -> None:
        self.cursor = index
        self._show()

    @on(Cell.Touched)
    def _touched(self, event: Cell.Touched) -> None:
        self.action_number(event.cell.place + 1)
        if event.twice:
            self.action_approve()

    def action_step(self, step: int) -> None:
        if not self.is_deciding and 0 <= self.index + step < len(self.groups):
            self.index += step
            self._turned()
            self._show()
            self.remember()

    def action_filter(self) -> None:
        if self.is_deciding or self.images is None:
            return
        self.kind = words.FILTERS[(words.FILTERS.index(self.kind) + 1) % len(words.FILTERS)]
        self.notice(words.SHOWN[self.kind])
        self._narrow_down(None)
        self.remember()

    def action_merge(self) -> None:
        if self.group is not None and self.group.offered:
            self.is_merging = not self.is_merging
            self._lines()

    def action_look(self, compare: bool) -> None:
        group = self.group
        if group is None or self.is_deciding:
            return
        from tui.screens.zoom import ZoomScreen

        images = tuple(member.image for member in group.members)
        rival = 0 if self.cursor else 1
        self.proof.push_screen(ZoomScreen(images, self.cursor, rival=rival, compare=compare, star=0), self._looked)

    def _looked(self, answer: Any) -> None:
        """Back from the zoom: what was shown there is marked."""
        if answer is not None and self.group is not None:
            self._mark_to_keep(answer[0])

    # -- verdicts -----------------------------------------------------------------------------------------------------

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

    async def _carry_out(self, act: Any, done: Done) -> None:
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
        self._narrow_down(None)
        self.remember()
        # Other groups may have lost a member, too.
        self.work(self._list, group="list", exclusive=True)

    @on(Failed)
    def _failed(self) -> None:
        self.is_deciding = False
        self._show()

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

    # -- what comes from behind ---------------------------------------------------------------------------------------

    def action_search(self) -> None:
        if self.proof.engine is not None:
            self.notice("looking for duplicates…")
            self.work(self._search, group="search")

    @on(RunMoved)
    def _moved(self) -> None:
        if self.group is None:
            self._show()

    @on(RunEnded)
    def _ended(self, event: RunEnded) -> None:
        if event.activity.run.kind == "scan" and self.proof.engine is not None:
            self.calmly(lambda: self.work(self._search, group="search"), AGAIN_AFTER)

    def view_state(self) -> dict[str, Any]:
        return {"group": self.group.id if self.group else None, "kind": self.kind}
