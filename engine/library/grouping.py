"""Groups from likenesses: identical files, copies and edits of one picture, frames of one burst.

Pure functions over values; a comparison that is still missing is asked for through `compare`. Likeness is not
transitive, so nothing is chained blindly: the surest pairs are joined first, and two groups become one only when the
anchor of each is the same picture as every member of the other, no two members were shot at different moments, and no
person has said of any two that they are not duplicates.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations, pairwise
from typing import Literal

from engine.library.prints_table import Link

Kind = Literal["exact", "same", "burst"]
KINDS: tuple[Kind, ...] = ("exact", "same", "burst")

# Measured on 2,300 variants of real photographs: copies (recompressed, turned, cropped) correlate by .988 or more once
# they are laid over each other; pictures that differ, by .89 at most.
LEAST_CORRELATION = 0.95
# A difference this large in one place (a share of the contrast) is another subject, however alike the rest.
MOST_IN_ONE_PLACE = 0.9
# Frames of one second by a camera that counts no smaller: only what is the same to the last detail is a copy.
_SURE_CORRELATION, _SURE_IN_ONE_PLACE = 0.997, 0.2
# Here the second hash has nothing to add.
_BEYOND_DOUBT = 0.99
# A clock set to another time zone moves by quarters of an hour, by a day and two hours at most.
_ZONE_STEP, _ZONE_MOST = 900.0, 26 * 3600.0
# Pairs that are compared at once; images joined by links, beyond which most of their pairs are never asked for.
_AT_A_TIME, _THRONG = 4_096, 24
# Beyond this, a group's anchors stand for it.
_ANCHORS = 6
# How like one another consecutive frames of a burst are: after laying them over each other.
BURST_CORRELATION = 0.8


@dataclass(frozen=True, slots=True)
class Picture:
    """What grouping needs to know of an image. `shot_at`: when the camera says it was taken, None where only a name or
    the file does; `is_to_the_second` where the camera counts no smaller."""

    id: int
    content_hash: str
    width: int
    height: int
    shot_at: datetime | None = None
    is_to_the_second: bool = False

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class Cluster:
    """One group, its members by id. `distance` maps each to the bits between its hash and the anchor's."""

    kind: Kind
    members: tuple[int, ...]
    anchor: int


Compare = Callable[[Sequence[tuple[int, int]]], Iterable[Link]]
Pair = tuple[int, int]


def pair(one: int, other: int) -> Pair:
    """Two ids, the smaller first."""
    return (one, other) if one < other else (other, one)


@dataclass
class Evidence:
    """Links by pair, those asked for later included."""

    compare: Compare
    links: dict[Pair, Link | None] = field(default_factory=dict)

    def ask(self, pairs: Iterable[Pair]) -> None:
        """Have these compared, unless they were."""
        asked = {pair(*one) for one in pairs if one[0] != one[1]}
        missing = sorted(one for one in asked if one not in self.links)
        for at in range(0, len(missing), _AT_A_TIME):
            some = missing[at : at + _AT_A_TIME]
            found = {(link.first, link.second): link for link in self.compare(some)}
            self.links.update({one: found.get(one) for one in some})

    def of(self, one: int, other: int) -> Link | None:
        """The likeness of two, None when they are not alike."""
        return self.links.get(pair(one, other))


def is_same(link: Link, one: Picture, other: Picture, distance: int) -> bool:
    """Whether two images show the same picture, by hash, second hash, correlation and, where one was taken, a closer
    look; both hashes of what they have in common. Nothing is claimed where a look was needed and could not be taken."""
    if link.look == "unread":
        return False
    if link.phash > distance or link.correlation < LEAST_CORRELATION or link.worst > MOST_IN_ONE_PLACE:
        return False
    if link.dhash > distance and link.correlation < _BEYOND_DOUBT:
        return False
    if link.is_another_exposure or are_different_shots(one, other):
        return False
    if one.shot_at is not None and one.shot_at == other.shot_at and one.is_to_the_second:
        is_whole = (one.width, one.height) == (other.width, other.height)
        if is_whole:
            return link.correlation >= _SURE_CORRELATION and link.worst <= _SURE_IN_ONE_PLACE
    return True


def are_different_shots(one: Picture, other: Picture) -> bool:
    """Whether the camera says that two were taken at different moments (a shifted time zone is no difference)."""
    if one.shot_at is None or other.shot_at is None or one.shot_at == other.shot_at:
        return False
    gap = abs((one.shot_at - other.shot_at).total_seconds())
    return not (gap <= _ZONE_MOST and gap % _ZONE_STEP == 0)


def exact(pictures: Iterable[Picture], apart: Mapping[int, frozenset[int]]) -> list[Cluster]:
    """Files of identical content."""
    by_content: dict[str, list[Picture]] = defaultdict(list)
    for picture in pictures:
        by_content[picture.content_hash].append(picture)
    found = []
    for twins in by_content.values():
        ids = [twin.id for twin in twins if apart.get(twin.id, frozenset()).isdisjoint(t.id for t in twins)]
        if len(ids) > 1:
            found.append(Cluster("exact", tuple(sorted(ids)), min(ids)))
    return sorted(found, key=lambda cluster: cluster.members)


