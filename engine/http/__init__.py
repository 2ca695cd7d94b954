"""The HTTP interface: a thin face over Engine."""
