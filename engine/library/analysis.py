"""analyze: everything that is known of the images below some folders, streamed to one file that can be gone on with.

Relies on the study (what is missing is studied on the way) and on the store. `.jsonl` is written as it comes, a line an
image, and a run that was stopped or killed goes on behind the last whole line. Any other ending is one JSON array, made
complete in a file beside it and put in its place at the end. A file that is not ours is never written over.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa

from engine.errors import UsageError
from engine.library import catalog, facts
from engine.library.facts import Facts, StoredMetadata, Unstudied
from engine.library.known import within
from engine.library.model import Image
from engine.library.study import Study
from engine.library.workers import Decoders
from engine.runs import RunContext
from engine.settings import Settings
from engine.store import Store
from engine.store.schema import images, refusals, vectors

VERSION = 1
_PAGE = 200
_MARK = "analysis_version"


def check_output(output: Path, *, force: bool) -> None:
    """Whether `output` may be written: it is new, or ours to go on with, or `force`. Raises UsageError if not."""
    if not output.parent.is_dir():
        raise UsageError(f"there is no folder {output.parent}", remedy="Make it first, or name another file.")
    if output.is_dir():
        raise UsageError(f"{output} is a folder", remedy="Name a file, such as results.json or results.jsonl.")
    if output.exists() and not force and output.stat().st_size and not is_ours(output):
        raise UsageError(
            f"{output} exists and was not written by `proofsheet analyze`; it is left as it is",
            remedy="Name another file, or add --force to write over it.",
        )


def is_ours(file: Path) -> bool:
    """Whether the file begins with a record of an analysis (or is the empty array that one may leave)."""
    with file.open("rb") as opened:
        begin = opened.read(1 << 20).lstrip()
    if begin in (b"[]", b"[]\n", b"[\n]\n"):
        return True
    first = begin.removeprefix(b"[").lstrip().split(b"\n", 1)[0].rstrip().rstrip(b",")
    try:
        record = json.loads(first)
    except ValueError:
        return False
    return isinstance(record, dict) and _MARK in record and "path" in record


class Analysis:
    """One analysis of scanned folders, run once."""

    def __init__(self, context: RunContext, store: Store, settings: Settings, study: Study) -> None:
        self._context = context
        self._store = store
        self._settings = settings
        self._study = study
        self._roots: Sequence[str] = context.params["paths"]
        self._output = Path(context.params["output"])
        self._is_lines = self._output.suffix == ".jsonl"
        self._force: bool = context.params.get("force", False)
        self._qualities: Counter[str] = Counter()

    def run(self) -> dict[str, Any]:
        """The summary that `proofsheet analyze --json` prints. Raises RunCancelled once the run was asked to stop."""
        started = time.monotonic()
        check_output(self._output, force=self._force)
        lines = self._output if self._is_lines else self._output.with_name(f".{self._output.name}.partial")
        if self._force and self._is_lines and self._output.exists() and not is_ours(self._output):
            self._output.unlink()
        done = dict(_records_in(lines))
        total = self._count()
        written = kept = 0
        with lines.open("ab") as file, self._decoders() as decoders:
            for page in self._pages():
                self._context.check()
                wanted = [image for image in page if done.get(str(image.path)) != image.content_hash]
                kept += len(page) - len(wanted)
                self._complete(decoders, wanted)
                written += self._write(file, wanted)
                self._context.progress(written + kept, total, f"{written + kept:,} images analyzed")
        latest = self._settle(lines)
        seconds = time.monotonic() - started
        return {
            "run": self._context.id,
            "output": str(self._output),
            "files": latest + sum(self._errors().values()),
            "analyzed": latest,
            "resumed": kept,
            "errors": self._errors(),
            "refused": self._refused(),
            "quality": {name: self._qualities[name] for name in ("excellent", "good", "average", "poor")},
            "seconds": round(seconds, 3),
            "images_per_second": round(written / seconds, 1) if seconds > 0 else 0.0,
        }

    def _decoders(self) -> Decoders[Unstudied]:
        return Decoders(self._context.workers, self._settings.max_pixels, check=self._context.check)

    def _within(self) -> sa.ColumnElement[bool]:
        return sa.and_(images.c.removed_at.is_(None), sa.or_(*(within(root) for root in self._roots)))

    def _count(self) -> int:
        with self._store.reading() as connection:
            query = sa.select(sa.func.count()).select_from(images).where(self._within())
            return int(connection.execute(query).scalar_one())

    def _pages(self) -> Iterator[list[Image]]:
        after = 0
        while True:
            query = sa.select(images.c.id).where(self._within(), images.c.id > after).order_by(images.c.id).limit(_PAGE)
            with self._store.reading() as connection:
                found = catalog.page(connection, list(connection.execute(query).scalars()))
            if not found:
                return
            yield found
            after = found[-1].id

    def _complete(self, decoders: Decoders[Unstudied], page: Sequence[Image]) -> None:
        """Study what is not known yet of these."""
        with self._store.reading() as connection:
            known = facts.facts_of(connection, [image.id for image in page])
        missing = [
            Unstudied(image.id, str(image.path), image.content_hash, image.size, image.mtime_ns)
            for image in page
            if image.id not in known
        ]
        if missing:
            self._study.over(decoders, iter(missing), None)

    def _write(self, file: BinaryIO, page: Sequence[Image]) -> int:
        identities = [image.id for image in page]
        with self._store.reading() as connection:
            content = facts.facts_of(connection, identities)
            said = facts.metadata_of(connection, identities)
            encoders = _encoders_of(connection, {image.content_hash for image in page})
        records = [
            record_of(image, content[image.id], said[image.id], encoders.get(image.content_hash, []))
            for image in page
            if image.id in content and image.id in said
        ]
        file.write(b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records))
        file.flush()
        os.fsync(file.fileno())
        return len(records)

    def _settle(self, lines: Path) -> int:
        """Leave one record an image, of the library as it is now, and return how many there are."""
        with self._store.reading() as connection:
            query = sa.select(images.c.path, images.c.content_hash).where(self._within())
            present = {path: content_hash for path, content_hash in connection.execute(query)}
        at: dict[str, int] = {}
        is_clean = True
        for place, record in _lines_of(lines):
            path = record["path"]
            is_clean &= path not in at and present.get(path) == record["content_hash"]
            if present.get(path) == record["content_hash"]:
                at[path] = place
                self._qualities[path] = 0
        self._qualities.clear()
        if self._is_lines and is_clean:
            for _, record in _lines_of(lines):
                self._qualities[record["quality"]["class"]] += 1
            return len(at)
        target = self._output.with_name(f".{self._output.name}.complete")
        wanted = set(at.values())
        with target.open("wb") as file:
            file.write(b"" if self._is_lines else b"[\n")
            number = 0
            for place, record in _lines_of(lines):
                if place not in wanted:
                    continue
                self._qualities[record["quality"]["class"]] += 1
                text = json.dumps(record, ensure_ascii=False).encode()
                file.write(text + b"\n" if self._is_lines else (b",\n" if number else b"") + text)
                number += 1
            file.write(b"" if self._is_lines else b"\n]\n" if number else b"]\n")
            file.flush()
            os.fsync(file.fileno())
        target.replace(self._output)
        if not self._is_lines:
            lines.unlink()
        return number

    def _errors(self) -> dict[str, int]:
        return dict(Counter(one["code"] for one in self._refused()).most_common())

    def _refused(self) -> list[dict[str, str]]:
        """What was refused below these roots, by the scan or by the study."""
        found = []
        with self._store.reading() as connection:
            query = sa.select(refusals.c.path, refusals.c.code, refusals.c.reason).order_by(refusals.c.path)
            for path, code, reason in connection.execute(query):
                if any(path == root or path.startswith(root.rstrip("/") + "/") for root in self._roots):
                    found.append({"path": path, "code": code, "reason": reason})
        return found


def _encoders_of(connection: sa.Connection, hashes: Iterable[str]) -> dict[str, list[str]]:
    """Content hash -> the encoders that have described that picture."""
    found: dict[str, set[str]] = {}
    query = sa.select(vectors.c.content_hash, vectors.c.encoder).where(vectors.c.content_hash.in_(sorted(hashes)))
    for content_hash, encoder in connection.execute(query):
        found.setdefault(content_hash, set()).add(encoder)
    return {content_hash: sorted(encoders) for content_hash, encoders in found.items()}


def record_of(image: Image, content: Facts, said: StoredMetadata, encoders: Sequence[str]) -> Mapping[str, Any]:
    """One image's record: metadata as `proofsheet metadata` has it, content, hashes, and what vision has."""
    place = None
    if said.latitude is not None:
        place = {"lat": said.latitude, "lon": said.longitude, "alt": said.altitude}
    return {
        "path": str(image.path),
        _MARK: VERSION,
        "project": image.project,
        "content_hash": image.content_hash,
        "phash": facts.hexadecimal(content.phash),
        "dhash": facts.hexadecimal(content.dhash),
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "megapixels": round(image.width * image.height / 1e6, 3),
        "size": image.size,
        "orientation": image.orientation,
        "taken_at": image.taken_at,
        "taken_at_source": image.taken_at_source,
        "offset": said.taken_offset,
        "gps": place,
        "camera": {"make": said.camera_make, "model": said.camera_model, "lens": said.lens},
        "exposure": {
            "time": said.exposure_time,
            "f": said.f_number,
            "iso": said.iso,
            "focal_length": said.focal_length,
            "flash": said.flash,
        },
        "title": said.title,
        "description": said.description,
        "keywords": said.keywords,
        "rating": said.rating,
        "people": said.people,
        "quality": {
            "class": content.quality,
            "reason": content.quality_reason,
            "sharpness": content.sharpness,
            "subject_sharpness": content.subject_sharpness,
            "noise": content.noise,
            "contrast": content.contrast,
            "jpeg_quality": content.jpeg_quality,
        },
        "light": {
            "class": content.lighting,
            "brightness": content.brightness,
            "exposure": content.exposure,
            "clipped_low": content.clipped_low,
            "clipped_high": content.clipped_high,
        },
        "colourfulness": content.colourfulness,
        "colours": content.colours,
        "information": content.information,
        "flags": content.flags,
        "source": content.source,
        "embeddings": list(encoders),
    }


def _records_in(lines: Path) -> Iterator[tuple[str, str]]:
    """Path and content hash of each whole record; a line that was cut short at the end is taken off the file."""
    if not lines.exists():
        return
    end = 0
    with lines.open("rb+") as file:
        for line in file:
            try:
                record = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                record = None
            if not isinstance(record, dict) or _MARK not in record:
                break
            end += len(line)
            yield record["path"], record["content_hash"]
        file.truncate(end)


def _lines_of(lines: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with lines.open("rb") as file:
        for place, line in enumerate(islice(file, None)):
            yield place, json.loads(line)
