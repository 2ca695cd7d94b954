"""Experiments: prompt variants, assignment, sessions, feedback, statistics, allocation. The door is `Experiments`."""

from engine.experiments.experiments import Experiments

__all__ = ["Experiments"]
