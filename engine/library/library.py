"""The library's door: scan folders, know every image, and never harm one.

Relies on the store, the runs and the settings it is handed. Every method that may take longer than a few
milliseconds works off the event loop. Sources are only ever read.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.changes import Changes
from engine.clock import Clock, utc_now
from engine.errors import UsageError
from engine.library import catalog, facts
from engine.library.facts import Facts, StoredMetadata
from engine.library.listing import Listing
from engine.library.model import Counts, Image, Project, Refusal
from engine.library.source import UnreadableImage, printable, state_of
from engine.logs.errors import ErrorLog, refusal
from engine.runs import Run, RunContext, Runs
from engine.settings import Settings
from engine.store import Store
from engine.workspace import Workspace

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from engine.library.apart import Apart
    from engine.library.scan import OnBatch
    from engine.library.study import Study


def _ignore(_image_ids: Sequence[int], _folders: Sequence[str]) -> None:
    return


class Library(Listing):
    """All images of one workspace.

    `on_batch(image_ids, folders)` is called in the scan's thread after each batch is committed, with the ids that are
    new or changed and the folders that are complete with it; a room above forms its sets from there.
    """

    def __init__(
        self, workspace: Workspace, settings: Settings, store: Store, runs: Runs, *, clock: Clock = utc_now
    ) -> None:
        super().__init__(workspace, store, Changes(workspace, clock=clock), clock)
        self._settings = settings
        self._previews: Apart | None = None
        self._lock = threading.Lock()
        self._blamed: dict[Path, tuple[tuple[int, int], str]] = {}  # over which a decoder ended while they were shown
        self._runs = runs
        self._clock = clock
        self.on_batch: OnBatch = _ignore
        runs.register("scan", self._scan, lane="cpu")
        runs.register("study", self._study, lane="cpu")
        runs.register("analyze", self._analyze, lane="cpu")

    async def scan(self, paths: Sequence[Path], detach: bool = False) -> Run:
        """Begin a scan of folders (or single files) and return its run; `run.result` is the scan's document.

        Raises UsageError for a path that is not there or cannot be looked up.
        """
        if not paths:
            raise UsageError("no path to scan", remedy="Name a folder: proofsheet scan ~/Pictures")
        for path in paths:
            try:
                is_there = path.exists()
            except OSError as error:  # a name that is too long, a folder that is not ours to look into
                raise UsageError(f"{path} cannot be looked up: {error.strerror}") from error
            if not is_there:
                raise UsageError(f"{path} does not exist", remedy="Name a folder or an image file.")
        absolute = [str(path.absolute()) for path in paths]
        return await self._runs.start("scan", {"paths": absolute}, detach=detach)

    async def study(self, paths: Sequence[Path] | None = None, project: str | None = None, detach: bool = False) -> Run:
        """Begin one pass over the images whose facts are missing (within `paths`, of `project`), and return its run.

        `run.result` tells how many were studied, what was refused and why, and how good the images are.
        """
        absolute = [str(path.absolute()) for path in paths] if paths else None
        return await self._runs.start("study", {"paths": absolute, "project": project}, project=project, detach=detach)

    async def check_output(self, output: Path, *, force: bool = False) -> None:
        """Whether an analysis may be written there. Raises UsageError, naming why not."""
        from engine.library.analysis import check_output

        await asyncio.to_thread(check_output, output, force=force)

    async def analyze(self, paths: Sequence[Path], output: Path, force: bool = False) -> Run:
        """Begin to write all that is known of the scanned images below `paths` to `output` (.jsonl: as it comes; else
        one JSON array at the end), studying what is not known, and return its run; `run.result` is the summary."""
        roots = [os.path.realpath(path) for path in paths]
        return await self._runs.start("analyze", {"paths": roots, "output": str(output), "force": force})

    async def describe(
        self, paths: Sequence[Path], *, maker_notes: bool = False
    ) -> tuple[list[dict[str, Any]], list[Refusal]]:
        """What files, and the images in folders, say of themselves, one JSON-able document each, and what was refused.

        `maker_notes` asks exiftool for what only those have. Raises UsageError when it is not there.
        """
        from engine.library.describe import describe

        return await asyncio.to_thread(describe, paths, maker_notes=maker_notes)

    async def unstudied(self, project: str | None = None) -> int:
        """How many images' facts are missing."""
        return await self._store.read(partial(facts.count_unstudied, project=project))

    async def ensure_studied(self, project: str | None = None) -> None:
        """Have the facts of all images (of a project), studying those that miss them. Raises RunFailed."""
        if await self.unstudied(project):
            await self._runs.finished((await self.study(project=project)).id)

    async def facts(self, image_ids: Sequence[int]) -> dict[int, Facts]:
        """Image id -> what its pixels say; images that were not studied yet are left out."""
        return await self._store.read(partial(facts.facts_of, image_ids=image_ids))

    async def metadata(self, image_ids: Sequence[int]) -> dict[int, StoredMetadata]:
        """Image id -> what its file says of itself; images that were not studied yet are left out."""
        return await self._store.read(partial(facts.metadata_of, image_ids=image_ids))

    async def image(self, image_id: int) -> Image:
        """One image. Raises UsageError when the library has none of that id."""
        found = await self.images([image_id])
        if not found:
            raise UsageError(f"no image {image_id} in the library")
        return found[0]

    async def images(self, image_ids: Sequence[int]) -> list[Image]:
        """Those images, in that order, also when their file is gone; unknown ids are left out."""
        return await self._store.read(partial(catalog.page, image_ids=image_ids))

    async def page(self, image_ids: Sequence[int]) -> list[Image]:
        """One screenful of `ids`: the same as `images`."""
        return await self.images(image_ids)

    async def find(self, paths: Sequence[Path]) -> dict[Path, Image]:
        """The images at these paths, by the path as given; paths that the library does not have are left out."""
        real = {path: os.path.realpath(path) for path in paths}
        by_path = await self._store.read(partial(catalog.ids_by_path, paths=sorted(set(real.values()))))
        by_id = {image.id: image for image in await self.images(list(by_path.values()))}
        return {path: by_id[by_path[text]] for path, text in real.items() if text in by_path}

    async def counts(self) -> Counts:
        """How many images, refused files and projects there are."""
        return await self._store.read(catalog.counts)

    async def refused(self, limit: int = 1000, offset: int = 0) -> list[Refusal]:
        """Files that were passed over, with code and reason, by path."""
        return await self._store.read(partial(catalog.refused, limit=limit, offset=offset))

    async def projects(self) -> list[Project]:
        """Every project that has images or a manifest, by id."""
        return await self._store.read(catalog.all_projects)

    async def companions(self, image_ids: Sequence[int]) -> dict[int, list[Path]]:
        """Image id -> its companion files; images without any are left out."""
        return await self._store.read(partial(catalog.companions_of, image_ids=image_ids))

    def thumbnail(self, path: Path, box: tuple[int, int]) -> Picture:
        """The picture at `path`, RGB, upright, fitted into `box` pixels. For any thread. Raises UnreadableImage, also
        for a file that ended a decoder before and is as it was: it is not tried again."""
        with self._store.reading() as connection:
            blamed = catalog.blamed(connection, path)
        state = state_of(path)
        if blamed is None and state is not None and path in self._blamed:
            before, reason = self._blamed[path]
            blamed = reason if before == state else None
        if blamed is not None:
            raise UnreadableImage("decoder_crash", blamed)
        try:
            return self._for_previews().decode(path, box)
        except UnreadableImage as error:
            if error.code == "decoder_crash" and state is not None:
                self._blamed[path] = state, error.reason
                record = refusal(printable(str(path)), error.code, error.reason, operation="preview")
                ErrorLog(self._workspace.logs / "errors.jsonl", clock=self._clock).append([record])
            raise

    def size_of(self, path: Path) -> tuple[int, int]:
        """Width and height of the picture at `path` as displayed, in pixels, without decoding it. For any thread.
        Raises UnreadableImage."""
        return self._for_previews().size_of(path)

    def warm(self) -> None:
        """Have a decoder process on its way for the first preview. Waits for nothing."""
        self._for_previews().warm()

    def close(self) -> None:
        """End the decoder processes that are at work, for previews, for this room's runs and for the rooms above: no
        thread that waits for a file keeps the process from ending."""
        from engine.library import children

        children.end_busy()

    def _for_previews(self) -> Apart:
        """Children for previews alone, so that one never waits behind bulk work."""
        from engine.library.apart import Apart

        with self._lock:
            if self._previews is None:
                self._previews = Apart(self._settings.max_pixels)
            return self._previews

    def _analyze(self, context: RunContext) -> dict[str, object]:
        from engine.library.analysis import Analysis

        return Analysis(context, self._store, self._settings, self._study_for(context)).run()

    def _study(self, context: RunContext) -> dict[str, object]:
        return self._study_for(context).run()

    def _study_for(self, context: RunContext) -> Study:
        from engine.library.study import Study

        return Study(
            context,
            self._store,
            self._workspace,
            self._settings,
            self._clock,
            lambda folders: self.on_batch([], folders),
        )

    def _scan(self, context: RunContext) -> dict[str, object]:
        from engine.library.scan import Scan

        scan = Scan(
            context,
            self._store,
            self._workspace,
            self._settings,
            self._clock,
            lambda image_ids, folders: self.on_batch(image_ids, folders),
        )
        return scan.run()
