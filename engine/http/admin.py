"""Who may start a retraining over HTTP: the holder of the admin key, and nobody who tries many.

The key is ADMIN_SECRET_KEY of the environment, or one made by `proofsheet serve --new-admin-key`: 256 bits of chance,
shown once, of which the workspace keeps the SHA-256 (it needs no salt: it cannot be guessed). Keys are compared in
constant time. After FAILURES wrong ones within WINDOW seconds all are refused until the window has passed.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from engine.errors import ProofsheetError
from engine.workspace import Workspace

FAILURES = 5
WINDOW = 60.0  # seconds


class NoAdminKey(ProofsheetError):
    """Nobody may: no key is configured."""


class WrongAdminKey(ProofsheetError):
    """The key is not the one."""


class Throttled(ProofsheetError):
    """Too many wrong keys; `seconds` until the next may be tried."""

    def __init__(self, seconds: float) -> None:
        super().__init__("too many wrong admin keys", remedy=f"Try again in {seconds:.0f} seconds.")
        self.seconds = seconds


class AdminKey:
    """The key of one workspace, as the server knows it."""

    def __init__(
        self,
        workspace: Workspace,
        environment: Mapping[str, str] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = key_file(workspace)
        self._environment = os.environ if environment is None else environment
        self._monotonic = monotonic
        self._failures: deque[float] = deque(maxlen=FAILURES)

    def check(self, key: str) -> None:
        """Return for the right key. Raises NoAdminKey, Throttled or WrongAdminKey."""
        now = self._monotonic()
        if len(self._failures) == FAILURES and now - self._failures[0] < WINDOW:
            raise Throttled(WINDOW - (now - self._failures[0]))
        expected = self._digests()
        if not expected:
            raise NoAdminKey(
                "no admin key is configured, so retraining over HTTP is refused",
                remedy="Set ADMIN_SECRET_KEY, or make one with: proofsheet serve --new-admin-key",
            )
        given = _digest(key)
        if not any([hmac.compare_digest(given, one) for one in expected]):  # noqa: C419 - every one, so that time tells nothing
            self._failures.append(now)
            raise WrongAdminKey("the admin key is wrong")

    def _digests(self) -> list[str]:
        """Of the environment's key and of the one that was made, as far as there are any."""
        secret = self._environment.get("ADMIN_SECRET_KEY", "")
        found = [_digest(secret)] if secret else []
        try:
            found.append(str(json.loads(self._file.read_text(encoding="utf-8"))["sha256"]))
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NoAdminKey(
                f"{self._file} cannot be read ({error})", remedy="Make a new key: proofsheet serve --new-admin-key"
            ) from error
        return found


def new_key(workspace: Workspace) -> str:
    """Make a key, keep its hash in place of an earlier one's, and return it: it is not to be had again."""
    key = secrets.token_urlsafe(32)
    file = key_file(workspace)
    fresh = file.with_suffix(".new")
    try:
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump({"sha256": _digest(key)}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(file)
    except OSError as error:
        raise ProofsheetError(f"{file} cannot be written: {error.strerror}") from error
    return key


def key_file(workspace: Workspace) -> Path:
    """Where the hash of the made key is kept."""
    return workspace.root / "admin_key.json"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
