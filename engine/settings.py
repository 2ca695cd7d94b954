"""Settings: flags over environment over the workspace's file over the user's file over defaults.

Relies on the workspace (where its file lies) and pydantic-settings (types and layering). An unknown key or
a bad value is an error that names file and line; nothing is ever guessed or silently dropped.
"""

from __future__ import annotations

import getpass
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from engine.errors import UsageError
from engine.workspace import Workspace

PREFIX = "PROOFSHEET_"
ENCODERS = ("builtin", "auto")
OPEN_CLIP = "open_clip:"
ENCODER_FORMS = (
    "`builtin`, `auto`, `open_clip:ARCH/WEIGHTS` (a hub tag, a weights file or local-dir:FOLDER), "
    "or a name given to `proofsheet import embeddings`"
)
FEATURE_BLOCKS = ("embedding", "quality", "crops")
IMPORTED_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KEY = re.compile(r"""\s*\[?\s*(?:"([^"]+)"|'([^']+)'|([A-Za-z0-9_-]+))\s*[=.\]]""")
PLAIN_NAMES = {"auto_train": "AUTO_TRAIN", "database_url": "DATABASE_URL"}
_NOT_SETTINGS = {"PROOFSHEET_WORKSPACE", "PROOFSHEET_TEST_PHOTOS", "PROOFSHEET_COMPLETE"}


