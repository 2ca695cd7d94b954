"""The figures of the README's performance section: `make bench`, or some of them: `python -m tests.bench help keys`."""
