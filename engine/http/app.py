"""The HTTP interface: FastAPI routes, each a thin face over the experiments' door.

Relies on the engine's doors alone; holds no logic of its own. JSON in, JSON out; every refusal is an ErrorDocument;
what is answered with 201 is on the disk. Off unless `proofsheet serve` is called.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, FastAPI, HTTPException, Query, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException as StarletteHTTPException

from engine.errors import ProofsheetError, UsageError
from engine.experiments import canvas as canvases
from engine.experiments.canvas_features import features
from engine.experiments.model import Conflict, NewFeedback, NewSession, SessionUpdate, UnknownSession
from engine.experiments.template import render
from engine.http import models
from engine.http.admin import AdminKey, NoAdminKey, Throttled, WrongAdminKey
from engine.http.guard import Guard

if TYPE_CHECKING:
    from engine.engine import Engine

RETRAINING = "retrain-model"
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_TOKENS = (
    HTTPBearer(auto_error=False, description="the session token"),
    APIKeyHeader(name="X-Session-Token", auto_error=False, description="the session token"),
)


class JsonRoute(APIRoute):
    """A route that reads JSON and nothing else, and only text that is Unicode."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, behind those two checks."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            if request.method in ("POST", "PATCH", "PUT"):
                kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
                if kind != "application/json":
                    raise HTTPException(415, "send application/json")
                if _SURROGATE.search(body := await request.body()):
                    _refuse_lone_surrogates(body)
            return await handle(request)

        return checked


def make_app(engine: Engine, admin: AdminKey, hosts: tuple[str, ...] = ()) -> FastAPI:
    """The application over an open engine; `hosts` are names of this server beside the loopback ones."""
    app = FastAPI(
        title="Proofsheet",
        version="1",
        description="Resize sessions, feedback, and what they teach.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    router = APIRouter(prefix="/api/ai", route_class=JsonRoute)
    doors = _Doors(engine, admin)
    router.add_api_route(
        "/resize-session",
        doors.start,
        methods=["POST"],
        status_code=201,
        summary="Begin a resize: the user's variant and its prompt",
        responses=_responses(201, models.ResizeSessionStarted, 400, 403, 413, 415, 422),
    )
    router.add_api_route(
        "/resize-session/{session_id}",
        doors.change,
        methods=["PATCH"],
        summary="Tell what became of a resize",
        responses=_responses(200, models.ResizeSessionChanged, 400, 401, 403, 404, 413, 415, 422),
    )
    router.add_api_route(
        "/resize-feedback",
        doors.feedback,
        methods=["POST"],
        status_code=201,
        summary="Rate a result",
        responses=_responses(201, models.FeedbackRecorded, 400, 401, 403, 404, 409, 413, 415, 422),
    )
    router.add_api_route(
        "/training-analytics",
        doors.analytics,
        methods=["GET"],
        summary="How the variants do",
        responses=_responses(200, None, 403, 413, 422),
    )
    router.add_api_route(
        "/retrain-model",
        doors.retrain,
        methods=["POST"],
        status_code=202,
        summary="Learn anew from what was rated (admin key)",
        responses=_responses(202, models.RetrainingStarted, 400, 401, 403, 409, 413, 415, 422, 429),
    )
    app.include_router(router)
    app.add_exception_handler(StarletteHTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _validation_problem)
    app.add_exception_handler(ProofsheetError, _problem)
    app.add_middleware(Guard, hosts=hosts)
    return app


class _Doors:
    """The routes' bodies."""

    def __init__(self, engine: Engine, admin: AdminKey) -> None:
        self._engine = engine
        self._experiments = engine.experiments
        self._admin = admin
        self._one_at_a_time = asyncio.Lock()

    async def start(self, body: models.NewResizeSession) -> Response:
        """Assign a variant, record the session, and render its prompt."""
        target = (body.target_dimensions.width, body.target_dimensions.height)
        canvas: canvases.Canvas = body.original_canvas
        document = canvas.raw
        new = NewSession(body.user_id, "http", body.project_id, document, target, features(canvas, target))
        started = await self._experiments.start_session(new)
        if any(one is not None for one in (body.ai_result, body.processing_time, body.manual_corrections)):
            await self._experiments.update_session(
                _update(started.id, body.ai_result, body.processing_time, body.manual_corrections)
            )
        answer = models.ResizeSessionStarted(
            id=started.id,
            variant=started.variant.id,
            prompt=render(started.variant.template, document, target),
            session_token=started.token,
            probability=started.assignment.probability,
            created_at=started.created_at,
        )
        return _json(201, answer.model_dump(by_alias=True), {"Location": f"/api/ai/resize-session/{started.id}"})

    async def change(
        self,
        session_id: str,
        body: models.ResizeSessionChange,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_TOKENS[0])] = None,
        header: Annotated[str | None, Security(_TOKENS[1])] = None,
    ) -> Response:
        """Record result, time and corrections of a session whose token is given."""
        await self._authorise(session_id, _token(bearer, header, body.session_token))
        corrections: Any = body.manual_corrections
        if isinstance(corrections, dict) and isinstance(corrections.get("objects"), list):
            corrections = await self._compared(session_id, body.ai_result, corrections)
        await self._experiments.update_session(
            _update(session_id, body.ai_result, body.processing_time, corrections, body.error)
        )
        fields = ("ai_result", "processing_time", "manual_corrections", "error")
        told = [_camel(name) for name in fields if getattr(body, name) is not None]
        return _json(200, {"id": session_id, "recorded": told})

    async def feedback(
        self,
        body: models.ResizeFeedback,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_TOKENS[0])] = None,
        header: Annotated[str | None, Security(_TOKENS[1])] = None,
    ) -> Response:
        """Record a rating of a session whose token is given."""
        await self._authorise(body.session_id, _token(bearer, header, body.session_token))
        receipt = await self._experiments.give_feedback(
            NewFeedback(body.session_id, body.rating, body.helpful, body.feedback_text, body.idempotency_key)
        )
        answer = models.FeedbackRecorded(
            id=receipt.id, session_id=receipt.session_id, is_repeat=receipt.is_repeat, created_at=receipt.at
        )
        return _json(201, answer.model_dump(by_alias=True))

    async def analytics(self, days: Annotated[models.LastDays | None, Query()] = None) -> Response:
        """The analysis as the screen shows it, and what training would learn from; over all days, or the last ones."""
        analysis = await self._experiments.analyze(days=days)
        training = await self._experiments.last_training()
        return _json(200, _camel_keys({**analysis.document(), "training": training}))

    async def retrain(self, body: models.Retraining) -> Response:
        """Start the retraining run, unless one is going on."""
        self._admin.check(body.admin_key)
        async with self._one_at_a_time:
            going = [run for run in await self._engine.runs.list() if run.kind == RETRAINING and not run.state.is_final]
            if going:
                raise HTTPException(409, f"a retraining is going on: {going[0].id}")
            run = await self._experiments.retrain(days=body.days, min_rating=body.min_rating)
        return _json(202, {"runId": run.id})

    async def _authorise(self, session_id: str, token: str) -> None:
        """Raises 401 without the session's token, UnknownSession where there is no such session."""
        if not token:
            raise HTTPException(401, "the session token is missing", {"WWW-Authenticate": "Bearer"})
        if not await self._experiments.is_token_of(session_id, token):
            await self._experiments.session(session_id)
            raise HTTPException(401, "the token is not of this session", {"WWW-Authenticate": "Bearer"})

    async def _compared(self, session_id: str, result: dict[str, Any] | None, corrected: dict[str, Any]) -> Any:
        """A corrected canvas becomes the changes that made it, where the result is a canvas too."""
        if result is None:
            result = dict((await self._experiments.session(session_id)).result or {})
        try:
            return [one.document() for one in canvases.differences(canvases.parse(result), canvases.parse(corrected))]
        except canvases.CanvasError:
            return corrected


