"""The inventory: every image in a list that opens at once, the selected one pictured at the right.

The list holds ids only; names and sizes are fetched by page as they come into view. Filtering and sorting ask the
library again (`/`, `s`). Refused files with their reasons are one key away. Reads only; relies on `engine.library`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.timer import Timer

from tui.actions import bindings
from tui.messages import EngineReady, LibraryGrew
from tui.screens.base import Page
from tui.screens.ranking_words import megabytes
from tui.widgets.chrome import bar
from tui.widgets.lines import Lines, Row, Span, clip, row
from tui.widgets.preview import PreviewImage
from tui.widgets.rowlist import PAGE, RowList

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from engine.library.model import Image, Inventory

    Ids = Sequence[int] | npt.NDArray[np.int64]

Sort = Literal["name", "taken", "size", "resolution", "project"]
SORTS: dict[Sort, str] = {
    "name": "name",
    "taken": "capture time",
    "size": "file size",
    "resolution": "resolution",
    "project": "project",
}
FILTER_AFTER = 0.15  # seconds after the last key of a filter
GROWS_EVERY = 1.0  # seconds between looks at a library that a scan is filling
PREVIEW_AFTER = 0.08  # seconds that a row must stay selected before its picture is fetched


@dataclass
class Listed(Message, bubble=False):
    """The ids that the filter and the order give."""

    ids: Ids
    cursor: int


@dataclass
class Paged(Message, bubble=False):
    """One page of images."""

    start: int
    images: list[Image]
    edition: int


@dataclass
class Counted(Message, bubble=False):
    """The library in figures."""

    inventory: Inventory


@dataclass
class Accompanied(Message, bubble=False):
    """The files that travel with an image."""

    image_id: int
    paths: list[Path]


class InventoryScreen(Page):
    """Everything that was scanned."""

    place = "inventory"
    BINDINGS = bindings("inventory")

    def __init__(self) -> None:
        super().__init__()
        self.ids: Ids = ()
        self.filter = ""
        self.sort: Sort = "name"
        self.inventory: Inventory | None = None
        self._soon: Timer | None = None
        self._typing: Timer | None = None

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
        self._say()

    @on(EngineReady)
    def _begin(self) -> None:
        kept = self.proof.views.get("inventory", {})
        self.filter = str(kept.get("filter", ""))
        self.sort = cast("Sort", kept.get("sort")) if kept.get("sort") in SORTS else "name"
        self._list(kept.get("image"))
        self.work(self._figures, group="figures", exclusive=True)

    def _list(self, image_id: int | None = None) -> None:
        self.work(self._ask, image_id, group="list", exclusive=True)

    async def _ask(self, image_id: int | None) -> None:
        if not len(self.ids) and image_id is None:
            # The first page at once: half a million ids take a moment to come.
            self.post_message(Listed(await self.engine.library.ids(self.filter, self.sort, limit=PAGE), 0))
        ids = await self.engine.library.ids(filter=self.filter, sort=self.sort)
        cursor = 0
        if image_id is not None:
            cursor = await asyncio.to_thread(_place_of, ids, image_id)
        self.post_message(Listed(ids, cursor))

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        self.ids = event.ids
        self.rows.begin(len(event.ids), event.cursor)
        empty = not len(event.ids)
        self.query_one("#columns").display = not empty
        self.hollow.display = empty
        if empty:
            self.picture.clear()
            self.hollow.put(*_empty(self.filter))
        self._say()
        self._selected()

    @on(RowList.Wanted)
    def _wanted(self, event: RowList.Wanted) -> None:
        event.stop()
        ids = [int(number) for number in self.ids[event.start : event.start + PAGE]]
        self.work(self._fetch, event.start, ids, event.edition)

    async def _fetch(self, start: int, ids: list[int], edition: int) -> None:
        self.post_message(Paged(start, await self.engine.library.page(ids), edition))

    @on(Paged)
    def _paged(self, event: Paged) -> None:
        self.rows.fill(event.start, event.images, event.edition)
        if event.start <= self.rows.cursor < event.start + PAGE:
            self._selected()

    @on(LibraryGrew)
    def _grew(self) -> None:
        self.calmly(self._look_again, GROWS_EVERY)

    def _look_again(self) -> None:
        if self.proof.engine is not None:
            self.work(self._figures, group="figures", exclusive=True)
            self._list(self._selected_id())

    async def _figures(self) -> None:
        self.post_message(Counted(await self.engine.library.inventory()))

    @on(Counted)
    def _counted(self, event: Counted) -> None:
        self.inventory = event.inventory
        self._say()

    # -- drawing ----------------------------------------------------------------------------------------------------

    def _say(self) -> None:
        dot: Span = ("  ·  ", "faint")
        found = self.inventory
        here: list[Span] = [("inventory", "strong bold")]
        if found is not None:
            counts = found.counts
            here += [dot, (f"{counts.images:,}", "strong"), (" images", "dim")]
            here += [dot, (f"{counts.projects:,}", "text"), (" project" + "s" * (counts.projects != 1), "dim")]
            if counts.refused:
                here += [dot, (f"{counts.refused:,}", "danger"), (" refused", "dim")]
            self.facts.put(*(_facts(found, self.size.width, self.is_narrow) if counts.images else ()))
        self.top.here(*here)
        shown = ((f"filter “{self.filter}”  ", "decided"), (f"{len(self.ids):,} shown", "dim")) if self.filter else ()
        self.status.last(*shown)
        self.status.fact(("sorted by ", "dim"), (SORTS[self.sort], "text"))
        offered = ["inventory.filter", "inventory.open", "inventory.sort"] if len(self.ids) or self.filter else []
        offered += ["inventory.refused"] if found is not None and found.counts.refused else []
        self.offer([*offered, "inventory.clear"] if self.filter else offered)
        self.heads.put(_columns(("name", "project", "taken", "size", "format", "file"), self._widths(), "dim"))

    def _widths(self) -> tuple[int, ...]:
        """Columns of the list; those of least use go first when it is narrow."""
        rest = max(20, self.rows.scrollable_content_region.width or 60) - 4
        project = 12 if rest >= 60 else 0
        taken = 16 if rest >= 78 else 0
        size = 11 if rest >= 38 else 0
        kind = 5 if rest >= 104 else 0
        weight = 8 if rest >= 96 else 0
        used = sum(column + 2 for column in (project, taken, size, kind, weight) if column)
        return (max(10, rest - used), project, taken, size, kind, weight)

    def _row(self, value: object, selected: bool) -> Row:
        image = cast("Image", value)
        taken = (image.taken_at or "").replace("T", " ")[:16]
        cells = (image.name, image.project, taken, f"{image.width}×{image.height}", image.format, megabytes(image.size))
        return _columns(cells, self._widths(), "strong on raised" if selected else "text", selected)

    def _selected_id(self) -> int | None:
        return int(self.ids[self.rows.cursor]) if len(self.ids) else None

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
        image = self._image()
        if image is None:
            return
        self.picture.show(image.path)
        self.details.put(*_details(image, (), self.is_narrow))
        around = [self.rows.value(self.rows.cursor + step) for step in (1, -1)]
        paths = [cast("Image", value).path for value in around if value is not None]
        self.picture.prefetch(paths)
        self.work(self._companions, image.id, group="companions", exclusive=True)

    async def _companions(self, image_id: int) -> None:
        found = await self.engine.library.companions([image_id])
        self.post_message(Accompanied(image_id, found.get(image_id, [])))

    @on(Accompanied)
    def _accompanied(self, event: Accompanied) -> None:
        image = self._image()
        if image is not None and image.id == event.image_id:
            self.details.put(*_details(image, event.paths, self.is_narrow))

    def _image(self) -> Image | None:
        return cast("Image | None", self.rows.value(self.rows.cursor)) if self.rows.count else None

    def relaid(self) -> None:
        self._say()
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
        self._list(self._selected_id())

    def action_filter(self) -> None:
        before = self.filter

        def typed(text: str) -> None:
            if self._typing is not None:
                self._typing.stop()
            self._typing = self.set_timer(FILTER_AFTER, lambda: self._use(text))

        self.prompt.ask("filter", before, lambda text: self._use(before if text is None else text), typed)

    def _use(self, text: str) -> None:
        if self._typing is not None:
            self._typing.stop()
        if text != self.filter:
            self.filter = text
            self._list(self._selected_id())

    def action_clear_filter(self) -> None:
        if not self.banner.close():
            self._use("")

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

    def view_state(self) -> dict[str, Any]:
        return {"filter": self.filter, "sort": self.sort, "image": self._selected_id()}


def _place_of(ids: Ids, image_id: int) -> int:
    """Where an image is in the list; 0 when it is not there. Half a million ids take a moment: not on the loop."""
    import numpy as np

    found = np.flatnonzero(np.asarray(ids) == image_id)
    return int(found[0]) if found.size else 0


def _columns(cells: Sequence[str], widths: Sequence[int], ink: str, selected: bool = False) -> Row:
    """One row of the list: name and project to the left, figures to the right of their columns."""
    ground = " on raised" if selected else ""
    spans: list[Span] = [(" ▸ " if selected else "   ", "suggest" + ground)]
    for place, (text, width) in enumerate(zip(cells, widths, strict=True)):
        if not width:
            continue
        fitted = clip(text, width)
        spans.append((fitted.ljust(width) if place < 3 else fitted.rjust(width), ink if place == 0 else "dim" + ground))
        spans.append(("  ", "dim" + ground))
    return Row(tuple(spans[:-1]), ink="dim" + ground)


def _facts(found: Inventory, width: int, narrow: bool) -> list[Row]:
    """Formats and resolutions as bars, largest share first."""
    rows = []
    for title, shares in (("formats", found.formats), ("resolution", found.resolutions)):
        total = sum(count for _, count in shares) or 1
        spans: list[Span] = [(f"   {title:<12}", "dim")]
        for label, count in shares[: 3 if narrow else 5]:
            part = count / total
            spans += [(label.upper() if title == "formats" else label, "text"), (" ", "dim")]
            spans += [
                *bar(part, 4 if narrow else 10, "dim"),
                (f" {part:.0%}".replace("%", " %"), "dim"),
                ("   ", "dim"),
            ]
        rows.append(Row(tuple(spans)))
    del width
    return rows[:1] if narrow else rows


def _details(image: Image, companions: Sequence[Path], narrow: bool) -> list[Row]:
    """What is known of the selected image."""
    taken = (image.taken_at or "unknown").replace("T", " ")[:19]
    rows = [
        row(),
        row((image.name, "strong")),
        row((image.project, "text"), right=[(image.format.upper(), "dim")]),
        row((f"{image.width}×{image.height}", "text"), right=[(megabytes(image.size), "dim")]),
        row((taken, "text"), right=[] if narrow or not image.taken_at_source else [(image.taken_at_source, "faint")]),
        row((str(image.path.parent), "faint")),
    ]
    if companions:
        names = ", ".join(path.suffix or path.name for path in companions)
        rows.append(row((f"+ {names}", "decided"), (" travels with it", "dim")))
    return rows


def _empty(filtered: str) -> list[Row]:
    if filtered:
        return [
            row(("Nothing matches ", "text"), (f"“{filtered}”.", "strong")),
            row(("esc", "strong bold"), ("  show every image again", "dim")),
        ]
    return [
        row(("No images yet.", "strong")),
        row(("Press ", "text"), ("o", "strong bold"), (" to scan a folder.", "text")),
    ]
