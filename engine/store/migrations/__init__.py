"""Schema migrations by Alembic, inside the caller's write transaction: a crash leaves the old schema whole."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa


def upgrade(connection: sa.Connection, revision: str = "head") -> None:
    """Bring the schema up to `revision` on this connection."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Path(__file__).parent))

    def steps(current: tuple[str, ...] | str | None, _context: MigrationContext) -> list[object]:
        return scripts._upgrade_revs(revision, current)  # type: ignore[arg-type, return-value]

    context = MigrationContext.configure(
        connection,
        opts={"fn": steps, "script": scripts, "transaction_per_migration": False, "render_as_batch": True},
    )
    with Operations.context(context):
        context.run_migrations()
