"""The frame that every screen shares: where you are at the top, what happened and which keys matter at the bottom.

Made of `Lines`; they reserve their rows from the start, so nothing moves when a notice comes. `Banner` lies over
the body for errors and asks for no room. Relies on the action registry; knows nothing of any capability.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from tui.actions import Action
from tui.keymap import Keymap
from tui.messages import Tone
from tui.widgets.lines import Lines, Row, Span, clip, row, width_of

_TONES: dict[Tone, str] = {"plain": "text", "good": "decided", "danger": "danger"}


class TopLine(Lines):
    """Where you are and how far, at the left; what goes on behind, at the right.

    In a demo every screen says first that what it shows is simulated.
    """

    def __init__(self, is_demo: bool = False) -> None:
        super().__init__(classes="topline")
        self._is_demo = is_demo
        self._here: tuple[Span, ...] = ()
        self._there: tuple[Span, ...] = ()
        self._behind: tuple[Span, ...] = ()

    def here(self, *spans: Span) -> None:
        """What is on the screen: the most important part first."""
        self._here = spans
        self._redraw()

    def there(self, *spans: Span) -> None:
        """Facts of this screen at the right, such as how often suggestions agreed."""
        self._there = spans
        self._redraw()

    def behind(self, *spans: Span) -> None:
        """Work that goes on behind every screen."""
        self._behind = spans
        self._redraw()

    def on_resize(self) -> None:
        self._redraw()

    def _redraw(self) -> None:
        wide = self.size.width > 100
        demo: tuple[Span, ...] = ()
        if self._is_demo:
            demo = (
                ("demo, simulated picks" if wide else "simulated", "suggest"),
                ("  ·  " if wide else " · ", "faint"),
            )
        gap: tuple[Span, ...] = (("   ", "dim"),) if self._there and self._behind else ()
        tail: tuple[Span, ...] = ((" ", "dim"),)
        self.put(
            Row(
                (("  " if wide else " ", "dim"), *demo, *self._here),
                (*self._there, *gap, *self._behind, *tail),
            )
        )


class StatusLine(Lines):
    """The last thing that happened, at the left; a standing fact at the right. Notices take its left part."""

    def __init__(self) -> None:
        super().__init__(classes="statusline")
        self._last: tuple[Span, ...] = ()
        self._notice: tuple[Span, ...] = ()
        self._fact: tuple[Span, ...] = ()

    def last(self, *spans: Span) -> None:
        """What the person did last."""
        self._last, self._notice = spans, ()
        self._redraw()

    def fact(self, *spans: Span) -> None:
        """A standing fact at the right."""
        self._fact = spans
        self._redraw()

    def notice(self, text: str, tone: Tone = "plain") -> None:
        """A short word in place of the last verdict, until the next one."""
        self._notice = ((text, _TONES[tone]),) if text else ()
        self._redraw()

    def _redraw(self) -> None:
        said = self._notice or self._last
        self.put(Row(((" ", "dim"), *said), (*self._fact, (" ", "dim"))))


class FootLine(Lines):
    """The few keys that matter now, made from the registry; a click on one presses it."""

    def __init__(self, keymap: Keymap, ask: Action) -> None:
        super().__init__(classes="footline")
        self._keymap = keymap
        self._ask = ask
        self._actions: tuple[Action, ...] = ()
        self._labels: dict[str, str] = {}
        self._zones: list[tuple[int, int, Action]] = []

    def offer(self, actions: Iterable[Action], labels: dict[str, str] | None = None) -> None:
        """Offer these actions, most important first; `labels` replaces a label for the moment ('pick ★')."""
        self._actions, self._labels = tuple(actions), labels or {}
        self._redraw()

    def on_resize(self) -> None:
        self._redraw()

    def _redraw(self) -> None:
        width = self.size.width
        spans: list[Span] = [(" ", "dim")]
        ask = self._pair(self._ask, "help")
        self._zones = []
        room = width - width_of(ask) - 4
        gap = "   " if width > 100 else "  "
        pairs = {a: self._pair(a, self._labels.get(a.id) or a.brief or a.label) for a in self._actions}
        for action in sorted((action for action in self._actions if action.terse), key=lambda action: action.terse):
            if sum(width_of(pair) + len(gap) for pair in pairs.values()) + 1 - len(gap) <= room:
                break
            pairs[action] = pairs[action][:1]
        for action, pair in pairs.items():
            at = width_of(spans)
            if at + width_of(pair) > room:
                continue
            self._zones.append((at, at + width_of(pair), action))
            spans += [*pair, (gap, "dim")]
        self._zones.append((width_of(spans), width_of(spans) + width_of(ask), self._ask))
        self.put(Row((*spans, *ask)))

    def _pair(self, action: Action, label: str) -> list[Span]:
        shown = "←→" if action.id.endswith(".right") else self._keymap.shown(action)
        return [(shown, "strong bold"), (" " + label, "dim")]

    async def on_click(self, event: object) -> None:
        x = getattr(event, "x", -1)
        for start, end, action in self._zones:
            if start <= x < end and not action.numbered:
                await self.screen.run_action(action.call)


class Banner(Lines):
    """An error, said calmly over the bottom of the body: what happened, and the remedy. Escape closes it."""

    def __init__(self) -> None:
        super().__init__(classes="banner", ground="raised")
        self.message = ""

    def say(self, message: str, remedy: str = "", tone: Tone = "danger") -> None:
        """Show the message; lines that are too long are folded into at most four."""
        self.message = f"{message}\n{remedy}" if remedy else message
        width = max(self.screen.size.width - 6, 20)
        told = [(line, _TONES[tone]) for line in fold(message, width)]
        told += [(line, "dim") for line in fold(remedy, width)]
        mark = "✗" if tone == "danger" else "✓"
        rows = [row((f" {mark if not n else ' '} ", _TONES[tone]), span) for n, span in enumerate(told[:6])]
        self.styles.height = len(rows)
        self.put(*rows)
        self.display = True

    def close(self) -> bool:
        """Take it away; False when there was none."""
        was, self.display = self.display, False
        self.message = ""
        return was


def fold(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, broken between words."""
    import textwrap

    return [clip(line, width) for part in text.splitlines() for line in textwrap.wrap(part, width)] if text else []


