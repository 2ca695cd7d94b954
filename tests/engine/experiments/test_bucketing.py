"""Bucketing as the specification has it, against an implementation written apart from ours and published vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.experiments.bucketing import (
    bucket_ranges,
    choose_variation,
    choose_variations,
    fnv1a32,
    hash_unit,
    hash_units,
    in_namespace,
)

# FNV-1a 32 of Landon Curt Noll's own test vectors (draft-eastlake-fnv, appendix C).
NOLL = {
    "": 0x811C9DC5,
    "a": 0xE40C292C,
    "b": 0xE70C2DE5,
    "c": 0xE60C2C52,
    "f": 0xE30C2799,
    "fo": 0x6222E842,
    "foo": 0xA9F37ED7,
    "foob": 0x3F5076EF,
    "fooba": 0x39AAA18A,
    "foobar": 0xBF9CF968,
}


def slow_fnv(text: str) -> int:
    """FNV-1a by shifts, as the reference's comment writes the multiplication out."""
    value = 2166136261
    for byte in text.encode():
        value ^= byte
        value = (value + (value << 1) + (value << 4) + (value << 7) + (value << 8) + (value << 24)) % 2**32
    return value


@pytest.mark.parametrize(("text", "expected"), NOLL.items())
def test_fnv_gives_the_published_vectors(text: str, expected: int) -> None:
    assert fnv1a32(text) == expected


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=40), st.text(max_size=20))
def test_both_versions_follow_the_specification(value: str, seed: str) -> None:
    value, seed = value.encode("utf-8", "replace").decode(), seed.encode("utf-8", "replace").decode()
    assert hash_unit(seed, value, 1) == slow_fnv(value + seed) % 1000 / 1000
    assert hash_unit(seed, value, 2) == slow_fnv(str(slow_fnv(seed + value))) % 10000 / 10000


@pytest.mark.parametrize("version", [0, 3, 99, -1])
def test_an_unknown_version_has_no_unit(version: int) -> None:
    assert hash_unit("seed", "value", version) is None
    assert hash_units("seed", ["value"], version) is None


def test_bytes_of_utf8_are_hashed_and_not_characters() -> None:
    value = 0x811C9DC5
    for byte in (0xC3, 0xA9):  # é
        value = ((value ^ byte) * 0x01000193) % 2**32
    assert fnv1a32("é") == value


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=50), st.text(max_size=10), st.sampled_from([1, 2]))
def test_many_at_once_are_the_same_as_one_by_one(values: list[str], seed: str, version: int) -> None:
    found = hash_units(seed, values, version)
    assert found is not None
    assert found.tolist() == [hash_unit(seed, value, version) for value in values]


def test_more_than_one_group_at_once_is_the_same_too() -> None:
    values = [f"user-{number}" * (number % 7 + 1) for number in range(9_001)]
    found = hash_units("s", values, 2)
    assert found is not None
    assert found.tolist() == [hash_unit("s", value, 2) for value in values]


def test_ranges_with_full_coverage() -> None:
    assert bucket_ranges(2, 1, None) == [(0, 0.5), (0.5, 1)]
    assert bucket_ranges(2, 1, [0.4, 0.6]) == [(0, 0.4), (0.4, 1)]


def test_coverage_shortens_each_range_and_moves_none() -> None:
    assert bucket_ranges(2, 0.5, None) == [(0, 0.25), (0.5, 0.75)]


@pytest.mark.parametrize(("coverage", "as_if"), [(-0.2, 0), (1.5, 1), (float("nan"), 0)])
def test_coverage_is_clamped(coverage: float, as_if: float) -> None:
    assert bucket_ranges(2, coverage, None) == bucket_ranges(2, as_if, None)


@pytest.mark.parametrize("weights", [[0.4, 0.1], [0.7, 0.6], [0.5], [0.2, 0.3, 0.5], [], [float("nan"), 0.5]])
def test_weights_that_do_not_fit_become_an_equal_split(weights: list[float]) -> None:
    assert bucket_ranges(2, 1, weights) == [(0, 0.5), (0.5, 1)]


