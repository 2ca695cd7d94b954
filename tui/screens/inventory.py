"""The inventory: every image in a list that opens at once, the selected one pictured at the right.

The list holds ids only; what is known of an image is fetched by page as it comes into view. `/` takes a query, with
completion on Tab; an error in it is said below while the list stays as it was. The mix against what is recommended is
counted once the list stands, and again, ever more rarely, while the library grows. Refused files with their reasons
are one key away, the gaps another. Reads only; relies on `engine.library`.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.timer import Timer

from engine.errors import UsageError
from tui.actions import bindings
from tui.messages import EngineReady, LibraryGrew
from tui.screens import inventory_words as words
from tui.screens.inventory_filter import FilteredPage
from tui.screens.inventory_messages import (
    Accompanied,
    Counted,
    Listed,
    Misread,
    Mixed,
    Paged,
    Refreshed,
    Sort,
    Unlisted,
)
from tui.widgets.lines import Lines, Row, Span
from tui.widgets.preview import PreviewImage
from tui.widgets.rowlist import PAGE, RowList

if TYPE_CHECKING:
    from engine.library.distribution import Mix
    from engine.library.listing import Details
    from engine.library.model import Image, Inventory
    from tui.screens.inventory_messages import Ids

SORTS: dict[Sort, str] = {
    "name": "name",
    "taken": "capture time",
    "size": "file size",
    "resolution": "resolution",
    "project": "project",
}
GROWS_EVERY = 1.0  # seconds between looks at a library that a scan is filling
REST = 10  # times as long as listing or counting took, until it is done again for a library that grows
PAINTED_AFTER = 0.05  # seconds in which a page is painted; reading on at once would delay it
PREVIEW_AFTER = 0.08  # seconds that a row must stay selected before its picture is fetched


class InventoryScreen(FilteredPage):
    """Everything that was scanned."""

    place = "inventory"
    BINDINGS = bindings("inventory")

    def __init__(self) -> None:
        super().__init__()
        self.ids: Ids = ()
        self.filter = ""  # the query that the list answers; `asked` may be ahead of it
        self.sort: Sort = "name"
        self.inventory: Inventory | None = None
        self.mix: Mix | None = None
        self._mix_again_at = 0.0
        self._is_first_page = False
        self._took = 0.0  # seconds that the last list took
        self._soon: Timer | None = None
        self._is_listing = False
        self._must_list_again = False  # the library grew while a list was being read
        self._listed_sort: Sort | None = None  # the order of the list that stands; None before the first
        self._kept_image: int | None = None  # the image to come back to, until a list has it or has not

    def compose_body(self) -> ComposeResult:
        self.facts = Lines(id="facts")
        self.heads = Lines()
        self.rows = RowList(self._row, lambda index: int(self.ids[index]), id="images")
        self.picture = PreviewImage(id="selected")
        self.details = Lines(id="details")
        self.hollow = Lines(classes="empty")
        with Container(classes="body"):
            yield self.facts
            with Container(id="columns"):
                with Container(id="list"):
                    yield self.heads
                    yield self.rows
                with Container(id="side"):
                    yield self.picture
                    yield self.details
            yield self.hollow

    def on_mount(self) -> None:
        super().on_mount()
        self.say()

    @on(EngineReady)
    def _begin(self) -> None:
        kept = self.proof.views.get("inventory", {})
        self.filter = self.asked = str(kept.get("filter", ""))
        self.sort = cast("Sort", kept.get("sort")) if kept.get("sort") in SORTS else "name"
        self._await_list(kept.get("image"))

    def query_changed(self) -> None:
        self.workers.cancel_group(self, "mix")  # that of the query before
        self._await_list(self._selected_id())

    def _await_list(self, image_id: int | None) -> None:
        """List for a person, who is told if that takes a moment."""
        self.await_answer()
        self._list(image_id)

    def still_waiting(self) -> None:
        if self._listed_sort is None:
            self._show_list(*words.reading())
        self.say()

    def _show_list(self, *instead: Row) -> None:
        """The list, or what stands in its place."""
        self.query_one("#columns").display = not instead
        self.hollow.display = bool(instead)
        if instead:
            self.hollow.put(*instead)

    @on(Misread)
    def _unread(self, event: Misread) -> None:
        if event.filter == self.asked:
            self._without_list()

    @on(Unlisted)
    def _unlisted(self, event: Unlisted) -> None:
        if event.filter == self.asked:
            self._without_list()
            self.say()

    def _without_list(self) -> None:
        """The list that was asked for does not come: what stood there stays."""
        self._is_listing = False
        self.settle()
        if self._listed_sort is None:
            self._show_list(*words.unlisted(self.asked))

    def _list(self, image_id: int | None = None) -> None:
        self._is_listing, self._must_list_again = True, False
        self._kept_image = image_id if image_id is not None else self._kept_image
        self.work(self._ask, self.asked, self.sort, self._kept_image, group="list", exclusive=True)

    async def _ask(self, query: str, sort: Sort, image_id: int | None) -> None:
        try:
            await self._answer(query, sort, image_id)
        except Exception:
            self.post_message(Unlisted(query))
            raise

    async def _answer(self, query: str, sort: Sort, image_id: int | None) -> None:
        library = self.engine.library
        began = time.monotonic()
        is_new = not len(self.ids)
        images: list[Details] = []
        try:
            if is_new:
                # The first page by itself: half a million ids take a moment to come, and would delay it.
                first = await library.ids(query, sort, limit=PAGE)
                cursor = _place_of(first, image_id)
                if cursor is not None:
                    images = await library.details([int(number) for number in first])
                    took = time.monotonic() - began
                    is_whole = len(first) < PAGE
                    self.post_message(Listed(first, cursor, query, sort, took, is_whole=is_whole, images=images))
                    return
            ids = await library.ids(filter=query, sort=sort)
        except UsageError as error:
            self.post_message(Misread(query, error.message, error.remedy))
            if self.inventory is None:
                await self._figures()
            return
        took = time.monotonic() - began
        cursor = await asyncio.to_thread(_place_of, ids, image_id) or 0
        start = cursor - cursor % PAGE
        if is_new:
            images = await library.details([int(number) for number in ids[start : start + PAGE]])
        self.post_message(Listed(ids, cursor, query, sort, took, start=start, images=images))

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        if event.filter != self.asked or event.sort != self.sort:
            return
        if event.filter != self.filter:
            self.mix, self._mix_again_at = None, 0.0
        self.ids, self.filter, self.misread = event.ids, event.filter, ()
        self._took, self._listed_sort = event.seconds, event.sort
        self._is_listing, self._kept_image = False, None
        self.settle()
        # The whole list follows its first page: who has moved meanwhile stays there.
        cursor = self.rows.cursor if event.is_whole and self._is_first_page else event.cursor
        self._is_first_page = not event.is_whole
        self.rows.begin(len(event.ids), cursor)
        if event.images:
            self.rows.fill(event.start, event.images, self.rows.edition)
        if not len(event.ids):
            self.picture.clear()
        self._show_list(*(() if len(event.ids) else words.empty(self.filter)))
        self.say()
        self._selected()
        self.set_timer(PAINTED_AFTER, lambda: self._go_on(event.filter))

    def _go_on(self, query: str) -> None:
        """The page is painted: now for what takes a moment, the whole list first."""
        if query != self.asked:
            return
        if self._is_first_page:
            self._list()
            return
        if self._must_list_again:
            self._grew()
        if self.inventory is None:
            self.work(self._figures, group="figures", exclusive=True)
        if time.monotonic() >= self._mix_again_at:
            self.work(self._count, query, group="mix", exclusive=True)

    async def _count(self, query: str) -> None:
        began = time.monotonic()
        found = await self.engine.library.mix(query)
        self.post_message(Mixed(found, query, time.monotonic() - began))

    @on(Mixed)
    def _mixed(self, event: Mixed) -> None:
        if event.filter == self.filter:
            self.mix = event.mix
            self._mix_again_at = time.monotonic() + REST * event.seconds
            self.say()

    @on(RowList.Wanted)
    def _wanted(self, event: RowList.Wanted) -> None:
        event.stop()
        ids = [int(number) for number in self.ids[event.start : event.start + PAGE]]
        self.work(self._fetch, event.start, ids, event.edition)

    async def _fetch(self, start: int, ids: list[int], edition: int) -> None:
        self.post_message(Paged(start, await self.engine.library.details(ids), edition))

    async def _refresh(self, ids: list[int]) -> None:
        self.post_message(Refreshed(await self.engine.library.details(ids)))

    @on(Refreshed)
    def _refreshed(self, event: Refreshed) -> None:
        self.rows.renew({each.image.id: each for each in event.images})
        self._selected()

    @on(Paged)
    def _paged(self, event: Paged) -> None:
        self.rows.fill(event.start, event.images, event.edition)
        if event.start <= self.rows.cursor < event.start + PAGE:
            self._selected()

    @on(LibraryGrew)
    def _grew(self) -> None:
        self.calmly(self._look_again, max(GROWS_EVERY, REST * self._took))

    def _look_again(self) -> None:
        if self._is_listing:
            self._must_list_again = True  # a list that is broken off again and again would never come
        elif self.proof.engine is not None:
            self.work(self._figures, group="figures", exclusive=True)
            self._list(self._selected_id())
            top = max(0, round(self.rows.scroll_y))
            for start in range(top - top % PAGE, min(len(self.ids), top + self.rows.size.height), PAGE):
                # What is shown may have been studied since.
                ids = [int(number) for number in self.ids[start : start + PAGE]]
                self.work(self._refresh, ids)

    async def _figures(self) -> None:
        self.post_message(Counted(await self.engine.library.inventory()))

    @on(Counted)
    def _counted(self, event: Counted) -> None:
        self.inventory = event.inventory
        self.say()

    # -- drawing ----------------------------------------------------------------------------------------------------

    def say(self) -> None:
        dot: Span = ("  ·  ", "faint")
        found = self.inventory
        here: list[Span] = [("inventory", "strong bold")]
        if found is not None:
            counts = found.counts
            here += [dot, (f"{counts.images:,}", "strong"), (" image" + "s" * (counts.images != 1), "dim")]
            here += [dot, (f"{counts.projects:,}", "text"), (" project" + "s" * (counts.projects != 1), "dim")]
            if counts.refused:
                here += [dot, (f"{counts.refused:,}", "danger"), (" refused", "dim")]
            self._say_facts(found)
        self.top.here(*here)
        shown: tuple[Span, ...] = ()
        if self.misread:
            shown = self.misread
        elif self.hint and self.prompt.display:
            shown = self.hint
        elif self.is_late and self.asked != self.filter:
            asked: Span = (f"filter “{self.asked}”  ", "decided") if self.asked else ("every image  ", "text")
            shown = (asked, ("looking…", "dim"))
        elif self.filter:
            more = "+" if self._is_first_page else ""  # the rest is being read
            shown = ((f"filter “{self.filter}”  ", "decided"), (f"{len(self.ids):,}{more} shown", "dim"))
        self.status.last(*shown)
        is_plain = not self.misread and len(self.ids)
        is_sorting = self.is_late and self._listed_sort != self.sort
        sorting: Span = ("sorting by " if is_sorting else "sorted by ", "dim")
        self.status.fact(*((sorting, (SORTS[self.sort], "text")) if is_plain else ()))
        offered = ["inventory.filter", "inventory.open", "inventory.sort"] if len(self.ids) or self.filter else []
        offered += ["inventory.gaps"] if len(self.ids) else []
        offered += ["inventory.refused"] if found is not None and found.counts.refused else []
        self.offer([*offered, "inventory.clear"] if self.filter else offered)
        self.heads.put(words.heads(self._widths()))

    def _say_facts(self, found: Inventory) -> None:
        """The panel over the list; formats and resolutions stand in until everything is counted."""
        if self.mix is not None and self.mix.images:
            self.facts.put(*words.facts(self.mix, self.size.width, self.is_narrow))
        elif found.counts.images:
            self.facts.put(*words.quick_facts(found, self.is_narrow))
        else:
            self.facts.put()

    def _widths(self) -> tuple[int, ...]:
        """The columns of the list, the same with and without a scrollbar."""
        return words.widths(max(20, self.rows.outer_size.width - 1) - 4)

    def _row(self, value: object, selected: bool) -> Row:
        return words.image_row(cast("Details", value), self._widths(), selected)

    def _selected_id(self) -> int | None:
        return int(self.ids[self.rows.cursor]) if len(self.ids) else self._kept_image

    @on(RowList.Moved)
    def _moved(self, event: RowList.Moved) -> None:
        event.stop()
        self._selected()

    def _selected(self) -> None:
        """Show the selected image, once the cursor rests."""
        self.remember()
        if self._soon is not None:
            self._soon.stop()
        self._soon = self.set_timer(PREVIEW_AFTER, self._picture)

    def _picture(self) -> None:
        one = self._one()
        if one is None:
            return
        image = one.image
        self.picture.show(image.path)
        self.details.put(*words.details(one, (), self.is_narrow))
        around = [self.rows.value(self.rows.cursor + step) for step in (1, -1)]
        paths = [cast("Details", value).image.path for value in around if value is not None]
        self.picture.prefetch(paths)
        self.work(self._companions, image.id, group="companions", exclusive=True)

    async def _companions(self, image_id: int) -> None:
        found = await self.engine.library.companions([image_id])
        self.post_message(Accompanied(image_id, found.get(image_id, [])))

    @on(Accompanied)
    def _accompanied(self, event: Accompanied) -> None:
        one = self._one()
        if one is not None and one.image.id == event.image_id:
            self.details.put(*words.details(one, event.paths, self.is_narrow))

    def _one(self) -> Details | None:
        return cast("Details | None", self.rows.value(self.rows.cursor)) if self.rows.count else None

    def _image(self) -> Image | None:
        one = self._one()
        return None if one is None else one.image

    def relaid(self) -> None:
        self.say()
        self.rows.refresh()
        self._selected()

    # -- actions ------------------------------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        self.rows.move(self.rows.cursor + step)

    def action_page(self, step: int) -> None:
        self.rows.move(self.rows.cursor + step * max(1, self.rows.size.height - 1))

    def action_edge(self, end: int) -> None:
        self.rows.move(0 if end < 0 else self.rows.count - 1)

    def action_sort(self) -> None:
        order = list(SORTS)
        self.sort = order[(order.index(self.sort) + 1) % len(order)]
        self._await_list(self._selected_id())

    def action_zoom(self) -> None:
        image = self._image()
        if image is not None:
            from tui.screens.zoom import ZoomScreen

            self.proof.push_screen(ZoomScreen((image,), 0))

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        self.action_zoom()

    def action_refused(self) -> None:
        if self.proof.engine is not None:
            from tui.screens.refused import RefusedScreen

            self.proof.push_screen(RefusedScreen())

    def action_gaps(self) -> None:
        if self.proof.engine is None or not len(self.ids):
            return
        from tui.screens.gaps import GapsScreen

        def chosen(query: str | None) -> None:
            if query:
                self.use(words.narrowed(self.filter, query))

        self.proof.push_screen(GapsScreen(self.filter), chosen)

    def view_state(self) -> dict[str, Any]:
        return {"filter": self.filter, "sort": self.sort, "image": self._selected_id()}


def _place_of(ids: Ids, image_id: int | None) -> int | None:
    """Where an image is in the list; None when it is not there, the first place when none is meant. Half a million ids
    take a moment: not on the loop."""
    import numpy as np

    if image_id is None:
        return 0
    found = np.flatnonzero(np.asarray(ids) == image_id)
    return int(found[0]) if found.size else None
