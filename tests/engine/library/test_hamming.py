"""All pairs within a radius: the same as comparing everything with everything, however the hashes lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.library import bands, hamming
from engine.library.hamming import between, each_pair, near

Hashes = NDArray[np.uint64]


def brute(hashes: Hashes, radius: int) -> set[tuple[int, int, int]]:
    """Every pair of places within the radius, with its distance."""
    first, second = np.triu_indices(len(hashes), 1)
    distance = np.bitwise_count(hashes[first] ^ hashes[second])
    near_ones = distance <= radius
    return set(zip(first[near_ones].tolist(), second[near_ones].tolist(), distance[near_ones].tolist(), strict=True))


def told(pairs: hamming.Pairs) -> list[tuple[int, int, int]]:
    rows = zip(pairs.first.tolist(), pairs.second.tolist(), pairs.distance.tolist(), strict=True)
    return [(min(a, b), max(a, b), d) for a, b, d in rows]


def crowded(seed: int, n: int, centres: int, flips: int) -> Hashes:
    """Hashes about a few centres, as photographs of few subjects have them."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, centres, dtype=np.uint64)[rng.integers(0, centres, n)]
    for _ in range(flips):
        hashes = hashes ^ (np.uint64(1) << rng.integers(0, 64, n).astype(np.uint64))
    return hashes


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(2, 300), st.integers(1, 40), st.integers(0, 6), st.integers(0, 16),
)  # fmt: skip
def test_near_finds_exactly_what_brute_force_finds(seed: int, n: int, centres: int, flips: int, radius: int) -> None:
    hashes = crowded(seed, n, centres, flips)
    found = near(hashes, radius)
    by_value = brute(found.values, radius)
    pairs = told(found.pairs)
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == by_value
    assert (found.values[found.of] == hashes).all()
    assert found.pairs_within == len(brute(hashes, radius))


@pytest.mark.parametrize("k", [0, 1, 2, 3])
@pytest.mark.parametrize("radius", [1, 4, 10])
def test_every_number_of_bands_finds_the_same_each_pair_once(
    monkeypatch: pytest.MonkeyPatch, k: int, radius: int
) -> None:
    values = np.unique(crowded(radius, 1500, 60, 4))
    monkeypatch.setattr(bands, "plan", lambda _values, _radius: (k, 0.0))
    pairs = [one for part in each_pair(values, radius) for one in told(part)]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == brute(values, radius)


def test_ten_thousand_equal_hashes_are_one_value_and_not_fifty_million_pairs() -> None:
    found = near(np.full(10_000, 77, dtype=np.uint64), 10)
    assert len(found.pairs) == 0
    assert found.pairs_within == 10_000 * 9_999 // 2


def test_a_single_subject_in_many_shades_is_searched_exactly() -> None:
    values = np.unique(crowded(1, 500, 1, 3))
    assert {one for part in each_pair(values, 6) for one in told(part)} == brute(values, 6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.integers(0, 200), st.integers(0, 12), st.booleans())
def test_new_hashes_against_old_ones(seed: int, new: int, old: int, radius: int, many: bool) -> None:
    hashes = crowded(seed, new + old, 12, 3)
    with pytest.MonkeyPatch.context() as patch:
        if many:
            patch.setattr(bands, "COMPARE", 1.0)  # as if comparing were dear: all are searched together
        pairs = between(hashes[:new], hashes[new:], radius)
    rows = list(zip(pairs.first.tolist(), pairs.second.tolist(), pairs.distance.tolist(), strict=True))
    assert len(rows) == len(set(rows))
    assert set(rows) == {(a, b - new, d) for a, b, d in brute(hashes, radius) if a < new <= b}


def test_a_search_can_be_stopped() -> None:
    class Stopped(Exception):
        pass

    def check() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        near(crowded(3, 500, 500, 0), 10, check=check)


def test_a_radius_beyond_the_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 64"):
        list(each_pair(np.arange(4, dtype=np.uint64), 65))


def test_in_a_throng_only_the_nearest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hamming, "_PORTION", 1_000)
    monkeypatch.setattr(hamming, "_MOST_HELD", 5_000)
    hashes = crowded(2, 400, 1, 3)
    every, thin = near(hashes, 6), near(hashes, 6, nearest=5)
    assert len(every.pairs) > 50_000
    assert len(thin.pairs) < 10_000
    best = dict.fromkeys(range(len(every.values)), 64)
    for a, b, d in told(every.pairs):
        best[a], best[b] = min(best[a], d), min(best[b], d)
    kept = dict.fromkeys(best, 64)
    for a, b, d in told(thin.pairs):
        kept[a], kept[b] = min(kept[a], d), min(kept[b], d)
    assert kept == best
    assert set(told(thin.pairs)) <= set(told(every.pairs))
