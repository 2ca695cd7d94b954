"""What the ranker looks at: the encoder's vector of an image and, beside it, plain quantities that anyone can name.

Pure over arrays. Two blocks, each of the same weight as a whole: a hundred numbers of a vector do not drown sharpness,
and a person's liking for sharp, large or well-exposed images is learned from a dozen sets. Sizes are taken as log2, so
that "twice as many bytes" is the same step for a small picture and a large one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.library.model import Image
from engine.ranking.learn import feature_scale
from engine.ranking.measures import Floats
from engine.vision.builtin import Readings

PLAIN = (*(field.name for field in fields(Readings)), "log2_pixels", "log2_bytes")
"""Names of the plain block, which stands after the vector."""

Features = NDArray[np.float32]


def width(dimension: int) -> int:
    """Numbers an image, for an encoder whose vectors have `dimension`."""
    return dimension + len(PLAIN)


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


def scale_of(centred: Floats) -> Floats:
    """(d,) what to divide set-centred features by: each feature and each block as a whole come to the same size."""
    cut = centred.shape[1] - len(PLAIN)
    blocks = [block for block in (centred[:, :cut], centred[:, cut:]) if block.shape[1]]
    return np.concatenate([feature_scale(block) * np.sqrt(block.shape[1]) for block in blocks])
