"""The fixes screen: what recurs at the left, and at the right the evidence, the change, and how sure it is.

Everything goes through `engine.repair`: the screen decides nothing by itself, and edits no file. A fix is applied when
a key says so, with the tests run in place; `u` takes it back, next month too.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult, SuspendNotSupported
from textual.containers import Container
from textual.message import Message

from engine.errors import ProofsheetError
from tui.actions import bindings
from tui.messages import EngineReady, Tone
from tui.screens.base import Page
from tui.screens.fixes_diff import CONTEXT, DiffRow, HunkKey, diff_rows, hunk_keys
from tui.screens.fixes_words import Item, about, list_rows, title
from tui.widgets.lines import Lines, row, rule

if TYPE_CHECKING:
    from engine.repair.apply import Applied
    from engine.repair.fix import Fix
    from engine.repair.groups import Group
    from engine.repair.suggest import Suggested

IN_PLACE = ("applied", "recurred")
OPEN = ("proposed", "proven", "rolled-back")
LIST_ROWS = 6  # of the narrow layout, at the most
BESIDE_FROM = 150  # columns of the terminal from which old and new stand side by side at first


@dataclass
class Shown(Message, bubble=False):
    """What recurs, and every fix."""

    groups: list[Group]
    fixes: list[Fix]


@dataclass
class Looked(Message, bubble=False):
    """What a look at a project brought."""

    found: Suggested
    root: Path


@dataclass
class Done(Message, bubble=False):
    """A slow thing is over: a word about it, and which fix to show."""

    said: str
    tone: Tone = "plain"
    wanted: str | None = None


class FixesScreen(Page):
    """Errors that recur, and what would mend them."""

    place = "fixes"
    BINDINGS = bindings("fixes")

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Item] = []
        self.cursor = 0
        self.at_hunk = 0
        self.marked: set[HunkKey] = set()
        self.side_by_side: bool | None = None
        self.scrolled = 0
        self.busy = ""
        self.is_loaded = False
        self.reasons: dict[str, str] = {}
        self._bulk_asked: list[str] = []
        self._is_fresh = True
        self._root = ""
        self._rows: list[DiffRow] = []

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
        self._wanted: str | None = kept.get("shown")
        self.work(self._fetch, group="fetch", exclusive=True)

    async def _fetch(self) -> None:
        repair = self.engine.repair
        self.post_message(Shown(await repair.groups(), await repair.fixes.every()))

    @on(Shown)
    def _shown(self, event: Shown) -> None:
        before = self.item.key if self.item else None
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
        self._is_fresh = self._is_fresh or (self.item.key if self.item else None) != before
        self._draw()
        self.call_after_refresh(self._draw)  # the list may have become longer, and the room for the rest less

    @property
    def item(self) -> Item | None:
        """What the cursor stands on."""
        return self.items[self.cursor] if self.items else None

    @property
    def fix(self) -> Fix | None:
        """The fix that is shown."""
        return self.item.fix if self.item else None

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
        room = max(1, height - len(head))
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
        said = ["Nothing recurs.", "Errors of this program come here by themselves."]
        said += ["Those of your scripts: proofsheet errors ingest run.log, then s looks for fixes in their folder."]
        if not self.is_loaded:
            said = ["Looking at what recurs ..."]
        first, *others = said
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
            offered += ["fixes.next_hunk", "fixes.mark"]
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
        self.scrolled = max(0, place - 3)
        self._draw()
        self.notice(f"hunk {self.at_hunk + 1} of {len(keys)}")

    def action_mark(self) -> None:
        keys = hunk_keys(self.fix.edits) if self.fix else []
        if keys:
            self.marked ^= {keys[self.at_hunk]}
            self._draw()
            count = len(self.marked)
            self.notice(f"{count} of {len(keys)} hunks marked; a applies those" if count else "a applies all hunks")

    def action_view(self) -> None:
        beside = self.side_by_side if self.side_by_side is not None else self.size.width >= BESIDE_FROM
        self.side_by_side = not beside
        self._draw()

    def action_trends(self) -> None:
        from tui.screens.trends import TrendsScreen

        self.proof.push_screen(TrendsScreen())

    # -- deciding ---------------------------------------------------------------------------------------------------

    def _begin_work(self, what: str, call: Callable[..., Awaitable[None]], *args: Any) -> None:
        """One slow thing at a time: two applies would wait for one another anyway."""
        if self.busy:
            self.notice(f"still {self.busy}")
            return
        self.busy = what
        self.notice(f"{what} ...")

        async def guarded() -> None:
            try:
                await call(*args)
            finally:
                self.busy = ""

        self.work(guarded, group="decide")

    @on(Done)
    def _done(self, event: Done) -> None:
        self.notice(event.said, event.tone)
        if event.wanted:
            self._wanted = event.wanted
        self.marked.clear()
        self.work(self._fetch, group="fetch", exclusive=True)

    def _is_open(self) -> bool:
        fix = self.fix
        if fix is None:
            self.notice("there is no fix for this one: it needs a person")
        elif fix.state in IN_PLACE:
            self.notice("it is applied already; u takes it back")
        elif fix.state == "rejected":
            self.notice("it was rejected; u takes that back")
        else:
            return True
        return False

    def action_dry_run(self) -> None:
        if self._is_open() and self.fix:
            self._begin_work("trying it on a copy", self._dry_run, self.fix.id)

    async def _dry_run(self, id_: str) -> None:
        proof = await self.engine.repair.fixes.prove(id_)
        tone: Tone = {"proven": "good", "refuted": "danger"}.get(proof.verdict, "plain")  # type: ignore[assignment]
        self.post_message(Done(f"{proof.verdict}: {proof.reason}", tone))

    def action_approve(self) -> None:
        if self._is_open() and self.fix:
            chosen: dict[str, list[int]] = {}
            for path, number in self.marked:
                chosen.setdefault(path, []).append(number)
            self._begin_work("applying, and running the tests", self._approve, self.fix.id, chosen)

    async def _approve(self, id_: str, chosen: dict[str, list[int]]) -> None:
        fixes = self.engine.repair.fixes
        if chosen:
            id_ = (await fixes.keep_hunks(id_, chosen)).id
        self._tell(await fixes.apply([id_]), id_)

    def _tell(self, done: Applied, id_: str) -> None:
        if done.rolled_back and done.refused:
            self.post_message(Done(f"taken back: {done.refused[0][1]}", "danger", id_))
        elif done.refused:
            self.post_message(Done(f"not applied: {done.refused[0][1]}", "danger", id_))
        elif done.applied:
            count = len(done.applied)
            said = "applied; u takes it back" if count == 1 else f"{count} fixes applied; u takes them back"
            self.post_message(Done(said, "good", id_))
        else:
            self.post_message(Done("it is so already: there was nothing to do", "plain", id_))

    def _safe(self) -> list[str]:
        shown = [item.fix for item in self.items if item.fix]
        return list(dict.fromkeys(fix.id for fix in shown if fix.applicability == "safe" and fix.state == "proven"))

    def action_bulk(self) -> None:
        safe = self._safe()
        if not safe:
            self.notice("no fix is both safe and proven; d tries one")
        elif self._bulk_asked != safe:
            self._bulk_asked = safe
            count = len(safe)
            said = "the one fix that is" if count == 1 else f"all {count} fixes that are"
            self.notice(f"b again applies {said} safe and proven")
        else:
            self._bulk_asked = []
            self._begin_work("applying, and running the tests", self._bulk, safe)

    async def _bulk(self, ids: list[str]) -> None:
        self._tell(await self.engine.repair.fixes.apply(ids), ids[0])

    def action_reject(self) -> None:
        if not self._is_open() or not self.fix:
            return
        id_ = self.fix.id

        def answer(reason: str | None) -> None:
            if reason is not None:
                self._begin_work("rejecting", self._reject, id_, reason.strip())

        self.prompt.ask("why not?", "", answer)

    async def _reject(self, id_: str, reason: str) -> None:
        await self.engine.repair.fixes.reject(id_, reason)
        self.post_message(Done("rejected; u takes that back", "plain", id_))

    def action_undo(self) -> None:
        fix = self.fix
        if fix is not None and fix.state in IN_PLACE:
            self._begin_work("taking it back", self._undo, fix.id)
        elif fix is not None and fix.state == "rejected":
            self._begin_work("taking the rejection back", self._reopen, fix.id)
        else:
            self.notice("there is nothing to take back here")

    async def _undo(self, id_: str) -> None:
        done = await self.engine.repair.fixes.rollback(id_)
        if done.refused:
            self.post_message(Done(f"not taken back: {done.refused[0][1]}", "danger", id_))
        else:
            self.post_message(Done("taken back: every byte is as it was", "good", id_))

    async def _reopen(self, id_: str) -> None:
        await self.engine.repair.fixes.reopen(id_)
        self.post_message(Done("proposed again", "plain", id_))

    # -- editing and looking ----------------------------------------------------------------------------------------

    def action_edit(self) -> None:
        if not self._is_open() or not self.fix:
            return
        keys = hunk_keys(self.fix.edits)
        path = keys[self.at_hunk][0] if keys else self.fix.edits[0].path
        edit = next(one for one in self.fix.edits if one.path == path)
        after = self._in_editor(Path(path).name, edit.after)
        if after is None or after == edit.after:
            self.notice("nothing was edited")
        else:
            self._begin_work("trying the edited fix on a copy", self._edited, self.fix.id, path, after)

    def _in_editor(self, name: str, content: bytes) -> bytes | None:
        """The bytes as the person left them in their editor; None where there is none to be had."""
        editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
        with tempfile.TemporaryDirectory(prefix="proofsheet-edit-") as folder:
            file = Path(folder) / name
            file.write_bytes(content)
            try:
                with self.app.suspend():
                    done = subprocess.run([*editor, str(file)], check=False)
                self.app.refresh()
                return file.read_bytes() if done.returncode == 0 else None
            except SuspendNotSupported:
                self.banner.say("this terminal cannot make room for an editor", "Edit the file itself after applying.")
            except OSError as error:
                self.banner.say(f"{editor[0]} cannot be started: {error.strerror}", "Set EDITOR to your editor.")
        return None

    async def _edited(self, id_: str, path: str, after: bytes) -> None:
        fixes = self.engine.repair.fixes
        made = await fixes.edit(id_, {path: after})
        proof = await fixes.prove(made.id)
        self.post_message(Done(f"edited; {proof.verdict}: {proof.reason}", "plain", made.id))

    def action_look(self) -> None:
        def answer(text: str | None) -> None:
            if text and text.strip():
                self._begin_work("looking for fixes", self._look, Path(text.strip()).expanduser())

        self.prompt.ask("project's folder", self._root, answer)

    async def _look(self, root: Path) -> None:
        if not await asyncio.to_thread(root.is_dir):
            raise ProofsheetError(f"there is no folder {root}", remedy="Name the folder of a project of yours.")
        self.post_message(Looked(await self.engine.repair.fixes.suggest(root), root))

    @on(Looked)
    def _looked(self, event: Looked) -> None:
        self._root = str(event.root)
        self.reasons |= {one.group.id: one.reason for one in event.found.unmatched}
        count = len(event.found.fixes)
        said = "no fix to propose; each error says why" if not count else f"{count} {'fix' if count == 1 else 'fixes'}"
        self.remember()
        self.post_message(Done(said, "good" if count else "plain"))
