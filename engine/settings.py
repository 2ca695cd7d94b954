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
    encoder: str = Field("builtin", description="the encoder whose vectors the ranker learns from")
    projects: dict[str, str] = Field(default_factory=dict, description="glob pattern of a path -> project id")
    keymap: dict[str, str] = Field(default_factory=dict, description="action id -> keys, comma separated")
    suggestions: bool = Field(True, description="show the suggested winner")
    order: Literal["date", "information"] = Field("date", description="which set comes next")
    burst_seconds: float = Field(2.0, gt=0, le=3600, description="longest gap inside a capture-time burst, seconds")
    duplicate_distance: int = Field(10, ge=0, le=20, description="bits of 64 by which copies of a picture may differ")
    folder_set_size: int = Field(6, ge=2, le=36, description="largest set made from a folder's remaining images")
    auto_train: bool = Field(True, description="train the ranker by itself when there are new verdicts")
    auto_train_after: int = Field(20, ge=1, description="new verdicts that start a training run")
    cpu_workers: int = Field(0, ge=0, le=256, description="threads for decoding; 0 takes one a core")
    max_pixels: int = Field(400_000_000, ge=1_000_000, description="larger images are refused, pixels")
    preview_cache_mb: int = Field(256, ge=16, description="memory for prepared previews, megabytes")
    seed: int = Field(0, ge=0, description="seed of every run that draws at random")

    @field_validator("projects")
    @classmethod
    def _project_ids(cls, patterns: dict[str, str]) -> dict[str, str]:
        for pattern, project in patterns.items():
            if not project.strip() or project in (".", "..") or any(sign in project for sign in "/\\\0"):
                raise ValueError(f"'{project}' (for '{pattern}') is no project id: a name without slashes is")
        return patterns

    @field_validator("encoder")
    @classmethod
    def _known_encoder(cls, spec: str) -> str:
        if spec not in ENCODERS:
            raise ValueError(f"there are: {', '.join(ENCODERS)}")
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
        _check(values, partial(_place, file, lines))
        for key, value in values.items():
            merged[key] = value
            origins[key] = Origin(layer, _place(file, lines, key))
    for key, name, value in _from_environment(environment):
        _check({key: value}, partial(_variable, name))
        merged[key] = value
        origins[key] = Origin("environment", name)
    for key, value in (flags or {}).items():
        if value is not None:
            _check({key: value}, lambda name: f"--{name.replace('_', '-')}")
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


def _check(values: Mapping[str, Any], place: Callable[[str], str]) -> None:
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
