"""Three small scripts with a fault each, and the errors they really raise, for the demo's repair room.

Relies on nothing but the clock. The scripts are run once, so that their tracebacks are real; the nights on which
they are said to have failed are simulated, and every run is called `simulated-...`. Writes only below the folders that
it is given.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from engine.clock import iso

FOLDER = "scripts"
LOG = "simulated_errors.jsonl"
NIGHTS = {"captions": (1, 2, 4, 5, 7, 8, 9, 12, 13, 16, 18, 20), "stars": (1, 3, 6, 9, 13, 17), "labels": (2, 5, 11)}
"""How many days ago each script failed: a fault that grows, one that fades, a rare one."""

_FILES = {
    "captions.py": '''"""Simulated: the captions that lie beside the pictures."""

from pathlib import Path


def first_line(path):
    """The first line of a caption."""
    with open(path) as handle:
        return handle.readline().strip()


if __name__ == "__main__":
    for caption in sorted(Path(__file__).parent.glob("captions/*.txt")):
        print(caption.name, first_line(caption))
''',
    "stars.py": '''"""Simulated: what people thought of each album."""

import json
from pathlib import Path


def mean_stars(ratings):
    """The mean of some ratings."""
    return sum(ratings) / len(ratings)


if __name__ == "__main__":
    albums = json.loads(Path(__file__).with_name("albums.json").read_text(encoding="utf-8"))
    for name, ratings in albums.items():
        print(name, mean_stars(ratings))
''',
    "labels.py": '''"""Simulated: the labels of each picture."""

import json
from pathlib import Path


def labels_of(path):
    """The labels of a picture, by its sidecar."""
    record = json.loads(Path(path).read_text(encoding="utf-8"))
    return ", ".join(label.lower() for label in record["labels"])


if __name__ == "__main__":
    for sidecar in sorted(Path(__file__).parent.glob("sidecars/*.json")):
        print(sidecar.name, labels_of(sidecar))
''',
    "test_scripts.py": '''"""Simulated: what the scripts must do, today and once they are mended."""

import tempfile
import unittest
from pathlib import Path

import captions
import labels
import stars

HERE = Path(__file__).parent


class Captions(unittest.TestCase):
    def test_a_plain_caption(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("Harbour at dawn\\n")
            file.flush()
            self.assertEqual(captions.first_line(file.name), "Harbour at dawn")

    def test_a_caption_with_accents(self):
        self.assertIn("quai", captions.first_line(HERE / "captions" / "quay.txt"))


class Stars(unittest.TestCase):
    def test_a_mean(self):
        self.assertEqual(stars.mean_stars([4, 5]), 4.5)

    def test_an_album_that_nobody_rated(self):
        stars.mean_stars([])


class Labels(unittest.TestCase):
    def test_labels(self):
        self.assertEqual(labels.labels_of(HERE / "sidecars" / "1.json"), "harbour, dawn")

    def test_a_picture_without_labels(self):
        labels.labels_of(HERE / "sidecars" / "2.json")
''',
    "captions/harbour.txt": "Harbour at dawn\n",
    "captions/quay.txt": "Déjà vu sur le quai\n",
    "albums.json": '{"Harbour": [4, 5, 5], "Night": []}\n',
    "sidecars/1.json": '{"labels": ["Harbour", "Dawn"]}\n',
    "sidecars/2.json": '{"title": "Not labelled yet"}\n',
}
_C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def write_scripts(folder: Path) -> None:
    """The scripts, what they read, and their tests, into an empty folder."""
    for name, text in _FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def write_errors(folder: Path, log: Path, now: datetime) -> int:
    """Run the scripts, and write their errors as JSON lines, one a simulated night; returns how many."""
    tracebacks = {name: _failure(folder / f"{name}.py") for name in NIGHTS}
    nights = sorted(((days, name) for name, every in NIGHTS.items() for days in every), reverse=True)
    lines = [_line(name, tracebacks[name], days, now) for days, name in nights]
    log.write_text("".join(lines), encoding="utf-8")
    return len(lines)


def _failure(script: Path) -> str:
    """The traceback with which a script ends under the C locale."""
    environment: Mapping[str, str] = {**os.environ, **_C_LOCALE}
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, cwd=script.parent, env=environment, timeout=60
    )
    return done.stderr.decode("ascii", "backslashreplace")


def _line(name: str, traceback: str, days: int, now: datetime) -> str:
    record = {
        "timestamp": iso(now - timedelta(days=days)),
        "run": f"simulated-night-{days:02d}",
        "level": "error",
        "logger": f"simulated.{name}",
        "exc_info": traceback,
    }
    return json.dumps(record) + "\n"
