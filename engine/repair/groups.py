"""Groups of errors in the store: counted by run and day, with their newest records, merged and split as a person said.

Relies on the store and on `grouping`. What is kept here is an index of `errors.jsonl`; adding records to it is one
transaction, so that a log is counted wholly up to a line or not at all.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from engine.clock import iso
from engine.repair.grouping import VERSION, Key, key_at, own_frame
from engine.repair.jsonlines import record_of
from engine.repair.record import ErrorRecord, Frame
from engine.repair.slots import template
from engine.store.database import upsert
from engine.store.schema.repair import error_counts, error_groups, error_merges

SAMPLES = 20
TREND_DAYS = 14
RECURRING_EVENTS = 3
RECURRING_RUNS = 2


@dataclass(frozen=True, slots=True)
class Group:
    """One fault and how often it struck. `daily` has a count a day for the last `TREND_DAYS`, oldest first."""

    id: str
    type: str
    title: str
    file: str
    function: str
    line: int
    count: int
    runs: int
    first_seen: str
    last_seen: str
    daily: tuple[int, ...]
    run_share: float
    seconds_lost: int | None
    samples: tuple[ErrorRecord, ...]
    rule: tuple[int, int] = (RECURRING_EVENTS, RECURRING_RUNS)  # from so many events in so many runs it recurs

    @property
    def trend(self) -> str:
        """`new`, `rising`, `falling`, `steady` or `quiet`: the last week against the one before."""
        week = TREND_DAYS // 2
        before, now = sum(self.daily[:week]), sum(self.daily[week:])
        if not now:
            return "quiet"
        if not before:
            return "new" if self.count == now else "rising"
        if now > 1.5 * before:
            return "rising"
        return "falling" if 1.5 * now < before else "steady"

    @property
    def is_recurring(self) -> bool:
        """Whether it struck often enough, in runs enough, by the rule in force."""
        events, runs = self.rule
        return self.count >= events and self.runs >= runs

    def document(self) -> dict[str, Any]:
        """The JSON form, without what only a fix pattern knows."""
        return {
            "id": self.id,
            "type": self.type,
            "title": self.title,
            "count": self.count,
            "runs": self.runs,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "trend": self.trend,
            "location": {"file": self.file, "function": self.function, "line": self.line},
            "daily": list(self.daily),
            "run_share": round(self.run_share, 4),
            "seconds_lost": self.seconds_lost,
            "recurring": self.is_recurring,
        }


@dataclass
class _Tally:
    """One group while records are counted."""

    key: Key
    count: int = 0
    first: str = ""
    last: str = ""
    seconds: float = 0.0
    frame: Frame | None = None
    by_run: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    samples: list[ErrorRecord] = field(default_factory=list)
    floor: str = ""  # records that are not newer than this have no chance of being among the newest

    def keep(self, record: ErrorRecord, at: str) -> None:
        """Keep a record of this time for as long as it is among the newest."""
        if at <= self.floor:
            return
        self.samples.append(record if record.timestamp == at else replace(record, timestamp=at))
        if len(self.samples) >= 4 * SAMPLES:
            self.samples = _newest(self.samples)
            self.floor = self.samples[-1].timestamp or ""


class Tallies:
    """Records on their way into the store: counted in memory, a few of each group kept whole."""

    def __init__(
        self,
        now: datetime,
        hand: Mapping[str, tuple[str | None, str | None]] | None = None,
        older: Collection[str] = (),
    ) -> None:
        """`hand`: see `by_hand`; `older`: see `of_older_recipes`."""
        self._now = iso(now)
        self._hand = hand or {}
        self._older = older
        self._groups: dict[str, _Tally] = {}
        self.records = 0

    def add(self, record: ErrorRecord) -> str:
        """Count one record; returns its group's id."""
        frame = own_frame(record.frames)
        own = key_at(record, frame)
        if self._older:  # a group that was made by the recipe before never moves
            before = key_at(record, frame, VERSION - 1)
            own = before if before.fingerprint in self._older else own
        group = self._by_hand(own.fingerprint, record)
        tally = self._groups.get(group)
        if tally is None:
            tally = self._groups[group] = _Tally(own)
        at = moment(record.timestamp) or self._now
        tally.count += 1
        tally.first = min(tally.first or at, at)
        tally.last = max(tally.last, at)
        lost = record.context.get("seconds")
        if isinstance(lost, int | float):
            tally.seconds += float(lost)
        tally.by_run[(record.run or record.source, at[:10])] += 1
        tally.frame = frame or tally.frame
        tally.keep(record, at)
        self.records += 1
        return group

    def samples(self) -> Iterator[tuple[str, list[ErrorRecord]]]:
        """Each group's id with its newest records, newest first."""
        return ((group, _newest(tally.samples)) for group, tally in self._groups.items())

    def write(self, connection: sa.Connection) -> set[str]:
        """Add what was counted to the store; returns the ids of the groups it touched."""
        ids = list(self._groups)
        there = {row.id: row for part in _portions(ids) for row in _rows(connection, part)}
        rows: list[dict[str, Any]] = []
        for group, tally in self._groups.items():
            old = there.get(group)
            samples = _newest([*tally.samples, *(record_of(data) for data in (old.samples if old else ()))])
            place = tally.frame or Frame("", 0, "")
            lost = int(tally.seconds) + (old.seconds_lost or 0 if old else 0)
            rows.append(
                {
                    "id": group,
                    "type": tally.key.type,
                    "title": title(tally.key.type, samples[0].message),
                    "file": place.file,
                    "function": place.function,
                    "line": place.line,
                    "count": tally.count + (old._mapping["count"] if old else 0),
                    "first_seen": min(tally.first, old.first_seen) if old else tally.first,
                    "last_seen": max(tally.last, old.last_seen) if old else tally.last,
                    "seconds_lost": lost or None,
                    "samples": [{**one.document(), "source": one.source, "line": one.line} for one in samples],
                }
            )
        columns = [column.name for column in error_groups.columns if column.name != "id"]
        upsert(connection, error_groups, rows, key=("id",), update=columns)
        self._write_counts(connection)
        return set(self._groups)

    def _write_counts(self, connection: sa.Connection) -> None:
        for group, tally in self._groups.items():
            held = {
                (row.run, row.day): row._mapping["count"]
                for row in connection.execute(sa.select(error_counts).where(error_counts.c.group_id == group))
            }
            rows = [
                {"group_id": group, "run": run, "day": day, "count": count + held.get((run, day), 0)}
                for (run, day), count in tally.by_run.items()
            ]
            upsert(connection, error_counts, rows, key=("group_id", "run", "day"), update=("count",))

    def _by_hand(self, group: str, record: ErrorRecord) -> str:
        """Where a person's merges and splits lead. A split goes by what the message says, or by the run."""
        for _step in range(20):
            into, split_by = self._hand.get(group, (None, None))
            if into is not None:
                group = into
            elif split_by is not None:
                version = VERSION if group.startswith(f"v{VERSION}-") else VERSION - 1
                part = template(record.type, record.message, version) if split_by == "message" else record.source
                return f"{group}-{hashlib.sha256(part.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"
            else:
                break
        return group


