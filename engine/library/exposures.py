"""Which images are one exposure, by what was found of pairs: unlike likeness, to be the same exposure is transitive.

Pure; no other module is needed. Copies of copies are copies, so that of a group of nine not all thirty-six pairs must
be looked at. That two exposures differ is believed when two pairs of their images say so: one could be a mistake.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable

# Pairs of images that must differ before two exposures do.
_BELIEVED = 2
# In a throng (the frames of a film, by the thousand) the likest pairs come first; an image that differs from so many
# others framed alike, and has no copy, is taken to differ from the rest that are framed so.
_ENOUGH = 8


class Exposures:
    """Images by id, joined and parted pair by pair."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}
        self._others: defaultdict[int, Counter[int]] = defaultdict(Counter)
        self._throngs: defaultdict[tuple[int, Hashable], set[int]] = defaultdict(set)

    def join(self, one: int, other: int) -> None:
        """These two are one exposure."""
        a, b = self._root(one), self._root(other)
        if a == b:
            return
        if len(self._others[a]) < len(self._others[b]):
            a, b = b, a
        self._parent[b] = a
        self._parent.setdefault(a, a)
        for each, count in self._others.pop(b, Counter()).items():
            del self._others[each][b]
            if each != a:
                self._others[each][a] += count
                self._others[a][each] += count

    def part(self, one: int, other: int, framings: tuple[Hashable, Hashable] | None = None) -> None:
        """These two are two exposures. `framings`: what the rest of `one`'s and of `other`'s throng must have in common
        with them, None where they are of none."""
        a, b = self._root(one), self._root(other)
        if a != b:
            self._others[a][b] += 1
            self._others[b][a] += 1
        if framings is not None:
            self._throngs[one, framings[1]].add(other)
            self._throngs[other, framings[0]].add(one)

    def are_one(self, one: int, other: int) -> bool:
        """Whether these are known to be one exposure."""
        return self._root(one) == self._root(other)

    def are_two(self, one: int, other: int, framings: tuple[Hashable, Hashable] | None = None) -> bool:
        """Whether these are known, or, where they are framed as a throng is, safely taken to be two exposures."""
        a, b = self._root(one), self._root(other)
        if a == b:
            return False
        if self._others[a][b] >= _BELIEVED:
            return True
        if framings is None:
            return False
        return self._is_of_a_throng(one, framings[1]) or self._is_of_a_throng(other, framings[0])

    def _is_of_a_throng(self, image: int, framing: Hashable) -> bool:
        if image in self._parent:
            return False  # it has a copy
        others = self._throngs.get((image, framing), ())
        return len(others) >= _ENOUGH and len({self._root(other) for other in others}) >= _ENOUGH

    def _root(self, image: int) -> int:
        root = image
        while self._parent.get(root, root) != root:
            root = self._parent[root]
        while self._parent.get(image, root) != root:
            self._parent[image], image = root, self._parent[image]
        return root
