"""Groups as a person is shown them: the images of each, what is known of these, and whom to keep, with the reason.

Relies on `keeper` for whom to keep and on `trash` for what the others' metadata adds; reads the store, never a file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from engine.errors import UsageError
from engine.library import keeper as keeping
from engine.library import trash
from engine.library.facts import Facts, StoredMetadata, facts_of, metadata_of
from engine.library.library import Library
from engine.library.model import Image
from engine.library.trash import Offered
from engine.store import Store

if TYPE_CHECKING:
    from engine.library.duplicate_search import Formed
    from engine.library.grouping import Kind

# A ranker looks at pictures; beyond so many frames of bursts, nobody would wait for it.
_MOST_SCORED = 400

Score = Callable[[Sequence[Image]], Awaitable[Mapping[int, float]]]


@dataclass(frozen=True, slots=True)
class Member:
    """One image of a group. `distance`: bits of 64 between its hash and the keeper's, of what both show."""

    image: Image
    distance: int
    facts: Facts | None = None
    metadata: StoredMetadata | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Images that may be one too many; `keeper` is the suggested one's id. `offered`: what the others' metadata has and
    the keeper's has not."""

    id: str
    kind: Kind
    project: str
    keeper: int
    reason: str
    members: tuple[Member, ...]
    offered: Offered = field(default_factory=Offered)

    @property
    def image_ids(self) -> tuple[int, ...]:
        """The members' ids, the suggested keeper first."""
        return tuple(member.image.id for member in self.members)


@dataclass(frozen=True, slots=True)
class Found:
    """All groups: identical files first, then copies, then bursts. `pairs_within`: pairs of one project whose hashes as
    they are lie within the distance, None where they were not counted. `seconds`: how long the search took."""

    groups: tuple[Group, ...]
    images: int
    pairs_within: int | None
    seconds: float
    distance: int


async def dressed(formed: Formed, library: Library, store: Store, score: Score | None) -> list[Group]:
    """Clusters as groups: their images, what is known of these, and whom to keep; identical files, copies, bursts."""
    ids = sorted({image for cluster in formed.clusters for image in cluster.members})
    images = {image.id: image for image in await library.images(ids)}
    facts = await store.read(partial(facts_of, image_ids=ids))
    metadata = await store.read(partial(metadata_of, image_ids=ids))
    companions = await library.companions(ids)
    # Which of a burst is liked best is a matter of taste; which of several copies is the best, hardly ever.
    frames = [images[one] for cluster in formed.clusters if cluster.kind == "burst" for one in cluster.members]
    is_asked = score is not None and 0 < len(frames) <= _MOST_SCORED
    scores = dict(await score(frames)) if score is not None and is_asked else {}

    def candidate(image: Image) -> keeping.Candidate:
        return _candidate(image, facts.get(image.id), metadata.get(image.id), len(companions.get(image.id, ())), scores)

    groups: list[Group] = []
    preferred: set[int] = set()
    # Copies first: whom they keep, identical files keep, too.
    for cluster in sorted(formed.clusters, key=lambda one: one.kind == "exact"):
        members = [images[image] for image in cluster.members if image in images]
        chosen = [one for one in members if one.id in preferred] if cluster.kind == "exact" else members
        best = keeping.suggest(cluster.kind, [candidate(one) for one in chosen or members])
        if cluster.kind == "same":
            preferred.add(best.id)
        others = [one for one in members if one.id != best.id]
        groups.append(
            Group(
                id=group_id(cluster.kind, [one.id for one in members]),
                kind=cluster.kind,
                project=members[0].project,
                keeper=best.id,
                reason=best.reason,
                members=tuple(
                    Member(
                        one,
                        formed.distance(cluster, best.id, one.id),
                        facts.get(one.id),
                        metadata.get(one.id),
                    )
                    for one in [images[best.id], *others]
                ),
                offered=trash.offered(metadata.get(best.id), [metadata.get(one.id) for one in others]),
            )
        )
    order = {"exact": 0, "same": 1, "burst": 2}
    return sorted(groups, key=lambda group: (order[group.kind], group.project.casefold(), group.members[0].image.name))


def group_id(kind: Kind, image_ids: Sequence[int]) -> str:
    """A group's name, the same for the same images: `same-3f9a1c2b4d`."""
    said = ",".join(str(image) for image in sorted(image_ids))
    return f"{kind}-{hashlib.blake2b(said.encode(), digest_size=5).hexdigest()}"


def with_keeper(group: Group, image_id: int) -> Group:
    """The group with another keeper. Raises UsageError for an image that is not in it."""
    if image_id not in group.image_ids:
        raise UsageError(f"image {image_id} is not in the group {group.id}")
    return replace(group, keeper=image_id)


def _candidate(
    image: Image,
    facts: Facts | None,
    metadata: StoredMetadata | None,
    companions: int,
    scores: Mapping[int, float],
) -> keeping.Candidate:
    tags = 0
    if metadata is not None:
        tags = len(metadata.keywords) + len(metadata.people) + bool(metadata.title) + bool(metadata.description)
    return keeping.Candidate(
        id=image.id,
        name=image.name,
        path=os.fspath(image.path),
        width=image.width,
        height=image.height,
        size=image.size,
        format=image.format,
        mtime_ns=image.mtime_ns,
        has_camera=bool(metadata and metadata.camera_model) or image.taken_at_source == "exif:original",
        sharpness=facts.sharpness if facts else None,
        jpeg_quality=facts.jpeg_quality if facts else None,
        quality=facts.quality if facts else None,
        rating=metadata.rating if metadata else None,
        tags=tags,
        companions=companions,
        score=scores.get(image.id),
    )
