"""`proofsheet monitor` and the pace in `runs list`, on a real workspace with a simulated run of another process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

CLI = (sys.executable, "-m", "tui.cli", "--workspace")


def run(workspace: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLI, str(workspace), *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def test_one_reading_has_nulls_for_what_there_is_not(tmp_path: Path) -> None:
    done = run(tmp_path / "workspace", "monitor", "--json")
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert set(read) == {"at", "devices", "processes", "images_per_second", "error_rate", "success_rate", "runs"}
    assert (read["images_per_second"], read["error_rate"], read["success_rate"], read["runs"]) == (None, None, None, [])
    processor = read["devices"][-1]
    assert processor["kind"] == "cpu"
    assert set(processor) == {
        "kind", "index", "name", "source", "utilisation", "memory_used", "memory_total", "temperature", "problem",
    }  # fmt: skip
    assert 0 <= processor["utilisation"] <= 1
    plain = run(tmp_path / "workspace", "monitor")
    assert plain.returncode == 0
    assert "cpu" in plain.stdout
    assert "Nothing is running." in plain.stdout


def test_watching_prints_a_document_a_line(tmp_path: Path) -> None:
    done = run(tmp_path / "workspace", "monitor", "--watch", "--every", "0.1", "--count", "3", "--json")
    assert done.returncode == 0, done.stderr
    readings = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(readings) == 3
    assert sorted(one["at"] for one in readings) == [one["at"] for one in readings]


def test_misuse_is_a_usage_error(tmp_path: Path) -> None:
    for words in (("--count", "2"), ("--every", "2"), ("--watch", "--every", "0"), ("--watch", "--count", "0")):
        assert run(tmp_path / "workspace", "monitor", *words).returncode == 2, words


def test_a_watch_ends_with_130_when_interrupted_and_shows_a_run_of_another_process(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    held = subprocess.Popen(
        [sys.executable, "-c", HELD, str(workspace)], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert held.stdout is not None
    assert held.stdout.readline().strip() == "held"
    watch = subprocess.Popen(
        [sys.executable, "-c", HEARS, "--workspace", str(workspace), "monitor", "--watch", "--every", "0.1", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watch.stdout is not None
    read = json.loads(watch.stdout.readline())
    (one,) = read["runs"]
    assert (one["kind"], one["images"], one["failed"], one["error_rate"]) == ("simulated", 5, 1, 0.2)
    assert read["processes"]["count"] >= 2, "the process that carries the run is counted too"
    listed = run(workspace, "runs", "list")
    assert "5/10" in listed.stdout
    watch.send_signal(signal.SIGINT)
    assert watch.wait(30) == 130
    held.communicate("\n", timeout=60)
    assert held.returncode == 0


#: The command line of a terminal: where tests run in the background of a shell, Ctrl+C is deaf and that is inherited.
HEARS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from tui.cli import main; main()"

#: A process that carries a simulated run until its stdin says that it may end.
HELD = """
import asyncio, sys
from pathlib import Path
from engine.engine import Engine
from engine.workspace import Workspace

def work(run):
    for number in range(5):
        run.handled(failed=int(number == 2))
    run.progress(5, 10, "simulated")
    run.flush()
    print("held", flush=True)
    sys.stdin.readline()
    return {}

async def main():
    async with Engine.open(Workspace.init(Path(sys.argv[1]))) as engine:
        engine.runs.register("simulated", work)
        await engine.runs.run("simulated", {})

asyncio.run(main())
"""
