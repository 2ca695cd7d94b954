"""For any operations on any tree: applied and taken back, everything is as it was, and untouched files never move."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from engine.changes import Changes, ChangesRefused, Copy, Create, Delete, Edit, Move, Operation, State
from engine.errors import UsageError
from engine.workspace import Workspace
from tests.engine.changes.trees import Snapshot, contents, snapshot, write

ALL_NAMES = ["a.jpg", "b.jpg", "ü.png", "x/a.jpg", "x/b.txt", "x/y/c.txt", "z/d", "- e", "x.txt", "n/m/o", "x/y/p"]
NAMES = st.sampled_from(ALL_NAMES)
CONTENT = st.binary(max_size=40)


@dataclass(frozen=True)
class Wish:
    """An operation with relative names; whether it is possible is for the room to find out."""

    kind: str
    name: str
    other: str
    content: bytes

    def under(self, root: Path) -> Operation:
        path, other = root / self.name, root / self.other
        match self.kind:
            case "edit":
                return Edit(path, self.content)
            case "create":
                return Create(path, self.content)
            case "delete":
                return Delete(path)
            case "move":
                return Move(path, other)
            case _:
                return Copy(path, other, link=self.kind == "link")


@st.composite
def wishes_for(draw: st.DrawFn, files: Collection[str]) -> list[Wish]:
    """Wishes that mostly make sense for a tree with these files; now and then one that does not."""
    free = [name for name in ALL_NAMES if name not in files]
    wishes = []
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["edit", "create", "delete", "move", "copy", "link"]))
        makes_sense = draw(st.integers(0, 9)) > 0
        existing = sorted(files) if makes_sense and files else ALL_NAMES
        name = draw(st.sampled_from(free if kind == "create" and makes_sense and free else existing))
        target = draw(st.sampled_from(free if makes_sense and free else ALL_NAMES))
        wishes.append(Wish(kind, name, target, draw(CONTENT)))
        if makes_sense and kind in ("create", "move", "copy", "link"):
            taken = name if kind == "create" else target
            free = [other for other in free if other != taken]
    return wishes


FILES = st.dictionaries(
    NAMES,
    st.tuples(CONTENT, st.sampled_from([0o600, 0o644, 0o664, 0o755, 0o444]), st.integers(10**9, 10**18)),
    min_size=3,
)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(FILES, st.data())
def test_what_is_applied_and_taken_back_leaves_no_trace(
    files: dict[str, tuple[bytes, int, int]], data: st.DataObject
) -> None:
    wishes = data.draw(wishes_for(files), label="wishes")
    with tempfile.TemporaryDirectory() as base:
        root = Path(base) / "root"
        root.mkdir()
        for name, (content, mode, mtime_ns) in files.items():
            write(root / name, content, mode=mode, mtime_ns=mtime_ns)
        before = snapshot(root)
        changes = Changes(Workspace.init(Path(base) / "workspace"))
        operations = [wish.under(root) for wish in wishes]
        try:
            planned = asyncio.run(changes.plan(operations, "any", [root], owned=proofs(root)))
        except (ChangesRefused, UsageError):
            event("refused")
            assert snapshot(root) == before
            return
        event("applied")

        asyncio.run(changes.apply(planned.id))
        after = snapshot(root)
        touched = {str(path.relative_to(root)) for step in planned.operations for path in step.touched}
        untouched = before.keys() - touched
        assert {name: after[name] for name in untouched} == {name: before[name] for name in untouched}
        assert changes.preview(planned).endswith("\n")

        asyncio.run(changes.rollback(planned.id))
        assert snapshot(root) == before


def proofs(root: Path) -> dict[Path, str]:
    """Let every file be deleted: whose it is, is tested elsewhere."""
    return {root / name: sha256(content).hexdigest() for name, content in contents(root).items() if content is not None}


class Shoot(RuleBasedStateMachine):
    """A person at work: change sets planned, applied and taken back in any order, with edits of their own in between.
    The room must always agree with a simple model: a stack of snapshots and of what each change set touched."""

    applied = Bundle("applied")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        base = Path(self._folder.name)
        self.root = base / "root"
        self.changes = Changes(Workspace.init(base / "workspace"))
        self.expected: dict[str, bytes | None] = {}

    def teardown(self) -> None:
        self._folder.cleanup()

    @initialize(files=FILES)
    def begin(self, files: dict[str, tuple[bytes, int, int]]) -> None:
        self.root.mkdir()
        for name, (content, mode, mtime_ns) in files.items():
            write(self.root / name, content, mode=mode, mtime_ns=mtime_ns)
        self.expected = contents(self.root)

    @rule(target=applied, data=st.data())
    def apply(self, data: st.DataObject) -> object:
        files = [name for name, content in self.expected.items() if content is not None]
        wishes = data.draw(wishes_for(files), label="wishes")
        before = snapshot(self.root)
        operations = [wish.under(self.root) for wish in wishes]
        try:
            planned = asyncio.run(self.changes.plan(operations, "any", [self.root], owned=proofs(self.root)))
        except (ChangesRefused, UsageError):
            event("refused")
            return multiple()
        event("applied")
        asyncio.run(self.changes.apply(planned.id))
        for wish in wishes:
            self._model(wish)
        return planned.id, before, snapshot(self.root)

    def _model(self, wish: Wish) -> None:
        """What the operation means, on names and bytes alone."""
        content = self.expected.get(wish.name)
        target = wish.other if wish.kind in ("move", "copy", "link") else wish.name
        if wish.kind in ("move", "delete"):
            del self.expected[wish.name]
        if wish.kind != "delete":
            self.expected[target] = wish.content if wish.kind in ("edit", "create") else content
        for folder in Path(target).parents[:-1]:
            self.expected.setdefault(str(folder), None)

    @rule(done=consumes(applied))
    def take_back(self, done: tuple[str, Snapshot, Snapshot]) -> None:
        id_, before, after = done
        now = snapshot(self.root)
        try:
            result = asyncio.run(self.changes.rollback(id_))
        except ChangesRefused:
            assert snapshot(self.root) == now, "a refused rollback touches nothing"
            assert now != after, "nothing had changed since, so there was no reason to refuse"
            event("rollback refused")
            return
        event("rolled back")
        assert result.state is State.ROLLED_BACK
        if now == after:
            assert snapshot(self.root) == before
        self.expected = contents(self.root)

    @rule(name=NAMES, content=CONTENT)
    def edit_by_hand(self, name: str, content: bytes) -> None:
        path = self.root / name
        if path.is_file() and path.stat().st_mode & 0o200 and path.stat().st_nlink == 1:
            path.write_bytes(content)
            self.expected[name] = content

    @invariant()
    def every_file_is_what_the_model_says(self) -> None:
        if self.root.is_dir():
            assert contents(self.root) == self.expected
            assert not asyncio.run(self.changes.recover())


Shoot.TestCase.settings = settings(
    deadline=None, max_examples=40, stateful_step_count=12, suppress_health_check=[HealthCheck.too_slow]
)
TestAPersonAtWork = Shoot.TestCase
