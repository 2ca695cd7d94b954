"""The preview service: what is made, kept, dropped and refused, and in which thread."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from engine.errors import ProofsheetError
from tests.tui.test_encoders import read_half_row, read_sixel
from tui.images import PreviewRefused, PreviewService
from tui.imaging.render import open_plainly
from tui.terminal import Terminal

TERMINAL = Terminal(protocol="half", cell=(10, 20), has_sixel=True, cell_is_known=True, rtt_ms=1.0, answered=True)
RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """80x40 pixels, left half red, right half blue, so that it fills 8x2 cells of 10x20 pixels exactly."""
    image = Image.new("RGB", (80, 40), RED)
    image.paste(BLUE, (40, 0, 80, 40))
    path = tmp_path / "two.png"
    image.save(path)
    return path


class Studio:
    """A decode function that can be held, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Path] = []
        self.threads: set[str] = set()
        self.boxes: list[tuple[int, int]] = []
        self.priorities: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.began = threading.Event()

    def __call__(self, path: Path, box: tuple[int, int]) -> Image.Image:
        self.asked.append(path)
        self.boxes.append(box)
        self.threads.add(threading.current_thread().name)
        if sys.platform == "linux":
            self.priorities.add(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        self.began.set()
        assert self.gate.wait(10)
        return open_plainly(path, box)


async def test_a_preview_shows_the_image(picture: Path) -> None:
    service = PreviewService(open_plainly, TERMINAL)
    preview = await service.prepare(picture, (8, 2))
    assert [read_half_row(block.text)[0] for block in preview.blocks] == [((255, 1, 1), (255, 1, 1))] * 2
    upper, lower = read_half_row(preview.blocks[0].text)[7]
    assert upper == lower == (1, 1, 255)


async def test_a_region_is_cut_out(picture: Path) -> None:
    service = PreviewService(open_plainly, TERMINAL)
    preview = await service.prepare(picture, (8, 4), (0.5, 0.0, 1.0, 1.0))
    colours = {pair for block in preview.blocks for pair in read_half_row(block.text)}
    assert colours == {((1, 1, 255), (1, 1, 255))}
    assert (preview.placement.columns, preview.placement.rows) == (8, 4)


async def test_sixels_cover_whole_cells_over_the_background(picture: Path) -> None:
    service = PreviewService(open_plainly, TERMINAL, "sixel")
    preview = await service.prepare(picture, (7, 9), background=(0, 255, 0))
    shown = [read_sixel(block.text) for block in preview.blocks]
    assert sum(part.shape[0] for part in shown) == preview.placement.rows * 20
    assert all(part.shape[1] == 70 for part in shown)
    assert all((part >= 0).all() for part in shown), "every pixel is painted, or the picture before would shine through"
    assert preview.blocks[-1].last == preview.placement.rows


async def test_decoding_happens_in_quiet_threads_of_their_own(picture: Path) -> None:
    studio = Studio()
    service = PreviewService(studio, TERMINAL)
    await service.prepare(picture, (8, 2))
    assert all(name.startswith("preview-") for name in studio.threads)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("preview-"))
    assert studio.priorities <= {10, 19} | set(range(10, 20))


async def test_only_as_much_is_decoded_as_is_shown(picture: Path) -> None:
    studio = Studio()
    await PreviewService(studio, TERMINAL, "sixel").prepare(picture, (8, 2))
    assert studio.boxes == [(80, 40)]


async def test_a_second_look_comes_from_the_cache(picture: Path) -> None:
    studio = Studio()
    service = PreviewService(studio, TERMINAL)
    assert service.peek(picture, (8, 2)) is None
    first = await service.prepare(picture, (8, 2))
    assert await service.prepare(picture, (8, 2)) is first
    assert service.peek(picture, (8, 2)) is first
    assert len(studio.asked) == 1
    assert service.peek(picture, (9, 2)) is None


async def test_a_file_that_changed_is_prepared_again(picture: Path) -> None:
    service = PreviewService(open_plainly, TERMINAL)
    first = await service.prepare(picture, (8, 2))
    Image.new("RGB", (80, 40), (0, 255, 0)).save(picture)
    os.utime(picture, ns=(1, 1))
    second = await service.prepare(picture, (8, 2))
    assert second is not first and service.peek(picture, (8, 2)) is second


async def test_the_cache_stays_within_its_budget(picture: Path) -> None:
    service = PreviewService(open_plainly, TERMINAL, cache_mb=0)
    for columns in range(4, 12):
        await service.prepare(picture, (columns, 2))
    assert service.peek(picture, (11, 2)) is not None and service.peek(picture, (4, 2)) is None
    assert service.held_bytes < 5_000


async def test_the_newest_wish_of_a_slot_wins_and_stale_ones_are_never_decoded(tmp_path: Path) -> None:
    paths = []
    for number in range(6):
        paths.append(tmp_path / f"{number}.png")
        Image.new("RGB", (20, 20), (number, 0, 0)).save(paths[-1])
    studio = Studio()
    studio.gate.clear()
    service = PreviewService(studio, TERMINAL, workers=1)
    tasks = [asyncio.ensure_future(service.prepare(paths[0], (2, 1), slot="left"))]
    await asyncio.to_thread(studio.began.wait, 5)
    for path in paths[1:]:
        tasks.append(asyncio.ensure_future(service.prepare(path, (2, 1), slot="left")))
        await asyncio.sleep(0)
    studio.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results[:-1])
    assert results[-1].path == paths[-1]
    assert studio.asked == [paths[0], paths[-1]], "only what was under way and what is still wanted"


