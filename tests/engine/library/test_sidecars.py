"""Sidecars: planned, written, listed, and taken away again: exactly what Proofsheet wrote, and nothing else."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import imagehash
import numpy as np
import pytest
import pytest_asyncio
from PIL import Image as pillow

from engine.changes import Changes
from engine.errors import ProofsheetError, UsageError
from engine.library.model import Image
from engine.library.sidecars import checked_kinds
from engine.workspace import Workspace
from tests.engine.library.pictures import encoded, put, snapshot
from tests.engine.library.shelf import Shelf, shelf_in


class Vectors:
    """A pretend encoder: the image's number, eight times."""

    id = "pretend-1"

    def encoder(self, spec: str | None = None) -> Vectors:
        return self

    def vectors(self, images: Sequence[Image], encoder: str | None = None) -> np.ndarray:
        assert len({image.project for image in images}) == 1, "projects never mix"
        return np.array([[image.id] * 8 for image in images], dtype=np.float64)


@pytest_asyncio.fixture
async def studied(workspace: Workspace, tmp_path: Path) -> AsyncIterator[Shelf]:
    """Two projects, one picture beside another of the same stem; all studied."""
    put(tmp_path / "pictures" / "trip" / "a.jpg", seed=1)
    put(tmp_path / "pictures" / "trip" / "b.jpg", seed=2)
    put(tmp_path / "pictures" / "trip" / "b.png", encoded("png", 3))
    put(tmp_path / "pictures" / "mojo" / "c.png", encoded("png", 4))
    async with shelf_in(workspace) as shelf:
        await shelf.scan(tmp_path / "pictures")
        await shelf.library.ensure_studied()
        shelf.library.embeddings = Vectors()
        yield shelf


@pytest.fixture
def changes(workspace: Workspace) -> Changes:
    return Changes(workspace)


async def everything(shelf: Shelf) -> list[int]:
    return [int(each) for each in await shelf.library.ids()]


def beside(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.name.endswith((".phash", ".npy"))}


async def test_nothing_is_written_before_the_yes_and_everything_after(
    studied: Shelf, changes: Changes, tmp_path: Path
) -> None:
    before = snapshot(tmp_path / "pictures")
    plan = await studied.library.plan_sidecars(await everything(studied), ["phash", "embedding"])
    assert snapshot(tmp_path / "pictures") == before
    assert plan.change_set is not None
    assert await studied.library.sidecars.written() == [], "planned is not written"
    await changes.apply(plan.change_set.id)
    names = {"a", "b.jpg", "b.png", "c"}
    assert beside(tmp_path) == {name + suffix for name in names for suffix in (".phash", ".embedding.npy")}
    now = snapshot(tmp_path / "pictures")
    assert {name: now[name] for name in before} == before, "no picture was touched"


async def test_what_is_written_is_what_imagehash_and_numpy_read(
    studied: Shelf, changes: Changes, tmp_path: Path
) -> None:
    plan = await studied.library.plan_sidecars(await everything(studied), ["phash", "embedding"])
    assert plan.change_set is not None
    await changes.apply(plan.change_set.id)
    trip = tmp_path / "pictures" / "trip"
    with pillow.open(trip / "a.jpg") as picture:
        own = imagehash.phash(picture)
    assert imagehash.hex_to_hash((trip / "a.phash").read_text()) - own <= 2
    vector = np.load(io.BytesIO((trip / "a.embedding.npy").read_bytes()), allow_pickle=False)
    (image,) = (await studied.library.find([trip / "a.jpg"])).values()
    assert (vector.dtype, vector.tolist()) == (np.float32, [image.id] * 8)


async def test_clean_takes_away_exactly_what_was_written_and_tells_what_was_changed(
    studied: Shelf, changes: Changes, tmp_path: Path
) -> None:
    trip = tmp_path / "pictures" / "trip"
    mine = put(trip / "own.phash", b"a file of the person's own")
    plan = await studied.library.plan_sidecars(await everything(studied), ["phash"])
    assert plan.change_set is not None
    await changes.apply(plan.change_set.id)
    (trip / "a.phash").write_text("edited by hand")
    listed = {each.path.name: each.state for each in await studied.library.sidecars.written()}
    assert listed == {"a.phash": "changed", "b.jpg.phash": "written", "b.png.phash": "written", "c.phash": "written"}
    cleaning = await studied.library.sidecars.plan_cleaning()
    assert cleaning.change_set is not None
    assert cleaning.skipped == ((trip / "a.phash", "was changed since it was written, and is kept"),)
    await changes.apply(cleaning.change_set.id)
    assert beside(tmp_path) == {"a.phash", "own.phash"}
    assert mine.read_bytes() == b"a file of the person's own"
    assert (trip / "a.phash").read_text() == "edited by hand"
    await changes.rollback(cleaning.change_set.id)
    assert beside(tmp_path) == {"a.phash", "own.phash", "b.jpg.phash", "b.png.phash", "c.phash"}
    again = {each.path.name: each.state for each in await studied.library.sidecars.written()}
    assert again == listed, "what came back is ours again"


