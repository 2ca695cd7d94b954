"""Encoders behind one door: `load(spec)` gives the thing that turns pictures into vectors, and says exactly what it is.

Relies on the built-in descriptor. Never guesses: a spec that is not known is refused with those that are, and an
encoder's identity (name, architecture, weights, preprocessing, dimension) is complete, because two encoders' vectors
must never meet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np
from PIL import Image

from engine.errors import UsageError
from engine.settings import ENCODERS
from engine.vision import builtin
from engine.vision.builtin import Floats, Readings

SPECS = ENCODERS
_PREPROCESSING = f"longest side {builtin.WORKING_SIDE} px, box filter, JFIF YCbCr"


@dataclass(frozen=True)
class EncoderCard:
    """What an encoder is, in full. `weights_sha256` is empty where there are no weights."""

    name: str
    architecture: str
    weights_sha256: str
    preprocessing: str
    dimension: int

    @property
    def identity(self) -> str:
        """SHA-256 over everything on the card: equal for one encoder only, hexadecimal."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


class Encoder(Protocol):
    """Turns pictures into vectors. Safe to use from several threads."""

    @property
    def id(self) -> str:
        """Short name, for folders and columns: `builtin-1`."""

    @property
    def card(self) -> EncoderCard:
        """The whole identity."""

    @property
    def dimension(self) -> int:
        """Width of a vector."""

    def box_for(self, width: int, height: int) -> tuple[int, int]:
        """The box (pixels) into which a picture of that displayed size is best decoded: all it needs, and no more."""

    def encode(self, pictures: Sequence[Image.Image]) -> Floats:
        """(n, dimension) float32 of n RGB pictures."""

    def examine(self, pictures: Sequence[Image.Image]) -> tuple[Floats, list[Readings]]:
        """`encode`, and the plain readings of the same pictures."""


class BuiltinEncoder:
    """The descriptor of `engine.vision.builtin` as an encoder."""

    id = builtin.ENCODER_ID
    dimension = builtin.DIMENSION
    card = EncoderCard(
        name="builtin",
        architecture=f"descriptor-{builtin.VERSION}",
        weights_sha256="",
        preprocessing=hashlib.sha256(
            f"longest side {builtin.WORKING_SIDE}, box filter, JFIF YCbCr".encode()
        ).hexdigest(),
        dimension=builtin.DIMENSION,
    )

    def box_for(self, width: int, height: int) -> tuple[int, int]:
        """A whole fraction (1/1, 1/2, 1/4, 1/8) of the size, because JPEGs decode to these without being resampled."""
        for divisor in (8, 4, 2):
            if max(width, height) >= divisor * builtin.WORKING_SIDE:
                return -(-width // divisor), -(-height // divisor)
        return width, height

    def encode(self, pictures: Sequence[Image.Image]) -> Floats:
        """(n, dimension) float32, each block of a row L2-normalised."""
        return self.examine(pictures)[0]

    def examine(self, pictures: Sequence[Image.Image]) -> tuple[Floats, list[Readings]]:
        """Vectors and readings in one pass."""
        seen = [builtin.examine(picture) for picture in pictures]
        vectors = np.stack([vector for vector, _ in seen]) if seen else np.empty((0, self.dimension), np.float32)
        return vectors, [readings for _, readings in seen]


def load(spec: str = "builtin") -> Encoder:
    """The encoder that `spec` names. `auto` is the built-in one.

    Raises UsageError for any other spec, naming those that are supported.
    """
    if spec in SPECS:
        return BuiltinEncoder()
    raise UsageError(
        f"there is no encoder {spec!r}",
        remedy=f"Set `encoder` to one of: {', '.join(SPECS)} (proofsheet.toml, or PROOFSHEET_ENCODER).",
    )
