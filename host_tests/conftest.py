"""Where tests find what they import, and the runner that gives each portable test to both interpreters."""

import os
import sys
from pathlib import Path

from hypothesis import settings

# `make test` must give the same result twice, so its properties draw the same examples each time. `make search` (SEARCH=1)
# draws new ones, twenty times as many where a test does not say how many: what it finds becomes a named test.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile("search" if os.environ.get("SEARCH") == "1" else "repeatable")

# A make that a test starts is a person's, not a child of the one that runs the tests: it would inherit ARGS= and its level.
for name in ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"):
    os.environ.pop(name, None)

ROOT = Path(__file__).resolve().parent.parent
for folder in ("host_tests/cpython", "firmware", "host_tests", "lib", "."):
    path = str((ROOT / folder).resolve())
    if path not in sys.path:
        sys.path.insert(0, path)

from runner.plugin import *  # noqa: E402,F403  (pytest finds hooks by name in this module)
