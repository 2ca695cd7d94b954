"""How fast a run goes, from what its log tells: steady, in batches, standing, and on to other work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clock import iso
from engine.monitor.pace import WINDOW, Pace

START = datetime(2026, 11, 20, 21, 50, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def told(*points: tuple[float, int | None]) -> Pace:
    """A pace that heard of so many images at these seconds; None: progress without images."""
    pace = Pace()
    for seconds, images in points:
        counts = {} if images is None else {"images": images, "failed": images // 10}
        pace.hear("progress", iso(at(seconds)), {"done": images or 0, "total": 1000, "message": "", **counts})
    return pace


def test_a_rate_needs_two_moments() -> None:
    assert told().images_per_second(at(0)) is None
    assert told((1, 50)).images_per_second(at(1)) is None
    assert told((1, 50), (2, 100)).images_per_second(at(2)) == pytest.approx(50)


def test_a_slow_batch_is_no_standstill_and_a_change_shows_within_the_window() -> None:
    batches = told((0, 64), (6, 128), (12, 192))
    assert batches.images_per_second(at(17)) == pytest.approx(64 / 6)
    faster = told(*((second, second * 10) for second in range(20)), *((20 + s, 200 + s * 100) for s in range(12)))
    assert faster.images_per_second(at(31)) == pytest.approx(100)


def test_what_tells_nothing_any_longer_stands_and_what_tells_of_other_work_has_no_rate() -> None:
    assert told((0, 10), (1, 20)).images_per_second(at(2 + WINDOW)) == 0.0
    on = told((0, 10), (1, 20), *((2 + second, 20) for second in range(12)))
    assert on.images_per_second(at(14)) is None
    assert (on.images, on.failed) == (20, 2)


def test_a_run_that_never_speaks_of_images_has_none() -> None:
    steps = told((0, None), (1, None))
    assert (steps.images, steps.failed, steps.images_per_second(at(1)), steps.total) == (None, None, None, 1000)


def test_other_events_are_passed_over() -> None:
    pace = Pace()
    pace.hear("refused", iso(START), {"files": []})
    pace.hear("state", iso(START), {"state": "running"})
    assert (pace.done, pace.images) == (None, None)


@given(st.lists(st.tuples(st.floats(0.001, 30), st.integers(0, 500)), max_size=60))
def test_a_rate_is_never_negative_nor_above_the_fastest_step(steps: list[tuple[float, int]]) -> None:
    seconds, images, fastest = 0.0, 1, 0.0
    points: list[tuple[float, int | None]] = [(0.0, 1)]
    grew = 0.0
    for wait, more in steps:
        seconds, images = seconds + wait, images + more
        points.append((seconds, images))
        if more:
            fastest, grew = max(fastest, more / max(seconds - grew, 1e-3)), seconds
    rate = told(*points).images_per_second(at(seconds))
    assert rate is None or -1e-9 <= rate <= fastest * 1.01 + 1e-6
