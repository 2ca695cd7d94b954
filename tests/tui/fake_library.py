"""A pretend library over simulated images: what the screens ask of the real one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image as pillow

from engine.library.completion import Completion, complete
from engine.library.distribution import Mix
from engine.library.listing import Details
from engine.library.model import Counts, Image, Inventory, Project, Refusal
from engine.library.progress import Mismatch, Progress
from engine.runs import Run
from tests.tui.fake_pictures import _facts, make_mix
from tests.tui.fake_runs import FakeRuns


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
