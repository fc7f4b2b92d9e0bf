"""Where tests find what they import, and the runner that gives each portable test to both interpreters."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
for folder in ("host_tests/cpython", "firmware", "host_tests", "lib", "."):
    path = str((ROOT / folder).resolve())
    if path not in sys.path:
        sys.path.insert(0, path)

from runner.plugin import *  # noqa: E402,F403  (pytest finds hooks by name in this module)
