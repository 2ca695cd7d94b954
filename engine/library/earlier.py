"""Files people have from before: hashes, embeddings and lists of processed files of another tool, read as found.

Recognised below a folder: `sidecar/hashes.parquet`, `sidecar/embeddings.parquet`, `ai_data/cache/processed_files.jsonl`
and flat `embeddings/{hash}.npy`. Rows are matched with the library by path or by a name that only one image has, and
believed only where the content agrees: a hash must be near the one that the library measured (10 of 64 bits, the
distance at which pictures count as the same), a `{hash}.npy` must name a digest of an image's bytes. Every row that is
not taken is named with the reason. Relies on pyarrow, imported when a parquet file is met; never writes.
"""

from __future__ import annotations

import hashlib
import json
import operator
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

NEAR = 10  # bits of 64
LARGEST_ROW = 1 << 20  # bytes of one line; a longer one is no list of processed files
_DIGESTS = {32: "md5", 40: "sha1", 64: "sha256"}
_PATHS = ("image", "path", "image_path", "file", "file_path", "filepath", "filename", "name")
_HASHES = ("phash", "hash", "perceptual_hash", "image_hash")
_VECTORS = ("embedding", "vector", "embeddings")
Kind = Literal["hashes", "embeddings", "processed files", "flat embeddings"]
_FILES: Mapping[str, Kind] = {
    "sidecar/hashes.parquet": "hashes",
    "sidecar/embeddings.parquet": "embeddings",
    "ai_data/cache/processed_files.jsonl": "processed files",
}


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is not taken: `where` it is (`row 3`, `line 7`, a file's name), and why."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """One file (or folder of vectors) from before.

    rows: what it holds; matched: rows of images in the library; vectors: image id -> vector, for embeddings; `told`:
    what became of them, in words.
    """

    path: Path
    kind: Kind
    rows: int
    matched: int
    refused: tuple[RefusedRow, ...]
    told: str
    vectors: Mapping[int, NDArray[np.float32]] = field(default_factory=dict, repr=False)

    def document(self) -> dict[str, Any]:
        """The same as JSON, without the vectors."""
        return {
            "path": str(self.path),
            "kind": self.kind,
            "rows": self.rows,
            "matched": self.matched,
            "told": self.told,
            "refused": [{"where": each.where, "reason": each.reason} for each in self.refused],
        }


@dataclass(frozen=True, slots=True)
class KnownImage:
    """What an image is matched and checked by; `phash` is the library's, as 64 unsigned bits."""

    id: int
    path: str
    content_hash: str
    phash: int | None


class Matcher:
    """The library's images by path and by name."""

    def __init__(self, known: Sequence[KnownImage]) -> None:
        self.known = known
        self._by_path = {each.path: each for each in known}
        self._by_name: dict[str, list[KnownImage]] = {}
        for each in known:
            self._by_name.setdefault(each.path.rpartition("/")[2], []).append(each)

    def find(self, written: str, folder: Path) -> KnownImage | str:
        """The image that a path or a name means, seen from `folder`; or the reason why there is none."""
        exact = self._by_path.get(os.path.realpath(folder / written)) or self._by_path.get(written)
        if exact is not None:
            return exact
        named = self._by_name.get(written.replace("\\", "/").rpartition("/")[2], [])
        if len(named) == 1:
            return named[0]
        return f"{len(named)} images of the library have that name" if named else "no image of the library"


def read(folder: Path, known: Sequence[KnownImage]) -> list[Earlier]:
    """Everything from before that lies in `folder`, checked against the images that the library knows."""
    matcher = Matcher(known)
    found: list[Earlier] = []
    for relative, kind in _FILES.items():
        file = folder / relative
        if not file.is_file():
            continue
        if kind == "processed files":
            found.append(_processed(file, folder, matcher))
        else:
            found.append(_parquet(file, folder, kind, matcher))
    flat = folder / "embeddings"
    if flat.is_dir() and any(flat.glob("*.npy")):
        found.append(_flat(flat, folder, matcher))
    return found


def _parquet(file: Path, folder: Path, kind: Kind, matcher: Matcher) -> Earlier:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    refused: list[RefusedRow] = []
    vectors: dict[int, NDArray[np.float32]] = {}
    rows = matched = 0
    try:
        table = parquet.ParquetFile(file)
        names = {name.lower(): name for name in table.schema_arrow.names}
        place = next((names[each] for each in _PATHS if each in names), None)
        wanted = _HASHES if kind == "hashes" else _VECTORS
        value = next((names[each] for each in wanted if each in names), None)
        if place is None or value is None:
            reason = (
                f"has no column {'for the image' if place is None else wanted[0]}; columns: {', '.join(names.values())}"
            )
            return Earlier(
                file, kind, table.metadata.num_rows, 0, (RefusedRow("the file", reason),), "nothing was taken"
            )
        width = 0
        for batch in table.iter_batches(batch_size=1024, columns=[place, value]):
            for written, told in zip(batch.column(place).to_pylist(), batch.column(value).to_pylist(), strict=True):
                rows += 1
                image = matcher.find(str(written), folder) if written else "has no image"
                if isinstance(image, str):
                    refused.append(RefusedRow(f"row {rows}", f"{written}: {image}"))
                    continue
                if kind == "hashes":
                    reason = _hash_problem(told, image)
                else:
                    vector = _vector(told, width)
                    reason = vector if isinstance(vector, str) else ""
                    if not isinstance(vector, str):
                        width = len(vector)
                        vectors[image.id] = vector
                if reason:
                    refused.append(RefusedRow(f"row {rows}", f"{written}: {reason}"))
                else:
                    matched += 1
    except (arrow.ArrowException, OSError, ValueError) as error:
        refused.append(RefusedRow("the file", f"cannot be read as parquet: {str(error).splitlines()[0]}"))
    told_words = "agree with the library's own" if kind == "hashes" else "can be taken in"
    return Earlier(file, kind, rows, matched, tuple(refused), told_words, vectors)


def _hash_problem(told: object, image: KnownImage) -> str:
    """Why a hash is not this image's; '' when it is."""
    try:
        bits = int(told, 16) if isinstance(told, str) else operator.index(told) & 0xFFFFFFFFFFFFFFFF  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return f"{told!r} is not a hash"
    if (isinstance(told, str) and len(told.strip()) != 16) or not 0 <= bits < 1 << 64:
        return f"{told!r} is not a hash of 64 bits"
    if image.phash is None:
        return "the library has not measured this image yet, so that the hash cannot be checked"
    distance = (bits ^ image.phash).bit_count()
    return f"the hash is of another picture ({distance} of 64 bits differ)" if distance > NEAR else ""


def _vector(told: object, width: int) -> NDArray[np.float32] | str:
    """A vector as float32, or why it is none. `width` 0: any."""
    try:
        found = np.asarray(told, dtype=np.float32)
    except (TypeError, ValueError):
        return "the embedding is not a list of numbers"
    if found.ndim != 1 or not found.size:
        return "the embedding is not a list of numbers"
    if not np.isfinite(found).all():
        return "the embedding holds a number that is not finite"
    if width and len(found) != width:
        return f"the embedding has {len(found)} numbers, the others have {width}"
    return found


def _processed(file: Path, folder: Path, matcher: Matcher) -> Earlier:
    refused: list[RefusedRow] = []
    rows = matched = 0
    for number, line in _lines(file):
        if not line.strip():
            continue
        rows += 1
        where = f"line {number}"
        try:
            told = json.loads(line.decode("utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
            refused.append(RefusedRow(where, "is not JSON in UTF-8"))
            continue
        written = told if isinstance(told, str) else _first(told, _PATHS)
        if not isinstance(written, str) or not written:
            refused.append(RefusedRow(where, "names no file"))
            continue
        image = matcher.find(written, folder)
        if isinstance(image, str):
            refused.append(RefusedRow(where, f"{written}: {image}"))
            continue
        given = _first(told, _HASHES) if isinstance(told, dict) else None
        problem = _hash_problem(given, image) if isinstance(given, str) and len(given) == 16 else ""
        if problem:
            refused.append(RefusedRow(where, f"{written}: {problem}"))
        else:
            matched += 1
    return Earlier(file, "processed files", rows, matched, tuple(refused), "are known to the library")


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """The file's lines with their numbers; one that is too long comes cut, and is no JSON then."""
    with file.open("rb") as lines:
        number = 0
        while line := lines.readline(LARGEST_ROW):
            number += 1
            yield number, line
            while not line.endswith(b"\n") and len(line) == LARGEST_ROW:
                line = lines.readline(LARGEST_ROW)


def _first(told: object, names: Sequence[str]) -> object:
    if not isinstance(told, dict):
        return None
    return next((told[name] for name in names if name in told), None)


def _flat(flat: Path, folder: Path, matcher: Matcher) -> Earlier:
    refused: list[RefusedRow] = []
    vectors: dict[int, NDArray[np.float32]] = {}
    files = sorted(flat.glob("*.npy"))
    by_digest = _by_digest({len(file.stem) for file in files}, folder, matcher)
    width = matched = 0
    for file in files:
        images = by_digest.get(file.stem.lower())
        if not images:
            refused.append(RefusedRow(file.name, "its name is not the digest of an image of the library"))
            continue
        vector = _npy(file, width)
        if isinstance(vector, str):
            refused.append(RefusedRow(file.name, vector))
            continue
        width = len(vector)
        matched += 1
        vectors.update((image.id, vector) for image in images)
    return Earlier(flat, "flat embeddings", len(files), matched, tuple(refused), "can be taken in", vectors)


def _npy(file: Path, width: int) -> NDArray[np.float32] | str:
    try:
        with file.open("rb") as opened:
            found = np.lib.format.read_array(opened, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        return f"cannot be read as .npy: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
    return _vector(found.reshape(-1) if found.ndim == 2 and found.shape[0] == 1 else found, width)


def _by_digest(lengths: set[int], folder: Path, matcher: Matcher) -> dict[str, list[KnownImage]]:
    """Hexadecimal digest -> images with those bytes: the library's own, and those of the lengths that are in use.

    The library's own digest is known of every image; another kind is taken only of images below `folder`.
    """
    found: dict[str, list[KnownImage]] = {}
    for image in matcher.known:
        found.setdefault(image.content_hash.lower(), []).append(image)
    kinds = [_DIGESTS[length] for length in sorted(lengths) if length in _DIGESTS]
    top = os.path.realpath(folder).rstrip("/") + "/"
    for image in matcher.known:
        if not kinds or not image.path.startswith(top):
            continue
        for digest in _digests(image.path, kinds):
            found.setdefault(digest, []).append(image)
    return found


def _digests(path: str, kinds: Sequence[str]) -> list[str]:
    made = [hashlib.new(kind, usedforsecurity=False) for kind in kinds]
    try:
        with Path(path).open("rb") as file:
            while block := file.read(1 << 20):
                for each in made:
                    each.update(block)
    except OSError:
        return []  # what cannot be read matches nothing; the scan has told of it
    return [each.hexdigest() for each in made]
