"""Brittle formats are decoded in a process of their own: what a file does to it is told by name, no more."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from PIL import ImageChops

from engine.errors import ProofsheetError
from engine.library import apart
from engine.library.apart import Apart, is_brittle
from engine.library.decode import decode
from engine.library.reading import read_image
from engine.library.source import UnreadableImage
from tests.engine.library.negatives import dng
from tests.engine.library.pictures import encoded, put, scene

_TREACHEROUS = """
import os, signal, sys, time
import engine.library.decode as decoding
honest = decoding.decode
def decode(path, box, max_pixels):
    name = os.path.basename(path)
    if name.startswith("crash"): os.kill(os.getpid(), signal.SIGSEGV)
    if name.startswith("sleep"): time.sleep(600)
    if name.startswith("print"): os.write(1, b"garbage"); print("garbage", flush=True)
    if name.startswith("greedy"): bytearray(1_500_000_000)
    return honest(path, box, max_pixels)
decoding.decode = decode
from engine.library.apart_child import main
main(int(sys.argv[1]), int(sys.argv[2]))
"""


def test_what_comes_back_is_what_a_decoder_here_would_give(tmp_path: Path) -> None:
    pool = Apart(10_000_000, count=1)
    files = [put(tmp_path / f"a.{ending}", encoded(ending, 3)) for ending in ("heic", "avif", "tif")]
    files.append(put(tmp_path / "a.dng", dng(scene(1, (320, 240)))))
    for file in files:
        assert is_brittle(file)
        assert ImageChops.difference(pool.decode(file, (60, 60)), decode(file, (60, 60))).getbbox() is None
        assert pool.read(str(file)) == read_image(str(file), 10_000_000)
    assert not is_brittle(tmp_path / "a.JPG")
    with pytest.raises(UnreadableImage) as refused:
        pool.decode(put(tmp_path / "lie.heic", encoded("png")))
    assert refused.value.code == "mislabelled"
    pool.close()


def test_a_crash_a_hang_and_greed_cost_one_file(tmp_path: Path) -> None:
    pool = Apart(10_000_000, count=1, patience=2.0, command=(sys.executable, "-c", _TREACHEROUS))
    codes = {}
    for name in ("crash", "print", "sleep", "greedy", "good"):
        try:
            codes[name] = pool.decode(put(tmp_path / f"{name}.tif", encoded("tif")), (32, 32)).size[0]
        except UnreadableImage as error:
            codes[name] = error.code
    pool.close()
    assert codes == {"crash": "decoder_crash", "print": 32, "sleep": "decoder_crash", "greedy": "too_large", "good": 32}


def test_closing_lets_nobody_wait(tmp_path: Path) -> None:
    pool = Apart(10_000_000, count=1, command=(sys.executable, "-c", _TREACHEROUS))
    file = put(tmp_path / "sleep.tif", encoded("tif"))
    raised: list[BaseException] = []

    def wait() -> None:
        try:
            pool.decode(file)
        except ProofsheetError as error:
            raised.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not pool._busy:  # until the child is there
        threading.Event().wait(0.01)
    pool.close()
    waiting.join(10)
    assert not waiting.is_alive()
    assert len(raised) == 1
    assert apart.PATIENCE > 10
