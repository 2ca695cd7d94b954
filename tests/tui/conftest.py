"""The app on the pretend engine, driven by keys, and ways to look at it."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot

from engine.settings import Settings
from tests.tui.fakes import FakeEngine, make_engine
from tui.app import ProofsheetApp
from tui.screens.base import Page
from tui.terminal import Terminal

WIDE, NARROW = (140, 42), (80, 24)
SNAPSHOTS = Path(__file__).with_name("snapshots")


@dataclass
class Studio:
    """A running app: `press` keys, `until` something is so, read the `text` of the screen."""

    app: ProofsheetApp
    pilot: Pilot[int]
    engine: FakeEngine

    @property
    def page(self) -> Any:
        """The screen below any overlay, with all its attributes."""
        return self.app.page

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], Any], seconds: float = 8.0) -> None:
        """Wait for a condition; the screen is in the message when it never comes."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"it never came to that; the screen says:\n{self.text}"
            await self.pilot.pause(0.01)
        await self.pilot.pause()

    async def set_shown(self, number: int) -> None:
        """Wait until this set is on the table, with its suggestion."""
        await self.until(lambda: self.page.shown is not None and self.page.shown.id == number)
        await self.until(lambda: self.page.suggestion is not None and not self.page.is_deciding)

    @property
    def text(self) -> str:
        """The whole screen as lines of text."""
        screen = self.app.screen
        return "\n".join(strip.text.rstrip() for strip in screen._compositor.render_strips(screen.size))

    def says(self, *words: str) -> bool:
        """Whether the screen shows all of these."""
        return all(word in self.text for word in words)


@asynccontextmanager
async def running(
    engine: FakeEngine, size: tuple[int, int] = WIDE, settings: Settings | None = None, **options: Any
) -> AsyncIterator[Studio]:
    """The app, open on an engine. Whatever it did not expect fails the test."""
    app = ProofsheetApp(
        engine.opened,
        settings=settings or Settings(actor="me"),
        terminal=Terminal(is_tty=False),
        **{"images": "off", **options},
    )
    async with app.run_test(size=size) as pilot:
        studio = Studio(app, pilot, engine)
        await studio.until(lambda: app.engine is not None and isinstance(app.page, Page))
        yield studio
    assert not app.unexpected, app.unexpected


@pytest.fixture(autouse=True)
def _clock_of_one_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are shown by the machine's clock; here it stands in UTC, wherever the tests run."""
    with monkeypatch.context() as place:
        place.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(scope="session", autouse=True)
def _styles_by_heart() -> Iterator[None]:
    """What was once parsed of the style sheets serves every app of the run: it is half of an app's start."""
    known: dict[object, list[RuleSet]] = {}
    parse = Stylesheet._parse_rules

    def parsed(sheet: Stylesheet, *asked: Any, **named: Any) -> list[RuleSet]:
        key = asked, tuple(named.items()), frozenset(sheet._variables.items())
        if key not in known:
            known[key] = parse(sheet, *asked, **named)
        return known[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Stylesheet, "_parse_rules", parsed)
        yield


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for simulated pictures, drawn once."""
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture
def engine(pictures: Path) -> FakeEngine:
    """Six simulated sets of three images."""
    return make_engine(pictures / "six")


def check_snapshot(name: str, text: str) -> None:
    """Compare a screen with the text kept for it; UPDATE_SNAPSHOTS=1 writes it anew, to be read in the diff."""
    file = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOTS.mkdir(exist_ok=True)
        file.write_text(text + "\n", encoding="utf-8")
    assert file.exists(), f"no snapshot {file.name} yet; run once with UPDATE_SNAPSHOTS=1 and look at it"
    assert text + "\n" == file.read_text(encoding="utf-8")
