"""The training run: from the verdicts in force to a new version of the ranker, promoted or kept with the reason why.

Relies on `material` (what to learn from), `split`, `session` (learning and measuring) and the registry. It stops at any
step when asked to, leaves a checkpoint after the slow choice of strengths, and writes nothing but a new version and
the training log. Trains for one person: their own verdicts and, as observations, the imported logs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.clock import Clock, iso
from engine.errors import ProofsheetError
from engine.ranking import card, evaluate, learn
from engine.ranking.courtesy import Courtesy
from engine.ranking.epochs import EpochLog, Told
from engine.ranking.features import EMBEDDING, QUALITY, Layout, scale_of
from engine.ranking.hashes import HashCache
from engine.ranking.learn import Examples
from engine.ranking.lesson import Lesson, Plan, Trained, counted
from engine.ranking.material import Material, gather, read_choices, refused_sets
from engine.ranking.measures import Floats
from engine.ranking.model import MIN_SETS, NAME, UNIFIED
from engine.ranking.ranker import Deep, LinearRanker
from engine.ranking.registry import ModelRow, Registry
from engine.ranking.session import Session
from engine.ranking.split import Split, split
from engine.runs import RunContext
from engine.store import Store
from engine.vision import Vision

if TYPE_CHECKING:
    from engine.vision.aesthetic import AestheticHead
    from engine.vision.encoders import Encoder

_LARGE = 2_000_000  # numbers; from here on single precision is exact enough, and twice as fast
Consistency = Callable[[str, str | None], float | None]


def _unknown(_actor: str, _project: str | None) -> float | None:
    return None


class Trainer:
    """The work of `train` runs. Its `work` is called in a lane's thread.

    `consistency(actor, project)` is the share of silently repeated sets that the person answered alike, or None. A run
    that began by itself works only while no verdict was given for `pause` seconds.
    """

    def __init__(
        self,
        store: Store,
        vision: Vision,
        registry: Registry,
        hashes: HashCache,
        clock: Clock,
        log: Path,
        consistency: Consistency = _unknown,
        pause: float = 0.0,
        aesthetic_head: Path | None = None,
    ) -> None:
        self._store = store
        self._vision = vision
        self._registry = registry
        self._hashes = hashes
        self._clock = clock
        self._log = EpochLog(log, clock)
        self._consistency = consistency
        self._pause = pause
        self._aesthetic_head = aesthetic_head

    def work(self, run: RunContext) -> dict[str, Any]:
        """Train one version. Raises ProofsheetError when there is too little to learn from."""
        begun = time.monotonic()
        actor, project = str(run.params["actor"]), run.params.get("project")
        without = tuple(run.params.get("without") or ())
        courtesy = Courtesy(run, self._store, self._clock, self._pause if run.params.get("by_itself") else 0.0)
        courtesy()
        encoder = self._vision.encoder(str(run.params["encoder"]))
        spec = encoder.spec
        head = self._head(run, encoder)
        run.progress(0, None, "reading the verdicts")
        read = read_choices(self._store, actor, project)
        _require(len(read.choices))
        material = gather(run, read, self._store, self._vision, self._hashes, spec, without)
        _require(len(material.choices))
        if head is not None:
            said = head(material.features[:, : encoder.dimension])
            material = replace(material, baselines={**material.baselines, "aesthetic_head": said})
        divided = split(material.clusters)
        if {EMBEDDING, QUALITY} <= set(without) and material.features.shape[1] == Layout(encoder.dimension).width:
            raise ProofsheetError(
                f"there is nothing to learn from: crops alone are switched on, and no crops could be cut for {spec}",
                remedy="Add embedding or quality to the setting `features`, or take an encoder that looks at pictures.",
            )
        layout = Layout(encoder.dimension, material.features.shape[1] > Layout(encoder.dimension).width)
        lesson, scale = make_lesson(material, layout, divided, run.params, without)
        fingerprint = f"{material.fingerprint}-{lesson.mode}-{lesson.seed}-{spec}-{without}"
        told = Told(run, self._log, courtesy)
        session = Session(lesson, told)
        with few_threads(material.features.size):
            trained = session.work(
                _resumed(run.resumed, fingerprint),
                lambda plan: run.checkpoint(plan.document() | {"fingerprint": fingerprint}),
            )
        previous = self._registry.promoted(actor, project)
        why_not = list(trained.report.why_not)
        maker = _Maker(material, lesson, trained, scale, encoder.id)
        if previous is not None:
            ranker = self._loaded(run, previous)
            if ranker is not None:
                why_not.extend(_against(previous.label, ranker, maker))
        told_of = card.describe(trained, lesson, self._consistency(actor, project))
        with few_threads(material.features.size):
            made = card.make(trained, lesson, material, divided, layout, told_of)
        made |= {
            "actor": actor,
            "project": project,
            "without": list(without),
            "created_at": iso(self._clock()),
            "encoder": {"id": encoder.id, "spec": spec, "architecture": encoder.card.architecture}
            | {"weights_sha256": encoder.card.weights_sha256, "preprocessing": encoder.card.preprocessing}
            | {"dimension": encoder.dimension, "identity": encoder.card.identity},
            "promotion": {"promoted": not why_not, "why_not": why_not, "against": previous and previous.label},
        }
        run.check()
        saved = self._registry.add(
            maker.ranker(made),
            actor=actor,
            project=project,
            run_id=run.id,
            now=iso(self._clock()),
            is_promoted=not why_not,
        )
        told.end(saved.label)
        run.log(f"{saved.label} is promoted" if not why_not else f"{saved.label} is kept: {'; '.join(why_not)}")
        return {
            "run": run.id,
            "model": saved.label,
            "promoted": not why_not,
            "sets": {"train": len(divided.train), "held_out": len(divided.held_out)},
            **told_of,
            "why_not": why_not,
            "seconds": round(time.monotonic() - begun, 3),
        }

    def _loaded(self, run: RunContext, previous: ModelRow) -> LinearRanker | None:
        """The ranker that suggests now; None where its file is damaged: nothing but training again can mend that."""
        try:
            return self._registry.load(previous)
        except ProofsheetError as error:
            run.recovered("model-load", f"{previous.label} is not compared with: {error.message}", previous.path)
            return None

    def _head(self, run: RunContext, encoder: Encoder) -> AestheticHead | None:
        """The aesthetic head of the settings, where it may judge this encoder's vectors. A file that is none is
        refused before anything is computed."""
        if self._aesthetic_head is None:
            return None
        from engine.vision.aesthetic import ARCHITECTURE, judges, read_head

        head = read_head(self._aesthetic_head)
        if judges(encoder):
            return head
        run.log(f"the aesthetic head is not compared with: it judges {ARCHITECTURE} alone, not {encoder.id}")
        return None


@contextmanager
def few_threads(numbers: int) -> Iterator[None]:
    """One thread for the algebra on small matrices: a second one mostly waits for the first, at full speed, three times
    the work for no gain, and the person at the keys wants the other core."""
    if numbers >= _LARGE:
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        yield


def make_lesson(
    material: Material, layout: Layout, divided: Split, params: Mapping[str, Any], without: tuple[str, ...]
) -> tuple[Lesson, Floats]:
    """The material as arrays to learn from, and the scale (d,) that its features were divided by."""
    kind = np.float32 if material.features.size >= _LARGE else np.float64
    centred = learn.centre(material.features.astype(kind), material.offsets)
    # The scale is learned on training sets alone, as everything else is.
    scale = scale_of(centred[learn.rows_of(material.offsets, divided.train)], layout.blocks, without)
    centred /= scale.astype(kind)
    for name in without:
        centred[:, layout.blocks.get(name, slice(0))] = 0  # for good: a switched-off block has no ablation, no taste
    names, numbers = counted(material.projects)
    lesson = Lesson(
        examples=Examples(centred, material.offsets, material.clusters, None, numbers),
        blocks=layout.blocks,
        names=names,
        train=divided.train,
        held_out=divided.held_out,
        baselines=material.baselines,
        modified=np.flatnonzero([choice.modified for choice in material.choices]),
        refused=refused_sets(material, scale, names, numbers),
        mode=str(params.get("mode", UNIFIED)),
        seed=int(params.get("seed", 0)),
    )
    return lesson, scale


class _Maker:
    """Turns what a training found into a ranker."""

    def __init__(self, material: Material, lesson: Lesson, trained: Trained, scale: Floats, encoder: str) -> None:
        self.material = material
        self.lesson = lesson
        self.trained = trained
        self.encoder = encoder
        self._deep = Deep(trained.head, scale) if trained.head is not None else None
        self._scale = scale if trained.head is None else np.ones(trained.head.outputs)

    def ranker(self, made: Mapping[str, Any]) -> LinearRanker:
        """The final weights in the features' own units; the registry gives the version."""
        trained, scale = self.trained, self._scale
        squares = np.outer(scale, scale)
        key = {one: name.casefold() for one, name in enumerate(self.lesson.names)}
        return LinearRanker(
            name=NAME,
            version=0,
            encoder=self.encoder,
            weight=trained.final.shared.mean / scale,
            evaluated=trained.evaluated.shared.mean / scale,
            calibration=trained.calibration,
            projects={key[one]: taste.mean / scale for one, taste in trained.final.own.items()},
            evaluated_projects={key[one]: taste.mean / scale for one, taste in trained.evaluated.own.items()},
            card=made,
            covariance=trained.final.shared.covariance / squares,
            covariances={key[one]: taste.covariance / squares for one, taste in trained.final.own.items()},
            deep=self._deep,
        )