def of_older_recipes(connection: sa.Connection) -> frozenset[str]:
    """The ids of groups that were made by the recipe before, merged and split ones too."""
    begins = f"v{VERSION - 1}-"
    query = sa.select(error_groups.c.id).where(error_groups.c.id.startswith(begins))
    return frozenset([*connection.execute(query).scalars(), *(one for one in by_hand(connection) if one[:3] == begins)])


def by_hand(connection: sa.Connection) -> dict[str, tuple[str | None, str | None]]:
    """Group id -> (the group it was merged into, what it was split by); one of the two is None."""
    return {row.group_id: (row.into_id, row.split_by) for row in connection.execute(sa.select(error_merges))}


def listing(
    connection: sa.Connection,
    today: date,
    *,
    ids: Iterable[str] | None = None,
    with_samples: bool = False,
    rule: tuple[int, int] = (RECURRING_EVENTS, RECURRING_RUNS),
) -> list[Group]:
    """Every group (or those of `ids`), most frequent first; one recurs from `rule`, (events, runs)."""
    wanted = None if ids is None else list(ids)
    since = today - timedelta(days=TREND_DAYS - 1)
    days = [(since + timedelta(days=step)).isoformat() for step in range(TREND_DAYS)]
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    recent = sa.select(error_counts.c.group_id, error_counts.c.day, sa.func.sum(error_counts.c.count)).where(
        error_counts.c.day >= days[0]
    )
    for group, day, count in connection.execute(recent.group_by(error_counts.c.group_id, error_counts.c.day)):
        counts[group][day] = int(count)
    of_runs = sa.select(error_counts.c.group_id, sa.func.count(error_counts.c.run.distinct()))
    runs = {group: int(count) for group, count in connection.execute(of_runs.group_by(error_counts.c.group_id))}
    all_runs = int(connection.execute(sa.select(sa.func.count(error_counts.c.run.distinct()))).scalar() or 0)
    columns = [column for column in error_groups.columns if with_samples or column.name != "samples"]
    query = sa.select(*columns).order_by(error_groups.c.count.desc(), error_groups.c.id)
    if wanted is not None:
        query = query.where(error_groups.c.id.in_(wanted))
    return [
        Group(
            row.id,
            row.type,
            row.title,
            row.file,
            row.function,
            row.line,
            int(row._mapping["count"]),
            runs.get(row.id, 0),
            row.first_seen,
            row.last_seen,
            tuple(counts[row.id].get(day, 0) for day in days),
            runs.get(row.id, 0) / all_runs if all_runs else 0.0,
            row.seconds_lost,
            tuple(record_of(data) for data in row.samples) if with_samples else (),
            rule,
        )
        for row in connection.execute(query)
    ]


