"""analyze: one record an image, gone on with after a stop, and never over a file that is not ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import UsageError
from engine.runs import RunState
from tests.engine.library.pictures import encoded, put
from tests.engine.library.shelf import Shelf


async def analyzed(shelf: Shelf, folder: Path, output: Path, force: bool = False) -> dict[str, Any]:
    await shelf.scan(folder)
    run = await shelf.runs.wait((await shelf.library.analyze([folder], output, force=force)).id)
    assert run.state is RunState.DONE, run.error
    assert run.result is not None
    return dict(run.result)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_an_array_and_lines_hold_one_record_an_image(shelf: Shelf, pictures: Path, tmp_path: Path) -> None:
    for at in range(5):
        put(pictures / f"{at}.jpg", seed=at)
    put(pictures / "lie.jpg", encoded("png"))
    summary = await analyzed(shelf, pictures, tmp_path / "out.json")
    records = json.loads((tmp_path / "out.json").read_text())
    assert sorted(Path(one["path"]).name for one in records) == [f"{at}.jpg" for at in range(5)]
    assert (summary["files"], summary["analyzed"], summary["errors"]) == (6, 5, {"mislabelled": 1})
    assert sum(summary["quality"].values()) == 5
    assert list(tmp_path.glob(".out*")) == []
    await analyzed(shelf, pictures, tmp_path / "out.jsonl")
    assert lines(tmp_path / "out.jsonl") == records
    assert len(records[0]["phash"]) == 16
    assert records[0]["embeddings"] == []


async def test_a_file_cut_short_is_gone_on_with_and_changes_are_taken_in(
    shelf: Shelf, pictures: Path, tmp_path: Path
) -> None:
    for at in range(6):
        put(pictures / f"{at}.jpg", seed=at)
    output = tmp_path / "out.jsonl"
    await analyzed(shelf, pictures, output)
    whole = lines(output)
    text = output.read_bytes()
    output.write_bytes(text[: len(text) // 2])
    summary = await analyzed(shelf, pictures, output)
    assert 0 < summary["resumed"] < 6
    assert lines(output) == whole
    put(pictures / "3.jpg", seed=99)
    (pictures / "4.jpg").unlink()
    summary = await analyzed(shelf, pictures, output)
    assert (summary["resumed"], summary["analyzed"]) == (4, 5)
    assert sorted(Path(one["path"]).name for one in lines(output)) == ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "5.jpg"]
    assert [one for one in lines(output) if one["path"].endswith("3.jpg")] != [
        one for one in whole if one["path"].endswith("3.jpg")
    ]


async def test_a_file_that_is_not_ours_stays(shelf: Shelf, pictures: Path, tmp_path: Path) -> None:
    put(pictures / "a.jpg")
    for name, content in (("a.json", '{"thesis": 1}'), ("b.jsonl", '{"path": "x"}\n'), ("c.json", "words")):
        foreign = tmp_path / name
        foreign.write_text(content)
        with pytest.raises(UsageError, match="not written by"):
            await shelf.library.check_output(foreign)
        assert foreign.read_text() == content
        summary = await analyzed(shelf, pictures, foreign, force=True)
        assert summary["analyzed"] == 1
        await shelf.library.check_output(foreign)  # ours now
    with pytest.raises(UsageError, match="no folder"):
        await shelf.library.check_output(tmp_path / "nowhere" / "a.json")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert (await analyzed(shelf, empty, tmp_path / "none.json"))["analyzed"] == 0
    assert json.loads((tmp_path / "none.json").read_text()) == []
    await shelf.library.check_output(tmp_path / "none.json")
