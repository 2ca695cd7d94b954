"""Follow every run that is going on, whoever started it: list them now and then, tail the log of each that is active.

The app's only knowledge of running work. It reads the event log through `engine.runs` and posts `RunMoved` and
`RunEnded`; it never talks to a worker, so a run of another process looks the same as our own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from engine.clock import utc_now
from tui.messages import RunEnded, RunMoved

if TYPE_CHECKING:
    from engine.monitor import Pace
    from engine.runs import Progress, Run, RunEvent, Runs

GLYPHS = {
    "queued": "·",
    "running": "◐",
    "done": "✓",
    "failed": "✗",
    "cancelled": "○",
    "interrupted": "‖",
}
INKS = {
    "queued": "faint",
    "running": "suggest",
    "done": "decided",
    "failed": "danger",
    "cancelled": "dim",
    "interrupted": "dim",
}
_SPOKEN = {
    "train": "training",
    "scan": "scanning",
    "study": "looking closer",
    "embed": "reading pictures",
    "demo": "preparing the demo",
    "duplicates": "comparing pictures",
}


@dataclass(frozen=True, slots=True)
class Activity:
    """A run and how far it is, from its log."""

    run: Run
    progress: Progress | None = None
    images_per_second: float | None = None  # while it handles images

    @property
    def share(self) -> float | None:
        """How far, 0 to 1; None when the run does not say."""
        if self.progress is None or not self.progress.total:
            return None
        return min(1.0, self.progress.done / self.progress.total)

    @property
    def counts(self) -> bool:
        """Whether its progress is a number of things: a training without a known end counts rounds, which say nothing
        away from its own screen."""
        return self.run.kind != "train"

    @property
    def spoken(self) -> str:
        """What it is doing, in a word."""
        return _SPOKEN.get(self.run.kind, self.run.kind)


class RunWatch:
    """Knows the newest state of each run; `known` is newest first."""

    def __init__(self, runs: Runs, tell: Callable[[Message], None], every: float = 1.0) -> None:
        self._runs = runs
        self._tell = tell
        self._every = every
        self._tails: dict[str, asyncio.Task[None]] = {}
        self._look = asyncio.Event()
        self.known: dict[str, Activity] = {}

    def look_now(self) -> None:
        """Do not wait for the next round: something was just started or ended."""
        self._look.set()

    def active(self) -> list[Activity]:
        """Runs that are going on."""
        return [activity for activity in self.known.values() if not activity.run.state.is_final]

    async def watch(self) -> None:
        """Follow runs until cancelled."""
        try:
            while True:
                self._look.clear()
                await self._round()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._look.wait(), self._every)
        finally:
            for task in self._tails.values():
                task.cancel()

    async def _round(self) -> None:
        listed = await self._runs.list(limit=50)
        for run in reversed(listed):
            before = self.known.get(run.id)
            if before is not None and before.run.state == run.state:
                continue
            activity = self.known[run.id] = Activity(run, before.progress if before else None)
            self._tell(RunMoved(activity))
            if not run.state.is_final and run.id not in self._tails:
                self._tails[run.id] = asyncio.create_task(self._follow(run.id))
            elif before is not None and not before.run.state.is_final and run.state.is_final:
                self._tell(RunEnded(activity))
        self.known = {run.id: self.known[run.id] for run in listed}

    async def _follow(self, name: str) -> None:
        """Tail one run's log; that it ended is told by the list, once."""
        pace = _new_pace()
        try:
            async for event in self._runs.tail(name):
                activity = self.known.get(name)
                if activity is None or (event.type == "state" and _is_final(event)):
                    break
                if event.type == "progress":
                    pace.hear(event.type, event.at, event.data)
                    moved = Activity(activity.run, progress_of(event), pace.images_per_second(utc_now()))
                    self.known[name] = moved
                    self._tell(RunMoved(moved))
        finally:
            self._tails.pop(name, None)
        self.look_now()


def _new_pace() -> Pace:
    from engine.monitor import Pace

    return Pace()


def progress_of(event: RunEvent) -> Progress:
    """The progress that a `progress` event reports."""
    from engine.runs import Progress

    data = event.data
    return Progress(data.get("done", 0), data.get("total"), data.get("message", ""))


def _is_final(event: RunEvent) -> bool:
    return event.data.get("state") not in ("queued", "running")
