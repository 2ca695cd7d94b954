"""What works where: for each kind of canvas, whether one variant does better than another, and what is hard for all.

Pure functions over rated users. Every finding has its effect and an interval; intervals are Newcombe's, widened by
Bonferroni's rule for all that were looked at, so that a long list of questions does not by itself give answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

from engine.experiments.examples import Rated
from engine.experiments.statistics import Interval, newcombe_interval

ALPHA = 0.05
SMALLEST = 30  # users on each side of a comparison

# feature -> (what a high value means, what a low one means), as a clause after 'where'
WORDS: dict[str, tuple[str, str]] = {
    "objects": ("there are many objects", "there are few objects"),
    "texts": ("there are many texts", "there are few texts"),
    "images": ("there are many pictures", "there are few pictures"),
    "coverage": ("the page is well filled", "much of the page is empty"),
    "overlap": ("objects overlap much", "objects hardly overlap"),
    "alignment": ("much is aligned", "little is aligned"),
    "text_share": ("text takes much of the design", "text takes little of the design"),
    "text_size": ("the smallest text is large", "the smallest text is small"),
    "aspect": ("the page is wide", "the page is tall"),
    "aspect_change": ("the page grows wider", "the page grows taller"),
    "scale_change": ("the page grows larger", "the page grows smaller"),
}


@dataclass(frozen=True)
class Finding:
    """`effect` is a difference of success rates with its interval: of `variant` against `against` where the condition
    holds, or, with no variant, of canvases where it holds against the others."""

    feature: str
    is_high: bool
    threshold: float
    variant: str | None
    against: str | None
    effect: float
    interval: Interval
    users: int
    text: str

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True)
class _Candidate:
    feature: str
    is_high: bool
    threshold: float
    variant: str | None
    against: str | None
    counts: tuple[int, int, int, int]  # successes and users of what it is compared with, and of it


def findings(rated: Sequence[Rated], min_rating: int) -> list[Finding]:
    """The findings whose widened interval excludes 0, largest effect first. A user counts once."""
    first: dict[str, Rated] = {}
    for session in rated:
        first.setdefault(session.user, session)
    users = list(first.values())
    candidates = [found for feature in WORDS for found in _candidates(users, feature, min_rating)]
    made = []
    for one in candidates:
        s_a, n_a, s_b, n_b = one.counts
        interval = newcombe_interval(s_a, n_a, s_b, n_b, ALPHA / len(candidates))
        if interval is None or interval[0] <= 0 <= interval[1]:
            continue
        effect = s_b / n_b - s_a / n_a
        if one.variant is not None and effect < 0:  # told of the one that does better
            one = replace(one, variant=one.against, against=one.variant)
            effect, interval = -effect, (-interval[1], -interval[0])
        text = _text(one, effect, interval, n_a + n_b)
        made.append(
            Finding(
                one.feature, one.is_high, one.threshold, one.variant, one.against, effect, interval, n_a + n_b, text
            )
        )
    return sorted(made, key=lambda one: -abs(one.effect))


def _candidates(users: Sequence[Rated], feature: str, min_rating: int) -> list[_Candidate]:
    """The comparisons that this feature allows, split at its median (or at 0 for changes), with enough users a side."""
    import numpy as np

    values = np.array([one.features[feature] for one in users if feature in one.features])
    if len(values) < 2 * SMALLEST:
        return []
    threshold = 0.0 if feature.endswith("_change") or feature == "aspect" else float(np.median(values))
    made = []

    def count(belongs: Callable[[Rated], bool]) -> tuple[int, int]:
        of = [one for one in users if feature in one.features and belongs(one)]
        return sum(one.rating >= min_rating for one in of), len(of)

    high, low = (
        count(lambda one: one.features[feature] > threshold),
        count(lambda one: one.features[feature] <= threshold),
    )
    if min(high[1], low[1]) < SMALLEST:
        return []  # nearly every canvas is alike in this: there is no 'where'
    made.append(_Candidate(feature, True, threshold, None, None, (*low, *high)))
    for a, b in combinations(sorted({one.variant for one in users}), 2):
        for is_high in (True, False):

            def of(variant: str, is_high: bool = is_high) -> tuple[int, int]:
                return count(lambda who: who.variant == variant and (who.features[feature] > threshold) == is_high)

            of_a, of_b = of(a), of(b)
            if min(of_a[1], of_b[1]) >= SMALLEST:
                made.append(_Candidate(feature, is_high, threshold, b, a, (*of_a, *of_b)))
    return made


def _text(one: _Candidate, effect: float, interval: Interval, users: int) -> str:
    high, low = WORDS[one.feature]
    where, otherwise = (high, low) if one.is_high else (low, high)
    ends = sorted(abs(end) * 100 for end in interval)
    size = f"{abs(effect) * 100:.0f} points {'more' if effect > 0 else 'less'} often ({ends[0]:.0f} to {ends[1]:.0f}"
    if one.variant is None:
        return f"Where {where}, results succeed {size}; {users:,} users) than where {otherwise}."
    return f"Where {where}, '{one.variant}' succeeds {size}; {users:,} users) than '{one.against}'."
