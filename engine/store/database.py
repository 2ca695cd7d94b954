"""Opening the database and speaking to it: readers any number, writers one at a time.

Relies on SQLAlchemy Core and, only when the schema is behind, on Alembic. SQLite runs in WAL mode with
foreign keys on; every write begins IMMEDIATE, so that two processes queue instead of failing half-way;
`durable` writes use synchronous=FULL and are on the disk when they return. A database that is newer than
this program, or that is damaged, is refused with the remedy and never overwritten.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError, OperationalError

from engine.errors import ProofsheetError, UsageError

T = TypeVar("T")

HEAD = "0009"
BUSY_TIMEOUT_MS = 15_000


class DatabaseTooNew(ProofsheetError):
    """The database was written by a newer Proofsheet; this one would not understand it."""


class DatabaseCorrupt(ProofsheetError):
    """The database file is damaged, or is no database at all."""


class Store:
    """One database. `reading` and `writing` are for worker threads; `read` and `write` for the event loop."""

    def __init__(self, engine: sa.Engine, place: str) -> None:
        self._engine = engine
        self.place = place
        self._write_lock = threading.RLock()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._readers: set[Any] = set()  # the driver's connections that are being read from
        self._is_closed = False

    @classmethod
    def open(cls, where: Path | str) -> Store:
        """Open (or make) the database: the path of a SQLite file, or a SQLAlchemy URL.

        Brings an older schema up to date. Raises UsageError for a URL that is none or names no absolute path,
        DatabaseTooNew, DatabaseCorrupt, or ProofsheetError when it cannot be used.
        """
        url = _url(where)
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False})
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        store = cls(engine, url.database or ":memory:")
        try:
            store._bring_up_to_date()
        except BaseException:
            store.close()
            raise
        return store

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A consistent snapshot for reading, in the calling thread. Raises ProofsheetError where the store is closed in
        the midst of a query: nobody waits for its answer any more, but leaving would wait for its end."""
        with self._engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            self._readers.add(raw)
            try:
                yield connection
            except OperationalError as error:
                if self._is_closed:
                    raise ProofsheetError("the database was closed") from error
                raise
            finally:
                self._readers.discard(raw)

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[sa.Connection]:
        """One write transaction in the calling thread: committed at the end, rolled back on an exception.

        `durable=True` has it on the disk (synchronous=FULL) before this returns.
        """
        with self._write_lock:
            level = "FULL" if durable else "NORMAL"
            with (
                self._engine.connect().execution_options(proofsheet_write=level) as connection,
                connection.begin(),
            ):
                yield connection

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` on a snapshot, off the event loop. Where nobody waits for it any more (the task is cancelled), its
        query is broken off: a filter that is being typed would else leave one behind with every letter."""
        reader = _Reader()

        def call() -> T:
            with self.reading() as connection, reader.holding(connection):
                return work(connection)

        try:
            return await asyncio.to_thread(call)
        except asyncio.CancelledError:
            reader.break_off()
            raise

    async def write(self, work: Callable[[sa.Connection], T], *, durable: bool = False) -> T:
        """Run `work` in one write transaction on the writer thread; writes keep the order they were asked in."""

        def call() -> T:
            with self.writing(durable=durable) as connection:
                return work(connection)

        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._writer, call))

    def close(self) -> None:
        """Finish pending writes, break off what is being read, and let the file go."""
        self._writer.shutdown(wait=True)
        self._is_closed = True
        for raw in tuple(self._readers):
            _interrupt(raw)
        self._engine.dispose()

    def _bring_up_to_date(self) -> None:
        try:
            with self.reading() as connection:
                version = _version(connection)
                if version == HEAD:
                    return
                if version is None and sa.inspect(connection).get_table_names():
                    raise DatabaseCorrupt(
                        f"{self.place} is a database of some other program",
                        remedy="Choose another workspace with --workspace DIR; nothing was changed.",
                    )
                if version is not None and version > HEAD:
                    raise DatabaseTooNew(
                        f"{self.place} was written by a newer Proofsheet (schema {version}; this one knows {HEAD})",
                        remedy="Update Proofsheet, or choose another workspace with --workspace DIR.",
                    )
            from engine.store.migrations import upgrade

            with self.writing(durable=True) as connection:
                if _version(connection) != HEAD:  # another process may have been first
                    upgrade(connection)
        except OperationalError as error:
            raise _explained(error, self.place) from error
        except DatabaseError as error:
            raise DatabaseCorrupt(
                f"{self.place} is damaged or is not a database ({error.orig})",
                remedy="Nothing was changed. Put a backup in its place, or move the file away to start anew.",
            ) from error


class _Reader:
    """One reading that can be broken off from another thread; never a later one of the same connection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._raw: Any = None
        self._is_unwanted = False

    @contextmanager
    def holding(self, connection: sa.Connection) -> Iterator[None]:
        """Begin to read, unless it was broken off already."""
        with self._lock:
            if self._is_unwanted:
                raise ProofsheetError("nobody waits for this any more")
            self._raw = connection.connection.dbapi_connection
        try:
            yield
        finally:
            with self._lock:
                self._raw = None

    def break_off(self) -> None:
        with self._lock:
            self._is_unwanted = True
            _interrupt(self._raw)


def _interrupt(raw: Any) -> None:
    """End the query that a driver's connection is in the midst of."""
    if hasattr(raw, "interrupt"):  # SQLite's
        raw.interrupt()


def _url(where: Path | str) -> sa.URL:
    """The URL of a database given as an absolute path or as a URL; anything vaguer is refused, never guessed."""
    if isinstance(where, Path) or Path(where).is_absolute():
        return sa.URL.create("sqlite", database=str(where))
    remedy = "Write database_url (or DATABASE_URL) as sqlite:////absolute/path/library.db, or unset it."
    try:
        url = sa.make_url(where)
    except sa.exc.ArgumentError as error:
        raise UsageError(f"'{where}' is no database URL", remedy=remedy) from error
    if url.get_backend_name() != "sqlite":
        raise UsageError(
            f"{url.get_backend_name()} databases are not supported yet",
            remedy="Unset DATABASE_URL (or database_url in proofsheet.toml) to use the workspace's own database.",
        )
    if not url.database or not Path(url.database).is_absolute():
        shown = url.render_as_string(hide_password=True)
        raise UsageError(f"{shown} names no file by its absolute path", remedy=remedy)
    return url


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    key: Sequence[str],
    update: Sequence[str] = (),
) -> None:
    """Insert `rows`; where `key` is already there, set the `update` columns (none: leave the row as it is)."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        statement: Any = postgresql_insert(table)
    else:
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        statement = sqlite_insert(table)
    if update:
        statement = statement.on_conflict_do_update(
            index_elements=list(key), set_={name: statement.excluded[name] for name in update}
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(key))
    connection.execute(statement, [dict(row) for row in rows])


def _version(connection: sa.Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    return connection.execute(sa.text("select version_num from alembic_version")).scalar()


def _prepare(connection: Any, _record: Any) -> None:
    """Every new SQLite connection: our own BEGIN (see `_begin`), WAL, foreign keys, patience with other writers."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"pragma busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("pragma journal_mode = wal")
    cursor.execute("pragma foreign_keys = on")
    cursor.execute("pragma temp_store = memory")
    cursor.execute("pragma cache_size = -32768")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    """Readers begin deferred; writers take the write lock at once, so that they never fail after half their work."""
    level = connection.get_execution_options().get("proofsheet_write")
    if level is None:
        connection.exec_driver_sql("begin")
        return
    connection.exec_driver_sql(f"pragma synchronous = {level}")
    connection.exec_driver_sql("begin immediate")


def _explained(error: OperationalError, place: str) -> ProofsheetError:
    text = str(error.orig)
    if "locked" in text or "busy" in text:
        remedy = "Another process is writing for a long time; `proofsheet runs` names it. Try again when it is done."
    elif "unable to open" in text or "readonly" in text:
        remedy = "See that the folder exists, is yours to write, and that the disk is not full."
    else:
        remedy = "See that the disk is not full and the folder is yours to write; nothing was changed."
    return ProofsheetError(f"the database {place} cannot be used: {text}", remedy=remedy)
