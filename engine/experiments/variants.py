"""Adding, pausing and re-weighting variants. Every change is an event (who, when, why) and begins an epoch.

Relies on the store and on `template`. Templates are never changed: another text is another variant. Each function works
inside the caller's write transaction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import sqlalchemy as sa

from engine.errors import UsageError
from engine.experiments import catalogue
from engine.experiments.bucketing import WEIGHTS_FROM, WEIGHTS_TO, equal_weights
from engine.experiments.model import HASH_VERSION, SEED, Epoch, Metric, Variant
from engine.experiments.template import check_template, content_hash
from engine.store.schema.experiments import epochs, variant_events, variants

SHIPPED = {"original": "Original", "enhanced-v1": "Enhanced with design principles"}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def ensure_shipped(connection: sa.Connection, metric: Metric, now: str) -> None:
    """Put the two shipped variants and the first epoch, an equal split, into a store that has none."""
    if connection.execute(sa.select(epochs.c.id).limit(1)).first() is not None:
        return
    for variant_id, title in SHIPPED.items():
        text = files("data").joinpath("variants", f"{variant_id}.txt").read_text(encoding="utf-8")
        _insert(connection, variant_id, title, text, "shipped", None, now)
        note(connection, variant_id, "added", {"source": "shipped"}, "proofsheet", "ships with the program", now)
    arms = list(zip(SHIPPED, equal_weights(len(SHIPPED)), strict=True))
    _begin_epoch(connection, arms, None, metric, "proofsheet", "the first epoch: an equal split", now)


def add(
    connection: sa.Connection,
    variant_id: str,
    template: str,
    *,
    title: str = "",
    weight: float | None = None,
    source: str = "file",
    parent: str | None = None,
    actor: str,
    why: str,
    metric: Metric,
    now: str,
    place: str = "the template",
) -> Variant:
    """Add a version and give it `weight` of the new users (default: the same as an average arm); others give way.

    Raises UsageError for an id that is no id or is taken, a template that is there already, a weight outside 0..1;
    TemplateRefused for bad placeholders. Adding the same template under the same id again changes nothing.
    """
    if not _ID.fullmatch(variant_id):
        raise UsageError(
            f"'{variant_id}' is no variant id",
            remedy="Use up to 64 letters, digits, dots, hyphens and underscores, beginning with a letter or digit.",
        )
    if weight is not None and not 0 <= weight < 1:
        raise UsageError(f"a weight of {weight:g} is not between 0 and 1", remedy="0.2 gives it every fifth new user.")
    check_template(template, place)
    known = catalogue.all_variants(connection)
    for one in known:
        is_same_text = one.content_hash == content_hash(template)
        if one.id == variant_id and is_same_text:
            return one
        if one.id == variant_id:
            raise UsageError(
                f"the variant '{variant_id}' is there with another text, and variants never change",
                remedy="Add this text under an id of its own, such as with --id " + _next_id(variant_id, known) + ".",
            )
        if is_same_text:
            raise UsageError(f"this text is there already, as '{one.id}'", remedy=f"Use '{one.id}'.")
    _insert(connection, variant_id, title or variant_id, template, source, parent, now)
    note(connection, variant_id, "added", {"source": source, "parent": parent}, actor, why, now)
    live = catalogue.current_epoch(connection).arms
    share = 1 / (len(live) + 1) if weight is None else weight
    arms = [(one, held * (1 - share)) for one, held in live] + [(variant_id, share)]
    _begin_epoch(connection, arms, None, metric, actor, f"'{variant_id}' was added: {why}", now)
    return catalogue.variant(connection, variant_id)


def set_active(
    connection: sa.Connection, variant_id: str, active: bool, *, actor: str, why: str, metric: Metric, now: str
) -> Variant:
    """Pause a variant (its share goes to the others) or let it run again (with an average arm's share).

    Raises UsageError for an unknown id, and for pausing the last one that runs. Doing it again changes nothing.
    """
    one = catalogue.variant(connection, variant_id)
    if one.is_active == active:
        return one
    live = catalogue.current_epoch(connection).arms
    if active:
        share = 1 / (len(live) + 1)
        arms = [(other, held * (1 - share)) for other, held in live] + [(variant_id, share)]
    else:
        arms = [(other, held) for other, held in live if other != variant_id]
        if not arms:
            raise UsageError(
                f"'{variant_id}' is the only variant that runs",
                remedy="Resume or add another one, then pause this one.",
            )
    connection.execute(sa.update(variants).where(variants.c.pk == one.pk).values(is_active=active))
    action = "resumed" if active else "paused"
    note(connection, variant_id, action, {}, actor, why, now)
    _begin_epoch(connection, arms, None, metric, actor, f"'{variant_id}' was {action}: {why}", now)
    return catalogue.variant(connection, variant_id)


def set_weights(
    connection: sa.Connection,
    weights: Mapping[str, float],
    *,
    actor: str,
    why: str,
    metric: Metric,
    now: str,
    allocation_id: int | None = None,
) -> tuple[Epoch, list[str]]:
    """Begin an epoch with these shares of new users; the epoch, and warnings for the person.

    Variants that run and are not named get 0. Weights that do not add to 1 within .01 become an equal split, with a
    warning, as the specification has it. Raises UsageError for an unknown or paused variant, and for a weight that is
    negative or no number.
    """
    known = {one.id: one for one in catalogue.all_variants(connection)}
    for variant_id, weight in weights.items():
        one = known.get(variant_id) or catalogue.variant(connection, variant_id)
        if not one.is_active:
            raise UsageError(
                f"'{variant_id}' is paused and gets no users", remedy=f"proofsheet variants resume {variant_id}"
            )
        if not 0 <= weight < float("inf"):
            raise UsageError(f"{weight} is no weight for '{variant_id}'", remedy="Weights are between 0 and 1.")
    live = [one.id for one in known.values() if one.is_active]
    shares, warnings = settled_weights([weights.get(one, 0.0) for one in live])
    arms = list(zip(live, shares, strict=True))
    note(connection, None, "weights", dict(arms) | {"allocation": allocation_id}, actor, why, now)
    return _begin_epoch(connection, arms, allocation_id, metric, actor, why, now), warnings


def begin_again(connection: sa.Connection, earlier: Epoch, *, actor: str, why: str, metric: Metric, now: str) -> Epoch:
    """Begin an epoch with the arms and shares of an earlier one; its allocation too, which can be taken back next."""
    note(connection, None, "weights", dict(earlier.arms) | {"allocation": earlier.allocation_id}, actor, why, now)
    return _begin_epoch(connection, earlier.arms, earlier.allocation_id, metric, actor, why, now)


def settled_weights(weights: Sequence[float]) -> tuple[list[float], list[str]]:
    """Weights that add to exactly 1: scaled when they do within .01, else an equal split and a warning."""
    total = sum(weights)
    if not WEIGHTS_FROM <= total <= WEIGHTS_TO:
        return equal_weights(len(weights)), [
            f"the weights add to {total:.4g}, not to 1: an equal split is used instead"
        ]
    return [weight / total for weight in weights], []


def note(
    connection: sa.Connection,
    variant_id: str | None,
    action: str,
    value: Mapping[str, Any],
    actor: str,
    why: str,
    now: str,
) -> None:
    """Append an event."""
    pk = None
    if variant_id is not None:
        pk = connection.execute(sa.select(variants.c.pk).where(variants.c.id == variant_id)).scalar_one()
    row = {"variant_pk": pk, "action": action, "value": dict(value), "actor": actor, "why": why, "at": now}
    connection.execute(sa.insert(variant_events).values(**row))


def _insert(
    connection: sa.Connection, variant_id: str, title: str, template: str, source: str, parent: str | None, now: str
) -> None:
    parent_pk = catalogue.variant(connection, parent).pk if parent is not None else None
    connection.execute(
        sa.insert(variants).values(
            id=variant_id,
            content_hash=content_hash(template),
            title=title,
            template=template,
            placeholders=list(check_template(template, variant_id)),
            source=source,
            parent_pk=parent_pk,
            is_active=True,
            created_at=now,
        )
    )


def _begin_epoch(
    connection: sa.Connection,
    arms: Sequence[tuple[str, float]],
    allocation_id: int | None,
    metric: Metric,
    actor: str,
    why: str,
    now: str,
) -> Epoch:
    """Arms in the order in which they were added, so that an arm's starting point moves as little as may be."""
    order = {row.id: row.pk for row in connection.execute(sa.select(variants.c.id, variants.c.pk))}
    total = sum(weight for _, weight in arms)
    shares = [weight / total for _, weight in arms] if total > 0 else equal_weights(len(arms))
    settled = sorted(zip((one for one, _ in arms), shares, strict=True), key=lambda arm: order[arm[0]])
    connection.execute(
        sa.insert(epochs).values(
            started_at=now,
            arms=[list(arm) for arm in settled],
            coverage=1.0,
            seed=SEED,
            hash_version=HASH_VERSION,
            bucket_version=1,
            metric=metric,
            is_adaptive=allocation_id is not None,
            allocation_id=allocation_id,
            actor=actor,
            why=why,
        )
    )
    return catalogue.current_epoch(connection)


def _next_id(variant_id: str, known: Sequence[Variant]) -> str:
    taken = {one.id for one in known}
    stem = re.sub(r"-v\d+$", "", variant_id)
    return next(f"{stem}-v{number}" for number in range(2, len(taken) + 3) if f"{stem}-v{number}" not in taken)
