"""What is going on, in the corner of every screen."""

from __future__ import annotations

from collections.abc import Sequence

from tui.metering import speed
from tui.runwatch import GLYPHS, Activity
from tui.widgets.lines import Span


def work(active: Sequence[Activity], width: int) -> list[Span]:
    """`◐ scanning 62 %  1,240/s`; more than two runs are counted. A narrow screen has no room for the speed, nor for
    the words of two."""
    spans: list[Span] = []
    for activity in active[:2]:
        share = activity.share
        done = f"{share:.0%}".replace("%", " %") if share is not None else ""
        if share is None and activity.counts and activity.progress is not None and activity.progress.done:
            done = f"{activity.progress.done:,}"
        word = f" {activity.spoken}" if width >= 100 or len(active) == 1 else ""
        spans += [("   " if spans else "", "dim"), (GLYPHS["running"], "suggest"), (word, "dim")]
        spans += [(f" {done}", "text")] if done else []
        if width >= 100 and activity.images_per_second:
            spans.append((f"  {speed(activity.images_per_second)}", "dim"))
    if len(active) > 2:
        spans.append((f"  +{len(active) - 2}", "dim"))
    return spans
