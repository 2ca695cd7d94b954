"""The Bayesian last layer: doubt that shrinks with data, strengths by the evidence, projects that deviate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from engine.ranking import learn, measures, posterior
from engine.ranking.learn import Examples
from engine.ranking.narrow import Narrow
from engine.ranking.posterior import Gaussian, Prior
from tests.engine.ranking.simulated import person


def test_the_covariance_is_the_inverse_of_the_second_derivative() -> None:
    someone = person(60, 4, seed=1)
    prior = Prior(someone.blocks, {"embedding": 0.7}, lapse=0.0)
    belief = posterior.believe(someone.examples, someone.blocks, prior=prior)

    def loss(weights: np.ndarray) -> float:
        scores = someone.examples.features @ weights
        likelihood = measures.segment_losses(scores, someone.examples.offsets).sum()
        return float(likelihood + 0.35 * weights @ weights)

    assert belief.shared.mean == pytest.approx(minimize(loss, np.zeros(4), tol=1e-12).x, abs=1e-3)

    def slope(weights: np.ndarray) -> np.ndarray:
        scores = someone.examples.features @ weights
        _, each, _ = measures.segment_slope(scores, someone.examples.offsets)
        return each @ someone.examples.features + 0.7 * weights

    hessian = np.array([approx_fprime(belief.shared.mean, lambda w, i=i: slope(w)[i], 1e-6) for i in range(4)])
    assert np.linalg.inv(belief.shared.covariance) == pytest.approx(hessian, rel=1e-3, abs=1e-3)


def test_the_slope_with_a_lapse_is_the_derivative_of_the_loss() -> None:
    random = np.random.default_rng(2)
    offsets = np.array([0, 3, 5, 9])
    scores = random.normal(size=9)

    def loss(at: np.ndarray) -> float:
        return float(measures.segment_slope(at, offsets, 0.2)[0].sum())

    assert measures.segment_slope(scores, offsets, 0.2)[1] == pytest.approx(approx_fprime(scores, loss, 1e-7), abs=1e-5)


def test_confidence_grows_with_data() -> None:
    someone = person(700, 8, seed=3, logistic=True)
    test = someone.examples.take(np.arange(500, 700))
    sure = []
    for count in (15, 60, 500):
        belief = posterior.believe(someone.examples.take(np.arange(count)), someone.blocks)
        logits = belief.logits(test)
        sure.append(np.exp(np.maximum.reduceat(logits, test.offsets[:-1])).mean())
    assert sure[0] < sure[1] < sure[2]
    oracle = np.maximum.reduceat(someone.chances(test), test.offsets[:-1]).mean()
    assert sure[2] == pytest.approx(oracle, abs=0.06)


def test_without_doubt_the_moderated_chances_are_the_softmax() -> None:
    utilities = np.array([0.3, -1.0, 2.0])
    found = posterior.moderated(utilities, np.zeros((3, 3)))
    assert np.exp(found) == pytest.approx(measures.softmax(utilities))


def test_the_moderated_chances_come_near_what_drawing_weights_gives() -> None:
    random = np.random.default_rng(4)
    root = random.normal(size=(4, 4)) * 0.8
    utilities, covariance = random.normal(size=4), root @ root.T
    drawn = random.multivariate_normal(utilities, covariance, size=40_000)
    exponents = np.exp(drawn - drawn.max(axis=1, keepdims=True))
    expected = (exponents / exponents.sum(axis=1, keepdims=True)).mean(axis=0)
    assert np.exp(posterior.moderated(utilities, covariance)) == pytest.approx(expected, abs=0.04)


def test_a_block_that_says_nothing_is_held_down_by_the_evidence() -> None:
    someone = person(500, 10, seed=5)
    random = np.random.default_rng(6)
    noise = learn.centre(random.normal(size=(len(someone.examples.features), 10)), someone.examples.offsets) / 3
    wide = Examples(np.hstack([someone.examples.features, noise]), someone.examples.offsets, someone.examples.groups)
    prior = posterior.believe(wide, {"embedding": slice(0, 10), "quality": slice(10, 20)}).prior
    assert prior.strengths["quality"] > 5 * prior.strengths["embedding"]
    assert 0.05 < prior.lapse < 0.16, "one careless pick in ten is recognised"


def test_projects_share_what_they_can_and_differ_where_they_must() -> None:
    one = person(240, 8, seed=7, noise=0.0)
    flipped = np.where(np.arange(480) % 2 == 0, 0, 1)
    parts, counts, projects = [], [], []
    for number in range(240):
        rows = one.examples.features[one.examples.offsets[number] : one.examples.offsets[number + 1]]
        if flipped[number]:  # the second project likes what the first likes least
            order = np.argsort(rows @ one.truth)
            rows = rows[order]
        parts.append(rows)
        counts.append(len(rows))
        projects.append(flipped[number])
    offsets = learn.offsets_of(np.array(counts))
    examples = Examples(np.concatenate(parts), offsets, np.arange(240), None, np.array(projects))
    train, test = examples.take(np.arange(160)), examples.take(np.arange(160, 240))
    together = posterior.believe(train, one.blocks)
    apart = posterior.believe(train, one.blocks, own=[0, 1])
    assert measures.pair_accuracy(together.scores(test), test.offsets) < 0.7
    assert measures.pair_accuracy(apart.scores(test), test.offsets) > 0.85
    same = Examples(one.examples.features, one.examples.offsets, np.arange(240), None, np.array(projects))
    assert posterior.believe(same, one.blocks, own=[0, 1]).prior.closeness > 4 * apart.prior.closeness


@pytest.mark.parametrize(("dimension", "sets", "share"), [(16, 600, 0.97), (64, 600, 0.93), (16, 100, 0.90)])
def test_a_simulated_taste_is_recovered(dimension: int, sets: int, share: float) -> None:
    """Reduced: `python -m tests.bench taste` measures the whole table."""
    found, oracle, reference = [], [], []
    for seed in range(3):
        someone = person(sets + 1_000, dimension, seed)
        train = someone.examples.take(np.arange(sets))
        test = someone.examples.take(np.arange(sets, sets + 1_000))
        belief = posterior.believe(train, someone.blocks)
        found.append(measures.pair_accuracy(belief.scores(test), test.offsets))
        oracle.append(measures.pair_accuracy(test.features @ someone.truth, test.offsets))
        logistic = learn.fit_logistic_difference(train, seed=0)
        reference.append(measures.pair_accuracy(test.features @ logistic, test.offsets))
    assert np.mean(found) >= share * np.mean(oracle)
    assert np.mean(found) > np.mean(reference), "the lapse is worth something against logistic regression"


def test_a_belief_about_a_project_never_seen_is_the_shared_one() -> None:
    shared = Gaussian(np.ones(2), np.eye(2))
    belief = posterior.Belief(Prior.first({"embedding": slice(0, 2)}), learn.Weights(np.ones(2)), shared)
    assert belief.of(5) is shared


def test_few_sets_of_many_features_are_believed_as_in_all_directions(monkeypatch: pytest.MonkeyPatch) -> None:
    someone = person(20, 120, seed=9)
    examples = replace(someone.examples, projects=np.arange(20) % 3)
    blocks = {"one": slice(0, 50), "other": slice(50, 120)}
    narrow = posterior.believe(examples, blocks, own=(0, 1, 2))
    assert Narrow.of(examples, narrow.prior.precision) is not None
    monkeypatch.setattr("engine.ranking.narrow._WORTH_IT", 0)
    whole = posterior.believe(examples, blocks, own=(0, 1, 2))
    assert dict(narrow.prior.strengths) == pytest.approx(dict(whole.prior.strengths), rel=1e-6)
    assert narrow.prior.closeness == pytest.approx(whole.prior.closeness, rel=1e-6)
    for ours, theirs in ((narrow.shared, whole.shared), *((narrow.own[one], whole.own[one]) for one in range(3))):
        assert ours.mean == pytest.approx(theirs.mean, rel=1e-6, abs=1e-9)
        assert ours.covariance == pytest.approx(theirs.covariance, rel=1e-6, abs=1e-9)
