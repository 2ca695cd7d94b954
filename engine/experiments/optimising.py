"""Proposing weights and putting them in force: each is kept with its seed and inputs, and none acts by itself.

Relies on `allocation` for the draw, on the store and on `variants` for the epochs. A proposal speaks of the epoch it
was made in; once another one has begun it is out of date and cannot be approved any more.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from engine.clock import iso
from engine.errors import ProofsheetError
from engine.experiments import catalogue, variants
from engine.experiments.allocation import DRAWS, FLOOR, propose
from engine.experiments.analysis import ratio_of
from engine.experiments.arms import arms_of
from engine.experiments.columns import load, units
from engine.experiments.model import KIND_WEIGHTS, Epoch, Metric
from engine.review import Decision, Suggestion, Verdict
from engine.store import Store
from engine.store.schema import suggestions
from engine.store.schema.experiments import allocations


def compute(store: Store, metric: Metric, feedback_hours: float, seed: int, now: datetime) -> Suggestion:
    """Draw weights from every user whose feedback has had its time, and record the draw.

    Each proposal has a seed of its own (the workspace's, and how many there were before), so it can be drawn again.
    """
    until = iso(now - timedelta(hours=feedback_hours))
    with store.reading() as connection:
        known = catalogue.all_variants(connection)
        epochs = catalogue.all_epochs(connection)
        settled = units(load(connection, settled_before=until))
        everyone = units(load(connection))
        count = connection.execute(sa.select(sa.func.count()).select_from(allocations)).scalar_one()
    epoch = epochs[-1]
    check = ratio_of(everyone, known, epochs)
    own_seed = seed + int(count)
    found = propose(arms_of(settled, known, epochs), metric, dict(epoch.arms), seed=own_seed, is_frozen=check.is_frozen)
    with store.writing(durable=True) as connection:
        made = connection.execute(
            sa.insert(allocations).values(
                epoch_id=epoch.id,
                metric=metric,
                seed=own_seed,
                draws=DRAWS,
                floor=FLOOR,
                inputs=found.inputs | {"p_best": found.p_best, "srm_p": check.p},
                weights=found.weights,
                why=found.why,
                data_until=until,
                computed_at=iso(now),
            )
        )
        key = made.inserted_primary_key
    allocation_id = int(key[0]) if key else 0
    proposal = {
        "allocation": allocation_id,
        "epoch": epoch.id,
        "metric": metric,
        "weights": found.weights,
        "before": found.before,
        "p_best": found.p_best,
        "users": found.users,
        "why": found.why,
        "is_frozen": check.is_frozen,
        "is_change": found.is_change,
    }
    return Suggestion(KIND_WEIGHTS, "weights", proposal, f"thompson-{allocation_id}", reasons=(found.why,))


def pending(connection: sa.Connection) -> Suggestion | None:
    """The proposal that waits for a decision; None when there is none, or another epoch has begun since."""
    waiting = catalogue.pending(connection, KIND_WEIGHTS)
    epoch = catalogue.current_epoch(connection).id
    return next((one for one in reversed(waiting) if one.proposal.get("epoch") == epoch), None)


def put_in_force(
    connection: sa.Connection, suggestion: Suggestion, actor: str, metric: Metric, now: str, automatically: bool
) -> Epoch:
    """Begin the epoch that a proposal speaks of. Raises ProofsheetError when it is out of date."""
    check_current(connection, suggestion)
    epoch, _warnings = variants.set_weights(
        connection,
        suggestion.proposal["weights"],
        actor=actor,
        why=("Approved automatically. " if automatically else "") + suggestion.proposal["why"],
        metric=metric,
        now=now,
        allocation_id=suggestion.proposal["allocation"],
    )
    return epoch


def take_back(connection: sa.Connection, taken: Decision, actor: str, metric: Metric, now: str) -> Epoch | None:
    """Begin an epoch with the weights from before an approved proposal; None when what is taken back changed none.

    Raises ProofsheetError when the weights that it brought are no longer in force.
    """
    if taken.verdict is not Verdict.APPROVED:
        return None
    query = sa.select(suggestions.c.proposal).where(suggestions.c.id == taken.suggestion_id)
    proposal = connection.execute(query).scalar_one()
    current = catalogue.current_epoch(connection)
    if current.allocation_id != proposal["allocation"]:
        raise ProofsheetError(
            f"the weights that were approved on {taken.decided_at[:10]} are no longer in force: {current.why}",
            remedy="Set them by hand: proofsheet variants weights --set ID=SHARE,...",
        )
    earlier = catalogue.epoch(connection, int(proposal["epoch"]))
    why = f"The approval of {taken.decided_at[:16].replace('T', ' ')} UTC was taken back. Before it: {earlier.why}"
    return variants.begin_again(connection, earlier, actor=actor, why=why, metric=metric, now=now)


def check_current(connection: sa.Connection, suggestion: Suggestion) -> None:
    """Raises ProofsheetError when another epoch has begun since the proposal was made."""
    if suggestion.proposal.get("epoch") != catalogue.current_epoch(connection).id:
        raise ProofsheetError(
            "the proposal is out of date: the weights have changed since it was made",
            remedy="Propose again: proofsheet variants weights --propose",
        )


def why(connection: sa.Connection) -> str:
    """Why the weights are as they are: who changed them last, when, and the reason."""
    epoch = catalogue.current_epoch(connection)
    shares = ", ".join(f"'{name}' {weight:.0%}" for name, weight in epoch.arms)
    return f"{shares} since {epoch.started_at[:16].replace('T', ' ')} UTC, by {epoch.actor}: {epoch.why}"
