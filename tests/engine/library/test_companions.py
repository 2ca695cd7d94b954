"""What lies beside an image and belongs to it, by name alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.library.companions import companions_of

KINDS = {
    "a.yaml": "yaml", "a.yml": "yaml", "a.txt": "txt", "a.xmp": "xmp", "a.json": "json", "a.embedding.npy": "embedding",
    "a.phash": "phash", "a.saliency.npy": "saliency", "a.hands.json": "hands", "a.jpg.xmp": "xmp", "a.jpg.yaml": "yaml",
    "a.XMP": "xmp",
}  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_every_kind_of_companion_is_noted(name: str, kind: str) -> None:
    assert companions_of(["a.jpg", "b.jpg"], [name]) == {"a.jpg": [(name, kind)]}


@pytest.mark.parametrize("name", ["notes.txt", "ab.yaml", "a.npy", "a.b.yaml", "a.md", "A.yaml", "yaml", ".yaml"])
def test_what_only_looks_like_one_is_not(name: str) -> None:
    assert companions_of(["a.jpg"], [name]) == {}


def test_a_companion_of_two_images_with_one_stem_belongs_to_one_of_them() -> None:
    images = ["a.png", "a.heic", "a.jpg"]
    assert companions_of(images, ["a.xmp", "a.jpg.xmp"]) == {
        "a.heic": [("a.xmp", "xmp")],
        "a.jpg": [("a.jpg.xmp", "xmp")],
    }


def test_a_name_with_dots_keeps_its_stem() -> None:
    assert companions_of(["x.v2.final.png"], ["x.v2.final.yaml"]) == {"x.v2.final.png": [("x.v2.final.yaml", "yaml")]}


@given(st.lists(st.text("ab.", min_size=1, max_size=6)), st.lists(st.sampled_from(sorted(KINDS)), unique=True))
def test_no_companion_belongs_to_two(stems: list[str], others: list[str]) -> None:
    found = companions_of([f"{stem}.jpg" for stem in stems], others)
    noted = [name for beside in found.values() for name, _ in beside]
    assert len(noted) == len(set(noted))
    assert set(noted) <= set(others)
