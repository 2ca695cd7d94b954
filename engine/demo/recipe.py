"""The demo's recipe as values: what `data/demo.toml` says, and the plan of sets that follows from it.

Relies on the file alone. Planning draws no picture: it decides scenes, variations, names, times, and which picture of
each set the hidden taste would have chosen. The same recipe gives the same plan on every machine.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, Literal

import numpy as np

Style = Literal["stages", "burst"]
_STAGES = ("generated", "upscaled", "enhanced", "finished", "graded")
_STEADY = {
    "exposure": 0.06,
    "focus": 0.0,
    "noise": 0.0,
    "tilt": 0.0,
    "warmth": 0.05,
    "saturation": 0.03,
    "contrast": 0.02,
    "crop": 0.0,
}


@dataclass(frozen=True)
class Variation:
    """How a picture differs from the scene as drawn, in the recipe's units. `aside`: where a crop moves to, -1 to 1."""

    exposure: float = 0.0
    focus: float = 0.0
    noise: float = 0.0
    tilt: float = 0.0
    warmth: float = 0.0
    saturation: float = 1.0
    contrast: float = 1.0
    crop: float = 1.0
    aside: tuple[float, float] = (0.0, 0.0)


AXES = tuple(field.name for field in fields(Variation) if field.name != "aside")


@dataclass(frozen=True)
class Taste:
    """The hidden taste: where each axis is best, how fast appeal falls off, how much it counts, how firm it is."""

    indecision: float
    best: Mapping[str, float]
    scale: Mapping[str, float]
    weight: Mapping[str, float]

    def appeal(self, variation: Variation) -> float:
        """0 for the perfect picture, lower for every other."""
        values = asdict(variation)
        return -math.fsum(self.weight[axis] * abs(values[axis] - self.best[axis]) / self.scale[axis] for axis in AXES)

    def choose(self, rng: np.random.Generator, variations: tuple[Variation, ...]) -> int:
        """The index of the winner: Plackett-Luce over the appeals (Gumbel noise, Yellott 1977)."""
        appeals = np.array([self.appeal(one) for one in variations])
        return int(np.argmax(appeals / self.indecision + rng.gumbel(size=len(appeals))))


@dataclass(frozen=True)
class Subject:
    """One project of the demo."""

    id: str
    title: str
    begins: datetime
    sets: int
    scenes: tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """`data/demo.toml`."""

    version: int
    digest: str
    seed: int
    width: int
    height: int
    frames: tuple[int, int]
    undecided: int
    subjects: tuple[Subject, ...]
    variations: Mapping[str, tuple[float, ...]]
    often: Mapping[str, float]
    taste: Taste

    @classmethod
    def shipped(cls) -> Recipe:
        """The recipe that ships with Proofsheet."""
        return cls.parse(files("data").joinpath("demo.toml").read_text(encoding="utf-8"))

    @classmethod
    def parse(cls, text: str) -> Recipe:
        """A recipe from TOML text. Raises KeyError or ValueError when something is missing or wrong."""
        found = tomllib.loads(text)
        return cls(
            version=found["version"],
            digest=hashlib.sha256(text.encode()).hexdigest()[:12],
            seed=found["seed"],
            width=found["width"],
            height=found["height"],
            frames=(found["frames"][0], found["frames"][1]),
            undecided=found["undecided"],
            subjects=tuple(
                Subject(key, one["title"], datetime.fromisoformat(one["begins"]), one["sets"], tuple(one["scenes"]))
                for key, one in found["projects"].items()
            ),
            variations={axis: tuple(found["variations"][axis]) for axis in AXES},
            often=found["variations"]["axes"],
            taste=Taste(**found["taste"]),
        )


@dataclass(frozen=True)
class Frame:
    """One picture of a set: its file name, when it says it was taken, and how it differs."""

    name: str
    taken_at: datetime
    variation: Variation


