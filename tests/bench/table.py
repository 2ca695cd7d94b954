"""One row a figure: what was measured, the figure to reach, what came out."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """`is_reached` is None where the figure has no bound of its own."""

    what: str
    target: str
    measured: str
    is_reached: bool | None = None


def markdown(rows: Iterable[Row]) -> str:
    """The table as the README holds it, dated."""
    lines = [
        f"Measured {date.today().isoformat()} on {_machine()}.",
        "",
        "| what | to reach | measured |",
        "|---|---|---|",
    ]
    for row in rows:
        mark = {True: " ✓", False: " ✗", None: ""}[row.is_reached]
        lines.append(f"| {row.what} | {row.target} | {row.measured}{mark} |")
    return "\n".join(lines)


def percentile(values: Iterable[float], share: float) -> float:
    """The value that `share` (0 to 1) of the sorted values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _machine() -> str:
    name = platform.processor() or platform.machine()
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            name = next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{os.cpu_count()} cores ({name}), Python {platform.python_version()}"
