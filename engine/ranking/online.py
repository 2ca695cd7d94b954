"""Learning at once: each verdict moves what is believed, and an undo takes it back, without waiting for training.

Relies on the store for the decisions since the ranker was trained, and on a ranker for the belief to begin with. The
new set's likelihood is joined to the Gaussian by Newton's method in the few dimensions of its images (Woodbury), so
that it costs milliseconds however many sets were seen. Evidence is kept in the order it came; what is no longer in
force is taken off again. A set the ranker has learned from already, and that was decided anew since, is first taken
out of the belief. Nothing is written: the belief is made again from the decisions after a restart.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from engine.ranking import catalogue
from engine.ranking.measures import Floats, softmax
from engine.ranking.model import KIND
from engine.ranking.posterior import Gaussian
from engine.review import Verdict
from engine.store import Store
from engine.store.schema import decisions, projects

_STEPS = 25
_SETTLED = 1e-8
_MEANT = 0.05  # of the usual lapse; with none at all, one slip would throw over what hundreds of sets have taught
_PICKED = (Verdict.APPROVED, Verdict.MODIFIED)
_SILENT = (Verdict.SKIPPED, Verdict.WITHDRAWN)  # what a log says of a set stays in force beside these

Look = Callable[[Sequence[int]], NDArray[Any] | None]


@dataclass(frozen=True)
class Change:
    """What one set did to a belief: the weights moved by `step` (d,), the covariance by -left @ right (d, k)(k, d)."""

    step: Floats
    left: Floats
    right: Floats


def learn_one(taste: Gaussian, looks: NDArray[Any], winner: int, *, lapse: float = 0.0, sign: float = 1.0) -> Change:
    """What a set's winner says beyond `taste`; `looks` (k, d) are its images' set-centred features.

    The mode of Gaussian times Plackett-Luce lies at mean + S X^T a with k unknowns a, found by Newton's method from
    utilities u = X mean + (X S X^T) a; the covariance loses S X^T W (I + X S X^T W)^-1 X S with W = diag p - p p^T
    (Woodbury). With `sign` -1 the set's evidence is taken out of a belief that contains it.
    """
    rows = np.asarray(looks, dtype=np.float64)
    count = len(rows)
    spread = np.asarray(looks @ taste.covariance, dtype=np.float64)  # (k, d)
    inner = spread @ rows.T
    began = rows @ np.asarray(taste.mean, dtype=np.float64)
    target = np.zeros(count)
    target[winner] = 1.0
    move = np.zeros(count)
    share = 1.0
    for _ in range(_STEPS):
        chance = softmax(began + inner @ move)
        meant = (1 - lapse) * chance[winner]
        share = float(meant / (meant + lapse / count)) if lapse else 1.0
        curve = sign * share * (np.diag(chance) - np.outer(chance, chance))
        gap = sign * share * (target - chance) - move
        step = np.linalg.solve(np.eye(count) + curve @ inner, gap)
        # A long first step may overshoot where the softmax is flat.
        longest = float(np.abs(inner @ step).max())
        move = move + step * min(1.0, 4.0 / max(longest, 1e-12))
        if float(np.abs(step).max()) < _SETTLED:
            break
    chance = softmax(began + inner @ move)
    curve = sign * share * (np.diag(chance) - np.outer(chance, chance))
    kernel = np.linalg.solve(np.eye(count) + curve @ inner, curve)
    return Change(spread.T @ move, spread.T @ kernel, spread)


@dataclass
class Belief:
    """A belief that takes evidence on and off; arrays of its own."""

    mean: Floats
    covariance: NDArray[Any]
    applied: list[tuple[int, tuple[Change, ...]]] = field(default_factory=list)

    @property
    def taste(self) -> Gaussian:
        """As it is now."""
        return Gaussian(self.mean, self.covariance)

    def take_on(self, decision: int, evidence: Sequence[tuple[NDArray[Any], float]], lapse: float) -> None:
        """Learn what a decision (by id) says: sets' features (k, d), winner first, and whether to learn or unlearn."""
        changes = []
        for looks, sign in evidence:
            change = learn_one(self.taste, looks, 0, lapse=lapse, sign=sign)
            self._move(change, 1.0)
            changes.append(change)
        self.applied.append((decision, tuple(changes)))

    def take_off(self) -> None:
        """Unlearn what was learned last."""
        for change in reversed(self.applied.pop()[1]):
            self._move(change, -1.0)

    def _move(self, change: Change, sign: float) -> None:
        self.mean = self.mean + sign * change.step
        moved = (sign * change.left).astype(self.covariance.dtype) @ change.right.astype(self.covariance.dtype)
        self.covariance -= (moved + moved.T) / 2


@dataclass(frozen=True)
class Known:
    """Up to where a ranker has read: the newest decision and the newest row of the imported logs, by id."""

    decision: int
    selection: int = 0


@dataclass(frozen=True)
class Said:
    """A decision in force that the ranker did not know: the set, its project, and the winner first, or None where the
    verdict says nothing of a winner. `had` are the picks that the ranker learned of the set before, to be taken out."""

    decision: int
    set_pk: int
    project: str
    picked: tuple[int, ...] | None
    had: tuple[tuple[int, ...], ...] = ()
    is_against: bool = False
    """Whether it went against a suggestion in view, which is meant more often than other picks."""


