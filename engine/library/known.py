"""What the library already knows below the scanned roots: a fingerprint a folder, and rows only where one differs.

Relies on the store. A rescan of unchanged folders costs little more than walking them and needs next to no memory; only
a folder whose listing has changed is compared file by file. Never writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from engine.library.model import CURABLE
from engine.store import in_byte_order
from engine.store.schema import companions, images, projects, refusals, scan_folders


@dataclass(frozen=True, slots=True)
class KnownImage:
    """An image as the library has it. `is_present`: its file was there when last looked at."""

    id: int
    path: str
    size: int
    mtime_ns: int
    project: str
    is_present: bool


@dataclass(frozen=True, slots=True)
class KnownRefusal:
    """A file that was opened and refused. Sizes in bytes, times in nanoseconds since 1970."""

    path: str
    size: int
    mtime_ns: int
    code: str
    reason: str

    @property
    def is_curable(self) -> bool:
        """Whether it is worth another try although the file is the same."""
        return self.code in CURABLE


@dataclass(slots=True)
class Known:
    """Folders and refusals under the roots.

    fingerprints: folder -> (fingerprint, images in it). held: folders that images are known in, and whether any of
    them is present. refused: folder -> path -> refusal. refused_paths: every refusal's path, whatever it is about.
    """

    fingerprints: dict[str, tuple[str, int]] = field(default_factory=dict)
    held: dict[str, bool] = field(default_factory=dict)
    refused: dict[str, dict[str, KnownRefusal]] = field(default_factory=dict)
    refused_paths: set[str] = field(default_factory=set)

    @classmethod
    def load(cls, connection: sa.Connection, roots: Sequence[str]) -> Known:
        """Everything under `roots` (absolute folders, or single files)."""
        known = cls()
        for root in roots:
            known._load_folders(connection, root)
            known._load_refusals(connection, root)
        return known

    def _load_folders(self, connection: sa.Connection, root: str) -> None:
        columns = scan_folders.c
        query = sa.select(columns.path, columns.fingerprint, columns.images).where(_tree(columns.path, root))
        for path, fingerprint, count in connection.execute(query):
            self.fingerprints[path] = (fingerprint, count)
        for folder, present in connection.execute(_held_below(root)):
            self.held[folder] = bool(present)
        itself = sa.select(sa.literal(root).label("folder")).cte("itself")
        for folder, present in connection.execute(_held(itself)):
            self.held[folder] = bool(present)

    def _load_refusals(self, connection: sa.Connection, root: str) -> None:
        query = sa.select(refusals).where(_tree(refusals.c.path, root))
        for row in connection.execute(query):
            self.refused_paths.add(row.path)
            if row.size is not None:
                found = KnownRefusal(row.path, row.size, row.mtime_ns, row.code, row.reason)
                self.refused.setdefault(row.path.rpartition("/")[0] or "/", {})[row.path] = found


def _held_below(root: str) -> sa.Select[Any]:
    """Each folder below `root` that images are known in, and whether any of them is present.

    Steps along the index from one folder to the next, so that it takes a look a folder and not one an image.
    """
    column = in_byte_order(images.c.folder)
    # One bound on either side: with two on one side SQLite would begin each step at the root.
    is_before_end = sa.true() if root == "/" else column < root + "0"
    begin = in_byte_order(sa.cast(sa.literal(root.rstrip("/") + "/"), sa.String))
    steps = sa.select(begin.label("folder")).cte("steps", recursive=True)
    following = sa.select(column).where(column > steps.c.folder, is_before_end).order_by(column).limit(1)
    return _held(steps.union_all(sa.select(following.scalar_subquery()).where(steps.c.folder.is_not(None))))


def _held(folders: sa.CTE) -> sa.Select[Any]:
    """Those of some folders that images are known in, and whether any is present."""
    here = in_byte_order(images.c.folder) == folders.c.folder
    present = sa.exists().where(here, images.c.removed_at.is_(None))
    return sa.select(folders.c.folder, present).where(sa.exists().where(here))


def images_in(connection: sa.Connection, folder: str) -> dict[str, KnownImage]:
    """The images known in one folder, present or gone, by path."""
    columns = images.c
    query = (
        sa.select(
            columns.id, columns.path, columns.size, columns.mtime_ns, projects.c.name, columns.removed_at.is_(None)
        )
        .join(projects, projects.c.id == columns.project_id)
        .where(columns.folder == folder)
    )
    return {row[1]: KnownImage(*row) for row in connection.execute(query)}


def project_at_home(known: Iterable[KnownImage]) -> str | None:
    """The project that most of a folder's images are of, None where there are none. A new image joins it unless a
    manifest or a setting says otherwise, so that a folder stays whole whatever ids the library has got since."""
    count = Counter(image.project for image in known if image.is_present)
    return min(count, key=lambda project: (-count[project], project), default=None)


def companions_in(connection: sa.Connection, folder: str) -> dict[str, int]:
    """The companions known in one folder: path -> image id."""
    query = sa.select(companions.c.path, companions.c.image_id).join(images, images.c.id == companions.c.image_id)
    return {path: image for path, image in connection.execute(query.where(images.c.folder == folder))}  # noqa: C416


def is_under(path: str, root: str) -> bool:
    """Whether `path` is `root` or lies below it."""
    return path == root or path.startswith(root if root.endswith("/") else root + "/")


def is_under_any(path: str, roots: Iterable[str]) -> bool:
    """Whether `path` is one of `roots` or lies below one."""
    return any(is_under(path, root) for root in roots)


def within(root: str) -> sa.ColumnElement[bool]:
    """Images in the folder `root` or below it, or the one image that `root` is."""
    return sa.or_(_tree(images.c.folder, root), images.c.path == root)


def below(column: sa.ColumnElement[str], root: str) -> sa.ColumnElement[bool]:
    """Texts that begin with `root/`, as a range that an index serves (`0` follows `/`, byte by byte)."""
    column = in_byte_order(column)
    return sa.and_(column > root + "/", column < root + "0")


def _tree(column: sa.ColumnElement[str], root: str) -> sa.ColumnElement[bool]:
    """`root` and everything below it."""
    return sa.true() if root == "/" else sa.or_(column == root, below(column, root))
