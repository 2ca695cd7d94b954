"""Simulated resize sessions for the demo's experiment: two prompts, one liked better, over the last four weeks.

Relies on numpy; writes one JSON Lines file. Every user is called `simulated-...`, so that nobody takes them for people.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from engine.clock import iso

FILE = "simulated_sessions.jsonl"
USERS = 1_800
DAYS = 28
_STARS = {"original": 3.35, "enhanced-v1": 3.95}  # mean of what they rate, before it is rounded to stars
_SECONDS = {"original": 2.9, "enhanced-v1": 3.3}
_ANSWERING = 0.62
_TARGETS = ((1080, 1920), (1200, 628), (1080, 1080))


def write_sessions(file: Path, now: datetime, seed: int) -> int:
    """Write the sessions as `sessions import` reads them, the oldest first; returns how many."""
    random = np.random.default_rng([seed, 5])
    names = list(_STARS)
    ages = np.sort(random.uniform(0.01, DAYS, USERS))[::-1]
    lines = []
    for number, age in enumerate(ages):
        variant = names[int(random.random() < 0.5)]
        width, height = _TARGETS[int(random.integers(len(_TARGETS)))]
        row: dict[str, Any] = {
            "user": f"simulated-{number + 1:04d}",
            "variant": variant,
            "created_at": iso(now - timedelta(days=float(age))),
            "target": {"width": width, "height": height},
            "processing_ms": round(1_000 * _SECONDS[variant] * float(random.lognormal(0, 0.35))),
            "corrections": int(random.poisson(0.6)),
        }
        if random.random() < _ANSWERING:
            row["rating"] = int(np.clip(round(random.normal(_STARS[variant], 1.05)), 1, 5))
        lines.append(json.dumps(row) + "\n")
    file.write_text("".join(lines), encoding="utf-8")
    return len(lines)
