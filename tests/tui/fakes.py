"""A pretend engine for the screens: the same doors, pictures drawn here; all of it simulated.

Timing is the test's: a gate can hold an answer back, a run goes as far as the test tells it to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from engine.errors import ProofsheetError
from engine.library.model import Image, Refusal
from engine.ranking.model import ImageSet, SetMember, SetSource
from tests.tui.fake_experiments import FakeExperiments, FakeSchedule
from tests.tui.fake_library import FakeLibrary, FakeViews
from tests.tui.fake_monitor import FakeMonitor
from tests.tui.fake_pictures import AT, STAGES, draw_scene, make_image, variation
from tests.tui.fake_ranking import FakeRanking
from tests.tui.fake_repair import FakeRepair
from tests.tui.fake_runs import FakeChanges, FakeRuns


class FakeEngine:
    """The doors that the screens know."""

    def __init__(self, library: FakeLibrary, ranking: FakeRanking, views: FakeViews | None = None) -> None:
        self.library = library
        self.ranking = ranking
        self.runs = FakeRuns()
        self.monitor = FakeMonitor()
        self.experiments = FakeExperiments()
        self.schedule = FakeSchedule()
        self.changes = FakeChanges()
        self.repair = FakeRepair()
        self.views = views or FakeViews()
        self.closed = 0
        self.recoveries = ()
        library.runs = ranking.runs = self.runs

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[FakeEngine]:
        try:
            yield self
        finally:
            self.closed += 1


def make_engine(
    folder: Path,
    sets: int = 6,
    images: int = 3,
    refusals: int = 0,
    views: FakeViews | None = None,
    size: tuple[int, int] = (320, 240),
) -> FakeEngine:
    """An engine over `sets` simulated sets of `images` variations each, drawn into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Image] = []
    grouped: list[ImageSet] = []
    for number in range(sets):
        scene = draw_scene(number + 3, size)
        members = []
        project = "mojo1" if number < max(1, sets - 2) else "garden"
        for place in range(images):
            label = f"stage{place + 1}_{STAGES[place]}" if images <= 3 else f"variation {place + 1}"
            path = folder / f"20250708_0607{number:02d}_{label.replace(' ', '_')}.jpg"
            if not path.exists():
                variation(scene, place + number).save(path, quality=88)
            image = make_image(len(made) + 1, path, project, size)
            made.append(image)
            members.append(SetMember(image, place, label))
        grouped.append(
            ImageSet(number + 1, project, "20250708", f"s{number}", SetSource.STAGES, "", tuple(members), AT)
        )
    refused = [
        Refusal(f"/photos/broken_{n:03d}.jpg", "truncated", "the file ends before the picture does")
        for n in range(refusals)
    ]
    return FakeEngine(FakeLibrary(made, refused), FakeRanking(grouped), views)


def broken_disk() -> ProofsheetError:
    return ProofsheetError(
        "the verdict could not be written: the disk is full", remedy="Free some space, then pick again."
    )
