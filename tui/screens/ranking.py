"""The ranking screen: an image set side by side, the machine's suggestion marked, a verdict by one key.

A verdict is marked at once, written durably by a worker, and only then the next set comes, already loaded and drawn
ahead. Relies on `Table` for all that is seen, on `Deck` for order and loading, on `engine.ranking` for everything that
counts; keeps no decision of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import on

from engine.errors import ProofsheetError
from tui.actions import bindings
from tui.messages import EngineReady, LibraryGrew, RunEnded, RunMoved
from tui.screens import ranking_words as words
from tui.screens.deck import Deck
from tui.screens.ranking_finish import Finish
from tui.screens.ranking_messages import Kept, SetLaid, Standing, Suggested, TakenBack
from tui.screens.ranking_words import PLACES
from tui.widgets.cell import Cell

if TYPE_CHECKING:
    from engine.review import Decision

LAST = 50  # picks that the live accuracy looks back on
GROWS_EVERY = 1.0  # seconds between looks at the sets while a scan makes them


class RankingScreen(Finish):
    """Pick the best of each set."""

    BINDINGS = bindings("ranking")

    def __init__(self) -> None:
        super().__init__()
        self._undos = 0  # asked for and not yet done
        self._has_asked_to_wait = False
        self._has_resumed = False

    @on(EngineReady)
    def _begin(self) -> None:
        kept = self.proof.views.get("ranking", {})
        self.suggests = bool(kept.get("suggestions", self.suggests))
        self.deck = Deck(self.engine.ranking, kept.get("project"))
        self.work(self._open, kept)

    async def _open(self, kept: dict[str, Any]) -> None:
        """The first set: the one that was left, if it is still open."""
        deck = self._deck
        await deck.refresh()
        if kept.get("set") in deck.ids:
            deck.turn_to(kept["set"])
        again = await self.engine.ranking.repeat_due(deck.project)
        if again is not None:
            deck.repeat(again)
        await self._lay()
        await self._count()

    @property
    def _deck(self) -> Deck:
        """The deck, made when it is first needed."""
        if self.deck is None:
            self.deck = Deck(self.engine.ranking)
        return self.deck

    async def _lay(self) -> None:
        """Load the current set, hand it to the screen, then its suggestion, then get the next ones ready."""
        deck = self._deck
        set_id = deck.current
        if set_id is None:
            self._face_empty()
            return
        shown = await deck.image_set(set_id)
        await deck.begin()
        if deck.current == set_id:
            self.post_message(SetLaid(shown))
            suggestion = await deck.suggestion(set_id)
            self.post_message(Suggested(set_id, suggestion))
            await self._prepare()

    async def _prepare(self) -> None:
        """The next set: loaded, suggested, its pictures drawn ahead at the size they will have."""
        deck = self._deck
        await deck.look_ahead()
        for set_id in deck.upcoming(1):
            coming = await deck.image_set(set_id)
            suggestion = await deck.suggestion(set_id)
            if self.is_narrow:
                wanted = words.suggested_image(suggestion) if self.suggests else None
                first = next((m for m in coming.members if m.image.id == wanted), coming.members[0])
                self.large.prefetch([first.image.path])
            elif len(coming.members) == len(self.members):
                self.cells[0].picture.prefetch([member.image.path for member in coming.members[:PLACES]])

    @on(SetLaid)
    def _show(self, event: SetLaid) -> None:
        fresh = self.shown is None or self.shown.id != event.shown.id
        self.shown = event.shown
        if fresh:
            self.suggestion, self.has_moved, self.cursor = None, False, 0
            self.large.clear()
            kept = self.proof.views.get("ranking", {})
            if kept.get("set") == event.shown.id and kept.get("moved"):
                self.cursor, self.has_moved = int(kept.get("cursor", 0)), True
        self.cursor = min(self.cursor, len(event.shown.members) - 1)
        self.is_deciding = False
        if self._has_asked_to_wait:
            self._has_asked_to_wait = False
            self.notice("")
        self.stage.display, self.hollow.display = True, False
        self._arrange()
        self._faces()
        self.remember()
        if fresh:
            self._resume_zoom()

    @on(Suggested)
    def _advise(self, event: Suggested) -> None:
        if self.shown is None or self.shown.id != event.set_id or self.is_deciding:
            return
        self.suggestion = event.suggestion
        self._move_cursor(self.cursor if self.has_moved else self.star or 0)

    # -- actions: moving ----------------------------------------------------------------------------------------------

    def action_move(self, across: int, down: int) -> None:
        """Mark a neighbour; in the strip every direction walks it."""
        if self.shown is None or self.is_deciding:
            return
        count = len(self.shown.members)
        columns = 1 if self.is_narrow else self.grid.styles.grid_size_columns or 1
        step = across + down * columns
        wanted = self.cursor + step
        if not 0 <= wanted < count:
            return
        self.has_moved = True
        self._move_cursor(wanted)

    def action_page(self, step: int) -> None:
        if self.shown is None or self.is_deciding:
            return
        wanted = (self.page_number + step) * PLACES
        if 0 <= wanted < len(self.shown.members):
            self.has_moved = True
            self._move_cursor(wanted)

    def action_edge(self, direction: int) -> None:
        if self.shown is not None:
            self._mark_at(0 if direction < 0 else len(self.shown.members) - 1)

    def action_star(self) -> None:
        if self.star is None:
            self.notice("nothing is suggested" if self.suggests else "suggestions are off; s shows them")
        self._mark_at(self.star)

    def _mark_at(self, index: int | None) -> None:
        if self.shown is not None and not self.is_deciding and index is not None:
            self.has_moved = True
            self._move_cursor(index)

    @on(Cell.Touched)
    def _touched(self, event: Cell.Touched) -> None:
        index = self.page_number * PLACES + event.cell.place
        if self.shown is None or index >= len(self.shown.members) or self.is_deciding:
            return
        self.has_moved = True
        self._move_cursor(index)
        if event.twice:
            self.action_pick()

    # -- actions: verdicts --------------------------------------------------------------------------------------------

    def action_pick(self) -> None:
        self._pick(self.cursor)

    def action_number(self, number: int) -> None:
        index = self.page_number * PLACES + number - 1
        if self.shown is not None and index < len(self.shown.members):
            self._pick(index)

    def _pick(self, index: int) -> None:
        if self.shown is None or not self._may_decide():
            return
        shown, star, blind = self.shown, self.star, not self.suggests
        suggestion = self.suggestion if star is not None else None
        self._mark({index: "picked"})
        self.status.last(*words.verdict(self._deck.number, index, star, blind, len(shown.members)))
        pick = partial(self.engine.ranking.pick, shown.id, shown.members[index].image.id)
        self.work(self._keep, shown.id, partial(pick, suggestion=suggestion, blind=blind))

    def action_none(self) -> None:
        if self.shown is None or not self._may_decide():
            return
        shown = self.shown
        self._mark(dict.fromkeys(range(len(shown.members)), "refused"))
        self.status.last(*words.verdict(self._deck.number, None, None, not self.suggests, len(shown.members)))
        suggestion = self.suggestion if self.suggests else None
        reject = partial(self.engine.ranking.reject, shown.id, suggestion=suggestion, blind=not self.suggests)
        self.work(self._keep, shown.id, reject)

    def action_skip(self) -> None:
        if self.shown is None or not self._may_decide():
            return
        self._mark(dict.fromkeys(range(len(self.shown.members)), "skipped"))
        self.status.last(*words.skipped(self._deck.number))
        self.work(self._keep, self.shown.id, partial(self.engine.ranking.skip, self.shown.id))

    def _may_decide(self) -> bool:
        """Whether a verdict would fall on a set that was seen; where it would not, the status line says so."""
        if self.is_deciding:
            self._ask_to_wait("one moment: the verdict is being kept")
        elif self._undos or self.shown is None or self._deck.current != self.shown.id:
            self._ask_to_wait("one moment: another set is coming")
        else:
            return True
        return False

    def _ask_to_wait(self, text: str) -> None:
        """Say why a key was not taken, until the next set is there."""
        self._has_asked_to_wait = True
        self.notice(text)

    async def _keep(self, set_id: int, write: Callable[[], Awaitable[Decision]]) -> None:
        try:
            made = await write()
        except ProofsheetError:
            self.post_message(TakenBack(set_id))
            raise
        self.post_message(Kept(set_id))
        earlier = await self.engine.ranking.earlier(made)
        if earlier is not None:
            self.notice(f"that set had a verdict of {earlier.actor} by now: both are kept, yours is in force")

    @on(Kept)
    def _next(self, event: Kept) -> None:
        deck = self._deck
        if deck.current == event.set_id:
            if deck.repeated != event.set_id:
                self.count_decided(event.set_id)
            deck.advance()
        self.is_deciding = False
        self.work(self._after_verdict)

    async def _after_verdict(self) -> None:
        await self._lay()
        await self._count()
        started = await self.engine.ranking.maybe_train()
        if started is not None and self.proof.run_watch:
            self.proof.run_watch.look_now()
        if len(self._deck.ids) < 3:
            await self._deck.refresh()

    def action_undo(self) -> None:
        """Take one more verdict back. An undo under way is never cancelled: each press is counted, and done in turn."""
        if self.deck is None:
            return
        if self.is_deciding:
            self._ask_to_wait("one moment: the verdict is being kept")
            return
        if self._exported is not None:
            exported, self._exported = self._exported, None
            self.work(self.take_export_back, exported)
            return
        self.notice("taking the last verdict back…")
        self._undos += 1
        if self._undos == 1:
            self.work(self._undo, group="undo")

    async def _undo(self) -> None:
        """As many undos as were asked for, those asked for meanwhile too."""
        try:
            while self._undos:
                made = await self.engine.ranking.take_back()
                self._undos = self._undos - 1 if made else 0
                if made:
                    set_id = int(made[-1].subject.partition(":")[2])
                    self.post_message(TakenBack(set_id, made[0].kind == "repeat", len(made)))
                else:
                    self.post_message(TakenBack(None))
        finally:
            self._undos = 0

    @on(TakenBack)
    def _taken_back(self, event: TakenBack) -> None:
        self.is_deciding = False
        if event.set_id is None:
            self.notice("nothing left to undo")
            return
        deck = self._deck
        if event.together > 1:
            self.status.last(("undone: ", "dim"), (f"{event.together:,} sets", "text"), (" are open again", "dim"))
            self.trusted, self._surveyed = None, None
            self.work(self._all_back)
            return
        self.count_open(event.set_id)
        if deck.current != event.set_id or event.is_repeat:
            deck.take_back(event.set_id, is_repeat=event.is_repeat)
            self.status.last(("undone: ", "dim"), (f"{deck.number:,}", "text"), (" is open again", "dim"))
        self.work(self.lay_again)

    async def _all_back(self) -> None:
        await self._deck.refresh()
        await self.lay_again()

    async def lay_again(self) -> None:
        await self._lay()
        await self._count()

    async def _count(self) -> None:
        ranking = self.engine.ranking
        self.post_message(Standing(await ranking.agreement(last=LAST), await ranking.status(), await ranking.pace()))

    @on(Standing)
    def _stood(self, event: Standing) -> None:
        self.agreement, self.standing = event.agreement, event.status
        self.pace = event.pace
        self._lines()
        self.survey_if_due(event.status)

    # -- actions: the rest --------------------------------------------------------------------------------------------

    def action_toggle_suggestions(self) -> None:
        self.suggests = not self.suggests
        self._move_cursor(self.cursor if self.has_moved else self.star or 0)
        self.notice("suggestions on" if self.suggests else "suggestions off; your picks are recorded as blind")

    def action_next_project(self) -> None:
        if self.deck is not None:
            self.work(self._next_project, group="project", exclusive=True)

    async def _next_project(self) -> None:
        deck = self._deck
        names: list[str | None] = [None, *(project.id for project in await self.engine.library.projects())]
        place = names.index(deck.project) if deck.project in names else 0
        await self.review_project(names[(place + 1) % len(names)])

    async def review_project(self, project: str | None) -> None:
        self.deck = Deck(self.engine.ranking, project)
        await self.deck.refresh()
        self.notice(f"project {project}" if project else "all projects")
        self.trusted = None
        await self.lay_again()

    def action_train(self) -> None:
        if self.deck is not None:
            self.work(self._train)

    async def _train(self) -> None:
        await self.engine.ranking.train()
        if self.proof.run_watch:
            self.proof.run_watch.look_now()

    def action_zoom(self) -> None:
        self._look_closer(compare=False)

    def action_compare(self) -> None:
        if self.shown is not None and len(self.shown.members) > 1:
            self._look_closer(compare=True)

    def _look_closer(self, compare: bool, kept: dict[str, Any] | None = None) -> None:
        if self.shown is None or self.is_deciding:
            return
        from tui.screens.zoom import ZoomScreen

        self.proof.push_screen(
            ZoomScreen(
                tuple(member.image for member in self.shown.members),
                self.cursor,
                rival=self._rival(),
                compare=compare,
                star=self.star,
                subject=self.shown.id,
                kept=kept,
            ),
            self._looked,
        )

    def _looked(self, answer: Any) -> None:
        """Back from the zoom: the image that was shown there is marked; with a verdict, it is picked."""
        if answer is None or self.shown is None:
            return
        index, picked = answer
        self.has_moved = True
        self._move_cursor(index)
        if picked:
            self._pick(index)

    def _resume_zoom(self) -> None:
        """The zoom that was open when the app was left."""
        if self._has_resumed:
            return
        self._has_resumed = True
        kept = self.proof.views.get("zoom", {})
        if self.shown is not None and kept.get("subject") == self.shown.id and self.proof.screen is self:
            self._move_cursor(min(int(kept.get("index", 0)), len(self.shown.members) - 1))
            self._look_closer(compare=bool(kept.get("compare")), kept=kept)

    # -- what comes from behind ---------------------------------------------------------------------------------------

    @on(LibraryGrew)
    @on(RunMoved)
    def _grew(self, event: LibraryGrew | RunMoved) -> None:
        if self.deck is None:
            return
        if self.shown is None:
            self._face_empty()
        if isinstance(event, LibraryGrew):
            self.calmly(partial(self.work, self._refresh), GROWS_EVERY if self.shown else 0.1)

    async def _refresh(self) -> None:
        deck = self._deck
        had = deck.current
        await deck.refresh()
        if had is None and deck.current is not None:
            await self._lay()
        elif self.shown is not None:
            await self._count()

    @on(RunEnded)
    def _ended(self, event: RunEnded) -> None:
        run = event.activity.run
        if run.kind != "train" or self.deck is None:
            return
        self.deck.forget_suggestions()
        self._surveyed = None
        self.work(self._advise_again)
        if run.result:
            told = (
                "learned; its suggestions are shown now"
                if run.result.get("promoted")
                else "not better yet; F4 says why"
            )
            self.notice(f"{words.model_name(str(run.result.get('model')))}: {told}", "good")
        elif run.error:
            self.notice(f"training failed: {run.error}", "danger")

    async def _advise_again(self) -> None:
        deck = self._deck
        if deck.current is not None:
            self.post_message(Suggested(deck.current, await deck.suggestion(deck.current)))
        await self._count()
        await self._prepare()
