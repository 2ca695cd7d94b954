"""Vectors on disk: kept once, durable before they are known, and never mixed up."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ProofsheetError
from engine.store import Store
from engine.store.schema import projects, vectors
from engine.vision import encoders
from engine.vision.builtin import Readings
from engine.vision.vectors import Entry, RowFile, Shelf, file_name
from engine.workspace import Workspace


def project(store: Store, name: str) -> int:
    with store.writing() as connection:
        return connection.execute(sa.insert(projects).values(key=name.casefold(), name=name)).inserted_primary_key[0]


def shelf_of(workspace: Workspace, store: Store, project_id: int, key: str = "harbour") -> Shelf:
    return Shelf(workspace.embeddings, store, encoders.load(), project_id, key)


def entry(number: int) -> Entry:
    vector = np.full(encoders.load().dimension, number / 64, np.float32)
    return Entry(vector, astuple(Readings(number, 0, 0, 0, 0, 0, 0, 0)))


def test_what_is_stored_is_read_back_in_the_order_asked(workspace: Workspace, store: Store) -> None:
    shelf = shelf_of(workspace, store, project(store, "harbour"))
    rows = shelf.add({f"hash{n}": entry(n) for n in range(5)})
    asked = ["hash3", "hash0", "hash4"]
    found = shelf.rows(asked)
    assert found == {one: rows[one] for one in asked}
    assert shelf.read([found[one] for one in asked])[:, 0].tolist() == [3 / 64, 0, 4 / 64]
    assert [one.sharpness for one in shelf.read_readings([found[one] for one in asked])] == [3, 0, 4]


def test_a_second_opening_finds_everything(workspace: Workspace, store: Store) -> None:
    harbour = project(store, "harbour")
    shelf_of(workspace, store, harbour).add({"a": entry(1)})
    again = shelf_of(workspace, store, harbour)
    assert again.read(list(again.rows(["a"]).values()))[0, 0] == 1 / 64


def test_a_picture_is_stored_once(workspace: Workspace, store: Store) -> None:
    shelf = shelf_of(workspace, store, project(store, "harbour"))
    first = shelf.add({"a": entry(1)})
    assert shelf.add({"a": entry(9), "b": entry(2)})["a"] == first["a"]
    assert shelf.read([first["a"]])[0, 0] == 1 / 64
    assert shelf.vectors.rows == 2


def test_a_forced_vector_gets_a_new_row_and_leaves_the_old_one_to_its_readers(
    workspace: Workspace, store: Store
) -> None:
    shelf = shelf_of(workspace, store, project(store, "harbour"))
    old = shelf.add({"a": entry(1)})["a"]
    new = shelf.add({"a": entry(9)}, replace=True)["a"]
    assert shelf.read([old, new])[:, 0].tolist() == [1 / 64, 9 / 64]
    assert shelf.rows(["a"]) == {"a": new}


def test_a_torn_tail_is_written_over(workspace: Workspace, store: Store) -> None:
    shelf = shelf_of(workspace, store, project(store, "harbour"))
    shelf.add({"a": entry(1)})
    with shelf.vectors.path.open("ab") as file:
        file.write(b"\x7f" * 1001)  # a row and a half that no commit speaks of
    row = shelf.add({"b": entry(2)})["b"]
    assert row == 1
    assert shelf.read([0, 1])[:, 0].tolist() == [1 / 64, 2 / 64]


@pytest.mark.parametrize("which", ["vectors", "readings"])
def test_rows_that_a_shortened_file_has_lost_are_computed_again(workspace: Workspace, store: Store, which: str) -> None:
    harbour = project(store, "harbour")
    shelf_of(workspace, store, harbour).add({f"hash{n}": entry(n) for n in range(4)})
    shelf = shelf_of(workspace, store, harbour)
    file = (shelf.vectors if which == "vectors" else shelf.beside).path
    with file.open("r+b") as handle:
        handle.truncate(file.stat().st_size * 5 // 8)  # two rows and a half are left
    assert set(shelf.rows([f"hash{n}" for n in range(4)])) == {"hash0", "hash1"}
    rows = shelf.add({"hash2": entry(2), "hash3": entry(3)})
    assert shelf.read(sorted(rows.values()))[:, 0].tolist() == [2 / 64, 3 / 64]
    with store.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(vectors)).scalar() == 4


def test_a_deleted_file_is_made_again(workspace: Workspace, store: Store) -> None:
    shelf = shelf_of(workspace, store, project(store, "harbour"))
    shelf.add({"a": entry(1)})
    shelf.vectors.path.unlink()
    shelf.beside.path.unlink()
    assert shelf.rows(["a"]) == {}
    assert shelf.read([shelf.add({"a": entry(3)})["a"]])[0, 0] == 3 / 64


def test_numbers_of_another_width_or_that_are_none_are_refused(workspace: Workspace, store: Store) -> None:
    shelf = shelf_of(workspace, store, project(store, "harbour"))
    vector = entry(1).vector
    broken, huge = vector.copy(), vector.copy()
    broken[3] = np.nan
    huge[3] = 1e5  # finite, but not as float16
    for wrong in (vector[:-1], np.zeros(512, np.float32), broken, huge):
        with pytest.raises(ProofsheetError, match="finite numbers"):
            shelf.add({"a": Entry(wrong, (0.0,) * 8)})
    assert shelf.rows(["a"]) == {}


def test_another_encoder_of_the_same_name_is_refused(workspace: Workspace, store: Store) -> None:
    harbour = project(store, "harbour")
    shelf_of(workspace, store, harbour).add({"a": entry(1)})

    class Other(encoders.BuiltinEncoder):
        card = dataclasses.replace(encoders.BuiltinEncoder.card, weights_sha256="ab" * 32)

    other = Shelf(workspace.embeddings, store, Other(), harbour, "harbour")
    with pytest.raises(ProofsheetError, match="another encoder"):
        other.add({"b": entry(2)})


def test_two_projects_have_two_files_even_for_the_same_picture(workspace: Workspace, store: Store) -> None:
    first = shelf_of(workspace, store, project(store, "harbour"))
    second = shelf_of(workspace, store, project(store, "night"), "night")
    first.add({"a": entry(1)})
    assert second.rows(["a"]) == {}
    second.add({"a": entry(2)})
    assert first.vectors.path != second.vectors.path
    assert first.read(list(first.rows(["a"]).values()))[0, 0] == 1 / 64


@given(st.text(min_size=1, max_size=120), st.text(min_size=1, max_size=120))
def test_two_projects_never_share_a_file_name(first: str, second: str) -> None:
    first, second = first.casefold(), second.casefold()
    assert (file_name(first) == file_name(second)) == (first == second)
    assert Path(file_name(first)).name == file_name(first)
    assert len(file_name(first).encode()) < 200


def test_writers_in_many_threads_do_not_overwrite_one_another(workspace: Workspace, store: Store) -> None:
    harbour = project(store, "harbour")
    shelves = [shelf_of(workspace, store, harbour) for _ in range(4)]

    def write(number: int) -> None:
        shelves[number % 4].add({f"hash{number}": entry(number), "shared": entry(63)})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    fresh = shelf_of(workspace, store, harbour)
    rows = fresh.rows([f"hash{number}" for number in range(40)])
    assert len(set(rows.values())) == 40
    numbers = fresh.read([rows[f"hash{number}"] for number in range(40)])[:, 0]
    assert numbers.tolist() == [number / 64 for number in range(40)]


_WRITER = """
    import os, sys
    from pathlib import Path
    import numpy as np
    from engine.store import Store
    from engine.vision import encoders, vectors
    root, project_id, moment = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    store = Store.open(root / "library.db")
    shelf = vectors.Shelf(root / "ai_data" / "embeddings", store, encoders.load(), project_id, "harbour")
    entry = lambda n: vectors.Entry(np.full(shelf.dimension, n / 64, np.float32), (n, 0, 0, 0, 0, 0, 0, 0))
    shelf.add({"before": entry(1)})
    die = lambda *_args, **_kwargs: os.kill(os.getpid(), 9)
    if moment == "after the vectors":
        shelf.beside.write = die
    elif moment == "before the commit":
        vectors.upsert = die
    shelf.add({f"lost{n}": entry(n) for n in range(3)})
