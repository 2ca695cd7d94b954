"""A pretend engine for the screens: the same doors, pictures drawn here; all of it simulated.

Timing is the test's: a gate can hold an answer back, a run goes as far as the test tells it to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import Image as pillow
from PIL import ImageDraw, ImageEnhance, ImageFilter

from engine.errors import ProofsheetError
from engine.library.completion import Completion, complete
from engine.library.distribution import Mix, open_axis, recommended_axis
from engine.library.facts import Facts, StoredMetadata
from engine.library.listing import Details
from engine.library.model import Counts, Image, Inventory, Project, Refusal
from engine.library.progress import Mismatch, Progress
from engine.library.recommended import load as load_recommended
from engine.ranking import Consistency, ProjectProgress, Repeat
from engine.ranking.bulk import BulkPlan, BulkSet
from engine.ranking.model import ImageSet, RankerStatus, SetCounts, SetMember, SetSource
from engine.ranking.registry import ModelRow
from engine.ranking.taste import Proof, TasteCard, Trait
from engine.repair.apply import Applied
from engine.repair.fix import Fix, FixState, unified
from engine.repair.groups import Group
from engine.repair.merge import hunks, some
from engine.repair.patterns.pattern import FileEdit
from engine.repair.prove import Proof as FixProof
from engine.repair.suggest import Suggested
from engine.repair.trials import Trial
from engine.review import Agreement, Decision, Suggestion, Verdict
from engine.runs import Run, RunEvent, RunState
from tests.tui.fake_experiments import FakeExperiments, FakeSchedule
from tests.tui.fake_monitor import FakeMonitor

STAGES = ("generated", "upscaled", "enhanced")
AT = "2026-11-20T21:50:12.000000Z"


def draw_scene(seed: int, size: tuple[int, int] = (320, 240)) -> pillow.Image:
    """A simulated landscape, the same for the same seed: sky, sun, hills, a few trees."""
    width, height = size
    picture = pillow.new("RGB", size)
    drawing = ImageDraw.Draw(picture)
    warm = (seed * 53) % 90
    for y in range(height):
        share = y / height
        drawing.line([(0, y), (width, y)], fill=(70 + warm + int(90 * share), 110 + int(60 * share), 190 - warm))
    x, y = (seed * 71) % width, height // 4 + (seed * 13) % 30
    drawing.ellipse([x - 18, y - 18, x + 18, y + 18], fill=(255, 236, 180))
    for hill in range(3):
        base = height // 2 + hill * height // 7
        points = [(0, height)]
        for step in range(9):
            rise = ((seed * 31 + hill * 17 + step * 29) % 40) - 20
            points.append((step * width // 8, base + rise))
        shade = 120 - hill * 35
        drawing.polygon([*points, (width, height)], fill=(shade // 2, shade, shade // 2 + 12))
    for tree in range(5):
        x = (seed * 37 + tree * 67) % width
        y = height - 20 - (seed + tree * 11) % 30
        drawing.polygon([(x, y - 34), (x - 9, y), (x + 9, y)], fill=(20, 52, 30))
    return picture


def variation(picture: pillow.Image, kind: int) -> pillow.Image:
    """The same scene out of focus, dark, pale... 0 is as it was drawn."""
    match kind % 5:
        case 1:
            return picture.filter(ImageFilter.GaussianBlur(3))
        case 2:
            return ImageEnhance.Brightness(picture).enhance(0.55)
        case 3:
            return ImageEnhance.Color(picture).enhance(0.3)
        case 4:
            return ImageEnhance.Contrast(picture).enhance(1.6)
        case _:
            return picture


def make_image(number: int, path: Path, project: str = "mojo1", size: tuple[int, int] = (320, 240)) -> Image:
    return Image(
        id=number,
        path=path,
        name=path.name,
        project=project,
        format="jpeg",
        width=size[0],
        height=size[1],
        size=900_000 + number * 1000,
        mtime_ns=0,
        content_hash=f"{number:032x}",
        orientation=1,
        taken_at=f"2025-07-08T06:{number % 60:02d}:11+00:00",
        taken_at_source="exif:original",
    )


def _facts(number: int) -> tuple[Facts | None, StoredMetadata | None]:
    """Simulated facts; the seventh image was not studied yet."""
    if number == 7:
        return None, None
    quality = ("excellent", "good", "average", "poor")[number % 4]
    facts = Facts(
        phash=number, dhash=number, sharpness=1 - number % 9 / 10, subject_sharpness=0.5, brightness=0.5, exposure=0.0,
        clipped_low=0.0, clipped_high=0.0, contrast=0.3, noise=0.1, colourfulness=0.4, information=0.8,
        jpeg_quality=90, colours=[], flags=["dark"] if number == 2 else [], quality=quality,
        quality_reason="sharp" if number % 4 < 2 else "soft", lighting="natural", source="dslr",
    )  # fmt: skip
    told = StoredMetadata(
        camera_make="NIKON", camera_model="NIKON D70", lens=None, exposure_time=0.004, f_number=2.8, iso=200,
        focal_length=35.0, flash=False, latitude=None, longitude=None, altitude=None, taken_offset=None, title=None,
        description=None, keywords=[], rating=None, people=[],
    )  # fmt: skip
    return facts, told


def make_mix(count: int, projects: Sequence[str] = (), refused: int = 0) -> Mix:
    """A simulated mix of `count` images: mostly JPEG, no RAW, little low light."""
    recommended = load_recommended(Path("/nowhere"))
    held = {
        "format": {"jpeg": count - count // 6, "png": count // 6},
        "quality": {"good": count - count // 3, "average": count // 3},
        "lighting": {"natural": count - count // 9, "challenging": count // 9},
        "source": {"dslr": count},
        "resolution": {"vga": count // 2, "full_hd": count - count // 2},
    }
    made = {axis: recommended_axis(axis, held[axis], count, recommended.shares.get(axis)) for axis in held}
    made["project"] = open_axis("project", [(name, f"project:{name}", count // len(projects)) for name in projects])
    made["date"] = open_axis("date", [("2025-07", "taken:2025-07", count)] if count else [])
    made["camera"] = open_axis("camera", [("NIKON D70", 'camera:"NIKON D70"', count)] if count else [])
    codes = (("truncated", refused),) if refused else ()
    return Mix(count, count, made, codes, recommended.file, near_duplicates=0.12)


class FakeViews:
    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    async def get(self, key: str) -> Any:
        return self.kept.get(key)

    async def put(self, key: str, value: Any) -> None:
        self.kept[key] = value


class FakeLibrary:
    def __init__(self, images: Sequence[Image], refusals: Sequence[Refusal] = ()) -> None:
        self.images_by_id = {image.id: image for image in images}
        self.refusals = list(refusals)
        self.scanned: list[Path] = []
        self.pages_asked = 0
        self.runs: FakeRuns | None = None

    async def unstudied(self, project: str | None = None) -> int:
        return 0

    async def study(self, paths: Sequence[Path] | None = None, project: str | None = None) -> Run:
        assert self.runs is not None
        return self.runs.begin("study")

    async def scan(self, paths: Sequence[Path], detach: bool = False) -> Run:
        self.scanned += paths
        assert self.runs is not None
        return self.runs.begin("scan")

    async def ids(
        self, filter: str = "", sort: str = "name", project: str | None = None, limit: int | None = None
    ) -> Sequence[int]:
        chosen = [
            i for i in self.images_by_id.values() if filter.casefold() in f"{i.name} {i.project} {i.format}".casefold()
        ]
        keys: dict[str, Any] = {
            "name": lambda i: i.name,
            "taken": lambda i: (i.taken_at, i.id),
            "size": lambda i: -i.size,
            "resolution": lambda i: -i.width * i.height,
            "project": lambda i: (i.project, i.name),
        }
        return [image.id for image in sorted(chosen, key=keys[sort])][:limit]

    async def page(self, ids: Sequence[int]) -> list[Image]:
        self.pages_asked += 1
        return [self.images_by_id[int(number)] for number in ids]

    async def details(self, image_ids: Sequence[int]) -> list[Details]:
        images = await self.page(image_ids)
        return [Details(image, *_facts(image.id), 2 if image.id % 4 == 0 else 0) for image in images]

    async def mix(self, filter: str = "", project: str | None = None, *, with_coverage: bool = False) -> Mix:
        return make_mix(len(await self.ids(filter)), [p.id for p in await self.projects()], len(self.refusals))

    async def complete(self, text: str, cursor: int | None = None) -> Completion:
        words = {"camera": ("NIKON D70", "Nokia 8"), "project": ("mojo1", "garden")}
        return complete(text, len(text) if cursor is None else cursor, words)

    async def progress(self) -> list[Progress]:
        stages = {"reviewed": 9, "selected": 3, "cropped": 0, "final": 0}
        told = (Mismatch("counts.initial", "20", "12"),)
        return [
            Progress(p.id, None, {"initial": p.images, **stages}, "2025-07-08T06:00:11", "2025-07-08T06:59:11", None,
                     None, "", {}, told if p.id == "mojo1" else ())
            for p in await self.projects()
        ]  # fmt: skip

    async def counts(self) -> Counts:
        return Counts(len(self.images_by_id), len(self.refusals), len(await self.projects()))

    async def inventory(self) -> Inventory:
        count = len(self.images_by_id)
        by_project = tuple((project.id, project.images) for project in await self.projects())
        formats = (("jpeg", count - count // 10), ("png", count // 10)) if count else ()
        return Inventory(
            await self.counts(), count * 900_000, formats, (("0.1 MP", count),) if count else (), by_project, ()
        )

    async def refused_by_code(self) -> tuple[tuple[str, int], ...]:
        codes = sorted({one.code for one in self.refusals})
        return tuple((code, sum(one.code == code for one in self.refusals)) for code in codes)

    async def refused(self, limit: int, offset: int) -> list[Refusal]:
        return self.refusals[offset : offset + limit]

    async def projects(self) -> list[Project]:
        names = sorted({image.project for image in self.images_by_id.values()})
        number = {name: sum(i.project == name for i in self.images_by_id.values()) for name in names}
        return [Project(name, None, None, None, None, number[name]) for name in names]

    async def companions(self, image_ids: Sequence[int]) -> dict[int, list[Path]]:
        return {number: [Path("/photos/one.yaml")] for number in image_ids if number == 1}

    def thumbnail(self, path: Path, box: tuple[int, int]) -> pillow.Image:
        with pillow.open(path) as opened:
            opened.draft("RGB", box)
            picture = opened.convert("RGB")
        picture.thumbnail(box)
        return picture

    def size_of(self, path: Path) -> tuple[int, int]:
        with pillow.open(path) as opened:
            return opened.size

    def warm(self) -> None:
        return


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


@dataclass
class FakeRuns:
    """Runs that go as far as the test says: `begin`, `tell`, `end`."""

    runs: dict[str, Run] = field(default_factory=dict)
    logs: dict[str, list[RunEvent]] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def begin(self, kind: str, state: RunState = RunState.RUNNING, **more: Any) -> Run:
        name = f"{kind}-{len(self.runs) + 1}"
        run = Run(
            id=name,
            kind=kind,
            project=None,
            state=state,
            params={},
            result=None,
            error=None,
            checkpoint=None,
            seed=0,
            created_at=AT,
            started_at=AT,
            finished_at=None,
            host="here",
            pid=1,
            detached=False,
            resumes=None,
        )
        self.runs[name] = replace(run, **more)
        self.logs[name] = []
        self.tell(name, "state", state=str(state))
        return self.runs[name]

    def tell(self, name: str, kind: Any, **data: Any) -> None:
        log = self.logs[name]
        log.append(RunEvent(len(log), AT, kind, data, len(log) + 1))

    def measure(self, name: str, step: int, **values: float) -> None:
        self.tell(name, "metric", points=[{"step": step, **values}])

    def end(self, name: str, state: RunState = RunState.DONE, **more: Any) -> None:
        self.runs[name] = replace(self.runs[name], state=state, finished_at=AT, **more)
        error = self.runs[name].error
        self.tell(name, "state", state=str(state), **({"error": error} if error else {}))

    async def list(self, limit: int = 50) -> list[Run]:
        return list(reversed(self.runs.values()))[:limit]

    async def get(self, name: str) -> Run:
        return self.runs[name]

    async def events(self, name: str, offset: int = 0) -> Sequence[RunEvent]:
        return self.logs[name][offset:]

    async def tail(self, name: str, offset: int = 0, *, follow: bool = True) -> AsyncIterator[RunEvent]:
        while True:
            over = self.runs[name].state.is_final
            for event in self.logs[name][offset:]:
                offset += 1
                yield event
            if over or not follow:
                return
            await asyncio.sleep(0.01)

    async def cancel(self, name: str) -> Run:
        self.cancelled.append(name)
        self.end(name, RunState.CANCELLED)
        return self.runs[name]

    async def resume(self, name: str, *, detach: bool = False) -> Run:
        run = self.runs[name]
        return self.begin(run.kind, resumes=name, detached=detach)

    async def detach(self, name: str) -> Run:
        self.end(name, RunState.INTERRUPTED)
        return await self.resume(name, detach=True)


class FakeChanges:
    """Remembers what was applied and taken back."""

    def __init__(self) -> None:
        self.applied: list[str] = []
        self.rolled_back: list[str] = []

    async def apply(self, name: str) -> None:
        self.applied.append(name)

    async def rollback(self, name: str) -> None:
        self.rolled_back.append(name)


class FakeFixes:
    """Simulated fixes: what is asked of them is kept, and the answers are the test's."""

    def __init__(self) -> None:
        self.known: list[Fix] = []
        self.asked: list[tuple[Any, ...]] = []
        self.verdict: Any = "proven"
        self.refusal = ""

    def of(self, id_: str) -> Fix:
        return next(fix for fix in self.known if fix.id == id_)

    def become(self, id_: str, **more: Any) -> Fix:
        self.known = [replace(fix, **more) if fix.id == id_ else fix for fix in self.known]
        return self.of(id_)

    async def every(self) -> list[Fix]:
        return list(self.known)

    async def prove(self, id_: str, tests: str | None = None) -> FixProof:
        self.asked.append(("prove", id_))
        trial = Trial(3, frozenset(), frozenset(), True, False, 0.1, "")
        made = FixProof(
            True, replace(trial, passed=2, failures=frozenset({"t"})), trial, (), self.verdict, "1 test passes now"
        )
        state = {"proven": FixState.PROVEN, "refuted": FixState.REFUTED}.get(self.verdict, FixState.PROPOSED)
        told = {"verdict": self.verdict, "reason": made.reason, "tests_before": {"passed": 2, "failed": 1}}
        self.become(id_, state=state, proof={**told, "tests_after": {"passed": 3, "failed": 0}})
        return made

    async def apply(self, ids: Sequence[str]) -> Applied:
        self.asked.append(("apply", *ids))
        if self.refusal:
            return Applied(refused=tuple((id_, self.refusal) for id_ in ids))
        for id_ in ids:
            self.become(id_, state=FixState.APPLIED)
        return Applied(applied=tuple(ids))

    async def rollback(self, id_: str) -> Applied:
        self.asked.append(("rollback", id_))
        self.become(id_, state=FixState.ROLLED_BACK)
        return Applied(rolled_back=(id_,))

    async def reject(self, id_: str, reason: str) -> Fix:
        self.asked.append(("reject", id_, reason))
        return self.become(id_, state=FixState.REJECTED, details={"reason": reason})

    async def reopen(self, id_: str) -> Fix:
        self.asked.append(("reopen", id_))
        return self.become(id_, state=FixState.PROPOSED, details={})

    async def edit(self, id_: str, contents: dict[str, bytes]) -> Fix:
        self.asked.append(("edit", id_, contents))
        old = self.of(id_)
        edits = tuple(replace(edit, after=contents.get(edit.path, edit.after)) for edit in old.edits)
        self.known.append(replace(old, id=f"{id_}-mine", edits=edits, state=FixState.PROPOSED))
        self.become(id_, state=FixState.EDITED)
        return self.known[-1]

    async def keep_hunks(self, id_: str, chosen: dict[str, list[int]]) -> Fix:
        self.asked.append(("hunks", id_, chosen))
        old = self.of(id_)
        if sum(map(len, chosen.values())) == sum(len(hunks(edit.before or b"", edit.after)) for edit in old.edits):
            return old
        contents = {edit.path: some(edit.before or b"", edit.after, chosen.get(edit.path, ())) for edit in old.edits}
        edits = tuple(replace(edit, after=contents[edit.path]) for edit in old.edits)
        self.known.append(replace(old, id=f"{id_}-part", edits=edits, diff=unified(edits), state=FixState.PROPOSED))
        self.become(id_, state=FixState.EDITED)
        return self.known[-1]

    async def suggest(self, root: Path) -> Suggested:
        self.asked.append(("suggest", root))
        return Suggested(tuple(self.known), ())


