"""Divisions by zero: the formula, its guard, and the value that stands for a quotient that there is not."""
