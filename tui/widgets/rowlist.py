"""A list of any length that draws only what is visible and fetches only the pages that it draws.

Half a million rows open at once: the list knows how many there are, asks for pages of `PAGE` rows as they come into
view, and keeps a few. The line API draws; nothing is a widget of its own. It holds no keys: its screen moves it, and
the mouse does.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.widgets.lines import Row, inks_of, row, strip_of

PAGE = 64
KEPT = 4096  # values held, the least recently drawn forgotten first


class RowList(ScrollView, can_focus=False):
    """`draw(value, is_selected)` makes the row of one value; values come by `fill` after a `Wanted`.

    Values are held by `key(index)`, so that a list that grew or was sorted anew shows at once what it had already.
    """

    cursor: var[int] = var(0, init=False)

    @dataclass
    class Wanted(Message):
        """Rows `start` to `start + PAGE` came into view and are not here."""

        rows: RowList
        start: int
        edition: int

    @dataclass
    class Moved(Message):
        """Another row is selected."""

        rows: RowList
        index: int

    @dataclass
    class Opened(Message):
        """A row was clicked twice."""

        rows: RowList
        index: int

    def __init__(
        self,
        draw: Callable[[object, bool], Row],
        key: Callable[[int], Hashable] = int,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._draw = draw
        self._key = key
        self.count = 0
        self.edition = 0
        self._values: OrderedDict[Hashable, object] = OrderedDict()
        self._asked: set[int] = set()

    def begin(self, count: int, cursor: int = 0) -> None:
        """Another list of `count` rows; questions still open for the old one are forgotten."""
        self.edition += 1
        self._asked.clear()
        self.count = count
        self.virtual_size = Size(self.size.width, count)
        self.set_reactive(RowList.cursor, max(0, min(cursor, count - 1)))
        self._reveal()
        self.refresh()

    def fill(self, start: int, values: Sequence[object], edition: int) -> None:
        """The page that was asked for; an answer for an older list is dropped."""
        if edition != self.edition:
            return
        self._asked.discard(start)
        for place, value in enumerate(values, start):
            self._values[self._key(place)] = value
        while len(self._values) > KEPT:
            self._values.popitem(last=False)
        self.refresh()

    def renew(self, values: Mapping[Hashable, object]) -> None:
        """Other values for keys that are held, in place: nothing is blank meanwhile."""
        self._values.update((key, value) for key, value in values.items() if key in self._values)
        self.refresh()

    def value(self, index: int) -> object | None:
        """The value of a row, if it is here."""
        if not 0 <= index < self.count:
            return None
        key = self._key(index)
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def move(self, to: int) -> None:
        """Select another row and bring it into view."""
        wanted = max(0, min(to, self.count - 1))
        if self.count and wanted != self.cursor:
            self.cursor = wanted

    def watch_cursor(self, old: int, new: int) -> None:
        top = round(self.scroll_y)
        self._reveal()
        if round(self.scroll_y) == top:
            self.refresh_line(old)
            self.refresh_line(new)
        self.post_message(self.Moved(self, new))

    def _reveal(self) -> None:
        top, height = round(self.scroll_y), max(1, self.size.height)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True, immediate=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True, immediate=True)

    def on_resize(self, event: events.Resize) -> None:
        self.virtual_size = Size(event.size.width, self.count)
        self._reveal()

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        if shown:  # it has only now come, and knows nothing of where the list stands
            self.vertical_scrollbar.position = self.scroll_y

    def render_line(self, y: int) -> Strip:
        index, width = round(self.scroll_y) + y, self.scrollable_content_region.width
        if index >= self.count:
            return Strip.blank(width, inks_of(self)("text"))
        value = self.value(index)
        if value is None:
            self._want(index)
            line = row(("    …", "faint"))
        else:
            line = self._draw(value, index == self.cursor)
        return strip_of(line, width, inks_of(self))

    def _want(self, index: int) -> None:
        start = index - index % PAGE
        if start not in self._asked:
            self._asked.add(start)
            self.post_message(self.Wanted(self, start, self.edition))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        index = round(self.scroll_y) + event.y
        if index < self.count:
            self.move(index)
            if event.chain == 2:
                self.post_message(self.Opened(self, index))
