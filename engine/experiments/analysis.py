"""From sessions to a verdict: every arm, every pair of arms, the checks, the targets.

Relies on `columns` for the data and on `statistics`, `sequences`, `stratified`, `srm` and `selection` for the numbers.
Pure functions over arrays. One metric was named in advance and alone decides; the rest is shown beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import TYPE_CHECKING

from engine.experiments import selection, sequences
from engine.experiments.arms import Arms, arms_of, probabilities_of_best
from engine.experiments.columns import Columns, Units, units
from engine.experiments.model import SUCCESS_RATING, Epoch, Metric, Variant
from engine.experiments.report import (
    Analysis,
    Bounds,
    Comparison,
    Day,
    Ratio,
    SelectionReport,
    Target,
    VariantReport,
)
from engine.experiments.srm import RatioCheck, ratio_check
from engine.experiments.statistics import (
    Interval,
    compare_ordinal,
    holm,
    newcombe_interval,
    p_better_rate,
    welch_p,
    wilson_interval,
)
from engine.experiments.stratified import difference
from engine.experiments.verdict import verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALPHA = 0.05
ALPHA_SMALL = 0.01  # spent on the exact sequence while an arm is small; the rest is the asymptotic one's
SMALL = 100  # rated users of an arm below which only an exact sequence is trusted
WORTH_FINDING: dict[Metric, float] = {"success": 0.10, "rating": 0.30}  # gaps that `users_missing` aims at
SPAN: dict[Metric, Interval] = {"success": (0.0, 1.0), "rating": (1.0, 5.0)}
TARGETS = {"success_rate": 0.70, "feedback_rate": 0.50, "processing_ms": 10_000.0, "confidence": 0.95}
DAYS_SHOWN = 90


def analyse(
    columns: Columns, known: Sequence[Variant], epochs: Sequence[Epoch], metric: Metric, *, warnings: Sequence[str] = ()
) -> Analysis:
    """The whole report. Every variant is in it; one that neither runs nor has sessions is not compared."""
    import numpy as np

    found = units(columns)
    arms = arms_of(found, known, epochs)
    best = probabilities_of_best(arms, metric)
    check = ratio_of(found, known, epochs)
    compared = [index for index, one in enumerate(known) if one.is_active or arms.users[index]]
    comparisons = _comparisons(arms, compared, metric)
    reports = _variant_reports(columns, arms, best)
    chosen = _selection(arms, compared, metric)
    rated = ~np.isnan(found.rating)
    notes = [*warnings]
    if check.is_frozen:
        notes.append("users did not come to the arms as the weights said: nothing is optimised until that is explained")
    if chosen.flagged:
        notes.append("arms differ in how many users rate: the comparison holds for those who do; see the bounds")
    crossed = int(found.has_crossed.sum())
    if crossed:
        notes.append(f"{crossed:,} users saw more than one variant; only what they said of their first one counts")
    confidence = max((one for one in best if one is not None), default=None)
    values = {
        "success_rate": float(found.success[rated].mean()) if rated.any() else None,
        "feedback_rate": _share(columns.is_answered),
        "processing_ms": _median(columns.processing_ms),
        "confidence": confidence,
    }
    return Analysis(
        metric=metric,
        users=len(found),
        sessions=len(columns),
        feedback_rate=values["feedback_rate"],
        error_rate=_share(columns.is_failed),
        srm=Ratio(check.p, check.is_frozen),
        variants=reports,
        comparisons=comparisons,
        targets={name: _target(name, value) for name, value in values.items()},
        verdict=verdict(reports, comparisons, metric, is_frozen=check.is_frozen),
        selection=chosen,
        daily=_daily(columns),
        crossed_users=crossed,
        epochs=len(epochs),
        warnings=notes,
    )


def ratio_of(found: Units, known: Sequence[Variant], epochs: Sequence[Epoch]) -> RatioCheck:
    """The sample-ratio check over the epochs in which users came."""
    import numpy as np

    names = {one.pk: one.id for one in known}
    tables = []
    for epoch in epochs:
        variant, count = np.unique(found.variant[found.epoch == epoch.id], return_counts=True)
        tables.append((dict(epoch.arms), dict(zip((names[int(pk)] for pk in variant), count.tolist(), strict=True))))
    return ratio_check(tables)


def _comparisons(arms: Arms, compared: Sequence[int], metric: Metric) -> list[Comparison]:
    pairs = list(combinations(compared, 2))
    made = [_compare(arms, a, b, metric, len(pairs)) for a, b in pairs]
    # The decision is the sequence's; every classical p beside it is corrected for all the others.
    p_values = [p for one in made for p in (one.brunner_munzel_p, one.welch_p)]
    corrected = holm(p_values)
    for place, one in enumerate(made):
        one.holm_p.update({"brunner_munzel": corrected[2 * place], "welch": corrected[2 * place + 1]})
    return made


def _compare(arms: Arms, a: int, b: int, metric: Metric, comparisons: int) -> Comparison:
    rating_a, rating_b = arms.rating[a], arms.rating[b]
    n_a, n_b = len(rating_a), len(rating_b)
    s_a, s_b = float(arms.success[a].sum()), float(arms.success[b].sum())
    ordinal = compare_ordinal(rating_a, rating_b)
    estimate, interval, method = always_valid(arms, a, b, metric, comparisons)
    return Comparison(
        a=arms.known[a].id,
        b=arms.known[b].id,
        p_superior=ordinal.p_superior if ordinal else None,
        brunner_munzel_p=ordinal.p_value if ordinal else None,
        welch_p=welch_p(rating_a, rating_b),
        mean_difference=float(rating_b.mean() - rating_a.mean()) if n_a and n_b else None,
        success_difference=s_b / n_b - s_a / n_a if n_a and n_b else None,
        newcombe_ci=newcombe_interval(s_a, n_a, s_b, n_b),
        p_better=p_better_rate(s_a, n_a, s_b, n_b) if n_a and n_b else None,
        estimate=estimate,
        always_valid_ci=interval,
        method=method,
        significant=interval is not None and (interval[0] > 0 or interval[1] < 0),
        users_missing=_missing(arms, a, b, metric, comparisons),
        holm_p={},
    )


def always_valid(
    arms: Arms, a: int, b: int, metric: Metric, comparisons: int = 1
) -> tuple[float | None, Interval | None, str]:
    """(estimate, interval, method) for b minus a on the metric; the interval holds at every look and over all pairs.

    'bernoulli' and 'bounded' are exact at any number of users and used while an arm is small; 'asymptotic' after that.
    """
    cells = arms.cells(metric)
    values_a, values_b = arms.outcome(metric, a), arms.outcome(metric, b)
    if not len(values_a) or not len(values_b):
        return None, None, "none"
    gap = difference(cells, a, b)
    is_small = min(len(values_a), len(values_b)) < SMALL
    epochs = int(((cells.n[:, a] > 0) | (cells.n[:, b] > 0)).sum())
    if is_small and metric == "success" and epochs == 1:
        alpha = ALPHA_SMALL / comparisons / 2
        low_a, high_a = sequences.bernoulli_sequence(float(values_a.sum()), len(values_a), alpha)
        low_b, high_b = sequences.bernoulli_sequence(float(values_b.sum()), len(values_b), alpha)
        return float(values_b.mean() - values_a.mean()), (low_b - high_a, high_b - low_a), "bernoulli"
    if gap is None:
        return None, None, "none"
    width = SPAN[metric][1] - SPAN[metric][0]
    if is_small:
        # A bounded outcome is sub-Gaussian with half its width (Hoeffding's lemma), whatever its distribution.
        variance = gap.leverage * (width / 2) ** 2
        radius = sequences.mixture_radius(variance, gap.users, ALPHA_SMALL / comparisons)
        method = "bounded"
    else:
        radius = sequences.mixture_radius(gap.variance, gap.users, (ALPHA - ALPHA_SMALL) / comparisons)
        method = "asymptotic"
    return gap.estimate, (max(gap.estimate - radius, -width), min(gap.estimate + radius, width)), method


def _missing(arms: Arms, a: int, b: int, metric: Metric, comparisons: int) -> int:
    """Rated users that the smaller arm still lacks until a gap worth finding would be found four times in five."""
    import numpy as np

    both = np.concatenate([arms.outcome(metric, a), arms.outcome(metric, b)])
    low, high = SPAN[metric]
    typical = (high - low) ** 2 / (4 if metric == "success" else 12)
    variance = float(both.var()) if len(both) >= SMALL and both.var() > 0 else typical
    needed = sequences.users_needed(variance, WORTH_FINDING[metric], (ALPHA - ALPHA_SMALL) / comparisons)
    return max(0, max(needed, SMALL) - min(len(arms.rating[a]), len(arms.rating[b])))


def _variant_reports(columns: Columns, arms: Arms, best: Sequence[float | None]) -> list[VariantReport]:
    import numpy as np

    reports = []
    for index, one in enumerate(arms.known):
        mine = columns.variant == one.pk
        ratings = columns.rating[mine]
        corrections = columns.corrections[mine]
        rated, successes = len(arms.rating[index]), float(arms.success[index].sum())
        reports.append(
            VariantReport(
                id=one.id,
                title=one.title,
                is_active=one.is_active,
                weight=one.weight,
                users=arms.users[index],
                rated_users=rated,
                sessions=int(mine.sum()),
                feedback_rate=_share(columns.is_answered[mine]),
                rating_mean=float(arms.rating[index].mean()) if rated else None,
                rating_histogram=np.bincount(ratings, minlength=6)[1:6].tolist(),
                success_rate=successes / rated if rated else None,
                success_ci=wilson_interval(successes, rated),
                p_best=best[index],
                processing_ms_median=_median(columns.processing_ms[mine]),
                corrections_mean=float(corrections[corrections >= 0].mean()) if (corrections >= 0).any() else None,
                error_rate=_share(columns.is_failed[mine]),
            )
        )
    return reports


def _selection(arms: Arms, compared: Sequence[int], metric: Metric) -> SelectionReport:
    with_users = [index for index in compared if arms.users[index]]
    answered = [len(arms.rating[index]) for index in with_users]
    p = selection.response_p(answered, [arms.users[index] for index in with_users])
    if p is None or p >= selection.FLAGGED_BELOW:
        return SelectionReport(p, False)
    bounds = []
    for a, b in combinations(with_users, 2):
        values_a, values_b = arms.outcome(metric, a), arms.outcome(metric, b)
        n_a, n_b = arms.users[a], arms.users[b]
        manski = selection.manski_bounds(values_a, n_a, values_b, n_b, SPAN[metric])
        lee = selection.lee_bounds(values_a, n_a, values_b, n_b)
        bounds.append(Bounds(arms.known[a].id, arms.known[b].id, manski, lee))
    return SelectionReport(p, True, bounds)


def _daily(columns: Columns) -> list[Day]:
    """The newest days that had sessions, oldest first."""
    import numpy as np

    if not len(columns):
        return []
    changes = np.flatnonzero(np.diff(columns.day)) + 1  # sessions come in days' order or nearly so
    days = np.unique(columns.day[np.concatenate([[0], changes])])
    place = np.searchsorted(days, columns.day)
    size = len(days)
    sessions = np.bincount(place, minlength=size)
    pairs = np.sort(place.astype(np.int64) << 32 | columns.user.astype(np.int64))
    is_new = np.concatenate([[True], pairs[1:] != pairs[:-1]])
    people = np.bincount(pairs[is_new] >> 32, minlength=size)
    rated = columns.rating > 0
    count = np.bincount(place[rated], minlength=size)
    stars = np.bincount(place[rated], columns.rating[rated], minlength=size)
    good = np.bincount(place[columns.rating >= SUCCESS_RATING], minlength=size)
    answered = np.bincount(place[columns.is_answered], minlength=size)
    failed = np.bincount(place[columns.is_failed], minlength=size)
    return [
        Day(
            day=(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=int(days[i]))).date().isoformat(),
            active_sessions=int(sessions[i]),
            active_users=int(people[i]),
            feedback_rate=float(answered[i] / sessions[i]),
            rating_mean=float(stars[i] / count[i]) if count[i] else None,
            success_rate=float(good[i] / count[i]) if count[i] else None,
            error_rate=float(failed[i] / sessions[i]),
        )
        for i in range(max(0, size - DAYS_SHOWN), size)
    ]


def _target(name: str, value: float | None) -> Target:
    goal = TARGETS[name]
    if value is None:
        return Target(None, goal, None)
    return Target(value, goal, value < goal if name == "processing_ms" else value > goal)


def _share(flags: NDArray[np.bool_]) -> float | None:
    return float(flags.mean()) if len(flags) else None


def _median(durations: NDArray[np.float64]) -> float | None:
    import numpy as np

    known = durations[durations >= 0]
    return float(np.median(known)) if len(known) else None
