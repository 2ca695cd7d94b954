"""The half of the door that is about learning: retraining, examples, prompt drafts.

Relies on runs for the work and on review for what a person says of its results.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from engine.clock import Clock
from engine.errors import UsageError
from engine.experiments import catalogue
from engine.experiments.model import KIND_DRAFT, KIND_EXAMPLE, RETRAIN, Variant
from engine.review import Decision, Review, Suggestion, Verdict
from engine.runs import Run, RunContext, Runs, RunState
from engine.store import Store
from engine.workspace import Workspace

if TYPE_CHECKING:
    from engine.experiments.examples import Example

T = TypeVar("T")


class LearningDoor(ABC):
    """What can be learned from sessions; `Experiments` is the whole door."""

    _workspace: Workspace
    _store: Store
    _runs: Runs
    _review: Review
    _clock: Clock

    @abstractmethod
    async def add_variant(
        self,
        variant_id: str,
        template: str,
        *,
        title: str = "",
        weight: float | None = None,
        why: str,
        source: str = "file",
        parent: str | None = None,
        place: str = "the template",
    ) -> Variant:
        """See `Experiments.add_variant`."""

    @abstractmethod
    async def resume(self, variant_id: str, why: str = "resumed by hand") -> Variant:
        """See `Experiments.resume`."""

    @abstractmethod
    async def _ready(self) -> None: ...

    @abstractmethod
    async def _read(self, work: Callable[[sa.Connection], T]) -> T: ...

    async def retrain(self, days: int | None = None, min_rating: int = 4, *, detach: bool = False) -> Run:
        """Start learning from rated sessions (of the last `days`); one run at a time does. Its result is the report.

        With a minimum of 1 every rated result is an example to learn from; what is predicted is then success, 4 stars
        or more. Raises UsageError for a minimum outside 1 to 5 or days below 1.
        """
        if not 1 <= min_rating <= 5:
            raise UsageError(f"a minimum rating of {min_rating} is none of the stars", remedy="Use 1 to 5; 4 is usual.")
        if days is not None and not 1 <= days <= 36_500:
            raise UsageError(f"{days} days are no stretch of time", remedy="Use 1 or more.")
        await self._ready()
        return await self._runs.start(RETRAIN, {"days": days, "min_rating": min_rating}, detach=detach)

    def _retrain(self, run: RunContext) -> dict[str, Any]:
        from engine.experiments.learning import retrain

        return retrain(run, self._store, self._workspace.models, self._clock)

    async def last_training(self) -> Mapping[str, Any] | None:
        """The report of the newest finished retraining, with its run's id; None before the first."""
        done = (one for one in await self._runs.list(500) if one.kind == RETRAIN and one.state is RunState.DONE)
        newest = next(done, None)
        return None if newest is None or newest.result is None else {"run": newest.id, **newest.result}

    async def promises(self, canvas: Mapping[str, Any], target: tuple[float, float]) -> dict[str, float] | None:
        """How likely each live variant is to do well on this canvas, by the promoted predictor; None without one.

        This is what a contextual policy would choose by. Raises CanvasError for what is no canvas.
        """
        from engine.experiments.canvas_features import features_of
        from engine.experiments.learning import newest_model
        from engine.experiments.predictor import QualityModel

        folder = self._workspace.models
        file = await self._read(lambda connection: newest_model(connection, folder))
        if file is None:
            return None
        features = features_of(canvas, target)
        model = await asyncio.to_thread(QualityModel.load, file)
        live = [one.id for one in await self._read(catalogue.all_variants) if one.is_active]
        return {one: model.probability(features, one) for one in live}

    async def drafts(self) -> list[Suggestion]:
        """Prompt drafts that wait for a decision; the newest run's own is among them unless it was decided."""
        from engine.experiments.learning import suggestion_of

        report = await self.last_training()
        found = suggestion_of(report, str(report["run"])) if report is not None else None
        if found is not None and await self._review.in_force(KIND_DRAFT, found.subject) is None:
            await self._review.suggest([found])
        return await self._read(lambda connection: catalogue.pending(connection, KIND_DRAFT))

    async def approve_draft(
        self, draft: Suggestion, *, variant_id: str | None = None, template: str | None = None
    ) -> Variant:
        """Make a draft a variant, as it is or edited. Raises TemplateRefused and UsageError as `add_variant` does."""
        proposed = draft.proposal
        made = await self.add_variant(
            variant_id or proposed["variant_id"],
            template or proposed["template"],
            title=proposed["title"],
            why=f"a draft from {draft.model}: {'; '.join(draft.reasons)}"[:500],
            source="draft",
            parent=proposed["parent"],
            place="the draft",
        )
        if not made.is_active:  # approved before, and taken back
            made = await self.resume(made.id, "its draft was approved again")
        is_edited = template is not None and template != proposed["template"]
        verdict = Verdict.MODIFIED if is_edited else Verdict.APPROVED
        await self._review.decide(KIND_DRAFT, draft.subject, verdict, {"variant": made.id}, suggestion=draft)
        return made

    async def reject_draft(self, draft: Suggestion) -> Decision:
        """Decline a draft."""
        return await self._review.decide(KIND_DRAFT, draft.subject, Verdict.REJECTED, {}, suggestion=draft)

    async def examples(self, limit: int = 100) -> list[Example]:
        """Training examples, newest first: features, expected output, quality, and whether a person validated them."""
        from engine.experiments.examples import examples

        return await self._read(lambda connection: examples(connection, limit))

    async def review_example(self, session_id: str, is_good: bool) -> Decision:
        """Validate an example, or refuse it. Raises UnknownSession."""
        await self._read(lambda connection: catalogue.session_pk(connection, session_id))
        verdict = Verdict.APPROVED if is_good else Verdict.REJECTED
        return await self._review.decide(KIND_EXAMPLE, session_id, verdict)
