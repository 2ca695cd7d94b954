"""A retraining run: examples derived, the quality predictor fitted and held against baselines, findings, a draft.

Relies on runs for its life, on `examples`, `predictor`, `findings` and `drafts` for the parts. Evaluation looks forward
in time and at users that the fit has not seen; ratings below the minimum are kept for it. A predictor that does not
beat the baselines is saved and told of, and not promoted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from engine.clock import Clock, iso
from engine.experiments import catalogue
from engine.experiments.drafts import compose
from engine.experiments.examples import Rated, derive, rated_sessions
from engine.experiments.findings import findings
from engine.experiments.model import KIND_DRAFT, SUCCESS_RATING, Variant
from engine.experiments.predictor import QualityModel, fit
from engine.experiments.sessions import day_of
from engine.review import Suggestion
from engine.runs import RunContext
from engine.store import Store
from engine.store.schema import models

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "quality"
SMALLEST_TRAIN = 100  # rated sessions to fit on
SMALLEST_HELD_OUT = 40  # rated sessions to judge by
HELD_OUT_SHARE = 0.25


def retrain(run: RunContext, store: Store, folder: Path, clock: Clock) -> dict[str, Any]:
    """The work of a run; its parameters are `days` (None: all) and `min_rating`. The result is the report.

    Results with `min_rating` stars or more become examples, and are what the predictor foresees. With 1 every result
    becomes one, and no result is below it: the predictor then foresees success (4 stars).
    """
    days, min_rating = run.params.get("days"), int(run.params.get("min_rating", SUCCESS_RATING))
    good_from = min_rating if min_rating > 1 else SUCCESS_RATING
    since = None if days is None else day_of(clock() - timedelta(days=int(days)))
    run.progress(0, 4, "reading rated sessions")
    with store.reading() as connection:
        rated = rated_sessions(connection, since, run.refuse)
        known = catalogue.all_variants(connection)
    run.check()
    run.progress(1, 4, "deriving examples")
    with store.writing(durable=True) as connection:
        derived = derive(connection, rated, min_rating, iso(clock()))
    run.check()
    run.progress(2, 4, "fitting and judging")
    learned, held_out = split(rated)
    report: dict[str, Any] = {
        "days": days,
        "min_rating": min_rating,
        "good_from": good_from,
        "sessions": len(rated),
        "examples": derived,
        "negatives": sum(one.rating < good_from for one in rated),
        "train": len(learned),
        "held_out": len(held_out),
        "users_held_out": len({one.user for one in held_out}),
        "model": None,
        "promoted": False,
        "why_not": [],
        "scores": {},
    }
    report |= _fit_and_save(run, store, folder, clock, learned, held_out, good_from)
    run.check()
    run.progress(3, 4, "looking for what works where")
    found = findings(rated, good_from)
    report["findings"] = [one.document() for one in found]
    draft = compose(found, _leader(rated, known), [one.id for one in known], f"{run.id}")
    report["draft"] = None if draft is None else {"subject": draft.subject, **draft.proposal}
    run.progress(4, 4, "done")
    return report


def split(rated: Sequence[Rated]) -> tuple[list[Rated], list[Rated]]:
    """(to fit on, held out): the newest quarter by time is held out, of users who had not rated before."""
    if not rated:
        return [], []
    cut = rated[min(int(len(rated) * (1 - HELD_OUT_SHARE)), len(rated) - 1)].created_at
    learned = [one for one in rated if one.created_at < cut]
    seen = {one.user for one in learned}
    return learned, [one for one in rated if one.created_at >= cut and one.user not in seen]


def suggestion_of(report: Mapping[str, Any], run_id: str) -> Suggestion | None:
    """The draft in a run's result as a suggestion."""
    draft = report.get("draft")
    if not draft:
        return None
    proposal = {key: value for key, value in draft.items() if key != "subject"}
    reasons = tuple(one["because"] for one in proposal["lessons"])
    return Suggestion(KIND_DRAFT, draft["subject"], proposal, run_id, reasons=reasons)


def newest_model(connection: sa.Connection, folder: Path) -> Path | None:
    """The file of the promoted predictor, or None."""
    query = (
        sa.select(models.c.path)
        .where(models.c.name == NAME, models.c.promoted_at.is_not(None))
        .order_by(models.c.version.desc())
        .limit(1)
    )
    path = connection.execute(query).scalar()
    return folder / path if path else None


