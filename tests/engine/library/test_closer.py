"""A copy is told from a second exposure of the scene: by where its details lie, not by how bright they are."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from engine.engine import Engine
from engine.library import closer, looking, prints
from engine.library.closer import Closer
from engine.library.decode import decode
from engine.library.exposures import Exposures
from engine.library.likeness import likeness
from engine.library.source import UnreadableImage
from engine.runs import RunContext
from engine.store.schema import images
from engine.store.schema.duplicates import image_links
from engine.workspace import Workspace
from tests.bench.duplicates import warped

Picture = Image.Image


def drawn(seed: int = 0) -> Picture:
    """A simulated photograph: blots of many sizes, so that every place has detail."""
    rng = np.random.default_rng(seed)
    size = (900, 700)
    layers = [
        Image.fromarray(rng.integers(0, 256, (rows, columns, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
        for rows, columns in ((5, 6), (20, 26), (80, 100))
    ]
    return Image.blend(Image.blend(layers[0], layers[1], 0.45), layers[2], 0.3)


def saved(picture: Picture, quality: int) -> Picture:
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=quality)
    return Image.open(held).convert("RGB")


def grey(picture: Picture) -> NDArray[np.uint8]:
    return np.asarray(picture.convert("L").resize((closer.SIDE, closer.SIDE), Image.Resampling.LANCZOS), dtype=np.uint8)


def looked(one: Picture, other: Picture) -> Closer:
    a, b = grey(one), grey(other)
    place = likeness(prints.reduced(a)[None], prints.reduced(b)[None]).place[0]
    found = closer.closer(a, b, place)
    assert found is not None
    return found


def cut(picture: Picture, left: float, top: float, right: float, bottom: float) -> Picture:
    w, h = picture.size
    return picture.crop((round(w * left), round(h * top), round(w * right), round(h * bottom)))


def brighter(picture: Picture) -> Picture:
    return picture.point([min(255, round(255 * (value / 255) ** 0.7)) for value in range(256)] * 3)


COPIES = {
    "recompressed": lambda p: saved(p, 15),
    "resized": lambda p: saved(p.resize((p.width // 2, p.height // 2), Image.Resampling.LANCZOS), 80),
    "cropped": lambda p: saved(cut(p, 0.04, 0, 1, 0.95), 85),
    "brightened": lambda p: saved(brighter(p), 85),
    "straightened": lambda p: cut(p.rotate(1, Image.Resampling.BICUBIC), 0.03, 0.03, 0.97, 0.97),
}


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_has_every_detail_at_its_place(kind: str) -> None:
    found = looked(drawn(), COPIES[kind](drawn()))
    assert not found.is_another_exposure
    assert found.off < 0.0005


def test_two_cut_outs_of_one_picture_are_copies_while_they_show_the_same_things() -> None:
    assert not looked(cut(drawn(), 0, 0, 0.97, 0.97), cut(drawn(), 0.03, 0.03, 1, 1)).is_another_exposure


@pytest.mark.parametrize("moved", [0.12, 0.15])
def test_a_panned_frame_shows_something_else(moved: float) -> None:
    found = looked(cut(drawn(), 0, 0, 1 - moved, 1), cut(drawn(), moved, 0, 1, 1))
    assert found.common == pytest.approx((1 - 2 * moved) / (1 - moved), abs=0.01)
    assert found.is_another_exposure


@pytest.mark.parametrize("share", [0.001, 0.002, 0.004])
@pytest.mark.parametrize("change", [lambda p: p, brighter], ids=["as bright", "brighter"])
def test_what_moved_between_two_exposures_is_seen_whatever_their_brightness(share, change) -> None:
    assert looked(drawn(), saved(change(warped(drawn(), share)), 90)).is_another_exposure


def test_a_frame_beside_the_other_with_a_little_that_moved_is_another_exposure() -> None:
    second = saved(cut(warped(drawn(), 0.0008), 0, 0.01, 0.99, 1), 90)
    found = looked(cut(drawn(), 0.01, 0, 1, 0.99), second)
    assert found.outside > 0.005
    assert found.is_another_exposure


def test_what_has_no_detail_or_is_too_small_says_nothing() -> None:
    plain = np.full((closer.SIDE, closer.SIDE), 128, dtype=np.uint8)
    place = np.array([0, 1, 0, 1], dtype=np.float32)
    assert closer.closer(plain, plain, place) is None
    small = grey(drawn())[:96, :96]
    assert closer.closer(small, small, place) is None


# -- in the library ---------------------------------------------------------------------------------------------------


async def same_in(engine: Engine) -> list[list[str]]:
    found = await engine.duplicates.groups()
    return [sorted(member.image.name for member in group.members) for group in found.groups if group.kind == "same"]


async def groups_in(workspace: Workspace, folder: Path) -> list[list[str]]:
    async with Engine.open(workspace) as engine:
        await engine.runs.finished((await engine.library.scan([folder])).id)
        await engine.runs.finished((await engine.duplicates.search()).id)
        return await same_in(engine)


async def test_two_exposures_without_a_time_are_kept_apart_and_each_keeps_its_copies(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "photos" / "p"
    folder.mkdir(parents=True)
    first, second = drawn(), warped(drawn(), 0.002)
    for name, picture in (("first", first), ("second", second)):
        picture.save(folder / f"{name}.jpg", quality=92)
        saved(cut(picture, 0.03, 0.02, 1, 1), 70).transpose(Image.Transpose.ROTATE_90).save(folder / f"{name}_cut.jpg")
    assert await groups_in(workspace, tmp_path / "photos") == [
        ["first.jpg", "first_cut.jpg"],
        ["second.jpg", "second_cut.jpg"],
    ]


async def test_what_was_seen_once_is_not_looked_at_again(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "photos" / "p"
    folder.mkdir(parents=True)
    drawn().save(folder / "whole.jpg", quality=92)
    cut(drawn(), 0.04, 0, 1, 1).save(folder / "cut.jpg", quality=80)
    async with Engine.open(workspace) as engine:
        await engine.runs.finished((await engine.library.scan([tmp_path / "photos"])).id)
        first = await engine.runs.finished((await engine.duplicates.search(distance=8)).id)
        again = await engine.runs.finished((await engine.duplicates.search(distance=12)).id)
        assert first.result is not None and again.result is not None
        assert (first.result["looked"], again.result["looked"]) == (1, 0)
        assert len((await engine.duplicates.groups()).groups) == 1


async def test_a_pair_that_could_not_be_read_is_not_one_picture_and_is_looked_at_the_next_time(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "photos" / "p"
    folder.mkdir(parents=True)
    drawn().save(folder / "first.jpg", quality=92)
    warped(drawn(), 0.002).save(folder / "second.jpg", quality=92)
    cut(drawn(), 0.04, 0, 1, 1).save(folder / "first_cut.jpg", quality=80)

    def refused(path: str, box: tuple[int, int], max_pixels: int) -> Picture:
        if path.endswith("second.jpg"):
            raise UnreadableImage("unreadable", "the drive is away")
        return decode(path, box, max_pixels)

    async with Engine.open(workspace) as engine:
        await engine.runs.finished((await engine.library.scan([tmp_path / "photos"])).id)
        with monkeypatch.context() as patched:
            patched.setattr(looking, "decode", refused)
            before = await engine.runs.finished((await engine.duplicates.search()).id)
        assert before.result is not None and before.result["links"] > 0
        assert await same_in(engine) == [["first.jpg", "first_cut.jpg"]]
        after = await engine.runs.finished((await engine.duplicates.search()).id)
        assert after.result is not None and after.result["looked"] >= 1
        assert await same_in(engine) == [["first.jpg", "first_cut.jpg"]]
        second = folder / "second.jpg"
        with engine.store.reading() as connection:
            looks = connection.execute(
                sa.select(image_links.c.look)
                .join(images, (images.c.id == image_links.c.first_id) | (images.c.id == image_links.c.second_id))
                .where(images.c.path == str(second))
            )
            assert "unread" not in looks.scalars().all()
        last = await engine.runs.finished((await engine.duplicates.search()).id)
        assert last.result is not None and last.result["links"] == 0


async def test_what_cannot_be_read_is_opened_once_in_a_run_and_told_with_its_code(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "photos" / "p"
    folder.mkdir(parents=True)
    for number in range(6):
        warped(drawn(), 0.002, seed=number).save(folder / f"frame{number}.jpg", quality=90)
    opened: list[str] = []

    def refused(path: str, box: tuple[int, int], max_pixels: int) -> Picture:
        opened.append(Path(path).name)
        if path.endswith("frame0.jpg"):
            raise UnreadableImage("decoder_crash", "it ended the decoder")
        return decode(path, box, max_pixels)

    monkeypatch.setattr(looking, "decode", refused)
    monkeypatch.setattr(looking, "_HELD", 1)
    monkeypatch.setattr(RunContext, "workers", property(lambda _run: 1, lambda _run, _count: None), raising=False)
    async with Engine.open(workspace) as engine:
        await engine.runs.finished((await engine.library.scan([tmp_path / "photos"])).id)
        done = await engine.runs.finished((await engine.duplicates.search()).id)
        events = await engine.runs.events(done.id)
    told = [one for event in events if event.type == "refused" for one in event.data["files"]]
    assert [(Path(one["path"]).name, one["code"]) for one in told] == [("frame0.jpg", "decoder_crash")]
    logged = [json.loads(line) for line in (workspace.logs / "errors.jsonl").read_text().splitlines()]
    assert [(one["type"], one["context"]["operation"], one["run"]) for one in logged] == [
        ("decoder_crash", "compare", done.id)
    ]
    assert opened.count("frame0.jpg") == 1 and opened.count("frame1.jpg") > 1


async def test_copies_of_copies_need_no_look_of_their_own(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "photos" / "p"
    folder.mkdir(parents=True)
    for name, picture in (("first", drawn()), ("second", warped(drawn(), 0.002))):
        for number in range(6):
            cut(picture, 0.006 * number, 0, 1, 1).save(folder / f"{name}{number}.jpg", quality=90)
    async with Engine.open(workspace) as engine:
        await engine.runs.finished((await engine.library.scan([tmp_path / "photos"])).id)
        done = await engine.runs.finished((await engine.duplicates.search()).id)
        groups = (await engine.duplicates.groups()).groups
        assert [{member.image.name[:-5] for member in group.members} for group in groups] == [{"first"}, {"second"}]
        assert [len(group.members) for group in groups] == [6, 6]
        assert done.result is not None
        assert done.result["looked"] < done.result["links"] / 2


def test_exposures_are_known_by_what_follows_and_parted_by_two_witnesses() -> None:
    known = Exposures()
    known.join(1, 2)
    known.join(3, 4)
    known.part(1, 3)
    assert known.are_one(2, 1) and not known.are_two(2, 4)
    known.part(2, 4)
    assert known.are_two(1, 4)
    known.join(4, 5)
    known.join(6, 1)
    assert known.are_two(6, 5) and not known.are_two(7, 8)
    for other in range(20, 28):
        known.part(9, other, ("wide", "wide"))
    assert known.are_two(9, 99, ("wide", "wide"))  # one of a throng
    assert not known.are_two(9, 99, ("wide", "tall")) and not known.are_two(9, 99)


@given(st.lists(st.tuples(st.sampled_from(["join", "part"]), st.integers(0, 9), st.integers(0, 9)), max_size=40))
def test_what_is_one_exposure_is_what_a_chain_of_joins_connects(steps) -> None:
    known = Exposures()
    names = list(range(10))
    for what, one, other in steps:
        if what == "part":
            known.part(one, other)
            continue
        known.join(one, other)
        kept, gone = names[one], names[other]
        names = [kept if name == gone else name for name in names]
    for one in range(10):
        for other in range(10):
            assert known.are_one(one, other) == (names[one] == names[other])
            assert known.are_two(one, other) == known.are_two(other, one)
            assert not (known.are_one(one, other) and known.are_two(one, other))


async def test_a_throng_of_other_exposures_is_not_looked_at_pair_by_pair(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "photos" / "p"
    folder.mkdir(parents=True)
    for number in range(14):
        warped(drawn(), 0.002, seed=number).resize((450, 350)).save(folder / f"frame{number:02d}.jpg", quality=90)
    async with Engine.open(workspace) as engine:
        await engine.runs.finished((await engine.library.scan([tmp_path / "photos"])).id)
        done = await engine.runs.finished((await engine.duplicates.search()).id)
        assert done.result is not None
        assert 14 <= done.result["looked"] < done.result["links"] == 14 * 13 // 2
        assert (await engine.duplicates.groups()).groups == ()


async def test_a_throng_does_not_hide_a_cut_out_of_one_of_its_frames(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "photos" / "p"
    folder.mkdir(parents=True)
    for number in range(12):
        warped(drawn(), 0.002, seed=number).resize((450, 350)).save(folder / f"frame{number:02d}.jpg", quality=90)
    inner = cut(warped(drawn(), 0.002, seed=5).resize((450, 350)), 0.04, 0.04, 1, 1)
    inner.save(folder / "cut.jpg", quality=90)
    inner.resize((450, 350)).save(folder / "cut_and_enlarged.jpg", quality=90)
    groups = await groups_in(workspace, tmp_path / "photos")
    assert groups == [["cut.jpg", "cut_and_enlarged.jpg", "frame05.jpg"]]


@pytest.mark.parametrize("pair", ["canon", "iphone"])
@pytest.mark.parametrize("side", [None, 1200])
async def test_the_exposures_of_an_hdr_pair_are_two_pictures_without_their_times(
    workspace: Workspace, photos: Path, tmp_path: Path, pair: str, side: int | None
) -> None:
    folder = tmp_path / "photos" / "p"
    folder.mkdir(parents=True)
    for name in (f"{pair}_hdr_NO.jpg", f"{pair}_hdr_YES.jpg"):
        decode(photos / "jpg/hdr" / name, None if side is None else (side, side)).save(folder / name, quality=88)
    assert await groups_in(workspace, tmp_path / "photos") == []
