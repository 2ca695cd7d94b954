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
from engine.settings import OPEN_CLIP, Settings
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
        _found(
            "torch device",
            lambda: _device(settings.device),
            "Install torch for this machine's GPU, or set device = 'cpu'.",
        ),
        _found("encoder", lambda: _encoder(workspace, settings), "Set encoder = 'builtin' in proofsheet.toml."),
        _weights(settings),
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


def _device(wanted: str) -> str:
    torch = importlib.import_module("torch")
    from engine.vision import device as devices

    place = devices.choose(wanted)
    version = f"(torch {torch.__version__})"
    if place.type == "cuda":
        names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
        return f"cuda: {', '.join(names)} {version}"
    if place.type == "mps":
        return f"mps {version}"
    half = ", bfloat16 in hardware" if devices.cpu_has_bfloat16() else ""
    return f"cpu, {torch.get_num_threads()} threads{half} {version}"


def _encoder(workspace: Workspace, settings: Settings) -> str:
    from engine.vision import encoders

    chosen = encoders.choose(settings.clip) if settings.encoder == "auto" else None
    encoder = encoders.load(
        chosen.spec if chosen is not None else settings.encoder,
        clip=settings.clip,
        device=settings.device,
        embeddings=workspace.embeddings,
    )
    why = f" (auto: {chosen.reason})" if chosen is not None else ""
    return f"{encoder.id}, {encoder.dimension} dimensions{why}"


def _weights(settings: Settings) -> Finding:
    """The weights of the CLIP that is asked for, or that `auto` would take."""
    from engine.vision import weights

    is_auto = settings.encoder == "auto"
    spec = settings.clip if is_auto else settings.encoder
    if not spec.startswith(OPEN_CLIP):
        return Finding("weights", f"{spec} needs none", True)
    remedy = "Fetch them with `proofsheet embed`, or name a file: clip = 'open_clip:ARCH/FILE' (or local-dir:FOLDER)."
    try:
        if weights.are_here(spec):
            return Finding("weights", f"{spec}: here", True)
    except ProofsheetError as error:
        return Finding("weights", error.message, False, error.remedy or remedy)
    # With `auto` the built-in encoder stands in, so that nothing is wrong, only not all that it could be.
    if is_auto:
        return Finding("weights", f"{spec}: not here, the built-in encoder instead. {remedy}", True)
    return Finding("weights", f"{spec}: not here", False, remedy)


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
