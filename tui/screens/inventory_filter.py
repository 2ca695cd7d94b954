"""The inventory's filter: a query is typed below the list and answered while it is typed; Tab completes its words.

A part of the inventory screen, which says what a query finds. An error in a query is said calmly below, and the list
stays as it was.
"""

from __future__ import annotations

from dataclasses import replace

from textual import on
from textual.timer import Timer

from tui.screens import inventory_words as words
from tui.screens.base import Page
from tui.screens.inventory_messages import Completed, Misread
from tui.widgets.lines import Span

FILTER_AFTER = 0.15  # seconds after the last key of a filter
TOLD_AFTER = 0.3  # seconds until an answer that does not come is said to be waited for


class FilteredPage(Page):
    """A page whose list follows a query. `query_changed` is called when there is another one to answer, `say` when
    what is written around the list may differ."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = ""  # the query that is being answered
        self.misread: tuple[Span, ...] = ()
        self.hint: tuple[Span, ...] = ()  # what the word that is being typed may become
        self._completion: Completed | None = None
        self._typing: Timer | None = None
        self._late: Timer | None = None
        self.is_late = False  # the answer that was asked for lets itself be waited for

    def await_answer(self) -> None:
        """A person waits from now on, and is told so if that takes a moment."""
        self.settle()
        self._late = self.set_timer(TOLD_AFTER, self._tell_of_waiting)

    def _tell_of_waiting(self) -> None:
        self.is_late = True
        self.still_waiting()

    def settle(self) -> None:
        """Nobody waits any more."""
        if self._late is not None:
            self._late.stop()
        self.is_late = False

    def still_waiting(self) -> None:
        """Say that the answer is being waited for."""
        raise NotImplementedError

    def query_changed(self) -> None:
        """Answer `asked`."""
        raise NotImplementedError

    def say(self) -> None:
        """Write what stands around the list."""
        raise NotImplementedError

    @on(Misread)
    def _misunderstood(self, event: Misread) -> None:
        if event.filter == self.asked:
            self.misread = ((event.said, "danger"), ("  " + event.remedy, "dim"))
            self.say()

    def action_filter(self) -> None:
        before = self.asked

        def typed(text: str) -> None:
            if self._typing is not None:
                self._typing.stop()
            self._typing = self.set_timer(FILTER_AFTER, lambda: self.use(text))
            self._complete(text, len(text), is_asked=False)

        def answer(text: str | None) -> None:
            self._completion, self.hint = None, ()
            self.use(before if text is None else text)
            self.say()

        def complete(text: str, cursor: int) -> None:
            self._complete(text, cursor, is_asked=True)

        self.prompt.ask("filter", before, answer, typed, complete=complete)

    def _complete(self, text: str, cursor: int, *, is_asked: bool) -> None:
        last = self._completion
        if is_asked and last is not None and last.is_asked and last.text == text and last.found.candidates:
            self._take(last)  # Tab again: the next one
            return
        self.work(self._look_up, text, cursor, is_asked, group="complete", exclusive=True)

    async def _look_up(self, text: str, cursor: int, is_asked: bool) -> None:
        if self.proof.engine is not None:
            self.post_message(Completed(text, await self.engine.library.complete(text, cursor), is_asked))

    @on(Completed)
    def _completed(self, event: Completed) -> None:
        last = self._completion
        if not self.prompt.display:
            return
        if not event.is_asked and last is not None and last.text == event.text:
            return  # Tab has just put this in
        if event.is_asked and event.found.candidates:
            self._take(event)
            return
        self.hint = words.candidates(event.found.candidates)
        self.say()

    def _take(self, event: Completed) -> None:
        """Put the first candidate in its place; the others move up, for the next Tab."""
        first, *others = event.found.candidates
        text, cursor = event.found.applied(event.text)
        found = replace(event.found, end=cursor, candidates=(*others, first))
        self._completion = Completed(text, found, is_asked=True)
        self.prompt.put(text, cursor)
        self.hint = words.candidates(event.found.candidates)
        self.say()

    def use(self, text: str) -> None:
        """Answer this query from now on."""
        if self._typing is not None:
            self._typing.stop()
        if text != self.asked:
            self.asked, self.misread = text, ()
            self.query_changed()

    def action_clear_filter(self) -> None:
        if not self.banner.close():
            self.use("")
            self.say()
