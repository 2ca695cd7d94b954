"""Listening: one socket, one server, until a signal. Relies on uvicorn; the schedule runs beside it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from engine.errors import ProofsheetError, UsageError
from engine.http.guard import is_loopback

if TYPE_CHECKING:
    from engine.engine import Engine

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8737
_SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}


async def serve(
    engine: Engine,
    host: str,
    port: int,
    *,
    allow_hosts: Sequence[str] = (),
    listening: Callable[[str], None] = lambda _url: None,
) -> int:
    """Answer until SIGINT or SIGTERM; the exit code (130, 143). `listening` hears the URL once connections are taken.

    Port 0 takes a free one. Raises UsageError for an address that is none, ProofsheetError for one that is taken.
    """
    import uvicorn

    from engine.http.admin import AdminKey
    from engine.http.app import make_app

    names = (*allow_hosts, *([] if host in ("0.0.0.0", "::") else [host]))  # noqa: S104 - compared, not bound
    app = make_app(engine, AdminKey(engine.workspace), names)

    class Server(uvicorn.Server):
        """Signals are ours: uvicorn would raise them again before the workspace is closed."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    server = Server(
        uvicorn.Config(
            app, log_level="warning", access_log=False, lifespan="off", server_header=False, backlog=512,
            timeout_graceful_shutdown=2,
        )
    )  # fmt: skip
    code = 0

    def stop(number: signal.Signals) -> None:
        nonlocal code
        code = _SIGNALS[number]
        server.should_exit = True

    with _bound(host, port) as bound:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, stop, number)
        schedule = asyncio.create_task(engine.schedule.watch())
        try:
            shown = f"[{host}]" if ":" in host else host
            listening(f"http://{shown}:{bound.getsockname()[1]}")
            await server.serve(sockets=[bound])
        finally:
            schedule.cancel()
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
            await asyncio.gather(schedule, return_exceptions=True)
    return code


@contextlib.contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket; connections wait in its backlog until the server takes them."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
    except (socket.gaierror, UnicodeError, OverflowError) as error:
        raise UsageError(f"'{host}' is no address of this machine", remedy="Try --host 127.0.0.1.") from error
    made = socket.socket(family, kind)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind(address)
            made.listen(512)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ProofsheetError(
                f"cannot listen at {host}, port {port}: {reason}", remedy="Choose another with --port."
            ) from error
        yield made
    finally:
        made.close()


__all__ = ["DEFAULT_HOST", "DEFAULT_PORT", "is_loopback", "serve"]
