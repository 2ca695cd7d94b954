"""Every photograph, field by field, as exiftool reads it: EXIF, XMP, IPTC and what cameras wrote before them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.library.describe import describe
from engine.library.metadata import FileMetadata, read_metadata

# Field -> exiftool's names for it, the first that is there counting; and ours.
_NAMES: Mapping[str, Sequence[str]] = {
    "make": ("Make",), "model": ("Model", "CameraType"), "lens": ("LensModel", "Lens"),
    "time": ("ExposureTime", "ShutterSpeedValue"), "f": ("FNumber", "ApertureValue"), "iso": ("ISO", "BaseISO"),
    "mm": ("FocalLength",), "flash": ("Flash", "FlashFired"), "orientation": ("Orientation",),
    "lat": ("GPSLatitude",), "lon": ("GPSLongitude",), "alt": ("GPSAltitude",), "rating": ("Rating",),
    "offset": ("OffsetTimeOriginal",), "title": ("Title", "ObjectName", "XPTitle"),
    "description": ("Description", "Caption-Abstract", "ImageDescription"), "keywords": ("Subject", "Keywords"),
    "taken": ("DateTimeOriginal",), "width": ("ImageWidth",), "height": ("ImageHeight",),
}  # fmt: skip
# Where the file says it. Maker notes are not among them: those are read by exiftool itself (`--maker-notes`).
_PLACES = ("File", "IFD0", "ExifIFD", "GPS", "XMP", "IPTC", "CIFF", "PictureInfo", "PNG")
# What exiftool computes rather than reads; it gives signs to latitude, longitude and altitude.
_COMPOSITE = ("GPSLatitude", "GPSLongitude", "GPSAltitude")

# (file, field) -> what exiftool says, what we say, and why.
_OTHERWISE = {
    # exiftool gives the picture as stored, 4608 x 3456, beside a rotation of 270 degrees (HEIF's irot). We give it as
    # every decoder answers, turned: 3456 x 4608, orientation 1.
    ("HMD_Nokia_8.3_5G.heif", "width"): (4608, 3456),
    ("HMD_Nokia_8.3_5G.heif", "height"): (3456, 4608),
    # 0x26f1, which exiftool prints as 'Unknown': the field has seven bits.
    ("long_description.jpg", "flash"): (True, None),
}


def _asked(photos: Path) -> list[dict[str, Any]]:
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed (Debian: libimage-exiftool-perl)")
    tags = sorted({f"-{name}" for names in _NAMES.values() for name in names})
    done = subprocess.run(["exiftool", "-j", "-n", "-r", "-a", "-G1", *tags, str(photos)], capture_output=True)
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def _theirs(said: dict[str, Any]) -> dict[str, Any]:
    """One value a field: the first name that a place gives; for EXIF's own fields EXIF before XMP."""
    by_name: dict[str, dict[str, Any]] = defaultdict(dict)
    for key, value in said.items():
        place, _, name = key.rpartition(":")
        if value not in ("", None) and (place == "Composite" if name in _COMPOSITE else place.startswith(_PLACES)):
            by_name[name][place] = value
    found = {}
    for field, names in _NAMES.items():
        for name in names:
            if name in by_name:
                places = by_name[name]
                best = min(places, key=lambda place: next(at for at, each in enumerate((*_PLACES, "Composite"))
                                                          if place.startswith(each)))  # fmt: skip
                found[field] = places[best]
                break
    return found


def _ours(found: FileMetadata) -> dict[str, Any]:
    said = found.stored
    width, height = found.size or (None, None)
    return {
        "make": said.camera_make, "model": said.camera_model, "lens": said.lens, "time": said.exposure_time,
        "f": said.f_number, "iso": said.iso, "mm": said.focal_length, "flash": said.flash,
        "orientation": found.orientation, "lat": said.latitude, "lon": said.longitude, "alt": said.altitude,
        "rating": said.rating, "offset": said.taken_offset, "title": said.title, "description": said.description,
        "keywords": said.keywords or None, "width": width, "height": height,
        "taken": found.taken_at[:19].replace("-", ":").replace("T", " ") if "original" in found.taken_at_source
        else None,
    }  # fmt: skip


