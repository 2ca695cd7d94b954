"""Whether two small prints show the same picture: laid over each other, then compared value by value.

Pure functions over batches of 32x32 grey values; relies on NumPy. A hash says that two pictures may be the same; here
one is moved and scaled over the other (as a crop asks for) with its brightness and contrast, by Gauss-Newton steps on
the squared difference (Lucas and Kanade, 1981, with gain and offset), and what then agrees is measured: correlation,
and both hashes once more, of the part that the two have in common.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.library.prints import SIDE, frequencies, hash_of

Float = NDArray[np.float32]

BATCH = 512
_STEPS = 10
# A crop is found as long as it leaves this much of each side; shifts and scales beyond are another picture.
_LEAST_SIDE = 0.82
# Pictures as alike as this need not be moved.
_ALREADY = 0.998

_GRID = ((np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike pairs are, each (m,): `correlation` -1 to 1 of the common part after moving; `phash` and `dhash`, bits
    of 64 that differ there; `worst`, the largest mean difference of a 4x4 block, as a share of the contrast; `unmoved`,
    the correlation before moving; `place` (m, 4), where the second lies in the first: left and width, top and height,
    in shares of the side."""

    correlation: NDArray[np.float32]
    phash: NDArray[np.uint8]
    dhash: NDArray[np.uint8]
    worst: NDArray[np.float32]
    unmoved: NDArray[np.float32]
    place: NDArray[np.float32]


def likeness(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> Likeness:
    """Compare pairs of prints, (m, 32, 32) uint8 each, pair by pair."""
    parts = [_batch(one[at : at + BATCH], other[at : at + BATCH]) for at in range(0, len(one), BATCH)]
    if not parts:
        empty, none = np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.uint8)
        return Likeness(empty, none, none, empty, empty, np.zeros((0, 4), dtype=np.float32))
    return Likeness(*(np.concatenate([getattr(p, name) for p in parts]) for name in Likeness.__slots__))


