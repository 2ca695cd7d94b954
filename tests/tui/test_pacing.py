"""Previews never queue up in front of a key's answer, and never wait where there is no need."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.imaging.pacer import MISSES, PATIENCE, PORTION, PreviewPacer


@dataclass
class Line:
    """A line of `rate` bytes a second and a round trip, with a pacer at its near end. Time is its own."""

    rtt: float = 0.3
    rate: float = 200_000.0
    now: float = 0.0
    answers: bool = True
    drawn: list[str] = field(default_factory=list)
    due: list[float] = field(default_factory=list)
    free_at: float = 0.0
    queued: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pacer = PreviewPacer(self.rtt * 1000, lambda: self.now)

    def draw(self, key: str, size: int) -> None:
        self.drawn.append(key)
        asked = self.pacer.sent(key, size)
        self.free_at = max(self.free_at, self.now) + size / self.rate
        self.queued.append((self.free_at, size))
        if asked and self.answers:
            self.due.append(self.free_at + self.rtt)

    def ask(self, key: str, size: int = PORTION) -> None:
        self.pacer.ask(key, size, lambda: self.draw(key, size))

    def run(self, seconds: float, step: float = 0.01) -> float:
        """Let time pass; returns the longest a key would have waited behind bytes of previews."""
        worst, until = 0.0, self.now + seconds
        while self.now < until:
            self.now += step
            while self.due and self.due[0] <= self.now:
                self.due.pop(0)
                self.pacer.answered()
            self.pacer.tick()
            worst = max(worst, self.free_at - self.now)
        return worst


def test_a_local_terminal_never_waits() -> None:
    line = Line(rtt=0.001)
    for number in range(20):
        line.ask(f"p{number}", 500_000)
    assert len(line.drawn) == 20 and line.pacer.in_flight == 0


def test_a_terminal_that_does_not_answer_at_all_never_waits() -> None:
    pacer = PreviewPacer(None, lambda: 0.0)
    drawn: list[int] = []
    for number in range(5):
        pacer.ask(number, 10**6, lambda number=number: drawn.append(number))
    assert drawn == [0, 1, 2, 3, 4] and not pacer.sent(0, 10**6)


def test_on_a_slow_line_a_key_waits_for_a_fraction_of_a_second_at_most() -> None:
    line = Line()
    for number in range(30):
        line.ask(f"p{number}")
    worst = line.run(10)
    assert len(line.drawn) == 30
    assert worst * line.rate < 80_000, "less than one preview; without pacing it would be 720 kB, 3.6 s"
    assert line.drawn == [f"p{number}" for number in range(30)], "in the order of asking"


def test_the_line_is_kept_busy() -> None:
    line = Line()
    for number in range(30):
        line.ask(f"p{number}")
    line.run(30 * PORTION / line.rate * 1.6 + 2 * line.rtt)
    assert len(line.drawn) == 30, "pacing may cost little of the line's rate"


def test_a_slower_line_than_expected_is_learned() -> None:
    line = Line(rate=60_000.0)
    for number in range(20):
        line.ask(f"p{number}")
    line.run(4)
    assert 30_000 < line.pacer.rate < 120_000
    assert line.run(4) < 1.0


def test_a_newer_wish_replaces_the_older_one_of_the_same_preview() -> None:
    line = Line()
    line.ask("busy", 200_000)
    drawn: list[str] = []
    line.pacer.ask("slot", PORTION, lambda: drawn.append("old"))
    line.pacer.ask("slot", PORTION, lambda: drawn.append("new"))
    line.run(3)
    assert drawn == ["new"]


def test_a_dropped_wish_is_never_drawn_and_its_permission_is_given_back() -> None:
    line = Line()
    line.ask("busy", 200_000)
    line.ask("gone")
    line.pacer.drop("gone")
    line.run(3)
    assert line.drawn == ["busy"]
    line.pacer.ask("granted", 200_000, lambda: None)  # permitted, but the widget disappears before it draws
    line.ask("next")
    assert line.drawn == ["busy"]
    line.pacer.drop("granted")
    assert line.drawn == ["busy", "next"]


def test_a_permission_that_is_never_used_does_not_block_the_line_for_good() -> None:
    line = Line()
    line.pacer.ask("forgotten", 200_000, lambda: None)
    line.ask("next")
    line.run(PATIENCE + 0.1)
    assert line.drawn == ["next"]


def test_answers_that_stop_coming_are_given_up_and_the_rate_goes_on_pacing() -> None:
    line = Line(answers=False)
    for number in range(8):
        line.ask(f"p{number}", 80_000)
    line.run(MISSES * (PATIENCE + 1.0) + 1)
    assert not line.pacer.asks
    before = len(line.drawn)
    line.run(8)
    assert len(line.drawn) > before
    assert len(line.drawn) == 8


def test_something_larger_than_the_window_goes_out_alone() -> None:
    line = Line()
    line.ask("small")
    line.ask("huge", 10**6)
    assert line.drawn == ["small"]
    line.run(1)
    assert line.drawn == ["small", "huge"]


def test_what_another_screen_lies_over_does_not_hold_up_what_is_drawn() -> None:
    line = Line()
    line.pacer.ask("below", 200_000, lambda: None)
    line.ask("also below")
    assert line.pacer.keep(lambda key: key == "above") == ["also below", "below"]
    line.ask("above", 200_000)
    assert line.drawn == ["above"]


def test_a_picture_that_has_begun_is_finished_first() -> None:
    line = Line()
    line.ask("busy", 200_000)
    line.ask("one")
    line.ask("two")
    order: list[str] = []

    def next_of(key: str, left: int) -> None:
        order.append(key)
        line.draw(key, PORTION)
        if left:
            line.pacer.ask(key, PORTION, lambda: next_of(key, left - 1))

    for key in ("one", "two"):
        line.pacer.ask(key, PORTION, lambda key=key: next_of(key, 2))
    line.run(4)
    assert order == ["one"] * 3 + ["two"] * 3
