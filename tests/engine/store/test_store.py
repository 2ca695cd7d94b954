"""The database: made once, brought up to date, refused when it is not ours to touch."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.errors import ProofsheetError, UsageError
from engine.store import DatabaseCorrupt, DatabaseTooNew, Store, upsert
from engine.store.database import _Reader
from engine.store.schema import metadata, projects, view_state
from engine.workspace import Workspace


def test_the_migrations_make_exactly_the_tables_that_the_code_speaks_of(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_every_constraint_has_a_name(store: Store) -> None:
    with store.reading() as connection:
        for table in sa.inspect(connection).get_table_names():
            inspector = sa.inspect(connection)
            found = inspector.get_foreign_keys(table) + inspector.get_unique_constraints(table)
            assert all(one["name"] for one in found), table


def test_sqlite_is_set_up_for_two_processes_and_for_truth(store: Store) -> None:
    with store.reading() as connection:
        assert connection.exec_driver_sql("pragma journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("pragma foreign_keys").scalar() == 1
        assert int(connection.exec_driver_sql("pragma busy_timeout").scalar() or 0) >= 5000
    with store.writing(durable=True) as connection:
        assert connection.exec_driver_sql("pragma synchronous").scalar() == 2
    with store.writing() as connection:
        assert connection.exec_driver_sql("pragma synchronous").scalar() == 1


def test_a_newer_database_is_refused_and_left_as_it_is(workspace: Workspace) -> None:
    store = Store.open(workspace.database_file)
    with store.writing() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    store.close()
    before = hashlib.sha256(workspace.database_file.read_bytes()).digest()
    with pytest.raises(DatabaseTooNew, match="newer Proofsheet") as refused:
        Store.open(workspace.database_file)
    assert "Update Proofsheet" in refused.value.remedy
    assert hashlib.sha256(workspace.database_file.read_bytes()).digest() == before


@pytest.mark.parametrize(
    "content", [b"this is a letter, not a database" * 100, b"SQLite format 3\x00" + b"\xff" * 8192]
)
def test_a_corrupt_database_is_refused_and_left_as_it_is(workspace: Workspace, content: bytes) -> None:
    workspace.database_file.write_bytes(content)
    with pytest.raises(DatabaseCorrupt, match="damaged or is not a database") as refused:
        Store.open(workspace.database_file)
    assert "Nothing was changed" in refused.value.remedy
    assert workspace.database_file.read_bytes() == content


def test_a_database_of_another_program_is_refused(workspace: Workspace) -> None:
    engine = sa.create_engine(f"sqlite:///{workspace.database_file}")
    with engine.begin() as connection:
        connection.exec_driver_sql("create table recipes (id integer)")
    engine.dispose()
    with pytest.raises(DatabaseCorrupt, match="some other program"):
        Store.open(workspace.database_file)


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProofsheetError, match="cannot be used"):
        Store.open(tmp_path / "nowhere" / "library.db")


def test_another_kind_of_database_is_refused_by_name() -> None:
    with pytest.raises(ProofsheetError, match="postgresql"):
        Store.open("postgresql://localhost/proofsheet")


@pytest.mark.parametrize("url", ["foo", "sqlite:///relative.db", "sqlite://", "sqlite:///:memory:", ""])
def test_a_vague_database_url_is_refused_and_makes_no_file(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        Store.open(url)
    assert list(tmp_path.iterdir()) == []


def test_an_absolute_database_url_is_opened(tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path / 'other.db'}").close()
    assert (tmp_path / "other.db").is_file()


def test_a_failed_write_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.writing() as connection:
        connection.execute(sa.insert(projects).values(key="a", name="A"))
        _ = 1 / 0
    with store.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(projects)).scalar() == 0


def test_upsert_updates_what_it_is_told_and_leaves_the_rest(store: Store) -> None:
    with store.writing() as connection:
        upsert(connection, projects, [{"key": "a", "name": "A", "title": "first"}], key=["key"])
        upsert(connection, projects, [{"key": "a", "name": "B", "title": "second"}], key=["key"], update=["title"])
        upsert(connection, projects, [{"key": "a", "name": "C", "title": "third"}], key=["key"])
        row = connection.execute(sa.select(projects)).one()
    assert (row.name, row.title) == ("A", "second")


_WRITER = """
import sys
from pathlib import Path
import sqlalchemy as sa
from engine.store import Store
from engine.store.schema import view_state
store = Store.open(Path(sys.argv[1]))
for number in range(100):
    with store.writing() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(view_state)).scalar()
        connection.execute(sa.insert(view_state).values(key=f"{sys.argv[2]}-{number}", value=count, updated_at=""))
store.close()
"""


def test_two_processes_open_a_new_database_and_write_in_turn(tmp_path: Path) -> None:
    file = tmp_path / "library.db"
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(file), name], stderr=subprocess.PIPE) for name in "ab"
    ]
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert writer.returncode == 0, errors.decode()
    store = Store.open(file)
    with store.reading() as connection:
        seen = sorted(connection.execute(sa.select(view_state.c.value)).scalars())
    store.close()
    assert seen == list(range(200)), "each writer must have seen every write before its own"


def test_closing_breaks_off_a_query_that_would_never_end(store: Store) -> None:
    begun = threading.Event()
    heard: list[ProofsheetError] = []
    endless = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n"

    def read() -> None:
        try:
            with store.reading() as connection:
                begun.set()
                connection.exec_driver_sql(endless)
        except ProofsheetError as error:
            heard.append(error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    assert begun.wait(30)
    until = 60.0
    while reader.is_alive() and until > 0:  # the query may begin a moment after it was said
        store.close()
        reader.join(0.5)
        until -= 0.5
    assert [str(one) for one in heard] == ["the database was closed"]


def endless(connection: sa.Connection, begun: threading.Event) -> None:
    """A query that tells that it has begun, and never ends."""
    raw = connection.connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.create_function("told", 0, lambda: begun.set() or 1)
    connection.exec_driver_sql(
        "with recursive n(x) as (select told() union all select x + 1 from n) select count(*) from n"
    )


async def test_a_query_that_nobody_waits_for_is_broken_off(store: Store) -> None:
    begun, ended = threading.Event(), threading.Event()

    def count(connection: sa.Connection) -> None:
        try:
            endless(connection, begun)
        finally:
            ended.set()

    task = asyncio.create_task(store.read(count))
    assert await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(ended.wait, 30), "it goes on for ever"


def test_a_reading_that_has_ended_breaks_off_no_other_on_its_connection(store: Store) -> None:
    done, late = _Reader(), _Reader()
    with store.reading() as connection, done.holding(connection):
        first = connection.connection.dbapi_connection
    begun, ended = threading.Event(), threading.Event()

    def count() -> None:
        try:
            with store.reading() as connection, late.holding(connection):
                assert connection.connection.dbapi_connection is first, "the pool hands out the same connection"
                endless(connection, begun)
        except sa.exc.OperationalError:
            ended.set()

    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    assert begun.wait(30)
    done.break_off()
    assert not ended.wait(0.5), "another's query was broken off"
    late.break_off()
    assert ended.wait(30)
    with store.reading() as connection, pytest.raises(ProofsheetError, match="nobody waits"), done.holding(connection):
        raise AssertionError("what was broken off before it began does not begin")
