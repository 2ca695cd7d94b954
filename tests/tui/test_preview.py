"""`PreviewImage` on a screen: what is written to the terminal when, and what is not written twice."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image
from textual.app import App, ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.pilot import Pilot
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tui.images import PreviewService
from tui.imaging.render import open_plainly
from tui.terminal import Choice, Terminal
from tui.widgets.preview import PreviewImage

LOCAL = Terminal(protocol="half", cell=(10, 20), has_sixel=True, has_kitty=True, rtt_ms=1.0, answered=True)
SLOW = Terminal(protocol="sixel", cell=(10, 20), has_sixel=True, rtt_ms=300.0, answered=True)


class Cover(ModalScreen[None]):
    def compose(self) -> ComposeResult:
        yield Static("over the pictures")


class Light(App[None]):
    """Two previews beside each other over a line of text, and a layer that can lie over them."""

    CSS = """
    Screen { layers: below above; }
    #row { height: 12; }
    PreviewImage { width: 20; height: 12; }
    #over { layer: above; width: 10; height: 2; offset: 2 3; display: none; }
    """

    def __init__(self, service: PreviewService) -> None:
        super().__init__()
        self.previews = service
        self.messages: list[object] = []

    def compose(self) -> ComposeResult:
        with Horizontal(id="row"):
            yield PreviewImage(id="a")
            yield PreviewImage(id="b")
        yield Static("text", id="text")
        yield Static("OVER", id="over")

    def on_preview_image_shown(self, message: PreviewImage.Shown) -> None:
        self.messages.append(message)

    def on_preview_image_refused(self, message: PreviewImage.Refused) -> None:
        self.messages.append(message)


@pytest.fixture
def red(tmp_path: Path) -> Path:
    path = tmp_path / "red.png"
    Image.new("RGB", (200, 200), (200, 0, 0)).save(path)
    return path


@pytest.fixture
def blue(tmp_path: Path) -> Path:
    path = tmp_path / "blue.png"
    Image.new("RGB", (200, 100), (0, 0, 200)).save(path)
    return path


@asynccontextmanager
async def running(
    choice: Choice = "half", terminal: Terminal = LOCAL, decode: Callable[..., Image.Image] = open_plainly
) -> AsyncIterator[tuple[Light, Pilot[None]]]:
    app = Light(PreviewService(decode, terminal, choice))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        yield app, pilot


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    for _ in range(400):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("the condition never came true")


def paint(app: App[None], *, full: bool = True) -> str:
    """What Textual would write to the terminal now. (A headless app draws nothing by itself.)"""
    update = app.screen._compositor.render_update(full=full, screen_stack=app._background_screens)
    return "" if update is None else update.render_segments(app.console)


async def shown(app: Light, pilot: Pilot[None], which: str, path: Path) -> PreviewImage:
    widget = app.query_one(f"#{which}", PreviewImage)
    widget.show(path)
    await until(pilot, lambda: widget.is_shown and widget.path == path)
    await pilot.pause()
    return widget


async def test_a_picture_is_painted_once_and_stepped_over_afterwards(red: Path) -> None:
    async with running() as (app, pilot):
        await shown(app, pilot, "a", red)
        first, second = paint(app), paint(app)
        assert "48;2;201;1;1" in first
        assert "48;2;201;1;1" not in second and "\x1b[20C" in second
        assert len(second) < len(first)


async def test_sixels_are_painted_in_blocks_and_not_repeated(red: Path) -> None:
    async with running("sixel") as (app, pilot):
        await shown(app, pilot, "a", red)
        first = paint(app)
        assert first.count("\x1bP0;1;0q") == len(app.query_one("#a", PreviewImage)._surface.picture.blocks)
        assert "\x1bP" not in paint(app)


async def test_the_slot_never_changes_its_size(red: Path) -> None:
    async with running() as (app, pilot):
        widget = app.query_one("#a", PreviewImage)
        regions = {widget.region}
        widget.show(red)
        regions.add(widget.region)
        await until(pilot, lambda: widget.is_shown)
        regions.add(widget.region)
        widget.clear()
        await pilot.pause()
        regions.add(widget.region)
        assert len(regions) == 1


async def test_the_name_stands_in_while_the_picture_is_made(red: Path) -> None:
    gate = threading.Event()

    def decode(path: Path, box: tuple[int, int]) -> Image.Image:
        assert gate.wait(10)
        return open_plainly(path, box)

    async with running(decode=decode) as (app, pilot):
        widget = app.query_one("#a", PreviewImage)
        widget.show(red)
        await pilot.pause()
        waiting = paint(app)
        assert "red.png" in waiting and "┌" in waiting
        gate.set()
        await until(pilot, lambda: widget.is_shown)
        assert "48;2;201;1;1" in paint(app)


async def test_a_refused_file_shows_its_name_and_reason(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"nothing")
    async with running() as (app, pilot):
        app.query_one("#a", PreviewImage).show(broken)
        await until(pilot, lambda: bool(app.messages))
        await pilot.pause()
        screen = paint(app)
        assert "broken.jpg" in screen and "cannot" in screen
        assert isinstance(app.messages[0], PreviewImage.Refused)


async def test_shown_says_which_picture(red: Path, blue: Path) -> None:
    async with running() as (app, pilot):
        await shown(app, pilot, "a", red)
        await shown(app, pilot, "a", blue)
        await until(pilot, lambda: len(app.messages) >= 2)
        assert [m.path for m in app.messages] == [red, blue]


async def test_the_newest_picture_wins_however_fast_one_goes(red: Path, blue: Path) -> None:
    async with running() as (app, pilot):
        widget = app.query_one("#a", PreviewImage)
        for path in (red, blue, red, blue, red, blue):
            widget.show(path)
        await until(pilot, lambda: widget.is_shown)
        assert widget._surface is not None and widget._surface.picture.path == blue


async def test_a_prepared_neighbour_is_there_at_once(red: Path, blue: Path) -> None:
    async with running() as (app, pilot):
        widget = await shown(app, pilot, "a", red)
        widget.prefetch([blue])
        await until(pilot, lambda: app.previews.peek(blue, (20, 12), None, widget._paper) is not None)
        widget.show(blue)
        assert widget.is_shown, "without a placeholder between"


@pytest.mark.parametrize("choice", ["half", "sixel", "kitty"])
async def test_what_lay_under_an_overlay_is_painted_again_when_it_goes(red: Path, choice: Choice) -> None:
    async with running(choice) as (app, pilot):
        widget = await shown(app, pilot, "a", red)
        paint(app)
        surface = widget._surface
        assert surface is not None and surface.is_drawn
        app.query_one("#over").display = True
        await pilot.pause()
        covered = paint(app)
        assert "OVER" in covered and "\x1bP" not in covered
        app.query_one("#over").display = False
        await pilot.pause()
        healed = paint(app)
        assert {"half": "48;2;201;1;1", "sixel": "\x1bP0;1;0q", "kitty": "\U0010eeee"}[choice] in healed
        assert "\x1b_G" not in healed, "the terminal still has the picture itself"
        assert surface.is_drawn


async def test_a_new_sixel_under_an_overlay_does_not_overdraw_it(red: Path) -> None:
    async with running("sixel") as (app, pilot):
        app.query_one("#over").display = True
        await shown(app, pilot, "a", red)
        text = paint(app)
        assert "OVER" in text
        assert "▀" in text or "48;2;201;1;1" in text, "the covered block is drawn as half-blocks where it can be seen"


async def test_a_modal_gets_a_tinted_picture_behind_it_and_the_real_one_comes_back(red: Path) -> None:
    async with running("sixel") as (app, pilot):
        await shown(app, pilot, "a", red)
        paint(app)
        await app.push_screen(Cover())
        await pilot.pause()
        behind = paint(app)
        assert "\x1bP" not in behind and "over the pictures" in behind
        app.pop_screen()
        await pilot.pause()
        await pilot.pause()
        assert "\x1bP0;1;0q" in paint(app), "the modal has overwritten it"


async def test_a_partly_scrolled_sixel_is_half_blocks_where_it_is_cut(red: Path) -> None:
    class Scrolled(Light):
        def compose(self) -> ComposeResult:
            with VerticalScroll():
                yield PreviewImage(id="a")
                yield Static("\n" * 40)

    app = Scrolled(PreviewService(open_plainly, LOCAL, "sixel"))
    async with app.run_test(size=(60, 20)) as pilot:
        await shown(app, pilot, "a", red)
        whole = paint(app).count("\x1bP0;1;0q")
        app.query_one(VerticalScroll).scroll_to(y=4, animate=False)
        await pilot.pause()
        text = paint(app)
        assert 0 < text.count("\x1bP0;1;0q") < whole
        assert "48;2;201;1;1" in text


async def test_a_resized_slot_gets_a_picture_of_its_size(red: Path) -> None:
    async with running() as (app, pilot):
        widget = await shown(app, pilot, "a", red)
        widget.styles.width = 10
        await until(pilot, lambda: widget.is_shown and widget._surface.picture.slot == (10, 12))
        assert "48;2;201;1;1" in paint(app)


async def test_a_resized_terminal_is_sent_everything_again(red: Path) -> None:
    async with running() as (app, pilot):
        await shown(app, pilot, "a", red)
        paint(app)
        await pilot.resize_terminal(61, 21)
        await pilot.pause()
        assert "48;2;201;1;1" in paint(app)


async def test_the_live_toggle_reaches_every_preview(red: Path, blue: Path) -> None:
    async with running("half") as (app, pilot):
        widgets = [await shown(app, pilot, "a", red), await shown(app, pilot, "b", blue)]
        for choice, sign in (("sixel", "\x1bP0;1;0q"), ("kitty", "\U0010eeee"), ("half", "48;2;201;1;1")):
            app.previews.set_protocol(choice)
            await until(pilot, lambda: all(widget.is_shown for widget in widgets))
            await pilot.pause()
            assert sign in paint(app)
        app.previews.set_protocol("off")
        await until(pilot, lambda: "200×100" in paint(app))
        assert "red.png" in paint(app)


async def test_a_kitty_picture_is_sent_once_and_deleted_at_the_end(red: Path, blue: Path) -> None:
    async with running("kitty") as (app, pilot):
        await shown(app, pilot, "a", red)
        assert paint(app).count("\x1b_Ga=t") == 1
        await shown(app, pilot, "a", blue)
        assert paint(app).count("\x1b_Ga=t") == 1
        await shown(app, pilot, "a", red)
        again = paint(app)
        assert "\x1b_Ga=t" not in again and "\U0010eeee" in again
        assert app.previews.farewell().count("a=d,d=I") == 2


async def test_the_picture_is_centred_and_the_paper_around_it_is_painted(blue: Path) -> None:
    async with running() as (app, pilot):
        widget = await shown(app, pilot, "a", blue)
        placement = widget._surface.picture.placement
        assert (placement.x, placement.y, placement.columns, placement.rows) == (0, 3, 20, 5)
        top = widget.render_lines(widget.size.region)[0].text
        assert top == " " * 20


async def test_clearing_leaves_a_quiet_line(red: Path) -> None:
    async with running() as (app, pilot):
        widget = await shown(app, pilot, "a", red)
        widget.clear("No sets yet")
        await pilot.pause()
        text = paint(app)
        assert "No sets yet" in text and "48;2;201;1;1" not in text
        assert widget.path is None


async def test_on_a_slow_line_rows_come_as_the_terminal_answers(tmp_path: Path) -> None:
    import numpy as np

    noisy = tmp_path / "noisy.png"
    Image.fromarray(np.random.default_rng(5).integers(0, 255, (240, 200, 3)).astype("uint8")).save(noisy)
    async with running("sixel", SLOW) as (app, pilot):
        pacer = app.previews.pacer
        pacer.asks = True  # a headless app has no driver that listens; the test answers
        pacer.rate = 1_000.0
        widget = app.query_one("#a", PreviewImage)
        widget.show(noisy)
        await until(pilot, lambda: widget._surface is not None and widget._surface.released > 0)
        surface = widget._surface
        assert surface is not None
        first = paint(app)
        assert first.count("\x1b[c") == 1, "a question follows the portion"
        assert 0 < surface.released < len(surface.picture.blocks)
        await pilot.pause()
        assert "\x1bP" not in paint(app), "the next rows wait for the answer"
        rounds = 0
        while not surface.is_drawn:
            pacer.answered()
            await pilot.pause()
            paint(app)
            rounds += 1
            assert rounds < 50
        assert rounds >= 2
        await until(pilot, lambda: bool(app.messages))


async def test_a_key_on_a_slow_line_cancels_what_has_not_been_sent(red: Path, tmp_path: Path) -> None:
    import numpy as np

    noisy = tmp_path / "noisy.png"
    Image.fromarray(np.random.default_rng(5).integers(0, 255, (240, 200, 3)).astype("uint8")).save(noisy)
    async with running("sixel", SLOW) as (app, pilot):
        app.previews.pacer.asks = True
        widget = app.query_one("#a", PreviewImage)
        widget.show(noisy)
        await until(pilot, lambda: widget._surface is not None and widget._surface.released > 0)
        paint(app)
        stale = widget._surface
        assert stale is not None and not stale.is_drawn
        widget.show(red)
        await until(pilot, lambda: widget._surface is not stale and widget._surface is not None)
        app.previews.pacer.answered()
        await until(pilot, lambda: widget.is_shown)
        assert not stale.is_drawn
        assert "\x1bP" in paint(app)


async def test_an_export_of_the_screen_has_the_picture_in_it(red: Path) -> None:
    async with running("sixel") as (app, pilot):
        await shown(app, pilot, "a", red)
        assert "#c90101" in app.export_screenshot().lower() or "rgb(201,1,1)" in app.export_screenshot()


async def test_a_screen_above_is_drawn_first_on_a_slow_line_and_the_one_below_when_it_comes_back(red: Path) -> None:
    class Above(Screen[None]):
        def compose(self) -> ComposeResult:
            yield PreviewImage(id="above")

    async with running("sixel", SLOW) as (app, pilot):
        for which in ("a", "b"):
            app.query_one(f"#{which}", PreviewImage).show(red)
        await until(pilot, lambda: app.query_one("#b", PreviewImage)._surface is not None)
        await app.push_screen(Above())
        above = app.screen.query_one(PreviewImage)
        above.show(red)
        await until(pilot, lambda: above._surface is not None and above._surface.released > 0)
        paint(app)
        app.pop_screen()
        widget = app.screen_stack[0].query_one("#a", PreviewImage)

        def painted() -> bool:
            paint(app)
            app.previews.pacer.answered()
            return widget._surface is not None and widget._surface.is_drawn

        await until(pilot, painted)
        await until(pilot, lambda: any(m.preview is widget for m in app.messages))
