"""Structured logs of every run, and errors as data."""
