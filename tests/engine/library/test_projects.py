"""Projects of scanned images: folders, manifests wherever they lie, the setting, and rescans that agree."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.workspace import Workspace
from tests.engine.library.pictures import encoded, put
from tests.engine.library.shelf import Shelf, shelf_in

JULY = datetime(2025, 7, 8, tzinfo=UTC).timestamp()


def manifest(path: Path, project: str, **more: object) -> Path:
    return put(path, json.dumps({"projectId": project, **more}).encode())


async def test_a_manifest_of_the_workspace_declares_a_project(shelf: Shelf, pictures: Path) -> None:
    manifest(shelf.workspace.projects / "mojo1.project.json", "Mojo1", title="Mojo", startedAt="2025-07-01")
    put(pictures / "archive" / "MOJO1" / "a.jpg")
    await shelf.scan(pictures)
    assert await shelf.projects() == {"a.jpg": "Mojo1"}
    project = (await shelf.library.projects())[0]
    assert (project.id, project.title, project.started_at, project.images) == ("Mojo1", "Mojo", "2025-07-01", 1)


async def test_a_manifest_found_on_the_way_speaks_of_images_read_before_it(shelf: Shelf, pictures: Path) -> None:
    put(pictures / "a" / "mojo1" / "a.jpg")
    put(pictures / "b" / "b.jpg", encoded("jpg", 1), mtime=JULY)
    manifest(pictures / "z" / "mojo1.project.json", "mojo1", startedAt="2025-07-01", finishedAt="2025-07-31")
    await shelf.scan(pictures)
    assert await shelf.projects() == {"a.jpg": "mojo1", "b.jpg": "mojo1"}
    assert await shelf.counts_of(pictures) == (0, 0, 2, 0)


async def test_a_manifest_added_later_moves_what_it_speaks_of(shelf: Shelf, pictures: Path) -> None:
    put(pictures / "a" / "mojo1" / "a.jpg")
    put(pictures / "b" / "b.jpg", encoded("jpg", 1))
    await shelf.scan(pictures)
    manifest(shelf.workspace.projects / "mojo1.project.json", "mojo1")
    assert await shelf.counts_of(pictures) == (0, 1, 1, 0)
    assert await shelf.projects() == {"a.jpg": "mojo1", "b.jpg": "b"}
    assert await shelf.counts_of(pictures) == (0, 0, 2, 0)


async def test_the_setting_maps_patterns_also_of_images_known_before(workspace: Workspace, pictures: Path) -> None:
    put(pictures / "work" / "shoot_7" / "a.jpg")
    put(pictures / "home" / "b.jpg", encoded("jpg", 1))
    async with shelf_in(workspace) as shelf:
        await shelf.scan(pictures)
        assert await shelf.projects() == {"a.jpg": "work", "b.jpg": "home"}
    async with shelf_in(workspace, projects={"shoot_*": "client"}) as shelf:
        assert await shelf.counts_of(pictures) == (0, 1, 1, 0)
        assert await shelf.projects() == {"a.jpg": "client", "b.jpg": "home"}


async def test_a_new_folder_of_a_known_name_joins_its_project(shelf: Shelf, pictures: Path, tmp_path: Path) -> None:
    put(pictures / "mojo1" / "a.jpg")
    await shelf.scan(pictures)
    put(pictures / "incoming" / "Mojo1" / "b.jpg", encoded("jpg", 1))
    put(tmp_path / "other" / "stuff" / "mojo1" / "c.jpg", encoded("jpg", 2))
    put(tmp_path / "third" / "mojo1" / "day1" / "d.jpg", encoded("jpg", 3))
    await shelf.scan(pictures)
    await shelf.scan(tmp_path / "other")
    await shelf.scan(tmp_path / "third" / "mojo1")
    assert set((await shelf.projects()).values()) == {"mojo1"}


async def test_files_loose_in_the_root_do_not_swallow_folders_that_come_later(shelf: Shelf, pictures: Path) -> None:
    put(pictures / "loose.jpg")
    await shelf.scan(pictures)
    put(pictures / "trip" / "a.jpg", encoded("jpg", 1))
    await shelf.scan(pictures)
    assert await shelf.projects() == {"loose.jpg": "pictures", "a.jpg": "trip"}


async def test_an_interrupted_first_scan_comes_to_the_same_projects(
    workspace: Workspace, pictures: Path, tmp_path: Path
) -> None:
    put(pictures / "jpg" / "a.jpg")
    put(pictures / "zoo" / "jpg" / "b.jpg", encoded("jpg", 1))
    async with shelf_in(Workspace.init(tmp_path / "whole")) as shelf:
        await shelf.scan(pictures)
        whole = await shelf.projects()
    async with shelf_in(workspace) as shelf:
        await shelf.scan(pictures / "jpg" / "a.jpg")  # as far as the interrupted one had come
        await shelf.scan(pictures)
        assert await shelf.projects() == whole == {"a.jpg": "jpg", "b.jpg": "zoo"}


async def test_a_changed_image_stays_in_its_project(shelf: Shelf, pictures: Path) -> None:
    put(pictures / "old" / "a.jpg")
    await shelf.scan(pictures)
    put(pictures / "old" / "a.jpg", encoded("jpg", 4))
    await shelf.scan(pictures)
    assert await shelf.projects() == {"a.jpg": "old"}


@pytest.mark.parametrize("place", ["workspace", "root"])
async def test_a_bad_manifest_is_refused_with_its_reason_until_it_is_mended(
    shelf: Shelf, pictures: Path, place: str
) -> None:
    folder = shelf.workspace.projects if place == "workspace" else pictures
    bad = put(folder / "mojo1.project.json", b'{"title": "no id"}')
    put(pictures / "a" / "a.jpg")
    for _ in range(2):
        result = await shelf.scan(pictures)
        assert result["refused"] == [
            {"path": str(bad), "code": "bad_manifest", "reason": "the manifest has no projectId"}
        ]
        assert [one.code for one in await shelf.library.refused()] == ["bad_manifest"]
    manifest(bad, "mojo1")
    assert (await shelf.scan(pictures))["refused"] == []
    assert await shelf.library.refused() == []


async def test_two_manifests_that_disagree_are_one_too_many(shelf: Shelf, pictures: Path) -> None:
    manifest(shelf.workspace.projects / "mojo1.project.json", "mojo1", title="one")
    manifest(pictures / "mojo1.project.json", "MOJO1", title="another")
    manifest(pictures / "copy" / "mojo1.project.json", "mojo1", title="one")
    refused = (await shelf.scan(pictures))["refused"]
    assert [Path(one["path"]).parent.name for one in refused] == ["pictures"]
    assert "another manifest" in refused[0]["reason"]


async def test_companions_are_noted_follow_a_move_and_are_forgotten_when_gone(shelf: Shelf, pictures: Path) -> None:
    put(pictures / "a.png")
    put(pictures / "b.png", encoded("png", 1))
    for name in ("a.yaml", "a.png.xmp", "b.txt", "readme.txt"):
        put(pictures / name, b"x")
    await shelf.scan(pictures)

    async def beside() -> dict[str, list[str]]:
        by_name = {image.id: name for name, image in (await shelf.images()).items()}
        found = await shelf.library.companions(list(by_name))
        return {by_name[image]: [path.name for path in paths] for image, paths in found.items()}

    assert await beside() == {"a.png": ["a.png.xmp", "a.yaml"], "b.png": ["b.txt"]}
    (pictures / "a.yaml").unlink()
    put(pictures / "b.phash", b"x")
    assert await shelf.counts_of(pictures) == (0, 0, 2, 0)
    assert await beside() == {"a.png": ["a.png.xmp"], "b.png": ["b.phash", "b.txt"]}
    put(pictures / "moved" / "b.txt", b"x")
    (pictures / "b.png").rename(pictures / "moved" / "b.png")
    await shelf.scan(pictures)
    assert await beside() == {"a.png": ["a.png.xmp"], "b.png": ["b.txt"]}
    (pictures / "moved" / "b.txt").unlink()
    (pictures / "a.png.xmp").unlink()
    await shelf.scan(pictures)
    assert await beside() == {}


async def test_a_setting_that_comes_later_leaves_no_folder_split(workspace: Workspace, pictures: Path) -> None:
    put(pictures / "client_a" / "a.jpg")
    async with shelf_in(workspace) as shelf:
        await shelf.scan(pictures)
    put(pictures / "client_a" / "b.jpg", encoded("jpg", 1))
    put(pictures / "client_a" / "day2" / "c.jpg", encoded("jpg", 2))
    async with shelf_in(workspace, projects={"client_*": "clients"}) as shelf:
        await shelf.scan(pictures)
        assert await shelf.projects() == {"a.jpg": "clients", "b.jpg": "clients", "c.jpg": "clients"}
        put(pictures / "client_a" / "d.jpg", encoded("jpg", 3))
        await shelf.scan(pictures)
        assert set((await shelf.projects()).values()) == {"clients"}


async def test_an_id_of_the_library_outranks_a_setting_for_old_images_as_for_new_ones(
    workspace: Workspace, pictures: Path
) -> None:
    put(pictures / "mojo1" / "a.jpg")
    put(pictures / "mojo2" / "other.jpg", encoded("jpg", 1))
    async with shelf_in(workspace) as shelf:
        await shelf.scan(pictures)
        put(pictures / "incoming" / "mojo1" / "b.jpg", encoded("jpg", 2))
        await shelf.scan(pictures)
    put(pictures / "incoming" / "mojo1" / "c.jpg", encoded("jpg", 3))
    put(pictures / "incoming" / "new" / "d.jpg", encoded("jpg", 4))
    async with shelf_in(workspace, projects={"incoming": "sorted"}) as shelf:
        await shelf.scan(pictures)
        found = await shelf.projects()
        assert (found["b.jpg"], found["c.jpg"], found["d.jpg"]) == ("mojo1", "mojo1", "sorted")


async def test_a_manifests_dates_that_come_later_leave_no_folder_split(shelf: Shelf, pictures: Path) -> None:
    put(pictures / "trip" / "a.jpg", mtime=JULY)
    await shelf.scan(pictures)
    manifest(shelf.workspace.projects / "july.project.json", "july", startedAt="2025-07-01", finishedAt="2025-07-31")
    put(pictures / "trip" / "b.jpg", encoded("jpg", 1), mtime=JULY)
    await shelf.scan(pictures)
    assert await shelf.projects() == {"a.jpg": "july", "b.jpg": "july"}


async def test_a_new_image_joins_its_folder_although_a_neighbour_has_brought_a_new_id(
    shelf: Shelf, pictures: Path
) -> None:
    put(pictures / "mojo1" / "a.jpg")
    await shelf.scan(pictures)
    put(pictures / "incoming" / "mojo1" / "b.jpg", encoded("jpg", 1))
    await shelf.scan(pictures)
    put(pictures / "incoming" / "loose.jpg", encoded("jpg", 2))
    await shelf.scan(pictures)
    put(pictures / "incoming" / "mojo1" / "c.jpg", encoded("jpg", 3))
    await shelf.scan(pictures)
    found = await shelf.projects()
    assert (found["b.jpg"], found["c.jpg"], found["loose.jpg"]) == ("mojo1", "mojo1", "incoming")