def login_name() -> str:
    """The login name, or 'me' where the system knows none (a container without a user entry)."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "me"


class Settings(BaseSettings):
    """Every setting with its type, default and meaning. `proofsheet config` prints them."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    actor: str = Field(default_factory=login_name, min_length=1, description="who decides: recorded with every verdict")
    database_url: str | None = Field(None, description="another database than library.db (SQLAlchemy URL)")
    theme: str = Field("darkroom", description="a theme of themes/ or of the user's themes folder")
    images: Literal["auto", "kitty", "sixel", "half", "off"] = Field("auto", description="how previews are drawn")
    encoder: str = Field("auto", description="the encoder whose vectors the ranker learns from: " + ENCODER_FORMS)
    clip: str = Field(
        "open_clip:ViT-B-32/laion2b_s34b_b79k",
        description="the CLIP that encoder 'auto' takes where its weights are here or can be fetched, as open_clip:...",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="where encoders compute")
    features: tuple[str, ...] = Field(
        FEATURE_BLOCKS,
        description="what the ranker learns from, one or more of embedding, quality and crops (in a variable or flag "
        "comma separated)",
    )
    aesthetic_head: Path | None = Field(
        None, description="LAION's aesthetic head for ViT-B-32 (a weights file), shown beside the ranker as a baseline"
    )
    projects: dict[str, str] = Field(default_factory=dict, description="glob pattern of a path -> project id")
    keymap: dict[str, str] = Field(default_factory=dict, description="action id -> keys, comma separated")
    suggestions: bool = Field(True, description="show the suggested winner")
    order: Literal["date", "information"] = Field("date", description="which set comes next")
    repeat_share: float = Field(
        0.03,
        ge=0,
        le=0.25,
        description="share of sets that come back silently, to learn how consistent you are; 0: none",
    )
    burst_seconds: float = Field(2.0, gt=0, le=3600, description="longest gap inside a capture-time burst, seconds")
    duplicate_distance: int = Field(10, ge=0, le=20, description="bits of 64 by which copies of a picture may differ")
    folder_set_size: int = Field(6, ge=2, le=36, description="largest set made from a folder's remaining images")
    auto_train: bool = Field(True, description="train the ranker by itself when there are new verdicts")
    auto_train_after: int = Field(20, ge=1, description="new verdicts that start a training run")
    auto_train_pause: float = Field(
        5.0,
        ge=0,
        le=3600,
        description="a training that began by itself works once no verdict came for so long, seconds",
    )
    cpu_workers: int = Field(0, ge=0, le=256, description="threads for decoding; 0 takes one a core")
    max_pixels: int = Field(400_000_000, ge=1_000_000, description="larger images are refused, pixels")
    preview_cache_mb: int = Field(256, ge=16, description="memory for prepared previews, megabytes")
    experiment_metric: Literal["success", "rating"] = Field(
        "success",
        description="what decides between variants: the share of users at 4 stars or more, or the mean rating",
    )
    experiment_auto_approve: bool = Field(False, description="put proposed weights in force without asking")
    experiment_feedback_hours: float = Field(
        24.0,
        ge=0,
        le=24 * 365,
        description="how long feedback may take; younger sessions move no weights, hours",
    )
    resize_model: str = Field(
        "gpt-4o-mini", min_length=1, description="the model that the resize endpoint is asked for"
    )
    resize_timeout: float = Field(60.0, gt=0, le=600, description="longest wait for a resize's answer, seconds")
    schedule_time: Literal["utc", "local"] = Field(
        "utc", description="whose midnight begins a day, week or month of the schedule"
    )
    recurring_events: int = Field(3, ge=1, description="an error recurs, and gets a fix, from so many events")
    recurring_runs: int = Field(2, ge=1, description="... that struck in so many runs")
    fix_tests_seconds: float = Field(
        600.0, ge=1, le=86_400, description="longest run of a project's tests when a fix is tried, seconds"
    )
    seed: int = Field(0, ge=0, description="seed of every run that draws at random")

    @field_validator("projects")
    @classmethod
    def _project_ids(cls, patterns: dict[str, str]) -> dict[str, str]:
        for pattern, project in patterns.items():
            if not project.strip() or project in (".", "..") or any(sign in project for sign in "/\\\0"):
                raise ValueError(f"'{project}' (for '{pattern}') is no project id: a name without slashes is")
        return patterns

    @field_validator("features", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        return tuple(one.strip() for one in value.split(",") if one.strip()) if isinstance(value, str) else value

    @field_validator("features")
    @classmethod
    def _feature_blocks(cls, blocks: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [one for one in blocks if one not in FEATURE_BLOCKS]
        if unknown:
            raise ValueError(f"there is no block '{unknown[0]}'; there are: {', '.join(FEATURE_BLOCKS)}")
        if not blocks:
            raise ValueError("at least one block must be left to learn from")
        return tuple(one for one in FEATURE_BLOCKS if one in blocks)

    @field_validator("encoder")
    @classmethod
    def _known_encoder(cls, spec: str) -> str:
        if not (spec in ENCODERS or is_open_clip(spec) or is_encoder_name(spec)):
            raise ValueError(f"there are: {ENCODER_FORMS}")
        return spec

    @field_validator("clip")
    @classmethod
    def _known_clip(cls, spec: str) -> str:
        if not is_open_clip(spec):
            raise ValueError("write it as open_clip:ARCH/WEIGHTS, for example open_clip:ViT-B-32/laion2b_s34b_b79k")
        return spec

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands in: it layers the sources itself, to say where each value came from."""
        del settings_cls
        return (init_settings,)


def blocks_off(settings: Settings) -> tuple[str, ...]:
    """The blocks of features that the setting `features` leaves out, in order."""
    return tuple(one for one in FEATURE_BLOCKS if one not in settings.features)


def is_open_clip(spec: str) -> bool:
    """Whether a spec has the form `open_clip:ARCH/WEIGHTS`, `open_clip:local-dir:FOLDER` or `open_clip:hf-hub:ID`."""
    if not spec.startswith(OPEN_CLIP) or "\0" in spec:
        return False
    rest = spec.removeprefix(OPEN_CLIP)
    if rest.startswith(("local-dir:", "hf-hub:")):
        return bool(rest.partition(":")[2].strip())
    architecture, _, weights = rest.partition("/")
    return bool(architecture.strip() and weights.strip())


def is_encoder_name(spec: str) -> bool:
    """Whether imported embeddings may be called so: letters, digits, `.`, `_` and `-`, and no name that is taken."""
    return IMPORTED_NAME.fullmatch(spec) is not None and spec not in ENCODERS and not spec.startswith("open_clip")


def imported_folder(workspace: Workspace, name: str) -> Path | None:
    """The folder of the vectors that were imported under this name; None where there are none."""
    if not is_encoder_name(name):
        return None
    cards = sorted(workspace.embeddings.glob(f"imported-{name}-??????/card.json"))
    return cards[0].parent if cards else None


Layer = Literal["flag", "environment", "workspace", "user", "default"]


@dataclass(frozen=True)
class Origin:
    """Where a value came from: 'flag', 'environment', 'workspace', 'user' or 'default', and the exact place."""

    layer: Layer
    place: str


@dataclass(frozen=True)
class LoadedSettings:
    """The settings in force, and the origin of each key."""

    values: Settings
    origins: Mapping[str, Origin]


def user_settings_file() -> Path:
    """The user's own settings, `~/.config/proofsheet/proofsheet.toml` on Linux."""
    return user_config_folder() / "proofsheet.toml"


def user_config_folder() -> Path:
    """The platform's config folder for Proofsheet; a person's themes live in its `themes/`."""
    import platformdirs

    return Path(platformdirs.user_config_dir("proofsheet", appauthor=False))


def load(
    workspace: Workspace,
    *,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    user_file: Path | None = None,
) -> LoadedSettings:
    """Read every layer and validate it. Raises UsageError naming file and line (or variable) and the remedy."""
    environment = os.environ if environment is None else environment
    merged: dict[str, Any] = {}
    origins: dict[str, Origin] = {name: Origin("default", "built in") for name in Settings.model_fields}
    files: tuple[tuple[Layer, Path], ...] = (
        ("user", user_file or user_settings_file()),
        ("workspace", workspace.settings_file),
    )
    for layer, file in files:
        values, lines = _read_file(file)
        _check(values, partial(_place, file, lines), workspace)
        for key, value in values.items():
            merged[key] = value
            origins[key] = Origin(layer, _place(file, lines, key))
    for key, name, value in _from_environment(environment):
        _check({key: value}, partial(_variable, name), workspace)
        merged[key] = value
        origins[key] = Origin("environment", name)
    for key, value in (flags or {}).items():
        if value is not None:
            _check({key: value}, lambda name: f"--{name.replace('_', '-')}", workspace)
            merged[key] = value
            origins[key] = Origin("flag", f"--{key.replace('_', '-')}")
    return LoadedSettings(Settings(**merged), origins)


def _read_file(file: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The file's keys and the line each stands on; empty where there is no file."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}, {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}", remedy="Make it a readable UTF-8 text file.") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{file} is not valid TOML: {error}", remedy="Mend that line, or move the file away."
        ) from error
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        found = _KEY.match(line)
        if found:
            lines.setdefault(next(filter(None, found.groups())), number)
    return values, lines


def _place(file: Path, lines: Mapping[str, int], key: str) -> str:
    return f"{file}, line {lines.get(key, 1)}"


def _variable(name: str, _key: str) -> str:
    return f"the environment variable {name}"


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, str, Any]]:
    """(key, variable, value) of each variable that sets something; plain names yield to prefixed ones."""
    found: list[tuple[str, str, Any]] = []
    for key, plain in PLAIN_NAMES.items():
        if environment.get(plain):
            found.append((key, plain, environment[plain]))
    for name, text in environment.items():
        if name.startswith(PREFIX) and name not in _NOT_SETTINGS:
            key = name.removeprefix(PREFIX).lower()
            value: Any = text
            if key in ("projects", "keymap"):
                value = _table(name, text)
            found.append((key, name, value))
    return found


