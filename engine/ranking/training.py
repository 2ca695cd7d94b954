"""The training run: from the verdicts in force to a new version of the ranker, promoted or kept with the reason why.

Relies on `material` (what to learn from), `split`, `learn`, `evaluate` and the registry. It stops at any step when
asked to, leaves a checkpoint after the slow choice of shrinkage, and writes nothing but a new version. Trains for one
person: their own verdicts and, as observations, the imported logs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.clock import Clock, iso
from engine.errors import ProofsheetError
from engine.ranking import evaluate, learn
from engine.ranking.features import PLAIN, scale_of, width
from engine.ranking.hashes import HashCache
from engine.ranking.learn import Examples
from engine.ranking.material import Material, gather, read_choices
from engine.ranking.measures import Calibration, Floats, Ints, fit_calibration, pair_accuracy, segment_losses
from engine.ranking.model import MIN_SETS, PER_PROJECT, UNIFIED
from engine.ranking.ranker import NAME, LinearRanker
from engine.ranking.registry import Registry
from engine.ranking.split import Split, split
from engine.runs import RunContext
from engine.store import Store
from engine.vision import Vision


@dataclass(frozen=True)
class Weights:
    """Weights (d,) on the scaled features: one for all, and one each for projects (casefolded) with enough sets."""

    unified: Floats
    projects: Mapping[str, Floats] = field(default_factory=dict)

    def scores(self, examples: Examples, projects: tuple[str, ...]) -> Floats:
        """(N,) scores, each set by its project's weights where there are any."""
        found = examples.features @ self.unified
        for key, weight in self.projects.items():
            sets = np.flatnonzero([project.casefold() == key for project in projects])
            rows = learn.rows_of(examples.offsets, sets)
            found[rows] = examples.features[rows] @ weight
        return np.asarray(found, dtype=np.float64)


@dataclass(frozen=True)
class Plan:
    """What the inner split chose: a shrinkage for all, one for each project with its own weights, the calibration."""

    alpha: float
    projects: Mapping[str, float]
    calibration: Calibration
    calibrated_on: int

    def document(self, fingerprint: str) -> dict[str, Any]:
        return {
            "fingerprint": fingerprint,
            "alpha": self.alpha,
            "projects": dict(self.projects),
            "temperature": self.calibration.temperature,
            "lapse": self.calibration.lapse,
            "calibrated_on": self.calibrated_on,
        }

    @classmethod
    def resumed(cls, checkpoint: Mapping[str, Any] | None, fingerprint: str) -> Plan | None:
        """The plan of the run that is taken up again, if the verdicts are still the same."""
        if not checkpoint or checkpoint.get("fingerprint") != fingerprint:
            return None
        calibration = Calibration(checkpoint["temperature"], checkpoint["lapse"])
        return cls(checkpoint["alpha"], checkpoint["projects"], calibration, checkpoint["calibrated_on"])


