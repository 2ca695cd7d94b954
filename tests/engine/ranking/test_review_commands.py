"""The loop from the command line, and two processes that decide the same set at the same moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image, ImageFilter

from tui.cli import main

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with four sets of two images."""
    base = tmp_path_factory.mktemp("loop")
    folder = base / "pictures" / "mojo1"
    folder.mkdir(parents=True)
    for number in range(4):
        drawn = Image.effect_noise((64, 48), 30 + 9 * number).convert("RGB")
        for stage, blur in enumerate((0, 2)):
            name = f"20250708_0600{number}{stage}_stage{stage + 1}_made.jpg"
            drawn.filter(ImageFilter.GaussianBlur(blur)).save(folder / name, quality=92)
    assert CliRunner().invoke(main, ["-w", str(base / "ws"), "scan", str(folder)]).exit_code == 0
    return base


def started(place: Path, *words: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tui.cli", "-w", str(place / "ws"), *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=place, env=environment)


def told(place: Path, *words: object, code: int = 0) -> Any:
    """The document of a command, or with another code than 0 what it says; in this process, which is quicker."""
    done = CliRunner().invoke(main, ["-w", str(place / "ws"), *map(str, words), "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if code == 0 else done.stderr


def test_the_whole_loop_can_be_driven_without_a_screen(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One story, because each step needs the one before."""
    first = told(place, "review", "next", "--project", "mojo1")
    assert (first["left"], first["total"], len(first["set"]["members"])) == (4, 4, 2)
    assert all(Path(path).is_absolute() for path in first["set"]["members"])
    assert first["suggestion"]["winner"] in first["set"]["members"]
    assert first["suggestion"]["because"][0] == "the sharpest of the set"
    assert told(place, "review", "next", "--project", "MOJO1")["set"] == first["set"], "until it is decided"

    name, winner = first["set"]["id"], Path(first["set"]["members"][1])
    assert "is not in set" in told(place, "review", "decide", name, "--winner", "nowhere.jpg", code=2)
    assert "one verdict is needed" in told(place, "review", "decide", name, code=2)
    assert "one verdict is needed" in told(place, "review", "decide", name, "--skip", "--reject-all", code=2)
    assert "there is no image set 99" in told(place, "review", "decide", 99, "--skip", code=2)
    assert "not a valid integer" in told(place, "review", "decide", "first", "--skip", code=2)
    assert "no project 'nobody'" in told(place, "review", "next", "--project", "nobody", code=1)

    monkeypatch.chdir(place)
    made = told(place, "review", "decide", name, "--winner", winner.relative_to(place))
    assert (made["winner"], made["verdict"], made["in_force"], made["left"]) == (str(winner), "modified", True, 3)
    again = told(place, "review", "decide", name, "--reject-all")
    assert again["earlier"]["decision"] == made["decision"] and again["earlier"]["winner"] == str(winner)
    undone = told(place, "review", "undo")
    assert [one["undoes"] for one in undone["undone"]] == [again["decision"]] and undone["left"] == 3
    assert told(place, "review", "undo")["left"] == 4
    made = told(place, "review", "decide", name, "--winner", winner)
    assert (made["verdict"], made["left"]) == ("modified", 3), "what was suggested is still known after an undo"

    asked = told(place, "review", "next")
    second, advised = asked["set"], asked["suggestion"]["winner"]
    two = [started(place, "review", "decide", second["id"], "--winner", path, "--json") for path in second["members"]]
    answers = [process.communicate() for process in two]
    assert [process.returncode for process in two] == [0, 0], answers
    documents = sorted((json.loads(out) for out, _ in answers), key=lambda one: one["decision"])
    assert documents[0]["earlier"] is None
    assert documents[1]["earlier"]["decision"] == documents[0]["decision"], "both are kept, and the later is told"
    assert sum("Both are kept" in err for _, err in answers) == 1
    suggested = {one["winner"]: one["verdict"] for one in documents}
    assert suggested[advised] == "approved" and set(suggested.values()) == {"approved", "modified"}

    for _ in range(2):
        told(place, "review", "decide", told(place, "review", "next")["set"]["id"], "--skip")
    assert told(place, "review", "next") | {"set": None} == told(place, "review", "next")
    assert told(place, "review", "progress")["projects"][0]["left"] == 0


def test_approving_together_from_the_command_line(place: Path) -> None:
    plan = told(place, "bulk-approve", "--project", "mojo1", "--min-accuracy", "0.95", "--dry-run")
    assert (plan["sets"], plan["expected_accuracy"], plan["approved"]) == (0, None, 0)
    assert plan["why_not"]
    assert "which project?" in told(place, "bulk-approve", code=2)
    assert "cannot be asked for" in told(place, "bulk-approve", "--project", "mojo1", "--min-accuracy", "95", code=2)
    assert "no project 'nobody'" in told(place, "bulk-approve", "--project", "nobody", code=1)
    assert told(place, "review", "taste")["traits"] == []
