"""Pretend runs and change sets: a run goes as far as the test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.runs import Run, RunEvent, RunState
from tests.tui.fake_pictures import AT


@dataclass
class FakeRuns:
    """Runs that go as far as the test says: `begin`, `tell`, `end`."""

    runs: dict[str, Run] = field(default_factory=dict)
    logs: dict[str, list[RunEvent]] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def begin(self, kind: str, state: RunState = RunState.RUNNING, **more: Any) -> Run:
        name = f"{kind}-{len(self.runs) + 1}"
        run = Run(
            id=name,
            kind=kind,
            project=None,
            state=state,
            params={},
            result=None,
            error=None,
            checkpoint=None,
            seed=0,
            created_at=AT,
            started_at=AT,
            finished_at=None,
            host="here",
            pid=1,
            detached=False,
            resumes=None,
        )
        self.runs[name] = replace(run, **more)
        self.logs[name] = []
        self.tell(name, "state", state=str(state))
        return self.runs[name]

    def tell(self, name: str, kind: Any, **data: Any) -> None:
        log = self.logs[name]
        log.append(RunEvent(len(log), AT, kind, data, len(log) + 1))

    def measure(self, name: str, step: int, **values: float) -> None:
        self.tell(name, "metric", points=[{"step": step, **values}])

    def end(self, name: str, state: RunState = RunState.DONE, **more: Any) -> None:
        self.runs[name] = replace(self.runs[name], state=state, finished_at=AT, **more)
        error = self.runs[name].error
        self.tell(name, "state", state=str(state), **({"error": error} if error else {}))

    async def list(self, limit: int = 50) -> list[Run]:
        return list(reversed(self.runs.values()))[:limit]

    async def get(self, name: str) -> Run:
        return self.runs[name]

    async def events(self, name: str, offset: int = 0) -> Sequence[RunEvent]:
        return self.logs[name][offset:]

    async def tail(self, name: str, offset: int = 0, *, follow: bool = True) -> AsyncIterator[RunEvent]:
        while True:
            over = self.runs[name].state.is_final
            for event in self.logs[name][offset:]:
                offset += 1
                yield event
            if over or not follow:
                return
            await asyncio.sleep(0.01)

    async def cancel(self, name: str) -> Run:
        self.cancelled.append(name)
        self.end(name, RunState.CANCELLED)
        return self.runs[name]

    async def resume(self, name: str, *, detach: bool = False) -> Run:
        run = self.runs[name]
        return self.begin(run.kind, resumes=name, detached=detach)

    async def detach(self, name: str) -> Run:
        self.end(name, RunState.INTERRUPTED)
        return await self.resume(name, detach=True)


class FakeChanges:
    """Remembers what was applied and taken back."""

    def __init__(self) -> None:
        self.applied: list[str] = []
        self.rolled_back: list[str] = []

    async def apply(self, name: str) -> None:
        self.applied.append(name)

    async def rollback(self, name: str) -> None:
        self.rolled_back.append(name)
