"""When a picture was taken: the best source that makes sense, and which one it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.library.capture import exif_time, gps_time, offset_of, stamp_in, taken_at
from engine.library.reading import read_image
from engine.library.xmp import Packet
from tests.engine.library.pictures import put, with_exif

ORIGINAL, DIGITIZED, MODIFIED = 0x9003, 0x9004, 0x0132
GPS = {0x1D: "2022:02:03", 0x07: (14.0, 44.0, 9.5)}
MTIME = 1_700_000_000_000_000_000


def test_xmp_is_asked_where_exif_is_silent_and_in_the_same_order() -> None:
    said = Packet({
        "photoshop:DateCreated": ["2015-02-09T22:47:44.55+02:00"], "xmp:CreateDate": ["2014-01-02T03:04:05"],
        "exif:DateTimeOriginal": ["2015-02-09"],
    })  # fmt: skip
    assert taken_at({}, {}, GPS, "a.jpg", MTIME, said) == ("2015-02-09T22:47:44.550000+02:00", "xmp:original")
    assert taken_at({}, {ORIGINAL: "2021:04:11 15:47:53"}, {}, "a.jpg", MTIME, said)[1] == "exif:original"
    later = Packet({"xmp:CreateDate": ["2014-01-02T03:04Z"]})
    assert taken_at({}, {}, GPS, "20200101_010101.jpg", MTIME, later)[1] == "exif:gps"
    assert taken_at({}, {}, {}, "20200101_010101.jpg", MTIME, later) == ("2014-01-02T03:04:00.000000Z", "xmp:created")


def test_the_original_time_keeps_sub_seconds_and_its_own_offset() -> None:
    details = {ORIGINAL: "2021:04:11 15:47:53", 0x9291: "054", 0x9011: "-05:00", DIGITIZED: "2022:01:01 00:00:00"}
    assert taken_at({}, details, GPS, "20200101_010101.jpg", MTIME) == (
        "2021-04-11T15:47:53.054000-05:00",
        "exif:original",
    )


def test_without_an_offset_none_is_invented() -> None:
    assert taken_at({}, {ORIGINAL: "2021:04:11 15:47:53"}, {}, "a.jpg", MTIME)[0] == "2021-04-11T15:47:53.000000"


def test_each_source_is_asked_in_turn() -> None:
    exif, details = {MODIFIED: "2013:07:07 17:20:59"}, {DIGITIZED: "2012:01:02 03:04:05", 0x9292: "5"}
    name = "IMG_20190506_070809.jpg"
    assert taken_at(exif, details, GPS, name, MTIME) == ("2022-02-03T14:44:09.500000Z", "exif:gps")
    assert taken_at(exif, details, {}, name, MTIME) == ("2012-01-02T03:04:05.500000", "exif:digitized")
    assert taken_at(exif, {}, {}, name, MTIME) == ("2019-05-06T07:08:09.000000", "name")
    assert taken_at(exif, {}, {}, "a.jpg", MTIME) == ("2013-07-07T17:20:59.000000", "exif:modified")
    assert taken_at({}, {}, {}, "a.jpg", MTIME) == ("2023-11-14T22:13:20.000000Z", "mtime")


@pytest.mark.parametrize(
    "nothing",
    ["0000:00:00 00:00:00", "    :  :     :  :  ", "", "\0\0\0", "2021:13:01 00:00:00", "2021:02:30 10:00:00",
     "2021:04:11 25:00:00", "garbage", None, 5, b"\xff\xfe", ("2021:04:11 15:47:53",), "1601:01:01 00:00:00"],
)  # fmt: skip
def test_what_is_no_time_is_passed_over(nothing: Any) -> None:
    assert exif_time(nothing) is None
    assert taken_at({}, {ORIGINAL: nothing}, {}, "a.jpg", MTIME)[1] == "mtime"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-04-11 15:47:53", datetime(2021, 4, 11, 15, 47, 53)),
        ("2021/04/11 15:47", datetime(2021, 4, 11, 15, 47)),
        ("2021:04:11T15:47:53.25", datetime(2021, 4, 11, 15, 47, 53, 250_000)),
        ("2021:04:11 15:47:53+02:00", datetime(2021, 4, 11, 15, 47, 53, tzinfo=timezone(timedelta(hours=2)))),
        ("2021:04:11 03:47:53 PM", datetime(2021, 4, 11, 15, 47, 53)),
        (b"2021:04:11 15:47:53\0", datetime(2021, 4, 11, 15, 47, 53)),
    ],
)
def test_the_spellings_that_cameras_use(text: str | bytes, expected: datetime) -> None:
    assert exif_time(text) == expected


@pytest.mark.parametrize(("text", "hours"), [("+09:00", 9.0), ("-0430", -4.5), ("Z", 0.0), ("+14:00", 14.0)])
def test_offsets(text: str, hours: float) -> None:
    zone = offset_of(text)
    assert zone is not None
    assert zone.utcoffset(None) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["+25:00", "+15:30", "", "local", None, "+1", "+09:75"])
def test_offsets_that_the_earth_does_not_have(text: str | None) -> None:
    assert offset_of(text) is None


@pytest.mark.parametrize(
    "gps",
    [
        {},
        {0x1D: "2022:02:03"},
        {0x07: (1, 2, 3)},
        {0x1D: "0000:00:00", 0x07: (0, 0, 0)},
        {0x1D: "2022:02:03", 0x07: "12:00:00"},
        {0x1D: "2022:02:03", 0x07: (25, 0, 0)},
    ],
)
def test_half_a_gps_time_is_none(gps: dict[int, Any]) -> None:
    assert gps_time(gps) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("20250708_060711_stage2_upscaled.png", datetime(2025, 7, 8, 6, 7, 11)),
        ("IMG_20190101_123456.jpg", datetime(2019, 1, 1, 12, 34, 56)),
        ("PXL_20210203_040506789.jpg", datetime(2021, 2, 3, 4, 5, 6, 789_000)),
        ("2023-05-06 07.08.09.jpg", datetime(2023, 5, 6, 7, 8, 9)),
        ("Screenshot 2023-05-06 at 07.08.09.png", datetime(2023, 5, 6, 7, 8, 9)),
        ("signal-2023-05-06-070809.jpg", datetime(2023, 5, 6, 7, 8, 9)),
        ("20230506070809.jpg", datetime(2023, 5, 6, 7, 8, 9)),
        ("IMG-20230506-WA0001.jpg", None),
        ("20231399_060711.jpg", None),
        ("DSC_1234.jpg", None),
        ("12020230506070809777.jpg", None),
    ],
)
def test_a_stamp_in_the_name(name: str, expected: datetime | None) -> None:
    assert stamp_in(name) == expected


@given(st.datetimes(datetime(1900, 1, 1), datetime(2099, 12, 31)))
def test_every_stamp_is_found_again(moment: datetime) -> None:
    second = moment.replace(microsecond=0)
    assert stamp_in(f"{second:%Y%m%d_%H%M%S}_stage1.png") == second
    assert exif_time(f"{moment:%Y:%m:%d %H:%M:%S}", f"{moment:%f}") == moment


@given(st.one_of(st.text(), st.binary(), st.integers(), st.none()), st.text(), st.text())
def test_nothing_in_exif_or_a_name_can_raise(value: Any, subsec: str, name: str) -> None:
    moment, _ = taken_at({MODIFIED: value}, {ORIGINAL: value, 0x9291: subsec, 0x9011: subsec}, {7: value}, name, MTIME)
    assert datetime.fromisoformat(moment)


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_modification_time_can_be_written(mtime_ns: int) -> None:
    moment, source = taken_at({}, {}, {}, "a.jpg", mtime_ns)
    assert source == "mtime"
    assert datetime.fromisoformat(moment).tzinfo is UTC or moment.endswith("Z")


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif", "heic", "avif"])
def test_exif_is_read_from_every_format_that_carries_it(tmp_path: Path, ending: str) -> None:
    content = with_exif(ending, {}, {ORIGINAL: "2021:04:11 15:47:53", 0x9291: "25", 0x9011: "+02:00"})
    reading = read_image(str(put(tmp_path / f"a.{ending}", content)), 400_000_000)
    assert (reading.taken_at, reading.taken_at_source) == ("2021-04-11T15:47:53.250000+02:00", "exif:original")
