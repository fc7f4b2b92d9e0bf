"""What firmware/main.py says on the wire: recorded lives of a node over each family's virtual modem, and `make demo`.

    record()   -> {"node": {"bc66": {"AT+QLWREG": [""], ...}, ...}, "heard": {...}, ...}
    demo()     -> the same of the demo: real MicroPython on the host board, each family, a server over CoAP

The firmware is the unchanged one, configured by keys that `make provision` takes; nothing speaks to the module but it. In
each life the server does what a server may: reads, writes, observes, cancels, changes the module's own objects, for hours.
"""

import asyncio
import contextlib
import io
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tools.commands import recorder

if TYPE_CHECKING:
    from fakes.world import World

    Traffic = dict[str, dict[str, dict[str, list[str]]]]

ROOT = Path(__file__).resolve().parents[2]
_DEMO_WAKES, _DEMO_SPEED = 7, 200
_PSK = {"psk_identity": "node-1", "psk": "00112233445566778899aabbccddeeff"}


class Life(NamedTuple):
    """A configuration, what the server asks or an event (one a notification), and what happens meanwhile (minute, event)."""

    family: str
    config: "dict[str, Any]" = {}
    asks: "tuple[Any, ...]" = ()
    events: "tuple[tuple[int, Callable[[World], None]], ...]" = ()
    options: "dict[str, Any]" = {}
    hours: int = 5


def _configured(**keys: "Any") -> "Callable[[World], None]":
    """A person provisions the board anew and presses reset."""

    def event(world: "World") -> None:
        from fakes.world import CONFIG
        from lwnode.config import checked

        world.settings = checked({**CONFIG, "family": world.settings.family, **keys})
        world.reset("power_on")

    return event


def _outage(world: "World") -> None:
    world.outage(True)


def _coverage(world: "World") -> None:
    world.outage(False)


def _server_silent(world: "World") -> None:
    """Attached, and nothing gets through."""
    world.link.radio(up=False)


def _server_restarts(world: "World") -> None:
    world.server.restart()


def _server_forgets_observations(world: "World") -> None:
    for registration in world.server.registrations.values():
        registration.observations = {}


def _server_refuses(world: "World") -> None:
    world.server.refuse = 403


def _server_takes(world: "World") -> None:
    world.server.refuse = None


def _module_restarts(world: "World") -> None:
    world.model.restart()


def _line_disturbed(world: "World") -> None:
    world.model.faults.random(2, 60)


def _refused(command: str) -> "Callable[[World], None]":
    """The next line that begins so is answered ERROR, and its repetition."""

    def event(world: "World") -> None:
        faults, take, left = world.model.faults, world.model.faults.take_line, [command, command]

        def take_line(line: str) -> bool:
            if left and line.startswith(command):
                left.pop()
                world.model.finish("ERROR")
                return True
            return bool(take(line))

        faults.take_line = take_line

    return event


def _bootstrap_server(world: "World") -> None:
    """The server of this world is a bootstrap server too, and names itself."""
    from testing.lwm2m.bootstrap import bootstrap_config

    world.server.bootstrap = bootstrap_config("coap://server.test:5683")


