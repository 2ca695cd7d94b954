"""A power cut keeps whatever was flushed and any part of the rest. So nothing may happen before what it rests on was
flushed: recorded here from the system calls themselves."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.changes import Changes
from tests.engine.changes.trees import companions, every_operation, our_files


def place(descriptor: int) -> Path:
    """The path that an open file or folder has now."""
    return Path(f"/proc/self/fd/{descriptor}").readlink()


@dataclass
class Recorder:
    """Every call that changes names, and every flush, in order, with the paths they were about."""

    calls: list[tuple[str, Path]] = field(default_factory=list)

    def named(self, name: str, folder: int | None) -> Path:
        return (place(folder) if folder is not None else Path()) / name

    def position(self, what: str, path: Path, start: int = 0) -> int:
        return self.calls.index((what, path), start)

    def all(self, what: str) -> list[tuple[int, Path]]:
        return [(number, path) for number, (call, path) in enumerate(self.calls) if call == what]

    def flushed_between(self, path: Path, first: int, last: int) -> bool:
        return ("flush", path) in self.calls[first:last]


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """The system calls that matter, recorded on their way."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("file descriptors cannot be named here (/proc)")
    record = Recorder()

    def watch(name: str, note: Callable[..., None]) -> None:
        real = getattr(os, name)

        def call(*arguments: Any, **options: Any) -> Any:
            note(*arguments, **options)
            return real(*arguments, **options)

        monkeypatch.setattr(os, name, call)

    def flush(descriptor: int) -> None:
        record.calls.append(("flush", place(descriptor)))

    def link(source: str, target: str, *, src_dir_fd: int, dst_dir_fd: int, **_: Any) -> None:
        record.calls.append(("link from", record.named(source, src_dir_fd)))
        record.calls.append(("link to", record.named(target, dst_dir_fd)))

    def replace(source: str, target: str, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
        record.calls.append(("replace from", record.named(source, src_dir_fd)))
        record.calls.append(("replace to", record.named(target, dst_dir_fd)))

    def unlink(name: str, *, dir_fd: int | None = None) -> None:
        record.calls.append(("unlink", record.named(name, dir_fd)))

    def write(descriptor: int, content: Any) -> None:
        if bytes(content).startswith(b'{"seq":'):
            type_ = bytes(content).split(b'"type":"')[1].split(b'"')[0].decode()
            record.calls.append((f"journal {type_}", place(descriptor)))

    watch("fsync", flush)
    watch("link", link)
    watch("replace", replace)
    watch("unlink", unlink)
    watch("write", write)
    return record


async def test_nothing_happens_before_what_it_rests_on_is_on_the_disk(
    changes: Changes, pictures: Path, recorder: Recorder
) -> None:
    await changes.apply((await changes.plan(our_files(pictures), "ours", [pictures])).id)
    planned = await changes.plan(every_operation(pictures), "all", [pictures], companions(pictures))
    recorder.calls.clear()
    await changes.apply(planned.id)
    rolled = len(recorder.calls)
    await changes.rollback(planned.id)

    journals = {what.removeprefix("journal "): number for number, (what, _) in enumerate(recorder.calls) if " " in what}
    for type_ in ("applying", "backed_up", "staged", "placed", "applied", "rolling_back", "rolled_back"):
        assert recorder.calls[journals[type_] + 1][0] == "flush", f"{type_} is flushed before anything else happens"

    names = [
        (number, what, path) for number, (what, path) in enumerate(recorder.calls[:rolled]) if "journal" not in what
    ]
    in_pictures = [(number, what, path) for number, what, path in names if path.is_relative_to(pictures)]
    acts = [found for found in in_pictures if found[1] != "flush"]
    assert min(number for number, *_ in acts) > journals["applying"] + 1

    for staged in {path for _, what, path in names if what == "flush" and path.name.startswith(".proofsheet")}:
        first = recorder.position("flush", staged)
        assert first < journals["staged"] and recorder.flushed_between(staged.parent, first, journals["staged"])
    for number, what, path in acts:
        if what in ("link from", "replace from") and path.name.startswith(".proofsheet"):
            assert recorder.flushed_between(path, 0, number), f"{path.name} has its bytes before it gets its name"
        if what == "link to":
            assert journals["staged"] < number < journals["placed"]
            assert recorder.flushed_between(path.parent, number, journals["placed"]), f"the name {path.name} is durable"
        if what in ("unlink", "replace to"):
            assert journals["placed"] < number < journals["applied"], f"{path.name} goes when all new names are there"
            assert recorder.flushed_between(path.parent, number, journals["applied"])

    backups = [path for _, path in recorder.all("flush") if path.parent.name == "old"]
    assert backups and all(
        recorder.position("flush", path) < recorder.position("flush", path.parent) < journals["backed_up"]
        for path in backups
    )


async def test_a_rollback_brings_the_old_back_durably_before_it_removes_the_new(
    changes: Changes, pictures: Path, recorder: Recorder
) -> None:
    await changes.apply((await changes.plan(our_files(pictures), "ours", [pictures])).id)
    planned = await changes.plan(every_operation(pictures), "all", [pictures], companions(pictures))
    await changes.apply(planned.id)
    recorder.calls.clear()
    await changes.rollback(planned.id)

    back = {path: number for number, path in recorder.all("link to")}
    moved = {step.source: step.path for step in planned.operations if step.source and step.action == "move"}
    assert moved and set(moved) <= set(back)
    for source, target in moved.items():
        gone = recorder.position("unlink", target)
        assert back[source] < gone and recorder.flushed_between(source.parent, back[source], gone)
        rolled_back = next(number for number, (what, _) in enumerate(recorder.calls) if what == "journal rolled_back")
        assert recorder.flushed_between(target.parent, gone, rolled_back)


async def test_a_plan_is_on_the_disk_before_it_has_its_name(
    changes: Changes, pictures: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        recorder.calls.append(("rename", self))
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    planned = await changes.plan(every_operation(pictures)[:1], "one", [pictures])

    ((renamed, draft),) = recorder.all("rename")
    for part in (draft / "journal.jsonl", draft / "new" / "0", draft / "new", draft / "old", draft):
        assert recorder.position("flush", part) < renamed
    assert recorder.position("flush", draft.parent) > renamed
    assert draft.name == f".{planned.id}.draft"
