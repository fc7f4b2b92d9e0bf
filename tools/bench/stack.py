"""How deep a node calls, and what that takes of an RP2040's stack: python -m tools.bench.stack [family ...].

    deepest("bc66")     # -> Deepest(frames=19, stack=5316, chain=["main.main", "lwnode.node.run", ...])

The RP2040 gives its interpreter 8,192 bytes of stack (interrupts share them), of which the port takes all but 256 for Python's
calls; an overflow is a RuntimeError in the middle of a registration. Every call of lib/ and firmware/ in some hours of a node
is counted under CPython, by the sizes that a call has on the RP2040's core; the deepest chain is printed.

The sizes were measured once: MicroPython 1.28 compiled for a Cortex-M0+ with the port's flags (gcc 12, -Os), executed by QEMU,
micropython.stack_use() in recursions of each kind. Not in them: imports within a call (584 bytes for each, one within
another), C code called at the end (a file looked for: 1,388; renamed: 1,692), interrupts. RESERVE is for these.
"""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass
from types import CodeType, FrameType

from tools.bench import build
from tools.bench.prelude import slots

LIMIT = 8192 - 256
RESERVE = 2000  # an import and what looks for its file, or a file renamed; interrupts have the last 256 and what is left of it
MAIN = 452  # main.py's own lines, and what is below them
_IN_FRAME = 44  # bytes of slots that a frame keeps on the C stack; a larger one lies in the heap
_HEAP_FRAME = 200
_METHOD = 16
_CLASS_BODY = 352
HOURS = 2
ASKED_EVERY_S = 7


@dataclass(frozen=True)
class Deepest:
    """The deepest chain of calls, main.start() included, by frames and by bytes of an RP2040's stack."""

    frames: int
    stack: int
    chain: list[str]


def size(slot_count: int) -> int:
    """Bytes of a call, by the locals and stack slots of its function."""
    data = 4 * slot_count
    return _METHOD + (_HEAP_FRAME if data > _IN_FRAME else 192 + (28 + data + 7) // 8 * 8)


class Watch:
    """A profile hook that keeps the chains with most frames and most bytes."""

    def __init__(self) -> None:
        self._ours = tuple(str(build.ROOT / name) + "/" for name in ("lib", "firmware"))
        self._slots = slots()
        self._sizes: dict[CodeType, int] = {}
        self._stack: list[tuple[CodeType, int]] = []
        self._used = MAIN + _HEAP_FRAME  # main.start(), which opens a real board, is not called
        self.frames = 0
        self.bytes = 0
        self.chain: list[CodeType] = []

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """See sys.setprofile."""
        code = frame.f_code
        if event not in ("call", "return") or not code.co_filename.startswith(self._ours) or code.co_name == "<module>":
            return
        if event == "return":
            if self._stack:
                self._used -= self._stack.pop()[1]
            return
        cost = self._sizes.get(code)
        if cost is None:
            cost = self._sizes[code] = self._cost(code)
        self._stack.append((code, cost))
        self._used += cost
        self.frames = max(self.frames, len(self._stack) + 1)
        if self._used > self.bytes:  # the chain with most bytes is nearly always the one with most frames
            self.bytes, self.chain = self._used, [code for code, _ in self._stack]

    def _cost(self, code: CodeType) -> int:
        if not code.co_flags & 1:  # not optimised: the body of a class
            return _CLASS_BODY
        return size(self._slots.get((module_of(code), code.co_name), 8))


def module_of(code: CodeType) -> str:
    """lwnode.at.client of .../lib/lwnode/at/client.py; main of .../firmware/main.py."""
    path = code.co_filename[len(str(build.ROOT)) + 1 : -3].partition("/")[2]
    return path.removesuffix("/__init__").replace("/", ".")


def deepest(family: str, port: str = "rp2") -> Deepest:
    """Two hours of a node whose server asks for something at all times."""
    from fakes.world import World

    watch = Watch()
    with contextlib.redirect_stdout(io.StringIO()):
        world = World(port, {"family": family})
        questions = Questions(world, family)
        for seconds in range(ASKED_EVERY_S, HOURS * 3600, ASKED_EVERY_S):
            world.at(questions.ask, seconds=seconds)
        sys.setprofile(watch)
        try:
            world.run(hours=HOURS)
        finally:
            sys.setprofile(None)
    if questions.answered < 20:
        raise SystemExit(f"bench: {family} answered {questions.answered} requests: its depth was not measured")
    return Deepest(watch.frames, watch.bytes, [f"{module_of(code)}.{code.co_name}" for code in watch.chain])


class Questions:
    """What a server may ask of any node, in turn; a pipe gets it as commands on 19/1/0."""

    def __init__(self, world: object, family: str) -> None:
        from fakes.families import contract_of
        from fakes.world import ENDPOINT

        self._server = world.server  # type: ignore[attr-defined]
        self._endpoint = ENDPOINT
        self._count = 0
        self._asked: list[object] = []
        direct = [
            ("read", "/3303/0"), ("read", "/3306/0/5850"),
            ("write", "/3306/0/5850", b"1", 0), ("write", "/26250/0/1", b"1800", 0),
            ("write", "/3306/0/5852", b"0", 0), ("execute", "/3303/0/5605"), ("write", "/26250/0/1", b"900", 0),
            ("write_attributes", "/3303/0/5700", "pmin=10&gt=400"), ("observe", "/26251/0"), ("read", "/26251/0"),
        ]  # fmt: skip
        packs = [("write", "/19/1/0", pack, 42) for pack in _packs()]
        pipe = contract_of(family) == "pipe"
        self._all = packs if pipe else direct + packs

    def ask(self) -> None:
        """The next of them; where the module sleeps the server keeps it, or it is lost."""
        operation, *given = self._all[self._count % len(self._all)]
        self._count += 1
        with contextlib.suppress(KeyError):  # not registered (yet)
            self._asked.append(getattr(self._server, operation)(self._endpoint, *given))

    @property
    def answered(self) -> int:
        """How many of them have an answer."""
        return sum(1 for one in self._asked if getattr(one, "code", None))


def _packs() -> list[bytes]:
    from lwnode.lwm2m import BOOLEAN, FLOAT, INTEGER, Path, pack_senml

    wishes = [
        [("/3306/0/5850", BOOLEAN, "1"), ("/26250/0/1", INTEGER, "1800")],
        [("/3306/0/5850", BOOLEAN, "0"), ("/26250/0/1", INTEGER, "900"), ("/3306/0/5852", FLOAT, "0")],
    ]
    return [pack_senml([(Path.parse(path), kind, text, None) for path, kind, text in wish], 200)[0] for wish in wishes]


def figures_of(families: dict[str, str], figures: dict[str, int]) -> None:
    """The rows stack/FAMILY of the bench."""
    found = {family: deepest(family) for family in families}
    for family, one in found.items():
        figures[f"stack/{family}"] = one.stack


def main(arguments: list[str]) -> int:
    """Print the deepest chain of each family."""
    build.compiled()
    for family in arguments or build.FAMILIES:
        one = deepest(family)
        print(f"{family}: {one.frames} frames, {one.stack} bytes of {LIMIT}, with {RESERVE} for what is not counted")
        print("    " + "\n    ".join(one.chain))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
