"""Images become sets the way a person would group them."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.ranking.model import SetSource
from engine.ranking.sets import Record, by_bursts, by_folder, by_stages, generate, stage_name, wall_clock

START = datetime(2025, 7, 8, 6, 5, 58)


def staged(*stages: int, suffix: str = "png", start: int = 0) -> list[Record]:
    """One stage image every 37 seconds."""
    words = {1: "generated", 2: "upscaled", 3: "enhanced"}
    names = [
        f"{START + timedelta(seconds=37 * (start + i)):%Y%m%d_%H%M%S}_stage{stage}_{words.get(stage, 'x')}.{suffix}"
        for i, stage in enumerate(stages)
    ]
    return [Record(start + i + 1, name) for i, name in enumerate(names)]


def test_stage_images_form_sets_although_their_times_differ() -> None:
    groups = by_stages(staged(1, 2, 3, 1, 2))
    assert [[record.image_id for record in group] for group in groups] == [[1, 2, 3], [4, 5]]


def test_a_new_set_begins_when_the_stage_does_not_rise() -> None:
    assert [len(group) for group in by_stages(staged(1, 1, 2, 2, 3, 2))] == [1, 2, 2, 1]


def test_stage_names_are_read_whatever_their_case_and_format() -> None:
    assert stage_name("20250708_060711_STAGE2_Upscaled.JPG") is not None
    assert stage_name("20250708_060711_stage2.webp") is not None
    assert stage_name("20250708_060711_stage2_face_fix.v2.png").label == "face fix.v2"  # type: ignore[union-attr]
    for other in ("holiday.png", "stage2_upscaled.png", "20250708_stage2.png", "x20250708_060711_stage2.png"):
        assert stage_name(other) is None


def test_a_burst_ends_at_the_first_long_gap() -> None:
    seconds = (0, 1, 2.5, 10, 11, 60)
    records = [Record(i, f"{i}.jpg", START + timedelta(seconds=s)) for i, s in enumerate(seconds)]
    assert [[r.image_id for r in group] for group in by_bursts(records, 2.0)] == [[0, 1, 2], [3, 4], [5]]


def test_images_without_a_capture_time_are_in_no_burst() -> None:
    assert by_bursts([Record(1, "a.jpg"), Record(2, "b.jpg")], 2.0) == []


def test_what_is_left_of_a_folder_becomes_even_sets_in_name_order() -> None:
    records = [Record(i, f"{i:02}.jpg") for i in range(13)]
    assert [len(group) for group in by_folder(records[:6], 6)] == [6]
    assert sorted(len(group) for group in by_folder(records, 6)) == [4, 4, 5]
    assert [r.image_id for group in by_folder(records, 6) for r in group] == list(range(13))
    assert by_folder(records[:1], 6) == []


def test_stages_come_first_then_bursts_then_the_folder() -> None:
    burst = [Record(50 + i, f"b{i}.jpg", START + timedelta(seconds=i)) for i in range(3)]
    rest = [Record(70 + i, f"z{i}.jpg") for i in range(3)]
    made = generate([*staged(1, 2), *burst, *rest], "/pictures/mojo1")
    assert [(one.source, one.image_ids) for one in made] == [
        (SetSource.STAGES, (1, 2)),
        (SetSource.BURSTS, (50, 51, 52)),
        (SetSource.FOLDER, (70, 71, 72)),
    ]
    assert made[0].labels == ("generated", "upscaled")
    assert made[1].labels == ("+0.0 s", "+1.0 s", "+2.0 s")


def test_a_taken_image_still_marks_where_a_group_begins() -> None:
    """Stage 1 of the second group is taken; its stage 2 must not be handed to the first group."""
    records = staged(1, 1, 2)
    made = generate(records, "/p", sources=[SetSource.STAGES], taken={2})
    assert made == []


def test_capture_times_compare_as_the_camera_showed_them() -> None:
    assert wall_clock("2024-05-01T12:30:11+02:00") == datetime(2024, 5, 1, 12, 30, 11)
    assert wall_clock("2024-05-01T12:30:11.250000") == datetime(2024, 5, 1, 12, 30, 11, 250000)
    assert wall_clock("no time") is None
    assert wall_clock(None) is None


names = st.one_of(
    st.builds(
        lambda second, stage: f"{START + timedelta(seconds=second):%Y%m%d_%H%M%S}_stage{stage}_x.png",
        st.integers(0, 300),
        st.integers(1, 4),
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12),
)
moments = st.none() | st.integers(0, 100).map(lambda second: START + timedelta(seconds=second))
folders = st.lists(st.tuples(names, moments), max_size=40).map(
    lambda rows: [Record(i, name, moment) for i, (name, moment) in enumerate(rows)]
)


@given(folders, st.integers(2, 8), st.sets(st.integers(0, 40)), st.randoms())
def test_sets_never_share_an_image_and_do_not_depend_on_the_order(records, largest, taken, random) -> None:
    made = generate(records, "/p", taken=taken, folder_set_size=largest)
    members = [image_id for one in made for image_id in one.image_ids]
    assert len(members) == len(set(members))
    assert not set(members) & taken
    assert all(len(one.image_ids) >= 2 for one in made)
    assert all(len(one.image_ids) <= max(largest, 3) for one in made if one.source is SetSource.FOLDER)
    shuffled = list(records)
    random.shuffle(shuffled)
    assert generate(shuffled, "/p", taken=taken, folder_set_size=largest) == made


@given(folders)
def test_the_stage_rises_within_every_stage_set(records) -> None:
    for group in by_stages(records):
        stages = [stage_name(record.name).stage for record in group]  # type: ignore[union-attr]
        assert all(a < b for a, b in pairwise(stages))


def test_stages_of_one_name_are_told_apart_by_their_numbers() -> None:
    names = [f"20250708_060711_stage{number}_generated.png" for number in (1, 2, 3)]
    alike = generate([Record(number, name) for number, name in enumerate(names)], "/p")
    assert alike[0].labels == ("stage 1 generated", "stage 2 generated", "stage 3 generated")
    assert generate(staged(1, 2), "/p")[0].labels == ("generated", "upscaled")
