"""What a ranker's card and the report of `train ranker` say. Pure: from what was found to a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from engine.ranking.conformal import RISK, coverage_curve, shortlist_size
from engine.ranking.evaluate import coverage_at
from engine.ranking.features import EMBEDDING, PLAIN, QUALITY, Layout
from engine.ranking.learn import centre, rows_of
from engine.ranking.lesson import TARGET, Lesson, Trained
from engine.ranking.material import Material
from engine.ranking.posterior import believe
from engine.ranking.split import Split

# name -> (words for more of it, its unit in words)
_WORDS = {
    "sharpness": ("sharper", "doublings of the finest gradients"),
    "exposure": ("brighter", "of the range from black to white"),
    "clipped": ("more clipping", "of the pixels"),
    "contrast": ("more contrast", "of the range from black to white"),
    "colourfulness": ("more colourful", "8-bit steps"),
    "warmth": ("warmer", "doublings of red over blue"),
    "noise": ("noisier", "8-bit steps"),
    "tilt": ("more tilted", "degrees"),
    "log2_pixels": ("larger", "doublings of the pixels"),
    "log2_bytes": ("heavier as a file", "doublings of the bytes"),
}


def describe(trained: Trained, lesson: Lesson, consistency: float | None) -> dict[str, Any]:
    """held_out, baselines, references, ablation and candidates, as `train ranker --json` has them."""
    report = trained.report
    document = report.document()
    judged = trained.judged
    confidence, correct = judged.confidence, judged.correct
    coverage = coverage_at(TARGET, confidence, correct, report.confidence)[1]
    document["held_out"] |= {
        "permuted_pair_accuracy": trained.permuted,
        "self_consistency": consistency,
        "share_of_self_consistency": report.top1_accuracy / consistency if consistency else None,
        "coverage_at_95": coverage,
    }
    document["references"]["logistic_difference_gap_95"] = list(report.logistic_gap)
    document["ablation"] = trained.ablation
    document["candidates"] = [one.document() for one in trained.candidates]
    document["mode"] = lesson.mode
    return document


def make(
    trained: Trained, lesson: Lesson, material: Material, split: Split, layout: Layout, told: Mapping[str, Any]
) -> dict[str, Any]:
    """What the JSON card says of data, split, figures, method, promise and taste."""
    choices, report, plan = material.choices, trained.report, trained.plan
    judged = trained.judged
    confidence, correct = judged.confidence, judged.correct
    threshold, coverage = coverage_at(TARGET, confidence, correct, report.confidence)
    chosen = next(one.name for one in trained.candidates if one.is_chosen)
    return {
        "kind": f"Plackett-Luce on set-centred features, Bayesian last layer ({chosen})",
        "features": {"vector": layout.dimension, "plain": list(PLAIN)},
        "blocks": {name: [block.start, block.stop] for name, block in layout.blocks.items()},
        "mode": lesson.mode,
        "seed": lesson.seed,
        "sets": {"train": len(split.train), "held_out": len(split.held_out)},
        "data": {
            "sets": len(choices),
            "images": len({image.id for image in material.images}),
            "imported": sum(choice.imported for choice in choices),
            "made_here": sum(not choice.imported for choice in choices),
            "modified": len(lesson.modified),
            "refused": lesson.refused.count if lesson.refused is not None else 0,
            "actors": sorted({choice.actor for choice in choices}),
            "projects": sorted(set(material.projects)),
            "from": choices[0].chosen_at,
            "to": choices[-1].chosen_at,
            "last_decision": material.last_decision,
            "last_selection": material.last_selection,
        },
        "split": {
            "kind": split.kind,
            "in_words": split.in_words,
            "train": len(split.train),
            "held_out": len(split.held_out),
            "purged": split.purged,
            "clusters": len(set(material.clusters.tolist())),
            "trained_on": [[choices[i].set_pk, choices[i].chosen_at] for i in split.train],
        },
        "l2": {
            "alpha": plan.strengths.get(EMBEDDING, 0.0),
            "blocks": dict(plan.strengths),
            "a_project_of_its_own": plan.closeness,
        },
        "prior": {
            "method": "strengths by the evidence (MacKay 1992); some picks owe nothing to the images",
            "lapse": plan.lapse,
            "share_of_pairs": plan.pairs,
            "uses_refused_sets": plan.uses_refusals,
            "counts_modified_twice": plan.weighs_modified,
        },
        "calibration": {
            "method": "posterior predictive (Laplace), then temperature scaling with a lapse rate, by maximum "
            "likelihood on inner held-out sets",
            "temperature": trained.calibration.temperature,
            "lapse": trained.calibration.lapse,
            "sets": plan.calibrated_on,
        },
        "promise": {
            "target": TARGET,
            "threshold": threshold if np.isfinite(threshold) else None,
            "coverage": coverage,
            "sets": len(confidence),
            "method": f"fixed-sequence Clopper-Pearson bounds on sets never learned from, at most {RISK:.0%} may fail",
        },
        "calibration_pairs": {
            "confidence": [round(float(value), 6) for value in confidence],
            "correct": [int(value == 1.0) for value in correct],
            "project": list(judged.projects),
        },
        "coverage_curve": coverage_curve(confidence, correct),
        "shortlist_at_95": _shortlist(trained, lesson),
        "taste": tastes(lesson, layout, material),
        "weights": "learned from all sets; the held-out figures are of weights learned without the held-out sets",
        **told,
        "held_out_log_loss": report.log_loss,
        "ahead_of_baselines_95": {name: list(interval) for name, interval in report.intervals.items()},
    }


def tastes(lesson: Lesson, layout: Layout, material: Material) -> list[dict[str, Any]]:
    """The plain features by how much they decide: weight in utility a human unit, the usual difference within a set in
    that unit, their product, and how sure the sign is.

    Learned from every set by a linear model that looks at the plain features alone (`source`): beside the vector, which
    knows of sharpness too, a clear liking would be shared out until nothing of it were sure, and a network has no
    weight a feature at all.
    """
    from scipy.stats import norm

    block = layout.blocks[QUALITY]
    centred = centre(material.features[:, block].astype(np.float64), material.offsets)
    typical = np.sqrt(np.square(centred).mean(axis=0))
    plain = lesson.examples.features[:, block].astype(np.float64)
    spread = np.sqrt(np.square(plain).mean(axis=0))
    width = plain.shape[1]
    taste = believe(replace(lesson.examples, features=plain), {QUALITY: slice(0, width)}).shared
    doubt = np.sqrt(np.diag(taste.covariance))
    found = []
    for number, name in enumerate(PLAIN):
        if typical[number] == 0 or spread[number] == 0:
            continue  # never differs within a set, or is switched off
        words, unit = _WORDS.get(name, (name.replace("_", " "), "units"))
        strength = float(taste.mean[number] * spread[number])
        found.append(
            {
                "feature": name,
                "label": words,
                "weight": strength / float(typical[number]),
                "unit": unit,
                "typical": float(typical[number]),
                "strength": strength,
                "sure": float(norm.cdf(abs(taste.mean[number]) / max(float(doubt[number]), 1e-12))),
                "source": "a linear model of the plain features alone",
            }
        )
    return sorted(found, key=lambda one: -abs(one["strength"]))


def _shortlist(trained: Trained, lesson: Lesson) -> dict[str, float]:
    """How many images of a set, the likeliest first, hold the pick with a chance of 95 %: on average over the newer
    half of the held-out sets, by split-conformal sets calibrated on the older half; and how often they did hold it."""
    held_out = lesson.examples.take(lesson.held_out)
    looks = trained.head.of(held_out) if trained.head is not None else held_out
    chances = trained.calibration.probabilities(trained.evaluated.logits(looks), held_out.offsets)
    cut = held_out.count // 2
    if cut < 20:
        return {}
    strange = 1 - chances[held_out.offsets[:-1]]
    sizes, held = [], []
    for index in range(cut, held_out.count):
        own = chances[rows_of(held_out.offsets, np.array([index]))]
        size = shortlist_size(strange[:cut], own, TARGET)
        sizes.append(size)
        held.append(int((own > own[0]).sum()) < size)
    return {
        "images": float(np.mean(sizes)),
        "of": float(np.diff(held_out.offsets)[cut:].mean()),
        "held": float(np.mean(held)),
    }
