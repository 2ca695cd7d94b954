"""A pretend experiments room for the variants screen: numbers made up here, decisions kept; all of it simulated."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.experiments import Session
from engine.experiments.model import Variant
from engine.experiments.report import Analysis, Comparison, Day, Ratio, SelectionReport, Target, VariantReport
from engine.review import Suggestion

AT = "2026-11-20T21:50:12.000000Z"


def report(name: str, stars: list[int], success: float, p_best: float, weight: float = 0.5) -> VariantReport:
    return VariantReport(
        id=name,
        title=name,
        is_active=True,
        weight=weight,
        users=1322,
        rated_users=700,
        sessions=1500,
        feedback_rate=0.58,
        rating_mean=3.6,
        rating_histogram=stars,
        success_rate=success,
        success_ci=(success - 0.035, success + 0.035),
        p_best=p_best,
        processing_ms_median=3200.0,
        corrections_mean=1.2,
        error_rate=0.01,
    )


def analysis(sessions: int = 3000, frozen: bool = False) -> Analysis:
    variants = [
        report("original", [129, 104, 209, 230, 234], 0.51, 0.03),
        report("enhanced-v1", [61, 57, 160, 323, 316], 0.69, 0.97),
    ]
    empty = [
        replace(one, users=0, sessions=0, rating_histogram=[0] * 5, success_rate=None, success_ci=None, p_best=None)
        for one in variants
    ]
    days = [Day(f"2026-11-{n:02d}", 90 + n, 80 + n, 0.58, 3.6, 0.6 + n / 500, 0.01) for n in range(1, 21)]
    comparison = Comparison(
        "original", "enhanced-v1", 0.604, 1e-9, 1e-9, 0.46, 0.18, (0.13, 0.23), 0.97, 0.18, (0.11, 0.25), "asymptotic",
        True, 0, {},
    )  # fmt: skip
    return Analysis(
        metric="success",
        users=2644 if sessions else 0,
        sessions=sessions,
        feedback_rate=0.58,
        error_rate=0.01,
        srm=Ratio(1e-6 if frozen else 0.8, frozen),
        variants=variants if sessions else empty,
        comparisons=[comparison] if sessions else [],
        targets={
            "success_rate": Target(0.6, 0.7, False),
            "feedback_rate": Target(0.58, 0.5, True),
            "processing_ms": Target(3200.0, 10_000.0, True),
            "confidence": Target(None, 0.95, None),
        },
        verdict="'enhanced-v1' is better than 'original': +18 points of success." if sessions else "No sessions yet.",
        selection=SelectionReport(0.5, False),
        daily=days if sessions else [],
        crossed_users=0,
        epochs=1,
        warnings=[],
    )


def draft() -> Suggestion:
    """A drafted prompt with one lesson."""
    lesson = {"lesson": "Keep text at its size.", "because": "Where there are many texts, results succeed less often."}
    proposal = {"variant_id": "enhanced-v2", "parent": "enhanced-v1", "title": "", "template": "", "lessons": [lesson]}
    return Suggestion("prompt-draft", "draft:00", proposal, "run", id=9)


@dataclass
class FakeExperiments:
    """The doors that the variants screen knows."""

    now: Analysis = field(default_factory=analysis)
    pending: Suggestion | None = None
    log: list[tuple[str, Any]] = field(default_factory=list)
    failure: Exception | None = None
    waiting: list[Suggestion] = field(default_factory=list)

    async def analyze(self) -> Analysis:
        if self.failure is not None:
            raise self.failure
        return self.now

    async def why_weights(self) -> str:
        return "14 Nov: +12 to 'enhanced-v1': P(best) .94 to .97 (approved)"

    async def pending_weights(self) -> Suggestion | None:
        return self.pending

    async def propose_weights(self) -> Suggestion:
        proposal = {
            "before": {"original": 0.5, "enhanced-v1": 0.5},
            "weights": {"original": 0.05, "enhanced-v1": 0.95},
            "why": "'enhanced-v1' is best with probability 0.97.",
        }
        self.pending = Suggestion("weights", "weights", proposal, "thompson", id=7)
        return self.pending

    async def approve_weights(self, suggestion: Suggestion) -> None:
        self.log.append(("approved", suggestion.id))
        self.pending = None

    async def reject_weights(self, suggestion: Suggestion) -> None:
        self.log.append(("declined", suggestion.id))
        self.pending = None

    async def drafts(self) -> list[Suggestion]:
        return list(self.waiting)

    async def approve_draft(self, draft: Suggestion) -> Variant:
        self.log.append(("draft approved", draft.subject))
        self.waiting.clear()
        return await self.variant(draft.proposal["variant_id"])

    async def reject_draft(self, draft: Suggestion) -> None:
        self.log.append(("draft declined", draft.subject))
        self.waiting.clear()

    async def undo(self) -> str | None:
        if not self.log:
            return None
        self.log.append(("undone", self.log[-1][0]))
        return "the earlier weights are in force again"

    async def _set(self, name: str, active: bool) -> None:
        variants = [replace(one, is_active=active) if one.id == name else one for one in self.now.variants]
        self.now = replace(self.now, variants=variants)

    async def pause(self, name: str) -> None:
        self.log.append(("paused", name))
        await self._set(name, False)

    async def resume(self, name: str) -> None:
        self.log.append(("resumed", name))
        await self._set(name, True)

    async def variant(self, name: str) -> Variant:
        template = "Fit {currentWidth} x {currentHeight}\ninto {targetWidth} x {targetHeight}.\n"
        return Variant(1, name, "00", name, template, (), "shipped", None, True, 0.5, AT)

    async def add_variant_file(self, file: Path) -> Variant:
        self.log.append(("added", file.name))
        return await self.variant(file.stem)

    async def sessions(self, limit: int = 100, *, variant: str | None = None) -> list[Session]:
        made = Session(
            "s1", "ann", None, str(variant), 1, "cli", (1080.0, 1920.0), 3100.0, 2, "done", "endpoint", None, 4, True,
            AT, AT,
        )  # fmt: skip
        bad = replace(made, id="s2", user_id="bob", state="failed", error="HTTP 500", rating=None, solver=None)
        return [made, bad][:limit]

    async def diff(self, a: str, b: str) -> str:
        return f"--- {a}\n+++ {b}\n@@ -1 +1 @@\n-Resize it.\n+Resize it well.\n"


class FakeSchedule:
    """Nothing is ever due."""

    async def watch(self) -> None:
        await asyncio.Event().wait()
