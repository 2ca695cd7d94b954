"""Grouping images into sets: by file-name stages, by capture-time bursts, by what is left of a folder.

Pure functions over small records of one folder and one project; nothing here reads the store. The same records in any
order give the same sets. An image that is already taken (by an imported set or a decided one) still marks where a
group begins, but is in no new set.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from engine.ranking.model import GENERATED, SetSource

_STAGE = re.compile(r"(?P<stamp>\d{8}[_-]?\d{6})_stage(?P<stage>\d{1,6})(?:[_-](?P<label>.+))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Record:
    """An image as far as grouping needs it. `taken_at` is the capture time as wall-clock, None when unknown."""

    image_id: int
    name: str
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StageName:
    """What a stage file name says, as `20250708_060711_stage2_upscaled.png`."""

    stamp: str
    stage: int
    label: str


@dataclass(frozen=True, slots=True)
class NewSet:
    """A generated set: `key` is stable for the same members, `labels` go with `image_ids`, first to last."""

    source: SetSource
    key: str
    title: str
    image_ids: tuple[int, ...]
    labels: tuple[str, ...]
    taken_at: str | None


def stage_name(name: str) -> StageName | None:
    """The stamp, stage number and label in a file name, whatever its suffix and case; None when it has no stage."""
    stem, dot, suffix = name.rpartition(".")
    found = _STAGE.fullmatch(stem if dot and suffix else name)
    if found is None:
        return None
    stamp = re.sub(r"\D", "", found["stamp"])
    return StageName(stamp, int(found["stage"]), (found["label"] or "").replace("_", " "))


def by_stages(records: Iterable[Record]) -> list[list[Record]]:
    """Stage images in time order, cut wherever the stage number does not rise. Every stage image is in one group."""
    staged = [(found, record) for record in records if (found := stage_name(record.name)) is not None]
    staged.sort(key=lambda pair: (pair[0].stamp, pair[0].stage, pair[1].name, pair[1].image_id))
    groups: list[list[Record]] = []
    last: StageName | None = None
    for found, record in staged:
        if last is None or found.stage <= last.stage:
            groups.append([])
        groups[-1].append(record)
        last = found
    return groups


def by_bursts(records: Iterable[Record], burst_seconds: float) -> list[list[Record]]:
    """Images with a capture time, in time order, cut wherever the gap is longer than `burst_seconds`."""
    timed = [(record.taken_at, record) for record in records if record.taken_at is not None]
    timed.sort(key=lambda pair: (pair[0], pair[1].name, pair[1].image_id))
    groups: list[list[Record]] = []
    last: datetime | None = None
    for moment, record in timed:
        if last is None or (moment - last).total_seconds() > burst_seconds:
            groups.append([])
        groups[-1].append(record)
        last = moment
    return groups


def by_folder(records: Iterable[Record], largest: int) -> list[list[Record]]:
    """What is left of a folder as consecutive groups of 2 to `largest` images, as even as can be.

    In capture-time order where every image has one, else in name order; fewer than two images make no group.
    """
    ordered = sorted(records, key=lambda record: (record.name, record.image_id))
    if ordered and all(record.taken_at is not None for record in ordered):
        ordered.sort(key=lambda record: record.taken_at or datetime.min)
    count = len(ordered)
    if count < 2:
        return []
    # Even groups: a last group of one would have nothing to choose from. (Three images and a limit of two stay one.)
    groups = max(min(math.ceil(count / largest), count // 2), 1)
    bounds = [round(index * count / groups) for index in range(groups + 1)]
    return [ordered[start:end] for start, end in pairwise(bounds)]


def generate(
    records: Sequence[Record],
    folder: str,
    *,
    sources: Collection[SetSource] = GENERATED,
    taken: Collection[int] = (),
    burst_seconds: float = 2.0,
    folder_set_size: int = 6,
) -> list[NewSet]:
    """All sets of one folder: stages first, then bursts among the rest, then the folder. `taken` are image ids."""
    passes: tuple[tuple[SetSource, Callable[[list[Record]], list[list[Record]]]], ...] = (
        (SetSource.STAGES, by_stages),
        (SetSource.BURSTS, lambda left: by_bursts(left, burst_seconds)),
    )
    left = list(records)
    made: list[NewSet] = []
    for source, group in passes:
        if source not in sources:
            continue
        for members in group(left):
            free = [record for record in members if record.image_id not in taken]
            if len(free) >= 2:
                made.append(_new_set(source, folder, free))
        grouped = {image_id for one in made for image_id in one.image_ids}
        left = [record for record in left if record.image_id not in grouped]
    if SetSource.FOLDER in sources:
        free = [record for record in left if record.image_id not in taken]
        made.extend(_new_set(SetSource.FOLDER, folder, members) for members in by_folder(free, folder_set_size))
    return made


def session_of(source: SetSource, folder: str) -> str:
    """The session id of generated sets: source and folder, so that two folders never meet in one session."""
    return f"{source}:{folder}"


def _new_set(source: SetSource, folder: str, members: Sequence[Record]) -> NewSet:
    first = members[0]
    identity = hashlib.blake2b("\0".join(record.name for record in members).encode(), digest_size=4).hexdigest()
    moment = min((record.taken_at for record in members if record.taken_at is not None), default=None)
    titles = {
        SetSource.STAGES: first.name.casefold().partition("_stage")[0],
        SetSource.BURSTS: moment.strftime("%Y-%m-%d %H:%M:%S") if moment else "",
    }
    folder_name = folder.replace("\\", "/").rstrip("/").rpartition("/")[2] or folder
    return NewSet(
        source=source,
        key=f"{first.name.rpartition('.')[0] or first.name}-{identity}",
        title=titles.get(source) or f"{folder_name}: {first.name}",
        image_ids=tuple(record.image_id for record in members),
        labels=_labels(source, members, moment),
        taken_at=moment.isoformat() if moment else None,
    )


def _labels(source: SetSource, members: Sequence[Record], first: datetime | None) -> tuple[str, ...]:
    """What each member is called in its set; with the stage's number where the name alone would not tell them apart."""
    labels = tuple(_label(source, record, first) for record in members)
    if source is not SetSource.STAGES or len(set(labels)) == len(labels):
        return labels
    stages = [stage_name(record.name) for record in members]
    return tuple(
        f"stage {stage.stage} {stage.label}".rstrip() if stage is not None else label
        for stage, label in zip(stages, labels, strict=True)
    )


def _label(source: SetSource, record: Record, first: datetime | None) -> str:
    if source is SetSource.STAGES:
        found = stage_name(record.name)
        return (found.label or f"stage {found.stage}") if found else ""
    if source is SetSource.BURSTS and first is not None and record.taken_at is not None:
        return f"+{(record.taken_at - first).total_seconds():.1f} s"
    return ""


def wall_clock(taken_at: str | None) -> datetime | None:
    """A capture time as the camera's clock showed it, without its offset, so that the frames of a burst compare.

    None for no time and for a text that is no time.
    """
    if not taken_at:
        return None
    try:
        return datetime.fromisoformat(taken_at).replace(tzinfo=None)
    except ValueError:
        return None
