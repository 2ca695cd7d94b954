"""LAION's aesthetic predictor for CLIP ViT-B/32: one linear layer on a picture's normalised vector, as a baseline.

https://github.com/LAION-AI/aesthetic-predictor (sa_0_4_vit_b_32_linear.pth). The person brings the file; it is read as
weights are, so that nothing in it is ever run. What it says holds for vectors of that architecture alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import ProofsheetError
from engine.vision import weights
from engine.vision.encoders import Encoder

ARCHITECTURE = "ViT-B-32"
DIMENSION = 512
_REMEDY = (
    "`aesthetic_head` names the linear head for ViT-B-32, such as LAION's sa_0_4_vit_b_32_linear.pth: "
    "a weight of (1, 512) and a bias."
)


@dataclass(frozen=True)
class AestheticHead:
    """score = weight . v / |v| + bias."""

    weight: NDArray[np.float64]
    bias: float

    def __call__(self, vectors: NDArray[Any]) -> NDArray[np.float64]:
        """(n,) how much people at large like pictures with these vectors (n, 512), about 1 to 10."""
        values = np.asarray(vectors, dtype=np.float64)
        lengths = np.maximum(np.linalg.norm(values, axis=1), 1e-12)
        return np.asarray(values @ self.weight / lengths + self.bias, dtype=np.float64)


def judges(encoder: Encoder) -> bool:
    """Whether the head may judge this encoder's vectors."""
    architecture = encoder.card.architecture.removesuffix("-quickgelu")
    return architecture == ARCHITECTURE and encoder.dimension == DIMENSION and encoder.can_embed


def read_head(file: Path) -> AestheticHead:
    """The head in a .safetensors, .pt, .pth or .bin file.

    Raises UsageError when there is no such file, ProofsheetError for another kind of file, anything but tensors, or
    tensors of another shape.
    """
    tensors = weights.read(file.expanduser().absolute())
    flat = {name.rpartition(".")[2]: tensor for name, tensor in tensors.items()}
    if len(tensors) > 2 or "weight" not in flat or tuple(flat["weight"].shape) not in ((1, DIMENSION), (DIMENSION,)):
        shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in list(tensors.items())[:4])
        raise ProofsheetError(f"{file} is no aesthetic head for {ARCHITECTURE}: it holds {shapes}", remedy=_REMEDY)
    weight = flat["weight"].double().numpy().ravel()
    bias = float(flat["bias"].double().numpy().ravel()[0]) if "bias" in flat else 0.0
    if not (np.isfinite(weight).all() and np.isfinite(bias)):
        raise ProofsheetError(f"{file} holds numbers that are none", remedy=_REMEDY)
    return AestheticHead(weight, bias)
