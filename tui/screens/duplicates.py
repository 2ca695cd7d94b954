"""The duplicates screen: one group side by side, the one to keep marked, a verdict by one key.

Groups come from `engine.duplicates`; what is known is shown at once, what is new is searched for behind it. A verdict
is marked at once, carried out by a worker, and only then the next group comes. Nothing is ever deleted: the others move
to the trash folder, and `u` brings them back.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from tui.actions import bindings, footer
from tui.messages import EngineReady, RunEnded, RunMoved
from tui.screens import duplicates_words as words
from tui.screens.duplicates_deciding import Deciding
from tui.screens.layout import plan_for
from tui.screens.ranking_words import PLACES, paging
from tui.widgets.cell import Cell, Face
from tui.widgets.lines import Lines, clip_middle
from tui.widgets.preview import PreviewImage

if TYPE_CHECKING:
    from engine.library.duplicates import Found, Group, Member

LIST_WIDTH = 36  # as in the style sheet
_STRIP_NAME = 18  # cells for a name beside the large picture
AGAIN_AFTER = 1.0  # seconds after a scan


class DuplicatesScreen(Deciding):
    """Keep one of each group."""

    place = "duplicates"
    BINDINGS = bindings("duplicates")

    def __init__(self) -> None:
        super().__init__()
        self.kind = ""
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
        self.show()
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
            found = await self._form()
            while self._must_search_again:
                self._must_search_again = False
                if await self.engine.duplicates.look():
                    found = await self._form()
                await self._tell(found.groups, images=found.images)
            self._is_forming = False
            self._list_again()
        finally:
            self._is_searching = self._is_forming = False

    async def _form(self) -> Found:
        """List the groups as they are formed, the first at once; a list that is there stands until then."""
        self._is_forming = True
        self._settled.clear()
        is_growing = not self.every
        async for found in self.engine.duplicates.portions():
            if is_growing:
                await self._tell(found.groups)
        return found

    def narrow_down(self, keep: str | None) -> None:
        """The groups of the kind that is asked for; the one on the table stays there, if it is one of them."""
        before = self.group
        self.groups = [group for group in self.every if self.kind in ("", group.kind)]
        names = [group.id for group in self.groups]
        self.index = names.index(keep) if keep in names else min(self.index, max(0, len(names) - 1))
        if before is None or self.group is None or before.id != self.group.id:
            self._turned()
        self.show()

    @property
    def members(self) -> Sequence[Member]:
        """The images that have a place on the screen."""
        first = self.cursor // PLACES * PLACES
        return self.group.members[first : first + PLACES] if self.group else ()

    def _turned(self) -> None:
        self.cursor, self.is_merging = 0, False
        self.large.clear()

    # -- drawing ------------------------------------------------------------------------------------------------------

    def show(self) -> None:
        group = self.group
        self.stage.display, self.hollow.display = group is not None, group is None
        self.list.display = group is not None and not self.is_narrow
        if group is None:
            watch = self.proof.run_watch
            active = watch.active() if watch else []
            self.hollow.put(
                *words.empty(self.is_read, active, self.images, self.kind, bool(self.every and self.kind), self.decided)
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
            label=clip_middle(member.image.name, _STRIP_NAME) if self.is_narrow else member.image.name,
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
        self.top.there(*words.summary(self.totals, narrow))
        offered = words.offer(group.offered, self.is_merging) if group else ()
        self.status.fact(*(offered or words.spare(self.totals)))
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
        if not self.totals.kinds["exact"]:
            left_out.add("duplicates.bulk")
        return [action.id for action in footer("duplicates") if action.id not in left_out]

    def relaid(self) -> None:
        for cell in self.cells:
            cell.wear(None)
        self.show()
        self.call_after_refresh(self.show)

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
        self.show()

    @on(Cell.Touched)
    def _touched(self, event: Cell.Touched) -> None:
        self.action_number(event.cell.place + 1)
        if event.twice:
            self.action_approve()

    def action_step(self, step: int) -> None:
        if not self.is_deciding and 0 <= self.index + step < len(self.groups):
            self.index += step
            self._wanted = None
            self._turned()
            self.show()
            self.remember()

    def action_filter(self) -> None:
        if self.is_deciding or not self.is_read:
            return
        self.kind = words.FILTERS[(words.FILTERS.index(self.kind) + 1) % len(words.FILTERS)]
        self.notice(words.SHOWN[self.kind])
        self._wanted = None
        self.narrow_down(None)
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

    # -- what comes from behind ---------------------------------------------------------------------------------------

    def action_search(self) -> None:
        if self.proof.engine is not None:
            self.notice("looking for duplicates…")
            self.work(self._search, group="search")

    @on(RunMoved)
    def _moved(self) -> None:
        if self.group is None:
            self.show()

    @on(RunEnded)
    def _ended(self, event: RunEnded) -> None:
        if event.activity.run.kind == "scan" and self.proof.engine is not None:
            self.calmly(lambda: self.work(self._search, group="search"), AGAIN_AFTER)

    def view_state(self) -> dict[str, Any]:
        return {"group": self.group.id if self.group else None, "kind": self.kind}
