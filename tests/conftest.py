"""What every test may use: a workspace of its own, a store, and the shared photographs where they are."""

from __future__ import annotations

import gc
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings

from engine.store import Store, migrations
from engine.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("untimed", deadline=None)  # no test is timed: a busy machine is no bug
settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    """What the imports made stays to the end: the collector need not look through it after every few tests again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_settings_of_the_person(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing of the person who runs the tests leaks in, and nothing leaks out to their folders."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith("PROOFSHEET_") and name != "PROOFSHEET_TEST_PHOTOS":
            monkeypatch.delenv(name)
    for name in ("DATABASE_URL", "AUTO_TRAIN", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # no test waits for a hub
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))


@pytest.fixture(scope="session", autouse=True)
def _schema_by_heart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The migrations are run once, and what they made of an empty SQLite file is done again in every other empty one.

    They take longer than most tests. What is not empty or not SQLite, and other processes, are migrated as ever.
    """
    file = tmp_path_factory.mktemp("schema") / "empty.db"
    Store.open(file).close()
    with sqlite3.connect(file) as connection:
        made = [statement for statement in connection.iterdump() if statement not in ("BEGIN TRANSACTION;", "COMMIT;")]
    migrate = migrations.upgrade

    def upgrade(connection: sa.Connection, revision: str = "head") -> None:
        if revision != "head" or connection.dialect.name != "sqlite" or sa.inspect(connection).get_table_names():
            migrate(connection, revision)
        else:
            for statement in made:
                connection.exec_driver_sql(statement)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(migrations, "upgrade", upgrade)
        yield


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A fresh workspace."""
    return Workspace.init(tmp_path / "workspace")


@pytest.fixture
def store(workspace: Workspace) -> Iterator[Store]:
    """A fresh database."""
    opened = Store.open(workspace.database_file)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def photos() -> Path:
    """The shared photographs; tests that need them are skipped where they are absent."""
    folder = Path(os.environ.get("PROOFSHEET_TEST_PHOTOS", ROOT.parent / "shared" / "data" / "photos")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no photographs at {folder}; set PROOFSHEET_TEST_PHOTOS to their folder")
    return folder
