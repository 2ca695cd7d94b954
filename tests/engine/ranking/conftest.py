"""A ranking room on a real store, with images that exist as rows only and a vision room that knows their numbers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from engine.changes import Changes
from engine.errors import ProofsheetError
from engine.library import Library
from engine.library.model import Image
from engine.ranking import Ranking
from engine.review import Review
from engine.runs import Runs
from engine.settings import Settings
from engine.store import Store
from engine.store.schema import images, projects
from engine.vision.builtin import Readings
from engine.vision.crops import Crops
from engine.vision.encoders import BuiltinEncoder
from engine.workspace import Workspace

NOON = datetime(2025, 7, 8, 12, tzinfo=UTC)
DIMENSION = 8


class FakeEncoder(BuiltinEncoder):
    """The identity of an encoder with few dimensions."""

    id = "fake-1"
    dimension = DIMENSION


class FakeVision:
    """Vectors and readings by file name; a name that was forgotten cannot be read."""

    def __init__(self) -> None:
        self.by_name: dict[str, np.ndarray] = {}
        self.sharpness: dict[str, float] = {}
        self.unreadable: set[str] = set()
        self.crops: dict[str, np.ndarray] = {}
        self.asked = 0

    def encoder(self, _spec: str | None = None) -> FakeEncoder:
        return FakeEncoder()

    def vectors(self, wanted: Sequence[Image], _encoder: str | None = None) -> np.ndarray:
        assert len({image.project for image in wanted}) == 1, "two projects in one request"
        self.asked += 1
        for image in wanted:
            if image.name in self.unreadable:
                raise ProofsheetError(f"{image.path}: the file is gone")
        return np.stack([self.by_name.get(image.name, np.zeros(DIMENSION)) for image in wanted]).astype(np.float32)

    def prepare(
        self, wanted: Iterable[Image], _encoder: str | None = None, _run: object = None, *, readings: bool = True
    ) -> dict[int, str]:
        return {image.id: f"{image.path}: the file is gone" for image in wanted if image.name in self.unreadable}

    def crop_vectors(
        self, sets: Sequence[Sequence[Image]], _encoder: str | None = None, _run: object = None, *, compute: bool = True
    ) -> list[Crops | None]:
        if not self.crops:
            return [None] * len(sets)
        found = []
        for some in sets:
            vectors = np.stack([[self.crops.get(one.name, np.zeros(DIMENSION))] * 2 for one in some])
            found.append(Crops(vectors.astype(np.float32), np.zeros((2, 4), np.float32)))
        return found

    def readings(self, wanted: Sequence[Image], _encoder: str | None = None) -> list[Readings]:
        return [reading(sharpness=self.sharpness.get(image.name, 0.0)) for image in wanted]


def reading(**values: float) -> Readings:
    plain = {"sharpness": 0.0, "exposure": 0.46, "clipped": 0.0, "contrast": 0.2, "colourfulness": 30.0}
    return Readings(**{**plain, "warmth": 0.0, "noise": 0.0, "tilt": 0.0, **values})


@dataclass
class World:
    """Everything that a test of the room needs."""

    workspace: Workspace
    settings: Settings
    store: Store
    runs: Runs
    review: Review
    changes: Changes
    vision: FakeVision
    ranking: Ranking
    now: list[datetime] = field(default_factory=lambda: [NOON])

    def add(
        self, folder: str, names: Iterable[str], *, project: str | None = None, taken: Sequence[str | None] = ()
    ) -> list[int]:
        """Images as a scan would have recorded them; the project is the folder's last part unless named."""
        name = project or folder.rstrip("/").rpartition("/")[2]
        with self.store.writing() as connection:
            found = connection.execute(sa.select(projects.c.id).where(projects.c.key == name.casefold())).scalar()
            if found is None:
                made = sa.insert(projects).values(key=name.casefold(), name=name).returning(projects.c.id)
                found = connection.execute(made).scalar_one()
            rows = [
                {
                    "path": f"{folder}/{one}",
                    "folder": folder,
                    "name": one,
                    "project_id": found,
                    "format": "png",
                    "width": 64,
                    "height": 48,
                    "size": 1_000 + index,
                    "mtime_ns": 1,
                    "content_hash": f"hash of {folder}/{one}",
                    "orientation": 1,
                    "taken_at": taken[index] if index < len(taken) else None,
                    "taken_at_source": "exif:original" if index < len(taken) else None,
                    "added_at": "2025-07-08T00:00:00.000000Z",
                }
                for index, one in enumerate(names)
            ]
            connection.execute(sa.insert(images), rows)
            made = {row.path: row.id for row in connection.execute(sa.select(images.c.path, images.c.id))}
        return [made[f"{folder}/{one}"] for one in names]

    def remove(self, *ids: int) -> None:
        """As a scan that no longer finds the files."""
        with self.store.writing() as connection:
            gone = sa.update(images).where(images.c.id.in_(ids)).values(removed_at="2025-07-09T00:00:00.000000Z")
            connection.execute(gone)

    def log(self, *rows: str) -> Path:
        """A selection log with these rows."""
        file = self.workspace.training / "selection_only_log.csv"
        text = "\n".join(["session_id,set_id,chosen_path,neg_paths,timestamp", *rows]) + "\n"
        file.write_text(text, encoding="utf-8")
        return file

    def snapshot(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row that the room writes, to tell whether anything changed."""
        from engine.store import schema

        tables = (schema.sets, schema.set_members, schema.selections, schema.decisions)
        with self.store.reading() as connection:
            return {table.name: [tuple(row) for row in connection.execute(sa.select(table))] for table in tables}


@pytest.fixture
def settings() -> Settings:
    return Settings(actor="ada", auto_train_after=5)


@pytest.fixture
async def world(workspace: Workspace, settings: Settings, store: Store) -> AsyncIterator[World]:
    now = [NOON]

    def clock() -> datetime:
        now[0] += timedelta(seconds=1)
        return now[0]

    runs = Runs(workspace, store)
    review = Review(workspace, store, settings.actor, clock=clock)
    changes = Changes(workspace)
    library = Library(workspace, settings, store, runs)
    vision = FakeVision()
    ranking = Ranking(workspace, settings, store, runs, review, changes, library, vision, clock=clock)  # type: ignore[arg-type]
    yield World(workspace, settings, store, runs, review, changes, vision, ranking, now)
    await runs.close()


@dataclass(frozen=True)
class Taste:
    """A hidden taste that picks winners from sets, linear in the vectors."""

    weight: np.ndarray

    def winner(self, vectors: np.ndarray) -> int:
        return int((vectors @ self.weight).argmax())


async def simulate(
    world: World,
    sets: int,
    *,
    seed: int = 0,
    project: str = "mojo1",
    sizes: tuple[int, int] = (2, 5),
    shuffled: bool = False,
) -> Taste:
    """Import a log of picks by a hidden taste; with `shuffled` the winners are drawn by lot."""
    random = np.random.default_rng(seed)
    taste = Taste(random.normal(size=DIMENSION))
    folder = f"/pictures/{project}"
    names: list[str] = []
    rows: list[str] = []
    for number in range(sets):
        count = int(random.integers(sizes[0], sizes[1] + 1))
        own = [f"{number:04}_{place}.png" for place in range(count)]
        vectors = random.normal(size=(count, DIMENSION))
        for name, vector in zip(own, vectors, strict=True):
            world.vision.by_name[name] = vector
            world.vision.sharpness[name] = float(random.normal())
        best = int(random.integers(count)) if shuffled else taste.winner(vectors)
        losers = ", ".join(f'""{folder}/{name}""' for i, name in enumerate(own) if i != best)
        moment = NOON + timedelta(minutes=number)
        rows.append(f'{project}-s,{number},{folder}/{own[best]},"[{losers}]",{moment:%Y-%m-%dT%H:%M:%SZ}')
        names.extend(own)
    world.add(folder, names)
    found = await world.ranking.import_selections(world.log(*rows))
    assert found.sets == sets and not found.refused
    return taste
