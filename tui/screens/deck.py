"""The sets waiting for a verdict, and those that are being got ready: the ranking screen's logic without its widgets.

Keeps the review order as the engine gives it, a few sets ahead loaded with their suggestions, and counts as the
verdicts go. Relies on the doors of `engine.ranking`; never draws.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from engine.ranking import Ranking, Repeat
    from engine.ranking.model import ImageSet, SetCounts
    from engine.review import Suggestion

T = TypeVar("T")

KEPT = 12  # sets held ready, the oldest forgotten first


class Deck:
    """The undecided sets of one project (None: of all), in review order; `current` is the one on the table."""

    def __init__(self, ranking: Ranking, project: str | None = None) -> None:
        self._ranking = ranking
        self.project = project
        self.ids: list[int] = []
        self.current: int | None = None
        self.total = 0
        self.decided = 0
        self.coming: Repeat | None = None  # asked again after the next verdict
        self.repeated: int | None = None  # the set on the table, when it is asked again
        self._to_begin: Repeat | None = None
        self._sets: dict[int, asyncio.Task[ImageSet]] = {}
        self._suggestions: dict[int, asyncio.Task[Suggestion | None]] = {}

    @property
    def number(self) -> int:
        """Which set this is, counting from 1 in the order they are decided."""
        return min(self.decided + 1, max(self.total, 1))

    async def refresh(self) -> None:
        """Ask for the order again; what is on the table stays there."""
        ids = await self._ranking.queue(self.project)
        counts: SetCounts = await self._ranking.total(self.project)
        place = self.ids.index(self.current) if self.current in self.ids else 0
        self.ids, self.total, self.decided = list(ids), counts.total, counts.decided
        if self.current is None:
            self.current = self.ids[0] if self.ids else None
        elif self.current not in self.ids:
            # It was decided elsewhere, or is one that an undo brought back and the queue does not know yet.
            self.ids.insert(min(place, len(self.ids)), self.current)

    def turn_to(self, set_id: int) -> None:
        """Put this set on the table."""
        if set_id not in self.ids:
            self.ids.insert(self.ids.index(self.current) if self.current in self.ids else 0, set_id)
        self.current = set_id

    def advance(self) -> int | None:
        """The set on the table has its verdict; the next one comes, or one that is asked again."""
        if self.current in self.ids:
            place = self.ids.index(self.current)
            self.ids.pop(place)
            if self.current == self.repeated:
                self.repeated = None  # its first verdict stands: nothing more is decided than before
            else:
                self.decided += 1
            self.current = self.ids[place % len(self.ids)] if self.ids else None
        if self.coming is not None:
            self.repeat(self.coming)
        return self.current

    def repeat(self, repeat: Repeat) -> None:
        """Put a set on the table again; `begin` before it is shown."""
        self.coming, self._to_begin, self.repeated = None, repeat, repeat.set_pk
        self.turn_to(repeat.set_pk)

    async def begin(self) -> None:
        """Let the engine know that the set on the table is asked again."""
        if self._to_begin is not None and self._to_begin.set_pk == self.current:
            await self._ranking.begin_repeat(self._to_begin)
        self._to_begin = None

    async def look_ahead(self) -> None:
        """Find out whether a set is to be asked again after the next verdict."""
        due = await self._ranking.repeat_due(self.project, ahead=1) if self.repeated is None else None
        self.coming = due if due is not None and due.set_pk != self.current else None

    def take_back(self, set_id: int, *, is_repeat: bool = False) -> None:
        """A verdict was undone: its set is open again and on the table."""
        if self.repeated is not None and self.repeated != set_id and self.repeated in self.ids:
            self.ids.remove(self.repeated)  # it waits, and comes back later
            if self.current == self.repeated:
                self.current = self.ids[0] if self.ids else None
        self.coming, self.repeated = None, set_id if is_repeat else None
        if not is_repeat:
            self.decided = max(0, self.decided - 1)
        self.turn_to(set_id)

    def drop(self, decided: Collection[int]) -> None:
        """These sets were decided otherwise than one by one."""
        before = len(self.ids)
        place = self.ids.index(self.current) if self.current in self.ids else 0
        after = [one for one in self.ids[place:] if one not in decided]
        self.ids = [one for one in self.ids[:place] if one not in decided] + after
        self.decided += before - len(self.ids)
        if self.current is None or self.current in decided:
            self.current = after[0] if after else self.ids[0] if self.ids else None

    def upcoming(self, most: int = 2) -> list[int]:
        """The sets after the current one."""
        if self.current not in self.ids:
            return []
        place = self.ids.index(self.current)
        again = [self.coming.set_pk] if self.coming is not None else []
        return [*again, *self.ids[place + 1 : place + 1 + most]][:most]

    async def image_set(self, set_id: int) -> ImageSet:
        """A set, loaded once."""
        return await _once(self._sets, set_id, self._ranking.image_set)

    async def suggestion(self, set_id: int) -> Suggestion | None:
        """What the machine would pick, asked once until a new model comes; nothing is said of a set asked again."""
        if set_id == self.repeated or (self.coming is not None and self.coming.set_pk == set_id):
            return None
        return await _once(self._suggestions, set_id, self._ranking.suggest)

    def forget_suggestions(self) -> None:
        """A new model: what the old one said no longer holds."""
        self._suggestions.clear()

    def forget(self, set_id: int) -> None:
        """A set grew or changed: load it again when it is wanted."""
        self._sets.pop(set_id, None)
        self._suggestions.pop(set_id, None)


async def _once(held: dict[int, asyncio.Task[T]], set_id: int, door: Callable[[int], Coroutine[Any, Any, T]]) -> T:
    """The answer for a set, asked for at most once while it is held; a failed or cancelled question is asked again."""
    task = held.get(set_id)
    if task is None or task.cancelled() or (task.done() and task.exception() is not None):
        task = held[set_id] = asyncio.create_task(door(set_id))
        while len(held) > KEPT:
            held.pop(next(iter(held)))
    # Shielded: the screen may stop waiting (the person moved on) while another question still wants the answer.
    return await asyncio.shield(task)
