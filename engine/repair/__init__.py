"""Repair: recurring errors become reviewed, validated, reversible code fixes. The door is `Repair`."""

from engine.repair.repair import Repair

__all__ = ["Repair"]
