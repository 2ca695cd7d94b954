"""The analysis: the contract's shape, users as the unit, and an honest verdict."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from engine.experiments import Experiments, NewFeedback, NewSession
from engine.experiments.columns import Columns, units
from tests.engine.experiments.conftest import Clock, MakeRoom

Write = Callable[[Iterable[Mapping[str, Any] | str | bytes]], Path]
CLOSE = {"rel": 1e-9, "abs": 1e-9}


def simulated(users: int, means: Mapping[str, float], seed: int = 0, answering: float = 1.0) -> list[dict[str, Any]]:
    """Simulated sessions, one a user, in turns over the variants; stars around each variant's mean."""
    draw = np.random.default_rng(seed)
    names = list(means)
    rows: list[dict[str, Any]] = []
    for number in range(users):
        variant = names[number % len(names)]
        stars = int(np.clip(round(draw.normal(means[variant], 1.1)), 1, 5))
        row: dict[str, Any] = {"user": f"u{number}", "variant": variant, "processing_ms": float(1_000 + number)}
        if draw.random() < answering:
            row["rating"] = stars
        rows.append(row)
    return rows


async def test_the_document_has_the_contracts_shape(room: Experiments, jsonl: Write) -> None:
    await room.import_sessions(jsonl(simulated(400, {"original": 3.2, "enhanced-v1": 3.6})))
    document = json.loads(json.dumps((await room.analyze()).document(), allow_nan=False))
    assert {"users", "sessions", "feedback_rate", "srm", "variants", "comparisons", "targets", "verdict"} <= set(
        document
    )
    assert set(document["srm"]) == {"p", "frozen"}
    wanted = {"id", "users", "sessions", "feedback_rate", "rating_mean", "rating_histogram", "success_rate"}
    wanted |= {"success_ci", "p_best", "processing_ms_median", "corrections_mean"}
    assert all(wanted <= set(one) and len(one["rating_histogram"]) == 5 for one in document["variants"])
    wanted = {"a", "b", "p_superior", "brunner_munzel_p", "welch_p", "success_difference", "newcombe_ci"}
    assert wanted | {"always_valid_ci", "significant"} <= set(document["comparisons"][0])
    assert set(document["targets"]) == {"success_rate", "feedback_rate", "processing_ms", "confidence"}


async def test_numbers_of_one_session_a_user_are_scipys(room: Experiments, jsonl: Write) -> None:
    rows = simulated(900, {"original": 3.2, "enhanced-v1": 3.6})
    await room.import_sessions(jsonl(rows))
    found = await room.analyze()
    a, b = ([row["rating"] for row in rows if row["variant"] == name] for name in ("original", "enhanced-v1"))
    pair = found.comparisons[0]
    assert (pair.a, pair.b) == ("original", "enhanced-v1")
    assert pair.welch_p == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, **CLOSE)
    assert pair.brunner_munzel_p == pytest.approx(stats.brunnermunzel(a, b).pvalue, **CLOSE)
    good = [np.mean(np.array(one) >= 4) for one in (a, b)]
    assert pair.success_difference == pytest.approx(good[1] - good[0], **CLOSE)
    assert pair.p_superior == pytest.approx(np.mean([(y > x) + (y == x) / 2 for x in a for y in b]), **CLOSE)
    assert found.srm.p == pytest.approx(stats.chisquare([450, 450]).pvalue, **CLOSE)
    first = found.variants[0]
    assert first.rating_histogram == [a.count(stars) for stars in range(1, 6)]
    assert first.processing_ms_median == np.median([r["processing_ms"] for r in rows if r["variant"] == "original"])


async def test_the_unit_is_the_user(room: Experiments, jsonl: Write) -> None:
    rows = [{"user": "loud", "variant": "original", "rating": 5}] * 500
    rows += [{"user": f"u{number}", "variant": "original", "rating": 2} for number in range(9)]
    await room.import_sessions(jsonl(rows))
    found = (await room.analyze()).variants[0]
    assert (found.users, found.sessions, found.success_rate) == (10, 509, pytest.approx(0.1))
    assert found.rating_mean == pytest.approx((5 + 9 * 2) / 10)
    assert found.rating_histogram == [0, 9, 0, 0, 500]


async def test_a_clear_winner_is_named(room: Experiments, jsonl: Write) -> None:
    await room.import_sessions(jsonl(simulated(2_000, {"original": 3.0, "enhanced-v1": 3.8})))
    for metric in ("success", "rating"):
        found = await room.analyze(metric)  # type: ignore[arg-type]
        pair = found.comparisons[0]
        assert pair.significant
        assert pair.always_valid_ci is not None
        assert pair.always_valid_ci[0] > 0
        assert "'enhanced-v1' is better than 'original'" in found.verdict
        assert found.variants[1].p_best is not None
        assert found.variants[1].p_best > 0.99


async def test_not_enough_data_says_how_much_is_missing(room: Experiments, jsonl: Write) -> None:
    await room.import_sessions(jsonl(simulated(60, {"original": 3.4, "enhanced-v1": 3.5})))
    found = await room.analyze()
    assert not found.comparisons[0].significant
    assert found.comparisons[0].method == "bernoulli"
    assert found.comparisons[0].users_missing > 100
    assert f"about {found.comparisons[0].users_missing:,} more users" in found.verdict


