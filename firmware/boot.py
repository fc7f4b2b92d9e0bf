"""Runs before main.py, at every boot and every wake: finishes an update where one is under way, and else does nothing.

An exception here would keep main.py from running (low-power notes, section 0), so none leaves it. Without an update it
costs one look for a file; a plan that cannot be read now is not taken for none. swap.py says what an update goes through.
"""

import os

try:
    os.stat("/update/plan")
    absent = False
except OSError as error:
    absent = error.args[0] == 2  # ENOENT
if not absent:
    try:
        import swap

        swap.boot()
    except Exception as error:
        print("update:", error)
del os, absent
