"""The portable tests under every MicroPython from 1.24 and every CPython from 3.10 that is at hand: `python -m tools.matrix`."""
