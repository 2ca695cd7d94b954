"""The demo's pictures: scenes drawn or cut from scikit-learn's two photographs, varied, and written as JPEG with EXIF.

Relies on the plan, the scenes and the variations. Writes only into the folder that it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from engine.demo import scenes_night, scenes_outdoor, scenes_studio
from engine.demo.recipe import PlannedSet, Recipe
from engine.demo.variations import vary
from engine.errors import ProofsheetError

Scene = Callable[[np.random.Generator, int, int], Image.Image]
QUALITY = 90


def write_set(folder: Path, recipe: Recipe, planned: PlannedSet) -> list[Path]:
    """Draw one set into `folder/<project>/`; returns the files in order."""
    scene = SCENES[planned.scene](np.random.default_rng(planned.seed), recipe.width, recipe.height)
    written = []
    for index, frame in enumerate(planned.frames):
        picture = vary(scene, frame.variation, np.random.default_rng((*planned.seed, index)))
        file = folder / planned.project / frame.name
        picture.save(file, "JPEG", quality=QUALITY, exif=_exif(frame.taken_at, planned))
        written.append(file)
    return written


def write_bad_files(folder: Path, sound: Path) -> list[Path]:
    """Files that must be refused: one cut short, one empty, one that is no picture; made from a `sound` JPEG."""
    harbour, studio, night = (folder / name for name in ("harbour", "studio", "night"))
    cut, empty, text = harbour / "IMG_0399.jpg", studio / "IMG_0549.jpg", night / "contact_sheet.jpg"
    data = sound.read_bytes()
    cut.write_bytes(data[: len(data) * 2 // 5])
    empty.write_bytes(b"")
    text.write_text("Frames 12 to 20 are the good ones.\n", encoding="utf-8")
    return [cut, empty, text]


def _exif(taken_at: datetime, planned: PlannedSet) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0131] = "Proofsheet demo"
    exif[0x010E] = f"simulated: {planned.scene.replace('_', ' ')}"
    if planned.style == "burst":
        details = exif.get_ifd(0x8769)
        details[0x9003] = f"{taken_at:%Y:%m:%d %H:%M:%S}"
        details[0x9291] = f"{taken_at.microsecond // 1000:03d}"
    return exif


@cache
def _photograph(name: str) -> Image.Image:
    """One of the two photographs that come with scikit-learn, found without importing it."""
    package = find_spec("sklearn")
    for folder in (package.submodule_search_locations or []) if package else []:
        file = Path(folder) / "datasets" / "images" / name
        if file.is_file():
            with Image.open(file) as picture:
                return picture.convert("RGB")
    raise ProofsheetError(f"scikit-learn's {name} is missing", remedy="Install scikit-learn anew, with its data files.")


def _cut_from(name: str) -> Scene:
    def scene(rng: np.random.Generator, width: int, height: int) -> Image.Image:
        whole = _photograph(name)
        wide = whole.width * rng.uniform(0.62, 1.0)
        tall = min(wide * height / width, float(whole.height))
        left = rng.uniform(0, whole.width - wide)
        top = rng.uniform(0, whole.height - tall)
        cut = whole.resize((width, height), Image.Resampling.LANCZOS, box=(left, top, left + wide, top + tall))
        return cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else cut

    return scene


SCENES: dict[str, Scene] = {
    "sea": scenes_outdoor.sea,
    "quay": scenes_outdoor.quay,
    "lighthouse": scenes_outdoor.lighthouse,
    "misty_hills": scenes_outdoor.misty_hills,
    "dunes": scenes_outdoor.dunes,
    "china": _cut_from("china.jpg"),
    "still_life": scenes_studio.still_life,
    "sitter": scenes_studio.sitter,
    "blossom": scenes_studio.blossom,
    "cut_paper": scenes_studio.cut_paper,
    "flower": _cut_from("flower.jpg"),
    "skyline": scenes_night.skyline,
    "northern_lights": scenes_night.northern_lights,
    "lanterns": scenes_night.lanterns,
    "moonlit_forest": scenes_night.moonlit_forest,
}
"""Every scene that a recipe may name."""
