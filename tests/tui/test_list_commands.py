"""`list`, `inventory`, `projects` and `sidecars` as scripts meet them: one document on stdout, and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.engine.library.pictures import encoded, put, snapshot
from tests.tui.test_library_commands import run


class Desk:
    """A workspace and a folder of pictures, and the commands upon them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pictures = folder / "pictures"

    def run(self, *words: object) -> Result:
        return run(self.folder / "w", *words)

    def told(self, *words: object) -> Any:
        done = self.run(*words, "--json")
        assert done.exit_code in (0, 3), done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    made = Desk(tmp_path_factory.mktemp("desk"))
    put(made.pictures / "trip" / "sunset.jpg", seed=1)
    put(made.pictures / "trip" / "b.png", encoded("png", 2))
    put(made.pictures / "mojo" / "c.webp", encoded("webp", 3))
    put(made.pictures / "mojo" / "broken.jpg", b"\xff\xd8\xff nothing")
    put(made.pictures / "mojo.project.json", json.dumps({"projectId": "mojo", "counts": {"images": 9}}).encode())
    assert made.run("scan", made.pictures).exit_code == 3
    return made


def test_inventory_tells_everything_in_one_document_and_keeps_its_earlier_keys(desk: Desk) -> None:
    told = desk.told("inventory")
    assert list(told)[:6] == ["images", "bytes", "formats", "resolutions", "projects", "refused"]
    assert (told["images"], told["studied"]) == (3, 3), "what lacked facts was studied first"
    assert set(told["distributions"]) == {
        "format",
        "quality",
        "lighting",
        "source",
        "resolution",
        "project",
        "date",
        "camera",
    }
    assert sum(told["refused_by_code"].values()) == len(told["refused"]) == 1
    jpeg = told["distributions"]["format"]["classes"][0]
    assert (jpeg["class"], jpeg["images"], jpeg["recommended"]) == ("jpeg", 1, 0.7)
    assert {"axis", "class", "label", "add"} == set(told["gaps"][0])
    assert [one["project"] for one in told["progress"]] == ["mojo", "trip"]
    shown = desk.run("inventory").stdout
    for word in ("Format, as recommended", "want 70%", "Gaps:", "low light", "Diversity", "Refused"):
        assert word in shown


def test_inventory_is_written_to_a_new_file_and_never_over_one(desk: Desk) -> None:
    file = desk.folder / "inventory.json"
    assert desk.run("inventory", "-o", file).exit_code == 0
    assert json.loads(file.read_text())["images"] == 3
    before = file.read_bytes()
    done = desk.run("inventory", "-o", file)
    assert (done.exit_code, file.read_bytes()) == (2, before)


def test_inventory_of_a_source_scans_it_and_counts_only_it(desk: Desk) -> None:
    assert desk.told("inventory", "--source", desk.pictures / "trip")["images"] == 2
    assert desk.told("inventory", "--filter", "format:webp")["formats"] == {"webp": 1}
    assert desk.run("inventory", "--source", desk.folder / "nowhere").exit_code == 2


def test_an_edited_recommendation_counts_and_a_broken_one_is_named(desk: Desk) -> None:
    own = desk.folder / "w" / "recommended_distribution.json"
    own.write_text('{"format": {"png": 100}}')
    told = desk.told("inventory")
    assert told["recommended"] == str(own)
    assert told["distributions"]["format"]["surplus"] == 2
    own.write_text('{"format": {"png": 90}}')
    done = desk.run("inventory", "--json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"{own}: the shares of 'format' add up to 90 %" in done.stderr
    own.unlink()


def test_list_prints_paths_or_one_document_with_all_that_is_known(desk: Desk) -> None:
    assert desk.run("list", "sunset").stdout.splitlines() == [str(desk.pictures / "trip" / "sunset.jpg")]
    told = desk.told("list", "project:trip", "--sort", "-name", "--limit", "1", "--study")
    assert (told["query"], told["sort"], told["total"]) == ("project:trip", "-name", 2)
    (image,) = told["images"]
    assert (image["name"], image["project"], image["format"]) == ("sunset.jpg", "trip", "jpeg")
    assert len(image["facts"]["phash"]) == 16
    assert image["facts"]["blur"] == pytest.approx(1 - image["facts"]["sharpness"], abs=1e-3)
    assert image["metadata"]["camera_make"] is None
    assert desk.told("list", "nothing-like-it")["images"] == []
    assert len(desk.told("list", "--project", "mojo")["images"]) == 1


def test_a_query_that_cannot_be_read_ends_with_2_and_says_where(desk: Desk) -> None:
    done = desk.run("list", "sunset qualitty:poor", "--json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "column 8: there is no field 'qualitty'" in done.stderr
    assert "Did you mean quality?" in done.stderr
    assert desk.run("list", "--sort", "colour").exit_code == 2


def test_the_shell_completes_queries_with_the_librarys_own_words(desk: Desk) -> None:
    asked = {
        "PROOFSHEET_WORKSPACE": str(desk.folder / "w"),
        "_PROOFSHEET_COMPLETE": "bash_complete",
        "COMP_WORDS": "proofsheet list project:tr",
        "COMP_CWORD": "2",
    }
    program = "from tui.cli import main; main(prog_name='proofsheet')"
    done = subprocess.run([sys.executable, "-c", program], env={**os.environ, **asked}, capture_output=True, text=True)
    assert "project:trip" in done.stdout


def test_projects_tell_what_the_manifest_says_otherwise(desk: Desk) -> None:
    (mojo, _) = desk.told("projects")["projects"]
    assert mojo["stages"] == {"initial": 1, "reviewed": 0, "selected": 0, "cropped": 0, "final": 0}
    assert mojo["mismatches"] == [{"about": "counts.images", "manifest": "9", "library": "1"}]
    assert "counts.images: the manifest says 9, the library has 1" in desk.run("projects").stdout


def test_sidecars_are_planned_then_written_then_taken_away(desk: Desk) -> None:
    before = snapshot(desk.pictures)
    planned = desk.told("sidecars", "write", "--kind", "phash")
    assert (planned["state"], len(planned["files"])) == ("planned", 3)
    assert snapshot(desk.pictures) == before
    assert desk.told("sidecars", "write", "--kind", "phash", "--yes", desk.pictures / "trip")["state"] == "applied"
    listed = desk.told("sidecars", "list")["sidecars"]
    assert [(Path(one["path"]).name, one["state"]) for one in listed] == [
        ("b.phash", "written"),
        ("sunset.phash", "written"),
    ]
    assert desk.told("sidecars", "clean", "--yes", "project:trip")["state"] == "applied"
    assert snapshot(desk.pictures) == before
    assert desk.told("sidecars", "list") == {"sidecars": []}
    assert desk.told("sidecars", "clean")["change_set"] is None


def test_sidecars_refuse_what_they_cannot_do(desk: Desk) -> None:
    done = desk.run("sidecars", "write", "--kind", "hands")
    assert done.exit_code == 2
    assert "hands: not available yet" in done.stderr
    assert desk.run("sidecars", "write", "/nowhere/at/all.jpg").exit_code == 2
    assert desk.told("sidecars", "read", desk.pictures) == {"folder": str(desk.pictures), "files": []}
