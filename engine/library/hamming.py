"""All pairs of 64-bit hashes within a Hamming radius, exactly, and fast enough for half a million of them.

Pure functions over arrays; relies on NumPy, whose array operations release the interpreter, so that threads help. By
the pigeonhole principle: when the 64 bits are dealt into r + k bands, two hashes at a distance of r or less agree
wholly in k bands at least. So for each choice of k bands the hashes are sorted by those bits, and only hashes that
agree there are compared (multi-index hashing: Norouzi, Punjani, Fleet, CVPR 2012, with k of their buckets at a time).
Neighbours are compared by sliding the sorted array over itself, contiguously, which costs under a nanosecond a pair.
How many bands is chosen by an estimate on a sample (`bands`); with k = 0 the same code compares everything with
everything.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from queue import Empty, Full, Queue
from threading import Event

import numpy as np
from numpy.typing import NDArray

from engine.library import bands
from engine.library.bands import BITS, Hashes

# Compared at a time: two arrays of this many hashes stay in a core's cache.
_CHUNK = 65_536
# So much is compared in one task: a tenth of a second or so, between which a stop is looked for.
_TASK_PAIRS = 200_000_000
# Found pairs are handed on in portions of about this many.
_PORTION = 500_000
# Pairs held at most while only the nearest are wanted.
_MOST_HELD = 6_000_000


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of positions in the arrays that were searched: `first`, `second` (m,) int64, `distance` (m,) uint8."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    distance: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True, slots=True)
class Near:
    """What a search found. Equal hashes are one `value`: `of` (n,) says which, `count` (v,) how many there are, so that
    ten thousand blank frames are one line and not fifty million pairs. `pairs` are of positions in `values`."""

    values: Hashes
    of: NDArray[np.int64]
    count: NDArray[np.int64]
    pairs: Pairs

    @property
    def pairs_within(self) -> int:
        """How many pairs of hashes lie within the radius, equal ones included."""
        crossing = int((self.count[self.pairs.first] * self.count[self.pairs.second]).sum())
        return crossing + int((self.count * (self.count - 1) // 2).sum())


def near(
    hashes: Hashes,
    radius: int,
    *,
    nearest: int | None = None,
    threads: int | None = None,
    check: Callable[[], None] | None = None,
) -> Near:
    """All pairs of `hashes` (n,) uint64 at a Hamming distance of `radius` bits or less. `check` may raise to stop.

    With `nearest`, hashes in a throng keep only about that many of their nearest, so that twenty thousand frames of one
    scene do not become two hundred million pairs; a pair stays if it is among the nearest of either. Without it, every
    pair is kept, seventeen bytes each; `each_pair` hands them on without keeping any.
    """
    values, of, count = np.unique(hashes, return_inverse=True, return_counts=True)
    found: list[Pairs] = []
    held = 0
    for portion in each_pair(values, radius, threads=threads, check=check):
        found.append(portion)
        held += len(portion)
        if nearest is not None and held > _MOST_HELD:
            found = [_thinned(_joined(found), nearest)]
            held = len(found[0]) // 2  # what stays is looked at again only when as much has come once more
    pairs = _joined(found)
    if nearest is not None and len(pairs) > nearest * len(values):
        pairs = _thinned(pairs, nearest)
    return Near(values, of.astype(np.int64), count.astype(np.int64), pairs)


def _thinned(pairs: Pairs, nearest: int) -> Pairs:
    """Of each hash its `nearest` pairs, and with them whatever is among the nearest of the other."""
    keep = np.zeros(len(pairs), dtype=bool)
    for side in (pairs.first, pairs.second):
        order = np.lexsort((pairs.distance, side))
        ordered = side[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        rank = np.arange(len(ordered)) - np.repeat(starts, np.diff(np.append(starts, len(ordered))))
        keep[order[rank < nearest]] = True
    return Pairs(pairs.first[keep], pairs.second[keep], pairs.distance[keep])


def between(
    new: Hashes, old: Hashes, radius: int, *, threads: int | None = None, check: Callable[[], None] | None = None
) -> Pairs:
    """Pairs within `radius` of one of `new` (first) and one of `old` (second), for images that arrive later.

    A few new ones are compared with every old one; for many, all are searched together and the crossing pairs kept.
    """
    cost = len(new) * len(old) * bands.COMPARE
    every = np.concatenate([new, old])
    if cost <= 0.05 or cost <= 2 * bands.plan(np.unique(every), radius)[1]:
        return _joined(list(_crossing(new, old, radius, check)))
    found = near(every, radius, threads=threads, check=check)
    return _crossed(found, len(new))


def each_pair(
    values: Hashes, radius: int, *, threads: int | None = None, check: Callable[[], None] | None = None
) -> Iterator[Pairs]:
    """All pairs of `values` (n,) uint64, which must differ from one another, within `radius`; in portions, each pair
    once, in no particular order and with no particular one first."""
    if not 0 <= radius <= BITS:
        raise ValueError(f"a radius is 0 to 64 bits, not {radius}")
    if len(values) < 2 or radius == 0:
        return
    k, _ = bands.plan(values, radius)
    count = max(1, threads or min(2, os.cpu_count() or 1))
    yield from _in_threads(_tasks(values, radius, k), count, check or (lambda: None))


Emit = Callable[[Pairs], None]
Task = Callable[[Emit], None]


class _Stopped(Exception):
    """Nobody wants the rest any more."""


def _in_threads(tasks: Iterator[Task], count: int, check: Callable[[], None]) -> Iterator[Pairs]:
    """Carry the tasks out in a few threads, and hand on what they find as it comes: however much it is in all, no more
    than a few portions are held."""
    found: Queue[Pairs] = Queue(maxsize=2 * count)
    stop = Event()

    def emit(pairs: Pairs) -> None:
        while not stop.is_set():
            try:
                found.put(pairs, timeout=0.1)
                return
            except Full:
                continue
        raise _Stopped

    pool = ThreadPoolExecutor(count, thread_name_prefix="hamming")
    waiting: list[Future[None]] = []
    try:
        for task in tasks:
            check()
            waiting.append(pool.submit(task, emit))
            while len(waiting) > count:
                yield from _until_done(waiting.pop(0), found)
        for future in waiting:
            check()
            yield from _until_done(future, found)
        while not found.empty():
            yield found.get()
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _until_done(future: Future[None], found: Queue[Pairs]) -> Iterator[Pairs]:
    while not future.done():
        try:
            yield found.get(timeout=0.01)
        except Empty:
            continue
    future.result()


# -- the search -------------------------------------------------------------------------------------------------------


def _tasks(values: Hashes, radius: int, k: int) -> Iterator[Task]:
    if k == 0:
        whole = np.zeros(1, dtype=np.int64)
        for begin, end in _slides(len(values)):
            yield partial(_slid, values, whole, None, radius, None, begin, end)
        return
    masks = bands.bands(values, radius + k)
    # The bits of each band side by side, so that a choice of bands is a few shifts and not sixty-four.
    packed = [_compressed(values, mask) for mask in masks]
    for chosen in combinations(range(radius + k), k):
        yield partial(_choice, values, packed, masks, chosen, radius)


def _slides(n: int) -> Iterator[tuple[int, int]]:
    """Ranges of offsets, (begin, end), of about equally many pairs."""
    begin = 1
    while begin < n:
        end = min(n, begin + max(1, _TASK_PAIRS // (n - begin)))
        yield begin, end
        begin = end


def _compressed(values: Hashes, mask: np.uint64) -> NDArray[np.uint32]:
    """The bits under `mask`, moved together at the low end."""
    key = np.zeros(len(values), dtype=np.uint32)
    for bit in range(BITS):
        if int(mask) >> bit & 1:
            key = (key << np.uint32(1)) | ((values >> np.uint64(bit)) & np.uint64(1)).astype(np.uint32)
    return key


def _choice(
    values: Hashes, packed: list[NDArray[np.uint32]], masks: Hashes, chosen: tuple[int, ...], radius: int, emit: Emit
) -> None:
    """Emit all near pairs whose first equal bands are the chosen ones."""
    width = 0
    key = np.zeros(len(values), dtype=np.uint32)
    for band in chosen:
        size = int(masks[band]).bit_count()
        key = (key << np.uint32(size)) | packed[band]
        width += size
    # Sixteen bits are sorted by counting, several times faster.
    order = np.argsort(key.astype(np.uint16) if width <= 16 else key, kind="stable")
    key = key[order]
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    mine = bands.mask(masks, chosen)
    earlier = [masks[band] for band in range(chosen[-1]) if band not in chosen]

    def is_first(x: Hashes) -> NDArray[np.bool_]:
        """Whether a pair that differs in `x` comes up for these bands first: each pair is told once."""
        first: NDArray[np.bool_] = (x & mine) == 0
        for mask in earlier:
            first &= (x & mask) != 0
        return first

    _slid(values[order], starts, order, radius, is_first, 1, len(values), emit)


def _slid(
    values: Hashes,
    starts: NDArray[np.int64],
    order: NDArray[np.int64] | None,
    radius: int,
    keep: Callable[[Hashes], NDArray[np.bool_]] | None,
    begin: int,
    end: int,
    emit: Emit,
) -> None:
    """Emit near pairs within each group of consecutive values (beginning at `starts`), sliding by `begin` to `end`.

    What slides across the end of a group is compared, too, and not kept (`keep`): that is cheaper than to mind the
    ends. Groups that are too short for an offset are left out once they are half of what slides.
    """
    sizes = np.diff(np.append(starts, len(values)))
    at = np.arange(len(values), dtype=np.int64) if order is None else order
    found: list[Pairs] = []
    held_back = 0
    buffer, counts = np.empty(_CHUNK, dtype=np.uint64), np.empty(_CHUNK, dtype=np.uint8)
    by_size = np.sort(sizes)
    reach = np.concatenate([[0], np.cumsum(by_size)])
    total = len(values)
    for offset in range(begin, end):
        within = total - int(reach[np.searchsorted(by_size, offset, side="right")])
        if within <= offset:
            break
        if within * 2 <= len(values):
            long = sizes > offset
            held = np.repeat(long, sizes)
            values, at, sizes = values[held], at[held], sizes[long]
        for low in range(0, len(values) - offset, _CHUNK):
            high = min(low + _CHUNK, len(values) - offset)
            x, c = buffer[: high - low], counts[: high - low]
            np.bitwise_xor(values[low:high], values[low + offset : high + offset], out=x)
            np.bitwise_count(x, out=c)
            hits = np.flatnonzero(c <= radius)
            if len(hits) and keep is not None:
                hits = hits[keep(x[hits])]
            if len(hits):
                found.append(Pairs(at[low + hits], at[low + hits + offset], c[hits]))
                held_back += len(hits)
                if held_back >= _PORTION:
                    emit(_joined(found))
                    found, held_back = [], 0
    if found:
        emit(_joined(found))


# -- new against old --------------------------------------------------------------------------------------------------


def _crossing(new: Hashes, old: Hashes, radius: int, check: Callable[[], None] | None) -> Iterator[Pairs]:
    for at, value in enumerate(new):
        if check is not None and at % 64 == 0:
            check()
        counts = np.bitwise_count(old ^ value)
        hits = np.flatnonzero(counts <= radius)
        if len(hits):
            yield Pairs(np.full(len(hits), at, dtype=np.int64), hits, counts[hits].astype(np.uint8))


def _crossed(found: Near, new: int) -> Pairs:
    """Of a search over new and old together, the pairs of a new and an old one."""
    order = np.argsort(found.of, kind="stable")
    starts = np.concatenate([[0], np.cumsum(found.count)])
    ones = np.arange(len(found.values))
    first = np.concatenate([found.pairs.first, ones[found.count > 1]])
    second = np.concatenate([found.pairs.second, ones[found.count > 1]])
    distance = np.concatenate([found.pairs.distance, np.zeros(int((found.count > 1).sum()), dtype=np.uint8)])
    told: list[Pairs] = []
    for a, b, d in zip(first.tolist(), second.tolist(), distance.tolist(), strict=True):
        ours, theirs = order[starts[a] : starts[a + 1]], order[starts[b] : starts[b + 1]]
        for left, right in ((ours, theirs), (theirs, ours)) if a != b else ((ours, theirs),):
            fresh, known = left[left < new], right[right >= new]
            if len(fresh) and len(known):
                told.append(
                    Pairs(
                        np.repeat(fresh, len(known)),
                        np.tile(known - new, len(fresh)),
                        np.full(len(fresh) * len(known), d, dtype=np.uint8),
                    )
                )
    return _joined(told)


def _joined(found: list[Pairs]) -> Pairs:
    if not found:
        nothing = np.zeros(0, dtype=np.int64)
        return Pairs(nothing, nothing, np.zeros(0, dtype=np.uint8))
    return Pairs(
        np.concatenate([one.first for one in found]),
        np.concatenate([one.second for one in found]),
        np.concatenate([one.distance for one in found]),
    )
