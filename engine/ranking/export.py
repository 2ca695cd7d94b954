"""Picks leave again: as the selection log they could have come from, as a list, as copies, as XMP ratings.

Pure planning: choices and images in, operations for the `changes` room out. It reads sidecars to know how to edit them
and writes nothing itself; every export is a change set that a person sees before it is applied.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from engine.changes import Copy, Create, Edit, Operation
from engine.errors import ProofsheetError, UsageError
from engine.library.model import Image
from engine.ranking.model import Choice
from engine.ranking.observe import COLUMNS
from engine.ranking.xmp import NotXmp, with_rating

Format = Literal["txt", "json", "csv"]


def selection_log(choices: Iterable[Choice], keys: Mapping[int, tuple[str, str]], images: Mapping[int, Image]) -> bytes:
    """`selection_only_log.csv` of these choices, oldest first; `keys` gives each set's session and set id."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for choice in choices:
        paths = [str(images[one].path) for one in choice.image_ids]
        losers = json.dumps(paths[1:], ensure_ascii=False)
        writer.writerow([*keys[choice.set_pk], paths[0], losers, choice.chosen_at])
    return out.getvalue().encode()


def winner_list(winners: Sequence[Image], form: Format) -> bytes:
    """The winners' paths: a line each, a JSON list, or CSV with project and path."""
    if form == "json":
        return (json.dumps([str(image.path) for image in winners], ensure_ascii=False, indent=2) + "\n").encode()
    if form == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["project", "path"])
        writer.writerows([image.project, str(image.path)] for image in winners)
        return out.getvalue().encode()
    broken = next((image.path for image in winners if "\n" in str(image.path)), None)
    if broken is not None:
        raise UsageError(f"the name of {str(broken)!r} holds a line break", remedy="Use --format json or csv.")
    return "".join(f"{image.path}\n" for image in winners).encode()


def write_file(file: Path, content: bytes) -> Operation:
    """The operation that gives `file` this content, whether or not it is there already."""
    if file.is_dir():
        raise UsageError(f"{file} is a folder", remedy="Name a file in it.")
    return Edit(file, content) if file.exists() else Create(file, content)


def copies(winners: Sequence[Image], folder: Path, *, is_link: bool) -> list[Operation]:
    """Copies (or hard links) of the winners under `folder`/<project>, names that meet told apart by a number."""
    used: set[str] = set()
    operations: list[Operation] = []
    for image in winners:
        target = folder / safe_name(image.project) / image.path.name
        number = 2
        # Told apart whatever the case, because the export may end on a file system that does not see it.
        while str(target).casefold() in used:
            target = target.with_name(f"{image.path.stem}-{number}{image.path.suffix}")
            number += 1
        used.add(str(target).casefold())
        operations.append(Copy(image.path, target, link=is_link))
    return operations


def safe_name(project: str) -> str:
    """A project id as the name of one folder."""
    name = project.replace("/", "_").replace("\\", "_").replace("\0", "_")
    return "_" + name if name in ("", ".", "..") else name


def ratings(
    winners: Sequence[Image], stems: Mapping[Path, int], rating: int, *, skip_damaged: bool = False
) -> list[Operation]:
    """Edits or creations of XMP sidecars that rate the winners.

    `stems` counts the library's images by path without suffix: where two share one, the sidecar is `name.ext.xmp`, so
    that a loser does not get the winner's rating. Raises ProofsheetError naming the sidecars that cannot be edited.
    """
    operations: list[Operation] = []
    damaged: list[str] = []
    for image in winners:
        sidecar, exists = sidecar_of(image.path, is_shared=stems.get(image.path.with_suffix(""), 1) > 1)
        try:
            before = sidecar.read_bytes() if exists else None
            after = with_rating(before, rating)
        except (NotXmp, OSError) as error:
            damaged.append(f"{sidecar}: {error}")
            continue
        if before is None:
            operations.append(Create(sidecar, after))
        elif before != after:
            operations.append(Edit(sidecar, after))
    if damaged and not skip_damaged:
        shown = "\n  ".join(damaged[:5]) + (f"\n  and {len(damaged) - 5} more" if len(damaged) > 5 else "")
        raise ProofsheetError(
            f"these sidecars cannot be edited without loss, and nothing was planned:\n  {shown}",
            remedy="Mend or move them, or rate the others with --skip-damaged.",
        )
    return operations


def sidecar_of(image: Path, *, is_shared: bool) -> tuple[Path, bool]:
    """The sidecar to rate an image in, and whether it is there: `name.ext.xmp`, else `name.xmp`, else a new one."""
    long, short = image.with_name(image.name + ".xmp"), image.with_suffix(".xmp")
    candidates = (long,) if is_shared else (long, short)
    for candidate in candidates:
        for spelled in (candidate, candidate.with_suffix(".XMP")):
            if spelled.exists():
                return spelled, True
    return (long if is_shared else short), False
