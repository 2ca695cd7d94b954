"""Which project an image belongs to. One pure function, so that every answer can be explained and tested.

Relies on manifests as values. Asked in this order, and the first that answers decides:

1. a path component that equals a known project id, compared case-insensitively. Ids that a manifest declares count
   anywhere in the path, and the deepest one wins. Ids that the library only has from folder names count below the
   scanned root, and there the one nearest to the root wins: a first folder stays one subject, also when another
   project is called like a folder inside it. (Above the root, where `Pictures` or a person's own name would swallow
   everything, such an id counts only where the caller says so: `Rules.ancestors`.)
   An id that the library has only because of this first folder itself (`Rules.guesses`) is rule 4's answer, and not
   known any better for having been given before: rules 2 and 3 are asked before it. Else a setting would come too
   late for every folder that was ever scanned, and would hold or not depending on which of the two came first.
2. the `projects` setting, glob pattern -> project id, the first pattern that matches
3. the manifest whose dates hold the file's modification time, if only one does
4. the first folder under the scanned root
5. the root's own name, for a file directly in it
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from engine.library.manifest import Manifest


@dataclass(frozen=True)
class Rules:
    """What is known when an image is attributed. Keys are casefolded ids, values the ids as written.

    declared: ids of manifests. library: ids that the library has. ancestors: those of them that also count at and
    above the root. guesses: those that are only the name of one first folder. not_subjects: folders (absolute) whose
    names are never a project: the home folder and those above.
    """

    declared: Mapping[str, str] = field(default_factory=dict)
    library: Mapping[str, str] = field(default_factory=dict)
    ancestors: frozenset[str] = frozenset()
    guesses: frozenset[str] = frozenset()
    patterns: Sequence[tuple[str, str]] = ()
    manifests: Sequence[Manifest] = ()
    not_subjects: frozenset[str] = frozenset()

    @property
    def dated(self) -> list[Manifest]:
        """The manifests that have dates."""
        return [manifest for manifest in self.manifests if manifest.begins_ns is not None]


def project_of(path: str, root: str, mtime_ns: int, rules: Rules) -> str:
    """The project id of the image at `path` (absolute) found under `root` (absolute; path begins with it)."""
    return declared_project(path, mtime_ns, rules, root) or folder_project(path, root)


def declared_project(path: str, mtime_ns: int, rules: Rules, root: str) -> str | None:
    """The answer of rules 1 to 3, or None where only folders can say."""
    folder = path.rpartition("/")[0]
    return (
        outranking(folder, root, rules)
        or by_pattern(path, rules.patterns)
        or by_date(mtime_ns, rules.manifests)
        or by_component(folder, root, rules)
    )


def folder_project(path: str, root: str) -> str:
    """Rules 4 and 5. A root without a name (`/`) gives `root`."""
    below = path[len(root) :].lstrip("/").split("/")
    return below[0] if len(below) > 1 else root.rstrip("/").rpartition("/")[2] or "root"


def by_component(folder: str, root: str, rules: Rules) -> str | None:
    """Rule 1, for all files of a folder at once."""
    if not rules.declared and not rules.library:
        return None
    below, above = _components(folder, root, rules.not_subjects)
    for key in (*reversed(below), *above):
        if key in rules.declared:
            return rules.declared[key]
    for key in below:
        if key in rules.library:
            return rules.library[key]
    for key in above:
        if key in rules.ancestors and key in rules.library:
            return rules.library[key]
    return None


def outranking(folder: str, root: str, rules: Rules) -> str | None:
    """Rule 1 without what is but a guess: the id that settings and dates have nothing to say against."""
    project = by_component(folder, root, rules)
    if project is None or project.casefold() in rules.declared:
        return project
    below, _ = _components(folder, root, rules.not_subjects)
    is_guess = bool(below) and below[0] == project.casefold() and below[0] in rules.guesses
    return None if is_guess else project


@lru_cache(maxsize=4096)
def _components(folder: str, root: str, not_subjects: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Casefolded folder names: below the root from the top down, and from the root itself upward."""
    below = tuple(part.casefold() for part in folder[len(root) :].split("/") if part)
    above: list[str] = []
    while root not in ("", "/") and root not in not_subjects:
        root, _, name = root.rpartition("/")
        above.append(name.casefold())
    return below, tuple(above)


def by_pattern(path: str, patterns: Sequence[tuple[str, str]]) -> str | None:
    """Rule 2. A pattern with a slash is about the path, else about the file's or any folder's name; `*` matches
    anything, also slashes; case counts not. What matches a folder matches all that is in it."""
    for pattern, project in patterns:
        if _compiled(pattern).match(path):
            return project
    return None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    whole = (str(Path(pattern).expanduser()) if pattern.startswith("~/") else pattern).rstrip("/")
    if whole.endswith("/**"):
        whole = whole[:-3]
    anywhere = not whole.startswith(("/", "*"))
    inner = fnmatch.translate(whole).removesuffix(r"\Z").removesuffix(r"\z")
    return re.compile(rf"(?:{'.*/' if anywhere else ''}{inner})(?:/.*)?\Z", re.IGNORECASE | re.DOTALL)


def by_date(mtime_ns: int, manifests: Iterable[Manifest]) -> str | None:
    """Rule 3: the one project whose dates hold the time; None where none or several do."""
    holding = {manifest.project.casefold(): manifest.project for manifest in manifests if manifest.holds(mtime_ns)}
    return next(iter(holding.values())) if len(holding) == 1 else None
