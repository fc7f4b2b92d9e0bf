"""Lint and strict types: `python -m tools.check`."""
