"""How far each project has come, and whether its manifest says the same as the library.

Relies on the store's tables and on the manifests, which are read as they are and never written: a count or a date that
differs is told, not mended. Initial: the images there are. Reviewed: those in a set with a verdict, or picked in an
imported log. Selected: those picked. Cropped: those with an accepted crop. Final: those selected that an applied change
set copied or linked out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from engine.library.manifest import BadManifest, Manifest, read_manifest
from engine.store.schema import decisions, images, projects, selections, set_members, sets

STAGES = ("initial", "reviewed", "selected", "cropped", "final")
#: What a manifest may call a stage; any other count in it is kept and not compared.
_SPELLINGS: Mapping[str, str] = {
    **{each: each for each in STAGES},
    "images": "initial", "total": "initial", "imagesInitial": "initial", "initialImages": "initial",
    "imagesReviewed": "reviewed", "imagesSelected": "selected", "picked": "selected", "winners": "selected",
    "imagesCropped": "cropped", "imagesFinal": "final", "finalImages": "final", "delivered": "final",
}  # fmt: skip
_VERDICTS = ("approved", "modified", "rejected")
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where a manifest and the library differ: what the manifest says of `about`, and what the library has."""

    about: str
    manifest: str
    library: str

    def __str__(self) -> str:
        return f"{self.about}: the manifest says {self.manifest}, the library has {self.library}"


@dataclass(frozen=True, slots=True)
class Progress:
    """One project: images by stage, first and last capture time, and what its manifest says otherwise.

    `manifest` is the path of the manifest, '' where there is none; `problem` is why it could not be read.
    """

    project: str
    title: str | None
    stages: Mapping[str, int]
    first_taken: str | None
    last_taken: str | None
    started_at: str | None
    finished_at: str | None
    manifest: str
    counts: Mapping[str, Any]
    mismatches: tuple[Mismatch, ...]
    problem: str = ""


def progress(connection: sa.Connection, exported: Iterable[str] = ()) -> list[Progress]:
    """Every project that has images or a manifest, by id. `exported`: paths that change sets copied or linked out."""
    held = _initial(connection)
    picked = _selected(connection)
    reviewed = _reviewed(connection, picked)
    cropped = _cropped(connection)
    final = _exported_ids(connection, exported)
    home = _homes(connection, set().union(*reviewed.values(), *picked.values(), cropped))
    found = []
    rows = connection.execute(sa.select(projects).order_by(projects.c.key))
    for row in rows:
        count, first, last = held.get(row.id, (0, None, None))
        if not count and row.manifest is None:
            continue
        own = {image for image in picked.get(row.id, set()) if image in home}
        stages = {
            "initial": count,
            "reviewed": sum(image in home for image in reviewed.get(row.id, set())),
            "selected": len(own),
            "cropped": sum(home.get(image) == row.id for image in cropped),
            "final": len(own & final),
        }
        found.append(_told(row, stages, first, last))
    return found


def _told(row: Any, stages: Mapping[str, int], first: str | None, last: str | None) -> Progress:
    manifest: Manifest | None = None
    problem = ""
    if row.manifest is not None:
        try:
            manifest = read_manifest(row.manifest)
        except BadManifest as error:
            problem = str(error)
    return Progress(
        project=row.name,
        title=row.title,
        stages=stages,
        first_taken=first,
        last_taken=last,
        started_at=manifest.started_at if manifest else row.started_at,
        finished_at=manifest.finished_at if manifest else row.finished_at,
        manifest=row.manifest or "",
        counts=manifest.counts if manifest else {},
        mismatches=tuple(compared(manifest, stages, first, last)) if manifest else (),
        problem=problem,
    )


def compared(manifest: Manifest, stages: Mapping[str, int], first: str | None, last: str | None) -> list[Mismatch]:
    """Where the manifest's counts and dates are not the library's. Counts under other names are not compared."""
    found = []
    for name, told in manifest.counts.items():
        stage = _SPELLINGS.get(name)
        if stage is None:
            continue
        if isinstance(told, bool) or not isinstance(told, int):
            found.append(Mismatch(f"counts.{name}", repr(told), f"{stages[stage]:,} images"))
        elif told != stages[stage]:
            found.append(Mismatch(f"counts.{name}", f"{told:,}", f"{stages[stage]:,}"))
    begins, ends = manifest.begins_ns, manifest.ends_ns
    if begins is not None and first is not None and _nanoseconds(first) < begins:
        found.append(Mismatch("startedAt", str(manifest.started_at), f"an image taken {first[:10]}"))
    if ends is not None and last is not None and _nanoseconds(last) >= ends:
        found.append(Mismatch("finishedAt", str(manifest.finished_at), f"an image taken {last[:10]}"))
    return found


