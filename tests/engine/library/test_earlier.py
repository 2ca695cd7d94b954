"""Files from before are read as found; rows that do not fit the library are named, and none is believed blindly."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from engine.library.earlier import KnownImage, read
from tests.engine.library.pictures import encoded, put
from tests.engine.library.shelf import Shelf

PHASH = 0xF00F_1234_5678_9ABC


def known(folder: Path) -> list[KnownImage]:
    return [
        KnownImage(1, str(folder / "a.jpg"), "11" * 16, PHASH),
        KnownImage(2, str(folder / "sub" / "b.jpg"), "22" * 16, PHASH ^ 0b111),
        KnownImage(3, str(folder / "x" / "same.jpg"), "33" * 16, None),
        KnownImage(4, str(folder / "y" / "same.jpg"), "44" * 16, 0),
    ]


def table(file: Path, **columns: list[object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(arrow.table(columns), file)


def reasons(found: object) -> dict[str, str]:
    return {each.where: each.reason for each in found.refused}  # type: ignore[attr-defined]


def test_hashes_are_matched_by_path_or_by_a_name_of_its_own_and_checked(tmp_path: Path) -> None:
    names = [
        "a.jpg",
        str(tmp_path / "sub" / "b.jpg"),
        "old/place/b.jpg",
        "same.jpg",
        "nowhere.jpg",
        "a.jpg",
        "a.jpg",
        "x/same.jpg",
        None,
    ]
    hashes = [f"{PHASH:016x}", f"{PHASH:016x}", f"{PHASH:016x}", "0" * 16, "0" * 16, "0" * 16, "zz", "0" * 16, "0" * 16]
    table(tmp_path / "sidecar" / "hashes.parquet", path=names, phash=hashes)
    (found,) = read(tmp_path, known(tmp_path))
    assert (found.kind, found.rows, found.matched) == ("hashes", 9, 3)
    told = reasons(found)
    assert set(told) == {"row 4", "row 5", "row 6", "row 7", "row 8", "row 9"}
    assert "2 images of the library have that name" in told["row 4"]
    assert "no image of the library" in told["row 5"]
    assert "the hash is of another picture" in told["row 6"]
    assert "'zz' is not a hash" in told["row 7"]
    assert "not measured this image yet" in told["row 8"]


def test_embeddings_must_be_numbers_of_one_length(tmp_path: Path) -> None:
    table(
        tmp_path / "sidecar" / "embeddings.parquet",
        image=["a.jpg", "b.jpg", "a.jpg", "nowhere.jpg"],
        embedding=[[1.0, 2.0, 3.0], [1.0, 2.0], [float("nan"), 0.0, 0.0], [0.0, 0.0, 1.0]],
    )
    (found,) = read(tmp_path, known(tmp_path))
    assert (found.rows, found.matched) == (4, 1)
    assert found.vectors[1].tolist() == [1.0, 2.0, 3.0]
    told = reasons(found)
    assert "has 2 numbers, the others have 3" in told["row 2"]
    assert "not finite" in told["row 3"]
    assert "no image" in told["row 4"]


@pytest.mark.parametrize("content", [b"", b"PAR1 not really PAR1", b"\0" * 300])
def test_a_damaged_parquet_file_is_told_and_the_rest_goes_on(tmp_path: Path, content: bytes) -> None:
    put(tmp_path / "sidecar" / "hashes.parquet", content)
    put(tmp_path / "ai_data" / "cache" / "processed_files.jsonl", b'{"path": "a.jpg"}\n')
    damaged, processed = read(tmp_path, known(tmp_path))
    assert "cannot be read as parquet" in reasons(damaged)["the file"]
    assert processed.matched == 1


def test_a_table_of_something_else_names_its_columns(tmp_path: Path) -> None:
    table(tmp_path / "sidecar" / "hashes.parquet", colour=["red"], size=[3])
    (found,) = read(tmp_path, known(tmp_path))
    assert "has no column for the image; columns: colour, size" in reasons(found)["the file"]


def test_processed_files_are_read_line_by_line(tmp_path: Path) -> None:
    lines = [
        json.dumps({"path": "a.jpg", "status": "done"}),
        json.dumps("sub/b.jpg"),
        "",
        "not json",
        json.dumps({"status": "done"}),
        json.dumps({"file": "nowhere.jpg"}),
        json.dumps({"path": "a.jpg", "phash": "0" * 16}),
        "[" * 100_000,
    ]
    put(tmp_path / "ai_data" / "cache" / "processed_files.jsonl", "\n".join(lines).encode() + b"\n\xff\xfe\n")
    (found,) = read(tmp_path, known(tmp_path))
    assert (found.rows, found.matched) == (8, 2)
    assert set(reasons(found)) == {"line 4", "line 5", "line 6", "line 7", "line 8", "line 9"}


def npy(values: object) -> bytes:
    out = io.BytesIO()
    np.save(out, np.asarray(values), allow_pickle=True)
    return out.getvalue()


def test_flat_vectors_are_found_by_the_digest_of_an_images_bytes(tmp_path: Path) -> None:
    picture = put(tmp_path / "a.jpg")
    sha = hashlib.sha256(picture.read_bytes()).hexdigest()
    md5 = hashlib.md5(picture.read_bytes(), usedforsecurity=False).hexdigest()
    flat = tmp_path / "embeddings"
    put(flat / f"{sha}.npy", npy([1.0, 2.0]))
    put(flat / f"{md5}.npy", npy([[3.0, 4.0]]))
    put(flat / f"{'22' * 16}.npy", npy([5.0, 6.0]))
    put(flat / f"{'99' * 16}.npy", npy([5.0, 6.0]))
    put(flat / f"{'44' * 16}.npy", npy([{"a": 1}]))
    put(flat / f"{'33' * 16}.npy", b"\x93NUMPY cut")
    (found,) = read(tmp_path, known(tmp_path))
    assert (found.kind, found.rows, found.matched) == ("flat embeddings", 6, 3)
    assert found.vectors[2].tolist() == [5.0, 6.0]
    assert set(found.vectors) == {1, 2}
    told = reasons(found)
    assert "not the digest of an image" in told[f"{'99' * 16}.npy"]
    assert "cannot be read as .npy" in told[f"{'44' * 16}.npy"], "a pickle is not opened"
    assert "cannot be read as .npy" in told[f"{'33' * 16}.npy"]


async def test_the_door_takes_vectors_where_the_hallway_has_a_place_for_them(shelf: Shelf, pictures: Path) -> None:
    put(pictures / "a.png", encoded("png", 1))
    await shelf.scan(pictures)
    await shelf.library.ensure_studied()
    (image,) = (await shelf.images()).values()
    put(pictures / "embeddings" / f"{image.content_hash}.npy", npy([1.0, 2.0]))
    (found,) = await shelf.library.read_earlier(pictures)
    assert "proofsheet import embeddings" in found.told
    taken: dict[str, list[int]] = {}

    def take(name: str, vectors: dict[int, object]) -> int:
        taken[name] = list(vectors)
        return len(vectors)

    shelf.library.take_vectors = take
    (found,) = await shelf.library.read_earlier(pictures)
    assert taken == {"earlier": [image.id]}
    assert found.told == "1 vectors kept under the encoder 'earlier'"


def test_a_folder_without_any_of_it_has_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, known(tmp_path)) == []
