"""What is known of a ranker's version, in words and bars: its figures, what stands beside it, what each part is worth.

Pure functions over the model's card; a card that lacks a part simply says less. Simulated or not, nothing is invented.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.clock import parse_iso
from tui.screens.training_words import Panel, legend, number, spoken
from tui.widgets.chrome import bar, fold
from tui.widgets.lines import Row, Span, row

if TYPE_CHECKING:
    from engine.ranking import Consistency
    from engine.ranking.registry import ModelRow

COVERAGE = "the surest part of the sets, in %"
_WORTH_DRAWING = 0.5
_ROOMY = 60  # cells
_NAMES = {
    "logistic_difference": "logistic regression",
    "largest_file": "largest file",
    "last_stage": "last stage",
    "nearest_winners": "nearest own winners",
}


def versions(found: Sequence[ModelRow], marked: int | None, in_use: int | None, room: int) -> list[Row]:
    """The versions, newest first, the marked one in view; which suggests, which was kept back, how right each is."""
    if not found:
        return [row(("No version yet.", "strong")), row(("t", "strong bold"), ("  train the ranker", "dim"))]
    numbers = [one.version for one in found]
    place = numbers.index(marked) if marked in numbers else 0
    first = max(0, min(place - room // 2, len(found) - room))
    return [_version(one, one.version == marked, one.version == in_use) for one in found[first : first + room]]


def _version(one: ModelRow, is_marked: bool, is_used: bool) -> Row:
    edge: Span = ("▸ ", "suggest") if is_marked else ("  ", "dim")
    state: Span = (
        ("✓ suggests", "decided") if is_used else ("  was used", "dim") if one.promoted_at else ("  kept back", "faint")
    )
    accuracy = (one.card.get("held_out") or {}).get("pair_accuracy")
    tail: tuple[Span, ...] = ((number(float(accuracy)), "text"),) if accuracy is not None else ()
    return Row((edge, (f"v{one.version:<3}", "strong" if is_marked else "text"), (" ", "dim"), state), tail)


def curve(card: Mapping[str, Any]) -> tuple[Panel, ...]:
    """Accuracy of the surest part over how large it is, and what is vouched for; where that is less than half, a few
    sets speak, and would press the rest of the curve together."""
    points = card.get("coverage_curve") or []
    if len(points) < 2:
        return ()
    right = tuple((float(one["coverage"]) * 100, float(one["accuracy"])) for one in points)
    promised = ((float(one["coverage"]) * 100, float(one["promised"])) for one in points)
    vouched = tuple(point for point in promised if point[1] >= _WORTH_DRAWING)
    return (Panel(COVERAGE, (("measured", right), *((("vouched for", vouched),) if vouched else ()))),)


def head(one: ModelRow | None, own: Consistency | None, width: int) -> list[Row]:
    """The figures that matter most."""
    if one is None:
        return [row(("Nothing was learned yet.", "strong")), row(("Pick winners (F2), then press t.", "dim"))]
    held: Mapping[str, Any] = one.card.get("held_out") or {}
    sets: Mapping[str, Any] = one.card.get("sets") or {}
    when = f"{parse_iso(one.created_at).astimezone():%Y-%m-%d %H:%M}" if one.created_at else ""
    rows = [
        Row(
            (
                (f"ranker v{one.version}", "strong bold"),
                (f"   {sets.get('train', 0):,} sets learned, ", "dim"),
                (f"{sets.get('held_out', 0):,} held out", "dim"),
            ),
            ((when, "faint"),),
        )
    ]
    interval = held.get("pair_accuracy_ci")
    spans: list[Span] = []
    if held.get("pair_accuracy") is not None:
        spans += [("pairs ", "dim"), (number(float(held["pair_accuracy"])), "strong")]
        if interval:
            spans += [(f" [{number(float(interval[0]))} {number(float(interval[1]))}]", "dim")]
    shown = (("top1_accuracy", "winners"), ("brier", "Brier"), ("ece", "ECE"))
    for key, said in shown if width >= _ROOMY else shown[:1]:
        if held.get(key) is not None:
            spans += [("   ", "dim"), (f"{said} ", "dim"), (number(float(held[key])), "text")]
    rows.append(row(*spans))
    rows += _consistency(held, own, width)
    promise: Mapping[str, Any] = one.card.get("promise") or {}
    covered = held.get("coverage_at_95", promise.get("coverage"))
    if covered is not None:
        threshold = promise.get("threshold")
        said = "no level of confidence vouches for 95 % yet" if not covered else ""
        if said:
            rows.append(row((said, "dim")))
        else:
            sure = f", those at {float(threshold):.1%} and more".replace("%", " %") if threshold is not None else ""
            share = f"{float(covered):.0%}".replace("%", " %")
            rows.append(row(("95 % holds for ", "dim"), (share, "suggest"), (f" of the sets{sure}", "dim")))
    why = one.card.get("promotion", {}).get("why_not") or []
    rows += [row((line, "dim")) for reason in why[:2] for line in fold(f"kept back: {reason}", max(24, width))[:2]]
    for panel in curve(one.card):
        named = [(f"{stroke}{name}   ", ink) for name, (stroke, ink) in legend(panel).items()]
        rows += [row(), row(("accuracy of the surest:  ", "dim"), *named)]
    return rows


def _consistency(held: Mapping[str, Any], own: Consistency | None, width: int) -> list[Row]:
    """Accuracy as a share of the person's own consistency."""
    share = own.share if own is not None else held.get("self_consistency")
    winners = held.get("top1_accuracy")
    if own is None or share is None or own.low is None or own.high is None:
        return [
            row((line, "faint"))
            for line in fold("your own consistency is not known yet: some sets come back later", width)
        ]
    said = f"you agree with yourself {share:.0%} [{own.low:.0%} {own.high:.0%}, {own.of} repeats]".replace("%", " %")
    if winners is None or not share:
        return [row((said, "dim"))]
    ratio = f"{float(winners) / share:.0%}".replace("%", " %")
    return [row((line, "dim")) for line in fold(said, width)] + [
        row(("it names your winner at ", "dim"), (ratio, "strong"), (" of your own consistency", "dim"))
    ]


