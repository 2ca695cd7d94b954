"""Applying fixes and taking them back: through one change set, validated in place, with every step on record.

Relies on `engine.changes` for the files (backups, journal, atomic replacement, recovery), on `compose` for what is to
be written, on `trials` for the tests. Several fixes are one change set: all of them, or none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.changes import Changes, ChangeSet, ChangesRefused, Create, Edit, RefusalCode
from engine.clock import Clock, iso
from engine.errors import ProofsheetError
from engine.repair import ledger, trials
from engine.repair.aftermath import count_runs
from engine.repair.compose import compose
from engine.repair.fix import IN_PLACE, Fix, FixState
from engine.repair.patterns.pattern import FileEdit
from engine.repair.prove import Proof, Tests, environment_for, judged, prove, tests_of, too_late, why_no_python
from engine.repair.trials import Limits, Trial, newly_failing
from engine.store import Store


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply or a rollback did; every fix that was asked for is in one of the lists.

    `refused` is (fix id, why); `unchanged` were so already; `proof` is of a dry run, or of the validation in place.
    """

    applied: tuple[str, ...] = ()
    rolled_back: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    unchanged: tuple[str, ...] = ()
    change_sets: tuple[str, ...] = ()
    proof: Mapping[str, Any] | None = None

    def document(self) -> dict[str, Any]:
        """The JSON form of the contract, and more."""
        return {
            "applied": list(self.applied),
            "rolled_back": list(self.rolled_back),
            "refused": [{"id": fix, "reason": reason} for fix, reason in self.refused],
            "unchanged": list(self.unchanged),
            "change_sets": list(self.change_sets),
            "proof": dict(self.proof) if self.proof else None,
        }

    def and_(self, other: Applied) -> Applied:
        """Both together."""
        return Applied(
            self.applied + other.applied,
            self.rolled_back + other.rolled_back,
            self.refused + other.refused,
            self.unchanged + other.unchanged,
            self.change_sets + other.change_sets,
            other.proof or self.proof,
        )


class NewlyFailing(Exception):
    """The validation in place: these tests failed twice, and did not before."""

    def __init__(self, names: Sequence[str], before: Trial, after: Trial) -> None:
        super().__init__(f"newly failing: {', '.join(names[:3])}{' ...' if len(names) > 3 else ''}")
        self.names = tuple(names)
        self.before = before
        self.after = after


@dataclass
class _Validation:
    """Called by the change set when everything is in place."""

    root: Path
    command: Sequence[str]
    extra: Mapping[str, str]
    limits: Limits
    before: Trial
    after: Trial | None = field(default=None)

    def __call__(self) -> None:
        self.after = trials.run(self.command, self.root, extra=self.extra, limits=self.limits)
        new = newly_failing(self.before, self.after)
        if new:
            again = trials.run(self.command, self.root, extra=self.extra, limits=self.limits)
            new = tuple(sorted(set(new) & set(newly_failing(self.before, again))))
            if new:
                raise NewlyFailing(new, self.before, self.after)
            self.after = again