class Online:
    """One person's belief, brought up to the newest verdict whenever it is asked for. Safe from any thread."""

    def __init__(self, store: Store, actor: str) -> None:
        self._store = store
        self._actor = actor
        self._lock = threading.Lock()
        self._base: tuple[object, Known] | None = None
        self._beliefs: dict[str, Belief] = {}
        self._said: dict[int, Said] = {}
        self._seen = 0

    def taste(
        self, base: object, start: Callable[[], Gaussian | None], project: str, known: Known, lapse: float, look: Look
    ) -> Gaussian | None:
        """The belief about a project: `start()` (asked once for each `base`, the identity of a ranker), and every
        decision in force that is newer than what it has `known`. `look(image_ids)` gives a set's features (k, d),
        winner first, or None where an image cannot be read. None when there is nothing to start from."""
        key = project.casefold()
        with self._lock:
            if self._base != (base, known):
                self._base, self._beliefs, self._said, self._seen = (base, known), {}, {}, known.decision
            if key not in self._beliefs:
                begun = start()
                if begun is None:
                    return None
                mean = np.asarray(begun.mean, dtype=np.float64)
                self._beliefs[key] = Belief(mean.copy(), np.array(begun.covariance, dtype=np.float64))
            self._listen(known)
            belief = self._beliefs[key]
            self._follow(belief, [one for one in self._said.values() if one.project.casefold() == key], lapse, look)
            return Gaussian(belief.mean, belief.covariance)

    @property
    def learned(self) -> int:
        """How many verdicts it has learned since the ranker was trained."""
        with self._lock:
            return sum(len(belief.applied) for belief in self._beliefs.values())

    def _listen(self, known: Known) -> None:
        """Read the decisions that are new, and for each set keep the one in force."""
        with self._store.reading() as connection:
            rows = connection.execute(
                sa.select(decisions, projects.c.name.label("project"))
                .select_from(decisions.outerjoin(projects))
                .where(decisions.c.kind == KIND, decisions.c.actor == self._actor, decisions.c.id > self._seen)
                .order_by(decisions.c.id)
            ).all()
            for row in rows:
                self._seen = max(self._seen, int(row.id))
                if row.project is None:
                    continue
                set_pk = catalogue.set_of(row.subject)
                losers = tuple(int(one) for one in row.value.get("losers", ()))
                is_evidence = row.verdict in _PICKED and not row.value.get("bulk")  # approved unseen: its own word
                picked = (int(row.value["image"]), *losers) if is_evidence and losers else None
                earlier = self._said.pop(set_pk, None)  # to the end: evidence is kept in the order it came
                had = earlier.had if earlier is not None else self._learned_before(connection, row.subject, known)
                if had == ((picked,) if picked is not None else ()):
                    continue  # nothing new, or an undo that brings back what the ranker knows
                if had and row.verdict in _SILENT and had == self._logged(connection, row.subject, known):
                    continue  # a log's word stands until a verdict replaces it
                is_against = row.verdict == Verdict.MODIFIED and not row.blind
                self._said[set_pk] = Said(int(row.id), set_pk, row.project, picked, had, is_against)

    def _learned_before(self, connection: sa.Connection, subject: str, known: Known) -> tuple[tuple[int, ...], ...]:
        """What the ranker has learned of this set: the pick in force when it was trained, else what the logs said."""
        row = connection.execute(
            sa.select(decisions.c.verdict, decisions.c.value)
            .where(
                decisions.c.kind == KIND,
                decisions.c.actor == self._actor,
                decisions.c.subject == subject,
                decisions.c.id <= known.decision,
            )
            .order_by(decisions.c.id.desc())
            .limit(1)
        ).one_or_none()
        if row is None or row.verdict in _SILENT:
            return self._logged(connection, subject, known)
        if row.verdict not in _PICKED or row.value.get("bulk") or not row.value.get("losers"):
            return ()
        return ((int(row.value["image"]), *(int(one) for one in row.value["losers"])),)

    @staticmethod
    def _logged(connection: sa.Connection, subject: str, known: Known) -> tuple[tuple[int, ...], ...]:
        return catalogue.logged_picks(connection, catalogue.set_of(subject), known.selection)

    @staticmethod
    def _follow(belief: Belief, said: Sequence[Said], lapse: float, look: Look) -> None:
        """Take off what is no longer said, back to where the two agree, and take on what is new."""
        wanted = [one.decision for one in said]
        have = [decision for decision, _ in belief.applied]
        same = 0
        while same < min(len(wanted), len(have)) and wanted[same] == have[same]:
            same += 1
        while len(belief.applied) > same:
            belief.take_off()
        for one in said[same:]:
            told = [*((images, -1.0) for images in one.had), *([(one.picked, 1.0)] if one.picked else [])]
            spoken = [(look(images), sign) for images, sign in told]
            slips = lapse * _MEANT if one.is_against else lapse
            belief.take_on(one.decision, [(looks, sign) for looks, sign in spoken if looks is not None], slips)
