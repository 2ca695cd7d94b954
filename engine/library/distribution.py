"""The library in shares: how many images of each format, resolution, quality, lighting, source, project, date and
camera, of everything or of what a query finds, beside what is recommended. SQL that counts; nothing here opens a file.

Relies on the store's tables and on `gaps` for the arithmetic. Facts of an image are missing until it is studied: such
images are counted as not looked at, and shares are of the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal

import sqlalchemy as sa

from engine.library.catalog import refused_by_code
from engine.library.gaps import Coverage, Gaps, evenness, gaps
from engine.library.recommended import AXES, CLASSES, RESOLUTION_BOUNDS, WORDS, Axis, Recommended
from engine.store.schema import images, projects
from engine.store.schema.facts import image_facts, image_metadata

AnyAxis = Literal["format", "quality", "lighting", "source", "resolution", "project", "date", "camera"]
_PRESENT = images.c.removed_at.is_(None)
_OTHER_FORMATS = "webp,tiff,gif,bmp,avif"
MOST = 60  # projects, months and cameras that are listed; the rest is summed up


@dataclass(frozen=True, slots=True)
class Share:
    """One bar: `label` for people, `key` for programs, and the query that lists its images ('' when none does).

    `wanted` is the recommended share of 1, None where nothing is recommended.
    """

    key: str
    label: str
    images: int
    query: str
    wanted: float | None = None


@dataclass(frozen=True, slots=True)
class Distribution:
    """One axis: its bars, and `unknown`, the images of which it is not known where they belong.

    `gaps` is None where nothing is recommended; `evenness` (0 to 1) is None where there is nothing to say.
    """

    axis: AnyAxis
    shares: tuple[Share, ...]
    unknown: int
    gaps: Gaps | None = None
    evenness: float | None = None

    @property
    def known(self) -> int:
        """Images that the shares are of."""
        return sum(share.images for share in self.shares)


@dataclass(frozen=True, slots=True)
class Mix:
    """Every distribution of the images that were asked for.

    studied: images with facts. near_duplicates: share of images with a near duplicate in their project, None when not
    looked for. coverage: by project, where there are vectors.
    """

    images: int
    studied: int
    distributions: Mapping[str, Distribution]
    refused: tuple[tuple[str, int], ...]
    recommended_file: str
    near_duplicates: float | None = None
    coverage: Mapping[str, Coverage] = field(default_factory=dict)

    @property
    def gap_list(self) -> list[tuple[str, str, str, int]]:
        """(axis, key, label, images to add), the largest first: what would bring every share to its recommendation."""
        found = [
            (name, share.key, _spoken(name, share), distribution.gaps.add[share.key])
            for name, distribution in self.distributions.items()
            if distribution.gaps is not None
            for share in distribution.shares
            if share.key in distribution.gaps.add
        ]
        return sorted(found, key=lambda each: -each[3])


def _spoken(axis: str, share: Share) -> str:
    """A class by a name that says what it is also without its axis."""
    return f"other {axis}s" if share.key == "other" else share.label


def mix(connection: sa.Connection, recommended: Recommended, conditions: Sequence[sa.ColumnElement[bool]] = ()) -> Mix:
    """The distributions of the images present that fulfil `conditions`."""
    counted = _counted(connection, conditions)
    total = sum(counted["format"].values())
    found: dict[str, Distribution] = {}
    for axis in AXES:
        found[axis] = recommended_axis(axis, counted[axis], total, recommended.shares.get(axis))
    found["project"] = open_axis("project", _projects(connection, counted["project"]))
    found["date"] = open_axis("date", *_months(connection, conditions))
    found["camera"] = open_axis("camera", *_cameras(connection, conditions))
    return Mix(
        images=total,
        studied=found["quality"].known,
        distributions=found,
        refused=refused_by_code(connection),
        recommended_file=recommended.file,
    )


def share_of(
    connection: sa.Connection, condition: sa.ColumnElement[bool], among: Sequence[sa.ColumnElement[bool]]
) -> float | None:
    """The share of images (those that fulfil `among`) of which `condition` holds; None where there are none."""
    every = connection.execute(sa.select(sa.func.count()).select_from(images).where(_PRESENT, *among)).scalar_one()
    some = sa.select(sa.func.count()).select_from(images).where(_PRESENT, condition, *among)
    return connection.execute(some).scalar_one() / every if every else None


def with_diversity(found: Mix, near_duplicates: float | None, coverage: Mapping[str, Coverage]) -> Mix:
    """The same mix, with what other rooms know of its diversity."""
    return replace(found, near_duplicates=near_duplicates, coverage=dict(coverage))


def _size() -> sa.ColumnElement[int]:
    """The number of an image's class of resolution."""
    pixels = images.c.width * images.c.height
    return sa.case(*((pixels < bound, at) for at, bound in enumerate(RESOLUTION_BOUNDS)), else_=len(RESOLUTION_BOUNDS))


