"""The worker process: told a path, it answers what one pass over that file found. `python -m engine.library.decoder`.

Relies on onepass. Lines of JSON come in on stdin and go out on what was stdout; nothing native can write there, for
that descriptor is moved away first. Its memory is bounded by the operating system, and it ends when its parent does.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any, BinaryIO

THREADS = 2
_PR_SET_PDEATHSIG = 1


def main(max_pixels: int, memory: int, threads: int = THREADS) -> None:
    """Answer until stdin ends. `memory` is the most private memory that this process may have, bytes."""
    parent = os.getppid()
    output = private_output()
    _end_with_parent(parent)
    from engine.library.onepass import study_file
    from engine.library.prints import packed

    bound(memory)
    sys.setswitchinterval(0.0005)
    lock = threading.Lock()

    def say(document: dict[str, Any]) -> None:
        line = json.dumps(document).encode("ascii") + b"\n"
        with lock:
            output.write(line)
            output.flush()

    def answer(job: int, path: str) -> None:
        from engine.library.source import UnreadableImage

        try:
            found = study_file(path, max_pixels)
            said = {
                "hash": found.content_hash,
                "facts": asdict(found.facts),
                "metadata": asdict(found.metadata.stored),
                "prints": packed(found.prints),
                "otherwise": found.otherwise,
            }
            say({"job": job, "found": said})
        except UnreadableImage as error:
            say({"job": job, "refused": [error.code, error.reason], "starved": is_starved(error)})
        except MemoryError:
            say({"job": job, "refused": ["too_large", "there is not enough memory to decode this"], "starved": True})
        except Exception as error:  # noqa: BLE001 - told to the parent, which puts it into the error log
            frames = [
                {"file": frame.filename, "line": frame.lineno, "function": frame.name}
                for frame in traceback.extract_tb(error.__traceback__)
            ]
            say({"job": job, "failed": [type(error).__name__, str(error)[:500], frames]})

    say({"ready": True})
    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        pool.submit(answer, asked["job"], asked["path"])
    os._exit(0)  # the parent is gone or done with us: what is still being decoded is of no use to anybody


def is_starved(error: BaseException) -> bool:
    """Whether it was memory that was wanting."""
    return isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError)


def private_output() -> BinaryIO:
    """What was stdout, for us alone; whatever prints from now on prints to nowhere."""
    mine = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return os.fdopen(mine, "wb")


def _end_with_parent(parent: int) -> None:
    """Even while a decoder holds the interpreter (Linux; elsewhere the end of stdin has to do)."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def bound(memory: int) -> None:
    """Have the system refuse this process more than so many bytes of private memory."""
    try:
        import resource
    except ImportError:  # not on this system
        return
    with contextlib.suppress(OSError, ValueError):  # a tighter bound is set already
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:4]))
