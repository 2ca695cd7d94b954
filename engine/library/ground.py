"""Where a scan walks, and by what it attributes what it finds there: roots, and the rules that hold under each.

Relies on project.py and rules.py. Reads nothing but the names that it is given; never writes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.library.known import is_under_any
from engine.library.project import Rules, by_component, by_date, by_pattern, outranking


@dataclass(frozen=True, slots=True)
class Root:
    """Where to scan: a folder, or (`only`) one file of it."""

    folder: str
    only: str | None = None

    @property
    def path(self) -> str:
        """The folder, or the file."""
        return self.only or self.folder


@dataclass(frozen=True, slots=True)
class Ground:
    """What a root's images are attributed by: the rules, the folder that they count from, and a digest of both."""

    rules: Rules
    top: str
    digest: str

    def expected(self, folder: str) -> Callable[[str, int], str | None] | None:
        """What manifests and settings say of a folder's images, by path and mtime; None where they say nothing.

        Only they move an image that is known already: folder names do not, or a new neighbour would re-sort old work.
        Nor does a setting or a date where an id that the library has outranks it, because images that come later are
        not moved by it either, and a folder must not be split between what was there before and what came after.
        """
        rules = self.rules
        project = by_component(folder, self.top, Rules(declared=rules.declared, not_subjects=rules.not_subjects))
        if project is not None:
            return lambda _path, _mtime_ns: project
        if (rules.patterns or rules.dated) and outranking(folder, self.top, rules) is None:
            return lambda path, mtime_ns: by_pattern(path, rules.patterns) or by_date(mtime_ns, rules.manifests)
        return None


def outermost(paths: Sequence[str]) -> list[Root]:
    """The roots to walk, without links, each once: what lies inside another is part of it."""
    real = sorted({os.path.realpath(path) for path in paths}, key=lambda path: (len(path), path))
    kept: list[str] = []
    for path in real:
        if not is_under_any(path, kept):
            kept.append(path)
    return [Root(path) if Path(path).is_dir() else Root(str(Path(path).parent), path) for path in sorted(kept)]