def _counted_whole(connection: sa.Connection) -> dict[str, dict[Any, int]]:
    """The same of everything, from the index of each axis: a tenth of the time that joining the tables takes."""
    found: dict[str, dict[Any, int]] = {}
    axes = (("project", images.c.project_id), ("format", images.c.format), ("resolution", _size()))
    for axis, column in axes:
        rows = connection.execute(sa.select(column, sa.func.count()).where(_PRESENT).group_by(column))
        held: dict[Any, int] = {}
        for key, count in rows:
            held_under = key
            if axis == "resolution":
                held_under = CLASSES["resolution"][key]
            elif axis == "format" and key not in CLASSES["format"]:
                held_under = "other"
            held[held_under] = held.get(held_under, 0) + count
        found[axis] = held
    total = sum(found["format"].values())
    facts = image_facts.c
    studied = _of_present(connection, facts.image_id, (facts.quality, facts.lighting, facts.source))
    for place, axis in enumerate(("quality", "lighting", "source")):
        held = {None: total - sum(studied.values())}
        for keys, count in studied.items():
            held[keys[place]] = held.get(keys[place], 0) + count
        found[axis] = held
    return found


def _of_present(
    connection: sa.Connection, image_id: sa.ColumnElement[int], columns: Sequence[sa.ColumnElement[Any]]
) -> Counter[tuple[Any, ...]]:
    """Values of a table of images -> images present: counted in the table's index, less the few that are gone."""
    every = sa.select(*columns, sa.func.count()).group_by(*columns)
    gone = sa.select(images.c.id).where(images.c.removed_at.is_not(None))
    found: Counter[tuple[Any, ...]] = Counter()
    for *keys, count in connection.execute(every):
        found[tuple(keys)] += count
    for *keys, count in connection.execute(every.where(image_id.in_(gone))):
        found[tuple(keys)] -= count
    return +found


def _counted(connection: sa.Connection, conditions: Sequence[sa.ColumnElement[bool]]) -> dict[str, dict[Any, int]]:
    """Axis -> class -> images; what has no facts is under None. One pass over the images and their facts."""
    if not conditions:
        return _counted_whole(connection)
    size = _size()
    facts = image_facts.c
    rows = connection.execute(
        sa.select(
            images.c.project_id, images.c.format, size, facts.quality, facts.lighting, facts.source, sa.func.count()
        )
        .select_from(images.outerjoin(image_facts, facts.image_id == images.c.id))
        .where(_PRESENT, *conditions)
        .group_by(images.c.project_id, images.c.format, size, facts.quality, facts.lighting, facts.source)
    )
    found: dict[str, dict[Any, int]] = {axis: {} for axis in (*AXES, "project")}
    for project, kind, at, quality, lighting, source, count in rows:
        keys = {
            "project": project,
            "format": kind if kind in CLASSES["format"] else "other",
            "resolution": CLASSES["resolution"][at],
            "quality": quality,
            "lighting": lighting,
            "source": source,
        }
        for axis, key in keys.items():
            found[axis][key] = found[axis].get(key, 0) + count
    return found


def recommended_axis(
    axis: Axis, counted: Mapping[Any, int], total: int, shares: Mapping[str, Fraction] | None
) -> Distribution:
    """One axis of `total` images, from class -> images, beside its recommended shares."""
    held = {name: counted.get(name, 0) for name in CLASSES[axis]}
    bars = tuple(
        Share(name, WORDS.get(name, name), count, _query(axis, name), float(shares[name]) if shares else None)
        for name, count in held.items()
    )
    known = sum(held.values())
    return Distribution(
        axis,
        bars,
        total - known,
        gaps(held, shares) if shares and known else None,
        evenness(list(held.values()), len(held)),
    )


def _query(axis: Axis, name: str) -> str:
    return f"format:{_OTHER_FORMATS}" if (axis, name) == ("format", "other") else f"{axis}:{name}"


def open_axis(axis: AnyAxis, counted: Iterable[tuple[str, str, int]], unknown: int = 0) -> Distribution:
    """An axis without a recommendation, from (label, query, images): the first `MOST`, the rest in one bar."""
    every = list(counted)
    bars = [Share(label, label, count, query) for label, query, count in every[:MOST]]
    if rest := sum(count for _, _, count in every[MOST:]):
        bars.append(Share("", f"{len(every) - MOST:,} more", rest, ""))
    return Distribution(axis, tuple(bars), unknown, None, evenness([count for _, _, count in every]))


