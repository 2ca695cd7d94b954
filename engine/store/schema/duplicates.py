"""Duplicate groups and what a person said of them."""

from __future__ import annotations
