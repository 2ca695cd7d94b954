"""The door of the `changes` room: plan, preview, apply, roll back, recover, list and prune a workspace's change sets.
Blocking work runs off the event loop, and everything that touches a person's files does so under the workspace's
lock. Relies on the journals alone, no database; never changes a file but through a planned change set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from engine.changes import disk
from engine.changes.apply import Reached, Validate, Work, apply, nowhere
from engine.changes.archive import Archive
from engine.changes.diff import preview
from engine.changes.lock import Busy, held
from engine.changes.model import (
    UNFINISHED,
    ChangeSet,
    ChangesRefused,
    Operation,
    Pruned,
    Recovery,
    State,
    Step,
)
from engine.changes.owned import read_owned, remember
from engine.changes.plan import Companions, Roots, make_steps, with_companions
from engine.changes.recover import recover, roll_back
from engine.clock import Clock, utc_now
from engine.errors import UsageError
from engine.workspace import Workspace

_PRUNED_BY_DEFAULT = frozenset({State.APPLIED, State.ROLLED_BACK, State.FAILED})


class Changes:
    """All change sets of a workspace. Everything that changes a file of a person's goes through here."""

    def __init__(
        self, workspace: Workspace, *, clock: Clock = utc_now, patience: float = 60.0, reached: Reached = nowhere
    ) -> None:
        """`patience`: seconds to wait for another process that is changing files. `reached` is told every point of an
        apply, a rollback and a recovery as it is reached, in the thread that does the work."""
        self._archive = Archive(workspace.changes)
        self._clock = clock
        self._patience = patience
        self._reached = reached

    async def plan(
        self,
        operations: Sequence[Operation],
        title: str,
        roots: Sequence[Path],
        companions: Companions | None = None,
        *,
        kind: str = "files",
        owned: Mapping[Path, str] | None = None,
    ) -> ChangeSet:
        """Examine `operations` and write them down as a change set, without touching any of their files.

        Only paths under `roots` (absolute) may change; what is copied may lie elsewhere. `companions` maps an image to
        the files that travel with it when it is moved or copied. `owned` (path to sha256) proves files that Proofsheet
        wrote outside change sets, so that they may be deleted. Raises ChangesRefused with every reason, UsageError when
        nothing is left to change.
        """
        return await asyncio.to_thread(self._plan, operations, title, roots, companions or {}, kind, owned or {})

    def _plan(
        self,
        operations: Sequence[Operation],
        title: str,
        roots: Sequence[Path],
        companions: Companions,
        kind: str,
        owned: Mapping[Path, str],
    ) -> ChangeSet:
        where = Roots(roots, self._archive.root)

        def exists(companion: Path) -> bool:
            return disk.status(where.real_source(companion)) is not None

        expanded = with_companions(operations, companions, exists)
        steps, contents = make_steps(expanded, where, lambda: read_owned(self._archive), owned)
        if not steps:
            raise UsageError("there is nothing to change: every file is already as it would become")
        now = self._clock()
        change_set = ChangeSet(
            self._archive.new_id(now),
            title,
            kind,
            steps,
            State.PLANNED,
            now,
            where.real,
            progress=frozenset({"planned"}),
        )
        self._archive.publish(change_set, contents)
        return change_set

    def preview(self, change_set: ChangeSet) -> str:
        """What the change set does: a from-to table, and a unified diff of texts. Reads, and never changes, files."""
        folder = self._archive.folder(change_set.id)

        def old(step: Step) -> bytes | None:
            return _content([folder.old(step), step.path], step.before.sha256 if step.before else None)

        def new(step: Step) -> bytes | None:
            return _content([folder.new(step)], step.after)

        return preview(change_set, old, new)

    async def apply(self, id_: str, validate: Validate | None = None) -> ChangeSet:
        """Carry out a planned change set, wholly or not at all; durable when it returns.

        `validate` is called, in a thread, when everything is in place; if it raises, everything is taken back. Raises
        ChangesRefused before anything is touched, ProofsheetError when everything was taken back, Busy.
        Cancelling the awaiting task does not interrupt the apply itself.
        """
        return await asyncio.to_thread(self._apply, id_, validate)

    def _apply(self, id_: str, validate: Validate | None) -> ChangeSet:
        with held(self._archive.root, self._patience):
            list(recover(self._archive, self._clock, self._reached))
            return apply(Work.on(self._archive.folder(id_), self._clock, self._reached), validate)

    async def rollback(self, id_: str, *, keep_changed: bool = False) -> ChangeSet:
        """Take an applied change set back, at any later time: bytes, names, modes and times as they were.

        Raises ChangesRefused, having touched nothing, when files have changed since; with `keep_changed` those files
        stay as they are now, and the others are taken back.
        """
        return await asyncio.to_thread(self._rollback, id_, keep_changed)

    def _rollback(self, id_: str, keep_changed: bool) -> ChangeSet:
        with held(self._archive.root, self._patience):
            work = Work.on(self._archive.folder(id_), self._clock, self._reached)
            return roll_back(work, keep_changed=keep_changed)

    async def recover(self) -> tuple[Recovery, ...]:
        """Take back what a crash left half done; called at every start. Nothing is recovered while another process is
        changing files: its work is not a crash, and its next apply recovers first."""
        return await asyncio.to_thread(self._recover)

    def _recover(self) -> tuple[Recovery, ...]:
        if not self._archive.root.is_dir():
            return ()
        try:
            with held(self._archive.root, patience=0.0):
                return tuple(recover(self._archive, self._clock, self._reached))
        except Busy:
            return ()

    async def list(self) -> tuple[ChangeSet, ...]:
        """Every change set, newest first; one with an unreadable journal has the state `damaged` and says why."""
        return tuple(reversed(await asyncio.to_thread(self._archive.read_all)))

    async def get(self, id_: str) -> ChangeSet:
        """The change set whose id begins with `id_`. Raises UsageError for none or several, JournalDamaged."""
        return await asyncio.to_thread(lambda: self._archive.read(self._archive.folder(id_)))

    async def prune(self, older_than_days: float | None = None, ids: Sequence[str] | None = None) -> Pruned:
        """Remove change sets with their backups: they can then no longer be rolled back. The files stay as they are.

        With `ids` those, whatever their state; otherwise all that are finished, or older than `older_than_days` (plans
        never applied, too). Half-done ones are never removed (UsageError if named), damaged ones only if named.
        """
        return await asyncio.to_thread(self._prune, older_than_days, ids)

    def _prune(self, older_than_days: float | None, ids: Sequence[str] | None) -> Pruned:
        with held(self._archive.root, self._patience):
            self._archive.sweep()
            every = {change_set.id: change_set for change_set in self._archive.read_all()}
            if ids:
                chosen = [every[self._archive.folder(id_).id] for id_ in dict.fromkeys(ids)]
            elif older_than_days is None:
                chosen = [change_set for change_set in every.values() if change_set.state in _PRUNED_BY_DEFAULT]
            else:
                chosen = [change_set for change_set in every.values() if change_set.state is not State.DAMAGED]
            if older_than_days is not None:
                limit = self._clock() - timedelta(days=older_than_days)
                chosen = [found for found in chosen if (found.finished_at or found.created_at) <= limit]
            half_done = [change_set for change_set in chosen if change_set.state in UNFINISHED]
            if ids and half_done:
                raise UsageError(
                    f"change set {half_done[0].id} is half done, and its backups are needed",
                    remedy=f"Finish it first: proofsheet changes rollback {half_done[0].id}",
                )
            chosen = [change_set for change_set in chosen if change_set not in half_done]
            remember(self._archive, chosen, self._clock)
            freed = self._archive.remove(self._archive.folder(change_set.id) for change_set in chosen)
            return Pruned(tuple(change_set.id for change_set in chosen), freed)


def _content(places: Sequence[Path], sha256: str | None) -> bytes | None:
    """The bytes with this hash, from the first of `places` that holds them."""
    for place in places:
        try:
            found = disk.fingerprint(place)
            if found is not None and found.sha256 == sha256:
                return disk.read_bytes(place)
        except (ChangesRefused, FileNotFoundError):
            continue
    return None