async def test_enough_data_and_no_difference_is_an_answer_too(room: Experiments, jsonl: Write) -> None:
    await room.import_sessions(jsonl(simulated(8_000, {"original": 3.4, "enhanced-v1": 3.4})))
    found = await room.analyze()
    assert not found.comparisons[0].significant
    assert found.verdict.startswith("No difference worth having")


async def test_no_sessions_one_variant_and_no_ratings(room: Experiments, jsonl: Write) -> None:
    found = await room.analyze()
    assert (found.users, found.verdict, found.srm.p, found.feedback_rate) == (0, "No sessions yet.", None, None)
    assert found.variants[0].p_best is None
    await room.import_sessions(jsonl([{"user": "a", "variant": "original"}, {"user": "b", "variant": "enhanced-v1"}]))
    found = await room.analyze("rating")
    assert found.comparisons[0].always_valid_ci is None
    assert found.verdict.startswith("Not enough data")
    await room.pause("original")
    await room.import_sessions(jsonl([{"user": "c", "variant": "enhanced-v1", "rating": 5}]))
    found = await room.analyze()
    assert "Only one variant runs" in found.verdict
    assert found.variants[1].p_best is None  # alone it is not the best of anything
    assert found.targets["confidence"].met is None


async def test_a_ratio_mismatch_freezes(room: Experiments, jsonl: Write) -> None:
    rows = [{"user": f"u{n}", "variant": "original" if n % 3 else "enhanced-v1", "rating": 4} for n in range(600)]
    await room.import_sessions(jsonl(rows))
    found = await room.analyze()
    assert found.srm.frozen
    assert "sample-ratio mismatch" in found.verdict
    proposed = await room.propose_weights()
    assert (proposed.id, proposed.proposal["is_frozen"]) == (None, True)
    assert proposed.proposal["weights"] == {"original": 0.5, "enhanced-v1": 0.5}


async def test_arms_that_answer_unequally_are_flagged_with_bounds(room: Experiments, jsonl: Write) -> None:
    rows = simulated(1_000, {"original": 3.4, "enhanced-v1": 3.4})
    for number, row in enumerate(rows):
        if row["variant"] == "original" and number % 4:
            del row["rating"]
    await room.import_sessions(jsonl(rows))
    found = await room.analyze()
    assert found.selection.flagged
    low, high = found.selection.bounds[0].manski
    assert low <= (found.comparisons[0].success_difference or 0) <= high
    assert any("how many users rate" in one for one in found.warnings)


async def test_users_who_saw_two_variants_count_for_their_first(room: Experiments, jsonl: Write) -> None:
    rows = [
        {"user": f"u{n}", "variant": v, "rating": r}
        for n in range(20)
        for v, r in (("original", 2), ("enhanced-v1", 5))
    ]
    await room.import_sessions(jsonl(rows))
    found = await room.analyze()
    assert (found.crossed_users, found.variants[0].users, found.variants[1].users) == (20, 20, 0)
    assert (found.variants[1].sessions, found.variants[1].success_rate) == (20, None)


async def test_another_metric_than_the_one_named_is_said(room: Experiments, make_room: MakeRoom) -> None:
    assert "named in advance is 'success'" in (await room.analyze("rating")).warnings[0]
    assert (await make_room(experiment_metric="rating").analyze()).metric == "rating"


async def test_days_look_at_the_newest_sessions_only(room: Experiments, clock: Clock) -> None:
    for _day in range(3):
        made = await room.start_session(NewSession(f"user-{clock.now.day}", "http"))
        await room.give_feedback(NewFeedback(made.id, rating=5))
        clock.forward(days=1)
    clock.forward(days=-1)
    assert (await room.analyze(days=1)).sessions == 1
    found = await room.analyze()
    assert [(one.day, one.active_sessions, one.success_rate) for one in found.daily] == [
        ("2026-03-01", 1, 1.0),
        ("2026-03-02", 1, 1.0),
        ("2026-03-03", 1, 1.0),
    ]


def test_users_are_gathered_as_one_would_by_hand() -> None:
    draw = np.random.default_rng(0)
    n = 400
    rows = {
        "user": draw.integers(3, 90, n).astype(np.int32),
        "variant": draw.integers(1, 3, n).astype(np.int32),
        "epoch": draw.integers(1, 4, n).astype(np.int32),
        "rating": draw.integers(0, 6, n).astype(np.int8),
        "is_answered": np.ones(n, bool),
        "processing_ms": np.zeros(n),
        "corrections": np.zeros(n, np.int32),
        "is_failed": np.zeros(n, bool),
        "is_over": np.ones(n, bool),
        "day": np.zeros(n, np.int32),
    }
    found = units(Columns(**rows))
    seen = list(dict.fromkeys(rows["user"].tolist()))
    assert len(found) == len(seen)
    for place, user in enumerate(seen):
        own = np.flatnonzero(rows["user"] == user)
        variant = rows["variant"][own[0]]
        assert (found.variant[place], found.epoch[place]) == (variant, rows["epoch"][own[0]])
        stars = [rows["rating"][one] for one in own if rows["variant"][one] == variant and rows["rating"][one] > 0]
        assert found.rating[place] == pytest.approx(np.mean(stars) if stars else np.nan, nan_ok=True)
        good = np.mean([one >= 4 for one in stars]) if stars else np.nan
        assert found.success[place] == pytest.approx(good, nan_ok=True)
        assert found.has_crossed[place] == any(rows["variant"][own] != variant)
