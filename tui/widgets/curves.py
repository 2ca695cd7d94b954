"""Up to two plots side by side, by textual-plotext: costs at the left, rates at the right.

Plotext is imported when the first curve comes, never at start. Colours follow the theme; a plot has no frame, only
its axes' numbers. Relies on `Panel` values; knows no run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.screens.training_words import CURVE_INKS, CURVE_STROKES, Points
from tui.widgets.lines import inks_of

if TYPE_CHECKING:
    from tui.screens.training_words import Panel


class Curves(Horizontal):
    """Draws panels; empty space while there are none."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: tuple[Panel, ...] = ()
        self._plots: list[Any] = []

    def compose(self) -> ComposeResult:
        return iter(())

    def draw(self, panels: Sequence[Panel]) -> None:
        """Show these; only what changed is plotted again."""
        if tuple(panels) == self._shown:
            return
        self._shown = tuple(panels)
        if panels and not self._plots:
            self.call_later(self._begin)
            return
        self._plot()

    async def _begin(self) -> None:
        """The first curves: now plotext is worth its import."""
        if self._plots:
            return
        from textual_plotext import PlotextPlot

        self._plots = [PlotextPlot(), PlotextPlot()]
        await self.mount_all(self._plots)
        self._plot()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self._plots:
            self._plot()

    def _plot(self) -> None:
        inks = inks_of(self)
        for place, widget in enumerate(self._plots):
            widget.display = place < len(self._shown)
            if not widget.display:
                continue
            panel, plot = self._shown[place], widget.plt
            widget.auto_theme = False
            plot.clear_data()
            plot.clear_color()
            plot.frame(False)
            plot.grid(False, False)
            plot.title("")
            plot.xlabel(panel.title)
            plot.canvas_color("default")
            plot.axes_color("default")
            plot.ticks_color(_rgb(inks("dim")))
            _scale(plot, panel)
            for number, (_, points) in enumerate(panel.curves):
                ink = _rgb(inks(CURVE_INKS[number % len(CURVE_INKS)]))
                is_dashed = CURVE_STROKES[number % len(CURVE_STROKES)] == "╌"
                for dash in dashes(points) if is_dashed else (points,):
                    xs, ys = [x for x, _ in dash], [y for _, y in dash]
                    plot.plot(xs, ys, marker="braille", color=ink)
            widget.refresh()


def _scale(plot: Any, panel: Panel) -> None:
    """Whole steps along x; rates stay within 0 to 1, however much room is left around them."""
    steps = [x for _, points in panel.curves for x, _ in points]
    values = [y for _, points in panel.curves for _, y in points if y == y]
    first, last = int(min(steps)), int(max(steps))
    ticks = sorted({first + (last - first) * part // 4 for part in range(5)})
    plot.xticks(ticks, [str(tick) for tick in ticks])
    if panel.title != "loss" and values and min(values) >= 0 and max(values) <= 1:
        room = max(0.02, (max(values) - min(values)) * 0.1)
        plot.ylim(max(0.0, min(values) - room), min(1.0, max(values) + room))


def dashes(points: Points, dash: float = 0.03) -> list[list[tuple[float, float]]]:
    """A curve cut into dashes with gaps as long as they are: `dash` is a share of the plot's width or height.

    The length along the curve is measured with both axes scaled to 1, as the plot shows them.
    """
    known = np.array([point for point in points if point[1] == point[1]], dtype=np.float64)
    if len(known) < 2:
        return [list(points)]
    spans = np.ptp(known, axis=0)
    steps = np.diff(known, axis=0) / np.where(spans > 0, spans, 1.0)
    along = np.concatenate(([0.0], np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))))
    found = []
    for begin in np.arange(0.0, along[-1], 2 * dash):
        end = min(begin + dash, along[-1])
        inner = along[(along > begin) & (along < end)]
        at = np.concatenate(([begin], inner, [end]))
        found.append(list(zip(*(np.interp(at, along, known[:, axis]).tolist() for axis in (0, 1)), strict=True)))
    return found


def _rgb(style: Any) -> tuple[int, int, int]:
    triplet = style.color.triplet
    return (triplet.red, triplet.green, triplet.blue)
