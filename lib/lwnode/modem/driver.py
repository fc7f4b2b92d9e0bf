"""What all families share: the public interface, URCs, the server's requests and their answers, reports, power.

    modem.on_request = tree.handle            # Request -> Response
    modem.on_event = lambda name, detail: print(name, detail)
    modem.restore(retained)                   # False: a cold start is due
    if modem.wake() and (modem.status() == REGISTERED or bring_back(modem, 60000)):
        ticket = modem.publish(records)
        modem.settle(modem.deadline_ms)       # "delivered", ticket  or  "failed", (ticket, reason)
        modem.service(5000)                   # the server is answered
    retained = modem.snapshot()
    modem.sleep()

The handler of a URC notes what it says and sends nothing: what wants a command waits in a queue (request(), later()) that
the waits of a verb empty, each item on a shallow stack, in order, never one within another. Bounds: 8 requests of 2 KB
together wait, 8 more are refused by the module's nearest code, what comes beyond is counted; 4 messages in flight; every wait
has a deadline.
"""

import struct

from lwnode.at import AtError, AtTimeout, BudgetExceeded, CommandError, LinkError
from lwnode.at import fields as split_fields
from lwnode.lwm2m import Path, Request, Response
from lwnode.modem.network import Network, number
from lwnode.modem.recovery import BRIEFLY, power_cycle
from lwnode.modem.reports import Reports
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lwnode.modem import Server

# The states of lwnode.modem, here as constants that cost no name.
_REGISTERING = const(1)
_REGISTERED = const(2)
_RECOVERING = const(4)
_UNKNOWN = const(6)
_DEREGISTERED = const(7)

_QUEUE = const(8)
_QUEUE_BYTES = const(2048)  # of values
_SLICE_MS = const(200)  # of a wait: what falls due, and a status pin, are seen so late at most
_TORN_MS = const(30)  # a line of 300 characters at 115200
_LOOK_MS = const(5000)  # BC66's own recovery takes some seconds (5.5); the URC that ends it may be lost, so it is asked
_SNAPSHOT = const(5)  # format; a snapshot of another one starts cold
# format, failures, status, restart due, account, objects, update since, length of the revision, observations, PSM timers
_HEAD = const(">BBBBIIIBB4s")
_DOWN_MS = const(1000)  # OK comes before it goes down; banners follow after 5 s (QRST) and 6 s (CFUN=1,1; field_quirks 5)
_OFF_MS = const(5000)  # OK comes at once, going down takes up to 10 s (low_power 3.4, 3.5)
_BOOT_TRIES = const(6)  # each looks for the module for some seconds (AtClient.sync)
_UPDATE_S = const(3600)  # longest that an update of the module's firmware keeps it from sleeping; 20 minutes are usual
_MODELS = const(("BC20", "BC66", "BG96", "ME910", "NE910", "ML865"))


