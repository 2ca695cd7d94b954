"""The experiments' door: variants, assignment, sessions and feedback, what they tell, and where new users go.

Relies on the store for what happened, on review for what is suggested, on runs for retraining. Whatever blocks is done
off the event loop. What a caller is told to be recorded is on the disk.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from engine.changes import Changes
from engine.clock import Clock, iso, utc_now
from engine.errors import UsageError
from engine.experiments import assignment, catalogue, sessions, variants
from engine.experiments.assignment import Replayed
from engine.experiments.commit import Bulk, GroupCommit
from engine.experiments.learning_door import LearningDoor
from engine.experiments.model import (
    KIND_DRAFT,
    KIND_WEIGHTS,
    RETRAIN,
    Assignment,
    Epoch,
    FeedbackReceipt,
    Metric,
    NewFeedback,
    NewSession,
    Session,
    SessionDetail,
    SessionUpdate,
    StartedSession,
    Variant,
    VariantEvent,
)
from engine.experiments.template import read_template
from engine.review import Decision, Review, Suggestion, Verdict
from engine.runs import Runs
from engine.settings import Settings
from engine.store import Store
from engine.workspace import Workspace

if TYPE_CHECKING:
    from engine.experiments.importing import SessionImport
    from engine.experiments.quality import Quality
    from engine.experiments.report import Analysis

T = TypeVar("T")


class Experiments(LearningDoor):
    """Every variant, session and rating of one workspace."""

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        store: Store,
        runs: Runs,
        review: Review,
        changes: Changes,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._workspace = workspace
        self._settings = settings
        self._store = store
        self._runs = runs
        self._review = review
        self._changes = changes
        self._clock = clock
        self._commit = GroupCommit(store)
        self._is_ready = False
        self._start: Bulk[tuple[NewSession, str], StartedSession] = Bulk(
            lambda connection, items: sessions.start(connection, items, self._clock())
        )
        self._update: Bulk[SessionUpdate, str] = Bulk(
            lambda connection, items: sessions.update(connection, items, self._clock())
        )
        self._give: Bulk[NewFeedback, FeedbackReceipt] = Bulk(
            lambda connection, items: sessions.give(connection, items, self._clock())
        )
        runs.register(RETRAIN, self._retrain, lane="cpu")

    # -- variants -----------------------------------------------------------------------------------------------------

    async def variants(self) -> list[Variant]:
        """Every variant in the order they were added, with its share of new users now (0 when paused)."""
        return await self._read(catalogue.all_variants)

    async def variant(self, variant_id: str) -> Variant:
        """One variant. Raises UsageError for an unknown id."""
        return await self._read(lambda connection: catalogue.variant(connection, variant_id))

    async def events(self, variant_id: str | None = None) -> list[VariantEvent]:
        """Who did what to the variants, when and why; newest first."""
        return await self._read(lambda connection: catalogue.events(connection, variant_id))

    async def epochs(self) -> list[Epoch]:
        """Every stretch of time with the same arms and weights, oldest first; the last is in force."""
        return await self._read(catalogue.all_epochs)

    async def add_variant_file(
        self, file: Path, *, variant_id: str | None = None, title: str = "", weight: float | None = None, why: str = ""
    ) -> Variant:
        """Add the prompt that a UTF-8 text file holds; its id is the file's name unless given.

        Raises UsageError for a file that cannot be read and a bad id, TemplateRefused naming the line.
        """
        try:
            data = await asyncio.to_thread(file.read_bytes)
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}") from error
        template = read_template(data, str(file))
        return await self.add_variant(
            variant_id or file.stem,
            template,
            title=title,
            weight=weight,
            why=why or f"from {file.name}",
            place=str(file),
        )

    async def add_variant(
        self,
        variant_id: str,
        template: str,
        *,
        title: str = "",
        weight: float | None = None,
        why: str,
        source: str = "file",
        parent: str | None = None,
        place: str = "the template",
    ) -> Variant:
        """Add a version of the prompt; a new epoch begins. See `variants.add` for what is refused."""
        return await self._write(
            lambda connection: variants.add(
                connection,
                variant_id,
                template,
                title=title,
                weight=weight,
                source=source,
                parent=parent,
                actor=self._settings.actor,
                why=why,
                metric=self._settings.experiment_metric,
                now=iso(self._clock()),
                place=place,
            )
        )

    async def pause(self, variant_id: str, why: str = "paused by hand") -> Variant:
        """Give a variant no more users; its users move to the others. Raises UsageError for the last one that runs."""
        return await self._set_active(variant_id, False, why)

    async def resume(self, variant_id: str, why: str = "resumed by hand") -> Variant:
        """Let a paused variant have users again."""
        return await self._set_active(variant_id, True, why)

    async def set_weights(self, weights: Mapping[str, float], why: str = "set by hand") -> tuple[Epoch, list[str]]:
        """Begin an epoch with these shares of new users; the epoch and warnings (see `variants.set_weights`)."""
        return await self._write(
            lambda connection: variants.set_weights(
                connection,
                weights,
                actor=self._settings.actor,
                why=why,
                metric=self._settings.experiment_metric,
                now=iso(self._clock()),
            )
        )

    # -- assignment ---------------------------------------------------------------------------------------------------

    async def preview_assignments(self, user_ids: Sequence[str]) -> list[str]:
        """Which variant each of these ids would get if it were new now; nothing is recorded."""
        epoch = (await self.epochs())[-1]
        return await asyncio.to_thread(assignment.draw_many, epoch, list(user_ids))

    async def assign(self, user_id: str) -> Assignment:
        """The user's variant: theirs if they have one, else drawn and recorded. An exposure is recorded either way."""
        sessions.check_user(user_id)

        def work(connection: sa.Connection) -> Assignment:
            stamp = iso(self._clock())
            known = assignment.known(connection)
            keys = assignment.join(connection, [user_id], stamp)
            found = assignment.assign(connection, known, [user_id], keys, stamp)
            assignment.expose(connection, known, found, keys, stamp)
            return found[0]

        return await self._write(work)

    async def replay_assignments(self) -> Replayed:
        """Draw every recorded exposure again and tell which come out otherwise (none, unless rows were changed)."""
        return await self._read(assignment.replay)

    # -- sessions and feedback ----------------------------------------------------------------------------------------

    async def start_session(self, new: NewSession) -> StartedSession:
        """Assign a variant and record the session; on the disk when this returns. Many at once share a transaction.

        Raises UsageError for a bad user id.
        """
        sessions.check_user(new.user_id)
        await self._ready()
        return await self._commit.submit(self._start, (new, secrets.token_urlsafe(24)))

    async def update_session(self, update: SessionUpdate) -> str:
        """Record what became of a session; on the disk when this returns.

        Raises UnknownSession, and UsageError for a bad duration or corrections that are no diff.
        """
        sessions.check_duration(update.processing_ms)
        sessions.count_corrections(update.corrections)
        await self._ready()
        return await self._commit.submit(self._update, update)

    async def give_feedback(self, new: NewFeedback) -> FeedbackReceipt:
        """Record feedback, which replaces what was said of the session before; on the disk when this returns.

        The same idempotency key again records nothing and returns the first receipt. Raises UnknownSession, Conflict
        (the key came with other feedback), UsageError (a rating outside 1 to 5, nothing said, a text too long).
        """
        sessions.check_rating(new.rating)
        if new.rating is None and new.helpful is None and not new.text:
            raise UsageError("the feedback says nothing", remedy="Give a rating, helpful or not, or a text.")
        if new.text is not None and len(new.text) > sessions.MAX_TEXT:
            raise UsageError(f"the feedback's text is longer than {sessions.MAX_TEXT:,} characters")
        await self._ready()
        return await self._commit.submit(self._give, new)

    async def sessions(
        self,
        limit: int = 100,
        *,
        variant: str | None = None,
        user: str | None = None,
        rated: bool | None = None,
        before: str | None = None,
    ) -> list[Session]:
        """The newest sessions first; `before` is a session's id and continues after it."""
        return await self._read(
            lambda connection: catalogue.sessions(
                connection, limit=limit, variant_id=variant, user_id=user, rated=rated, before=before
            )
        )

    async def session(self, session_id: str) -> SessionDetail:
        """One session with its documents and all its feedback. Raises UnknownSession."""
        return await self._read(lambda connection: catalogue.session_detail(connection, session_id))

    async def is_token_of(self, session_id: str, token: str) -> bool:
        """Whether this token was given out for this session; compared in constant time. False for unknown sessions."""
        kept = await self._read(lambda connection: catalogue.token_hash(connection, session_id))
        return hmac.compare_digest(kept or "", sessions.hash_token(token))

    # -- what the sessions tell ----------------------------------------------------------------------------------------

    async def import_sessions(self, file: Path) -> SessionImport:
        """Import a JSON Lines file of sessions; bad lines are refused by number, and a line is never taken twice.

        Raises UsageError when the file cannot be read.
        """
        from engine.experiments.importing import import_file

        await self._ready()
        return await asyncio.to_thread(import_file, self._store, file, self._clock)

    async def analyze(self, metric: Metric | None = None, days: int | None = None) -> Analysis:
        """Every arm, every comparison, the checks and the verdict; of the last `days` when given.

        The decision metric is the settings'; asking for the other one says so in the warnings.
        """
        await self._ready()
        return await asyncio.to_thread(self._analyze, metric or self._settings.experiment_metric, days)

    def _analyze(self, metric: Metric, days: int | None) -> Analysis:
        from engine.experiments.analysis import analyse
        from engine.experiments.columns import load

        since = None if days is None else sessions.day_of(self._clock()) - days + 1
        with self._store.reading() as connection:
            known, epochs = catalogue.all_variants(connection), catalogue.all_epochs(connection)
            columns = load(connection, since_day=since)
        named = self._settings.experiment_metric
        notes = [f"the metric named in advance is '{named}'; this looks at '{metric}'"] if metric != named else []
        return analyse(columns, known, epochs, metric, warnings=notes)

    async def diff(self, a: str, b: str) -> str:
        """The unified diff of two variants' prompts; empty for the same one. Raises UsageError for unknown ids."""
        import difflib

        one, other = await self.variant(a), await self.variant(b)
        lines = (one.template.splitlines(keepends=True), other.template.splitlines(keepends=True))
        return "".join(difflib.unified_diff(*lines, fromfile=a, tofile=b))

    async def quality(self, session_id: str) -> Quality:
        """How good a session's result was, 0 to 1, with its interval. Raises UnknownSession."""
        from engine.experiments.quality import quality_of

        return await self._read(lambda connection: quality_of(connection, session_id))

    # -- where new users go --------------------------------------------------------------------------------------------

    async def propose_weights(self) -> Suggestion:
        """Draw weights from what is known, as a suggestion to decide on; with `experiment_auto_approve` it is approved.

        Where nothing would change, or a sample-ratio mismatch freezes it, the suggestion only says so and is not kept
        for review (its `id` is None).
        """
        from engine.experiments import optimising

        await self._ready()
        settings = self._settings
        found = await asyncio.to_thread(
            optimising.compute,
            self._store,
            settings.experiment_metric,
            settings.experiment_feedback_hours,
            settings.seed,
            self._clock(),
        )
        if not found.proposal["is_change"]:
            return found
        recorded = (await self._review.suggest([found]))[0]
        if settings.experiment_auto_approve:
            await self.approve_weights(recorded, automatically=True)
        return recorded

    async def pending_weights(self) -> Suggestion | None:
        """The proposal that waits for a decision."""
        from engine.experiments import optimising

        return await self._read(optimising.pending)

    async def approve_weights(self, suggestion: Suggestion, *, automatically: bool = False) -> Epoch:
        """Put proposed weights in force; the record says so when no person was asked.

        Raises ProofsheetError when the weights have changed since the proposal was made.
        """
        from engine.experiments import optimising

        begun: list[Epoch] = []

        def put_in_force(connection: sa.Connection, _decision: Decision) -> None:
            settings, now = self._settings, iso(self._clock())
            begun.append(
                optimising.put_in_force(
                    connection, suggestion, settings.actor, settings.experiment_metric, now, automatically
                )
            )

        await self._ready()
        value = {"weights": dict(suggestion.proposal["weights"]), "automatically": automatically}
        # In one transaction: no crash leaves an approval without its weights.
        await self._review.decide(
            KIND_WEIGHTS, "weights", Verdict.APPROVED, value, suggestion=suggestion, also=put_in_force
        )
        return begun[-1]

    async def reject_weights(self, suggestion: Suggestion) -> Decision:
        """Leave the weights as they are."""
        return await self._review.decide(KIND_WEIGHTS, "weights", Verdict.REJECTED, {}, suggestion=suggestion)

    async def undo(self) -> str | None:
        """Take back the newest decision on weights or a draft; what that did, in a sentence. None when none is left.

        Approved weights make way for those from before, in an epoch of their own; a draft that became a variant is
        paused; what was declined waits again. Raises ProofsheetError when the approved weights are no longer in force,
        and UsageError when the draft's variant is the only one that runs; nothing is taken back then.
        """
        from engine.experiments import optimising

        said: list[str] = []

        def take_back(connection: sa.Connection, taken: Decision) -> None:
            actor, metric, now = self._settings.actor, self._settings.experiment_metric, iso(self._clock())
            if taken.kind == KIND_WEIGHTS:
                epoch = optimising.take_back(connection, taken, actor, metric, now)
                said.append("the proposal waits again" if epoch is None else "the earlier weights are in force again")
            elif taken.verdict is Verdict.REJECTED:
                said.append("the draft waits again")
            else:
                name, why = str(taken.value["variant"]), "its draft's approval was taken back"
                variants.set_active(connection, name, False, actor=actor, why=why, metric=metric, now=now)
                said.append(f"'{name}' gets no more users")

        await self._ready()
        await self._review.undo(KIND_WEIGHTS, KIND_DRAFT, also=take_back)
        return said[0] if said else None

    async def why_weights(self) -> str:
        """Why the weights are as they are: who changed them last, when, and the reason."""
        from engine.experiments import optimising

        return await self._read(optimising.why)

    # -- inside -------------------------------------------------------------------------------------------------------

    async def _set_active(self, variant_id: str, active: bool, why: str) -> Variant:
        return await self._write(
            lambda connection: variants.set_active(
                connection,
                variant_id,
                active,
                actor=self._settings.actor,
                why=why,
                metric=self._settings.experiment_metric,
                now=iso(self._clock()),
            )
        )

    async def _ready(self) -> None:
        """The shipped variants and the first epoch are there."""
        if not self._is_ready:
            ensure = partial(variants.ensure_shipped, metric=self._settings.experiment_metric, now=iso(self._clock()))
            # Asked first: most workspaces have an epoch, and only a writer would have to wait for other writers.
            if not await self._store.read(catalogue.has_begun):
                await self._store.write(ensure, durable=True)
            self._is_ready = True

    async def _read(self, work: Callable[[sa.Connection], T]) -> T:
        await self._ready()
        return await self._store.read(work)

    async def _write(self, work: Callable[[sa.Connection], T]) -> T:
        await self._ready()
        return await self._store.write(work, durable=True)
