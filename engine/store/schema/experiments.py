"""Variants, assignments, sessions and feedback."""

from __future__ import annotations
