"""The encoders' one door: what is supported, what an encoder is, and how pictures are best decoded for it."""

from __future__ import annotations

import dataclasses

import pytest
from PIL import Image

from engine.errors import UsageError
from engine.vision import encoders


@pytest.mark.parametrize("spec", ["builtin", "auto"])
def test_the_built_in_encoder_needs_nothing(spec: str) -> None:
    encoder = encoders.load(spec)
    assert encoder.id == "builtin-1"
    assert encoder.encode([Image.new("RGB", (60, 40)), Image.new("RGB", (30, 90))]).shape == (2, encoder.dimension)
    assert encoder.encode([]).shape == (0, encoder.dimension)


def test_another_encoder_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="nonsense") as refusal:
        encoders.load("nonsense")
    assert "builtin" in refusal.value.remedy
    assert "open_clip:ARCH/WEIGHTS" in refusal.value.remedy


def test_two_weights_of_one_architecture_are_two_identities() -> None:
    card = encoders.load("builtin").card
    other = dataclasses.replace(card, weights_sha256="ab" * 32)
    assert card.identity != other.identity
    assert card.identity == encoders.load("auto").card.identity


@pytest.mark.parametrize(
    ("size", "box"),
    [((1632, 1224), (408, 306)), ((4032, 3024), (504, 378)), ((900, 600), (450, 300)), ((300, 200), (300, 200))],
)
def test_pictures_are_decoded_at_a_whole_fraction_and_never_too_small(size, box) -> None:
    assert encoders.load().box_for(*size) == box
