"""The leaderboard: which prompt variant is winning, how sure that is, and where new users go.

Reads `engine.experiments.analyze` and shows it; the words are in `variants_words`. Proposed weights are a suggestion:
they are shown beside the present ones first, and only then approved or declined. Nothing is computed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Resize
from textual.message import Message

from tui.actions import bindings
from tui.messages import EngineReady, RunEnded
from tui.screens import variants_words as words
from tui.screens.base import Page
from tui.widgets.chrome import fold
from tui.widgets.lines import Lines, Row, Span, row, rule

if TYPE_CHECKING:
    from engine.experiments import Session
    from engine.experiments.alerts import Alert
    from engine.experiments.report import Analysis, VariantReport
    from engine.review import Suggestion

View = Literal["comparison", "proposal", "draft", "sessions", "prompt", "diff"]
LOOK_EVERY = 20.0  # seconds
SESSIONS = 60


@dataclass
class Analysed(Message, bubble=False):
    """How the variants do now."""

    analysis: Analysis
    alerts: list[Alert]
    failed: float | None
    why: str
    pending: Suggestion | None
    drafts: list[Suggestion]


@dataclass
class Opened(Message, bubble=False):
    """What the lower part is to show."""

    view: View
    variant: str
    rows: list[Row]


class VariantsScreen(Page):
    """Which prompt is better, without being fooled."""

    place = "variants"
    BINDINGS = bindings("variants")

    def __init__(self) -> None:
        super().__init__()
        self.analysis: Analysis | None = None
        self.alerts: list[Alert] = []
        self.failed: float | None = None
        self.why = ""
        self.pending: Suggestion | None = None
        self.drafts: list[Suggestion] = []
        self.wanted: str | None = None  # the variant that was selected when the app was left
        self.selected = 0
        self.view: View = "comparison"
        self.first = 0  # the first line of the lower part that is shown
        self._below: list[Row] = []

    def compose_body(self) -> ComposeResult:
        self.facts = Lines(id="variant-facts")
        self.list = Lines(id="variant-list")
        self.reason = Lines(id="variant-why")
        self.trends = Lines(id="variant-trend")
        self.below = Lines(id="variant-below")
        self.hollow = Lines(classes="empty")
        with Container(classes="body"):
            yield self.facts
            yield self.list
            yield self.reason
            yield self.trends
            yield self.below
            yield self.hollow

    def on_mount(self) -> None:
        super().on_mount()
        self._draw()
        self.set_interval(LOOK_EVERY, self._look)

    @on(EngineReady)
    def _begin(self) -> None:
        self.wanted = self.proof.views.get("variants", {}).get("variant")
        self._look()

    @on(RunEnded)
    def _run_ended(self) -> None:
        self._look()

    def _look(self) -> None:
        if self.proof.engine is not None and (self.analysis is None or self.proof.page is self):
            self.work(self._analyse, group="analyse", exclusive=True)

    async def _analyse(self) -> None:
        from engine.experiments.alerts import alerts, recent_error_rate

        door = self.engine.experiments
        analysis = await door.analyze()
        self.post_message(
            Analysed(
                analysis,
                alerts(analysis),
                recent_error_rate(analysis)[0],
                await door.why_weights(),
                await door.pending_weights(),
                await door.drafts(),
            )
        )

    @on(Analysed)
    def _analysed(self, event: Analysed) -> None:
        is_first = self.analysis is None
        self.analysis, self.alerts, self.failed = event.analysis, event.alerts, event.failed
        self.why, self.pending, self.drafts = event.why, event.pending, event.drafts
        names = [one.id for one in event.analysis.variants]
        if is_first and self.wanted in names:
            self.selected = names.index(self.wanted)
        self.selected = max(0, min(self.selected, len(names) - 1))
        if (self.view == "proposal" and self.pending is None) or (self.view == "draft" and not self.drafts):
            self.view = "comparison"
        grave = [one for one in self.alerts if one.kind != "target"]
        if grave and is_first:
            self.banner.say(grave[0].message, grave[0].remedy)
        self._draw()

    @property
    def variant(self) -> VariantReport | None:
        """The selected one."""
        found = self.analysis.variants if self.analysis else []
        return found[self.selected] if found else None

    # -- drawing ----------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        analysis, width = self.analysis, self.size.width or 80
        dot = ("  ·  ", "faint")
        if analysis is None:
            self.top.here(("variants", "strong bold"))
            self.hollow.display = False
            self.list.put(row(("   reading the sessions…", "dim")))
            return
        days = min(len(analysis.daily), words.DAYS)
        span = f"{days} day{'s' if days != 1 else ''} of use"
        self.top.here(
            ("variants", "strong bold"),
            dot,
            ("AI resize", "text"),
            dot,
            (f"{analysis.users:,} users", "text"),
            dot,
            (span, "dim"),
        )
        is_empty = not analysis.sessions and self.view == "comparison"
        self.hollow.display = is_empty
        self.facts.put(self._facts(analysis))
        rows = [
            words.variant_row(one, analysis, self.is_narrow, place == self.selected)
            for place, one in enumerate(analysis.variants)
        ]
        self.list.styles.height = len(rows) + 1
        self.list.put(words.heads(self.is_narrow, analysis.metric), *rows)
        self._draw_why(width)
        trend = words.trend(analysis, self.failed, self.is_narrow)
        self.trends.styles.height = len(trend) + 1 if trend else 0
        self.trends.put(*trend, rule())
        self.below.display = not is_empty
        if is_empty:
            self.hollow.put(*words.empty())
        elif self.view in ("comparison", "proposal", "draft"):
            self._below = self._computed(analysis, width)
        self._draw_below()
        self._offer()

    def _facts(self, analysis: Analysis) -> Row:
        label = (" ", "dim") if self.is_narrow else ("   targets  ", "dim")
        return row(label, *words.targets(analysis, self.is_narrow))

    def _draw_why(self, width: int) -> None:
        waiting: tuple[Span, ...] = ()
        if self.pending is not None:
            waiting = (("proposal waiting ", "suggest"), (" enter ", "strong bold"))
        elif self.drafts:
            waiting = (("better prompt waiting ", "suggest"), (" b ", "strong bold"))
        alert = self.alerts[0].message if self.alerts else ""
        lines = fold(self.why, max(20, width - 8 - (26 if waiting else 0)))[:2] or [""]
        rows = [Row((("   " + line, "dim"),), waiting if place == 0 else ()) for place, line in enumerate(lines)]
        if alert:
            rows.append(row(("   ! ", "danger"), (alert, "text")))
        self.reason.styles.height = len(rows)
        self.reason.put(*rows)

    def _computed(self, analysis: Analysis, width: int) -> list[Row]:
        if self.view == "proposal" and self.pending is not None:
            return words.proposal_rows(self.pending.proposal, width)
        if self.view == "draft" and self.drafts:
            return words.draft_rows(self.drafts[-1].proposal, width)
        return words.comparison_rows(self.variant, analysis, width) if self.variant else []

    def _draw_below(self) -> None:
        height = max(1, self.below.size.height)
        self.first = max(0, min(self.first, len(self._below) - height))
        self.below.put(*self._below[self.first : self.first + height])
        more = len(self._below) - self.first - height
        self.status.fact((f"{more} more lines  ]", "dim") if more > 0 else ("", "dim"))

    def _offer(self) -> None:
        is_decided_here = self.view in ("proposal", "draft")
        offered = ["variants.approve"] if self.pending is not None or is_decided_here else []
        if is_decided_here:
            offered.append("variants.reject")
        if self.drafts and self.view != "draft":
            offered.append("variants.draft")
        offered += [f"variants.{name}" for name in ("propose", "pause", "add", "sessions", "prompt", "diff", "undo")]
        labels = {"variants.approve": "approve" if is_decided_here else "see the proposal"}
        if self.variant is not None and not self.variant.is_active:
            labels["variants.pause"] = "resume"
        self.offer(offered, labels)

    def on_resize(self, event: Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self._draw)

    def relaid(self) -> None:
        self._draw()

    # -- actions ------------------------------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        if self.analysis is None:
            return
        wanted = self.selected + step
        if 0 <= wanted < len(self.analysis.variants):
            self.selected, self.first = wanted, 0
            if self.view in ("sessions", "prompt", "diff"):
                self.action_view(self.view)
            self._draw()
            self.remember()

    def action_scroll(self, step: int) -> None:
        self.first += step * max(1, self.below.size.height - 2)
        self._draw_below()

    def action_view(self, view: View) -> None:
        one = self.variant
        if one is not None:
            self.work(self._open, view, one.id, group="open", exclusive=True)

    async def _open(self, view: View, variant: str) -> None:
        door, width = self.engine.experiments, self.size.width
        if view == "sessions":
            found: list[Session] = await door.sessions(SESSIONS, variant=variant)
            rows = words.session_rows(found, width)
        elif view == "prompt":
            rows = words.text_rows((await door.variant(variant)).template, width)
        else:
            names = [one.id for one in self.analysis.variants] if self.analysis else []
            other = names[(names.index(variant) + 1) % len(names)] if variant in names else variant
            rows = words.diff_rows(await door.diff(variant, other), width)
        self.post_message(Opened(view, variant, rows))

    @on(Opened)
    def _opened(self, event: Opened) -> None:
        if self.variant is not None and self.variant.id == event.variant:
            self.view, self._below, self.first = event.view, event.rows, 0
            self._draw()

    def action_back(self) -> None:
        if not self.banner.close():
            self.view, self.first = "comparison", 0
            self._draw()

    def action_propose(self) -> None:
        self.notice("working out where new users should go…")
        self.work(self._propose, group="weights", exclusive=True)

    async def _propose(self) -> None:
        proposed = await self.engine.experiments.propose_weights()
        await self._analyse()
        if proposed.id is None:
            self.notice(str(proposed.proposal["why"]))
        else:
            self.view, self.first = "proposal", 0
            self.notice("")

    def action_draft(self) -> None:
        if not self.drafts:
            self.notice("no draft waits; `proofsheet variants retrain` makes one when there is something to learn")
            return
        self.view, self.first = "draft", 0
        self._draw()

    def action_undo(self) -> None:
        if self.proof.engine is not None:
            self.work(self._undo, group="weights", exclusive=True)

    async def _undo(self) -> None:
        said = await self.engine.experiments.undo()
        self.notice(said or "there is no decision to take back", "good" if said else "plain")
        await self._analyse()

    def action_approve(self) -> None:
        if self.view == "draft" and self.drafts:
            self.work(self._decide_draft, self.drafts[-1], True, group="weights", exclusive=True)
        elif self.pending is None:
            self.notice("no proposal waits; w works one out")
        elif self.view != "proposal":
            self.view, self.first = "proposal", 0
            self._draw()
        else:
            self.work(self._decide, self.pending, True, group="weights", exclusive=True)

    def action_reject(self) -> None:
        if self.view == "draft" and self.drafts:
            self.work(self._decide_draft, self.drafts[-1], False, group="weights", exclusive=True)
        elif self.pending is None or self.view != "proposal":
            self.notice("no proposal is shown")
        else:
            self.work(self._decide, self.pending, False, group="weights", exclusive=True)

    async def _decide(self, suggestion: Suggestion, is_approved: bool) -> None:
        door = self.engine.experiments
        if is_approved:
            await door.approve_weights(suggestion)
        else:
            await door.reject_weights(suggestion)
        self.view = "comparison"
        self.notice("the new weights are in force" if is_approved else "the weights stay as they are", "good")
        await self._analyse()

    async def _decide_draft(self, draft: Suggestion, is_approved: bool) -> None:
        door = self.engine.experiments
        if is_approved:
            made = await door.approve_draft(draft)
            self.notice(f"{made.id} was added; it gets {words.percent(made.weight)} of new users", "good")
        else:
            await door.reject_draft(draft)
            self.notice("the draft is declined", "good")
        self.view = "comparison"
        await self._analyse()

    def action_pause(self) -> None:
        if self.variant is not None:
            self.work(self._pause, self.variant.id, self.variant.is_active, group="weights", exclusive=True)

    async def _pause(self, variant: str, is_active: bool) -> None:
        door = self.engine.experiments
        await (door.pause(variant) if is_active else door.resume(variant))
        self.notice(f"{variant} gets no more users" if is_active else f"{variant} gets users again", "good")
        await self._analyse()

    def action_add(self) -> None:
        if self.proof.engine is None:
            return

        def answer(text: str | None) -> None:
            if text and text.strip():
                self.work(self._add, Path(text.strip()).expanduser(), group="weights", exclusive=True)

        self.prompt.ask("prompt file", "", answer)

    async def _add(self, file: Path) -> None:
        added = await self.engine.experiments.add_variant_file(file)
        self.notice(f"{added.id} was added; it gets {words.percent(added.weight)} of new users", "good")
        await self._analyse()

    def view_state(self) -> dict[str, Any]:
        return {"variant": self.variant.id if self.variant else None}
