"""Every kind of damage is a refusal with a code and a reason that a person understands, and prints nothing."""

from __future__ import annotations

import io
import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from engine.library import formats, jpeg
from engine.library.decode import UnreadableImage, decode
from engine.library.reading import read_image
from tests.engine.library.pictures import SAVED_AS, cut_off_with_an_end, encoded, flipped, put, scene

ENDINGS = sorted(SAVED_AS)
# Outside of tests, Pillow's warnings are switched off by the decoder; pytest switches them on again.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
LARGE = (480, 320)
MAX = 400_000_000


def refusal(path: Path, max_pixels: int = MAX) -> UnreadableImage:
    """How this file is refused; both ways of reading it must agree that it is."""
    with pytest.raises(UnreadableImage) as refused:
        read_image(str(path), max_pixels)
    assert refused.value.reason
    return refused.value


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_empty_file_is_refused(tmp_path: Path, ending: str) -> None:
    assert refusal(put(tmp_path / f"a.{ending}", b"")).code == "empty"


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path: Path, ending: str) -> None:
    whole = encoded(ending, 0, LARGE)
    for part in range(1, 20):
        path = put(tmp_path / f"{part}.{ending}", whole[: len(whole) * part // 20])
        assert refusal(path).code == "truncated", f"{part}/20: {refusal(path).reason}"
        with pytest.raises(UnreadableImage):
            decode(path)


def test_a_progressive_jpeg_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    scene(0, LARGE).save(buffer, "JPEG", progressive=True)
    for part in range(1, 20):
        content = buffer.getvalue()[: len(buffer.getvalue()) * part // 20]
        assert refusal(put(tmp_path / f"{part}.jpg", content)).code == "truncated"


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_that_ends_properly_but_too_early_is_refused(tmp_path: Path, mode: str) -> None:
    buffer = io.BytesIO()
    scene(3, (640, 480)).convert(mode).save(buffer, "JPEG", quality=85)
    for share in (0.3, 0.6, 0.9):
        path = put(tmp_path / "a.jpg", cut_off_with_an_end(buffer.getvalue(), share))
        Image.open(path).load()  # a decoder alone has no complaint
        assert refusal(path).code == "truncated"
        assert "missing" in refusal(path).reason


def test_a_jpeg_whose_end_was_never_written_is_refused(tmp_path: Path) -> None:
    whole = encoded("jpg", 0, LARGE)
    path = put(tmp_path / "a.jpg", whole[: len(whole) // 2] + bytes(len(whole) // 2))
    assert refusal(path).code == "truncated"


def test_a_grey_picture_is_not_taken_for_a_truncated_one(tmp_path: Path) -> None:
    for size in ((64, 64), (1001, 777)):
        grey = Image.new("RGB", size, (128, 128, 128))
        for mode, options in (
            ("RGB", {}),
            ("L", {}),
            ("RGB", {"progressive": True}),
            ("RGB", {"restart_marker_rows": 1}),
        ):
            buffer = io.BytesIO()
            grey.convert(mode).save(buffer, "JPEG", **options)
            assert read_image(str(put(tmp_path / "grey.jpg", buffer.getvalue())), MAX).width == size[0]


def test_what_a_phone_appends_behind_the_picture_does_no_harm(tmp_path: Path) -> None:
    grey = Image.new("RGB", (64, 64), (128, 128, 128))
    buffer = io.BytesIO()
    grey.save(buffer, "JPEG")
    for tail in (b"\0" * 4096, encoded("jpg"), b"SEFT trailer of some phone", b"\xff\xd9\xff\xd9"):
        assert read_image(str(put(tmp_path / "a.jpg", buffer.getvalue() + tail)), MAX).height == 64


def test_the_end_of_the_picture_is_not_that_of_its_thumbnail() -> None:
    thumbnail = encoded("jpg")
    whole = encoded("jpg", 1)
    comment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    assert jpeg.end_of_picture(whole[:2] + comment + whole[2:]) == len(whole) + len(comment) - 2
    assert jpeg.end_of_picture(whole[:-2]) is None


@pytest.mark.parametrize("ending", ENDINGS)
def test_flipped_bits_never_bring_down_a_scan_and_print_nothing(
    tmp_path: Path, ending: str, capfd: pytest.CaptureFixture[str]
) -> None:
    variants = list(flipped(encoded(ending), 60, seed=len(ending)))
    if ending == "tif":
        for compression in ("tiff_lzw", "tiff_adobe_deflate", "jpeg"):
            buffer = io.BytesIO()
            scene().save(buffer, "TIFF", compression=compression)
            variants += flipped(buffer.getvalue(), 40)
    for content in variants:
        path = put(tmp_path / f"a.{ending}", content)
        try:
            read_image(str(path), MAX)
            decode(path, (32, 32))
        except UnreadableImage as error:
            assert error.code in ("corrupt", "truncated", "mislabelled", "not_an_image", "unsupported", "too_large")
            assert error.reason.isprintable()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("claimed", ["jpg", "png", "heic", "avif", "gif", "tiff", "webp", "bmp"])
@pytest.mark.parametrize("actual", ENDINGS)
def test_a_name_that_lies_about_the_content_is_refused(tmp_path: Path, claimed: str, actual: str) -> None:
    path = put(tmp_path / f"a.{claimed}", encoded(actual))
    if formats.sniff(encoded(actual)) in formats.EXTENSIONS[claimed]:
        read_image(str(path), MAX)
    else:
        error = refusal(path)
        assert error.code == "mislabelled"
        assert claimed in error.reason
        assert formats.NAMES[formats.sniff(encoded(actual))] in error.reason  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "actual"),
    [("a.JPEG", "jpg"), ("a.jpe", "jpg"), ("a.jfif", "jpg"), ("a.TIFF", "tif"), ("a.HEIF", "heic"), ("a.heif", "avif"),
     ("a.hif", "heic"), ("a.Png", "png")],
)  # fmt: skip
def test_another_spelling_of_an_extension_is_no_lie(tmp_path: Path, name: str, actual: str) -> None:
    assert read_image(str(put(tmp_path / name, encoded(actual))), MAX).width > 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"),
        (b"PK\x03\x04\x14\0\0\0", "ZIP"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "film"),
        (bytes(4000), "zero bytes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "text"),
        (random.Random(0).randbytes(4000), "unknown"),
    ],
)
def test_what_is_no_image_is_called_by_its_name(tmp_path: Path, content: bytes, words: str) -> None:
    error = refusal(put(tmp_path / "a.jpg", content))
    assert error.code == "not_an_image"
    assert words in error.reason


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    for ending in ENDINGS:
        error = refusal(put(tmp_path / f"a.{ending}"), max_pixels=1000)
        assert error.code == "too_large"
        assert "max_pixels" in error.reason


def test_pipes_sockets_links_and_folders_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "link.jpg").symlink_to(put(tmp_path / "a.jpg"))
    for name, words in (("pipe.jpg", "pipe"), ("folder.jpg", "folder"), ("link.jpg", "link")):
        error = refusal(tmp_path / name)
        assert (error.code, words in error.reason) == ("not_a_file", True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s.jpg"))
        assert refusal(tmp_path / "s.jpg").code in ("not_a_file", "unreadable")


def test_a_file_that_went_away_is_refused_as_vanished(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone.jpg").code == "vanished"


def test_damaged_tiffs_are_silent_in_a_fresh_process(tmp_path: Path) -> None:
    """libtiff prints to the terminal by itself; the terminal is the screen."""
    buffer = io.BytesIO()
    scene().save(buffer, "TIFF", compression="tiff_lzw")
    for number, content in enumerate(flipped(buffer.getvalue(), 20)):
        put(tmp_path / f"{number}.tif", content)
    code = (
        "import sys; from pathlib import Path; from engine.library.decode import decode, UnreadableImage\n"
        "for path in Path(sys.argv[1]).iterdir():\n"
        "    try: decode(path)\n"
        "    except UnreadableImage: pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