class FakeRepair:
    """Simulated errors that recur, and fixes for some of them."""

    def __init__(self) -> None:
        self.known: list[Group] = []
        self.fixes = FakeFixes()
        self.told: dict[str, Any] = trends(empty=True)

    async def groups(self) -> list[Group]:
        return list(self.known)

    async def report(self) -> dict[str, Any]:
        return self.told

    async def write_report(self) -> tuple[dict[str, Any], list[Path]]:
        return self.told, [Path(f"/work/logs/improvement_report_1.{form}") for form in ("txt", "md", "json")]


def trends(*, empty: bool = False) -> dict[str, Any]:
    """A simulated improvement report: three days of runs, what became of fixes, three versions of a model."""
    days = [f"2025-07-{day:02d}" for day in range(1, 29)]
    runs = (
        {} if empty else {"2025-07-10": (1000, 8, 90.0), "2025-07-20": (1000, 3, 120.0), "2025-07-28": (1000, 1, 150.0)}
    )
    daily = []
    for day in days:
        files, errors, pace = runs.get(day, (0, 0, None))
        rate = errors * 1000 / files if files else None
        daily.append({"day": day, "files": files, "errors": errors, "errors_per_1000": rate, "per_second": pace})
    kept = {"good": 3, "of": 4, "rejected": 2, "daily": {"2025-07-20": [1, 2], "2025-07-28": [2, 2]}}
    passed = {"good": 9, "of": 10, "rejected": 0, "daily": {"2025-07-20": [9, 10]}}
    nothing = {"good": 0, "of": 0, "rejected": 0, "daily": {}}
    known = [
        make_group("v1-a", "UnicodeDecodeError", "captions.py", "first_line", 23),
        make_group("v1-b", "AttributeError", "thumbs.py", "make", 11),
        make_group("v1-c", "KeyError", "export.py", "row", 4),
    ]
    fixable = ("unicode", "imread", None)
    top = [{**one.document(), "fixable": pattern} for one, pattern in zip(known, fixable, strict=True)]
    scores = [
        {"name": "ranker", "version": n + 1, "at": AT, "pair_accuracy": v} for n, v in enumerate((0.8, 0.91, 0.899))
    ]
    return {
        "at": AT,
        "days": 28,
        "daily": daily,
        "runs": len(runs),
        "recoveries": {} if empty else {"out-of-memory": 2, "encoding": 1},
        "errors_by_kind": {} if empty else {"truncated": 9, "vanished": 3},
        "recurring": 0 if empty else 3,
        "top": [] if empty else top,
        "fixes": [] if empty else [{"pattern": "unicode", "operator": "utf-8", "outcomes": {"kept": (3, 4)}}],
        "outcomes": {
            "tests": nothing if empty else passed,
            "kept": nothing if empty else kept,
            "recurrence": nothing,
        },
        "models": [] if empty else scores,
    }


