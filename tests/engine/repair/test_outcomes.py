"""What becomes of fixes that were applied: kept, taken back, recurred, and what is learned from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.engine import Engine
from engine.repair import Repair
from engine.repair.fix import Fix, FixState
from tests.engine.repair.workshop import (
    MENDED,
    TESTS,
    project,
    proposed,
    with_patterns,
)


async def test_keeping_and_not_recurring_are_told_apart_and_one_recurrence_demotes(
    engine: Engine, tmp_path: Path
) -> None:
    now = [datetime(2026, 11, 20, 12, tzinfo=UTC)]
    engine.repair = Repair(
        *(engine.workspace, engine.settings, engine.store, engine.runs, engine.review, engine.changes),
        clock=lambda: now[0],
    )
    with_patterns(engine)
    root = project(tmp_path / "app")
    (fix,) = await proposed(engine, root)
    await engine.repair.fixes.apply([fix.id], tests=TESTS)
    assert await counted(engine, fix) == {"tests": [True]}
    for number in range(3):
        now[0] += timedelta(days=1)
        other = tmp_path / f"run{number}.log"
        other.write_text('Traceback (most recent call last):\n  File "x.py", line 1, in f\n    f()\nOddError: y\n')
        await engine.repair.ingest([other])
    assert await counted(engine, fix) == {"tests": [True], "recurrence": [True]}
    now[0] += timedelta(days=5)
    assert await counted(engine, fix) == {"tests": [True], "recurrence": [True], "kept": [True]}
    kept = await engine.repair.fixes.get(fix.id)
    assert (kept.state, round(kept.confidence, 3)) == (FixState.APPLIED, 0.224)
    again = tmp_path / "again.log"
    again.write_text(
        f'Traceback (most recent call last):\n  File "{root}/stats.py", line 3, in mean\n'
        "    return total / (len(values) or 1)\nZeroDivisionError: division by zero\n"
    )
    now[0] += timedelta(days=1)
    await engine.repair.ingest([again])
    assert (await counted(engine, fix))["recurrence"] == [True, False]
    failed = await engine.repair.fixes.get(fix.id)
    assert failed.state is FixState.RECURRED
    assert failed.confidence < 0.05


async def test_a_report_asks_what_was_kept_and_what_is_taken_back_later_was_not(engine: Engine, tmp_path: Path) -> None:
    now = [datetime(2026, 11, 20, 12, tzinfo=UTC)]
    engine.repair = Repair(
        *(engine.workspace, engine.settings, engine.store, engine.runs, engine.review, engine.changes),
        clock=lambda: now[0],
    )
    with_patterns(engine)
    (fix,) = await proposed(engine, project(tmp_path / "app"))
    await engine.repair.fixes.apply([fix.id], tests=TESTS)

    async def told() -> tuple[int, int]:
        kept = (await engine.repair.report())["outcomes"]["kept"]
        return kept["good"], kept["of"]

    now[0] += timedelta(days=6)
    assert await told() == (0, 0)
    now[0] += timedelta(days=2)
    assert await told() == (1, 1)
    await engine.repair.fixes.rollback(fix.id)
    assert await told() == (0, 1)


async def counted(engine: Engine, fix: Fix) -> dict[str, list[bool]]:
    from engine.repair.outcomes import read

    await engine.repair.fixes.settle()
    told: dict[str, list[bool]] = {}
    for one in await engine.store.read(read):
        if one.fix == fix.id:
            told.setdefault(one.kind, []).append(one.is_success)
    return told


async def test_twenty_eight_clean_successes_let_a_safe_fix_be_applied_by_itself(engine: Engine, tmp_path: Path) -> None:
    from engine.repair import ledger

    root = project(tmp_path / "app")
    (fix,) = await proposed(engine, root)

    async def note(number: int, kind: str, good: bool = True) -> None:
        other = Fix(**{**{name: getattr(fix, name) for name in Fix.__slots__}, "id": f"fix-{number:012d}"})

        def write(connection: object) -> None:
            ledger.put(connection, [other], "2026-01-01T00:00:00.000000Z")  # type: ignore[arg-type]
            ledger.note(connection, other, kind, good, "2026-01-01T00:00:00.000000Z")  # type: ignore[arg-type]

        await engine.store.write(write)

    for number in range(27):
        await note(number, "tests")
        await note(number, "kept")
        await note(number, "recurrence")
    assert not (await engine.repair.fixes.get(fix.id)).auto_eligible
    await note(27, "kept")
    assert (await engine.repair.fixes.get(fix.id)).auto_eligible
    await note(28, "tests", good=False)
    demoted = await engine.repair.fixes.apply([fix.id], auto_approve=True, tests=TESTS)
    assert "28 more must hold" in demoted.refused[0][1]
    for number in range(30, 58):
        await note(number, "recurrence")
    done = await engine.repair.fixes.apply([fix.id], auto_approve=True, tests=TESTS)
    assert done.applied == (fix.id,)
    assert (root / "stats.py").read_bytes() == MENDED


async def test_a_rollback_through_the_change_set_is_noticed(engine: Engine, tmp_path: Path) -> None:
    root = project(tmp_path / "app")
    (fix,) = await proposed(engine, root)
    done = await engine.repair.fixes.apply([fix.id], tests=TESTS)
    await engine.changes.rollback(done.change_sets[0])
    assert [one.state for one in await engine.repair.fixes.every()] == [FixState.ROLLED_BACK]
    assert (await counted(engine, fix))["kept"] == [False]
