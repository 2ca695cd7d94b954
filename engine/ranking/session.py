"""One training over one material: strengths, calibration, candidates, figures, and the weights to keep.

Relies on `posterior` for the model, `head` for the deeper candidates, `evaluate` for the figures. What is measured on
the held-out sets never saw them: neither weights, nor scale, nor strengths of the prior, nor calibration. Writes
nothing.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from engine.ranking import controls, evaluate, head, learn, posterior
from engine.ranking.head import Head
from engine.ranking.learn import Examples, Weights
from engine.ranking.lesson import LINEAR, Candidate, Judged, Lesson, Plan, Trained, Watch
from engine.ranking.measures import (
    Calibration,
    Floats,
    Ints,
    fit_calibration,
    pair_accuracy,
    segment_losses,
    top_hits,
)
from engine.ranking.model import PER_PROJECT
from engine.ranking.nearest import nearest_winners
from engine.ranking.posterior import Belief, Prior

_APART = 0.02  # per project: a project's own taste is so free that next to nothing is shared
_ENOUGH_TO_TRY = 20
_FEW_ROUNDS = 4
_ENOUGH_FOR_NETWORKS = 60  # training sets; with fewer a network has nothing to show that chance could not explain
_GAIN = 1.0  # standard errors that a way to weigh evidence must gain on inner held-out sets


class Session:
    """The training of one lesson. `work` does all of it; its parts can be called by themselves to be measured."""

    def __init__(self, lesson: Lesson, watch: Watch) -> None:
        self.lesson = lesson
        self.watch = watch
        self.step = 0
        self._first: Belief | None = None
        self._inner: tuple[Floats, Ints, Ints] | None = None
        self._others: tuple[dict[str, Floats], Floats] | None = None

    def work(self, plan: Plan | None, keep: Any = lambda _plan: None) -> Trained:
        """Choose (unless `plan` was chosen before an interruption), measure, compare, and fit with all sets.

        `keep(plan)` is called once the plan is made.
        """
        lesson = self.lesson
        if plan is None:
            plan = self.plan()
            keep(plan)
        self.watch.progress(0, None, "learning")
        evaluated = self.believe(lesson.train, plan, start=self._first, is_shown=True)
        self.watch.progress(0, None, "measuring")
        report = self.measure(evaluated, plan.calibration)
        ablation = self.ablation(plan, evaluated)
        permuted = self.permuted(plan)
        found, candidates = self.candidates(evaluated, report)
        calibration = plan.calibration
        used: Head | None = None
        if found is not None:
            used, evaluated = found
            calibration = self._calibrated_on_newest(used, plan)
            report = self.measure(evaluated, calibration, used)
        self.watch.progress(0, None, "learning from every set")
        final = self.believe(np.arange(lesson.examples.count), plan, start=evaluated, head=used)
        return Trained(
            plan,
            calibration,
            evaluated,
            final,
            used,
            report,
            candidates,
            ablation,
            permuted,
            self._judged(plan, report, used),
        )

    # -- choosing ---------------------------------------------------------------------------------------------------

    def plan(self) -> Plan:
        """Strengths by the evidence; calibration, and what else counts as evidence, on inner held-out sets."""
        lesson = self.lesson
        train = lesson.examples.take(lesson.train)
        self.watch.progress(0, None, "choosing the strength of shrinkage")

        def told(round_: int, prior: Prior) -> None:
            strengths = ", ".join(f"{name} {value:.3g}" for name, value in prior.strengths.items())
            self.watch.progress(round_ + 1, None, "choosing the strength of shrinkage")
            self.watch.log(f"L2 {strengths}; a project's own {prior.closeness:.3g}; slips {prior.lapse:.1%}")

        belief = posterior.believe(
            train,
            lesson.blocks,
            own=lesson.own(lesson.train),
            closeness=_APART if lesson.mode == PER_PROJECT else None,
            on_round=told,
            check=self.watch.check,
        )
        prior, self._first = belief.prior, belief
        plain = self._out_of_fold(prior, belief, refusals=False, modified=False)
        best, uses, weighs = plain, False, False
        if lesson.refused is not None and lesson.refused.count >= _ENOUGH_TO_TRY:
            other = self._out_of_fold(prior, belief, refusals=True, modified=False)
            uses = self._gains("refused sets", other, best)
            best = other if uses else best
        if len(np.intersect1d(lesson.modified, lesson.train)) >= _ENOUGH_TO_TRY:
            other = self._out_of_fold(prior, belief, refusals=uses, modified=True)
            weighs = self._gains("picks against the suggestion counted twice", other, best)
            best = other if weighs else best
        logits, offsets, sets = best
        self._inner = best
        calibration = fit_calibration(logits, offsets)
        return Plan(prior.strengths, prior.closeness, prior.lapse, calibration, len(sets), uses, weighs, prior.pairs)

    def _gains(self, what: str, other: tuple[Floats, Ints, Ints], best: tuple[Floats, Ints, Ints]) -> bool:
        """Whether the inner held-out winners became more likely by more than a standard error."""
        gain = segment_losses(best[0], best[1]) - segment_losses(other[0], other[1])
        error = float(gain.std() / np.sqrt(len(gain))) or 1.0
        does = float(gain.mean()) > _GAIN * error
        self.watch.log(f"{what}: {gain.mean():+.4f} log-likelihood a set; {'used' if does else 'not used'}")
        return does

    def _out_of_fold(self, prior: Prior, start: Belief, *, refusals: bool, modified: bool) -> tuple[Floats, Ints, Ints]:
        """Log-probabilities (M,), offsets and set numbers of inner held-out sets, each by weights that never saw it."""
        train = self.lesson.train
        inner = self.lesson.examples.take(train)
        logits, counts, sets = [], [], []
        for number, (some, rest) in enumerate(learn.inner_splits(inner, self.lesson.seed)):
            self.watch.progress(number, None, "measuring confidence")
            part = self.lesson.evidence(train[some], refusals=refusals, modified=modified)
            belief = self._posterior(part, prior, train[some], start)
            held_out = inner.take(rest)
            logits.append(belief.logits(held_out))
            counts.append(np.diff(held_out.offsets))
            sets.append(train[rest])
        return np.concatenate(logits), learn.offsets_of(np.concatenate(counts)), np.concatenate(sets)

    # -- fitting ----------------------------------------------------------------------------------------------------

    def believe(
        self, sets: Ints, plan: Plan, *, start: Belief | None = None, head: Head | None = None, is_shown: bool = False
    ) -> Belief:
        """The posterior from these sets by the plan's prior, on the features or on what a head makes of them."""
        evidence = self.lesson.evidence(
            sets, refusals=plan.uses_refusals and head is None, modified=plan.weighs_modified
        )
        if head is not None:
            blocks = head.blocks(dict(self.lesson.blocks))
            return posterior.believe(head.of(evidence), blocks, rounds=_FEW_ROUNDS, check=self.watch.check)
        return self._posterior(evidence, plan.prior(self.lesson.blocks), sets, start, is_shown=is_shown)

    def _posterior(
        self, evidence: Examples, prior: Prior, sets: Ints, start: Belief | None, *, is_shown: bool = False
    ) -> Belief:
        d = self.lesson.examples.features.shape[1]
        extra = evidence.features.shape[1] - d
        if extra:  # the level at which a set is refused: a weight of its own
            prior = Prior(
                {**prior.blocks, "refused": slice(d, d + extra)},
                {**prior.strengths, "refused": 0.01},
                prior.closeness,
                prior.lapse,
                prior.pairs,
            )
            start = None
        held_out = self.lesson.examples.take(self.lesson.held_out) if is_shown else None

        def show(_step: int, loss: float, weights: Weights) -> None:
            if held_out is None:
                return
            shown = {one: value[:d] for one, value in weights.deviations.items()}
            judged = Weights(weights.shared[:d], shown).scores(held_out)
            self.watch.metric(
                self.step,
                loss=loss,
                held_out_loss=float(segment_losses(judged, held_out.offsets).mean()),
                held_out_pair_accuracy=pair_accuracy(judged, held_out.offsets),
            )
            self.step += 1

        found = posterior.believe(
            evidence,
            prior.blocks,
            prior=prior,
            own=self.lesson.own(sets),
            start=start,
            from_nothing=is_shown,
            on_step=show if is_shown else None,
            check=self.watch.check,
        )
        return _first(found, d) if extra else found

    @cached_property
    def _reference_strength(self) -> float:
        """The reference's own strength, chosen on the training sets once."""
        train = self.lesson.examples.take(self.lesson.train)
        return learn.logistic_strength(train, seed=self.lesson.seed, check=self.watch.check)

    # -- measuring --------------------------------------------------------------------------------------------------

    def measure(self, belief: Belief, calibration: Calibration, head: Head | None = None) -> evaluate.Report:
        """Figures of a belief on the held-out sets, beside baselines and reference."""
        lesson = self.lesson
        train, held_out = lesson.examples.take(lesson.train), lesson.examples.take(lesson.held_out)
        if self._others is None:
            strength = self._reference_strength
            reference = learn.fit_logistic_difference(
                train, seed=lesson.seed, strength=strength, check=self.watch.check
            )
            rows = learn.rows_of(lesson.examples.offsets, lesson.held_out)
            baselines = {name: scores[rows] for name, scores in lesson.baselines.items()}
            baselines["nearest_winners"] = nearest_winners(train, held_out, self.watch.check)
            self._others = baselines, np.asarray(held_out.features @ reference, dtype=np.float64)
        baselines, other = self._others
        return evaluate.evaluate(
            evaluate.HeldOut(
                offsets=held_out.offsets,
                projects=tuple(lesson.names[owner] for owner in held_out.owners),
                model=belief.logits(head.of(held_out) if head is not None else held_out),
                baselines=baselines,
                reference=other,
            ),
            calibration,
            seed=lesson.seed,
        )

    def ablation(self, plan: Plan, belief: Belief) -> dict[str, float]:
        """What each block of features is worth: held-out pair accuracy without it."""
        return controls.ablation(self.lesson, plan, belief, self.watch)

    def permuted(self, plan: Plan) -> float:
        """Held-out pair accuracy with winners drawn by lot."""
        return controls.permuted(self.lesson, plan, self.watch)

    # -- deeper models ----------------------------------------------------------------------------------------------

    def candidates(
        self, linear: Belief, report: evaluate.Report
    ) -> tuple[tuple[Head, Belief] | None, tuple[Candidate, ...]]:
        """Train the networks beside the linear model; one takes its place only if its held-out gain is no chance."""
        lesson = self.lesson
        train, held_out = lesson.examples.take(lesson.train), lesson.examples.take(lesson.held_out)
        plain = linear.logits(held_out)
        best: tuple[str, Head, Belief] | None = None
        best_accuracy = report.pair_accuracy
        found = {LINEAR: report.pair_accuracy}
        for name in (head.MLP, head.RESIDUAL) if train.count >= _ENOUGH_FOR_NETWORKS else ():
            self.watch.progress(0, None, f"trying a network ({name})")

            def show(epoch: int, loss: float, newest: float, accuracy: float, name: str = name) -> None:
                self.watch.epoch(name, epoch, loss=loss, newest_fifth_loss=newest, newest_fifth_pair_accuracy=accuracy)

            made = head.train_head(
                name, train, linear.shared.mean, seed=lesson.seed, on_epoch=show, check=self.watch.check
            )
            blocks = made.blocks(dict(lesson.blocks))
            belief = posterior.believe(made.of(train), blocks, rounds=_FEW_ROUNDS, check=self.watch.check)
            logits = belief.logits(made.of(held_out))
            found[name] = pair_accuracy(logits, held_out.offsets)
            if found[name] > best_accuracy and evaluate.is_gain(logits, plain, held_out.offsets, seed=lesson.seed):
                best, best_accuracy = (name, made, belief), found[name]
        chosen = best[0] if best is not None else LINEAR
        told = tuple(Candidate(name, accuracy, name == chosen) for name, accuracy in found.items())
        return (best[1], best[2]) if best is not None else None, told

    def _calibrated_on_newest(self, used: Head, plan: Plan) -> Calibration:
        """The calibration of a network: on the newest fifth of the training sets, by weights from the others."""
        train = self.lesson.train
        cut = max(1, round(len(train) * 0.8))
        belief = self.believe(train[:cut], plan, head=used)
        part = used.of(self.lesson.examples.take(train[cut:]))
        logits = belief.logits(part)
        self._inner = logits, part.offsets, train[cut:]
        return fit_calibration(logits, part.offsets)

    def _judged(self, plan: Plan, report: evaluate.Report, used: Head | None) -> Judged:
        """Every set that was judged by weights that never saw it, older sets first."""
        if self._inner is None:  # resumed: the inner held-out sets are judged again
            belief = self.believe(self.lesson.train, plan)
            self._inner = self._out_of_fold(
                plan.prior(self.lesson.blocks),
                belief,
                refusals=plan.uses_refusals,
                modified=plan.weighs_modified,
            )
        logits, offsets, sets = self._inner
        order = np.argsort(sets, kind="stable")
        calibration = plan.calibration if used is None else fit_calibration(logits, offsets)
        confidence = calibration.confidences(logits, offsets)[order]
        correct = top_hits(logits, offsets)[order]
        owners = self.lesson.examples.owners[np.concatenate([sets[order], self.lesson.held_out])]
        return Judged(
            np.concatenate([confidence, report.confidence]),
            np.concatenate([correct, report.correct]),
            tuple(self.lesson.names[owner] for owner in owners),
        )


def _first(belief: Belief, d: int) -> Belief:
    """The belief about the first d weights."""

    def cut(taste: posterior.Gaussian) -> posterior.Gaussian:
        return posterior.Gaussian(taste.mean[:d], taste.covariance[:d, :d])

    blocks = {name: block for name, block in belief.prior.blocks.items() if block.stop <= d}
    strengths = {name: belief.prior.strengths[name] for name in blocks}
    return Belief(
        Prior(blocks, strengths, belief.prior.closeness, belief.prior.lapse, belief.prior.pairs),
        Weights(belief.weights.shared[:d], {one: value[:d] for one, value in belief.weights.deviations.items()}),
        cut(belief.shared),
        {one: cut(taste) for one, taste in belief.own.items()},
    )
