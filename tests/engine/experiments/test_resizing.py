"""Resizing by a model that misbehaves in every way: the person always gets a canvas, and learns why."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import AsyncIterator

import pytest

from engine.engine import Engine
from engine.experiments.canvas import parse
from engine.experiments.layout import problems, solve
from engine.experiments.resizing import Resized, resize
from engine.workspace import Workspace
from tests.engine.experiments.designs import BANNER
from tests.engine.experiments.fake_endpoint import Reply, completion, endpoint, status

TARGET = (1080, 1920)
CANVAS = parse(BANNER)
GOOD = {"objects": solve(CANVAS, TARGET).canvas.document()["objects"]}


def bad(**change: object) -> dict:
    """A good answer with one object changed."""
    document = copy.deepcopy(GOOD)
    document["objects"][2].update(change)
    return document


@pytest.fixture
async def engine(workspace: Workspace) -> AsyncIterator[Engine]:
    async with Engine.open(workspace) as opened:
        yield opened


async def resized(engine: Engine, environment: dict[str, str], timeout: float = 20) -> Resized:
    return await resize(engine.experiments, CANVAS, TARGET, "ann", model="m", patience=timeout, environment=environment)


FENCED = f"```json\n{json.dumps(GOOD)}\n```"
GEOMETRY = {
    "objects": [{k: o[k] for k in ("id", "left", "top", "scaleX", "scaleY")} for o in reversed(GOOD["objects"])]
}


@pytest.mark.parametrize(
    ("replies", "asked"),
    [
        ([completion(GOOD)], 1),
        ([completion(FENCED)], 1),
        ([completion(GEOMETRY)], 1),
        ([status(429), completion(GOOD)], 2),
        ([status(500), status(503), completion(GOOD)], 3),
        ([Reply(how="reset"), completion(GOOD)], 2),
        ([completion("not json"), completion(GOOD)], 2),
        ([completion(bad(left=5000)), completion(GOOD)], 2),
    ],
    ids=[
        "good",
        "code fences",
        "geometry alone, reordered",
        "429",
        "500s",
        "reset",
        "no json, then good",
        "off the page",
    ],
)
async def test_a_usable_answer_is_used(engine: Engine, replies: list[Reply], asked: int) -> None:
    async with endpoint(replies) as fake:
        done = await resized(engine, fake.environment)
    assert (done.solver, done.method, done.message) == ("endpoint", "model", "")
    assert len(fake.requests) == asked
    assert problems(CANVAS, done.canvas, TARGET) == []
    detail = await engine.experiments.session(done.session)
    assert detail.session.state == "done" and detail.session.solver == "endpoint"
    assert detail.result == done.canvas.document()
    assert detail.features is not None and detail.features["texts"] == 3


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (status(500), "HTTP 500"),
        (status(429), "HTTP 429"),
        (status(401), "OPENAI_API_KEY"),
        (status(404), "resize_model"),
        (completion("{"), "not one JSON object"),
        (completion("[1]"), "not an object"),
        (completion({"objects": 5}), "not an object"),
        (completion({"objects": [None]}), "objects[0] is no object"),
        (completion({"objects": GOOD["objects"][:-1]}), "'label' is missing"),
        (completion({"objects": [*GOOD["objects"], {**GOOD["objects"][0], "id": "more"}]}), "'more' was not there"),
        (completion({"objects": [*GOOD["objects"], GOOD["objects"][0]]}), "comes twice"),
        (completion(json.dumps(bad(left=float("nan")))), "not one JSON object"),
        (completion(bad(left="5")), "objects[2].left"),
        (completion(bad(left=900)), "juts out"),
        (completion(bad(left=100, top=100)), "lies over"),
        (completion(bad(text="Cheap")), "the text of 'title'"),
        (completion({**GOOD, "width": 5}), "the page is 5x1920"),
        (completion(""), "empty"),
        (completion("x" * 3_000_000), "longer than"),
        (Reply(body=b"x" * 9_000_000), "longer than 8 MB"),
        (Reply(body=b"<html>"), "no chat completion"),
        (Reply(body=b'{"choices": []}'), "no chat completion"),
        (Reply(how="cut", body=b"{"), "connection broke"),
    ],
)
async def test_an_unusable_answer_falls_back_with_the_reason(engine: Engine, reply: Reply, why: str) -> None:
    async with endpoint([reply]) as fake:
        done = await resized(engine, fake.environment)
    assert why in done.message and done.solver == "builtin"
    assert problems(CANVAS, done.canvas, TARGET) == []
    detail = await engine.experiments.session(done.session)
    assert detail.session.state == "done" and detail.session.solver == "builtin" and why in (detail.session.error or "")


@pytest.mark.parametrize("how", ["hang", "drip"])
async def test_patience_has_an_end(engine: Engine, how: str) -> None:
    async with endpoint([Reply(how=how)]) as fake:
        done = await resized(engine, fake.environment, timeout=0.4)
    assert done.solver == "builtin" and "within 0.4 seconds" in done.message


async def test_the_model_is_told_what_was_wrong(engine: Engine) -> None:
    async with endpoint([completion(bad(left=900)), completion(GOOD)]) as fake:
        done = await resized(engine, fake.environment)
    first, second = (request["messages"] for request in fake.requests)
    assert first[0]["content"] == done.prompt and "1080 x 1920" in done.prompt
    assert "'title' juts out of the page" in second[-1]["content"]


async def test_nobody_listens(engine: Engine) -> None:
    done = await resized(engine, {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, timeout=1.2)
    assert done.solver == "builtin" and done.message


async def test_without_an_endpoint_the_solver_works_and_says_so(engine: Engine) -> None:
    done = await resized(engine, {})
    assert done.solver == "builtin" and "OPENAI_API_KEY" in done.message
    assert (await engine.experiments.session(done.session)).session.error is None


async def test_without_the_extra_it_is_named(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    done = await resized(engine, {"OPENAI_API_KEY": "sk"})
    assert "proofsheet[openai]" in done.message
