"""What cameras wrote before there was EXIF: Olympus' text in APP12 and Canon's heap in APP0, whole and damaged."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.library import ciff, containers, pictureinfo
from engine.library.metadata import metadata_of, read_metadata
from engine.library.reading import read_image
from tests.engine.library.pictures import encoded, put, with_exif

_TEXT = (
    b"OLYMPUS OPTICAL CO.,LTD.   \0 713\r\n[picture info]\r\nTimeDate=909698819\r\nShutter=33363\r\nFlash=1\r\n"
    b"FNumber=F2.8\r\n[camera info]\r\nType=SR55\r\nID=OLYMPUS DIGITAL CAMERA\r\n"
    b"[user]\r\nFlash=0\r\nShutter=1\r\n[end]\r\n"
)


def with_segment(marker: int, segment: bytes, jpeg: bytes | None = None) -> bytes:
    """A JPEG with one more segment at its beginning."""
    jpeg = jpeg or encoded("jpg")
    return jpeg[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


def heap(order: str, records: list[tuple[int, bytes]]) -> bytes:
    """A CIFF heap: values, directory, and where the directory is. With 0x4000 in its tag a value is in its entry."""
    values, entries = b"", b""
    for tag, value in records:
        if tag & 0x4000:
            entries += struct.pack(order + "H", tag) + value.ljust(8, b"\0")
        else:
            entries += struct.pack(order + "HII", tag, len(value), len(values))
            values += value
    return values + struct.pack(order + "H", len(records)) + entries + struct.pack(order + "I", len(values))


def segment(order: str, records: list[tuple[int, bytes]], kind: bytes = b"HEAPJPGM") -> bytes:
    """The APP0 segment around a heap."""
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "I", 26) + kind + bytes(12)
    return head + heap(order, records)


def powershot(order: str = "<", more: tuple[tuple[int, bytes], ...] = ()) -> bytes:
    """What a PowerShot A5 writes, heaps within heaps."""
    camera = heap(order, [
        (0x080A, b"Canon\0Canon PowerShot A5\0\0\0"), (0x3004, heap(order, [(0x501C, struct.pack(order + "H", 100))])),
    ])  # fmt: skip
    shooting = heap(order, [(0x1818, struct.pack(order + "3f", 0, 4.875, 4.5))])
    exif = heap(order, [(0x1029, struct.pack(order + "4H", 1, 5, 199, 146)), *more])
    stamp = struct.pack(order + "3I", 972687386, 0, 0)
    return segment(order, [(0x180E, stamp), (0x3002, shooting), (0x2807, camera), (0x300B, exif)])


def test_the_text_of_olympus(tmp_path: Path) -> None:
    path = put(tmp_path / "a.jpg", with_segment(0xEC, _TEXT))
    found = read_metadata(path)[1]
    said = found.stored
    assert (said.camera_make, said.camera_model) == ("OLYMPUS OPTICAL CO.,LTD.", "SR55")
    assert (said.exposure_time, said.f_number, said.flash) == (pytest.approx(0.033363), 2.8, True)
    assert (said.iso, said.focal_length, found.orientation, said.taken_offset) == (None, None, None, None)
    assert (found.taken_at, found.taken_at_source) == ("1998-10-29T22:06:59.000000", "camera:original")
    assert read_image(str(path), 10**6).taken_at == found.taken_at


def test_a_text_that_is_none_and_values_that_make_no_sense() -> None:
    assert pictureinfo.directories(b"Ducky\0\1\0\4\0\0\0\x3c\0\0") == ({}, {})
    assert pictureinfo.directories(b"") == ({}, {})
    odd = b"[picture info]\r\nTimeDate=0\r\nShutter=-5\r\nFNumber=F\r\nFlash=9\r\nType=\xff\r\nFlash\r\n=\r\n[camera"
    assert pictureinfo.directories(odd) == ({}, {})
    spelled = b"[Picture Info]\nTimeDate=1998:10:29 22:06:59\nshtr=8000\nFlash=0\nFlash=1\n"
    assert pictureinfo.directories(spelled) == (
        {},
        {0x9003: b"1998:10:29 22:06:59", 0x829A: 0.008, 0x9209: 0},
    )


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_heap_of_canon(tmp_path: Path, order: str) -> None:
    path = put(tmp_path / "a.jpg", with_segment(0xE0, powershot(order)))
    found = read_metadata(path)[1]
    said = found.stored
    assert (said.camera_make, said.camera_model) == ("Canon", "Canon PowerShot A5")
    assert (said.exposure_time, said.f_number) == (pytest.approx(1 / 29.344, rel=1e-4), pytest.approx(4.7568, rel=1e-4))
    assert (said.iso, said.focal_length, said.flash, found.orientation) == (100, 5.0, None, None)
    assert (found.taken_at, found.taken_at_source) == ("2000-10-27T22:56:26.000000", "camera:original")
    assert read_image(str(path), 10**6).taken_at == found.taken_at


def test_figures_that_later_cameras_scale_are_left_out() -> None:
    _, details = ciff.directories(powershot(more=((0x102A, bytes(8)), (0x102D, bytes(8)))))
    assert (0x8827 in details, 0x920A in details, 0x9003 in details) == (False, False, True)


def test_a_raw_file_that_is_a_heap_as_a_whole() -> None:
    main, _ = ciff.directories(segment("<", [(0x080A, b"Canon\0Canon EOS D30\0")], b"HEAPCCDR"))
    assert main == {0x010F: b"Canon", 0x0110: b"Canon EOS D30\0"}


def test_exif_is_believed_before_what_was_before_it() -> None:
    modern = with_exif("jpg", {0x0110: "Model"}, {0x829A: 0.5, 0x9003: "2020:01:02 03:04:05"})
    found = metadata_of("jpeg", with_segment(0xE0, powershot(), modern), "a.jpg", 0)
    assert (found.stored.camera_make, found.stored.camera_model) == ("A camera", "Model")
    assert (found.stored.exposure_time, found.stored.iso) == (0.5, 100)
    assert (found.taken_at, found.taken_at_source) == ("2020-01-02T03:04:05.000000", "exif:original")


def test_heaps_that_hold_themselves_end() -> None:
    """Every entry but one leads to the very heap that it is in; the one is still read, and once only."""
    count = 200
    length = 2 + 10 * count + 4
    maker = struct.pack("<H", 0x4000 | 0x080A) + b"Canon\0A5"
    itself = b"".join(struct.pack("<HII", 0x3000 + at, length, 0) for at in range(count - 1))
    directory = struct.pack("<H", count) + maker + itself + struct.pack("<I", 0)
    loop = b"II" + struct.pack("<I", 14) + b"HEAPJPGM" + directory
    assert ciff.directories(loop) == ({0x010F: b"Canon", 0x0110: b"A5"}, {})
    assert len(list(ciff._records(loop, "<", 14))) == 1


def test_every_single_flipped_bit_is_harmless() -> None:
    for good, parse in ((powershot(), ciff.directories), (_TEXT, pictureinfo.directories)):
        for bit in range(8 * len(good)):
            damaged = bytearray(good)
            damaged[bit // 8] ^= 1 << bit % 8
            parse(bytes(damaged))
        for end in range(len(good)):
            parse(good[:end])


def test_many_flipped_bits_are_harmless_to_the_whole_reading() -> None:
    chance = random.Random(5)
    for marker, good in ((0xE0, powershot()), (0xE0, powershot(">")), (0xEC, _TEXT)):
        jpeg = with_segment(marker, good)
        for _turn in range(300):
            damaged = bytearray(jpeg)
            for _flip in range(chance.randint(1, 40)):
                damaged[6 + chance.randrange(len(good))] ^= 1 << chance.randrange(8)
            said = metadata_of("jpeg", bytes(damaged), "a.jpg", 0).stored
            assert said.exposure_time is None or said.exposure_time > 0
            assert said.f_number is None or said.f_number > 0


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_make_these_parsers_raise(noise: bytes) -> None:
    ciff.directories(b"II\x0e\0\0\0HEAPJPGM" + noise)
    ciff.directories(noise)
    pictureinfo.directories(b"[picture info]\r\nTimeDate=" + noise)
    containers.jpeg(with_segment(0xE0, b"II\x0e\0\0\0HEAPJPGM" + noise))


def test_the_two_photographs(photos: Path) -> None:
    for name, model, iso, flash in (
        ("olympus-d320l.jpg", "SR55", None, True),
        ("sony-powershota5.jpg", "Canon PowerShot A5", 100, None),
    ):
        found = read_metadata(photos / "jpg" / "exif-org" / name)[1]
        assert (found.stored.camera_model, found.stored.iso, found.stored.flash) == (model, iso, flash)
        assert found.taken_at_source == "camera:original"
