"""The portable tests under every MicroPython from 1.24 and every CPython at hand: `python -m tools.matrix`."""