def _against(name: str, last: LinearRanker, maker: _Maker) -> list[str]:
    """Why the last promoted ranker should stay: judged on held-out sets that neither has learned from."""
    material, trained = maker.material, maker.trained
    if last.encoder != maker.encoder or last.width != material.features.shape[1]:
        return []  # it speaks another encoder's language; its own figures are on its card
    learned = {tuple(one) for one in last.card.get("split", {}).get("trained_on", [])}
    held_out = maker.lesson.held_out
    fresh = [i for i in held_out if (material.choices[i].set_pk, material.choices[i].chosen_at) not in learned]
    if not fresh:
        return [f"{name} has learned from all held-out sets, so that no honest comparison is left"]
    picked = np.array(fresh, dtype=np.int64)
    projects = tuple(material.projects[i] for i in fresh)
    examples = maker.lesson.examples.take(picked)
    parts = np.split(material.features[learn.rows_of(material.offsets, picked)], examples.offsets[1:-1])
    evaluated = last.as_evaluated()
    old = np.concatenate([evaluated.scores(part, one) for part, one in zip(parts, projects, strict=True)])
    new = trained.evaluated.scores(trained.head.of(examples) if trained.head is not None else examples)
    why = evaluate.compare_with_last(name, new, old, examples.offsets, (trained.calibration, last.calibration))
    return [why] if why else []


def _resumed(checkpoint: Mapping[str, Any] | None, fingerprint: str) -> Plan | None:
    """The plan of the run that is taken up again, if the verdicts are still the same."""
    if not checkpoint or checkpoint.get("fingerprint") != fingerprint:
        return None
    return Plan.read(checkpoint)


def _require(count: int) -> None:
    if count < MIN_SETS:
        verb = "is" if MIN_SETS - count == 1 else "are"
        sets = "set" if count == 1 else "sets"
        raise ProofsheetError(
            f"there is too little to learn from: {count} decided {sets}, and {MIN_SETS - count} more {verb} needed",
            remedy="Pick winners with `proofsheet`, or bring a log: proofsheet import selections FILE",
        )
