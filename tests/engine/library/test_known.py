"""What is known below a folder, and nothing of its siblings: `p+raw` and `p#2` sort right beside `p/`."""

from __future__ import annotations

import os
import subprocess

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from engine.library.known import _held_below, below
from engine.store import Store
from engine.store.schema import images, projects

INSIDE = ["/photos/p/a", "/photos/p/a/b", "/photos/p/É"]
BESIDE = ["/photos/p", "/photos/p+raw", "/photos/p#2", "/photos/p0", "/Photos/p/a", "/photos/p-old/a", "/photos/P/a"]
# A server to ask, as psql names one; the database is left as it is.
SERVER = os.environ.get("PROOFSHEET_TEST_POSTGRES")


def ranged() -> sa.Select[tuple[str]]:
    return sa.select(images.c.folder).where(below(images.c.folder, "/photos/p")).order_by(images.c.folder)


def filled(connection: sa.Connection) -> None:
    connection.execute(sa.insert(projects).values(id=1, key="p", name="p"))
    rows = [
        {
            "project_id": 1, "path": f"{folder}/x.jpg", "folder": folder, "name": "x.jpg", "format": "jpeg",
            "width": 1, "height": 1, "size": 1, "mtime_ns": 1, "content_hash": "0", "orientation": 1, "added_at": "",
        }
        for folder in INSIDE + BESIDE
    ]  # fmt: skip
    connection.execute(sa.insert(images), rows)


def test_only_what_lies_below_is_held_and_ranged(store: Store) -> None:
    with store.writing() as connection:
        filled(connection)
    with store.reading() as connection:
        assert {folder for folder, _ in connection.execute(_held_below("/photos/p"))} == set(INSIDE)
        assert set(connection.execute(ranged()).scalars()) == set(INSIDE)


@pytest.mark.parametrize("query", [_held_below("/photos/p"), ranged()], ids=["held", "ranged"])
def test_sqlite_answers_by_the_index_on_both_sides(store: Store, query: sa.Select[tuple[str]]) -> None:
    text = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    assert "COLLATE" not in text
    with store.reading() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"explain query plan {text}")]
    assert any("ix_images_folder (folder>? AND folder<?)" in step for step in plan), plan
    assert not any("TEMP B-TREE" in step or step == "SCAN images" for step in plan), plan


@pytest.mark.parametrize("query", [_held_below("/photos/p"), ranged()], ids=["held", "ranged"])
def test_postgresql_is_asked_to_compare_byte_by_byte(query: sa.Select[tuple[str]]) -> None:
    text = str(query.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    assert '(images.folder COLLATE "C") >' in text and '(images.folder COLLATE "C") <' in text
    assert "images.folder >" not in text and "images.folder <" not in text


def test_the_index_of_folders_is_in_that_order_on_postgresql() -> None:
    made = sa.schema.CreateTable(images.metadata.tables["images"])
    text = str(made.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    assert 'folder VARCHAR COLLATE "C"' in text and 'path VARCHAR COLLATE "C"' in text


@pytest.mark.parametrize("collation", ["C", "en-x-icu"])
@pytest.mark.skipif(SERVER is None, reason="no PostgreSQL; name one in PROOFSHEET_TEST_POSTGRES, as psql takes it")
def test_a_postgresql_server_takes_no_sibling_for_a_folder_below(collation: str) -> None:
    values = ", ".join(f"('{folder}')" for folder in INSIDE + BESIDE)
    held, ranged_ = (
        query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
        for query in (_held_below("/photos/p"), ranged())
    )
    script = f"""
        create temp table images (folder varchar collate "{collation}", removed_at varchar);
        insert into images (folder) values {values};
        select folder from ({held}) as found;
        select folder from ({ranged_}) as found;
    """
    command = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", str(SERVER)]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    if collation != "C" and f'collation "{collation}" for encoding' in done.stderr:
        pytest.skip("this PostgreSQL was built without ICU's collations")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split("\n")[:-1]) == sorted(INSIDE * 2)
