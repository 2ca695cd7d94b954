"""The door to duplicates: find groups, keep one of each, move the others to the trash, take it back.

Relies on prints and links (`neighbours`), on `grouping` and `keeper` for what is a group and whom to keep, on review
for verdicts and on changes for every file that moves. A project's images are compared with that project's alone.
Nothing is ever deleted.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.changes import Changes, ChangeSet, State
from engine.clock import Clock, utc_now
from engine.errors import UsageError
from engine.library import groups_table, trash
from engine.library.duplicate_groups import (
    MOST_SCORED,
    Found,
    Group,
    Member,
    Score,
    dressed,
    first_few,
    frames,
    group_id,
    in_order,
    known,
    with_keeper,
)
from engine.library.library import Library
from engine.library.model import Image
from engine.logs.errors import ErrorLog
from engine.review import Decision, NewDecision, Review, Suggestion, Verdict
from engine.runs import Run, RunContext, Runs
from engine.runs.lanes import collector_at_rest
from engine.settings import Settings
from engine.store import Store
from engine.store.schema import scan_roots

KIND = "duplicates"
MODEL = "prints-2"
# Groups of each kind that are told of before all of the first project's are ready: enough to begin with.
_FIRST = 200
_MANY = 5_000  # groups that are not walked over by the collector of cycles once they are there


@dataclass(frozen=True, slots=True)
class Settled:
    """What an approval did, or, for a dry run, would do: `change_set` holds the moves."""

    change_set: ChangeSet
    groups: tuple[str, ...]
    moved: tuple[Path, ...]
    kept: tuple[Path, ...]
    preview: str
    is_applied: bool


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back: the groups, their projects, and how many files came back from the trash."""

    groups: tuple[str, ...]
    restored: int
    verdict: Verdict
    projects: tuple[str, ...] = ()


