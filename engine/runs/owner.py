"""Who holds a lease: this process on this boot of this host, and whether another holder still lives."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

REMOTE_PATIENCE = timedelta(seconds=30)


@dataclass(frozen=True)
class Owner:
    """A process, named so that it is never mistaken for a later one with the same number."""

    host: str
    pid: int
    boot_id: str


def this_process() -> Owner:
    """The calling process."""
    return Owner(socket.gethostname(), os.getpid(), _boot_id())


def is_alive(owner: Owner, heartbeat: datetime, now: datetime) -> bool:
    """Whether a holder may still be at work: a local one is asked for at once, a remote one is given 30 s."""
    if owner.host != socket.gethostname():
        return now - heartbeat < REMOTE_PATIENCE
    if owner.boot_id != _boot_id():
        return False
    import psutil

    try:
        process = psutil.Process(owner.pid)
        started = process.create_time()
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    # A process younger than the lease's last sign of life has only inherited the number.
    return bool(started <= heartbeat.timestamp() + 1)


@cache
def _boot_id() -> str:
    file = Path("/proc/sys/kernel/random/boot_id")
    if file.exists():
        return file.read_text(encoding="ascii").strip()
    import psutil

    return str(int(psutil.boot_time()))
