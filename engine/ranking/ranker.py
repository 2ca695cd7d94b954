"""The saved ranker: a weight for every feature, and how scores become probabilities. Ranks with numpy alone.

Relies on numpy and safetensors (torch is never imported to rank). A model is data: a `.safetensors` file and a JSON
card beside it, each written whole or not at all. Vectors of another encoder than the card names are refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import ProofsheetError
from engine.ranking.measures import Calibration, Floats

NAME = "ranker"
_UNIFIED = "weight"
_EVALUATED = "weight_evaluated"
_PROJECT = "project:"
_EVALUATED_PROJECT = "evaluated:"


@dataclass(frozen=True)
class LinearRanker:
    """score(image) = weight . (features - mean features of its set); see `features` for what they are.

    `weight` is (d,) float64 in the features' own units; `evaluated` is the weight that the held-out figures were
    measured with (learned without the held-out sets), which is what a later version is compared with. `projects`
    holds a weight of their own for projects (casefolded ids) when the model was trained per project, and
    `evaluated_projects` the same without the held-out sets.
    """

    name: str
    version: int
    encoder: str
    weight: Floats
    evaluated: Floats
    calibration: Calibration
    projects: Mapping[str, Floats] = field(default_factory=dict)
    evaluated_projects: Mapping[str, Floats] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """How suggestions name it, as `ranker_v4`."""
        return f"{self.name}_v{self.version}"

    def as_evaluated(self) -> LinearRanker:
        """The ranker whose held-out figures are on the card: it has never seen those sets."""
        return replace(self, weight=self.evaluated, projects=self.evaluated_projects)

    def scores(self, features: NDArray[Any], project: str | None = None) -> Floats:
        """(n,) scores of one set's images from their features (n, d). Raises ProofsheetError for another width."""
        if features.ndim != 2 or features.shape[1] != self.weight.shape[0]:
            raise ProofsheetError(
                f"{self.label} ranks by {self.weight.shape[0]} numbers an image, these have {features.shape[-1]}",
                remedy=f"Encode the images with {self.encoder}, or train again with the encoder that is set.",
            )
        weight = self.projects.get((project or "").casefold(), self.weight)
        # Centred first: the difference of two large sums would lose what sets near-identical images apart.
        centred = np.asarray(features, dtype=np.float32) - features.mean(axis=0, dtype=np.float64).astype(np.float32)
        # einsum stays in this thread: handing half a million products to BLAS's threads costs more than they save.
        return np.asarray(np.einsum("ij,j->i", centred, weight.astype(np.float32)), dtype=np.float64)

    def probabilities(self, scores: Floats) -> Floats:
        """(n,) calibrated probability of each image of one set to be the winner."""
        return self.calibration.probabilities(scores, np.array([0, len(scores)]))

    def save(self, folder: Path) -> Path:
        """Write `<label>.safetensors` and its card into `folder`, each atomically; returns the former's path."""
        from safetensors.numpy import save

        tensors = {_UNIFIED: self.weight, _EVALUATED: self.evaluated}
        tensors.update({_PROJECT + key: value for key, value in self.projects.items()})
        tensors.update({_EVALUATED_PROJECT + key: value for key, value in self.evaluated_projects.items()})
        metadata = {
            "encoder": self.encoder,
            "name": self.name,
            "version": str(self.version),
            "temperature": repr(self.calibration.temperature),
            "lapse": repr(self.calibration.lapse),
        }
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.label}.safetensors"
        card = json.dumps(dict(self.card), ensure_ascii=False, indent=2)
        _write_whole(file.with_suffix(".json"), card.encode() + b"\n")
        _write_whole(file, save({key: np.ascontiguousarray(value) for key, value in tensors.items()}, metadata))
        return file

    @classmethod
    def load(cls, file: Path) -> LinearRanker:
        """Read a saved ranker. Raises ProofsheetError when the file is missing, damaged or no ranker."""
        from safetensors import SafetensorError, safe_open

        remedy = "Train again: proofsheet train ranker"
        try:
            with safe_open(file, framework="numpy") as opened:
                metadata = opened.metadata() or {}
                tensors = {key: opened.get_tensor(key).astype(np.float64) for key in opened.keys()}  # noqa: SIM118
            card_file = file.with_suffix(".json")
            card = json.loads(card_file.read_text(encoding="utf-8")) if card_file.exists() else {}
            ranker = cls(
                name=metadata["name"],
                version=int(metadata["version"]),
                encoder=metadata["encoder"],
                weight=tensors[_UNIFIED],
                evaluated=tensors.get(_EVALUATED, tensors[_UNIFIED]),
                calibration=Calibration(float(metadata["temperature"]), float(metadata["lapse"])),
                projects=_with_prefix(tensors, _PROJECT),
                evaluated_projects=_with_prefix(tensors, _EVALUATED_PROJECT),
                card=card,
            )
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise ProofsheetError(f"the ranker {file} cannot be read: {error}", remedy=remedy) from error
        if not all(np.isfinite(tensor).all() and tensor.shape == ranker.weight.shape for tensor in tensors.values()):
            raise ProofsheetError(f"the ranker {file} holds weights that are no numbers", remedy=remedy)
        return ranker


def _with_prefix(tensors: Mapping[str, Floats], prefix: str) -> dict[str, Floats]:
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}


def _write_whole(file: Path, content: bytes) -> None:
    """Replace `file` so that a reader, or a crash, finds the old content or the new."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    with fresh.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
