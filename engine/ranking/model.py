"""The ranking room's values: sets and their members, what an import found, rankings, the state of the ranker.

Plain frozen dataclasses that cross the room's door. They rely on the library's `Image` and never touch store or disk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from engine.library.model import Image

KIND = "ranking"
NAME = "ranker"  # of the models that learn it
TRAIN = "train"
UNIFIED, PER_PROJECT = "unified", "per-project"
MIN_SETS = 12
"""Decided sets below which there is nothing to learn from."""


class SetSource(StrEnum):
    """Where a set came from. `log` sets are kept as written; the others are generated from the library."""

    LOG = "log"
    STAGES = "stages"
    BURSTS = "bursts"
    FOLDER = "folder"


GENERATED = (SetSource.STAGES, SetSource.BURSTS, SetSource.FOLDER)


@dataclass(frozen=True, slots=True)
class SetMember:
    """One image of a set, its place in the set (0 is first) and a short label such as `upscaled` or `+1.2 s`."""

    image: Image
    position: int
    label: str


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Images of one project to choose a winner from. Images that left the library have dropped out of `members`."""

    id: int
    project: str
    session_id: str
    set_id: str
    source: SetSource
    title: str
    members: tuple[SetMember, ...]
    taken_at: str | None

    @property
    def image_ids(self) -> tuple[int, ...]:
        return tuple(member.image.id for member in self.members)


@dataclass(frozen=True, slots=True)
class SetCounts:
    """How far the review is: every set with something to choose from, those with a verdict, those without."""

    total: int
    decided: int

    @property
    def remaining(self) -> int:
        return self.total - self.decided


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A line of an input file that was not taken, and why. The header is line 1."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class SelectionImport:
    """What a selection log held: sets and (winner, loser) pairs accepted, sets by project, rows refused.

    `new` counts the selections that were not in the store before; importing a file twice gives 0 the second time.
    """

    sets: int
    pairs: int
    projects: dict[str, int]
    refused: tuple[RefusedRow, ...]
    new: int

    def document(self) -> dict[str, Any]:
        return {
            "sets": self.sets,
            "pairs": self.pairs,
            "projects": self.projects,
            "new": self.new,
            "refused": [{"line": row.line, "reason": row.reason} for row in self.refused],
        }


@dataclass(frozen=True, slots=True)
class RankedImage:
    """One image in a ranking: its score (utility, higher is better) and the probability that it is the winner."""

    path: str
    score: float
    probability: float | None


@dataclass(frozen=True, slots=True)
class RankedSet:
    """Images of one set, best first. `confidence` is calibrated, or None while no learned model is promoted.

    `line` is where the set stands in the file that it was read from, None for a set that was named by itself; `because`
    says in plain words what made the difference.
    """

    ranking: tuple[RankedImage, ...]
    confidence: float | None
    model: str
    refused: tuple[tuple[str, str], ...] = ()
    line: int | None = None
    because: tuple[str, ...] = ()

    @property
    def winner(self) -> str | None:
        return self.ranking[0].path if self.ranking else None

    def document(self) -> dict[str, Any]:
        ranking = [{"path": i.path, "score": i.score, "probability": i.probability} for i in self.ranking]
        found: dict[str, Any] = {
            "ranking": ranking,
            "winner": self.winner,
            "confidence": self.confidence,
            "model": self.model,
        }
        found["because"] = list(self.because)
        if self.line is not None:
            found["line"] = self.line
        if self.refused:
            found["refused"] = [{"path": path, "reason": reason} for path, reason in self.refused]
        return found


@dataclass(frozen=True, slots=True)
class RankerStatus:
    """Which ranker suggests now. Without one, `why_not` says in words what is missing; `unusable` is the one that was
    promoted, where it cannot be used."""

    model: str | None
    version: int | None
    why_not: str
    baseline: str
    card: dict[str, Any] = field(default_factory=dict)
    unusable: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A set none of whose images was good enough, as a person said."""

    set_pk: int
    project: str
    image_ids: tuple[int, ...]
    refused_at: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One observed choice: the winner first, then its losers (image ids), when and by whom, for which set."""

    set_pk: int
    project: str
    image_ids: tuple[int, ...]
    chosen_at: str
    actor: str
    imported: bool
    modified: bool = False
    """Whether another image was picked than the suggested one, which was in view."""

    @property
    def winner(self) -> int:
        return self.image_ids[0]
