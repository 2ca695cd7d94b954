"""The one exception family. Every error a person may see is a ProofsheetError: what happened, where, what to do.

Relies on nothing. A traceback on the screen is a bug; faces print `str(error)` and exit with `exit_code`.
"""

from __future__ import annotations


class ProofsheetError(Exception):
    """An error meant for the person: `message` says what happened and to what, `remedy` what to do about it."""

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  {self.remedy}" if self.remedy else self.message


class UsageError(ProofsheetError):
    """The call itself was wrong: an unknown name, a missing file, a bad combination of flags."""

    exit_code = 2