class Duplicates:
    """Duplicate groups of one workspace, for the person that the settings name. `score`, where the hallway sets it,
    tells how much each image is liked, higher is better; images that it leaves out have no score."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        runs: Runs,
        review: Review,
        changes: Changes,
        library: Library,
        errors: ErrorLog,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._settings = settings
        self._store = store
        self._runs = runs
        self._review = review
        self._changes = changes
        self._library = library
        self._errors = errors
        self._clock = clock
        self.score: Score | None = None
        runs.register(KIND, self._work, lane="cpu")

    # -- finding ------------------------------------------------------------------------------------------------------

    async def search(self, project: str | None = None, distance: int | None = None) -> Run:
        """Begin to look for what is alike among images that were not looked at yet; groups then come at once."""
        from engine.library import duplicate_search as searching

        params = {"project": project, "distance": self._distance(distance)}
        await self._store.read(partial(searching.projects_of, project=project))
        return await self._runs.start(KIND, params, project=project)

    async def find(self, project: str | None = None, distance: int | None = None, *, is_counted: bool = True) -> Found:
        """Study and search what is new, wait for both, and return every group, as `groups` does."""

        begun = time.monotonic()
        await self.look(project, distance)
        found = await self.groups(project, distance, is_counted=is_counted)
        return replace(found, seconds=round(time.monotonic() - begun, 3))

    async def look(self, project: str | None = None, distance: int | None = None) -> bool:
        """Study and search what is new, and wait for both; whether anything came of it, so that `groups` may find
        others than before."""
        from engine.library import duplicate_search as searching

        self._distance(distance)
        await self._store.read(partial(searching.projects_of, project=project))
        is_studied = await self._library.unstudied(project) > 0
        if is_studied:
            await self._library.ensure_studied(project)
        done = await self._runs.finished((await self.search(project, distance)).id)
        result = done.result or {}
        return is_studied or any(result.get(what) for what in ("printed", "links"))

    async def groups(
        self, project: str | None = None, distance: int | None = None, *, is_counted: bool = True
    ) -> Found:
        """The groups as far as is known by now, without looking at any file. Without `is_counted`, which takes seconds
        in a large library, `pairs_within` is None. Raises UsageError for a project that is not there, or a distance out
        of range."""
        found = [one async for one in self.portions(project, distance, is_counted=is_counted)]
        return found[-1]

    async def portions(
        self, project: str | None = None, distance: int | None = None, *, is_counted: bool = False
    ) -> AsyncIterator[Found]:
        """The same as `groups`, told again after each project with what was found until then, and once before with a
        few groups of the first: these can be looked at while the others are formed."""
        from engine.library import duplicate_search as searching

        begun = time.monotonic()
        within = self._distance(distance)
        standing = await self._review.standing(KIND)
        await self._store.write(partial(searching.come_back, standing=standing))
        apart = _apart(standing)
        found = Found((), 0, 0 if is_counted else None, 0.0, within)
        unscored = MOST_SCORED
        projects = await self._store.read(partial(searching.projects_of, project=project))
        with collector_at_rest(lambda: project is None and len(found.groups) > _MANY):
            for project_id, _name in projects:
                formed = await asyncio.to_thread(
                    searching.form, self._store, project_id, within, self._settings.burst_seconds, apart,
                    is_counted=is_counted,
                )  # fmt: skip
                if len(formed.clusters) > _FIRST and not found.groups:
                    few = await asyncio.to_thread(first_few, formed, _FIRST)
                    of = await self._store.read(partial(known, formed=few))
                    soon = await asyncio.to_thread(dressed, few, of, {})
                    yield replace(found, groups=tuple(soon), images=formed.images)
                of = await self._store.read(partial(known, formed=formed))
                asked = await asyncio.to_thread(frames, formed, of) if self.score is not None else []
                scores: Mapping[int, float] = {}
                if self.score is not None and 0 < len(asked) <= unscored:
                    unscored -= len(asked)
                    scores = await self.score(asked)
                groups = await asyncio.to_thread(dressed, formed, of, scores)
                named = await asyncio.to_thread(_named, groups)
                await self._store.write(partial(groups_table.keep, projects={project_id: named}, distance=within))
                every = await asyncio.to_thread(in_order, (*found.groups, *groups)) if found.groups else groups
                pairs = found.pairs_within + formed.pairs_within if found.pairs_within is not None else None
                seconds = round(time.monotonic() - begun, 3)
                found = Found(tuple(every), found.images + formed.images, pairs, seconds, within)
                yield found
        if not projects:
            yield found

    def conditions(self) -> dict[str, sa.ColumnElement[bool]]:
        """What a query may ask of duplicates, as conditions on `images`; nothing where nobody has looked for any."""
        with self._store.reading() as connection:
            condition = groups_table.has_twin(connection)
        return {} if condition is None else {"dup": condition}

    def others(self, connection: sa.Connection, image_ids: Sequence[int]) -> dict[int, int]:
        """Image id -> how many other images present are the same file or picture; see `groups_table.others`."""
        return groups_table.others(connection, image_ids)

    def _distance(self, distance: int | None) -> int:
        from engine.library import duplicate_search as searching

        within = self._settings.duplicate_distance if distance is None else distance
        if not 0 <= within <= searching.MOST:
            raise UsageError(
                f"a distance is 0 to {searching.MOST} bits of 64, not {within}",
                remedy="10 is the default; different pictures begin at about 16.",
            )
        return within

    def _work(self, run: RunContext) -> dict[str, Any]:
        from engine.library import duplicate_search as searching

        return searching.work(run, self._store, self._settings.max_pixels, self._errors)

    # -- verdicts -----------------------------------------------------------------------------------------------------

    async def approve(
        self,
        groups: Sequence[Group],
        keeper: int | None = None,
        *,
        merge: bool = False,
        dry_run: bool = False,
    ) -> Settled:
        """Keep one of each group and move the others to the trash, as one change set; one undo takes it all back.

        `keeper` replaces the suggested one, for a single group. With `merge` the others' metadata goes into a sidecar
        of the keeper's, where it has none. Raises UsageError, ChangesRefused (nothing was moved), and ProofsheetError.
        """
        if not groups:
            raise UsageError("no group to approve", remedy="`proofsheet duplicates` lists them.")
        if keeper is not None:
            groups = [_with_keeper(groups, keeper)]
        moved, kept = _losers(groups)
        planned = await self._plan(groups, moved, kept, merge)
        done = planned
        if not dry_run:
            from engine.library import duplicate_search as searching

            done = await self._changes.apply(planned.id)
            await self._store.write(partial(searching.gone, moved={str(one.path): one.id for one in moved.values()},
                                            clock=self._clock))  # fmt: skip
            await self._decide(groups, done.id)
        preview = await asyncio.to_thread(self._changes.preview, planned) if dry_run else ""
        return Settled(
            done,
            tuple(group.id for group in groups),
            tuple(one.path for one in moved.values()),
            tuple(one.path for one in kept.values()),
            preview,
            not dry_run,
        )

    async def _plan(
        self, groups: Sequence[Group], moved: Mapping[int, Image], kept: Mapping[int, Image], merge: bool
    ) -> ChangeSet:
        companions = await self._library.companions([*moved, *kept])
        roots = await self._store.read(
            lambda c: [Path(path) for path in c.execute(sa.select(scan_roots.c.path)).scalars()]
        )
        trash_id = f"{self._clock():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:4]}"
        beside = {image.path: companions.get(image.id, []) for image in moved.values()}

        def make() -> trash.Removal:
            plan = trash.removal(
                [one.path for one in moved.values()], [one.path for one in kept.values()], roots, beside, trash_id
            )
            if merge:
                for group in groups:
                    image = kept[group.keeper]
                    if group.offered:
                        own = group.members[0].metadata
                        operation = trash.merge_into(
                            image.path, group.offered, own.keywords if own else (), companions.get(image.id, [])
                        )
                        if operation is not None:
                            plan.operations.append(operation)
                            plan.roots.append(image.path.parent)
            return plan

        plan = await asyncio.to_thread(make)
        count = len(moved)
        title = f"{count} duplicate{'s' if count != 1 else ''} to the trash"
        return await self._changes.plan(plan.operations, title, plan.roots, plan.companions, kind=KIND)

    async def _decide(self, groups: Sequence[Group], change_set: str) -> list[Decision]:
        suggested = await self._review.suggest([_suggestion(group) for group in groups])
        return await self._review.decide_many(
            [
                NewDecision(
                    KIND,
                    group.id,
                    Verdict.APPROVED if group.keeper == group.members[0].image.id else Verdict.MODIFIED,
                    {"keeper": group.keeper, "members": list(group.image_ids), "change_set": change_set},
                    group.project,
                    suggestion,
                )
                for group, suggestion in zip(groups, suggested, strict=True)
            ]
        )

    async def reject(self, group: Group) -> Decision:
        """These are no duplicates: remembered of every two of them, so that they are never grouped again."""
        (suggestion,) = await self._review.suggest([_suggestion(group)])
        value = {"members": list(group.image_ids)}
        await self._store.write(partial(groups_table.forget, group_ids=[group.id]))
        return await self._review.decide(
            KIND, group.id, Verdict.REJECTED, value, project=group.project, suggestion=suggestion
        )

    async def undo(self) -> Undone | None:
        """Take the last verdict back, and bring its files back from the trash; None when nothing is left.

        Raises ChangesRefused, with nothing undone, when files have changed since.
        """
        from engine.library import duplicate_search as searching

        last = await self._store.read(partial(searching.last_decided, kind=KIND, actor=self._settings.actor))
        restored = 0
        if last is not None and "change_set" in last:
            change_set = await self._changes.get(str(last["change_set"]))
            if change_set.state is State.APPLIED:
                change_set = await self._changes.rollback(change_set.id)
            paths = [str(step.source) for step in change_set.operations if step.source is not None]
            restored = await self._store.write(partial(searching.back, paths=paths))
        taken = await self._review.undo(KIND)
        if not taken:
            return None
        before = await self._review.decision(taken[0].undoes or 0)
        projects = tuple(sorted({one.project for one in taken if one.project is not None}))
        return Undone(tuple(one.subject for one in taken), restored, before.verdict, projects)


def _with_keeper(groups: Sequence[Group], keeper: int) -> Group:
    if len(groups) != 1:
        raise UsageError("another keeper is named for one group at a time")
    changed = with_keeper(groups[0], keeper)
    by_id = {member.image.id: member.metadata for member in changed.members}
    others = [metadata for image, metadata in by_id.items() if image != keeper]
    return replace(changed, offered=trash.offered(by_id[keeper], others))


def _losers(groups: Sequence[Group]) -> tuple[dict[int, Image], dict[int, Image]]:
    """Who goes and who stays. Raises UsageError where one group would trash what another keeps."""
    moved: dict[int, Image] = {}
    kept: dict[int, Image] = {}
    for group in groups:
        if group.keeper in moved:
            raise UsageError(
                f"{moved[group.keeper].path} is kept by one group and moved by another",
                remedy="Approve them one after the other.",
            )
        for member in group.members:
            if member.image.id == group.keeper:
                kept[member.image.id] = member.image
            else:
                moved[member.image.id] = member.image
    for image in moved:
        kept.pop(image, None)
    return moved, kept


def _suggestion(group: Group) -> Suggestion:
    first = group.members[0].image.id
    proposal = {"keeper": first, "members": list(group.image_ids), "kind": group.kind}
    return Suggestion(KIND, group.id, proposal, MODEL, group.project, None, tuple(group.reason.split(" · ")))


def _named(groups: Sequence[Group]) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(group.id, group.kind, group.image_ids) for group in groups]


def _apart(standing: Sequence[Decision]) -> dict[int, frozenset[int]]:
    """Image id -> those that a person said it is no duplicate of."""
    found: dict[int, set[int]] = defaultdict(set)
    for decision in standing:
        if decision.verdict is Verdict.REJECTED:
            members = [int(image) for image in decision.value.get("members", ())]
            for image in members:
                found[image].update(other for other in members if other != image)
    return {image: frozenset(others) for image, others in found.items()}


__all__ = ["Duplicates", "Found", "Group", "Member", "Settled", "Undone", "group_id", "with_keeper"]
