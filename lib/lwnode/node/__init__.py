"""One node: a board, a module and a tree of sensors, and the cycle of its wakes.

    from lwnode.board import open_board
    from lwnode.node import Node
    from lwnode.config import read
    node = Node(open_board(definition), read(), sensors.declare)
    node.run()            # for years: sample, report, answer, sleep

or by hand at the REPL:

    >>> node.wake()       # one cycle; returns how long to sleep, in milliseconds
    58211

A cycle (design, "A wake"): retained state -> battery, budget, pins (care) -> due slots -> sample -> journal -> contact ->
module to sleep -> what it cost (care) -> state saved. An alarm, a threshold crossed or a wake pin, is reported at once.
What speaks with the module is loaded for the first contact (contact.connect); a wake that only samples goes without.
It is right entered either way: on a board that keeps its RAM `run` loops, on one that does not the port starts
main.py again and `run` is entered anew.

Bounds: one wake lasts at most `awake_budget` seconds; the watchdog is fed from waits of the AT driver and from
between the steps, nowhere else; a reading is in the journal before anything is sent.
"""

import sys
from micropython import const

from lwnode.lwm2m import ObjectTree
from lwnode.lwm2m.commands import carry_out
from lwnode.node.costs import Costs
from lwnode.node.housekeeping import lasting, unload
from lwnode.node.keeping import Keeping
from lwnode.node.standing import Standing
from lwnode.power import Backoff, Clock, FileStore, Journal, RetainedState, Schedule, device_offset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable
    from lwnode.settings import Settings

# A warm-up shorter than this is waited out; a longer one runs while the module is woken.
_SLOW_MS = const(300)
# Once an hour health is brought up to date (lwnode.node.care).
_SETTLE_S = const(3600)
# A wake pin is not listened to for so long after it has woken the board.
_DEAF_MS = const(60000)


