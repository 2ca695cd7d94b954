"""Where a scan goes: into every folder that is named, through no link, past what is hidden or the engine's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.workspace import Workspace
from tests.engine.library.pictures import encoded, put
from tests.engine.library.shelf import Shelf, shelf_in


async def test_links_are_not_followed_and_loops_do_no_harm(shelf: Shelf, pictures: Path, tmp_path: Path) -> None:
    put(pictures / "real" / "a.jpg")
    put(tmp_path / "elsewhere" / "b.jpg")
    (pictures / "real" / "loop").symlink_to(pictures, target_is_directory=True)
    (pictures / "to-elsewhere").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (pictures / "link.jpg").symlink_to(pictures / "real" / "a.jpg")
    (pictures / "dangling.jpg").symlink_to(pictures / "nothing.jpg")
    result = await shelf.scan(pictures)
    assert (result["added"], result["refused"]) == (1, [])
    assert await shelf.counts_of(pictures / "to-elsewhere") == (1, 0, 0, 0), "a root may be a link"
    assert (await shelf.images())["b.jpg"].path == tmp_path / "elsewhere" / "b.jpg"


async def test_hidden_things_shadows_and_the_engines_own_folders_are_passed_over(shelf: Shelf, tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    for hidden in (".cache/b.jpg", ".c.jpg", "._a.jpg", "@eaDir/d.jpg", "__MACOSX/e.jpg"):
        put(tmp_path / hidden)
    put(shelf.workspace.training / "somewhere" / "f.jpg")
    put(shelf.workspace.cache / "g.jpg")
    result = await shelf.scan(tmp_path)
    assert (result["added"], result["refused"]) == (1, [])


async def test_pictures_inside_the_workspace_are_found_when_they_are_named(shelf: Shelf) -> None:
    put(shelf.workspace.root / "pictures" / "a.jpg")
    put(shelf.workspace.cache / "preview.jpg")
    assert await shelf.counts_of(shelf.workspace.root / "pictures") == (1, 0, 0, 0)
    assert await shelf.counts_of(shelf.workspace.root) == (0, 0, 1, 0)


async def test_names_in_every_script_are_found(shelf: Shelf, pictures: Path) -> None:
    names = ["Crémieux.jpg", "Cre\u0301mieux.jpg", "写真.jpg", "صورة.jpg", "🙂 & 'quoted' %_.jpg", "line\nbreak.jpg"]
    for number, name in enumerate(names):
        put(pictures / name, encoded("jpg", number))
    assert await shelf.counts_of(pictures) == (6, 0, 0, 0)
    assert await shelf.counts_of(pictures) == (0, 0, 6, 0)
    by_path = await shelf.library.find([pictures / name for name in names])
    assert [by_path[pictures / name].path.name for name in names] == names
    assert by_path[pictures / names[1]].name == names[0], "names are kept in NFC"


async def test_a_folder_called_like_an_image_is_a_folder(shelf: Shelf, pictures: Path) -> None:
    put(pictures / "album.jpg" / "a.jpg")
    assert await shelf.counts_of(pictures) == (1, 0, 0, 0)


async def test_a_single_file_can_be_scanned_and_says_nothing_about_its_neighbours(shelf: Shelf, pictures: Path) -> None:
    first, second = put(pictures / "a.jpg"), put(pictures / "b.jpg", encoded("jpg", 1))
    assert await shelf.counts_of(first) == (1, 0, 0, 0)
    assert await shelf.projects() == {"a.jpg": "pictures"}
    await shelf.scan(pictures)
    second.unlink()
    assert await shelf.counts_of(first) == (0, 0, 1, 0)
    assert set(await shelf.images()) == {"a.jpg", "b.jpg"}


async def test_overlapping_roots_are_walked_once(shelf: Shelf, pictures: Path) -> None:
    path = put(pictures / "one" / "a.jpg")
    assert await shelf.counts_of(pictures / "one", pictures, path, pictures) == (1, 0, 0, 0)
    assert await shelf.projects() == {"a.jpg": "one"}


async def test_a_part_of_a_library_is_scanned_without_touching_the_rest(shelf: Shelf, pictures: Path) -> None:
    put(pictures / "trip" / "day1" / "a.jpg")
    put(pictures / "trip2" / "b.jpg", encoded("jpg", 1))
    await shelf.scan(pictures)
    shutil.rmtree(pictures / "trip2")
    put(pictures / "trip" / "day2" / "c.jpg", encoded("jpg", 2))
    assert await shelf.counts_of(pictures / "trip") == (1, 0, 1, 0)
    assert (await shelf.projects())["c.jpg"] == "trip", "as when the whole is scanned"
    assert set(await shelf.images()) == {"a.jpg", "b.jpg", "c.jpg"}


async def test_a_path_that_is_not_there_is_a_usage_error(shelf: Shelf, pictures: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        await shelf.library.scan([pictures / "nothing"])
    with pytest.raises(UsageError):
        await shelf.library.scan([])


async def test_a_path_that_cannot_be_looked_up_is_a_usage_error(shelf: Shelf, pictures: Path) -> None:
    with pytest.raises(UsageError, match="File name too long"):
        await shelf.library.scan([pictures / ("x" * 300)])


async def test_photographs_in_the_workspaces_own_folder_are_found_from_above_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with shelf_in(Workspace.init(home / "Pictures")) as shelf:
        put(home / "Pictures" / "trip" / "a.jpg")
        put(home / "Pictures" / "projects" / "p.png", encoded("png", 1))
        put(home / "Pictures" / "cache" / "thumbnail.jpg", encoded("jpg", 2))
        assert await shelf.counts_of(home / "Pictures") == (2, 0, 0, 0)
        assert await shelf.counts_of(home) == (0, 0, 2, 0)
        assert set(await shelf.images()) == {"a.jpg", "p.png"}


@pytest.mark.parametrize("inner", ["library/cache", "library/training", "pictures/.hidden", "pictures/@eaDir/x"])
async def test_what_lies_in_a_folder_that_is_passed_over_is_not_taken_for_gone(tmp_path: Path, inner: str) -> None:
    async with shelf_in(Workspace.init(tmp_path / "library")) as shelf:
        put(tmp_path / inner / "a.jpg")
        put(tmp_path / inner / "bad.jpg", b"")
        assert await shelf.counts_of(tmp_path / inner) == (1, 0, 0, 0)
        assert await shelf.counts_of(tmp_path) == (0, 0, 0, 0)
        assert set(await shelf.images()) == {"a.jpg"} and len(await shelf.library.refused()) == 1
        (tmp_path / inner / "a.jpg").unlink()
        assert await shelf.counts_of(tmp_path / inner) == (0, 0, 0, 1)


async def test_a_folder_of_the_engines_that_holds_images_is_named_in_the_log(tmp_path: Path) -> None:
    async with shelf_in(Workspace.init(tmp_path / "library")) as shelf:
        put(tmp_path / "library" / "training" / "deep" / "a.jpg")
        run = await shelf.runs.wait((await shelf.library.scan([tmp_path])).id)
        told = [event.data["message"] async for event in shelf.runs.tail(run.id) if event.type == "log"]
        assert len(told) == 1 and told[0].startswith(str(tmp_path / "library" / "training"))
