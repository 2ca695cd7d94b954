"""A pretend ranking room: it keeps every verdict it is given, and suggests a fixed place. All simulated."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from engine.library.model import Image
from engine.ranking import Consistency, ProjectProgress, Repeat
from engine.ranking.bulk import BulkPlan, BulkSet
from engine.ranking.model import ImageSet, RankerStatus, SetCounts
from engine.ranking.registry import ModelRow
from engine.ranking.taste import Proof, TasteCard, Trait
from engine.review import Agreement, Decision, Suggestion, Verdict
from engine.runs import Run
from tests.tui.fake_pictures import AT
from tests.tui.fake_runs import FakeRuns


def coverage_of(count: int = 20) -> list[dict[str, float]]:
    """A simulated coverage curve: the surest are nearly always right."""
    shares = [(place + 1) / count for place in range(count)]
    return [
        {"threshold": 1 - s / 2, "coverage": s, "accuracy": 0.99 - 0.3 * s**2, "promised": 0.95 - 0.29 * s**2}
        for s in shares
    ]


CARD: dict[str, Any] = {
    "held_out": {
        "pair_accuracy": 0.741,
        "pair_accuracy_ci": [0.718, 0.763],
        "top1_accuracy": 0.69,
        "ece": 0.018,
        "brier": 0.171,
        "permuted_pair_accuracy": 0.497,
        "coverage_at_95": 0.35,
        "self_consistency": 0.9,
        "by_project": {"mojo1": 0.76, "garden": 0.71},
    },
    "sets": {"train": 180, "held_out": 40},
    "promise": {"target": 0.95, "threshold": 0.874, "coverage": 0.35, "method": "simulated"},
    "coverage_curve": coverage_of(),
    "baselines": {"random": 0.5, "first": 0.47, "last": 0.55, "largest_file": 0.58, "sharpest": 0.612},
    "references": {"logistic_difference": 0.733, "logistic_difference_gap_95": [-0.01, 0.02]},
    "ablation": {"embedding": 0.64, "quality": 0.72, "crops": 0.735},
    "candidates": [
        {"name": "linear", "pair_accuracy": 0.741, "chosen": True},
        {"name": "mlp 512-256-64-1", "pair_accuracy": 0.729, "chosen": False},
    ],
}


@dataclass
class Pick:
    """One verdict as the engine received it."""

    set_id: int
    verdict: Verdict
    image_id: int | None
    model: str | None
    blind: bool
    is_repeat: bool = False


class FakeRanking:
    """Suggests the second image; with `learn`, another model suggests the third."""

    def __init__(self, sets: Sequence[ImageSet]) -> None:
        self.sets = {one.id: one for one in sets}
        self.order = [one.id for one in sets]
        self.verdicts: list[Pick] = []
        self.model = "baseline:sharpest"
        self.gate: asyncio.Event | None = None
        self.failure: Exception | None = None
        self.asked_to_train = 0
        self.runs: FakeRuns | None = None
        self.shown_as_durable: list[int] = []
        self.together: set[int] = set()
        self.trusted = 3  # how many of the last sets can be approved together
        self.repeats: dict[int, int] = {}  # after so many verdicts, this set comes back
        self.asked_again: list[int] = []
        self.decided_elsewhere: dict[int, Decision] = {}
        self.asked_for_plan: list[float] = []
        self.exports: list[tuple[Path, str, str | None]] = []
        self.seconds_a_set: float | None = 2.5
        self.in_use = 4

    async def queue(self, project: str | None = None) -> list[int]:
        done = {pick.set_id for pick in self.verdicts}
        return [n for n in self.order if n not in done and project in (None, self.sets[n].project)]

    async def total(self, project: str | None = None) -> SetCounts:
        count = sum(project in (None, one.project) for one in self.sets.values())
        given = [pick for pick in self.verdicts if not pick.is_repeat]
        return SetCounts(count, sum(project in (None, self.sets[pick.set_id].project) for pick in given))

    async def image_set(self, set_id: int) -> ImageSet:
        return self.sets[set_id]

    async def suggest(self, set_id: int) -> Suggestion | None:
        members = self.sets[set_id].members
        place = 1 if self.model.startswith("baseline") else min(2, len(members) - 1)
        ids = [member.image.id for member in members]
        learned = not self.model.startswith("baseline")
        return Suggestion(
            kind="ranking",
            subject=f"set:{set_id}",
            proposal={"image": ids[place], "scores": {str(n): float(n == ids[place]) for n in ids}},
            model=self.model,
            project=self.sets[set_id].project,
            confidence=0.87 if learned else None,
            reasons=("sharper", "less clipping"),
        )

    async def pick(
        self, set_id: int, image_id: int, suggestion: Suggestion | None = None, blind: bool = False
    ) -> Decision:
        agreed = suggestion is None or suggestion.proposal["image"] == image_id
        verdict = Verdict.APPROVED if agreed else Verdict.MODIFIED
        return await self._keep(Pick(set_id, verdict, image_id, suggestion.model if suggestion else None, blind))

    async def reject(self, set_id: int, suggestion: Suggestion | None = None, blind: bool = False) -> Decision:
        return await self._keep(Pick(set_id, Verdict.REJECTED, None, suggestion.model if suggestion else None, blind))

    async def skip(self, set_id: int) -> Decision:
        return await self._keep(Pick(set_id, Verdict.SKIPPED, None, None, False))

    async def _keep(self, pick: Pick) -> Decision:
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        pick.is_repeat = any(one.set_id == pick.set_id for one in self.verdicts)
        self.verdicts.append(pick)
        return _decision(pick)

    async def take_back(self) -> list[Decision]:
        if self.together and self.verdicts and self.verdicts[-1].set_id in self.together:
            taken = [pick for pick in self.verdicts if pick.set_id in self.together]
            self.verdicts = [pick for pick in self.verdicts if pick.set_id not in self.together]
            self.together = set()
            return [_decision(pick) for pick in taken]
        return [_decision(self.verdicts.pop())] if self.verdicts else []

    async def earlier(self, made: Decision) -> Decision | None:
        return self.decided_elsewhere.get(int(made.subject.partition(":")[2]))

    async def repeat_due(self, project: str | None = None, ahead: int = 0) -> Repeat | None:
        due = self.repeats.get(len([pick for pick in self.verdicts if not pick.is_repeat]) + ahead)
        answered = {pick.set_id for pick in self.verdicts if pick.is_repeat}
        return Repeat(due, 1) if due is not None and due not in answered else None

    async def begin_repeat(self, repeat: Repeat) -> None:
        self.asked_again.append(repeat.set_pk)

    async def consistency(self, project: str | None = None) -> Consistency:
        return Consistency(27, 30, 0.744, 0.965) if self.model.startswith("ranker") else Consistency(0, 0, None, None)

    async def progress(self, project: str | None = None) -> ProjectProgress:
        return ProjectProgress(project, await self.total(project), self.seconds_a_set)

    async def pace(self) -> float | None:
        return self.seconds_a_set

    async def progress_by_project(self) -> list[ProjectProgress]:
        return [await self.progress(name) for name in sorted({one.project for one in self.sets.values()})]

    async def bulk_plan(self, project: str | None = None, min_accuracy: float = 0.95, between: Any = None) -> BulkPlan:
        """The last sets of the queue, when a model suggests."""
        ids = await self.queue(project)
        self.asked_for_plan.append(min_accuracy)
        if not self.model.startswith("ranker") or min_accuracy > 0.98:
            why = "not enough data to promise 95 %: about 120 more decided sets"
            return BulkPlan(project, min_accuracy, len(ids), why_not=why, more=120)
        chosen = []
        for number in ids[-self.trusted :]:
            suggestion = await self.suggest(number)
            assert suggestion is not None
            chosen.append(BulkSet(self.sets[number], replace(suggestion, confidence=0.99 - number / 100)))
        return BulkPlan(project, min_accuracy, len(ids), tuple(chosen), 0.971, 0.9534, 0.93, self.model)

    async def bulk_approve(self, plan: BulkPlan) -> list[Decision]:
        if self.failure is not None:
            raise self.failure
        made = [Pick(one.shown.id, Verdict.APPROVED, one.image_id, self.model, False) for one in plan.sets]
        self.together = {pick.set_id for pick in made}
        self.verdicts += made
        return [_decision(pick) for pick in made]

    async def taste(self, project: str | None = None) -> TasteCard:
        if not self.model.startswith("ranker"):
            return TasteCard((), 3, None, "not enough picks: 27 more until a taste can be told")
        proofs = [
            Proof(one.members[1].image, one.members[0].image, 1.5 - one.id / 10, one.id)
            for one in list(self.sets.values())[:3]
        ]
        told = (("sharper", 1.4, 212, 31), ("warmer", 0.6, 140, 88), ("less clipping", 0.3, 61, 40))
        traits = [Trait(words, words, "", s, 0.99, yes, no, tuple(proofs)) for words, s, yes, no in told]
        return TasteCard(tuple(traits), 412, self.model)

    async def winners(self, project: str | None = None) -> list[Image]:
        return [m.image for p in self.verdicts for m in self.sets[p.set_id].members if m.image.id == p.image_id]

    async def export_winners(self, file: Path, form: str = "txt", project: str | None = None) -> Any:
        self.exports.append((file, form, project))
        return SimpleNamespace(id="change-1", title=f"Winners to {file.name}")

    async def agreement(self, last: int = 10) -> Agreement:
        picks = [p for p in self.verdicts if p.model and p.verdict in (Verdict.APPROVED, Verdict.MODIFIED)][-last:]
        return Agreement(sum(pick.verdict is Verdict.APPROVED for pick in picks), len(picks))

    async def status(self) -> RankerStatus:
        if self.model.startswith("baseline"):
            return RankerStatus(None, None, "not enough data: about 12 more picks", self.model)
        return RankerStatus(self.model, self.in_use, "", "baseline:sharpest", CARD)

    async def models(self) -> list[ModelRow]:
        if not self.model.startswith("ranker"):
            return []
        newest = {**CARD, "promotion": {"why_not": ["ranker_v4 is as good or better on the same 40 held-out sets"]}}
        older = {**CARD, "held_out": {**CARD["held_out"], "pair_accuracy": 0.702}}
        cards = {5: newest, 4: CARD, 3: older}
        return [ModelRow(n, Path(f"ranker_v{n}"), card, AT if n < 5 else None) for n, card in cards.items()]

    async def use_model(self, name: str, version: int) -> ModelRow:
        assert name == "ranker"
        self.in_use = version
        return next(one for one in await self.models() if one.version == version)

    async def train(self, project: str | None = None, detach: bool = False) -> Run:
        self.asked_to_train += 1
        assert self.runs is not None
        return self.runs.begin("train")

    async def maybe_train(self) -> Run | None:
        return None


def _decision(pick: Pick) -> Decision:
    return Decision(
        id=1,
        kind="repeat" if pick.is_repeat else "ranking",
        subject=f"set:{pick.set_id}",
        project="mojo1",
        verdict=pick.verdict,
        value={"image": pick.image_id},
        actor="me",
        decided_at=AT,
        supersedes=None,
        undoes=None,
        group_id=None,
        blind=pick.blind,
        suggestion_id=None,
    )
