"""The experiments' figures: false alarms and power by simulation, traffic on the best arm, batches, a million sessions.

All sessions here are simulated. The decisions come from the program's own functions, never from a copy of them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.experiments.allocation import propose
from engine.experiments.analysis import always_valid
from engine.experiments.arms import Arms, arms_of
from engine.experiments.columns import Units
from engine.experiments.model import Epoch, Metric, Variant
from tests.bench.table import Row

SIMULATED_DRAWS = 2_000  # a tenth of the program's, so that P(best) is told to about .01 and the weights wander more
SKEWED = [-2.6, -2.4, -2.1, -1.88]  # thresholds at which 97 % give 4 stars or more
THRESHOLDS = np.array([-1.4, -0.7, 0.0, 0.9])  # latent values at which one star more is given


def arm(number: int) -> Variant:
    """A live variant for a simulation."""
    return Variant(number + 1, f"arm-{number}", f"{number}", "", "", (), "file", None, True, 0.5, "")


def epoch(number: int, weights: list[float]) -> Epoch:
    """An epoch for a simulation."""
    arms = tuple((f"arm-{index}", weight) for index, weight in enumerate(weights))
    return Epoch(number, "", arms, 1.0, "simulated", 2, 1, "success", number > 1, None, "simulation", "")


def stars(
    latent: NDArray[np.float64], thresholds: Sequence[float] | NDArray[np.float64] = THRESHOLDS
) -> NDArray[np.float64]:
    """Ratings of 1 to 5 from latent opinions."""
    return 1.0 + np.searchsorted(np.asarray(thresholds), latent, side="right")


def arms(variant: NDArray[np.int64], when: NDArray[np.int64], rating: NDArray[np.float64], epochs: list[Epoch]) -> Arms:
    """Simulated users, one rating each, as the analysis sees them; `variant` counts from 0, `when` from 1."""
    success = np.where(np.isnan(rating), np.nan, (rating >= 4).astype(float))
    crossed = np.zeros(len(rating), bool)
    found = Units((variant + 1).astype(np.int32), when.astype(np.int32), rating, success, crossed)
    count = len(epochs[0].arms)
    return arms_of(found, [arm(index) for index in range(count)], epochs)


def is_significant(found: Arms, metric: Metric) -> bool:
    """Whether the program would call the two arms different."""
    _estimate, interval, _method = always_valid(found, 0, 1, metric)
    return interval is not None and (interval[0] > 0 or interval[1] < 0)


def false_alarms(
    simulations: int,
    looks: int,
    users: int,
    metric: Metric,
    seed: int = 0,
    share: float = 0.5,
    thresholds: Sequence[float] | NDArray[np.float64] = THRESHOLDS,
) -> float:
    """A/A: the share of simulations in which any of the looks, evenly spread, finds a difference.

    `share` of the users come to the second arm; `thresholds` are where one star more is given.
    """
    draw = np.random.default_rng(seed)
    one = [epoch(1, [1 - share, share])]
    alarms = 0
    for _simulation in range(simulations):
        variant = (draw.random(users) < share).astype(np.int64)
        rating = stars(draw.normal(size=users), thresholds)
        for until in np.linspace(users / looks, users, looks).astype(int):
            seen = arms(variant[:until], np.ones(until, np.int64), rating[:until], one)
            if is_significant(seen, metric):
                alarms += 1
                break
    return alarms / simulations


def drifting_false_alarms(
    simulations: int, users_a_day: int, metric: Metric, seed: int = 0, days: int = 30, drift: float = 0.3
) -> tuple[float, float]:
    """A/A with weights that follow the results daily while opinions drift by `drift` stars over the days.

    (share found different at any of the daily looks by the program, share by one pooled Welch test at the end).
    """
    from scipy.stats import ttest_ind

    draw = np.random.default_rng(seed)
    levels = _latent_levels(drift, days)
    alarms, fooled = 0, 0
    for simulation in range(simulations):
        epochs: list[Epoch] = []
        variant, when, rating = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        weights = [0.5, 0.5]
        alarmed = False
        for day in range(days):
            epochs.append(epoch(day + 1, weights))
            new = (draw.random(users_a_day) < weights[1]).astype(np.int64)
            variant = np.concatenate([variant, new])
            when = np.concatenate([when, np.full(users_a_day, day + 1)])
            rating = np.concatenate([rating, stars(draw.normal(size=users_a_day) + levels[day])])
            seen = arms(variant, when, rating, epochs)
            alarmed = alarmed or is_significant(seen, metric)
            before = dict(epochs[-1].arms)
            own_seed = seed + simulation * days + day
            found = propose(seen, metric, before, seed=own_seed, is_frozen=False, draws=SIMULATED_DRAWS)
            weights = list(found.weights.values())
        outcome = (rating >= 4).astype(float) if metric == "success" else rating
        alarms += alarmed
        fooled += bool(ttest_ind(outcome[variant == 0], outcome[variant == 1], equal_var=False).pvalue < 0.05)
    return alarms / simulations, fooled / simulations


def _latent_levels(drift: float, days: int) -> NDArray[np.float64]:
    """Latent levels by day such that the mean rating moves by `drift` stars from the first day to the last."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    def mean(level: float) -> float:
        return float(1 + norm.sf(THRESHOLDS - level).sum())

    def half(wanted: float) -> float:
        return float(brentq(lambda level: mean(level) - mean(0.0) - wanted, -3, 3))

    return np.array([half(drift * (day / max(days - 1, 1) - 0.5)) for day in range(days)])


