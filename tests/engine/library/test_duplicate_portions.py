"""The groups as they are formed: a project after the other, the first few before, and all of them in the end."""

from __future__ import annotations

from pathlib import Path

from engine.engine import Engine
from engine.library.duplicate_groups import first_few
from engine.library.duplicate_search import Formed
from engine.library.grouping import Cluster
from engine.workspace import Workspace
from tests.engine.library.pictures import scene


def test_the_first_few_are_what_they_will_be_among_all() -> None:
    copies = [Cluster("same", (10 * n, 10 * n + 1), 10 * n) for n in range(1, 6)]
    decided, waiting, alone = (Cluster("exact", (one, one + 5), one) for one in (10, 50, 90))
    burst = Cluster("burst", (70, 71), 70)
    few = first_few(Formed([waiting, *copies, decided, burst, alone], images=99), 2)
    assert few.clusters == [decided, alone, *copies[:2]]  # of the one that waits, its copies decide whom it keeps
    assert few.images == 99
    assert first_few(Formed(copies, images=5), 9).clusters == copies


async def test_each_project_adds_its_own(workspace: Workspace, pictures: Path) -> None:
    for seed, project in enumerate(("alpha", "beta")):
        (pictures / project).mkdir()
        picture = scene(seed, (320, 240))
        picture.save(pictures / project / "a.jpg", quality=90)
        picture.resize((240, 180)).save(pictures / project / "b.jpg", quality=85)
    async with Engine.open(workspace) as engine:
        await engine.runs.finished((await engine.library.scan([pictures])).id)
        assert await engine.duplicates.look() is True
        portions = [one async for one in engine.duplicates.portions()]
        assert [[group.project for group in one.groups] for one in portions] == [["alpha"], ["alpha", "beta"]]
        assert [one.images for one in portions] == [2, 4]
        assert portions[-1].groups == (await engine.duplicates.groups(is_counted=False)).groups
        assert await engine.duplicates.look() is False  # nothing is new: nobody need form them again