async def test_neighbours_are_prepared_after_what_is_wanted_now(tmp_path: Path) -> None:
    paths = {}
    for name in ("busy", "near", "nearer", "now"):
        paths[name] = tmp_path / f"{name}.png"
        Image.new("RGB", (20, 20)).save(paths[name])
    studio = Studio()
    studio.gate.clear()
    service = PreviewService(studio, TERMINAL, workers=1)
    busy = asyncio.ensure_future(service.prepare(paths["busy"], (2, 1)))
    await asyncio.to_thread(studio.began.wait, 5)
    service.prefetch([paths["near"]], (2, 1))
    service.prefetch([paths["nearer"]], (2, 1))
    now = asyncio.ensure_future(service.prepare(paths["now"], (2, 1)))
    await asyncio.sleep(0)
    studio.gate.set()
    await asyncio.gather(busy, now)
    while service.peek(paths["nearer"], (2, 1)) is None:
        await asyncio.sleep(0.005)
    assert [path.stem for path in studio.asked] == ["busy", "now", "nearer"], "an outdated prefetch is dropped"


async def test_a_broken_file_is_refused_with_its_reason(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"not an image")
    service = PreviewService(open_plainly, TERMINAL)
    with pytest.raises(PreviewRefused, match="cannot identify"):
        await service.prepare(broken, (8, 2))
    with pytest.raises(PreviewRefused, match="No such file"):
        await service.prepare(tmp_path / "gone.jpg", (8, 2))


async def test_the_decoders_own_words_are_kept(picture: Path) -> None:
    def refuse(path: Path, box: tuple[int, int]) -> Image.Image:
        raise ProofsheetError("truncated after 12 of 400 rows", remedy="Copy it again.")

    with pytest.raises(PreviewRefused, match="truncated after 12") as caught:
        await PreviewService(refuse, TERMINAL).prepare(picture, (8, 2))
    assert caught.value.remedy == "Copy it again."


async def test_a_fault_in_the_decoder_is_raised_and_the_worker_lives_on(picture: Path) -> None:
    faults = [RuntimeError("a bug")]

    def decode(path: Path, box: tuple[int, int]) -> Image.Image:
        if faults:
            raise faults.pop()
        return open_plainly(path, box)

    service = PreviewService(decode, TERMINAL, workers=1)
    with pytest.raises(RuntimeError, match="a bug"):
        await service.prepare(picture, (8, 2))
    assert (await service.prepare(picture, (8, 2))).path == picture


async def test_off_reads_the_dimensions_and_nothing_else(tmp_path: Path) -> None:
    upright = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 20)).save(upright, exif=exif)
    studio = Studio()
    preview = await PreviewService(studio, TERMINAL, "off").prepare(upright, (8, 2))
    assert preview.dimensions == (20, 30) and not preview.blocks and not studio.asked


async def test_slow_lines_get_frugal_previews_and_better_ones_on_request(tmp_path: Path) -> None:
    import numpy as np

    noise = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(3).integers(0, 255, (200, 300, 3)).astype("uint8")).save(noise)
    slow = Terminal(protocol="sixel", cell=(10, 20), has_sixel=True, rtt_ms=300.0, answered=True)
    service = PreviewService(open_plainly, slow)
    frugal = await service.prepare(noise, (30, 10))
    best = await service.prepare(noise, (30, 10), is_best=True)
    assert frugal.is_frugal and not best.is_frugal
    assert frugal.cost < 0.7 * best.cost
    assert max(block.size for block in best.blocks) < 60_000


async def test_without_colour_previews_are_grey(picture: Path) -> None:
    grey = Terminal(protocol="half", cell=(10, 20), no_colour=True)
    preview = await PreviewService(open_plainly, grey).prepare(picture, (8, 2))
    assert all(len(set(colour)) == 1 for pair in read_half_row(preview.blocks[0].text) for colour in pair)


def test_the_toggle_walks_through_what_the_terminal_can_show() -> None:
    service = PreviewService(open_plainly, TERMINAL)
    assert [service.next_protocol() for _ in range(4)] == ["off", "sixel", "half", "off"]
    assert service.set_protocol("auto") == "half"


async def test_closing_does_not_wait_for_a_decoder_that_is_stuck(picture: Path) -> None:
    studio = Studio()
    studio.gate.clear()
    service = PreviewService(studio, TERMINAL)
    waiting = asyncio.ensure_future(service.prepare(picture, (8, 2)))
    await asyncio.to_thread(studio.began.wait, 5)
    service.close()
    waiting.cancel()
    studio.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_every_shared_photograph_is_shown_or_refused_in_words(photos: Path) -> None:
    service = PreviewService(open_plainly, TERMINAL)
    files = sorted(path for path in photos.rglob("*.jp*g") if path.is_file())
    assert files
    for path in files:
        try:
            preview = await service.prepare(path, (20, 10))
        except PreviewRefused as refusal:
            assert str(refusal)
        else:
            assert preview.blocks
