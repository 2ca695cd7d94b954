"""All pairs of 64-bit hashes within a Hamming radius, exactly, and fast enough for half a million of them.

Pure functions over arrays; relies on NumPy, whose array operations release the interpreter, so that threads help. By
the pigeonhole principle: when the 64 bits are dealt into r + k bands, two hashes at a distance of r or less agree
wholly in k bands at least. So for each choice of k bands the hashes are sorted by those bits, and only hashes that
agree there are compared (multi-index hashing: Norouzi, Punjani, Fleet, CVPR 2012, with k of their buckets at a time).
Neighbours are compared by sliding the sorted array over itself, contiguously, which costs under a nanosecond a pair.
How many bands is chosen by an estimate on a sample, because photographs' hashes are far from uniform; with k = 0 the
same code compares everything with everything.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

BITS = 64
Hashes = NDArray[np.uint64]

# Compared at a time: two arrays of this many hashes stay in a core's cache.
_CHUNK = 65_536
# So much is compared in one task: a tenth of a second or so, between which a stop is looked for.
_TASK_PAIRS = 200_000_000
# Seconds, measured on one core: to compare a pair; to handle one that is near; to sort and lay out one hash.
_COMPARE, _HANDLE, _SORT = 0.8e-9, 40e-9, 15e-9
_SAMPLE = 8_192
_MOST_CHOICES = 1_500


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


def near(hashes: Hashes, radius: int, *, threads: int | None = None, check: Callable[[], None] | None = None) -> Near:
    """All pairs of `hashes` (n,) uint64 at a Hamming distance of `radius` bits or less. `check` may raise to stop."""
    values, of, count = np.unique(hashes, return_inverse=True, return_counts=True)
    found = list(each_pair(values, radius, threads=threads, check=check))
    return Near(values, of.astype(np.int64), count.astype(np.int64), _joined(found))


def between(
    new: Hashes, old: Hashes, radius: int, *, threads: int | None = None, check: Callable[[], None] | None = None
) -> Pairs:
    """Pairs within `radius` of one of `new` (first) and one of `old` (second), for images that arrive later.

    A few new ones are compared with every old one; for many, all are searched together and the crossing pairs kept.
    """
    cost = len(new) * len(old) * _COMPARE
    every = np.concatenate([new, old])
    if cost <= 0.05 or cost <= 2 * _plan(np.unique(every), radius)[1]:
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
    k, _ = _plan(values, radius)
    count = max(1, threads or min(2, os.cpu_count() or 1))
    pool = ThreadPoolExecutor(count, thread_name_prefix="hamming")
    try:
        yield from _in_threads(pool, count, _tasks(values, radius, k), check)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


Task = Callable[[], list[Pairs]]


def _in_threads(
    pool: ThreadPoolExecutor, count: int, tasks: Iterator[Task], check: Callable[[], None] | None
) -> Iterator[Pairs]:
    waiting: list[Future[list[Pairs]]] = []
    for task in tasks:
        if check is not None:
            check()
        waiting.append(pool.submit(task))
        if len(waiting) > count:
            yield from waiting.pop(0).result()
    for future in waiting:
        if check is not None:
            check()
        yield from future.result()


# -- the plan ---------------------------------------------------------------------------------------------------------


def _plan(values: Hashes, radius: int) -> tuple[int, float]:
    """How many bands are to agree (k, 0 for none), and the seconds that this is expected to take on one core."""
    n = len(values)
    sample = values if n <= _SAMPLE else np.random.default_rng(0).choice(values, _SAMPLE, replace=False)
    scale = (n / max(len(sample), 1)) ** 2
    near_ones = _histogram(sample, radius) * scale
    best = (0, n * (n - 1) / 2 * _COMPARE + near_ones.sum() * _HANDLE)
    for k in range(1, 5):
        bands = radius + k
        choices = math.comb(bands, k)
        if bands > BITS or choices > _MOST_CHOICES:
            break
        masks = _bands(sample, bands)
        tried = list(combinations(range(bands), k))
        some = tried[:: max(1, len(tried) // 12)]
        compared = float(np.mean([_agreeing(sample & _mask(masks, one)) for one in some])) * len(tried) * scale
        # A pair at distance d leaves about bands * (1 - 1/bands)^d bands equal, and comes up for each k of them.
        equal = bands * (1 - 1 / bands) ** np.arange(radius + 1)
        again = float((near_ones * np.array([_choose(e, k) for e in equal])).sum())
        cost = choices * n * _SORT + compared * _COMPARE + again * _HANDLE
        if cost < best[1]:
            best = (k, cost)
    return best


def _choose(n: float, k: int) -> float:
    return float(np.prod([(n - i) / (i + 1) for i in range(k)])) if n > k - 1 else 0.0


def _histogram(sample: Hashes, radius: int) -> NDArray[np.float64]:
    """How many pairs of the sample lie at each distance up to `radius`, (radius + 1,)."""
    few = sample[:2048]
    counts = np.zeros(BITS + 1)
    for at in range(0, len(few), 256):
        counts += np.bincount(np.bitwise_count(few[at : at + 256, None] ^ few[None]).ravel(), minlength=BITS + 1)
    counts[0] -= len(few)
    return np.asarray(counts[: radius + 1] / 2 * (len(sample) / max(len(few), 1)) ** 2)


def _agreeing(keys: Hashes) -> float:
    _, counts = np.unique(keys, return_counts=True)
    return float((counts * (counts - 1) // 2).sum())


def _bands(values: Hashes, bands: int) -> Hashes:
    """The bits dealt into bands, as masks (bands,) uint64: each band gets its share of bits that really vary."""
    bits = np.unpackbits(values[: _SAMPLE * 4].astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
    order = np.argsort(np.abs(bits.mean(axis=0) - 0.5), kind="stable")
    masks = [0] * bands
    for place, bit in enumerate(order):
        turn, at = divmod(place, bands)
        masks[at if turn % 2 == 0 else bands - 1 - at] |= 1 << (BITS - 1 - int(bit))
    return np.array(masks, dtype=np.uint64)


def _mask(masks: Hashes, chosen: tuple[int, ...]) -> np.uint64:
    return np.uint64(np.bitwise_or.reduce(masks[list(chosen)]))


# -- the search -------------------------------------------------------------------------------------------------------


def _tasks(values: Hashes, radius: int, k: int) -> Iterator[Task]:
    if k == 0:
        whole = np.zeros(1, dtype=np.int64)
        for begin, end in _slides(len(values)):
            yield lambda begin=begin, end=end: _slid(  # type: ignore[misc]
                values, whole, None, radius, lambda _x: np.ones(len(_x), dtype=bool), begin, end
            )
        return
    masks = _bands(values, radius + k)
    # The bits of each band side by side, so that a choice of bands is a few shifts and not sixty-four.
    packed = [_compressed(values, mask) for mask in masks]
    for chosen in combinations(range(radius + k), k):
        yield lambda chosen=chosen: _choice(values, packed, masks, chosen, radius)  # type: ignore[misc]


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
    values: Hashes, packed: list[NDArray[np.uint32]], masks: Hashes, chosen: tuple[int, ...], radius: int
) -> list[Pairs]:
    """All near pairs whose first equal bands are the chosen ones."""
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
    mine = _mask(masks, chosen)
    earlier = [masks[band] for band in range(chosen[-1]) if band not in chosen]

    def is_first(x: Hashes) -> NDArray[np.bool_]:
        """Whether a pair that differs in `x` comes up for these bands first: each pair is told once."""
        first: NDArray[np.bool_] = (x & mine) == 0
        for mask in earlier:
            first &= (x & mask) != 0
        return first

    return _slid(values[order], starts, order, radius, is_first, 1, len(values))


def _slid(
    values: Hashes,
    starts: NDArray[np.int64],
    order: NDArray[np.int64] | None,
    radius: int,
    keep: Callable[[Hashes], NDArray[np.bool_]],
    begin: int,
    end: int,
) -> list[Pairs]:
    """Near pairs within each group of consecutive values (beginning at `starts`), sliding by `begin` to `end` places.

    What slides across the end of a group is compared, too, and not kept (`keep`): that is cheaper than to mind the
    ends. Groups that are too short for an offset are left out once they are half of what slides.
    """
    sizes = np.diff(np.append(starts, len(values)))
    at = np.arange(len(values), dtype=np.int64) if order is None else order
    found: list[Pairs] = []
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
            if len(hits):
                hits = hits[keep(x[hits])]
                if len(hits):
                    found.append(Pairs(at[low + hits], at[low + hits + offset], c[hits]))
    return found


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
