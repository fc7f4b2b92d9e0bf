"""The contacts of a node with its server: what goes out, what is answered, how it ends. Loaded for the first of them.

A contact: session open -> (expensive link? later) -> network's time -> journal out -> live values -> listen -> module to sleep.

    connect(node)         once: driver, session and delivery, which a wake that only samples does not load
    node.contact()        -> True where all arrived
    node.served(...)      what follows for slot and back-off
    node.close()          module to sleep
"""

import sys

from lwnode.at import AtClient, AtError
from lwnode.lwm2m import Request, Response
from lwnode.lwm2m.requests import answer
from lwnode.modem import open_modem
from lwnode.modem.reports import UNCHANGED
from lwnode.node.delivery import Delivery
from lwnode.node.housekeeping import back_off_reason
from lwnode.node.session import Session
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CLOSING_S = 20  # what sending the module to sleep may take when the budget is spent (low-power notes, 2.3)
# An ESP32's sleep clock is off by up to 5 % and learns from answers at least half an hour apart.
_RESYNC_S = 3600
_HEALTH = const(26251)


def connect(node: "Any") -> None:
    """Make what speaks with module and server, and take up where the last contact left off."""
    board, config = node.board, node.config
    at = node.at = AtClient(board.uart(0), board.clock, trace=node.trace)
    modem = node.modem = open_modem(
        config.family, at, pins=board.pins, apn=config.apn, pin=config.secret("pin"), store=node.files,
        awake_budget_ms=int(config.awake_budget) * 1000, **config.options)
    node.loaded.update(sys.modules)
    node.late("start", "set_options")(modem.options, config)
    session = node.session = Session(modem, node.tree, config, node.clock, board.unique_id())
    session.load(node.standing.dump())
    session.report_every = node.reporting.period_s
    node.standing = session
    node.delivery = Delivery(node.journal, node.tree, modem, node.clock, config)
    contact = Contact(node)
    node.contact, node.close, node.served = contact.contact, contact.close, contact.served
    modem.on_request, modem.on_event = contact.answer, contact.event
    at.idle = node.idle
    data = node.state.load("modem")
    if data is not None:
        modem.restore(data)
    node.connected = True
    node.late("start", "fit")(node)
    node.tidy()


class Contact:
    """What a connected node does with its server."""

    def __init__(self, node: "Any") -> None:
        self.node = node
        self._deferred = False

    def contact(self) -> bool:
        """Open the session, send what waits, answer the server for `listen` seconds. Returns whether all arrived."""
        node = self.node
        session, delivery, config = node.session, node.delivery, node.config
        node.spent = -session.exchanges
        delivery.messages = delivery.bytes = 0
        self._deferred = False
        try:
            if not session.open(self._expensive if config.defer_longest and not node.urgent else None):
                return False
            self._sync_clock()
            node.tidy()
            node.collect()
            arrived, blind = delivery.flush(node.fresh), 0
            if arrived:
                delivery.refresh(session.declared_anew())
                node.modem.service(int(config.listen) * 1000)
                # An observation made just now lets go what waited for an observer.
                blind = delivery.unobserved
                arrived = delivery.flush(node.fresh, True)
                blind = delivery.unobserved - blind
            session.arrived(arrived and not blind)
            return bool(arrived)
        except (AtError, OSError) as error:  # OSError: a mark that must be on flash before something is tried
            self._failed(error)
            return False
        finally:
            node.spent += session.exchanges

    def _expensive(self) -> bool:
        """Whether this contact is put off, asked of a session that stands before its radio has been used."""
        self._deferred = bool(self.node.late("care", "defer")(self.node))
        return self._deferred

    def _sync_clock(self) -> None:
        node = self.node
        clock = node.clock
        age = clock.age
        if clock.unix() is None or age is None or age >= _RESYNC_S:
            node.tidy()  # what opened the session is not needed to ask for the time
            unix = node.modem.network_time()
            if unix is not None and clock.set_unix(unix, "network"):
                node.slipped = clock.moved
                node.moved += clock.moved
                for part in (node.sampling, node.backoff, node.session, node.tree):
                    part.rebase(clock.moved)

    def close(self) -> None:
        """Send the module to sleep; whether it did is seen at the next wake. Has time of its own after a spent budget."""
        node = self.node
        after, node.tree.after = node.tree.after, None
        if after is not None:
            after()  # what a command on 19/1/0 asked for once its answer is out, a restart say
        node.start_budget(_CLOSING_S)
        try:
            node.session.close(node.module_off)
        except (AtError, OSError) as error:
            self._failed(error)
        node.budget_end = None

    def _failed(self, error: Exception) -> None:
        # The kind of error is enough: its text may hold what the module said.
        self.node.last_error = type(error).__name__
        print("lwnode: contact ended by", self.node.last_error)

    def served(self, slot: "int | None", reached: bool, heard: int, lost: int) -> None:
        """Draw the consequences for slot and back-off; the line was `heard`, and `lost` answers, so many times meanwhile."""
        node = self.node
        if slot is not None and (reached or self._deferred):
            node.reporting.serve(slot)
        if reached:
            node.backoff.succeeded()
            node.urgent = False
        elif not self._deferred:
            node.contacts_failed += 1
            node.backoff.failed(node.clock.now(), back_off_reason(node.modem.refusal, heard, lost))
        node.reached = None if self._deferred else reached
        # A slot is served under the name it had when it was due; then the network's time may rename it.
        node.reporting.rebase(node.slipped)
        node.slipped = 0

    def answer(self, request: Request) -> Response:
        """Answer the server from the tree; what a write changed is stored before the answer goes out."""
        node = self.node
        tree = node.tree
        # Rules may be changed by attributes or by a command: what they were is the way back of a trial.
        operation = request.operation
        rules = operation == "write_attributes" or request.path.object == 19 and operation in ("write", "execute")
        before = node.late("remote", "snapshot")(node) if rules else ""
        health = tree.row(_HEALTH, 0) if request.path.object == _HEALTH else None
        if health is not None:
            health.extra(0)  # worked out here and not where the tree is read: each import takes 600 bytes of an RP2's stack
        response = answer(tree, request)
        if before and tree.dirty:
            node.late("remote", "ruled")(node, before)
        if tree.dirty:
            node.save_tree()
        return response

    def event(self, name: str, detail: "Any") -> None:
        """Follow what the module tells (the table of effects is in lwnode.modem)."""
        node = self.node
        if name == "delivered":
            node.delivery.settle(detail, True)
        elif name == "failed":
            node.delivery.settle(detail[0], False, detail[1] != UNCHANGED)
        elif name == "observed":
            node.tree.observe(detail)
        elif name == "cancelled":
            node.tree.cancel(detail)
        elif name in ("min_period", "max_period"):
            node.late("remote", "default_period")(node, name, detail)
        else:
            node.session.heard(name, detail)