def test_weights_within_a_hundredth_of_one_are_taken_as_they_are() -> None:
    assert bucket_ranges(2, 1, [0.5, 0.495]) == [(0, 0.5), (0.5, 0.995)]
    assert bucket_ranges(3, 1, [0.333, 0.333, 0.333])[1] == (0.333, 0.666)


def test_no_arms_have_no_ranges() -> None:
    assert bucket_ranges(0, 1, None) == []


def test_a_range_holds_its_start_and_not_its_end() -> None:
    ranges = [(0.0, 0.4), (0.6, 1.0)]
    assert [choose_variation(n, ranges) for n in (0.0, 0.39, 0.4, 0.5, 0.6, 0.99, 1.0)] == [0, 0, -1, -1, 1, 1, -1]


def test_choosing_many_is_choosing_each() -> None:
    ranges = [(0.0, 0.3), (0.2, 0.5), (0.7, 1.0)]
    n = np.linspace(0, 1, 101)
    assert choose_variations(n, ranges).tolist() == [choose_variation(one, ranges) for one in n]


def test_a_namespace_holds_those_whose_unit_lies_in_it() -> None:
    n = slow_fnv("user-1" + "__checkout") % 1000 / 1000
    assert in_namespace("user-1", ("checkout", n, n + 0.001))
    assert not in_namespace("user-1", ("checkout", n + 0.001, 1))
    assert not in_namespace("user-1", ("checkout", 0, n))


def test_arms_get_their_share() -> None:
    units = hash_units("resize-prompt", [f"user-{number}" for number in range(50_000)], 2)
    assert units is not None
    chosen = choose_variations(units, bucket_ranges(3, 1, [0.2, 0.3, 0.5]))
    shares = np.bincount(chosen, minlength=3) / len(chosen)
    assert np.abs(shares - [0.2, 0.3, 0.5]).max() < 0.01


# What GrowthBook publishes for its SDKs: (seed, value, version, unit).
PUBLISHED = [
    ("", "a", 1, 0.22),
    ("", "b", 1, 0.077),
    ("b", "a", 1, 0.946),
    ("ef", "d", 1, 0.652),
    ("asdf", "8952klfjas09ujk", 1, 0.549),
    ("", "123", 1, 0.011),
    ("", '___)((*":&', 1, 0.563),
    ("seed", "a", 2, 0.0505),
    ("seed", "b", 2, 0.2696),
    ("foo", "ab", 2, 0.2575),
    ("foo", "def", 2, 0.2019),
]


@pytest.mark.parametrize(("seed", "value", "version", "unit"), PUBLISHED)
def test_units_are_those_of_other_clients(seed: str, value: str, version: int, unit: float) -> None:
    assert hash_unit(seed, value, version) == unit


@pytest.mark.parametrize(
    ("user", "namespace", "is_in"),
    [
        ("1", ("namespace1", 0, 0.4), False),
        ("1", ("namespace1", 0.4, 1), True),
        ("1", ("namespace2", 0, 0.4), False),
        ("1", ("namespace2", 0.4, 1), True),
        ("3", ("namespace1", 0, 0.4), False),
        ("3", ("namespace2", 0, 0.4), True),
        ("3", ("namespace2", 0.4, 1), False),
    ],
)
def test_namespaces_are_those_of_other_clients(user: str, namespace: tuple[str, float, float], is_in: bool) -> None:
    assert in_namespace(user, namespace) is is_in


def test_weights_that_add_to_exactly_the_ends_are_taken() -> None:
    assert bucket_ranges(2, 1, [0.5, 0.49])[1] == (0.5, 0.99)
    assert bucket_ranges(2, 1, [0.5, 0.51])[1] == (0.5, 1.01)
