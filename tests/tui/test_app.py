"""The app itself: the first frame, coming back, errors, colours, small terminals, and leaving."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.errors import ProofsheetError
from engine.settings import Settings
from tests.tui.conftest import NARROW, WIDE, running
from tests.tui.fakes import FakeEngine, make_engine
from tui.app import ProofsheetApp
from tui.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]


async def test_the_frame_is_painted_before_the_engine_is_open(engine: FakeEngine) -> None:
    gate = asyncio.Event()

    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def slowly():
        await gate.wait()
        async with engine.opened() as opened:
            yield opened

    app = ProofsheetApp(slowly, settings=Settings(), terminal=Terminal(is_tty=False), images="off")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert "Opening the library…" in app.page.hollow.text
        await pilot.press("enter", "x", "u", "z", "c", "s", "t", "p", "o", "j")  # nothing there yet: nothing happens
        gate.set()
        while app.page.shown is None:
            await pilot.pause(0.01)
    assert not app.unexpected


async def test_function_keys_switch_screens_and_each_keeps_its_place(engine: FakeEngine) -> None:
    async with running(engine) as studio:
        await studio.set_shown(1)
        await studio.press("left", "f3")
        await studio.until(lambda: studio.app.current_mode == "inventory")
        await studio.press("f4")
        await studio.until(lambda: studio.app.current_mode == "training")
        await studio.press("f2")
        await studio.until(lambda: studio.app.current_mode == "ranking")
        assert studio.page.cursor == 0


async def test_coming_back_shows_the_screen_that_was_left(engine: FakeEngine) -> None:
    async with running(engine) as studio:
        await studio.press("f3")
        await studio.until(lambda: studio.app.current_mode == "inventory" and studio.says("18 images"))
        await studio.press("j", "j", "s", "q")
    again = make_engine(engine.library.images_by_id[1].path.parent, views=engine.views)
    async with running(again) as studio:
        await studio.until(lambda: studio.app.current_mode == "inventory")
        await studio.until(lambda: studio.says("sorted by capture time", "▸ 20250708_060700_stage3_enh"))


async def test_a_dropped_connection_finds_the_view_that_was_kept_a_moment_after_the_last_key(engine) -> None:
    async with running(engine) as studio:
        await studio.set_shown(1)
        await studio.press("left")
        await studio.until(lambda: engine.views.kept.get("ranking", {}).get("cursor") == 0)
        assert engine.views.kept["ranking"]["set"] == 1


async def test_an_unexpected_error_is_said_calmly_and_written_to_the_log(engine: FakeEngine, caplog) -> None:
    engine.ranking.failure = RuntimeError("boom")
    app = ProofsheetApp(engine.opened, settings=Settings(), terminal=Terminal(is_tty=False), images="off")
    async with app.run_test(size=WIDE) as pilot:
        while app.page is None or getattr(app.page, "shown", None) is None:
            await pilot.pause(0.01)
        await pilot.press("1")
        while not app.unexpected:
            await pilot.pause(0.01)
        assert "Something unexpected happened (RuntimeError)" in app.page.banner.message
        assert "Traceback" not in app.page.banner.message
    assert "boom" in caplog.text


async def test_a_library_that_cannot_be_opened_ends_the_app_with_the_remedy() -> None:
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def refuses():
        raise ProofsheetError("library.db is from a newer version", remedy="Update Proofsheet.")
        yield

    app = ProofsheetApp(refuses, settings=Settings(), terminal=Terminal(is_tty=False), images="off")
    async with app.run_test(size=WIDE) as pilot:
        while app.return_value is None:
            await pilot.pause(0.01)
    assert app.return_value == 1


async def test_a_wrong_keymap_is_refused_before_the_screen_is_touched(engine: FakeEngine) -> None:
    with pytest.raises(ProofsheetError, match="no action is called"):
        ProofsheetApp(engine.opened, settings=Settings(keymap={"ranking.pik": "p"}), terminal=Terminal(is_tty=False))


async def test_a_broken_theme_falls_back_and_says_which_line(engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('name = "mine"\n[colours]\nbackground = "black"\n')
    settings = Settings(actor="me", theme="mine")
    async with running(engine, settings=settings, theme_folders=[tmp_path]) as studio:
        await studio.until(lambda: studio.says("mine.toml, line 3"))
        assert studio.app.theme == "darkroom"


async def test_the_theme_changes_live_everywhere(engine: FakeEngine) -> None:
    async with running(engine) as studio:
        await studio.set_shown(1)
        seen = set()
        for _ in range(3):
            await studio.press("f9")
            style = studio.page.top.render_line(0)._segments[0].style
            seen.add((studio.app.theme, style.bgcolor.triplet.hex))
        assert {name for name, _ in seen} == {"darkroom", "daylight", "contrast"}
        assert len({ground for _, ground in seen}) == 3


async def test_no_colour_leaves_glyphs_and_weight(engine: FakeEngine, monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(engine) as studio:
        await studio.set_shown(1)
        screen = studio.app.screen
        styles = [
            segment.style
            for strip in screen._compositor.render_strips(screen.size)
            for segment in strip
            if segment.style is not None and "▀" not in segment.text
        ]
        assert not [style for style in styles if style.color is not None or style.bgcolor is not None]
        assert any(style.reverse for style in styles)
        assert studio.says("★", "━")


@pytest.mark.parametrize("size", [(79, 24), (120, 21), (40, 10)])
async def test_a_terminal_that_is_too_small_says_so_plainly_and_recovers(engine: FakeEngine, size) -> None:
    async with running(engine, size) as studio:
        await studio.until(lambda: studio.says("This terminal is too small.", f"{size[0]}×{size[1]}"))
        await studio.pilot.resize_terminal(*NARROW)
        await studio.set_shown(1)
        await studio.until(lambda: studio.says("stage2_upscaled"))


async def test_no_key_acts_unseen_in_a_terminal_that_is_too_small_but_q_leaves(engine: FakeEngine) -> None:
    async with running(engine, (60, 18)) as studio:
        await studio.until(lambda: studio.page.shown is not None and studio.page.suggestion is not None)
        await studio.press("x", "enter", "1", "space", "f4", "question_mark", "ctrl+p")
        assert not engine.ranking.verdicts
        assert studio.app.current_mode == "ranking"
        assert studio.app.screen is studio.page
        assert studio.says("Proofsheet needs 80×22.", "Nothing is lost", "q leaves.")
        await studio.press("q")
        await studio.until(lambda: engine.closed == 1)


async def test_resizing_between_wide_and_narrow_keeps_the_set_and_the_cursor(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press("left")
        await studio.pilot.resize_terminal(*NARROW)
        await studio.until(lambda: studio.page.is_narrow and studio.says("▌1 stage1_generated"))
        await studio.pilot.resize_terminal(*WIDE)
        await studio.until(lambda: not studio.page.is_narrow)
        assert studio.page.cursor == 0


async def test_pictures_are_toggled_live(engine: FakeEngine) -> None:
    async with running(engine) as studio:
        await studio.set_shown(1)
        await studio.press("i")
        assert studio.says("pictures: half blocks")
        await studio.until(lambda: studio.says("▀▀"))
        await studio.press("i")
        await studio.until(lambda: not studio.says("▀▀"))


async def test_leaving_closes_the_engine(engine: FakeEngine) -> None:
    async with running(engine) as studio:
        await studio.set_shown(1)
        await studio.press("q")
        await studio.until(lambda: engine.closed == 1)


@pytest.mark.parametrize(("size", "word"), [(WIDE, "demo, simulated picks  ·"), (NARROW, "simulated ·")])
async def test_a_demo_says_on_every_screen_that_its_picks_are_simulated(engine: FakeEngine, size, word) -> None:
    async with running(engine, size, demo=True) as studio:
        await studio.set_shown(1)
        for key in ("f2", "z", "escape", "c", "escape", "f4", "f3", "r"):
            await studio.press(key)
            await studio.until(lambda: word in studio.page.top.text and studio.says(word))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_puts_the_view_away_and_ends_cleanly(number: signal.Signals, code: int, tmp_path: Path) -> None:
    """In a real terminal; for a hang-up, one that has gone away."""
    master, slave = pty.openpty()
    kept = tmp_path / "kept.json"
    environment = {**os.environ, "TERM": "xterm-256color", "PLAY_VIEWS": str(kept)}
    command = [sys.executable, "-m", "tests.tui.play", "--sets", "3", "--pictures", "off"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    )
    os.close(slave)
    seen = _read_until(master, b"stage2_upscaled")
    assert b"stage2_upscaled" in seen
    if number is signal.SIGHUP:
        os.close(master)
    process.send_signal(number)
    try:
        if number is not signal.SIGHUP:
            _read_until(master, b"\x1b[?1049l")
        assert process.wait(timeout=10) == code
    finally:
        process.kill()
    assert '"set": 1' in kept.read_text()


def _read_until(master: int, wanted: bytes, seconds: float = 20.0) -> bytes:
    """Play a plain terminal: answer the probe, collect what is printed."""
    seen, end = b"", time.monotonic() + seconds
    while wanted not in seen and time.monotonic() < end:
        if not select.select([master], [], [], 0.1)[0]:
            continue
        try:
            data = os.read(master, 65536)
        except OSError:
            break
        seen += data
        if b"\x1b[c" in data:
            os.write(master, b"\x1b[?62;22c")
    return seen
