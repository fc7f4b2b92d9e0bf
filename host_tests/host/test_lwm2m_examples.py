"""The worked examples in the docstrings of lwnode.lwm2m are run, so that none of them lies."""

import doctest
import importlib
from pathlib import Path

import pytest

import lwnode.lwm2m

CPYTHON_ONLY = "runs the examples of docstrings with CPython's doctest"

FOLDER = Path(lwnode.lwm2m.__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if ">>>" in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_examples(name):
    module = importlib.import_module(f"lwnode.lwm2m.{name}" if name != "__init__" else "lwnode.lwm2m")
    known = {each: getattr(lwnode.lwm2m, each) for each in ("ObjectTree", "Path", "Request", "Response", "Reject")}
    known.update({each: value for each, value in vars(lwnode.lwm2m.values).items() if each.isupper()})
    tests = doctest.DocTestFinder(recurse=False).find(module, extraglobs=known)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    output: "list[str]" = []
    for test in tests:
        runner.run(test, out=output.append)
    assert runner.tries > 0 and runner.failures == 0, "".join(output)
