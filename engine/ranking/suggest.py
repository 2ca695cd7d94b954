"""Suggesting a winner: by the promoted ranker with calibrated confidence, else by the best naive baseline with none.

Relies on the registry, the vision room and the store. Reasons are worded from plain readings, and only what truly sets
the suggested image apart from every other of its set is said. Never decides anything.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import sqlalchemy as sa

from engine.errors import ProofsheetError
from engine.library.model import Image
from engine.ranking import catalogue
from engine.ranking.evaluate import BASELINES, DEFAULT_BASELINE, baseline_scores, best_baseline
from engine.ranking.features import Features, Layout, of_images, with_crops
from engine.ranking.learn import offsets_of
from engine.ranking.material import crops_of
from engine.ranking.measures import Floats
from engine.ranking.model import KIND, ImageSet
from engine.ranking.online import Known, Online
from engine.ranking.posterior import Gaussian
from engine.ranking.ranker import LinearRanker
from engine.ranking.registry import Registry
from engine.review import Suggestion
from engine.store import Store
from engine.store.schema import decisions, selections
from engine.vision import Vision
from engine.vision.builtin import Readings

MOST_REASONS = 3
PREFIX = "baseline:"
_ENOUGH = 12
_RECENT = 120
_REFRESH = 10
_WELL_EXPOSED = 0.46

_OF_BASELINE = {
    "first": "the first of the set",
    "last": "the last of the set",
    "largest_file": "the largest file",
    "sharpest": "the sharpest of the set",
}


@dataclass(frozen=True, slots=True)
class _Quality:
    """A quality in words: `of` gives a number (higher is more of it), `step` is a difference that one can see."""

    words: str
    of: Callable[[Readings], float]
    step: float


# Steps are about twice what re-encoding a picture changes, so that nothing is claimed that cannot be seen.
_QUALITIES = (
    _Quality("sharper", lambda reading: reading.sharpness, 0.15),
    _Quality("less clipping", lambda reading: -reading.clipped, 0.01),
    _Quality("better exposed", lambda reading: -abs(reading.exposure - _WELL_EXPOSED), 0.05),
    _Quality("less noise", lambda reading: -reading.noise, 0.5),
    _Quality("straighter", lambda reading: -reading.tilt, 1.0),
    _Quality("more contrast", lambda reading: reading.contrast, 0.02),
    _Quality("more colourful", lambda reading: reading.colourfulness, 4.0),
)
_TASTES = (
    _Quality("warmer", lambda reading: reading.warmth, 4.0),
    _Quality("cooler", lambda reading: -reading.warmth, 4.0),
)


def reasons(readings: Sequence[Readings], winner: int, *, is_taste: bool) -> tuple[str, ...]:
    """What sets the winner apart from every other image of the set, the most telling first; often nothing.

    With `is_taste` (a learned suggestion) also differences that are neither better nor worse, such as warmer.
    """
    if len(readings) < 2:
        return ()
    found: list[tuple[float, str]] = []
    for quality in (*_QUALITIES, *(_TASTES if is_taste else ())):
        values = [quality.of(reading) for reading in readings]
        lead = values[winner] - max(value for index, value in enumerate(values) if index != winner)
        if lead >= quality.step:
            found.append((-lead / quality.step, quality.words))
    return tuple(words for _, words in sorted(found)[:MOST_REASONS])


class Suggester:
    """Who suggests now, and what. Its methods block; the door calls them off the event loop."""

    def __init__(
        self, store: Store, vision: Vision, registry: Registry, actor: str, without: Sequence[str] = ()
    ) -> None:
        self._store = store
        self._vision = vision
        self._registry = registry
        self._actor = actor
        self._without = without
        self._lock = threading.Lock()
        self._baselines: dict[str | None, tuple[int, str]] = {}
        self._earlies: dict[str | None, tuple[int, LinearRanker | None]] = {}
        self._online = Online(store, actor)

    def ranker(self, project: str | None) -> LinearRanker | None:
        """The promoted ranker for a project; None while there is none that ranks by the features of this version, and
        where its file is damaged."""
        row = self._registry.promoted(self._actor, project)
        if row is None:
            return None
        found = self._registry.usable(row)
        if found is None:
            return None
        encoder = self._vision.encoder(encoder_spec(found))
        widths = (Layout(encoder.dimension).width, Layout(encoder.dimension, has_crops=True).width)
        return found if found.encoder == encoder.id and found.width in widths else None

    def looks(
        self, ranker: LinearRanker, images: Sequence[Image], readings: Sequence[Readings], *, compute: bool = True
    ) -> Features:
        """(n, width) the numbers that the ranker takes of one set's images. Without `compute` crops that are not
        stored yet count for nothing: cutting them takes a look into every file."""
        spec = encoder_spec(ranker)
        rows = of_images(images, self._vision.vectors(images, spec), readings)
        if ranker.width == rows.shape[1]:
            return rows
        crops = crops_of(self._vision, [images], spec, compute=compute)
        return with_crops(rows, crops[0] if crops else None)

    def suggest(self, one: ImageSet) -> Suggestion | None:
        """The suggested winner of a set; None when fewer than two of its images can be read.

        By the promoted ranker and every verdict since. Without one, by what the verdicts so far say, once that does
        better on the newest of them than the best naive baseline, and then without any confidence.
        """
        promoted = self.ranker(one.project)
        ranker = promoted or self.early(one.project)
        spec = encoder_spec(ranker) if ranker is not None else None
        readable = self._readable([member.image for member in one.members], spec)
        members = [member for member in one.members if member.image.id in readable]
        if len(members) < 2:
            return None
        images = [member.image for member in members]
        readings = self._vision.readings(images, spec)
        if ranker is None:
            name = self.baseline(one.project)
            scores = baseline_scores(name, images, [member.position for member in members], readings)
            best = int(scores.argmax())
            worded = (_OF_BASELINE[name], *(r for r in reasons(readings, best, is_taste=False) if r != "sharper"))
            return _suggestion(one, images, best, scores, None, PREFIX + name, worded)
        scores, chances = self.judge(ranker, self.looks(ranker, images, readings), one.project)
        best = int(chances.argmax())
        worded = (*self.framing(images, best), *reasons(readings, best, is_taste=True))
        sure = float(chances[best]) if promoted is not None else None
        return _suggestion(one, images, best, chances, sure, ranker.label, worded)

    def suggest_all(self, sets: Sequence[ImageSet]) -> list[Suggestion | None]:
        """As `suggest` for each of them; a project's sets are looked at and judged together, which is far quicker."""
        found: dict[int, Suggestion | None] = {}
        for project in dict.fromkeys(one.project for one in sets):
            mine = [one for one in sets if one.project == project]
            ranker = self.ranker(project)
            if ranker is None or (taste := self.taste(ranker, project)) is None:
                found.update({one.id: self.suggest(one) for one in mine})
            else:
                found.update(self._by_taste(ranker, taste, mine))
        return [found[one.id] for one in sets]

    def _by_taste(
        self, ranker: LinearRanker, taste: Gaussian, sets: Sequence[ImageSet]
    ) -> dict[int, Suggestion | None]:
        """The suggestions for sets of one project, by their ids."""
        from engine.ranking.framing import frames_of, word_for

        spec = encoder_spec(ranker)
        readable = self._readable([member.image for one in sets for member in one.members], spec)
        shown = [(one, [m.image for m in one.members if m.image.id in readable]) for one in sets]
        found: dict[int, Suggestion | None] = {one.id: None for one, images in shown if len(images) < 2}
        shown = [(one, images) for one, images in shown if len(images) >= 2]
        if not shown:
            return found
        every = [image for _, images in shown for image in images]
        vectors, readings = self._vision.vectors(every, spec), self._vision.readings(every, spec)
        frames = frames_of(self._store, every)
        offsets = np.concatenate(([0], np.cumsum([len(images) for _, images in shown])))
        parts = [slice(int(start), int(stop)) for start, stop in pairwise(offsets)]
        rows = [
            of_images(images, vectors[part], readings[part]) for (_, images), part in zip(shown, parts, strict=True)
        ]
        if ranker.width != rows[0].shape[1]:
            crops = crops_of(self._vision, [images for _, images in shown], spec) or [None] * len(shown)
            rows = [with_crops(own, local) for own, local in zip(rows, crops, strict=True)]
        looks = np.concatenate([ranker.looks(own) for own in rows])
        chances = ranker.calibration.probabilities(taste.logits(looks, offsets), offsets)
        for (one, images), part in zip(shown, parts, strict=True):
            best = int(chances[part].argmax())
            worded = (
                *word_for([frames.get(image.id) for image in images], best),
                *reasons(readings[part], best, is_taste=True),
            )
            sure = float(chances[part][best])
            found[one.id] = _suggestion(one, images, best, chances[part], sure, ranker.label, worded)
        return found

    def framing(self, images: Sequence[Image], winner: int) -> tuple[str, ...]:
        """`tighter` or `wider`, where that sets the winner apart; needs no look into any file."""
        from engine.ranking.framing import frames_of, word_for

        frames = frames_of(self._store, images)
        return word_for([frames.get(image.id) for image in images], winner)

    def judge(self, ranker: LinearRanker, features: Features, project: str) -> tuple[Floats, Floats]:
        """(n,) scores and (n,) probabilities of one set by the ranker and all verdicts since it was trained."""
        taste = self.taste(ranker, project)
        if taste is None:
            return ranker.judge(features, project)
        return ranker.judge_by(taste, ranker.looks(features))

    def taste(self, ranker: LinearRanker, project: str) -> Gaussian | None:
        """What is believed of a project's taste just now; None where the ranker cannot learn from single verdicts."""
        data = ranker.card.get("data", {})
        known = Known(int(data.get("last_decision", -1)), int(data.get("last_selection", 0)))
        if known.decision < 0 or ranker.belief(project) is None:
            return None

        def look(image_ids: Sequence[int]) -> Features | None:
            with self._store.reading() as connection:
                found = catalogue.images_by_id(connection, image_ids)
            images = [found[one] for one in image_ids if one in found]
            spec = encoder_spec(ranker)
            readable = self._readable(images, spec)
            images = [image for image in images if image.id in readable]
            if len(images) < 2 or images[0].id != image_ids[0]:
                return None
            return ranker.looks(self.looks(ranker, images, self._vision.readings(images, spec)))

        identity = (ranker.label, ranker.card.get("created_at"))
        return self._online.taste(identity, lambda: ranker.belief(project), project, known, ranker.lapse, look)

    def early(self, project: str | None = None) -> LinearRanker | None:
        """What the newest verdicts say while no ranker is promoted; None until that beats the best naive baseline."""
        with self._store.reading() as connection:
            count = _verdicts(connection)
        with self._lock:
            known = self._earlies.get(project)
        if known is not None and count - known[0] < _REFRESH:
            return known[1]
        from engine.ranking.early import early_taste

        found = early_taste(self._store, self._vision, self._actor, project, self._without)
        with self._lock:
            self._earlies[project] = (count, found)
        return found

    def baseline(self, project: str | None = None) -> str:
        """The naive baseline that did best on the verdicts so far; `sharpest` until there are some."""
        with self._store.reading() as connection:
            count = _verdicts(connection)
        with self._lock:
            known = self._baselines.get(project)
        if known is not None and count - known[0] < _REFRESH:
            return known[1]
        name = self._best_baseline(project)
        with self._lock:
            self._baselines[project] = (count, name)
        return name

    def _best_baseline(self, project: str | None) -> str:
        with self._store.reading() as connection:
            recent = catalogue.choices(connection, self._actor, project, newest=_RECENT)[-_RECENT:]
            if len(recent) < _ENOUGH:
                return DEFAULT_BASELINE
            images = catalogue.images_by_id(connection, {one for choice in recent for one in choice.image_ids})
            places = catalogue.positions(connection, {choice.set_pk for choice in recent})
        parts: dict[str, list[Floats]] = {name: [] for name in BASELINES}
        counts: list[int] = []
        for choice in recent:
            members = [images[one] for one in choice.image_ids]
            if len(self._readable(members, None)) < len(members):
                continue
            readings = self._vision.readings(members)
            place = [places.get(choice.set_pk, {}).get(image.id, 0) for image in members]
            for name in BASELINES:
                parts[name].append(baseline_scores(name, members, place, readings))
            counts.append(len(members))
        if len(counts) < _ENOUGH:
            return DEFAULT_BASELINE
        scores = {name: np.concatenate(each) for name, each in parts.items()}
        return best_baseline(scores, offsets_of(np.array(counts, dtype=np.int64)))

    def _readable(self, images: Sequence[Image], spec: str | None) -> set[int]:
        """Ids of the images that the vision room has numbers for, or can make them."""
        if not images:
            return set()
        try:
            self._vision.vectors(images, spec)
        except ProofsheetError:
            if len(images) == 1:
                return set()
            return {found for image in images for found in self._readable([image], spec)}
        return {image.id for image in images}


def encoder_spec(ranker: LinearRanker) -> str:
    """How to load the encoder that the ranker speaks."""
    return str(ranker.card.get("encoder", {}).get("spec") or "builtin")


def _suggestion(
    one: ImageSet,
    images: Sequence[Image],
    best: int,
    scores: Floats,
    confidence: float | None,
    model: str,
    worded: tuple[str, ...],
) -> Suggestion:
    proposal = {
        "image": images[best].id,
        "scores": {str(image.id): round(float(score), 6) for image, score in zip(images, scores, strict=True)},
    }
    return Suggestion(
        kind=KIND,
        subject=catalogue.subject_of(one.id),
        proposal=proposal,
        model=model,
        project=one.project,
        confidence=confidence,
        reasons=worded[:MOST_REASONS],
    )


def _verdicts(connection: sa.Connection) -> int:
    """How many verdicts and imported selections there are, cheaply: a sign that the best baseline may have changed."""
    made = sa.select(sa.func.count()).select_from(decisions).where(decisions.c.kind == KIND)
    imported = sa.select(sa.func.count()).select_from(selections)
    return int(connection.execute(made).scalar_one() + connection.execute(imported).scalar_one())
