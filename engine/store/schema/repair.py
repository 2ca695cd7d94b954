"""What recurs, the fixes proposed for it, and how they did."""

from __future__ import annotations
