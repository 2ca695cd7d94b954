"""The demo from nothing to a trained ranker, in a throwaway workspace: draw, scan, import, study, train, suggest.

Relies on the engine as any face does, and on the recipe for what to draw. Everything it writes lies in one folder under
the platform's cache (or the one it is given), marked by a stamp; it deletes nothing that does not carry that stamp. The
decisions are simulated, and say so: actor, session ids, and the EXIF of every picture; so are the users of its resize
experiment, by their names.
"""

from __future__ import annotations

import asyncio
import csv
import fcntl
import json
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from engine.clock import iso, utc_now
from engine.demo.pictures import write_bad_files, write_set
from engine.demo.recipe import PlannedSet, Recipe, plan
from engine.demo.scripts import FOLDER as SCRIPTS
from engine.demo.scripts import LOG as ERRORS
from engine.demo.scripts import write_errors, write_scripts
from engine.demo.sessions import FILE, write_sessions
from engine.engine import Engine
from engine.errors import ProofsheetError
from engine.runs import Run
from engine.settings import Settings
from engine.workspace import Workspace

ACTOR = "simulated"
LOG = "selection_only_log.csv"
AUTO_TRAIN_AFTER = 8
"""Picks after which the demo trains again: a stranger should see it learn within a minute."""

_FIRST_PICK = datetime(2025, 11, 9, 19, 30, tzinfo=UTC)

Tell = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Suggested:
    """One set that is left for the person: the suggested winner's path, its calibrated confidence if there is one."""

    set: str
    winner: str
    confidence: float | None


@dataclass(frozen=True)
class Rooms:
    """What the demo found besides a taste: how many images are of which quality, groups of pictures that are there
    twice by kind, what the simulated resize sessions tell, and what recurs in the simulated error log: how many faults,
    and the patterns of the fixes that are proposed for them."""

    quality: Mapping[str, int]
    duplicates: Mapping[str, int]
    simulated_sessions: int
    experiment: str
    simulated_errors: int = 0
    recurring: int = 0
    fixes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DemoReport:
    """What the demo did. `train` is the training run's result."""

    images: int
    refused: int
    sets: int
    simulated_decisions: int
    train: Mapping[str, Any]
    suggestions: tuple[Suggested, ...]
    seconds: float
    rooms: Rooms | None = None

    def document(self) -> dict[str, Any]:
        """As one JSON document."""
        return asdict(self) | {"train": dict(self.train), "suggestions": [asdict(one) for one in self.suggestions]}


def default_folder() -> Path:
    """`~/.cache/proofsheet/demo` on Linux."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("proofsheet", appauthor=False)) / "demo"


async def headless(
    folder: Path | None = None, *, fresh: bool = False, recipe: Recipe | None = None, tell: Tell | None = None
) -> DemoReport:
    """The whole demo in a workspace made anew each time; the pictures are kept for the next one unless `fresh`."""
    place = _Place(folder or default_folder(), recipe or Recipe.shipped(), tell or _silent)
    return (await _prepared(place, "headless", fresh=fresh, anew=True))[1]


async def prepare(
    folder: Path | None = None, *, fresh: bool = False, recipe: Recipe | None = None, tell: Tell | None = None
) -> Workspace:
    """A demo workspace ready for the app: the one of last time, with the person's verdicts in it, unless `fresh`."""
    place = _Place(folder or default_folder(), recipe or Recipe.shipped(), tell or _silent)
    return (await _prepared(place, "workspace", fresh=fresh, anew=False))[0]


