"""The door of the ranking room: sets to choose from, training, ranking, the way out; verdicts come from `Verdicts`.

Relies on library and vision for images and numbers, on review for verdicts, on runs for training, on changes for
exports. Whatever blocks is done off the event loop. Nothing here writes a file of the person's.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from engine.changes import Changes, ChangeSet, Operation
from engine.clock import Clock, iso, utc_now
from engine.errors import ProofsheetError, UsageError
from engine.library import Library
from engine.library.model import Image
from engine.logs.recoveries import RecoveryLog
from engine.ranking import building, catalogue
from engine.ranking.model import (
    GENERATED,
    MIN_SETS,
    NAME,
    PER_PROJECT,
    TRAIN,
    UNIFIED,
    ImageSet,
    RankedSet,
    RankerStatus,
    RefusedRow,
    SelectionImport,
    SetCounts,
    SetSource,
)
from engine.ranking.registry import ModelRow, Registry
from engine.ranking.verdicts import Verdicts
from engine.review import Review
from engine.review.review import project_id
from engine.runs import Run, RunContext, Runs
from engine.settings import FEATURE_BLOCKS, Settings, blocks_off
from engine.store import Store
from engine.vision import Vision
from engine.workspace import Workspace

if TYPE_CHECKING:
    from engine.ranking.export import Format
    from engine.ranking.information import Asker
    from engine.ranking.ordering import Orderer
    from engine.ranking.suggest import Suggester


class Ranking(Verdicts):
    """Image sets and their winners, for the person that the settings name."""

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        store: Store,
        runs: Runs,
        review: Review,
        changes: Changes,
        library: Library,
        vision: Vision,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._settings = settings
        self._store = store
        self._runs = runs
        self._review = review
        self._changes = changes
        self._library = library
        self._clock = clock
        self._registry = Registry(store, workspace.models, RecoveryLog(workspace.logs / "recoveries.jsonl", clock))
        self._vision = vision
        self._making = threading.Lock()
        self._made: Suggester | None = None
        self._hashes_file = workspace.cache / "phash.json"
        self._epochs_file = workspace.suggestion_logs / "training_log.jsonl"
        # One lane thread is enough for a linear model; the encoder uses the GPU by itself where there is one.
        runs.register(TRAIN, self._train, lane="cpu")

    # What only some days need is imported when it is first needed: opening the room must not wait for it.

    def _train(self, run: RunContext) -> dict[str, Any]:
        from engine.ranking.hashes import HashCache
        from engine.ranking.training import Trainer

        hashes = HashCache(self._hashes_file, self._settings.max_pixels)
        own = self._own_consistency
        trainer = Trainer(
            self._store,
            self._vision,
            self._registry,
            hashes,
            self._clock,
            self._epochs_file,
            consistency=own,
            pause=self._settings.auto_train_pause,
            aesthetic_head=self._settings.aesthetic_head,
        )
        return trainer.work(run)

    @property
    def _suggester(self) -> Suggester:
        from engine.ranking.suggest import Suggester

        with self._making:  # asked for from several threads: what it has learnt since must be in one place
            if self._made is None:
                off = blocks_off(self._settings)
                self._made = Suggester(self._store, self._vision, self._registry, self._settings.actor, off)
            return self._made

    @cached_property
    def _asker(self) -> Asker:
        from engine.ranking.information import Asker

        return Asker(self._store, self._vision, self._suggester)

    @cached_property
    def _orderer(self) -> Orderer:
        from engine.ranking.ordering import Orderer

        return Orderer(self._vision, self._suggester, self._settings.max_pixels)

    # -- sets ---------------------------------------------------------------------------------------------------------

    async def import_selections(self, file: Path, actor: str | None = None) -> SelectionImport:
        """Import a selection log: its sets and selections, matched with the library; bad rows are refused by line.

        Generated sets give way to the log's. Raises UsageError when the file cannot be read, ProofsheetError when it
        is no selection log.
        """
        from engine.ranking.importing import import_log

        found = await asyncio.to_thread(import_log, self._store, file, actor or self._settings.actor, self._clock)
        if found.folders:
            await self.build_sets(found.folders)
        return found.report

    async def build_sets(
        self, folders: Sequence[str] | None = None, sources: Iterable[str | SetSource] = GENERATED
    ) -> int:
        """Bring the generated sets of these folders (None: of all) up to date; how many are new.

        Sets from logs win, decided sets stay, undecided ones follow their folder. Calling it again changes nothing.
        """
        wanted = [SetSource(source) for source in sources]
        return await asyncio.to_thread(building.build, self._store, self._settings, self._clock, folders, wanted)

    def images_arrived(self, image_ids: Sequence[int], finished_folders: Sequence[str]) -> None:
        """Form the sets of folders that a scan has finished, and anew those whose images were found to be of another
        project; called in the scan's own thread after each commit."""
        folders = [str(folder) for folder in finished_folders]
        with self._store.reading() as connection:
            folders.extend(catalogue.folders_of_strays(connection, image_ids))
        if folders:
            building.build(self._store, self._settings, self._clock, folders)

    async def queue(self, project: str | None = None) -> list[int]:
        """Ids of the undecided sets in review order: oldest capture first, or those first whose verdicts would teach
        the ranker most."""
        ids = await self._store.read(lambda connection: catalogue.queue(connection, project))
        if self._settings.order == "information":
            return await asyncio.to_thread(self._asker.order, ids)
        return ids

    async def skipped(self, project: str | None = None) -> list[int]:
        """Ids of the sets that were skipped, for a second look."""
        return await self._store.read(lambda connection: catalogue.skipped(connection, project))

    async def total(self, project: str | None = None) -> SetCounts:
        """How many sets there are, decided and remaining."""
        return await self._store.read(lambda connection: catalogue.counts(connection, project))

    async def image_set(self, set_id: int) -> ImageSet:
        """One set with the images that are still there. Raises UsageError for an unknown id."""
        found = await self._store.read(lambda connection: catalogue.image_sets(connection, [set_id]))
        if set_id not in found:
            raise UsageError(f"there is no image set {set_id}", remedy="`proofsheet sets list` shows them.")
        return found[set_id]

    async def image_sets(self, set_ids: Sequence[int]) -> list[ImageSet]:
        """Several sets at once, in the order asked; unknown ids are left out."""
        found = await self._store.read(lambda connection: catalogue.image_sets(connection, set_ids))
        return [found[one] for one in set_ids if one in found]

    # -- learning -----------------------------------------------------------------------------------------------------

    async def train(
        self,
        project: str | None = None,
        detach: bool = False,
        *,
        per_project: bool = False,
        actor: str | None = None,
        seed: int | None = None,
        encoder: str | None = None,
        without: Sequence[str] = (),
        by_itself: bool = False,
    ) -> Run:
        """Start training on every verdict in force of one person (default: the workspace's) and on the imported logs.

        `project` learns from that project alone; `per_project` gives each project with enough sets weights of its own.
        `encoder` (default: the setting) names whose vectors to learn from; blocks of features in `without`, and those
        that the setting `features` leaves out, stay unused. `by_itself` gives way to the review: it works in its
        pauses only. The run's result is the document of `train ranker --json`. Raises ProofsheetError for an unknown
        project, UsageError when no block is left.
        """
        off = [one for one in FEATURE_BLOCKS if one in without or one not in self._settings.features]
        if len(off) == len(FEATURE_BLOCKS):
            raise UsageError(
                "every block of features is switched off: there is nothing to learn from",
                remedy=f"Leave one of {', '.join(FEATURE_BLOCKS)} (--without, and the setting `features`).",
            )
        if project is not None:
            name = project
            await self._store.read(lambda connection: project_id(connection, name))
        count = await self._count_choices(actor, project)
        params = {
            "actor": actor or self._settings.actor,
            "project": project,
            "mode": PER_PROJECT if per_project else UNIFIED,
            "seed": self._settings.seed if seed is None else seed,
            "encoder": encoder or self._settings.encoder,
            "without": off,
            "choices": count,
            "by_itself": by_itself,
        }
        return await self._runs.start(TRAIN, params, project=project, detach=detach)

    async def maybe_train(self) -> Run | None:
        """Start training when the settings allow it and there are enough verdicts since the last time; it waits for the
        pauses of the review."""
        if not self._settings.auto_train:
            return None
        count = await self._count_choices(None, None)
        last = next((run for run in await self._runs.list(200) if run.kind == TRAIN), None)
        if last is not None and not last.state.is_final:
            return None
        known = int(last.params.get("choices", 0)) if last is not None else 0
        if count < MIN_SETS or count - known < self._settings.auto_train_after:
            return None
        return await self.train(by_itself=True)

    async def status(self, project: str | None = None) -> RankerStatus:
        """Which ranker suggests now, and while there is none or a newer one was kept back, why."""

        def look() -> RankerStatus:
            actor = self._settings.actor
            promoted = self._registry.promoted(actor, project)
            latest = self._registry.latest(actor, project)
            why_not = ""
            if latest is not None and latest.promoted_at is None:
                why_not = "; ".join(latest.card.get("promotion", {}).get("why_not", []))
            if promoted is not None and self._suggester.ranker(project) is not None:
                return RankerStatus(promoted.label, promoted.version, why_not, "", dict(promoted.card))
            if promoted is not None:
                why_not = self._registry.why_unusable(promoted) or (
                    f"{promoted.label} ranks by other features than are computed now"
                )
                why_not += "; train again"
            elif latest is None:
                with self._store.reading() as connection:
                    count = catalogue.count_choices(connection, actor, project)
                why_not = (
                    f"{count} decided {'set' if count == 1 else 'sets'}; {MIN_SETS - count} more "
                    f"{'is' if MIN_SETS - count == 1 else 'are'} needed before it can learn"
                    if count < MIN_SETS
                    else f"{count} decided sets are waiting; it has not been trained yet"
                )
            card = dict(latest.card) if latest is not None else {}
            unusable = promoted.label if promoted is not None else None
            return RankerStatus(None, None, why_not, self._suggester.baseline(project), card, unusable)

        return await asyncio.to_thread(look)

    async def models(self) -> list[ModelRow]:
        """Every version of the person's ranker, the newest first."""
        return await asyncio.to_thread(self._registry.rows, self._settings.actor)

    async def use_model(self, name: str, version: int) -> ModelRow:
        """Let an earlier (or kept) version suggest from now on. Raises UsageError when there is no such one."""
        if name != NAME:
            raise UsageError(f"there is no model '{name}'", remedy=f"There is: {NAME}.")
        now = iso(self._clock())
        return await asyncio.to_thread(self._registry.use, self._settings.actor, version, now)

    async def roll_back(self, project: str | None = None) -> tuple[ModelRow, ModelRow | None]:
        """Take back the last promotion: (the version that stepped down, the one that suggests now or None)."""
        return await asyncio.to_thread(self._registry.roll_back, self._settings.actor, project)

    async def replay(self, project: str | None = None, *, people: int = 5) -> dict[str, Any]:
        """How many of the recorded verdicts each order of asking would have needed; `people` random orders are tried.

        The document of `train replay --json`. Raises ProofsheetError when there is too little to learn from.
        """
        from engine.ranking.replay import replay_recorded

        settings, store = self._settings, self._store
        return await asyncio.to_thread(
            replay_recorded,
            store,
            self._vision,
            settings.actor,
            project,
            seed=settings.seed,
            orders=people,
            without=blocks_off(settings),
        )

    async def _count_choices(self, actor: str | None, project: str | None) -> int:
        who = actor or self._settings.actor
        return await self._store.read(lambda connection: catalogue.count_choices(connection, who, project))

    # -- ranking by path ----------------------------------------------------------------------------------------------

    async def rank(self, paths: Sequence[Path]) -> RankedSet:
        """Rank files as one set, in the library or not, by the promoted ranker (without one: the sharpest first).

        Raises UsageError for images of two projects, ProofsheetError when none can be read.
        """
        wanted = [path.expanduser().absolute() for path in paths]
        known = await self._library.find(wanted)
        return await asyncio.to_thread(self._orderer.rank, wanted, known)

    async def rank_sets(self, file: Path) -> tuple[list[RankedSet], list[RefusedRow]]:
        """Rank each line of a JSON Lines file (a list of paths a line); lines that cannot be are refused by number."""
        from engine.ranking.ordering import read_set_lines

        lines, refused = await asyncio.to_thread(read_set_lines, file)
        known = await self._library.find(list(dict.fromkeys(path for _, paths in lines for path in paths)))

        def rank_all() -> list[RankedSet]:
            found: list[RankedSet] = []
            for number, paths in lines:
                try:
                    found.append(replace(self._orderer.rank(paths, known), line=number))
                except ProofsheetError as error:
                    refused.append(RefusedRow(number, error.message))
            return found

        found = await asyncio.to_thread(rank_all)
        return found, sorted(refused, key=lambda row: row.line)

    # -- the way out --------------------------------------------------------------------------------------------------

    async def winners(self, project: str | None = None) -> list[Image]:
        """The winners in force that are still in the library, by project and path."""

        def find(connection: sa.Connection) -> list[Image]:
            choices = catalogue.choices(connection, self._settings.actor, project, unseen=True)
            chosen = {choice.winner for choice in choices}
            present = catalogue.present(connection, chosen)
            return sorted(present, key=lambda image: (image.project.casefold(), str(image.path)))

        found = await self._store.read(find)
        if not found:
            raise UsageError("there are no winners yet", remedy="Pick some, or import a selection log.")
        return found

    async def export_selections(self, file: Path, project: str | None = None) -> ChangeSet:
        """Plan to write every pick, made here or imported, as a `selection_only_log.csv`."""
        from engine.ranking import export

        def make(connection: sa.Connection) -> bytes:
            choices = catalogue.exportable(connection, self._settings.actor, project)
            images = catalogue.images_by_id(connection, {one for choice in choices for one in choice.image_ids})
            return export.selection_log(choices, catalogue.set_keys(connection, {c.set_pk for c in choices}), images)

        return await self._plan_file(file, await self._store.read(make), f"Selection log to {file.name}")

    async def export_winners(self, file: Path, form: Format = "txt", project: str | None = None) -> ChangeSet:
        """Plan to write the winners' paths as a list."""
        from engine.ranking import export

        content = export.winner_list(await self.winners(project), form)
        return await self._plan_file(file, content, f"Winners to {file.name}")

    async def export_folder(self, folder: Path, link: bool = False, project: str | None = None) -> ChangeSet:
        """Plan to copy (or hard-link) the winners and their companions into a folder, one folder a project."""
        from engine.ranking import export

        winners = await self.winners(project)
        target = folder.expanduser().absolute()
        held = await self._library.companions([image.id for image in winners])
        companions = {image.path: held[image.id] for image in winners if held.get(image.id)}
        title = f"{len(winners)} winners {'linked' if link else 'copied'} to {target.name}"
        operations = export.copies(winners, target, is_link=link)
        # The folders of the originals are named because they are read; the operations are copies, which leave them be.
        roots = [target, *sorted({image.path.parent for image in winners})]
        return await self._changes.plan(operations, title, roots, companions, kind="export")

    async def export_xmp(self, rating: int = 5, project: str | None = None, *, skip_damaged: bool = False) -> ChangeSet:
        """Plan to rate the winners in their XMP sidecars, everything else in them kept byte for byte."""
        from engine.ranking import export

        winners = await self.winners(project)
        folders = sorted({image.path.parent for image in winners})

        def plan() -> list[Operation]:
            with self._store.reading() as connection:
                stems = Counter(path.with_suffix("") for path in catalogue.paths_in(connection, map(str, folders)))
            return export.ratings(winners, stems, rating, skip_damaged=skip_damaged)

        operations = await asyncio.to_thread(plan)
        return await self._changes.plan(operations, f"Rating {rating} for the winners", folders, kind="export")

    async def _plan_file(self, file: Path, content: bytes, title: str) -> ChangeSet:
        target = file.expanduser().absolute()
        from engine.ranking.export import write_file

        return await self._changes.plan([write_file(target, content)], title, [target.parent], kind="export")
