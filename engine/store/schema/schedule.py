"""What runs by itself, and when it ran."""

from __future__ import annotations