def power(simulations: int, users_an_arm: int, shift: float, metric: Metric, seed: int = 0) -> float:
    """The share of simulations in which a latent shift of b (in standard deviations) is found at that many users."""
    draw = np.random.default_rng(seed)
    variant = np.repeat([0, 1], users_an_arm)
    when = np.ones(len(variant), np.int64)
    one = [epoch(1, [0.5, 0.5])]
    found = 0
    for _simulation in range(simulations):
        rating = stars(draw.normal(size=len(variant)) + shift * variant)
        found += is_significant(arms(variant, when, rating, one), metric)
    return found / simulations


def traffic(
    simulations: int, sessions: int, rates: list[float], batch: int, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Thompson sampling on success, one session a user, weights renewed every `batch` sessions, which are an epoch.

    (share of new users that go to the best arm after the last session, regret by a fixed equal split's), each
    (simulations,). Regret is the sum of what each user's arm falls short of the best.
    """
    draw = np.random.default_rng(seed)
    count, best = len(rates), int(np.argmax(rates))
    levels = np.array(rates)
    shares, regrets = np.empty(simulations), np.empty(simulations)
    for simulation in range(simulations):
        epochs: list[Epoch] = []
        variant, when, rating = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        weights = [1 / count] * count
        for step in range(sessions // batch):
            epochs.append(epoch(step + 1, weights))
            new = draw.choice(count, batch, p=weights)
            variant = np.concatenate([variant, new])
            when = np.concatenate([when, np.full(batch, step + 1)])
            rating = np.concatenate([rating, np.where(draw.random(batch) < levels[new], 5.0, 2.0)])
            seen = arms(variant, when, rating, epochs)
            own_seed = seed + simulation * 1_000 + step
            weights = list(
                propose(seen, "success", dict(epochs[-1].arms), seed=own_seed, is_frozen=False).weights.values()
            )
        shares[simulation] = weights[best]
        fixed = draw.integers(0, count, sessions)
        lost = (levels[best] - levels[variant]).sum()
        regrets[simulation] = lost / (levels[best] - levels[fixed]).sum()
    return shares, regrets


def batch_rate(ids: int = 1_000_000) -> float:
    """User ids assigned a second of CPU time, on one core."""
    from engine.experiments.assignment import draw_many

    one = epoch(1, [0.5, 0.5])
    users = [f"user-{number}@example.org" for number in range(ids)]
    begun = time.process_time()
    draw_many(one, users)
    return ids / (time.process_time() - begun)


def fill(workspace: Path, sessions: int) -> Path:
    """A workspace with that many simulated sessions of a fifth as many users; its database."""
    import asyncio

    import sqlalchemy as sa

    from engine.engine import Engine
    from engine.store import Store
    from engine.store.schema.experiments import participants, resize_sessions
    from engine.workspace import Workspace

    found = Workspace.init(workspace)

    async def begin() -> None:
        async with Engine.open(found) as engine:
            await engine.experiments.variants()

    asyncio.run(begin())
    draw = np.random.default_rng(0)
    users = sessions // 5
    moment = "2026-01-01T00:00:00.000000Z"
    person = draw.integers(0, users, sessions)
    side = draw.integers(0, 2, users)
    rating = draw.integers(1, 6, sessions)
    rated = draw.random(sessions) < 0.6
    duration = draw.gamma(3, 1_500, sessions)
    store = Store.open(found.database_file)
    with store.writing() as connection:
        rows = [{"pk": one + 1, "user_id": f"user-{one}", "first_seen_at": moment} for one in range(users)]
        connection.execute(sa.insert(participants), rows)
        for begin_at in range(0, sessions, 50_000):
            some = [
                {
                    "id": f"{one:024x}",
                    "participant_pk": int(person[one]) + 1,
                    "variant_pk": int(side[person[one]]) + 1,
                    "epoch_id": 1,
                    "assigned_epoch_id": 1,
                    "probability": 0.5,
                    "source": "http",
                    "processing_ms": float(duration[one]),
                    "corrections": one % 4,
                    "state": "done",
                    "rating": int(rating[one]) if rated[one] else None,
                    "day": 20_000 + one * 60 // sessions,
                    "created_at": moment,
                    "updated_at": moment,
                }
                for one in range(begin_at, min(begin_at + 50_000, sessions))
            ]
            connection.execute(sa.insert(resize_sessions), some)
    store.close()
    return found.root


def experiments(folder: Path) -> list[Row]:
    """Every figure of the experiments that needs no server."""
    import subprocess
    import sys

    metrics: tuple[Metric, ...] = ("success", "rating")
    aa = max(false_alarms(1_000, 50, 5_000, metric) for metric in metrics)
    skewed = max(false_alarms(300, 50, 5_000, metric, share=0.05, thresholds=SKEWED) for metric in metrics)
    drifts = {metric: drifting_false_alarms(1_000, 100, metric) for metric in metrics}
    drifting = max(ours for ours, _pooled in drifts.values())
    told = "; ".join(
        f"{metric} {ours:.1%} (pooled Welch at the end: {pooled:.1%})" for metric, (ours, pooled) in drifts.items()
    )
    strong = min(power(300, 3_000, 0.2, metric) for metric in ("success", "rating"))
    shares, regrets = traffic(300, 2_000, [0.5, 0.5, 0.5, 0.6], 100)
    speed = batch_rate()
    root = fill(folder / "million", 1_000_000)
    code = (
        "import resource, sys, time\n"
        "from tui.cli import main\n"
        "begun = time.perf_counter()\n"
        f"main(['-w', {str(root)!r}, 'variants', 'analyze', '--json'], standalone_mode=False)\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "print(time.perf_counter() - begun, peak, file=sys.stderr)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stderr
    seconds, peak = (float(word) for word in said.strip().splitlines()[-1].split())
    middle, below = float(np.median(shares)), float((regrets < 1).mean())
    return [
        Row("A/A, 50 looks, 1,000 simulations: false 'significant'", "≤ 5 %", f"{aa:.1%}", aa <= 0.05),
        Row("A/A, 97 % success, 5 % of the users in one arm, 50 looks", "≤ 5 %", f"{skewed:.1%}", skewed <= 0.05),
        Row(
            "A/A with adaptive weights and a 0.3-star drift over 30 days, a look a day",
            "≤ 6 %",
            told,
            drifting <= 0.06,
        ),
        Row("a true 0.2 latent shift at 3,000 users an arm is found", "≥ 90 %", f"{strong:.1%}", strong >= 0.9),
        Row(
            "median share of new traffic on the best of 4 arms, 2,000 sessions",
            "≥ 70 %",
            f"{middle:.1%}",
            middle >= 0.7,
        ),
        Row("regret below a fixed split's", "≥ 95 % of runs", f"{below:.1%}", below >= 0.95),
        Row("assignment of a batch of ids, one core", "≥ 200,000/s", f"{speed:,.0f}/s", speed >= 200_000),
        Row(
            "analysis of 1,000,000 sessions",
            "≤ 5 s, ≤ 1 GB",
            f"{seconds:.1f} s, {peak:,.0f} MB",
            seconds <= 5 and peak <= 1024,
        ),
    ]
