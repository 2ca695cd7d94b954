"""A folder of pictures, the door of the room, and the yard where processes are killed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.changes import Changes
from engine.workspace import Workspace
from tests.engine.changes.trees import sample
from tests.engine.changes.yard import Yard


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A small library, outside the workspace."""
    root = tmp_path / "pictures"
    sample(root)
    return root


@pytest.fixture
def changes(workspace: Workspace) -> Changes:
    """The room's door, which does not wait long for a lock."""
    return Changes(workspace, patience=0.2)


@pytest.fixture(scope="module")
def yard() -> Iterator[Yard]:
    """Processes to kill."""
    opened = Yard()
    yield opened
    opened.close()


@pytest.fixture
def other_volume(pictures: Path) -> Iterator[Path]:
    """An empty folder on another volume than the pictures; skips where there is none to be had."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == pictures.stat().st_dev:
        pytest.skip("no second volume to write to (/dev/shm)")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)
