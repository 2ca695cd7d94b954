"""Real photographs of some forty cameras: every one is taken in as it is, and the one that is cut off is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from engine.workspace import Workspace
from tests.engine.library.pictures import snapshot
from tests.engine.library.shelf import Shelf, shelf_in

# What exiftool says of some of them: name -> (width, height as displayed, orientation, taken_at, source).
KNOWN = {
    "IMG_5195.HEIC": (2566, 3313, 1, "2021-04-11T15:47:53.054000-05:00", "exif:original"),
    "iphone_13_pro_max.HEIC": (3024, 4032, 6, "2022-02-16T12:55:41.762000+01:00", "exif:original"),
    "HMD_Nokia_8.3_5G.heif": (3456, 4608, 1, "2022-02-03T14:44:09.000000Z", "exif:gps"),
    "HMD_Nokia_8.3_5G.jpg": (4608, 1976, 1, "2022-08-14T14:12:31.000000+03:00", "exif:original"),
    "canon_hdr_NO.jpg": (1536, 2048, 6, "2015-02-09T22:47:44.000000", "exif:original"),
    "iphone_hdr_YES.jpg": (3264, 2448, 1, "2015-04-10T20:12:23.550000", "exif:original"),
    "32-lens_data.jpeg": (200, 133, 1, "2012-07-14T16:30:12.680000", "exif:original"),
    "kodak-dc210.jpg": (640, 480, 1, "2000-10-26T16:46:51.000000", "exif:original"),
    "DSCN0010.jpg": (640, 480, 1, "2008-10-22T16:28:39.000000", "exif:original"),
    "DudleyLeavittUtah.tiff": (196, 257, 1, "2009-09-26T01:11:52.000000", "exif:modified"),
    "Crémieux11.tiff": (199, 47, 1, "2012-01-09T22:52:11.000000", "exif:modified"),
}


@pytest_asyncio.fixture
async def scanned(workspace: Workspace, photos: Path) -> AsyncIterator[Shelf]:
    async with shelf_in(workspace) as shelf:
        yield shelf


async def test_every_photograph_is_handled(scanned: Shelf, photos: Path) -> None:
    before = await asyncio.to_thread(snapshot, photos)
    result = await scanned.scan(photos)
    files = [path for path in photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".tiff", ".heic", ".heif")]
    assert result["added"] + len(result["refused"]) == len(files)
    # The pictures of jpg/invalid are whole: what is odd in them is their metadata. Only one file here is cut off.
    assert {Path(one["path"]).name: one["reason"] for one in result["refused"]} == {
        "corrupted.jpg": "the JPEG ends before its picture does: about 1% is missing"
    }
    for image in (await scanned.images()).values():
        assert image.project == image.path.relative_to(photos).parts[0]
        picture = await asyncio.to_thread(scanned.library.thumbnail, image.path, (64, 64))
        assert max(picture.size) == 64 or picture.size == (image.width, image.height)
        assert abs(picture.width / picture.height - image.width / image.height) < 0.25 * image.width / image.height
    for name, expected in KNOWN.items():
        by_name = [image for image in (await scanned.images()).values() if image.name == name]
        assert [
            (image.width, image.height, image.orientation, image.taken_at, image.taken_at_source) for image in by_name
        ] == [expected], name
    for number in range(1, 9):
        turned = (await scanned.images())[f"landscape_{number}.jpg"]
        assert (turned.width, turned.height, turned.orientation) == (600, 450, number)
    again = await scanned.scan(photos)
    assert (again["unchanged"], again["refused"]) == (result["added"], result["refused"])
    assert await asyncio.to_thread(snapshot, photos) == before


async def test_the_eight_orientations_show_the_same_picture(scanned: Shelf, photos: Path) -> None:
    import numpy as np

    for shape in ("landscape", "portrait"):
        paths = [photos / "jpg" / "orientation" / f"{shape}_{number}.jpg" for number in range(1, 9)]
        first, *others = [np.asarray(scanned.library.thumbnail(path, (32, 32)), float) for path in paths]
        for other in others:
            assert np.corrcoef(first.ravel(), other.ravel())[0, 1] > 0.9
