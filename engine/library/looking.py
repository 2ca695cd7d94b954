"""The closer look: of the images that the prints find alike, those that may be two exposures are decoded and compared.

Relies on the decoder, on `closer` for the measures, on the store for paths and capture times. Most pairs need none:
what is alike to the last detail without being moved is a copy, and what the camera says was taken at two moments is
none; and copies of copies are copies. What was seen once is not looked at again after an interruption; a pair of which
one cannot be read is told as such, and is for the next search. Runs in a worker thread, and decodes in a few.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from engine.library import closer, prints, prints_table
from engine.library.apart import decode
from engine.library.exposures import Exposures
from engine.library.grouping import LEAST_CORRELATION, MOST_IN_ONE_PLACE, Picture, are_different_shots
from engine.library.neighbours import Alike
from engine.library.prints_table import Link
from engine.library.shots import pictures_of
from engine.library.source import UnreadableImage, printable
from engine.logs.errors import ErrorLog, refusal
from engine.runs import RunContext
from engine.store import Store
from engine.store.schema import images

# Alike to this without being moved, and at every place: resized or recompressed, and nothing else.
_PLAIN, _PLAIN_IN_ONE_PLACE = 0.99995, 0.02
# A cut-out leaves out this share of the area at least, and lies within the rest but for this share of a side: prints
# are 32 values wide, and place it to a tenth of one.
_LEFT_OUT, _REACHES_OUT = 0.02, 0.004
# Decoded pictures held, 150 kB each.
_HELD = 128
_CHUNK = 500

# Of the first and of the second of a pair.
Framings = tuple[tuple[int, ...], tuple[int, ...]]


class Looking:
    """A closer look for one run; `neighbours.search` calls it with what it finds within `distance` bits. `looked`
    counts the looks taken. What cannot be read is not opened again in the same run: it may have ended its decoder."""

    def __init__(self, run: RunContext, store: Store, max_pixels: int, distance: int, errors: ErrorLog) -> None:
        self._run = run
        self._store = store
        self._max_pixels = max_pixels
        self._distance = distance
        self._errors = errors
        self._held: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._unread: set[int] = set()
        self._lock = threading.Lock()
        self._exposures = Exposures()
        self.looked = 0

    def __call__(self, alike: Sequence[Alike]) -> list[Link]:
        """The links of a portion, with what a closer look found where one was needed."""
        likely = [one for one in alike if self._may_be_one_by_prints(one.link)]
        doubtful = [one for one in likely if not _is_plain(one)]
        with self._store.reading() as connection:
            ids = sorted({image for one in likely for image in (one.link.first, one.link.second)})
            pictures = pictures_of(connection, ids)
            paths = _paths(connection, ids)
            seen = prints_table.seen(connection, [(one.link.first, one.link.second) for one in doubtful])
        found = {(one.link.first, one.link.second): one.link for one in alike} | seen
        for one in likely:
            if _is_plain(one) and _may_be_one_by_time(one.link, pictures):
                self._exposures.join(one.link.first, one.link.second)
        framed = {(one.link.first, one.link.second): _framings(one, pictures) for one in doubtful}
        for key, link in seen.items():
            self._learn(link, framed[key])
        wanted = [
            one
            for one in sorted(doubtful, key=lambda one: -one.link.correlation)
            if (one.link.first, one.link.second) not in seen and _may_be_one_by_time(one.link, pictures)
        ]

        def untold() -> Iterator[Alike]:
            """What does not follow from what was found; asked for only as fast as it is looked at."""
            for one in wanted:
                framings = framed[one.link.first, one.link.second]
                if self._exposures.are_two(one.link.first, one.link.second, framings):
                    found[one.link.first, one.link.second] = replace(one.link, look="passed")
                elif self._exposures.are_one(one.link.first, one.link.second):
                    continue
                elif self._unread.isdisjoint((one.link.first, one.link.second)):
                    yield one
                else:
                    found[one.link.first, one.link.second] = replace(one.link, look="unread")

        for link in self._run.map(lambda one: self._looked(one, paths), untold(), ahead=1):
            found[link.first, link.second] = link
            self._learn(link, framed[link.first, link.second])
            self.looked += 1
            self._run.progress(self.looked, None, "looking closer at what is alike")
        return list(found.values())

    def _may_be_one_by_prints(self, link: Link) -> bool:
        """Whether the prints take two for one picture: they could be wrong."""
        return (
            link.correlation >= LEAST_CORRELATION and link.worst <= MOST_IN_ONE_PLACE and link.phash <= self._distance
        )

    def _learn(self, link: Link, framings: Framings | None) -> None:
        if link.look == "unread":
            return  # nothing was seen: they are neither one exposure nor two
        if link.is_another_exposure:
            self._exposures.part(link.first, link.second, framings)
        else:
            self._exposures.join(link.first, link.second)

    def _looked(self, one: Alike, paths: dict[int, str]) -> Link:
        first, second = self._grey(one.link.first, paths), self._grey(one.link.second, paths)
        if first is None or second is None:
            return replace(one.link, look="unread")
        if min(len(first), len(second)) < closer.LEAST_SIDE:
            return replace(one.link, look="seen")
        side = min(len(first), len(second)) // closer.BLOCKS * closer.BLOCKS
        turned = prints.turned_luma(_sized(first, side), one.position)
        return replace(one.link, look="seen", closer=closer.closer(turned, _sized(second, side), one.place))

    def _grey(self, image: int, paths: dict[int, str]) -> NDArray[np.uint8] | None:
        """The picture squeezed to a square of its longer side, at most `closer.SIDE`; None where it cannot be read."""
        with self._lock:
            if image in self._unread:
                return None
            if image in self._held:
                self._held.move_to_end(image)
                return self._held[image]
        grey = self._decoded(paths.get(image))
        with self._lock:
            if grey is None:
                self._unread.add(image)
                return None
            self._held[image] = grey
            while len(self._held) > _HELD:
                self._held.popitem(last=False)
        return grey

    def _decoded(self, path: str | None) -> NDArray[np.uint8] | None:
        if path is None:
            return None
        try:
            picture = decode(path, (closer.SIDE, closer.SIDE), self._max_pixels)
        except UnreadableImage as problem:
            self._run.refuse(path, problem.reason, problem.code)
            record = refusal(printable(path), problem.code, problem.reason, operation="compare", run=self._run.id)
            self._errors.append([record])
            return None
        return _sized(np.asarray(picture.convert("L"), dtype=np.uint8), max(picture.size))


def _is_plain(one: Alike) -> bool:
    """Whether two are alike to the last detail as they are."""
    return one.unmoved >= _PLAIN and one.link.worst <= _PLAIN_IN_ONE_PLACE


def _framings(one: Alike, pictures: dict[int, Picture]) -> Framings | None:
    """How both are framed, by their pixels: one among eight frames of another size may still be a copy of the next.
    None where one is a cut-out of the other, which frames of a throng are not."""
    first, second = pictures.get(one.link.first), pictures.get(one.link.second)
    if first is None or second is None or _is_cut_out(one.place):
        return None
    return tuple(sorted((first.width, first.height))), tuple(sorted((second.width, second.height)))


def _is_cut_out(place: NDArray[np.float32]) -> bool:
    """Whether either lies within the other, and leaves some of it out."""
    left, width, top, height = (float(value) for value in place)
    area = width * height
    if area > 1:
        left, width, top, height = -left / width, 1 / width, -top / height, 1 / height
    is_within = min(left, top, 1 - left - width, 1 - top - height) >= -_REACHES_OUT
    return is_within and width * height <= 1 - _LEFT_OUT


def _may_be_one_by_time(link: Link, pictures: dict[int, Picture]) -> bool:
    first, second = pictures.get(link.first), pictures.get(link.second)
    return first is not None and second is not None and not are_different_shots(first, second)


def _paths(connection: sa.Connection, image_ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for at in range(0, len(image_ids), _CHUNK):
        query = sa.select(images.c.id, images.c.path).where(images.c.id.in_(image_ids[at : at + _CHUNK]))
        found.update((row.id, row.path) for row in connection.execute(query))
    return found


def _sized(grey: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    if grey.shape == (side, side):
        return grey
    from PIL import Image

    return np.asarray(Image.fromarray(grey).resize((side, side), Image.Resampling.LANCZOS), dtype=np.uint8)
