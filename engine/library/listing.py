"""The part of the library's door that lists and counts: queries with completion, the mix and its gaps, progress.

Relies on the store, on change sets for what was delivered, and on embeddings where the hallway hands them in: nothing
above this room is imported. Every method works off the event loop and never writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from engine.changes import Action, Changes, State
from engine.clock import Clock
from engine.library import catalog
from engine.library import facts as facts_table
from engine.library.facts import Facts, StoredMetadata
from engine.library.fields import Condition
from engine.library.model import Image, Inventory
from engine.library.sidecars import Kind, SidecarPlan, Sidecars
from engine.store import Store
from engine.store.schema import images, projects, vectors
from engine.store.schema.facts import image_facts
from engine.workspace import Workspace

if TYPE_CHECKING:
    from engine.library.completion import Completion, Vocabulary
    from engine.library.distribution import Mix
    from engine.library.earlier import Earlier
    from engine.library.gaps import Coverage
    from engine.library.progress import Progress

SAMPLE = 2000  # vectors of a project that its coverage is taken from, evenly spread over it
_FEWEST = 8  # below so many vectors nothing can be said of coverage


@dataclass(frozen=True, slots=True)
class Details:
    """An image with all that is known of it. `facts` and `metadata` are None until it is studied; `duplicates` counts
    the other images of its duplicate group, None where nobody looked."""

    image: Image
    facts: Facts | None = None
    metadata: StoredMetadata | None = None
    duplicates: int | None = None


class NamedEncoder(Protocol):
    """What is asked of an encoder here."""

    @property
    def id(self) -> str:
        """Its short name, as the table of vectors has it."""


class Embeddings(Protocol):
    """What the hallway hands in: the vectors of images of one project."""

    def encoder(self, spec: str | None = None) -> NamedEncoder:
        """The encoder in use."""

    def vectors(self, images: Sequence[Image], encoder: str | None = None) -> NDArray[np.float32]:
        """(n, d) vectors of n images of one project, read where they are kept."""


class Listing:
    """Queries, distributions and progress of one workspace. `Library` is one."""

    def __init__(self, workspace: Workspace, store: Store, changes: Changes, clock: Clock) -> None:
        self._workspace = workspace
        self._store = store
        self._changes = changes
        self.sidecars = Sidecars(store, changes, clock)
        self.embeddings: Embeddings | None = None
        #: Keeps vectors from before, image id -> vector, under an encoder's name; gives how many it kept.
        self.take_vectors: Callable[[str, Mapping[int, NDArray[np.float32]]], int] | None = None
        #: Conditions that other rooms know, by field (`dup`): asked anew for each query.
        self.hooks: Callable[[], Mapping[str, Condition]] = dict
        #: How many other images are in each image's duplicate group, where somebody looked.
        self.duplicates_of: Callable[[sa.Connection, Sequence[int]], Mapping[int, int]] | None = None
        self._words: tuple[object, Vocabulary] | None = None
        self._reading_words: asyncio.Task[Vocabulary] | None = None

    async def ids(
        self, filter: str = "", sort: str = "name", project: str | None = None, limit: int | None = None
    ) -> NDArray[np.int64]:
        """Ids of all images present (or the first `limit`), (n,) int64, filtered and in order.

        filter: a query such as `camera:nikon taken:2024-05..2024-07 blur:>0.6 sunset`; see `engine.library.query`.
        sort: name, project, taken, size, format or resolution; `-` before it descends.

        Raises QueryError (a UsageError) naming the column and what is possible.
        """
        asked = partial(catalog.ids, filter_text=filter, sort=sort, project=project, limit=limit, hooks=self.hooks())
        return await self._store.read(asked)

    async def details(self, image_ids: Sequence[int]) -> list[Details]:
        """Those images with what is known of them, in that order; unknown ids are left out."""
        count = self.duplicates_of

        def read(connection: sa.Connection) -> list[Details]:
            facts = facts_table.facts_of(connection, image_ids)
            told = facts_table.metadata_of(connection, image_ids)
            twins = count(connection, image_ids) if count is not None else {}
            return [
                Details(image, facts.get(image.id), told.get(image.id), twins.get(image.id) if count else None)
                for image in catalog.page(connection, image_ids)
            ]

        return await self._store.read(read)

    async def vocabulary(self) -> Vocabulary:
        """Field -> the values that the library's images have, the commonest first; kept until the library grows. Read
        to the end once it was begun, and by one for all: with every letter that is typed it is asked for anew."""

        from engine.library import vocabulary

        def read(connection: sa.Connection) -> Vocabulary:
            newest = sa.select(sa.func.max(images.c.id)).scalar_subquery()
            studied = sa.select(sa.func.max(image_facts.c.image_id)).scalar_subquery()
            state = tuple(connection.execute(sa.select(newest, studied)).one())
            if self._words is None or self._words[0] != state:
                self._words = (state, vocabulary.vocabulary(connection))
            return self._words[1]

        if self._reading_words is None or self._reading_words.done():
            self._reading_words = asyncio.create_task(self._store.read(read))
        return await asyncio.shield(self._reading_words)

    async def complete(self, text: str, cursor: int | None = None) -> Completion:
        """What the word at the cursor (the end, unless told) of a query may become."""
        from engine.library.completion import complete

        return complete(text, len(text) if cursor is None else cursor, await self.vocabulary())

    async def inventory(self, filter: str = "", project: str | None = None) -> Inventory:
        """Formats, resolutions, projects and refusals, counted; of images, those that a query finds."""
        hooks = self.hooks()

        def read(connection: sa.Connection) -> Inventory:
            if not filter and project is None:
                return catalog.inventory(connection)
            return catalog.inventory(connection, catalog.conditions(connection, filter, project, hooks))

        return await self._store.read(read)

    async def refused_by_code(self) -> tuple[tuple[str, int], ...]:
        """How many files were passed over for each reason (code), the most frequent first."""
        return await self._store.read(catalog.refused_by_code)

    async def mix(self, filter: str = "", project: str | None = None, *, with_coverage: bool = False) -> Mix:
        """The distributions of everything, or of what a query finds, against the recommended mix.

        with_coverage: also how varied the embeddings are, by project. That may load an encoder. Raises QueryError, and
        UsageError for a `recommended_distribution.json` that cannot be used.
        """
        from engine.library import distribution, recommended

        wanted = await asyncio.to_thread(recommended.load, self._workspace.root)
        hooks = self.hooks()

        def read(connection: sa.Connection) -> Mix:
            conditions = catalog.conditions(connection, filter, project, hooks)
            found = distribution.mix(connection, wanted, conditions)
            share = distribution.share_of(connection, hooks["dup"], conditions) if "dup" in hooks else None
            covered = self._coverage(connection, conditions) if with_coverage else {}
            return distribution.with_diversity(found, share, covered)

        return await self._store.read(read)

    async def progress(self) -> list[Progress]:
        """How far each project has come, and where its manifest differs from the library; by id."""
        from engine.library.progress import progress

        exported: set[str] = set()
        for change_set in await self._changes.list():
            if change_set.state is State.APPLIED and change_set.kind == "export":
                taken = (step for step in change_set.operations if step.action in (Action.COPY, Action.LINK))
                exported |= {str(step.source) for step in taken if step.source is not None}
        return await self._store.read(partial(progress, exported=exported))

    async def plan_sidecars(self, image_ids: Sequence[int], kinds: Sequence[Kind]) -> SidecarPlan:
        """Plan to write sidecars beside these images; see `Sidecars.plan_writing`."""
        vectors_of = self.embeddings.vectors if self.embeddings is not None else None
        return await self.sidecars.plan_writing(image_ids, kinds, vectors_of)

    async def read_earlier(self, folder: Path) -> list[Earlier]:
        """What `folder` has from an earlier tool, checked against the library; embeddings are kept where the hallway
        has a place for them. See `engine.library.earlier`."""

        from engine.library.earlier import KnownImage, read

        def known(connection: sa.Connection) -> list[KnownImage]:
            query = (
                sa.select(images.c.id, images.c.path, images.c.content_hash, image_facts.c.phash)
                .select_from(images.outerjoin(image_facts, image_facts.c.image_id == images.c.id))
                .where(images.c.removed_at.is_(None))
            )
            rows = connection.execute(query)
            return [KnownImage(a, b, c, None if d is None else d & 0xFFFFFFFFFFFFFFFF) for a, b, c, d in rows]

        everything = await self._store.read(known)
        found = await asyncio.to_thread(read, folder, everything)
        return [await asyncio.to_thread(self._taken, each) for each in found]

    def _taken(self, found: Earlier) -> Earlier:
        if not found.vectors:
            return found
        if self.take_vectors is None:
            return replace(found, told="can be taken in: proofsheet import embeddings FILE --encoder NAME")
        kept = self.take_vectors("earlier", found.vectors)
        return replace(found, told=f"{kept:,} vectors kept under the encoder 'earlier'")

    def _coverage(self, connection: sa.Connection, conditions: Sequence[Condition]) -> dict[str, Coverage]:
        """Project -> coverage of the vectors that are kept; nothing is computed anew."""
        from engine.library.gaps import coverage

        if self.embeddings is None or connection.execute(sa.select(vectors.c.id).limit(1)).first() is None:
            return {}
        encoder = self.embeddings.encoder().id
        has_vector = sa.and_(
            vectors.c.project_id == images.c.project_id,
            vectors.c.content_hash == images.c.content_hash,
            vectors.c.encoder == encoder,
        )
        query = (
            sa.select(projects.c.name, images.c.id)
            .select_from(images.join(vectors, has_vector).join(projects, projects.c.id == images.c.project_id))
            .where(images.c.removed_at.is_(None), *conditions)
            .order_by(projects.c.key, images.c.id)
        )
        held: dict[str, list[int]] = {}
        for name, image in connection.execute(query):
            held.setdefault(name, []).append(image)
        found: dict[str, Coverage] = {}
        for name, ids in held.items():
            step = max(1, -(-len(ids) // SAMPLE))
            if len(ids) < _FEWEST:
                continue
            measured = coverage(self.embeddings.vectors(catalog.page(connection, ids[::step])))
            if measured is not None:
                found[name] = measured
        return found


def mix_document(found: Mix) -> dict[str, Any]:
    """The mix as JSON."""
    from engine.library import distribution

    return distribution.document(found)


def progress_document(found: Progress) -> dict[str, Any]:
    """One project's progress as JSON."""
    from engine.library import progress

    return progress.document(found)
