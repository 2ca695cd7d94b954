"""The process that `test_training` kills: it opens a workspace and trains over and over until it is killed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from engine.changes import Changes
from engine.library import Library
from engine.ranking import Ranking
from engine.review import Review
from engine.runs import Runs
from engine.settings import Settings
from engine.store import Store
from engine.workspace import Workspace
from tests.engine.ranking.conftest import FakeVision


async def main(root: Path) -> None:
    """Says `training` once the first run is about to start."""
    workspace, settings = Workspace.init(root), Settings(actor="ada")
    store = Store.open(workspace.database_file)
    runs = Runs(workspace, store)
    vision = FakeVision()
    vision.by_name = {name: np.array(v) for name, v in json.loads((root / "vectors.json").read_text()).items()}
    ranking = Ranking(
        workspace,
        settings,
        store,
        runs,
        Review(workspace, store, settings.actor),
        Changes(workspace),
        Library(workspace, settings, store, runs),
        vision,  # type: ignore[arg-type]
    )
    print("training", flush=True)
    while True:
        await runs.wait((await ranking.train()).id)
