"""Perceptual hashes are computed once, also when the run that computes them is stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Picture

from engine.library.model import Image
from engine.ranking import hashes
from engine.ranking.hashes import HashCache
from engine.runs import RunCancelled


class StoppedAfter:
    """A run that is asked to stop after so many results; `worked` counts what it has computed."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.worked = 0

    def map(self, work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            if self.worked == self._count:
                raise RunCancelled
            self.worked += 1
            yield work(item)

    def progress(self, _done: int, _total: int | None = None, _message: str = "") -> None:
        """Nobody looks."""


@pytest.fixture
def images(tmp_path: Path) -> list[Image]:
    found = []
    for number in range(6):
        path = tmp_path / f"{number}.png"
        Picture.effect_noise((64, 48), 20 + 30 * number).save(path)
        found.append(Image(number, path, path.name, "p", "png", 64, 48, 1, 1, f"hash{number}", 1, None, None))
    return found


@pytest.mark.parametrize("every", [1, 4_000])
def test_a_stopped_run_keeps_the_hashes_that_it_has_computed(
    tmp_path: Path, images: list[Image], every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "WRITTEN_EVERY", every)
    cache = HashCache(tmp_path / "cache" / "phash.json", 400_000_000)
    with pytest.raises(RunCancelled):
        cache.hashes(images, StoppedAfter(4))  # type: ignore[arg-type]
    second = StoppedAfter(100)
    whole = cache.hashes(images, second)  # type: ignore[arg-type]
    assert second.worked == 2
    third = StoppedAfter(0)
    assert (cache.hashes(images, third) == whole).all() and third.worked == 0  # type: ignore[arg-type]


def test_hashes_are_written_on_the_way_because_a_killed_run_does_not_say_goodbye(
    tmp_path: Path, images: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "WRITTEN_EVERY", 2)
    file = tmp_path / "phash.json"
    seen: list[bool] = []

    class Watched(StoppedAfter):
        def progress(self, _done: int, _total: int | None = None, _message: str = "") -> None:
            seen.append(file.exists())

    HashCache(file, 400_000_000).hashes(images, Watched(100))  # type: ignore[arg-type]
    assert seen == [False, True, True, True, True, True]
