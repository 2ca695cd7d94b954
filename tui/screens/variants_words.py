"""What the variants screen says, as pure functions: the leaderboard's rows, targets, trends, sessions, a diff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.clock import parse_iso
from tui.widgets.chrome import bar, fold
from tui.widgets.lines import BLANK, Row, Span, clip, row

if TYPE_CHECKING:
    from engine.experiments import Session
    from engine.experiments.report import Analysis, Bounds, Comparison, VariantReport

BLOCKS = "▁▂▃▄▅▆▇"  # not the full block: lines of them would grow together
TRACK = 13  # cells of an interval
DAYS = 28


def percent(share: float | None) -> str:
    """`68 %`, or a dash where nothing is known."""
    return "-" if share is None else f"{share * 100:.0f} %"


def certainty(share: float | None) -> str:
    """A probability that is never said to be 0 or 100 %."""
    if share is None:
        return "-"
    return "> 99 %" if share > 0.995 else "< 1 %" if share < 0.005 else percent(share)


def seconds(ms: float | None) -> str:
    """`3.2 s`."""
    return "-" if ms is None else f"{ms / 1000:.1f} s"


def sparkline(values: Sequence[float | None], floor: float | None = 0.0) -> str:
    """Blocks up to the largest value, from `floor` (None: from the smallest); a gap where nothing is known."""
    known = [value for value in values if value is not None]
    if not known:
        return " " * len(values)
    low = min(known) if floor is None else floor
    step = (max(known) - low) / (len(BLOCKS) - 0.001)
    return "".join(" " if v is None else BLOCKS[int((v - low) / step) if step > 0 else 0] for v in values)


def interval(low: float, high: float, middle: float, ends: tuple[float, float]) -> list[Span]:
    """`··──●──···` on a scale that all rows share."""
    first, last = ends
    width = max(last - first, 1e-9)

    def cell(value: float) -> int:
        return min(TRACK - 1, max(0, int((value - first) / width * TRACK)))

    start, dot, end = cell(low), cell(middle), cell(high)
    return [
        ("·" * start, "rule"),
        ("─" * (dot - start), "dim"),
        ("●", "strong"),
        ("─" * (end - dot), "dim"),
        ("·" * (TRACK - 1 - end), "rule"),
    ]


def scale_of(analysis: Analysis) -> tuple[float, float]:
    """A scale that holds every interval, with a little air."""
    found = [one.success_ci for one in analysis.variants if one.success_ci is not None]
    if not found:
        return 0.0, 1.0
    low, high = min(one[0] for one in found), max(one[1] for one in found)
    air = max(0.01, (high - low) * 0.08)
    return max(0.0, low - air), min(1.0, high + air)


def heads(narrow: bool, metric: str) -> Row:
    """The columns' names."""
    decides = "success (4★+)" if metric == "success" else "mean stars"
    if narrow:
        text = f"   {'variant':<14}{'new':>5}{'users':>8}  {decides:<16} {'1★-5★':<6}{'time':>7}{'best':>8}"
    else:
        text = (
            f"   {'variant':<16}{'new users':<16}{'users':>7}{'sessions':>10}{'rated':>7}   {decides:<28}"
            f"{'1★-5★':<7}{'time':>8}{'P(best)':>10}   verdict"
        )
    return row((text, "dim"))


def variant_row(one: VariantReport, analysis: Analysis, narrow: bool, is_selected: bool) -> Row:
    """One variant."""
    edge: Span = (" ▸ ", "suggest") if is_selected else ("   ", "dim")
    name = (clip(one.id, 13 if narrow else 15).ljust(14 if narrow else 16), "strong" if is_selected else "text")
    share = percent(one.weight) if one.is_active else "off"
    word, ink = verdict(one, analysis)
    leads = ink == "decided"
    spread = sparkline([float(count) for count in one.rating_histogram]) if sum(one.rating_histogram) else "-"
    decides = percent(one.success_rate) if analysis.metric == "success" else _stars(one.rating_mean)
    if narrow:
        ends = (
            "".join(f"{value * 100:.0f}{tail}" for value, tail in zip(one.success_ci, "-]", strict=True))
            if one.success_ci
            else ""
        )
        return Row(
            (
                edge,
                name,
                (f"{share:>5}", "text" if one.is_active else "faint"),
                (f"{one.users:>8,}", "text"),
                (f"  {decides:>5}", "decided" if leads else "text"),
                (f" {'[' + ends if ends and analysis.metric == 'success' else '':<10}", "dim"),
                (f"{spread:<6}", "text"),
                (f"{seconds(one.processing_ms_median):>7}", "dim"),
                (f"{certainty(one.p_best):>8}", "decided" if leads else "text"),
            )
        )
    track: list[Span] = [(" " * 22, "dim")]
    if one.success_ci is not None and one.success_rate is not None and analysis.metric == "success":
        low, high = one.success_ci
        track = [
            (f" {low * 100:>3.0f} ", "dim"),
            *interval(low, high, one.success_rate, scale_of(analysis)),
            (f" {high * 100:<3.0f}", "dim"),
        ]
    return Row(
        (
            edge,
            name,
            *bar(one.weight, 9, "suggest" if one.is_active else "rule"),
            (f"{share:>6} ", "text" if one.is_active else "faint"),
            (f"{one.users:>7,}", "text"),
            (f"{one.sessions:>10,}", "dim"),
            (f"{percent(one.feedback_rate):>7}", "dim"),
            (f"   {decides:>5}", "decided" if leads else "text"),
            *track,
            (f" {spread:<7}", "text"),
            (f"{seconds(one.processing_ms_median):>8}", "dim"),
            (f"{certainty(one.p_best):>10}", "decided" if leads else "text"),
            (f"   {word}", ink),
        )
    )


