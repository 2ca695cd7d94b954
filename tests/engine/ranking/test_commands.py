"""The room from the command line: documents on stdout, people's lines on stderr, honest exit codes."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image, ImageFilter

from tui.cli import main


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with 20 sets of three images, of which a log prefers the sharpest."""
    base = tmp_path_factory.mktemp("cli")
    folder = base / "pictures" / "mojo1"
    folder.mkdir(parents=True)
    rows = ["session_id,set_id,chosen_path,neg_paths,timestamp"]
    for number in range(20):
        drawn = Image.effect_noise((64, 48), 30 + 4 * number).convert("RGB")
        for place, blur in enumerate((0, 1, 2)):
            drawn.filter(ImageFilter.GaussianBlur(blur)).save(folder / f"{number:02}_{place}.jpg", quality=92)
        losers = ", ".join(f'""D:\\\\x\\\\Mojo1\\\\{number:02}_{place}.jpg""' for place in (1, 2))
        rows.append(f's,{number},D:\\x\\Mojo1\\{number:02}_0.jpg,"[{losers}]",2025-07-{number + 1:02}T10:00:00Z')
    (base / "log.csv").write_text("\n".join([*rows, "bad,row"]) + "\n")
    scanned = CliRunner().invoke(main, ["-w", str(base / "ws"), "scan", str(base / "pictures")])
    assert scanned.exit_code == 0, scanned.output
    return base


def proofsheet(place: Path, *words: object, code: int = 0) -> Result:
    """The command in this process, standing in that place: an interpreter for each call would take most of the time."""
    with contextlib.chdir(place):
        done = CliRunner().invoke(main, ["-w", "ws", *map(str, words)], env={"PROOFSHEET_ENCODER": "builtin"})
    assert done.exit_code == code, done.output
    return done


