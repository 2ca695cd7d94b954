"""Leases: a run of one kind on one project at a time, whichever process it runs in.

Relies on the store. A dead local owner's lease is taken over at once, a remote one's after 30 s without a
heartbeat; its run is then marked as interrupted, so that nobody waits for it and anybody may resume it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from engine.clock import iso, parse_iso
from engine.runs.model import RunState
from engine.runs.owner import Owner, is_alive, this_process
from engine.store.schema import leases, runs


def take(connection: sa.Connection, key: str, run_id: str, now: datetime) -> str | None:
    """Take the lease for a run; None when it is ours now, else the id of the run that holds it."""
    me = this_process()
    held = connection.execute(sa.select(leases).where(leases.c.key == key)).one_or_none()
    if held is not None and held.run_id != run_id:
        if is_alive(Owner(held.host, held.pid, held.boot_id), parse_iso(held.heartbeat_at), now):
            return str(held.run_id)
        interrupt(connection, [held.run_id], now)
    connection.execute(sa.delete(leases).where(leases.c.key == key))
    connection.execute(
        sa.insert(leases).values(
            key=key, run_id=run_id, host=me.host, pid=me.pid, boot_id=me.boot_id, heartbeat_at=iso(now)
        )
    )
    return None


def beat(connection: sa.Connection, run_ids: Sequence[str], now: datetime) -> None:
    """Say that the holders of these runs' leases are alive."""
    connection.execute(sa.update(leases).where(leases.c.run_id.in_(run_ids)).values(heartbeat_at=iso(now)))


def give_back(connection: sa.Connection, run_id: str) -> None:
    """Let others have it."""
    connection.execute(sa.delete(leases).where(leases.c.run_id == run_id))


def interrupt(connection: sa.Connection, run_ids: Sequence[str], now: datetime) -> None:
    """Mark unfinished runs as interrupted and free their leases."""
    connection.execute(
        sa.update(runs)
        .where(runs.c.id.in_(run_ids), runs.c.state.in_([RunState.QUEUED, RunState.RUNNING]))
        .values(state=RunState.INTERRUPTED, finished_at=iso(now))
    )
    connection.execute(sa.delete(leases).where(leases.c.run_id.in_(run_ids)))


def orphans(connection: sa.Connection, now: datetime) -> list[str]:
    """Unfinished runs whose process is gone."""
    rows = connection.execute(
        sa.select(
            runs.c.id,
            runs.c.host,
            runs.c.pid,
            runs.c.boot_id,
            runs.c.created_at,
            runs.c.started_at,
            leases.c.heartbeat_at,
        )
        .select_from(runs.outerjoin(leases, leases.c.run_id == runs.c.id))
        .where(runs.c.state.in_([RunState.QUEUED, RunState.RUNNING]), runs.c.pid.is_not(None))
    )
    return [
        row.id
        for row in rows
        if not is_alive(
            Owner(row.host, row.pid, row.boot_id), parse_iso(row.heartbeat_at or row.started_at or row.created_at), now
        )
    ]
