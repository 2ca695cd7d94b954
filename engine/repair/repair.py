"""The repair room's door."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.changes import Changes
from engine.clock import Clock, iso, utc_now
from engine.errors import UsageError
from engine.repair import groups as grouped
from engine.repair import report as reporting
from engine.repair import report_words
from engine.repair.fixes import Fixes, Observed
from engine.repair.groups import SAMPLES, Group
from engine.repair.logs import Ingested, read_on
from engine.repair.record import ErrorRecord
from engine.repair.trials import Limits
from engine.review import Review
from engine.runs import Runs
from engine.settings import Settings
from engine.store import Store
from engine.store.database import upsert
from engine.store.schema.repair import error_groups, error_merges
from engine.workspace import Workspace


class Repair:
    """Every recurring error of one workspace, and the fixes proposed for it."""

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        store: Store,
        runs: Runs,
        review: Review,
        changes: Changes,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._workspace = workspace
        self._settings = settings
        self._store = store
        self._runs = runs
        self._review = review
        self._changes = changes
        self._clock = clock
        observed = Observed(self._read_again, self.groups)
        limits = Limits(settings.fix_tests_seconds)
        self.fixes = Fixes(workspace, store, review, changes, observed, clock, limits=limits)

    @property
    def own_log(self) -> Path:
        """This engine's own `errors.jsonl`."""
        return self._workspace.logs / "errors.jsonl"

    # -- observing ------------------------------------------------------------------------------------------------

    async def ingest(self, files: Sequence[Path]) -> Ingested:
        """Read error logs, each from where it was left. Raises UsageError for a file that cannot be read.

        Each file is one transaction: counted wholly or not at all.
        """
        _check_there(files)
        return _together([await self._read_on(file) for file in files])

    async def catch_up(self) -> Ingested:
        """Count what this engine itself met since the last look."""
        logs = sorted(self.own_log.parent.glob("errors*.jsonl"))
        return _together([await self._read_on(log) for log in logs])

    async def groups(self, ids: Sequence[str] | None = None, *, with_samples: bool = False) -> list[Group]:
        """Every group (or those of `ids`), most frequent first; `with_samples` brings their newest records."""
        await self.catch_up()
        today = self._clock().date()
        rule = (self._settings.recurring_events, self._settings.recurring_runs)
        return await self._store.read(
            partial(grouped.listing, today=today, ids=ids, with_samples=with_samples, rule=rule)
        )

    async def group(self, group_id: str) -> Group:
        """One group with its newest records. Raises UsageError for an id that is none."""
        found = await self.groups([group_id], with_samples=True)
        if not found:
            raise UsageError(f"there is no group {group_id}", remedy="`proofsheet errors list` names them.")
        return found[0]

    async def merge(self, group_ids: Sequence[str], into: str) -> None:
        """Remember that these groups are one fault: their errors, past and to come, count for `into`."""
        for group_id in (*group_ids, into):
            await self.group(group_id)
        if into in group_ids:
            raise UsageError(f"{into} cannot be merged into itself")
        await self._store.write(partial(self._merge, group_ids=list(group_ids), into=into), durable=True)

    async def split(self, group_id: str, by: str = "message") -> None:
        """Remember that a group is several faults: from now on its errors are told apart by `message` or `run`."""
        if by not in ("message", "run"):
            raise UsageError(f"a group is split by 'message' or 'run', not by '{by}'")
        await self.group(group_id)
        row = {
            "group_id": group_id,
            "into_id": None,
            "split_by": by,
            "actor": self._settings.actor,
            "at": iso(self._clock()),
        }
        columns = ("into_id", "split_by", "actor", "at")
        await self._store.write(
            lambda connection: upsert(connection, error_merges, [row], key=("group_id",), update=columns), durable=True
        )

    async def report(self) -> dict[str, Any]:
        """How things go over time: see `engine.repair.report`."""
        await self.fixes.settle()  # so that it tells of what became of them by now
        groups = await self.groups()
        now = self._clock()
        build = partial(reporting.build, logs=self._workspace.logs, groups=groups, today=now.date(), now=iso(now))
        made = await self._store.read(build)
        top = await self.groups([one["id"] for one in made["top"]], with_samples=True)
        fixable = await self.fixes.recognise(top)
        return made | {"top": [{**one, "fixable": fixable.get(one["id"])} for one in made["top"]]}

    async def write_report(self) -> tuple[dict[str, Any], list[Path]]:
        """The report, and the files it was written to: `logs/improvement_report_<stamp>` as .txt, .md and .json."""
        report = await self.report()
        stamp = report["at"][:19].replace("-", "").replace(":", "")
        forms = {
            "txt": report_words.text(report),
            "md": report_words.markdown(report),
            "json": json.dumps(report, ensure_ascii=False, indent=2) + "\n",
        }
        files = []
        for form, said in forms.items():
            file = self._workspace.logs / f"improvement_report_{stamp}.{form}"
            await asyncio.to_thread(file.write_text, said, encoding="utf-8")
            files.append(file)
        return report, files

    async def _read_on(self, file: Path, *, again: bool = False) -> Ingested:
        now = self._clock()
        return await self._store.write(lambda connection: read_on(connection, file, now, again=again))

    async def _read_again(self, files: Sequence[Path]) -> Ingested:
        """Count what is new in these logs, and hand out the records of each from its beginning."""
        _check_there(files)
        return _together([await self._read_on(file, again=True) for file in files])

    def _merge(self, connection: sa.Connection, group_ids: list[str], into: str) -> None:
        at = iso(self._clock())
        rows = [
            {"group_id": one, "into_id": into, "split_by": None, "actor": self._settings.actor, "at": at}
            for one in group_ids
        ]
        columns = ("into_id", "split_by", "actor", "at")
        upsert(connection, error_merges, rows, key=("group_id",), update=columns)
        grouped.move(connection, group_ids, into)
        connection.execute(sa.delete(error_groups).where(error_groups.c.id.in_(group_ids)))


def _check_there(files: Sequence[Path]) -> None:
    for file in files:
        if not file.is_file():
            raise UsageError(f"there is no file {file}", remedy="Name log files: proofsheet errors ingest run.log")


def _together(found: Sequence[Ingested]) -> Ingested:
    samples: dict[str, list[ErrorRecord]] = {}
    for one in found:
        for group, records in one.samples.items():
            samples[group] = [*samples.get(group, ()), *records][:SAMPLES]
    return Ingested(
        sum(one.records for one in found),
        frozenset(group for one in found for group in one.groups),
        tuple(skipped for one in found for skipped in one.skipped),
        samples,
    )