@dataclass(frozen=True)
class _Place:
    """Where the demo lies, what it is made from, and whom to tell."""

    root: Path
    recipe: Recipe
    tell: Tell

    @property
    def pictures(self) -> Path:
        return self.root / "pictures"

    def is_made(self, name: str) -> bool:
        """Whether the folder `name` was finished by this very recipe."""
        try:
            stamp = json.loads(self._stamp(name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return False
        return bool(stamp == self._mark() and (self.root / name).is_dir())

    def finish(self, name: str) -> None:
        """Say that the folder `name` is complete."""
        self._stamp(name).write_text(json.dumps(self._mark()) + "\n", encoding="utf-8")

    def clear(self, name: str) -> Path:
        """An empty folder `name`; what was there is deleted, because it is the demo's own."""
        folder = self.root / name
        self._stamp(name).unlink(missing_ok=True)
        if folder.is_dir():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        return folder

    def _stamp(self, name: str) -> Path:
        return self.root / f"{name}.json"

    def _mark(self) -> dict[str, Any]:
        return {"proofsheet": "demo", "version": self.recipe.version, "recipe": self.recipe.digest}

    def lock(self) -> BinaryIO:
        """Hold the demo's folder, which is the demo's own or empty, until the returned file is closed."""
        marker = self.root / "README.txt"
        if self.root.is_dir() and any(self.root.iterdir()) and not marker.is_file():
            raise ProofsheetError(
                f"{self.root} holds other things than a demo", remedy="Name an empty folder, or one that is not there."
            )
        self.root.mkdir(parents=True, exist_ok=True)
        marker.write_text(
            "Proofsheet's demo: generated pictures and simulated decisions. Delete this folder at any time.\n",
            encoding="utf-8",
        )
        file = (self.root / "demo.lock").open("ab")
        fcntl.flock(file, fcntl.LOCK_EX)
        return file


async def _prepared(place: _Place, name: str, *, fresh: bool, anew: bool) -> tuple[Workspace, DemoReport]:
    begun = time.monotonic()
    with await asyncio.to_thread(place.lock):
        planned = plan(place.recipe)
        if fresh or not place.is_made("pictures"):
            await asyncio.to_thread(_draw, place, planned)
        if not (fresh or anew) and place.is_made(name):
            return Workspace.init(place.root / name), _EMPTY
        workspace = Workspace.init(await asyncio.to_thread(place.clear, name))
        own = _own_settings(workspace)
        async with Engine.open(workspace, flags=own) as engine:
            report = await _learned(engine, place, planned, begun)
        place.finish(name)
        return workspace, report


_EMPTY = DemoReport(0, 0, 0, 0, {}, (), 0.0)


def _draw(place: _Place, planned: Sequence[PlannedSet]) -> None:
    """Every picture of the plan and the bad files, in threads: Pillow and numpy let them run side by side."""
    place.clear("pictures")
    for subject in place.recipe.subjects:
        (place.pictures / subject.id).mkdir()
    with ThreadPoolExecutor() as pool:
        for done, _ in enumerate(pool.map(partial(write_set, place.pictures, place.recipe), planned), start=1):
            place.tell("drawing the pictures", done, len(planned))
    first = planned[0]
    write_bad_files(place.pictures, place.pictures / first.project / first.frames[0].name)
    place.finish("pictures")


def _own_settings(workspace: Workspace) -> dict[str, Any]:
    """Settings that hold in the demo whatever the person's own say, so that nothing of theirs is touched.

    Written into the workspace too, for the app and the runs that it detaches.
    """
    database = str(workspace.database_file)
    workspace.settings_file.write_text(
        "# Proofsheet's demo: a workspace that may be thrown away.\n"
        f"database_url = {json.dumps(database, ensure_ascii=False)}\n"
        'encoder = "builtin"\n'
        f"auto_train_after = {AUTO_TRAIN_AFTER}\n"
        "projects = {}\n",
        encoding="utf-8",
    )
    shaping = {
        name: field.get_default()
        for name, field in Settings.model_fields.items()
        if name in ("max_pixels", "burst_seconds", "folder_set_size", "seed", "cpu_workers")
    }
    return {**shaping, "database_url": database, "encoder": "builtin", "projects": {}}


async def _learned(engine: Engine, place: _Place, planned: Sequence[PlannedSet], begun: float) -> DemoReport:
    """Everything after the pictures, through the same doors that a person's own pictures take."""
    scan = await _followed(engine, await engine.library.scan([place.pictures]), "scanning", place.tell)
    log = engine.workspace.training / LOG
    decisions = write_log(log, planned)
    place.tell("importing simulated picks", 0, 1)
    imported = await engine.ranking.import_selections(log, actor=ACTOR)
    if imported.refused:
        first = imported.refused[0]
        raise ProofsheetError(f"the demo's own log was refused: line {first.line}: {first.reason}")
    await engine.ranking.build_sets()
    await _followed(engine, await engine.vision.embed(), "describing the pictures", place.tell)
    study = await _followed(engine, await engine.library.study(), "judging their quality", place.tell)
    train = await _followed(engine, await engine.ranking.train(), "training the ranker", place.tell)
    place.tell("suggesting winners", 0, 1)
    suggestions = [one for one in [await _suggested(engine, set_id) for set_id in await engine.ranking.queue()] if one]
    place.tell("looking for duplicates", 0, 1)
    rooms = await _rooms(engine, place, study)
    counts = await engine.library.counts()
    total = await engine.ranking.total()
    return DemoReport(
        images=counts.images,
        refused=len(scan.get("refused", ())),
        sets=total.total,
        simulated_decisions=decisions,
        train=train,
        suggestions=tuple(suggestions),
        seconds=round(time.monotonic() - begun, 1),
        rooms=rooms,
    )


async def _followed(engine: Engine, run: Run, what: str, tell: Tell) -> Mapping[str, Any]:
    """A run's result once it is done, its progress told on the way. Raises RunFailed when it ends in any other way."""
    tell(what, 0, 1)
    async for event in engine.runs.tail(run.id):
        if event.type == "progress":
            tell(what, event.data["done"], event.data["total"] or 1)
    return (await engine.runs.finished(run.id)).result or {}


async def _rooms(engine: Engine, place: _Place, study: Mapping[str, Any]) -> Rooms:
    """Bring the duplicates, the experiment and the fixes to life."""
    found = await engine.duplicates.find()
    file = engine.workspace.training / FILE
    sessions = await asyncio.to_thread(write_sessions, file, utc_now(), place.recipe.seed)
    imported = await engine.experiments.import_sessions(file)
    if imported.refused:
        first = imported.refused[0]
        raise ProofsheetError(f"the demo's own sessions were refused: line {first.line}: {first.reason}")
    analysis = await engine.experiments.analyze()
    place.tell("reading the simulated errors", 0, 1)
    scripts, errors = engine.workspace.root / SCRIPTS, engine.workspace.training / ERRORS
    await asyncio.to_thread(write_scripts, scripts)
    failed = await asyncio.to_thread(write_errors, scripts, errors, utc_now())
    await engine.repair.ingest([errors])
    proposed = await engine.repair.fixes.suggest(scripts)
    return Rooms(
        quality=dict(study.get("quality", {})),
        duplicates=dict(Counter(group.kind for group in found.groups)),
        simulated_sessions=sessions,
        experiment=analysis.verdict,
        simulated_errors=failed,
        recurring=len([one for one in await engine.repair.groups() if one.is_recurring]),
        fixes=tuple(fix.pattern for fix in proposed.fixes),
    )


async def _suggested(engine: Engine, set_id: int) -> Suggested | None:
    suggestion = await engine.ranking.suggest(set_id)
    if suggestion is None:
        return None
    found = await engine.ranking.image_set(set_id)
    winner = next(one.image.path for one in found.members if one.image.id == suggestion.proposal["image"])
    return Suggested(f"{found.project}/{found.title or found.set_id}", str(winner), suggestion.confidence)


def write_log(file: Path, planned: Sequence[PlannedSet]) -> int:
    """The simulated picks as a `selection_only_log.csv`, with paths as from another machine; returns how many.

    The pretended person went through all projects in a mixed order, one pick every 40 seconds, after the last picture
    was taken: so the newest picks, which the ranker is tested on, are of every project.
    """
    picked = [one for one in planned if one.chosen is not None]
    random.Random(len(planned)).shuffle(picked)
    moment = max(frame.taken_at for one in planned for frame in one.frames).replace(tzinfo=UTC) + timedelta(days=1)
    rows = []
    for one in picked:
        moment += timedelta(seconds=40)
        paths = [str(PurePosixPath("/simulated", one.project, frame.name)) for frame in one.frames]
        losers = [path for index, path in enumerate(paths) if index != one.chosen]
        rows.append([one.session_id, one.set_id, paths[one.chosen or 0], json.dumps(losers), iso(moment)])
    with file.open("w", encoding="utf-8", newline="") as sheet:
        writer = csv.writer(sheet)
        writer.writerow(["session_id", "set_id", "chosen_path", "neg_paths", "timestamp"])
        writer.writerows(rows)
    return len(rows)


def _silent(_what: str, _done: int, _total: int) -> None:
    """Nobody asked."""
