"""Where the workspace is found, and what making one leaves on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ProofsheetError, UsageError
from engine.workspace import Workspace


def test_a_missing_folder_is_made_on_first_use(tmp_path: Path) -> None:
    workspace = Workspace.locate(tmp_path / "new" / "one", environment={})
    assert workspace.settings_file.is_file()
    assert workspace.models.is_dir()


def test_a_flag_wins_over_the_environment_and_that_over_the_folder_above(tmp_path: Path) -> None:
    above = Workspace.init(tmp_path / "above")
    inside = above.root / "a" / "b"
    inside.mkdir(parents=True)
    named = {"PROOFSHEET_WORKSPACE": str(tmp_path / "named")}
    assert Workspace.locate(tmp_path / "flag", environment=named, start=inside).root == tmp_path / "flag"
    assert Workspace.locate(environment=named, start=inside).root == tmp_path / "named"
    assert Workspace.locate(environment={}, start=inside).root == above.root


def test_without_any_the_platforms_data_folder_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert Workspace.locate(environment={}, start=tmp_path).root == tmp_path / "share" / "proofsheet"


def test_what_a_folder_already_holds_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "proofsheet.toml").write_text('theme = "daylight"\n')
    (tmp_path / "mine.txt").write_text("mine")
    Workspace.init(tmp_path)
    assert (tmp_path / "proofsheet.toml").read_text() == 'theme = "daylight"\n'
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_file_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        Workspace.locate(tmp_path / "file", environment={})
    with pytest.raises(ProofsheetError, match="cannot make a workspace"):
        Workspace.init(tmp_path / "file" / "below")
