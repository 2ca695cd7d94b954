"""Temporary folders of a killed process are cleared away by the next; nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.repair.scratch import clear_away, scratch

HOLDS = """
import sys, time
from engine.repair.scratch import scratch
with scratch("trial") as folder:
    (folder / "large").write_bytes(b"x" * 1000)
    print(folder, flush=True)
    time.sleep(600)
"""


def test_the_folder_of_a_killed_process_goes_with_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS], env={**os.environ, "TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    held = Path(holder.stdout.readline().strip())
    with scratch("proof") as own:
        assert (held / "large").exists() and own.is_dir()
    assert not own.exists()
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    assert held.exists()
    with scratch("trial"):
        assert not held.exists()


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    gone = max(int(Path("/proc/sys/kernel/pid_max").read_text()) if Path("/proc").exists() else 99_999, 99_999) + 1
    (tmp_path / "proofsheet-trial-mine").mkdir()
    (tmp_path / "other-trial-1-x").mkdir()
    (tmp_path / f"proofsheet-trial-{os.getpid()}-lives").mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / f"proofsheet-trial-{gone}-link").symlink_to(elsewhere)
    (tmp_path / f"proofsheet-trial-{gone}-left").mkdir()
    assert clear_away(tmp_path) == [f"proofsheet-trial-{gone}-left"]
    assert len(list(tmp_path.iterdir())) == 5