class Node(Keeping):
    """Composes the rooms and runs the wake cycle.

    `declare(tree, board)` adds the sensors and actuators (firmware/sensors.py). `trace(direction, bytes)` sees the AT
    dialogue with secrets redacted. `files` are the file operations of a FileStore, the interpreter's own by default.
    """

    may = 2  # contact in this wake: 0 never, 1 for alarms, 2 as the schedule says
    urgent = False  # an alarm waits
    _alarm = False  # since this wake
    module_off = False  # the module does not sleep: switch it off instead
    sleeps_by: "Callable[[], None] | None" = None  # what a feature has put into the place of Board.sleep
    feature_faults = 0  # features that raised and were switched off for that wake
    reached: "bool | None" = None  # how this wake's contact ended; None where none was due
    contact_ms = 0
    spent = 0  # exchanges of that contact beside its reports
    contacts_failed = 0
    last_error = ""
    budget_end: "int | None" = None  # none outside a wake: a person at the REPL has all the time
    guard: "Any" = None  # the crash guard of main.py, which has counted the resets
    wakes = 0
    woke_at = 0  # ticks; a board's begin at its boot, and so does the first wake
    nap_s = 0  # the battery is dead: nothing but sleep, so many seconds of it
    unsampled = False  # this wake's readings have not been taken yet
    deaf = False  # a wake pin has just woken the board
    weak = ""  # the battery's band where a brown-out is near
    stuck = 0  # bits of wake_on: active in two wakes in a row
    trial = 0  # settings of the server: 1 on trial, 2 since this wake, 3 kept, 4 rolled back
    beat = False  # a heartbeat goes out with this contact
    awake_until: "int | None" = None  # ticks: somebody wants to reach this node by cable

    def __init__(self, board: "Any", config: "Settings", declare: "Callable[[ObjectTree, Any], None]",
                 files: "Any" = None, trace: "Callable[..., None] | None" = None) -> None:
        self.board = board
        self.config = config
        self.tree = ObjectTree(board.clock)
        if config.history != "pack":
            self.tree.container = None
        self.tree.commands = carry_out
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
        self.costs = Costs()
        # Without a cell to spare and a budget to keep, contact is free and the account can wait.
        self._judged = config.battery != "none" or config.data_budget > 0 or config.source != ""
        self.trace = trace
        self.standing = Standing(config, self.clock)
        self.orders: "dict[str, Callable[[bool], None]]" = {}  # what features can be told by a server, by name
        self.features = [feature() for feature in config.features]
        self._ask("attach")
        self.loaded = lasting()
        self.wake_on = tuple(getattr(board.definition, "WAKE", ()))
        if config.node_objects:
            self.late("rows", "declare")(self)
        self._restore()
        self.trial, self.urgent = self.costs.trial, bool(self.costs.urgent)
        if self.state.source == "behind" and board.retained.size:
            self.late("remote", "resume")(self)  # power was lost: what the state says of a trial may be old
        self.late("start", "hold")(self)
        self.tidy()

    def check(self) -> str:
        """Return why this module cannot do what the configuration asks, by key, or nothing; asks the module nothing."""
        return str(self.late("start", "check")(self))

    def run(self, guard: "Any") -> None:
        """Cycle for ever; tells the crash guard of each completed wake. Leaves only by an exception."""
        self.guard = guard
        cause = self.board.wake_cause()
        while True:
            pause = self.wake(cause)
            guard.completed(self.reached is not None)
            swap = sys.modules.get("swap")  # an update was staged, or is on trial
            if swap is not None and swap.cycle(self.reached):
                guard.planned("update")
                self.board.restart("update")
            cause = self._rest(pause)
            if self.config.planned_restart and self.wakes >= self.config.planned_restart:
                guard.planned("heap")
                self.board.restart("heap")

    def _rest(self, pause: int) -> str:
        """Sleep, or wait awake while somebody wants this node at a cable; returns what ended it, as Board.sleep does."""
        cause = ""
        if self.sleeps_by is not None:
            self.sleeps_by()
        elif self.wanted_awake():
            self.late("start", "wait")(self, pause)
        else:
            if self.deaf:
                pause = min(pause, _DEAF_MS)
            cause = self.board.sleep(pause, () if self.deaf else self.wake_on)
            self.woke_at = self.board.clock.ticks_ms()
        return cause

    def wanted_awake(self) -> bool:
        """Whether the stay-awake pin, a cable or an order of the server keeps this node from sleeping."""
        return self.awake_until is not None or bool(self.board.stay_awake())

    def _wanted(self) -> "tuple[int | None] | None":
        """Return a tuple where the server is to be contacted now: (slot to serve,), or (None,) between the slots.

        That is for an alarm, and where the server has shortened the lifetime. None: no contact now.
        """
        now = self.clock.now()
        slot = self.reporting.due(now)
        if (slot is None and not self.urgent and not self.standing.is_due(now)) or not self.standing.may_contact(now):
            return None
        if self.may < (1 if self.urgent else 2):
            if slot is not None:
                self.reporting.serve(slot)  # by policy nobody is contacted in this slot; readings wait for the next one
            return None
        if not (self._alarm or self.backoff.ready(now)):
            return None
        self._save()
        health: "Any" = self.tree.row(26251, 0)
        if health is not None:
            health.stale = True
        return (slot,)

    def wake(self, cause: str = "timer") -> int:
        """Do what is due, once; return the milliseconds until something is due again.

        A module that does not answer, refuses or restarts costs this contact, never a reading: AtError and
        BudgetExceeded end the contact and are counted, the journal keeps what was not acknowledged.
        """
        self.wakes += 1
        # What an earlier wake has taken is history by now, also where RAM is kept.
        self.fresh = self.journal.next_number
        self.start_budget(int(self.config.awake_budget))
        self.board.watchdog(self.config.watchdog)
        self.reached, self.moved, self.contact_ms, self.beat, self._alarm = None, 0, 0, False, False
        self.may, self.nap_s, self.reporting.stretch, self.journal.batch = 2, 0, 1, self.config.journal_batch
        now = self.clock.now()
        costs = self.costs
        costs.woke(now)
        if (self.wake_on or self._judged or costs.shown_at + _SETTLE_S <= now or self.board.pins.get("status")
                or costs.streak):
            self.late("care", "begin")(self, cause, now)
            self.tidy()
        for feature in self.features:
            feature.off = False
        self._ask("before_wake", cause, now)
        slot = None if self.nap_s else self.sampling.due(self.clock.now())
        if slot is not None:
            self.sampling.serve(slot)
            self.unsampled = True
        # A slow sensor warms up while the module is woken; what is quick is in the journal before that.
        if self.unsampled and self.tree.start(self.clock.unix()) < _SLOW_MS:
            self.collect()
        wanted = self._wanted()
        if wanted is not None:
            stats, begun = self.at.stats, self.board.clock.ticks_ms()
            heard, lost = stats.lines, stats.timeouts
            reached = self.contact()
            self.served(wanted[0], reached, stats.lines - heard, stats.timeouts - lost)
            self.close()
            self._ask("after_contact", reached)
            self.contact_ms = max(0, self.board.clock.ticks_diff(self.board.clock.ticks_ms(), begun))
        self.collect()
        if self.trial == 1 and self.reached is not None:
            self.late("remote", "judge")(self, self.reached)
        self._ask("before_sleep", self.clock.now())
        costs.trial = self.trial = 1 if self.trial == 2 else self.trial
        costs.sleeps(self, self.clock.now())
        self._save()
        self.board.watchdog_stop()
        self.budget_end = None
        return self.pause()

    def _ask(self, what: str, *given: "Any") -> None:
        """Call that method of each feature; one that raises is switched off for this wake and counted."""
        for feature in self.features[::-1] if what == "before_sleep" else self.features:
            if not feature.off:
                try:
                    getattr(feature, what)(self, *given)
                except Exception as error:
                    feature.off = True
                    self.feature_faults += 1
                    print("lwnode: feature %s is off for this wake: %s: %s" % (feature.name, type(error).__name__, error))

    def limit(self, contact: int = 2, stretch: int = 1, batch: int = 256, rest_s: int = 0) -> None:
        """Restrict this wake: contact 0 never, 1 for alarms; stretch of the reporting period; readings exposed; rest in s.

        The most restrictive wins.
        """
        self.may = min(self.may, contact)
        self.reporting.stretch = max(self.reporting.stretch, stretch)
        self.journal.batch = min(self.journal.batch, batch)
        self.nap_s = max(self.nap_s, rest_s)

    def sample(self) -> None:
        """Read every sensor and put what the rules keep into the journal, before anything else can fail."""
        unix = self.clock.unix()
        self.tree.recent = []
        self.tree.sample(unix)
        self.keep(self.tree.reports(unix), unix)
        for _, _, reason in self.tree.recent:
            # A threshold was crossed, in either direction: gt and lt of lwnode.lwm2m.rules.
            if reason.startswith("sent: rose") or reason.startswith("sent: fell"):
                self.alarm()
        self.board.feed()

    def alarm(self) -> None:
        """Have the server contacted at once: slot, budget and a better signal are not waited for, nor, once, the back-off."""
        self._alarm = self._alarm or not self.urgent
        self.urgent = True

    def collect(self) -> None:
        """Take the readings of this wake, if they have not been taken yet."""
        if self.unsampled:
            self.unsampled = False
            self.sample()

    def pause(self) -> int:
        """Return the milliseconds until something is due that may be done."""
        now = self.clock.now()
        if self.nap_s:
            return int(self.clock.sleep_ms(self.nap_s))
        wait = 0 if self.urgent and self.may else self.reporting.seconds_to_next(now)
        renewal = self.standing.renewal()
        if renewal is not None and self.may == 2:
            wait = min(wait, renewal - now)
        contact = max(wait, self.backoff.remaining(now), self.standing.silent_until - now)
        wait = min(self.sampling.seconds_to_next(now), contact)
        return self.clock.sleep_ms(max(1, wait))

    def start_budget(self, seconds: int) -> None:
        """End this wake after so many seconds."""
        clock = self.board.clock
        self.budget_end = clock.ticks_add(clock.ticks_ms(), seconds * 1000)

    def tidy(self) -> None:
        """Drop what was loaded since the node was made: set-up, attach and packing are needed seldom, heap always."""
        unload(self.loaded)

    def idle(self) -> None:
        """Called in every wait of the driver: the watchdog is fed, and a wake that lasts too long ends."""
        self.board.feed()
        clock = self.board.clock
        if self.budget_end is not None and clock.ticks_diff(self.budget_end, clock.ticks_ms()) <= 0:
            from lwnode.at import BudgetExceeded
            raise BudgetExceeded("awake for %d s, the budget of a wake" % self.config.awake_budget)

