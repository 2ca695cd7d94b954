"""Ranking: from the winners a person picked to a suggested winner. The door is `Ranking` in `ranking.py`.

Inside: `observe` reads selection logs, `matching` finds foreign paths in the library, `sets` groups images, `catalogue`
keeps sets in the store, `learn` fits, `evaluate` measures, `training` is the run, `ranker` the saved model, `suggest`
words what it proposes, `verdicts` takes what the person decides, `repeats` asks some sets again, `bulk` says what can
be approved together, `taste` what the person prefers, `progress` how far it is, `export` plans how picks leave again.
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
from engine.ranking.progress import ProjectProgress
from engine.ranking.ranking import Ranking
from engine.ranking.repeats import Consistency, Repeat
from engine.ranking.verdicts import Outcome, Turn

__all__ = [
    "Consistency",
    "ImageSet",
    "Outcome",
    "ProjectProgress",
    "RankedImage",
    "RankedSet",
    "RankerStatus",
    "Ranking",
    "RefusedRow",
    "Repeat",
    "SelectionImport",
    "SetCounts",
    "SetMember",
    "SetSource",
    "Turn",
    "conformal_threshold",
    "expected_calibration_error",
    "fit_temperature",
    "plackett_luce_loss",
]
