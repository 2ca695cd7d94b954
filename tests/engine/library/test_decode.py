"""Pictures come out upright, in sRGB and no larger than asked, whatever they went in as."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from engine.library import quick
from engine.library.decode import UnreadableImage, _fit, decode
from engine.library.reading import read_image
from tests.engine.library.pictures import HEIGHT, SAVED_AS, WIDTH, encoded, format_of, put, scene, with_exif

ENDINGS = sorted(SAVED_AS)
MAX = 400_000_000


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference of two pictures of one size, 0 to 255."""
    assert one.size == other.size
    return float(np.abs(np.asarray(one.convert("RGB"), float) - np.asarray(other.convert("RGB"), float)).mean())


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_decodes_to_the_picture_that_was_saved(tmp_path: Path, ending: str) -> None:
    decoded = decode(put(tmp_path / f"a.{ending}"))
    assert decoded.mode == "RGB"
    assert difference(decoded, scene()) < (16 if ending == "gif" else 6)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(tmp_path: Path, ending: str, orientation: int) -> None:
    content = with_exif(ending, {0x0112: orientation})
    path = put(tmp_path / f"a.{ending}", content)
    # Pillow's own transposition of what was saved is the oracle.
    tagged = scene().copy()
    tagged.getexif()[0x0112] = orientation
    upright = ImageOps.exif_transpose(tagged)
    reading = read_image(str(path), MAX)
    assert (reading.width, reading.height) == upright.size
    assert reading.orientation == orientation
    assert difference(decode(path), upright) < 6
    assert decode(path, (24, 24)).size == ((24, 16) if orientation < 5 else (16, 24))


def test_a_heic_turns_by_its_own_rotation_and_not_by_exif(tmp_path: Path) -> None:
    # ISO/IEC 23008-12: the irot and imir boxes decide, EXIF only repeats them. Here it stands alone.
    path = put(tmp_path / "a.heic", with_exif("heic", {0x0112: 6}))
    reading = read_image(str(path), MAX)
    assert (reading.width, reading.height, reading.orientation) == (WIDTH, HEIGHT, 6)
    assert difference(decode(path), scene()) < 6


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_box_is_never_exceeded_and_nothing_is_enlarged(tmp_path: Path, ending: str) -> None:
    path = put(tmp_path / f"a.{ending}")
    assert decode(path, (48, 48)).size == (48, 32)
    assert decode(path, (4000, 4000)).size == (WIDTH, HEIGHT)


def test_a_jpeg_is_scaled_while_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "large.jpg", encoded("jpg", 0, (1600, 1200)))
    resized_from: list[tuple[int, int]] = []
    resize = Image.Image.resize

    def spy(self: Image.Image, *args: object, **named: object) -> Image.Image:
        resized_from.append(self.size)
        return resize(self, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Image.Image, "resize", spy)
    assert decode(path, (100, 100)).size == (100, 75)
    assert resized_from == [(200, 150)]


def saved(picture: Image.Image, name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, name, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("ending", "content"),
    [
        ("jpg", saved(scene().convert("CMYK"), "JPEG", quality=95)),
        ("jpg", saved(scene().convert("L"), "JPEG")),
        ("png", saved(scene().convert("P", palette=Image.Palette.ADAPTIVE), "PNG")),
        ("png", saved(scene().convert("1"), "PNG")),
        ("png", saved(scene().convert("LA"), "PNG")),
        ("tif", saved(scene().convert("CMYK"), "TIFF")),
        ("tif", saved(scene(), "TIFF", compression="tiff_lzw")),
        ("tif", saved(scene(), "TIFF", compression="jpeg")),
        ("webp", saved(scene().convert("RGBA"), "WEBP", lossless=True)),
    ],
)
def test_every_colour_mode_becomes_rgb(tmp_path: Path, ending: str, content: bytes) -> None:
    decoded = decode(put(tmp_path / f"a.{ending}", content), (48, 48))
    assert (decoded.mode, decoded.size) == ("RGB", (48, 32))


