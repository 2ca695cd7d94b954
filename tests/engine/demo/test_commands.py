"""`proofsheet embed` and `proofsheet demo` as scripts use them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from engine.demo.demo import DemoReport, Suggested
from tui.cli import main
from tui.commands.demo import lines


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures" / "harbour"
    folder.mkdir(parents=True)
    for seed in range(3):
        noise = np.random.default_rng(seed).integers(0, 255, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((300, 200)).save(folder / f"{seed}.jpg")
    return folder.parent


def embed(workspace: Path, *arguments: str) -> tuple[int, dict]:
    result = CliRunner().invoke(main, ["--workspace", str(workspace), "embed", *arguments, "--json"])
    return result.exit_code, json.loads(result.stdout) if result.stdout else {}


def test_embed_tells_what_it_did_as_json(tmp_path: Path, pictures: Path) -> None:
    code, told = embed(tmp_path / "workspace", str(pictures))
    assert code == 0
    assert list(told) == ["run", "encoder", "dim", "embedded", "cached", "refused", "images_per_second"]
    assert (told["embedded"], told["cached"], told["refused"]) == (3, 0, [])
    assert embed(tmp_path / "workspace", str(pictures))[1]["cached"] == 3
    assert embed(tmp_path / "workspace", str(pictures), "--force", "--max-images", "2")[1]["embedded"] == 2
    assert embed(tmp_path / "workspace")[1]["cached"] == 3


def test_embed_lists_refused_files_and_says_so_by_its_exit_code(tmp_path: Path, pictures: Path) -> None:
    bad = pictures / "harbour" / "bad.jpg"
    bad.write_bytes(b"")
    code, told = embed(tmp_path / "workspace", str(pictures))
    assert code == 3
    assert told["embedded"] == 3
    assert [one["path"] for one in told["refused"]] == [str(bad)]


def test_embed_of_a_folder_that_there_is_not_is_a_usage_error(tmp_path: Path) -> None:
    assert embed(tmp_path / "workspace", str(tmp_path / "nowhere")) == (2, {})


REPORT = DemoReport(
    images=480,
    refused=3,
    sets=136,
    simulated_decisions=108,
    train={
        "model": "ranker_v1",
        "promoted": True,
        "sets": {"train": 81, "held_out": 27},
        "held_out": {"pair_accuracy": 0.93, "top1_accuracy": 0.89, "ece": 0.04, "by_project": {}},
        "baselines": {"random": 0.5, "first": 0.49, "last": 0.51, "largest_file": 0.53, "sharpest": 0.59},
        "references": {"logistic_difference": 0.92},
    },
    suggestions=(Suggested("harbour/1", "/pictures/a.jpg", 0.71), Suggested("night/2", "/pictures/b.jpg", 0.96)),
    seconds=21.5,
)


def test_the_report_sets_the_ranker_beside_every_baseline() -> None:
    text = lines(REPORT)
    assert all(len(line) <= 100 for line in text)
    assert "simulated" in text[0]
    rows = [line for line in text if line.endswith("%")]
    assert len(rows) == 7
    assert rows[0].startswith("  ranker_v1 (learned)")
    shares = [float(row.split()[-1].rstrip("%")) for row in rows[1:]]
    assert shares == sorted(shares, reverse=True)
    assert any("beats every naive baseline" in line for line in text)


def test_the_surest_suggestion_comes_first() -> None:
    text = "\n".join(lines(REPORT))
    assert text.index("b.jpg") < text.index("a.jpg")


def test_a_report_without_a_ranker_in_use_says_so_and_shows_no_confidence() -> None:
    unsure = DemoReport(1, 0, 1, 0, {"promoted": False}, (Suggested("a/1", "/a.jpg", None),), 1.0)
    text = "\n".join(lines(unsure))
    assert "not in use" in text
    assert "a.jpg" in text
