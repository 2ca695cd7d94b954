"""HEIC by its embedded thumbnail, where that is enough and shows the same picture; else by the picture itself."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from engine.library import decode as decoding
from engine.library import heif_thumbnail
from engine.library.decode import decode
from engine.library.heif_thumbnail import Thumbnail, _fitting, _Item, _Odd, _reference, thumbnail
from engine.library.onepass import perceptual_hashes
from engine.library.reading import read_image
from engine.library.source import UnreadableImage
from tests.engine.library.pictures import flipped, put, scene

MAX = 400_000_000
PHOTOS = Path(os.environ.get("PROOFSHEET_TEST_PHOTOS", Path(__file__).resolve().parents[4] / "shared/data/photos"))


def heic(orientation: int = 1, size: tuple[int, int] = (800, 600), side: int | None = 256) -> bytes:
    """A HEIC file of a scene, with a thumbnail of that longer side."""
    made = pillow_heif.from_pillow(scene(3, size))
    exif = Image.Exif()
    exif[0x0112] = orientation
    made.info["exif"] = exif.tobytes()
    made.info["thumbnails"] = [side] if side else []
    buffer = io.BytesIO()
    made.save(buffer, quality=90)
    return buffer.getvalue()


def without_thumbnail(monkeypatch: pytest.MonkeyPatch, path: Path, box: tuple[int, int]) -> Image.Image:
    with monkeypatch.context() as patch:
        patch.setattr(heif_thumbnail, "thumbnail", lambda _data: None)
        return decode(path, box)


def loads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes of the pictures that are decoded from now on."""
    seen: list[tuple[int, int]] = []
    honest = decoding._load

    def spy(image: Image.Image) -> None:
        seen.append(image.size)
        honest(image)

    monkeypatch.setattr(decoding, "_load", spy)
    return seen


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_small_preview_is_the_thumbnails_and_the_same_picture_in_the_same_position(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orientation: int
) -> None:
    path = put(tmp_path / "a.heic", heic(orientation))
    whole = without_thumbnail(monkeypatch, path, (120, 120))
    seen = loads(monkeypatch)
    small = decode(path, (120, 120))
    assert max(seen[-1]) == 256
    assert small.size == whole.size
    difference = np.abs(np.asarray(small, dtype=int) - np.asarray(whole, dtype=int))
    assert difference.mean() < 4


def test_what_is_larger_than_the_thumbnail_is_decoded_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "a.heic", heic())
    seen = loads(monkeypatch)
    for box, decoded in (((256, 192), (256, 192)), ((257, 300), (800, 600)), (None, (800, 600))):
        picture = decode(path, box)
        assert seen[-1] == decoded
        assert picture.size == ((256, 192) if box == (256, 192) else (257, 193) if box else (800, 600))


def test_a_scan_reads_it_without_decoding_the_picture_and_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path / "a.heic", heic(6))
    seen = loads(monkeypatch)
    found = read_image(str(path), MAX)
    assert (found.width, found.height, found.orientation, seen) == (600, 800, 6, [])
    monkeypatch.setattr(heif_thumbnail, "thumbnail", lambda _data: None)
    assert read_image(str(path), MAX) == found
    assert seen == [(600, 800)]


def test_hashes_are_within_a_few_bits_of_the_whole_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "a.heic", heic())
    small = perceptual_hashes(str(path))
    monkeypatch.setattr(heif_thumbnail, "thumbnail", lambda _data: None)
    whole = perceptual_hashes(str(path))
    assert all((one ^ other).bit_count() <= 4 for one, other in zip(small, whole, strict=True))


def test_nothing_odd_is_taken_for_a_thumbnail() -> None:
    sound = heic(6)
    assert thumbnail(sound) is not None
    assert thumbnail(heic(side=None)) is None
    at = sound.index(b"thmb")
    assert thumbnail(sound[:at] + b"skip" + sound[at + 4 :]) is None
    size = sound.rindex(b"ispe") + 8
    assert thumbnail(sound[:size] + (192).to_bytes(4, "big") + sound[size + 4 :]) is None  # of other proportions
    assert thumbnail(b"") is None


def test_a_reference_with_a_long_header_is_odd_and_the_file_is_left_as_it_is() -> None:
    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(content), kind) + content

    item = struct.pack(">3H", 2, 1, 1)
    short = b"\0\0\0\0" + box(b"thmb", item)
    at = short.index(b"thmb")
    assert _reference(short, (0, len(short)), 1) == (2, at)
    long = b"\0\0\0\0" + struct.pack(">I4sQ", 1, b"thmb", 16 + len(item)) + item
    with pytest.raises(_Odd):
        _reference(long, (0, len(long)), 1)


