"""One image on the whole screen; or two in turn, at the same zoom, where they differ most.

The region is in fractions of the sides, so changing the image keeps the place. Comparing finds the region off the
event loop, gets both pictures ready, and then flickers; on a slow line, or after Space, it turns over by hand.
Relies on `Viewport` for geometry and on the preview service for pictures; decides nothing: it hands back the index
that was shown, and whether it was picked.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.timer import Timer

from tui.actions import bindings
from tui.images import PreviewRefused
from tui.screens.base import Page
from tui.screens.ranking_words import PLACES, details, paging
from tui.viewport import COMPARED_AT, Viewport, centre, differs_most
from tui.widgets.lines import Span
from tui.widgets.preview import PreviewImage

if TYPE_CHECKING:
    from engine.library.model import Image
    from tui.imaging.geometry import Region

FLICKER = 0.6  # seconds each of two pictures stays
SIXEL_SIDE = 1000  # pixels: xterm drops larger graphics in silence (its maxGraphicSize)
PATIENT_ABOVE = 120.0  # round trip, milliseconds: slower lines turn over by hand


@dataclass
class Located(Message, bubble=False):
    """Where the two images differ most."""

    pair: tuple[int, int]
    region: Region


@dataclass
class BothReady(Message, bubble=False):
    """The two pictures of a comparison can be shown at once."""

    pair: tuple[int, int]
    viewport: Viewport


class ZoomScreen(Page):
    """Look closely. Answers (index, picked) when it closes."""

    place = "zoom"
    BINDINGS = bindings("zoom")

    def __init__(
        self,
        images: tuple[Image, ...],
        index: int,
        *,
        rival: int = 0,
        compare: bool = False,
        star: int | None = None,
        subject: int | None = None,
        kept: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.images = images
        self.index = index
        self.rival = rival
        self.star = star
        self.subject = subject
        self.viewport = Viewport()
        self.is_comparing = compare and not kept
        self.shows_rival = False
        self._timer: Timer | None = None
        self._is_flickering = False
        if kept:
            self.viewport = Viewport(float(kept["scale"]), float(kept["x"]), float(kept["y"]))
            self.rival = min(int(kept.get("rival", rival)), len(images) - 1)
            self.is_comparing = bool(kept.get("compare"))
        self._must_locate = compare and not kept

    def compose_body(self) -> ComposeResult:
        self.picture = PreviewImage(id="zoomed")
        with Container(classes="body"):
            yield self.picture

    def on_mount(self) -> None:
        super().on_mount()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        if self.proof.previews.protocol == "sixel":
            across, down = self.proof.terminal.cell
            self.picture.styles.max_width = SIXEL_SIDE // across
            self.picture.styles.max_height = SIXEL_SIDE // down
        self._draw()
        if self._must_locate:
            self._locate()
        elif self.is_comparing:
            self._flicker()

    @property
    def image(self) -> Image:
        """The image that is shown now."""
        return self.images[self.rival if self.shows_rival else self.index]

    @property
    def shown_index(self) -> int:
        """Its place in the set."""
        return self.rival if self.shows_rival else self.index

    def _area(self) -> tuple[int, int]:
        """The room for the picture in square units: a cell is as tall as `terminal.cell` says."""
        width, height = self.picture.size
        across, down = self.proof.terminal.cell
        return max(1, width * across), max(1, height * down)

    def _region(self, image: Image) -> Region:
        return self.viewport.region((image.width, image.height), self._area())

    def _draw(self) -> None:
        image = self.image
        region = self._region(image) if self.viewport.scale > 1 else None
        self.picture.show(image.path, region)
        self._say()
        self.remember()

    def _say(self) -> None:
        dot: Span = ("  ·  ", "faint")
        index = self.shown_index
        star: tuple[Span, ...] = ((" ★", "suggest bold"),) if index == self.star else ()
        if self.is_comparing:
            pair = sorted((self.index, self.rival))
            spans: list[Span] = [("compare", "strong bold"), dot]
            for place in pair:
                spans += [
                    (f" {place % PLACES + 1} ", "strong bold reverse" if place == index else "dim"),
                    ("  ", "dim"),
                ]
            self.top.here(*spans, (self.image.name, "text"), *star, *paging(index, len(self.images)))
        else:
            number: Span = (f" {index % PLACES + 1} ", "strong bold reverse")
            self.top.here(number, (f"  {self.image.name}", "text"), *star, *paging(index, len(self.images)))
        scale = f"{self.viewport.scale:.1f}×" if self.viewport.scale > 1 else "whole"
        self.top.there((details(self.image), "dim"), (f"   {scale}", "text"))
        if self.is_comparing:
            how = "flickering; space turns over by hand" if self._is_flickering else "turn over with space"
            self.status.last((how, "dim"))
            self.offer(None, {"zoom.compare": "stop" if self._is_flickering else "flicker"})
        else:
            self.status.last(("", "dim"))
            self.offer()

    # -- actions ------------------------------------------------------------------------------------------------------

    def action_pan(self, across: int, down: int) -> None:
        image = self.image
        if self.viewport.scale <= 1:
            self.notice("+ zooms in; then there is something to pan")
            return
        self._look_at(self.viewport.panned(across, down, (image.width, image.height), self._area()))

    def action_zoom(self, steps: int) -> None:
        image = self.image
        self._look_at(self.viewport.zoomed(steps).kept((image.width, image.height), self._area()))

    def action_fit(self) -> None:
        self._look_at(Viewport())

    def _look_at(self, viewport: Viewport) -> None:
        """Another region; a comparison that flickers goes on there once both pictures are ready."""
        self.viewport = viewport
        if self._is_flickering:
            self._flicker()
        else:
            self._draw()

    def action_number(self, number: int) -> None:
        page = self.index // PLACES * PLACES
        wanted = page + number - 1
        if wanted >= len(self.images):
            return
        if self.is_comparing and wanted != self.index:
            self.rival = wanted
            self._locate()
            return
        self.index, self.shows_rival = wanted, False
        self._draw()

    def action_compare(self) -> None:
        if len(self.images) < 2:
            return
        if self._is_flickering:
            self._stop()
            self.is_comparing, self.shows_rival = False, False
            self._draw()
            return
        if self.rival == self.index:
            self.rival = next(place for place in range(len(self.images)) if place != self.index)
        self.is_comparing = True
        if self.viewport.scale > 1:
            self._flicker()
        else:
            self._locate()

    def action_flip(self) -> None:
        if len(self.images) < 2:
            return
        self._stop()
        self._turn()

    def action_pick(self) -> None:
        if self._is_flickering and self.subject is not None:
            # The image changes on its own: nobody can mean the one that happens to be shown. It stays; then Enter does.
            self._stop()
            self._say()
            self.notice(f"enter again picks {self.shown_index % PLACES + 1}")
            return
        self._leave(picked=self.subject is not None)

    def action_back(self) -> None:
        if not self.banner.close():
            self._leave(picked=False)

    def _leave(self, picked: bool) -> None:
        self._stop()
        self.proof.remember("zoom", {})
        self.dismiss((self.shown_index, picked))

    # -- comparing ----------------------------------------------------------------------------------------------------

    def _locate(self) -> None:
        """Find where the two differ most, off the loop."""
        self._stop()
        self.notice("looking for the difference…")
        pair = (self.index, self.rival)
        self.work(self._find, pair, group="locate", exclusive=True)

    async def _find(self, pair: tuple[int, int]) -> None:
        paths = [self.images[index].path for index in pair]
        region = await asyncio.to_thread(_difference, self.engine.library.thumbnail, paths[0], paths[1])
        self.post_message(Located(pair, region))

    @on(Located)
    def _found(self, event: Located) -> None:
        if event.pair != (self.index, self.rival):
            return
        x, y = centre(event.region)
        self.is_comparing = True
        image = self.images[self.index]
        left, top, right, bottom = event.region
        self.viewport = Viewport(1 / max(right - left, bottom - top), x, y).kept(
            (image.width, image.height), self._area()
        )
        self._flicker()

    def _flicker(self) -> None:
        """Both pictures are made ready; then they take turns. A slow line is spared: Space turns over."""
        self._stop()
        self._is_flickering = True
        self._draw()
        self.work(self._get_ready, self.viewport, group="ready", exclusive=True)

    async def _get_ready(self, viewport: Viewport) -> None:
        """Until both can be shown at once there is nothing to compare: a picture that loads is not a difference."""
        pair = (self.index, self.rival)
        for image in (self.images[index] for index in pair):
            region = self._region(image) if viewport.scale > 1 else None
            with contextlib.suppress(PreviewRefused):  # the picture's own place says why
                await self.proof.previews.prepare(image.path, self.picture.size, region, self.proof.paper)
        self.post_message(BothReady(pair, viewport))

    @on(BothReady)
    def _take_turns(self, event: BothReady) -> None:
        if not self._is_flickering or (event.pair, event.viewport) != ((self.index, self.rival), self.viewport):
            return
        self._stop()
        if (self.proof.terminal.rtt_ms or 0.0) <= PATIENT_ABOVE:
            self._is_flickering = True
            self._timer = self.set_timer(FLICKER, self._turn)
        self._say()

    @on(PreviewImage.Shown)
    def _shown(self, event: PreviewImage.Shown) -> None:
        """The next turn comes when this picture was seen for a while, however long the terminal takes to draw it."""
        event.stop()
        if self.is_comparing and self._timer is not None:
            self._timer.stop()
            self._timer = self.set_timer(FLICKER, self._turn)

    def _turn(self) -> None:
        self.shows_rival = not self.shows_rival
        self._draw()

    def _stop(self) -> None:
        self._is_flickering = False
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def view_state(self) -> dict[str, Any]:
        if self.subject is None or not self.is_mounted:
            return {}
        view = self.viewport
        return {
            "subject": self.subject,
            "index": self.index,
            "rival": self.rival,
            "compare": self.is_comparing,
            "scale": view.scale,
            "x": view.x,
            "y": view.y,
        }


def _difference(thumbnail: Any, first: Path, second: Path) -> Region:
    """In a worker thread: both at a small size, then the window where they differ most."""
    box = (COMPARED_AT, COMPARED_AT)
    return differs_most(thumbnail(first, box), thumbnail(second, box))
