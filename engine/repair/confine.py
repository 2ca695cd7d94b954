"""Starts one command under limits, without a network where the system allows. Run as a program of its own:

    python -I -S confine.py '{"memory": bytes, "seconds": n, "file": bytes, "must": false}' COMMAND ARGUMENT...

A separate small process because limits and namespaces are set before the command starts, and a process with threads
must not run Python between fork and exec. Relies on the standard library alone; never imports the engine.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import socket
import struct
import sys

_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000  # clone(2)
_SET_FLAGS, _UP_AND_RUNNING = 0x8914, 0x1 | 0x40  # SIOCSIFFLAGS of netdevice(7)
NO_NAMESPACE, NO_COMMAND = 97, 127


def main(arguments: list[str]) -> int:
    """Become the command; returns only when that cannot be."""
    limits = json.loads(arguments[0])
    if not _leave_network() and limits.get("must"):
        return NO_NAMESPACE
    for what, most in (
        (resource.RLIMIT_AS, limits["memory"]),
        (resource.RLIMIT_CPU, limits["seconds"]),
        (resource.RLIMIT_FSIZE, limits["file"]),
        (resource.RLIMIT_CORE, 0),
    ):
        _limit(what, most)
    try:
        os.execvp(arguments[1], arguments[1:])  # noqa: S606 - no shell is what is wanted
    except OSError as error:
        sys.stderr.write(f"{arguments[1]}: {error.strerror}\n")
        return NO_COMMAND


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    try:
        resource.setrlimit(what, (most, most))
    except (OSError, ValueError) as error:  # macOS has no limit on address space: said, and gone on without
        sys.stderr.write(f"no limit {what}: {error}\n")


def _leave_network() -> bool:
    """Enter a network of one's own, in which there is only the loopback."""
    if not sys.platform.startswith("linux"):
        return False
    call = ctypes.CDLL(None, use_errno=True).unshare
    user, group = os.getuid(), os.getgid()
    if call(_NEW_NETWORK) != 0:
        if call(_NEW_USER | _NEW_NETWORK) != 0:
            return False
        try:
            _write("/proc/self/setgroups", "deny")
            _write("/proc/self/uid_map", f"{user} {user} 1")
            _write("/proc/self/gid_map", f"{group} {group} 1")
        except OSError as error:
            sys.stderr.write(f"the user could not be mapped: {error}\n")
    try:
        import fcntl

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tool:
            fcntl.ioctl(tool.fileno(), _SET_FLAGS, struct.pack("16sh22x", b"lo", _UP_AND_RUNNING))
    except OSError as error:  # tests that speak to themselves fail then, before as after
        sys.stderr.write(f"no loopback: {error}\n")
    return True


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib would be half the start-up time
        file.write(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
