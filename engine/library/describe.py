"""Metadata of files and folders as they lie on the disk, whether the library has them or not.

Relies on walk and metadata; on exiftool (PyExifTool, an extra) only where maker notes are asked for. Never writes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.library import apart
from engine.library.capture import exif_time, written
from engine.library.formats import EXTENSIONS, extension
from engine.library.metadata import document, read_metadata
from engine.library.model import Refusal
from engine.library.source import UnreadableImage, printable
from engine.library.walk import walk

_BATCH = 200


def describe(paths: Sequence[Path], *, maker_notes: bool = False) -> tuple[list[dict[str, Any]], list[Refusal]]:
    """One document a file, folders walked (links in them are not followed), and what was refused with its reason.

    Raises UsageError when maker notes are asked for and exiftool is not there.
    """
    found: list[dict[str, Any]] = []
    refused: list[Refusal] = []
    for path in _files(paths, refused):
        try:
            kind, said = apart.describe(path) if _needs_decoder(path) else read_metadata(path)
        except UnreadableImage as error:
            refused.append(Refusal(printable(path), error.code, error.reason))
            continue
        found.append(dict(document(path, kind, said)))
    if maker_notes:
        _add_maker_notes(found)
    return found, refused


def _needs_decoder(path: str) -> bool:
    """Whether a native library reads the headers of this format, or of whatever a file without a known ending is. Those
    of the others are read here, by Python alone, some thousand a second."""
    possible = EXTENSIONS.get(extension(path))
    return possible is None or not possible.isdisjoint({"heic", "avif", "raw"})


def _files(paths: Sequence[Path], refused: list[Refusal]) -> Iterator[str]:
    never_stops: Callable[[], None] = lambda: None  # noqa: E731
    seen: set[str] = set()
    for given in paths:
        if not given.is_dir():
            names: Iterator[str] = iter([str(given)])
        else:
            names = _images_below(os.path.realpath(given), refused, never_stops)
        for name in names:
            if name not in seen:
                seen.add(name)
                yield name


def _images_below(folder: str, refused: list[Refusal], check: Callable[[], None]) -> Iterator[str]:
    for listing in walk(folder, frozenset(), check):
        refused.extend(Refusal(printable(path), code, reason) for path, code, reason in listing.refused)
        yield from (listing.prefix + name for name in sorted(listing.images))


def _add_maker_notes(found: Sequence[dict[str, Any]]) -> None:
    """Lens, ISO, make, model and capture time where only the maker's own notes have them."""
    try:
        import exiftool
    except ImportError as error:
        raise UsageError(
            "maker notes need PyExifTool, which is not installed", remedy="pip install 'proofsheet[exiftool]'"
        ) from error
    if shutil.which("exiftool") is None:
        raise UsageError(
            "maker notes need the program exiftool, which is not installed",
            remedy="Debian and Ubuntu: apt install libimage-exiftool-perl; elsewhere https://exiftool.org",
        )
    wanted = ["LensID", "LensModel", "Lens", "ISO", "Make", "Model", "DateTimeOriginal"]
    with exiftool.ExifToolHelper(common_args=["-G1", "-c", "%+.8f"], check_execute=False) as tool:
        for at in range(0, len(found), _BATCH):
            batch = found[at : at + _BATCH]
            said = {one["SourceFile"]: one for one in tool.get_tags([one["path"] for one in batch], wanted)}
            for one in batch:
                _fill(one, said.get(one["path"], {}))


def _fill(one: dict[str, Any], said: dict[str, Any]) -> None:
    tags = {key.rpartition(":")[2]: value for key, value in said.items()}
    lens = next((tags[name] for name in ("LensID", "LensModel", "Lens") if str(tags.get(name, "")).strip()), None)
    if one["camera"]["lens"] is None and lens is not None and not str(lens).startswith("Unknown"):
        one["camera"]["lens"] = str(lens)
    # 65535 is Kodak's way to say that none was set.
    if one["exposure"]["iso"] is None and isinstance(tags.get("ISO"), int) and 0 < tags["ISO"] < 65535:
        one["exposure"]["iso"] = tags["ISO"]
    moment = exif_time(tags.get("DateTimeOriginal"))
    if moment is not None and not one["taken_at_source"].endswith(":original"):
        one["taken_at"], one["taken_at_source"] = written(moment), "camera:original"
        one["offset"] = None
    for name, key in (("Make", "make"), ("Model", "model")):
        if one["camera"][key] is None and str(tags.get(name, "")).strip():
            one["camera"][key] = str(tags[name])
