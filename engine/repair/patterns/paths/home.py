"""Files of a person's own: not everybody has put settings into their home.

Pure functions over a parsed file.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.paths.guards import Site
from engine.repair.patterns.source.syntax import bound_values

_SETTINGS = re.compile(
    r"(?i)config|\bconf\b|settings?|prefs?\b|preferences|history|cache|session|recent|rc\b|\.(?:ya?ml|toml|ini|cfg)\b"
)
_SECRET = re.compile(r"(?i)key|token|secret|passw|credential|deny|allow|block|licen[cs]e")


def is_at_home(site: Site) -> bool:
    """Whether a path lies in a person's home, and is called what not everybody has put there: settings, a history."""
    module, path = site.module, site.call.path
    scope = module.function(path) or module.tree
    line = module.position(path).start.line
    bound = bound_values(module, scope, path.value, line) if isinstance(path, cst.Name) else []
    codes = [module.code(one) for one in (path, *bound[:1])]
    is_there = any(re.search(r"\bhome\(\)|\bexpanduser\(|['\"]~/", one) for one in codes)
    return is_there and any(_SETTINGS.search(one) for one in codes) and not any(_SECRET.search(one) for one in codes)
