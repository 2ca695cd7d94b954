"""errors.jsonl: whole lines whoever writes, and one fingerprint for one kind of error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from engine.logs.errors import ErrorLog, ErrorRecord, refusal


def test_records_are_appended_whole_and_a_line_cut_short_costs_itself_only(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "errors.jsonl"
    log = ErrorLog(file)
    assert log.append([]) == 0
    assert not file.exists()
    log.append([refusal("/a/b.jpg", "truncated", "ends early", operation="scan", run="r1")])
    with file.open("a") as opened:
        opened.write('{"half')
    log.append([refusal("/a/ü.jpg", "bomb", "4,000 x 4,000", operation="study")])
    first, half, last = file.read_text().splitlines()
    assert half == '{"half'
    assert json.loads(first)["run"] == "r1"
    assert json.loads(last)["context"] == {"file": "/a/ü.jpg", "operation": "study"}
    assert json.loads(last)["versions"]["pillow"]


def test_errors_that_differ_only_in_numbers_and_paths_are_of_one_kind() -> None:
    def one(message: str, kind: str = "truncated", function: str = "f") -> str:
        frames = [{"file": "a.py", "line": len(message), "function": function}]
        return ErrorRecord(kind, message, frames=frames, context={"operation": "scan"}).fingerprint

    assert one("ends at 1,234 bytes in /a/b.jpg") == one("ends at 99 bytes in /c/d.png")
    assert len({one("ends"), one("begins"), one("ends", "corrupt"), one("ends", function="g")}) == 4


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    file = tmp_path / "errors.jsonl"
    code = (
        "import sys; from pathlib import Path; from engine.logs.errors import ErrorLog, refusal\n"
        "log = ErrorLog(Path(sys.argv[1]))\n"
        "for at in range(20): log.append(refusal(f'/{at}', 'corrupt', 'x' * 9000, operation='scan') for _ in range(3))\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(file)]) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len([json.loads(line) for line in file.read_text().splitlines()]) == 180
