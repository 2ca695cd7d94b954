"""The search for images that look alike: candidates by hash, each confirmed on the small prints, kept as links.

Relies on `hamming` for candidates, on `likeness` for the proof, on the store for both ends. Incremental: only images
whose neighbours are not known yet are searched for, among all of their project. Two projects never meet. Never opens a
file: who searches may hand in a closer look.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from engine.library import prints, prints_table
from engine.library.hamming import Near, Pairs, between, near
from engine.library.likeness import likeness
from engine.library.prints_table import Link, Shelf
from engine.store import Store

# Grey levels. Below this a picture is blank, and its hash is the noise of its decoder: thousands of unrelated dark
# frames would be one picture.
LEAST_CONTRAST = 4.0
# A crop moves the hash further than any recompression does; it is looked for this much beyond the distance, and must
# come within the distance once the two are laid over each other.
_BEYOND = 0.6
# What is kept: less alike than this is neither a copy nor a frame of a burst.
LEAST_CORRELATION = 0.75
_AT_A_TIME = 4_096
# In a throng (frames of one scene, by the thousand) an image is compared with so many of its nearest.
_NEAREST = 32
# Equal hashes: up to so many are compared each with each, beyond that each with the first.
_CLIQUE = 40


def reach(distance: int) -> int:
    """How far apart hashes may be, bits, for two pictures to be looked at when `distance` is asked for."""
    return distance + math.ceil(_BEYOND * distance)


@dataclass(frozen=True, slots=True)
class Alike:
    """A likeness by prints alone. `position`: how the first is turned to lie as the second does; `place` (4,) and
    `unmoved`: see `engine.library.likeness`."""

    link: Link
    position: int
    place: NDArray[np.float32]
    unmoved: float


LookCloser = Callable[[Sequence[Alike]], Sequence[Link]]


def _by_prints_alone(alike: Sequence[Alike]) -> list[Link]:
    return [one.link for one in alike]


def search(
    store: Store,
    project_id: int,
    distance: int,
    check: Callable[[], None] = lambda: None,
    look_closer: LookCloser = _by_prints_alone,
) -> int:
    """Find and keep the links of a project's images whose neighbours are not known within `distance`; how many.

    `look_closer` is shown what the prints find alike, a portion at a time, and says what is kept of it. The images of
    pairs that it could not read are searched for again the next time.
    """
    with store.reading() as connection:
        shelf = prints_table.shelf(connection, project_id, LEAST_CONTRAST, distance)
    fresh = np.flatnonzero(~shelf.is_known)
    if not len(fresh):
        return 0
    found = 0
    unread: set[int] = set()
    for pairs in _portions(candidates(shelf, distance, check)):
        check()
        ids = [(int(a), int(b)) for a, b in shelf.ids[pairs].tolist()]
        with store.reading() as connection:
            alike = _alike(connection, ids, reach(distance))
        links = look_closer(alike) if alike else []
        if links:
            with store.writing() as connection:
                prints_table.write_links(connection, links)
        found += len(links)
        unread.update(image for link in links if link.look == "unread" for image in (link.first, link.second))
    known = [image for image in shelf.ids[fresh].tolist() if image not in unread]
    with store.writing() as connection:
        prints_table.mark_searched(connection, known, distance)
    return found


def candidates(shelf: Shelf, distance: int, check: Callable[[], None]) -> NDArray[np.int64]:
    """Places in the shelf that are worth comparing, (m, 2) int64, each pair once, the smaller place first."""
    upright = _searched(shelf.phash, shelf.is_known, reach(distance), check)
    owners = _searched(shelf.turned, shelf.is_known[shelf.owner], distance, check)
    every = np.concatenate([upright, shelf.owner[owners]]) if len(owners) else upright
    every = every[every[:, 0] != every[:, 1]]
    return np.unique(np.sort(every, axis=1), axis=0)


def _searched(
    hashes: NDArray[np.uint64], is_known: NDArray[np.bool_], radius: int, check: Callable[[], None]
) -> NDArray[np.int64]:
    fresh, known = np.flatnonzero(~is_known), np.flatnonzero(is_known)
    own = _expanded(near(hashes[fresh], radius, nearest=_NEAREST, check=check))
    parts = [fresh[own]]
    if len(known):
        crossing: Pairs = between(hashes[fresh], hashes[known], radius, check=check)
        parts.append(np.stack([fresh[crossing.first], known[crossing.second]], axis=1))
    return np.concatenate(parts)


def _expanded(found: Near) -> NDArray[np.int64]:
    """From pairs of distinct hashes to pairs of images; where many share a hash, each is paired with the first."""
    order = np.argsort(found.of, kind="stable")
    starts = np.concatenate([[0], np.cumsum(found.count)])
    single = (found.count[found.pairs.first] == 1) & (found.count[found.pairs.second] == 1)
    plain = np.stack([order[starts[found.pairs.first[single]]], order[starts[found.pairs.second[single]]]], axis=1)
    parts = [plain.astype(np.int64)]
    for a, b in zip(found.pairs.first[~single].tolist(), found.pairs.second[~single].tolist(), strict=True):
        ours, theirs = order[starts[a] : starts[a + 1]], order[starts[b] : starts[b + 1]]
        if len(ours) * len(theirs) > _CLIQUE**2:
            parts.append(np.stack([np.repeat(ours[0], len(theirs)), theirs], axis=1))
            parts.append(np.stack([ours, np.repeat(theirs[0], len(ours))], axis=1))
        else:
            parts.append(np.stack([np.repeat(ours, len(theirs)), np.tile(theirs, len(ours))], axis=1))
    for value in np.flatnonzero(found.count > 1):
        members = order[starts[value] : starts[value + 1]]
        if len(members) > _CLIQUE:
            parts.append(np.stack([np.repeat(members[0], len(members) - 1), members[1:]], axis=1))
        else:
            i, j = np.triu_indices(len(members), 1)
            parts.append(np.stack([members[i], members[j]], axis=1))
    return np.concatenate(parts)


def _portions(pairs: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for at in range(0, len(pairs), _AT_A_TIME):
        yield pairs[at : at + _AT_A_TIME]


def compared(connection: sa.Connection, pairs: Sequence[tuple[int, int]]) -> list[Link]:
    """The links of pairs of image ids that look alike in some position, by their prints alone; pairs that do not are
    left out."""
    return _by_prints_alone(_alike(connection, pairs, 64))


def _alike(connection: sa.Connection, pairs: Sequence[tuple[int, int]], within: int) -> list[Alike]:
    """Those of the pairs that look alike; left out are those whose hashes are further apart than `within` bits in every
    position."""
    held = prints_table.lumas(connection, [image for pair in pairs for image in pair])
    wanted = sorted({(min(pair), max(pair)) for pair in pairs if pair[0] in held and pair[1] in held})
    if not wanted:
        return []
    one = np.stack([held[first] for first, _ in wanted])
    other = np.stack([held[second] for _, second in wanted])
    low = prints.frequencies(one)
    target = prints.hash_of(prints.frequencies(other))
    bits = np.stack(
        [np.bitwise_count(prints.hash_of(prints.in_position(low, p)) ^ target) for p in range(len(prints.POSITIONS))]
    )
    position = bits.argmin(axis=0)
    apart = bits.min(axis=0)
    close = np.flatnonzero(apart <= within)
    if not len(close):
        return []
    turned = np.stack([prints.turned_luma(one[at], int(position[at])) for at in close])
    found = likeness(turned, other[close])
    return [
        Alike(
            Link(
                *wanted[at],
                distance=int(apart[at]),
                phash=int(found.phash[place]),
                dhash=int(found.dhash[place]),
                correlation=round(float(found.correlation[place]), 5),
                worst=round(float(found.worst[place]), 4),
            ),
            int(position[at]),
            found.place[place],
            float(found.unmoved[place]),
        )
        for place, at in enumerate(close.tolist())
        if found.correlation[place] >= LEAST_CORRELATION
    ]
