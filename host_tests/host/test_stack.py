"""An RP2040 has 8 KB of stack: what a node's deepest calls take of it, by the sizes measured on its core.

At commit 67f85a6 the first registration of a BC66 node wanted 9,524 bytes there, for an observation was answered from within a
wait; this count said 8,604 of 7,936.
"""

from tools.bench import build, prelude, stack
from tools.mpy import compiled

CPYTHON_ONLY = "counts calls by CPython's profile hook"


def test_a_call_has_the_size_that_it_has_on_the_core():
    """Methods of 6, 9 and 12 slots, as stack_use() showed them (tools/bench/README.md)."""
    assert [stack.size(slots) for slots in (6, 9, 12)] == [264, 272, 216]


def test_slots_are_read_from_the_bytecode():
    text = "class A:\n    def read(self, a, b):\n        return [a, b, self]\n\n\ndef plain():\n    pass\n"
    found = dict(prelude.functions(compiled(text, "x"), {}))
    static = prelude.numbered(["plain", "read"])
    assert "read" in static.values() and "plain" not in static.values()
    named = dict(prelude.functions(compiled(text, "x"), static))
    assert found["plain"] == named["plain"] == 1
    assert named["read"] == 6  # three arguments, and three values for the list


def test_a_node_fits_an_rp2040_whatever_a_server_asks_meanwhile():
    build.compiled()
    for family in build.FAMILIES:
        one = stack.deepest(family)
        assert 4000 < one.stack <= stack.LIMIT - stack.RESERVE, (family, one)
        assert "lwnode.node.contact.contact" in one.chain, (family, one)