def verdict(one: VariantReport, analysis: Analysis) -> tuple[str, str]:
    """A variant's verdict in words, and their ink."""
    if not one.is_active:
        return "paused", "faint"
    if analysis.srm.frozen:
        return "not to be compared", "danger"
    found = [other for other in analysis.comparisons if one.id in (other.a, other.b)]
    beaten = [other for other in found if other.significant and _gain(other, one.id) < 0]
    ahead = [other for other in found if other.significant and _gain(other, one.id) > 0]
    if beaten:
        return "worse", "dim"
    if found and len(ahead) == len(found):
        return "better; safe to look", "decided"
    missing = max((other.users_missing for other in found), default=0)
    if missing > 0:
        return f"not enough data: {missing:,} more", "dim"
    return "no difference shown yet", "dim"


def _gain(comparison: Comparison, name: str) -> float:
    estimate = comparison.estimate or 0.0
    return estimate if comparison.b == name else -estimate


def targets(analysis: Analysis, narrow: bool) -> list[Span]:
    """`success 66 % > 70 ✗` and so on."""
    said = (
        ("success_rate", "success"),
        ("feedback_rate", "feedback"),
        ("processing_ms", "time"),
        ("confidence", "sure"),
    )
    spans: list[Span] = []
    for key, word in said:
        target = analysis.targets.get(key)
        if target is None:
            continue
        is_time = key == "processing_ms"
        value = seconds(target.value) if is_time else (certainty if key == "confidence" else percent)(target.value)
        air = "" if narrow else " "
        wanted = f"{'<' if is_time else '>'}{air}{target.target / 1000 if is_time else target.target * 100:.0f}"
        mark, ink = {True: ("✓", "decided"), False: ("✗", "danger"), None: ("·", "faint")}[target.met]
        spans += [(f"{word} ", "dim"), (value, "text"), (f" {wanted} ", "faint"), (mark, ink), ("  " + air, "dim")]
    return spans


def trend(analysis: Analysis, failed: float | None, narrow: bool) -> list[Row]:
    """Sessions, success and failures day by day."""
    days = analysis.daily[-DAYS:]
    if not days:
        return []
    last = days[-1]
    rows = [
        (
            "sessions a day",
            sparkline([float(day.active_sessions) for day in days], None),
            f"{last.active_sessions:,} on {last.day[5:]}, {last.active_users:,} users",
        ),
        (
            "success a day",
            sparkline([day.success_rate for day in days], None),
            f"{percent(last.success_rate)} on {last.day[5:]}",
        ),
        ("failed a day", sparkline([day.error_rate for day in days]), f"{percent(failed)} of the last 7 days"),
    ]
    return [
        row((f"   {word:<17}", "dim"), (line, "dim"), ("   " + said, "dim"))
        for word, line, said in rows[: 2 if narrow else 3]
    ]


def comparison_rows(one: VariantReport, analysis: Analysis, width: int) -> list[Row]:
    """The selected variant against every other, and its whole histogram: no single test wins."""
    rows: list[Row] = [row((f"   {line}", "strong")) for line in fold(analysis.verdict, width - 6)]
    rows.append(BLANK)
    total = sum(one.rating_histogram)
    for stars, count in zip(range(5, 0, -1), reversed(one.rating_histogram), strict=True):
        share = count / total if total else 0.0
        label = f"{one.id}" if stars == 5 else ""
        rows.append(
            row(
                (f"   {clip(label, 16):<17}", "dim"),
                (f"{stars}★ ", "dim"),
                *bar(share, 24),
                (f" {percent(share):>5}", "text"),
                (f" {count:>7,}", "dim"),
            )
        )
    rows.append(BLANK)
    for other in analysis.comparisons:
        if one.id not in (other.a, other.b):
            continue
        always = other.always_valid_ci
        unit, factor = (" points", 100) if analysis.metric == "success" else (" stars", 1)
        span = (
            f"[{always[0] * factor:+.1f} {always[1] * factor:+.1f}]{unit} at any look" if always else "not enough data"
        )
        superior = f"   P(B > A) {certainty(other.p_superior)}" if other.p_superior is not None else ""
        line = f"     {other.b} against {other.a}  {span}"
        mark = ("✓ ", "decided") if other.significant else ("· ", "faint")
        rows.append(
            row(
                ("   ", "dim"),
                mark,
                (f"{other.b} against {other.a}  ", "text"),
                (span, "text"),
                (superior if len(line) + len(superior) <= width else "", "dim"),
            )
        )
    for bound in analysis.selection.bounds:
        if one.id in (bound.a, bound.b):
            rows += [row((f"     {line}", "dim")) for line in fold(bounds(bound, analysis.metric), width - 8)]
    rows += [row((f"   ! {line}", "danger")) for warning in analysis.warnings for line in fold(warning, width - 8)]
    return rows


