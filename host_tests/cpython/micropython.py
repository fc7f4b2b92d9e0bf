"""What lib/ asks of MicroPython's `micropython` module, for CPython: constants are themselves, tests run unoptimised."""


def const(value):
    """Return the value: only MicroPython's compiler folds it."""
    return value


def opt_level(level=None):
    """Accept and ignore MicroPython's optimisation level."""
    return 0
