"""One node: a board, a module and a tree of sensors, and the cycle of its wakes.

    from lwnode.board import open_board
    from lwnode.node import Node
    from lwnode.config import read
    node = Node(open_board(definition), read(), sensors.declare)
    node.run()            # for years: sample, report, answer, sleep

or by hand at the REPL:

    >>> node.wake()       # one cycle; returns how long to sleep, in milliseconds
    58211

A cycle (design, "A wake"): retained state -> features -> due slots -> sample -> journal -> contact -> module to
sleep -> features -> state saved. An alarm, a threshold crossed or a wake pin, is reported at once. What speaks with the module
is imported for the first contact (connect); a wake that only samples goes without. It is right entered either way: on a board
that keeps its RAM `run` loops, on one that does not the port starts main.py again and `run` is entered anew.

Bounds: one wake lasts at most `awake_budget` seconds; the watchdog is fed from waits of the AT driver and from between the
steps, nowhere else; a reading is in the journal before anything is sent. On an ESP32 the state and the journal's newest
readings share 1 KB of RTC memory.
"""

import gc
import sys

from micropython import const

from lwnode.lwm2m import ObjectTree, pack_record
from lwnode.node.registration import RegistrationState
from lwnode.power import Backoff, Clock, FileStore, Journal, RetainedState, Schedule, device_offset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from lwnode.config import Settings
    from lwnode.node.contact import Contact

# A warm-up shorter than this is waited out; a longer one runs while the module is woken.
_SLOW_MS = const(300)
# A wake pin is not listened to for so long after it has woken the board.
_MASKED_MS = const(60000)
# Bytes allocated between two collections once much lives, a small part of a board's heap: what lives long then lies together.
_COLLECT_EVERY = const(8192)
# Between two contacts that are tried for alarms although an earlier one could not be told.
_ALARM_EVERY_S = const(3600)