def test_the_room_from_the_command_line(place: Path, tmp_path: Path) -> None:
    """One story, because each step needs the one before."""
    early = proofsheet(place, "train", "ranker", "--json", code=1)
    assert "12 more are needed" in early.stderr and early.stdout == ""

    built = json.loads(proofsheet(place, "sets", "build", "--json").stdout)
    assert built["new"] == 0 and built["total"] == 10, "the scan has made them"
    imported = json.loads(proofsheet(place, "import", "selections", "log.csv", "--json", code=3).stdout)
    assert (imported["sets"], imported["pairs"], imported["projects"]) == (20, 40, {"mojo1": 20})
    assert imported["refused"] == [{"line": 22, "reason": "the row has 2 columns, the header 5"}]
    listed = json.loads(proofsheet(place, "sets", "list", "--json").stdout)
    assert (listed["decided"], listed["remaining"], listed["sets"]) == (20, 0, [])

    sharp, soft = place / "pictures/mojo1/03_0.jpg", place / "pictures/mojo1/03_2.jpg"
    before = json.loads(proofsheet(place, "rank", soft, sharp, "--json").stdout)
    assert (before["model"], before["winner"], before["confidence"]) == ("baseline:sharpest", str(sharp), None)

    trained = json.loads(proofsheet(place, "train", "ranker", "--json").stdout)
    assert set(trained) >= {"model", "promoted", "sets", "held_out", "baselines", "references", "seconds"}
    assert trained["held_out"]["pair_accuracy"] == 1.0
    held_out = {"brier", "pair_accuracy_ci", "permuted_pair_accuracy", "self_consistency", "coverage_at_95"}
    assert set(trained["held_out"]) >= held_out
    assert trained["held_out"]["self_consistency"] is None, "nobody was asked twice"
    assert {"name", "pair_accuracy", "chosen"} == set(trained["candidates"][0])
    assert trained["promoted"] is False, "the sharpest is always right here, and nothing can be better"
    assert "the sharpest 100.0%" in trained["why_not"][-1]
    assert set(trained) >= {"ablation", "candidates"} and trained["candidates"][0]["name"] == "linear"
    listed = json.loads(proofsheet(place, "models", "list", "--json").stdout)["models"]
    assert [(one["model"], one["in_use"]) for one in listed] == [("ranker_v1", False)]
    used = json.loads(proofsheet(place, "models", "use", "ranker", 1, "--json").stdout)
    assert used["in_use"]["version"] == 1
    ranked = json.loads(proofsheet(place, "rank", soft, sharp, "--json").stdout)
    assert (ranked["model"], ranked["winner"]) == ("ranker_v1", str(sharp))
    assert ranked["confidence"] is not None and "sharper" in ranked["because"]
    alone = json.loads(proofsheet(place, "rank", sharp, "--json").stdout)
    assert (alone["model"], alone["winner"], alone["confidence"]) == ("ranker_v1", str(sharp), None), (
        "sure over nothing"
    )
    back = json.loads(proofsheet(place, "models", "rollback", "--json").stdout)
    assert (back["was"]["version"], back["in_use"]) == (1, None)
    assert "is promoted" in proofsheet(place, "models", "rollback", code=2).stderr
    replayed = json.loads(proofsheet(place, "train", "replay", "--json").stdout)
    assert set(replayed["needed"]) == {"information", "date", "random"}
    people = proofsheet(place, "train", "ranker")
    assert "baseline: largest file" in people.stdout and "Kept, not promoted:" in people.stdout
    assert "held-out pairs" in people.stderr

    lines = tmp_path / "sets.jsonl"
    listed = [[str(soft), str(sharp)], None, "nonsense", ["nowhere.jpg", str(soft)], ["nowhere.jpg"]]
    listed += [["~nobody-here/a.jpg"], [str(sharp)]]
    lines.write_text("\n".join(json.dumps(one) if isinstance(one, list) else one or "" for one in listed))
    ranked = json.loads(proofsheet(place, "rank", "--sets", lines, "--json", code=3).stdout)
    assert [one["winner"] for one in ranked["sets"]] == [str(sharp), str(soft), str(sharp)]
    assert [one["line"] for one in ranked["sets"]] == [1, 4, 7]
    assert [one["line"] for one in ranked["refused"]] == [3, 5, 6]
    assert ranked["refused"][0]["reason"] == "the line is not valid JSON"
    assert "nothing to rank" in ranked["refused"][1]["reason"]
    assert ranked["sets"][1]["refused"][0]["path"].endswith("nowhere.jpg")

    planned = proofsheet(place, "export", "selections", tmp_path / "out.csv")
    assert "proofsheet changes apply" in planned.stdout and not (tmp_path / "out.csv").exists()
    done = json.loads(proofsheet(place, "export", "winners", tmp_path / "w.txt", "--yes", "--json").stdout)
    assert done["state"] == "applied" and len((tmp_path / "w.txt").read_text().splitlines()) == 20


def test_misuse_is_explained(place: Path) -> None:
    assert "name images, or a file with --sets" in proofsheet(place, "rank", code=2).stderr
    assert "cannot be read" in proofsheet(place, "import", "selections", "none.csv", code=2).stderr
    assert "there is no file or folder none.jpg" in proofsheet(place, "rank", "none.jpg", code=2).stderr
    assert "no project 'nobody'" in proofsheet(place, "train", "ranker", "--project", "nobody", code=1).stderr


def test_paths_that_the_system_cannot_look_up_are_explained(place: Path) -> None:
    too_long = "x" * 300 + ".jpg"
    for command in ("rank", "scan", "embed"):
        assert "File name too long" in proofsheet(place, command, too_long, code=2).stderr
    assert "no such home folder" in proofsheet(place, "rank", "~nobody-here/a.jpg", code=2).stderr


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read from its beginning")
def test_a_file_that_the_system_will_not_read_is_refused_with_its_reason(place: Path) -> None:
    told = proofsheet(place, "rank", "/proc/self/mem", code=1).stderr
    assert "nothing to rank: /proc/self/mem the system cannot read this" in told
