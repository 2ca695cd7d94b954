"""Deterministic bucketing as in the GrowthBook SDK specification 0.8, so that any client can draw an assignment again.

Relies on NumPy for batches and on nothing else. FNV-1a with 32 bits runs over the UTF-8 bytes of the hashed text: each
byte is one unit (a client that hashes UTF-16 code units agrees only on ASCII ids). Source of every rule:
https://docs.growthbook.io/lib/build-your-own, sections on hashing, bucket ranges, variations and namespaces.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_OFFSET = 0x811C9DC5
_PRIME = 0x01000193
_MASK = 0xFFFFFFFF
WEIGHTS_FROM, WEIGHTS_TO = 0.99, 1.01  # what weights may add to and still be taken as they are
_GROUP = 4_096  # ids hashed together: small enough for the processor's cache

Range = tuple[float, float]


def fnv1a32(text: str) -> int:
    """FNV-1a, 32 bits, over the UTF-8 bytes (Fowler, Noll, Vo). Lone surrogates are hashed as '?'."""
    value = _OFFSET
    for byte in text.encode("utf-8", "replace"):
        value = ((value ^ byte) * _PRIME) & _MASK
    return value


def hash_unit(seed: str, value: str, version: int) -> float | None:
    """Where a value falls in [0, 1): version 1 in thousandths, 2 in ten-thousandths; None for other versions."""
    if version == 1:
        return fnv1a32(value + seed) % 1000 / 1000
    if version == 2:
        return fnv1a32(str(fnv1a32(seed + value))) % 10000 / 10000
    return None


def hash_units(seed: str, values: Sequence[str], version: int) -> NDArray[np.float64] | None:
    """`hash_unit` of many values at once, (n,) float64; None for unknown versions."""
    import numpy as np

    if version not in (1, 2):
        return None
    prefix = seed.encode("utf-8", "replace")
    encoded = [value.encode("utf-8", "replace") for value in values]
    hashed = np.empty(len(encoded), np.uint32)
    for begin in range(0, len(encoded), _GROUP):
        some = encoded[begin : begin + _GROUP]
        if version == 1:
            hashed[begin : begin + _GROUP] = _fnv_many([one + prefix for one in some], _OFFSET)
        else:
            first = _fnv_many(some, _fnv_bytes(prefix))
            hashed[begin : begin + _GROUP] = _fnv_digits(first)
    return hashed % 1000 / 1000 if version == 1 else hashed % 10000 / 10000


def equal_weights(n: int) -> list[float]:
    """The same weight for each of `n` arms; empty for none."""
    return [1 / n] * n if n > 0 else []


def bucket_ranges(n: int, coverage: float, weights: Sequence[float] | None) -> list[Range]:
    """The stretch of [0, 1) that each of `n` arms takes: arms keep their starting points whatever the coverage.

    Coverage is clamped to 0..1. Weights of another number, or that do not add to 1 within .01, fall back to equal ones.
    """
    covered = 0.0 if not coverage > 0 else min(coverage, 1.0)
    shares = list(weights) if weights is not None else equal_weights(n)
    if len(shares) != n or not WEIGHTS_FROM <= sum(shares) <= WEIGHTS_TO:
        shares = equal_weights(n)
    ranges, start = [], 0.0
    for share in shares:
        ranges.append((start, start + covered * share))
        start += share
    return ranges


def choose_variation(n: float, ranges: Sequence[Range]) -> int:
    """The index of the range that holds `n` (start included, end not); -1 when none does."""
    for index, (start, end) in enumerate(ranges):
        if start <= n < end:
            return index
    return -1


def choose_variations(n: NDArray[np.float64], ranges: Sequence[Range]) -> NDArray[np.int64]:
    """`choose_variation` of many, (n,) int64; of overlapping ranges the first counts."""
    import numpy as np

    chosen = np.full(len(n), -1, np.int64)
    for index, (start, end) in reversed(list(enumerate(ranges))):
        chosen[(n >= start) & (n < end)] = index
    return chosen


def in_namespace(user_id: str, namespace: tuple[str, float, float]) -> bool:
    """Whether a user falls into [start, end) of a namespace, given as (name, start, end)."""
    name, start, end = namespace
    n = hash_unit("__" + name, user_id, 1)
    return n is not None and start <= n < end


def _fnv_bytes(data: bytes, value: int = _OFFSET) -> int:
    for byte in data:
        value = ((value ^ byte) * _PRIME) & _MASK
    return value


def _fnv_many(data: Sequence[bytes], start: int) -> NDArray[np.uint32]:
    """FNV-1a of each byte string, begun at `start`: one column of the padded bytes at a time, longest rows last."""
    import numpy as np

    lengths = np.fromiter(map(len, data), np.int64, len(data))
    hashed = np.full(len(data), start, np.uint32)
    if not len(data) or not lengths.max():
        return hashed
    order = np.argsort(-lengths, kind="stable")
    longest = lengths[order]
    flat = np.frombuffer(b"".join(data), np.uint8).astype(np.uint32)
    begins = (np.cumsum(lengths) - lengths)[order]
    value = np.full(len(data), start, np.uint32)
    prime = np.uint32(_PRIME)
    left = np.searchsorted(-longest, -np.arange(longest[0]), side="left")  # how many are longer than each position
    for position, count in enumerate(left):
        value[:count] ^= flat[begins[:count] + position]
        value[:count] *= prime
    hashed[order] = value
    return hashed


def _fnv_digits(numbers: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """FNV-1a of the decimal digits of each number."""
    import numpy as np

    value = np.full(len(numbers), _OFFSET, np.uint32)
    prime = np.uint32(_PRIME)
    has_begun = np.zeros(len(numbers), bool)
    for power in (10**exponent for exponent in range(9, -1, -1)):
        digit = numbers // np.uint32(power) % np.uint32(10)
        has_begun |= (digit > 0) | (power == 1)
        value = np.where(has_begun, (value ^ (digit + np.uint32(48))) * prime, value)
    return value