def _as_ours(field: str, value: Any) -> Any:
    """exiftool's value in our terms: nothing for zeroes and blanks, fired or not, a list of words."""
    if field == "flash":
        return value.lower() == "true" if isinstance(value, str) else bool(int(value) & 1)
    if field == "keywords":
        return [str(each) for each in value] if isinstance(value, list) else [str(value)]
    if field == "taken":
        return None if str(value).startswith("0000") else str(value)[:19]
    if field in ("time", "f", "iso", "mm"):
        return float(value) or None  # figures beyond 15 digits come as text
    if field in ("make", "model", "lens", "title", "description"):
        return str(value).strip() or None
    return value


def test_every_photograph_reads_as_exiftool_reads_it(photos: Path) -> None:
    answers = _asked(photos)
    assert len(answers) == sum(1 for path in photos.rglob("*") if path.is_file())
    compared = 0
    differing = {}
    for said in answers:
        path = Path(said["SourceFile"])
        mine = _ours(read_metadata(path)[1])
        for field, value in _theirs(said).items():
            theirs = _as_ours(field, value)
            expected = pytest.approx(theirs, rel=1e-4) if isinstance(theirs, float) else theirs
            compared += 1
            if mine[field] != expected:
                differing[path.name, field] = (theirs, mine[field])
    assert differing == _OTHERWISE
    assert compared > 8 * len(answers)  # so that an empty answer is no agreement


def test_people_that_exiftool_writes_are_read(photos: Path, tmp_path: Path) -> None:
    """None of the photographs names anybody, so exiftool marks a copy: a face, a region that is none, and a list."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed (Debian: libimage-exiftool-perl)")
    copy = tmp_path / "people.jpg"
    shutil.copyfile(photos / "jpg" / "Canon_PowerShot_S40.jpg", copy)
    assert read_metadata(copy)[1].stored.people == []
    area = "Area={X=0.5,Y=0.5,W=0.1,H=0.1,Unit=normalized}"
    faces = f"{{{area},Name=Ada Lovelace,Type=Face}},{{{area},Name=Rex,Type=Pet}}"
    regions = f"-RegionInfo={{AppliedToDimensions={{W=100,H=100,Unit=pixel}},RegionList=[{faces}]}}"
    listed = ["-XMP-iptcExt:PersonInImage=Grace Hopper", "-XMP-iptcExt:PersonInImage=Ada Lovelace"]
    subprocess.run(["exiftool", "-q", "-overwrite_original", regions, *listed, str(copy)], check=True)
    assert read_metadata(copy)[1].stored.people == ["Ada Lovelace", "Grace Hopper"]


def test_what_only_maker_notes_say_comes_from_exiftool(photos: Path) -> None:
    pytest.importorskip("exiftool", reason="PyExifTool is an extra (proofsheet[exiftool])")
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed (Debian: libimage-exiftool-perl)")
    jpg = photos / "jpg"
    lens, speed, trap, unset = (
        jpg / "tests" / "42_IndexError.jpg", jpg / "Canon_PowerShot_S40.jpg", jpg / "Reconyx_HC500_Hyperfire.jpg",
        jpg / "exif-org" / "kodak-dc240.jpg",
    )  # fmt: skip
    found, refused = describe([lens, speed, trap, unset], maker_notes=True)
    assert refused == []
    by_name = {Path(one["path"]).name: one for one in found}
    assert by_name[lens.name]["camera"]["lens"] == "Olympus M.Zuiko Digital 14-42mm F3.5-5.6 II R"
    assert (by_name[speed.name]["exposure"]["iso"], by_name[speed.name]["camera"]["lens"]) == (100, None)
    assert by_name[trap.name]["taken_at"] == "2020-03-16T10:00:00.000000"
    assert by_name[trap.name]["taken_at_source"] == "camera:original"
    assert by_name[unset.name]["exposure"]["iso"] is None  # its notes say 65535: none was set
    plain, _ = describe([trap])
    assert plain[0]["taken_at_source"] == "mtime"
