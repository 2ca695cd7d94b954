"""Themes as TOML files; a person adds their own in the user config folder."""
