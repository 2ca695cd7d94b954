"""The rankers of a workspace: which is promoted, which came last, and how a new one is put beside them.

Relies on the store's `models` table and on the saved files. A version is given, its files are written and its row is
committed in one transaction; a crash in between leaves files that no row names, and the next version writes over them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from engine.errors import ProofsheetError, UsageError
from engine.logs.recoveries import RecoveryLog
from engine.ranking.model import NAME
from engine.review.review import project_id
from engine.store import Store
from engine.store.schema import models, projects

if TYPE_CHECKING:
    from engine.ranking.ranker import LinearRanker


@dataclass(frozen=True)
class ModelRow:
    """One trained ranker as the store lists it."""

    version: int
    path: Path
    card: Mapping[str, Any]
    promoted_at: str | None
    project: str | None = None
    encoder: str = ""
    created_at: str = ""

    @property
    def label(self) -> str:
        return f"{NAME}_v{self.version}"


class Registry:
    """The trained rankers of one workspace."""

    def __init__(self, store: Store, folder: Path, recoveries: RecoveryLog | None = None) -> None:
        self._store = store
        self._folder = folder
        self._recoveries = recoveries
        self._loaded: dict[int, LinearRanker] = {}
        self._damaged: dict[int, str] = {}
        self._noted: set[tuple[int, int]] = set()  # version, and when its file was written (nanoseconds)

    def promoted(self, actor: str, project: str | None = None) -> ModelRow | None:
        """The ranker of this person that was promoted last: one made for the project alone, else the one for all."""
        order = (models.c.promoted_at.desc(), models.c.version.desc())
        return self._newest(actor, project, models.c.promoted_at.is_not(None), order)

    def latest(self, actor: str, project: str | None = None) -> ModelRow | None:
        """The newest ranker of this person, promoted or not."""
        return self._newest(actor, project, sa.true(), (models.c.version.desc(),))

    def rows(self, actor: str) -> list[ModelRow]:
        """Every ranker of this person, the newest first."""
        query = _ROW.where(models.c.name == NAME, models.c.actor == actor).order_by(models.c.version.desc())
        with self._store.reading() as connection:
            return [self._row(row) for row in connection.execute(query)]

    def use(self, actor: str, version: int, now: str) -> ModelRow:
        """Make a version the one that suggests. Raises UsageError for one that this person has not."""
        found = next((row for row in self.rows(actor) if row.version == version), None)
        if found is None:
            raise UsageError(f"there is no {NAME} version {version} of {actor}", remedy="proofsheet models list")
        self.load(found)  # a damaged file is refused before anything is changed
        with self._store.writing(durable=True) as connection:
            same = (models.c.name == NAME) & (models.c.version == version)
            connection.execute(sa.update(models).where(same).values(promoted_at=now))
        return replace(found, promoted_at=now)

    def roll_back(self, actor: str, project: str | None = None) -> tuple[ModelRow, ModelRow | None]:
        """Take back the last promotion; the ranker that stepped down, and the one that suggests now, if any.

        Raises UsageError when nothing is promoted.
        """
        current = self.promoted(actor, project)
        if current is None:
            raise UsageError(f"no {NAME} of {actor} is promoted", remedy="proofsheet models list")
        with self._store.writing(durable=True) as connection:
            same = (models.c.name == NAME) & (models.c.version == current.version)
            connection.execute(sa.update(models).where(same).values(promoted_at=None))
        return current, self.promoted(actor, project)

    def load(self, row: ModelRow) -> LinearRanker:
        """The ranker itself, read once. Raises ProofsheetError when its file is missing or damaged."""
        from engine.ranking.ranker import LinearRanker  # opening the room must not wait for what learns

        if row.version not in self._loaded:
            self._loaded[row.version] = LinearRanker.load(row.path)
            self._damaged.pop(row.version, None)
        return self._loaded[row.version]

    def usable(self, row: ModelRow) -> LinearRanker | None:
        """The ranker, or None where its file is missing or damaged: the person reviews on without it.

        Each damage is noted once as a recovery, however many processes meet it; `why_unusable` says what is wrong.
        """
        try:
            return self.load(row)
        except ProofsheetError as error:
            self._damaged[row.version] = error.message
            self._note(row, error.message)
            return None

    def _note(self, row: ModelRow, message: str) -> None:
        try:
            modified = row.path.stat().st_mtime_ns
        except OSError:
            modified = 0  # missing, or out of reach: one damage, too
        if self._recoveries is None or (row.version, modified) in self._noted:
            return
        self._noted.add((row.version, modified))
        # On a full or read-only disk the count is lost and the review goes on, which is what the recovery is for; the
        # person is told all the same, by `why_unusable`.
        with suppress(OSError):
            self._recoveries.append_once(
                "model-load", message, operation="suggest", file=str(row.path), version=row.version, modified=modified
            )

    def why_unusable(self, row: ModelRow) -> str:
        """Why `usable` gave None; empty where it did not."""
        return self._damaged.get(row.version, "")

    def add(
        self, ranker: LinearRanker, *, actor: str, project: str | None, run_id: str, now: str, is_promoted: bool
    ) -> LinearRanker:
        """Give the ranker the next version, save it and record it; returns it as saved."""
        with self._store.writing(durable=True) as connection:
            newest = connection.execute(sa.select(sa.func.max(models.c.version)).where(models.c.name == NAME))
            version = (newest.scalar() or 0) + 1
            card = {"name": NAME, "version": version, **ranker.card}
            saved = replace(ranker, version=version, card=card)
            path = saved.save(self._folder)
            connection.execute(
                sa.insert(models).values(
                    name=NAME,
                    version=version,
                    kind="ranking",
                    project_id=project_id(connection, project) if project is not None else None,
                    actor=actor,
                    encoder=saved.encoder,
                    path=path.name,
                    card=card,
                    run_id=run_id,
                    created_at=now,
                    promoted_at=now if is_promoted else None,
                )
            )
        return saved

    def _newest(
        self,
        actor: str,
        project: str | None,
        condition: sa.ColumnElement[bool],
        order: Sequence[sa.ColumnElement[Any]],
    ) -> ModelRow | None:
        query = _ROW.where(models.c.name == NAME, models.c.actor == actor, condition).order_by(*order)
        key = project.casefold() if project is not None else None
        with self._store.reading() as connection:
            fitting = [row for row in connection.execute(query) if row.key is None or row.key == key]
        fitting.sort(key=lambda row: row.key is not None, reverse=True)
        return self._row(fitting[0]) if fitting else None

    def _row(self, row: Any) -> ModelRow:
        path = self._folder / row.path
        return ModelRow(row.version, path, row.card, row.promoted_at, row.project, row.encoder, row.created_at)


_ROW = sa.select(
    models.c.version,
    models.c.path,
    models.c.card,
    models.c.promoted_at,
    models.c.encoder,
    models.c.created_at,
    projects.c.key,
    projects.c.name.label("project"),
).select_from(models.outerjoin(projects))
