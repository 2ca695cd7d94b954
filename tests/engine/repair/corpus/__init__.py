"""Failing programs and look-alikes, one module a pattern: what each pattern must mend, and what it must leave alone."""
