"""Behind the duplicates' door: prints of what has none, the search, the groups of each project, and rows that move.

Relies on the store, the decoder and `neighbours`. Everything here runs in a worker thread.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from engine.clock import Clock, iso
from engine.errors import UsageError
from engine.library import grouping, neighbours, prints_table
from engine.library.apart import decode
from engine.library.batch import folder_of
from engine.library.grouping import Cluster, Evidence
from engine.library.hamming import near
from engine.library.looking import Looking
from engine.library.prints import Prints, prints
from engine.library.prints_table import Link
from engine.library.shots import near_in_time, pictures_of
from engine.library.source import UnreadableImage, printable
from engine.logs.errors import ErrorLog, ErrorRecord, refusal
from engine.review import Decision, Verdict
from engine.runs import RunContext
from engine.store import Store
from engine.store.schema import decisions, images, projects, scan_folders

# Beyond this a hash says nothing any more: half of all bits of two strangers are equal.
MOST = 20
_BOX = (128, 128)
_BATCH = 256
_CHUNK = 500


# -- the run ----------------------------------------------------------------------------------------------------------


def work(run: RunContext, store: Store, max_pixels: int, errors: ErrorLog) -> dict[str, Any]:
    """The run: a print for every image without one, then the neighbours of every image that was not searched for."""
    project = run.params.get("project")
    distance = int(run.params["distance"])
    printed = _print_missing(run, store, project, max_pixels, errors)
    links = 0
    look = Looking(run, store, max_pixels, distance, errors)
    with store.reading() as connection:
        wanted = projects_of(connection, project)
    for number, (project_id, name) in enumerate(wanted):
        run.progress(number, len(wanted), f"comparing {name}")
        links += neighbours.search(store, project_id, distance, run.check, look)
    return {"printed": printed, "links": links, "looked": look.looked, "projects": len(wanted)}


def _print_missing(run: RunContext, store: Store, project: str | None, max_pixels: int, errors: ErrorLog) -> int:
    def one(row: tuple[int, str, str]) -> tuple[int, str, str, Prints | UnreadableImage]:
        image, path, content_hash = row
        try:
            small = decode(path, _BOX, max_pixels).convert("L")
        except UnreadableImage as problem:
            return image, path, content_hash, problem
        return image, path, content_hash, prints(np.asarray(small, dtype=np.uint8))

    printed = after = 0
    while True:
        with store.reading() as connection:
            rows = prints_table.unprinted(connection, project, after, _BATCH)
        if not rows:
            return printed
        after = rows[-1][0]
        made: list[tuple[int, str, Prints]] = []
        refused: list[ErrorRecord] = []
        for image, path, content_hash, found in run.map(one, rows):
            if isinstance(found, UnreadableImage):
                run.refuse(path, found.reason, found.code)
                refused.append(refusal(printable(path), found.code, found.reason, operation="compare", run=run.id))
            else:
                made.append((image, content_hash, found))
        errors.append(refused)
        run.handled(len(rows), failed=len(refused))
        with store.writing() as connection:
            prints_table.write_prints(connection, made)
        printed += len(made)
        run.progress(printed, None, "looking at pictures")


def projects_of(connection: sa.Connection, project: str | None) -> list[tuple[int, str]]:
    """Projects with images, (row id, name). Raises UsageError for one that is not there."""
    some = sa.exists().where(images.c.project_id == projects.c.id, images.c.removed_at.is_(None))
    query = sa.select(projects.c.id, projects.c.name).where(some).order_by(projects.c.key)
    if project is not None:
        query = query.where(projects.c.key == project.casefold())
    found = [(row.id, row.name) for row in connection.execute(query)]
    if project is not None and not found:
        raise UsageError(f"there is no project '{project}' with images", remedy="`proofsheet inventory` lists them.")
    return found


# -- the groups -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Formed:
    """The groups of one project, and the likenesses they rest on."""

    clusters: list[Cluster] = field(default_factory=list)
    images: int = 0
    pairs_within: int = 0
    links: Mapping[tuple[int, int], Link | None] = field(default_factory=dict)
    first: Mapping[int, int] = field(default_factory=dict)  # an image -> the first of identical content

    def distance(self, cluster: Cluster, keeper: int, member: int) -> int:
        """Bits between the hashes of two members: of what both show for copies, as they are for a burst."""
        one, other = self.first.get(keeper, keeper), self.first.get(member, member)
        if one == other:
            return 0
        link = self.links.get(grouping.pair(one, other))
        if link is None:
            return 0 if cluster.kind == "exact" else MOST
        return link.distance if cluster.kind == "burst" else link.phash


def form(
    store: Store,
    project_id: int,
    distance: int,
    burst_seconds: float,
    apart: Mapping[int, frozenset[int]],
    *,
    is_counted: bool = True,
) -> Formed:
    """The groups of one project (by row id), by what is known now.

    Every pair of hashes is looked at only to count them (`is_counted`): groups rest on the links that are stored.
    """
    with store.reading() as connection:
        count, twins = _twins(connection, project_id)
        links = list(prints_table.links(connection, project_id))
        timed = near_in_time(connection, project_id, burst_seconds)
        wanted = {image for group in twins for image in group} | set(timed)
        wanted |= {image for link in links for image in (link.first, link.second)}
        pictures = pictures_of(connection, sorted(wanted))
    pairs_within = sum(len(group) * (len(group) - 1) // 2 for group in twins)
    if is_counted:
        pairs_within += _pairs_within(store, project_id, distance)
    first = {image: group[0] for group in twins for image in group}
    twin = {group[0]: group for group in twins}

    def compare(pairs: Sequence[tuple[int, int]]) -> Iterable[Link]:
        with store.reading() as connection:
            return neighbours.compared(connection, pairs)

    evidence = Evidence(compare, {(link.first, link.second): link for link in links})
    alone = {image: picture for image, picture in pictures.items() if first.get(image, image) == image}
    clusters = grouping.exact(pictures.values(), apart)
    same = grouping.same(alone, evidence, apart, distance)
    clusters += [_with_twins(cluster, twin, apart) for cluster in same]
    copied = {image: cluster.anchor for cluster in same for image in cluster.members}
    frames = [picture for image, picture in alone.items() if copied.get(image, image) == image]
    clusters += grouping.bursts(frames, evidence, apart, burst_seconds)
    _complete(evidence, clusters, first)
    return Formed(clusters, count, pairs_within, evidence.links, first)


def _pairs_within(store: Store, project_id: int, distance: int) -> int:
    """How many pairs of other content have hashes within the distance."""
    with store.reading() as connection:
        shelf = prints_table.shelf(connection, project_id, neighbours.LEAST_CONTRAST, distance)
    return near(shelf.phash, distance).pairs_within if len(shelf.ids) else 0


def _complete(evidence: Evidence, clusters: Sequence[Cluster], first: Mapping[int, int]) -> None:
    """Compare what a keeper will be measured against: any member may become the keeper."""
    each = [
        {first.get(image, image) for image in cluster.members}
        for cluster in clusters
        if cluster.kind != "exact" and len(cluster.members) <= _BATCH
    ]
    evidence.ask(one for members in each for one in combinations(sorted(members), 2))


def _with_twins(cluster: Cluster, twin: Mapping[int, Sequence[int]], apart: Mapping[int, frozenset[int]]) -> Cluster:
    """A group of copies with the identical files of its members."""
    members = list(cluster.members)
    for image in cluster.members:
        for other in twin.get(image, ())[1:]:
            if apart.get(other, frozenset()).isdisjoint(members):
                members.append(other)
    return Cluster(cluster.kind, tuple(sorted(members)), cluster.anchor)


def _twins(connection: sa.Connection, project_id: int) -> tuple[int, list[list[int]]]:
    """How many images a project has, and the ids of those of identical content, each group ascending."""
    here = (images.c.project_id == project_id, images.c.removed_at.is_(None))
    count = connection.execute(sa.select(sa.func.count()).select_from(images).where(*here)).scalar_one()
    several = sa.select(images.c.content_hash).where(*here).group_by(images.c.content_hash).having(sa.func.count() > 1)
    query = sa.select(images.c.content_hash, images.c.id).where(*here, images.c.content_hash.in_(several))
    found: dict[str, list[int]] = defaultdict(list)
    for content_hash, image in connection.execute(query.order_by(images.c.id)):
        found[content_hash].append(image)
    return count, list(found.values())


# -- rows that go and come back ---------------------------------------------------------------------------------------


def gone(connection: sa.Connection, moved: Mapping[str, int], clock: Clock) -> None:
    """Images (path -> id) lie in the trash now: the library has them no more."""
    _mark(connection, list(moved.values()), iso(clock()))
    prints_table.hand_over(connection, list(moved.values()))
    _forget_folders(connection, moved)


def back(connection: sa.Connection, paths: Sequence[str]) -> int:
    """Images at these paths are there again; how many of them the library knows."""
    ids: list[int] = []
    for at in range(0, len(paths), _CHUNK):
        query = sa.select(images.c.id).where(images.c.path.in_(paths[at : at + _CHUNK]))
        ids.extend(connection.execute(query).scalars())
    _mark(connection, ids, None)
    _forget_folders(connection, paths)
    return len(ids)


def come_back(connection: sa.Connection, standing: Sequence[Decision]) -> int:
    """Bring rows up to date whose files came back by another way, as when a change set was rolled back by its id."""
    ids = {
        int(image)
        for decision in standing
        if decision.verdict in (Verdict.APPROVED, Verdict.MODIFIED)
        for image in decision.value.get("members", ())
    }
    returned = [path for path in _missing(connection, sorted(ids)) if Path(path).is_file()]
    return back(connection, returned) if returned else 0


def _missing(connection: sa.Connection, image_ids: Sequence[int]) -> list[str]:
    found: list[str] = []
    for at in range(0, len(image_ids), _CHUNK):
        query = sa.select(images.c.path).where(
            images.c.id.in_(image_ids[at : at + _CHUNK]), images.c.removed_at.is_not(None)
        )
        found.extend(connection.execute(query).scalars())
    return found


def _mark(connection: sa.Connection, image_ids: Sequence[int], removed_at: str | None) -> None:
    for at in range(0, len(image_ids), _CHUNK):
        some = images.c.id.in_(image_ids[at : at + _CHUNK])
        connection.execute(sa.update(images).where(some).values(removed_at=removed_at))


def _forget_folders(connection: sa.Connection, paths: Iterable[str]) -> None:
    """Their listing is another now: the next scan compares these folders file by file."""
    folders = sorted({folder_of(path) for path in paths})
    for at in range(0, len(folders), _CHUNK):
        connection.execute(sa.delete(scan_folders).where(scan_folders.c.path.in_(folders[at : at + _CHUNK])))


def last_decided(connection: sa.Connection, kind: str, actor: str) -> dict[str, Any] | None:
    """What the newest decision that is not taken back says; what an undo would take back."""
    undone = decisions.alias("undone")
    query = (
        sa.select(decisions.c.value)
        .where(
            decisions.c.kind == kind,
            decisions.c.actor == actor,
            decisions.c.undoes.is_(None),
            ~sa.exists().where(undone.c.undoes == decisions.c.id),
        )
        .order_by(decisions.c.id.desc())
        .limit(1)
    )
    found = connection.execute(query).scalar()
    return dict(found) if found is not None else None
