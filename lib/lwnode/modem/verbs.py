"""The verbs of every driver and what it declares of itself: the interface that an application is written against.

    if modem.capabilities.contract == "pull": ...
    restart = modem.configure(server)           # and so on: lwnode.modem has the worked session

A family overrides what its contract carries; what it leaves raises Unsupported with what to use instead.
"""

from lwnode.modem import Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.modem import Server


class Capabilities:
    """What this module can carry, final after start() (a firmware revision may change it).

    contract: "pull", "shadow" or "pipe". typed: values keep their LwM2M types. executes: Execute reaches the host.
    acknowledges: "server" where delivered means that the server has it, "module" where only that the module took it.
    buffered: requests wait in the module. history: "pack" (a SenML CBOR pack on 19/0/0) or "replay" (untimed).
    psk, bootstrap: available or not. limits: numbers by name, such as "pack" (bytes) or "objects".
    """

    def __init__(
        self, contract: str, typed: bool, executes: bool, acknowledges: str, buffered: bool, history: str, psk: bool,
        bootstrap: bool, limits: "dict[str, int]",
    ) -> None:
        self.contract = contract
        self.typed = typed
        self.executes = executes
        self.acknowledges = acknowledges
        self.buffered = buffered
        self.history = history
        self.psk = psk
        self.bootstrap = bootstrap
        self.limits = limits


class Verbs:
    """What can be asked of a module. Methods that answer with bool say False for an outcome, never for a dead line."""

    FAMILY = ""

    # What every family brings: for the reader and the type checker, no functions on the heap.
    if TYPE_CHECKING:

        def start(self) -> bool:
            """Cold start: find the module, learn revision and dialect, switch URCs on. False where nothing answers."""
            raise NotImplementedError

        def configure(self, server: "Server") -> bool:
            """Read, compare, write what differs. True: a restart is needed before it holds."""
            raise NotImplementedError

        def declare(self, objects: "Any") -> bool:
            """Make the module know these (object, instance, resource ids). True: a restart is needed before it holds."""
            raise NotImplementedError

        def register(self, timeout_ms: int) -> bool:
            """Register at the server, or say True at once where that is done."""
            raise NotImplementedError

        def update(self, lifetime: "int | None" = None, binding: "str | None" = None, objects: bool = False) -> bool:
            """Refresh the registration, changing what is given. True where the server agreed."""
            raise NotImplementedError

        def deregister(self) -> bool:
            """Leave the server. True where it agreed, or where there was no registration."""
            raise NotImplementedError

        def forget(self) -> None:
            """Erase what the module keeps about servers and objects: the step before another server."""
            raise NotImplementedError

        def status(self) -> int:
            """Ask the module: one of the constants of lwnode.modem."""
            raise NotImplementedError

        def recover(self, timeout_ms: int = 30000) -> bool:
            """Take up the session kept over the module's sleep. True where the server is reachable again."""
            raise NotImplementedError

        def publish(self, records: "Any", confirm: bool = True) -> int:
            """Send (path, type, text or bytes, when) records; returns the ticket that on_event will name."""
            raise NotImplementedError

        def sleep(self) -> bool:
            """Let the module sleep. True where its sleep was confirmed by event or status pin."""
            raise NotImplementedError

        def wake(self) -> bool:
            """Wake the module for a session that goes on. False where it does not answer."""
            raise NotImplementedError

        def snapshot(self) -> bytes:
            """What must be known after the host's deep sleep; holds no secret."""
            raise NotImplementedError

        def restore(self, data: "bytes | None") -> bool:
            """Take up a snapshot. False where it is missing, damaged or of another driver: start cold."""
            raise NotImplementedError

        def _capabilities(self) -> Capabilities:
            raise NotImplementedError

    def check(self, server: "Server") -> None:
        """Refuse what configure() would refuse, without a word to the module: ValueError or Unsupported, by key."""

    def undeclare(self, object_id: int) -> bool:
        """Take one object, all instances, from the module. True where it is gone."""
        raise Unsupported(f"{self.FAMILY} cannot remove an object: declare again after forget()")

    def bootstrap(self, timeout_ms: int = 120000) -> bool:
        """Ask the bootstrap server for accounts; the registration that follows is part of it."""
        raise Unsupported(f"{self.FAMILY} has no bootstrap: configure the server itself")

    def inspect(self) -> "dict[str, str]":
        """What this firmware says of its commands (the manual's test and query forms): a first look, for people."""
        return {}

    def firmware_policy(self, download: bool, apply: bool) -> None:
        """Whether the server's firmware download and its application wait for allow()."""
        raise Unsupported(f"{self.FAMILY} downloads and applies firmware by itself: there is no gate to set")

    def allow(self, request: str) -> None:
        """Let go on what a "firmware" event announced."""
        raise Unsupported(f"{self.FAMILY} asks for no permission: nothing waits")