class Trainer:
    """The work of `train` runs. Its `work` is called in a lane's thread."""

    def __init__(self, store: Store, vision: Vision, registry: Registry, hashes: HashCache, clock: Clock) -> None:
        self._store = store
        self._vision = vision
        self._registry = registry
        self._hashes = hashes
        self._clock = clock

    def work(self, run: RunContext) -> dict[str, Any]:
        """Train one version. Raises ProofsheetError when there is too little to learn from."""
        begun = time.monotonic()
        actor, project = str(run.params["actor"]), run.params.get("project")
        spec = str(run.params["encoder"])
        run.progress(0, None, "reading the verdicts")
        choices = read_choices(self._store, actor, project)
        _require(len(choices))
        material = gather(run, choices, self._store, self._vision, self._hashes, spec)
        _require(len(material.choices))
        session = _Session(run, material, str(run.params.get("mode", UNIFIED)), int(run.params.get("seed", run.seed)))
        trained = session.train()
        previous = self._registry.promoted(actor, project)
        why_not = list(trained.report.why_not)
        if previous is not None:
            why_not.extend(self._against(previous.label, self._registry.load(previous), session, trained))
        encoder = self._vision.encoder(spec)
        card = session.card(trained) | {
            "actor": actor,
            "project": project,
            "created_at": iso(self._clock()),
            "encoder": {"id": encoder.id, "spec": spec, "architecture": encoder.card.architecture}
            | {"weights_sha256": encoder.card.weights_sha256, "preprocessing": encoder.card.preprocessing}
            | {"dimension": encoder.dimension, "identity": encoder.card.identity},
            "promotion": {"promoted": not why_not, "why_not": why_not, "against": previous and previous.label},
        }
        run.check()
        saved = self._registry.add(
            session.ranker(trained, encoder.id, card),
            actor=actor,
            project=project,
            run_id=run.id,
            now=iso(self._clock()),
            is_promoted=not why_not,
        )
        run.log(f"{saved.label} is promoted" if not why_not else f"{saved.label} is kept: {'; '.join(why_not)}")
        return {
            "model": saved.label,
            "promoted": not why_not,
            "sets": {"train": len(session.split.train), "held_out": len(session.split.held_out)},
            **trained.report.document(),
            "why_not": why_not,
            "seconds": round(time.monotonic() - begun, 3),
        }

    def _against(self, name: str, last: LinearRanker, session: _Session, trained: _Trained) -> list[str]:
        """Why the last promoted ranker should stay: judged on held-out sets that neither has learned from."""
        material, held_out = session.material, session.split.held_out
        encoder = self._vision.encoder(str(session.run.params["encoder"]))
        if last.encoder != encoder.id or last.weight.shape[0] != width(encoder.dimension):
            return []  # it speaks another encoder's language; its own figures are on its card
        learned = {tuple(one) for one in last.card.get("split", {}).get("trained_on", [])}
        fresh = [i for i in held_out if (material.choices[i].set_pk, material.choices[i].chosen_at) not in learned]
        if not fresh:
            return [f"{name} has learned from all held-out sets, so that no honest comparison is left"]
        picked = np.array(fresh, dtype=np.int64)
        projects = tuple(material.projects[i] for i in fresh)
        examples = session.examples.take(picked)
        parts = np.split(material.features[learn.rows_of(material.offsets, picked)], examples.offsets[1:-1])
        evaluated = last.as_evaluated()
        old = np.concatenate([evaluated.scores(part, one) for part, one in zip(parts, projects, strict=True)])
        new = trained.evaluated.scores(examples, projects)
        calibrations = (trained.plan.calibration, last.calibration)
        why = evaluate.compare_with_last(name, new, old, examples.offsets, calibrations)
        return [why] if why else []


@dataclass(frozen=True)
class _Trained:
    """Everything one training found: `evaluated` without the held-out sets, `final` with all."""

    plan: Plan
    evaluated: Weights
    final: Weights
    report: evaluate.Report


