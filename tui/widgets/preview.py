"""`PreviewImage`: one picture in a slot that is reserved from the start. Nothing around it moves while it loads.

It asks the app's `PreviewService` for the picture, holds it back until the line has room (`PreviewPacer`), and lets a
`Surface` decide what has to be written. Put borders and captions on a container around it, not on it. It never
decodes and never blocks; a refused file shows its reason, and where pictures are off a calm card with name and size.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from textwrap import wrap

from rich.cells import cell_len
from rich.segment import Segment
from textual.dom import NoScreen
from textual.geometry import Region as Cells
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import Worker

from tui.images import PreviewRefused, PreviewService
from tui.imaging.geometry import Region
from tui.imaging.pacer import PORTION
from tui.imaging.render import Preview
from tui.imaging.surface import Surface

_IDLE = 0.8  # seconds of a quiet line before a frugal picture is refined
_WORTH_WAITING = 4.0  # seconds that a refinement may take of the line
_GRACE = 0.08  # a picture that is ready within this many seconds replaces the old one without a placeholder between


class PreviewImage(Widget, can_focus=False):
    """Shows one image file. Its size is the layout's; `show` and `clear` change only what is inside.

    Without a `service` it uses `app.previews`.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"preview--corner", "preview--name", "preview--reason"}
    DEFAULT_CSS = """
    PreviewImage {
        width: 1fr;
        height: 1fr;
        & > .preview--corner { color: $foreground 20%; }
        & > .preview--name { color: $foreground 45%; }
        & > .preview--reason { color: $foreground 70%; }
    }
    """

    @dataclass
    class Shown(Message):
        """The picture of `path` is on the screen, in full."""

        preview: PreviewImage
        path: Path

        @property
        def control(self) -> PreviewImage:
            return self.preview

    @dataclass
    class Refused(Message):
        """There is no picture of `path`, because of `reason`."""

        preview: PreviewImage
        path: Path
        reason: str

        @property
        def control(self) -> PreviewImage:
            return self.preview

    def __init__(
        self,
        service: PreviewService | None = None,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._service = service
        self._path: Path | None = None
        self._region: Region | None = None
        self._caption = ""
        self._surface: Surface | None = None
        self._lines: list[tuple[str, str]] = []
        self._grace: Timer | None = None
        self._refinement: Timer | None = None
        self._is_announced = False
        self._is_asking = False

    @property
    def service(self) -> PreviewService:
        """Where previews come from."""
        if self._service is None:
            self._service = self.app.previews  # type: ignore[attr-defined]
        return self._service

    @property
    def is_drawn(self) -> bool:
        """Whether this widget is on the uppermost screen and inside its view."""
        return self.is_attached and self._is_on_top and self in self.screen._compositor.visible_widgets

    @property
    def path(self) -> Path | None:
        """The image that is or will be shown."""
        return self._path

    @property
    def is_shown(self) -> bool:
        """Whether all of the picture of `path`, not a placeholder or the one before, is what this widget draws."""
        surface = self._surface
        if surface is None or surface.picture.path != self._path:
            return False
        return surface.released == len(surface.picture.blocks)

    def show(self, path: Path, region: Region | None = None, caption: str = "") -> None:
        """Show an image, or a region of it (fractions left, top, right, bottom). A newer call replaces an older one.

        `caption` is a second line for the card that is shown where pictures are off; by default the image's
        dimensions.
        """
        if (path, region) == (self._path, self._region) and (self._surface is not None or self._grace is not None):
            self._caption = caption
            return
        self._path, self._region, self._caption = path, region, caption
        self._load()

    def clear(self, message: str = "") -> None:
        """Show nothing, or a quiet line of text."""
        if self.is_attached:
            self._stop()
        self._path = self._region = None
        self._surface = None
        self._lines = [("preview--name", message)] if message else []
        self.refresh()

    def reload(self) -> None:
        """Prepare the picture again: another protocol, size or background."""
        if self._path is not None:
            self._surface = None
            self._load()

    def prefetch(self, paths: list[Path]) -> None:
        """Have these prepared for this widget's size, when nothing else is to do."""
        if self.is_attached and self.content_size.area:
            self.service.prefetch(paths, self._slot, None, self._paper)

    def on_mount(self) -> None:
        self.service.attach(self.app)
        self.service.watch(self)

    def on_unmount(self) -> None:
        self._stop()
        self.service.forget(self)

    def on_resize(self) -> None:
        self.reload()

    def on_hide(self) -> None:
        self._drop()
        if self._surface is not None:
            self._surface.restart()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self._surface is not None and self._surface.picture.background != self._paper:
            self.reload()

    @property
    def _slot(self) -> tuple[int, int]:
        """(columns, rows) of cells for the picture."""
        return self.content_size.width, self.content_size.height

    @property
    def _paper(self) -> tuple[int, int, int]:
        _, background = self.background_colors
        return background.rgb

    def _stop(self) -> None:
        """Nothing that was asked for is wanted any more."""
        self.workers.cancel_node(self)
        self._end_grace()
        if self._refinement is not None:
            self._refinement.stop()
            self._refinement = None
        self._drop()

    def _drop(self) -> None:
        """Take back the wish to draw."""
        self._is_asking = False
        self.service.pacer.drop(self)

    def _load(self) -> None:
        """Take the picture from the cache this instant, or have it made."""
        if not self.is_attached or not self.content_size.area or self._path is None:
            return
        self._stop()
        self._is_announced = False
        ready = self.service.peek(self._path, self._slot, self._region, self._paper)
        if ready is not None:
            self._install(ready)
            return
        if self._surface is None:
            self._wait_visibly()
        else:
            self._grace = self.set_timer(_GRACE, self._wait_visibly)
        self._begin(self._prepare)

    def _begin(self, work: Callable[[Path, Region | None], Coroutine[None, None, None]]) -> None:
        """Start a step in place of the one under way. A callable, not a coroutine: it may be cancelled unstarted."""
        if self._path is not None:
            step = partial(work, self._path, self._region)
            _: Worker[None] = self.run_worker(step, exclusive=True, group="preview")

    def _wait_visibly(self) -> None:
        self._surface = None
        self._lines = [("preview--name", self._path.name)] if self._path else []
        self.refresh()

    async def _prepare(self, path: Path, region: Region | None) -> None:
        try:
            preview = await self.service.prepare(path, self._slot, region, self._paper, slot=self)
        except PreviewRefused as refusal:
            self._end_grace()
            self._surface = None
            self._lines = [("preview--name", path.name), ("preview--reason", refusal.message)]
            self.refresh()
            self.post_message(self.Refused(self, path, refusal.message))
        else:
            self._end_grace()
            self._install(preview)

    def _end_grace(self) -> None:
        if self._grace is not None:
            self._grace.stop()
            self._grace = None

    def _install(self, preview: Preview, *, is_refinement: bool = False) -> None:
        """Have the picture drawn, as soon as the line has room for it."""
        if preview.protocol == "off":
            self._surface = None
            size = preview.dimensions
            text = self._caption or (f"{size[0]}×{size[1]}" if size else "")
            self._lines = [("preview--reason", preview.path.name), ("preview--name", text)]
            self.refresh()
            self._announce(preview.path)
            return
        surface = Surface(
            preview,
            drawn=self._drawn,
            held=self.service.kitty,
            tmux=self.service.terminal.multiplexer == "tmux",
            over=self._surface if is_refinement else None,
        )
        self._surface = surface
        if self.service.pacer.is_active:
            self._lines = [("preview--name", preview.path.name)]
            if not is_refinement:
                self.refresh()
            self._next_portion()
        else:
            surface.release(surface.remaining + 1)
            self.refresh()
            self._announce(preview.path)

    async def _refine(self, path: Path, region: Region | None) -> None:
        """On a slow line, once it is idle: the same picture with all its colours, drawn over the frugal one."""
        preview = await self.service.prepare(path, self._slot, region, self._paper, slot=self, is_best=True)
        if preview.cost < self.service.pacer.rate * _WORTH_WAITING:
            self._install(preview, is_refinement=True)

    def _refine_when_idle(self) -> None:
        if self._path is None:
            return
        if self.service.pacer.is_waiting:
            self._refinement = self.set_timer(_IDLE, self._refine_when_idle)
        else:
            self._begin(self._refine)

    def _next_portion(self) -> None:
        surface = self._surface
        if surface is None or self._path is None or not self.service.pacer.is_active:
            return
        if surface.released < len(surface.picture.blocks):
            # What is not drawn asks nothing: its permission would hold up the others. It asks when it is drawn again.
            if self.is_drawn and not self._is_asking:
                self._is_asking = True
                pacer = self.service.pacer
                for other in pacer.keep(lambda key: isinstance(key, PreviewImage) and key.is_drawn):
                    if isinstance(other, PreviewImage):
                        other._is_asking = False
                pacer.ask(self, surface.next_size(PORTION), self._go)
        elif surface.is_drawn:
            self._announce(self._path)
            if surface.picture.is_frugal and surface.picture.protocol != "half" and self._refinement is None:
                self._refinement = self.set_timer(_IDLE, self._refine_when_idle)

    def _go(self) -> None:
        """The line has room: let the next rows be drawn."""
        if self._surface is None:
            return
        size, rows = self._surface.release(PORTION)
        if size:
            self.refresh(Cells(0, rows.start, self.size.width, len(rows)))

    def _drawn(self, size: int) -> bool:
        """A portion has been written, in the middle of Textual's writing; go on after it."""
        self._is_asking = False
        asks = self.service.pacer.sent(self, size)
        self.call_later(self._next_portion)
        return asks

    def render_line(self, y: int) -> Strip:
        """A line of the placeholder: thin corners, and quiet words in the middle."""
        width, height = self.content_size
        paper = self.rich_style
        if not self._lines or not width:
            return Strip.blank(width, paper)
        if height >= 4 and width >= 8 and y in (0, height - 1):
            left, right = ("┌", "┐") if y == 0 else ("└", "┘")
            corner = self.get_component_rich_style("preview--corner")
            return Strip([Segment(left, corner), Segment(" " * (width - 2), paper), Segment(right, corner)], width)
        lines = self._wrapped(width)
        top = max(0, (height - len(lines)) // 2)
        if not top <= y < top + len(lines):
            return Strip.blank(width, paper)
        kind, text = lines[y - top]
        spare = width - cell_len(text)
        return Strip(
            [
                Segment(" " * (spare // 2), paper),
                Segment(text, self.get_component_rich_style(kind)),
                Segment(" " * (spare - spare // 2), paper),
            ],
            width,
        )

    def render_lines(self, crop: Cells) -> list[Strip]:
        """The picture's strips, cut to `crop`; the placeholder for rows that have not been let through yet."""
        surface = self._surface
        if surface is None:
            return super().render_lines(crop)
        rows = crop.line_range
        if not self._is_on_top:
            strips = [surface.still(row) for row in rows]
        else:
            self._place(surface)
            paper = self.render_line
            strips = [paper(row) if surface.is_held(row) else surface.strip(row) for row in rows]
        return [strip.crop(crop.x, crop.right) for strip in strips]

    @property
    def _is_on_top(self) -> bool:
        """Whether this screen is drawn straight to the terminal, not tinted behind another."""
        try:
            return bool(self.screen.is_active)
        except NoScreen:
            return False

    def _place(self, surface: Surface) -> None:
        """Tell the surface where it is, what of it is clipped, and what lies over it."""
        compositor, size = self.screen._compositor, self.app.size
        region, clip = compositor.visible_widgets.get(self, (self.region, size.region))
        seen = region.intersection(clip)
        covered: set[int] = set()
        for other, (other_region, other_clip) in compositor.visible_widgets.items():  # front to back
            if other is self:
                break
            if over := seen.intersection(other_region.intersection(other_clip)):
                covered.update(range(over.y - region.y, over.bottom - region.y))
        times = getattr(self.app._driver, "screens", 0)
        has_moved = surface.place(
            (region, size, self.screen.stack_updates, times),
            range(seen.y - region.y, seen.bottom - region.y),
            covered,
            is_whole=seen.width == region.width,
            floor=size.height - 1 - region.y,
        )
        if not self.service.pacer.is_active:
            return
        if has_moved:
            self._drop()
            surface.restart()
        if surface.released < len(surface.picture.blocks) and not self._is_asking:
            self.call_later(self._next_portion)

    def _wrapped(self, width: int) -> list[tuple[str, str]]:
        """The placeholder's lines, broken where they are too long."""
        room = max(1, width - 4)
        return [(kind, part) for kind, text in self._lines if text for part in wrap(text, room)]

    def _announce(self, path: Path) -> None:
        if not self._is_announced:
            self._is_announced = True
            self.call_after_refresh(self._say_shown, path)

    def _say_shown(self, path: Path) -> None:
        if path == self._path:
            self.post_message(self.Shown(self, path))
