"""What a run's event log has told so far, as the training screen shows it: curves, log lines, progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tui.runwatch import progress_of

if TYPE_CHECKING:
    from engine.runs import Progress, Run, RunEvent

LOG_KEPT = 400  # lines
POINTS_KEPT = 2000  # a curve's points; older ones are thinned, the shape stays


@dataclass
class Story:
    """What a run's log has told so far."""

    run: Run | None = None
    progress: Progress | None = None
    curves: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)  # (level, text)

    def hear(self, event: RunEvent) -> None:
        """Take one event in."""
        data = event.data
        if event.type == "metric":
            for point in data.get("points", ()):
                self._plot(point)
        elif event.type == "progress":
            self.progress = progress_of(event)
        elif event.type == "log":
            self._note(str(data.get("level", "info")), str(data.get("message", "")))
        elif event.type == "refused":
            for file in data.get("files", ()):
                self._note("refused", f"{file['path']}: {file['reason']}")
        elif event.type == "recovered":
            for one in data.get("what", ()):
                self._note("recovered", f"{one['path']}: {one['message']}" if one["path"] else one["message"])
        elif event.type == "state":
            self._note("state", str(data.get("state", "")))
            for line in str(data.get("error") or "").splitlines():
                self._note("error", line.strip())

    def _plot(self, point: Mapping[str, Any]) -> None:
        step = float(point.get("step", 0))
        for name, value in point.items():
            if name != "step" and isinstance(value, (int, float)):
                points = self.curves.setdefault(name, [])
                points.append((step, float(value)))
                if len(points) > POINTS_KEPT:
                    del points[1:-1:2]

    def _note(self, level: str, text: str) -> None:
        self.log.append((level, text))
        del self.log[:-LOG_KEPT]
