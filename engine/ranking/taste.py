"""The taste card: what a person prefers, in plain words, with pairs of their own as proof.

Words come from the ranker's weights on quantities that have a name; only those whose sign the posterior is sure of, and
that the person's own pairs bear out, are said. Relies on the store for choices and on the vision room for readings;
writes nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.errors import ProofsheetError
from engine.library.model import Image
from engine.ranking import catalogue
from engine.ranking.model import Choice
from engine.store import Store
from engine.vision import Vision
from engine.vision.builtin import Readings

ENOUGH = 30
"""Picks below which nothing is said of a taste."""
SURE = 0.975
"""How sure the posterior must be of a sign: what is said by chance is then one word in forty."""
PROOFS = 3
_NEWEST = 600
_BATCH = 64

_SIZES: Mapping[str, Callable[[Image], float]] = {
    "log2_pixels": lambda image: math.log2(max(1, image.width * image.height)),
}
_OPPOSITES = {
    "sharper": "softer",
    "brighter": "darker",
    "more clipping": "less clipping",
    "more contrast": "less contrast",
    "more colourful": "less colourful",
    "warmer": "cooler",
    "more noise": "less noise",
    "noisier": "less noise",
    "more tilted": "straighter",
    "tilted": "straighter",
    "larger": "smaller",
    "more pixels": "fewer pixels",
}
_LABELS = {
    "sharpness": "sharper",
    "exposure": "brighter",
    "clipped": "more clipping",
    "contrast": "more contrast",
    "colourfulness": "more colourful",
    "warmth": "warmer",
    "noise": "more noise",
    "tilt": "more tilted",
    "log2_pixels": "more pixels",
}


@dataclass(frozen=True, slots=True)
class Proof:
    """One of the person's own pairs: what they picked, what they left, and by how much the quality differed."""

    winner: Image
    loser: Image
    difference: float
    set_pk: int


@dataclass(frozen=True, slots=True)
class Trait:
    """One preference. `strength` is what a usual difference is worth in utility; `agrees` and `against` count the
    person's pairs that differ visibly in it, by which of the two was picked."""

    words: str
    feature: str
    unit: str
    strength: float
    sure: float
    agrees: int
    against: int
    proof: tuple[Proof, ...]

    def document(self) -> dict[str, Any]:
        return {
            "words": self.words,
            "feature": self.feature,
            "strength": self.strength,
            "sure": self.sure,
            "for": self.agrees,
            "against": self.against,
            "unit": self.unit,
            "proof": [
                {
                    "winner": str(one.winner.path),
                    "loser": str(one.loser.path),
                    "difference": one.difference,
                    "set": one.set_pk,
                }
                for one in self.proof
            ],
        }


@dataclass(frozen=True, slots=True)
class TasteCard:
    """What is known of a taste, the strongest preference first; `why_not` says what is missing while nothing is."""

    traits: tuple[Trait, ...]
    picks: int
    model: str | None
    why_not: str = ""

    def document(self) -> dict[str, Any]:
        return {
            "traits": [one.document() for one in self.traits],
            "picks": self.picks,
            "model": self.model,
            "why_not": self.why_not or None,
        }


def words_for(feature: str, label: str, *, is_more: bool) -> str:
    """How a preference for more (or less) of a feature is said; `label` is what more of it is called."""
    label = label or _LABELS.get(feature, feature.replace("_", " "))
    if is_more:
        return label
    if label in _OPPOSITES:
        return _OPPOSITES[label]
    turned = {"less ": "more ", "more ": "less "}
    for lead, other in turned.items():
        if label.startswith(lead):
            return other + label.removeprefix(lead)
    return f"not {label}"


