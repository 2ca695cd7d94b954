"""Is this machine right for the work: Python, device, encoder, database, disk. Each finding carries its remedy.

Relies on the store and the encoder's door. Looks and never mends; what the terminal can do is looked at
by the faces, in the same words.
"""

from __future__ import annotations

import importlib
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import ProofsheetError
from engine.settings import Settings
from engine.store import Store
from engine.workspace import Workspace

ENOUGH_DISK_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `remedy` is empty when it is right."""

    name: str
    value: str
    is_right: bool
    remedy: str = ""


def examine(workspace: Workspace, settings: Settings) -> list[Finding]:
    """Look at everything below the terminal. Takes a second or two: it loads torch and the encoder."""
    return [
        _python(),
        _found("torch device", _device, "Install torch for this machine's GPU; the CPU works, only slower."),
        _found("encoder", lambda: _encoder(settings.encoder), "Set encoder = 'builtin' in proofsheet.toml."),
        _found("database", lambda: _database(workspace, settings), "See the message; the file was not changed."),
        _workspace(workspace),
        _disk(workspace),
    ]


def _workspace(workspace: Workspace) -> Finding:
    is_made = workspace.settings_file.is_file()
    return Finding("workspace", f"{workspace.root}" if is_made else f"not made yet: {workspace.root}", True)


def _python() -> Finding:
    version = platform.python_version()
    right = sys.version_info >= (3, 11)
    return Finding("python", version, right, "" if right else "Install Python 3.11 or newer.")


def _device() -> str:
    torch = importlib.import_module("torch")
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
        return f"cuda: {', '.join(names)} (torch {torch.__version__})"
    if torch.backends.mps.is_available():
        return f"mps (torch {torch.__version__})"
    return f"cpu, {torch.get_num_threads()} threads (torch {torch.__version__})"


def _encoder(spec: str) -> str:
    from engine.vision.encoders import load

    encoder = load(spec)
    return f"{encoder.id}, {encoder.dimension} dimensions"


def _database(workspace: Workspace, settings: Settings) -> str:
    if not settings.database_url and not workspace.database_file.exists():
        return f"not made yet: {workspace.database_file}"
    store = Store.open(settings.database_url or workspace.database_file)
    try:
        with store.reading() as connection:
            verdict = connection.exec_driver_sql("pragma quick_check(1)").scalar()
        if verdict != "ok":
            raise ProofsheetError(f"{store.place} is damaged: {verdict}", remedy="Put a backup in its place.")
        return f"{store.place}, whole"
    finally:
        store.close()


def _disk(workspace: Workspace) -> Finding:
    place = next(folder for folder in (workspace.root, *workspace.root.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    right = free >= ENOUGH_DISK_BYTES
    remedy = "" if right else "Free some room, or put the workspace on another disk with --workspace DIR."
    return Finding("disk space", f"{free / 1024**3:,.1f} GiB free at {place}", right, remedy)


def _found(name: str, look: Callable[[], str], remedy: str) -> Finding:
    try:
        return Finding(name, look(), True)
    except ProofsheetError as error:
        return Finding(name, error.message, False, error.remedy or remedy)
    except (ImportError, OSError, RuntimeError) as error:
        return Finding(name, f"{type(error).__name__}: {error}", False, remedy)
