"""Importing a selection log: what is sure goes in, what is not is refused by line, and twice is once."""

from __future__ import annotations

import json
import time

import pytest

from engine.errors import ProofsheetError, UsageError
from engine.ranking import catalogue
from tests.engine.ranking.conftest import World

TIME = "2025-07-08T06:10:00Z"


def row(chosen: str, *losers: str, session: str = "s", set_id: str = "1", time: str = TIME) -> str:
    listed = json.dumps(list(losers)).replace('"', '""')
    return f'{session},{set_id},{chosen},"{listed}",{time}'


@pytest.fixture
def library(world: World) -> World:
    world.add("/lib/mojo1", ["a.png", "b.png", "c.png"])
    world.add("/lib/mojo1/day1", ["twice.png"], project="mojo1")
    world.add("/lib/mojo1/day2", ["twice.png"], project="mojo1")
    world.add("/lib/Mojo2", ["a.png", "b.png"])
    return world


async def test_paths_of_other_machines_find_their_images(library: World) -> None:
    found = await library.ranking.import_selections(
        library.log(
            row("/Users/x/mojo1/a.png", "/Users/x/mojo1/b.png", "/Users/x/mojo1/c.png"),
            row(r"D:\Pictures\MOJO2\a.png", r"D:\Pictures\mojo2\b.png", set_id="2"),
            row("/u/mojo1/day2/twice.png", "/u/mojo1/a.png", set_id="3"),
        )
    )
    assert (found.sets, found.pairs, found.projects, found.refused) == (3, 4, {"Mojo2": 1, "mojo1": 2}, ())
    assert found.document()["projects"] == {"Mojo2": 1, "mojo1": 2}


async def test_ten_bad_rows_are_refused_with_ten_reasons(library: World) -> None:
    good = row("/u/mojo1/a.png", "/u/mojo1/b.png", set_id="good")
    bad = [
        row("/u/mojo1/a.png", "/u/mojo2/b.png"),
        row("", "/u/mojo1/b.png"),
        row("/u/mojo1/a.png", "/u/mojo1/a.png"),
        row("/u/mojo1/a.png"),
        "s,1,/u/mojo1/a.png,[/u/mojo1/b.png]," + TIME,
        row("/u/mojo1/a.png", "/u/mojo1/b.png", time="soon"),
        row("/u/mojo1/a.png", "/u/mojo1/b.png", "/u/mojo1/nowhere.png"),
        "s,1,/u/mojo1/a.png",
        row("/u/mojo1/twice.png", "/u/mojo1/b.png"),
        row("/u/nobody/a.png", "/u/nobody/b.png"),
    ]
    found = await library.ranking.import_selections(library.log(*bad, good))
    assert found.sets == 1
    assert [refused.line for refused in found.refused] == list(range(2, 12))
    words = (
        "two projects",
        "winner (chosen_path) is empty",
        "winner is among the losers",
        "no losers",
        "not valid JSON",
        "timestamp 'soon'",
        "no file named nowhere.png in project mojo1",
        "3 columns",
        "twice.png occurs 2 times",
        "no known project in the path /u/nobody/a.png; scan",
    )
    for refused, word in zip(found.refused, words, strict=True):
        assert word in refused.reason


async def test_importing_twice_changes_nothing(library: World) -> None:
    file = library.log(
        row("/u/mojo1/a.png", "/u/mojo1/b.png"),
        row("/u/mojo1/b.png", "/u/mojo1/a.png", time="2025-07-09T00:00:00Z"),
        row("/u/mojo1/a.png", "/u/mojo2/b.png"),
    )
    first = await library.ranking.import_selections(file)
    before = library.snapshot()
    second = await library.ranking.import_selections(file)
    assert library.snapshot() == before
    assert (first.new, second.new) == (2, 0)
    assert (second.sets, second.pairs, second.refused) == (first.sets, first.pairs, first.refused)


