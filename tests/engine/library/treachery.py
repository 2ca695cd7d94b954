"""A decoder program with files that do to it what hostile ones do: by name, so that a test can say which.

It stands in for decoder.py only where a test puts it there: no file and no setting of a person's reaches it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from engine.library import children
from engine.vision import pixels

_PROGRAM = """
import os, signal, sys, time
from dataclasses import replace
import engine.library.decoder as program
import engine.library.decode as decoding, engine.library.onepass as onepass, engine.library.reading as reading
import engine.library.quick as quick
WHERE = os.environ.get("TREACHERY", "study read decode").split()
def treacherous(honest, where):
    def done(path, *more):
        name = os.path.basename(path)
        if where in WHERE:
            if name.startswith("crash"): signal.raise_signal(signal.SIGSEGV)
            if name.startswith("leave"): os._exit(7)
            if name.startswith("sleep"): time.sleep(600)
            if name.startswith("spin"): sys.setswitchinterval(1e9); [None for _ in iter(int, 1)]
            if name.startswith("killed"):
                try: os.close(os.open(path + ".twice", os.O_CREAT | os.O_EXCL)); os.kill(os.getpid(), signal.SIGKILL)
                except FileExistsError: pass
            if name.startswith("doomed"): os.kill(os.getpid(), signal.SIGKILL)
            if name.startswith("garble"): mine.write(WRONG[name.split(".")[0]]); mine.flush(); time.sleep(600)
            if name.startswith("print"): os.write(1, b"garbage"); os.write(2, b"garbage"); print("garbage", flush=True)
            if name.startswith("greedy"): bytearray(6_000_000_000)
            if name.startswith("wrong"): raise KeyError("a mistake of ours")
            if name.startswith("misread") and where == "read": return replace(honest(path, *more), width="wide")
        return honest(path, *more)
    return done
WRONG = {
    "garble_words": b"no json\\n",
    "garble_list": b"[1]\\n",
    "garble_number": b'{"job": 123456789, "found": {}}\\n',
    "garble_nothing": b'{}\\n',
    "garble_depth": b"[" * 100000 + b"\\n",
    "garble_long": b"x" * (33 << 20),
}
private_output = program.private_output
def heard():
    global mine
    mine = private_output()
    return mine
program.private_output = heard
onepass.study_file = treacherous(onepass.study_file, "study")
reading.read_image = treacherous(reading.read_image, "read")
decoding.decode = treacherous(decoding.decode, "decode")
quick.quick = treacherous(quick.quick, "decode")
from engine.library.decoder import main
from engine.vision.decoder import examine, prepare
main(*(int(each) for each in sys.argv[1:5]), more={"examine": examine, "prepare": prepare})
"""
GARBLED = ("garble_words", "garble_list", "garble_number", "garble_nothing", "garble_depth", "garble_long")
COMMAND = (sys.executable, "-c", _PROGRAM)


@contextmanager
def treachery(where: str = "study read decode") -> Iterator[None]:
    """Every decoder of this process is that program from now on; `where` says in which work it shows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(children, "COMMAND", COMMAND)
        patch.setattr(pixels, "COMMAND", COMMAND)
        patch.setattr(pixels, "_apart", {})
        patch.setenv("TREACHERY", where)
        children.end_idle()
        try:
            yield
        finally:
            children.end_idle()