def _table(name: str, text: str) -> dict[str, Any]:
    """A table given as JSON in an environment variable."""
    import json

    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"the environment variable {name} is not JSON: {error}", remedy='Write it as {"key": "value"}.'
        ) from error
    if not isinstance(value, dict):
        raise UsageError(
            f"the environment variable {name} is not a JSON object", remedy='Write it as {"key": "value"}.'
        )
    return value


def _check(values: Mapping[str, Any], place: Callable[[str], str], workspace: Workspace) -> None:
    """Validate one layer by itself, so that a complaint can name the very line. Raises UsageError."""
    for key, value in values.items():
        if key not in Settings.model_fields:
            import difflib

            near = difflib.get_close_matches(key, Settings.model_fields, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else "`proofsheet config` lists every key."
            raise UsageError(f"unknown setting '{key}' in {place(key)}", remedy=hint)
        try:
            Settings(**{key: value})
        except ValidationError as error:
            first = error.errors()[0]
            inner = str(first["loc"][-1]) if first["loc"] else key
            meaning = Settings.model_fields[key].description
            raise UsageError(
                f"bad value {first['input']!r} for '{inner}' in {place(inner)}: {first['msg']}",
                remedy=f"{key}: {meaning}.",
            ) from error
        if key == "encoder" and is_encoder_name(value) and imported_folder(workspace, value) is None:
            raise UsageError(
                f"bad value {value!r} for 'encoder' in {place(key)}: nothing was imported under that name",
                remedy=f"{key}: {ENCODER_FORMS}.",
            )
