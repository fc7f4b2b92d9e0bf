"""One node: a board, a module and a tree of sensors, and the cycle of its wakes.

    from lwnode.board import open_board
    from lwnode.node import Node
    from lwnode.config import read
    node = Node(open_board(definition), read(), sensors.declare)
    node.run()            # for years: sample, report, answer, sleep

or by hand at the REPL:

    >>> node.wake()       # one cycle; returns how long to sleep, in milliseconds
    58211

A cycle (design, "A wake"): retained state -> due slots -> sample -> journal -> contact -> module to sleep -> state saved.
It is right entered either way: on a board that keeps its RAM `run` loops, on one that does not the port starts
main.py again and `run` is entered anew.

Bounds: one wake lasts at most `awake_budget` seconds; the watchdog is fed from waits of the AT driver and from
between the steps, nowhere else; a reading is in the journal before anything is sent.
"""

import sys
from micropython import const

from lwnode.at import AtClient, AtError, BudgetExceeded
from lwnode.lwm2m import ObjectTree, Request, Response
from lwnode.lwm2m import codec
from lwnode.modem import Unsupported, open_modem
from lwnode.node.delivery import HISTORY, Delivery
from lwnode.node.housekeeping import back_off_reason, set_options, unload
from lwnode.node.session import Session
from lwnode.power import Backoff, Clock, FileStore, Journal, RetainedState, Schedule, device_offset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable
    from lwnode.settings import Settings

# The hard stop of a wake: what sending the module to sleep may take when the budget is spent (low-power notes, 2.3).
_CLOSING_S = const(20)
# An ESP32's sleep clock is off by up to 5 % and learns from answers at least half an hour apart.
_RESYNC_S = const(3600)

# A warm-up shorter than this is waited out; a longer one runs while the module is woken.
_SLOW_MS = const(300)

# Everything that survives sleep, by its name in the retained state.
_PARTS = ("clock", "sampling", "reporting", "backoff", "session", "modem", "tree")


