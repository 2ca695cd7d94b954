"""A pretend door to duplicates: groups made of simulated pictures, verdicts kept in a list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

from engine.errors import ProofsheetError
from engine.library.duplicate_groups import in_order
from engine.library.duplicates import Found, Group, Member, Undone
from engine.library.trash import Offered
from engine.review import Verdict
from tests.tui.fakes import FakeEngine, make_engine

KINDS = ("exact", "same", "same", "burst")


class FakeDuplicates:
    """Three images a group; a gate can hold a verdict back, a failure can refuse it."""

    def __init__(self, engine: FakeEngine, groups: int = 4, members: int = 3) -> None:
        images = list(engine.library.images_by_id.values())
        self.images = len(images)
        self.all: list[Group] = []
        for number in range(groups):
            chosen = [images[(number * members + place) % len(images)] for place in range(members)]
            kind = KINDS[number % len(KINDS)]
            distances = [0] * members if kind == "exact" else list(range(0, 2 * members, 2))
            sized = [
                replace(one, width=one.width // (place + 1), height=one.height // (place + 1))
                if kind == "same"
                else one
                for place, one in enumerate(chosen)
            ]
            self.all.append(
                Group(
                    f"{kind}-{number}",
                    kind,  # type: ignore[arg-type]
                    sized[0].project,
                    sized[0].id,
                    "largest" if kind == "same" else "identical files",
                    tuple(Member(one, distance) for one, distance in zip(sized, distances, strict=True)),
                    Offered(keywords=("sunset",)) if number == 1 else Offered(),
                )
            )
        self.all = in_order(self.all)
        self.verdicts: list[tuple[tuple[str, ...], int | None, bool, Verdict]] = []
        self.gate: asyncio.Event | None = None
        self.failure: Exception | None = None
        self.searches = 0

    async def groups(
        self, project: str | None = None, distance: int | None = None, *, is_counted: bool = True
    ) -> Found:
        gone = {name for names, *_ in self.verdicts for name in names}
        pairs = 7 if is_counted else None
        some = tuple(one for one in self.all if one.id not in gone and project in (None, one.project))
        return Found(some, self.images, pairs, 0.1, 10)

    async def portions(self, project: str | None = None, distance: int | None = None) -> AsyncIterator[Found]:
        yield await self.groups(is_counted=False)

    async def look(self, project: str | None = None, distance: int | None = None) -> bool:
        self.searches += 1
        if self.gate is not None and self.searches == 1:
            await self.gate.wait()
        return True

    async def approve(
        self, groups: Sequence[Group], keeper: int | None = None, *, merge: bool = False, dry_run: bool = False
    ) -> None:
        if self.failure is not None:
            raise self.failure
        self.verdicts.append((tuple(group.id for group in groups), keeper, merge, Verdict.APPROVED))

    async def reject(self, group: Group) -> None:
        self.verdicts.append(((group.id,), None, False, Verdict.REJECTED))

    async def undo(self) -> Undone | None:
        if not self.verdicts:
            return None
        names, _, _, verdict = self.verdicts.pop()
        projects = tuple({one.project for one in self.all if one.id in names})
        return Undone(names, 2 * len(names) if verdict is Verdict.APPROVED else 0, verdict, projects)


def with_duplicates(folder: Path, groups: int = 4, members: int = 3) -> FakeEngine:
    """An engine whose library has duplicates."""
    engine = make_engine(folder)
    engine.duplicates = FakeDuplicates(engine, groups, members)  # type: ignore[attr-defined]
    return engine


def moved_meanwhile() -> ProofsheetError:
    return ProofsheetError("one.jpg has changed since it was planned", remedy="Scan the folder again.")