def _lives() -> "tuple[Life, ...]":
    often = {"sample_every": 120, "report_every": 120}
    boot = {"bootstrap": True, "host": "bootstrap.test"}
    other = _configured(node_objects=False, host="other.test", endpoint="urn:dev:other")
    started = ((0, _bootstrap_server),)
    outage = ((80, _outage), (130, _coverage))
    server = ((70, _server_restarts), (150, _module_restarts), (200, _server_forgets_observations))
    refused = ((0, _server_refuses), (60, _server_takes), (130, _server_silent), (190, _coverage))
    disturbed = ((60, _line_disturbed),)
    pack = (("write", "/19/1/0", b"\x81\xa2\x00l/3306/0/5850\x04\xf5", 42),)
    node = (("read", "/3303/0"), ("read", "/3303/0/5700"), ("write", "/3306/0/5850", b"1", 0), ("execute", "/3303/0/5605"),
            ("observe", "/3303/0"), ("cancel", "/3303/0"), ("discover", "/3303"), ("read", "/3303/0/9999"),
            ("write", "/3303/0/5700", b"1", 0), ("write_attributes", "/3303/0/5700", ("pmin=30",)))
    module = (("write", "/1/0/1", b"7200", 0), ("write", "/1/0/2", b"30", 0), ("write", "/1/0/3", b"1800", 0),
              ("write", "/1/0/7", b"UQ", 0), ("execute", "/1/0/8"))
    quiet = (("write", "/1/0/2", b"1", 0), *module[:1], *module[2:])  # a pmin of 30 s outlasts this module's wake
    disable, bootstrap, reset = [(("write", "/1/0/5", b"600", 0), ("execute", path)) for path in ("/1/0/4", "/1/0/9", "/3/0/5")]
    firmware = (("write", "/5/0/1", b"coap://server.test/fw", 0), ("execute", "/5/0/2"))
    lgu = {"server_type": 2, "data_object": 10250, "mbsps": ["QUEC", "992185", "01212345678", "904978", "LWTHM"]}
    psk = {"security": "psk", "key_file": True}
    return (
        Life("bc20", {}, pack * 2, ((0, _refused("AT+QLWADDOBJ")),) + outage + ((180, other),)),
        Life("bc20", {"buffered": True}, pack * 3, server),
        Life("bc20", often, (), refused),
        Life("bc20", often, (), disturbed),
        Life("bc66", {}, node + module + (_outage,), ((0, _refused("AT+QLWCFG?")), (400, _coverage)), hours=8),
        Life("bc66", {"buffered": True, "auto_reg": True, "rai": True, "recovery_mode": 0}, node, server + ((250, other),)),
        Life("bc66", {"persistent": False, "retransmit_mode": 1, "ack_timeout": 4, "auto_ack": True}, disable, refused),
        Life("bc66", boot, bootstrap + reset, started + outage),
        Life("bc66", often, node, disturbed),
        Life("bg96", {}, pack * 2 + module[:1], outage + ((180, other),)),
        Life("bg96", {"sleep": "light", "auto_register": True, **often}, module + reset + firmware, server),
        Life("bg96", boot, (), started),
        Life("bg96", lgu, (), started),
        Life("bg96", psk, (), refused),
        Life("me910c1", {}, node + quiet, outage + ((300, other),), hours=8),
        Life("me910c1", {"sleep": "cfun5", "ack_mode": True, "module_update": "allow"}, node[:4] + firmware, server),
        Life("me910c1", boot, disable + reset, started),
        Life("me910c1", {"sleep": "off"}, (), refused + ((0, _refused("AT#LWM2MSTAT")),)),
        Life("me910c1", often, (), disturbed),
    )


def _ask(world: "World", asked: "Any") -> None:
    from fakes.world import ENDPOINT

    if callable(asked):
        asked(world)
        return

    with contextlib.suppress(KeyError):  # not registered at this moment
        getattr(world.server, asked[0])(ENDPOINT, *asked[1:])


def live(life: Life) -> "World":
    """Live it; returns the world afterwards."""
    from fakes.world import World

    secrets = _PSK if life.config.get("security") == "psk" else None
    world = World("esp32", {"family": life.family, **life.config}, secrets=secrets, **life.options)
    world.server.auto_observe.append("/10250/0/0")
    waiting = list(life.asks)
    world.on_awake = lambda: _ask(world, waiting.pop(0)) if waiting else None
    for minute, event in life.events:
        world.at(lambda event=event: event(world), minutes=minute)
    world.run(hours=life.hours)
    return world


def paths() -> None:
    """Make firmware, fakes and shims importable, as the tests have them."""
    for folder in ("host_tests/cpython", "firmware", "host_tests", "lib"):
        sys.path.insert(0, str(ROOT / folder))


def record() -> "Traffic":
    """Traffic of all lives; recorder.watch() must have come before."""
    for life in _lives():
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            world = live(life)
        if not world.delivered():
            raise RuntimeError(f"a life of {life.family} with {life.config} delivered nothing: {printed.getvalue()[-500:]}")
    return recorder.TRAFFIC


def demo() -> "Traffic":
    """What the nodes of the demos wrote and heard, one of each family, all at the same time."""
    from tools.demo.contracts import CONTRACTS
    from tools.demo.scenario import Scenario

    traffic: "Traffic" = {"node": {}, "heard": {}}

    async def one(family: str, folder: Path) -> None:
        def line(direction: str, text: str) -> None:
            traffic["node" if direction == "host" else "heard"].setdefault(family, {})[text] = [""]

        folder.mkdir()
        await Scenario(folder, family, "esp32", _DEMO_WAKES, _DEMO_SPEED, lambda who, text: None, line).run()

    async def all_of_them() -> None:
        await asyncio.gather(*[one(family, Path(folder) / family) for family in CONTRACTS])

    with tempfile.TemporaryDirectory(prefix="lwnode-commands-") as folder:
        asyncio.run(all_of_them())
    return traffic


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(demo()), encoding="utf-8")
