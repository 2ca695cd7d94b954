"""One resize from its beginning to its record: assign a variant, ask the model, fall back on the solver, keep it all.

Relies on the room's door for what is recorded, on `endpoint` for a model's answer, on `layout` when there is none. The
person always gets a canvas, and always learns who made it and why.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import ProofsheetError
from engine.experiments.answer import read_answer
from engine.experiments.canvas import Canvas
from engine.experiments.canvas_features import features
from engine.experiments.endpoint import Endpoint
from engine.experiments.experiments import Experiments
from engine.experiments.layout import solve
from engine.experiments.model import NewSession, SessionUpdate
from engine.experiments.template import render

NO_ENDPOINT = "no endpoint is configured (OPENAI_API_KEY or OPENAI_BASE_URL)"


@dataclass(frozen=True)
class Resized:
    """A canvas on its new page. `message` says why the built-in solver was used, where it was; times are ms."""

    session: str
    user: str
    variant: str
    prompt: str
    canvas: Canvas
    solver: Literal["endpoint", "builtin"]
    method: Literal["model", "constraints", "proportional"]
    processing_ms: float
    message: str
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "session": self.session,
            "user": self.user,
            "variant": self.variant,
            "solver": self.solver,
            "method": self.method,
            "processing_ms": round(self.processing_ms, 1),
            "message": self.message,
            "notes": list(self.notes),
            "prompt": self.prompt,
            "canvas": self.canvas.document(),
        }


async def resize(
    experiments: Experiments,
    canvas: Canvas,
    target: tuple[int, int],
    user: str,
    *,
    model: str,
    patience: float,
    project: str | None = None,
    environment: Mapping[str, str] | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Resized:
    """Resize a canvas for a user and record the session; the model has `patience` seconds.

    Raises UsageError for a bad user id. A session whose model failed is kept as done by the solver, with the error.
    """
    before = canvas.document()
    new = NewSession(user, "cli", project, before, target, features(canvas, target))
    started = await experiments.start_session(new)
    prompt = render(started.variant.template, before, target)
    if "canvas" not in started.variant.placeholders:
        prompt += "\nCanvas:\n" + json.dumps(before, ensure_ascii=False, separators=(",", ":")) + "\n"
    begun = monotonic()
    method: Literal["model", "constraints", "proportional"] = "model"
    solver: Literal["endpoint", "builtin"] = "endpoint"
    message = ""
    notes: tuple[str, ...] = ()
    endpoint = Endpoint.configured(os.environ if environment is None else environment, model, patience)
    try:
        if endpoint is None:
            raise ProofsheetError(NO_ENDPOINT)
        after = await endpoint.ask(prompt, lambda text: read_answer(text, canvas, target))
    except ProofsheetError as error:
        message, solver = str(error).replace("\n  ", "; "), "builtin"
        laid = await asyncio.to_thread(solve, canvas, target)
        after, method, notes = laid.canvas, laid.method, laid.notes
    spent = (monotonic() - begun) * 1000
    await experiments.update_session(
        SessionUpdate(
            started.id,
            result=after.document(),
            processing_ms=spent,
            solver=solver,
            error=message if endpoint is not None and message else None,
        )
    )
    return Resized(started.id, user, started.variant.id, prompt, after, solver, method, spent, message, tuple(notes))
