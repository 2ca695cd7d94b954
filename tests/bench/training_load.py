"""A training run that keeps both cores busy until it is killed: the ranker's own fit, over and over."""

from __future__ import annotations

import sys

import numpy as np

from engine.ranking.learn import Examples, fit, offsets_of
from engine.runs.lanes import yield_to_the_screen


def main() -> int:
    """Fit simulated choices as a lane would, without an end."""
    yield_to_the_screen()
    draw = np.random.default_rng(0)
    counts = np.full(20_000, 4)
    examples = Examples(draw.normal(size=(80_000, 321)), offsets_of(counts), np.arange(20_000))
    while True:
        fit(examples, 10.0)


if __name__ == "__main__":
    sys.exit(main())
