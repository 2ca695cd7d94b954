"""`proofsheet metadata` and `proofsheet analyze`: one document on stdout, refused files on stderr, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from engine.workspace import Workspace
from tests.engine.library.pictures import encoded, put
from tui.cli import main


def test_metadata_is_an_array_of_one_object_a_file(workspace: Workspace, tmp_path: Path) -> None:
    put(tmp_path / "pictures" / "a.jpg")
    put(tmp_path / "pictures" / "sub" / "b.png")
    put(tmp_path / "pictures" / "lie.jpg", encoded("png"))
    run = ["-w", str(workspace.root), "metadata", str(tmp_path / "pictures")]
    done = CliRunner().invoke(main, [*run, "--json"])
    assert done.exit_code == 3
    assert [Path(one["path"]).name for one in json.loads(done.stdout)] == ["a.jpg", "b.png"]
    assert "lie.jpg" in done.stderr
    assert "mislabelled" in done.stderr
    assert "a.jpg" in CliRunner().invoke(main, run).stdout
    assert CliRunner().invoke(main, [*run[:-1], str(tmp_path / "nowhere")]).exit_code == 2


def test_analyze_prints_its_summary_and_leaves_foreign_files_alone(workspace: Workspace, tmp_path: Path) -> None:
    put(tmp_path / "pictures" / "a.jpg")
    output = tmp_path / "out.json"
    run = ["-w", str(workspace.root), "analyze", str(tmp_path / "pictures"), "-o", str(output), "--json"]
    done = CliRunner().invoke(main, run)
    assert (done.exit_code, json.loads(done.stdout)["analyzed"]) == (0, 1)
    assert len(json.loads(output.read_text())) == 1
    output.write_text("mine")
    assert CliRunner().invoke(main, run).exit_code == 2
    assert output.read_text() == "mine"
