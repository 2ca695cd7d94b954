"""When a fix may be applied without a person's yes: asked for, safe, and proven right often enough here. Pure."""

from __future__ import annotations

from engine.repair.outcomes import Standing
from engine.repair.patterns.pattern import Applicability

WANTED = 0.90
CLEAN = 28  # successes after a regression until its pattern is trusted again; as many as a new one needs


def why_not_auto(applicability: Applicability, standing: Standing) -> str | None:
    """Why such a fix waits for a person; None where it need not."""
    if applicability != "safe":
        return f"it is marked '{applicability}': a person decides"
    if standing.since_regression is not None and standing.since_regression < CLEAN:
        more = CLEAN - standing.since_regression
        return f"a fix of this pattern failed; {more} more must hold before it is trusted again"
    if standing.lower < WANTED:
        return f"its confidence {standing.lower:.2f} is below {WANTED:.2f} ({standing.words})"
    return None
