"""Duplicates through their door: what is a group, whom to keep, to the trash and back, on simulated pictures."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa
from PIL import Image

from engine.engine import Engine
from engine.errors import UsageError
from engine.library import duplicate_search
from engine.library.duplicates import Found, Group
from engine.library.prints_table import Link
from engine.library.source import UnreadableImage
from engine.store.schema import images
from engine.store.schema.duplicates import image_prints
from engine.workspace import Workspace
from tests.tui.fake_pictures import draw_scene

EXIF_DATE, EXIF_SUBSEC = 0x9003, 0x9291


@pytest_asyncio.fixture
async def engine(workspace: Workspace) -> AsyncIterator[Engine]:
    async with Engine.open(workspace) as opened:
        yield opened


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos" / "mojo1"
    folder.mkdir(parents=True)
    return folder


def draw(file: Path, seed: int, *, size: tuple[int, int] = (320, 240), at: str = "", quality: int = 90) -> Path:
    """A simulated picture; `at` is `HH:MM:SS.mmm` of its capture, left out where it is empty."""
    picture = draw_scene(seed, (640, 480)).resize(size)
    exif = Image.Exif()
    if at:
        second, _, fraction = at.partition(".")
        details = exif.get_ifd(0x8769)
        details[EXIF_DATE] = f"2025:07:08 {second}"
        if fraction:
            details[EXIF_SUBSEC] = fraction
    picture.save(file, quality=quality, exif=exif)
    return file


async def found_in(engine: Engine, folder: Path, **asked) -> Found:
    run = await engine.library.scan([folder])
    await engine.runs.finished(run.id)
    return await engine.duplicates.find(**asked)


def names(group: Group) -> set[str]:
    return {member.image.name for member in group.members}


def by_kind(found: Found) -> dict[str, list[set[str]]]:
    told: dict[str, list[set[str]]] = {}
    for group in found.groups:
        told.setdefault(group.kind, []).append(names(group))
    return told


async def present(engine: Engine) -> set[str]:
    page = await engine.library.page([int(one) for one in await engine.library.ids()])
    return {image.name for image in page}


async def test_identical_copied_and_burst_pictures_are_three_things(engine: Engine, photos: Path) -> None:
    original = draw(photos / "a.jpg", 1, size=(640, 480))
    shutil.copy2(original, photos / "a copy.jpg")
    draw_scene(2, (640, 480)).save(photos / "b.png")
    draw_scene(2, (640, 480)).resize((320, 240)).transpose(Image.Transpose.ROTATE_90).save(photos / "b_turned.jpg")
    draw(photos / "c1.jpg", 3, at="06:07:11.100")
    draw(photos / "c3.jpg", 3, at="06:07:11.600", quality=80)
    draw(photos / "d.jpg", 9)
    told = by_kind(await found_in(engine, photos))
    assert told["exact"] == [{"a.jpg", "a copy.jpg"}]
    assert told["same"] == [{"b.png", "b_turned.jpg"}]
    assert told["burst"] == [{"c1.jpg", "c3.jpg"}]


async def test_the_keeper_is_the_largest_and_the_reason_says_so(engine: Engine, photos: Path) -> None:
    draw(photos / "big.jpg", 4, size=(640, 480))
    draw(photos / "small.jpg", 4)
    (group,) = (await found_in(engine, photos)).groups
    assert group.members[0].image.name == "big.jpg"
    assert group.keeper == group.members[0].image.id
    assert group.reason == "largest"
    assert group.members[0].distance == 0
    assert group.members[1].distance <= 10


async def test_two_projects_are_never_compared(engine: Engine, photos: Path) -> None:
    draw(photos / "one.jpg", 5)
    other = photos.parent / "garden"
    other.mkdir()
    shutil.copy2(photos / "one.jpg", other / "two.jpg")
    assert (await found_in(engine, photos.parent)).groups == ()


async def test_blank_frames_are_not_one_picture(engine: Engine, photos: Path) -> None:
    for shade in range(6):
        Image.new("RGB", (320 + shade, 240), (shade, shade, shade + 1)).save(photos / f"dark{shade}.jpg")
    assert (await found_in(engine, photos)).groups == ()


async def test_new_images_are_compared_with_the_old_ones_and_nothing_is_printed_twice(
    engine: Engine, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(6):
        draw(photos / f"{seed}.jpg", seed, size=(640, 480))
    assert (await found_in(engine, photos)).groups == ()
    printed: list[int] = []
    make = duplicate_search.prints
    monkeypatch.setattr(duplicate_search, "prints", lambda grey: (printed.append(1), make(grey))[1])
    draw(photos / "late.jpg", 3)
    (group,) = (await found_in(engine, photos)).groups
    assert names(group) == {"3.jpg", "late.jpg"}
    assert len(printed) <= 1


async def test_a_wider_distance_searches_again_and_a_narrow_one_finds_less(engine: Engine, photos: Path) -> None:
    picture = draw_scene(6, (640, 480))
    picture.save(photos / "whole.jpg")
    picture.crop((24, 18, 616, 462)).save(photos / "cut.jpg")
    assert len((await found_in(engine, photos, distance=0)).groups) == 0
    assert len((await engine.duplicates.find(distance=10)).groups) == 1
    with pytest.raises(UsageError, match="0 to 20"):
        await engine.duplicates.find(distance=21)


async def test_approved_ones_lie_in_the_trash_with_their_companions_and_come_back(engine: Engine, photos: Path) -> None:
    draw(photos / "big.jpg", 4, size=(640, 480))
    small = draw(photos / "small.jpg", 4)
    (photos / "small.yaml").write_text("caption: a hill")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in photos.iterdir()}
    (group,) = (await found_in(engine, photos)).groups

    planned = await engine.duplicates.approve([group], dry_run=True)
    assert not planned.is_applied
    assert "small.jpg" in planned.preview
    assert small.exists()

    settled = await engine.duplicates.approve([group])
    assert settled.moved == (small,)
    assert {path.name for path in photos.iterdir()} == {"big.jpg", ".proofsheet-trash"}
    assert {path.name for path in photos.rglob(".proofsheet-trash/*/*")} == {"small.jpg", "small.yaml"}
    assert await present(engine) == {"big.jpg"}
    assert (await found_in(engine, photos)).groups == ()
    assert await present(engine) == {"big.jpg"}

    undone = await engine.duplicates.undo()
    assert undone is not None
    assert (undone.restored, undone.groups) == (1, (group.id,))
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before
    assert await present(engine) == {"big.jpg", "small.jpg"}
    assert [one.id for one in (await engine.duplicates.groups()).groups] == [group.id]
    assert await engine.duplicates.undo() is None


async def test_another_keeper_counts_as_changed_and_its_rival_goes(engine: Engine, photos: Path) -> None:
    draw(photos / "big.jpg", 4, size=(640, 480))
    draw(photos / "small.jpg", 4)
    (group,) = (await found_in(engine, photos)).groups
    await engine.duplicates.approve([group], group.members[1].image.id)
    assert await present(engine) == {"small.jpg"}
    (decision,) = await engine.review.standing("duplicates")
    assert decision.verdict == "modified"
    with pytest.raises(UsageError, match="is not in the group"):
        await engine.duplicates.approve([group], 999)


async def test_not_duplicates_is_remembered_until_it_is_taken_back(engine: Engine, photos: Path) -> None:
    draw(photos / "one.jpg", 4, size=(640, 480))
    draw(photos / "two.jpg", 4)
    (group,) = (await found_in(engine, photos)).groups
    await engine.duplicates.reject(group)
    assert (await engine.duplicates.find()).groups == ()
    draw(photos / "three.jpg", 4, size=(500, 375))
    (other,) = (await found_in(engine, photos)).groups
    assert not names(group) <= names(other)
    await engine.duplicates.undo()
    assert [names(one) for one in (await engine.duplicates.find()).groups] == [{"one.jpg", "two.jpg", "three.jpg"}]


async def test_all_identical_files_go_together_and_come_back_together(engine: Engine, photos: Path) -> None:
    for seed in (1, 2):
        draw(photos / f"{seed}.jpg", seed)
        for copy in ("x", "y"):
            shutil.copy2(photos / f"{seed}.jpg", photos / f"{seed}{copy}.jpg")
    found = await found_in(engine, photos)
    assert [group.kind for group in found.groups] == ["exact", "exact"]
    settled = await engine.duplicates.approve(found.groups)
    assert len(settled.moved) == 4
    assert len(await engine.changes.list()) == 1
    assert len(await present(engine)) == 2
    undone = await engine.duplicates.undo()
    assert undone is not None
    assert (undone.restored, len(undone.groups)) == (4, 2)
    assert len(await present(engine)) == 6


async def test_a_change_set_rolled_back_by_its_id_brings_the_rows_back_too(engine: Engine, photos: Path) -> None:
    draw(photos / "big.jpg", 4, size=(640, 480))
    draw(photos / "small.jpg", 4)
    (group,) = (await found_in(engine, photos)).groups
    settled = await engine.duplicates.approve([group])
    await engine.changes.rollback(settled.change_set.id)
    assert [names(one) for one in (await engine.duplicates.groups()).groups] == [{"big.jpg", "small.jpg"}]
    assert await engine.duplicates.undo() is not None


async def test_a_group_cannot_lose_its_keeper_to_another(engine: Engine, photos: Path) -> None:
    draw(photos / "big.jpg", 4, size=(640, 480))
    draw(photos / "small.jpg", 4)
    shutil.copy2(photos / "small.jpg", photos / "small2.jpg")
    found = await found_in(engine, photos)
    exact = next(group for group in found.groups if group.kind == "exact")
    same = next(group for group in found.groups if group.kind == "same")
    assert names(same) == {"big.jpg", "small.jpg", "small2.jpg"}
    with pytest.raises(UsageError, match="kept by one group and moved by another"):
        await engine.duplicates.approve([same, exact])
    assert len(await present(engine)) == 3


async def test_a_copy_is_still_known_when_the_file_that_stood_for_its_twins_is_gone(
    engine: Engine, photos: Path
) -> None:
    draw(photos / "big.jpg", 4, size=(640, 480))
    shutil.copy2(photos / "big.jpg", photos / "big2.jpg")
    draw(photos / "small.jpg", 4)
    exact = next(group for group in (await found_in(engine, photos)).groups if group.kind == "exact")
    first, second = sorted(exact.members, key=lambda member: member.image.id)
    await engine.duplicates.approve([exact], second.image.id)
    (left,) = (await engine.duplicates.groups()).groups
    assert (left.kind, names(left)) == ("same", {second.image.name, "small.jpg"})
    await engine.duplicates.undo()
    assert {first.image.name, second.image.name, "small.jpg"} in by_kind(await engine.duplicates.groups())["same"]


async def test_what_is_known_of_one_project_is_not_compared_again_with_the_next(
    engine: Engine, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, project in enumerate(("mojo1", "mojo2", "mojo3")):
        (photos.parent / project).mkdir(exist_ok=True)
        draw(photos.parent / project / "big.jpg", number, size=(640, 480))
        draw(photos.parent / project / "small.jpg", number)
    assert len((await found_in(engine, photos.parent)).groups) == 3
    asked: list[tuple[int, int]] = []

    def compared(_connection: sa.Connection, pairs: Sequence[tuple[int, int]]) -> list[Link]:
        asked.extend(pairs)
        return []

    monkeypatch.setattr(duplicate_search.neighbours, "compared", compared)
    assert len((await engine.duplicates.groups()).groups) == 3
    assert asked == []


async def test_a_score_from_the_hallway_decides_a_burst(engine: Engine, photos: Path) -> None:
    draw(photos / "c1.jpg", 3, at="06:07:11.100")
    draw(photos / "c2.jpg", 3, at="06:07:11.600", quality=60)

    async def score(asked):
        return {image.id: float(image.name == "c2.jpg") for image in asked}

    engine.duplicates.score = score
    (group,) = (await found_in(engine, photos)).groups
    assert group.members[0].image.name == "c2.jpg"
    assert group.reason == "the ranker likes it best"


async def test_a_changed_file_is_printed_anew(engine: Engine, photos: Path) -> None:
    draw(photos / "one.jpg", 4, size=(640, 480))
    two = draw(photos / "two.jpg", 4)
    assert len((await found_in(engine, photos)).groups) == 1
    draw(two, 8)
    assert (await found_in(engine, photos)).groups == ()
    count = await engine.store.read(
        lambda c: c.execute(sa.select(sa.func.count()).select_from(image_prints).join(images)).scalar_one()
    )
    assert count == 2


async def test_what_was_studied_is_not_decoded_again(
    engine: Engine, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_asked: object) -> None:
        raise AssertionError("decoded a second time")

    monkeypatch.setattr(duplicate_search, "decode", refuse)
    draw(photos / "a.jpg", 1)
    turned = draw_scene(1, (640, 480)).resize((320, 240)).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter clockwise makes it upright
    turned.save(photos / "b.jpg", quality=90, exif=exif)
    found = await found_in(engine, photos)
    (group,) = found.groups
    assert (group.kind, names(group)) == ("same", {"a.jpg", "b.jpg"})
    assert {member.distance for member in group.members} == {0}  # as displayed they are the same
    assert found.pairs_within == 1
    before = await engine.store.read(lambda c: c.execute(sa.select(image_prints.c.searched)).scalars().all())
    await engine.store.write(lambda c: c.execute(sa.text("UPDATE image_facts SET version = 0")))
    await engine.library.ensure_studied()  # the same bytes: their neighbours are still known
    assert await engine.store.read(lambda c: c.execute(sa.select(image_prints.c.searched)).scalars().all()) == before


async def test_a_missing_print_that_cannot_be_made_is_told_with_its_code(
    engine: Engine, photos: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(photos / "a.jpg", 1)
    await found_in(engine, photos)
    await engine.store.write(lambda c: c.execute(sa.delete(image_prints)))

    def refuse(*_asked: object) -> None:
        raise UnreadableImage("decoder_crash", "it ended the decoder")

    monkeypatch.setattr(duplicate_search, "decode", refuse)
    done = await engine.runs.finished((await engine.duplicates.search()).id)
    events = await engine.runs.events(done.id)
    told = [one for event in events if event.type == "refused" for one in event.data["files"]]
    assert [(Path(one["path"]).name, one["code"]) for one in told] == [("a.jpg", "decoder_crash")]
    logged = [json.loads(line) for line in (workspace.logs / "errors.jsonl").read_text().splitlines()]
    assert [(one["type"], one["context"]["operation"], one["run"]) for one in logged] == [
        ("decoder_crash", "compare", done.id)
    ]
