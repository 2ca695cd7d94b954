"""`python -m tests.bench taste`: the taste's figures at full size, on simulated people (labelled so)."""

from __future__ import annotations

import asyncio
import itertools
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.changes import Changes
from engine.library import Library
from engine.ranking import Ranking, catalogue, learn, posterior
from engine.ranking.conformal import conformal_threshold
from engine.ranking.features import Layout
from engine.ranking.learn import Examples
from engine.ranking.measures import (
    Calibration,
    Floats,
    calibration_floor,
    expected_calibration_error,
    fit_calibration,
    pair_accuracy,
    top_hits,
)
from engine.ranking.online import Belief
from engine.ranking.ranker import LinearRanker
from engine.ranking.registry import Registry
from engine.ranking.replay import replay
from engine.review import Review
from engine.runs import Runs
from engine.settings import Settings
from engine.store import Store
from engine.workspace import Workspace
from tests.bench.table import Row
from tests.engine.ranking import conftest
from tests.engine.ranking.simulated import Person, person

PEOPLE = 20
MORE_PEOPLE = 100
_STRANGERS = 1_000  # the seeds from here on were never looked at while the model was made
_TEST = 2_000
_MANY_TEST = 20_000


def taste(folder: Path) -> list[Row]:
    """Every row of the taste's table that needs no pictures."""
    return [*_accuracy(), _calibration(), *_promise(), _information(), *_speed(), _online(), asyncio.run(_door(folder))]


def _accuracy() -> list[Row]:
    rows: list[Row] = []
    gaps: list[float] = []
    for dimension, sets, goal in ((16, 1_000, 0.97), (64, 1_000, 0.95), (16, 100, 0.90), (64, 100, 0.85)):
        found = np.array([_against_logistic(sets, dimension, seed) for seed in range(PEOPLE)])
        shares = found[:, 0] / found[:, 2]
        gaps.extend(found[:, 0] - found[:, 1])
        rows.append(
            Row(
                f"simulated taste, {dimension} dimensions, {sets:,} sets: share of the Bayes-optimal",
                f"≥ {goal:.0%}",
                f"{shares.mean():.1%} (lowest of {PEOPLE} people {shares.min():.1%})",
                float(shares.mean()) >= goal,
            )
        )
    rows.append(_gap_row("the same people", gaps))
    strangers = range(_STRANGERS, _STRANGERS + MORE_PEOPLE)
    for dimension in (16, 64):
        more = np.array([_against_logistic(100, dimension, seed) for seed in strangers])
        who = f"{MORE_PEOPLE} people never tuned on, {dimension} dimensions, 100 sets"
        rows.append(_gap_row(who, more[:, 0] - more[:, 1]))
    return rows


def _gap_row(who: str, gaps: Sequence[float] | Floats) -> Row:
    worst, mean = float(np.min(gaps)), float(np.mean(gaps))
    return Row(
        f"against logistic regression on differences, {who}",
        "never worse by more than 0.5 points, better on average",
        f"worst {worst:+.2%}, mean {mean:+.2%}",
        worst >= -0.005 and mean > 0,
    )


def _against_logistic(sets: int, dimension: int, seed: int) -> tuple[float, float, float]:
    """Held-out pair accuracy of ours, of logistic regression and of the truth; so many test sets that a gap of half
    a point is no luck of the draw (its standard error is about a tenth of one)."""
    someone = person(sets + _MANY_TEST, dimension, seed)
    train = someone.examples.take(np.arange(sets))
    test = someone.examples.take(np.arange(sets, sets + _MANY_TEST))
    reference = learn.fit_logistic_difference(train, seed=0)
    belief = posterior.believe(train, someone.blocks)
    scores = (belief.scores(test), test.features @ reference, test.features @ someone.truth)
    ours, theirs, best = (pair_accuracy(np.asarray(one), test.offsets) for one in scores)
    return ours, theirs, best


def _out_of_fold(someone: Person, sets: int) -> tuple[Floats, Floats]:
    """Confidence and outcome of every set, each by weights and a calibration that never saw it."""
    train = someone.examples.take(np.arange(sets))
    prior = posterior.believe(train, someone.blocks).prior
    parts = []
    for some, rest in learn.inner_splits(train, seed=0):
        held_out = train.take(rest)
        parts.append((posterior.believe(train.take(some), someone.blocks, prior=prior).logits(held_out), held_out))
    confidence, correct = [], []
    for number, (logits, held_out) in enumerate(parts):
        others = [one for place, one in enumerate(parts) if place != number]
        offsets = learn.offsets_of(np.concatenate([np.diff(part.offsets) for _, part in others]))
        calibration = fit_calibration(np.concatenate([each for each, _ in others]), offsets)
        confidence.append(calibration.confidences(logits, held_out.offsets))
        correct.append(top_hits(logits, held_out.offsets))
    return np.concatenate(confidence), np.concatenate(correct)