class Capabilities:
    """What this module can carry, final after start() (a firmware revision may change it).

    contract: "pull", "shadow" or "pipe". typed: values keep their LwM2M types. executes: Execute reaches the host.
    acknowledges: "server" where delivered means that the server has it, "module" where only that the module took it (BG96).
    What was taken is then kept until a sign of life comes from the server (event "proved"), which a new registration asks for
    after 96 messages without any, and sent again where none comes: a module that swallows what it takes loses nothing for good,
    unless its client goes on registering and speaking, as one that works.
    buffered: requests wait in the module. history: "pack" (SenML CBOR on 19/0/0, each
    reading with its time, as all four families can) or "replay" (untimed: the module has no way for a time).
    psk, bootstrap: available or not. limits: numbers by name, such as "pack" (bytes) or "objects".
    releases: the last report of a contact can say so, and the network then lets the radio go (release assistance): BC66 alone.
    """

    def __init__(
        self, contract: str, typed: bool, executes: bool, acknowledges: str, buffered: bool, history: str, psk: bool,
        bootstrap: bool, limits: "dict[str, int]", releases: bool = False,
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
        self.releases = releases


class Modem(Network):
    """One module on one AtClient. A family fills in the constants, URCS, and the verbs that its contract carries."""

    FAMILY = ""
    LINE_LIMIT = 512  # longest line that the module sends, in characters
    POWER_KEY_MS = 500  # two drivers of BC66 (low_power 3.2); the others say their own
    RESET_MS = 100  # as above
    RESTART = ""  # the command that restarts it, and the one that switches it off
    POWER_OFF = ""
    URC_PREFIXES: "tuple[str, ...]" = ()
    VALUES: "dict[str, int]" = {}  # those that hold a value by length -> the field that says it (AtClient.subscribe)
    # name -> argument pattern, and what _heard() does is its effect; or (argument pattern, method, its first arguments...).
    # Patterns: i integer, o object, instance or resource id, s text, * what remains
    URCS: "dict[str, Any]" = {}
    lifetime = 86400  # of the registration, in seconds: the account's, or what the server has made of it
    sleeps_powered = False  # its sleep leaves the module on
    _bootstrapping = False  # it asks a bootstrap server, and registers when that is done
    light_sleep: "Callable[[int], bool] | None" = None  # AtClient.light_sleep, where the board has one
    # Whether the module can be asked for what a URC has said that ends its own work at the session: the board may then sleep
    # lightly until that URC.
    ASKABLE = False
    round_trip_ms = 2000  # as measured last; one to two seconds in normal coverage (low_power 4)
    spoken_at = 0  # tick at which server and node said something last, as far as is known
    release_next = False  # the next report is the last of its contact (capabilities.releases)
    packs: "bool | None" = True  # whether somebody observes 19/0/0, where the module itself answers the server; None not known
    update_since = 0  # seconds by now(): the module has been updating its own firmware since then; 0 it does not
    now: "Callable[[], int] | None" = None  # seconds that go on over sleep, for the limit of an update; None: no limit
    may_hold: "Callable[[], bool] | None" = None  # whether the battery has the charge for an update

    def __init__(self, at: "Any", pins: "Any" = None, **options: "Any") -> None:
        self.options: "dict[str, Any]" = dict(self.OPTIONS)
        for name in options:
            if name not in self.options:
                raise ValueError("option %s: expected one of %s" % (name, " ".join(sorted(self.options))))
            self.options[name] = options[name]
        Network.__init__(self, at, pins)
        at.timeout_ms = self.options["command_ms"]
        self.on_request: "Callable[[Request], Response] | None" = None
        self.on_event: "Callable[[str, Any], None] | None" = None
        self.capabilities = self._capabilities()
        self.reports = Reports(self.clock, self.options["in_flight"])
        self.server: "Server | None" = None
        self.objects: "Any" = ()
        self.observed: "list[Path]" = []
        self.failures = 0  # of start and bring_back in a row that did not reach module or server
        self._status = _UNKNOWN
        self._configured = 0  # checksum of the account that the module was found to hold, 0 unknown
        self._declared = 0  # the same of the objects
        self._restart_due = False  # something was written that holds only after a restart, however long ago
        self._restart_expected = False
        self._waiting: "list[tuple[Any, Any]]" = []  # (Request, data of the family) or (work, its arguments), oldest first
        self._refused: "list[tuple[Request, Any]]" = []  # requests that found the queue full, without their values
        self._after: "list[Callable[[], None]]" = []  # what answers have left to be done once the last is out: a restart, say
        self._answering = False
        at.on_restart = self._on_restart
        for prefix in self.URC_PREFIXES:
            at.subscribe(prefix, self._on_urc, self.VALUES.get(prefix, 0))

    def check(self, server: "Server") -> None:
        """Refuse what this module cannot carry, without a word to it: ValueError or Unsupported, by key. Ranges are for
        lwnode.config, which knows each family's."""

    # ---- what every family brings: for the reader and the type checker, no functions on the heap ------------------

    if TYPE_CHECKING:

        @property
        def deadline_ms(self) -> int:
            """Longest time from publish to the outcome of one message."""

        def _heard(self, name: str, *values: "Any") -> None:
            """The effect of a URC whose row in URCS is its argument pattern alone."""

        def configure(self, server: "Server") -> bool:
            """Read, compare, write what differs. True: a restart is needed before it holds."""

        def declare(self, objects: "Any") -> bool:
            """Make the module know these (object, instance, resource ids). True: a restart is needed before it holds."""

        def undeclare(self, object_id: int) -> bool:
            """Take one object, all instances, from the module. True where it is gone. Unsupported where it cannot."""

        def bootstrap(self, timeout_ms: int = 120000) -> bool:
            """Ask the bootstrap server for accounts; the registration that follows is part of it. Unsupported: as above."""

        def register(self, timeout_ms: int) -> bool:
            """Register at the server, or say True at once where that is done."""

        def update(self, lifetime: "int | None" = None, binding: "str | None" = None, objects: bool = False) -> bool:
            """Refresh the registration, changing what is given. True where the server agreed."""

        def deregister(self) -> bool:
            """Leave the server. True where it agreed, or where there was no registration."""

        def forget(self) -> None:
            """Erase what the module keeps about servers and objects: the step before another server."""

        def status(self) -> int:
            """Ask the module: one of the constants of lwnode.modem."""

        def recover(self, timeout_ms: int = 30000) -> bool:
            """Take up the session kept over the module's sleep. True where the server is reachable again."""

        def publish(self, readings: "Any", confirm: bool = True) -> int:
            """Send (path, type, text or bytes, when) records; returns the ticket that on_event will name."""

        def sleep(self) -> bool:
            """Let the module sleep. True where its sleep was confirmed by event or status pin."""

        def wake(self) -> bool:
            """Wake the module for a session that goes on. False where it does not answer."""

        def _capabilities(self) -> Capabilities: ...

        def _parse_urc(self, line: str) -> "tuple[str, list[Any]]":
            """(name in URCS, fields) of a line."""

        def _greet(self) -> None:
            """Settings that the module forgets when it restarts."""

    def answer(self, request: Request, response: Response, data: "Any") -> None:
        """Send the answer of a request that request() was given, with its data; called from the queue alone.

        Here for a module that has answered by itself (pipe): a refusal changes nothing for the server.
        """
        if response.code >= 400:
            self._count("writes_refused")

    # ---- power ------------------------------------------------------------------------------------------------

    def start(self, pulse: bool = True) -> bool:
        """Find the module (switch it on where it is silent), learn its revision and dialect. False where nothing answers.

        pulse False: a silent one is not power-cycled, which takes a minute of awake time (recovery.hard_steps_due). Raises
        AtError where the module says that it is another family's.
        """
        self._configured = self._declared = 0
        # Silent where pins can tell: asleep since before this host's power-on, or off. It is not asked for long.
        found = self._begin(self.pins is not None) or self._roused() and self._begin()
        if not found and not (pulse and power_cycle(self)):
            self.failures += 1
            return False
        model = self._answer_to("AT+CGMM", prefix="")[0].upper()
        for name in _MODELS:
            family = "me910c1" if name[0] in "MN" else name.lower()  # Telit's three are one
            if name in model and family != self.FAMILY:
                self.refusal = 'module: AT+CGMM says %s, config.json says "family": "%s"; set "family": "%s"' % (
                    model, self.FAMILY, family)
                self._emit("refused", self.refusal)
                raise AtError(self.refusal)
        return True

    def _roused(self) -> bool:
        """Pulse the pin that ends sleep, where the family has one; True where the module answers then."""
        return False

    def _begin(self, short: bool = False) -> bool:
        """The line in order, revision and dialect known, and what the module forgets when it restarts said again."""
        expected, self._restart_expected = self._restart_expected, True
        try:
            self.at.sync(BRIEFLY if short else None)
            before, self.revision = self.revision, self._answer_to("AT+CGMR", prefix="")[0]
            if self.update_since and before and self.revision not in ("", before):
                self._note_update("done")
            self._greet()
            self.capabilities = self._capabilities()
        except BudgetExceeded:
            raise
        except AtError:
            return False
        finally:
            self._restart_expected = expected
        return True

    def restart(self) -> bool:
        """Reset by command; what was registered may be gone, what was configured holds now. True where it answers again."""
        if self.updates():
            return False
        self._answer_server()
        self._emit("restarting", "command")
        self._restart_expected = True
        try:
            self._forget_session("module restarted")
            self.ask(self.at.send, self.RESTART)
            self.at.poll(_DOWN_MS)
            for _ in range(_BOOT_TRIES):
                if self._begin():
                    self._restart_due = False
                    self._emit("restarted", "command")
                    return True
            return False
        finally:
            self._restart_expected = False

    def _note_update(self, state: str) -> None:
        """The module's own firmware (object 5): it says that it loads or installs another one, or that this is over."""
        over = state in ("done", "failed", "given up")
        if over or not self.update_since:
            self.update_since = 0 if over else 1 if self.now is None else max(1, self.now())
        self._emit("firmware", state)

    def updates(self) -> bool:
        """Whether the module updates its firmware and must be left on: no sleep, no switch-off, no restart by us.

        By the option module_update ("never", "ask": once somebody has said allow(), "allow"), as long as the battery allows it
        and no longer than an hour.
        """
        if not self.update_since or self.options["module_update"] != "allow":
            return False
        if self.now is not None and not 0 <= self.now() - self.update_since < _UPDATE_S:
            self._note_update("given up")
            return False
        return self.may_hold is None or self.may_hold()

    def allow(self, request: str) -> None:
        """A person, or the application, lets an update of the module's firmware go on (module_update "ask")."""
        self.options["module_update"] = "allow"

    def power_off(self) -> bool:
        """Detach and switch off. True where the module agreed."""
        self._close_requests()
        self._forget_session("module switched off")
        return self.ask(self.at.send, self.POWER_OFF, timeout_ms=_OFF_MS) is not None

    def _off_instead(self) -> bool:
        """Whether a module that is awake without PSM is switched off between contacts: none is granted, a power key wired."""
        granted = self.granted()
        return granted is not None and granted[1] < 0 and self.pins is not None and self.pins.get("power_key") is not None

    def _switch_off(self) -> bool:
        """power_off(), and the refusal is remembered until the module has been switched on again."""
        timers = self.timers
        done = self.power_off()
        self.timers = timers
        return done

    def _confirm_sleep(self) -> bool:
        """Wait until the module is seen asleep, as long as the option sleep_confirm_ms says; it is left alone meanwhile."""
        done = self._await(
            lambda: self._asleep or (self.pins is not None and self.pins.get("status") is False),
            self.options["sleep_confirm_ms"], answer=False)
        if not done:
            self._count("sleep_unconfirmed")
        return done

    def snapshot(self) -> bytes:
        """What must be known after the host's deep sleep: 22 bytes, 6 for each observation, the revision; no secret."""
        revision = self.revision.encode()[:40]
        data = struct.pack(
            _HEAD, _SNAPSHOT, min(self.failures, 255), self._status, self._restart_due, self._configured, self._declared,
            self.update_since, len(revision), len(self.observed), self.timers)
        for path in self.observed:
            data += struct.pack(">HHH", *[65535 if part is None else part for part in path.ids])
        return data + revision

    def restore(self, data: "bytes | None") -> bool:
        """Take up a snapshot. False where it is missing, damaged or of another driver: start cold."""
        size = struct.calcsize(_HEAD)
        if not data or len(data) < size or data[0] != _SNAPSHOT:
            return False
        values = struct.unpack_from(_HEAD, data)
        end = size + 6 * values[8]
        if len(data) != end + values[7]:
            return False
        (_, self.failures, status, due, self._configured, self._declared, self.update_since, _, _, self.timers) = values
        self._status = min(status, _DEREGISTERED)
        self._restart_due = due > 0
        self.observed = []
        for at in range(size, end, 6):
            self.observed.append(path_of(*[-1 if part == 65535 else part for part in struct.unpack_from(">HHH", data, at)]))
        self.revision = bytes(data[end:]).decode()
        self.capabilities = self._capabilities()
        return True

    # ---- waiting ----------------------------------------------------------------------------------------------

    def service(self, timeout_ms: int, quiet_ms: "int | None" = None, released: bool = False) -> None:
        """Answer the server and take results for that long; every event comes from here (or from another wait).

        quiet_ms: back before, once nobody has said anything for so long (spoken_at). released: the radio was let go.
        """
        self.settle(timeout_ms, True, quiet_ms)

    def settle(self, timeout_ms: int, serve: bool = False, quiet_ms: "int | None" = None) -> bool:
        """As service, but back as soon as no ticket is open. True where none is."""
        end = self.at.deadline(timeout_ms)
        while True:
            self._upkeep()
            self._answer_server()
            while serve and self._after:
                self._after.pop(0)()
            nearest = self.reports.expire()
            self._tell_outcomes()
            left = self.at.left(end)
            if quiet_ms is not None and not self.reports:
                left = min(left, self.at.left(self.clock.ticks_add(self.spoken_at, quiet_ms)))
            if left <= 0 or not (serve or self.reports):
                return not self.reports
            # In slices: what falls due meanwhile shall not wait for the rest of the time.
            self._listen(min(left, nearest, _SLICE_MS), lambda: not (serve or self.reports))

    def _await(self, done: "Callable[[], bool]", timeout_ms: int, answer: bool = True) -> bool:
        """Wait until done() is true, answering the server meanwhile. False where it was not in time."""
        end = self.at.deadline(timeout_ms)
        while not done():
            left = self.at.left(end)
            if left <= 0:
                return False
            if answer:
                self._listen(min(left, _SLICE_MS), done)
                self._answer_server()
            else:
                self.at.poll(min(left, _SLICE_MS), until=done)
            self.reports.expire()
        return True

    def _lightly(self, wait: "Callable[..., object]", *given: "Any") -> bool:
        """wait(*given), in light sleep where the board has one. Whether a line has ended that: its begin was lost."""
        at = self.at
        at.light_sleep = self.light_sleep
        try:
            wait(*given)
        finally:  # a spent budget ends waits too
            torn = at.light_sleep is None and self.light_sleep is not None
            at.light_sleep = None
        return torn

    def _listen(self, timeout_ms: int, done: "Callable[[], bool]") -> None:
        """Take URCs until there is something to answer, or done() is true."""
        self.at.poll(timeout_ms, until=lambda: not self._answering and bool(self._waiting) or done())
        if self._waiting:
            self.at.poll(0)  # what has come by now too: a registration ends what was asked before it

    def trip(self, begun: int) -> None:
        """Something said at that tick has just been answered; beyond 15 s it was sent twice."""
        self.round_trip_ms = min(self.clock.ticks_diff(self.clock.ticks_ms(), begun), 15000)

    def abandon(self) -> None:
        """Wait no longer: what is on its way has failed, and a late result is nobody's."""
        self.reports.expire(now=True)
        self._tell_outcomes()

    def _upkeep(self) -> None:
        """Work of some length that a URC has left to service() and settle(), a restart say."""

    def _wait_for_room(self) -> None:
        """Wait until one more message may be in flight."""
        self._await(lambda: len(self.reports.in_flight) < self.reports.limit, self.deadline_ms)

    def _busy(self) -> bool:
        """Whether the module works at the session by itself: nothing may be configured or registered meanwhile."""
        return self._bootstrapping or self._status in (_REGISTERING, _RECOVERING)

    def wait_while_busy(self, timeout_ms: int) -> int:
        """The state in which the module's own work at the session ends; its URC may be lost, so it is asked too."""
        at, armed = self.at, self.light_sleep if self.ASKABLE else None
        end = at.deadline(timeout_ms)
        while True:
            at.light_sleep = armed
            self._await(lambda: not self._busy() or at.light_sleep is not armed, min(_LOOK_MS, max(0, at.left(end))))
            if armed is not None and at.light_sleep is None:
                at.poll(_TORN_MS)  # the end of a line whose begin was slept through
            at.light_sleep = None
            if self._busy():
                self.status()
            if not self._busy() or at.left(end) <= 0:
                return self._status

    # ---- requests of the server -------------------------------------------------------------------------------

    def request(self, request: Request, data: "Any" = None) -> None:
        """From the handler of a URC: the server asks. Answered by answer(request, response, data) when a verb waits."""
        self.spoken_at = self.clock.ticks_ms()
        size = len(request.value)
        for item in self._waiting:
            size += len(item[0].value) if isinstance(item[0], Request) else 0
        if len(self._waiting) < _QUEUE and (not self._waiting or size <= _QUEUE_BYTES):
            self._waiting.append((request, data))
        elif len(self._refused) < _QUEUE:
            self._count("requests_refused")
            request.value = b""
            self._refused.append((request, data))
        else:
            self._count("requests_lost")

    def later(self, function: "Callable[..., Any]", *args: "Any") -> None:
        """From the handler of a URC: work(*arguments) wants a command. Done in order with the requests, once if said twice."""
        item = (function, args)
        if item not in self._waiting:
            if len(self._waiting) < 2 * _QUEUE:
                self._waiting.append(item)
            else:
                self._count("requests_lost")

    def _answer_server(self) -> None:
        """Empty the queue: of each request the node's response, the module's answer, and what follows from it.

        The one place from which the server is answered, and never from within an answer.
        """
        if self._answering or not (self._waiting or self._refused):
            return
        self._answering = True
        try:
            while self._waiting or self._refused:
                refused = not self._waiting
                request, data = (self._refused if refused else self._waiting).pop(0)
                try:
                    if not isinstance(request, Request):
                        request(*data)
                        continue
                    response = Response(503 if refused else 404)
                    if not refused and self.on_request is not None:
                        try:
                            response = self.on_request(request)
                        except BudgetExceeded:
                            raise
                        except Exception:  # whatever an application's handler raises; Ctrl-C is none of it
                            self._count("handler_errors")  # a 5.00 for the server, never the node's wake
                            response = Response(500)
                    self.answer(request, response, data)
                    self.spoken_at = self.clock.ticks_ms()
                except BudgetExceeded:
                    raise
                except AtError:
                    # A dialogue that breaks here must not cost the caller of service() a turn.
                    self._count("refused_commands")
                    continue
                operation = request.operation
                if operation == "cancel" or operation == "observe" and response.code in (204, 205):
                    self._observe(request.path, operation == "cancel")
                if response.after is not None:
                    self._after.append(response.after)
        finally:
            self._answering = False
        self._tell_outcomes()

    def _observe(self, path: Path, cancel: bool) -> None:
        """The server observes a path, or no longer does; no module keeps a list that could be asked for."""
        self.spoken_at = self.clock.ticks_ms()
        if cancel == (path in self.observed):
            (self.observed.remove if cancel else self.observed.append)(path)
        self._emit("cancelled" if cancel else "observed", path)

    def _close_requests(self) -> None:
        """Before the module sleeps or goes off: nothing that the server has asked is left waiting."""
        self._answer_server()
        while self._after:
            self._after.pop(0)()

    def _on_indication(self, name: str, args: "list[str | None]") -> None:
        """Quectel's +QIND: "FOTA","HTTPSTART" ... "UPDATING",37 ... "END",0 (its DFOTA guides; the LwM2M guides are silent)."""
        stage = str(args[0]) if name == "FOTA" and args else ""
        if stage.endswith("END"):
            if args[1:] not in ([], ["0"]):
                self._note_update("failed")
            elif stage == "END":
                self._note_update("done")
        elif stage:
            self._note_update("update" if stage == "UPDATING" else "download")

    # ---- lines that nobody asked for --------------------------------------------------------------------------

    def _on_urc(self, line: str) -> None:
        """One URC through the family's table; a line that does not fit is counted and survived."""
        name, values = self._parse_urc(line)
        row = self.URCS.get(name)
        arguments = None if row is None else _arguments(row if isinstance(row, str) else row[0], values)
        if row is None or arguments is None:
            self._count("unknown_urcs" if row is None else "malformed_urcs")
            return
        if isinstance(row, str):
            self._heard(name, *arguments)
        else:
            row[1](self, *row[2:], *arguments)
        self._tell_outcomes()

    def _on_restart(self, *_: "Any") -> None:
        """The module's boot banner came: expected after restart() and wake(), a loss of state otherwise."""
        if not self._restart_expected:
            self._count("restarts_seen")
            self._forget_session("module restarted")
            self._emit("restarted", "by itself")

    def _forget_session(self, reason: str) -> None:
        """What module, server and network had agreed on is gone; a request without its module is nobody's."""
        self.timers = self.timers[:2] + b"\0\0"
        self._status = _UNKNOWN
        self._waiting = [item for item in self._waiting if not isinstance(item[0], Request)]
        self._refused = []
        self.reports.expire(reason)
        self._tell_outcomes()

    def _session_stands(self, event: "str | None", value: "Any" = None) -> None:
        """The server has just been heard of: "registered" (anew), "recovered", "updated", or None for no event."""
        self._status = _REGISTERED
        self.failures = 0
        if event == "registered":
            # A new registration has no observations, and those that wait were made of the old one.
            self.observed = []
            self._waiting = [item for item in self._waiting if getattr(item[0], "operation", "") != "observe"]
        if event is not None:
            self._emit(event, value)

    def _session_lost(self, status: int, reason: str) -> None:
        """The session is gone; the node is told once."""
        before, self._status = self._status, status
        if before == _REGISTERED:
            self._emit("lost", reason)

    def _tell_outcomes(self) -> None:
        outcomes, self.reports.outcomes = self.reports.outcomes, []
        for name, detail in outcomes:
            self._emit(name, detail)

    def _emit(self, name: str, value: "Any" = None) -> None:
        if self.on_event is not None:
            self.on_event(name, value)

    def _count(self, name: str, count: int = 1) -> None:
        self.stats[name] = self.stats.get(name, 0) + count

    # ---- steps of a dialogue ----------------------------------------------------------------------------------

    def _retry(self, step: "Callable[..., Any]", *values: "Any", times: int = 3, **how: "Any") -> "Any":
        """A step that reads, compares and writes what differs, up to three times where the line loses an answer.

        So too where the module says a plain ERROR although it has been told to give numbers (field_quirks 2.2).
        """
        while True:
            times -= 1
            try:
                return step(*values, **how)
            except (AtTimeout, LinkError, CommandError) as error:
                if not times or getattr(error, "code", None) is not None:
                    raise
                self._count("steps_repeated")

    def ask(self, function: "Callable[..., Any]", *parameters: "Any", **keywords: "Any") -> "Any":
        """call(...), or None where the module refused or stayed silent; an exhausted budget passes."""
        try:
            return function(*parameters, **keywords)
        except BudgetExceeded:
            raise
        except AtError:
            self._count("refused_commands")
            return None


def _arguments(pattern: str, values: "list[str | None]") -> "list[Any] | None":
    """Fields by pattern, or None where they do not fit."""
    taken: "list[Any]" = []
    try:
        for index, kind in enumerate(pattern):
            if kind == "*":
                taken.append(values[index:])
                return taken
            value = values[index]
            if kind == "s":
                taken.append(value or "")
                continue
            found = int(value or "")
            if kind == "o" and not -1 <= found <= 65535:
                return None
            taken.append(found)
    except (ValueError, IndexError):
        return None
    return taken


def by_length(line: str, count: int) -> "tuple[list[str | None], bytes, list[str | None]] | None":
    """(fields before the value, value, fields behind it) of a line whose field number `count` says how many bytes it has.

    They may come as they are or as twice as many hexadecimal digits, with quotes around them or without; whatever they look
    like, they are the value. None where the length does not fit.

    >>> by_length('+QLWDLDATA: "/10250/0/1",4,5,"a",OK"', 3)
    (['/10250/0/1', '4', '5'], b'a",OK', [])
    """
    comma = -1
    for _ in range(count):
        comma = line.find(",", comma + 1)
        if comma < 0:
            return None
    head = split_fields(line[:comma])
    body = line[comma + 1:].encode()
    quoted = body[:1] == b'"'
    length = number(head, -1, 0, len(body))
    for size in () if length is None else (2 * length, length):
        value = body[quoted:quoted + size]
        behind = body[quoted + size:]
        if len(value) < size or (behind[:1] != b'"' if quoted else behind[:1] not in (b"", b",")):
            continue
        if size == length or not value.strip(b"0123456789ABCDEFabcdef"):
            value = value if size == length else bytes.fromhex(str(value, "utf-8"))
            return head, value, split_fields(str(behind[quoted:], "utf-8").lstrip(","))
    return None


def path_of(object_id: int, instance: int = -1, resource: int = -1) -> Path:
    """A Path from the modules' numbers, where -1 means all below."""
    if instance < 0:
        return Path(object_id)
    return Path(object_id, instance, None if resource < 0 else resource)
