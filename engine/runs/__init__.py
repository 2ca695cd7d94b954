"""Runs: long work in lanes, told by an append-only event log, stopped at any step, resumed from its checkpoint."""

from engine.runs.context import RunContext, Work
from engine.runs.model import Progress, Run, RunCancelled, RunEvent, RunFailed, RunState
from engine.runs.runs import Runs

__all__ = ["Progress", "Run", "RunCancelled", "RunContext", "RunEvent", "RunFailed", "RunState", "Runs", "Work"]
