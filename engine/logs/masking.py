"""What no log may hold: secrets, and where a person's home is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MASK = "***"
_NAMES = (
    r"(?:api[_-]?key|secret|token|password|passwd|pwd|authorization|credential|"
    r"admin[_-]?key|access[_-]?key|private[_-]?key)"
)
#: How the keys of well-known services begin. What follows has a digit: `sk_...` may be a name in somebody's code.
_PREFIXES = (
    r"(?:sk|pk|rk|gsk|hf|npm|glpat|xox[abeprs]|gh[opsur]|github_pat|shpat|dop_v1)[-_]",
    r"(?:AKIA|ASIA|AIza)",
    r"(?:SG|ya29)\.",
)
_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL),
        f"-----BEGIN \\1----- {MASK}",
    ),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/]+@"), rf"\1{MASK}@"),
    (re.compile(r"(?i)\b((?:set-)?cookie[\"']?\s*[:=]\s*)[^\r\n]+"), rf"\1{MASK}"),
    (
        re.compile(
            rf"(?i)(\b[\w-]*{_NAMES}[\w-]*[\"']?\s*[=:]\s*)(?:bearer\s+|basic\s+)?(\"[^\"]*\"|'[^']*'|[^\s,;&}}\"']+)"
        ),
        rf"\1{MASK}",
    ),
    (re.compile(rf"(?i)(?<!\S)(--?[\w-]*{_NAMES}[\w-]*\s+)(?!-)\S+"), rf"\1{MASK}"),
    (re.compile(r"(?<!\S)((?:-u|--user)[ =]+[^\s:]+:)\S+"), rf"\1{MASK}"),
    (re.compile(r"(?i)([?&](?:x-(?:amz|goog)-[\w-]+|sig|signature|key|auth)=)[^&\s\"'<>]+"), rf"\1{MASK}"),
    (re.compile(r"\b((?i:bearer|basic))\s+(?=\S*[0-9A-Z=])[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {MASK}"),
    (re.compile(rf"\b(?:{'|'.join(_PREFIXES)})(?=[\w.-]*\d)[A-Za-z0-9_.-]{{12,}}"), MASK),
    (re.compile(r"\b(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.)[A-Za-z0-9_-]+"), MASK),
)
_SECRET_KEY = re.compile(rf"(?i)^[\w-]*{_NAMES}[\w-]*$")
_HOMES = re.compile(r"(?:/home/[^/\s'\":]+|/Users/[^/\s'\":]+|/root(?=/|\b)|[A-Za-z]:\\Users\\[^\\\s'\":]+)")


def masked(value: Any, home: str | None = None) -> Any:
    """The same, any depth, with secrets as `***` and home folders as `~`."""
    if isinstance(value, str):
        return _text(value, str(Path.home()) if home is None else home)
    if isinstance(value, Mapping):
        return {
            key: MASK if isinstance(key, str) and _SECRET_KEY.match(key) and one else masked(one, home)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(one, home) for one in value]
    return value


def _text(text: str, home: str) -> str:
    if home not in ("", "/"):
        text = re.sub(re.escape(home) + r"(?![\w.-])", "~", text)
    text = _HOMES.sub("~", text)
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text
