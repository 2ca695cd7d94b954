"""The tables, as SQLAlchemy Core sees them: the foundation's, and one file a room.

What the migrations make and what these files say are held equal by a test.
"""

from engine.store.schema import delivery, duplicates, experiments, facts, repair, schedule, taste
from engine.store.schema.foundation import (
    companions,
    decisions,
    images,
    leases,
    metadata,
    models,
    projects,
    refusals,
    runs,
    scan_folders,
    scan_roots,
    selections,
    set_members,
    sets,
    suggestions,
    vectors,
    view_state,
)

__all__ = [
    "companions",
    "decisions",
    "delivery",
    "duplicates",
    "experiments",
    "facts",
    "images",
    "leases",
    "metadata",
    "models",
    "projects",
    "refusals",
    "repair",
    "runs",
    "scan_folders",
    "scan_roots",
    "schedule",
    "selections",
    "set_members",
    "sets",
    "suggestions",
    "taste",
    "vectors",
    "view_state",
]
