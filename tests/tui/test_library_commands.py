"""`proofsheet scan` and `proofsheet inventory`, as a script and as a person meet them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.engine.library.pictures import encoded, put
from tui.cli import main


def run(workspace: Path, *words: object) -> Result:
    """The command in this process: an interpreter for each call would take most of the time."""
    return CliRunner().invoke(main, ["--workspace", str(workspace), *map(str, words)])


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    put(tmp_path / "pictures" / "trip" / "a.jpg")
    put(tmp_path / "pictures" / "trip" / "b.png", encoded("png", 1))
    return tmp_path / "pictures"


def test_scan_prints_its_document_and_ends_with_0(tmp_path: Path, pictures: Path) -> None:
    done = run(tmp_path / "w", "scan", pictures, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert list(told) == ["run", "added", "changed", "unchanged", "removed", "refused", "seconds"]
    assert (told["added"], told["refused"]) == (2, [])


def test_refused_files_are_told_with_their_reason_and_end_with_3(tmp_path: Path, pictures: Path) -> None:
    put(pictures / "trip" / "empty.jpg", b"")
    done = run(tmp_path / "w", "scan", pictures)
    assert done.exit_code == 3
    assert "2 images" in done.stdout
    assert f"{pictures}/trip/empty.jpg\n    the file is empty (0 bytes)" in done.stdout
    again = run(tmp_path / "w", "scan", pictures, "--json")
    assert again.exit_code == 3
    assert json.loads(again.stdout)["refused"] == [
        {"path": f"{pictures}/trip/empty.jpg", "code": "empty", "reason": "the file is empty (0 bytes)"}
    ]


def test_a_folder_that_is_not_there_ends_with_2(tmp_path: Path) -> None:
    done = run(tmp_path / "w", "scan", tmp_path / "nowhere")
    assert done.exit_code == 2
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_detached_scan_is_followed_by_its_run(tmp_path: Path, pictures: Path) -> None:
    begun = run(tmp_path / "w", "scan", pictures, "--detach", "--json")
    assert begun.exit_code == 0, begun.stderr
    followed = run(tmp_path / "w", "runs", "tail", json.loads(begun.stdout)["run"])
    assert followed.exit_code == 0, followed.stderr
    assert json.loads(run(tmp_path / "w", "inventory", "--json").stdout)["images"] == 2


def test_inventory_counts_and_lists(tmp_path: Path, pictures: Path) -> None:
    assert "No images yet" in run(tmp_path / "w", "inventory").stdout
    put(pictures / "lie.jpg", encoded("png"))
    run(tmp_path / "w", "scan", pictures)
    told = json.loads(run(tmp_path / "w", "inventory", "--json").stdout)
    assert (told["images"], told["formats"], told["projects"]) == (2, {"jpeg": 1, "png": 1}, {"trip": 2})
    assert told["refused"] == [
        {"path": f"{pictures}/lie.jpg", "code": "mislabelled", "reason": "named .jpg, but the content is PNG"}
    ]
    shown = run(tmp_path / "w", "inventory").stdout
    assert "2 images" in shown
    assert "trip" in shown
    assert "mislabelled: named .jpg, but the content is PNG" in run(tmp_path / "w", "inventory", "--refused").stdout
