"""Gathering what decides an image's project: manifests, settings, and what the library already has.

Relies on the store and on project.py, which holds the rules themselves. A manifest is taken over into the table of
projects; the file is never touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from engine.library.known import below
from engine.library.manifest import SUFFIX, BadManifest, Manifest, read_manifest
from engine.library.project import Rules
from engine.store import Store, upsert
from engine.store.schema import images, projects, scan_roots


class Manifests:
    """The manifests met so far, one a project; the first one met counts."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.by_key: dict[str, Manifest] = {}
        self.refused: list[tuple[str, str]] = []

    def gather(self, folder: Path) -> None:
        """Those of the workspace, then those that earlier scans found and that are still there."""
        with self._store.reading() as connection:
            query = sa.select(projects.c.manifest).where(projects.c.manifest.is_not(None)).order_by(projects.c.id)
            earlier = [str(path) for path in connection.execute(query).scalars()]
        own = sorted(str(path) for path in folder.glob(f"*{SUFFIX}"))
        for path in (*own, *(path for path in earlier if path not in own and Path(path).is_file())):
            self.add(path)

    def add(self, path: str) -> bool:
        """Take in one manifest; True when it says something new. A bad one goes to `refused`."""
        try:
            manifest = read_manifest(path)
        except BadManifest as error:
            self.refused.append((path, str(error)))
            return False
        key = manifest.project.casefold()
        earlier = self.by_key.get(key)
        if earlier is None:
            self.by_key[key] = manifest
            self._record(manifest)
            return True
        if earlier.path != manifest.path and replace(earlier, path=None) != replace(manifest, path=None):
            self.refused.append((path, f"project '{manifest.project}' has another manifest already: {earlier.path}"))
        return False

    def _record(self, manifest: Manifest) -> None:
        row = {
            "key": manifest.project.casefold(),
            "name": manifest.project,
            "title": manifest.title,
            "started_at": manifest.started_at,
            "finished_at": manifest.finished_at,
            "manifest": str(manifest.path),
        }
        with self._store.reading() as connection:
            columns = [projects.c[name] for name in row]
            known = connection.execute(sa.select(*columns).where(projects.c.key == row["key"])).one_or_none()
        if known is None or dict(known._mapping) != row:
            with self._store.writing() as connection:
                changing = [name for name in row if name != "key"]
                upsert(connection, projects, [row], key=["key"], update=changing)


def attribution_root(root: str, known_roots: Sequence[str]) -> str:
    """The folder whose first folders are projects: `root`, or the outermost one scanned before that holds it, so that
    scanning a part of a library finds the same projects as scanning the whole."""
    holding = [known for known in known_roots if root.startswith(known.rstrip("/") + "/")]
    return min((*holding, root), key=len)


def rules_for(
    connection: sa.Connection, root: str, manifests: Manifests, patterns: Mapping[str, str]
) -> tuple[Rules, str]:
    """The rules for images under `root`, and the root to attribute them by.

    While the first scan of a root is not complete, ids that only this root has brought do not count, so that a
    scan that was interrupted comes to the same projects as one that was not.
    """
    known_roots = list(connection.execute(sa.select(scan_roots.c.path)).scalars())
    top = attribution_root(root, known_roots)
    rows = connection.execute(sa.select(projects.c.key, projects.c.name, projects.c.id)).all()
    library = {row.key: row.name for row in rows}
    ids = {row.key: row.id for row in rows}
    if top not in known_roots:
        library = {key: name for key, name in library.items() if _lives_outside(connection, ids[key], top)}
    home = Path.home()
    names = {folder.rpartition("/")[2].casefold(): folder for folder in _ancestors(top)}
    ancestors = {
        key for key, folder in names.items() if key in library and _lives_outside(connection, ids[key], folder)
    }
    declared = {key: manifest.project for key, manifest in manifests.by_key.items()}
    guesses: set[str] = set()
    if patterns or any(manifest.begins_ns is not None for manifest in manifests.by_key.values()):
        guesses = {
            key
            for key, name in library.items()
            if key not in declared and not _lives_outside(connection, ids[key], f"{top.rstrip('/')}/{name}")
        }
    rules = Rules(
        declared=declared,
        library=library,
        ancestors=frozenset(ancestors),
        guesses=frozenset(guesses),
        patterns=tuple(patterns.items()),
        manifests=tuple(manifests.by_key.values()),
        not_subjects=frozenset(str(folder) for folder in (home, *home.parents)),
    )
    return rules, top


def digest_of(rules: Rules, top: str) -> str:
    """What of the rules may move an image that is known already; part of a folder's fingerprint."""
    dates = sorted((each.project, each.begins_ns, each.ends_ns) for each in rules.dated)
    return repr((top, sorted(rules.declared.items()), sorted(rules.guesses), list(rules.patterns), dates))


def _lives_outside(connection: sa.Connection, project: int, folder: str) -> bool:
    """Whether the project has images that are not below `folder`."""
    inside = sa.or_(images.c.folder == folder, below(images.c.folder, folder))
    query = sa.select(images.c.id).where(images.c.project_id == project, sa.not_(inside)).limit(1)
    return connection.execute(query).first() is not None


def _ancestors(root: str) -> list[str]:
    """`root` and the folders above it, the nearest last, so that it wins where two have the same name."""
    found = []
    while root not in ("", "/"):
        found.append(root)
        root = root.rpartition("/")[0]
    return found[::-1]