def title(type_name: str, message: str) -> str:
    """A line for people: the exception and what its message says, shortened."""
    said = template(type_name, message)
    return f"{type_name}: {said}"[:160] if said else type_name


@lru_cache(maxsize=4096)  # records of one run come in one second
def moment(text: str | None) -> str | None:
    """A log's time as ISO 8601 in UTC, whichever of the usual forms it has; a time without offset is taken as UTC."""
    if not text:
        return None
    text = text.strip()
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        seconds = seconds / 1000 if seconds > 1e11 else seconds
        return iso(datetime.fromtimestamp(seconds, UTC)) if 0 < seconds < 4e9 else None
    try:
        when = datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        return None
    return iso(when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC))


def _newest(records: Sequence[ErrorRecord]) -> list[ErrorRecord]:
    return sorted(records, key=lambda one: one.timestamp or "", reverse=True)[:SAMPLES]


def _rows(connection: sa.Connection, ids: Sequence[str]) -> Sequence[sa.Row[Any]]:
    return connection.execute(sa.select(error_groups).where(error_groups.c.id.in_(ids))).all()


def _portions(ids: Sequence[str], size: int = 500) -> Iterable[Sequence[str]]:
    return (ids[at : at + size] for at in range(0, len(ids), size))


def move(connection: sa.Connection, group_ids: Sequence[str], into: str) -> None:
    """Give another group these groups' counts and records; the groups themselves are left without any."""
    own = {row.id: row for row in _rows(connection, [*group_ids, into])}
    target = own[into]
    others = [own[group] for group in group_ids]
    samples = _newest([record_of(data) for row in (target, *others) for data in row.samples])
    values = {
        "count": sum(row._mapping["count"] for row in (target, *others)),
        "first_seen": min(row.first_seen for row in (target, *others)),
        "last_seen": max(row.last_seen for row in (target, *others)),
        "samples": [{**one.document(), "source": one.source, "line": one.line} for one in samples],
    }
    connection.execute(sa.update(error_groups).where(error_groups.c.id == into).values(values))
    counts: dict[tuple[str, str], int] = defaultdict(int)
    of_all = sa.select(error_counts).where(error_counts.c.group_id.in_([*group_ids, into]))
    for row in connection.execute(of_all):
        counts[(row.run, row.day)] += row._mapping["count"]
    connection.execute(sa.delete(error_counts).where(error_counts.c.group_id.in_([*group_ids, into])))
    rows = [{"group_id": into, "run": run, "day": day, "count": count} for (run, day), count in counts.items()]
    upsert(connection, error_counts, rows, key=("group_id", "run", "day"), update=("count",))