class Node:
    """Composes the packages and runs the wake cycle.

    `declare(tree, board)` adds the sensors and actuators (firmware/sensors.py). `trace(direction, bytes)` sees the AT
    dialogue with secrets redacted. `files` are the file operations of a FileStore, the interpreter's own by default.
    """

    at: "Any" = None  # with modem, session and delivery: there from the first contact on
    modem: "Any" = None
    session: "Any" = None
    delivery: "Any" = None
    contacts: "Contact | None" = None
    guard: "Any" = None  # the crash guard of main.py, which has counted the resets
    wakes = 0
    may_contact = 2  # in this wake: 0 never, 1 for alarms, 2 as the schedule says
    rest_s = 0  # nothing but sleep, so many seconds of it
    sleeps_by: "Callable[[], None] | None" = None  # what a feature has put into the place of Board.sleep
    awake_until: "int | None" = None  # ticks: somebody wants to reach this node by cable
    urgent = False  # an alarm waits
    _alarm = False  # since this wake
    unsampled = False  # this wake's readings have not been taken yet
    reached: "bool | None" = None  # how this wake's contact ended; None where none was due
    contact_ms = 0
    stayed_awake = False  # it has waited since the last wake, and not slept
    exchanges = 0  # registrations, updates and recoveries of that contact
    last_error = ""
    woke_at: "int | None" = None  # ticks, for the budget; none outside a wake: a person at the REPL has all the time
    moved = 0  # seconds by which the clock was set, until the slot served in this contact has followed
    module_off = False  # switch the module off this time, instead of sending it to sleep
    module_awake = 0  # times that it was found awake although it was sent to sleep
    pins_masked = False  # a wake pin has just woken the board
    feature_faults = 0  # features that raised and were switched off for that wake

    def __init__(self, board: "Any", config: "Settings", declare: "Callable[[ObjectTree, Any], None]",
                 files: "Any" = None, trace: "Callable[..., None] | None" = None) -> None:
        self.board, self.config, self.trace = board, config, trace
        self.tree = ObjectTree(board.clock)
        self.tree.idle, self.tree.light_sleep = board.feed, getattr(board, "light_sleep", None)
        if config.history != "pack":
            self.tree.container = None
        declare(self.tree, board)
        self.clock = Clock(board.clock)
        self.tree.now = self.clock.now
        self.files = FileStore("state", files)
        self.flash = files  # None: the interpreter's own
        self.state = RetainedState(board.retained, 1, behind=self.files)
        # Where no memory outlives a reset (RP2) the journal keeps a batch in RAM and goes to flash with it.
        self.journal = Journal(self.state if board.retained.size else None, self.files,
                               limit_bytes=config.journal_bytes, batch=config.journal_batch)
        offset = device_offset(board.unique_id(), config.sample_every, config.spread)
        self.sampling = Schedule(config.sample_every, offset)
        self.reporting = Schedule(config.report_every, offset)
        self.backoff = Backoff()
        self.registration = RegistrationState(config, self.clock)
        self.wake_on = tuple(getattr(board.definition, "WAKE", ()))
        self.warnings: "dict[str, str]" = {}  # what a person should look after, in words
        if config.source:
            # The board's own boot could not mount the filesystem, or config.json is not what it was.
            self.warn("filesystem" if config.source.startswith("filesystem") else "settings",
                         "settings from the backup copy: " + config.source)
        # What survives sleep, by its name in the retained state; the driver's "modem" and the features come to it.
        self.parts: "dict[str, Any]" = {
            "clock": self.clock, "sampling": self.sampling, "reporting": self.reporting, "backoff": self.backoff,
            "session": self.registration, "tree": self.tree}
        self.orders: "dict[str, Callable[[bool], None]]" = {}  # what features can be told by a server, by name
        self.features: "list[Any]" = [feature() for feature in config.features]
        self.ask("attach")
        for name in self.parts:
            data = self.state.load(name)
            if data is not None:
                self.parts[name].load(data)
        self.urgent = self.state.load("urgent") == b"1"
        self.ask("restore")
        self.fresh = self.journal.next_number
        if board.reset_cause() in ("power_on", "brown_out"):
            # A contact soon, but at this device's own time: a thousand nodes may have got their power together. The slot served
            # last says nothing, the count of time has begun anew; who is at the cable does not wait.
            now = self.clock.now()
            self.reporting.served = None
            if self.registration.may_contact(now) and not board.stay_awake():
                self.registration.silent_until = now + self.sampling.offset_s

    # -- the cycle ---------------------------------------------------------------------------------------------------

    def run(self, guard: "Any") -> None:
        """Cycle for ever; tells the crash guard of each completed wake. Leaves only by an exception."""
        self.guard = guard
        cause = self.board.wake_cause()
        while True:
            pause = self.wake(cause)
            guard.completed(self.reached is not None)
            swap = sys.modules.get("swap")  # an update was staged, or is on trial
            if swap is not None and swap.cycle(self.reached):
                self.restart("update")
            if self.state.restart:
                self.restart("state")  # what could not be read at the start can be now
            cause = self._wait(pause)
            if self.config.planned_restart and self.wakes >= self.config.planned_restart:
                self.restart("heap")

    def restart(self, reason: str) -> None:
        """Restart the board by our own order: what has been kept in RAM goes to flash before."""
        self.save(True)
        self.guard.planned(reason)
        self.board.restart(reason)

    def wake(self, cause: str = "timer") -> int:
        """Do what is due, once; return the milliseconds until something is due again.

        A module that does not answer, refuses or restarts costs this contact, never a reading: AtError and
        BudgetExceeded end the contact and are counted, the journal keeps what was not acknowledged.
        """
        self.wakes += 1
        # What an earlier wake has taken is history by now, also where RAM is kept.
        self.fresh = self.journal.next_number
        self.board.watchdog(self.config.watchdog)
        self.woke_at = self.board.clock.ticks_ms()
        self.reached, self.contact_ms, self._alarm, self.module_off, self.pins_masked = None, 0, False, False, False
        self.may_contact, self.rest_s, self.reporting.stretch, self.journal.batch = 2, 0, 1, self.config.journal_batch
        now = self.clock.now()
        journal = self.journal
        self.warn("flash", "flash refused %d times, %d readings unreadable" % (journal.errors, journal.unreadable)
                     if journal.errors else "")
        for feature in self.features:
            feature.off = False
        self.ask("before_wake", cause, now)
        slot = None if self.rest_s else self.sampling.due(now)
        if slot is not None:
            self.sampling.serve(slot)
            self.unsampled = True
        # A slow sensor warms up while the module is woken; what is quick is in the journal before that.
        if self.unsampled and self.tree.start(self.clock.unix()) < _SLOW_MS:
            self.collect()
        wanted = self._contact_due()
        if wanted is not None:
            self.save()
            begun = self.board.clock.ticks_ms()
            contacts = self.connect()
            contacts.contact()
            contacts.conclude(wanted[0])
            self.contact_ms = max(0, self.board.clock.ticks_diff(self.board.clock.ticks_ms(), begun))
            self.ask("after_contact", bool(self.reached))
        self.collect()
        self.ask("before_sleep", self.clock.now())
        self.save()
        self.board.watchdog_stop()
        self.woke_at = None
        return self.pause()

    def _contact_due(self) -> "tuple[int | None] | None":
        """Return a tuple where the server is to be contacted now: (slot to serve,), or (None,) between the slots.

        That is for an alarm, and where the server has shortened the lifetime. None: no contact now.
        """
        now = self.clock.now()
        slot = self.reporting.due(now)
        registration = self.registration
        if (slot is None and not self.urgent and not registration.is_due(now)) or not registration.may_contact(now):
            return None
        if self.may_contact < (1 if self.urgent else 2):
            if slot is not None:
                self.reporting.serve(slot)  # by policy nobody is contacted in this slot; readings wait for the next one
            return None
        return (slot,) if self._alarm or not self.backoff.remaining(now) else None

    def _wait(self, pause: int) -> str:
        """Sleep, or wait awake while somebody wants this node at a cable; returns what ended it, as Board.sleep does."""
        board, clock = self.board, self.board.clock
        self.stayed_awake = self.sleeps_by is None and (self.awake_until is not None or board.stay_awake())
        if self.sleeps_by is not None:
            self.flush()
            self.sleeps_by()
            return ""
        if not self.stayed_awake:
            if self.pins_masked:
                pause = min(pause, _MASKED_MS)
            if board.cuts_power:
                self.flush()
            return str(board.sleep(pause, () if self.pins_masked else self.wake_on))
        end = clock.ticks_add(clock.ticks_ms(), pause)
        while clock.ticks_diff(end, clock.ticks_ms()) > 0 and (self.awake_until is not None or board.stay_awake()):
            clock.sleep_ms(100)
            board.feed()
            if self.awake_until is not None and clock.ticks_diff(self.awake_until, clock.ticks_ms()) <= 0:
                self.awake_until = None
        return ""

    def pause(self) -> int:
        """Return the milliseconds until something is due that may be done."""
        now = self.clock.now()
        if self.rest_s:
            return int(self.clock.sleep_ms(self.rest_s))
        wait = 0 if self.urgent and self.may_contact else self.reporting.seconds_to_next(now)
        renewal = self.registration.renewal()
        if renewal is not None and self.may_contact == 2:
            wait = min(wait, renewal - now)
        contact = max(wait, self.backoff.remaining(now), self.registration.silent_until - now)
        wait = min(self.sampling.seconds_to_next(now), contact)
        return self.clock.sleep_ms(max(1, wait))

    # -- readings and contacts ---------------------------------------------------------------------------------------

    def sample(self) -> None:
        """Read every sensor and put what the rules keep into the journal, before anything else can fail."""
        unix = self.clock.unix()
        self.tree.recent = []
        self.tree.sample(unix)
        if [row for row in self.tree.rows if row.failures]:
            self.board.free_i2c()  # a sensor cut off amid a byte holds the bus for all
        self.keep(self.tree.reports(unix), unix)
        for _, _, reason in self.tree.recent:
            # A threshold was crossed, in either direction: gt and lt of lwnode.lwm2m.rules.
            if reason.startswith("sent: rose") or reason.startswith("sent: fell"):
                self.alarm()
        self.board.feed()

    def alarm(self) -> None:
        """Have the server contacted at once: slot, budget and a better signal are not waited for, nor the back-off.

        But while an earlier alarm waits the back-off is passed once an hour at most.
        """
        self._alarm = self._alarm or not self.urgent or self.clock.now() - self.backoff.since >= _ALARM_EVERY_S
        self.urgent = True

    def collect(self) -> None:
        """Take the readings of this wake, if they have not been taken yet."""
        if self.unsampled:
            self.unsampled = False
            self.sample()

    def keep(self, readings: "list[Any]", unix: "int | None") -> None:
        """Put readings (path, type, text or bytes, when) into the journal, stamped with their own time."""
        epoch, seconds = self.clock.stamp()
        for path, kind, value, when in readings:
            age = unix - when if unix is not None and when is not None else 0
            self.journal.append(pack_record(path, kind, value, (epoch, seconds - age)))

    def connect(self) -> "Contact":
        """Make what speaks with the module, once: at, modem, session and delivery are there from then on."""
        if self.contacts is None:
            if hasattr(gc, "threshold"):
                gc.collect()
                gc.threshold(_COLLECT_EVERY)
            from lwnode.node.contact import Contact
            self.contacts = Contact(self)
        return self.contacts

    def contact(self) -> bool:
        """Contact the server now, whatever the schedule says. Returns whether all arrived."""
        return self.connect().contact()

    def close(self) -> None:
        """Send the module to sleep."""
        self.connect().close()

    # -- features ----------------------------------------------------------------------------------------------------

    def warn(self, key: str, text: str) -> None:
        """Note what a person should look after; no text: it is over."""
        if text:
            self.warnings[key] = text
        else:
            self.warnings.pop(key, None)

    def limit(self, contact: int = 2, stretch: int = 1, batch: int = 256, rest_s: int = 0) -> None:
        """Restrict this wake: contact 0 never, 1 for alarms; stretch of the reporting period; readings exposed; rest in s.

        The most restrictive wins.
        """
        self.may_contact = min(self.may_contact, contact)
        self.reporting.stretch = max(self.reporting.stretch, stretch)
        self.journal.batch = min(self.journal.batch, batch)
        self.rest_s = max(self.rest_s, rest_s)

    def ask(self, name: str, *given: "Any") -> "list[Any]":
        """Call that method of each feature that has it, and return what they say; one that raises is off for this wake."""
        said = []
        for feature in self.features[::-1] if name == "before_sleep" else self.features:
            method = None if feature.off else getattr(feature, name, None)
            if method is not None:
                try:
                    said.append(method(self, *given))
                except Exception as error:
                    feature.off = True
                    self.feature_faults += 1
                    print("lwnode: feature %s is off for this wake: %s: %s" % (feature.name, type(error).__name__, error))
        return said

    # -- state and time ----------------------------------------------------------------------------------------------

    def save(self, durable: bool = False) -> None:
        """Write what must survive: called while no answer of the module is outstanding. durable: to flash, at once."""
        values = {name: self.parts[name].dump() for name in self.parts}
        values["urgent"] = b"1" if self.urgent else b"0"
        self.ask("save", values)
        if self.modem is not None:
            values["modem"] = self.modem.snapshot()
        self.state.keep(values, durable)
        self.flush(durable)

    def flush(self, durable: bool = True) -> None:
        """Write what is kept in RAM as it is: before a restart, a sleep without end, and when main.py has caught a crash."""
        self.journal.flush(durable)
        self.state.commit()

    def save_tree(self) -> None:
        """Write what a server has changed to flash, before it has its answer. OSError: it could not be written."""
        self.state.save("tree", self.tree.dump(), durable=True)
        if not self.state.commit():
            self.tree.dirty = True
            raise OSError("flash")