class _Session:
    """One training over one material."""

    def __init__(self, run: RunContext, material: Material, mode: str, seed: int) -> None:
        self.run = run
        self.material = material
        self.mode = mode
        self.seed = seed
        self.split: Split = split(material.clusters)
        centred = learn.centre(material.features.astype(np.float64), material.offsets)
        # The scale is learned on training sets alone, as everything else is.
        self.scale = scale_of(centred[learn.rows_of(material.offsets, self.split.train)])
        self.examples = Examples(centred / self.scale, material.offsets, material.clusters)
        self._step = 0

    def train(self) -> _Trained:
        """Tune, fit without the held-out sets, measure, and fit again with all."""
        train, held_out = self.split.train, self.split.held_out
        fingerprint = f"{self.material.fingerprint}-{self.mode}-{self.seed}-{self.run.params['encoder']}"
        plan = Plan.resumed(self.run.resumed, fingerprint)
        if plan is None:
            plan = self._tune(train)
            self.run.checkpoint(plan.document(fingerprint))
        self.run.progress(0, None, "learning")
        evaluated = self._fit(train, plan, is_shown=True)
        examples, projects = self.examples.take(held_out), self._projects(held_out)
        self.run.progress(0, None, "measuring")
        reference = learn.fit_logistic_difference(self.examples.take(train), seed=self.seed, check=self.run.check)
        rows = learn.rows_of(self.material.offsets, held_out)
        report = evaluate.evaluate(
            evaluate.HeldOut(
                offsets=examples.offsets,
                projects=projects,
                model=evaluated.scores(examples, projects),
                baselines={name: scores[rows] for name, scores in self.material.baselines.items()},
                reference=np.asarray(examples.features @ reference, dtype=np.float64),
            ),
            plan.calibration,
            seed=self.seed,
        )
        final = self._fit(np.arange(self.examples.count), plan, is_shown=False)
        return _Trained(plan, evaluated, final, report)

    def ranker(self, trained: _Trained, encoder: str, card: Mapping[str, Any]) -> LinearRanker:
        """The final weights in the features' own units; the registry gives the version."""
        return LinearRanker(
            name=NAME,
            version=0,
            encoder=encoder,
            weight=trained.final.unified / self.scale,
            evaluated=trained.evaluated.unified / self.scale,
            calibration=trained.plan.calibration,
            projects={key: weight / self.scale for key, weight in trained.final.projects.items()},
            evaluated_projects={key: weight / self.scale for key, weight in trained.evaluated.projects.items()},
            card=card,
        )

    def card(self, trained: _Trained) -> dict[str, Any]:
        """What the JSON card says of data, split, figures and method."""
        choices, report, plan = self.material.choices, trained.report, trained.plan
        return {
            "kind": "linear Plackett-Luce on set-centred features",
            "features": {"vector": len(self.scale) - len(PLAIN), "plain": list(PLAIN)},
            "mode": self.mode,
            "seed": self.seed,
            "data": {
                "sets": len(choices),
                "images": len({image.id for image in self.material.images}),
                "imported": sum(choice.imported for choice in choices),
                "made_here": sum(not choice.imported for choice in choices),
                "actors": sorted({choice.actor for choice in choices}),
                "projects": sorted(set(self.material.projects)),
                "from": choices[0].chosen_at,
                "to": choices[-1].chosen_at,
            },
            "split": {
                "kind": self.split.kind,
                "in_words": self.split.in_words,
                "train": len(self.split.train),
                "held_out": len(self.split.held_out),
                "purged": self.split.purged,
                "clusters": len(set(self.material.clusters.tolist())),
                "trained_on": [[choices[i].set_pk, choices[i].chosen_at] for i in self.split.train],
            },
            "l2": {"alpha": plan.alpha, "projects": dict(plan.projects)},
            "calibration": {
                "method": "temperature scaling with a lapse rate, by maximum likelihood on inner held-out sets",
                "temperature": plan.calibration.temperature,
                "lapse": plan.calibration.lapse,
                "sets": plan.calibrated_on,
            },
            "weights": "learned from all sets; the held-out figures are of weights learned without the held-out sets",
            **report.document(),
            "held_out_log_loss": report.log_loss,
            "ahead_of_baselines_95": {name: list(interval) for name, interval in report.intervals.items()},
        }

    def _tune(self, train: Ints) -> Plan:
        unified = self._tuned(self.examples.take(train), "the strength of shrinkage")
        own = {key: self._tuned(self.examples.take(sets), key) for key, sets in self._own_sets(train).items()}
        parts = list(own.values()) or [unified]
        scores = np.concatenate([part.scores for part in parts])
        offsets = learn.offsets_of(np.concatenate([np.diff(part.offsets) for part in parts]))
        return Plan(
            unified.alpha,
            {key: part.alpha for key, part in own.items()},
            fit_calibration(scores, offsets),
            len(offsets) - 1,
        )

    def _tuned(self, examples: Examples, what: str) -> learn.Tuned:
        tried = 0

        def told(alpha: float, loss: float, accuracy: float) -> None:
            nonlocal tried
            tried += 1
            self.run.progress(tried, len(learn.ALPHAS), f"choosing {what}")
            self.run.log(f"L2 {alpha:g}: loss {loss:.4f}, pair accuracy {accuracy:.1%} on inner held-out sets")

        return learn.tune(examples, seed=self.seed, check=self.run.check, on_alpha=told)

    def _fit(self, sets: Ints, plan: Plan, *, is_shown: bool) -> Weights:
        held_out = self.examples.take(self.split.held_out)

        def show(_step: int, loss: float, weights: Floats) -> None:
            scores = held_out.features @ weights
            self.run.metric(
                self._step,
                loss=loss,
                held_out_loss=float(segment_losses(scores, held_out.offsets).mean()),
                held_out_pair_accuracy=pair_accuracy(scores, held_out.offsets),
            )
            self._step += 1

        hook = show if is_shown else None
        unified = learn.fit(self.examples.take(sets), plan.alpha, on_step=hook, check=self.run.check)
        own = self._own_sets(sets)
        return Weights(
            unified,
            {
                key: learn.fit(self.examples.take(own[key]), alpha, check=self.run.check)
                for key, alpha in plan.projects.items()
            },
        )

    def _own_sets(self, sets: Ints) -> dict[str, Ints]:
        """The sets of each project that has enough for weights of its own; none in the unified mode."""
        if self.mode != PER_PROJECT:
            return {}
        keys = np.array([project.casefold() for project in self._projects(sets)])
        found = {str(key): sets[keys == key] for key in np.unique(keys)}
        return {key: some for key, some in found.items() if len(some) >= MIN_SETS}

    def _projects(self, sets: Ints) -> tuple[str, ...]:
        return tuple(self.material.choices[i].project for i in sets)


def _require(count: int) -> None:
    if count < MIN_SETS:
        verb = "is" if MIN_SETS - count == 1 else "are"
        raise ProofsheetError(
            f"there is too little to learn from: {count} decided sets, and {MIN_SETS - count} more {verb} needed",
            remedy="Pick winners with `proofsheet`, or bring a log: proofsheet import selections FILE",
        )
