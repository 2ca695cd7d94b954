"""The process behind `apart`: told a path, it answers with the picture's pixels, or with what a scan wants to know.

Relies on decode and reading. A line of JSON comes in on stdin; a line goes out on what was stdout, and behind it as
many bytes of pixels as the line says. Its memory is bounded by the operating system, and it ends when its parent does.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import asdict
from typing import Any

from engine.library.decoder import bound, is_starved, private_output


def main(max_pixels: int, memory: int) -> None:
    """Answer until stdin ends. `memory` is the most private memory that this process may have, bytes."""
    parent = os.getppid()
    output = private_output()
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    from engine.library.decode import decode
    from engine.library.reading import read_image
    from engine.library.source import UnreadableImage

    bound(memory)

    def answered(asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        try:
            if asked["do"] == "read":
                return {"reading": asdict(read_image(asked["path"], max_pixels))}, b""
            picture = decode(asked["path"], tuple(asked["box"]) if asked["box"] else None, max_pixels)
            return {"size": picture.size}, picture.tobytes()
        except UnreadableImage as error:
            return {"refused": [error.code, error.reason], "starved": is_starved(error)}, b""
        except MemoryError:
            refused = ["too_large", "there is not enough memory to decode this"]
            return {"refused": refused, "starved": True}, b""

    output.write(b"{}\n")
    output.flush()
    for line in sys.stdin.buffer:
        said, pixels = answered(json.loads(line))
        output.write(json.dumps({**said, "bytes": len(pixels)}).encode("ascii") + b"\n" + pixels)
        output.flush()
    os._exit(0)


def _end_with(parent: int) -> None:
    """Also while a decoder does not come back to see that stdin has ended."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:3]))