async def test_one_set_id_in_two_projects_is_two_sets(library: World) -> None:
    found = await library.ranking.import_selections(
        library.log(row("/u/mojo1/a.png", "/u/mojo1/b.png"), row("/u/mojo2/a.png", "/u/mojo2/b.png"))
    )
    assert found.sets == 2


async def test_the_winner_does_not_stand_first_in_its_set(library: World) -> None:
    await library.ranking.import_selections(library.log(row("/u/mojo1/c.png", "/u/mojo1/b.png", "/u/mojo1/a.png")))
    sets = await library.ranking.image_sets([1])
    assert [member.image.name for member in sets[0].members] == ["a.png", "b.png", "c.png"]


async def test_imported_sets_count_as_decided_and_are_not_in_the_queue(library: World) -> None:
    await library.ranking.build_sets()
    undecided = await library.ranking.queue("mojo2")
    assert len(undecided) == 1
    await library.ranking.import_selections(library.log(row("/u/mojo2/a.png", "/u/mojo2/b.png")))
    assert await library.ranking.queue("mojo2") == []
    counts = await library.ranking.total("mojo2")
    assert (counts.total, counts.decided, counts.remaining) == (1, 1, 0)


async def test_a_file_that_is_no_log_is_refused_whole(library: World) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        await library.ranking.import_selections(library.workspace.root / "nothing.csv")
    other = library.workspace.root / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(ProofsheetError, match="the header lacks session_id"):
        await library.ranking.import_selections(other)


async def test_a_long_log_is_imported_quickly(world: World) -> None:
    """Bulk queries only: 3,000 rows in a second or two (a query a path would take far longer than the limit)."""
    names = [f"{number:05}_{place}.png" for number in range(3_000) for place in range(3)]
    world.add("/lib/mojo1", names)
    rows = [
        row(f"/u/mojo1/{n:05}_0.png", f"/u/mojo1/{n:05}_1.png", f"/u/mojo1/{n:05}_2.png", set_id=str(n))
        for n in range(3_000)
    ]
    file = world.log(*rows)
    started = time.monotonic()
    found = await world.ranking.import_selections(file)
    assert found.sets == 3_000
    assert time.monotonic() - started < 10


async def test_losers_told_in_several_rows_are_all_kept(library: World) -> None:
    log = library.log(
        row("/u/mojo1/a.png", "/u/mojo1/b.png"),
        row("/u/mojo1/a.png", "/u/mojo1/c.png"),
        row("/u/mojo1/a.png", "/u/mojo1/c.png", "/u/mojo1/b.png"),
    )
    found = await library.ranking.import_selections(log)
    assert (found.sets, found.pairs, found.new) == (1, 2, 1)
    with library.store.reading() as connection:
        (choice,) = catalogue.choices(connection, "ada")
    assert len(choice.image_ids) == 3
    before = library.snapshot()
    assert (await library.ranking.import_selections(log)).new == 0
    assert library.snapshot() == before

    other = library.log(row("/u/mojo1/a.png", "/u/mojo1/day1/twice.png"))
    assert (await library.ranking.import_selections(other)).pairs == 1
    with library.store.reading() as connection:
        (choice,) = catalogue.choices(connection, "ada")
    assert len(choice.image_ids) == 4


async def test_a_log_with_losers_in_several_rows_comes_back_whole_from_an_export(library: World) -> None:
    await library.ranking.import_selections(
        library.log(row("/u/mojo1/a.png", "/u/mojo1/b.png"), row("/u/mojo1/a.png", "/u/mojo1/c.png"))
    )
    out = library.workspace.training / "out.csv"
    plan = await library.ranking.export_selections(out)
    await library.changes.apply(plan.id)
    before = library.snapshot()
    found = await library.ranking.import_selections(out)
    assert (found.pairs, found.new, found.refused) == (2, 0, ())
    assert library.snapshot() == before
