"""Where everything lives on disk: one folder, the same names in every project's workspace.

Relies on nothing but the clock's floor. Never writes outside its root, and never deletes: it makes
folders and one settings file, and answers where things are.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ProofsheetError, UsageError

SETTINGS_FILE = "proofsheet.toml"
DATABASE_FILE = "library.db"
ENVIRONMENT_VARIABLE = "PROOFSHEET_WORKSPACE"

_NEW_SETTINGS = """\
# Proofsheet's settings for this workspace. Every key may also be given in the environment as PROOFSHEET_<KEY>.
# `proofsheet config` shows each value and where it came from.
"""


@dataclass(frozen=True)
class Workspace:
    """A folder that holds everything the engine writes. `root` is absolute."""

    root: Path

    @property
    def settings_file(self) -> Path:
        """`proofsheet.toml`, this workspace's settings."""
        return self.root / SETTINGS_FILE

    @property
    def database_file(self) -> Path:
        """`library.db`, unless `database_url` names another database."""
        return self.root / DATABASE_FILE

    @property
    def projects(self) -> Path:
        """Project manifests, `<id>.project.json`."""
        return self.root / "projects"

    @property
    def training(self) -> Path:
        """Inputs a person already has: `selection_only_log.csv` and its like."""
        return self.root / "training"

    @property
    def embeddings(self) -> Path:
        """One folder an encoder, in it one vector file a project."""
        return self.root / "ai_data" / "embeddings"

    @property
    def models(self) -> Path:
        """`<name>_v<N>.safetensors`, with a `.json` card each."""
        return self.root / "ai_data" / "models"

    @property
    def patterns(self) -> Path:
        """Learned patterns as JSON."""
        return self.root / "ai_data" / "patterns"

    @property
    def suggestion_logs(self) -> Path:
        """`suggestions.jsonl` and `training_log.jsonl`, written from the database."""
        return self.root / "ai_data" / "logs"

    @property
    def logs(self) -> Path:
        """One event log a run, and the app's own log."""
        return self.root / "logs"

    @property
    def changes(self) -> Path:
        """One folder a change set: its journal and its backups."""
        return self.root / "changes"

    @property
    def cache(self) -> Path:
        """What can be made again, and may be deleted at any time."""
        return self.root / "cache"

    @classmethod
    def init(cls, root: Path) -> Workspace:
        """Make (or complete) the workspace at `root` and return it; a folder with other things in it is left as it is.

        Raises ProofsheetError when the folder cannot be made or is a file.
        """
        root = Path(os.path.abspath(root.expanduser()))  # noqa: PTH100 - resolve() would rename a linked home
        workspace = cls(root)
        try:
            for folder in (
                root,
                workspace.projects,
                workspace.training,
                workspace.models,
                workspace.suggestion_logs,
                workspace.logs,
                workspace.changes,
            ):
                folder.mkdir(parents=True, exist_ok=True)
            with (
                contextlib.suppress(FileExistsError),
                workspace.settings_file.open("x", encoding="utf-8") as file,
            ):
                file.write(_NEW_SETTINGS)
        except OSError as error:
            raise ProofsheetError(
                f"cannot make a workspace at {root}: {error.strerror}",
                remedy="Name a folder that you may write to: proofsheet --workspace DIR ...",
            ) from error
        return workspace

    @classmethod
    def locate(
        cls,
        explicit: Path | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        start: Path | None = None,
        create: bool = True,
    ) -> Workspace:
        """The workspace to use: `explicit`, else PROOFSHEET_WORKSPACE, else the one found upward from `start`
        (the current folder), else the platform's data folder. Initialised on first use, unless
        `create` is False: then nothing is written, and the folder may not exist."""
        make = cls.init if create else cls._unmade
        environment = os.environ if environment is None else environment
        named = explicit or (Path(environment[ENVIRONMENT_VARIABLE]) if environment.get(ENVIRONMENT_VARIABLE) else None)
        if named is not None:
            if named.exists() and not named.is_dir():
                raise UsageError(f"{named} is a file, not a workspace", remedy="Name a folder.")
            return make(named)
        here = start or Path.cwd()
        for folder in (here, *here.parents):
            if (folder / SETTINGS_FILE).is_file():
                return make(folder)
        return make(platform_folder())

    @classmethod
    def _unmade(cls, root: Path) -> Workspace:
        return cls(Path(os.path.abspath(root.expanduser())))  # noqa: PTH100 - as in init


def platform_folder() -> Path:
    """The platform's data folder for Proofsheet, `~/.local/share/proofsheet` on Linux."""
    import platformdirs

    return Path(platformdirs.user_data_dir("proofsheet", appauthor=False))
