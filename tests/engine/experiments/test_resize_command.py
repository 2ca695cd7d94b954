"""`proofsheet resize` by hand: one document on stdout, messages on stderr, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.workspace import Workspace
from tests.engine.experiments.designs import BANNER
from tui.cli import main


@pytest.fixture(autouse=True)
def _no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def call(workspace: Workspace, *arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["-w", str(workspace.root), "resize", *arguments], input=typed)


def test_a_canvas_from_a_file_to_a_file_and_to_json(workspace: Workspace, tmp_path: Path) -> None:
    file, output = tmp_path / "canvas.json", tmp_path / "out.json"
    file.write_text(json.dumps(BANNER))
    done = call(workspace, str(file), "--to", "1080x1920", "--user", "ann", "--json", "-o", str(output))
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["user"] == "ann" and document["solver"] == "builtin" and "OPENAI_API_KEY" in done.stderr
    assert json.loads(output.read_text()) == document["canvas"]
    assert (document["canvas"]["width"], document["canvas"]["height"]) == (1080, 1920)


def test_a_canvas_from_stdin(workspace: Workspace) -> None:
    done = call(workspace, "-", "--to", "300x250", typed=json.dumps(BANNER))
    assert done.exit_code == 0 and json.loads(done.stdout)["width"] == 300


@pytest.mark.parametrize(
    ("text", "to", "said"),
    [
        ("{", "10x10", "not JSON"),
        ('{"width": 5, "height": 5, "objects": [{"type": "rect"}]}', "10x10", "canvas.objects[0].left: is missing"),
        ("{}", "10 by 10", "is no size"),
    ],
)
def test_bad_input_is_a_usage_error_that_names_the_place(workspace: Workspace, text: str, to: str, said: str) -> None:
    done = call(workspace, "-", "--to", to, typed=text)
    assert done.exit_code == 2 and said in done.stderr and not done.stdout


def test_files_that_cannot_be(workspace: Workspace, tmp_path: Path) -> None:
    assert "there is no file" in call(workspace, str(tmp_path / "none.json"), "--to", "10x10").stderr
    done = call(workspace, "-", "--to", "10x10", "-o", str(tmp_path / "no" / "out.json"), typed=json.dumps(BANNER))
    assert done.exit_code == 2 and "there is no folder" in done.stderr
