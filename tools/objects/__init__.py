"""What a node's rows become on each module, what that costs, and the decoder for what the node sends."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for _folder in ("lib", "host_tests", "host_tests/cpython", "firmware"):
    if str(ROOT / _folder) not in sys.path:
        sys.path.insert(0, str(ROOT / _folder))
