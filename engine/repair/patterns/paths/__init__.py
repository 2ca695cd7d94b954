"""Paths that are not there: which call needs which of them, and what is done without it."""
