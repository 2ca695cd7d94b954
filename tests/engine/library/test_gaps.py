"""What is missing against the recommended mix: honest arithmetic, and a file that may be edited but not misread."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import UsageError
from engine.library import recommended
from engine.library.gaps import coverage, evenness, gaps

FORMATS = {
    name: Fraction(percent, 100) for name, percent in {"jpeg": 70, "heic": 15, "png": 10, "raw": 3, "other": 2}.items()
}


def test_the_fewest_additions_make_every_share_right() -> None:
    found = gaps({"jpeg": 910, "heic": 10, "png": 60, "raw": 10, "other": 10}, FORMATS)
    assert found.limiting == "jpeg"
    assert found.total == 1300, "910 JPEG are 70 % of 1,300 images and of no smaller library"
    assert found.add == {"heic": 185, "png": 70, "raw": 29, "other": 16}
    assert found.short == {"heic": 140, "png": 40, "raw": 20, "other": 10}, "at today's size"


def test_a_library_as_recommended_lacks_nothing() -> None:
    found = gaps({"jpeg": 700, "heic": 150, "png": 100, "raw": 30, "other": 20}, FORMATS)
    assert (found.add, found.short, found.total, found.limiting) == ({}, {}, 1000, None)


def test_what_is_not_wanted_at_all_is_a_surplus_that_no_addition_mends() -> None:
    found = gaps(
        {"day": 50, "night": 40, "fog": 30}, {"day": Fraction(1, 2), "night": Fraction(1, 2), "fog": Fraction(0)}
    )
    assert (found.add, found.surplus, found.total) == ({"night": 10}, 30, 130)


def test_an_empty_library_has_no_gaps_to_speak_of() -> None:
    assert gaps({}, FORMATS).add == {}


@given(
    st.lists(st.integers(0, 100_000), min_size=2, max_size=6).filter(any),
    st.data(),
)
def test_after_the_additions_each_share_is_recommended_to_within_one_image_and_no_fewer_would_do(
    counts: list[int], data: st.DataObject
) -> None:
    parts = data.draw(st.lists(st.integers(1, 50), min_size=len(counts), max_size=len(counts)))
    shares = {str(at): Fraction(part, sum(parts)) for at, part in enumerate(parts)}
    held = {str(at): count for at, count in enumerate(counts)}
    found = gaps(held, shares)
    after = {name: held[name] + found.add.get(name, 0) for name in held}
    assert sum(after.values()) == found.total
    assert all(count > 0 for count in found.add.values())
    for name, share in shares.items():
        assert abs(after[name] - share * found.total) < 1
    if found.add:
        most = max(Fraction(held[name]) / shares[name] for name in held)
        assert found.total == math.ceil(most), "a smaller library would have too large a share of what there is most of"


def test_evenness_goes_from_one_class_alone_to_all_alike() -> None:
    assert evenness([10, 0, 0], 3) == 0.0
    assert evenness([5, 5, 5], 3) == pytest.approx(1.0)
    assert evenness([5, 5, 0, 0], 4) == pytest.approx(0.5)
    assert evenness([], 4) is None
    assert evenness([7]) is None


def test_coverage_counts_the_directions_in_which_vectors_vary() -> None:
    draw = np.random.default_rng(5)
    flat = np.zeros((400, 32), dtype=np.float32)
    flat[:, :4] = draw.normal(size=(400, 4))
    full = draw.normal(size=(4000, 32)).astype(np.float32)
    narrow, wide = coverage(flat), coverage(full)
    assert narrow is not None
    assert wide is not None
    assert narrow.effective_rank == pytest.approx(4, abs=0.1)
    assert wide.effective_rank == pytest.approx(32, abs=0.6)
    pairs = full[:200] / np.linalg.norm(full[:200], axis=1, keepdims=True)
    cosines = pairs @ pairs.T
    expected = 1 - (cosines.sum() - 200) / (200 * 199)
    measured = coverage(full[:200])
    assert measured is not None
    assert measured.spread == pytest.approx(expected, abs=1e-5)


def test_vectors_that_are_all_alike_cover_one_point() -> None:
    same = coverage(np.ones((5, 8), dtype=np.float32))
    assert same is not None
    assert (same.effective_rank, same.spread) == (1.0, 0.0)
    assert coverage(np.zeros((5, 8), dtype=np.float32)) is None
    assert coverage(np.ones((1, 8), dtype=np.float32)) is None


def test_what_ships_is_what_was_recommended(tmp_path: Path) -> None:
    found = recommended.load(tmp_path)
    assert dict(found.shares["format"]) == FORMATS
    assert [float(share) for share in found.shares["quality"].values()] == [0.20, 0.35, 0.30, 0.15]
    assert [float(share) for share in found.shares["lighting"].values()] == [0.50, 0.30, 0.20]
    assert [float(share) for share in found.shares["source"].values()] == [0.60, 0.20, 0.20]
    assert set(found.shares) == set(recommended.AXES)


def test_a_copy_in_the_workspace_counts_instead(tmp_path: Path) -> None:
    (tmp_path / recommended.FILE).write_text(json.dumps({"format": {"jpeg": 99.5, "raw": 0.5}}))
    found = recommended.load(tmp_path)
    assert found.shares == {
        "format": {**dict.fromkeys(FORMATS, 0), "jpeg": Fraction(199, 200), "raw": Fraction(1, 200)}
    }
    assert found.file == str(tmp_path / recommended.FILE)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[]", "is not a JSON object"),
        (b"{", "is not JSON"),
        (b"\xff", "is not UTF-8"),
        (b'{"colour": {"red": 100}}', "there is no axis 'colour'"),
        (b'{"format": {"tiff": 100}}', "'format' has no class 'tiff'"),
        (b'{"format": {"jpeg": "much"}}', "'format.jpeg' is 'much'"),
        (b'{"format": {"jpeg": true, "raw": 99}}', "'format.jpeg' is True"),
        (b'{"format": {"jpeg": -5, "raw": 105}}', "'format.jpeg' is -5"),
        (b'{"format": {"jpeg": 70, "raw": 20}}', "the shares of 'format' add up to 90 %"),
        (b'{"format": {"jpeg": 50, "jpeg": 100}}', "the key 'jpeg' is there twice"),
        (b'{"format": {"jpeg": NaN}}', "NaN is not a number"),
        (b'{"format": 5}', "'format' is not an object of percentages"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_key(content: bytes, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        recommended.parse(content, "/w/recommended_distribution.json")
    assert "/w/recommended_distribution.json" in refused.value.message
    assert said in refused.value.message
