"""How far a request and a reading travel through lib/: calls, changes of module, and files on the way.

    python -m tools.bench.ways [family ...]

    request("bc66")      # from the read that brings the server's URC to the first byte of its answer
    reading("bc66")      # from Sensor.read to the first byte of the report, session opened on the way

Counted under CPython in virtual time, in a node whose session is kept (design, "Ways through the house"). A way is taken
several times in a life; the least is its figure, because another slot or a retry may fall into a longer one.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FrameType

from tools.bench import build

HOURS = 3
# What the module says of a read, what the answer begins with, and what a report begins with.
WORDS = {"bc66": (b'"read"', b"AT+QLWRDRSP", b"AT+QLWNOTIFY")}


@dataclass(frozen=True)
class Way:
    """Calls of functions of lib/, changes from one of its modules to another, and how many of its files were touched."""

    calls: int
    changes: int
    files: int


class Walk:
    """A profile hook that counts between start() and stop()."""

    def __init__(self) -> None:
        self._ours = str(build.ROOT / "lib") + "/"
        self._on = False
        self._calls = self._changes = 0
        self._last = ""
        self._files: set[str] = set()
        self.found: list[Way] = []

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """See sys.setprofile."""
        code: CodeType = frame.f_code
        if not self._on or event != "call" or not code.co_filename.startswith(self._ours) or code.co_name == "<module>":
            return
        self._calls += 1
        self._changes += code.co_filename != self._last
        self._last = code.co_filename
        self._files.add(code.co_filename)

    def start(self) -> None:
        """Begin a way; one that is under way begins anew."""
        self._on = True
        self._calls = self._changes = 0
        self._last = ""
        self._files = set()

    def stop(self) -> None:
        """End it."""
        if self._on:
            self.found.append(Way(self._calls, self._changes, len(self._files)))
        self._on = False


def request(family: str) -> Way:
    """A read of a resource, from the bytes of its URC to the first byte of the answer."""
    heard, answer, _ = WORDS[family]

    def prepare(world: object, walk: Walk) -> None:
        uart = world.uart  # type: ignore[attr-defined]
        readinto = uart.readinto
        seen: set[bytes] = set()

        def reading(buffer: bytearray) -> int | None:
            _, found, rest = bytes(uart._incoming).partition(heard)
            count = readinto(buffer)
            if found and (mid := rest.split(b",")[1]) not in seen:  # CoAP repeats itself: answered from memory
                seen.add(mid)
                walk.start()
            return count  # type: ignore[no-any-return]

        asked = [-60000]
        uart.readinto = reading
        _at_write(uart, answer, walk.stop)

        def read() -> None:
            with contextlib.suppress(KeyError):
                world.server.read("urn:dev:world", "/3303/0/5700")  # type: ignore[attr-defined]

        def ask() -> None:  # once in a wake, however many reports arrive in it, and when they are acknowledged
            if world.clock.now - asked[-1] >= 60000:  # type: ignore[attr-defined]
                asked.append(world.clock.now)  # type: ignore[attr-defined]
                world.clock.after(1000, read)  # type: ignore[attr-defined]

        world.on_awake = ask  # type: ignore[attr-defined]

    return _least(family, prepare)


def reading(family: str) -> Way:
    """A reading that is reported in its own wake."""
    _, _, report = WORDS[family]

    def prepare(world: object, walk: Walk) -> None:
        take = world._reading  # type: ignore[attr-defined]

        def taken(path: str, base: int) -> float:
            walk.start()
            return take(path, base)  # type: ignore[no-any-return]

        def declare(tree: object, board: object) -> None:
            tree.sensor(3303, lambda: taken("/3303/0/5700", -3000), unit="Cel", resolution=0.01,  # type: ignore[attr-defined]
                        range=(-40, 400))

        world._declare = declare  # type: ignore[attr-defined]
        _at_write(world.uart, report, walk.stop)  # type: ignore[attr-defined]

    return _least(family, prepare)


def _at_write(uart: object, begins: bytes, do: Callable[[], None]) -> None:
    write = uart.write  # type: ignore[attr-defined]

    def writing(data: bytes) -> int:
        if bytes(data).startswith(begins):
            do()
        return write(data)  # type: ignore[no-any-return]

    uart.write = writing  # type: ignore[attr-defined]


def _least(family: str, prepare: Callable[[object, Walk], None]) -> Way:
    from fakes.world import World

    walk = Walk()
    with contextlib.redirect_stdout(io.StringIO()):
        world = World("rp2", {"family": family, "listen": 8})  # a page, and a second behind the report
        prepare(world, walk)
        sys.setprofile(walk)
        try:
            world.run(hours=HOURS)
        finally:
            sys.setprofile(None)
    if len(walk.found) < 4:
        raise SystemExit(f"bench: {family} took this way {len(walk.found)} times in {HOURS} hours: nothing was measured")
    return min(walk.found[1:], key=lambda way: way.calls)


def figures_of(figures: dict[str, int]) -> None:
    """The rows way/... of the bench."""
    for name, way in (("request", request("bc66")), ("reading", reading("bc66"))):
        figures[f"way/{name}/calls"] = way.calls
        figures[f"way/{name}/changes"] = way.changes
        figures[f"way/{name}/files"] = way.files


if __name__ == "__main__":
    for each in sys.argv[1:] or WORDS:
        print(each, "request", request(each), "reading", reading(each))
