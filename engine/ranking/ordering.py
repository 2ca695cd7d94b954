"""Ranking files named by path, in the library or not: the promoted ranker's order, or the sharpest first without one.

Relies on the vision room for images of the library and on its encoder for others, which are read and never kept. Images
of two projects are never compared. Writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.errors import ProofsheetError, UsageError
from engine.library import apart
from engine.library.model import Image
from engine.library.source import UnreadableImage, open_source
from engine.ranking.evaluate import DEFAULT_BASELINE
from engine.ranking.features import Features, features, of_images, with_crops
from engine.ranking.material import crops_of
from engine.ranking.measures import Floats
from engine.ranking.model import RankedImage, RankedSet, RefusedRow
from engine.ranking.ranker import LinearRanker
from engine.ranking.suggest import MOST_REASONS, PREFIX, Suggester, encoder_spec, reasons
from engine.vision import Vision
from engine.vision.builtin import Readings

Seen = tuple[Features, Readings]


def order(
    paths: Sequence[str],
    scores: Floats,
    ranker: LinearRanker | None,
    chances: Floats | None = None,
    because: tuple[str, ...] = (),
) -> RankedSet:
    """The ranking that scores (n,) give, best first; probabilities (`chances` (n,), or as the ranker has them from the
    scores alone) and confidence only from a ranker, confidence only over another image."""
    best_first = np.argsort(-scores, kind="stable")
    if ranker is None:
        ranking = tuple(RankedImage(paths[i], float(scores[i]), None) for i in best_first)
        return RankedSet(ranking, None, PREFIX + DEFAULT_BASELINE, because=because)
    if chances is None:
        chances = ranker.probabilities(scores)
    best_first = np.lexsort((-scores, -chances))
    ranking = tuple(RankedImage(paths[i], float(scores[i]), float(chances[i])) for i in best_first)
    sure = float(chances[best_first[0]]) if len(ranking) > 1 else None  # an image by itself has won against nothing
    return RankedSet(ranking, sure, ranker.label, because=because)


class Orderer:
    """Ranks paths. Its methods block; the door calls them off the event loop."""

    def __init__(self, vision: Vision, suggester: Suggester, max_pixels: int) -> None:
        self._vision = vision
        self._suggester = suggester
        self._max_pixels = max_pixels

    def rank(self, paths: Sequence[Path], known: Mapping[Path, Image]) -> RankedSet:
        """Rank files of which some may be in the library (`known`).

        Raises UsageError for images of two projects, ProofsheetError when none can be read.
        """
        paths = list(dict.fromkeys(paths))
        projects = {known[path].project.casefold(): known[path].project for path in paths if path in known}
        if len(projects) > 1:
            raise UsageError(
                f"the images are of two projects: {' and '.join(sorted(projects.values()))}",
                remedy="A comparison belongs to one project; rank each project's images by themselves.",
            )
        project = next(iter(projects.values()), None)
        ranker = self._suggester.ranker(project)
        spec = encoder_spec(ranker) if ranker is not None else None
        seen, refused = self._look(paths, known, spec)
        if not seen:
            path, reason = refused[0] if refused else ("", "no image was named")
            raise ProofsheetError(f"nothing to rank: {path} {reason}".strip())
        names = [str(path) for path in seen]
        readings = [reading for _, reading in seen.values()]
        if ranker is None:
            scores = np.array([reading.sharpness for reading in readings], dtype=np.float64)
            because = reasons(readings, int(scores.argmax()), is_taste=False)
            return replace(order(names, scores, None, because=because), refused=tuple(refused))
        features = self._fitting(ranker, [known.get(path) for path in seen], [row for row, _ in seen.values()])
        scores, chances = self._suggester.judge(ranker, features, project or "")
        # The likeliest first: with doubt about the weights that is not always the highest utility.
        best = int(chances.argmax())
        inside = [known[path] for path in seen if path in known]
        framing = self._suggester.framing(inside, best) if len(inside) == len(seen) else ()
        because = (*framing, *reasons(readings, best, is_taste=True))[:MOST_REASONS]
        return replace(order(names, scores, ranker, chances, because), refused=tuple(refused))

    def _fitting(self, ranker: LinearRanker, images: Sequence[Image | None], rows: Sequence[Features]) -> Features:
        """The features, with crops where the ranker looks at them: of images of the library only."""
        features = np.stack(rows)
        if ranker.width == features.shape[1]:
            return features
        inside = [image for image in images if image is not None]
        crops = crops_of(self._vision, [inside], encoder_spec(ranker)) if len(inside) == len(images) > 1 else None
        return with_crops(features, crops[0] if crops else None)

    def _look(
        self, paths: Sequence[Path], known: Mapping[Path, Image], spec: str | None
    ) -> tuple[dict[Path, Seen], list[tuple[str, str]]]:
        """Features and readings of each path in the order given, and the paths that cannot be read with the reason."""
        found: dict[Path, Seen] = {}
        images = [known[path] for path in paths if path in known]
        if images:
            try:
                readings = self._vision.readings(images, spec)
                rows = of_images(images, self._vision.vectors(images, spec), readings)
            except ProofsheetError:
                pass  # changed or gone since the scan: each is read below, or refused there with its own reason
            else:
                listed = (path for path in paths if path in known)
                found = {path: (rows[i], readings[i]) for i, path in enumerate(listed)}
        refused: list[tuple[str, str]] = []
        for path in paths:
            if path not in found:
                try:
                    found[path] = self._read(path, spec)
                except UnreadableImage as error:
                    refused.append((str(path), error.reason))
                except ProofsheetError as error:  # an imported encoder knows no other pictures than those imported
                    refused.append((str(path), error.message))
        return {path: found[path] for path in paths if path in found}, refused

    def _read(self, path: Path, spec: str | None) -> Seen:
        source, state = open_source(path)
        source.close()
        width, height = apart.size_of(path, self._max_pixels)
        vector, readings = self._vision.describe(path, spec)
        return features(vector[None], [readings], [width * height], [state.st_size])[0], readings


def read_set_lines(file: Path) -> tuple[list[tuple[int, list[Path]]], list[RefusedRow]]:
    """(line, paths) of a JSON Lines file with a list of paths a line, and the lines that are no such list.

    Paths are made absolute from the current folder. Raises UsageError when the file cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
    sets: list[tuple[int, list[Path]]] = []
    refused: list[RefusedRow] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            paths = json.loads(line)
        except (ValueError, RecursionError):
            refused.append(RefusedRow(number, "the line is not valid JSON"))
            continue
        if not isinstance(paths, list) or not paths or not all(isinstance(p, str) and p for p in paths):
            refused.append(RefusedRow(number, "the line is not a JSON list of paths"))
        elif any("\x00" in path for path in paths):
            refused.append(RefusedRow(number, "a path holds a NUL byte"))
        else:
            try:
                sets.append((number, [Path(path).expanduser().absolute() for path in paths]))
            except RuntimeError as error:  # `~somebody` whom the system does not know
                refused.append(RefusedRow(number, str(error)))
    return sets, refused
