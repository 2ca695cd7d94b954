"""Peers to measure beside us: each in a virtual environment of its own, in a cache folder outside the repository.

Made when first asked for and kept. A peer that cannot be had (no network, no wheel) is None, and the table says so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# Name -> (what pip installs without its dependencies, and with them).
_WANTED: dict[str, tuple[list[str], list[str]]] = {
    # Its dependencies would bring a torch with CUDA; hashing needs these only.
    "imagededup": (
        ["imagededup==0.3.3"],
        ["numpy", "pillow", "scipy", "PyWavelets", "tqdm", "scikit-learn", "matplotlib"],
    ),
    "cleanvision": ([], ["cleanvision==0.3.7"]),
}


def cache() -> Path:
    """Where peers' environments are: BENCH_PEERS, or a folder in the user's cache."""
    return Path(os.environ.get("BENCH_PEERS") or Path.home() / ".cache" / "proofsheet-peers")


def peer(name: str) -> str | None:
    """The Python of a peer's environment, made if need be; None where it cannot be had."""
    folder = cache() / f"peers-{name}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        bare, whole = _WANTED[name]
        commands = [[sys.executable, "-m", "venv", str(folder)]]
        if bare:
            commands.append([str(python), "-m", "pip", "install", "-q", "--no-deps", *bare])
        commands.append([str(python), "-m", "pip", "install", "-q", *whole])
        for command in commands:
            try:
                done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=900)
            except subprocess.TimeoutExpired:
                return None
            if done.returncode:
                return None
        (folder / "complete").touch()
    return str(python)
