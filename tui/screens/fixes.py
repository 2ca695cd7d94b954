"""The fixes screen: what recurs at the left, and at the right the evidence, the change, and how sure it is.

Everything goes through `engine.repair`: the screen decides nothing by itself, and edits no file. A fix is applied when
a key says so, with the tests run in place; `u` takes it back, next month too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message

from tui.actions import bindings
from tui.messages import EngineReady
from tui.screens.fixes_deciding import IN_PLACE, Deciding
from tui.screens.fixes_diff import CONTEXT, DiffRow, diff_rows, hunk_keys
from tui.screens.fixes_words import Item, about, list_rows, title
from tui.widgets.chrome import fold
from tui.widgets.lines import Lines, row, rule

if TYPE_CHECKING:
    from engine.repair.fix import Fix
    from engine.repair.groups import Group

OPEN = ("proposed", "proven", "rolled-back")
LIST_ROWS = 6  # of the narrow layout, at the most
BESIDE_FROM = 150  # columns of the terminal from which old and new stand side by side at first


@dataclass
class Shown(Message, bubble=False):
    """What recurs, and every fix."""

    groups: list[Group]
    fixes: list[Fix]


class FixesScreen(Deciding):
    """Errors that recur, and what would mend them."""

    place = "fixes"
    BINDINGS = bindings("fixes")

    def __init__(self) -> None:
        super().__init__()
        self.side_by_side: bool | None = None
        self.scrolled = 0
        self.is_loaded = False
        self._is_fresh = True
        self._rows: list[DiffRow] = []
        self._room = 1  # rows for the change

    def compose_body(self) -> ComposeResult:
        self.list = Lines(id="fix-list")
        self.view = Lines(id="fix-view")
        with Container(classes="body"), Container(id="fixes"):
            yield self.list
            yield self.view

    def on_mount(self) -> None:
        super().on_mount()
        self._draw()

    @on(EngineReady)
    def _begin(self) -> None:
        kept = self.proof.views.get("fixes", {})
        self._root = str(kept.get("root") or "")
        self._wanted = kept.get("shown")
        self.work(self._fetch, group="fetch", exclusive=True)

    async def _fetch(self) -> None:
        repair = self.engine.repair
        self.post_message(Shown(await repair.groups(), await repair.fixes.every()))

    @on(Shown)
    def _shown(self, event: Shown) -> None:
        before, fix_before = self.item.key if self.item else None, self.fix
        by_group: dict[str, list[Fix]] = {}
        for fix in event.fixes:
            if fix.state != "edited":
                for id_ in fix.groups:
                    by_group.setdefault(id_, []).append(fix)
        self.items = []
        for group in event.groups:
            own = by_group.get(group.id, [])
            self.items += [Item(group, fix) for fix in own]
            if not own and group.is_recurring:
                self.items.append(Item(group, None))
        self.is_loaded = True
        here = next((n for n, item in enumerate(self.items) if self._wanted in (item.key, item.fix_id)), None)
        self.cursor = self.cursor if here is None else here
        self.cursor = max(0, min(self.cursor, len(self.items) - 1))
        if not _is_as_marked(fix_before, self.fix):
            self.marked.clear()
        self._is_fresh = self._is_fresh or (self.item.key if self.item else None) != before
        is_fresh = self._is_fresh
        self._draw()
        self._is_fresh = is_fresh  # the list may have become longer, and the room for the rest less
        self.call_after_refresh(self._draw)

    # -- drawing ----------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        self.top.here(*title(self.items))
        if not self.items:
            self._draw_nothing()
            return
        width, height = self.list.size.width, self.list.size.height
        if self.is_narrow:
            height = min(LIST_ROWS, len(self.items))
        self.list.styles.height = height if self.is_narrow else "100%"
        self.list.put(*list_rows(self.items, self.cursor, height, width, self.is_narrow))
        item = self.items[self.cursor]
        width, height = max(20, self.view.size.width), self.view.size.height
        why_none = self.reasons.get(item.group.id, "no fix is proposed; s looks for one in a project's folder")
        head = [*([rule()] if self.is_narrow else []), *about(item, why_none, width, self.is_narrow)]
        self._rows = []
        if item.fix is not None:
            keys = hunk_keys(item.fix.edits)
            self.at_hunk = max(0, min(self.at_hunk, len(keys) - 1))
            beside = self.side_by_side if self.side_by_side is not None else self.size.width >= BESIDE_FROM
            current = keys[self.at_hunk] if len(keys) > 1 else None
            self._rows = diff_rows(item.fix.edits, width, side_by_side=beside, current=current, marked=self.marked)
            head.append(row("") if not self.is_narrow else rule())
        room = self._room = max(1, height - len(head))
        if self._is_fresh:
            self._is_fresh = False
            self.scrolled = self._first_hunk(room)
        self.scrolled = max(0, min(self.scrolled, len(self._rows) - room))
        self.view.put(*head, *(one.row for one in self._rows[self.scrolled : self.scrolled + room]))
        self.offer(self._offered())

    def _first_hunk(self, room: int) -> int:
        """How far to scroll for the first hunk to be in sight: as little as will do, with a line before it."""
        starts = [number for number, one in enumerate(self._rows) if one.starts]
        if not starts:
            return 0
        end = starts[1] if len(starts) > 1 else len(self._rows) - CONTEXT
        return 0 if end <= room else max(0, min(end - room, starts[0] - 1))

    def _draw_nothing(self) -> None:
        self.list.put()
        self.list.styles.height = 0 if self.is_narrow else "100%"
        said = ["Nothing recurs.", "Errors of this program come here by themselves."]
        said += ["Those of your scripts: proofsheet errors ingest run.log, then s looks for fixes in their folder."]
        if not self.is_loaded:
            said = ["Looking at what recurs ..."]
        first, *others = [line for one in said for line in fold(one, max(20, self.view.size.width - 4))]
        self.view.put(row(""), row((f"   {first}", "strong")), *(row((f"   {line}", "dim")) for line in others))
        self.offer(["fixes.look", "fixes.trends"])

    def _offered(self) -> list[str]:
        fix = self.fix
        offered: list[str] = []
        if fix is not None and fix.state in (*OPEN, "refuted"):
            offered += ["fixes.dry_run", "fixes.approve", "fixes.reject", "fixes.edit"]
        if fix is not None and fix.state in (*IN_PLACE, "rejected"):
            offered.append("fixes.undo")
        if fix is not None and len(hunk_keys(fix.edits)) > 1:
            offered.append("fixes.next_hunk")
            offered += ["fixes.mark"] if fix.state in (*OPEN, "refuted") else []
        if len(self._safe()) > 1:
            offered.append("fixes.bulk")
        return [*offered, "fixes.look", "fixes.trends"]

    def relaid(self) -> None:
        self._draw()

    def on_resize(self, event: Any) -> None:
        super().on_resize(event)
        self.call_after_refresh(self._draw)

    def view_state(self) -> dict[str, Any]:
        return {"shown": self.item.key if self.item else None, "root": self._root}

    # -- moving -----------------------------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        wanted = self.cursor + step
        if 0 <= wanted < len(self.items):
            self.cursor, self.at_hunk, self._is_fresh = wanted, 0, True
            self.marked.clear()
            self._bulk_asked = []
            self._wanted = self.items[wanted].key
            if not self.busy:
                self.notice("")  # it was about another one
            self.remember()
            self._draw()

    def action_page(self, step: int) -> None:
        self.scrolled = max(0, self.scrolled + step * max(1, self.view.size.height // 2))
        self._draw()

    def action_hunk(self, step: int) -> None:
        keys = hunk_keys(self.fix.edits) if self.fix else []
        if not keys:
            return
        self.at_hunk = max(0, min(self.at_hunk + step, len(keys) - 1))
        place = next((n for n, one in enumerate(self._rows) if one.starts == keys[self.at_hunk]), 0)
        self.scrolled = max(0, place - (CONTEXT if self._room > 4 * CONTEXT else 1))
        self._draw()
        self.notice(f"hunk {self.at_hunk + 1} of {len(keys)}")

    def action_mark(self) -> None:
        keys = hunk_keys(self.fix.edits) if self.fix else []
        if keys:
            self.marked ^= {keys[self.at_hunk]}
            self._draw()
            count = len(self.marked)
            self.notice(
                f"{count} of {len(keys)} hunks marked; d tries those, a applies them"
                if count
                else "a applies all hunks"
            )

    def action_view(self) -> None:
        beside = self.side_by_side if self.side_by_side is not None else self.size.width >= BESIDE_FROM
        self.side_by_side = not beside
        self._draw()

    def action_trends(self) -> None:
        from tui.screens.trends import TrendsScreen

        self.proof.push_screen(TrendsScreen())


def _is_as_marked(before: Fix | None, now: Fix | None) -> bool:
    """Whether marks still mean the hunks that they were put at: the fix shown is the same, and still to be decided."""
    if before is None or now is None or now.state in (*IN_PLACE, "rejected"):
        return False
    return before.id == now.id and before.edits == now.edits
