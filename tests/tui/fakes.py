"""A pretend engine for the screens: the same doors, pictures drawn here; all of it simulated.

Timing is the test's: a gate can hold an answer back, a run goes as far as the test tells it to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image as pillow
from PIL import ImageDraw, ImageEnhance, ImageFilter

from engine.errors import ProofsheetError
from engine.library.model import Counts, Image, Inventory, Project, Refusal
from engine.ranking.model import ImageSet, RankerStatus, SetCounts, SetMember, SetSource
from engine.repair.apply import Applied
from engine.repair.fix import Fix, FixState, unified
from engine.repair.groups import Group
from engine.repair.patterns.pattern import FileEdit
from engine.repair.prove import Proof
from engine.repair.suggest import Suggested
from engine.repair.trials import Trial
from engine.review import Agreement, Decision, Suggestion, Verdict
from engine.runs import Run, RunEvent, RunState

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

    async def counts(self) -> Counts:
        return Counts(len(self.images_by_id), len(self.refusals), len(await self.projects()))

    async def inventory(self) -> Inventory:
        count = len(self.images_by_id)
        by_project = tuple((project.id, project.images) for project in await self.projects())
        formats = (("jpeg", count - count // 10), ("png", count // 10)) if count else ()
        return Inventory(
            await self.counts(), count * 900_000, formats, (("0.1 MP", count),) if count else (), by_project, ()
        )

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


@dataclass
class Pick:
    """One verdict as the engine received it."""

    set_id: int
    verdict: Verdict
    image_id: int | None
    model: str | None
    blind: bool


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

    async def queue(self, project: str | None = None) -> list[int]:
        done = {pick.set_id for pick in self.verdicts}
        return [n for n in self.order if n not in done and project in (None, self.sets[n].project)]

    async def total(self, project: str | None = None) -> SetCounts:
        count = sum(project in (None, one.project) for one in self.sets.values())
        return SetCounts(count, sum(project in (None, self.sets[pick.set_id].project) for pick in self.verdicts))

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
        self.verdicts.append(pick)
        return _decision(pick)

    async def undo(self) -> Decision | None:
        return _decision(self.verdicts.pop()) if self.verdicts else None

    async def agreement(self, last: int = 10) -> Agreement:
        picks = [p for p in self.verdicts if p.model and p.verdict in (Verdict.APPROVED, Verdict.MODIFIED)][-last:]
        return Agreement(sum(pick.verdict is Verdict.APPROVED for pick in picks), len(picks))

    async def status(self) -> RankerStatus:
        if self.model.startswith("baseline"):
            return RankerStatus(None, None, "not enough data: about 12 more picks", self.model)
        card = {
            "held_out": {"pair_accuracy": 0.741, "top1_accuracy": 0.69, "ece": 0.018},
            "sets": {"train": 180, "held_out": 40},
            "baselines": {"random": 0.5, "first": 0.47, "last": 0.55, "largest_file": 0.58, "sharpest": 0.612},
            "references": {"logistic_difference": 0.733},
        }
        return RankerStatus(self.model, 4, "", "baseline:sharpest", card)

    async def train(self, project: str | None = None, detach: bool = False) -> Run:
        self.asked_to_train += 1
        assert self.runs is not None
        return self.runs.begin("train")

    async def maybe_train(self) -> Run | None:
        return None


def _decision(pick: Pick) -> Decision:
    return Decision(
        id=1,
        kind="ranking",
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

    async def prove(self, id_: str, tests: str | None = None) -> Proof:
        self.asked.append(("prove", id_))
        trial = Trial(3, frozenset(), frozenset(), True, False, 0.1, "")
        made = Proof(
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
        return self.of(id_)

    async def suggest(self, root: Path) -> Suggested:
        self.asked.append(("suggest", root))
        return Suggested(tuple(self.known), ())


class FakeRepair:
    """Simulated errors that recur, and fixes for some of them."""

    def __init__(self) -> None:
        self.known: list[Group] = []
        self.fixes = FakeFixes()

    async def groups(self) -> list[Group]:
        return list(self.known)


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