CAPTIONS = b"""import json


def first_line(path):
    with open(path) as handle:
        return handle.readline()


def settings(path):
    # read at every start
    with open(path) as handle:
        return json.load(handle)["name"]
"""


def recurring() -> FakeRepair:
    """Three simulated groups of errors; two have a fix."""
    repair = FakeRepair()
    repair.known = [
        make_group("v1-a", "UnicodeDecodeError", "captions.py", "first_line", 23),
        make_group("v1-b", "AttributeError", "thumbs.py", "make", 11),
        make_group("v1-c", "KeyError", "export.py", "row", 4),
    ]
    after = CAPTIONS.replace(b"open(path)", b'open(path, encoding="utf-8")')
    small = b"size = image.shape\n"
    repair.fixes.known = [
        make_fix("fix-a", "unicode", "v1-a", "safe", FileEdit("captions.py", CAPTIONS, after), "the bytes fit UTF-8"),
        make_fix(
            "fix-b",
            "imread",
            "v1-b",
            "safe",
            FileEdit("thumbs.py", small, b"size = image.shape if image is not None else None\n"),
            "imread gave None",
        ),
    ]
    return repair


def make_group(id_: str, type_: str, file: str, function: str, count: int) -> Group:
    daily = (*[0] * 11, count // 3, count // 2, count - count // 3 - count // 2)
    return Group(id_, type_, f"{type_}: simulated", file, function, 5, count, 5, AT, AT, daily, 0.5, None, ())


def make_fix(id_: str, pattern: str, group: str, applicability: Any, edit: FileEdit, why: str) -> Fix:
    evidence = ({"file": "/logs/run.log", "line": 12, "timestamp": AT, "message": "simulated"},)
    diff = unified([edit])
    return Fix(
        *(id_, pattern, "way", "Error", group, (group,), Path("/app"), edit.path, 5, applicability, why, diff),
        evidence,
        (edit,),
        confidence=0.91,
        confidence_reason="30 of 30 such fixes held",
    )


class FakeEngine:
    """The doors that the screens know."""

    def __init__(self, library: FakeLibrary, ranking: FakeRanking, views: FakeViews | None = None) -> None:
        self.library = library
        self.ranking = ranking
        self.runs = FakeRuns()
        self.monitor = FakeMonitor()
        self.experiments = FakeExperiments()
        self.schedule = FakeSchedule()
        self.changes = FakeChanges()
        self.repair = FakeRepair()
        self.views = views or FakeViews()
        self.closed = 0
        self.recoveries = ()
        library.runs = ranking.runs = self.runs

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[FakeEngine]:
        try:
            yield self
        finally:
            self.closed += 1


def make_engine(
    folder: Path,
    sets: int = 6,
    images: int = 3,
    refusals: int = 0,
    views: FakeViews | None = None,
    size: tuple[int, int] = (320, 240),
) -> FakeEngine:
    """An engine over `sets` simulated sets of `images` variations each, drawn into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Image] = []
    grouped: list[ImageSet] = []
    for number in range(sets):
        scene = draw_scene(number + 3, size)
        members = []
        project = "mojo1" if number < max(1, sets - 2) else "garden"
        for place in range(images):
            label = f"stage{place + 1}_{STAGES[place]}" if images <= 3 else f"variation {place + 1}"
            path = folder / f"20250708_0607{number:02d}_{label.replace(' ', '_')}.jpg"
            if not path.exists():
                variation(scene, place + number).save(path, quality=88)
            image = make_image(len(made) + 1, path, project, size)
            made.append(image)
            members.append(SetMember(image, place, label))
        grouped.append(
            ImageSet(number + 1, project, "20250708", f"s{number}", SetSource.STAGES, "", tuple(members), AT)
        )
    refused = [
        Refusal(f"/photos/broken_{n:03d}.jpg", "truncated", "the file ends before the picture does")
        for n in range(refusals)
    ]
    return FakeEngine(FakeLibrary(made, refused), FakeRanking(grouped), views)


def broken_disk() -> ProofsheetError:
    return ProofsheetError(
        "the verdict could not be written: the disk is full", remedy="Free some space, then pick again."
    )