@dataclass
class _Group:
    members: list[int]
    anchors: list[int]
    shots: list[Picture]


def same(
    pictures: Mapping[int, Picture],
    evidence: Evidence,
    apart: Mapping[int, frozenset[int]],
    distance: int,
) -> list[Cluster]:
    """Copies and edits of one picture: among `pictures`, one for each content."""
    good = [
        link
        for one, link in evidence.links.items()
        if link is not None
        and one[0] in pictures
        and one[1] in pictures
        and is_same(link, pictures[one[0]], pictures[one[1]], distance)
    ]
    good.sort(key=lambda link: (-link.correlation, link.phash, link.first, link.second))
    evidence.ask(_within(good))
    groups: dict[int, _Group] = {}
    for link in good:
        ours, theirs = (
            groups.get(image) or _Group([image], [image], [pictures[image]]) for image in (link.first, link.second)
        )
        if ours is theirs or not _may_join(ours, theirs, pictures, evidence, apart, distance):
            continue
        small, large = sorted((ours, theirs), key=lambda group: len(group.members))
        anchors = sorted({*large.anchors, *small.anchors}, key=lambda image: (-pictures[image].pixels, image))
        joined = _Group([*large.members, *small.members], anchors[:_ANCHORS], _distinct([*large.shots, *small.shots]))
        for image in joined.members:
            groups[image] = joined
    found = {id(group): group for group in groups.values()}
    clusters = [Cluster("same", tuple(sorted(group.members)), group.anchors[0]) for group in found.values()]
    return sorted(clusters, key=lambda cluster: cluster.members)


def _within(links: Sequence[Link]) -> Iterator[Pair]:
    """The pairs of images that are joined by a chain of links: what joining will ask for, one by one, is asked at once.
    Of a throng, only so much as joining really asks for is worth asking."""
    component: dict[int, list[int]] = {}
    for link in links:
        one, other = (component.setdefault(image, [image]) for image in (link.first, link.second))
        if one is not other:
            small, large = sorted((one, other), key=len)
            large.extend(small)
            component.update(dict.fromkeys(small, large))
    for members in {id(one): one for one in component.values()}.values():
        if 2 < len(members) <= _THRONG:
            yield from combinations(sorted(members), 2)


def _distinct(shots: Iterable[Picture]) -> list[Picture]:
    """One picture for each moment; those without a moment say nothing."""
    return list({shot.shot_at: shot for shot in shots if shot.shot_at is not None}.values())


def _may_join(
    ours: _Group,
    theirs: _Group,
    pictures: Mapping[int, Picture],
    evidence: Evidence,
    apart: Mapping[int, frozenset[int]],
    distance: int,
) -> bool:
    if any(are_different_shots(one, other) for one in ours.shots for other in theirs.shots):
        return False
    small, large = sorted((ours.members, theirs.members), key=len)
    if any(not apart.get(image, frozenset()).isdisjoint(large) for image in small):
        return False
    wanted = {pair(anchor, image) for anchor in ours.anchors for image in theirs.members}
    wanted |= {pair(anchor, image) for anchor in theirs.anchors for image in ours.members}
    evidence.ask(wanted)
    for one, other in wanted:
        link = evidence.of(one, other)
        if link is None or not is_same(link, pictures[one], pictures[other], distance):
            return False
    return True


def bursts(
    pictures: Sequence[Picture],
    evidence: Evidence,
    apart: Mapping[int, frozenset[int]],
    seconds: float,
) -> list[Cluster]:
    """Frames shot within `seconds` of the one before and much like it, at different moments; among `pictures`, one for
    each group of copies."""
    timed = [(one.shot_at, one.id, one) for one in pictures if one.shot_at is not None]
    in_time = [one for _, _, one in sorted(timed, key=lambda entry: entry[:2])]
    close = [
        (one, other)
        for one, other in pairwise(in_time)
        if one.shot_at is not None
        and other.shot_at is not None
        and (other.shot_at - one.shot_at).total_seconds() <= seconds
        and _may_be_frames(one, other)
        and other.id not in apart.get(one.id, frozenset())
    ]
    evidence.ask(pair(one.id, other.id) for one, other in close)
    runs: list[list[Picture]] = []
    for one, other in close:
        link = evidence.of(one.id, other.id)
        if link is None or link.correlation < BURST_CORRELATION:
            continue
        if runs and runs[-1][-1].id == one.id:
            runs[-1].append(other)
        else:
            runs.append([one, other])
    return [Cluster("burst", tuple(one.id for one in run), run[0].id) for run in runs]


def _may_be_frames(one: Picture, other: Picture) -> bool:
    """Two moments, or two frames of one second by a camera that counts no smaller; not two files of one moment."""
    if one.shot_at != other.shot_at:
        return True
    return one.is_to_the_second and (one.width, one.height) == (other.width, other.height)
