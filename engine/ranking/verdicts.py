"""The verdict half of the ranking room's door: suggestions, picks, undo, repeats, approving together, the taste card.

Relies on review for verdicts and on `Suggester` for what is suggested; `Ranking` adds sets, learning and the way out.
Whatever blocks is done off the event loop.
"""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from engine.clock import Clock, iso
from engine.errors import ProofsheetError, UsageError
from engine.ranking import catalogue, progress, repeats
from engine.ranking.model import KIND, ImageSet, RankerStatus, SetCounts
from engine.ranking.progress import ProjectProgress
from engine.ranking.registry import Registry
from engine.ranking.repeats import REPEAT, Consistency, Repeat
from engine.review import Agreement, Decision, NewDecision, Review, Suggestion, Verdict
from engine.review.review import project_id
from engine.settings import Settings
from engine.store import Store
from engine.vision import Vision

if TYPE_CHECKING:
    from engine.ranking.bulk import BulkPlan, Promise
    from engine.ranking.suggest import Suggester
    from engine.ranking.taste import TasteCard

AT_ONCE = 24  # sets that are suggested for between two breaths
Between = Callable[[int, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Turn:
    """What the loop without a screen is given: a set with its suggestion, and how far the review is."""

    shown: ImageSet | None
    suggestion: Suggestion | None
    progress: ProjectProgress


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict as it was recorded. `earlier` is the one that somebody, or another process, had given meanwhile."""

    decision: Decision
    earlier: Decision | None

    @property
    def is_repeat(self) -> bool:
        """The set had come back to see whether it is judged alike; the first verdict stays in force."""
        return self.decision.kind == REPEAT


class Verdicts(ABC):
    """What a person decides, for the person that the settings name."""

    _store: Store
    _settings: Settings
    _review: Review
    _registry: Registry
    _vision: Vision
    _clock: Clock

    @property
    @abstractmethod
    def _suggester(self) -> Suggester:
        """What suggests winners, made when it is first asked."""

    @abstractmethod
    async def image_set(self, set_id: int) -> ImageSet:
        """One set with the images that are still there. Raises UsageError for an unknown id."""

    @abstractmethod
    async def image_sets(self, set_ids: Sequence[int]) -> list[ImageSet]:
        """Several sets at once, in the order asked; unknown ids are left out."""

    @abstractmethod
    async def queue(self, project: str | None = None) -> list[int]:
        """Ids of the undecided sets in review order."""

    @abstractmethod
    async def total(self, project: str | None = None) -> SetCounts:
        """How many sets there are, decided and remaining."""

    @abstractmethod
    async def status(self, project: str | None = None) -> RankerStatus:
        """Which ranker suggests now."""

    # -- one verdict --------------------------------------------------------------------------------------------------

    async def suggest(self, set_id: int) -> Suggestion | None:
        """The suggested winner of a set, recorded; None when fewer than two of its images can be read."""
        one = await self.image_set(set_id)
        found = await asyncio.to_thread(self._suggester.suggest, one)
        return (await self._review.suggest([found]))[0] if found is not None else None

    async def pick(
        self, set_id: int, image_id: int, suggestion: Suggestion | None = None, blind: bool = False
    ) -> Decision:
        """The person's winner: approved when it is the suggested one or none was shown, else modified.

        Durable when this returns. Raises UsageError when the image is not in the set.
        """
        one = await self.image_set(set_id)
        winner = next((member.image for member in one.members if member.image.id == image_id), None)
        if winner is None:
            raise UsageError(f"image {image_id} is not in set {set_id}")
        is_other = suggestion is not None and suggestion.proposal.get("image") != image_id
        value = {
            "image": image_id,
            "content_hash": winner.content_hash,
            "losers": [other for other in one.image_ids if other != image_id],
        }
        verdict = Verdict.MODIFIED if is_other else Verdict.APPROVED
        return await self._decide(one, verdict, value, suggestion, blind)

    async def reject(self, set_id: int, suggestion: Suggestion | None = None, blind: bool = False) -> Decision:
        """None of the set is a winner."""
        one = await self.image_set(set_id)
        return await self._decide(one, Verdict.REJECTED, {"losers": list(one.image_ids)}, suggestion, blind)

    async def skip(self, set_id: int, suggestion: Suggestion | None = None, blind: bool = False) -> Decision:
        """Leave the set undecided for now; `skipped` brings it back."""
        return await self._decide(await self.image_set(set_id), Verdict.SKIPPED, {}, suggestion, blind)

    async def undo(self) -> Decision | None:
        """Take the newest verdict back; the decision that says so, or None when nothing is left to undo."""
        made = await self.take_back()
        return made[0] if made else None

    async def take_back(self) -> list[Decision]:
        """Take the newest verdict back, with all that were given together with it; a repeat's answer too."""
        return await self._review.undo(KIND, REPEAT)

    async def earlier(self, made: Decision) -> Decision | None:
        """The verdict that was in force on the set when this one was given: another process, or another person, had
        decided it meanwhile. Both are kept, and the newer is in force. None as a rule."""
        found = await self._review.before(made) if made.kind == KIND else None
        return None if found is None or found.verdict is Verdict.SKIPPED else found

    async def agreement(self, last: int = 10) -> Agreement:
        """How often the suggestion was the one picked, over the last picks that had one in view."""
        return await self._review.agreement(KIND, last)

    async def _decide(
        self, one: ImageSet, verdict: Verdict, value: dict[str, Any], suggestion: Suggestion | None, blind: bool
    ) -> Decision:
        repeat = await self._open_repeat(one.id)
        if repeat is not None:
            suggestion, blind = None, True
            value = value | {"repeats": repeat.original_id}

        def answer(connection: sa.Connection, made: Decision) -> None:
            if repeat is not None:
                repeats.answer(connection, repeat, made.id)

        return await self._review.decide(
            KIND if repeat is None else REPEAT,
            catalogue.subject_of(one.id),
            verdict,
            value | {"session_id": one.session_id, "set_id": one.set_id},
            project=one.project,
            suggestion=suggestion,
            blind=blind,
            also=answer,
        )

    # -- repeats ------------------------------------------------------------------------------------------------------

    async def repeat_due(self, project: str | None = None, ahead: int = 0) -> Repeat | None:
        """The set to ask again now, or `ahead` verdicts from now; None mostly. `begin_repeat` before it is shown."""
        share, seed, actor = self._settings.repeat_share, self._settings.seed, self._settings.actor
        return await self._store.read(lambda connection: repeats.due(connection, actor, share, seed, project, ahead))

    async def begin_repeat(self, repeat: Repeat) -> None:
        """From now on, the set's next verdict is the answer to the repeat, and its first one stays in force."""
        actor, now = self._settings.actor, iso(self._clock())
        await self._store.write(lambda connection: repeats.ask(connection, actor, repeat, now))

    async def consistency(self, project: str | None = None) -> Consistency:
        """How far the person agrees with themself, over the sets that came back."""
        actor = self._settings.actor
        return await self._store.read(lambda connection: repeats.consistency(connection, actor, project))

    def _own_consistency(self, actor: str, project: str | None) -> float | None:
        """For the training's report: the share of repeats that were answered alike, None while there are none."""
        with self._store.reading() as connection:
            return repeats.consistency(connection, actor, project).share

    async def _open_repeat(self, set_id: int) -> Repeat | None:
        if self._settings.repeat_share <= 0:
            return None
        return await self._store.read(lambda connection: repeats.is_open(connection, self._settings.actor, set_id))

    # -- the loop without a screen ------------------------------------------------------------------------------------

    async def turn(self, project: str | None = None) -> Turn:
        """The next set to decide. Raises ProofsheetError for an unknown project."""
        if project is not None:
            await self._store.read(lambda connection: project_id(connection, project))
        again = await self.repeat_due(project)
        standing = await self.progress(project)
        if again is not None:
            await self.begin_repeat(again)
            return Turn(await self.image_set(again.set_pk), None, standing)
        ids = await self.queue(project)
        if not ids:
            return Turn(None, None, standing)
        return Turn(await self.image_set(ids[0]), await self.suggest(ids[0]), standing)

    async def decide(
        self,
        set_id: int,
        verdict: Verdict,
        winner: Path | None = None,
        *,
        project: str | None = None,
        blind: bool = False,
    ) -> Outcome:
        """Record a verdict on a set: rejected, skipped, or the winner by its path.

        Unless `blind`, the suggestion that `turn` gave with the set counts as seen. Raises UsageError for an unknown
        set, one of another project, and a winner that is not in it.
        """
        one = await self.image_set(set_id)
        if project is not None and one.project.casefold() != project.casefold():
            raise UsageError(f"set {set_id} is of {one.project}, not of {project}")
        suggestion = None if blind else await self._review.suggested(KIND, catalogue.subject_of(set_id))
        if verdict is Verdict.REJECTED:
            made = await self.reject(set_id, suggestion, blind)
        elif verdict is Verdict.SKIPPED:
            made = await self.skip(set_id, suggestion, blind)
        else:
            made = await self.pick(set_id, _member(one, winner), suggestion, blind)
        return Outcome(made, await self.earlier(made))

    async def progress(self, project: str | None = None) -> ProjectProgress:
        """How far the review of one project (None: of all) is, and how long the rest would take at the pace of late."""
        actor = self._settings.actor

        def find(connection: sa.Connection) -> ProjectProgress:
            return ProjectProgress(project, catalogue.counts(connection, project), progress.pace(connection, actor))

        return await self._store.read(find)

    async def pace(self) -> float | None:
        """Seconds a set, of late; None while too little is known. Quick enough to be asked after every verdict."""
        return await self._store.read(lambda connection: progress.pace(connection, self._settings.actor))

    async def progress_by_project(self) -> list[ProjectProgress]:
        """The same for every project that has sets, by name."""
        actor = self._settings.actor
        return await self._store.read(lambda connection: progress.by_project(connection, actor))

    # -- approving together -------------------------------------------------------------------------------------------

    async def bulk_plan(
        self, project: str | None = None, min_accuracy: float = 0.95, between: Between | None = None
    ) -> BulkPlan:
        """Which of the undecided sets can be approved unseen so that `min_accuracy` of them match the person's pick.

        Every suggestion is made anew by the model in use. `between(done, total)` is awaited between a few sets and
        the next, to tell how far it is or to give way. Raises UsageError for a target that is no accuracy, and
        ProofsheetError for an unknown project.
        """
        from engine.ranking import bulk

        if not bulk.LOWEST <= min_accuracy <= bulk.HIGHEST:
            raise UsageError(
                f"an accuracy of {min_accuracy:g} cannot be asked for",
                remedy=f"Give one between {bulk.LOWEST:g} and {bulk.HIGHEST:g}, as in --min-accuracy 0.95.",
            )
        if project is not None:
            await self._store.read(lambda connection: project_id(connection, project))
        remaining = (await self.total(project)).remaining
        promises: dict[str, Promise] = {}
        ids: list[int] = []
        for name in await self._store.read(lambda connection: catalogue.projects_with_sets(connection, project)):
            if await asyncio.to_thread(self._promise, name, min_accuracy, promises):
                ids += await self._store.read(partial(catalogue.queue, project=name))
        suggested: list[tuple[ImageSet, Suggestion]] = []
        for start in range(0, len(ids), AT_ONCE):
            suggested += await self._suggest_for(await self.image_sets(ids[start : start + AT_ONCE]))
            if between is not None:
                await between(min(start + AT_ONCE, len(ids)), len(ids))
        found = bulk.plan(project, min_accuracy, remaining, suggested, promises)
        if not promises and remaining:
            missing = (await self.status(project)).why_not
            found = replace(found, why_not=f"no model has earned a promise yet: {missing or 'none is trained'}")
        return found

    async def bulk_approve(self, plan: BulkPlan) -> list[Decision]:
        """Approve the sets of a plan as one decision, undone by one undo; those decided meanwhile are passed over.

        Raises ProofsheetError when another model suggests by now: the plan would promise what was never measured.
        """
        labels = {one.shown.project: one.suggestion.model for one in plan.sets}
        for name, label in labels.items():
            row = await asyncio.to_thread(self._registry.promoted, self._settings.actor, name)
            if row is None or row.label != label:
                raise ProofsheetError(
                    f"{label} no longer suggests for {name}, so its promise does not hold",
                    remedy="Look at what can be approved now, and approve that.",
                )
        new = [
            NewDecision(
                KIND,
                catalogue.subject_of(one.shown.id),
                Verdict.APPROVED,
                {
                    "image": one.image_id,
                    "content_hash": next(m.image.content_hash for m in one.shown.members if m.image.id == one.image_id),
                    "losers": [other for other in one.shown.image_ids if other != one.image_id],
                    "session_id": one.shown.session_id,
                    "set_id": one.shown.set_id,
                    "bulk": True,
                    "min_accuracy": plan.target,
                },
                one.shown.project,
                one.suggestion,
            )
            for one in plan.sets
        ]
        return await self._review.decide_many(new, unless_decided=True) if new else []

    def _promise(self, project: str, target: float, promises: dict[str, Promise]) -> bool:
        """Note what the model in use for a project vouches for; whether it vouches for anything."""
        from engine.ranking.bulk import promise

        row = self._registry.promoted(self._settings.actor, project)
        if row is None or self._suggester.ranker(project) is None:
            return False
        promises[project] = promise(row.card, target, project)
        return promises[project].threshold is not None

    async def _suggest_for(self, sets: Sequence[ImageSet]) -> list[tuple[ImageSet, Suggestion]]:
        found = await asyncio.to_thread(self._suggester.suggest_all, sets)
        pairs = [(one, suggestion) for one, suggestion in zip(sets, found, strict=True) if suggestion is not None]
        recorded = await self._review.suggest([suggestion for _, suggestion in pairs])
        return [(one, suggestion) for (one, _), suggestion in zip(pairs, recorded, strict=True)]

    # -- the taste card -----------------------------------------------------------------------------------------------

    async def taste(self, project: str | None = None) -> TasteCard:
        """What the person prefers, in plain words, each with pairs of their own as proof."""
        from engine.ranking.framing import frames_of, trait_of
        from engine.ranking.suggest import encoder_spec
        from engine.ranking.taste import ENOUGH, TasteCard, read_pairs, traits_of

        if project is not None:
            await self._store.read(lambda connection: project_id(connection, project))
        actor = self._settings.actor
        picks = await self._store.read(lambda connection: catalogue.count_choices(connection, actor, project))
        if picks < ENOUGH:
            return TasteCard((), picks, None, f"not enough picks: {ENOUGH - picks} more until a taste can be told")
        status = await self.status(project)
        if status.model is None:
            return TasteCard((), picks, None, f"no model has found a taste yet: {status.why_not}")

        def work() -> TasteCard:
            row = self._registry.promoted(actor, project)
            ranker = self._suggester.ranker(project)
            if row is None or ranker is None:
                return TasteCard((), picks, None, "the model changed meanwhile; look again")
            told = row.card.get("taste") or []
            pairs = read_pairs(self._store, self._vision, actor, project, encoder_spec(ranker))
            traits = traits_of(told, *pairs)
            choices, images, _ = pairs
            framing = trait_of(choices, images, frames_of(self._store, list(images.values())))
            if framing is not None:
                traits.append(framing)
            why_not = "" if traits else "nothing yet that is more than chance: your picks go by what has no plain name"
            return TasteCard(tuple(traits), picks, row.label, why_not)

        return await asyncio.to_thread(work)


def _member(one: ImageSet, winner: Path | None) -> int:
    """The id of the image at this path. Raises UsageError naming the set's images when it is none of them."""
    if winner is None:
        raise UsageError("no winner was named", remedy="Give --winner PATH, --reject-all or --skip.")
    try:
        wanted = os.path.abspath(winner.expanduser())  # noqa: PTH100 - resolve() would follow links
    except RuntimeError as error:
        raise UsageError(f"there is no such home folder: {winner}") from error
    by_path = {str(member.image.path): member.image.id for member in one.members}
    real = {os.path.realpath(path): image_id for path, image_id in by_path.items()}
    found = by_path.get(wanted) or real.get(os.path.realpath(wanted))
    if found is None:
        listed = "\n".join(by_path)
        raise UsageError(f"{winner} is not in set {one.id}", remedy=f"Its images are:\n{listed}")
    return found
