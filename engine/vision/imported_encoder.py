"""An encoder that is nothing but a name and the vectors that were imported under it: it cannot look at pictures."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.errors import ProofsheetError, UsageError
from engine.settings import imported_folder
from engine.vision.batching import Batches
from engine.vision.builtin import Floats, Readings
from engine.vision.encoders import EncoderCard
from engine.workspace import Workspace


class ImportedEncoder:
    """Vectors that were imported under a name. It cannot look at pictures."""

    can_embed = False
    is_elsewhere = False

    def __init__(self, name: str, mean: NDArray[np.float64], deviation: NDArray[np.float64]) -> None:
        self.spec = name
        self.mean = mean
        self.deviation = deviation
        self.dimension = len(mean)
        statistics = hashlib.sha256(np.stack([mean, deviation]).astype("<f8").tobytes()).hexdigest()
        self.card = EncoderCard(
            name=name,
            architecture="imported",
            weights_sha256=statistics,
            preprocessing="columns standardised, then float16",
            dimension=self.dimension,
        )
        self.id = f"imported-{name}-{self.card.identity[:6]}"

    @classmethod
    def load(cls, embeddings: Path, name: str) -> ImportedEncoder:
        """What was imported as `name`. Raises UsageError when nothing was, ProofsheetError when its card is damaged."""
        folder = imported_folder(Workspace(embeddings.parent.parent), name)
        if folder is None:
            raise UsageError(
                f"there is no encoder {name!r}: nothing was imported under that name",
                remedy=f"Import its vectors: proofsheet import embeddings FILE.parquet --encoder {name}",
            )
        try:
            columns = json.loads((folder / "card.json").read_text(encoding="utf-8"))["columns"]
            found = cls(name, np.array(columns["mean"], np.float64), np.array(columns["deviation"], np.float64))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(folder) from error
        if found.id != folder.name:
            raise _damaged(folder)
        return found

    def save(self, embeddings: Path) -> None:
        """Write the card with the statistics, before the first vector."""
        folder = embeddings / self.id
        folder.mkdir(parents=True, exist_ok=True)
        columns = {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}
        temporary = folder / f"card.{os.getpid()}.tmp"
        with temporary.open("w", encoding="utf-8") as file:
            json.dump({**asdict(self.card), "columns": columns}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / "card.json")

    def standardised(self, vectors: NDArray[Any]) -> Floats:
        """(n, d) float32 as they are stored."""
        found: Floats = ((np.asarray(vectors, np.float64) - self.mean) / self.deviation).astype(np.float32)
        return found

    def keep_to_cores(self, count: int) -> None:
        """Nothing to do: nothing is computed."""

    def batches(self) -> Batches:
        """Of no meaning here."""
        return Batches(1, 1)

    def box_for(self, width: int, height: int) -> tuple[int, int]:
        """The picture as it is."""
        return width, height

    def prepare(self, picture: Image.Image) -> Any:  # noqa: ARG002
        """Raises UsageError."""
        raise self._blind()

    def finish(self, prepared: Sequence[Any]) -> Callable[[], Floats]:  # noqa: ARG002
        """Raises UsageError."""
        raise self._blind()

    def encode(self, pictures: Sequence[Image.Image]) -> Floats:  # noqa: ARG002
        """Raises UsageError."""
        raise self._blind()

    def examine(self, pictures: Sequence[Image.Image]) -> tuple[Floats, list[Readings]]:  # noqa: ARG002
        """Raises UsageError."""
        raise self._blind()

    def _blind(self) -> UsageError:
        return UsageError(
            f"{self.spec} holds imported vectors; it cannot look at pictures",
            remedy="Import vectors for the new images too, or take another encoder: --encoder builtin.",
        )


def _damaged(folder: Path) -> ProofsheetError:
    return ProofsheetError(
        f"the card in {folder} is damaged", remedy="Move that folder away and import its embeddings again."
    )
