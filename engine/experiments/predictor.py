"""How likely a variant is to do well on a canvas: a logistic model over the canvas's features and the variant.

Relies on scikit-learn for fitting only; what is saved is a card of plain numbers (JSON), and predicting needs NumPy
alone. Pure but for `save` and `load`. A variant that the model has not seen is predicted as an average one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import ProofsheetError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = "proofsheet-quality-1"
_STRENGTH = 0.1  # scikit-learn's C: few ratings, many interactions, so the weights are held close to 0


@dataclass(frozen=True)
class QualityModel:
    """Weights of the standardised features, then of each variant, then of each variant's features."""

    features: tuple[str, ...]
    variants: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    min_rating: int

    def probability(self, features: Mapping[str, float], variant: str) -> float:
        """The probability of a rating of `min_rating` or more; unknown features count as average."""
        import numpy as np

        row = np.array([[features.get(name, self.mean[index]) for index, name in enumerate(self.features)]])
        return float(self.probabilities(row, [variant])[0])

    def probabilities(self, rows: NDArray[np.float64], shown: Sequence[str]) -> NDArray[np.float64]:
        """(n,) probabilities from raw features (n, d) in the order of `features`, and the variant of each row."""
        import numpy as np

        z = design(rows, shown, self.variants, np.array(self.mean), np.array(self.scale)) @ np.array(self.weights)
        found: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(z + self.intercept, -500, 500)))
        return found

    def best(self, features: Mapping[str, float], among: Sequence[str]) -> str:
        """The variant that promises most on this canvas: what a contextual policy would choose."""
        return max(among, key=lambda one: self.probability(features, one))

    def document(self) -> dict[str, Any]:
        """As it is saved."""
        return {"format": FORMAT, **asdict(self)}

    def save(self, file: Path, card: Mapping[str, Any]) -> None:
        """Write model and card as one JSON file, whole or not at all."""
        import os

        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
        with fresh.open("w", encoding="utf-8") as out:
            json.dump({"model": self.document(), "card": dict(card)}, out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(file)

    @classmethod
    def load(cls, file: Path) -> QualityModel:
        """Read a saved model. Raises ProofsheetError when it is missing, of another form, or holds no numbers."""
        import math

        remedy = "Train again: proofsheet variants retrain"
        try:
            document = json.loads(file.read_text(encoding="utf-8"))["model"]
            if document["format"] != FORMAT:
                raise ValueError(f"its form is {document['format']!r}")
            model = cls(
                features=tuple(str(one) for one in document["features"]),
                variants=tuple(str(one) for one in document["variants"]),
                mean=tuple(float(one) for one in document["mean"]),
                scale=tuple(float(one) for one in document["scale"]),
                weights=tuple(float(one) for one in document["weights"]),
                intercept=float(document["intercept"]),
                min_rating=int(document["min_rating"]),
            )
            wanted = len(model.features) * (1 + len(model.variants)) + len(model.variants)
            numbers = (*model.mean, *model.scale, *model.weights, model.intercept)
            if len(model.weights) != wanted or not all(math.isfinite(one) for one in numbers):
                raise ValueError("its weights do not fit")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ProofsheetError(f"the quality model {file} cannot be read: {error}", remedy=remedy) from error
        return model


def design(
    rows: NDArray[np.float64],
    shown: Sequence[str],
    variants: Sequence[str],
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(n, d + k + k d): standardised features, which variant, and the features of each variant's own rows."""
    import numpy as np

    z = (rows - mean) / scale
    is_variant = np.array([[one == variant for variant in variants] for one in shown], float).reshape(len(rows), -1)
    own = (is_variant[:, :, None] * z[:, None, :]).reshape(len(rows), -1)
    return np.concatenate([z, is_variant, own], axis=1)


def fit(
    rows: NDArray[np.float64],
    shown: Sequence[str],
    is_good: NDArray[np.bool_],
    weights: NDArray[np.float64],
    features: Sequence[str],
    min_rating: int,
) -> QualityModel:
    """Fit on (n, d) raw features, variants, outcomes and a weight each. Raises ProofsheetError when all are alike."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    if is_good.all() or not is_good.any():
        raise ProofsheetError("every rating is on the same side of the minimum: there is nothing to tell apart")
    variants = sorted(set(shown))
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    model = LogisticRegression(C=_STRENGTH, max_iter=2_000)
    model.fit(design(rows, shown, variants, mean, scale), is_good, sample_weight=weights)
    return QualityModel(
        features=tuple(features),
        variants=tuple(variants),
        mean=tuple(mean.tolist()),
        scale=tuple(scale.tolist()),
        weights=tuple(model.coef_[0].tolist()),
        intercept=float(model.intercept_[0]),
        min_rating=min_rating,
    )
