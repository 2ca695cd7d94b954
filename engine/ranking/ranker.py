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
from engine.ranking.head import Head
from engine.ranking.measures import Calibration, Floats
from engine.ranking.posterior import Gaussian

_UNIFIED = "weight"
_EVALUATED = "weight_evaluated"
_COVARIANCE = "covariance"
_PROJECT = "project:"
_EVALUATED_PROJECT = "evaluated:"
_COVARIANCE_PROJECT = "covariance:"
_SCALE, _LAYER = "head.scale", "head.layer:"


@dataclass(frozen=True)
class Deep:
    """A head, and the (d,) scale that its inputs are divided by."""

    head: Head
    scale: Floats


@dataclass(frozen=True)
class LinearRanker:
    """score(image) = weight . (features - mean features of its set); see `features` for what they are.

    `weight` is (d,) float64 in the features' own units; `evaluated` is the weight that the held-out figures were
    measured with (learned without the held-out sets), which is what a later version is compared with. `projects`
    holds the weight of projects (casefolded ids) that differ from the shared one, and `evaluated_projects` the same
    without the held-out sets. `covariance` (d, d) and `covariances` say how sure the weights are (an older ranker has
    none, and is taken to be certain). With `deep`, the weights are on what a network makes of the features.
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
    covariance: NDArray[Any] | None = None
    covariances: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    deep: Deep | None = None

    @property
    def width(self) -> int:
        """Numbers that it takes of an image."""
        return self.deep.head.inputs if self.deep is not None else int(self.weight.shape[0])

    @property
    def lapse(self) -> float:
        """How many picks owe nothing to the images, as the model assumed when it learned."""
        return float(self.card.get("prior", {}).get("lapse", 0.0))

    @property
    def label(self) -> str:
        """How suggestions name it, as `ranker_v4`; by its name alone while it has no version."""
        return f"{self.name}_v{self.version}" if self.version else self.name

    def as_evaluated(self) -> LinearRanker:
        """The ranker whose held-out figures are on the card: it has never seen those sets."""
        return replace(self, weight=self.evaluated, projects=self.evaluated_projects)

    def looks(self, features: NDArray[Any]) -> NDArray[Any]:
        """(n, d) float32 what the weights are on: the features (n, width) less their mean over the set, through the
        network if there is one. Raises ProofsheetError for another width."""
        if features.ndim != 2 or features.shape[1] != self.width:
            raise ProofsheetError(
                f"{self.label} ranks by {self.width} numbers an image, these have {features.shape[-1]}",
                remedy=f"Encode the images with {self.encoder}, or train again with the encoder that is set.",
            )
        # Centred first: the difference of two large sums would lose what sets near-identical images apart.
        centred = np.asarray(features, dtype=np.float32) - features.mean(axis=0, dtype=np.float64).astype(np.float32)
        if self.deep is None:
            return np.asarray(centred, dtype=np.float32)
        made = self.deep.head(centred / self.deep.scale.astype(np.float32))
        return np.asarray(made - made.mean(axis=0), dtype=np.float32)

    def scores(self, features: NDArray[Any], project: str | None = None) -> Floats:
        """(n,) scores of one set's images from their features (n, width); raises as `looks` does."""
        weight = self.projects.get((project or "").casefold(), self.weight)
        # einsum stays in this thread: handing half a million products to BLAS's threads costs more than they save.
        return np.asarray(np.einsum("ij,j->i", self.looks(features), weight.astype(np.float32)), dtype=np.float64)

    def belief(self, project: str | None = None) -> Gaussian | None:
        """What is believed of a project's taste; None where the ranker does not say how sure it is."""
        key = (project or "").casefold()
        if key in self.projects:
            found = self.covariances.get(key)
            return Gaussian(self.projects[key], found) if found is not None else None
        return Gaussian(self.weight, self.covariance) if self.covariance is not None else None

    def probabilities(self, scores: Floats) -> Floats:
        """(n,) calibrated probability of each image of one set to be the winner, from scores or log-probabilities."""
        return self.calibration.probabilities(scores, np.array([0, len(scores)]))

    def judge(self, features: NDArray[Any], project: str | None = None) -> tuple[Floats, Floats]:
        """(n,) scores and (n,) calibrated probabilities of one set, the doubt about the weights taken into account."""
        taste = self.belief(project)
        if taste is None:
            scores = self.scores(features, project)
            return scores, self.probabilities(scores)
        return self.judge_by(taste, self.looks(features))

    def judge_by(self, taste: Gaussian, looks: NDArray[Any]) -> tuple[Floats, Floats]:
        """As `judge`, by another belief, such as one that has learned since."""
        scores = np.asarray(looks @ taste.mean.astype(looks.dtype), dtype=np.float64)
        return scores, self.probabilities(taste.logits(looks, np.array([0, len(looks)])))

    @property
    def fits_together(self) -> bool:
        """Whether all weights speak of the same numbers."""
        d = self.weight.shape
        flat = [self.evaluated, *self.projects.values(), *self.evaluated_projects.values()]
        square = [*self.covariances.values(), *([] if self.covariance is None else [self.covariance])]
        is_fitting = self.deep is None or (self.deep.head.outputs,) == d
        return is_fitting and all(one.shape == d for one in flat) and all(one.shape == d * 2 for one in square)

    def save(self, folder: Path) -> Path:
        """Write `<label>.safetensors` and its card into `folder`, each atomically; returns the former's path."""
        from safetensors.numpy import save

        tensors: dict[str, NDArray[Any]] = {_UNIFIED: self.weight, _EVALUATED: self.evaluated}
        tensors.update({_PROJECT + key: value for key, value in self.projects.items()})
        tensors.update({_EVALUATED_PROJECT + key: value for key, value in self.evaluated_projects.items()})
        if self.covariance is not None:
            tensors[_COVARIANCE] = self.covariance.astype(np.float32)
        tensors.update({_COVARIANCE_PROJECT + key: one.astype(np.float32) for key, one in self.covariances.items()})
        if self.deep is not None:
            tensors[_SCALE] = self.deep.scale
            for number, (weights, bias) in enumerate(self.deep.head.layers):
                tensors[f"{_LAYER}{number}.weight"], tensors[f"{_LAYER}{number}.bias"] = weights, bias
        metadata = {
            "keeps_input": str(self.deep is not None and self.deep.head.keeps_input),
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
                tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
            card_file = file.with_suffix(".json")
            card = json.loads(card_file.read_text(encoding="utf-8")) if card_file.exists() else {}
            ranker = cls(
                name=metadata["name"],
                version=int(metadata["version"]),
                encoder=metadata["encoder"],
                weight=tensors[_UNIFIED].astype(np.float64),
                evaluated=tensors.get(_EVALUATED, tensors[_UNIFIED]).astype(np.float64),
                calibration=Calibration(float(metadata["temperature"]), float(metadata["lapse"])),
                projects=_with_prefix(tensors, _PROJECT),
                evaluated_projects=_with_prefix(tensors, _EVALUATED_PROJECT),
                card=card,
                covariance=tensors.get(_COVARIANCE),
                covariances=_with_prefix(tensors, _COVARIANCE_PROJECT),
                deep=_deep(tensors, keeps_input=metadata.get("keeps_input") == "True"),
            )
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise ProofsheetError(f"the ranker {file} cannot be read: {error}", remedy=remedy) from error
        if not (all(np.isfinite(tensor).all() for tensor in tensors.values()) and ranker.fits_together):
            raise ProofsheetError(f"the ranker {file} holds weights that are no numbers", remedy=remedy)
        return ranker


def _with_prefix(tensors: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}


def _deep(tensors: Mapping[str, NDArray[Any]], *, keeps_input: bool) -> Deep | None:
    if _SCALE not in tensors:
        return None
    count = len(_with_prefix(tensors, _LAYER)) // 2
    layers = tuple((tensors[f"{_LAYER}{i}.weight"], tensors[f"{_LAYER}{i}.bias"]) for i in range(count))
    return Deep(Head(layers, keeps_input), tensors[_SCALE])


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
