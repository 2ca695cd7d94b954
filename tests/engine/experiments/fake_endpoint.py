"""An OpenAI-compatible endpoint on this machine that answers as the test says, misbehaving at the socket too."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Reply:
    """One answer: a status with a body, or a way of not answering."""

    status: int = 200
    body: bytes = b""
    how: str = "answer"  # answer | hang | drip | reset | cut
    headers: tuple[str, ...] = ()


def completion(content: object) -> Reply:
    text = content if isinstance(content, str) else json.dumps(content)
    return Reply(body=json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode())


def status(code: int) -> Reply:
    return Reply(code, b'{"error": {"message": "no"}}', headers=("retry-after-ms: 5",))


@dataclass
class FakeEndpoint:
    replies: list[Reply]
    port: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": f"http://127.0.0.1:{self.port}/v1"}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")
            )
            self.requests.append(json.loads(await reader.readexactly(length)))
            reply = self.replies[min(len(self.requests), len(self.replies)) - 1]
            await self._reply(reply, writer)
        writer.close()

    async def _reply(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        head = "\r\n".join(
            (f"HTTP/1.1 {reply.status} X", "content-type: application/json", "connection: close", *reply.headers)
        )
        if reply.how == "hang":
            await asyncio.sleep(30)
        elif reply.how == "reset":
            import socket

            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        elif reply.how == "cut":
            writer.write(f"{head}\r\ncontent-length: 9999\r\n\r\n".encode() + reply.body[:20])
            await writer.drain()
        elif reply.how == "drip":
            writer.write(f"{head}\r\ncontent-length: 9999\r\n\r\n".encode())
            for _ in range(1000):
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        else:
            writer.write(f"{head}\r\ncontent-length: {len(reply.body)}\r\n\r\n".encode() + reply.body)
            await writer.drain()


@asynccontextmanager
async def endpoint(replies: Sequence[Reply]) -> AsyncIterator[FakeEndpoint]:
    fake = FakeEndpoint(list(replies))
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await fake.serve(reader, writer)
        except asyncio.CancelledError:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
