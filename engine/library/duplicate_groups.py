"""Groups as a person is shown them: the images of each, what is known of these, and whom to keep, with the reason.

Relies on `keeper` for whom to keep and on `trash` for what the others' metadata adds; reads the store, never a file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from engine.errors import UsageError
from engine.library import catalog, trash
from engine.library import keeper as keeping
from engine.library.facts import Measured, StoredMetadata, measured, metadata_of
from engine.library.model import Image
from engine.library.trash import Offered

if TYPE_CHECKING:
    from engine.library.duplicate_search import Formed
    from engine.library.grouping import Kind

# A ranker looks at pictures; beyond so many frames of bursts, nobody would wait for it.
MOST_SCORED = 400
_ORDER: Mapping[str, int] = {"exact": 0, "same": 1, "burst": 2}

Score = Callable[[Sequence[Image]], Awaitable[Mapping[int, float]]]


@dataclass(frozen=True, slots=True)
class Member:
    """One image of a group. `distance`: bits of 64 between its hash and the keeper's, of what both show. `metadata` is
    None also where the file has no words of its own: no title, description, keywords, people or rating."""

    image: Image
    distance: int
    facts: Measured | None = None
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


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the images of some clusters, by id; `metadata` of those whose file has words of its own;
    `companions` counts files."""

    images: Mapping[int, Image]
    facts: Mapping[int, Measured]
    metadata: Mapping[int, StoredMetadata]
    companions: Mapping[int, int]


def first_few(formed: Formed, most: int) -> Formed:
    """Some of the clusters, whose groups are those that they will be among all: identical files are left out where the
    copies are that decide whom they keep."""
    copies = [cluster for cluster in formed.clusters if cluster.kind == "same"]
    waiting = {image for cluster in copies[most:] for image in cluster.members}
    exact = [one for one in formed.clusters if one.kind == "exact" and waiting.isdisjoint(one.members)]
    return replace(formed, clusters=[*exact[:most], *copies[:most]])


def known(connection: sa.Connection, formed: Formed) -> Known:
    """What is known of every image of these clusters."""
    ids = sorted({image for cluster in formed.clusters for image in cluster.members})
    facts = measured(connection, ids)
    return Known(
        {image.id: image for image in catalog.page(connection, ids)},
        facts,
        metadata_of(connection, [image for image in ids if image in facts and facts[image].has_words]),
        {image: len(paths) for image, paths in catalog.companions_of(connection, ids).items()},
    )


def frames(formed: Formed, of: Known) -> list[Image]:
    """The images of all bursts: which of these is liked best is a matter of taste; which of several copies is the best,
    hardly ever."""
    bursts = (cluster for cluster in formed.clusters if cluster.kind == "burst")
    return [of.images[one] for cluster in bursts for one in cluster.members]


def dressed(formed: Formed, of: Known, scores: Mapping[int, float]) -> list[Group]:
    """Clusters as groups: their images, what is known of these, and whom to keep; in the order of `in_order`. `scores`:
    image id -> how much it is liked."""

    def candidate(image: Image) -> keeping.Candidate:
        return _candidate(
            image, of.facts.get(image.id), of.metadata.get(image.id), of.companions.get(image.id, 0), scores
        )

    groups: list[Group] = []
    preferred: set[int] = set()
    # Copies first: whom they keep, identical files keep, too.
    for cluster in sorted(formed.clusters, key=lambda one: one.kind == "exact"):
        members = [of.images[image] for image in cluster.members if image in of.images]
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
                        of.facts.get(one.id),
                        of.metadata.get(one.id),
                    )
                    for one in [of.images[best.id], *others]
                ),
                offered=trash.offered(of.metadata.get(best.id), [of.metadata.get(one.id) for one in others]),
            )
        )
    return in_order(groups)


def in_order(groups: Iterable[Group]) -> list[Group]:
    """Identical files first, then copies, then bursts; of each kind by project and by the name of whom to keep."""
    return sorted(groups, key=lambda group: (_ORDER[group.kind], group.project.casefold(), group.members[0].image.name))


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
    facts: Measured | None,
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
        has_camera=bool(facts and facts.has_camera) or image.taken_at_source == "exif:original",
        sharpness=facts.sharpness if facts else None,
        jpeg_quality=facts.jpeg_quality if facts else None,
        quality=facts.quality if facts else None,
        rating=metadata.rating if metadata else None,
        tags=tags,
        companions=companions,
        score=scores.get(image.id),
    )
