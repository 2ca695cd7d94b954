"""What is said over HTTP, in camelCase: the bodies that are accepted, and the documents that are answered.

Relies on pydantic. Nothing is converted: a text is no number, true is no rating; a field that is not known is refused.
Each schema says exactly what is accepted.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, WithJsonSchema
from pydantic.alias_generators import to_camel

from engine.experiments import canvas
from engine.experiments.canvas_schema import SCHEMA
from engine.experiments.model import SUCCESS_RATING

MAX_MS = 1e9  # eleven days
MAX_COUNT = 2**31 - 1
MAX_TEXT = 10_000
MAX_DAYS = 3650


def _a_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("a number is wanted")
    return value


def _a_whole_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        raise ValueError("a whole number is wanted")
    return int(value)


def _digits(value: object) -> object:
    """Of a query, where everything is text."""
    if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10):
        raise ValueError("a whole number is wanted")
    return int(value)


def _a_canvas(value: object) -> canvas.Canvas:
    if not isinstance(value, dict):
        raise ValueError("an object is wanted")
    try:
        return canvas.parse(value)
    except canvas.CanvasError as error:
        raise ValueError(error.message) from error


def _a_document(value: Any) -> Any:
    try:
        canvas.check_finite(value, "the value")
    except canvas.CanvasError as error:
        raise ValueError(error.message) from error
    return value


def _corrections(value: Any) -> Any:
    if isinstance(value, list):
        if not all(isinstance(one, dict) for one in value):
            raise ValueError("a list of objects is wanted, one a correction")
    elif isinstance(value, dict):
        pass
    else:
        count = _a_whole_number(value)
        if not isinstance(count, int) or not 0 <= count <= MAX_COUNT:
            raise ValueError("a count from 0 is wanted")
        return count
    return _a_document(value)


# Bounds stand before the validator: only so do they come into the schema.
Side = Annotated[float, Field(ge=1, le=canvas.MAX_SIDE, allow_inf_nan=False), BeforeValidator(_a_number)]
Stars = Annotated[int, Field(ge=1, le=5), BeforeValidator(_a_whole_number)]
LastDays = Annotated[int, Field(ge=1, le=MAX_DAYS), BeforeValidator(_digits)]
Days = Annotated[int, Field(ge=1, le=MAX_DAYS), BeforeValidator(_a_whole_number)]
# At least one character that no regular expression's dialect, and not Python either, takes for white space.
Name = Annotated[str, Field(min_length=1, max_length=500, pattern=r"[^\s\x1c-\x1f\x85\xa0]")]
# Read once: what comes out of validation is the canvas itself, and its `raw` the document.
CanvasDocument = Annotated[Any, BeforeValidator(_a_canvas), WithJsonSchema(SCHEMA)]
ResultDocument = Annotated[dict[str, Any], AfterValidator(_a_document), WithJsonSchema({"type": "object"})]
Corrections = Annotated[
    Any,
    BeforeValidator(_corrections),
    WithJsonSchema(
        {
            "description": "The changes (a list), the corrected canvas, or how many changes there were.",
            "anyOf": [
                {"type": "array", "items": {"type": "object"}},
                {"type": "object"},
                {"type": "integer", "minimum": 0, "maximum": MAX_COUNT},
            ],
        }
    ),
]
Milliseconds = Annotated[
    float, Field(ge=0, le=MAX_MS, allow_inf_nan=False, description="milliseconds"), BeforeValidator(_a_number)
]


class Body(BaseModel):
    """A body: camelCase names, nothing beyond them."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=False)


class Dimensions(Body):
    """A page, pixels."""

    width: Side
    height: Side


class NewResizeSession(Body):
    """A resize about to begin; with its result, one that is already over."""

    user_id: Name
    project_id: Name | None = None
    original_canvas: CanvasDocument
    target_dimensions: Dimensions
    ai_result: ResultDocument | None = None
    processing_time: Milliseconds | None = None
    manual_corrections: Corrections | None = None


class ResizeSessionChange(Body):
    """What became of a resize; a field that is left out stays as it is. `error` says that the model failed."""

    ai_result: ResultDocument | None = None
    processing_time: Milliseconds | None = None
    manual_corrections: Corrections | None = None
    error: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    session_token: str | None = Field(None, max_length=200, description="instead of the header")


class ResizeFeedback(Body):
    """What a person says of a result: at least one of rating, helpful, feedbackText."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["rating"], "properties": {"rating": {"type": "integer"}}},
                {"required": ["helpful"], "properties": {"helpful": {"type": "boolean"}}},
                {"required": ["feedbackText"], "properties": {"feedbackText": {"type": "string"}}},
            ]
        }
    )

    session_id: Name
    rating: Stars | None = None
    helpful: StrictBool | None = None
    feedback_text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)] | None = None
    idempotency_key: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="the same key again records nothing anew"
    )
    session_token: str | None = Field(None, max_length=200, description="instead of the header")


class Retraining(Body):
    """Which sessions are learned from: of the last `days`, with `minRating` stars or more as good ones (1: all)."""

    days: Days | None = None
    min_rating: Stars = SUCCESS_RATING
    admin_key: Annotated[str, Field(min_length=1, max_length=1000)]


class Answer(BaseModel):
    """A document that is answered."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class ResizeSessionStarted(Answer):
    """`sessionToken` lets its holder change and rate the session; it is told here and nowhere else."""

    id: str
    variant: str
    prompt: str
    session_token: str
    probability: float | None
    created_at: str


class ResizeSessionChanged(Answer):
    """The session as it stands."""

    id: str
    recorded: list[str]


class FeedbackRecorded(Answer):
    """`isRepeat`: this key had come before, and nothing was recorded anew."""

    id: int
    session_id: str
    is_repeat: bool
    created_at: str


class RetrainingStarted(Answer):
    """Follow it with `proofsheet runs tail ID`."""

    run_id: str


class Problem(BaseModel):
    """One field that is wrong."""

    path: str
    message: str


class ErrorDetail(BaseModel):
    """What happened, and what to do about it."""

    message: str
    remedy: str | None = None
    fields: list[Problem] | None = None


class ErrorDocument(BaseModel):
    """Every refusal has this form."""

    error: ErrorDetail
