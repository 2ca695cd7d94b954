"""The decoder process: told a file and what is wanted of it, it answers. `python -m engine.library.decoder`.

Relies on onepass, reading, decode and quick, each loaded when it is first asked for. Lines of JSON come in on stdin and
go out on what was stdout (that a job was begun, then its answer), pixels through the memory shared with the parent;
nothing native can write to the terminal, for those descriptors are moved away first. Its memory is bounded by the
operating system, it leaves no core file, and it ends when its parent does.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from PIL.Image import Image

Answer = Callable[[dict[str, Any], int], dict[str, Any]]

THREADS = 2
_PR_SET_PDEATHSIG = 1
_STRIP = 8 * 1024 * 1024  # bytes of pixels that are written at once


def main(memory: int, threads: int, shared: int, parent: int, *, more: Mapping[str, Answer] | None = None) -> None:
    """Answer until stdin ends. `memory` is the most private memory that this process may have, bytes; `shared` the
    descriptor that pixels are written to, for which reason a parent asks for one picture at a time. `more` is what a
    room above can be asked for besides, by name."""
    output = private_output()
    end_with(parent)
    import engine.library.decode  # noqa: F401 - what every request needs, and what takes its time

    bound(memory)
    sys.setswitchinterval(0.0005)
    lock = threading.Lock()

    def say(document: dict[str, Any]) -> None:
        line = json.dumps(document).encode("ascii") + b"\n"
        with lock:
            output.write(line)
            output.flush()

    def answer(asked: dict[str, Any]) -> None:
        from engine.library.source import UnreadableImage

        job = asked["job"]
        say({"began": job})
        try:
            wanted = (more or {}).get(asked["do"], found)
            say({"job": job, "found": wanted(asked, shared)})
        except UnreadableImage as error:
            starved = is_starved(error)
            say({"job": job, "refused": [error.code, error.reason], "starved": starved, "pixels": error.pixels})
        except MemoryError:
            refused = ["too_large", "there is not enough memory to decode this"]
            say({"job": job, "refused": refused, "starved": True, "pixels": 0})
        except Exception as error:  # noqa: BLE001 - told to the parent, which puts it into the error log
            frames = [
                {"file": frame.filename, "line": frame.lineno, "function": frame.name}
                for frame in traceback.extract_tb(error.__traceback__)
            ]
            say({"job": job, "failed": [type(error).__name__, str(error)[:500], frames]})

    say({"ready": True})
    if threads == 1:
        for line in sys.stdin.buffer:
            answer(json.loads(line))
    else:
        pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        for line in sys.stdin.buffer:
            pool.submit(answer, json.loads(line))
    os._exit(0)  # the parent is gone or done with us: what is still being decoded is of no use to anybody


def found(asked: dict[str, Any], shared: int) -> dict[str, Any]:
    """What is wanted of a file: `study`, `read`, `describe`, `size`, or `decode` to pixels. Raises UnreadableImage."""
    wanted, path, most = asked["do"], asked["path"], asked["max_pixels"]
    if wanted == "study":
        return _studied(path, most)
    if wanted == "read":
        from engine.library.reading import read_image

        return asdict(read_image(path, most))
    if wanted == "describe":
        from engine.library.metadata import read_metadata

        kind, said = read_metadata(path)
        return {"kind": kind, "said": asdict(said)}
    if wanted == "size":
        from engine.library.decode import size_of

        return {"size": size_of(path, most)}
    picture = picture_of(asked)
    return {"size": picture.size, "bytes": _shared(picture, shared)}


def _studied(path: str, max_pixels: int) -> dict[str, Any]:
    from engine.library.onepass import study_file
    from engine.library.prints import packed

    made = study_file(path, max_pixels)
    return {
        "hash": made.content_hash,
        "facts": asdict(made.facts),
        "metadata": asdict(made.metadata.stored),
        "prints": packed(made.prints),
        "otherwise": made.otherwise,
    }


def picture_of(asked: dict[str, Any]) -> Image:
    """The picture that is asked for: `path`, `box`, `quick`, `max_pixels`. Raises UnreadableImage."""
    from engine.library.decode import decode
    from engine.library.quick import quick

    path, most = asked["path"], asked["max_pixels"]
    box = tuple(asked["box"]) if asked["box"] else None
    picture = quick(path, box, most, asked["quick"]) if box and asked["quick"] else None
    return picture or decode(path, box, most)


def _shared(picture: Image, shared: int) -> int:
    """Put RGB pixels, rows from the top, at the beginning of the shared memory; how many bytes these are."""
    width, height = picture.size
    rows = max(1, _STRIP // (3 * width))
    at = 0
    for top in range(0, height, rows):
        strip = picture if rows >= height else picture.crop((0, top, width, min(height, top + rows)))
        left = memoryview(strip.tobytes())
        while left:
            written = os.pwrite(shared, left, at)
            at, left = at + written, left[written:]
    return at


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


def end_with(parent: int) -> None:
    """End when the parent does, even while a decoder holds the interpreter (Linux); elsewhere, while it does not."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


def bound(memory: int) -> None:
    """Have the system refuse this process more than so many bytes of private memory, and core files of a crash."""
    try:
        import resource
    except ImportError:  # not on this system
        return
    for what, most in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(OSError, ValueError):  # a tighter bound is set already
            resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:5]))
