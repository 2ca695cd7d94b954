"""Generated sets follow the library, and what was decided stays."""

from __future__ import annotations

import sqlalchemy as sa

from engine.ranking.model import SetSource
from engine.store.schema import images
from tests.engine.ranking.conftest import World

FOLDER = "/lib/mojo1"
STAGES = [
    "20250708_060558_stage1_generated.png",
    "20250708_060711_stage2_upscaled.png",
    "20250708_060822_stage3_enhanced.png",
    "20250708_061001_stage1_generated.png",
    "20250708_061107_stage2_upscaled.png",
]


async def members(world: World) -> list[tuple[str, list[str]]]:
    sets = await world.ranking.image_sets(await world.ranking.queue())
    return [(one.source.value, [member.image.name for member in one.members]) for one in sets]


async def test_stages_bursts_and_folders_become_sets(world: World) -> None:
    world.add(FOLDER, STAGES)
    world.add("/lib/trip", ["x.jpg", "y.jpg", "z.jpg"], taken=[f"2024-05-01T10:00:0{s}+02:00" for s in (1, 2, 9)])
    world.add("/lib/trip", ["w.jpg"])
    assert await world.ranking.build_sets() == 4
    assert sorted(await members(world)) == [
        ("bursts", ["x.jpg", "y.jpg"]),
        ("folder", ["w.jpg", "z.jpg"]),
        ("stages", STAGES[:3]),
        ("stages", STAGES[3:]),
    ]


async def test_building_again_changes_nothing(world: World) -> None:
    world.add(FOLDER, [*STAGES, "a.jpg", "b.jpg"])
    await world.ranking.build_sets()
    before = world.snapshot()
    assert await world.ranking.build_sets() == 0
    assert await world.ranking.build_sets([FOLDER]) == 0
    assert world.snapshot() == before


async def test_an_undecided_set_follows_its_folder_and_a_decided_one_stays(world: World) -> None:
    first = world.add(FOLDER, STAGES[:2])
    second = world.add(FOLDER, STAGES[3:4])
    await world.ranking.build_sets()
    (open_set,) = await world.ranking.queue()
    await world.ranking.pick(open_set, first[0])
    world.add(FOLDER, STAGES[4:])
    await world.ranking.build_sets([FOLDER])
    assert await members(world) == [("stages", STAGES[3:])]
    world.add(FOLDER, ["20250708_061233_stage3_enhanced.png"])
    await world.ranking.build_sets([FOLDER])
    assert await members(world) == [("stages", [*STAGES[3:], "20250708_061233_stage3_enhanced.png"])]
    decided = await world.ranking.image_set(open_set)
    assert decided.image_ids == tuple(first)
    assert second


async def test_removed_images_drop_out(world: World) -> None:
    ids = world.add(FOLDER, ["a.jpg", "b.jpg", "c.jpg"])
    await world.ranking.build_sets()
    (only,) = await world.ranking.queue()
    world.remove(ids[2])
    assert (await world.ranking.image_set(only)).image_ids == tuple(ids[:2])
    world.remove(ids[1])
    assert await world.ranking.queue() == [], "one image is nothing to choose from"
    assert await world.ranking.build_sets([FOLDER]) == 0
    assert (await world.ranking.total()).total == 0


async def test_an_undone_verdict_gives_the_set_back_to_its_folder(world: World) -> None:
    ids = world.add(FOLDER, ["a.jpg", "b.jpg"])
    await world.ranking.build_sets()
    (only,) = await world.ranking.queue()
    await world.ranking.skip(only)
    assert await world.ranking.queue() == []
    assert await world.ranking.skipped() == [only]
    await world.ranking.undo()
    assert await world.ranking.queue() == [only]
    world.add(FOLDER, ["c.jpg"])
    await world.ranking.build_sets([FOLDER])
    assert await members(world) == [("folder", ["a.jpg", "b.jpg", "c.jpg"])]
    assert ids


async def test_images_of_a_log_are_in_no_generated_set(world: World) -> None:
    world.add(FOLDER, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
    await world.ranking.build_sets()
    row = 's,1,/u/mojo1/a.jpg,"[""/u/mojo1/b.jpg""]",2025-07-08T06:10:00Z'
    await world.ranking.import_selections(world.log(row))
    assert await members(world) == [("folder", ["c.jpg", "d.jpg"])]


async def test_a_moved_image_leaves_the_sets_of_its_old_folder(world: World) -> None:
    ids = world.add(FOLDER, ["a.jpg", "b.jpg", "c.jpg"])
    world.add("/lib/mojo1/new", ["d.jpg"], project="mojo1")
    await world.ranking.build_sets()
    with world.store.writing() as connection:
        moved = sa.update(images).where(images.c.id == ids[0])
        connection.execute(moved.values(folder="/lib/mojo1/new", path="/lib/mojo1/new/a.jpg"))
    await world.ranking.build_sets(["/lib/mojo1/new"])
    assert sorted(await members(world)) == [("folder", ["a.jpg", "d.jpg"]), ("folder", ["b.jpg", "c.jpg"])]


async def test_two_projects_in_one_folder_never_share_a_set(world: World) -> None:
    world.add(FOLDER, ["a.jpg", "c.jpg"], project="one")
    world.add(FOLDER, ["b.jpg", "d.jpg"], project="two")
    await world.ranking.build_sets()
    assert sorted(await members(world)) == [("folder", ["a.jpg", "c.jpg"]), ("folder", ["b.jpg", "d.jpg"])]


async def test_only_the_wanted_kinds_are_made(world: World) -> None:
    world.add(FOLDER, [*STAGES[:2], "a.jpg", "b.jpg"])
    assert await world.ranking.build_sets(sources=[SetSource.STAGES]) == 1
    assert await world.ranking.build_sets() == 1


async def test_sets_form_while_a_scan_goes_on(world: World) -> None:
    ids = world.add(FOLDER, ["a.jpg", "b.jpg"])
    world.ranking.images_arrived(ids, [])
    assert await world.ranking.queue() == []
    world.ranking.images_arrived([], [FOLDER])
    assert len(await world.ranking.queue()) == 1


async def test_an_image_that_changed_its_project_leaves_the_old_ones_sets(world: World) -> None:
    ids = world.add(FOLDER, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
    other = world.add("/lib/other", ["z.jpg"])
    await world.ranking.build_sets()
    with world.store.writing() as connection:
        project = sa.select(images.c.project_id).where(images.c.id == other[0]).scalar_subquery()
        connection.execute(sa.update(images).where(images.c.id.in_(ids[2:])).values(project_id=project))
    world.ranking.images_arrived(ids[2:], [])
    assert sorted(await members(world)) == [("folder", ["a.jpg", "b.jpg"]), ("folder", ["c.jpg", "d.jpg"])]