class Node:
    """Composes the rooms and runs the wake cycle.

    `declare(tree, board)` adds the sensors and actuators (firmware/sensors.py). `trace(direction, bytes)` sees the AT
    dialogue with secrets redacted. `files` are the file operations of a FileStore, the interpreter's own by default.
    """

    def __init__(self, board: "Any", config: "Settings", declare: "Callable[[ObjectTree, Any], None]",
                 files: "Any" = None, trace: "Callable[..., None] | None" = None) -> None:
        self.board = board
        self.config = config
        self.tree = ObjectTree(board.clock)
        if config.history != "pack":
            self.tree.container = None
        declare(self.tree, board)
        self.clock = Clock(board.clock)
        self.tree.now = self.clock.now
        self.files = FileStore("state", files)
        self.state = RetainedState(board.retained, 1, behind=self.files)
        # Where no memory outlives a reset (RP2) the journal keeps a batch in RAM and goes to flash with it.
        self.journal = Journal(self.state if board.retained.size else None, self.files,
                               limit_bytes=config.journal_bytes, batch=config.journal_batch)
        offset = device_offset(board.unique_id(), config.sample_every, config.spread)
        self.sampling = Schedule(config.sample_every, offset)
        self.reporting = Schedule(config.report_every, offset)
        self.backoff = Backoff()
        self.at = AtClient(board.uart(0), board.clock, trace=trace)
        self.modem = open_modem(config.family, self.at, pins=board.pins, apn=config.apn, pin=config.secret("pin"),
                                store=self.files, awake_budget_ms=int(config.awake_budget) * 1000, **config.options)
        set_options(self.modem.options, config)
        self.session = Session(self.modem, self.tree, config, self.clock, board.unique_id())
        self.delivery = Delivery(self.journal, self.tree, self.modem, self.clock, config)
        self.modem.on_request = self._answer
        self.modem.on_event = self._event
        self.at.idle = self._idle
        self.wakes = 0
        self.reached: "bool | None" = None  # whether this wake's contact was made; None where none was due
        self.contacts_failed = 0
        self.last_error = ""
        self._unsampled = False
        self._moved = 0
        self._budget_end: "int | None" = None  # none outside a wake: a person at the REPL has all the time
        self._fresh = 0
        self._restore()
        self._fit()
        self._loaded = set(sys.modules)
        self.session.tidy = self._tidy

    def check(self) -> str:
        """Return why this module cannot do what the configuration asks, by key, or nothing; asks the module nothing."""
        if self.session.configured:
            return ""
        try:
            self.modem.check(self.session.server())
        except (ValueError, Unsupported) as error:
            return str(error)
        return ""

    def run(self, guard: "Any") -> None:
        """Cycle for ever; tells the crash guard of each completed wake. Leaves only by an exception."""
        while True:
            pause = self.wake()
            guard.completed()
            swap = sys.modules.get("swap")  # an update was staged, or is on trial
            if swap is not None and swap.cycle(self.reached):
                guard.planned("update")
                self.board.restart("update")
            self._rest(pause)
            if self.config.planned_restart and self.wakes >= self.config.planned_restart:
                guard.planned("heap")
                self.board.restart("heap")

    def wake(self) -> int:
        """Do what is due, once; return the milliseconds until something is due again.

        A module that does not answer, refuses or restarts costs this contact, never a reading: AtError and
        BudgetExceeded end the contact and are counted, the journal keeps what was not acknowledged.
        """
        self.wakes += 1
        self.reached = None
        # What an earlier wake has taken is history by now, also where RAM is kept.
        self._fresh = self.journal.next_number
        self._start_budget(int(self.config.awake_budget))
        self.board.watchdog(self.config.watchdog)
        slot = self.sampling.due(self.clock.now())
        if slot is not None:
            self.sampling.serve(slot)
            self._unsampled = True
            # A slow sensor warms up while the module is woken; what is quick is in the journal before that.
            if self.tree.start(self.clock.unix()) < _SLOW_MS:
                self._collect()
        self._save()
        now = self.clock.now()
        slot = self.reporting.due(now)
        if slot is not None and self.backoff.ready(now) and self.session.may_contact(now):
            stats = self.at.stats
            heard, lost = stats.lines, stats.timeouts
            reached = self.contact()
            self._served(slot, reached, stats.lines - heard, stats.timeouts - lost)
            self.close()
        self._collect()
        self._save()
        self.board.watchdog_stop()
        self._budget_end = None
        self._tidy()
        return self.pause()

    def sample(self) -> None:
        """Read every sensor and put what the rules keep into the journal, before anything else can fail."""
        unix = self.clock.unix()
        self.tree.sample(unix)
        epoch, seconds = self.clock.stamp()
        for path, kind, value, when in self.tree.reports(unix):
            age = unix - when if unix is not None and when is not None else 0
            self.journal.append(codec.pack_record(path, kind, value, (epoch, seconds - age)))
        self.board.feed()

    def contact(self) -> bool:
        """Open the session, send what waits, answer the server for `listen` seconds. Returns whether all arrived."""
        try:
            if not self.session.open():
                return False
            self._tidy()
            self._sync_clock()
            self._collect()
            arrived, blind = self.delivery.flush(self._fresh), 0
            if arrived:
                self.delivery.refresh(self.session.declared_anew())
                self.modem.service(int(self.config.listen) * 1000)
                # An observation made just now lets go what waited for an observer.
                blind = self.delivery.unobserved
                arrived = self.delivery.flush(self._fresh, True)
                blind = self.delivery.unobserved - blind
            self.session.arrived(arrived and not blind)
            return arrived
        except AtError as error:
            self._failed(error)
            return False

    def _collect(self) -> None:
        """Take the readings of this wake, if they have not been taken yet."""
        if self._unsampled:
            self._unsampled = False
            self.sample()

    def _fit(self) -> None:
        """Hold the rows against what the module can carry, and say what was dropped (issue 6)."""
        capabilities = self.modem.capabilities
        self.tree.device_errors = capabilities.contract == "pipe"
        if capabilities.typed:
            self.tree.fit(capabilities.limits, capabilities.executes)
            if not self.session.configured:
                for sentence in self.tree.dropped:
                    print("lwnode:", sentence)

    def close(self) -> None:
        """Send the module to sleep; whether it did is counted by the driver. Has time of its own after a spent budget."""
        after, self.tree.after = self.tree.after, None
        if after is not None:
            after()  # what a command on 19/1/0 asked for once its answer is out, a restart say
        self._start_budget(_CLOSING_S)
        try:
            self.session.close()
        except AtError as error:
            self._failed(error)
        self._budget_end = None

    def _failed(self, error: AtError) -> None:
        # The kind of error is enough: its text may hold what the module said.
        self.last_error = type(error).__name__
        print("lwnode: contact ended by", self.last_error)

    def pause(self) -> int:
        """Return the milliseconds until something is due that may be done."""
        now = self.clock.now()
        contact = max(self.reporting.seconds_to_next(now), self.backoff.remaining(now),
                      self.session.silent_until - now)
        wait = min(self.sampling.seconds_to_next(now), contact)
        return self.clock.sleep_ms(max(1, wait))

    def _rest(self, ms: int) -> None:
        """Sleep until something is due; awake for as long as somebody sits at the cable or has set the jumper."""
        while ms > 0 and self.board.stay_awake():
            self.board.feed()
            self.board.clock.sleep_ms(min(ms, 1000))
            ms -= 1000
        if ms > 0:
            self.board.sleep(ms)

    def _start_budget(self, seconds: int) -> None:
        clock = self.board.clock
        self._budget_end = clock.ticks_add(clock.ticks_ms(), seconds * 1000)

    def _served(self, slot: int, reached: bool, heard: int, lost: int) -> None:
        self.reached = reached
        if reached:
            self.reporting.serve(slot)
            self.backoff.succeeded()
        else:
            self.contacts_failed += 1
            self.backoff.failed(self.clock.now(), back_off_reason(self.modem.refusal, heard, lost))
        # A slot is served under the name it had when it was due; then the network's time may rename it.
        self.reporting.rebase(self._moved)
        self._moved = 0

    def _tidy(self) -> None:
        """Drop what was loaded since the node was made: set-up, attach and packing are needed seldom, heap always."""
        unload(self._loaded)

    def _sync_clock(self) -> None:
        age = self.clock.age
        if self.clock.unix() is None or age is None or age >= _RESYNC_S:
            unix = self.modem.network_time()
            if unix is not None and self.clock.set_unix(unix, "network"):
                self._moved = self.clock.moved
                for part in (self.sampling, self.backoff, self.session):
                    part.rebase(self._moved)

    def _answer(self, request: Request) -> Response:
        """Answer the server from the tree; what a write changed is stored before the answer goes out."""
        response = self.tree.handle(request)
        if self.tree.dirty:
            self._save_tree()
        return response

    def _event(self, name: str, detail: "Any") -> None:
        if name == "delivered":
            self.delivery.settle(detail, True)
        elif name == "failed":
            self.delivery.settle(detail[0], False)
        elif name == "observed":
            self.tree.observe(detail)
        elif name == "cancelled":
            self.tree.cancel(detail)
        else:
            self.session.heard(name, detail)

    def _idle(self) -> None:
        """Called in every wait of the driver: the watchdog is fed, and a wake that lasts too long ends."""
        self.board.feed()
        clock = self.board.clock
        if self._budget_end is not None and clock.ticks_diff(self._budget_end, clock.ticks_ms()) <= 0:
            raise BudgetExceeded("awake for %d s, the budget of a wake" % self.config.awake_budget)

    def _save_tree(self) -> None:
        data = self.tree.dump()
        self.state.save("tree", data)
        self.files.save("tree", data)

    def _save(self) -> None:
        """Write what must survive: called while no answer of the module is outstanding."""
        for name, part in self._parts():
            self.state.save(name, part.snapshot() if name == "modem" else part.dump())
        self.journal.flush()
        self.state.commit()

    def _restore(self) -> None:
        for name, part in self._parts():
            data = self.state.load(name)
            if data is None and name == "tree":
                data = self.files.load(name)
            if data is not None:
                (part.restore if name == "modem" else part.load)(data)
        self._fresh = self.journal.next_number

    def _parts(self) -> "list[tuple[str, Any]]":
        return list(zip(_PARTS, (self.clock, self.sampling, self.reporting, self.backoff, self.session, self.modem,
                                 self.tree)))


__all__ = ("HISTORY", "Node")
