"""The demo as a stranger meets it: from nothing to suggestions, in a folder of its own, and again without the wait."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.demo import demo
from engine.demo.recipe import Recipe
from engine.engine import Engine
from engine.errors import ProofsheetError

SMALL = """
version = 1
seed = 5
width = 240
height = 160
frames = [3, 3]
undecided = 3

[projects.harbour]
title = "Harbour"
begins = "2025-07-08T06:05:00"
sets = 8
scenes = ["sea", "flower"]

[projects.studio]
title = "Studio"
begins = "2025-08-14T10:20:00"
sets = 6
scenes = ["cut_paper"]

[projects.night]
title = "Night"
begins = "2025-11-02T18:40:00"
sets = 6
scenes = ["skyline"]
"""


@pytest.fixture(scope="module")
def small() -> Recipe:
    shipped = Path(demo.__file__).parents[2].joinpath("data", "demo.toml").read_text(encoding="utf-8")
    return Recipe.parse(SMALL + shipped[shipped.index("[variations]") :])


async def test_the_whole_loop_from_pictures_to_suggestions(
    tmp_path: Path, small: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "theirs.db"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{theirs}")
    told: list[str] = []
    counts: dict[str, tuple[int, int]] = {}

    def tell(what: str, done: int, total: int) -> None:
        told.append(what)
        counts[what] = (done, total)

    report = await demo.headless(tmp_path / "demo", recipe=small, tell=tell)
    assert report.images == 60
    assert report.refused == 3
    assert report.sets == 20
    assert report.simulated_decisions == 17
    assert {"model", "promoted", "sets", "held_out", "baselines", "references"} <= set(report.train)
    assert len(report.suggestions) == 3
    assert all(Path(one.winner).is_file() for one in report.suggestions)
    assert report.rooms is not None
    assert (report.rooms.simulated_errors, report.rooms.recurring) == (21, 3)
    assert set(report.rooms.fixes) == {"unicode", "zero-division", "type-mismatch"}
    assert list(dict.fromkeys(told)) == [
        "drawing the pictures",
        "scanning",
        "importing simulated picks",
        "describing the pictures",
        "judging their quality",
        "training the ranker",
        "suggesting winners",
        "looking for duplicates",
        "reading the simulated errors",
    ]
    assert counts["describing the pictures"] == (60, 60), "long steps say how far they are"
    assert json.loads(json.dumps(report.document()))["suggestions"][0].keys() == {"set", "winner", "confidence"}
    stamps = {file: file.stat().st_mtime_ns for file in (tmp_path / "demo" / "pictures").rglob("*.jpg")}
    again = await demo.headless(tmp_path / "demo", recipe=small)
    assert {file: file.stat().st_mtime_ns for file in stamps} == stamps, "pictures are drawn once"
    assert again.simulated_decisions == 17
    assert again.train["held_out"] == report.train["held_out"], "the same every time"
    assert not theirs.exists(), "the person's own database is not used"


async def test_the_demo_never_deletes_a_folder_that_is_not_its_own(tmp_path: Path, small: Recipe) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "pictures").mkdir()
    (mine / "pictures" / "wedding.jpg").write_bytes(b"precious")
    with pytest.raises(ProofsheetError, match="other things than a demo"):
        await demo.headless(mine, recipe=small)
    assert (mine / "pictures" / "wedding.jpg").read_bytes() == b"precious"


async def test_the_apps_workspace_is_kept_until_something_fresh_is_asked_for(
    tmp_path: Path, small: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: list[Path] = []

    async def learn(engine: Engine, place: object, planned: object, begun: float) -> demo.DemoReport:
        """What is in the workspace is no matter here, and takes ten seconds."""
        learned.append(engine.workspace.root)
        return demo._EMPTY

    monkeypatch.setattr(demo, "_learned", learn)
    workspace = await demo.prepare(tmp_path / "demo", recipe=small)
    mark = workspace.root / "my-verdicts"
    mark.touch()
    assert await demo.prepare(tmp_path / "demo", recipe=small) == workspace
    assert mark.exists() and workspace.database_file.is_file()
    assert learned == [workspace.root]
    await demo.prepare(tmp_path / "demo", recipe=small, fresh=True)
    assert not mark.exists() and workspace.database_file.is_file()
    assert learned == [workspace.root] * 2


def test_the_commands_help_promises_safety() -> None:
    command = [sys.executable, "-m", "tui.cli", "demo", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Yours is not touched" in shown.stdout
    assert "--headless" in shown.stdout