async def test_clean_knows_its_files_also_when_the_change_set_was_pruned(
    studied: Shelf, changes: Changes, tmp_path: Path
) -> None:
    plan = await studied.library.plan_sidecars(await everything(studied), ["phash"])
    assert plan.change_set is not None
    await changes.apply(plan.change_set.id)
    assert len(await studied.library.sidecars.written()) == 4
    await changes.prune(ids=[plan.change_set.id])
    cleaning = await studied.library.sidecars.plan_cleaning()
    assert cleaning.change_set is not None
    await changes.apply(cleaning.change_set.id)
    assert beside(tmp_path) == set()


async def test_a_plan_that_was_rolled_back_leaves_nothing_to_clean(
    studied: Shelf, changes: Changes, tmp_path: Path
) -> None:
    plan = await studied.library.plan_sidecars(await everything(studied), ["phash"])
    assert plan.change_set is not None
    await changes.apply(plan.change_set.id)
    await changes.rollback(plan.change_set.id)
    put(tmp_path / "pictures" / "trip" / "a.phash", b"somebody else's")
    cleaning = await studied.library.sidecars.plan_cleaning()
    assert (cleaning.change_set, cleaning.skipped) == (None, ())


async def test_a_sidecar_that_is_there_stays_and_one_that_is_right_is_left(
    studied: Shelf, changes: Changes, tmp_path: Path
) -> None:
    trip = tmp_path / "pictures" / "trip"
    put(trip / "a.phash", b"of another program")
    ids = [image.id for image in (await studied.library.find([trip / "a.jpg", trip / "b.jpg"])).values()]
    first = await studied.library.plan_sidecars(ids, ["phash"])
    assert first.change_set is not None
    assert first.skipped == ((trip / "a.phash", "is there already with other content"),)
    await changes.apply(first.change_set.id)
    again = await studied.library.plan_sidecars(ids, ["phash"])
    assert again.change_set is None
    assert again.unchanged == (trip / "b.jpg.phash",)
    assert (trip / "a.phash").read_bytes() == b"of another program"


async def test_an_image_that_was_not_studied_goes_without_and_is_named(studied: Shelf, tmp_path: Path) -> None:
    late = put(tmp_path / "pictures" / "trip" / "late.png", encoded("png", 9))
    await studied.scan(tmp_path / "pictures")
    (image,) = (await studied.library.find([late])).values()
    plan = await studied.library.plan_sidecars([image.id], ["phash"])
    assert plan.change_set is None
    assert [(path.name, reason[:19]) for path, reason in plan.skipped] == [("late.png", "was not studied yet")]


async def test_without_an_encoder_there_are_no_embeddings(studied: Shelf) -> None:
    studied.library.embeddings = None
    with pytest.raises(ProofsheetError, match="embeddings are not available"):
        await studied.library.plan_sidecars(await everything(studied), ["embedding"])


async def test_a_scan_knows_what_was_written_as_companions(studied: Shelf, changes: Changes, tmp_path: Path) -> None:
    plan = await studied.library.plan_sidecars(await everything(studied), ["phash", "embedding"])
    assert plan.change_set is not None
    await changes.apply(plan.change_set.id)
    await studied.scan(tmp_path / "pictures")
    (b_png,) = (await studied.library.find([tmp_path / "pictures" / "trip" / "b.png"])).values()
    held = await studied.library.companions([b_png.id])
    assert {path.name for path in held[b_png.id]} == {"b.png.phash", "b.png.embedding.npy"}


def test_kinds_of_a_later_room_are_refused_with_the_reason() -> None:
    assert checked_kinds(["phash", "embedding", "phash"]) == ["phash", "embedding"]
    for name in ("saliency", "hands"):
        with pytest.raises(UsageError, match=f"{name}: not available yet: "):
            checked_kinds([name])
    with pytest.raises(UsageError, match="no kind of sidecar 'thumbs'"):
        checked_kinds(["thumbs"])
