"""The training screen: every run, the curves of the selected one as it goes, its log, and the ranker's card.

Everything is read from the run's event log through `engine.runs`; the screen never talks to a worker, so a run of
another process, or one of last week, is drawn just the same. Starting, stopping, resuming and detaching go through
the doors too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.timer import Timer

from tui.actions import bindings
from tui.messages import EngineReady, RunEnded, RunMoved
from tui.runwatch import Activity
from tui.screens import training_meters as meters
from tui.screens import training_report as report
from tui.screens import training_words as words
from tui.screens.base import Page
from tui.screens.training_messages import Judged, Metered, Told
from tui.screens.training_story import Story
from tui.widgets.curves import Curves
from tui.widgets.lines import Lines, row
from tui.widgets.report import Report

if TYPE_CHECKING:
    from engine.monitor import Reading
    from engine.ranking import Consistency
    from engine.ranking.model import RankerStatus
    from engine.ranking.registry import ModelRow
    from engine.runs import Run

METER_EVERY = 1.0  # seconds
DRAW_EVERY = 0.1  # seconds: as often as the log is written


class TrainingScreen(Page):
    """Watch the machine learn."""

    place = "training"
    BINDINGS = bindings("training")

    def __init__(self) -> None:
        super().__init__()
        self.activities: list[Activity] = []
        self.selected: str | None = None
        self.wanted: str | None = None  # a run begun from here, selected as soon as the watch knows it
        self._begun: set[str] = set()  # runs begun from here whose end is still to be told
        self.story = Story()
        self.status_of_ranker: RankerStatus | None = None
        self.shows_report = False
        self.versions: list[ModelRow] = []
        self.version: int | None = None  # the marked one
        self.own: Consistency | None = None
        self._drawing: Timer | None = None
        self._is_metering = False

    def compose_body(self) -> ComposeResult:
        self.list = Lines(id="runs")
        self.meters = Lines(id="meters")
        self.metrics = Lines(id="metrics")
        self.curves = Curves(id="curves")
        self.card = Lines(id="card")
        self.tail = Lines(id="log")
        self.runs_view = Container(self.metrics, self.curves, self.card, self.tail, id="work")
        self.report_view = Report(id="report")
        with Container(classes="body"), Container(id="training"):
            with Container(id="beside"):
                yield self.list
                yield self.meters
            yield self.runs_view
            yield self.report_view

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(METER_EVERY, self._meter)
        self._draw()

    @on(EngineReady)
    def _begin(self) -> None:
        kept = self.proof.views.get("training", {})
        self.selected, self.shows_report = kept.get("run"), bool(kept.get("report"))
        self._runs()
        self.work(self._judge, group="judge", exclusive=True)

    async def _judge(self) -> None:
        ranking = self.engine.ranking
        self.post_message(Judged(await ranking.status(), await ranking.models(), await ranking.consistency()))

    @on(Judged)
    def _judged(self, event: Judged) -> None:
        self.status_of_ranker, self.versions, self.own = event.status, event.versions, event.own
        numbers = [one.version for one in self.versions]
        if self.version not in numbers:
            self.version = event.status.version if event.status.version in numbers else next(iter(numbers), None)
        self._draw_soon()

    # -- runs ---------------------------------------------------------------------------------------------------------

    @on(RunMoved)
    @on(RunEnded)
    def _run_moved(self, event: RunMoved | RunEnded) -> None:
        self._runs()
        run = event.activity.run
        if run.state.is_final and (run.id in self._begun or (isinstance(event, RunEnded) and run.id == self.selected)):
            self._begun.discard(run.id)
            self._say_failure(run)
        if isinstance(event, RunEnded) and event.activity.run.kind == "train":
            self.work(self._judge, group="judge", exclusive=True)

    def _say_failure(self, run: Run) -> None:
        if run.state == "failed":
            message, _, remedy = (run.error or f"the {run.kind} run failed").partition("\n")
            self.banner.say(message, remedy.strip())

    def _runs(self) -> None:
        watch = self.proof.run_watch
        self.activities = list(watch.known.values()) if watch else []
        names = [activity.run.id for activity in self.activities]
        if self.wanted in names:
            self._select(self.wanted)
            self.wanted = None
        elif self.selected not in names:
            wanted = next((a.run.id for a in self.activities if a.run.kind == "train"), names[0] if names else None)
            self._select(wanted)
        elif self.story.run is None or self.story.run.id != self.selected:
            self._select(self.selected)
        run = next((a.run for a in self.activities if a.run.id == self.selected), None)
        if run is not None:
            self.story.run = run
        if not self.is_going:
            self._show_meters(None)
        self._draw_soon()

    def _select(self, run_id: str | None) -> None:
        """Read another run's log from its beginning, and follow it."""
        self.selected = run_id
        run = next((a.run for a in self.activities if a.run.id == run_id), None)
        self.story = Story(run)
        if run is not None:
            self.work(self._follow, run.id, group="follow", exclusive=True)
            self.remember()
        self._draw_soon()

    async def _follow(self, run_id: str) -> None:
        told = list(await self.engine.runs.events(run_id))
        self.post_message(Told(run_id, told))
        offset = told[-1].next_offset if told else 0
        async for event in self.engine.runs.tail(run_id, offset):
            self.post_message(Told(run_id, [event]))

    @on(Told)
    def _told(self, event: Told) -> None:
        if event.run_id != self.selected:
            return
        for told in event.events:
            self.story.hear(told)
        self._draw_soon()

    # -- meters -----------------------------------------------------------------------------------------------------

    @property
    def is_going(self) -> bool:
        """Whether something runs."""
        return any(not activity.run.state.is_final for activity in self.activities)

    def _meter(self) -> None:
        """Read the meters while somebody looks and something runs; a reading that takes its time is not overtaken."""
        if self.is_going and self.is_current and not self._is_metering and self.proof.engine is not None:
            self._is_metering = True
            self.work(self._read_meters, group="meters")

    async def _read_meters(self) -> None:
        try:
            self.post_message(Metered(await self.engine.monitor.read()))
        finally:
            self._is_metering = False

    @on(Metered)
    def _metered(self, event: Metered) -> None:
        if self.is_going:
            self._show_meters(event.reading)

    def _show_meters(self, reading: Reading | None) -> None:
        """At the foot of the list; gone when nothing runs."""
        rows = meters.rows(reading, self.is_narrow) if reading is not None else []
        self.meters.styles.height = len(rows)
        self.meters.display = bool(rows)
        self.meters.put(*rows)

    # -- drawing ----------------------------------------------------------------------------------------------------

    def _draw_soon(self) -> None:
        """Draw at most ten times a second, however many events come."""
        if self._drawing is None:
            self._drawing = self.set_timer(DRAW_EVERY, self._draw)

    def _draw(self) -> None:
        self._drawing = None
        self.runs_view.display, self.report_view.display = not self.shows_report, self.shows_report
        if self.shows_report:
            self._draw_report()
            return
        story, run = self.story, self.story.run
        dot = ("  ·  ", "faint")
        self.top.here(("training", "strong bold"), *((dot, *words.title(run)) if run else ()))
        if not self.activities:
            self.list.put(*words.nothing_yet(self.proof.engine is not None))
        else:
            room = max(4, self.list.size.height - 2)
            self.list.put(row(("runs", "dim")), *words.run_rows(self.activities, self.selected, room, self.is_narrow))
        self.metrics.put(words.figures(story.curves, story.progress, run, self.is_narrow))
        panels = words.panels(story.curves)
        self.curves.display = bool(panels)  # without curves the card stands at the top, not in mid-screen
        self.curves.draw(panels)
        card = words.card(self.status_of_ranker, self.is_narrow, self.card.size.width)
        self.card.styles.height = len(card)
        self.card.put(*card)
        height = max(1, self.tail.size.height - 1)
        self.tail.put(row(("log", "dim")), *words.log_rows(story.log[-height:]))
        self.offer(self._offered(run))

    def _draw_report(self) -> None:
        """The versions, and what is known of the marked one."""
        used = self.status_of_ranker.version if self.status_of_ranker is not None else None
        self.top.here(("training", "strong bold"), ("  ·  ", "faint"), ("versions of the ranker", "text"))
        room = max(4, self.list.size.height - 2)
        self.list.put(row(("versions", "dim")), *report.versions(self.versions, self.version, used, room))
        marked = self.marked
        self.report_view.show(marked, self.own)
        offered = ["training.report", "training.start", *(["training.down"] if len(self.versions) > 1 else [])]
        if marked is not None and marked.version != used:
            offered.append("training.use")
        self.offer(offered, {"training.report": "runs"})

    @property
    def marked(self) -> ModelRow | None:
        """The version under the cursor."""
        return next((one for one in self.versions if one.version == self.version), None)

    def _offered(self, run: Run | None) -> Sequence[str]:
        offered = ["training.start", "training.report", *(["training.down"] if len(self.activities) > 1 else [])]
        if run is not None and not run.state.is_final:
            offered += ["training.cancel"] if run.detached else ["training.cancel", "training.detach"]
        elif run is not None and _is_to_resume(run):
            offered.append("training.resume")
        return offered

    def relaid(self) -> None:
        self._draw()

    # -- actions ------------------------------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        if self.shows_report:
            numbers = [one.version for one in self.versions]
            if self.version in numbers:
                place = numbers.index(self.version) + step
                self.version = numbers[max(0, min(len(numbers) - 1, place))]
                self._draw()
            return
        names = [activity.run.id for activity in self.activities]
        if self.selected in names:
            wanted = names.index(self.selected) + step
            if 0 <= wanted < len(names):
                self._select(names[wanted])

    def on_click(self, event: Any) -> None:
        """A click on a run selects it."""
        place = event.screen_y - self.list.region.y - 1
        if self.list.region.contains(event.screen_x, event.screen_y) and 0 <= place < len(self.activities):
            self._select(self.activities[place].run.id)

    def action_report(self) -> None:
        self.shows_report = not self.shows_report
        self.remember()
        self._draw()
        self.call_after_refresh(self._draw)

    def action_scroll_report(self, step: int) -> None:
        if self.shows_report:
            self.report_view.turn(step)

    def action_use(self) -> None:
        marked = self.marked
        if self.shows_report and marked is not None:
            self.work(self._use, marked.version, group="use")

    async def _use(self, version: int) -> None:
        await self.engine.ranking.use_model("ranker", version)
        self.notice(f"ranker v{version} suggests from now on", "good")
        await self._judge()

    def action_train(self) -> None:
        if self.proof.engine is not None:
            self.work(self._train, group="train")

    async def _train(self) -> None:
        run = await self.engine.ranking.train()
        self._expect(run)
        self._look()

    def action_cancel(self) -> None:
        run = self.story.run
        if run is None or run.state.is_final:
            self.notice("this run is over; there is nothing to stop")
            return
        self.notice("stopping after this step…")
        self.work(self._cancel, run.id)

    async def _cancel(self, run_id: str) -> None:
        await self.engine.runs.cancel(run_id)
        self._look()

    def action_resume(self) -> None:
        run = self.story.run
        if run is None or not _is_to_resume(run):
            self.notice("only a run that was stopped can be resumed; t trains anew")
            return
        self.work(self._resume, run.id)

    async def _resume(self, run_id: str) -> None:
        run = await self.engine.runs.resume(run_id)
        self._expect(run)
        self._look()

    def action_detach(self) -> None:
        run = self.story.run
        if run is None or run.state.is_final or run.detached:
            self.notice("only a run that is going on here can be detached")
            return
        self.work(self._let_go, run.id)

    async def _let_go(self, run_id: str) -> None:
        run = await self.engine.runs.detach(run_id)
        self._expect(run)
        self.notice("detached: it goes on when you leave", "good")
        self._look()

    def _expect(self, run: Run) -> None:
        """Select this run, begun just now, once the watch knows it; should it fail, say why."""
        self.wanted = run.id
        self._begun.add(run.id)

    def _look(self) -> None:
        if self.proof.run_watch:
            self.proof.run_watch.look_now()
        self._runs()

    def view_state(self) -> dict[str, Any]:
        return {"run": self.selected, "report": self.shows_report}


def _is_to_resume(run: Run) -> bool:
    """It was stopped before its end. One that failed would only fail in the same way again."""
    return run.state in ("interrupted", "cancelled")
