"""Confidence sequences: intervals that hold at every look at once, so that looking often does not deceive.

Pure functions. Sources: Robbins (1970) for the normal mixture; Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas,
'Time-uniform central limit theory and asymptotic confidence sequences' (arXiv 2103.06476), theorem 2.2 and its choice
of rho; Ville's inequality for the Bernoulli mixture.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from engine.experiments.statistics import Interval

TUNED_FOR = 2_000  # users at which the sequence is narrowest; it holds at every number

_STEPS = 60


def rho_for(users: float, alpha: float) -> float:
    """The mixture's spread that makes the interval narrowest at that many users (2103.06476, appendix B.2)."""
    return math.sqrt((-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / users)


def mixture_radius(variance: float, users: float, alpha: float, tuned_for: float = TUNED_FOR) -> float:
    """Half the width of the normal-mixture sequence for an estimate.

    `variance` is the estimate's own (of the mean, not of one user), estimated or, for a sequence that holds exactly, a
    sub-Gaussian bound; `users` is how many went into it.
    """
    rho = rho_for(tuned_for, alpha)
    grown = users * rho * rho + 1
    return math.sqrt(2 * grown / (users * rho * rho) * math.log(math.sqrt(grown) / alpha) * variance)


def users_needed(unit_variance: float, gap: float, alpha: float, power: float = 0.8) -> int:
    """Users an arm until a true difference of `gap` is found with that probability, arms of equal size.

    `unit_variance` is the variance of one user's outcome. Found by bisection: the radius shrinks as users grow.
    """
    from scipy.special import ndtri

    z = float(ndtri(power))

    def is_enough(n: float) -> bool:
        variance = 2 * unit_variance / n
        return mixture_radius(variance, 2 * n, alpha) + z * math.sqrt(variance) <= gap

    high = 2.0
    while not is_enough(high) and high < 1e9:
        high *= 2
    low = high / 2
    for _step in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return math.ceil(high)


def bernoulli_sequence(successes: float, n: int, alpha: float) -> Interval:
    """An interval for a rate that holds at every number of users, however small: (0, 1) without observations.

    The likelihood of the data averaged over a uniform prior, by the likelihood at p, is a martingale under p; by
    Ville's inequality it exceeds 1/alpha at some time with probability alpha at most. The interval holds every p where
    it has not: B(1 + s, 1 + n - s) < p^s (1 - p)^(n - s) / alpha. Successes may be parts of 1 (a user's share of good
    ratings): for any outcome in [0, 1] the ratio is a supermartingale, because it is convex in the outcome.
    """
    from scipy.special import betaln

    if n == 0:
        return 0.0, 1.0
    threshold = float(betaln(1 + successes, 1 + n - successes)) + math.log(alpha)

    def holds(p: float) -> bool:
        inside = successes * math.log(p) if successes else 0.0
        inside += (n - successes) * math.log1p(-p) if n > successes else 0.0
        return inside > threshold

    rate = successes / n
    low = 0.0 if successes == 0 else _edge(0.0, rate, holds)
    high = 1.0 if successes == n else _edge(1.0, rate, holds)
    return low, high


def _edge(outside: float, inside: float, holds: Callable[[float], bool]) -> float:
    """Where the interval ends between a point outside it and one inside, by bisection; never inside of the true end."""
    for _step in range(_STEPS):
        middle = (outside + inside) / 2
        if 0 < middle < 1 and holds(middle):
            inside = middle
        else:
            outside = middle
    return outside
