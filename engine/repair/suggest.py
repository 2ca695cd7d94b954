"""From recurring errors to proposed fixes: each group's records are placed in the project, shown to every pattern, and
the best proposal is kept. Reads the project, writes nothing.

An error that no pattern knows, or that every pattern which knows it declines, is flagged with the reason and everything
that is known; it gets no proposal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from engine.repair.fix import Fix, fix_id, unified
from engine.repair.grouping import is_own, normalised
from engine.repair.groups import Group
from engine.repair.merge import hunks
from engine.repair.patterns.files import Folder
from engine.repair.patterns.pattern import Applicability, Case, Declined, Pattern, Proposal
from engine.repair.record import ErrorRecord, Frame

EVIDENCE = 5  # records named with a fix
_RANK: Mapping[Applicability, int] = {"safe": 0, "review": 1, "display-only": 2}


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A group that gets no fix, and why; `declined` has each pattern's own reason."""

    group: Group
    reason: str
    declined: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The JSON form: the reason and everything known, for a person to look at."""
        known = self.group.document()
        kept = ("type", "title", "count", "runs", "first_seen", "last_seen", "trend", "location")
        return {
            "group": self.group.id,
            "reason": self.reason,
            "declined": dict(self.declined),
            **{key: known[key] for key in kept},
        }


@dataclass(frozen=True, slots=True)
class Suggested:
    """What one look at the groups brought."""

    fixes: tuple[Fix, ...]
    unmatched: tuple[Unmatched, ...]


def suggest(
    root: Path, groups: Sequence[Group], patterns: Mapping[str, Pattern], min_count: int | None = None
) -> Suggested:
    """Proposals for groups (with their samples), most frequent group first. `root` is a real, absolute path.

    `min_count` replaces the rule from how many events in how many runs a group recurs.
    """
    look = _Look(Folder(root), patterns)
    found: list[Fix] = []
    unmatched: list[Unmatched] = []
    for group in groups:
        reason = _too_rare(group, min_count)
        if reason:
            unmatched.append(Unmatched(group, reason))
            continue
        made, why_none, declined = look.at(group)
        found += made
        if not made:
            unmatched.append(Unmatched(group, why_none, declined))
    return Suggested(tuple(_each_once(found)), tuple(unmatched))


def recognised_by(record: ErrorRecord, patterns: Mapping[str, Pattern]) -> str | None:
    """The first pattern that knows such an error."""
    return next((name for name, pattern in patterns.items() if _knows(pattern, record)), None)


def _too_rare(group: Group, min_count: int | None) -> str | None:
    if min_count is not None:
        return None if group.count >= min_count else f"it struck {group.count} times; {min_count} are wanted"
    if group.is_recurring:
        return None
    times = f"{group.count} {'time' if group.count == 1 else 'times'}"
    runs = f"{group.runs} {'run' if group.runs == 1 else 'runs'}"
    events, in_runs = group.rule
    return f"it does not recur: {times} in {runs}, not {events} in {in_runs}"


class _Look:
    """One look at a project: its files are read once, however many groups are in them."""

    def __init__(self, folder: Folder, patterns: Mapping[str, Pattern]) -> None:
        self._folder = folder
        self._patterns = patterns
        self._sources: dict[str, bytes | None] = {}
        self._places: dict[str, tuple[str | None, str]] = {}

    def at(self, group: Group) -> tuple[list[Fix], str, dict[str, str]]:
        """(fixes, why there is none, each pattern's reason to decline) for one group."""
        knowing: list[Pattern] = []
        declined: dict[str, str] = {}
        for pattern in self._patterns.values():
            try:
                if any(map(pattern.recognises, group.samples)):
                    knowing.append(pattern)
            except Exception as error:  # noqa: BLE001 - a plugin's must not end the look
                declined[pattern.id] = f"the pattern itself failed: {type(error).__name__}: {error}"
        cases, why_no_place = self._cases(group)
        if not knowing:
            return [], "none of the known kinds of error; it needs a person", declined
        if not cases:
            return [], why_no_place, declined
        made: list[Fix] = []
        for case in cases:
            proposals: list[Proposal] = []
            for pattern in knowing:
                answer = _asked(pattern, case)
                if isinstance(answer, Declined):
                    declined.setdefault(answer.pattern, answer.reason)
                else:
                    proposals.append(answer)
            if proposals:
                made.append(_fix(case, min(proposals, key=lambda one: _RANK[one.applicability]), self._folder.root))
        why = "; ".join(f"{name}: {reason}" for name, reason in declined.items())
        return made, why, declined

    def _cases(self, group: Group) -> tuple[list[Case], str]:
        """The group's places in the project, each with its newest records; the reason where it has none."""
        by_place: dict[tuple[str, str, str], list[tuple[ErrorRecord, Frame]]] = defaultdict(list)
        why = "its records have no frames"
        for record in group.samples:
            path, frame, reason = self._own(record.frames)
            if path is None or frame is None:
                why = reason or why
            else:
                by_place[(path, frame.function, normalised(frame.code))].append((record, frame))
        cases: list[Case] = []
        for (path, _function, _code), there in by_place.items():
            source = self._source(path)
            frame = there[0][1]
            line = line_now(source or b"", frame.code, frame.line)
            if source is None:
                why = f"{path} cannot be read"
            elif line is None:
                why = f"{path} has changed: the line `{normalised(frame.code)[:60]}` is not there any more"
            else:
                records = [record for record, _ in there]
                cases.append(Case(self._folder, group.id, records, path, frame, line, source))
        return cases, why

    def _own(self, frames: Sequence[Frame]) -> tuple[str | None, Frame | None, str]:
        """(path in the project, the innermost frame there, why there is none)."""
        for frame in reversed(frames):
            if not is_own(frame.file):
                continue
            path, reason = self._place(frame.file)
            if path is not None or reason:
                return path, frame, reason
        return None, None, "no frame of it lies in the project" if frames else ""

    def _place(self, file: str) -> tuple[str | None, str]:
        """(the path of a frame's file in the project, or None; why it is there and yet not to be edited)."""
        if file not in self._places:
            self._places[file] = self._find(file)
        return self._places[file]

    def _find(self, file: str) -> tuple[str | None, str]:
        path = self._folder.relative(file)
        if path is None:
            return None, ""
        reason = self._folder.why_not(path)
        if reason:
            return None, f"{path} is never edited: {reason}"
        if self._folder.read(path) is None:
            return None, f"{path} is never edited: it is generated"
        if self._is_elsewhere(file, path):
            return None, ""
        return path, ""

    def _is_elsewhere(self, file: str, path: str) -> bool:
        """Whether the frame's file is another project's, which only has the same name as `path` here."""
        there = Path(file).expanduser() if file.startswith("~/") else Path(file)
        if not there.is_absolute():
            return False
        try:
            return not there.resolve().is_relative_to(self._folder.root) and there.read_bytes() != self._source(path)
        except OSError:
            return False  # gone, or on another machine: the tail of its path must do

    def _source(self, path: str) -> bytes | None:
        if path not in self._sources:
            self._sources[path] = self._folder.read(path)
        return self._sources[path]


def _knows(pattern: Pattern, record: ErrorRecord) -> bool:
    try:
        return bool(pattern.recognises(record))
    except Exception:  # noqa: BLE001 - a plugin's; `_Look.at` says so by name, a list of groups shows it as unknown
        return False


def _asked(pattern: Pattern, case: Case) -> Proposal | Declined:
    """A pattern's answer; one that fails, or answers with what cannot be applied, declines with that reason.

    A pattern may be a plugin's: whatever it does, the look at the other patterns and groups goes on.
    """
    try:
        answer = pattern.propose(case)
        wrong = _wrong(answer)
    except Exception as error:  # noqa: BLE001 - foreign code may fail in any way
        return Declined(pattern.id, f"the pattern itself failed: {type(error).__name__}: {error}")
    return Declined(pattern.id, f"the pattern itself failed: {wrong}") if wrong else answer


def _wrong(answer: object) -> str | None:
    """Why an answer is of no use; None where it can be shown and applied."""
    if isinstance(answer, Declined):
        return None
    if not isinstance(answer, Proposal):
        return f"it answered with {type(answer).__name__}, neither a proposal nor a reason"
    if not answer.edits or answer.applicability not in _RANK:
        return "its proposal has no edit" if not answer.edits else f"{answer.applicability!r} is no applicability"
    for edit in answer.edits:
        if edit.after == edit.before:
            return f"its edit leaves {edit.path} as it is"
    return None


def line_now(source: bytes, code: str, near: int) -> int | None:
    """The line (1-based) on which `code` stands now, spacing aside, nearest to `near`; None where it is gone."""
    lines = [" ".join(line.split()) for line in source.decode("utf-8", "replace").split("\n")]
    wanted = " ".join(code.split("\n", 1)[0].split())
    if not wanted:
        return near if 1 <= near <= len(lines) else None
    there = [number for number, line in enumerate(lines, 1) if line == wanted]
    there = there or [number for number, line in enumerate(lines, 1) if wanted in line]
    return min(there, key=lambda number: abs(number - near)) if there else None


def _fix(case: Case, proposal: Proposal, root: Path) -> Fix:
    evidence = tuple(
        {
            "file": record.source,
            "line": record.line,
            "timestamp": record.timestamp,
            "run": record.run,
            "type": record.type,
            "message": record.message[:500],
        }
        for record in case.records[:EVIDENCE]
    )
    return Fix(
        fix_id(proposal.pattern, proposal.edits),
        proposal.pattern,
        proposal.operator,
        case.records[0].type,
        case.group,
        (case.group,),
        root,
        proposal.edits[0].path,
        proposal.line,
        proposal.applicability,
        proposal.why,
        unified(proposal.edits),
        evidence,
        proposal.edits,
    )


def _each_once(found: Iterable[Fix]) -> Iterator[Fix]:
    """Equal edits are one fix with all its groups; of edits of one pattern that overlap, the first stays."""
    kept: dict[str, Fix] = {}
    touched: dict[tuple[str, str], set[int]] = defaultdict(set)
    for fix in found:
        own = fix
        twin = kept.get(own.id)
        if twin is not None and twin.edits != own.edits:  # two equal hunks in one file
            own = replace(own, id=fix_id(own.pattern, own.edits, str(own.line)))
            twin = kept.get(own.id)
        if twin is not None:
            groups = tuple(dict.fromkeys((*twin.groups, *own.groups)))
            evidence = (*twin.evidence, *own.evidence)[:EVIDENCE]
            kept[own.id] = replace(twin, groups=groups, evidence=evidence)
            continue
        lines = {(edit.path, line) for edit in own.edits for line in _lines(edit.before, edit.after)}
        if any(line in touched[(own.pattern, path)] for path, line in lines):
            continue
        for path, line in lines:
            touched[(own.pattern, path)].add(line)
        kept[own.id] = own
    yield from kept.values()


def _lines(before: bytes | None, after: bytes) -> Iterator[int]:
    """Lines that an edit replaces (insertions, such as an import that two fixes share, touch none)."""
    for hunk in hunks(before or b"", after):
        yield from range(hunk.start, hunk.end)


def kind_of(path: str) -> str:
    """The word by which highlighters know a file."""
    return {".py": "python", ".toml": "toml", ".cfg": "ini", ".txt": "text"}.get(PurePosixPath(path).suffix, "text")