def _nanoseconds(taken: str) -> int:
    """A capture time as nanoseconds since 1970; one without an offset is read as UTC, as manifests' dates are."""
    moment = datetime.fromisoformat(taken)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000_000


def _initial(connection: sa.Connection) -> dict[int, tuple[int, str | None, str | None]]:
    """Project -> its images, and the first and last capture time. When a file was copied is no capture time: it would
    make a manifest's dates look wrong."""
    taken = sa.case((images.c.taken_at_source == "mtime", sa.null()), else_=images.c.taken_at)
    rows = connection.execute(
        sa.select(images.c.project_id, sa.func.count(), sa.func.min(taken), sa.func.max(taken))
        .where(images.c.removed_at.is_(None))
        .group_by(images.c.project_id)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _in_force(kind: str) -> sa.Select[Any]:
    """The newest verdict of each person on each subject that is not superseded."""
    newer = decisions.alias("newer")
    return sa.select(decisions.c.subject, decisions.c.verdict, decisions.c.value, decisions.c.project_id).where(
        decisions.c.kind == kind,
        decisions.c.verdict.in_(_VERDICTS),
        ~sa.exists().where(newer.c.supersedes == decisions.c.id),
    )


def _selected(connection: sa.Connection) -> dict[int, set[int]]:
    """Project -> images picked, by verdicts and by imported logs."""
    found: dict[int, set[int]] = {}
    for _, verdict, value, project in connection.execute(_in_force("ranking")):
        image = value.get("image") if isinstance(value, dict) else None
        if verdict != "rejected" and image is not None and project is not None:
            found.setdefault(project, set()).add(int(image))
    logged = sa.select(sets.c.project_id, selections.c.chosen_image_id).join(sets, sets.c.id == selections.c.set_pk)
    for project, image in connection.execute(logged):
        found.setdefault(project, set()).add(image)
    return found


def _reviewed(connection: sa.Connection, picked: Mapping[int, set[int]]) -> dict[int, set[int]]:
    """Project -> members of sets that have a verdict, and what was picked."""
    found = {project: set(chosen) for project, chosen in picked.items()}
    subjects = [subject for subject, *_ in connection.execute(_in_force("ranking"))]
    numbers = sorted({int(each.removeprefix("set:")) for each in subjects if each.removeprefix("set:").isdecimal()})
    logged = connection.execute(sa.select(selections.c.set_pk).distinct()).scalars()
    wanted = sorted({*numbers, *logged})
    for at in range(0, len(wanted), _CHUNK):
        members = sa.select(sets.c.project_id, set_members.c.image_id).join(sets, sets.c.id == set_members.c.set_pk)
        for project, image in connection.execute(members.where(sets.c.id.in_(wanted[at : at + _CHUNK]))):
            found.setdefault(project, set()).add(image)
    return found


def _cropped(connection: sa.Connection) -> set[int]:
    """Images with an accepted crop: decisions of the kind `cropping` on `image:<id>`."""
    numbers = (
        subject.removeprefix("image:")
        for subject, verdict, *_ in connection.execute(_in_force("cropping"))
        if verdict != "rejected"
    )
    return {int(number) for number in numbers if number.isdecimal()}


def _exported_ids(connection: sa.Connection, paths: Iterable[str]) -> set[int]:
    wanted = sorted(set(paths))
    found: set[int] = set()
    for at in range(0, len(wanted), _CHUNK):
        query = sa.select(images.c.id).where(images.c.path.in_(wanted[at : at + _CHUNK]))
        found.update(connection.execute(query).scalars())
    return found


def _homes(connection: sa.Connection, wanted: set[int]) -> dict[int, int]:
    """Image id -> project id, for those of `wanted` that are present."""
    ids = sorted(wanted)
    found: dict[int, int] = {}
    for at in range(0, len(ids), _CHUNK):
        query = sa.select(images.c.id, images.c.project_id).where(
            images.c.removed_at.is_(None), images.c.id.in_(ids[at : at + _CHUNK])
        )
        found.update((image, project) for image, project in connection.execute(query))
    return found


def document(found: Progress) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "project": found.project,
        "title": found.title,
        "stages": dict(found.stages),
        "first_taken": found.first_taken,
        "last_taken": found.last_taken,
        "started_at": found.started_at,
        "finished_at": found.finished_at,
        "manifest": found.manifest or None,
        "counts": dict(found.counts),
        "mismatches": [
            {"about": each.about, "manifest": each.manifest, "library": each.library} for each in found.mismatches
        ],
        "problem": found.problem or None,
    }
