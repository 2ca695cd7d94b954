"""A proposal beside what is known of it: proven, decided or applied before. Relies on the ledger; writes nothing."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from engine.repair import ledger
from engine.repair.fix import IN_PLACE, Fix, FixState, fix_id
from engine.repair.suggest import Unmatched


def named(connection: sa.Connection, fix: Fix) -> Fix:
    """The fix with an id of its own where one of another project, in place there, has it already."""
    there = ledger.get(connection, [fix.id])
    if there and there[0].root != fix.root and there[0].state in IN_PLACE:
        return replace(fix, id=fix_id(fix.pattern, fix.edits, str(fix.root)))
    return fix


def as_known(fix: Fix, there: Fix | None) -> Fix:
    """A proposal with what was found out and decided about it before, where it is the same edit of the same bytes."""
    if there is None or there.root != fix.root:
        return fix
    groups = tuple(dict.fromkeys((*fix.groups, *there.groups)))
    if there.state is FixState.REJECTED:
        return replace(there, groups=groups)
    if (
        there.edits != fix.edits or there.state in IN_PLACE
    ):  # in place, and yet proposed again: it was taken out by hand
        return replace(fix, groups=groups)
    return replace(there, groups=groups, evidence=fix.evidence, why=fix.why)


def since(one: Unmatched, fix: Fix | None) -> Unmatched:
    """A group whose fix is in place says so instead of what the patterns say about code that is mended."""
    at = str(fix.details.get("applied_at") or "") if fix else ""
    if fix is None or not at:
        return one
    if fix.state is FixState.RECURRED:
        return replace(one, reason=f"it struck again after {fix.id} was applied; {one.reason}")
    return replace(one, reason=f"{fix.id} was applied at {at[:16].replace('T', ' ')}; it has not struck since")
