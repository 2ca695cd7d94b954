"""Sidecars written, and where each project stands."""

from __future__ import annotations