def beside(card: Mapping[str, Any], width: int) -> list[Row]:
    """The model, and all that it is compared with on the same held-out sets, the best first."""
    held: Mapping[str, Any] = card.get("held_out") or {}
    own = held.get("pair_accuracy")
    if own is None:
        return []
    compared = {
        name: _accuracy(value)
        for group in ("references", "baselines")
        for name, value in (card.get(group) or {}).items()
    }
    rows = [row(("pairs in the right order", "dim")), _bar("this ranker", float(own), "decided", width)]
    rows += [
        _bar(_name(key), value, "dim", width)
        for key, value in sorted(compared.items(), key=lambda one: -(one[1] or 0))
        if value is not None
    ]
    permuted = held.get("permuted_pair_accuracy")
    if permuted is not None:
        rows.append(_bar("shuffled labels", float(permuted), "faint", width))
    return rows


def parts(card: Mapping[str, Any], width: int) -> list[Row]:
    """What each block of features is worth, and which models were tried."""
    held: Mapping[str, Any] = card.get("held_out") or {}
    own = held.get("pair_accuracy")
    rows: list[Row] = []
    ablation: Mapping[str, Any] = card.get("ablation") or {}
    if ablation and own is not None:
        rows.append(row(("without a part, pairs", "dim")))
        for name, value in sorted(ablation.items(), key=lambda one: float(one[1])):
            loss = float(value) - float(own)
            rows.append(_bar(f"no {spoken(name)}", float(value), "dim", width, f" {loss * 100:+.1f}"))
    candidates = card.get("candidates") or []
    if candidates:
        rows += [row(), row(("candidates", "dim"))]
        for one in candidates:
            chosen = bool(one.get("chosen"))
            mark = " ✓" if chosen else ""
            value = _accuracy(one.get("pair_accuracy"))
            if value is not None:
                rows.append(_bar(spoken(str(one.get("name"))), value, "decided" if chosen else "dim", width, mark))
    return rows


def projects(card: Mapping[str, Any], width: int) -> list[Row]:
    """Accuracy of each project, the best first."""
    found: Mapping[str, Any] = (card.get("held_out") or {}).get("by_project") or {}
    if not found:
        return []
    ordered = sorted(found.items(), key=lambda one: (-float(one[1]), one[0]))
    return [row(("by project, pairs", "dim")), *(_bar(name, float(value), "dim", width) for name, value in ordered)]


def report(one: ModelRow | None, width: int) -> list[Row]:
    """Everything below the curve, in one column."""
    if one is None:
        return []
    blocks = [block for block in (beside(one.card, width), parts(one.card, width), projects(one.card, width)) if block]
    rows: list[Row] = []
    for block in blocks:
        rows += [*block, row()]
    return rows


def columns(left: Sequence[Row], right: Sequence[Row], width: int) -> list[Row]:
    """Two columns side by side, each of half of `width` cells."""
    from itertools import zip_longest

    from tui.widgets.lines import lay_out

    half = width // 2
    blank = row()
    made = []
    for a, b in zip_longest(left, right, fillvalue=blank):
        made.append(Row((*lay_out(a, half - 2), ("  ", "dim"), *lay_out(b, width - half))))
    return made


def _bar(name: str, value: float, ink: str, width: int, tail: str = "") -> Row:
    room = max(12, min(22, width - 24))
    length = max(6, min(24, width - room - 14))
    return Row(
        ((f"{name[:room]:<{room}} ", "dim"), *bar(value, length, ink), (f"  {number(value)}", "text"), (tail, "dim"))
    )


def _accuracy(value: Any) -> float | None:
    if isinstance(value, Mapping):
        value = value.get("pair_accuracy")
    return float(value) if isinstance(value, (int, float)) else None


def _name(key: str) -> str:
    return _NAMES.get(key, spoken(key))
