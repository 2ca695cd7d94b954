"""The HTTP contract, by schemathesis with all its checks: every answer is one that the schema promises."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from starlette.types import Receive, Scope, Send

from engine.engine import Engine
from engine.http.admin import AdminKey
from engine.http.app import make_app
from engine.settings import load
from engine.store import Store
from engine.workspace import Workspace


class OwnLoop:
    """An ASGI application over one engine that lives in a loop of its own, whichever loop a request comes in."""

    def __init__(self, workspace: Workspace) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

        async def make() -> Engine:
            loaded = load(workspace, environment={})
            return Engine(workspace, loaded, Store.open(workspace.database_file))

        self.engine = self.call(make())
        self.app = make_app(self.engine, AdminKey(workspace, {"ADMIN_SECRET_KEY": "the key"}), ("testserver",))
        self.schema = self.app.openapi()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        asked: list = []
        while not asked or asked[-1].get("more_body"):
            asked.append(await receive())
        answered: list = []

        async def given():
            return asked.pop(0) if asked else {"type": "http.disconnect"}

        async def take(message) -> None:
            answered.append(message)

        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.app(scope, given, take), self.loop))
        for message in answered:
            await send(message)

    def close(self) -> None:
        self.call(self.engine.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLoop]:
    app = OwnLoop(Workspace.init(tmp_path_factory.mktemp("http") / "workspace"))
    yield app
    app.close()


@pytest.fixture
def api_schema(served: OwnLoop):
    return schemathesis.openapi.from_asgi("/openapi.json", served)


schema = schemathesis.pytest.from_fixture("api_schema")


@schema.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_was_promised(case) -> None:
    case.call_and_validate()