def _batch(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> Likeness:
    a, b = _soft(one.astype(np.float32)), _soft(other.astype(np.float32))
    place = np.tile(np.array([0, 1, 0, 1], dtype=np.float32), (len(a), 1))
    unmoved = _correlation(a, b)
    moving = np.flatnonzero(unmoved < _ALREADY)
    if len(moving):
        place[moving] = _aligned(a[moving], b[moving])
    ours, theirs = _common(one.astype(np.float32), other.astype(np.float32), place)
    soft_ours, soft_theirs = _soft(ours), _soft(theirs)
    return Likeness(
        _correlation(soft_ours, soft_theirs),
        np.bitwise_count(hash_of(frequencies(_byte(ours))) ^ hash_of(frequencies(_byte(theirs)))),
        np.bitwise_count(_dhash(soft_ours) ^ _dhash(soft_theirs)),
        _worst(ours, theirs),
        unmoved,
        place,
    )


def _soft(values: Float) -> Float:
    """A 3x3 binomial blur with the border repeated."""
    for axis in (1, 2):
        before = np.concatenate([values.take([0], axis), values.take(range(SIDE - 1), axis)], axis)
        after = np.concatenate([values.take(range(1, SIDE), axis), values.take([SIDE - 1], axis)], axis)
        values = (before + 2 * values + after) / 4
    return values


def _byte(values: Float) -> NDArray[np.uint8]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _correlation(a: Float, b: Float) -> Float:
    x, y = a.reshape(len(a), -1), b.reshape(len(b), -1)
    x, y = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
    scale = np.sqrt((x * x).sum(1) * (y * y).sum(1))
    return np.asarray((x * y).sum(1) / np.maximum(scale, 1e-6), dtype=np.float32)


def _aligned(a: Float, b: Float) -> Float:
    """Where each point of `b` lies in `a`: (m, 4) as left and width, top and height, in shares of the side."""
    m = len(a)
    place = np.tile(np.array([0, 1, 0, 1], dtype=np.float32), (m, 1))
    best, best_place = np.full(m, np.inf, dtype=np.float32), place.copy()
    x = np.broadcast_to(_GRID[None, None, :], b.shape)
    y = np.broadcast_to(_GRID[None, :, None], b.shape)
    rows, columns = (np.asarray(slope * SIDE, dtype=np.float32) for slope in np.gradient(a, axis=(1, 2)))
    for _ in range(_STEPS):
        at_x = place[:, 0, None] + place[:, 1, None] * _GRID
        at_y = place[:, 2, None] + place[:, 3, None] * _GRID
        inside = (((at_x >= 0) & (at_x <= 1))[:, None, :] & ((at_y >= 0) & (at_y <= 1))[:, :, None]).astype(np.float32)
        there = _sampled(a, at_x, at_y)
        gain, offset, loss = _fitted(there, b, inside)
        better = loss < best
        best[better], best_place[better] = loss[better], place[better]
        left, down = _sampled(columns, at_x, at_y), _sampled(rows, at_x, at_y)
        g = gain[:, None, None]
        slopes = np.stack([g * left, g * left * x, g * down, g * down * y, there, np.ones_like(there)], -1)
        slopes = slopes.reshape(m, -1, 6)
        weighed = slopes * inside.reshape(m, -1, 1)
        rest = (b - g * there - offset[:, None, None]).reshape(m, -1, 1)
        normal = np.swapaxes(weighed, 1, 2) @ slopes
        normal += np.eye(6, dtype=np.float32) * (1e-4 * np.trace(normal, axis1=1, axis2=2) / 6 + 1e-3)[:, None, None]
        step = np.linalg.solve(normal, np.swapaxes(weighed, 1, 2) @ rest)[:, :4, 0]
        place = place + np.clip(step, -0.06, 0.06)
        place[:, 1::2] = np.clip(place[:, 1::2], _LEAST_SIDE, 1 / _LEAST_SIDE)
        place[:, 0::2] = np.clip(place[:, 0::2], -0.2, 0.2)
    return best_place


def _fitted(there: Float, b: Float, inside: Float) -> tuple[Float, Float, Float]:
    """Gain and offset that make `there` most like `b` where it is `inside`, and what still differs (its variance)."""
    n = np.maximum(inside.sum((1, 2)), 1)
    mean_a, mean_b = (there * inside).sum((1, 2)) / n, (b * inside).sum((1, 2)) / n
    da, db = (there - mean_a[:, None, None]) * inside, (b - mean_b[:, None, None]) * inside
    gain = (da * db).sum((1, 2)) / np.maximum((da * da).sum((1, 2)), 1e-3)
    loss = ((db - gain[:, None, None] * da) ** 2).sum((1, 2)) / np.maximum((db * db).sum((1, 2)), 1e-3)
    return gain.astype(np.float32), (mean_b - gain * mean_a).astype(np.float32), loss.astype(np.float32)


def _sampled(values: Float, at_x: Float, at_y: Float) -> Float:
    """`values` (m, 32, 32) between their points, at columns `at_x` (m, w), rows `at_y` (m, h), shares of the side."""
    rows = _weights(at_y)
    columns = _weights(at_x)
    return np.asarray(rows @ values @ np.swapaxes(columns, 1, 2), dtype=np.float32)


def _weights(at: Float) -> Float:
    """Linear interpolation as a matrix, (m, k, 32): beyond the border, the border's value."""
    place = np.clip(at * SIDE - 0.5, 0, SIDE - 1)[..., None]
    return np.asarray(np.maximum(0, 1 - np.abs(place - np.arange(SIDE))), dtype=np.float32)


def _common(a: Float, b: Float, place: Float) -> tuple[Float, Float]:
    """The part that both show, drawn from each as 32x32."""
    ours: list[Float] = []
    theirs: list[Float] = []
    for left, width in ((place[:, 0], place[:, 1]), (place[:, 2], place[:, 3])):
        low = np.maximum(0, -left / width)
        high = np.minimum(1, (1 - left) / width)
        at = low[:, None] + (high - low)[:, None] * _GRID
        theirs.append(at.astype(np.float32))
        ours.append((left[:, None] + width[:, None] * at).astype(np.float32))
    return _sampled(a, *ours), _sampled(b, *theirs)


def _dhash(values: Float) -> NDArray[np.uint64]:
    """dHash of 32x32 values: whether each of 8x8 places is brighter than the one to its left."""
    columns = (np.arange(9, dtype=np.float32) + 0.5) / 9
    rows = (np.arange(8, dtype=np.float32) + 0.5) / 8
    m = len(values)
    small = _sampled(_soft(values), np.tile(columns, (m, 1)), np.tile(rows, (m, 1)))
    bits = (small[:, :, 1:] > small[:, :, :-1]).reshape(m, 64)
    return np.packbits(bits, axis=-1).view(">u8")[..., 0].astype(np.uint64)


def _worst(a: Float, b: Float) -> Float:
    x, y = a.reshape(len(a), -1), b.reshape(len(b), -1)
    x, y = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
    gain = (x * y).sum(1) / np.maximum((x * x).sum(1), 1e-3)
    rest = (y - gain[:, None] * x).reshape(-1, 8, 4, 8, 4).mean((2, 4))
    return np.asarray(np.abs(rest).max((1, 2)) / np.maximum(y.std(1), 1e-3), dtype=np.float32)
