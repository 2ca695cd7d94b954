"""Where imported vectors come from: a parquet file, a folder of `{hash}.npy`, or memory; a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import ProofsheetError, UsageError

ROWS = 512  # rows in memory at once
_WIDEST = 1_000_000


@dataclass(frozen=True)
class Row:
    """One row of a file to import: its number (from 1), or the name of its file, whose it is, and its numbers."""

    place: int | str
    image: Any
    project: Any
    vector: Any


#: Where rows come from: a parquet file, a folder of `{hash}.npy`, or memory.
Origin = Path | Sequence[Row]


def rows_of(source: Origin) -> Iterator[Sequence[Row]]:
    """The rows of a parquet file or a folder of `{hash}.npy`, a batch at a time."""
    if not isinstance(source, Path):
        yield from (source[at : at + ROWS] for at in range(0, len(source), ROWS))
        return
    yield from _npy_rows(source) if source.is_dir() else _parquet_rows(source)


def named(source: Origin) -> str:
    return str(source) if isinstance(source, Path) else "what was handed over"


def count(source: Origin) -> int:
    if not isinstance(source, Path):
        return len(source)
    if source.is_dir():
        return sum(1 for _ in source.glob("*.npy"))
    file = _parquet(source)
    names = set(file.schema_arrow.names)
    missing = [name for name in ("image", "embedding") if name not in names]
    if missing:
        raise UsageError(
            f"{source} has no column {' and no column '.join(missing)}; it has {', '.join(sorted(names)) or 'none'}",
            remedy="Name them image, embedding and, where wanted, project.",
        )
    return int(file.metadata.num_rows)


def _parquet(source: Path) -> Any:
    import pyarrow as pa
    from pyarrow import parquet

    if not source.is_file():
        raise UsageError(f"there is no file {source}", remedy="Name a .parquet file, or a folder of {hash}.npy.")
    try:
        return parquet.ParquetFile(source)
    except (pa.ArrowException, OSError) as error:
        raise ProofsheetError(
            f"{source} is not readable as parquet: {_gist(error)}", remedy="Write it again."
        ) from error


def _parquet_rows(source: Path) -> Iterator[list[Row]]:
    import pyarrow as pa

    file = _parquet(source)
    columns = [name for name in ("image", "embedding", "project") if name in file.schema_arrow.names]
    number = 0
    try:
        for batch in file.iter_batches(batch_size=ROWS, columns=columns):
            images = batch.column("image").to_pylist()
            projects = batch.column("project").to_pylist() if "project" in columns else [None] * len(images)
            vectors = batch.column("embedding")
            rows = []
            for index, (image, project) in enumerate(zip(images, projects, strict=True)):
                number += 1
                rows.append(Row(number, image, project, vectors[index]))
            yield rows
    except (pa.ArrowException, OSError) as error:
        raise ProofsheetError(
            f"{source} is damaged after row {number}: {_gist(error)}",
            remedy="Write it again; what came before is kept.",
        ) from error


def _npy_rows(source: Path) -> Iterator[list[Row]]:
    files = sorted(source.glob("*.npy"))
    for start in range(0, len(files), ROWS):
        rows = []
        for file in files[start : start + ROWS]:
            try:
                vector: Any = np.load(file, allow_pickle=False)
            except (OSError, ValueError, EOFError):
                vector = None
            rows.append(Row(file.name, file.stem, None, vector))
        yield rows


def numbers(value: Any) -> NDArray[np.float64] | None:
    """A cell as (d,) float64; None when it is no list of numbers."""
    if value is None:
        return None
    if not isinstance(value, np.ndarray):
        inner = getattr(value, "values", None)  # an Arrow list: its numbers without a Python object for each
        if inner is None:
            return None
        try:
            value = inner.to_numpy(zero_copy_only=False)
        except (ValueError, TypeError, NotImplementedError):
            return None
    if value.ndim != 1 or not 1 <= value.size <= _WIDEST or value.dtype.kind not in "fiu":
        return None
    found: NDArray[np.float64] = value.astype(np.float64)
    return found


def _gist(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
