"""What all families share: the public interface, events, the URC table, answers to requests, the ladder.

    modem.on_request = tree.handle            # Request -> Response
    modem.on_event = lambda name, detail: print(name, detail)
    modem.restore(retained)                   # False: a cold start is due
    if modem.wake() and (modem.status() == REGISTERED or modem.bring_back(60000)):
        ticket = modem.publish(records)
        modem.settle(modem.deadline_ms)       # "delivered", ticket  or  "failed", (ticket, reason)
    retained = modem.snapshot()
    modem.sleep()

A family file fills in URCS (what each unsolicited line does), OPTIONS, and the verbs that its contract carries; a verb
left as here raises Unsupported. Bounds: 4 messages in flight, every wait has a deadline.
Cost: about 3 KB of heap for one driver, its tables included.
"""

from micropython import const

from lwnode.at import AtError, AtTimeout, BudgetExceeded, CommandError, LinkError
from lwnode.at import fields as split_fields
from lwnode.lwm2m import Path, Request, Response
from lwnode.modem import RECOVERING, REGISTERED, REGISTERING, UNKNOWN
from lwnode.modem.network import Network
from lwnode.modem.reports import Reports
from lwnode.modem.verbs import Verbs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lwnode.modem import Server


_LOOK_MS = const(5000)  # BC66's own recovery takes some seconds (5.5); the URC that ends it may be lost, so it is asked


