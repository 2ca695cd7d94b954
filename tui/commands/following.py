"""Following a run from a command: one calm line on a terminal's stderr, and the run's result at its end.

Relies on the run's own log; stdout is left to the answer.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.runs import Run, RunEvent

_REDRAW_SECONDS = 0.2


class ProgressLine:
    """One line on a terminal's stderr that is written over and over; nothing at all where stderr is no terminal."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._drawn_at = 0.0

    def tell(self, text: str) -> None:
        """Show this instead, unless something was shown a moment ago."""
        if self._is_shown and time.monotonic() - self._drawn_at >= _REDRAW_SECONDS:
            self._drawn_at = time.monotonic()
            click.echo(f"\r\x1b[2K{text[: shutil.get_terminal_size().columns - 1]}", nl=False, err=True)

    def clear(self) -> None:
        """Leave the line empty, for a line that stays or the answer."""
        if self._drawn_at:
            self._drawn_at = 0.0
            click.echo("\r\x1b[2K", nl=False, err=True)


async def follow(engine: Engine, run: Run, doing: str) -> Mapping[str, Any]:
    """Wait for the run's result; on a terminal, `doing` and how far it is stand in one line. Raises RunFailed."""
    line = ProgressLine()
    if sys.stderr.isatty():
        try:
            async for event in engine.runs.tail(run.id):
                if event.type == "progress":
                    line.tell(f"{doing}: {_how_far(event)}")
        finally:
            line.clear()
    return (await engine.runs.finished(run.id)).result or {}


async def study_first(engine: Engine, project: str | None = None) -> None:
    """Study what lacks facts, so that what follows counts everything."""
    if await engine.library.unstudied(project):
        await follow(engine, await engine.library.study(project=project), "Studying")


def _how_far(event: RunEvent) -> str:
    data: dict[str, Any] = dict(event.data)
    if data.get("total"):
        return f"{data['done']:,} of {data['total']:,}  {data.get('message') or ''}".rstrip()
    return str(data.get("message") or f"{data.get('done', 0):,}")
