"""What becomes of fixes after they were applied: finished after a crash, kept, recurred, or taken back elsewhere.

Relies on the change sets' journals for what is in place, on the groups of errors for what struck since, and tells the
ledger. Nothing here touches a project.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import sqlalchemy as sa

from engine.changes import Changes, State
from engine.clock import Clock, iso, parse_iso
from engine.errors import ProofsheetError
from engine.repair import ledger
from engine.repair.fix import IN_PLACE, Fix, FixState
from engine.repair.grouping import own_frame
from engine.repair.groups import Group
from engine.repair.suggest import line_now
from engine.store import Store
from engine.store.schema.repair import error_counts

KEPT_AFTER = timedelta(days=7)  # a fix that a person approved and left in place this long was kept
STALE_AFTER = timedelta(minutes=2)  # a plan is carried out at once, or its process is gone
NEXT_RUNS = 3  # runs that told of errors since, none of them of this one
Groups = Callable[..., Awaitable[Sequence[Group]]]


async def settle(store: Store, changes: Changes, steps: ledger.Steps, groups: Groups, clock: Clock) -> None:
    """Bring every fix's state up to date with its change set and with what struck since."""
    every = await store.read(ledger.get)
    begun = [fix for fix in every if fix.state in IN_PLACE | {FixState.APPLYING, FixState.ROLLING_BACK}]
    in_place: list[Fix] = []
    for fix in begun:
        now = await _as_journaled(fix, changes, clock)
        if now.state != fix.state:
            await _tell(store, steps, fix, now, clock)
        if now.state in IN_PLACE:
            in_place.append(now)
    if not in_place:
        return
    known = await groups()
    runs = await store.read(count_runs)
    for fix in in_place:
        await _watch(store, steps, fix, known, runs, groups, clock)


def count_runs(connection: sa.Connection) -> int:
    """How many runs have told of errors."""
    return int(connection.execute(sa.select(sa.func.count(error_counts.c.run.distinct()))).scalar() or 0)


async def _as_journaled(fix: Fix, changes: Changes, clock: Clock) -> Fix:
    """The fix with the state that its change set's journal tells."""
    try:
        change_set = await changes.get(fix.change_set or "")
    except ProofsheetError:  # pruned, or damaged: what was in place stays, what was only begun did not happen
        return fix if fix.state in IN_PLACE else replace(fix, state=FixState.PROPOSED)
    finished = iso(change_set.finished_at) if change_set.finished_at else ""
    match change_set.state:
        case State.APPLIED if fix.state not in IN_PLACE:
            applied_at = fix.details.get("applied_at") or finished
            return replace(fix, state=FixState.APPLIED, details={**fix.details, "applied_at": applied_at})
        case State.ROLLED_BACK:
            return replace(fix, state=FixState.ROLLED_BACK)
        case State.FAILED:
            return replace(fix, state=FixState.PROPOSED, change_set=None)
        case State.PLANNED if clock() - change_set.created_at > STALE_AFTER:  # a crash came before anything was touched
            return replace(fix, state=FixState.PROPOSED, change_set=None)
        case _:
            return fix


async def _tell(store: Store, steps: ledger.Steps, was: Fix, now: Fix, clock: Clock) -> None:
    at = iso(clock())
    steps.append(now.state.value, [now], found="by its change set", change_set=was.change_set)

    def write(connection: sa.Connection) -> None:
        ledger.put(connection, [now], at)
        if now.state is FixState.ROLLED_BACK:
            ledger.note_taken_back(connection, now, at, "its change set was rolled back")

    await store.write(write, durable=True)


async def _watch(
    store: Store, steps: ledger.Steps, fix: Fix, known: Sequence[Group], runs: int, groups: Groups, clock: Clock
) -> None:
    """Note what can be said by now about one fix in place: each thing once."""
    since = str(fix.details.get("applied_at") or "")
    if not since:
        return
    now, at = clock(), iso(clock())
    told: dict[Any, bool] = {}
    if fix.state is FixState.APPLIED:
        suspects = [group.id for group in known if group.last_seen > since and _is_of(fix, group)]
        if suspects and any(_struck(fix, group, since) for group in await groups(suspects, with_samples=True)):
            told["recurrence"] = False
        elif runs - int(fix.details.get("runs_before") or 0) >= NEXT_RUNS:
            told["recurrence"] = True
    if fix.details.get("by") == "person" and now - parse_iso(since) >= KEPT_AFTER:
        told["kept"] = True

    def write(connection: sa.Connection) -> Mapping[Any, bool]:
        new = {kind: good for kind, good in told.items() if not ledger.noted(connection, fix, kind, since)}
        if told.get("recurrence") is False:  # it may have been quiet for long before
            new["recurrence"] = False
            ledger.put(connection, [replace(fix, state=FixState.RECURRED)], at)
        for kind, good in new.items():
            ledger.note(connection, fix, kind, good, at)
        return new

    if told:
        for kind, good in (await store.write(write, durable=True)).items():
            steps.append(kind if good else f"not {kind}" if kind == "kept" else "recurred", [fix])


def _is_of(fix: Fix, group: Group) -> bool:
    """Whether a group may be the same error: its id is, or its type and file are."""
    same_file = PurePosixPath(group.file.replace("\\", "/")).name == PurePosixPath(fix.file).name
    return group.id in fix.groups or (group.type == fix.context and same_file)


def _struck(fix: Fix, group: Group, since: str) -> bool:
    """Whether one of the group's records is of the code as it is after the fix: old logs tell of the code before."""
    after = next((edit for edit in fix.edits if edit.path == fix.file), fix.edits[0])
    before = after.before or b""
    for record in group.samples:
        frame = own_frame(record.frames)
        if frame is None or not record.timestamp or record.timestamp <= since:
            continue
        if PurePosixPath(frame.file.replace("\\", "/")).name != PurePosixPath(fix.file).name:
            continue
        if _is_elsewhere(fix, frame.file) or line_now(after.after, frame.code, frame.line) is None:
            continue
        lost = line_now(before, frame.code, frame.line) is None
        if lost or group.id in fix.groups:
            return True
    return False


def _is_elsewhere(fix: Fix, file: str) -> bool:
    """Whether a frame's file is another project's of the same name."""
    path = Path(file)
    return path.is_absolute() and path.exists() and not path.resolve().is_relative_to(fix.root)
