"""How good a result was, 0 to 1: what was said of it, drawn toward its variant's mean by how little that is.

Relies on the store. A rating of 1 to 5 stars counts as 0 to 1, helpful or not as half an opinion of 1 or 0. The score
is the mean of a Beta distribution that begins at the variant's mean with the weight of four ratings (an empirical-Bayes
prior), its interval the middle 95 % of that distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from engine.experiments import catalogue
from engine.store.schema.experiments import feedback, resize_sessions

PRIOR_RATINGS = 4.0
HELPFUL_WEIGHT = 0.5
_START = 0.5  # the mean of a variant that nobody has rated


@dataclass(frozen=True)
class Quality:
    """`score` and the ends of its 95 % interval, 0 to 1; `ratings` is how many opinions went into it."""

    score: float
    low: float
    high: float
    ratings: int


def shrunken(opinions: Sequence[tuple[float, float]], mean: float) -> Quality:
    """From (value 0 to 1, weight) of each opinion and the mean to be drawn to (0 to 1, ends excluded by a hair)."""
    from scipy.stats import beta

    mean = min(max(mean, 0.01), 0.99)
    good = PRIOR_RATINGS * mean + sum(value * weight for value, weight in opinions)
    bad = PRIOR_RATINGS * (1 - mean) + sum((1 - value) * weight for value, weight in opinions)
    low, high = beta.ppf([0.025, 0.975], good, bad)
    return Quality(good / (good + bad), float(low), float(high), len(opinions))


def opinions_of(rating: int | None, helpful: bool | None) -> list[tuple[float, float]]:
    """What one piece of feedback says, as (value, weight)."""
    said = []
    if rating is not None:
        said.append(((rating - 1) / 4, 1.0))
    if helpful is not None:
        said.append((float(helpful), HELPFUL_WEIGHT))
    return said


def variant_means(connection: sa.Connection) -> dict[int, float]:
    """Of each variant that was rated, by its internal key: the mean quality, itself drawn toward that of all."""
    columns = resize_sessions.c
    query = (
        sa.select(columns.variant_pk, sa.func.count(), sa.func.sum(columns.rating))
        .where(columns.rating.is_not(None))
        .group_by(columns.variant_pk)
    )
    rows = [(int(pk), int(count), (float(total) - count) / 4) for pk, count, total in connection.execute(query)]
    everything = sum(total for *_, total in rows), sum(count for _, count, _ in rows)
    overall = everything[0] / everything[1] if everything[1] else _START
    return {pk: (total + PRIOR_RATINGS * overall) / (count + PRIOR_RATINGS) for pk, count, total in rows}


def quality_of(connection: sa.Connection, session_id: str) -> Quality:
    """The quality of one session, from the feedback in force. Raises UnknownSession."""
    pk = catalogue.session_pk(connection, session_id)
    variant = connection.execute(sa.select(resize_sessions.c.variant_pk).where(resize_sessions.c.pk == pk)).scalar_one()
    newest = sa.select(feedback.c.rating, feedback.c.helpful).where(feedback.c.session_pk == pk)
    row = connection.execute(newest.order_by(feedback.c.id.desc()).limit(1)).one_or_none()
    opinions = opinions_of(row.rating, row.helpful) if row else []
    return shrunken(opinions, variant_means(connection).get(int(variant), _START))
