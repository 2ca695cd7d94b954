"""Previews by the library's door: decoded in another process; a file that ends one costs itself and no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import ImageChops

from engine.library import children, workers
from engine.library.decode import decode
from engine.library.source import UnreadableImage
from tests.engine.library.pictures import SAVED_AS, encoded, put
from tests.engine.library.shelf import Shelf
from tests.engine.library.treachery import treachery


async def test_every_format_is_shown_as_it_is(shelf: Shelf, tmp_path: Path) -> None:
    for ending in SAVED_AS:
        path = put(tmp_path / f"a.{ending}", encoded(ending, 3))
        shown = shelf.library.thumbnail(path, (40, 40))
        assert ImageChops.difference(shown, decode(path, (40, 40))).getbbox() is None
        assert shelf.library.size_of(path) == (96, 64)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "gif", "bmp"])
async def test_what_ends_a_decoder_is_refused_told_once_and_not_tried_again(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 3.0)
    started: list[object] = []
    start = children._started
    monkeypatch.setattr(children, "_started", lambda kind: started.append(kind) or start(kind))
    with treachery("decode"):
        for how in ("crash", "sleep"):
            path = put(tmp_path / f"{how}.{ending}")
            for _turn in range(3):
                with pytest.raises(UnreadableImage) as refused:
                    shelf.library.thumbnail(path, (40, 40))
                assert refused.value.code == "decoder_crash"
        assert len(started) == 2  # one for each file: none was tried again
        assert shelf.library.thumbnail(put(tmp_path / f"good.{ending}"), (40, 40)).width == 40
    lines = (shelf.workspace.logs / "errors.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    assert [Path(one["context"]["file"]).stem for one in told] == ["crash", "sleep"]
    assert {(one["type"], one["context"]["operation"]) for one in told} == {("decoder_crash", "preview")}
    put(tmp_path / f"crash.{ending}", seed=5)  # another file now
    assert shelf.library.thumbnail(tmp_path / f"crash.{ending}", (40, 40)).width == 40
