"""The door to fixes: propose, prove, apply, take back, reject, edit. One attribute of the room's door, `Repair.fixes`.

Relies on the rooms below for what it decides nothing about: groups of errors, change sets, reviews. Every method first
settles what a crash or another process left behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.changes import Changes
from engine.clock import Clock, iso
from engine.errors import UsageError
from engine.repair import ledger
from engine.repair.aftermath import settle
from engine.repair.apply import Applied, Applier
from engine.repair.fix import IN_PLACE, OPEN, Fix, FixState, fix_id, unified
from engine.repair.groups import Group
from engine.repair.guard import why_not_root
from engine.repair.known import as_known, named, since
from engine.repair.logs import Ingested
from engine.repair.merge import Overlap, hunks, some
from engine.repair.outcomes import REJECTED, standing
from engine.repair.outcomes import read as read_outcomes
from engine.repair.patterns.pattern import Pattern
from engine.repair.policy import why_not_auto
from engine.repair.prove import Proof, environment_for, prove, tests_of, why_no_python
from engine.repair.suggest import Suggested, Unmatched, recognised_by, suggest
from engine.repair.trials import Limits
from engine.review import Review, Verdict
from engine.review import Suggestion as Reviewed
from engine.store import Store
from engine.workspace import Workspace

KIND = "fix"
_BY_HAND = "(edited by hand since)"
_MOST_ASKED = 500  # groups named in one question to the database


@dataclass(frozen=True, slots=True)
class Observed:
    """What fixes are made from: reading logs again, and the groups in the store."""

    read_again: Callable[[Sequence[Path]], Awaitable[Ingested]]
    groups: Callable[..., Awaitable[list[Group]]]


class Fixes:
    """Every fix proposed in one workspace."""

    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        review: Review,
        changes: Changes,
        observed: Observed,
        clock: Clock,
        patterns: Mapping[str, Pattern] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._store = store
        self._review = review
        self._changes = changes
        self._observed = observed
        self._clock = clock
        self._patterns = patterns
        self.refused_patterns: Mapping[str, str] = {}  # plugins' that are not used, by entry point, and why
        self._steps = ledger.Steps(workspace.logs / "fixes.jsonl", clock)
        self._limits = limits or Limits()
        self._applier = Applier(store, changes, self._steps, clock, self._limits)

    @property
    def steps_file(self) -> Path:
        """`logs/fixes.jsonl`, every step that was ever made."""
        return self._steps.path

    @property
    def patterns(self) -> Mapping[str, Pattern]:
        """The patterns by id, in the order in which they are asked."""
        if self._patterns is None:
            from engine.repair.patterns.registry import registry

            found = registry()
            self._patterns, self.refused_patterns = found.patterns, found.refused
        return self._patterns

    # -- suggesting -----------------------------------------------------------------------------------------------

    async def suggest(self, root: Path, errors: Sequence[Path] = (), min_count: int | None = None) -> Suggested:
        """Look at what recurs and propose fixes for the project at `root`; with `errors`, at those logs alone.

        Raises UsageError for a folder or a log that cannot be looked at.
        """
        real = await asyncio.to_thread(_real, root)
        if errors:
            ingested = await self._observed.read_again(errors)
            wanted = list(ingested.samples)
            known = {group.id: group for group in await self._groups(wanted, with_samples=False)}
            groups = [replace(known[group], samples=tuple(samples)) for group, samples in ingested.samples.items()]
            groups.sort(key=lambda group: -group.count)
        else:
            groups = await self._groups(None, with_samples=True)
        await self.settle()
        found = await asyncio.to_thread(suggest, real, groups, self.patterns, min_count)
        return await self._keep(real, found, {group.id: group for group in groups})

    async def recognise(self, groups: Sequence[Group]) -> dict[str, str | None]:
        """Group id -> the pattern that knows such errors, or None. The groups must have their samples."""
        patterns = await asyncio.to_thread(lambda: self.patterns)
        return {group.id: recognised_by(group.samples[0], patterns) if group.samples else None for group in groups}

    async def _groups(self, ids: Sequence[str] | None, *, with_samples: bool) -> list[Group]:
        if ids is None or len(ids) > _MOST_ASKED:
            every = await self._observed.groups(None, with_samples=with_samples)
            wanted = None if ids is None else set(ids)
            return [group for group in every if wanted is None or group.id in wanted]
        return await self._observed.groups(ids, with_samples=with_samples)

    async def _keep(self, root: Path, found: Suggested, groups: Mapping[str, Group]) -> Suggested:
        """Write new proposals down; keep what was decided about known ones; say of each group why it has none."""
        at = iso(self._clock())
        new: list[Fix] = []

        def write(connection: sa.Connection) -> Suggested:
            shown: list[Fix] = []
            refused: list[Unmatched] = []
            proposed = [named(connection, fix) for fix in found.fixes]
            there = {fix.id: fix for fix in ledger.get(connection, [fix.id for fix in proposed])}
            for fix in proposed:
                own = as_known(fix, there.get(fix.id))
                if own.state is FixState.REJECTED:
                    reason = f"{own.id} was rejected: {own.details.get('reason') or 'no reason given'}"
                    refused += [Unmatched(groups[group], reason) for group in own.groups if group in groups]
                    continue
                if fix.id not in there:
                    new.append(own)
                shown.append(own)
            ledger.put(connection, shown, at)
            in_place = {
                group: fix for fix in ledger.get(connection, root=root) if fix.state in IN_PLACE for group in fix.groups
            }
            unmatched = [since(one, in_place.get(one.group.id)) for one in found.unmatched]
            outcomes = read_outcomes(connection)
            return Suggested(tuple(ledger.with_confidence(fix, outcomes) for fix in shown), (*refused, *unmatched))

        kept = await self._store.write(write, durable=True)
        self._steps.append("proposed", new)
        return kept

    # -- looking --------------------------------------------------------------------------------------------------

    async def every(self, root: Path | None = None) -> list[Fix]:
        """Every fix, oldest first; of one project with `root`."""
        await self.settle()
        return await self._store.read(lambda connection: ledger.get(connection, root=root))

    async def get(self, id_: str) -> Fix:
        """One fix, by its id or the beginning of it. Raises UsageError for none or several."""
        every = await self._store.read(ledger.get)
        found = [fix for fix in every if fix.id == id_] or [
            fix for fix in every if id_ and fix.id.removeprefix("fix-").startswith(id_.removeprefix("fix-"))
        ]
        if len(found) != 1:
            said = f"there is no fix {id_}" if not found else f"several fixes begin with {id_}"
            raise UsageError(said, remedy="`proofsheet fix suggest --root DIR` names them.")
        return found[0]

    async def settle(self) -> None:
        """Bring states up to date with the change sets' journals and with the errors since."""
        await settle(self._store, self._changes, self._steps, self._observed.groups, self._clock)

    # -- deciding -------------------------------------------------------------------------------------------------

    async def prove(self, id_: str, tests: str | None = None) -> Proof:
        """Try a fix on a copy. Raises UsageError, and ProofsheetError when it cannot be tried."""
        await self.settle()
        fix = await self.get(id_)
        if fix.state in IN_PLACE:
            raise UsageError(
                f"{fix.id} is applied already", remedy=f"Take it back first: proofsheet fix rollback {fix.id}"
            )
        extra = environment_for([fix.pattern])
        command = await asyncio.to_thread(tests_of, fix.root, tests)
        proof = await asyncio.to_thread(prove, fix.root, fix.edits, command, extra=extra, limits=self._limits)
        state = {"proven": FixState.PROVEN, "refuted": FixState.REFUTED}.get(proof.verdict, FixState.PROPOSED)
        self._steps.append(proof.verdict, [fix], reason=proof.reason)
        await self._save(replace(fix, state=state, proof=proof.document()))
        return proof

    async def apply(
        self,
        ids: Sequence[str] = (),
        *,
        auto_approve: bool = False,
        dry_run: bool = False,
        tests: str | None = None,
        include_uncommitted: bool = False,
        root: Path | None = None,
    ) -> Applied:
        """Apply fixes that a person named, as one change set; or, with `auto_approve`, those that need no person.

        Without ids and without `auto_approve` nothing is applied. With both, of the ids only those that need no person.
        Raises ProofsheetError when the tests cannot be run.
        """
        await self.settle()
        chosen, refused = await self._chosen(ids, root, auto_approve)
        if not chosen or (refused and ids):
            reasons = dict(refused)
            waits = tuple((fix.id, f"nothing was applied, because of {', '.join(reasons)}") for fix in chosen)
            return Applied(refused=(*refused, *waits))
        by = "policy" if auto_approve else "person"
        if ids:
            return await self._apply(chosen, tests, dry_run, include_uncommitted, by)
        answer = Applied(refused=refused)
        for fix in chosen:  # nobody chose them together: one that fails must not hold up the others
            answer = answer.and_(await self._apply([fix], tests, dry_run, include_uncommitted, by))
        return answer

    async def _chosen(
        self, ids: Sequence[str], root: Path | None, auto: bool
    ) -> tuple[list[Fix], tuple[tuple[str, str], ...]]:
        refused: list[tuple[str, str]] = []
        if not ids:
            real = None if root is None else await asyncio.to_thread(_real, root)
            every = await self.every(real) if auto else []
            return [fix for fix in every if fix.auto_eligible and fix.state in OPEN], ()
        chosen: list[Fix] = []
        outcomes = await self._store.read(read_outcomes) if auto else []
        for id_ in dict.fromkeys(ids):
            try:
                fix = await self.get(id_)
            except UsageError as error:
                refused.append((id_, error.message))
                continue
            own = standing(outcomes, fix.pattern, fix.operator, fix.context)
            reason = why_not_auto(fix.applicability, own) if auto and fix.state not in IN_PLACE else None
            if reason:
                refused.append((fix.id, reason))
            elif fix.state is FixState.EDITED:
                refused.append((fix.id, "an edited fix took its place"))
            else:
                chosen.append(fix)
        return chosen, tuple(refused)

    async def _apply(
        self, fixes: Sequence[Fix], tests: str | None, dry_run: bool, include_uncommitted: bool, by: str
    ) -> Applied:
        done = await self._applier.apply(fixes, tests, dry_run=dry_run, include_uncommitted=include_uncommitted, by=by)
        if by == "person":
            for fix in fixes:
                if fix.id in done.applied:
                    verdict = Verdict.MODIFIED if fix.details.get("made_from") else Verdict.APPROVED
                    await self._decide(fix, verdict, {"change_set": done.change_sets[-1]})
        return done

    async def rollback(self, id_: str) -> Applied:
        """Take an applied fix back, and with it those applied together with it; refused when a file changed since.

        Raises UsageError for an unknown id.
        """
        await self.settle()
        fix = await self.get(id_)
        if fix.state is FixState.ROLLED_BACK:
            return Applied(unchanged=(fix.id,))
        if fix.state not in IN_PLACE:
            return Applied(refused=((fix.id, f"it is not applied: it is {fix.state.value}"),))
        done = await self._applier.rollback(fix)
        for one in done.rolled_back:
            await self._decide(await self.get(one), Verdict.WITHDRAWN, {})
        return done

    async def reject(self, id_: str, reason: str = "") -> Fix:
        """Remember that a person does not want this fix, and why. Raises UsageError for one that is applied."""
        await self.settle()
        fix = await self.get(id_)
        if fix.state in IN_PLACE:
            raise UsageError(f"{fix.id} is applied", remedy=f"Take it back first: proofsheet fix rollback {fix.id}")
        rejected = replace(fix, state=FixState.REJECTED, details={**fix.details, "reason": reason})
        self._steps.append("rejected", [fix], reason=reason)
        await self._save(rejected, kept=False, detail=f"{REJECTED}: {reason}")
        await self._decide(fix, Verdict.REJECTED, {"reason": reason})
        return rejected

    async def reopen(self, id_: str) -> Fix:
        """Take a rejection back."""
        fix = await self.get(id_)
        if fix.state is not FixState.REJECTED:
            raise UsageError(f"{fix.id} is not rejected: it is {fix.state.value}")
        details = {key: value for key, value in fix.details.items() if key != "reason"}
        opened = replace(fix, state=FixState.PROPOSED, details=details)
        self._steps.append("reopened", [fix])
        at = iso(self._clock())

        def write(connection: sa.Connection) -> None:
            ledger.put(connection, [opened], at)
            ledger.forget(connection, fix, "kept")

        await self._store.write(write, durable=True)
        await self._decide(fix, Verdict.WITHDRAWN, {})
        return opened

    async def edit(self, id_: str, contents: Mapping[str, bytes]) -> Fix:
        """A fix made from another by hand, which it replaces: the files' bytes as they shall be, by path.

        Raises UsageError when it changes nothing, does not compile, or names a file that the fix does not change.
        """
        fix = await self.get(id_)
        edits = tuple(replace(edit, after=contents.get(edit.path, edit.after)) for edit in fix.edits)
        edits = tuple(edit for edit in edits if edit.after != edit.before)
        unknown = set(contents) - {edit.path for edit in fix.edits}
        problem = f"it does not change {sorted(unknown)[0]}" if unknown else why_no_python(edits)
        if fix.state in IN_PLACE:
            problem = "it is applied already"
        if problem or not edits:
            raise UsageError(f"{fix.id} was not edited: {problem or 'nothing would change'}")
        made = replace(
            fix,
            id=fix_id(fix.pattern, edits),
            applicability="review",
            operator=fix.operator if fix.operator.endswith("+hand") else f"{fix.operator}+hand",
            edits=edits,
            diff=unified(edits),
            state=FixState.PROPOSED,
            proof=None,
            change_set=None,
            why=fix.why if fix.why.endswith(_BY_HAND) else f"{fix.why} {_BY_HAND}",
            details={"made_from": fix.id},
        )
        if made.id == fix.id:
            return fix
        self._steps.append("edited", [made], made_from=fix.id)
        await self._save(made, replace(fix, state=FixState.EDITED))
        return made

    async def keep_hunks(self, id_: str, chosen: Mapping[str, Collection[int]]) -> Fix:
        """A fix with only some hunks of another: by path, their numbers from 0. Raises UsageError as `edit` does."""
        fix = await self.get(id_)
        try:
            contents = {
                edit.path: some(edit.before or b"", edit.after, chosen.get(edit.path, ())) for edit in fix.edits
            }
        except Overlap as error:
            raise UsageError(f"{fix.id}: {error}") from error
        if all(len(chosen.get(edit.path, ())) == len(hunks(edit.before or b"", edit.after)) for edit in fix.edits):
            return fix
        return await self.edit(id_, contents)

    # -- keeping --------------------------------------------------------------------------------------------------

    async def _save(self, *fixes: Fix, kept: bool | None = None, detail: str = "") -> None:
        at = iso(self._clock())

        def write(connection: sa.Connection) -> None:
            ledger.put(connection, fixes, at)
            if kept is not None:
                for fix in fixes:
                    ledger.note(connection, fix, "kept", kept, at, detail)

        await self._store.write(write, durable=True)

    async def _decide(self, fix: Fix, verdict: Verdict, value: Mapping[str, Any]) -> None:
        """Record a person's word on a fix, with what was suggested."""
        shown = Reviewed(
            KIND,
            fix.id,
            {"pattern": fix.pattern, "file": fix.file, "diff": fix.diff},
            f"{fix.pattern}/{fix.operator}",
            confidence=fix.confidence,
            reasons=(fix.why,),
        )
        await self._review.decide(KIND, fix.id, verdict, value, suggestion=shown)


def _real(root: Path) -> Path:
    real = root.expanduser().resolve()
    reason = why_not_root(real)
    if reason:
        raise UsageError(reason, remedy="Name the folder of a project of yours: --root DIR")
    return real
