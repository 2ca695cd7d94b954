"""How many pictures go to the model at once: found by growth, halved when memory runs out, then remembered.

Pure bookkeeping: it is told how long batches took and answers how large the next should be.
"""

from __future__ import annotations

from collections.abc import Callable

_GAIN = 1.05  # a doubled batch must be this much faster for each picture, else the smaller one is kept


class Batches:
    """The batch size of one encoder on one device.

    Starts at `size` and doubles up to `most` for as long as that pays. `settled` says that it is found, by growth or
    because a device ran out of memory; `remember` is then called with it.
    """

    def __init__(
        self,
        size: int,
        most: int,
        *,
        settled: bool = False,
        remember: Callable[[int], None] = lambda _size: None,
    ) -> None:
        self.size = max(1, min(size, most))
        self.most = most
        self.settled = settled or self.size == most
        self._remember = remember
        self._best = 0.0
        self._trials = 0

    def took(self, count: int, seconds: float) -> None:
        """A batch of `count` pictures was done in so many seconds."""
        if self.settled or count != self.size or seconds <= 0:
            return
        self._trials += 1
        if self._trials == 1:
            return  # the first batch of a size also pays for its setting up
        self._trials = 0
        rate = count / seconds
        if rate < self._best * _GAIN:
            self._settle(max(1, self.size // 2))
        elif self.size * 2 > self.most:
            self._settle(self.size)
        else:
            self._best = rate
            self.size *= 2

    def halve(self, count: int) -> None:
        """A batch of `count` pictures found no room on the device."""
        self.most = max(1, count // 2)
        self._settle(min(self.size, self.most))

    def _settle(self, size: int) -> None:
        self.size = size
        self.settled = True
        self._remember(size)
