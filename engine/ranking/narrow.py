"""Few sets, many features: the posterior worked out in the few directions that the sets say anything about.

With features measured in units of the prior (each divided by the root of its precision), what lies outside the span of
the rows keeps its prior exactly, so that only a matrix as wide as there are rows must be inverted: eighty sets of six
hundred features cost a thirtieth. The results are the same up to rounding. Relies on numpy; pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.ranking.learn import Examples
from engine.ranking.measures import Floats

_WORTH_IT = 0.7


@dataclass(frozen=True)
class Narrow:
    """`units` (d,): what one unit of prior is in each weight; `basis` (d, r): orthonormal, spans the rows times
    `units`."""

    units: Floats
    basis: Floats

    @classmethod
    def of(cls, examples: Examples, precision: Floats) -> Narrow | None:
        """For these sets under a prior of this `precision` (d,); None where they are too many to gain by it."""
        rows, d = examples.features.shape
        if rows > _WORTH_IT * d:
            return None
        units = 1 / np.sqrt(precision)
        basis = np.linalg.qr((np.asarray(examples.features, dtype=np.float64) * units).T)[0]
        return cls(units, basis)

    def examples(self, examples: Examples) -> Examples:
        """The same sets with r features in place of d."""
        inside = (np.asarray(examples.features, dtype=np.float64) * self.units) @ self.basis
        return replace(examples, features=inside)

    def weights(self, weights: Floats) -> Floats:
        """(r,) weights that give the narrow examples the same utilities as `weights` (d,) give the examples."""
        return np.asarray((weights / self.units) @ self.basis, dtype=np.float64)

    def covariance(self, inside: Floats, outside: float) -> Floats:
        """(d, d) from the covariance (r, r) within the span, and the variance in units of prior outside of it."""
        shift = inside - outside * np.eye(len(inside))
        whole = (self.basis @ shift) @ self.basis.T
        whole[np.diag_indices_from(whole)] += outside
        whole *= self.units[:, None]
        whole *= self.units
        found: Floats = whole
        return found