"""


@pytest.mark.parametrize("moment", ["after the vectors", "before the commit"])
def test_a_writer_that_is_killed_leaves_nothing_half_known(workspace: Workspace, store: Store, moment: str) -> None:
    harbour = project(store, "harbour")
    code = textwrap.dedent(_WRITER)
    ended = subprocess.run([sys.executable, "-c", code, str(workspace.root), str(harbour), moment], check=False)
    assert ended.returncode == -9
    shelf = shelf_of(workspace, store, harbour)
    assert set(shelf.rows(["before", "lost0", "lost1", "lost2"])) == {"before"}
    row = shelf.add({"after": entry(5)})["after"]
    assert row == 1
    assert shelf.read([0, 1])[:, 0].tolist() == [1 / 64, 5 / 64]
    assert [one.sharpness for one in shelf.read_readings([0, 1])] == [1, 5]


def test_a_row_file_counts_whole_rows_only(tmp_path: Path) -> None:
    file = RowFile(tmp_path / "some.f16", np.float16, 4)
    assert file.rows == 0
    assert file.read(np.empty(0, np.int64)).shape == (0, 4)
    file.write(0, np.arange(8, dtype=np.float32).reshape(2, 4))
    with file.path.open("ab") as handle:
        handle.write(b"\0\0\0")
    assert file.rows == 2
    assert file.read(np.array([1]))[0].tolist() == [4, 5, 6, 7]
    with pytest.raises(ValueError, match="rows of 4 numbers"):
        file.write(2, np.zeros((1, 5)))
