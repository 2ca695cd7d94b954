"""Pacing: how many bytes of pictures may be on their way to the terminal at once.

A tty takes whatever it is given, and over SSH it queues for seconds; a key pressed then is answered behind all of it.
So a question is sent behind every portion, and the terminal's answer says that the portion has been drawn. Portions
go out while what is unanswered fits into the line (its rate times the round trip) plus one portion. Where the round
trip is too short to feel, or the terminal never answers, nothing is held. Knows nothing of pictures; never writes; is
told the time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from tui.terminal import SLOW_RTT_MS

PORTION = 24_000
"""Bytes given out at a time. At 200 kB/s, a slow line, that is an eighth of a second."""
FIRST_RATE = 120_000.0  # bytes a second, until the line has shown its own
PATIENCE = 2.0
MISSES = 3


@dataclass(slots=True)
class _Sent:
    size: int
    at: float


@dataclass(slots=True)
class _Granted:
    size: int
    at: float


class PreviewPacer:
    """Gives permission to draw, one portion at a time, in the order of asking; one open wish a picture, the newest.

    `is_active` False gives every permission at once. All methods belong to the event loop's thread; `clock` gives
    seconds.
    """

    def __init__(self, rtt_ms: float | None, clock: Callable[[], float]) -> None:
        self.is_active = rtt_ms is not None and rtt_ms > SLOW_RTT_MS
        self.asks = self.is_active
        """Whether portions are followed by a question. Off once the terminal has stopped answering."""
        self.rate = FIRST_RATE
        self._rtt = (rtt_ms or 0.0) / 1000
        self._clock = clock
        self._waiting: dict[Hashable, tuple[int, Callable[[], None]]] = {}
        self._granted: dict[Hashable, _Granted] = {}
        self._sent: deque[_Sent] = deque()
        self._last_answer = float("-inf")
        self._misses = 0
        self._begun: Hashable = None

    @property
    def in_flight(self) -> int:
        """Bytes permitted or sent that the terminal has not yet answered for."""
        return sum(s.size for s in self._sent) + sum(g.size for g in self._granted.values())

    @property
    def window(self) -> int:
        """How many bytes may be in flight: the line filled, and one portion queued."""
        return int(self.rate * self._rtt) + PORTION

    @property
    def is_waiting(self) -> bool:
        """Whether anything is held or unanswered, so that `tick` is needed."""
        return bool(self._waiting or self._sent or self._granted)

    def ask(self, key: Hashable, size: int, go: Callable[[], None]) -> None:
        """Wish to draw `size` bytes; `go` is called when it may be done, at once where there is room."""
        self.drop(key)
        if not self.is_active:
            go()
            return
        self._waiting[key] = (size, go)
        self._grant()

    def drop(self, key: Hashable) -> None:
        """Forget a wish, and a permission that was not used."""
        self._waiting.pop(key, None)
        if self._granted.pop(key, None):
            self._grant()

    def keep(self, is_drawn: Callable[[Hashable], bool]) -> list[Hashable]:
        """Drop the wishes and permissions of what is not drawn, another screen lying over it. Returns whose."""
        dropped = [key for key in (*self._waiting, *self._granted) if not is_drawn(key)]
        for key in dropped:
            self._waiting.pop(key, None)
            self._granted.pop(key, None)
        self._grant()
        return dropped

    def sent(self, key: Hashable, size: int) -> bool:
        """A permitted portion was drawn. True when a question is to follow it in the same write."""
        if not self.is_active:
            return False
        self._granted.pop(key, None)
        self._sent.append(_Sent(size, self._clock()))
        return self.asks

    def answered(self) -> None:
        """The terminal has drawn the oldest portion."""
        if not self._sent:
            return
        now, portion = self._clock(), self._sent.popleft()
        began = max(self._last_answer, portion.at + self._rtt)
        if (spent := now - began) > 0.002 and portion.size > 2_000:
            self.rate += 0.5 * (portion.size / spent - self.rate)
        elif self._waiting:
            self.rate *= 1.2  # the answer came without delay: there is room for more
        self._last_answer, self._misses = now, 0
        self._grant()

    def tick(self) -> None:
        """Give up on answers that are overdue, by the rate the line has shown."""
        now = self._clock()
        while self._sent:
            oldest = self._sent[0]
            due = oldest.at + self._rtt + oldest.size / self.rate
            if now < (due + PATIENCE if self.asks else due):
                break
            self._sent.popleft()
            if self.asks:
                self._misses += 1
                self.asks = self._misses < MISSES
        for key in [key for key, granted in self._granted.items() if now > granted.at + PATIENCE]:
            del self._granted[key]
        self._grant()

    def _grant(self) -> None:
        while self._waiting:
            # A picture that has begun is finished first: one whole picture is worth more than five halves.
            key = self._begun if self._begun in self._waiting else next(iter(self._waiting))
            size, go = self._waiting[key]
            in_flight = self.in_flight
            if in_flight and in_flight + size > self.window:
                return
            del self._waiting[key]
            self._begun = key
            self._granted[key] = _Granted(size, self._clock())
            go()
