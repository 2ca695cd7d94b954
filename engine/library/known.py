"""What the library already knows below the scanned roots: loaded in bulk, held compactly, compared without SQL.

Relies on the store. One query a table, arrays instead of objects: 100,000 images take some 25 MB and a fraction of
a second, so that a rescan costs little more than walking the folders. Never writes.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import sqlalchemy as sa

from engine.library.walk import Found
from engine.store.schema import companions, images, refusals


class Known:
    """Images, their companions, and refusals under the roots, and which of them this scan has come across."""

    def __init__(self) -> None:
        self.at: dict[str, int] = {}
        self.ids = array("q")
        self.sizes = array("q")
        self.mtimes = array("q")
        self.projects = array("q")
        self.present = bytearray()
        self.seen = bytearray()
        # Folder -> companion path -> image id.
        self.companions: dict[str, dict[str, int]] = {}
        # Path -> (size, mtime_ns, code, reason).
        self.refused: dict[str, tuple[int | None, int | None, str, str]] = {}
        self.refused_seen: set[str] = set()

    @classmethod
    def load(cls, connection: sa.Connection, roots: Sequence[str]) -> Known:
        """Everything under `roots` (absolute folders, or single files)."""
        known = cls()
        for root in roots:
            known._load_images(connection, root)
            known._load_companions(connection, root)
            known._load_refusals(connection, root)
        known.seen = bytearray(len(known.ids))
        return known

    def is_unchanged(self, at: int, found: Found) -> bool:
        """Whether the image at index `at` is still the file that was read."""
        return self.sizes[at] == found.size and self.mtimes[at] == found.mtime_ns

    def unseen(self, roots: Sequence[str], out_of_sight: Sequence[str]) -> list[tuple[int, str]]:
        """(id, path) of the images that were there and that this scan has not come across; of those below folders
        that could not be listed (`out_of_sight`) nothing is known."""
        gone = [
            (self.ids[at], path)
            for path, at in self.at.items()
            if self.present[at] and not self.seen[at] and any(is_under(path, root) for root in roots)
        ]
        return [one for one in gone if not any(is_under(one[1], folder) for folder in out_of_sight)]

    def unseen_refusals(self, roots: Sequence[str], out_of_sight: Sequence[str]) -> list[str]:
        """Refused paths that are no longer there, or no longer refused."""
        return [
            path
            for path in self.refused.keys() - self.refused_seen
            if any(is_under(path, root) for root in roots)
            and not any(path != folder and is_under(path, folder) for folder in out_of_sight)
        ]

    def _load_images(self, connection: sa.Connection, root: str) -> None:
        columns = images.c
        query = sa.select(
            columns.path,
            columns.id,
            columns.size,
            columns.mtime_ns,
            columns.project_id,
            columns.removed_at.is_(None),
        ).where(under(columns.folder, columns.path, root))
        at, ids, sizes, mtimes, projects, present = (
            self.at, self.ids, self.sizes, self.mtimes, self.projects, self.present
        )  # fmt: skip
        for path, image, size, mtime, project, is_present in connection.execute(query):
            at[path] = len(ids)
            ids.append(image)
            sizes.append(size)
            mtimes.append(mtime)
            projects.append(project)
            present.append(is_present)

    def _load_companions(self, connection: sa.Connection, root: str) -> None:
        query = sa.select(images.c.folder, companions.c.path, companions.c.image_id).where(
            companions.c.image_id == images.c.id, under(images.c.folder, images.c.path, root)
        )
        for folder, path, image in connection.execute(query):
            self.companions.setdefault(folder, {})[path] = image

    def _load_refusals(self, connection: sa.Connection, root: str) -> None:
        columns = refusals.c
        query = sa.select(columns.path, columns.size, columns.mtime_ns, columns.code, columns.reason)
        if root != "/":
            query = query.where(sa.or_(columns.path == root, between(columns.path, root)))
        for path, size, mtime, code, reason in connection.execute(query):
            self.refused[path] = (size, mtime, code, reason)


def is_under(path: str, root: str) -> bool:
    """Whether `path` is `root` or lies below it."""
    return path == root or path.startswith(root if root.endswith("/") else root + "/")


def under(folder: sa.ColumnElement[str], path: sa.ColumnElement[str], root: str) -> sa.ColumnElement[bool]:
    """Images in `root` or below it, or the one image that `root` is."""
    if root == "/":
        return sa.true()
    return sa.or_(folder == root, between(folder, root), path == root)


def between(column: sa.ColumnElement[str], root: str) -> sa.ColumnElement[bool]:
    """Texts that begin with `root/`, as a range that an index serves (`0` follows `/`)."""
    return sa.and_(column > root + "/", column < root + "0")