@dataclass(frozen=True)
class Applier:
    """What applying needs: the store, the change sets, the record of steps, the time."""

    store: Store
    changes: Changes
    steps: ledger.Steps
    clock: Clock
    limits: Limits

    async def apply(
        self,
        fixes: Sequence[Fix],
        tests_words: str | None,
        *,
        dry_run: bool = False,
        include_uncommitted: bool = False,
        by: str = "person",
    ) -> Applied:
        """Apply these fixes of one project as one change set. Raises ProofsheetError when the tests cannot be run."""
        root = fixes[0].root
        known = await self._known(root)
        composed = await asyncio.to_thread(compose, root, fixes, known, include_uncommitted=include_uncommitted)
        refused = dict(composed.refused)
        for fix in fixes:
            if fix.root != root:
                refused[fix.id] = f"it is of another project ({fix.root}); apply it by itself"
            elif fix.applicability == "display-only":
                refused[fix.id] = "it is shown only: what it depends on must be looked at by a person"
        problem = why_no_python(composed.edits)
        left = [fix for fix in fixes if fix.id not in composed.done]
        if problem:
            refused.update({fix.id: problem for fix in left if fix.id not in refused})
        if refused:
            return Applied(refused=_all_refused(left, refused), unchanged=tuple(composed.done))
        if not left or not composed.edits:
            return Applied(unchanged=tuple(fix.id for fix in fixes))
        tests = await asyncio.to_thread(tests_of, root, tests_words)
        extra = environment_for([fix.pattern for fix in left])
        done = tuple(composed.done)
        if dry_run or tests.command is None:
            proof = await asyncio.to_thread(prove, root, composed.edits, tests, extra=extra, limits=self.limits)
            await self._prove_note(left, proof)
            if dry_run or proof.verdict == "refuted":
                reasons = {fix.id: proof.reason for fix in left} if proof.verdict == "refuted" else {}
                return Applied(refused=_all_refused(left, reasons), unchanged=done, proof=proof.document())
            outcome = await self._carry_out(left, composed.edits, None, by, proof.document())
        else:
            before = await asyncio.to_thread(trials.run, tests.command, root, extra=extra, limits=self.limits)
            if before.is_late:
                return Applied(refused=_all_refused(left, {fix.id: too_late(before) for fix in left}), unchanged=done)
            validation = _Validation(root, tests.command, extra, self.limits, before)
            outcome = await self._carry_out(left, composed.edits, validation, by, None)
            if outcome.rolled_back and len(left) > 1:
                alone = await self._alone(left, tests, extra, known, include_uncommitted)
                outcome = replace(outcome, refused=alone or outcome.refused)
        return replace(outcome, unchanged=done)

    async def rollback(self, fix: Fix) -> Applied:
        """Take the fix's change set back, and with it the fixes applied together with it."""
        every = await self.store.read(ledger.get)
        together = [one for one in every if one.change_set == fix.change_set and one.state in IN_PLACE]
        self.steps.append("rolling-back", together, change_set=fix.change_set)
        await self._save([replace(one, state=FixState.ROLLING_BACK) for one in together])
        try:
            await self.changes.rollback(fix.change_set or "")
        except ProofsheetError as error:
            await self._save(together)
            reason = "; ".join(map(str, error.refusals)) if isinstance(error, ChangesRefused) else error.message
            self.steps.append("rollback-refused", together, reason=reason)
            return Applied(refused=tuple((one.id, reason) for one in together))
        self.steps.append("rolled-back", together, by="person", change_set=fix.change_set)
        await self._save([replace(one, state=FixState.ROLLED_BACK) for one in together], taken_back=True)
        return Applied(rolled_back=tuple(one.id for one in together), change_sets=(fix.change_set or "",))

    async def _carry_out(
        self,
        fixes: Sequence[Fix],
        edits: Sequence[FileEdit],
        validation: _Validation | None,
        by: str,
        proof: Mapping[str, Any] | None,
    ) -> Applied:
        root = fixes[0].root
        try:
            change_set = await self._plan(root, fixes, edits)
        except ChangesRefused as error:
            return Applied(refused=_by_file(fixes, root, error))
        runs_before = await self.store.read(count_runs)
        self.steps.append("applying", fixes, change_set=change_set.id, by=by)
        await self._save([replace(fix, state=FixState.APPLYING, change_set=change_set.id) for fix in fixes])
        try:
            await self.changes.apply(change_set.id, validation)
        except ProofsheetError as error:
            return await self._failed(fixes, error, change_set.id)
        if validation is not None and validation.after is not None:
            verdict, reason = judged(validation.before, validation.after, ())
            proof = _told(Proof(True, validation.before, validation.after, (), verdict, reason, "in place"))
        applied_at = iso(self.clock())
        now = [
            replace(
                fix,
                state=FixState.APPLIED,
                change_set=change_set.id,
                proof=proof,
                details={**fix.details, "applied_at": applied_at, "runs_before": runs_before, "by": by},
            )
            for fix in fixes
        ]
        self.steps.append("applied", now, change_set=change_set.id, by=by)
        await self._save(now, tests=True if validation is not None else None)
        ids = tuple(fix.id for fix in fixes)
        return Applied(applied=ids, change_sets=(change_set.id,), proof=proof)

    async def _plan(self, root: Path, fixes: Sequence[Fix], edits: Sequence[FileEdit]) -> ChangeSet:
        patterns = ", ".join(dict.fromkeys(fix.pattern for fix in fixes))
        files = ", ".join(dict.fromkeys(edit.path for edit in edits))
        operations = [
            Create(root / edit.path, edit.after) if edit.before is None else Edit(root / edit.path, edit.after)
            for edit in edits
        ]
        change_set = await self.changes.plan(operations, f"fix {patterns} in {files}"[:200], [root], kind="fix")
        expected = {root / edit.path: edit.before for edit in edits}
        for step in change_set.operations:
            before = expected.get(step.path)
            if before is not None and (step.before is None or step.before.sha256 != _sha256(before)):
                raise ChangesRefused.one(RefusalCode.CHANGED, step.path, "has changed just now")
        return change_set

    async def _failed(self, fixes: Sequence[Fix], error: ProofsheetError, change_set: str) -> Applied:
        cause = error.__cause__
        if isinstance(cause, NewlyFailing):
            told = Proof(True, cause.before, cause.after, cause.names, "refuted", str(cause), "in place")
            self.steps.append("rolled-back", fixes, by="validation", reason=str(cause), change_set=change_set)
            now = [replace(fix, state=FixState.REFUTED, change_set=change_set, proof=_told(told)) for fix in fixes]
            await self._save(now, tests=False)
            ids = tuple(fix.id for fix in fixes)
            return Applied(rolled_back=ids, refused=tuple((id_, str(cause)) for id_ in ids), proof=_told(told))
        reason = "; ".join(map(str, error.refusals)) if isinstance(error, ChangesRefused) else error.message
        self.steps.append("not-applied", fixes, reason=reason, change_set=change_set)
        await self._save(fixes)
        return Applied(refused=tuple((fix.id, reason) for fix in fixes))

    async def _alone(
        self,
        fixes: Sequence[Fix],
        tests: Tests,
        extra: Mapping[str, str],
        known: frozenset[str],
        include_uncommitted: bool,
    ) -> tuple[tuple[str, str], ...]:
        """Which of them breaks something by itself, tried one by one on a copy; empty when none does."""
        found: list[tuple[str, str]] = []
        for fix in fixes:
            own = await asyncio.to_thread(compose, fix.root, [fix], known, include_uncommitted=include_uncommitted)
            proof = await asyncio.to_thread(prove, fix.root, own.edits, tests, extra=extra, limits=self.limits)
            if proof.verdict == "refuted":
                found.append((fix.id, f"alone it breaks something: {proof.reason}"))
            else:
                await self._save([replace(fix, state=FixState.PROPOSED)])
        return tuple(found)

    async def _prove_note(self, fixes: Sequence[Fix], proof: Proof) -> None:
        if len(fixes) != 1:
            return  # what several do together says nothing about one of them
        state = {"proven": FixState.PROVEN, "refuted": FixState.REFUTED}.get(proof.verdict, FixState.PROPOSED)
        self.steps.append(proof.verdict, fixes, reason=proof.reason)
        await self._save([replace(fixes[0], state=state, proof=_told(proof))])

    async def _known(self, root: Path) -> frozenset[str]:
        """Digests of the project's files as our own fixes left them."""
        digests: set[str] = set()
        for fix in await self.store.read(lambda connection: ledger.get(connection, root=root)):
            if fix.state in IN_PLACE and fix.change_set:
                try:
                    change_set = await self.changes.get(fix.change_set)
                except ProofsheetError:  # pruned: then that content is a person's like any other
                    continue
                digests |= {step.after for step in change_set.operations if step.after}
        return frozenset(digests)

    async def _save(self, fixes: Sequence[Fix], *, tests: bool | None = None, taken_back: bool = False) -> None:
        at = iso(self.clock())

        def write(connection: sa.Connection) -> None:
            ledger.put(connection, fixes, at)
            for fix in fixes:
                if tests is not None:
                    ledger.note(connection, fix, "tests", tests, at)
                if taken_back:
                    ledger.note_taken_back(connection, fix, at, "taken back")

        await self.store.write(write, durable=True)


def _told(proof: Proof) -> dict[str, Any]:
    return proof.document()


def _all_refused(fixes: Sequence[Fix], reasons: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Each fix with its own reason, or with that it waits for the others."""
    if not reasons:
        return ()
    others = ", ".join(reasons)
    return tuple((fix.id, reasons.get(fix.id) or f"nothing was applied, because of {others}") for fix in fixes)


def _by_file(fixes: Sequence[Fix], root: Path, error: ChangesRefused) -> tuple[tuple[str, str], ...]:
    reasons: dict[str, str] = {}
    for fix in fixes:
        own = {root / edit.path for edit in fix.edits}
        said = [str(refusal) for refusal in error.refusals if refusal.path in own]
        if said:
            reasons[fix.id] = "; ".join(said)
    return _all_refused(fixes, reasons or {fixes[0].id: error.message})


def _sha256(content: bytes) -> str:
    return sha256(content).hexdigest()
