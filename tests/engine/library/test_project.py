"""Which project an image belongs to, in the order that people were promised."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.library.manifest import BadManifest, Manifest, parse_manifest
from engine.library.project import Rules, by_component, by_date, by_pattern, folder_project, project_of
from engine.library.rules import attribution_root

ROOT = "/home/anna/Pictures"
DAY = 86_400_000_000_000
NOT_SUBJECTS = frozenset({"/home/anna", "/home", "/"})


def manifest(project: str, started: str | None = None, finished: str | None = None) -> Manifest:
    told = {"projectId": project, "startedAt": started, "finishedAt": finished}
    return parse_manifest(json.dumps(told).encode())


def rules(*manifests: Manifest, library: tuple[str, ...] = (), ancestors: tuple[str, ...] = (), **named: Any) -> Rules:
    return Rules(
        declared={each.project.casefold(): each.project for each in manifests},
        library={each.casefold(): each for each in library},
        ancestors=frozenset(each.casefold() for each in ancestors),
        manifests=manifests,
        not_subjects=NOT_SUBJECTS,
        **named,
    )


def test_the_first_folder_under_the_root_names_the_project() -> None:
    assert project_of(f"{ROOT}/trip/day1/a.jpg", ROOT, 0, rules()) == "trip"


def test_a_file_directly_in_the_root_belongs_to_the_roots_own_name() -> None:
    assert project_of(f"{ROOT}/a.jpg", ROOT, 0, rules()) == "Pictures"
    assert folder_project("/a.jpg", "/") == "root"
    assert folder_project("/trip/a.jpg", "/") == "trip"


def test_a_component_that_is_a_known_id_wins_over_everything_and_case_counts_not() -> None:
    known = rules(manifest("Mojo1", "2000-01-01"), patterns=(("*", "setting"),))
    assert project_of(f"{ROOT}/archive/mojo1/a.jpg", ROOT, DAY * 20_000, known) == "Mojo1"


def test_of_several_declared_ids_the_deepest_wins() -> None:
    known = rules(manifest("client"), manifest("mojo1"))
    assert project_of(f"{ROOT}/client/mojo1/a.jpg", ROOT, 0, known) == "mojo1"


def test_a_declared_id_above_the_root_counts_but_the_home_folder_never_does() -> None:
    known = rules(manifest("mojo1"), manifest("anna"))
    assert project_of("/data/mojo1/day1/a.jpg", "/data/mojo1/day1", 0, known) == "mojo1"
    assert project_of(f"{ROOT}/trip/a.jpg", ROOT, 0, known) == "trip"
    assert project_of(f"{ROOT}/anna/a.jpg", ROOT, 0, known) == "anna"


def test_an_id_that_the_library_has_counts_below_the_root() -> None:
    known = rules(library=("mojo1", "Pictures"))
    assert project_of(f"{ROOT}/archive/mojo1/a.jpg", ROOT, 0, known) == "mojo1"
    assert project_of(f"{ROOT}/newtrip/a.jpg", ROOT, 0, known) == "newtrip", "the root's own name swallows nothing"


def test_a_first_folder_stays_one_subject_when_a_folder_in_it_is_called_like_another() -> None:
    known = rules(library=("trip", "2023"))
    assert project_of(f"{ROOT}/trip/2023/a.jpg", ROOT, 0, known) == "trip"


def test_an_id_that_the_library_has_counts_above_the_root_where_it_lives_elsewhere_too() -> None:
    known = rules(library=("mojo1",), ancestors=("mojo1",))
    assert project_of("/data/mojo1/day1/a.jpg", "/data/mojo1", 0, known) == "mojo1"


def test_a_manifest_wins_over_a_library_id_nearer_to_the_root() -> None:
    known = rules(manifest("mojo1"), library=("trip", "mojo1"))
    assert project_of(f"{ROOT}/trip/mojo1/a.jpg", ROOT, 0, known) == "mojo1"


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("shoot_*", True),
        ("SHOOT_*", True),
        ("shoot", False),
        ("b.jpg", True),
        ("*.jpg", True),
        ("work/shoot_7", True),
        ("/home/anna/Pictures/work/*", True),
        ("/home/anna/Pictures/work/", True),
        ("/home/anna/Pictures/work/**", True),
        ("*/work/*", True),
        ("/home/anna/Pictures/wor", False),
        ("work/b.jpg", False),
        ("[sS]hoot_?", True),
    ],
)
def test_patterns_of_the_setting(pattern: str, matches: bool) -> None:
    found = by_pattern("/home/anna/Pictures/work/shoot_7/b.jpg", ((pattern, "it"),))
    assert found == ("it" if matches else None)


def test_the_first_pattern_that_matches_wins_and_comes_before_dates() -> None:
    known = rules(manifest("dated", "2020-01-01"), patterns=(("*.png", "one"), ("work", "two"), ("*", "three")))
    assert project_of(f"{ROOT}/work/a.jpg", ROOT, DAY * 19_000, known) == "two"


def test_dates_decide_only_if_one_manifest_holds_the_time() -> None:
    july, summer = manifest("july", "2025-07-01", "2025-07-31"), manifest("summer", "2025-06-01", "2025-08-31")
    mid_july = parse_manifest(b'{"projectId": "x", "startedAt": "2025-07-15T12:00:00Z"}').begins_ns
    assert mid_july is not None
    assert by_date(mid_july, [july]) == "july"
    assert by_date(mid_july, [july, summer]) is None
    assert by_date(mid_july + 40 * DAY, [july, summer]) == "summer"
    assert project_of(f"{ROOT}/trip/a.jpg", ROOT, mid_july, rules(july, summer)) == "trip"


def test_the_last_day_belongs_to_the_project_and_an_open_end_holds_on() -> None:
    july, going_on = manifest("july", "2025-07-01", "2025-07-31"), manifest("on", "2025-07-01")
    assert july.begins_ns is not None
    assert july.holds(july.begins_ns)
    assert july.holds(july.begins_ns + 31 * DAY - 1)
    assert not july.holds(july.begins_ns + 31 * DAY)
    assert not july.holds(july.begins_ns - 1)
    assert going_on.holds(july.begins_ns + 10_000 * DAY)
    assert not manifest("never").holds(0)


def test_offsets_in_manifests_are_followed() -> None:
    assert manifest("a", "2025-07-01T00:00:00+02:00").begins_ns == manifest("b", "2025-06-30T22:00:00Z").begins_ns


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"{", "line 1"),
        (b"[]", "not a JSON object"),
        (b"\xff\xfe", "not UTF-8"),
        (b"{}", "no projectId"),
        (b'{"projectId": " "}', "no projectId"),
        (b'{"projectId": 7}', "no projectId"),
        (b'{"projectId": "a/b"}', "folder"),
        (b'{"projectId": "a", "startedAt": "July"}', "startedAt"),
        (b'{"projectId": "a", "finishedAt": 20250701}', "finishedAt"),
        (b'{"projectId": "a", "startedAt": "2025-07-02", "finishedAt": "2025-07-01"}', "before it starts"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_bad_manifest_says_what_is_wrong(content: bytes, words: str) -> None:
    with pytest.raises(BadManifest, match=words):
        parse_manifest(content)


def test_a_manifest_keeps_its_title_and_counts() -> None:
    told = parse_manifest(b'\xef\xbb\xbf{"projectId": "mojo1", "title": "Mojo", "counts": {"initial": 120}, "more": 1}')
    assert (told.project, told.title, told.counts) == ("mojo1", "Mojo", {"initial": 120})


def test_scanning_a_part_attributes_as_scanning_the_whole() -> None:
    assert attribution_root("/p/trip/day1", ["/p/trip", "/p", "/pq"]) == "/p"
    assert attribution_root("/p", ["/p/trip"]) == "/p"
    assert attribution_root("/p", []) == "/p"


NAMES = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=12)


@given(st.lists(NAMES, max_size=4), NAMES, st.lists(NAMES, max_size=3))
def test_every_image_has_a_project(folders: list[str], name: str, known: list[str]) -> None:
    path = "/".join([ROOT, *folders, name])
    found = project_of(path, ROOT, 0, rules(library=tuple(known)))
    assert found in known or found == (folders[0] if folders else "Pictures")


@given(st.lists(NAMES, min_size=1, max_size=4), st.data())
def test_a_component_is_found_in_any_case(folders: list[str], data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from(folders))
    known = rules(manifest("placeholder"))
    known = Rules(declared={chosen.casefold(): chosen}, not_subjects=known.not_subjects)
    assert by_component("/".join([ROOT, *folders]), ROOT, known) == chosen
