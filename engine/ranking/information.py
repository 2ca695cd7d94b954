"""What to ask next: the sets whose verdicts are expected to teach the most, in batches that do not ask twice.

The expected information gain is the mutual information between a set's winner and the weights (BALD: Houlsby et al.
2011; Lindley 1956), by draws from the posterior. A batch is picked greedily, each choice conditioned on the ones before
as if they had been answered: the doubt that a near-duplicate would resolve is gone by then. Relies on the suggester for
the belief and on the vision room for numbers; writes nothing.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import ProofsheetError
from engine.library.model import Image
from engine.ranking import catalogue
from engine.ranking.learn import offsets_of
from engine.ranking.measures import Floats, Ints, segment_softmax
from engine.ranking.posterior import Gaussian
from engine.ranking.suggest import Suggester, encoder_spec
from engine.store import Store
from engine.vision import Vision

BATCH = 12
_DRAWS = 48
_SHORTLIST = 8  # candidates looked at closely, for each that is picked
_MOST = 3_000  # sets weighed; the rest keep their order behind them
_TWINS = 0.9  # RV coefficient of two sets' differences (Robert and Escoufier 1976): 1 for the same


def information(taste: Gaussian, looks: NDArray[Any], offsets: Ints, *, seed: int = 0, lapse: float = 0.0) -> Floats:
    """(n,) nats that each set's winner is expected to tell about the weights: H[E p] - E H[p] over posterior draws.

    `looks` (N, d) are set-centred features. A pick that owes nothing to the images (the lapse) tells nothing.
    """
    random = np.random.default_rng(seed)
    # Utilities are drawn set by set from their own covariance, so that no root of a (d, d) matrix is needed.
    starts, counts = offsets[:-1], np.diff(offsets)
    mean = np.asarray(looks @ taste.mean, dtype=np.float64)
    spread = looks @ taste.covariance
    drawn = np.empty((_DRAWS, len(looks)))
    for start, stop in itertools.pairwise(offsets):
        part = slice(int(start), int(stop))
        inner = np.asarray(spread[part] @ looks[part].T, dtype=np.float64)
        values, vectors = np.linalg.eigh((inner + inner.T) / 2)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        noise = random.normal(size=(_DRAWS // 2, int(stop - start))) @ root.T
        drawn[:, part] = mean[part] + np.concatenate([noise, -noise])
    average = np.zeros(len(looks))
    within = np.zeros(len(starts))
    chance_of_none = lapse / np.repeat(counts, counts)
    for one in drawn:
        p = (1 - lapse) * segment_softmax(one, offsets) + chance_of_none
        average += p / _DRAWS
        within -= np.add.reduceat(p * np.log(np.maximum(p, 1e-300)), starts) / _DRAWS
    total = -np.add.reduceat(average * np.log(np.maximum(average, 1e-300)), starts)
    return np.maximum(np.asarray(total - within, dtype=np.float64), 0.0)


def pick_batch(
    taste: Gaussian, looks: NDArray[Any], offsets: Ints, count: int, *, seed: int = 0, lapse: float = 0.0
) -> list[int]:
    """Numbers of `count` sets to ask next, the most telling first; after each, what its answer would settle is
    taken off the doubt before the next is chosen, and sets that show nearly the same are left for another batch
    (fewer than `count` come back where there is nothing else)."""
    gains = information(taste, looks, offsets, seed=seed, lapse=lapse)
    order = [int(one) for one in np.argsort(-gains, kind="stable")[: max(count, count * _SHORTLIST)]]
    picked: list[int] = []
    covariance = np.array(taste.covariance, dtype=np.float64)
    rows = [np.asarray(looks[offsets[one] : offsets[one + 1]], dtype=np.float64) for one in order]
    stacked, inner = np.concatenate(rows), offsets_of(np.array([len(one) for one in rows]))
    sizes = np.array([float(np.linalg.norm(one @ one.T)) for one in rows])
    is_open = np.ones(len(order), dtype=bool)
    while len(picked) < count and is_open.any():
        weights = information(Gaussian(taste.mean, covariance), stacked, inner, seed=seed, lapse=lapse)
        place = int(np.where(is_open, weights, -1.0).argmax())
        picked.append(order[place])
        x = rows[place]
        shared = np.add.reduceat(np.square(stacked @ x.T).sum(axis=1), inner[:-1])
        is_open &= shared < _TWINS * sizes * sizes[place]
        is_open[place] = False
        chance = segment_softmax(x @ taste.mean, np.array([0, len(x)]))
        curve = (1 - lapse) * (np.diag(chance) - np.outer(chance, chance))
        told = x @ covariance
        covariance -= told.T @ np.linalg.solve(np.eye(len(x)) + curve @ (told @ x.T), curve) @ told
    return picked


class Asker:
    """Puts the undecided sets in the order of asking. Its methods block; the door calls them off the event loop."""

    def __init__(self, store: Store, vision: Vision, suggester: Suggester) -> None:
        self._store = store
        self._vision = vision
        self._suggester = suggester

    def order(self, set_ids: Sequence[int]) -> list[int]:
        """The same ids: for each project with a belief a batch of the most telling sets, then by what each tells;
        sets that cannot be judged keep their order behind the others."""
        by_project: dict[str, list[int]] = defaultdict(list)
        with self._store.reading() as connection:
            found = catalogue.image_sets(connection, list(set_ids[:_MOST]))
        for one in set_ids[:_MOST]:
            if one in found:
                by_project[found[one].project].append(one)
        gains: dict[int, float] = {}
        for project, ids in by_project.items():
            gains |= self._gains(project, {one: [m.image for m in found[one].members] for one in ids})
        return sorted(set_ids, key=lambda one: -gains.get(one, -1.0))

    def _gains(self, project: str, sets: dict[int, list[Image]]) -> dict[int, float]:
        ranker = self._suggester.ranker(project) or self._suggester.early(project)
        taste = self._suggester.taste(ranker, project) if ranker is not None else None
        if ranker is None or taste is None:
            return {}
        known: list[int] = []
        rows: list[NDArray[Any]] = []
        for one, images in sets.items():
            if len(images) < 2:
                continue
            try:
                readings = self._vision.readings(images, encoder_spec(ranker))
                rows.append(ranker.looks(self._suggester.looks(ranker, images, readings, compute=False)))
            except ProofsheetError:
                continue  # a file is gone: the set cannot be judged, and says so when it is opened
            known.append(one)
        if not known:
            return {}
        looks, offsets = np.concatenate(rows), offsets_of(np.array([len(one) for one in rows]))
        told = information(taste, looks, offsets, lapse=ranker.lapse)
        gains = {one: float(value) for one, value in zip(known, told, strict=True)}
        first = pick_batch(taste, looks, offsets, min(BATCH, len(known)), lapse=ranker.lapse)
        top = max(gains.values()) + 1.0
        return gains | {known[number]: top + len(first) - place for place, number in enumerate(first)}
