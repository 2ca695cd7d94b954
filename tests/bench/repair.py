"""The figures of the repair room: grouping against the truth, and suggesting over a large log. Simulated errors."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.table import Row

ROOT = Path(__file__).resolve().parent.parent.parent
CAUSES = 50


def repair(folder: Path) -> list[Row]:
    """Adjusted Rand index over 10,000 records of 50 causes; reading 10,000 tracebacks of plain text; time and memory of
    `fix suggest` over 100,000."""
    return [grouping(), reading(), suggesting(folder)]


def grouping() -> Row:
    """Simulated records with noise in messages, moved lines and renamed folders."""
    from sklearn.metrics import adjusted_rand_score

    from engine.repair.grouping import key
    from tests.engine.repair.generated import records

    made, truth = records(10_000, CAUSES)
    index = float(adjusted_rand_score(truth, [key(one).fingerprint for one in made]))
    return Row(
        f"grouping 10,000 simulated records of {CAUSES} causes, adjusted Rand index",
        "≥ 0.98",
        f"{index:.4f}",
        index >= 0.98,
    )


def reading() -> Row:
    """Plain text without a time anywhere: nothing tells when, and looking for it must cost little."""
    from engine.repair.ingest import read_lines

    count = 10_000
    lines: list[str] = []
    for number in range(count):
        lines += [
            "Traceback (most recent call last):\n",
            *(
                f'  File "/srv/app/step_{frame}.py", line {number % 90 + 1}, in step\n    value = step(given)\n'
                for frame in range(6)
            ),
            f"ValueError: row {number} cannot be read\n",
        ]
    lines = "".join(lines).splitlines(keepends=True)
    begun = time.process_time()
    found = sum(1 for _ in read_lines(lines, "simulated.log"))
    seconds = time.process_time() - begun
    return Row(
        f"reading {count:,} simulated tracebacks of plain text, CPU",
        "≤ 2 s",
        f"{seconds:.2f} s ({found:,} records)",
        seconds <= 2 and found == count,
    )


def suggesting(folder: Path) -> Row:
    """The command as a person calls it, in a process of its own, from the log to the proposals."""
    from tests.engine.repair.generated import records

    app = folder / "app"
    app.mkdir(parents=True)
    made, _ = records(100_000, CAUSES)
    code: dict[str, set[str]] = {}
    for one in made[: 20 * CAUSES]:
        frame = next(frame for frame in reversed(one.frames) if "json/decoder" not in frame.file)
        code.setdefault(frame.file.replace("\\", "/").rpartition("/")[2], set()).add(frame.code)
    for name, lines in code.items():  # projects in which those lines stand, so that every pattern has work
        body = "\n".join(
            f"def step_{number}(**given):\n    {line}" + _rest(line) for number, line in enumerate(sorted(lines))
        )
        (app / name).write_text(f"{body}\n", encoding="utf-8")
    log = folder / "errors.jsonl"
    with log.open("w", encoding="utf-8") as file:
        for number, one in enumerate(made):
            line = {
                **one.document(),
                "run": f"run-{number % 7}",
                "timestamp": f"2026-11-{number % 20 + 1:02d}T10:00:00Z",
            }
            file.write(json.dumps(line) + "\n")
    words = ["-w", str(folder / "work"), "fix", "suggest", "--root", str(app), "--errors", str(log), "--json"]
    command = ["/usr/bin/time", "-f", "%M", sys.executable, "-m", "tui.cli", *words]
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    seconds = time.perf_counter() - begun
    peak = int(done.stderr.strip().splitlines()[-1]) / 1024
    found = json.loads(done.stdout)
    count = f"{len(found['fixes'])} fixes, {len(found['unmatched'])} flagged"
    return Row(
        "`fix suggest` over 100,000 simulated error records, reading the log included",
        "≤ 20 s, ≤ 500 MB",
        f"{seconds:.1f} s, {peak:.0f} MB ({count})",
        seconds <= 20 and peak <= 500,
    )


def _rest(line: str) -> str:
    """What makes a line a whole statement."""
    return "\n        pass" if line.endswith(":") else ""
