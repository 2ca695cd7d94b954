"""What most tests of fixes work with: an engine that knows the tiny pattern alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.engine import Engine
from engine.workspace import Workspace
from tests.engine.repair.workshop import with_patterns


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine on a fresh workspace. Files whose tests want the patterns that ship have one of their own."""
    async with Engine.open(Workspace.init(tmp_path / "work")) as opened:
        with_patterns(opened)
        yield opened
