"""What the library knows of each image: metadata, quality, hashes."""

from __future__ import annotations
