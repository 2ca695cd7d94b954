"""What the keys of the fixes screen ask of the engine: try, apply, reject, take back, edit, look in a project.

One slow thing at a time; each ends in a message that says what became of it. What is shown is the screen's own matter.
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
from textual.app import SuspendNotSupported
from textual.message import Message

from engine.errors import ProofsheetError
from tui.messages import Tone
from tui.screens.base import Page
from tui.screens.fixes_diff import HunkKey, hunk_keys
from tui.screens.fixes_words import Item

if TYPE_CHECKING:
    from engine.repair.apply import Applied
    from engine.repair.fix import Fix
    from engine.repair.suggest import Suggested

IN_PLACE = ("applied", "recurred")


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


class Deciding(Page):
    """The half of the screen that acts. `items`, `cursor` and `marked` are what the person sees and has marked."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Item] = []
        self.cursor = 0
        self.at_hunk = 0
        self.marked: set[HunkKey] = set()
        self.busy = ""
        self.reasons: dict[str, str] = {}
        self._bulk_asked: list[str] = []
        self._root = ""
        self._wanted: str | None = None

    @property
    def item(self) -> Item | None:
        """What the cursor stands on."""
        return self.items[self.cursor] if self.items else None

    @property
    def fix(self) -> Fix | None:
        """The fix that is shown."""
        return self.item.fix if self.item else None

    async def _fetch(self) -> None:
        """Read anew what is shown."""
        raise NotImplementedError

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
            self._begin_work("trying it on a copy", self._dry_run, self.fix.id, self._chosen())

    async def _dry_run(self, id_: str, chosen: dict[str, list[int]]) -> None:
        """What is tried is what `a` would apply: the marked hunks alone, which are a fix of their own from then on."""
        fixes = self.engine.repair.fixes
        if chosen:
            id_ = (await fixes.keep_hunks(id_, chosen)).id
        proof = await fixes.prove(id_)
        tone: Tone = {"proven": "good", "refuted": "danger"}.get(proof.verdict, "plain")  # type: ignore[assignment]
        self.post_message(Done(f"{proof.verdict}: {proof.reason}", tone, id_))

    def _chosen(self) -> dict[str, list[int]]:
        """The marked hunks by path; empty where none is, which means all."""
        chosen: dict[str, list[int]] = {}
        for path, number in sorted(self.marked):
            chosen.setdefault(path, []).append(number)
        return chosen

    def action_approve(self) -> None:
        if self._is_open() and self.fix:
            self._begin_work("applying, and running the tests", self._approve, self.fix.id, self._chosen())

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
        if not any(item.fix for item in self.items):
            self.notice("no fix is proposed yet")
        elif not safe:
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
        named = next((name for name in ("VISUAL", "EDITOR") if os.environ.get(name, "").strip()), "")
        try:
            editor = shlex.split(os.environ.get(named, "")) or ["vi"]
            if not editor[0]:
                raise ValueError("it names no program")
        except ValueError as error:
            self.banner.say(f"{named} cannot be read: {str(error).lower()}", f"Set {named} to your editor.")
            return None
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
