"""One contact of a node with its server: whether it may be, what goes out, what is answered, how it ends. Part of Node.

A contact: session open -> (expensive link? later) -> network's time -> journal out -> live values -> listen -> module to sleep.
It is made where a reporting slot is due, or at once for an alarm; server, battery, data budget and back-off may forbid it.
"""

from lwnode.at import AtError
from lwnode.lwm2m import Request, Response
from lwnode.node.housekeeping import back_off_reason
from lwnode.node.keeping import Keeping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CLOSING_S = 20  # what sending the module to sleep may take when the budget is spent (low-power notes, 2.3)


class Contact(Keeping):
    """The contacts of a node; Node makes the attributes."""

    may = 2  # contact in this wake: 0 never, 1 for alarms, 2 as the schedule says
    urgent = False  # an alarm waits
    _alarm = False  # since this wake
    module_off = False  # the module does not sleep: switch it off instead
    shipping = False  # the server has ordered ship mode
    reached: "bool | None" = None  # how this wake's contact ended; None where none was due
    contact_ms = 0
    spent = 0  # exchanges of that contact beside its reports
    contacts_failed = 0
    last_error = ""
    _deferred = False
    _budget_end: "int | None" = None  # none outside a wake: a person at the REPL has all the time

    def _wanted(self) -> "tuple[int | None] | None":
        """Return (slot to serve, None between slots: an alarm, or a lifetime that the server has shortened) where the server is to be contacted now, else None."""
        now = self.clock.now()
        slot = self.reporting.due(now)
        if (slot is None and not self.urgent and not self.session.is_due(now)) or not self.session.may_contact(now):
            return None
        if self.may < (1 if self.urgent else 2):
            if slot is not None:
                self.reporting.serve(slot)  # by policy nobody is contacted in this slot; readings wait for the next one
            return None
        if not (self._alarm or self.backoff.ready(now)):
            return None
        self._save()
        health = self.tree.row(26251, 0)
        if health is not None:
            health.stale = True
        self.spent = -self.session.exchanges
        self.delivery.messages = self.delivery.bytes = 0
        return (slot,)

    def contact(self) -> bool:
        """Open the session, send what waits, answer the server for `listen` seconds. Returns whether all arrived."""
        try:
            self._deferred = False
            if not self.session.open(self._expensive if self.config.defer_longest and not self.urgent else None):
                return False
            self.tidy()
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
            return bool(arrived)
        except AtError as error:
            self._failed(error)
            return False

    def _expensive(self) -> bool:
        """Whether this contact is put off, asked of a session that stands before its radio has been used."""
        self._deferred = bool(self.late("care", "defer", self))
        return self._deferred

    def close(self) -> None:
        """Send the module to sleep; whether it did is seen at the next wake. Has time of its own after a spent budget."""
        after, self.tree.after = self.tree.after, None
        if after is not None:
            after()  # what a command on 19/1/0 asked for once its answer is out, a restart say
        self._start_budget(_CLOSING_S)
        try:
            self.session.close(self.module_off or self.shipping)
        except AtError as error:
            self._failed(error)
        self._budget_end = None

    def _failed(self, error: AtError) -> None:
        # The kind of error is enough: its text may hold what the module said.
        self.last_error = type(error).__name__
        print("lwnode: contact ended by", self.last_error)

    def _served(self, slot: "int | None", reached: bool, heard: int, lost: int) -> None:
        if slot is not None and (reached or self._deferred):
            self.reporting.serve(slot)
        if reached:
            self.backoff.succeeded()
            self.urgent = False
        elif not self._deferred:
            self.contacts_failed += 1
            self.backoff.failed(self.clock.now(), back_off_reason(self.modem.refusal, heard, lost))
        self.reached = None if self._deferred else reached
        # A slot is served under the name it had when it was due; then the network's time may rename it.
        self.reporting.rebase(self._moved)
        self._moved = 0

    def _answer(self, request: Request) -> Response:
        """Answer the server from the tree; what a write changed is stored before the answer goes out."""
        # Rules may be changed by attributes or by a command: what they were is the way back of a trial.
        before = (self.late("remote", "snapshot", self)
                  if request.operation == "write_attributes" or request.path.object == 19 else "")
        response: Response = self.tree.handle(request)
        if before and self.tree.dirty:
            self.late("remote", "ruled", self, before)
        if self.tree.dirty:
            self.save_tree()
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
        elif name in ("min_period", "max_period"):
            self.late("remote", "default_period", self, name, detail)
        else:
            self.session.heard(name, detail)
