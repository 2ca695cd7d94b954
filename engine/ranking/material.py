"""What a training run learns from: every choice in force, with its images' features and near-duplicates.

Relies on the store for choices, on the vision room for numbers (computing those that are missing, with progress), and
on the pHash cache. A picture that has no numbers and can no longer be read is passed over and said so; a choice without
its winner, or without any loser, is no choice. Never mixes two projects in one request.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.library.model import Image
from engine.ranking import catalogue
from engine.ranking.evaluate import BASELINES, baseline_scores
from engine.ranking.features import CROPS, Features, of_images, with_crops
from engine.ranking.hashes import HashCache
from engine.ranking.learn import offsets_of
from engine.ranking.measures import Floats, Ints
from engine.ranking.model import Choice, Refusal
from engine.ranking.refusals import Refused
from engine.ranking.split import near_duplicates, set_clusters
from engine.runs import RunContext
from engine.store import Store
from engine.vision import Vision
from engine.vision.builtin import Readings

BATCH = 2_048


@dataclass(frozen=True)
class Seen:
    """Features (d,) float32 and readings by image id, for the images that have them."""

    features: Mapping[int, Features]
    readings: Mapping[int, Readings]


@dataclass(frozen=True)
class Read:
    """What the store says was decided: picks and refusals oldest first, and the newest decision and row of a log."""

    choices: tuple[Choice, ...]
    refusals: tuple[Refusal, ...] = ()
    last_decision: int = 0
    last_selection: int = 0


@dataclass(frozen=True)
class Material:
    """Choices oldest first. Rows are images, one choice after another, each with its winner first: `features` (N, d)
    float32; choice i is rows offsets[i]:offsets[i + 1]; `clusters` (n,) says which share near-duplicates. `refusals`
    have the mean features (m, d) of their images in `refused`."""

    choices: tuple[Choice, ...]
    images: tuple[Image, ...]
    features: Features
    offsets: Ints
    clusters: Ints
    baselines: Mapping[str, Floats]
    refusals: tuple[Refusal, ...] = ()
    refused: Features = field(default_factory=lambda: np.empty((0, 0), np.float32))
    last_decision: int = 0
    last_selection: int = 0

    @property
    def projects(self) -> tuple[str, ...]:
        """The project of each choice."""
        return tuple(choice.project for choice in self.choices)

    @property
    def fingerprint(self) -> str:
        """Equal for equal choices, so that a resumed run knows whether its checkpoint still holds."""
        told = json.dumps([(c.set_pk, c.image_ids, c.chosen_at) for c in self.choices] + [len(self.refusals)])
        return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


def read_choices(store: Store, actor: str, project: str | None) -> Read:
    """The actor's verdicts in force and the imported logs', oldest first."""
    with store.reading() as connection:
        return Read(
            tuple(catalogue.choices(connection, actor, project)),
            tuple(catalogue.refusals(connection, actor, project)),
            catalogue.last_decision(connection),
            catalogue.last_selection(connection),
        )


def gather(
    run: RunContext,
    read: Read,
    store: Store,
    vision: Vision,
    hashes: HashCache,
    encoder: str,
    without: Sequence[str] = (),
) -> Material:
    """Numbers for every choice; choices whose images have none are left out. Blocks in `without` are not computed
    where they cost anything."""
    choices = read.choices
    wanted = {one for choice in choices for one in choice.image_ids}
    with store.reading() as connection:
        images = catalogue.images_by_id(connection, wanted | {one for no in read.refusals for one in no.image_ids})
        places = catalogue.positions(connection, {choice.set_pk for choice in choices})
    seen = look(run, images.values(), vision, encoder)
    kept: list[Choice] = []
    for choice in choices:
        there = tuple(one for one in choice.image_ids if one in seen.features)
        if len(there) >= 2 and there[0] == choice.winner:
            kept.append(replace(choice, image_ids=there))
    rows = [image_id for choice in kept for image_id in choice.image_ids]
    offsets = offsets_of(np.array([len(choice.image_ids) for choice in kept], dtype=np.int64))
    features = np.stack([seen.features[image_id] for image_id in rows]) if rows else np.empty((0, 0), np.float32)
    if rows and CROPS not in without:
        features = _with_crops(run, kept, images, features, offsets, vision, encoder)
    refusals = [replace(no, image_ids=tuple(i for i in no.image_ids if i in seen.features)) for no in read.refusals]
    refusals = [no for no in refusals if no.image_ids]
    refused = np.zeros((len(refusals), features.shape[1]), np.float32)
    for row, no in zip(refused, refusals, strict=True):
        mean = np.mean([seen.features[i] for i in no.image_ids], axis=0)
        row[: len(mean)] = mean
    return Material(
        choices=tuple(kept),
        images=tuple(images[image_id] for image_id in rows),
        features=features,
        offsets=offsets,
        clusters=_clusters(run, kept, images, hashes),
        baselines=_baselines(kept, images, places, seen.readings),
        refusals=tuple(refusals),
        refused=refused,
        last_decision=read.last_decision,
        last_selection=read.last_selection,
    )


def crops_of(
    vision: Vision,
    sets: Sequence[Sequence[Image]],
    encoder: str,
    run: RunContext | None = None,
    *,
    compute: bool = True,
) -> list[NDArray[Any] | None] | None:
    """For each set (n, k, d) vectors of the regions where its images differ most; None where there are none (without
    `compute` also where none were stored), and for all together when this encoder cannot look at pictures.

    Whatever the order of the images, they are laid over the one that comes first by its content: were it the winner,
    as in a choice, the crops would tell the ranker which one won, and nobody who asks by position would find them."""
    if not vision.encoder(encoder).can_embed:
        return None
    orders = [sorted(range(len(some)), key=[one.content_hash for one in some].__getitem__) for some in sets]
    asked = [[some[i] for i in order] for some, order in zip(sets, orders, strict=True)]
    found = vision.crop_vectors(asked, encoder, run, compute=compute)
    return [
        one.vectors[np.argsort(order)] if one is not None else None for one, order in zip(found, orders, strict=True)
    ]


def _with_crops(
    run: RunContext,
    choices: Sequence[Choice],
    images: Mapping[int, Image],
    features: Features,
    offsets: Ints,
    vision: Vision,
    encoder: str,
) -> Features:
    found = crops_of(vision, [[images[one] for one in choice.image_ids] for choice in choices], encoder, run)
    if found is None or all(one is None for one in found):
        return features
    parts = np.split(features, offsets[1:-1])
    return np.concatenate([with_crops(part, crops) for part, crops in zip(parts, found, strict=True)])


def refused_sets(material: Material, scale: Floats, names: Sequence[str], numbers: Ints) -> Refused | None:
    """The refused sets as evidence, on the same scale as the examples; None without any. Crops have no level of
    their own: they say how the images of one set differ."""
    if not material.refusals:
        return None
    starts, counts = material.offsets[:-1], np.diff(material.offsets)
    levels = np.add.reduceat(material.features, starts, axis=0, dtype=np.float64) / counts[:, None]
    key = {name.casefold(): index for index, name in enumerate(names)}
    known = [i for i, no in enumerate(material.refusals) if no.project.casefold() in key]
    if not known:
        return None
    means = material.refused[known].astype(np.float64)
    owners = np.array([key[material.refusals[i].project.casefold()] for i in known], dtype=np.int64)
    for owner in np.unique(owners):
        middle = np.concatenate([levels[numbers == owner], means[owners == owner]]).mean(axis=0)
        levels[numbers == owner] -= middle
        means[owners == owner] -= middle
    at = [choice.chosen_at for choice in material.choices]
    after = np.array([bisect(at, material.refusals[i].refused_at) for i in known], dtype=np.int64)
    # A typical set lies as far from the middle as its images from one another, so that neither drowns the other.
    levels, means = levels / scale, means / scale
    size = np.sqrt(np.square(np.concatenate([levels, means])).mean(axis=0))
    size = np.where(size > 0, size * np.sqrt(len(size)), 1.0)
    kind = np.float32
    return Refused((levels / size).astype(kind), (means / size).astype(kind), owners, after)


def look(run: RunContext, images: Iterable[Image], vision: Vision, encoder: str) -> Seen:
    """Features and readings of the images, project by project; what cannot be read is refused in the run's log."""
    wanted = list(images)
    lacking = vision.prepare(wanted, encoder, run)
    by_project: dict[str, list[Image]] = defaultdict(list)
    for image in wanted:
        if image.id in lacking:
            run.refuse(image.path, lacking[image.id])
        else:
            by_project[image.project.casefold()].append(image)
    found: dict[int, Features] = {}
    readings: dict[int, Readings] = {}
    for group in by_project.values():
        for start in range(0, len(group), BATCH):
            run.check()
            some = group[start : start + BATCH]
            plain = vision.readings(some, encoder)
            rows = of_images(some, vision.vectors(some, encoder), plain)
            for image, row, reading in zip(some, rows, plain, strict=True):
                if np.isfinite(row).all():
                    found[image.id], readings[image.id] = row, reading
                else:
                    run.refuse(image.path, f"its {encoder} vector holds numbers that are none; embed it again")
    return Seen(found, readings)


