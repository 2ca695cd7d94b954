"""How far the review is, and how long the rest may take at the pace of late.

Relies on the store. The pace is the median time between verdicts given by hand, pauses left out: a person who went for
tea has not become slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

import sqlalchemy as sa

from engine.clock import parse_iso
from engine.ranking import catalogue
from engine.ranking.model import KIND, SetCounts
from engine.store.schema import decisions, projects, sets

PAUSE = 120.0
"""Seconds between two verdicts from which on the person was away."""
_RECENT = 60
_ENOUGH = 5


@dataclass(frozen=True, slots=True)
class ProjectProgress:
    """One project's sets (`project` None: all), and the pace of late in seconds a set, None while it is unknown."""

    project: str | None
    counts: SetCounts
    pace: float | None

    @property
    def seconds_left(self) -> float | None:
        """How long the remaining sets would take at this pace."""
        return None if self.pace is None else self.pace * self.counts.remaining

    def document(self) -> dict[str, Any]:
        left, counts = self.seconds_left, self.counts
        return {
            "project": self.project,
            "total": counts.total,
            "decided": counts.decided,
            "left": counts.remaining,
            "seconds_left": None if left is None else round(left),
        }


def pace_of(moments: Sequence[str]) -> float | None:
    """Median seconds between neighbours of these ISO times (any order), pauses left out; None for too few."""
    times = sorted(parse_iso(moment) for moment in moments)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    worked = [gap for gap in gaps if 0 < gap <= PAUSE]
    return median(worked) if len(worked) >= _ENOUGH else None


def pace(connection: sa.Connection, actor: str) -> float | None:
    """The actor's pace of late."""
    query = (
        sa.select(decisions.c.decided_at)
        .where(
            decisions.c.kind == KIND,
            decisions.c.actor == actor,
            decisions.c.undoes.is_(None),
            decisions.c.group_id.is_(None),
        )
        .order_by(decisions.c.id.desc())
        .limit(_RECENT)
    )
    return pace_of(list(connection.execute(query).scalars()))


def by_project(connection: sa.Connection, actor: str) -> list[ProjectProgress]:
    """Every project that has sets, by name."""
    decided = sa.func.sum(sa.case((catalogue.decided_clause(), 1), else_=0))
    query = (
        sa.select(projects.c.name, sa.func.count().label("total"), decided.label("decided"))
        .select_from(sets)
        .join(projects, projects.c.id == sets.c.project_id)
        .where(*catalogue.standing_sets(None))
        .group_by(projects.c.name)
    )
    speed = pace(connection, actor)
    found = [ProjectProgress(row.name, SetCounts(row.total, row.decided), speed) for row in connection.execute(query)]
    return sorted(found, key=lambda one: (one.project or "").casefold())
