"""Tighter or wider: how the images of a set are framed beside one another, from the prints that the library keeps.

Relies on the store for 32x32 prints and on `engine.vision.zoom`; opens no file. Being tighter is a relation of two
images of one scene, not a quantity of one, so that it is no input of the ranker: it is said as a reason, and told on
the taste card from the person's own pairs alone. An image without a print (not studied yet) is neither.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from engine.library import prints_table
from engine.library.model import Image
from engine.ranking.model import Choice
from engine.ranking.taste import PROOFS, SURE, Proof, Trait
from engine.store import Store
from engine.vision.zoom import Grey, tighter_by

TIGHTNESS = "tightness"
STEP = 0.2
"""log2 of the zoom from which it can be seen: an eighth of the side."""
_MOST_IMAGES = 12
_NEWEST = 200


def frames_of(store: Store, images: Sequence[Image]) -> dict[int, Grey]:
    """The small grey frames (32, 32) of the images that have one, by image id."""
    with store.reading() as connection:
        return prints_table.lumas(connection, [image.id for image in images])


def word_for(frames: Sequence[Grey | None], winner: int) -> tuple[str, ...]:
    """`tighter` or `wider` where the winner is framed so beside every other image of its set, else nothing."""
    mine = frames[winner]
    others = [one for place, one in enumerate(frames) if place != winner]
    if mine is None or not others or len(others) >= _MOST_IMAGES:
        return ()
    sign = 0.0
    for other in others:
        lead = tighter_by(mine, other) if other is not None else 0.0
        if abs(lead) < STEP or lead * sign < 0:
            return ()
        sign = lead
    return ("tighter",) if sign > 0 else ("wider",)


def trait_of(choices: Sequence[Choice], images: Mapping[int, Image], frames: Mapping[int, Grey]) -> Trait | None:
    """The preference for tight or wide framing that the newest choices show by more than chance, if any.

    One pair a set speaks (the one that differs most), so that no set counts twice; `sure` is the chance of the sign
    under an even prior on the share (Beta), `strength` the log-odds of that share.
    """
    from scipy.stats import beta

    pairs: list[Proof] = []
    for choice in choices[-_NEWEST:]:
        winner = frames.get(choice.winner)
        if winner is None or choice.winner not in images or len(choice.image_ids) > _MOST_IMAGES:
            continue
        others = [one for one in choice.image_ids[1:] if one in frames and one in images]
        leads = [(tighter_by(winner, frames[one]), one) for one in others]
        lead, other = max(leads, key=lambda found: abs(found[0]), default=(0.0, 0))
        if abs(lead) >= STEP:
            pairs.append(Proof(images[choice.winner], images[other], lead, choice.set_pk))
    tight = sum(one.difference > 0 for one in pairs)
    is_tighter = 2 * tight > len(pairs)
    agrees = [one for one in pairs if (one.difference > 0) == is_tighter]
    against = len(pairs) - len(agrees)
    sure = float(beta.sf(0.5, len(agrees) + 1, against + 1))
    if len(agrees) < PROOFS or sure < SURE:
        return None
    share = (len(agrees) + 1) / (len(pairs) + 2)
    strength = math.log(share / (1 - share)) * (1 if is_tighter else -1)
    proof = tuple(sorted(agrees, key=lambda one: -abs(one.difference))[:PROOFS])
    words = "tighter" if is_tighter else "wider"
    return Trait(words, TIGHTNESS, "doublings of the zoom", strength, sure, len(agrees), against, proof)