def _calibration() -> Row:
    confidence, correct = [], []
    for dimension in (16, 64):
        for seed in range(5):
            some = _out_of_fold(person(1_000, dimension, seed), 1_000)
            confidence.append(some[0])
            correct.append(some[1])
    claimed, right = np.concatenate(confidence), np.concatenate(correct)
    floor = calibration_floor(claimed)
    error = expected_calibration_error(claimed, right)
    return Row(
        f"calibration error, pooled out-of-fold, n = {claimed.size:,}, above a perfect model's floor",
        "≤ 0.02",
        f"{error - floor:.4f} (error {error:.4f}, floor {floor:.4f})",
        error - floor <= 0.02,
    )


def _promise() -> list[Row]:
    rows = []
    for sets in (300, 2_000):
        kept, covered, possible = 0, [], []
        people = 50
        for seed in range(people):
            # The model learns from the older sets; the promise is drawn from the middle and kept on the newest.
            someone = person(300 + sets + _TEST, 16, seed, logistic=True, strength=4.0 + seed / 10)
            old, middle = np.arange(300), np.arange(300, 300 + sets)
            belief = posterior.believe(someone.examples.take(old), someone.blocks)
            calibrating = someone.examples.take(middle)
            logits = belief.logits(calibrating)
            calibration = fit_calibration(logits, calibrating.offsets)
            threshold = conformal_threshold(
                calibration.confidences(logits, calibrating.offsets), top_hits(logits, calibrating.offsets), 0.95
            )
            new = someone.examples.take(np.arange(300 + sets, 300 + sets + _TEST))
            judged = belief.logits(new)
            confidence = calibration.confidences(judged, new.offsets)
            # How likely the named image is the pick, by the truth: no luck of the draw in the judgement.
            likely = _chance_of_first(someone, new, judged)
            chosen = confidence >= threshold
            kept += not chosen.any() or float(likely[chosen].mean()) >= 0.95
            covered.append(float(chosen.mean()))
            best = np.sort(np.maximum.reduceat(someone.chances(new), new.offsets[:-1]))[::-1]
            running = np.cumsum(best) / np.arange(1, best.size + 1)
            possible.append((running >= 0.95).sum() / best.size)
        share = float(np.mean(covered) / np.mean(possible))
        is_enough = share >= 1 / 3 if sets == 300 else np.mean(covered) >= np.mean(possible) - 0.10
        rows.append(
            Row(
                f"promised 95 % on forward splits, {sets:,} calibration sets, {people} people with logistic noise",
                "holds for ≥ 90 %; coverage " + ("≥ 1/3 of the oracle's" if sets == 300 else "within 10 points"),
                f"holds for {kept / people:.0%}; covers {np.mean(covered):.1%}, the oracle {np.mean(possible):.1%}",
                kept >= 0.9 * people and bool(is_enough),
            )
        )
    return rows


def _chance_of_first(someone: Person, sets: Examples, logits: Floats) -> Floats:
    chances = someone.chances(sets)
    return np.array(
        [
            chances[start:stop][logits[start:stop].argmax()]
            for start, stop in zip(sets.offsets[:-1], sets.offsets[1:], strict=True)
        ]
    )


def _information() -> Row:
    ratios = []
    for seed in range(PEOPLE):
        someone = person(400, 16, seed)
        ratios.append(replay(someone.examples, someone.blocks, seed=seed, orders=5)["information_against_random"])
    median = float(np.median(ratios))
    return Row(
        f"information-gain order against random: verdicts for 90 % of final accuracy, median of {PEOPLE} people",
        "≤ 75 %",
        f"{median:.0%}",
        median <= 0.75,
    )


def _online() -> Row:
    someone = person(60, 512, 0)
    belief = Belief(np.zeros(512), np.eye(512))
    times = []
    for number in range(60):
        looks = someone.examples.features[someone.examples.offsets[number] : someone.examples.offsets[number + 1]]
        begun = time.perf_counter()
        belief.take_on(number, [(looks, 1.0)], 0.05)
        times.append(time.perf_counter() - begun)
    worst = float(np.percentile(times, 95)) * 1000
    return Row(
        "posterior update after one verdict, 512 dimensions (what was seen before does not matter)",
        "≤ 50 ms",
        f"{worst:.1f} ms (95th percentile)",
        worst <= 50,
    )


