"""What became of fixes, and what that says about the next one of their kind. Pure but for the reading of rows.

Three outcomes are kept apart: `tests` (they passed in place), `kept` (a person left it in place), `recurrence` (the
error did not come back in the next runs). Only the last two say that a fix was right: in published studies 30 to 55 %
of patches that pass the tests are wrong. A fix is one trial: a success when one of the two succeeded and none failed.

The prior is uniform, Beta(1, 1). After n successes and m failures the posterior is Beta(1 + n, 1 + m), and its 5 %
quantile is the confidence that is shown and compared: with 28 clean successes 0.05 ** (1 / 29) = .902, with 27 .899.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from engine.store.schema.repair import fix_outcomes

Kind = Literal["tests", "kept", "recurrence"]
LOWER = 0.05
PRIOR = (1.0, 1.0)
REJECTED = "rejected"  # how the detail of an outcome begins that says so
_COUNTED = ("kept", "recurrence")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing that became of one fix. `was_applied` is False where a person refused it beforehand."""

    fix: str
    pattern: str
    operator: str
    context: str
    kind: Kind
    is_success: bool
    was_applied: bool = True

    @property
    def is_regression(self) -> bool:
        """Whether something that was applied failed."""
        return self.was_applied and not self.is_success


@dataclass(frozen=True, slots=True)
class Standing:
    """How fixes of one pattern, operator and context did. `since_regression`: successes of the whole pattern since one
    that was applied last failed; None where none ever did."""

    successes: int
    failures: int
    lower: float
    since_regression: int | None

    @property
    def words(self) -> str:
        """Why the confidence is what it is."""
        if not self.successes and not self.failures:
            return "none of its kind was kept here yet"
        of = self.successes + self.failures
        return f"{self.successes} of {of} such {'fix' if of == 1 else 'fixes'} held"


def lower_bound(successes: int, failures: int) -> float:
    """The 5 % quantile of Beta(1 + successes, 1 + failures)."""
    if not failures:
        return float(LOWER ** (1.0 / (successes + PRIOR[0])))  # the quantile of Beta(a, 1) in closed form
    from scipy.special import betaincinv

    return float(betaincinv(PRIOR[0] + successes, PRIOR[1] + failures, LOWER))


def read(connection: sa.Connection) -> list[Outcome]:
    """Every outcome, oldest first."""
    rows = connection.execute(sa.select(fix_outcomes).order_by(fix_outcomes.c.id))
    return [
        Outcome(
            row.fix_id,
            row.pattern,
            row.operator,
            row.context,
            row.kind,
            row.is_success,
            not (row.detail or "").startswith(REJECTED),
        )
        for row in rows
    ]


def standing(outcomes: Iterable[Outcome], pattern: str, operator: str, context: str) -> Standing:
    """How fixes of this kind did, out of every outcome (oldest first)."""
    of_pattern = [one for one in outcomes if one.pattern == pattern]
    own = [one for one in of_pattern if (one.operator, one.context) == (operator, context)]
    held = _held(one for one in own if one.kind in _COUNTED)
    successes = sum(held.values())
    failures = len(held) - successes
    worst = max((number for number, one in enumerate(of_pattern) if one.is_regression), default=None)
    since = None
    if worst is not None:
        since = sum(_held(one for one in of_pattern[worst + 1 :] if one.kind in _COUNTED).values())
    return Standing(successes, failures, lower_bound(successes, failures), since)


def _held(counted: Iterable[Outcome]) -> Mapping[str, bool]:
    """Fix -> whether everything that was told about it was good."""
    held: dict[str, bool] = {}
    for one in counted:
        held[one.fix] = held.get(one.fix, True) and one.is_success
    return held
