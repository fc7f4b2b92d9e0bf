"""examples/test_my_row.py, the file that docs/test-your-node.md says to copy, as it stands."""

import sys

sys.path.append(__file__.rsplit("/", 2)[0] + "/examples")
import test_my_row  # noqa: E402


def test_the_file_to_copy_passes_as_it_stands():
    tests = [name for name in dir(test_my_row) if name.startswith("test_")]
    assert len(tests) == 5
    for name in tests:
        getattr(test_my_row, name)()