def bounds(bound: Bounds, metric: str) -> str:
    """What a difference may be once those who gave no rating are thought of."""
    unit, factor = ("points", 100) if metric == "success" else ("stars", 1)

    def span(ends: tuple[float, float]) -> str:
        return f"{ends[0] * factor:+.1f} to {ends[1] * factor:+.1f} {unit}"

    lee = f"{span(bound.lee)} among those who rate either way (Lee); " if bound.lee is not None else ""
    return f"{bound.b} against {bound.a}: {lee}{span(bound.manski)} whatever the silent ones think (Manski)"


def proposal_rows(proposal: Mapping[str, Any], width: int) -> list[Row]:
    """The weights as they are and as they would be, and why."""
    rows = [row(("   proposed weights", "strong"), ("   enter approves, x declines", "dim")), BLANK]
    before = proposal.get("before", {})
    for name, weight in proposal["weights"].items():
        old = before.get(name, 0.0)
        change = f"{(weight - old) * 100:+.0f}"
        ink = "decided" if weight > old else "dim"
        rows.append(
            row(
                (f"   {clip(name, 15):<16}", "text"),
                *bar(weight, 20, "suggest"),
                (f"  {percent(old):>5} → {percent(weight):<5}", "text"),
                (f"  {change:>4}", ink),
            )
        )
    return [*rows, BLANK, *(row((f"   {line}", "dim")) for line in fold(str(proposal.get("why", "")), width - 6))]


def draft_rows(proposal: Mapping[str, Any], width: int) -> list[Row]:
    """What a drafted prompt would add to the one it comes from, and what each lesson rests on."""
    title = f"   a better prompt: '{proposal['variant_id']}', from '{proposal['parent']}'"
    rows = [row((title, "strong"), ("   enter adds it, x declines", "dim"))]
    for lesson in proposal["lessons"]:
        rows.append(BLANK)
        rows += [
            row(("   + " if place == 0 else "     ", "decided"), (line, "text"))
            for place, line in enumerate(fold(str(lesson["lesson"]), width - 8))
        ]
        rows += [row((f"     {line}", "dim")) for line in fold(f"because: {lesson['because']}", width - 8)]
    return rows


def session_rows(sessions: Sequence[Session], width: int) -> list[Row]:
    """The newest sessions, one a line."""
    if not sessions:
        return [row(("   no sessions of this variant yet", "dim"))]
    rows = [row((f"   {'when':<13}{'user':<22}{'to':<12}{'stars':<7}{'time':>8}{'changes':>9}   by", "dim"))]
    for one in sessions:
        size = f"{one.target[0]:.0f}x{one.target[1]:.0f}" if one.target else "-"
        stars = "★" * one.rating if one.rating else "-"
        changes = "-" if one.corrections is None else f"{one.corrections:,}"
        state = ("failed", "danger") if one.state == "failed" else (one.solver or one.source, "dim")
        rows.append(
            row(
                (f"   {parse_iso(one.created_at).astimezone():%m-%d %H:%M}  ", "dim"),
                (f"{clip(one.user_id, 20):<22}{size:<12}", "text"),
                (f"{stars:<7}", "suggest"),
                (f"{seconds(one.processing_ms):>8}{changes:>9}   ", "dim"),
                state,
            )
        )
        if one.error and width >= 110:
            rows.append(row((f"      {one.error}", "danger")))
    return rows


def text_rows(text: str, width: int) -> list[Row]:
    """A prompt, folded."""
    found: list[Row] = []
    for line in text.splitlines():
        found += [row((f"   {part}", "text")) for part in fold(line, width - 6)] or [BLANK]
    return found


def diff_rows(text: str, width: int) -> list[Row]:
    """A unified diff in colour."""
    inks = {"+": "decided", "-": "danger", "@": "dim"}
    found: list[Row] = []
    for line in text.splitlines():
        ink = inks.get(line[:1], "text")
        found += [row((f"   {part}", ink)) for part in fold(line, width - 6)] or [BLANK]
    return found or [row(("   the two prompts are the same", "dim"))]


def empty() -> list[Row]:
    """Nothing was resized yet: how that begins."""
    said = (
        ("No resize sessions yet.", "strong"),
        ("", "dim"),
        ("proofsheet resize CANVAS.json --to 1080x1920", "text"),
        ("proofsheet sessions import FILE.jsonl", "text"),
        ("proofsheet serve", "text"),
        ("", "dim"),
        ("Each records a session here; v shows a variant's prompt.", "dim"),
    )
    return [row((f"   {text}", ink)) for text, ink in said]


def _stars(mean: float | None) -> str:
    return "-" if mean is None else f"{mean:.2f}"