class Prompt(Horizontal):
    """One line of input in place of the status line: a label, a field. Enter answers, Escape leaves."""

    def __init__(self) -> None:
        super().__init__(classes="prompt")
        self._answer: Callable[[str | None], None] | None = None
        self._changed: Callable[[str], None] | None = None
        self._complete: Callable[[str, int], None] | None = None

    def compose(self) -> ComposeResult:
        yield Lines(id="prompt-label", ground="raised")
        yield Input(id="prompt-field", compact=True, select_on_focus=False)

    def ask(
        self,
        label: str,
        value: str,
        answer: Callable[[str | None], None],
        changed: Callable[[str], None] | None = None,
        suggestions: Sequence[str] = (),
        complete: Callable[[str, int], None] | None = None,
    ) -> None:
        """Ask for a text. `answer(text)` on Enter, `answer(None)` on Escape; `changed(text)` at every key;
        `complete(text, cursor)` on Tab, which answers with `put`."""
        from textual.suggester import SuggestFromList

        self._answer, self._changed = None, None
        mark = self.query_one("#prompt-label", Lines)
        mark.styles.width = width_of(((label, ""),)) + 2
        mark.put(row((f" {label} ", "strong")))
        field = self.query_one(Input)
        field.suggester = SuggestFromList(suggestions) if suggestions else None
        field.value = value
        self.display = True
        field.focus()
        self._answer, self._changed, self._complete = answer, changed, complete

    def put(self, text: str, cursor: int) -> None:
        """Change what is being typed."""
        field = self.query_one(Input)
        field.value = text
        field.cursor_position = cursor

    def key_tab(self, event: object) -> None:
        getattr(event, "stop", lambda: None)()
        getattr(event, "prevent_default", lambda: None)()
        if self._complete:
            field = self.query_one(Input)
            self._complete(field.value, field.cursor_position)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._changed:
            self._changed(event.value)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.leave(event.value)

    def key_escape(self, event: object) -> None:
        getattr(event, "stop", lambda: None)()
        self.leave(None)

    def leave(self, value: str | None) -> None:
        """Close, and hand the answer over (None: nothing was asked for after all)."""
        answer, self._answer, self._changed = self._answer, None, None
        self.display = False
        self.screen.set_focus(None)
        if answer:
            answer(value)


def bar(share: float, width: int, ink: str = "text") -> list[Span]:
    """A thin horizontal bar: `share` (0 to 1) of `width` cells, to half a cell, over a faint line."""
    halves = round(max(0.0, min(1.0, share)) * width * 2)
    full, half = divmod(halves, 2)
    drawn = "━" * full + ("╸" if half else "")
    return [(drawn, ink), ("─" * (width - len(drawn)), "rule")]
