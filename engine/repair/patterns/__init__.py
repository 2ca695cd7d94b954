"""Fix patterns: one file each. `pattern.py` says what a pattern is; `registry.py` knows them all."""
