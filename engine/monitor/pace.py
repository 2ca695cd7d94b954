"""How fast a run goes, from the events of its log alone, so that a run of another process is measured like our own.

Pure: it is told events and asked at a moment. Runs that handle images say in their progress how many they have handled
(`images`, `failed`); a run that never says has no pace.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.clock import parse_iso

WINDOW = 10.0  # seconds that a rate looks back: several batches of a slow encoder, yet a change shows soon


class Pace:
    """The pace of one run. `images` were handled, `failed` of them in vain; None until it tells."""

    def __init__(self) -> None:
        self.done: int | None = None
        self.total: int | None = None
        self.images: int | None = None
        self.failed: int | None = None
        self._points: deque[tuple[float, int]] = deque()  # (seconds, images), wherever the count grew
        self._told = 0.0  # when the newest progress came

    def hear(self, kind: str, at: str, data: Mapping[str, Any]) -> None:
        """Take in one event of the log; all but progress is passed over."""
        if kind != "progress":
            return
        self.done, self.total = data.get("done"), data.get("total")
        self._told = parse_iso(at).timestamp()
        images = data.get("images")
        if not isinstance(images, int):
            return
        if self.images is None or images > self.images:
            self._points.append((self._told, images))
            while len(self._points) > 2 and self._points[1][0] <= self._told - WINDOW:
                self._points.popleft()
        self.images, self.failed = images, int(data.get("failed") or 0)

    def images_per_second(self, now: datetime) -> float | None:
        """Images a second over the last WINDOW seconds in which images came.

        None until there are two moments to compare, and while the run tells of other work than images (a training that
        has embedded what it needed); 0.0 when it has told nothing at all for longer than WINDOW: it stands.
        """
        if len(self._points) < 2:
            return None
        (begun, before), (latest, images) = self._points[0], self._points[-1]
        if self._told > latest + WINDOW:
            return None
        if now.timestamp() > latest + WINDOW:
            return 0.0
        return (images - before) / max(latest - begun, 1e-3)
