"""What every screen shares: the frame, the layouts for wide, narrow and too small terminals, and the way to the engine.

A `Page` has a place in the action registry (its keys), a body (its own), and a view state that is put away whenever
it changes and given back on return. Screens call `self.engine.<room>.<method>` from workers and receive the answers
as messages; an error becomes a banner. Nothing here knows a capability.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.worker import Worker

from engine.errors import ProofsheetError
from tui.actions import ACTIONS, Action, Place, footer
from tui.messages import EngineReady, Tone
from tui.widgets.chrome import Banner, FootLine, Prompt, StatusLine, TopLine, fold
from tui.widgets.lines import Lines, Row, row, rule

if TYPE_CHECKING:
    from engine.engine import Engine
    from tui.app import ProofsheetApp

NARROW_BELOW = (110, 30)  # columns, rows: below either, one picture is large and the others are a strip
SMALLEST = (80, 22)  # 24 rows less what a multiplexer takes for itself

_HELP = next(action for action in ACTIONS if action.id == "app.help")


class Page(Screen[Any]):
    """A full screen of the app."""

    place: ClassVar[Place]
    AUTO_FOCUS = ""
    ESCAPE_TO_MINIMIZE = False

    def __init__(self) -> None:
        super().__init__()
        self._is_waiting = False

    def compose(self) -> ComposeResult:
        self.top = TopLine(self.proof.is_demo)
        self.status = StatusLine()
        self.foot = FootLine(self.proof.keymap, _HELP)
        self.banner = Banner()
        self.prompt = Prompt()
        yield self.top
        yield Lines([rule()], classes="rule")
        yield from self.compose_body()
        yield Lines([rule()], classes="rule")
        yield from self.compose_below()
        yield self.status
        yield self.prompt
        yield self.foot
        yield self.banner
        yield Lines(classes="toosmall")

    def compose_body(self) -> ComposeResult:
        """The screen's own part: one widget of class `body`."""
        raise NotImplementedError

    def compose_below(self) -> ComposeResult:
        """What the screen always shows between its body and the status line; nothing as a rule."""
        return iter(())

    @property
    def proof(self) -> ProofsheetApp:
        """The app, by its own type."""
        return cast("ProofsheetApp", self.app)

    @property
    def engine(self) -> Engine:
        """The open engine. Only after EngineReady."""
        engine = self.proof.engine
        if engine is None:
            raise ProofsheetError("the library is still being opened", remedy="Try again in a moment.")
        return engine

    @property
    def is_narrow(self) -> bool:
        """True where the stacked layout is used."""
        return self.has_class("-narrow")

    def on_mount(self) -> None:
        self.offer()
        self.proof.show_work(self)
        if self.proof.engine is not None:
            self.post_message(EngineReady())

    def on_resize(self, event: events.Resize) -> None:
        width, height = event.size
        narrow = width < NARROW_BELOW[0] or height < NARROW_BELOW[1]
        small = width < SMALLEST[0] or height < SMALLEST[1]
        changed = narrow != self.is_narrow
        self.set_class(narrow, "-narrow")
        self.set_class(small, "-small")
        if small:
            self.query_one(".toosmall", Lines).put(
                rule(ink="background"),
                *_too_small(width, height),
            )
        if changed:
            self.call_after_refresh(self.relaid)

    @property
    def is_small(self) -> bool:
        """True where the terminal is too small to show anything but that."""
        return self.has_class("-small")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse every key while nothing can be seen: a verdict on a set that is not shown is no verdict."""
        return not self.is_small and super().check_action(action, parameters)

    def relaid(self) -> None:
        """The layout changed between wide and narrow."""

    def offer(self, only: Iterable[str] | None = None, labels: dict[str, str] | None = None) -> None:
        """Offer the keys that matter now: the place's own, or `only` these; `labels` says them in today's words."""
        self.foot.offer(footer(self.place, only), labels)

    def actions(self) -> list[Action]:
        """The actions of this screen, for the palette and help."""
        return [action for action in ACTIONS if action.place == self.place]

    def notice(self, text: str, tone: Tone = "plain") -> None:
        """A short word at the bottom."""
        self.status.notice(text, tone)

    def work(
        self, call: Callable[..., Awaitable[None]], *args: Any, group: str = "default", exclusive: bool = False
    ) -> None:
        """Do something slow; an error in it becomes a banner, never a traceback."""

        async def task() -> None:
            await self.proof.guarded(call, *args)

        _worker: Worker[None] = self.run_worker(task, group=group, exclusive=exclusive, exit_on_error=False)

    def calmly(self, call: Callable[[], None], period: float) -> None:
        """Call once after `period` seconds, however often this is asked meanwhile: growth comes in many small steps."""
        if self._is_waiting:
            return

        def now() -> None:
            self._is_waiting = False
            call()

        self._is_waiting = True
        self.set_timer(period, now)

    def remember(self) -> None:
        """Put the view state away, soon."""
        self.proof.remember(self.place, self.view_state())

    def view_state(self) -> dict[str, Any]:
        """What is needed to come back to exactly this view."""
        return {}

    async def key_escape(self) -> None:
        self.banner.close()


def _too_small(width: int, height: int) -> Iterable[Row]:
    said = (
        ("This terminal is too small.", "strong"),
        (f"It has {width}×{height}; Proofsheet needs {SMALLEST[0]}×{SMALLEST[1]}.", "dim"),
        ("Make the window larger, or the font smaller.", "dim"),
        ("Nothing is lost. Until then keys do nothing; q leaves.", "dim"),
    )
    for text, ink in said:
        yield from (row((f"  {line}", ink)) for line in fold(text, max(8, width - 4)))
