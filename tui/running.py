"""Opens the app on a workspace: settings, terminal, engine and log, and the exit code at the end."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui import theme as themes
from tui.app import ProofsheetApp

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.workspace import Workspace
    from tui.terminal import Choice


@contextlib.asynccontextmanager
async def engine_of(workspace: Workspace, flags: Mapping[str, Any]) -> AsyncIterator[Engine]:
    """Open the engine; its imports happen in a thread, behind the first frame."""
    module = await asyncio.to_thread(importlib.import_module, "engine.engine")
    async with module.Engine.open(workspace, flags=flags) as engine:
        yield engine


def run_app(
    workspace: Workspace,
    *,
    paths: Sequence[Path] = (),
    demo: bool = False,
    images: Choice | None = None,
    screen: str | None = None,
    flags: Mapping[str, Any] | None = None,
) -> int:
    """Ask the terminal what it is, open the app on a workspace, and return the exit code.

    `paths` are scanned behind the first picture; `images` wins over the setting. Raises ProofsheetError for wrong
    settings or a keymap that cannot be, before the screen is touched.
    """
    from engine.settings import load
    from tui.terminal import probe

    settings = load(workspace, flags=flags).values
    app = ProofsheetApp(
        lambda: engine_of(workspace, dict(flags or {})),
        settings=settings,
        terminal=probe(),
        paths=paths,
        demo=demo,
        images=images or settings.images,
        screen=screen,
        theme_folders=[themes.user_folder()],
        log_folder=workspace.logs,
    )
    with _logging(workspace.logs):
        code = app.run()
    with contextlib.suppress(OSError):  # the connection may have dropped, and the terminal with it
        print(app.previews.farewell(), end="", flush=True)  # noqa: T201  # escapes only: our pictures leave
    return code if code is not None else app.return_code or 0


@contextlib.contextmanager
def _logging(folder: Path) -> Iterator[None]:
    """Details of the unexpected go to app.log; nothing is ever printed over the screen."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(folder / "app.log", encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("proofsheet")
    root.addHandler(handler)
    root.propagate = False
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()
