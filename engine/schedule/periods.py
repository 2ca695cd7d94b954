"""Days, weeks and months as keys that sort by time: '2026-11-21', '2026-W47' (ISO 8601), '2026-11'. Pure.

A period begins at midnight of UTC, or of the machine's own zone. Because what is compared are dates and not hours, a
day of 23 or 25 hours is one day, and a clock that is set back brings no period a second time.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal

Every = Literal["day", "week", "month"]
Zone = Literal["utc", "local"]


def period_of(every: Every, moment: datetime, zone: Zone) -> str:
    """The key of the period that an aware moment lies in."""
    day = _day(moment, zone)
    if every == "day":
        return day.isoformat()
    if every == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    return f"{day.year}-{day.month:02d}"


def next_beginning(every: Every, moment: datetime, zone: Zone) -> datetime:
    """When the period after the moment's own begins, UTC."""
    day = _day(moment, zone)
    if every == "day":
        first = day + timedelta(days=1)
    elif every == "week":
        first = day + timedelta(days=8 - day.isoweekday())
    else:
        first = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    midnight = datetime(first.year, first.month, first.day, tzinfo=UTC if zone == "utc" else None)
    return midnight.astimezone(UTC)


def _day(moment: datetime, zone: Zone) -> date:
    return (moment.astimezone(UTC) if zone == "utc" else moment.astimezone()).date()
