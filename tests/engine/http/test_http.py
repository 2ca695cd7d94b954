"""The HTTP interface in process: names, statuses, tokens, keys, and everything that is refused."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from engine.engine import Engine
from engine.errors import ProofsheetError
from engine.http.admin import FAILURES, AdminKey, NoAdminKey, Throttled, WrongAdminKey, key_file, new_key
from engine.http.app import make_app
from engine.http.guard import MAX_BODY, is_loopback
from engine.runs import RunState
from engine.workspace import Workspace
from tests.engine.experiments.designs import BANNER

SESSION = "/api/ai/resize-session"
FEEDBACK = "/api/ai/resize-feedback"
RETRAIN = "/api/ai/retrain-model"
NEW = {
    "userId": "ann",
    "projectId": "mojo1",
    "originalCanvas": BANNER,
    "targetDimensions": {"width": 1080, "height": 1920},
}


@pytest.fixture
async def engine(workspace: Workspace) -> AsyncIterator[Engine]:
    async with Engine.open(workspace) as opened:
        yield opened


@pytest.fixture
async def client(engine: Engine) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app(engine, AdminKey(engine.workspace, {"ADMIN_SECRET_KEY": "the key"}))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8737") as opened:
        yield opened


async def started(client: httpx.AsyncClient, **change: Any) -> dict[str, Any]:
    answer = await client.post(SESSION, json={**NEW, **change})
    assert answer.status_code == 201, answer.text
    return answer.json()


def bearer(session: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['sessionToken']}"}


async def test_a_session_from_its_beginning_to_its_rating(client: httpx.AsyncClient, engine: Engine) -> None:
    session = await started(client)
    assert session["variant"] in ("original", "enhanced-v1")
    assert "1080 x 1920" in session["prompt"] and '"Big Sale"' in session["prompt"]
    answer = await client.patch(
        f"{SESSION}/{session['id']}",
        json={"aiResult": {"objects": []}, "processingTime": 3200.5, "manualCorrections": [{"op": "changed"}]},
        headers=bearer(session),
    )
    assert answer.json() == {"id": session["id"], "recorded": ["aiResult", "processingTime", "manualCorrections"]}
    said = {"sessionId": session["id"], "rating": 5, "helpful": True, "feedbackText": "fine"}
    assert (await client.post(FEEDBACK, json=said, headers=bearer(session))).status_code == 201
    detail = await engine.experiments.session(session["id"])
    one = detail.session
    assert (one.user_id, one.project, one.target, one.source) == ("ann", "mojo1", (1080, 1920), "http")
    assert (one.processing_ms, one.corrections, one.rating, one.helpful, one.state) == (3200.5, 1, 5, True, "done")
    assert detail.canvas == BANNER and detail.features and detail.features["texts"] == 3


async def test_a_user_keeps_the_variant(client: httpx.AsyncClient) -> None:
    variants = {(await started(client))["variant"] for _ in range(5)}
    assert len(variants) == 1


async def test_a_finished_resize_is_recorded_at_once(client: httpx.AsyncClient, engine: Engine) -> None:
    session = await started(client, aiResult={"objects": []}, processingTime=10, manualCorrections=3)
    one = (await engine.experiments.session(session["id"])).session
    assert (one.state, one.processing_ms, one.corrections) == ("done", 10, 3)


async def test_a_corrected_canvas_becomes_its_changes(client: httpx.AsyncClient, engine: Engine) -> None:
    session = await started(client, aiResult=BANNER)
    corrected = copy.deepcopy(BANNER)
    corrected["objects"][2]["left"] = 5
    answer = await client.patch(
        f"{SESSION}/{session['id']}", json={"manualCorrections": corrected}, headers=bearer(session)
    )
    assert answer.status_code == 200
    detail = await engine.experiments.session(session["id"])
    assert [(one["object"], one["field"], one["after"]) for one in detail.corrections] == [("title", "left", 5)]
    assert detail.session.corrections == 1


async def test_an_error_makes_the_session_a_failed_one(client: httpx.AsyncClient, engine: Engine) -> None:
    session = await started(client)
    await client.patch(f"{SESSION}/{session['id']}", json={"error": "timeout"}, headers=bearer(session))
    one = (await engine.experiments.session(session["id"])).session
    assert (one.state, one.error) == ("failed", "timeout")


@pytest.mark.parametrize("how", ["bearer", "header", "body"])
async def test_the_token_may_be_given_three_ways(client: httpx.AsyncClient, how: str) -> None:
    session = await started(client)
    headers = {"bearer": bearer(session), "header": {"X-Session-Token": session["sessionToken"]}}.get(how, {})
    body = {"sessionId": session["id"], "rating": 4}
    if how == "body":
        body["sessionToken"] = session["sessionToken"]
    assert (await client.post(FEEDBACK, json=body, headers=headers)).status_code == 201


async def test_without_the_token_nothing_is_changed(client: httpx.AsyncClient, engine: Engine) -> None:
    mine, other = await started(client), await started(client, userId="bob")
    place, body = f"{SESSION}/{mine['id']}", {"sessionId": mine["id"], "rating": 1}
    for headers in ({}, bearer(other), {"Authorization": "Basic x"}, {"X-Session-Token": "x"}):
        for answer in (
            await client.patch(place, json={"processingTime": 1}, headers=headers),
            await client.post(FEEDBACK, json=body, headers=headers),
        ):
            assert answer.status_code == 401 and "www-authenticate" in answer.headers
    assert (await engine.experiments.session(mine["id"])).session.rating is None
    missing = await client.patch(f"{SESSION}/nope", json={}, headers=bearer(mine))
    assert missing.status_code == 404


async def test_the_same_key_records_once_and_another_content_is_a_conflict(client: httpx.AsyncClient) -> None:
    session = await started(client)
    body = {"sessionId": session["id"], "rating": 4, "idempotencyKey": "k1"}
    first = await client.post(FEEDBACK, json=body, headers=bearer(session))
    again = await client.post(FEEDBACK, json=body, headers=bearer(session))
    other = await client.post(FEEDBACK, json={**body, "rating": 2}, headers=bearer(session))
    assert (first.json()["isRepeat"], again.json()["isRepeat"], other.status_code) == (False, True, 409)
    assert first.json()["id"] == again.json()["id"]


async def test_analytics_tell_how_the_variants_do(client: httpx.AsyncClient) -> None:
    await started(client)
    answer = await client.get("/api/ai/training-analytics", params={"days": 7})
    found = answer.json()
    assert answer.status_code == 200 and found["sessions"] == 1
    assert {one["id"] for one in found["variants"]} == {"original", "enhanced-v1"}
    assert "feedbackRate" in found and "ratingHistogram" in found["variants"][0] and "training" in found


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"userId": ""}, "userId"),
        ({"userId": 5}, "userId"),
        ({"userId": "x" * 501}, "userId"),
        ({"userId": "  "}, "userId"),
        ({"targetDimensions": {"width": 0, "height": 5}}, "targetDimensions.width"),
        ({"targetDimensions": {"width": "5", "height": 5}}, "targetDimensions.width"),
        ({"targetDimensions": {"width": True, "height": 5}}, "targetDimensions.width"),
        ({"targetDimensions": {"width": 5}}, "targetDimensions.height"),
        ({"originalCanvas": {"objects": [{"type": "rect"}]}}, "originalCanvas"),
        ({"originalCanvas": []}, "originalCanvas"),
        ({"processingTime": -1}, "processingTime"),
        ({"manualCorrections": "many"}, "manualCorrections"),
        ({"unknownField": 1}, "unknownField"),
    ],
)
async def test_a_wrong_field_is_named(client: httpx.AsyncClient, change: dict[str, Any], path: str) -> None:
    answer = await client.post(SESSION, json={**NEW, **change})
    assert answer.status_code == 422
    assert answer.json()["error"]["fields"][0]["path"] == path


@pytest.mark.parametrize(
    "body", [{}, {"rating": 0}, {"rating": 6}, {"rating": 4.5}, {"rating": True}, {"helpful": "yes"}]
)
async def test_a_rating_is_one_to_five_stars(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    session = await started(client)
    answer = await client.post(FEEDBACK, json={"sessionId": session["id"], **body}, headers=bearer(session))
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"", 422),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b'{"userId": "\\ud800"}', 400),
        (json.dumps(NEW).replace("1200", "NaN").encode(), 422),
        (json.dumps(NEW).replace("1200", "1e999").encode(), 422),
        (b"null", 422),
    ],
)
async def test_what_is_no_json_is_refused(client: httpx.AsyncClient, content: bytes, status: int) -> None:
    answer = await client.post(SESSION, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status and answer.json()["error"]["message"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_json_only(client: httpx.AsyncClient, kind: str) -> None:
    answer = await client.post(SESSION, content=b"{}", headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == 415


async def test_other_methods_are_told_which_there_are(client: httpx.AsyncClient) -> None:
    answer = await client.delete(SESSION)
    assert answer.status_code == 405 and answer.headers["allow"] == "POST" and answer.json()["error"]
    assert (await client.request("OPTIONS", FEEDBACK)).status_code == 405, "there is no CORS to ask for"
    assert (await client.get("/api/nothing")).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://localhost:8737"},
        {"Origin": "http://localhost:9999"},
    ],
)
async def test_other_hosts_and_origins_are_refused(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post(SESSION, json=NEW, headers=headers)
    assert answer.status_code == 403 and "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("headers", [{"Host": "127.0.0.1:5"}, {"Host": "[::1]:5"}, {"Origin": "http://localhost:8737"}])
async def test_this_machine_is_let_in(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post(SESSION, json=NEW, headers=headers)
    assert answer.status_code == 201
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"


async def test_a_large_body_is_refused_with_and_without_its_length(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 65_536 + 2):
            yield b" " * 65_536

    headers = {"Content-Type": "application/json"}
    assert (await client.post(SESSION, content=b" " * (MAX_BODY + 1), headers=headers)).status_code == 413
    assert (await client.post(SESSION, content=chunks(), headers=headers)).status_code == 413


def test_what_is_heard_on_this_machine_alone() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.9.9.9", "::1")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.0.1", "example.com")))


# -- retraining -----------------------------------------------------------------------------------------------------


async def test_the_right_key_starts_a_run_and_one_at_a_time(
    client: httpx.AsyncClient, engine: Engine, monkeypatch
) -> None:
    gate = asyncio.Event()
    begun: list[Any] = []

    async def retrain(days: int | None = None, min_rating: int = 4) -> Any:
        begun.append((days, min_rating))
        return await engine.runs.start("waits", {})

    engine.runs.register("waits", lambda run: run.wait(60) or {})
    monkeypatch.setattr("engine.http.app.RETRAINING", "waits")
    monkeypatch.setattr(engine.experiments, "retrain", retrain)
    body = {"days": 30, "minRating": 3, "adminKey": "the key"}
    answers = await asyncio.gather(*(client.post(RETRAIN, json=body) for _ in range(4)))
    gate.set()
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    assert begun == [(30, 3)]
    run = next(answer.json()["runId"] for answer in answers if answer.status_code == 202)
    await engine.runs.cancel(run)
    assert (await engine.runs.wait(run)).state is RunState.CANCELLED
    assert (await client.post(RETRAIN, json=body)).status_code == 202


async def test_a_wrong_key_is_refused_and_many_are_throttled(client: httpx.AsyncClient) -> None:
    body = {"adminKey": "wrong"}
    codes = [(await client.post(RETRAIN, json=body)).status_code for _ in range(FAILURES + 1)]
    assert codes == [401] * FAILURES + [429]
    right = await client.post(RETRAIN, json={"adminKey": "the key"})
    assert right.status_code == 429 and int(right.headers["retry-after"]) > 0


async def test_without_a_configured_key_nobody_may(engine: Engine) -> None:
    transport = httpx.ASGITransport(app=make_app(engine, AdminKey(engine.workspace, {})))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.post(RETRAIN, json={"adminKey": ""})
        assert answer.status_code == 422
        answer = await client.post(RETRAIN, json={"adminKey": "x"})
        assert answer.status_code == 403 and "--new-admin-key" in answer.json()["error"]["remedy"]


def test_a_made_key_is_kept_as_a_hash_and_replaces_the_one_before(workspace: Workspace) -> None:
    first, second = new_key(workspace), new_key(workspace)
    kept = key_file(workspace)
    assert first not in kept.read_text() and second not in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600
    key = AdminKey(workspace, {})
    key.check(second)
    with pytest.raises(WrongAdminKey):
        key.check(first)


def test_a_damaged_key_file_lets_nobody_in(workspace: Workspace) -> None:
    key_file(workspace).write_text("[]")
    with pytest.raises(NoAdminKey, match="cannot be read"):
        AdminKey(workspace, {}).check("x")


def test_the_throttle_opens_again(workspace: Workspace) -> None:
    now = [0.0]
    key = AdminKey(workspace, {"ADMIN_SECRET_KEY": "k"}, lambda: now[0])
    for _ in range(FAILURES):
        with pytest.raises(WrongAdminKey):
            key.check("wrong")
    with pytest.raises(Throttled):
        key.check("k")
    now[0] = 61.0
    key.check("k")


async def test_an_unexpected_refusal_keeps_its_form(client: httpx.AsyncClient, engine: Engine, monkeypatch) -> None:
    async def full(_new: object) -> None:
        raise ProofsheetError("the disk is full", remedy="Free some room.")

    monkeypatch.setattr(engine.experiments, "start_session", full)
    answer = await client.post(SESSION, json=NEW)
    assert answer.status_code == 500
    assert answer.json() == {"error": {"message": "the disk is full", "remedy": "Free some room."}}
