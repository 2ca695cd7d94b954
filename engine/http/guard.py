"""The door-keeper in front of every route: who is spoken to, who speaks, how much is said.

A page that a person happens to have open must not be able to use their Proofsheet. So the Host header has to name this
machine (a name that an attacker's DNS points here is refused), an Origin has to be this server, and there is no CORS.
Relies on ASGI alone; answers refusals itself, in the API's own form.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

MAX_BODY = 4 * 1024**2  # bytes
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class TooLarge(Exception):
    """A body went beyond the limit while it came in."""


def is_loopback(host: str) -> bool:
    """Whether listening at `host` is heard on this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Guard:
    """Middleware: Host, Origin and size are checked before anything else is looked at."""

    def __init__(self, app: Application, hosts: Iterable[str] = (), max_body: int = MAX_BODY) -> None:
        self._app = app
        self._hosts = LOOPBACK | {_bracketed(host.casefold()) for host in hosts}
        self._max_body = max_body

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One request (or the server's start and end, which pass)."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # a websocket: there are none
            await send({"type": "websocket.close", "code": 1008})
            return
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name, []).append(value)
        refused = self._refusal(scope, headers)
        if refused is not None:
            await _answer(send, *refused)
            return
        began = False

        async def begin(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"cache-control", b"no-store"),
                ]
            await send(message)

        try:
            await self._app(scope, self._counted(receive), begin)
        except TooLarge:
            if not began:
                await _answer(send, *self._too_large())

    def _refusal(self, scope: MutableMapping[str, Any], headers: dict[bytes, list[bytes]]) -> tuple[int, str] | None:
        hosts = headers.get(b"host", [])
        host = hosts[0].decode("latin-1").casefold() if len(hosts) == 1 else ""
        if _name(host) not in self._hosts:
            return 403, "the Host header does not name this server; with --allow-host NAME it may"
        for origin in headers.get(b"origin", ()):
            if origin.decode("latin-1").casefold() != f"{scope.get('scheme', 'http')}://{host}":
                return 403, "requests from other origins are refused"
        length = headers.get(b"content-length", [b"0"])[0]
        if length.isdigit() and int(length) > self._max_body:
            return self._too_large()
        return None

    def _too_large(self) -> tuple[int, str]:
        return 413, f"the body is larger than {self._max_body:,} bytes"

    def _counted(self, receive: Receive) -> Receive:
        """Chunked bodies tell no length beforehand."""
        total = 0

        async def counted() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self._max_body:
                raise TooLarge
            return message

        return counted


def _name(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


async def _answer(send: Send, status: int, message: str) -> None:
    body = json.dumps({"error": {"message": message}}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
        *([(b"connection", b"close")] if status == 413 else []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