def _fit_and_save(
    run: RunContext,
    store: Store,
    folder: Path,
    clock: Clock,
    learned: Sequence[Rated],
    held_out: Sequence[Rated],
    good_from: int,
) -> dict[str, Any]:
    import numpy as np

    short = []
    if len(learned) < SMALLEST_TRAIN:
        short.append(f"{SMALLEST_TRAIN - len(learned)} more rated sessions with a canvas are needed to learn from")
    if len(held_out) < SMALLEST_HELD_OUT:
        short.append(f"{SMALLEST_HELD_OUT - len(held_out)} more are needed, of new users, to judge it by")
    good = np.array([one.rating >= good_from for one in learned], bool)
    if not short and (good.all() or not good.any()):
        short.append(f"every rating is on the same side of {good_from} stars: there is nothing to tell apart")
    if short:
        return {"why_not": short}
    names = sorted({name for one in learned for name in one.features})
    count = dict.fromkeys({one.user for one in learned}, 0)
    for one in learned:
        count[one.user] += 1
    weights = np.array([1 / count[one.user] for one in learned])  # the unit is the user
    model = fit(_matrix(learned, names), [one.variant for one in learned], good, weights, names, good_from)
    scores = judge(model, learned, held_out, good_from)
    beaten = [name for name, value in scores["brier"].items() if name != "model" and value <= scores["brier"]["model"]]
    why_not = [f"it does not beat the baseline '{name}' on held-out users" for name in beaten]
    with store.writing(durable=True) as connection:
        newest = connection.execute(sa.select(sa.func.max(models.c.version)).where(models.c.name == NAME))
        version = (newest.scalar() or 0) + 1
        card = {"name": NAME, "version": version, "scores": scores, "seed": run.seed, "why_not": why_not}
        file = folder / f"{NAME}_v{version}.json"
        model.save(file, card)
        now = iso(clock())
        connection.execute(
            sa.insert(models).values(
                name=NAME,
                version=version,
                kind="quality",
                encoder="canvas-features",
                path=file.name,
                card=card,
                run_id=run.id,
                created_at=now,
                promoted_at=None if why_not else now,
            )
        )
    return {"model": f"{NAME}_v{version}", "promoted": not why_not, "why_not": why_not, "scores": scores}


def judge(
    model: QualityModel, learned: Sequence[Rated], held_out: Sequence[Rated], good_from: int
) -> dict[str, dict[str, float]]:
    """Brier score and log loss on held-out sessions of the model, of everyone's mean, and of each variant's mean."""
    import numpy as np

    good = np.array([one.rating >= good_from for one in held_out], float)
    overall = float(np.mean([one.rating >= good_from for one in learned]))
    by_variant: dict[str, list[bool]] = {}
    for one in learned:
        by_variant.setdefault(one.variant, []).append(one.rating >= good_from)
    means = {name: (sum(said) + overall) / (len(said) + 1) for name, said in by_variant.items()}
    said = {
        "model": model.probabilities(_matrix(held_out, model.features, model.mean), [one.variant for one in held_out]),
        "mean of all": np.full(len(good), overall),
        "mean of the variant": np.array([means.get(one.variant, overall) for one in held_out]),
    }
    clipped = {name: np.clip(values, 1e-6, 1 - 1e-6) for name, values in said.items()}
    return {
        "brier": {name: float(np.mean((values - good) ** 2)) for name, values in said.items()},
        "log_loss": {
            name: float(-np.mean(good * np.log(values) + (1 - good) * np.log(1 - values)))
            for name, values in clipped.items()
        },
    }


def _matrix(
    rated: Sequence[Rated], names: Sequence[str], average: Sequence[float] | None = None
) -> NDArray[np.float64]:
    import numpy as np

    fallback = average if average is not None else [0.0] * len(names)
    rows = [[one.features.get(name, fallback[index]) for index, name in enumerate(names)] for one in rated]
    return np.array(rows, float).reshape(len(rated), len(names))


def _leader(rated: Sequence[Rated], known: Sequence[Variant]) -> Variant:
    """The live variant with the best mean rating so far, drawn toward that of all; the newest without ratings."""
    live = [one for one in known if one.is_active]
    if not rated:
        return live[-1]
    overall = sum(one.rating for one in rated) / len(rated)

    def mean(variant: Variant) -> float:
        own = [one.rating for one in rated if one.variant == variant.id]
        return (sum(own) + 10 * overall) / (len(own) + 10)

    return max(live, key=mean)
