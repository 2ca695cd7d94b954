"""A small app to look at previews with: `python tests/tui/preview_demo.py [--images CHOICE] FILE...`.

Three previews side by side and a log line of keys. left/right: next files, t: next protocol, m: a modal, n: a
notification, z: one large, q: quit. Everything that is typed is shown, so that stray keys can be seen. With
PREVIEW_LOG, events go to that file as JSON lines.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tui.terminal import findings, probe

START = time.monotonic()


def record(event: str, **data: object) -> None:
    if log := os.environ.get("PREVIEW_LOG"):
        with Path(log).open("a") as out:
            out.write(json.dumps({"at": round(time.monotonic() - START, 3), "event": event, **data}) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", default="auto")
    parser.add_argument("--doctor", action="store_true")
    parser.add_argument("files", nargs="*", type=Path)
    args = parser.parse_args()
    terminal = probe()
    record("probe", **{k: v for k in terminal.__slots__ if (v := getattr(terminal, k)) is not None})
    if args.doctor:
        for finding in findings(terminal):
            print("✓" if finding.is_right else "·", f"{finding.name:18} {finding.value:28} {finding.remedy}")
        return
    from tests.tui.preview_app import PreviewApp

    PreviewApp(terminal, args.images, args.files, record).run()


if __name__ == "__main__":
    main()
