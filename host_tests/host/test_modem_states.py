"""The states of lwnode.modem, which the drivers hold as constants of their own: a constant costs a board no name."""

from importlib import import_module
from pathlib import Path

import lwnode
from lwnode import modem

CPYTHON_ONLY = "imports each module by its file's name"
STATES = (
    "NOT_REGISTERED", "REGISTERING", "REGISTERED", "DEREGISTERING", "RECOVERING", "NEED_RECOVER", "UNKNOWN", "DEREGISTERED")


def test_every_drivers_states_are_those_of_the_package():
    found = 0
    root = Path(lwnode.__path__[0])
    for path in sorted((root / "modem").rglob("*.py")):
        name = ".".join(("lwnode",) + path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        module = import_module(name)
        for state in STATES:
            value = getattr(module, "_" + state, None)
            assert value is None or value == getattr(modem, state), (name, state)
            found += value is not None
    assert found >= len(STATES)
