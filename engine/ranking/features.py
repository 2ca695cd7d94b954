"""What the ranker looks at, in blocks: the encoder's vector, plain quantities that anyone can name, and local crops.

Pure over arrays. Every block has the same weight as a whole to begin with: a hundred numbers of a vector do not drown
sharpness, and a person's liking for sharp, large or well-exposed images is learned from a dozen sets. Sizes are taken
as log2, so that "twice as many bytes" is the same step for a small picture and a large one. Crops are where the
images of a set differ most; a block that is switched off, or that nobody could compute, is nought throughout.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.library.model import Image
from engine.ranking.learn import feature_scale
from engine.ranking.measures import Floats
from engine.settings import FEATURE_BLOCKS
from engine.vision.builtin import Readings

PLAIN = (*(field.name for field in fields(Readings)), "log2_pixels", "log2_bytes")
"""Names of the plain block, which stands after the vector."""

Features = NDArray[np.float32]


_OFF = 1e30
BLOCKS = (EMBEDDING, QUALITY, CROPS) = FEATURE_BLOCKS


@dataclass(frozen=True)
class Layout:
    """Where each block lies in an image's numbers: the vector, the plain block, and then the crops if there are any."""

    dimension: int
    has_crops: bool = False

    @property
    def width(self) -> int:
        """Numbers an image."""
        return self.dimension * (2 if self.has_crops else 1) + len(PLAIN)

    @property
    def blocks(self) -> dict[str, slice]:
        """Each block's place."""
        plain = self.dimension + len(PLAIN)
        found = {EMBEDDING: slice(0, self.dimension), QUALITY: slice(self.dimension, plain)}
        return found | ({CROPS: slice(plain, self.width)} if self.has_crops else {})


def features(
    vectors: NDArray[Any], readings: Sequence[Readings], pixels: Sequence[int], sizes: Sequence[int]
) -> Features:
    """(n, dimension + len(PLAIN)) float32 of n images; `pixels` is width times height, `sizes` are in bytes."""
    plain = np.array([astuple(one) for one in readings], dtype=np.float32).reshape(len(readings), -1)
    logs = np.log2(np.maximum(np.array([pixels, sizes], dtype=np.float64).T, 1.0))
    return np.hstack([np.asarray(vectors, dtype=np.float32), plain, logs.astype(np.float32)])


def of_images(images: Sequence[Image], vectors: NDArray[Any], readings: Sequence[Readings]) -> Features:
    """The features of images of the library."""
    pixels = [image.width * image.height for image in images]
    return features(vectors, readings, pixels, [image.size for image in images])


def with_crops(rows: Features, crops: NDArray[Any] | None) -> Features:
    """The features of one set (n, d + p) with its crops behind them: `crops` (n, k, d), or None without any."""
    dimension = rows.shape[1] - len(PLAIN)
    local = np.zeros((len(rows), dimension), np.float32) if crops is None else crops.mean(axis=1, dtype=np.float32)
    return np.hstack([rows, np.asarray(local, dtype=np.float32)])


def scale_of(centred: NDArray[Any], blocks: Mapping[str, slice], without: Collection[str] = ()) -> Floats:
    """(d,) what to divide set-centred features by: each feature and each block as a whole come to the same size.

    A block in `without` is divided by a number beyond measure: it is there, and says nothing.
    """
    found = np.ones(centred.shape[1])
    for name, block in blocks.items():
        size = block.stop - block.start
        found[block] = _OFF if name in without else feature_scale(centred[:, block]) * np.sqrt(size)
    return found