@dataclass(frozen=True)
class PlannedSet:
    """One set. `chosen` is the simulated winner's index; None leaves the set to the person."""

    project: str
    session_id: str
    set_id: str
    scene: str
    style: Style
    seed: tuple[int, ...]
    frames: tuple[Frame, ...]
    chosen: int | None


def plan(recipe: Recipe) -> list[PlannedSet]:
    """Every set of the demo, in the order in which they were 'taken'."""
    planned: list[PlannedSet] = []
    for number, subject in enumerate(recipe.subjects):
        planned += _planned(recipe, number, subject)
    rng = np.random.default_rng([recipe.seed, 1])
    open_sets = set(rng.choice(len(planned), min(recipe.undecided, len(planned)), replace=False).tolist())
    return [_decided(recipe, one, index, index in open_sets) for index, one in enumerate(planned)]


def _planned(recipe: Recipe, number: int, subject: Subject) -> list[PlannedSet]:
    rng = np.random.default_rng([recipe.seed, 2, number])
    moment, shot = subject.begins, 400 + 150 * number
    found: list[PlannedSet] = []
    for index in range(subject.sets):
        style: Style = "stages" if index % 3 == 1 else "burst"
        moment += timedelta(seconds=float(rng.uniform(70, 600)))
        variations = _variations(recipe, rng)
        frames = []
        for place, variation in enumerate(variations):
            if style == "stages":
                name = f"{moment:%Y%m%d_%H%M%S}_stage{place + 1}_{_STAGES[place]}.jpg"
                frames.append(Frame(name, moment.replace(microsecond=0), variation))
                moment += timedelta(seconds=float(rng.uniform(20, 75)))
            else:
                shot += 1
                frames.append(Frame(f"IMG_{shot:04d}.jpg", moment, variation))
                moment += timedelta(seconds=float(rng.uniform(0.3, 0.9)))
        found.append(
            PlannedSet(
                project=subject.id,
                session_id=f"simulated-{subject.id}-{index // 12 + 1}",
                set_id=f"{index + 1:03d}",
                scene=subject.scenes[index % len(subject.scenes)],
                style=style,
                seed=(recipe.seed, 3, number, index),
                frames=tuple(frames),
                chosen=None,
            )
        )
    return found


def _variations(recipe: Recipe, rng: np.random.Generator) -> tuple[Variation, ...]:
    """Two or three axes with distinct values, the rest nearly still."""
    count = int(rng.integers(recipe.frames[0], recipe.frames[1] + 1))
    often = np.array([recipe.often[axis] for axis in AXES])
    moved = set(rng.choice(AXES, int(rng.integers(2, 4)), replace=False, p=often / often.sum()).tolist())
    columns: dict[str, list[float]] = {}
    for axis in AXES:
        values = recipe.variations[axis]
        if axis in moved:
            columns[axis] = [float(one) for one in rng.choice(values, count, replace=len(values) < count)]
        else:
            middle = 1.0 if axis in ("saturation", "contrast", "crop") else 0.0
            drift = np.abs if axis in ("noise", "crop") else np.asarray
            columns[axis] = [float(one) for one in middle + drift(rng.normal(0, _STEADY[axis], count))]
    asides = rng.choice([-0.9, -0.6, 0.6, 0.9], (count, 2))
    return tuple(
        Variation(
            **{axis: columns[axis][index] for axis in AXES}, aside=(float(asides[index, 0]), float(asides[index, 1]))
        )
        for index in range(count)
    )


def _decided(recipe: Recipe, planned: PlannedSet, index: int, is_open: bool) -> PlannedSet:
    if is_open:
        return planned
    rng = np.random.default_rng([recipe.seed, 4, index])
    chosen = recipe.taste.choose(rng, tuple(frame.variation for frame in planned.frames))
    values: dict[str, Any] = {field.name: getattr(planned, field.name) for field in fields(planned)}
    return PlannedSet(**values | {"chosen": chosen})