def _clusters(run: RunContext, choices: Sequence[Choice], images: Mapping[int, Image], hashes: HashCache) -> Ints:
    if not choices:
        return np.empty(0, dtype=np.int64)
    needed = sorted({image_id for choice in choices for image_id in choice.image_ids})
    number = {image_id: index for index, image_id in enumerate(needed)}
    found = hashes.hashes([images[image_id] for image_id in needed], run)
    members = [[number[image_id] for image_id in choice.image_ids] for choice in choices]
    return set_clusters(members, near_duplicates(found, check=run.check))


def _baselines(
    choices: Sequence[Choice],
    images: Mapping[int, Image],
    places: Mapping[int, Mapping[int, int]],
    readings: Mapping[int, Readings],
) -> dict[str, Floats]:
    """(N,) scores of each naive baseline over all rows."""
    scores: dict[str, list[Floats]] = {name: [np.empty(0)] for name in BASELINES}
    for choice in choices:
        ids = choice.image_ids
        place = places.get(choice.set_pk, {})
        for name in BASELINES:
            scores[name].append(
                baseline_scores(
                    name, [images[one] for one in ids], [place.get(one, 0) for one in ids], [readings[o] for o in ids]
                )
            )
    return {name: np.concatenate(parts) for name, parts in scores.items()}