async def _door(folder: Path) -> Row:
    """From a verdict to the next suggestion through the room's door, with 10,000 sets in the database.

    Vectors are made up; what is measured is the store, the belief and the suggestion.
    """
    workspace = Workspace.init(folder / "door")
    store = Store.open(workspace.database_file)
    settings, runs, vision = Settings(actor="ada"), Runs(workspace, store), conftest.FakeVision()
    review, changes, library = (
        Review(workspace, store, "ada"),
        Changes(workspace),
        Library(workspace, settings, store, runs),
    )
    ranking = Ranking(workspace, settings, store, runs, review, changes, library, vision)  # type: ignore[arg-type]
    world = conftest.World(workspace, settings, store, runs, review, changes, vision, ranking)
    width, encoder = 512, conftest.FakeEncoder
    usual, encoder.dimension = encoder.dimension, width
    try:
        await conftest.simulate(world, 10_000)
        random = np.random.default_rng(0)
        vision.by_name.clear()
        for number in range(40):
            names = [f"new{number:02}_{place}.png" for place in range(4)]
            vision.by_name.update({name: random.normal(size=width) for name in names})
            world.add("/pictures/mojo1", names)
        await ranking.build_sets()
        inputs = Layout(width).width
        with store.reading() as connection:
            data = {
                "last_decision": catalogue.last_decision(connection),
                "last_selection": catalogue.last_selection(connection),
            }
        card = {"encoder": {"spec": "builtin"}, "data": data, "prior": {"lapse": 0.05}}
        weight, covariance = random.normal(size=inputs) / width, np.eye(inputs) / width
        made = LinearRanker("ranker", 0, encoder.id, weight, weight, Calibration(), card=card, covariance=covariance)
        runs.register("bench", lambda _run: {})
        done = await runs.run("bench", {})
        registry = Registry(store, workspace.models)
        registry.add(made, actor="ada", project=None, run_id=done.id, now="2026-01-01T00:00:00Z", is_promoted=True)
        ids = await ranking.queue("mojo1")
        suggestion = await ranking.suggest(ids[0])
        times = []
        for one, following in itertools.pairwise(ids[:40]):
            first = (await ranking.image_set(one)).image_ids[0]
            begun = time.perf_counter()
            await ranking.pick(one, first, suggestion)
            suggestion = await ranking.suggest(following)
            times.append(time.perf_counter() - begun)
            if suggestion is None or suggestion.model != "ranker_v1":
                raise AssertionError(f"not suggested by the ranker: {suggestion}")
    finally:
        encoder.dimension = usual
        await runs.close()
        store.close()
    usual_ms, worst, begun_ms = (
        float(each) * 1000 for each in (np.median(times[1:]), np.percentile(times[1:], 95), times[0])
    )
    return Row(
        "verdict kept and next suggestion made, 512 dimensions, 10,000 sets seen",
        "≤ 100 ms",
        f"{worst:.0f} ms (95th percentile; median {usual_ms:.0f} ms, the first {begun_ms:.0f} ms)",
        worst <= 100,
    )


def _speed() -> list[Row]:
    """In a process of its own, so that its memory is its own."""
    done = subprocess.run([sys.executable, "-m", "tests.bench.taste"], capture_output=True, text=True, check=True)
    fit, report, memory = (float(value) for value in done.stdout.split())
    what = "training on 10,000 sets, 512 dimensions, CPU"
    return [
        Row(f"{what}: fit and metrics", "≤ 20 s", f"{fit:.1f} s", fit <= 20),
        Row(
            f"{what}: full report with ablations, permutations and networks", "≤ 90 s", f"{report:.1f} s", report <= 90
        ),
        Row(f"{what}: memory", "≤ 1 GB", f"{memory:.2f} GB", memory <= 1),
    ]


class _Quiet:
    def check(self) -> None:
        """Never stops."""

    def progress(self, done: int, total: int | None = None, message: str = "") -> None:
        """Says nothing."""

    def metric(self, step: int, **values: float) -> None:
        """Says nothing."""

    def epoch(self, candidate: str, step: int, **values: float) -> None:
        """Says nothing."""

    def log(self, message: str, level: str = "info") -> None:
        """Says nothing."""


def main() -> int:
    """Seconds of fit and metrics, of the whole, and gigabytes, on one line."""
    from engine.ranking.session import Lesson, Session
    from engine.ranking.split import split

    someone = person(10_000, 512, 0)
    features = someone.examples.features.astype(np.float32)
    examples = Examples(features, someone.examples.offsets, someone.examples.groups, None, np.zeros(10_000, np.int64))
    del someone
    parts = split(examples.groups)
    random = np.random.default_rng(1)
    naive = ("random", "first", "last", "largest_file", "last_stage", "sharpest")
    baselines = {name: random.normal(size=len(features)) for name in naive}
    blocks = {"embedding": slice(0, 502), "quality": slice(502, 512)}
    lesson = Lesson(
        examples, blocks, ("one",), parts.train, parts.held_out, baselines, np.empty(0, np.int64), None, "unified", 0
    )
    begun = time.perf_counter()
    session = Session(lesson, _Quiet())
    plan = session.plan()
    belief = session.believe(lesson.train, plan, start=session._first, is_shown=True)
    report = session.measure(belief, plan.calibration)
    session.believe(np.arange(examples.count), plan, start=belief)
    fit = time.perf_counter() - begun
    session.ablation(plan, belief)
    session.permuted(plan)
    session.candidates(belief, report)
    whole = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"{fit:.2f} {whole:.2f} {used:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
