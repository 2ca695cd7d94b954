"""The ranking screen: an image set side by side, the machine's suggestion marked, a verdict by one key.

Wide, the images stand in a grid; narrow, the marked one is large and the others are a strip. A verdict is marked at
once, written durably by a worker, and only then the next set comes, already loaded and drawn ahead. Relies on
`Deck` for order and loading, on `engine.ranking` for everything that counts; keeps no decision of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from engine.errors import ProofsheetError
from tui.actions import bindings
from tui.messages import EngineReady, LibraryGrew, RunEnded, RunMoved
from tui.screens import ranking_words as words
from tui.screens.base import Page
from tui.screens.deck import Deck
from tui.screens.layout import plan_for
from tui.screens.ranking_messages import Kept, SetLaid, Standing, Suggested, TakenBack
from tui.widgets.cell import Cell, Face, Mark
from tui.widgets.lines import Lines
from tui.widgets.preview import PreviewImage

if TYPE_CHECKING:
    from engine.ranking.model import ImageSet, RankerStatus, SetMember
    from engine.review import Agreement, Suggestion

GROWS_EVERY = 1.0  # seconds between looks at the sets while a scan makes them
PLACES = 9  # the digits; larger sets page


class RankingScreen(Page):
    """Pick the best of each set."""

    place = "ranking"
    BINDINGS = bindings("ranking")

    def __init__(self) -> None:
        super().__init__()
        self.deck: Deck | None = None
        self.shown: ImageSet | None = None
        self.suggestion: Suggestion | None = None
        self.cursor = 0
        self.has_moved = False
        self.is_deciding = False
        self.suggests = True
        self._has_resumed = False
        self.agreement: Agreement | None = None
        self.standing: RankerStatus | None = None

    def compose_body(self) -> ComposeResult:
        self.cells = [Cell(place) for place in range(PLACES)]
        self.large = PreviewImage(id="large")
        self.grid = Container(*self.cells, id="grid")
        self.hollow = Lines(classes="empty")
        self.stage = Container(self.large, self.grid, id="stage")
        self.body = Container(self.stage, self.hollow, classes="body")
        yield self.body

    def on_mount(self) -> None:
        self.suggests = self.proof.settings.suggestions
        self._face_empty()
        super().on_mount()

    # -- what is on the table ---------------------------------------------------------------------------------------

    @property
    def page_number(self) -> int:
        """Which nine images of a large set are shown."""
        return self.cursor // PLACES

    @property
    def members(self) -> tuple[SetMember, ...]:
        """The images that have a place on the screen."""
        if self.shown is None:
            return ()
        first = self.page_number * PLACES
        return self.shown.members[first : first + PLACES]

    @property
    def marked(self) -> SetMember | None:
        """The image under the cursor."""
        return self.shown.members[self.cursor] if self.shown else None

    @property
    def star(self) -> int | None:
        """The index of the suggested image, while suggestions are on."""
        wanted = words.suggested_image(self.suggestion) if self.suggests else None
        if self.shown is None or wanted not in self.shown.image_ids:
            return None
        return self.shown.image_ids.index(wanted)

    @on(EngineReady)
    def _begin(self) -> None:
        kept = self.proof.views.get("ranking", {})
        self.suggests = bool(kept.get("suggestions", self.suggests))
        self.deck = Deck(self.engine.ranking, kept.get("project"))
        self.work(self._open, kept)

    async def _open(self, kept: dict[str, Any]) -> None:
        """The first set: the one that was left, if it is still open."""
        deck = self._table
        await deck.refresh()
        if kept.get("set") in deck.ids:
            deck.turn_to(kept["set"])
        await self._lay()
        await self._count()

    @property
    def _table(self) -> Deck:
        if self.deck is None:
            self.deck = Deck(self.engine.ranking)
        return self.deck

    async def _lay(self) -> None:
        """Load the current set, hand it to the screen, then its suggestion, then get the next ones ready."""
        deck = self._table
        set_id = deck.current
        if set_id is None:
            self._face_empty()
            return
        shown = await deck.image_set(set_id)
        if deck.current == set_id:
            self.post_message(SetLaid(shown))
            suggestion = await deck.suggestion(set_id)
            self.post_message(Suggested(set_id, suggestion))
            await self._prepare()

    async def _prepare(self) -> None:
        """The next set: loaded, suggested, its pictures drawn ahead at the size they will have."""
        deck = self._table
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
            kept = self.proof.views.get("ranking", {})
            if kept.get("set") == event.shown.id and kept.get("moved"):
                self.cursor, self.has_moved = int(kept.get("cursor", 0)), True
        self.cursor = min(self.cursor, len(event.shown.members) - 1)
        self.is_deciding = False
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
        if not self.has_moved:
            self.cursor = self.star or 0
        self._faces()
        self.remember()

    # -- drawing ----------------------------------------------------------------------------------------------------

    def _face_empty(self) -> None:
        deck, watch = self.deck, self.proof.run_watch
        self.shown = self.suggestion = None
        self.stage.display, self.hollow.display = False, True
        active = watch.active() if watch else []
        decided = deck.decided if deck else 0
        project = deck.project if deck else None
        self.hollow.put(*words.empty(decided, active, deck is not None, project))
        self._lines()

    def _arrange(self) -> None:
        """Give each image its place; nothing moves while the number of images stays."""
        count = len(self.members)
        for cell in self.cells:
            cell.display = cell.place < count
        if self.is_narrow:
            tall = count * 5 <= self.body.size.height
            self.grid.styles.height = "100%"
            for cell in self.cells:
                cell.stand("strip" if tall else "short")
            return
        width, height = self.body.size  # the stage itself has none while it is hidden
        sizes = [(member.image.width, member.image.height) for member in self.members]
        plan = plan_for(sizes, width, height, self.proof.terminal.cell)
        self.grid.styles.grid_size_columns, self.grid.styles.grid_size_rows = plan.columns, plan.rows
        self.grid.styles.height = plan.height
        for cell in self.cells:
            cell.stand("column")

    def _faces(self) -> None:
        """Bring every cell, the large picture and the lines up to date; only what differs is painted."""
        star = self.star
        first = self.page_number * PLACES
        faces = [self._face(member, first + place, star) for place, member in enumerate(self.members)]
        for cell, face in zip_longest(self.cells, faces):
            cell.wear(face)
        if self.is_narrow and self.marked is not None:
            self.large.show(self.marked.image.path)
        self._lines()

    def _face(self, member: SetMember, index: int, star: int | None) -> Face:
        suggestion = self.suggestion
        is_star = index == star
        confidence = suggestion.confidence if suggestion is not None and is_star else None
        return Face(
            path=member.image.path,
            number=index % PLACES + 1,
            label=member.label or member.image.name,
            details=words.details(member.image),
            is_marked=index == self.cursor,
            is_suggested=is_star,
            confidence=words.percent(confidence) if confidence is not None else "",
            reasons=" · ".join(suggestion.reasons) if suggestion is not None and is_star else "",
        )

    def _lines(self) -> None:
        """The top, status and bottom lines."""
        deck, narrow = self.deck, self.is_narrow
        number, total = (deck.number, deck.total) if deck else (0, 0)
        project = deck.project if deck else None
        pages = -(-len(self.shown.members) // PLACES) if self.shown else 1
        paging = ((f"  images {self.page_number + 1}/{pages}", "dim"),) if pages > 1 else ()
        self.top.here(*words.here(number, total, self.shown, project, narrow), *paging)
        self.top.there(*words.agreement(self.agreement, narrow))
        self.status.fact(*words.adviser(self.suggests, self.suggestion, self.standing, narrow))
        if self.shown is None:
            self.offer(["ranking.undo", "ranking.project"] if deck and deck.decided else [])
        else:
            self.offer(None, words.footer_labels(self.cursor == self.star, self.cursor % PLACES + 1))

    def relaid(self) -> None:
        if self.shown is not None:
            for cell in self.cells:
                cell.wear(None)
            self._arrange()
            self._faces()
            self.call_after_refresh(self._faces)

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
        turned = wanted // PLACES != self.page_number
        self.cursor, self.has_moved = wanted, True
        if turned:
            self._arrange()
        self._faces()
        self.remember()

    def action_page(self, step: int) -> None:
        if self.shown is None or self.is_deciding:
            return
        wanted = (self.page_number + step) * PLACES
        if 0 <= wanted < len(self.shown.members):
            self.cursor, self.has_moved = wanted, True
            self._arrange()
            self._faces()
            self.remember()

    @on(Cell.Touched)
    def _touched(self, event: Cell.Touched) -> None:
        index = self.page_number * PLACES + event.cell.place
        if self.shown is None or index >= len(self.shown.members) or self.is_deciding:
            return
        self.cursor, self.has_moved = index, True
        self._faces()
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
        if self.shown is None or self.is_deciding:
            return
        shown, star, blind = self.shown, self.star, not self.suggests
        suggestion = self.suggestion if star is not None else None
        self._mark({index: "picked"})
        said = None if star is None else star % PLACES + 1
        self.status.last(*words.verdict(self._table.number, index % PLACES + 1, said, blind))
        pick = partial(self.engine.ranking.pick, shown.id, shown.members[index].image.id)
        self.work(self._keep, shown.id, partial(pick, suggestion=suggestion, blind=blind))

    def action_none(self) -> None:
        if self.shown is None or self.is_deciding:
            return
        shown = self.shown
        self._mark(dict.fromkeys(range(len(shown.members)), "refused"))
        self.status.last(*words.verdict(self._table.number, None, None, not self.suggests))
        suggestion = self.suggestion if self.suggests else None
        reject = partial(self.engine.ranking.reject, shown.id, suggestion=suggestion, blind=not self.suggests)
        self.work(self._keep, shown.id, reject)

    def action_skip(self) -> None:
        if self.shown is None or self.is_deciding:
            return
        self._mark(dict.fromkeys(range(len(self.shown.members)), "skipped"))
        self.status.last(*words.skipped(self._table.number))
        self.work(self._keep, self.shown.id, partial(self.engine.ranking.skip, self.shown.id))

    def _mark(self, marks: dict[int, Mark]) -> None:
        """Paint the verdict at once: a line a cell. Until it is durable, no other verdict is taken."""
        self.is_deciding = True
        first = self.page_number * PLACES
        for cell in self.cells:
            mark = marks.get(first + cell.place)
            if mark and cell.face is not None:
                cell.wear(replace(cell.face, mark=mark))

    async def _keep(self, set_id: int, write: Callable[[], Awaitable[object]]) -> None:
        try:
            await write()
        except ProofsheetError:
            self.post_message(TakenBack(set_id))
            raise
        self.post_message(Kept(set_id))

    @on(Kept)
    def _next(self, event: Kept) -> None:
        deck = self._table
        if deck.current == event.set_id:
            deck.advance()
        self.is_deciding = False
        self.work(self._after_verdict)

    async def _after_verdict(self) -> None:
        await self._lay()
        await self._count()
        started = await self.engine.ranking.maybe_train()
        if started is not None and self.proof.run_watch:
            self.proof.run_watch.look_now()
        if len(self._table.ids) < 3:
            await self._table.refresh()

    def action_undo(self) -> None:
        if self.deck is not None and not self.is_deciding:
            self.notice("taking the last verdict back…")
            self.work(self._undo, group="undo", exclusive=True)

    async def _undo(self) -> None:
        decision = await self.engine.ranking.undo()
        self.post_message(TakenBack(None if decision is None else int(decision.subject.partition(":")[2])))

    @on(TakenBack)
    def _taken_back(self, event: TakenBack) -> None:
        self.is_deciding = False
        if event.set_id is None:
            self.notice("nothing left to undo")
            return
        deck = self._table
        if deck.current != event.set_id:
            deck.take_back(event.set_id)
            self.status.last(("undone: ", "dim"), (f"{deck.number:,}", "text"), (" is open again", "dim"))
        self.work(self._back)

    async def _back(self) -> None:
        await self._lay()
        await self._count()

    async def _count(self) -> None:
        ranking = self.engine.ranking
        self.post_message(Standing(await ranking.agreement(last=10), await ranking.status()))

    @on(Standing)
    def _stood(self, event: Standing) -> None:
        self.agreement, self.standing = event.agreement, event.status
        self._lines()

    # -- actions: the rest --------------------------------------------------------------------------------------------

    def action_toggle_suggestions(self) -> None:
        self.suggests = not self.suggests
        if not self.has_moved:
            self.cursor = self.star or 0
        self._faces()
        self.notice("suggestions on" if self.suggests else "suggestions off; your picks are recorded as blind")
        self.remember()

    def action_next_project(self) -> None:
        if self.deck is not None:
            self.work(self._next_project, group="project", exclusive=True)

    async def _next_project(self) -> None:
        deck = self._table
        names: list[str | None] = [None, *(project.id for project in await self.engine.library.projects())]
        place = names.index(deck.project) if deck.project in names else 0
        self.deck = Deck(self.engine.ranking, names[(place + 1) % len(names)])
        await self.deck.refresh()
        self.notice(f"project {self.deck.project}" if self.deck.project else "all projects")
        await self._lay()

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
        self.cursor, self.has_moved = index, True
        self._faces()
        self.remember()
        if picked:
            self._pick(index)

    def _resume_zoom(self) -> None:
        """The zoom that was open when the app was left."""
        if self._has_resumed:
            return
        self._has_resumed = True
        kept = self.proof.views.get("zoom", {})
        if self.shown is not None and kept.get("subject") == self.shown.id and self.proof.screen is self:
            self.cursor = min(int(kept.get("index", 0)), len(self.shown.members) - 1)
            self._look_closer(compare=bool(kept.get("compare")), kept=kept)

    def _rival(self) -> int:
        """Whom the marked image is compared with: the suggestion, else the runner-up by score, else its neighbour."""
        if self.star is not None and self.star != self.cursor:
            return self.star
        ids = self.shown.image_ids if self.shown is not None else ()
        scores = self.suggestion.proposal.get("scores", {}) if self.suggestion is not None and self.suggests else {}
        others = [index for index in range(len(ids)) if index != self.cursor]
        if scores:
            return max(others, key=lambda index: float(scores.get(str(ids[index]), scores.get(ids[index], 0.0))))
        return others[0] if others else self.cursor

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
        deck = self._table
        had = deck.current
        await deck.refresh()
        if had is None and deck.current is not None:
            await self._lay()
        elif self.shown is not None:
            self.post_message(
                Standing(await self.engine.ranking.agreement(last=10), await self.engine.ranking.status())
            )

    @on(RunEnded)
    def _ended(self, event: RunEnded) -> None:
        run = event.activity.run
        if run.kind != "train" or self.deck is None:
            return
        self.deck.forget_suggestions()
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
        deck = self._table
        if deck.current is not None:
            self.post_message(Suggested(deck.current, await deck.suggestion(deck.current)))
        await self._count()
        await self._prepare()

    def view_state(self) -> dict[str, Any]:
        return {
            "set": self.shown.id if self.shown else None,
            "cursor": self.cursor,
            "moved": self.has_moved,
            "suggestions": self.suggests,
            "project": self.deck.project if self.deck else None,
        }
