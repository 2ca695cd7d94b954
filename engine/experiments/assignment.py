"""Which variant a user gets: drawn by bucketing when they are new, the same one ever after.

Relies on `bucketing` and the store. A user keeps a variant whatever the weights become; only pausing that variant (or a
new bucket version) moves them. Drawing is pure, so that every exposure can be drawn again from what it recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from engine.errors import ProofsheetError
from engine.experiments import catalogue
from engine.experiments.bucketing import bucket_ranges, choose_variation, choose_variations, hash_unit, hash_units
from engine.experiments.model import Assignment, Epoch, Variant
from engine.store import upsert
from engine.store.schema.experiments import assignments, epochs, exposures, participants, variants


def draw(epoch: Epoch, user_id: str) -> tuple[str, float, float]:
    """(variant id, bucket, probability) for a user new in this epoch. Raises ProofsheetError for an unknown hash."""
    bucket = hash_unit(epoch.seed, user_id, epoch.hash_version)
    if bucket is None:
        raise ProofsheetError(f"epoch {epoch.id} names the unknown hash version {epoch.hash_version}")
    weights = [weight for _, weight in epoch.arms]
    chosen = choose_variation(bucket, bucket_ranges(len(weights), epoch.coverage, weights))
    if chosen < 0:
        # Rounding leaves the last range a hair short of 1; whoever falls there belongs to the last arm that has users.
        chosen = max(index for index, weight in enumerate(weights) if weight > 0)
    variant_id, weight = epoch.arms[chosen]
    return variant_id, bucket, weight * epoch.coverage


def draw_many(epoch: Epoch, user_ids: Sequence[str]) -> list[str]:
    """The variant of each of many new users, as `draw` has it; 200,000 ids a second and more. Nothing is recorded."""
    buckets = hash_units(epoch.seed, user_ids, epoch.hash_version)
    if buckets is None:
        raise ProofsheetError(f"epoch {epoch.id} names the unknown hash version {epoch.hash_version}")
    weights = [weight for _, weight in epoch.arms]
    chosen = choose_variations(buckets, bucket_ranges(len(weights), epoch.coverage, weights))
    last = max(index for index, weight in enumerate(weights) if weight > 0)
    names = [variant_id for variant_id, _ in epoch.arms]
    return [names[index] if index >= 0 else names[last] for index in chosen.tolist()]


@dataclass(frozen=True)
class Known:
    """What assigning needs, read once for a batch."""

    epoch: Epoch
    by_id: Mapping[str, Variant]
    by_pk: Mapping[int, Variant]


def known(connection: sa.Connection) -> Known:
    """The epoch in force and every variant."""
    every = catalogue.all_variants(connection)
    return Known(catalogue.current_epoch(connection), {one.id: one for one in every}, {one.pk: one for one in every})


def join(connection: sa.Connection, user_ids: Sequence[str], now: str) -> dict[str, int]:
    """The internal key of each user; those who are new are recorded."""
    found = catalogue.keys_of(connection, participants.c.user_id, participants.c.pk, user_ids)
    new = [one for one in dict.fromkeys(user_ids) if one not in found]
    if new:
        upsert(connection, participants, [{"user_id": one, "first_seen_at": now} for one in new], key=("user_id",))
        found |= catalogue.keys_of(connection, participants.c.user_id, participants.c.pk, new)
    return found


def assign(
    connection: sa.Connection, known: Known, user_ids: Sequence[str], keys: Mapping[str, int], now: str
) -> list[Assignment]:
    """The assignment of each user, in order; new ones are recorded. `keys` comes from `join`."""
    epoch = known.epoch
    held = {
        row.participant_pk: row
        for row in connection.execute(
            sa.select(assignments).where(
                assignments.c.participant_pk.in_([keys[one] for one in user_ids]),
                assignments.c.bucket_version == epoch.bucket_version,
            )
        )
    }
    made: dict[str, Assignment] = {}
    rows = []
    outcomes = []
    for user_id in user_ids:
        row = held.get(keys[user_id])
        if user_id in made:
            outcomes.append(_again(made[user_id]))
        elif row is not None and known.by_pk[row.variant_pk].is_active:
            outcomes.append(
                Assignment(
                    user_id,
                    known.by_pk[row.variant_pk].id,
                    epoch.id,
                    row.epoch_id,
                    epoch.seed,
                    epoch.hash_version,
                    epoch.bucket_version,
                    row.bucket,
                    row.probability,
                    True,
                )
            )
        else:
            variant_id, bucket, probability = draw(epoch, user_id)
            made[user_id] = Assignment(
                user_id,
                variant_id,
                epoch.id,
                epoch.id,
                epoch.seed,
                epoch.hash_version,
                epoch.bucket_version,
                bucket,
                probability,
                False,
            )
            outcomes.append(made[user_id])
            rows.append(
                {
                    "participant_pk": keys[user_id],
                    "bucket_version": epoch.bucket_version,
                    "variant_pk": known.by_id[variant_id].pk,
                    "epoch_id": epoch.id,
                    "bucket": bucket,
                    "probability": probability,
                    "assigned_at": now,
                }
            )
    upsert(
        connection,
        assignments,
        rows,
        key=("participant_pk", "bucket_version"),
        update=("variant_pk", "epoch_id", "bucket", "probability", "assigned_at"),
    )
    return outcomes


def expose(
    connection: sa.Connection,
    known: Known,
    shown: Sequence[Assignment],
    keys: Mapping[str, int],
    now: str,
) -> None:
    """Record that these variants were shown to these users."""
    rows = [
        {
            "participant_pk": keys[one.user_id],
            "variant_pk": known.by_id[one.variant_id].pk,
            "epoch_id": one.epoch_id,
            "assigned_epoch_id": one.assigned_epoch_id,
            "seed": one.seed,
            "hash_version": one.hash_version,
            "bucket_version": one.bucket_version,
            "bucket": one.bucket,
            "probability": one.probability,
            "is_sticky": one.is_sticky,
            "at": now,
        }
        for one in shown
    ]
    if rows:
        connection.execute(sa.insert(exposures), rows)


@dataclass(frozen=True)
class Replayed:
    """How many exposures were drawn again, and the ids of those that came out otherwise. Imported ones have no draw."""

    checked: int
    imported: int
    different: tuple[int, ...]


def replay(connection: sa.Connection) -> Replayed:
    """Draw every exposure again from the epoch in which its user got the variant, and compare."""
    by_id = {epoch.id: epoch for epoch in catalogue.all_epochs(connection)}
    query = (
        sa.select(exposures, participants.c.user_id, variants.c.id.label("variant_id"))
        .join(participants, participants.c.pk == exposures.c.participant_pk)
        .join(variants, variants.c.pk == exposures.c.variant_pk)
        .join(epochs, epochs.c.id == exposures.c.assigned_epoch_id)
        .order_by(exposures.c.id)
    )
    checked, imported, different = 0, 0, []
    for row in connection.execute(query):
        if row.bucket is None:
            imported += 1
            continue
        checked += 1
        if draw(by_id[row.assigned_epoch_id], row.user_id) != (row.variant_id, row.bucket, row.probability):
            different.append(row.id)
    return Replayed(checked, imported, tuple(different))


def _again(first: Assignment) -> Assignment:
    """The same assignment, shown once more."""
    return Assignment(
        first.user_id,
        first.variant_id,
        first.epoch_id,
        first.assigned_epoch_id,
        first.seed,
        first.hash_version,
        first.bucket_version,
        first.bucket,
        first.probability,
        True,
    )
