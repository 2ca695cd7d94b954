"""Held-out sets are honest: no near-duplicate on both sides, and the past predicts the future."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.ranking.split import SplitKind, near_duplicates, set_clusters, split


def test_hashes_a_few_bits_apart_are_near_duplicates_also_in_chains() -> None:
    hashes = np.array([0, 0b111111, 0b111111_111111, 2**64 - 1, 2**64 - 1], dtype=np.uint64)
    clusters = near_duplicates(hashes)
    assert clusters[0] == clusters[1] == clusters[2] != clusters[3]
    assert clusters[3] == clusters[4]


def test_sets_that_share_a_near_duplicate_are_one_cluster() -> None:
    clusters = set_clusters([[0, 1], [2, 3], [4, 5]], np.array([7, 8, 9, 7, 1, 2]))
    assert clusters[0] == clusters[1] != clusters[2]


def test_the_newest_sets_are_held_out_and_their_older_duplicates_are_purged() -> None:
    clusters = np.arange(40)
    clusters[3] = clusters[39]
    found = split(clusters)
    assert found.kind is SplitKind.FORWARD
    assert found.held_out.tolist() == list(range(30, 40))
    assert found.purged == 1
    assert 3 not in found.train


def test_scenes_that_come_back_are_held_out_whole() -> None:
    found = split(np.arange(40) % 8)
    assert found.kind is SplitKind.GROUPED
    assert "not wholly forward" in found.in_words
    assert len(found.held_out) == 10


def test_a_single_scene_is_split_by_set_and_says_so() -> None:
    found = split(np.zeros(20, dtype=np.int64))
    assert found.kind is SplitKind.BY_SET
    assert "says nothing about other scenes" in found.in_words
    assert found.held_out.tolist() == list(range(15, 20))


@given(st.lists(st.integers(0, 12), min_size=4, max_size=120))
def test_no_cluster_is_on_both_sides(labels) -> None:
    clusters = np.array(labels)
    found = split(clusters)
    assert len(found.train) and len(found.held_out)
    assert not set(found.train) & set(found.held_out)
    if found.kind is not SplitKind.BY_SET:
        assert not set(clusters[found.train]) & set(clusters[found.held_out])
    if found.kind is SplitKind.FORWARD:
        assert max(found.train) < min(found.held_out)
