"""A library on its own: workspace, store, runs and the door, without the rooms above it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.library import Library
from engine.library.model import Image
from engine.runs import Runs, RunState
from engine.settings import Settings
from engine.store import Store
from engine.workspace import Workspace


@dataclass
class Shelf:
    """The door, what it stands on, and what the scan told the rooms above."""

    library: Library
    runs: Runs
    store: Store
    workspace: Workspace
    batches: list[tuple[list[int], list[str]]] = field(default_factory=list)

    async def scan(self, *paths: Path) -> dict[str, Any]:
        """Scan and wait; the run's document, without what differs each time."""
        run = await self.runs.wait((await self.library.scan(paths)).id)
        assert run.state is RunState.DONE, run.error
        assert run.result is not None
        return dict(run.result)

    async def counts_of(self, *paths: Path) -> tuple[int, int, int, int]:
        """Scan: added, changed, unchanged, removed."""
        result = await self.scan(*paths)
        return result["added"], result["changed"], result["unchanged"], result["removed"]

    async def refused(self, *paths: Path) -> dict[str, str]:
        """Scan: file name -> code of each refusal in the library."""
        await self.scan(*paths)
        return {Path(one.path).name: one.code for one in await self.library.refused()}

    async def images(self) -> dict[str, Image]:
        """Every image present, by file name."""
        return {image.name: image for image in await self.library.page(list(await self.library.ids()))}

    async def projects(self) -> dict[str, str]:
        """File name -> project, of every image present."""
        return {name: image.project for name, image in (await self.images()).items()}


@asynccontextmanager
async def shelf_in(workspace: Workspace, **settings: Any) -> AsyncIterator[Shelf]:
    """Open a library in this workspace, and close it as the engine would."""
    store = Store.open(workspace.database_file)
    runs = Runs(workspace, store, workers=2)
    library = Library(workspace, Settings(**settings), store, runs)
    shelf = Shelf(library, runs, store, workspace)

    def note(image_ids: Sequence[int], folders: Sequence[str]) -> None:
        shelf.batches.append((list(image_ids), list(folders)))

    library.on_batch = note
    try:
        yield shelf
    finally:
        await runs.close()
        store.close()