def test_a_thumbnail_of_another_size_than_promised_is_not_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path / "a.heic", heic())
    made = pillow_heif.from_pillow(scene(8, (256, 192)))
    buffer = io.BytesIO()
    made.save(buffer)
    with monkeypatch.context() as patch:
        patch.setattr(heif_thumbnail, "thumbnail", lambda _data: None)
        whole = perceptual_hashes(str(path))
    monkeypatch.setattr(heif_thumbnail, "thumbnail", lambda _data: Thumbnail(buffer.getvalue(), (320, 240)))
    assert perceptual_hashes(str(path)) == whole


def test_a_thumbnail_that_is_turned_cut_or_coloured_otherwise_does_not_stand_for_the_picture() -> None:
    def item(width: int, height: int, *more: tuple[bytes, bytes]) -> _Item:
        return _Item([(b"ispe", struct.pack(">4x2I", width, height)), *more])

    turned, profile = (b"irot", b"\3"), (b"colr", b"prof" + b"a profile")
    named = (b"colr", b"nclx" + bytes(7))
    assert _fitting(item(800, 600, turned, profile), item(320, 240, turned, profile)) == (320, 240)
    assert _fitting(item(800, 600, named), item(320, 240)) == (320, 240)
    for large, small in (
        (item(800, 600, turned), item(320, 240)),
        (item(800, 600, turned), item(320, 240, (b"irot", b"\1"))),
        (item(800, 600), item(320, 240, (b"imir", b"\0"))),
        (item(800, 600, (b"clap", bytes(32))), item(320, 240, (b"clap", bytes(32)))),
        (item(800, 600, profile), item(320, 240)),
        (item(800, 600, profile), item(320, 240, (b"colr", b"prof" + b"another"))),
        (item(800, 600, (b"pixi", b"\3\10\10\10")), item(320, 240, (b"pixi", b"\3\12\12\12"))),
        (item(800, 600), item(320, 180)),
        (item(320, 240), item(800, 600)),
        (item(800, 0), item(320, 0)),
    ):
        assert _fitting(large, small) is None


def test_a_file_that_is_cut_off_is_refused_although_its_thumbnail_is_there(tmp_path: Path) -> None:
    whole = heic()
    picture = decode(put(tmp_path / "whole.heic", whole)).tobytes()
    for part in range(1, 20):
        data = whole[: len(whole) * part // 20]
        path = put(tmp_path / f"{part}.heic", data)
        assert thumbnail(data) is None
        try:
            read_image(str(path), MAX)
        except UnreadableImage as error:
            assert error.code == "truncated"
        else:  # what is missing is the thumbnail, which this writer puts last
            assert part == 19
            assert decode(path).tobytes() == picture


def test_damage_is_met_with_a_refusal_or_a_picture_and_nothing_else(tmp_path: Path) -> None:
    for data in flipped(heic(5), 150, seed=7):
        path = put(tmp_path / "a.heic", data)
        for work in (lambda path: decode(path, (100, 100)), lambda path: read_image(str(path), MAX)):
            try:
                assert work(path)
            except UnreadableImage as error:
                assert error.reason


@pytest.mark.skipif(not (PHOTOS / "heic").is_dir(), reason="the shared photographs are not here")
def test_the_photographs_thumbnails_show_what_the_photographs_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = 0
    for number, file in enumerate(sorted(one for one in (PHOTOS / "heic").rglob("*") if one.is_file())):
        data = file.read_bytes()
        path = put(tmp_path / f"{number}{file.suffix}", data)
        small = thumbnail(data)
        if small is None:
            continue
        found += 1
        hashes = perceptual_hashes(str(path))
        preview = decode(path, (160, 160))
        with monkeypatch.context() as patch:
            patch.setattr(heif_thumbnail, "thumbnail", lambda _data: None)
            whole = perceptual_hashes(str(path))
            reference = decode(path, (160, 160))
        assert all((one ^ other).bit_count() <= 3 for one, other in zip(hashes, whole, strict=True)), file.name
        assert preview.size == reference.size
        means = [np.asarray(one, dtype=float).mean((0, 1)) for one in (preview, reference)]
        assert np.abs(means[0] - means[1]).max() < 3, file.name
    assert found >= 1, "one of them, of an iPhone, has a thumbnail"
