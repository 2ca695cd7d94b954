"""Layers of settings, and complaints that name the very line."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.settings import blocks_off, load
from engine.workspace import Workspace


@pytest.fixture
def user_file(tmp_path: Path) -> Path:
    return tmp_path / "user.toml"


def test_flags_over_environment_over_workspace_over_user_over_defaults(workspace: Workspace, user_file: Path) -> None:
    user_file.write_text('theme = "user"\nseed = 1\nburst_seconds = 9\nauto_train_after = 5\n')
    workspace.settings_file.write_text('# mine\ntheme = "workspace"\nseed = 2\nburst_seconds = 8\n')
    environment = {"PROOFSHEET_THEME": "environment", "PROOFSHEET_SEED": "3"}
    loaded = load(workspace, flags={"theme": "flag"}, environment=environment, user_file=user_file)
    values = loaded.values
    assert (values.theme, values.seed, values.burst_seconds) == ("flag", 3, 8)
    assert (values.auto_train_after, values.images) == (5, "auto")
    places = {key: loaded.origins[key].place for key in ("theme", "seed", "burst_seconds", "images")}
    assert places == {
        "theme": "--theme",
        "seed": "PROOFSHEET_SEED",
        "burst_seconds": f"{workspace.settings_file}, line 4",
        "images": "built in",
    }
    assert loaded.origins["auto_train_after"].layer == "user"


def test_plain_names_of_the_environment_are_understood(workspace: Workspace, user_file: Path) -> None:
    loaded = load(workspace, environment={"AUTO_TRAIN": "false"}, user_file=user_file)
    assert loaded.values.auto_train is False
    assert loaded.origins["auto_train"].place == "AUTO_TRAIN"


def test_blocks_of_features_are_a_list_in_a_file_and_comma_separated_elsewhere(
    workspace: Workspace, user_file: Path
) -> None:
    assert load(workspace, environment={}, user_file=user_file).values.features == ("embedding", "quality", "crops")
    workspace.settings_file.write_text('features = ["crops", "embedding"]\n')
    values = load(workspace, environment={}, user_file=user_file).values
    assert (values.features, blocks_off(values)) == (("embedding", "crops"), ("quality",))
    environment = {"PROOFSHEET_FEATURES": "quality, embedding"}
    values = load(workspace, environment=environment, user_file=user_file).values
    assert (values.features, blocks_off(values)) == (("embedding", "quality"), ("crops",))


def test_an_unknown_key_is_refused_with_its_line_and_the_near_one(workspace: Workspace, user_file: Path) -> None:
    workspace.settings_file.write_text('seed = 4\n\ntheem = "dark"\n')
    with pytest.raises(UsageError) as refused:
        load(workspace, environment={}, user_file=user_file)
    assert f"unknown setting 'theem' in {workspace.settings_file}, line 3" in str(refused.value)
    assert "'theme'" in refused.value.remedy


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ('seed = 1\nimages = "movie"\n', 2, "images"),
        ("burst_seconds = -1\n", 1, "burst_seconds"),
        ('seed = 1\nencoder = "zzz"\n', 2, "builtin"),
        ('[projects]\n"*" = "a/b"\n', 1, "no project id"),
        ('seed = 1\nfeatures = ["quality", "colour"]\n', 2, "no block 'colour'; there are: embedding, quality, crops"),
        ("features = []\n", 1, "at least one block"),
        ("features = 3\n", 1, "features"),
        ('seed = 1\n[keymap]\n"ranking.pick" = 7\n', 3, "ranking.pick"),
    ],
)
def test_a_bad_value_is_refused_with_its_line(
    workspace: Workspace, user_file: Path, text: str, line: int, word: str
) -> None:
    workspace.settings_file.write_text(text)
    with pytest.raises(UsageError) as refused:
        load(workspace, environment={}, user_file=user_file)
    assert word in str(refused.value)
    assert f"{workspace.settings_file}, line {line}" in str(refused.value)


def test_broken_toml_and_a_bad_variable_are_refused_by_name(workspace: Workspace, user_file: Path) -> None:
    workspace.settings_file.write_text("theme = \n")
    with pytest.raises(UsageError, match=r"not valid TOML.*line 1"):
        load(workspace, environment={}, user_file=user_file)
    workspace.settings_file.write_text("")
    with pytest.raises(UsageError, match="the environment variable PROOFSHEET_SEED"):
        load(workspace, environment={"PROOFSHEET_SEED": "many"}, user_file=user_file)
    with pytest.raises(UsageError, match="unknown setting 'sed' in the environment variable PROOFSHEET_SED"):
        load(workspace, environment={"PROOFSHEET_SED": "1"}, user_file=user_file)


def test_tables_come_from_the_environment_as_json(workspace: Workspace, user_file: Path) -> None:
    environment = {"PROOFSHEET_PROJECTS": '{"*/shoot/*": "mojo1"}'}
    assert load(workspace, environment=environment, user_file=user_file).values.projects == {"*/shoot/*": "mojo1"}
    with pytest.raises(UsageError, match="PROOFSHEET_PROJECTS is not JSON"):
        load(workspace, environment={"PROOFSHEET_PROJECTS": "{"}, user_file=user_file)
