"""The deeper candidates: small networks whose last hidden layer the linear model may look at instead of the features.

Relies on torch to train and on numpy to be used, so that ranking never loads torch. A head only turns an image's
scaled, set-centred features into others; the weights on these, their doubt and the calibration are the linear model's
as ever (a Bayesian last layer). Trained on choices alone, stopped where newer choices no longer gain.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ranking import learn
from engine.ranking.learn import Examples
from engine.ranking.measures import Floats, pair_accuracy, segment_losses

MLP = "mlp"
RESIDUAL = "residual"
_WIDTHS = {MLP: (512, 256, 64), RESIDUAL: (32,)}
_DROPOUT = {MLP: 0.3, RESIDUAL: 0.2}
_SETS_A_STEP = 64
_STEPS_AN_EPOCH = 24  # with more sets, a step takes more of them: fewer, larger products are quicker for a processor
_MOST_SETS_A_STEP = 256
_ROWS_IN_ALL = 120_000  # images that training looks at, over all epochs: what ten thousand sets can afford
_SMALL = 2_000_000
_FEWEST, _MOST = 4, 30
_PATIENCE = 4
_NEWEST = 0.2

EpochHook = Callable[[int, float, float, float], None]


@dataclass(frozen=True)
class Head:
    """Layers of (weights (out, in), bias (out,)), each followed by max(0, x). With `keeps_input` the features
    themselves stand before what the layers make of them."""

    layers: tuple[tuple[NDArray[Any], NDArray[Any]], ...]
    keeps_input: bool

    @property
    def inputs(self) -> int:
        """How many features it takes."""
        return int(self.layers[0][0].shape[1])

    @property
    def outputs(self) -> int:
        """How many it gives."""
        return int(self.layers[-1][0].shape[0]) + (self.inputs if self.keeps_input else 0)

    def __call__(self, features: NDArray[Any]) -> NDArray[Any]:
        """(n, outputs) float32 of scaled, set-centred features (n, inputs)."""
        found = given = np.asarray(features, dtype=np.float32)
        for weights, bias in self.layers:
            found = np.maximum(found @ weights.T + bias, 0)
        return np.hstack([given, found]) if self.keeps_input else found

    def of(self, examples: Examples) -> Examples:
        """The examples as the head sees them, centred by set again."""
        made = learn.centre(self(examples.features), examples.offsets)
        return Examples(made, examples.offsets, examples.groups, examples.weights, examples.projects)

    def blocks(self, blocks: dict[str, slice]) -> dict[str, slice]:
        """Where its own outputs lie, behind the features' blocks if those are kept."""
        first = self.inputs if self.keeps_input else 0
        return (dict(blocks) if self.keeps_input else {}) | {"head": slice(first, self.outputs)}


def train_head(
    name: str,
    examples: Examples,
    start: Floats,
    *,
    seed: int,
    on_epoch: EpochHook = lambda _epoch, _loss, _held_out, _accuracy: None,
    check: Callable[[], None] = lambda: None,
) -> Head:
    """Train `mlp` (512-256-64-1 with dropout) or `residual` (the linear score `start` (d,), kept as it is, plus 32
    units) on the older four fifths of the sets; the epoch that the newest fifth likes best is taken.

    `on_epoch(epoch, loss, newest fifth's loss, newest fifth's pair accuracy)`. Deterministic for a seed on a CPU.
    """
    import torch

    threads = torch.get_num_threads()
    # Below this, threads cost more than they bring, and the person at the keys wants the other core.
    torch.set_num_threads(1 if examples.features.size < _SMALL else threads)
    try:
        return _train(name, examples, start, seed, on_epoch, check)
    finally:
        torch.set_num_threads(threads)


def _train(
    name: str, examples: Examples, start: Floats, seed: int, on_epoch: EpochHook, check: Callable[[], None]
) -> Head:
    import torch

    everything = np.arange(examples.count)
    cut = max(1, round(examples.count * (1 - _NEWEST)))
    newer = examples.take(everything[cut:])
    older = examples.take(everything[:cut][~np.isin(examples.groups[:cut], newer.groups)])
    if older.count < _SETS_A_STEP // 2:
        older = examples.take(everything[:cut])
    widths, d = _WIDTHS[name], examples.features.shape[1]
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        sizes = [d, *widths]
        linear = [torch.nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
        last = torch.nn.Linear(widths[-1], 1, bias=False)
        if name == RESIDUAL:
            torch.nn.init.zeros_(last.weight)
        kept = torch.from_numpy(np.asarray(start if name == RESIDUAL else np.zeros(d), dtype=np.float32))
        dropout = torch.nn.Dropout(_DROPOUT[name])
        parameters = [*(p for layer in linear for p in layer.parameters()), *last.parameters()]
        at_once = int(np.clip(older.count // _STEPS_AN_EPOCH, _SETS_A_STEP, _MOST_SETS_A_STEP))
        # The larger the step's sample, the longer the step may be (by its root, as Adam's noise goes).
        rate = 1e-3 * float(np.sqrt(at_once / _SETS_A_STEP))
        optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.05, fused=True)

        # Features have a length of about one a block; a network learns faster from numbers of about one each.
        gain = float(np.sqrt(d))

        def scores(rows: Any) -> Any:
            found = rows * gain
            for layer in linear:
                found = dropout(torch.relu(layer(found)))
            return last(found)[:, 0] + rows @ kept

        rows = torch.from_numpy(np.ascontiguousarray(older.features, dtype=np.float32))
        fresh = torch.from_numpy(np.ascontiguousarray(newer.features, dtype=np.float32))
        epochs = int(np.clip(_ROWS_IN_ALL // max(1, len(rows)), _FEWEST, _MOST))
        best: tuple[float, list[Any]] | None = None
        waited = 0
        for epoch in range(epochs):
            dropout.train()
            order = torch.randperm(older.count, generator=generator).numpy()
            total = 0.0
            for first in range(0, older.count, at_once):
                check()
                picked = order[first : first + at_once]
                places, absent = padded(older.offsets, picked)
                given = scores(rows[torch.from_numpy(learn.rows_of(older.offsets, picked))])
                table = given[torch.from_numpy(places)].masked_fill(torch.from_numpy(absent), float("-inf"))
                loss = (torch.logsumexp(table, dim=1) - table[:, 0]).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += float(loss.detach()) * len(picked)
            dropout.eval()
            with torch.no_grad():
                judged = scores(fresh).numpy().astype(np.float64)
            held_out = float(segment_losses(judged, newer.offsets).mean())
            on_epoch(epoch, total / older.count, held_out, pair_accuracy(judged, newer.offsets))
            if best is None or held_out < best[0]:
                best, waited = (held_out, [p.detach().clone() for p in parameters]), 0
            else:
                waited += 1
                if waited == _PATIENCE:
                    break
    found = [p.numpy() for p in best[1][:-1]] if best is not None else []
    found[0] = found[0] * np.float32(gain)
    layers = tuple((found[i], found[i + 1]) for i in range(0, len(found), 2))
    return Head(layers, keeps_input=name == RESIDUAL)


def padded(offsets: NDArray[Any], picked: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For these sets, laid one after another: (n, longest) row numbers, and which of the places are empty."""
    counts = np.diff(offsets)[picked]
    columns = np.arange(counts.max())[None, :]
    absent = columns >= counts[:, None]
    starts = learn.offsets_of(counts)[:-1]
    return np.where(absent, 0, starts[:, None] + columns).astype(np.int64), absent
