"""Which images are one exposure, by what was found of pairs: unlike likeness, to be the same exposure is transitive.

Pure; no other module is needed. Copies of copies are copies, so that of a group of nine not all thirty-six pairs must
be looked at. That two exposures differ is believed when two pairs of their images say so: one could be a mistake.
"""

from __future__ import annotations

from collections import Counter, defaultdict

# Pairs of images that must differ before two exposures do.
_BELIEVED = 2
# In a throng (the frames of a film, by the thousand) the likest pairs come first; an image that differs from so many
# others, and has no copy, is taken to differ from the rest.
_ENOUGH = 8


class Exposures:
    """Images by id, joined and parted pair by pair."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}
        self._others: defaultdict[int, Counter[int]] = defaultdict(Counter)

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

    def part(self, one: int, other: int) -> None:
        """These two are two exposures."""
        a, b = self._root(one), self._root(other)
        if a != b:
            self._others[a][b] += 1
            self._others[b][a] += 1

    def are_one(self, one: int, other: int) -> bool:
        """Whether these are known to be one exposure."""
        return self._root(one) == self._root(other)

    def are_two(self, one: int, other: int) -> bool:
        """Whether these are known, or safely taken, to be two exposures."""
        a, b = self._root(one), self._root(other)
        if a == b:
            return False
        return self._others[a][b] >= _BELIEVED or self._is_of_a_throng(a) or self._is_of_a_throng(b)

    def _is_of_a_throng(self, root: int) -> bool:
        return root not in self._parent and sum(count > 0 for count in self._others[root].values()) >= _ENOUGH

    def _root(self, image: int) -> int:
        root = image
        while self._parent.get(root, root) != root:
            root = self._parent[root]
        while self._parent.get(image, root) != root:
            self._parent[image], image = root, self._parent[image]
        return root
