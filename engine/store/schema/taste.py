"""What the taste keeps: repeats for self-consistency."""

from __future__ import annotations
