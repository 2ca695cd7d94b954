"""A library of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from engine.workspace import Workspace
from tests.engine.library.shelf import Shelf, shelf_in


@pytest_asyncio.fixture
async def shelf(workspace: Workspace) -> AsyncIterator[Shelf]:
    """An empty library."""
    async with shelf_in(workspace) as opened:
        yield opened


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder for pictures, beside the workspace."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder
