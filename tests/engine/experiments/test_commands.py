"""`proofsheet variants` and `proofsheet sessions` as scripts use them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.engine.experiments.test_analysis import simulated
from tui.cli import main

Write = Callable[[Iterable[Mapping[str, Any] | str | bytes]], Path]
Call = Callable[..., Result]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Runs a command in a workspace of its own."""

    def run(*words: str) -> Result:
        return CliRunner().invoke(main, ["-w", str(tmp_path / "w"), *words])

    return run


def test_import_analyze_propose_approve(call: Call, jsonl: Write) -> None:
    file = jsonl([*simulated(600, {"original": 3.0, "enhanced-v1": 3.9}), {"user": "x", "variant": "zzz"}])
    done = call("sessions", "import", str(file), "--json")
    assert done.exit_code == 3
    assert (json.loads(done.stdout)["new"], json.loads(done.stdout)["refused"][0]["line"]) == (600, 601)
    assert "line 601: unknown variant 'zzz'" in done.stderr
    assert json.loads(call("sessions", "import", str(file), "--json").stdout)["new"] == 0
    found = json.loads(call("variants", "analyze", "--metric", "success", "--json").stdout)
    assert found["comparisons"][0]["significant"]
    assert "'enhanced-v1' is better" in call("variants", "analyze").stdout
    proposed = json.loads(call("variants", "weights", "--propose", "--json").stdout)
    assert proposed["weights"]["enhanced-v1"] == pytest.approx(0.95)
    assert proposed["current"]["enhanced-v1"] == pytest.approx(0.5)
    assert json.loads(call("variants", "list", "--json").stdout)[1]["weight"] == 0.5
    assert call("variants", "weights", "--approve").exit_code == 0
    assert json.loads(call("variants", "list", "--json").stdout)[1]["weight"] == pytest.approx(0.95)
    assert call("variants", "weights", "--approve").exit_code == 2
    assert len(json.loads(call("sessions", "list", "--limit", "7", "--json").stdout)) == 7


def test_add_pause_resume_set_diff(call: Call, tmp_path: Path) -> None:
    prompt = tmp_path / "short.txt"
    prompt.write_text("To {targetWidth} x {targetHeight}.\n")
    assert json.loads(call("variants", "add", str(prompt), "--why", "try", "--json").stdout)["id"] == "short"
    assert "try" in call("variants", "show", "short").stderr
    assert call("variants", "pause", "short").exit_code == 0
    done = call("variants", "weights", "--set", "original=0.3,enhanced-v1=0.2", "--json")
    assert json.loads(done.stdout)["current"] == {"original": 0.5, "enhanced-v1": 0.5}
    assert "equal split" in done.stderr
    done = call("variants", "weights", "--set", "original=0.3", "--set", "enhanced-v1=0.7", "--json")
    assert json.loads(done.stdout)["weights"] == pytest.approx({"original": 0.3, "enhanced-v1": 0.7})
    assert "-You resize" in call("variants", "diff", "original", "short").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("variants", "pause", "nobody"), "no variant 'nobody'"),
        (("variants", "weights", "--set", "original"), "no weight"),
        (("variants", "weights", "--set", "original=x"), "no weight"),
        (("variants", "weights", "--set", "original=.5,original=.5"), "given twice"),
        (("variants", "weights", "--set", "original=1", "--propose"), "choose one"),
        (("variants", "add", "/nowhere/p.txt"), "cannot be read"),
        (("variants", "retrain", "--min-rating", "9"), "minimum rating of 9"),
        (("variants", "drafts", "--approve", "draft:x"), "no draft"),
        (("variants", "examples", "--validate", "x"), "no session"),
        (("sessions", "import", "/nowhere/s.jsonl"), "cannot be read"),
        (("sessions", "list", "--variant", "nobody"), "no variant"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(call: Call, words: tuple[str, ...], said: str) -> None:
    done = call(*words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_a_bad_template_names_its_line(call: Call, tmp_path: Path) -> None:
    prompt = tmp_path / "bad.txt"
    prompt.write_text("{targetWidth}\n{size}\n")
    done = call("variants", "add", str(prompt))
    assert done.exit_code == 1
    assert "line 2: unknown placeholder {size}" in done.stderr


def test_an_empty_workspace_has_an_answer_to_everything(call: Call) -> None:
    assert "No sessions yet." in call("variants", "analyze").stdout
    assert json.loads(call("variants", "analyze", "--json").stdout)["verdict"] == "No sessions yet."
    assert json.loads(call("variants", "weights", "--propose", "--json").stdout)["weights"] == {
        "original": 0.5,
        "enhanced-v1": 0.5,
    }
    assert json.loads(call("sessions", "--json").stdout) == []
    assert json.loads(call("variants", "drafts", "--json").stdout) == []
    assert json.loads(call("variants", "examples", "--json").stdout) == []
    report = json.loads(call("variants", "retrain", "--json").stdout)
    assert (report["sessions"], report["findings"]) == (0, [])
