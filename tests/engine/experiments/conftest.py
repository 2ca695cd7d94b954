"""Rooms, clocks and files for the experiments' tests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.changes import Changes
from engine.experiments import Experiments
from engine.review import Review
from engine.runs import Runs
from engine.settings import Settings
from engine.store import Store
from engine.workspace import Workspace

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **much: float) -> None:
        """Later by a timedelta's arguments."""
        self.now += timedelta(**much)


@pytest.fixture
def clock() -> Clock:
    """Noon of 1 March 2026, until moved."""
    return Clock()


MakeRoom = Callable[..., Experiments]


@pytest.fixture
async def make_room(workspace: Workspace, store: Store, clock: Clock) -> AsyncIterator[MakeRoom]:
    """Makes the room with other settings; runs are closed at the end."""
    made: list[Runs] = []

    def make(**settings: Any) -> Experiments:
        runs = Runs(workspace, store, clock=clock)
        made.append(runs)
        review = Review(workspace, store, "ada", clock=clock)
        return Experiments(
            workspace, Settings(actor="ada", **settings), store, runs, review, Changes(workspace), clock=clock
        )

    yield make
    for runs in made:
        await runs.close()


@pytest.fixture
def room(make_room: MakeRoom) -> Experiments:
    """The room as it is by default."""
    return make_room()


@pytest.fixture
def jsonl(tmp_path: Path) -> Callable[[Iterable[Mapping[str, Any] | str | bytes]], Path]:
    """Writes rows (objects, or raw lines) to a JSON Lines file."""

    def write(rows: Iterable[Mapping[str, Any] | str | bytes]) -> Path:
        file = tmp_path / "sessions.jsonl"
        lines = []
        for row in rows:
            if isinstance(row, bytes):
                lines.append(row)
            else:
                lines.append((row if isinstance(row, str) else json.dumps(row)).encode())
        file.write_bytes(b"\n".join(lines) + b"\n")
        return file

    return write
