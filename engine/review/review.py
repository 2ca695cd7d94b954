"""The review room's door: suggestions are replaced until decided, decisions are appended for good.

Relies on the store. A decision is on the disk before `decide` returns; an undo is another decision, so
nothing approved is ever lost; `suggestions.jsonl` is written from the database after each commit and can
be rebuilt from it. Never changes what a decision is about: that is a change set's work.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from engine.clock import Clock, iso, utc_now
from engine.errors import ProofsheetError
from engine.review.log import SuggestionLog
from engine.review.model import Agreement, Decision, NewDecision, Suggestion, Verdict
from engine.store import Store, upsert
from engine.store.schema import decisions, projects, suggestions
from engine.workspace import Workspace


class Review:
    """Suggestions and decisions of every kind, for one actor."""

    def __init__(self, workspace: Workspace, store: Store, actor: str, *, clock: Clock = utc_now) -> None:
        self._store = store
        self._actor = actor
        self._clock = clock
        self._log = SuggestionLog(workspace.suggestion_logs / "suggestions.jsonl")

    async def suggest(self, proposed: Sequence[Suggestion]) -> list[Suggestion]:
        """Record suggestions and return them with their ids.

        One of the same (kind, subject, model) is brought up to date, and an undecided one of an older model makes
        way; a suggestion that was decided on stays as it was seen.
        """
        return await self._store.write(lambda connection: self._suggest(connection, proposed))

    async def decide(
        self,
        kind: str,
        subject: str,
        verdict: Verdict,
        value: Mapping[str, Any] | None = None,
        *,
        project: str | None = None,
        suggestion: Suggestion | None = None,
        blind: bool = False,
        group_id: str | None = None,
        also: Callable[[sa.Connection, Decision], None] | None = None,
    ) -> Decision:
        """Record one verdict; it is on the disk when this returns. `also` is done in the same transaction."""
        new = NewDecision(kind, subject, verdict, value or {}, project, suggestion, blind)

        def record(connection: sa.Connection) -> list[Decision]:
            made = self._append(connection, new, group_id)
            if also is not None:
                also(connection, made)
            return [made]

        return (await self._record(record))[0]

    async def decide_many(self, new: Sequence[NewDecision], *, unless_decided: bool = False) -> list[Decision]:
        """Record several verdicts as one group: one transaction, one undo.

        `unless_decided` passes over subjects that have a verdict in force by the time it is written, anybody's.
        """
        group_id = uuid.uuid4().hex

        def record(connection: sa.Connection) -> list[Decision]:
            left = [
                one for one in new if not unless_decided or _newest(connection, one.kind, one.subject, None) is None
            ]
            return [self._append(connection, one, group_id) for one in left]

        return await self._record(record)

    async def suggested(self, kind: str, subject: str) -> Suggestion | None:
        """The newest suggestion recorded for a subject, or None. One that was decided on counts too: that verdict may
        have been taken back, or come from another process while this one was looking at the same suggestion."""
        query = (
            sa.select(suggestions, projects.c.name.label("project"))
            .select_from(suggestions.outerjoin(projects))
            .where(suggestions.c.kind == kind, suggestions.c.subject == subject)
            .order_by(suggestions.c.created_at.desc(), suggestions.c.id.desc())
            .limit(1)
        )
        row = await self._store.read(lambda connection: connection.execute(query).one_or_none())
        if row is None:
            return None
        return Suggestion(
            row.kind, row.subject, row.proposal, row.model, row.project, row.confidence, tuple(row.reasons), row.id
        )

    async def undo(self, *kinds: str, also: Callable[[sa.Connection, Decision], None] | None = None) -> list[Decision]:
        """Take back the newest decision of these kinds that is not yet taken back (with its whole group).

        Returns the decisions that say so, each naming in `undoes` what it took back; empty when nothing is left.
        `also` is done for each in the same transaction, with what is taken back; when it raises, nothing is.
        """

        def take_back(connection: sa.Connection) -> list[Decision]:
            made = self._undo(connection, kinds)
            if also is not None:
                for one in made:
                    also(connection, _decision(connection.execute(_SELECT.where(decisions.c.id == one.undoes)).one()))
            return made

        made = await self._store.write(take_back, durable=True)
        await self._log.append(made)
        return made

    async def in_force(self, kind: str, subject: str) -> Decision | None:
        """The verdict in force on a subject, or None. Each person's decisions supersede their own; of several
        people's, the newest that was not taken back counts."""

        def find(connection: sa.Connection) -> Decision | None:
            return _newest(connection, kind, subject, None)

        return await self._store.read(find)

    async def standing(self, kind: str, project: str | None = None, *, actor: str | None = None) -> list[Decision]:
        """Every verdict in force of this kind, oldest first; of one project and one actor when named."""
        return await self._store.read(lambda connection: standing_decisions(connection, kind, project, actor))

    async def decision(self, decision_id: int) -> Decision:
        """One recorded decision. Raises ProofsheetError when there is none."""

        def find(connection: sa.Connection) -> Decision | None:
            row = connection.execute(_SELECT.where(decisions.c.id == decision_id)).one_or_none()
            return _decision(row) if row else None

        found = await self._store.read(find)
        if found is None:
            raise ProofsheetError(f"no decision {decision_id}")
        return found

    async def before(self, made: Decision) -> Decision | None:
        """The verdict that stood on the subject when this one was given: the one it supersedes, or somebody else's."""
        newer = decisions.alias("newer")
        others = (decisions.c.actor != made.actor) & ~sa.exists().where(newer.c.supersedes == decisions.c.id)
        query = _SELECT.where(
            decisions.c.kind == made.kind,
            decisions.c.subject == made.subject,
            decisions.c.id < made.id,
            decisions.c.verdict != Verdict.WITHDRAWN,
            (decisions.c.id == made.supersedes) | others,
        )

        def find(connection: sa.Connection) -> Decision | None:
            row = connection.execute(query.order_by(decisions.c.id.desc()).limit(1)).one_or_none()
            return _decision(row) if row else None

        return await self._store.read(find)

    async def agreement(self, kind: str, last: int = 10) -> Agreement:
        """Over the last picks made with a suggestion in view: how many took it."""

        def count(connection: sa.Connection) -> Agreement:
            newer = decisions.alias("newer")
            rows = connection.execute(
                sa.select(decisions.c.verdict)
                .where(
                    decisions.c.kind == kind,
                    decisions.c.actor == self._actor,
                    decisions.c.suggestion_id.is_not(None),
                    decisions.c.group_id.is_(None),  # approved together means unseen: that says nothing of agreement
                    decisions.c.blind.is_(False),
                    decisions.c.verdict.in_([Verdict.APPROVED, Verdict.MODIFIED, Verdict.REJECTED]),
                    ~sa.exists().where(newer.c.supersedes == decisions.c.id),
                )
                .order_by(decisions.c.id.desc())
                .limit(last)
            ).scalars()
            verdicts = list(rows)
            return Agreement(sum(v == Verdict.APPROVED for v in verdicts), len(verdicts))

        return await self._store.read(count)

    async def catch_up_log(self) -> int:
        """Append to `suggestions.jsonl` what a crash or a full disk kept out of it; the number of lines."""
        last = await asyncio.to_thread(self._log.last_id)
        query = _SELECT.where(decisions.c.id > last).order_by(decisions.c.id)
        missing = await self._store.read(lambda connection: [_decision(row) for row in connection.execute(query)])
        await self._log.append(missing)
        return len(missing)

    async def rebuild_log(self) -> int:
        """Write `suggestions.jsonl` anew from the database; the number of lines."""
        every = await self._store.read(
            lambda connection: [_decision(row) for row in connection.execute(_SELECT.order_by(decisions.c.id))]
        )
        await self._log.rewrite(every)
        return len(every)

    async def _record(self, record: Callable[[sa.Connection], list[Decision]]) -> list[Decision]:
        made = await self._store.write(record, durable=True)
        await self._log.append(made)
        return made

    def _append(self, connection: sa.Connection, new: NewDecision, group_id: str | None) -> Decision:
        suggestion = new.suggestion
        if suggestion is not None and suggestion.id is None:
            suggestion = self._suggest(connection, [suggestion])[0]
        before = _newest(connection, new.kind, new.subject, self._actor)
        return _insert(
            connection,
            kind=new.kind,
            subject=new.subject,
            project_id=project_id(connection, new.project) if new.project is not None else None,
            suggestion_id=suggestion.id if suggestion else None,
            verdict=new.verdict,
            value=dict(new.value),
            actor=self._actor,
            decided_at=iso(self._clock()),
            supersedes=before.id if before else None,
            undoes=None,
            group_id=group_id,
            blind=new.blind,
        )

    def _undo(self, connection: sa.Connection, kinds: Sequence[str]) -> list[Decision]:
        undone = decisions.alias("undone")
        candidates = (
            _SELECT.where(
                decisions.c.kind.in_(kinds),
                decisions.c.actor == self._actor,
                decisions.c.undoes.is_(None),
                ~sa.exists().where(undone.c.undoes == decisions.c.id),
            )
            .order_by(decisions.c.id.desc())
            .limit(1)
        )
        row = connection.execute(candidates).one_or_none()
        if row is None:
            return []
        targets = [_decision(row)]
        if targets[0].group_id is not None:
            together = _SELECT.where(decisions.c.group_id == targets[0].group_id, decisions.c.undoes.is_(None))
            targets = [_decision(row) for row in connection.execute(together.order_by(decisions.c.id.desc()))]
        return [self._take_back(connection, target) for target in targets]

    def _take_back(self, connection: sa.Connection, target: Decision) -> Decision:
        current = _newest(connection, target.kind, target.subject, self._actor)
        if current is None:
            raise ProofsheetError(f"decision {target.id} cannot be undone: it is not the last word of {self._actor}")
        before = None
        if target.supersedes is not None:
            before = _decision(connection.execute(_SELECT.where(decisions.c.id == target.supersedes)).one())
        return _insert(
            connection,
            kind=target.kind,
            subject=target.subject,
            project_id=project_id(connection, target.project) if target.project is not None else None,
            suggestion_id=before.suggestion_id if before else None,
            verdict=before.verdict if before else Verdict.WITHDRAWN,
            value=dict(before.value) if before else {},
            actor=self._actor,
            decided_at=iso(self._clock()),
            supersedes=current.id,
            undoes=target.id,
            group_id=target.group_id,
            blind=before.blind if before else False,
        )

    def _suggest(self, connection: sa.Connection, proposed: Sequence[Suggestion]) -> list[Suggestion]:
        decided = sa.exists().where(decisions.c.suggestion_id == suggestions.c.id)
        recorded: list[Suggestion] = []
        for one in proposed:
            same = (suggestions.c.kind == one.kind) & (suggestions.c.subject == one.subject)
            connection.execute(sa.delete(suggestions).where(same, suggestions.c.model != one.model, ~decided))
            known = connection.execute(
                sa.select(suggestions.c.id, decided.label("decided")).where(same, suggestions.c.model == one.model)
            ).one_or_none()
            if known is None or not known.decided:
                row = {
                    "kind": one.kind,
                    "subject": one.subject,
                    "project_id": project_id(connection, one.project) if one.project is not None else None,
                    "proposal": dict(one.proposal),
                    "confidence": one.confidence,
                    "model": one.model,
                    "reasons": list(one.reasons),
                    "created_at": iso(self._clock()),
                }
                changing = ("proposal", "confidence", "reasons", "created_at")
                upsert(connection, suggestions, [row], key=("kind", "subject", "model"), update=changing)
            found = connection.execute(
                sa.select(suggestions.c.id).where(same, suggestions.c.model == one.model)
            ).scalar_one()
            recorded.append(replace(one, id=found))
        return recorded