class Modem(Verbs, Network):
    """One module on one AtClient. See the package for the whole of the interface; families override the verbs."""

    LINE_LIMIT = 512  # longest line that the module sends, in characters
    POWER_KEY_MS = 500  # two drivers of BC66 (low_power 3.2); the others say their own
    lifetime = 86400  # of the registration, in seconds: the account's, or what the server has made of it
    RESET_MS = 100  # as above
    URC_PREFIXES: "tuple[str, ...]" = ()
    # name -> (argument pattern, effect): i integer, o object, instance or resource id, s text, * what remains;
    # an effect is a method, "room.function" of the family, loaded when the first such line comes, or an event alone:
    # "=lifetime" with the first argument as its detail, "=firmware update" with that word
    URCS: "dict[str, tuple[str, str]]" = {}

    def __init__(self, at: "Any", pins: "Any" = None, **options: "Any") -> None:
        self.options: dict[str, Any] = dict(self.OPTIONS)
        for name in options:
            if name not in self.options:
                raise ValueError("option {}: expected one of {}".format(name, " ".join(sorted(self.options))))
            self.options[name] = options[name]
        Network.__init__(self, at, pins)
        at.timeout_ms = self.options["command_ms"]
        self.on_request: Callable[[Request], Response] | None = None
        self.on_event: Callable[[str, Any], None] | None = None
        self.capabilities = self._capabilities()
        self.reports = Reports(self.clock, self.options["in_flight"])
        self.server: Server | None = None
        self.objects: Any = ()
        self.observed: list[Path] = []
        self.dozes = self.options.get("sleep") in ("cfun5", "light")  # its sleep leaves the module on
        self.failures = 0  # bring_back calls in a row that did not reach the server
        self._status = UNKNOWN
        self._configured = 0  # checksum of the account that the module was found to hold, 0 unknown
        self._declared = 0  # the same of the objects
        self._restart_due = False  # something was written that holds only after a restart, however long ago
        self._restart_expected = False
        at.on_restart = self._on_restart
        for prefix in self.URC_PREFIXES:
            at.subscribe(prefix, self._on_urc)

    # What a family, or Life, brings.
    if TYPE_CHECKING:

        @property
        def deadline_ms(self) -> int:
            """Longest time from publish to the outcome of one message."""
            raise NotImplementedError

        def _begin(self) -> bool:
            """start() of a module that is switched on; False where nothing answers."""
            raise NotImplementedError

        def _send_bytes(self, path: Path, data: bytes, confirm: bool) -> "str | None":
            """Pipe contract: hand one message to the module; None, or why it was not taken."""
            raise NotImplementedError

        def restart(self) -> bool:
            """Reset the module by command and bring it to the state after start(). True where it answers again."""
            raise NotImplementedError

        def power_off(self) -> bool:
            """Switch the module off. True where it confirmed."""
            raise NotImplementedError

    # ---- reports ----------------------------------------------------------------------------------------------

    @property
    def pending(self) -> int:
        """Tickets whose outcome is not known yet."""
        return len(self.reports)

    def service(self, timeout_ms: int) -> None:
        """Answer the server and take results for that long; every event comes from here (or from another wait)."""
        end = self.clock.ticks_add(self.clock.ticks_ms(), timeout_ms)
        while True:
            timeout_ms = self._turn(end, False)
            if not timeout_ms:
                return
            self.at.poll(timeout_ms)

    def settle(self, timeout_ms: int) -> bool:
        """As service, but back as soon as no ticket is open. True where none is."""
        end = self.clock.ticks_add(self.clock.ticks_ms(), timeout_ms)
        while True:
            timeout_ms = self._turn(end, True)
            if not timeout_ms:
                return not self.reports
            self.at.poll(timeout_ms)

    def _turn(self, end: int, until_settled: bool) -> int:
        """What is to be done before the next look at the line; milliseconds to look for, 0 at the end."""
        self._upkeep()
        self.reports.expire()
        self._tell_outcomes()
        left = self.clock.ticks_diff(end, self.clock.ticks_ms())
        if left <= 0 or (until_settled and not self.reports):
            return 0
        # A slice: poll may use all of its time, and an outcome shall not wait for the rest of it.
        return max(1, self.reports.next_ms(min(left, 200)))

    def _upkeep(self) -> None:
        """Work that a URC left to be done outside its handler."""

    def _tell_outcomes(self) -> None:
        for name, detail in self.reports.outcomes():
            self._emit(name, detail)

    def _room(self) -> None:
        """Wait until one more message may be in flight."""
        self._await(lambda: self.reports.in_flight < self.reports.limit, self.deadline_ms)

    def _await(self, done: "Callable[[], bool]", timeout_ms: int) -> bool:
        clock = self.clock
        end = clock.ticks_add(clock.ticks_ms(), timeout_ms)
        while not done():
            left = clock.ticks_diff(end, clock.ticks_ms())
            if left <= 0:
                return False
            self.at.poll(min(left, 200))
            self.reports.expire()
        return True

    # ---- lines that nobody asked for --------------------------------------------------------------------------

    def _on_urc(self, line: str, parsed: "tuple[str, list[str | None]] | None" = None) -> None:
        """One URC through the family's table; a line that does not fit is counted and survived.

        One function, not three: an answer to the server is given from here, 8 KB of stack deep in a wake (RP2).
        """
        parsed = parsed or self._parse_urc(line)
        if parsed is None:
            return
        row = self.URCS.get(parsed[0])
        arguments = None if row is None else _arguments(row[0], parsed[1])
        if row is None or arguments is None:
            self._count("unknown_urcs" if row is None else "malformed_urcs")
            return
        room, _, effect = row[1].rpartition(".")
        try:
            if effect[0] == "=":
                effect, _, detail = effect[1:].partition(" ")
                self._emit(effect, detail or arguments[0])
            elif room:
                module = __import__("lwnode.modem." + self.FAMILY + "." + room, None, None, (effect,))
                getattr(module, effect)(self, *arguments)
            else:
                getattr(self, effect)(*arguments)
        except BudgetExceeded:
            raise
        except AtError:
            # A dialogue that breaks inside an effect must not cost the caller of service() a turn.
            self._count("refused_commands")
        self._tell_outcomes()

    def _parse_urc(self, line: str) -> "tuple[str, list[str | None]] | None":
        """(name in URCS, fields) of a line; families with other shapes override it."""
        values = split_fields(line)
        return (values[0] or "", values[1:]) if values else None

    def _on_restart(self, *_: "Any") -> None:
        """The module's boot banner came: expected after restart() and wake(), a loss of state otherwise."""
        if not self._restart_expected:
            self._count("restarts_seen")
            self._forget_session("module restarted")
            self._emit("restarted", "by itself")

    def _forget_session(self, reason: str) -> None:
        self._status = UNKNOWN
        self.reports.fail_all(reason)
        self._tell_outcomes()

    def _emit(self, name: str, detail: "Any" = None) -> None:
        self._count("events")
        if self.on_event is not None:
            self.on_event(name, detail)

    def _count(self, name: str, by: int = 1) -> None:
        self.stats[name] = self.stats.get(name, 0) + by

    # ---- requests ---------------------------------------------------------------------------------------------

    def _handle(self, request: Request) -> Response:
        """The node's response; a handler that fails costs the server a 5.00, never the node its wake."""
        if self.on_request is None:
            return Response(404)
        try:
            return self.on_request(request)
        except AtError:
            raise
        except Exception:  # whatever an application's handler raises; Ctrl-C is none of it
            self._count("handler_errors")
            return Response(500)

    def _busy(self) -> bool:
        """Whether the module works at the session by itself: nothing may be configured or registered meanwhile."""
        return self._status in (REGISTERING, RECOVERING)

    def _own_outcome(self, timeout_ms: int) -> int:
        """The state in which the module's own work at the session ends; its URC may be lost, so it is asked too."""
        clock = self.clock
        end = clock.ticks_add(clock.ticks_ms(), timeout_ms)
        while self._busy():
            if self._await(lambda: not self._busy(), min(_LOOK_MS, max(0, clock.ticks_diff(end, clock.ticks_ms())))):
                break
            self.status()
            if clock.ticks_diff(end, clock.ticks_ms()) <= 0:
                break
        return self._status

    def _doubt(self) -> None:
        """Forget what the module was found to be configured with: configure() and declare() read again."""
        self._configured = 0
        self._declared = 0

    # ---- the ladder -------------------------------------------------------------------------------------------

    def bring_back(self, timeout_ms: int) -> bool:
        """Reach REGISTERED again: ask, recover, re-register, restart, power-cycle; each step bounded and counted.

        A server that does not answer is no reason to restart a module that does: the last two steps are taken where
        the module is silent or confused, and else at every fourth failure in a row. True where REGISTERED.
        """
        from lwnode.modem import ladder

        return ladder.climb(self, timeout_ms)

    def power_cycle(self) -> bool:
        """Off and on by the power key, or by command where no pin is wired. True where the module answers again."""
        from lwnode.modem import ladder

        return ladder.power_cycle(self)

    def _steadily(self, step: "Callable[..., Any]", *values: "Any") -> "Any":
        """A step that reads, compares and writes what differs, up to three times where the line loses an answer.

        So too where the module says a plain ERROR although it has been told to give numbers (field_quirks 2.2).
        """
        for _ in range(2):
            try:
                return step(*values)
            except (AtTimeout, LinkError):
                self._count("steps_repeated")
            except CommandError as error:
                if error.code is not None:
                    raise
                self._count("steps_repeated")
        return step(*values)

    def ask(self, call: "Callable[..., Any]", *parameters: "Any", **keywords: "Any") -> "Any":
        """call(...), or None where the module refused or stayed silent; an exhausted budget passes."""
        try:
            return call(*parameters, **keywords)
        except BudgetExceeded:
            raise
        except AtError:
            self._count("refused_commands")
            return None

    def _session_stands(self, event: "str | None", detail: "Any" = None) -> None:
        """The server has just been heard of: "registered" (anew), "recovered", "updated", or None for no event."""
        self._status = REGISTERED
        self.failures = 0
        if event == "registered":
            self.observed = []  # a new registration has no observations
        if event is not None:
            self._emit(event, detail)

    def _session_lost(self, status: int, why: str) -> None:
        """The session is gone; the node is told once."""
        before, self._status = self._status, status
        if before == REGISTERED:
            self._emit("lost", why)


def _arguments(pattern: str, values: "list[str | None]") -> "list[Any] | None":
    """Fields by pattern, or None where they do not fit."""
    taken: list[Any] = []
    try:
        for index, kind in enumerate(pattern):
            if kind == "*":
                taken.append(values[index:])
                return taken
            value = values[index]
            if kind == "s":
                taken.append(value or "")
                continue
            number = int(value or "")
            if kind == "o" and not -1 <= number <= 65535:
                return None
            taken.append(number)
    except (ValueError, IndexError):
        return None
    return taken


def path_of(object_id: int, instance: int = -1, resource: int = -1) -> Path:
    """A Path from the modules' numbers, where -1 means all below."""
    if instance < 0:
        return Path(object_id)
    return Path(object_id, instance, None if resource < 0 else resource)