def _projects(connection: sa.Connection, counted: Mapping[Any, int]) -> list[tuple[str, str, int]]:
    names = {row.id: row.name for row in connection.execute(sa.select(projects.c.id, projects.c.name))}
    found = [(names[key], f"project:{_quoted(names[key])}", count) for key, count in counted.items()]
    return sorted(found, key=lambda each: (-each[2], each[0]))


def _months(
    connection: sa.Connection, conditions: Sequence[sa.ColumnElement[bool]]
) -> tuple[list[tuple[str, str, int]], int]:
    """Images by month while there are few, else by year; the oldest first. And those whose time is unknown."""
    month = sa.func.substr(images.c.taken_at, 1, 7)
    rows = connection.execute(sa.select(month, sa.func.count()).where(_PRESENT, *conditions).group_by(month)).all()
    found = {text: count for text, count in rows if text}
    unknown = sum(count for text, count in rows if not text)
    if len(found) > MOST:
        years: dict[str, int] = {}
        for text, count in found.items():
            years[text[:4]] = years.get(text[:4], 0) + count
        found = years
    return [(text, f"taken:{text}", count) for text, count in sorted(found.items())], unknown


def _cameras(
    connection: sa.Connection, conditions: Sequence[sa.ColumnElement[bool]]
) -> tuple[list[tuple[str, str, int]], int]:
    told = image_metadata.c
    if not conditions:
        known = _of_present(connection, told.image_id, (told.camera_make, told.camera_model))
        total = connection.execute(sa.select(sa.func.count()).select_from(images).where(_PRESENT)).scalar_one()
        silent = (None, None, total - sum(known.values()))
        return _by_camera([*((make, model, count) for (make, model), count in known.items()), silent])
    rows = connection.execute(
        sa.select(told.camera_make, told.camera_model, sa.func.count())
        .select_from(images.outerjoin(image_metadata, told.image_id == images.c.id))
        .where(_PRESENT, *conditions)
        .group_by(told.camera_make, told.camera_model)
    ).all()
    return _by_camera((make, model, count) for make, model, count in rows)


def _by_camera(
    rows: Iterable[tuple[str | None, str | None, int]],
) -> tuple[list[tuple[str, str, int]], int]:
    """(label, query, images) of each camera, from (make, model, images), and how many images name none."""
    found: dict[str, tuple[str, int]] = {}
    unknown = 0
    for make, model, count in rows:
        label = model or make
        if not label:
            unknown += count
            continue
        query = f"camera:{_quoted(label)}"
        found[label] = (query, found.get(label, ("", 0))[1] + count)
    listed = [(label, query, count) for label, (query, count) in found.items()]
    return sorted(listed, key=lambda each: (-each[2], each[0])), unknown


def _quoted(text: str) -> str:
    plain = not any(character.isspace() or character in '",' for character in text)
    return text if plain else '"' + text.replace('"', "") + '"'


def document(found: Mix) -> dict[str, Any]:
    """The same as JSON: `distributions`, `gaps`, `diversity`; shares to four places."""
    return {
        "studied": found.studied,
        "distributions": {name: _axis_document(each) for name, each in found.distributions.items()},
        "gaps": [
            {"axis": axis, "class": key, "label": label, "add": count} for axis, key, label, count in found.gap_list
        ],
        "diversity": {
            "evenness": {name: _rounded(each.evenness) for name, each in found.distributions.items()},
            "near_duplicate_share": _rounded(found.near_duplicates),
            "embedding_coverage": {
                project: {
                    "effective_rank": round(each.effective_rank, 2),
                    "spread": round(each.spread, 4),
                    "vectors": each.vectors,
                    "dimension": each.dimension,
                }
                for project, each in found.coverage.items()
            },
        },
        "refused_by_code": dict(found.refused),
        "recommended": found.recommended_file,
    }


def _axis_document(each: Distribution) -> dict[str, Any]:
    known = each.known
    told: dict[str, Any] = {
        "classes": [
            {
                "class": share.key or None,
                "label": share.label,
                "images": share.images,
                "share": round(share.images / known, 4) if known else 0.0,
                **({"recommended": round(share.wanted, 4)} if share.wanted is not None else {}),
                **(
                    {"short": each.gaps.short.get(share.key, 0), "add": each.gaps.add.get(share.key, 0)}
                    if each.gaps is not None
                    else {}
                ),
                "query": share.query or None,
            }
            for share in each.shares
        ],
        "unknown": each.unknown,
    }
    if each.gaps is not None:
        told |= {"total_after": each.gaps.total, "limiting": each.gaps.limiting, "surplus": each.gaps.surplus}
    return told


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
