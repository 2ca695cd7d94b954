"""`proofsheet duplicates`, as a script and as a person meet it. Pictures are simulated."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.tui.fake_pictures import draw_scene
from tui.cli import main


def run(workspace: Path, *words: object) -> Result:
    """The command in this process: an interpreter for each call would take most of the time."""
    return CliRunner().invoke(main, ["--workspace", str(workspace), *map(str, words)])


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A workspace whose library has one pair of identical files and one small copy."""
    folder = tmp_path / "photos" / "mojo1"
    folder.mkdir(parents=True)
    draw_scene(1, (640, 480)).save(folder / "a.jpg")
    shutil.copy2(folder / "a.jpg", folder / "a (1).jpg")
    draw_scene(2, (640, 480)).save(folder / "b.jpg")
    draw_scene(2, (640, 480)).resize((320, 240)).save(folder / "b_small.jpg")
    assert run(tmp_path / "w", "scan", folder, "--json").exit_code == 0
    return tmp_path / "w"


def listed(workspace: Path, *words: object) -> dict:
    done = run(workspace, "duplicates", *words, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_the_whole_way_as_a_script(library: Path) -> None:
    found = listed(library)
    assert {"groups", "images", "pairs_within", "seconds"} <= set(found)
    assert (found["images"], found["pairs_within"]) == (4, 2)
    exact, same = found["groups"]
    assert {"kind", "project", "keeper", "reason", "members"} <= set(exact)
    assert (exact["kind"], exact["project"], Path(exact["keeper"]).name) == ("exact", "mojo1", "a.jpg")
    assert [member["distance"] for member in exact["members"]] == [0, 0]
    assert (same["kind"], Path(same["keeper"]).name, same["reason"]) == ("same", "b.jpg", "largest")
    folder = Path(same["keeper"]).parent

    planned = listed(library, "approve", "--exact")
    assert planned["state"] == "planned"
    assert (folder / "a (1).jpg").exists()

    moved = listed(library, "approve", "--exact", "--yes")
    assert (moved["state"], moved["moved"]) == ("applied", [str(folder / "a (1).jpg")])
    assert not (folder / "a (1).jpg").exists()
    assert [group["kind"] for group in listed(library)["groups"]] == ["same"]

    assert listed(library, "reject", same["id"])["rejected"] is True
    assert listed(library)["groups"] == []
    assert listed(library, "undo")["restored"] == 0
    assert listed(library, "undo")["restored"] == 1
    assert (folder / "a (1).jpg").exists()
    assert listed(library)["groups"] == found["groups"]
    assert listed(library, "undo") == {"groups": [], "restored": 0, "verdict": None}


def test_as_a_person_reads_it(library: Path) -> None:
    said = run(library, "duplicates").stdout
    assert "identical files, mojo1" in said
    assert "why: largest" in said
    assert "2 groups among 4 images" in said


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--project", "nobody"], "there is no project 'nobody'"),
        (["--distance", "40"], "a distance is 0 to 20"),
        (["approve"], "no group named"),
        (["approve", "same-nothing"], "there is no group 'same-nothing'"),
        (["approve", "--exact", "--keep", "/nowhere.jpg"], "in none of these groups"),
    ],
)
def test_what_cannot_be_asked_ends_with_2(library: Path, words: list[str], reason: str) -> None:
    done = run(library, "duplicates", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert reason in done.stderr
