"""Knowing what it knows: which suggestions can be trusted together, and how sure that promise is.

Split-conformal methods over arrays, with numpy and scipy: they look at held-out sets only (what the model claimed, and
whether it was right) and assume that the sets to come are like those. Nothing here knows the model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ranking.measures import Floats

RISK = 0.1
"""How often a promise may be broken: in one of ten workspaces at most."""
_POINTS = 41
_FIRST = 1.4
_STEPS = 40


def accuracy_bound(correct: float, of: int, delta: float = RISK) -> float:
    """The accuracy that `correct` of `of` right answers vouch for: the lower Clopper-Pearson bound (1934) that is
    above the truth with a chance of at most `delta`. A tie may count as part of a right answer; it is rounded down."""
    from scipy.stats import beta

    right = int(np.floor(correct + 1e-9))
    return float(beta.ppf(delta, right, of - right + 1)) if right > 0 else 0.0


def conformal_threshold(confidence: NDArray[Any], correct: NDArray[Any], target: float) -> float:
    """The lowest confidence at and above which at least `target` of the suggestions are right; inf when none is.

    `confidence` (n,) and `correct` (n,) 0 or 1 are of held-out sets. The promise is a bound, not the point estimate:
    thresholds are tried from strict to lenient in steps fixed beforehand, each by the Clopper-Pearson bound, until one
    fails. As each is tried only after all stricter ones held, the chance that the threshold returned does not
    keep `target` is at most `RISK` however many are tried (fixed-sequence testing in "learn then test",
    Angelopoulos et al. 2021). Raises ValueError for arrays of unlike length, numbers that are none, or
    a target outside (0, 1).
    """
    claimed, right = _checked(confidence, correct)
    if not 0 < target < 1:
        raise ValueError(f"a target accuracy lies between 0 and 1, not {target}")
    order = np.argsort(-claimed, kind="stable")
    claimed, total = claimed[order], np.cumsum(right[order])
    found = float("inf")
    for rank in _ranks(claimed.size, target):
        # Equal confidences stand or fall together.
        last = int(np.searchsorted(-claimed, -claimed[rank - 1], side="right"))
        if accuracy_bound(float(total[last - 1]), last) < target:
            break
        found = float(claimed[rank - 1])
    return found


def _ranks(count: int, target: float) -> list[int]:
    """How many of the surest sets each step looks at: at first some more than the fewest that could ever
    vouch for the target (so that one slip does not end it), then more in equal steps."""
    fewest = int(np.ceil(np.log(RISK) / np.log(target)))
    if count < fewest:
        return []
    first = min(count, int(fewest * _FIRST))
    later = np.unique(np.linspace(fewest, count, _STEPS).astype(np.int64))
    return [first, *(int(rank) for rank in later if rank > first)]


def coverage_curve(confidence: NDArray[Any], correct: NDArray[Any]) -> list[dict[str, float]]:
    """Accuracy of the surest part against how large that part is, from strict to all; at most 41 points.

    Each is `threshold`, `coverage` (share of sets at or above it), `accuracy` among them, and `promised`, the
    Clopper-Pearson lower bound of that accuracy.
    """
    claimed, right = _checked(confidence, correct)
    if not claimed.size:
        return []
    order = np.argsort(-claimed, kind="stable")
    claimed, total = claimed[order], np.cumsum(right[order])
    lasts = {
        int(np.searchsorted(-claimed, -claimed[rank - 1], side="right"))
        for rank in np.unique(np.linspace(1, claimed.size, _POINTS).astype(np.int64))
    }
    return [
        {
            "threshold": float(claimed[last - 1]),
            "coverage": last / claimed.size,
            "accuracy": float(total[last - 1]) / last,
            "promised": accuracy_bound(float(total[last - 1]), last),
        }
        for last in sorted(lasts)
    ]


def conformal_p_values(calibration: NDArray[Any], strangeness: NDArray[Any]) -> Floats:
    """(m,) how ordinary each `strangeness` (m,) is among those of held-out sets (n,): (1 + as strange or more)/(n + 1).

    Under exchangeability a p-value is at most alpha with a chance of at most alpha (Vovk et al. 2005, ch. 2).
    """
    ordered = np.sort(np.asarray(calibration, dtype=np.float64))
    at_least = ordered.size - np.searchsorted(ordered, np.asarray(strangeness, dtype=np.float64), side="left")
    return np.asarray((1 + at_least) / (ordered.size + 1), dtype=np.float64)


def shortlist_size(calibration: NDArray[Any], probabilities: NDArray[Any], level: float) -> int:
    """How many of a set's images, the most likely first, hold the person's pick with a chance of at least `level`.

    `calibration` (n,) is one minus the probability that was given to each held-out winner; `probabilities` (k,) are of
    the set. At least one image is always named.
    """
    likely = np.sort(np.asarray(probabilities, dtype=np.float64))[::-1]
    return max(1, int((conformal_p_values(calibration, 1 - likely) > 1 - level).sum()))


def _checked(confidence: NDArray[Any], correct: NDArray[Any]) -> tuple[Floats, Floats]:
    claimed = np.asarray(confidence, dtype=np.float64).ravel()
    right = np.asarray(correct, dtype=np.float64).ravel()
    if claimed.shape != right.shape:
        raise ValueError(f"{claimed.size} confidences and {right.size} outcomes do not belong together")
    if not (np.isfinite(claimed).all() and np.isfinite(right).all()):
        raise ValueError("a confidence or an outcome is no number")
    return claimed, right
