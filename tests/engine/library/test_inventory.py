"""The library in shares, and how far its projects are, from rows of which everything is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from engine.errors import UsageError
from engine.library.distribution import document
from engine.library.progress import STAGES
from engine.store.schema import decisions, images, selections, set_members, sets, vectors
from tests.engine.library.rows import NOW, add_image, add_project, facts, told
from tests.engine.library.shelf import Shelf


def fill(shelf: Shelf) -> None:
    trip, mojo = add_project(shelf.store, "Trip"), add_project(shelf.store, "mojo1")
    for number in range(8):
        add_image(
            shelf.store, f"/p/{number}.jpg", trip, facts(quality="excellent" if number < 2 else "good"),
            told(camera_model="D70" if number else None), taken_at=f"2024-0{number + 1}-01T00:00:00",
        )  # fmt: skip
    add_image(
        shelf.store,
        "/p/8.heic",
        mojo,
        facts(source="phone", lighting="challenging"),
        format="heic",
        width=640,
        height=480,
    )
    add_image(shelf.store, "/p/9.webp", mojo, format="webp")
    add_image(shelf.store, "/p/gone.png", mojo, facts(), format="png", removed_at=NOW)


async def test_every_axis_counts_what_is_there_and_says_what_is_not_known(shelf: Shelf) -> None:
    fill(shelf)
    found = await shelf.library.mix()
    counted = {
        name: {share.key: share.images for share in each.shares if share.images}
        for name, each in found.distributions.items()
    }
    assert counted["format"] == {"jpeg": 8, "heic": 1, "other": 1}
    assert counted["quality"] == {"excellent": 2, "good": 7}
    assert counted["lighting"] == {"natural": 8, "challenging": 1}
    assert counted["source"] == {"dslr": 8, "phone": 1}
    assert counted["resolution"] == {"vga": 1, "4k": 9}
    assert counted["project"] == {"Trip": 8, "mojo1": 2}
    assert counted["date"] == {f"2024-0{month}": 1 for month in range(1, 9)}
    assert counted["camera"] == {"D70": 7}
    unknown = {name: each.unknown for name, each in found.distributions.items() if each.unknown}
    assert unknown == {"quality": 1, "lighting": 1, "source": 1, "date": 2, "camera": 3}
    assert (found.images, found.studied) == (10, 9)


async def test_every_bar_leads_to_its_images(shelf: Shelf) -> None:
    fill(shelf)
    for each in (await shelf.library.mix()).distributions.values():
        for share in each.shares:
            assert len(await shelf.library.ids(share.query)) == share.images, share


async def test_everything_counted_by_index_is_what_a_query_for_everything_counts(shelf: Shelf) -> None:
    fill(shelf)
    assert await shelf.library.mix() == await shelf.library.mix("width:>0")
    assert await shelf.library.inventory() == await shelf.library.inventory("width:>0")


async def test_the_mix_of_a_query_is_of_what_it_finds(shelf: Shelf) -> None:
    fill(shelf)
    found = await shelf.library.mix("project:mojo1")
    assert (found.images, found.studied) == (2, 1)
    assert (await shelf.library.mix("taken:2024-02..2024-03")).images == 2
    part = await shelf.library.inventory("project:mojo1")
    assert (part.counts.images, dict(part.formats)) == (2, {"heic": 1, "webp": 1})


async def test_gaps_are_told_the_largest_first_and_as_json(shelf: Shelf) -> None:
    fill(shelf)
    found = await shelf.library.mix()
    amounts = [count for *_, count in found.gap_list]
    assert amounts == sorted(amounts, reverse=True)
    written = json.loads(json.dumps(document(found)))
    assert set(written) == {"studied", "distributions", "gaps", "diversity", "refused_by_code", "recommended"}
    for axis, each in written["distributions"].items():
        after = sum(one["images"] + one.get("add", 0) for one in each["classes"])
        for one in each["classes"]:
            if "recommended" in one:
                assert abs(one["images"] + one["add"] - one["recommended"] * after) < 1, (axis, one)
    assert written["diversity"]["near_duplicate_share"] is None, "nobody looked yet"
    assert written["diversity"]["evenness"]["source"] == pytest.approx(0.3171, abs=1e-3)


async def test_a_broken_recommendation_is_told_with_its_file(shelf: Shelf) -> None:
    (shelf.workspace.root / "recommended_distribution.json").write_text('{"format": {"jpeg": 5}}')
    with pytest.raises(UsageError, match="add up to 5 %"):
        await shelf.library.mix()


async def test_coverage_is_of_vectors_that_are_kept_and_computes_none(shelf: Shelf) -> None:
    fill(shelf)
    asked: list[int] = []

    class Kept:
        id = "e-1"

        def encoder(self, spec: str | None = None) -> Kept:
            return self

        def vectors(self, wanted: Sequence[object], encoder: str | None = None) -> np.ndarray:
            asked.append(len(wanted))
            return np.eye(len(wanted), 16, dtype=np.float32)

    assert (await shelf.library.mix(with_coverage=True)).coverage == {}, "no encoder is open"
    shelf.library.embeddings = Kept()
    assert (await shelf.library.mix(with_coverage=True)).coverage == {}, "there are no vectors"
    with shelf.store.writing() as connection:
        rows = connection.execute(sa.select(images.c.project_id, images.c.content_hash)).all()
        row = [{"project_id": a, "encoder": "e-1", "content_hash": b, "row": at} for at, (a, b) in enumerate(rows)]
        connection.execute(sa.insert(vectors), row)
    covered = (await shelf.library.mix(with_coverage=True)).coverage
    assert asked == [8], "two images of mojo1 are too few to say anything"
    assert covered["Trip"].effective_rank == pytest.approx(7)


def decide(shelf: Shelf, subject: str, verdict: str, project: int, kind: str = "ranking", **more: object) -> int:
    row = {
        "kind": kind, "subject": subject, "project_id": project, "verdict": verdict, "value": {}, "actor": "me",
        "decided_at": NOW, "blind": False, **more,
    }  # fmt: skip
    with shelf.store.writing() as connection:
        return int(connection.execute(sa.insert(decisions).values(**row)).inserted_primary_key[0])


def add_set(shelf: Shelf, project: int, name: str, members: Sequence[int]) -> int:
    row = {"project_id": project, "session_id": "s", "set_id": name, "source": "log", "title": name, "created_at": NOW}
    with shelf.store.writing() as connection:
        number = int(connection.execute(sa.insert(sets).values(**row)).inserted_primary_key[0])
        every = [{"set_pk": number, "image_id": each, "position": at, "label": ""} for at, each in enumerate(members)]
        connection.execute(sa.insert(set_members), every)
    return number


async def test_progress_goes_from_what_there_is_to_what_was_delivered(shelf: Shelf) -> None:
    project = add_project(shelf.store, "mojo1")
    ids = [add_image(shelf.store, f"/p/{n}.jpg", project, taken_at=f"2024-05-0{n + 1}T00:00:00") for n in range(9)]
    one, two, three = (add_set(shelf, project, name, ids[at : at + 2]) for name, at in (("a", 0), ("b", 2), ("c", 4)))
    decide(shelf, f"set:{one}", "approved", project, value={"image": ids[0]})
    taken_back = decide(shelf, f"set:{two}", "modified", project, value={"image": ids[2]})
    decide(shelf, f"set:{two}", "withdrawn", project, supersedes=taken_back, undoes=taken_back)
    decide(shelf, f"set:{three}", "rejected", project)
    logged = add_set(shelf, project, "d", ids[6:8])
    with shelf.store.writing() as connection:
        row = {
            "set_pk": logged,
            "chosen_image_id": ids[7],
            "losers": [],
            "chosen_at": NOW,
            "actor": "me",
            "source": "x",
            "line": 2,
        }
        connection.execute(sa.insert(selections).values(**row))
    decide(shelf, f"image:{ids[0]}", "approved", project, kind="cropping")
    (found,) = await shelf.library.progress()
    assert found.stages == {"initial": 9, "reviewed": 6, "selected": 2, "cropped": 1, "final": 0}
    assert tuple(found.stages) == STAGES
    assert (found.first_taken, found.last_taken) == ("2024-05-01T00:00:00", "2024-05-09T00:00:00")
    assert found.mismatches == ()


async def test_a_manifest_is_compared_and_left_as_it_is(shelf: Shelf, tmp_path: Path) -> None:
    manifest = tmp_path / "mojo1.project.json"
    told_counts = {"images": 4, "selected": 5, "reviewed": "all", "somethingElse": 7}
    manifest.write_text(
        json.dumps({"projectId": "mojo1", "startedAt": "2024-05-02", "finishedAt": "2024-05-03", "counts": told_counts})
    )
    before = hashlib.sha256(manifest.read_bytes()).digest(), manifest.stat().st_mtime_ns
    project = add_project(shelf.store, "mojo1", str(manifest))
    for number in range(3):
        add_image(shelf.store, f"/p/{number}.jpg", project, taken_at=f"2024-05-0{number + 1}T12:00:00")
    copied = {"taken_at": "2026-01-01T12:00:00", "taken_at_source": "mtime"}
    add_image(shelf.store, "/p/copied.jpg", project, **copied)
    (found,) = await shelf.library.progress()
    assert (found.first_taken, found.last_taken) == ("2024-05-01T12:00:00", "2024-05-03T12:00:00")
    assert dict(found.counts) == told_counts, "also what is not known"
    assert [str(each) for each in found.mismatches] == [
        "counts.selected: the manifest says 5, the library has 0",
        "counts.reviewed: the manifest says 'all', the library has 0 images",
        "startedAt: the manifest says 2024-05-02, the library has an image taken 2024-05-01",
    ]
    assert (hashlib.sha256(manifest.read_bytes()).digest(), manifest.stat().st_mtime_ns) == before


async def test_a_manifest_that_went_bad_is_told(shelf: Shelf, tmp_path: Path) -> None:
    add_project(shelf.store, "mojo1", str(tmp_path / "mojo1.project.json"))
    (found,) = await shelf.library.progress()
    assert found.problem
    assert found.mismatches == ()