def test_sixteen_bits_keep_their_brightness(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (8, 1))
    for ending, name in (("png", "PNG"), ("tif", "TIFF")):
        decoded = decode(put(tmp_path / f"a.{ending}", saved(Image.fromarray(ramp), name)))
        assert np.abs(np.asarray(decoded)[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_floats_are_stretched_from_their_darkest_to_their_brightest(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(-2.0, 6.0, 256).astype(np.float32), (4, 1))
    ramp[0, 0] = np.nan
    decoded = np.asarray(decode(put(tmp_path / "a.tif", saved(Image.fromarray(ramp), "TIFF"))))
    assert decoded[2, 0, 0] == 0
    assert decoded[2, 255, 0] == 255


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_alpha_lies_on_neutral_grey(tmp_path: Path, mode: str) -> None:
    picture = Image.new("RGBA", (40, 20), (255, 255, 255, 0))
    picture.paste((10, 200, 30, 255), (0, 0, 20, 20))
    content = saved(picture, "PNG") if mode == "RGBA" else saved(picture, "GIF")
    decoded = decode(put(tmp_path / ("a.png" if mode == "RGBA" else "a.gif"), content))
    assert decoded.getpixel((35, 10)) == (128, 128, 128)
    assert decoded.getpixel((5, 10)) == (10, 200, 30)


def test_an_animation_shows_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ((250, 0, 0), (0, 250, 0), (0, 0, 250))]
    for ending, name in (("gif", "GIF"), ("webp", "WEBP"), ("png", "PNG"), ("tif", "TIFF")):
        content = saved(frames[0], name, save_all=True, append_images=frames[1:])
        red, green, _ = np.asarray(decode(put(tmp_path / f"a.{ending}", content))).mean(axis=(0, 1))
        assert red > 240 > 20 > green


def test_an_embedded_profile_is_followed(tmp_path: Path) -> None:
    # A profile in which red and blue have changed places, made of sRGB by swapping its colorants.
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "odd!".encode("utf-16-be"))
    content = saved(Image.new("RGB", (16, 16), (220, 30, 30)), "PNG", icc_profile=swapped)
    red, _, blue = decode(put(tmp_path / "a.png", content)).getpixel((8, 8))  # type: ignore[misc]
    assert blue > 200 > 60 > red


def test_a_damaged_profile_does_not_cost_the_picture(tmp_path: Path) -> None:
    content = saved(Image.new("RGB", (16, 16), (220, 30, 30)), "PNG", icc_profile=b"not a profile")
    assert decode(put(tmp_path / "a.png", content)).getpixel((8, 8)) == (220, 30, 30)


@pytest.mark.filterwarnings("ignore::UserWarning")  # pytest switches on again what the decoder switched off
def test_broken_exif_does_not_cost_the_picture(tmp_path: Path) -> None:
    content = saved(scene(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x12" * 40)
    reading = read_image(str(put(tmp_path / "a.jpg", content)), MAX)
    assert (reading.orientation, reading.taken_at_source) == (1, "mtime")


def test_a_hash_is_xxh3_128_of_the_bytes(tmp_path: Path) -> None:
    import xxhash

    path = put(tmp_path / "a.jpg")
    reading = read_image(str(path), MAX)
    assert reading.content_hash == xxhash.xxh3_128_hexdigest(path.read_bytes())
    assert reading.format == format_of("jpg")


def test_a_file_too_large_for_memory_is_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [put(tmp_path / f"a.{ending}") for ending in ENDINGS]
    whole = [(read_image(str(path), MAX), decode(path).tobytes()) for path in paths]
    monkeypatch.setattr("engine.library.decode.IN_MEMORY", 10)
    assert [(read_image(str(path), MAX), decode(path).tobytes()) for path in paths] == whole


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    path = put(tmp_path / "a.png")
    with pytest.raises(UnreadableImage) as refused:
        decode(path, max_pixels=WIDTH * HEIGHT - 1)
    assert refused.value.code == "too_large"
    assert f"{WIDTH} x {HEIGHT}" in refused.value.reason


@given(st.tuples(st.integers(1, 30_000), st.integers(1, 30_000)), st.tuples(st.integers(1, 5000), st.integers(1, 5000)))
def test_fitting_keeps_proportions(size: tuple[int, int], box: tuple[int, int]) -> None:
    width, height = _fit(size, box)
    assert 1 <= width <= max(box[0], 1)
    assert 1 <= height <= max(box[1], 1)
    assert width <= size[0]
    assert height <= size[1]
    assert abs(width * size[1] - height * size[0]) <= max(size) or 1 in (width, height)


def test_a_profile_that_ends_with_its_name_is_none() -> None:
    whole = b"\xff\xd8\xff\xe2\x00\x20ICC_PROFILE\0\x01\x01rest"
    assert quick.icc_profile(whole) == b"rest"
    assert [quick.icc_profile(whole[:length]) for length in range(21)] == [None] * 21


def test_a_file_that_cannot_be_read_after_all_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    file = put(tmp_path / "a.jpg")
    monkeypatch.setattr(quick, "open_source", lambda path: (Failing(), Path(path).stat()))
    with pytest.raises(UnreadableImage) as refused:
        quick.quick(str(file), (9, 9), 1000, 1)
    assert refused.value.code == "unreadable"
