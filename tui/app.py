"""The Textual app: opens the engine behind the first painted frame, and holds what every screen shares.

One screen a capability, each in its own mode, so that it keeps its place while another is shown. The app owns the
engine's life (opened in the app's loop, left cleanly within a second), the theme, the keymap, the previews, the
view state and the watch on runs. Relies on `Engine` doors only; screens are imported when they are first shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import logging
import signal
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import App
from textual.color import Color
from textual.filter import LineFilter
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from engine.errors import ProofsheetError
from tui import theme as themes
from tui.actions import bindings
from tui.imaging.driver import driver_for
from tui.keymap import Keymap
from tui.messages import EngineReady, LibraryGrew, RunEnded, RunMoved
from tui.runwatch import RunWatch
from tui.widgets.lines import Inks
from tui.workline import work

if TYPE_CHECKING:
    from PIL.Image import Image

    from engine.engine import Engine
    from engine.settings import Settings
    from tui.images import PreviewService
    from tui.screens.base import Page
    from tui.terminal import Choice, Protocol, Terminal

OpenEngine = Callable[[], AbstractAsyncContextManager["Engine"]]

LEAVE_WITHIN = 1.0  # seconds a run may take to stop when the app is left
WARM_AFTER = 1.0  # seconds after which a decoder is started, if no preview has asked for one by then
SAVE_AFTER = 0.3  # seconds after the last move until the view state is put away
STOPPED_BY = {signal.SIGHUP: 129, signal.SIGTERM: 143}

_PICTURES = {
    "kitty": "pictures: kitty graphics",
    "sixel": "pictures: sixel graphics",
    "half": "pictures: half blocks",
    "off": "pictures: off",
}

log = logging.getLogger("proofsheet.app")


def _screen(name: str) -> Callable[[], Screen[Any]]:
    """A screen that is imported when it is first wanted: 'ranking' is `tui.screens.ranking.RankingScreen`."""

    def make() -> Screen[Any]:
        module = importlib.import_module(f"tui.screens.{name}")
        return cast("Screen[Any]", getattr(module, f"{name.title()}Screen")())

    return make


class ProofsheetApp(App[int]):
    """The terminal darkroom. `exit` carries the process's exit code."""

    TITLE = "proofsheet"
    CSS = resources.files("themes").joinpath("proofsheet.tcss").read_text(encoding="utf-8")
    BINDINGS = bindings("everywhere")
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        name: _screen(name) for name in ("ranking", "inventory", "training", "duplicates", "variants", "fixes")
    }
    COMMANDS = set()
    ENABLE_COMMAND_PALETTE = True
    NOTIFICATION_TIMEOUT = 4

    def __init__(
        self,
        open_engine: OpenEngine,
        *,
        settings: Settings,
        terminal: Terminal,
        paths: Sequence[Path] = (),
        demo: bool = False,
        images: Choice = "auto",
        screen: str | None = None,
        theme_folders: Sequence[Path] = (),
        log_folder: Path | None = None,
    ) -> None:
        self.keymap = Keymap(settings.keymap)
        self.themes = themes.load(theme_folders)
        palette, self._theme_problem = self.themes.choose(settings.theme)
        self.inks = Inks(palette)
        super().__init__(driver_class=driver_for(terminal) if terminal.is_tty else None)
        for one in self.themes.palettes.values():
            self.register_theme(one.textual())
        self.theme = palette.name
        self.set_keymap(self.keymap.changed())
        self._no_colour = [themes.NoColour()]
        self._open_engine = open_engine
        self.settings = settings
        self.terminal = terminal
        self.paths = tuple(paths)
        self.is_demo = demo
        self.engine: Engine | None = None
        self.previews = self._make_previews(images)
        self.views: dict[str, dict[str, Any]] = {}
        self.run_watch: RunWatch | None = None
        self.unexpected: list[BaseException] = []
        self._first_screen = screen
        self._log_folder = log_folder
        self._leaving = asyncio.Event()
        self._life: asyncio.Task[None] | None = None
        self._unsaved: set[str] = set()
        self._saving: asyncio.Task[None] | None = None

    # -- life -------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number, code in STOPPED_BY.items():
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, self._stopped_by_signal, code)
        self.switch_mode(self._first_screen or "ranking")
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """The frame is painted; now the heavy work."""
        self._life = asyncio.create_task(self.guarded(self._live))

    async def _live(self) -> None:
        """Hold the engine open until the app is left."""
        watching: asyncio.Task[None] | None = None
        try:
            async with self._open_engine() as engine:
                self.engine = engine
                if not gc.isenabled():  # see tui.commands.open
                    gc.freeze()  # what is there now stays: the collector need not walk it at every turn
                    gc.enable()
                await self._come_back(engine)
                self.run_watch = RunWatch(engine.runs, self._heard)
                watching = asyncio.create_task(self.guarded(self.run_watch.watch))
                schedule = asyncio.create_task(self.guarded(engine.schedule.watch))
                self._tell(EngineReady())
                self.set_timer(WARM_AFTER, self._warm)
                if self._theme_problem and self.page is not None:
                    self.page.banner.say(self._theme_problem, f"The theme {themes.DEFAULT} is used instead.")
                self._tell_of_recoveries(engine)
                if self.paths:
                    await self.scan(self.paths)
                await self._leaving.wait()
                watching.cancel()
                schedule.cancel()
                await self._save()
        except ProofsheetError as error:
            if self.engine is not None:
                raise
            self.exit(error.exit_code, message=f"proofsheet: {error}")
        finally:
            self.engine = None

    def _warm(self) -> None:
        """The first screen is there: have a decoder ready, so that no preview waits for one to start."""
        if self.engine is not None and self.previews.protocol != "off":
            self.engine.library.warm()

    def _tell_of_recoveries(self, engine: Engine) -> None:
        """A change set that a crash left half done is the person's to know of."""
        for one in engine.recoveries:
            if self.page is None:
                return
            if one.is_complete:
                self.page.notice(f"'{one.title}' was cut short by a crash; every file is as it was before")
            else:
                self.page.banner.say(
                    f"the change set '{one.title}' could not be put back: {one.reason}",
                    f"`proofsheet changes show {one.id}` names the files; then: proofsheet changes rollback {one.id}",
                )

    async def _come_back(self, engine: Engine) -> None:
        """Find the view as it was left."""
        for key in ("app", *self.MODES, "zoom"):
            value = await engine.views.get(key)
            if value:
                self.views[key] = dict(value)
        wanted = self.views.get("app", {}).get("screen")
        if not self._first_screen and not self.paths and wanted in self.MODES and wanted != self.current_mode:
            await self.switch_mode(wanted)

    async def scan(self, paths: Sequence[Path]) -> None:
        """Scan folders behind whatever is on the screen."""
        engine = self.engine
        if engine is None:
            return
        run = await engine.library.scan(list(paths))
        log.info("scan %s started", run.id)
        if self.run_watch:
            self.run_watch.look_now()

    def _stopped_by_signal(self, code: int) -> None:
        self.run_worker(self.leave(code), exit_on_error=False)

    async def leave(self, code: int = 0) -> None:
        """Put the view state away, stop runs cleanly (they can be resumed), and end the app."""
        if self._leaving.is_set():
            return
        for page in self.pages():
            self.views[page.place] = page.view_state()
            self._unsaved.add(page.place)
        self._leaving.set()
        if self._life is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._life), LEAVE_WITHIN)
        self.previews.close()
        self.exit(code)

    async def action_quit(self) -> None:
        await self.leave()

    # -- what screens share -------------------------------------------------------------------------------------

    def pages(self) -> list[Page]:
        """Every screen that is alive, in all modes."""
        from tui.screens.base import Page

        return [screen for stack in self._screen_stacks.values() for screen in stack if isinstance(screen, Page)]

    @property
    def page(self) -> Page | None:
        """The screen that is shown, below any overlay."""
        from tui.screens.base import Page

        return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, Page)), None)

    def _tell(self, message: Message) -> None:
        """Post a copy of the message to every screen."""
        import copy

        for page in self.pages():
            page.post_message(copy.copy(message))

    def _heard(self, message: Message) -> None:
        """A word from the watch on runs."""
        self._tell(message)
        if isinstance(message, (RunMoved, RunEnded)) and message.activity.run.kind in ("scan", "study"):
            self._tell(LibraryGrew())
        if isinstance(message, RunEnded) and message.activity.run.kind == "scan":
            self.run_worker(self.guarded(self._study), exit_on_error=False)
        for page in self.pages():
            self.show_work(page)

    async def _study(self) -> None:
        """After a scan: one pass over the images that it brought, behind whatever is on the screen."""
        engine = self.engine
        if engine is not None and await engine.library.unstudied():
            await engine.library.study()

    def show_work(self, page: Page) -> None:
        """Name what goes on behind, at the right of the top line."""
        active = self.run_watch.active() if self.run_watch else []
        page.top.behind(*work(active, page.size.width))

    def remember(self, key: str, value: dict[str, Any]) -> None:
        """Keep a view state; it is written a moment after the last change, and when the app is left."""
        if self.views.get(key) == value:
            return
        self.views[key] = value
        self._unsaved.add(key)
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._save_soon())

    async def _save_soon(self) -> None:
        await asyncio.sleep(SAVE_AFTER)
        await self.guarded(self._save)

    async def _save(self) -> None:
        engine = self.engine
        if engine is None:
            return
        while self._unsaved:
            key = self._unsaved.pop()
            await engine.views.put(key, self.views[key])

    # -- errors ---------------------------------------------------------------------------------------------------

    async def guarded(self, call: Callable[..., Awaitable[None]], *args: Any) -> None:
        """Call and await; what goes wrong is said calmly and written to the log."""
        try:
            await call(*args)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  # the last resort: a traceback on the screen is a bug
            self.complain(error)

    def complain(self, error: BaseException) -> None:
        """Say an error on the screen that is shown: the person's own in full, an unexpected one by its log file."""
        page = self.page
        if isinstance(error, ProofsheetError):
            said, remedy = error.message, error.remedy
        else:
            self.unexpected.append(error)
            log.error("unexpected", exc_info=error)
            said = f"Something unexpected happened ({type(error).__name__}); your verdicts are safe."
            where = self._log_folder / "app.log" if self._log_folder else "the log"
            remedy = f"The details are in {where}."
        if page is not None and page.is_mounted:
            page.banner.say(said, remedy)

    def _handle_exception(self, error: Exception) -> None:
        """Textual would end the app with a traceback here. Once a screen stands, a fault is said instead."""
        if self.page is None or not self.page.is_mounted:
            super()._handle_exception(error)
            return
        self.complain(error)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.complain(event.worker.error)

    # -- actions ----------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In a terminal that is too small to show anything, only leaving is left."""
        if action != "quit" and self._screen_stacks and self.page is not None and self.page.is_small:
            return False
        return super().check_action(action, parameters)

    async def action_go(self, name: str) -> None:
        """Show a screen by its mode."""
        if name == self.current_mode:
            while len(self.screen_stack) > 1:
                await self.pop_screen()
        else:
            await self.switch_mode(name)
        self.remember("app", {"screen": name})

    async def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.pop_screen()
        elif self.page is not None:
            await self.push_screen(HelpScreen(self.page.place))

    def action_open_folder(self) -> None:
        page = self.page
        if page is None or self.engine is None:
            return

        def answer(text: str | None) -> None:
            if text and text.strip():
                page.work(self.scan, [Path(text.strip()).expanduser()])

        page.prompt.ask("folder to scan", "", answer)

    def action_cycle_theme(self) -> None:
        names = sorted(self.themes.palettes, key=lambda name: (name != themes.DEFAULT, name))
        self.use_theme(names[(names.index(self.theme) + 1) % len(names)])

    def use_theme(self, name: str) -> None:
        """Change the colours at once."""
        palette, problem = self.themes.choose(name)
        self.inks = Inks(palette)
        self.theme = palette.name
        for screen in (screen for stack in self._screen_stacks.values() for screen in stack):
            for widget in screen.walk_children():
                widget.refresh()
        if self.page:
            self.page.notice(problem or f"theme {palette.title}", "danger" if problem else "plain")

    def action_cycle_images(self) -> None:
        self._say_images(self.previews.next_protocol())

    def use_images(self, choice: Choice) -> None:
        """Draw pictures another way from now on."""
        self._say_images(self.previews.set_protocol(choice))

    def _say_images(self, protocol: Protocol) -> None:
        if self.page:
            self.page.notice(_PICTURES[protocol])

    def action_redraw(self) -> None:
        self.refresh(repaint=True, layout=True)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[Any]:
        """None of Textual's own: the palette is made from the action registry."""
        del screen
        return ()

    def action_command_palette(self) -> None:
        from textual.command import CommandPalette

        from tui.screens.palette import Commands

        if not CommandPalette.is_open(cast("App[object]", self)) and self.page is not None:
            self.push_screen(CommandPalette(providers=[Commands], placeholder="an action, a screen, a theme"))

    # -- drawing ----------------------------------------------------------------------------------------------------

    def get_line_filters(self) -> Sequence[LineFilter]:
        return self._no_colour if self.no_color else super().get_line_filters()

    @property
    def paper(self) -> tuple[int, int, int]:
        """The background's (r, g, b): what a preview is drawn on."""
        return Color.parse(self.themes.palettes[self.theme].colours["background"]).rgb

    def _make_previews(self, choice: Choice) -> PreviewService:
        from tui.images import PreviewService

        return PreviewService(
            self._decode, self.terminal, choice, self.settings.preview_cache_mb, measure=self._measure
        )

    def _decode(self, path: Path, box: tuple[int, int]) -> Image:
        """In a preview's thread: a picture at about the size it is shown at."""
        engine = self.engine
        if engine is None:
            raise ProofsheetError("the library is not open")
        picture: Image = engine.library.thumbnail(path, box)
        return picture

    def _measure(self, path: Path) -> tuple[int, int] | None:
        """In a preview's thread: a picture's size as displayed, None where its header does not tell."""
        from engine.library.source import UnreadableImage

        try:
            return self.engine.library.size_of(path) if self.engine is not None else None
        except UnreadableImage:
            return None