def standing_decisions(
    connection: sa.Connection, kind: str, project: str | None = None, actor: str | None = None
) -> list[Decision]:
    """Every verdict in force of a kind, oldest first, for rooms that are already inside a transaction."""
    newer = decisions.alias("newer")
    query = _SELECT.where(
        decisions.c.kind == kind,
        decisions.c.verdict != Verdict.WITHDRAWN,
        ~sa.exists().where(newer.c.supersedes == decisions.c.id),
    )
    if project is not None:
        query = query.where(projects.c.key == project.casefold())
    if actor is not None:
        query = query.where(decisions.c.actor == actor)
    return [_decision(row) for row in connection.execute(query.order_by(decisions.c.id))]


def project_id(connection: sa.Connection, name: str) -> int:
    """The row id of a project by its id as a person writes it. Raises ProofsheetError when it is unknown."""
    found = connection.execute(sa.select(projects.c.id).where(projects.c.key == name.casefold())).scalar()
    if found is None:
        raise ProofsheetError(f"no project '{name}' in this workspace", remedy="`proofsheet inventory` lists them.")
    return int(found)


_SELECT = sa.select(decisions, projects.c.name.label("project")).select_from(decisions.outerjoin(projects))


def _newest(connection: sa.Connection, kind: str, subject: str, actor: str | None) -> Decision | None:
    """The newest decision on a subject that is not superseded: of one actor, also when it is a withdrawal; of anybody
    (None), only what counts."""
    newer = decisions.alias("newer")
    query = _SELECT.where(
        decisions.c.kind == kind,
        decisions.c.subject == subject,
        decisions.c.verdict != Verdict.WITHDRAWN if actor is None else decisions.c.actor == actor,
        ~sa.exists().where(newer.c.supersedes == decisions.c.id),
    )
    row = connection.execute(query.order_by(decisions.c.id.desc()).limit(1)).one_or_none()
    return _decision(row) if row else None


def _insert(connection: sa.Connection, **values: Any) -> Decision:
    made = connection.execute(sa.insert(decisions).values(**values).returning(decisions.c.id)).scalar_one()
    return _decision(connection.execute(_SELECT.where(decisions.c.id == made)).one())


def _decision(row: Any) -> Decision:
    return Decision(
        id=row.id,
        kind=row.kind,
        subject=row.subject,
        project=row.project,
        verdict=Verdict(row.verdict),
        value=row.value,
        actor=row.actor,
        decided_at=row.decided_at,
        supersedes=row.supersedes,
        undoes=row.undoes,
        group_id=row.group_id,
        blind=row.blind,
        suggestion_id=row.suggestion_id,
    )