def _update(
    session_id: str,
    result: dict[str, Any] | None,
    spent: float | None,
    corrections: Any,
    error: str | None = None,
) -> SessionUpdate:
    counted = corrections if isinstance(corrections, int) else None
    return SessionUpdate(
        session_id,
        result=result,
        processing_ms=spent,
        corrections=None if counted is not None else corrections,
        corrections_count=counted,
        state="failed" if error is not None and result is None else None,
        solver="endpoint" if result is not None else None,
        error=error,
    )


def _token(bearer: HTTPAuthorizationCredentials | None, header: str | None, in_body: str | None) -> str:
    return (bearer.credentials if bearer else None) or header or in_body or ""


def _refuse_lone_surrogates(body: bytes) -> None:
    """Half of a character cannot be written down anywhere; what is no JSON at all is refused later."""
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise HTTPException(400, "the body holds half of a surrogate pair: that is no Unicode text") from error
    except (ValueError, RecursionError):
        return


def _responses(good: int, model: type[models.Answer] | None, *bad: int) -> dict[int | str, dict[str, Any]]:
    ok: dict[str, Any] = {"description": HTTPStatus(good).phrase}
    if model is not None:
        ok["model"] = model
    else:
        ok["content"] = {"application/json": {"schema": {"type": "object"}}}
    refused: dict[int | str, dict[str, Any]] = {
        code: {"model": models.ErrorDocument, "description": HTTPStatus(code).phrase} for code in bad
    }
    return {good: ok, **refused}


def _json(status: int, document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(text.encode(), status, headers, media_type="application/json")


def _error(
    status: int,
    message: str,
    remedy: str = "",
    fields: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    detail: dict[str, Any] = {"message": message}
    if remedy:
        detail["remedy"] = remedy
    if fields:
        detail["fields"] = fields
    return _json(status, {"error": detail}, headers)


async def _http_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)  # noqa: S101 - registered for it
    return _error(error.status_code, str(error.detail), headers=error.headers)


async def _validation_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return _error(400, "the body is no JSON")
    fields = [
        {
            "path": ".".join(str(part) for part in one["loc"] if part != "body") or "body",
            "message": str(one["msg"]).removeprefix("Value error, ")[:500],
        }
        for one in found[:20]
    ]
    said = "; ".join(f"{one['path']}: {one['message']}" for one in fields[:3])
    return _error(422, said.encode("utf-8", "replace").decode(), fields=[_clean(one) for one in fields])


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ProofsheetError)  # noqa: S101 - registered for it
    headers: dict[str, str] = {}
    if isinstance(error, UnknownSession):
        status = 404
    elif isinstance(error, Conflict):
        status = 409
    elif isinstance(error, WrongAdminKey):
        status, headers = 401, {"WWW-Authenticate": "Bearer"}
    elif isinstance(error, NoAdminKey):
        status = 403
    elif isinstance(error, Throttled):
        status, headers = 429, {"Retry-After": str(max(1, round(error.seconds)))}
    else:
        status = 422 if isinstance(error, UsageError) else 500
    return _error(status, error.message, error.remedy, headers=headers)


def _clean(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: text.encode("utf-8", "replace").decode() for name, text in fields.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _camel_keys(value: Any) -> Any:
    """snake_case keys as camelCase, all the way down; ids that are keys have no underscore rule of ours and stay."""
    if isinstance(value, Mapping):
        return {
            _camel(key) if key.replace("_", "a").isalpha() else key: _camel_keys(part) for key, part in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_camel_keys(part) for part in value]
    return value
