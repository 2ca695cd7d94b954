"""Ranking: from the winners a person picked to a suggested winner. The door is `Ranking` in `ranking.py`.

Inside: `observe` reads selection logs, `matching` finds foreign paths in the library, `sets` groups images, `catalogue`
keeps sets in the store, `learn` fits, `evaluate` measures, `training` is the run, `ranker` the saved model, `suggest`
words what it proposes, `export` plans how picks leave again.
"""

from engine.ranking.conformal import conformal_threshold
from engine.ranking.measures import expected_calibration_error, fit_temperature, plackett_luce_loss
from engine.ranking.model import (
    ImageSet,
    RankedImage,
    RankedSet,
    RankerStatus,
    RefusedRow,
    SelectionImport,
    SetCounts,
    SetMember,
    SetSource,
)
from engine.ranking.ranking import Ranking

__all__ = [
    "ImageSet",
    "RankedImage",
    "RankedSet",
    "RankerStatus",
    "Ranking",
    "RefusedRow",
    "SelectionImport",
    "SetCounts",
    "SetMember",
    "SetSource",
    "conformal_threshold",
    "expected_calibration_error",
    "fit_temperature",
    "plackett_luce_loss",
]
