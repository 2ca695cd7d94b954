"""Groups and keepers as pure functions: no chains, no two moments in one group, the person's word above all."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.library import grouping, keeper
from engine.library.grouping import Evidence, Picture, are_different_shots
from engine.library.keeper import Candidate
from engine.library.prints_table import Link
from engine.library.trash import offered, sidecar
from engine.library.xmp import packet_of
from tests.engine.library.metadata_rows import stored

NOON = datetime(2025, 7, 8, 12, 0, 0, 500_000)


def picture(image: int, at: datetime | None = None, width: int = 400) -> Picture:
    return Picture(image, f"hash{image}", width, 300, at, at is not None and at.microsecond == 0)


def link(one: int, other: int, correlation: float = 0.999, phash: int = 2, worst: float = 0.05) -> Link:
    return Link(one, other, phash, phash, phash, correlation, worst)


def same(pictures: list[Picture], links: list[Link], apart=None, distance: int = 10) -> list[tuple[int, ...]]:
    evidence = Evidence(lambda _pairs: [], {(one.first, one.second): one for one in links})
    found = grouping.same({one.id: one for one in pictures}, evidence, apart or {}, distance)
    return [cluster.members for cluster in found]


def test_likeness_is_not_chained() -> None:
    pictures = [picture(image) for image in (1, 2, 3)]
    assert same(pictures, [link(1, 2), link(2, 3, 0.98)]) == [(1, 2)]
    assert same(pictures, [link(1, 2), link(2, 3), link(1, 3, 0.96)]) == [(1, 2, 3)]


def test_two_moments_are_not_one_picture_even_through_a_copy_that_tells_no_time() -> None:
    pictures = [picture(1, NOON), picture(2, NOON + timedelta(seconds=0.5)), picture(3)]
    links = [link(1, 2, 0.99), link(1, 3, 0.9995), link(2, 3, 0.99)]
    assert same(pictures, links) == [(1, 3)]


def test_a_clock_set_to_another_zone_is_no_other_moment() -> None:
    assert not are_different_shots(picture(1, NOON), picture(2, NOON + timedelta(hours=2)))
    assert are_different_shots(picture(1, NOON), picture(2, NOON + timedelta(hours=2, seconds=1)))


def test_frames_of_one_second_must_agree_to_the_last_detail() -> None:
    whole = NOON.replace(microsecond=0)
    assert same([picture(1, whole), picture(2, whole)], [link(1, 2, 0.99)]) == []
    assert same([picture(1, whole), picture(2, whole)], [link(1, 2, 0.9995)]) == [(1, 2)]
    assert same([picture(1, whole), picture(2, whole, width=200)], [link(1, 2, 0.99)]) == [(1, 2)]


def test_a_second_hash_must_agree_unless_there_is_no_doubt() -> None:
    doubtful = Link(1, 2, 4, 4, 25, 0.97, 0.1)
    assert same([picture(1), picture(2)], [doubtful]) == []


def test_what_differs_in_one_place_is_another_picture() -> None:
    assert same([picture(1), picture(2)], [link(1, 2, 0.97, worst=1.2)]) == []


def test_a_person_may_keep_two_apart() -> None:
    apart = {1: frozenset({3}), 3: frozenset({1})}
    links = [link(1, 2), link(2, 3, 0.998), link(1, 3)]
    assert same([picture(image) for image in (1, 2, 3)], links, apart) in ([(1, 2)], [(2, 3)])


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 8), st.floats(0.9, 1.0)), max_size=30))
def test_every_two_anchors_and_members_of_a_group_are_the_same_picture(rows) -> None:
    links = {(min(a, b), max(a, b)): link(min(a, b), max(a, b), c) for a, b, c in rows if a != b}
    groups = same([picture(image) for image in range(1, 9)], list(links.values()))
    members = [image for group in groups for image in group]
    assert len(members) == len(set(members))
    for group in groups:  # small groups: all are anchors
        for at, one in enumerate(group[:6]):
            assert all((one, other) in links and links[(one, other)].correlation >= 0.95 for other in group[at + 1 : 6])


def test_bursts_follow_time_and_likeness() -> None:
    frames = [picture(n, NOON + timedelta(seconds=n)) for n in range(5)] + [picture(9, NOON + timedelta(seconds=60))]
    links = [link(0, 1, 0.9), link(1, 2, 0.85), link(2, 3, 0.4), link(3, 4, 0.9)]
    evidence = Evidence(lambda _pairs: [], {(one.first, one.second): one for one in links})
    found = grouping.bursts(frames, evidence, {}, 2.0)
    assert [cluster.members for cluster in found] == [(0, 1, 2), (3, 4)]


def candidate(image: int, **more) -> Candidate:
    values = {"name": f"{image}.jpg", "path": f"/p/{image}.jpg", "width": 400, "height": 300, "size": 1000}
    return Candidate(image, **{**values, "format": "jpeg", **more})


def test_the_reason_names_what_decided() -> None:
    assert keeper.suggest("same", [candidate(1), candidate(2, width=800)]) == keeper.Keeper(2, "largest")
    best = keeper.suggest("same", [candidate(1, has_camera=True), candidate(2), candidate(3, width=100)])
    assert best == keeper.Keeper(1, "largest · has the camera's data")
    assert keeper.suggest("same", [candidate(1), candidate(2, format="tiff")]).reason == "best format"
    assert keeper.suggest("same", [candidate(1, rating=2), candidate(2, rating=5)]) == keeper.Keeper(2, "rated highest")
    copy = keeper.suggest("exact", [candidate(1, name="a (1).jpg"), candidate(2)])
    assert copy == keeper.Keeper(2, "identical files · not named a copy")


def test_without_a_difference_the_oldest_or_shortest_is_kept() -> None:
    assert keeper.suggest("same", [candidate(1, mtime_ns=9), candidate(2, mtime_ns=3)]).id == 2
    assert keeper.suggest("exact", [candidate(1, path="/p/q/1.jpg"), candidate(2)]).reason.endswith("the shortest path")


def test_a_measure_that_is_not_known_of_all_decides_nothing() -> None:
    left = [candidate(1, sharpness=0.9, mtime_ns=5), candidate(2, mtime_ns=1)]
    assert keeper.suggest("same", left).id == 2


def test_what_the_others_know_is_offered_and_survives_in_a_sidecar() -> None:
    merged = offered(
        stored(keywords=["hill"], rating=1),
        [stored(keywords=["Hill", "sun & <sea>"], title='A "walk"', rating=4), None],
    )
    assert (merged.keywords, merged.title, merged.rating, merged.description) == (("sun & <sea>",), 'A "walk"', 4, None)
    packet = packet_of(sidecar(merged, ["hill"]))
    assert packet.values["dc:subject"] == ["hill", "sun & <sea>"]
    assert packet.one("dc:title") == 'A "walk"'
    assert packet.one("xmp:Rating") == "4"
    assert not offered(stored(rating=5), [stored(rating=3)])
