"""Change sets: planned, shown, applied wholly or not at all, and reversible for good. The door is `Changes`."""

from engine.changes.changes import Changes
from engine.changes.model import (
    Action,
    ChangeSet,
    ChangesRefused,
    Copy,
    Create,
    Delete,
    Edit,
    Fingerprint,
    Move,
    Operation,
    Pruned,
    Recovery,
    Refusal,
    RefusalCode,
    State,
    Step,
    printable,
)

__all__ = [
    "Action",
    "ChangeSet",
    "Changes",
    "ChangesRefused",
    "Copy",
    "Create",
    "Delete",
    "Edit",
    "Fingerprint",
    "Move",
    "Operation",
    "Pruned",
    "Recovery",
    "Refusal",
    "RefusalCode",
    "State",
    "Step",
    "printable",
]
