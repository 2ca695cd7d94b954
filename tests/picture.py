"""The README's picture of the ranking screen, drawn by the app itself: `make picture` writes docs/ranking.svg.

The app runs without a terminal on the demo's workspace; its cells become an SVG. Where a preview was drawn in
half-blocks, the picture itself is put, as a terminal with Kitty or Sixel graphics shows it.
"""

from __future__ import annotations

import asyncio
import base64
import io
import sys
import time
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image
from rich.color import ColorTriplet
from rich.segment import Segment
from textual.geometry import Region

from engine.demo.demo import prepare
from engine.settings import load
from engine.workspace import Workspace
from tui.app import ProofsheetApp
from tui.running import engine_of
from tui.terminal import Terminal
from tui.widgets.preview import PreviewImage

TARGET = Path(__file__).resolve().parent.parent / "docs" / "ranking.svg"
SIZE = (112, 28)
CELL = (9.0, 19.0)
PATIENCE_SECONDS = 60
HALF_BLOCK = "▀"


async def draw(workspace: Workspace) -> str:
    """The ranking screen as an SVG, once all its previews and the suggestion are there."""
    app = ProofsheetApp(
        lambda: engine_of(workspace, {}), settings=load(workspace).values, terminal=Terminal(), images="half",
        screen="ranking", demo=True,
    )  # fmt: skip
    async with app.run_test(size=SIZE) as pilot:
        end = time.monotonic() + PATIENCE_SECONDS
        while not _is_complete(app):
            if time.monotonic() > end:
                raise TimeoutError("the ranking screen was not complete in time")
            await pilot.pause(0.1)
        await pilot.pause(0.3)
        return _svg(app)


def _shown(app: ProofsheetApp) -> list[PreviewImage]:
    return [one for one in app.screen.query(PreviewImage) if one.path is not None and one.region.area]


def _is_complete(app: ProofsheetApp) -> bool:
    previews = _shown(app)
    has_suggestion = getattr(app.page, "suggestion", None) is not None
    return bool(previews) and all(one.is_shown for one in previews) and has_suggestion


def _svg(app: ProofsheetApp) -> str:
    columns, rows = SIZE
    lines = [list(strip) for strip in app.screen._compositor.render_strips()]
    grid = [_cells(line) for line in lines]
    width, height = columns * CELL[0], rows * CELL[1]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="15">',
        f'<rect width="{width:g}" height="{height:g}" rx="6" fill="{_background(lines)}"/>',
    ]
    pictured: set[tuple[int, int]] = set()
    for preview in _shown(app):
        place = _drawn(grid, preview.region)
        if place is not None and preview.path is not None:
            pictured |= {(x, y) for x in range(place.x, place.right) for y in range(place.y, place.bottom)}
            parts.append(_image(preview.path, place))
    for y, line in enumerate(lines):
        parts += _line(line, y, pictured)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _cells(line: list[Segment]) -> list[str]:
    """The character of each cell."""
    return [character for segment in line for character in segment.text]


def _drawn(grid: list[list[str]], region: Region) -> Region | None:
    """The cells of `region` that hold a half-block picture."""
    found = [
        (x, y)
        for y in range(region.y, min(region.bottom, len(grid)))
        for x in range(region.x, min(region.right, len(grid[y])))
        if grid[y][x] == HALF_BLOCK
    ]
    if not found:
        return None
    xs, ys = [x for x, _ in found], [y for _, y in found]
    return Region(min(xs), min(ys), max(xs) - min(xs) + 1, max(ys) - min(ys) + 1)


def _image(path: Path, place: Region) -> str:
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((520, 520))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=82)
    x, y = place.x * CELL[0], place.y * CELL[1]
    return (
        f'<image x="{x:g}" y="{y:g}" width="{place.width * CELL[0]:g}" height="{place.height * CELL[1]:g}" '
        f'preserveAspectRatio="xMidYMid meet" '
        f'href="data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"/>'
    )


def _line(line: list[Segment], y: int, pictured: set[tuple[int, int]]) -> list[str]:
    parts, x = [], 0
    for segment in line:
        style, length = segment.style, len(segment.text)
        if (x, y) not in pictured:
            back = style.bgcolor.get_truecolor().hex if style and style.bgcolor else None
            ink = style.color.get_truecolor() if style and style.color else ColorTriplet(255, 255, 255)
            if back:
                parts.append(
                    f'<rect x="{x * CELL[0]:g}" y="{y * CELL[1]:g}" width="{length * CELL[0]:g}" '
                    f'height="{CELL[1]:g}" fill="{back}"/>'
                )
            if segment.text.strip():
                weight = ' font-weight="bold"' if style and style.bold else ""
                parts.append(
                    f'<text x="{x * CELL[0]:g}" y="{y * CELL[1] + 14:g}" textLength="{length * CELL[0]:g}" '
                    f'xml:space="preserve" fill="{ink.hex}"{weight}>{escape(segment.text)}</text>'
                )
        x += length
    return parts


def _background(lines: list[list[Segment]]) -> str:
    first = lines[0][0].style
    return first.bgcolor.get_truecolor().hex if first and first.bgcolor else "#000000"


def main() -> int:
    """Prepare the demo (from the last time, if there was one), draw, write."""
    workspace = asyncio.run(prepare())
    TARGET.write_text(asyncio.run(draw(workspace)), encoding="utf-8")
    print(TARGET, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
