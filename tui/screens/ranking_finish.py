"""The finish line of the ranking screen: how far, what can be approved together, the way out of the winners.

Everything here is asked of the engine by workers and after the paint; the survey of the remaining sets gives way
whenever a key was pressed of late. Relies on `Table` for what is shown and on `finish_words` for what is said.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult

from engine.errors import ProofsheetError
from tui.screens import finish_words as words
from tui.screens.finish_words import Trusted
from tui.screens.ranking_messages import Surveyed
from tui.screens.ranking_table import Table
from tui.widgets.cell import Mark
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from engine.ranking.model import RankerStatus

TARGET = 0.95
QUIET = 1.0  # seconds without a verdict until the survey goes on
BREATH = 0.03  # seconds between a few sets of the survey and the next
STALE_AFTER = 25  # verdicts after which the survey is made again


class Finish(Table):
    """A table with the finish line in sight."""

    def __init__(self) -> None:
        super().__init__()
        self.pace: float | None = None
        self.trusted: Trusted | None = None
        self._trusted_ids: frozenset[int] = frozenset()
        self._taken_ids: set[int] = set()  # of those, the ones decided since
        self._surveyed: tuple[str | None, str | None] | None = None  # (model, project)
        self._verdicts_since = 0
        self._share_looked: float | None = None
        self._is_surveying = False
        self._last_verdict = 0.0
        self._exported: str | None = None  # the change set that `u` would take back

    def compose_below(self) -> ComposeResult:
        self.finish = Lines(classes="finishline")
        yield self.finish

    def _lines(self) -> None:
        super()._lines()
        self._draw_finish()

    def _draw_finish(self) -> None:
        deck = self.deck
        if deck is None or not deck.total:
            self.finish.put()
            return
        left = max(0, deck.total - deck.decided)
        seconds = None if self.pace is None else self.pace * left
        keys = (self._key("ranking.bulk"), self._key("ranking.export"))
        told = words.line(deck.decided, left, seconds, self.trusted, self._share_looked, self.is_narrow, keys)
        self.finish.put(told)

    def _key(self, name: str) -> str:
        """The key of one of this screen's actions, as it is shown."""
        return self.proof.keymap.shown(next(action for action in self.actions() if action.id == name))

    def _mark(self, marks: dict[int, Mark]) -> None:
        super()._mark(marks)
        self._last_verdict = time.monotonic()
        self._exported = None

    # -- the survey ---------------------------------------------------------------------------------------------------

    def count_decided(self, set_id: int) -> None:
        """One set fewer is to be approved together."""
        self._verdicts_since += 1
        self._taken_ids.add(set_id)
        self._recount()

    def count_open(self, set_id: int) -> None:
        """An undo opened this set again."""
        self._taken_ids.discard(set_id)
        self._recount()

    def _recount(self) -> None:
        if self.trusted is not None and self._trusted_ids:
            count = len(self._trusted_ids) - len(self._trusted_ids & self._taken_ids)
            self.trusted = Trusted(count, self.trusted.target, self.trusted.why_not, self.trusted.more)

    def survey_if_due(self, status: RankerStatus | None, *, again: bool = False) -> None:
        """Look at the remaining sets when another model suggests, or when the last look is old."""
        if status is None or self.deck is None or self._is_surveying:
            return
        judged = (status.model, self.deck.project)
        if again or judged != self._surveyed or (status.model is not None and self._verdicts_since >= STALE_AFTER):
            self._is_surveying = True
            self._surveyed, self._verdicts_since = judged, 0
            self.work(self._survey, group="survey")

    async def _survey(self) -> None:
        try:
            project = self.deck.project if self.deck is not None else None
            self._taken_ids = set()
            self.post_message(Surveyed(await self.engine.ranking.bulk_plan(project, TARGET, self._give_way)))
        finally:
            self._is_surveying = False
            self._share_looked = None

    async def _give_way(self, done: int, total: int) -> None:
        """Between a few sets and the next: the person at the keys comes first."""
        await asyncio.sleep(BREATH)
        while time.monotonic() - self._last_verdict < QUIET:  # noqa: ASYNC110 - quiet is no event that could be set
            await asyncio.sleep(QUIET / 4)
        looked = round(done / total, 1)
        if self.trusted is None and looked != self._share_looked:
            self._share_looked = looked
            self._draw_finish()

    @on(Surveyed)
    def _keep_survey(self, event: Surveyed) -> None:
        plan = event.plan
        self._share_looked = None
        self._trusted_ids = frozenset(one.shown.id for one in plan.sets)
        self.trusted = Trusted(len(plan.sets), plan.target, plan.why_not, plan.more)
        self._recount()
        self._draw_finish()

    # -- approving together -------------------------------------------------------------------------------------------

    def action_bulk(self) -> None:
        if self.deck is None or self.is_deciding:
            return
        from tui.screens.bulk import BulkScreen

        self.proof.push_screen(BulkScreen(self.deck.project, TARGET), self._bulk_approved)

    def _bulk_approved(self, approved: Any) -> None:
        if not approved or self.deck is None:
            return
        self.deck.drop({int(one.subject.partition(":")[2]) for one in approved})
        self._exported = None
        self.status.last(
            ("together: ", "dim"),
            (f"✓ {len(approved):,} sets approved", "decided bold"),
            ("  u takes them all back", "dim"),
        )
        self.trusted, self._surveyed = None, None
        self.work(self.lay_again)

    async def lay_again(self) -> None:
        """Show what is on the table now, and how it stands."""
        raise NotImplementedError

    # -- the way out --------------------------------------------------------------------------------------------------

    def action_export(self) -> None:
        if self.deck is None:
            return
        if not self.deck.decided:
            self.notice("there are no winners yet")
            return
        kept = self.proof.views.get("export", {}).get("winners")
        self.prompt.ask("write the winners to", kept or str(Path.cwd() / "winners.txt"), self._export_to)

    def _export_to(self, text: str | None) -> None:
        if text and text.strip():
            self.work(self._plan_export, Path(text.strip()).expanduser())

    async def _plan_export(self, file: Path) -> None:
        if file.is_dir():
            raise ProofsheetError(f"{file} is a folder", remedy=f"Name a file in it, such as {file / 'winners.txt'}")
        ranking, project = self.engine.ranking, self.deck.project if self.deck is not None else None
        form = file.suffix.removeprefix(".").casefold()
        count = len(await ranking.winners(project))
        planned = await ranking.export_winners(file, form if form in ("json", "csv") else "txt", project)  # type: ignore[arg-type]

        def answer(text: str | None) -> None:
            if text is None or text.strip().casefold() not in ("", "y", "yes"):
                self.notice("nothing was written")
            else:
                self.work(self._apply_export, planned.id, file, count)

        self.prompt.ask(f"write {count:,} winners? enter yes, esc no", "", answer)

    async def _apply_export(self, change_set: str, file: Path, count: int) -> None:
        await self.engine.changes.apply(change_set)
        self._exported = change_set
        self.proof.remember("export", {"winners": str(file)})
        self.notice(f"{count:,} winners in {file.name}; u takes the file back", "good")

    async def take_export_back(self, change_set: str) -> None:
        """Undo an export: the file is gone again, or as it was."""
        await self.engine.changes.rollback(change_set)
        self.notice("the exported file is taken back", "good")

    # -- what opens over the table ------------------------------------------------------------------------------------

    def action_projects(self) -> None:
        if self.deck is None:
            return
        from tui.screens.projects import ProjectsScreen

        self.proof.push_screen(ProjectsScreen(self.deck.project), self._project_chosen)

    def _project_chosen(self, chosen: Any) -> None:
        if chosen is not None and self.deck is not None:
            self.work(self.review_project, chosen[0], group="project", exclusive=True)

    async def review_project(self, project: str | None) -> None:
        """Put the sets of this project (None: of all) on the table."""
        raise NotImplementedError

    def action_taste(self) -> None:
        if self.deck is None:
            return
        from tui.screens.taste import TasteScreen

        self.proof.push_screen(TasteScreen(self.deck.project))
