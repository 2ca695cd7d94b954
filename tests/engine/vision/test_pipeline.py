"""The pipeline: every picture comes out once, a full device is met with smaller batches, a stop is heard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.errors import ProofsheetError
from engine.library.decode import decode
from engine.library.quick import icc_profile
from engine.vision import device as devices
from engine.vision import encoders, pixels
from engine.vision.batching import Batches
from engine.vision.encoders import OutOfMemory
from engine.vision.pipeline import NOT_FINITE, Pipeline, Refused
from engine.vision.pixels import Source
from tests.engine.vision.models import saved


class FakeDevice:
    """An encoder whose device holds `room` pictures, and says so now or only when the answer is waited for."""

    id = "fake"

    def __init__(self, room: int = 1000, *, is_elsewhere: bool = False, late: bool = False, size: int = 8) -> None:
        self.room, self.is_elsewhere, self.late, self.size = room, is_elsewhere, late, size
        self.seen: list[int] = []
        self.alone: set[int] = set()
        self.threads: set[int] = set()
        self.remembered: list[int] = []

    def keep_to_cores(self, count: int) -> None:
        self.alone.add(threading.get_ident())

    def batches(self) -> Batches:
        return Batches(self.size, 64, remember=self.remembered.append)

    def finish(self, prepared: Sequence[float]) -> Callable[[], np.ndarray]:
        self.seen.append(len(prepared))
        self.threads.add(threading.get_ident())
        if len(prepared) > self.room and not self.late:
            raise OutOfMemory

        def wait() -> np.ndarray:
            if len(prepared) > self.room:
                raise OutOfMemory
            return np.array([[one, 1.0] for one in prepared], np.float32)

        return wait


def run(encoder: Any, items: Sequence[Any], prepare: Callable[[Any], Any] = float, **how: Any) -> list[Any]:
    return list(Pipeline(encoder, prepare, threads=3, **how).run(items))


@pytest.mark.parametrize("is_elsewhere", [True, False])
@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("room", [1, 3, 1000])
def test_every_picture_comes_out_once_however_little_room_there_is(is_elsewhere: bool, late: bool, room: int) -> None:
    encoder = FakeDevice(room, is_elsewhere=is_elsewhere, late=late)
    found = run(encoder, range(50))
    assert sorted(one.item for one in found) == list(range(50))
    assert all(one.vector[0] == one.item for one in found)
    if room < 8:
        assert encoder.remembered[-1] <= max(room, 1)
        assert max(encoder.seen[-5:]) <= room  # the size is kept, not found anew for each batch


def test_no_room_for_even_one_picture_is_an_error_with_the_remedy() -> None:
    with pytest.raises(ProofsheetError, match="even one picture") as refused:
        run(FakeDevice(0), range(5))
    assert "--device cpu" in refused.value.remedy


def test_what_cannot_be_prepared_is_refused_and_the_rest_goes_on() -> None:
    found = run(FakeDevice(), range(20), lambda one: Refused("torn") if one % 3 == 0 else float(one))
    assert {one.item: one.reason for one in found if one.vector is None} == dict.fromkeys(range(0, 20, 3), "torn")
    assert len(found) == 20


def test_numbers_that_are_none_are_refused_for_their_picture_alone() -> None:
    found = run(FakeDevice(), range(10), lambda one: float("nan") if one == 4 else float(one))
    assert [(one.item, one.reason) for one in found if one.vector is None] == [(4, NOT_FINITE)]


def test_a_fault_in_the_preparation_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        run(FakeDevice(), range(10), lambda one: 1 / (one - 5))


def test_a_stop_is_heard_within_a_batch() -> None:
    class Stopped(Exception):
        pass

    asked = iter(range(100))

    def check() -> None:
        if next(asked) > 12:
            raise Stopped

    found = []
    with pytest.raises(Stopped):
        for one in Pipeline(FakeDevice(), float, threads=2, check=check).run(range(1000)):
            found.append(one)
    assert len(found) < 40


@pytest.mark.parametrize("is_elsewhere", [True, False])
def test_only_a_few_batches_are_prepared_ahead(is_elsewhere: bool) -> None:
    prepared: list[int] = []
    lock = threading.Lock()

    def prepare(one: int) -> float:
        with lock:
            prepared.append(one)
        return float(one)

    encoder = FakeDevice(is_elsewhere=is_elsewhere)
    encoder.batches = lambda: Batches(8, 8)  # type: ignore[method-assign]
    pictures = Pipeline(encoder, prepare, threads=2, streams=2).run(range(1000))
    next(pictures)
    # Two that are computed, one that waits for a core, two that are prepared, and the one that has come back.
    assert len(prepared) <= 8 * (4 if is_elsewhere else 8)
    pictures.close()


def test_without_a_device_of_its_own_batches_are_computed_at_once_in_threads_of_their_own() -> None:
    barrier = threading.Barrier(2, timeout=30)  # broken, and so an error, unless two batches are computed at once

    class Meeting(FakeDevice):
        def finish(self, prepared: Sequence[float]) -> Callable[[], np.ndarray]:
            barrier.wait()
            return super().finish(prepared)

    encoder = Meeting()
    encoder.batches = lambda: Batches(5, 5)  # type: ignore[method-assign]
    found = list(Pipeline(encoder, float, threads=2, streams=2).run(range(40)))
    assert [one.item for one in found] == list(range(40))
    assert encoder.alone == encoder.threads and len(encoder.threads) == 2
    assert threading.get_ident() not in encoder.alone


def test_a_thread_keeps_to_so_many_cores_and_no_other_does() -> None:
    import torch

    usual, seen = torch.get_num_threads(), []

    def alone() -> None:
        devices.keep_to_cores(1)
        devices.keep_to_cores(1)
        seen.append(torch.get_num_threads())

    def other() -> None:
        seen.append(torch.get_num_threads())

    for work in (alone, other):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert [*seen, torch.get_num_threads()] == [1, usual, usual]


def test_batches_grow_while_it_pays_and_are_then_remembered() -> None:
    remembered: list[int] = []
    batches = Batches(8, 256, remember=remembered.append)
    rates = {8: 100.0, 16: 190.0, 32: 300.0, 64: 301.0}
    while not batches.settled:
        batches.took(batches.size, batches.size / rates[batches.size])
    assert (batches.size, remembered) == (32, [32])
    batches.took(32, 100.0)
    batches.took(5, 0.0)
    assert batches.size == 32


def test_batches_never_grow_past_what_they_may_and_shrink_when_halved() -> None:
    batches = Batches(8, 16)
    for _ in range(10):
        batches.took(batches.size, batches.size / (100.0 * batches.size))
    assert (batches.size, batches.settled) == (16, True)
    batches.halve(16)
    batches.halve(8)
    assert batches.size == 4
    batches.halve(1)
    assert batches.size == 1


def source(file: Path, orientation: int = 1) -> Source:
    with Image.open(file) as opened:
        width, height = opened.size
    if orientation >= 5:
        width, height = height, width
    state = file.stat()
    return Source(file, "h", width, height, state.st_size, state.st_mtime_ns, orientation)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_quick_way_shows_the_same_picture_as_the_library(tmp_path: Path, orientation: int) -> None:
    encoder = encoders.load(f"open_clip:local-dir:{saved(tmp_path / 'clip')}", device="cpu")
    steps = np.linspace(0, 255, 240 * 160).reshape(160, 240)
    drawn = Image.fromarray(np.stack([steps, steps[::-1], steps[:, ::-1]], 2).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    drawn.save(tmp_path / "a.jpg", quality=95, exif=exif)
    one = source(tmp_path / "a.jpg", orientation)
    quick = pixels.read(one, encoder, 10**9)
    assert isinstance(quick, Image.Image)
    slow = decode(one.path, quick.size)
    assert quick.size == slow.size
    assert np.abs(np.asarray(quick, int) - np.asarray(slow, int)).mean() < 4


def test_other_kinds_and_broken_ones_take_the_librarys_way(tmp_path: Path) -> None:
    encoder = encoders.load(f"open_clip:local-dir:{saved(tmp_path / 'clip')}", device="cpu")
    whole = Image.effect_noise((200, 150), 60).convert("RGB")
    whole.convert("CMYK").save(tmp_path / "cmyk.jpg")
    whole.convert("L").save(tmp_path / "grey.jpg")
    whole.save(tmp_path / "a.png")
    whole.save(tmp_path / "whole.jpg")
    content = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) // 2])
    for name in ("cmyk.jpg", "grey.jpg", "a.png"):
        found = pixels.read(source(tmp_path / name), encoder, 10**9)
        assert isinstance(found, Image.Image) and found.mode == "RGB", found
    assert "ends before" in str(pixels.read(source(tmp_path / "cut.jpg"), encoder, 10**9))
    assert "limit" in str(pixels.read(source(tmp_path / "whole.jpg"), encoder, 100))
    gone = source(tmp_path / "whole.jpg")
    (tmp_path / "whole.jpg").unlink()
    assert pixels.read(gone, encoder, 10**9) == pixels.Unread("the file is gone")


def test_another_colour_space_is_converted_on_the_quick_way_too(tmp_path: Path) -> None:
    from PIL import ImageCms

    encoder = encoders.load(f"open_clip:local-dir:{saved(tmp_path / 'clip')}", device="cpu")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    assert icc_profile(b"\xff\xd8" + _app2(profile, 2) + b"\xff\xda") == profile
    Image.new("RGB", (80, 60), (200, 40, 40)).save(tmp_path / "a.jpg", icc_profile=profile, quality=95)
    quick = pixels.read(source(tmp_path / "a.jpg"), encoder, 10**9)
    assert isinstance(quick, Image.Image)
    slow = decode(tmp_path / "a.jpg", quick.size)
    assert np.abs(np.asarray(quick, int) - np.asarray(slow, int)).max() <= 3


def _app2(profile: bytes, parts: int) -> bytes:
    """A profile in several APP2 segments, the last one first."""
    size = -(-len(profile) // parts)
    told = b""
    for number in range(parts, 0, -1):
        body = b"ICC_PROFILE\0" + bytes([number, parts]) + profile[(number - 1) * size : number * size]
        told += b"\xff\xe2" + (len(body) + 2).to_bytes(2, "big") + body
    return told


def test_what_the_decoder_process_prepares_is_what_the_encoder_would(tmp_path: Path) -> None:
    clip = encoders.load(f"open_clip:local-dir:{saved(tmp_path / 'clip')}", device="cpu")
    whole = Image.effect_noise((500, 380), 60).convert("RGB")
    whole.save(tmp_path / "a.jpg")
    whole.save(tmp_path / "a.png")
    for name in ("a.jpg", "a.png"):
        one = source(tmp_path / name)
        for encoder in (clip, encoders.BuiltinEncoder()):
            made, here = (
                pixels.prepared(one, encoder, 10**9),
                encoder.prepare(pixels.read(one, encoder, 10**9)),  # type: ignore[arg-type]
            )
            if encoder is clip:
                assert np.array_equal(made, here)
            else:
                assert np.array_equal(made[0], here[0])
                assert made[1] == here[1]
    (tmp_path / "a.png").write_bytes(b"no")
    assert pixels.prepared(one, clip, 10**9) == pixels.Unread("the file changed since it was scanned")