def traits_of(
    tastes: Sequence[Mapping[str, Any]],
    choices: Sequence[Choice],
    images: Mapping[int, Image],
    readings: Mapping[int, Readings],
) -> list[Trait]:
    """The preferences that both the posterior and the person's own pairs speak for, the strongest first."""
    found: list[Trait] = []
    for taste in sorted(tastes, key=lambda one: -abs(float(one.get("strength", 0.0)))):
        strength, sure = float(taste.get("strength", 0.0)), float(taste.get("sure", 0.5))
        feature = str(taste.get("feature", ""))
        if strength == 0 or sure < SURE or not _is_readable(feature):
            continue
        sign = 1.0 if strength > 0 else -1.0
        values = {one: _value(feature, images[one], reading) for one, reading in readings.items()}
        visible = _visible(float(taste.get("typical", 0.0) or 0.0), _pairs(choices, images, values))
        agrees = [one for one in visible if one.difference * sign > 0]
        against = len(visible) - len(agrees)
        if len(agrees) < PROOFS or not _is_more_than_chance(visible, sign):
            continue
        label = words_for(feature, str(taste.get("label", "")), is_more=sign > 0)
        unit = str(taste.get("unit", ""))
        found.append(Trait(label, feature, unit, strength, sure, len(agrees), against, _proofs(agrees)))
    return found


def _is_more_than_chance(pairs: Sequence[Proof], sign: float) -> bool:
    """Whether the winner's side is the same in more sets than lots would give (one-sided sign test, a set one vote)."""
    from scipy.stats import binom

    votes: dict[int, float] = defaultdict(float)
    for one in pairs:
        votes[one.set_pk] += math.copysign(1.0, one.difference * sign)
    ayes, noes = sum(vote > 0 for vote in votes.values()), sum(vote < 0 for vote in votes.values())
    return bool(binom.sf(ayes - 1, ayes + noes, 0.5) < 1 - SURE)


def _proofs(agrees: Sequence[Proof]) -> tuple[Proof, ...]:
    """The pairs that differ most, each from a set of its own."""
    chosen: dict[int, Proof] = {}
    for one in sorted(agrees, key=lambda one: -abs(one.difference)):
        chosen.setdefault(one.set_pk, one)
        if len(chosen) == PROOFS:
            break
    return tuple(chosen.values())


def _pairs(choices: Sequence[Choice], images: Mapping[int, Image], values: Mapping[int, float]) -> list[Proof]:
    """Every (winner, loser) pair of which both have a value."""
    return [
        Proof(images[choice.winner], images[other], values[choice.winner] - values[other], choice.set_pk)
        for choice in choices
        if choice.winner in values
        for other in choice.image_ids[1:]
        if other in values
    ]


def _visible(typical: float, pairs: Sequence[Proof]) -> list[Proof]:
    """Pairs that differ by at least a quarter of a usual difference: less is not what the choice was about."""
    sizes = sorted(abs(one.difference) for one in pairs)
    usual = typical if typical > 0 else (sizes[len(sizes) // 2] if sizes else 0.0)
    return [one for one in pairs if abs(one.difference) > max(usual / 4, 1e-9)]


def _is_readable(feature: str) -> bool:
    return feature in _SIZES or feature in Readings.__dataclass_fields__


def _value(feature: str, image: Image, readings: Readings) -> float:
    return _SIZES[feature](image) if feature in _SIZES else float(getattr(readings, feature))


def read_pairs(
    store: Store, vision: Vision, actor: str, project: str | None, spec: str | None
) -> tuple[list[Choice], dict[int, Image], dict[int, Readings]]:
    """The person's newest choices with the readings of their images that are still there and can be read."""

    def read(connection: sa.Connection) -> tuple[list[Choice], dict[int, Image]]:
        choices = catalogue.choices(connection, actor, project)[-_NEWEST:]
        wanted = {one for choice in choices for one in choice.image_ids}
        return choices, {image.id: image for image in catalogue.present(connection, wanted)}

    with store.reading() as connection:
        choices, images = read(connection)
    by_project: dict[str, list[Image]] = defaultdict(list)
    for image in images.values():
        by_project[image.project.casefold()].append(image)
    found: dict[int, Readings] = {}
    for group in by_project.values():
        for start in range(0, len(group), _BATCH):
            found.update(_readings(vision, group[start : start + _BATCH], spec))
    return choices, images, found


def _readings(vision: Vision, images: Sequence[Image], spec: str | None) -> dict[int, Readings]:
    """Readings by image id; where one of them cannot be read, the others one by one."""
    try:
        return {image.id: one for image, one in zip(images, vision.readings(images, spec), strict=True)}
    except ProofsheetError:
        if len(images) == 1:
            return {}
        return {key: value for image in images for key, value in _readings(vision, [image], spec).items()}
