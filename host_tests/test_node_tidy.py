"""What a contact loaded is let go where there is little room: the moment in which it must not ask for more."""

import sys

from lwnode.node.housekeeping import unload

# More than any heap of ours has; the matrix's builds take ever more from their host, and are not filled.
_MOST = 16 << 20


def _filled():
    """MicroPython's heap without a free 128 bytes in one piece, if it has an end."""
    if sys.implementation.name != "micropython":
        return None
    chain, held = None, 0
    for size in (65536, 4096, 1024, 256, 128):
        try:
            while held < _MOST:
                chain, held = (chain, bytearray(size)), held + size
        except MemoryError:
            pass
    return chain


def test_tidying_finds_room_where_there_is_none():
    kept = {name for name in sys.modules if name != "lwnode.at.trace"}
    import lwnode.at.trace

    dropped = lwnode.at.trace
    filled = _filled()
    unload(kept)
    assert ("lwnode.at.trace" in sys.modules) == (sys.implementation.name == "cpython")
    assert filled is None or dropped.hide
    del filled


def test_a_module_that_was_let_go_loads_again():
    import lwnode.at.trace

    kept = {name for name in sys.modules if name != "lwnode.at.trace"}
    unload(kept)
    from lwnode.at.trace import hide

    secrets = []
    hide(b'AT+CPIN="4321"\r', secrets)
    assert b"4321" in secrets
    assert lwnode.at.trace
