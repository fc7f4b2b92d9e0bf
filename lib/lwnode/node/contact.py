"""The contacts of a node with its server: what goes out, what is answered, how it ends. Made for the first of them.

A contact: session open -> (deferred? later) -> network's time -> journal out -> live values -> listen -> module to sleep.

    contacts = Contact(node)      driver, session and delivery, which a wake that only samples does not load
    contacts.contact()            -> True where all arrived
    contacts.conclude(slot)       what follows for slot and back-off, and the module put to sleep
    contacts.close()              module to sleep
"""

from lwnode.at import AtClient, AtError, BudgetExceeded
from lwnode.config import longest_interval
from lwnode.lwm2m import Request, Response
from lwnode.lwm2m.requests import answer
from lwnode.modem import Unsupported, open_modem
from lwnode.modem.reports import UNCHANGED, UNOBSERVED
from lwnode.node.delivery import HISTORY, Delivery
from lwnode.node.session import Session
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from lwnode.node import Node

_CLOSING_S = const(20)  # what sending the module to sleep may take when the budget is spent (low-power notes, 2.3)


class Contact:
    """What a connected node does with its server."""

    def __init__(self, node: "Node") -> None:
        """Make what speaks with module and server, and take up where the last contact left off."""
        self.node = node
        board, config = node.board, node.config
        self.at = node.at = AtClient(board.uart(0), board.clock, trace=node.trace)
        self.modem = node.modem = open_modem(
            config.family, self.at, pins=board.pins, apn=config.apn, pin=config.secret("pin"), store=node.files,
            awake_budget_ms=int(config.awake_budget) * 1000, **config.options)
        # What the configuration says and this family can be told; the others keep to their own ways. Whether the module slept
        # is seen at the next wake, for nothing: waiting for it costs awake time.
        for name, value in (("ack_timeout", config.ack_timeout), ("max_retransmit", config.max_retransmit),
                            ("sleep_confirm_ms", 0)):
            if name in self.modem.options:
                self.modem.options[name] = value
        self.session = node.session = Session(self.modem, node.tree, config, node.clock, board.unique_id())
        self.session.load(node.registration.dump())
        self.modem.lifetime = self.session.lifetime
        node.registration = node.parts["session"] = self.session
        self.delivery = node.delivery = Delivery(node.journal, node.tree, self.modem, node.clock, config)
        self.modem.on_request, self.modem.on_event = self.answer, self.event
        self.modem.now, self.modem.may_hold = node.clock.now, lambda: node.may_contact == 2
        self.at.idle = self.idle
        self.modem.light_sleep, node.tree.light_sleep = node.tree.light_sleep, None
        self._closing = False
        self._reached = self._deferred = self.in_vain = False
        self._request: "Request | None" = None  # the one that is being answered
        node.tree.persist = self._persist
        data = node.state.load("modem")
        if data is not None:
            self.modem.restore(data)
            self._warn_of_timers()
        # The rows are held against what the module can carry, and what was dropped is said (issue 6).
        tree, capabilities = node.tree, self.modem.capabilities
        tree.device_errors = capabilities.contract == "pipe"
        tree.write_format = self.modem.options.get("write_format", "text")
        if capabilities.typed:
            tree.fit(capabilities.limits, capabilities.executes)
            for sentence in tree.dropped if not self.session.configured else ():
                print("lwnode:", sentence)

    def check(self) -> str:
        """Return why this module cannot do what the configuration asks, by key, or nothing."""
        try:
            self.modem.check(self.session.server())
        except (ValueError, Unsupported) as error:
            return str(error)
        return ""

    def contact(self) -> bool:
        """Open the session, send what waits, answer the server for `listen` seconds. Returns whether all arrived."""
        node, session, delivery, modem = self.node, self.session, self.delivery, self.modem
        before, self._heard = session.exchanges, (self.at.stats.lines, self.at.stats.timeouts)
        delivery.messages = delivery.bytes = 0
        delivery.released = False
        delivery.unheard = session.unheard
        self._deferred = self._reached = self.in_vain = False
        session.report_every = node.reporting.period_s
        psm = modem.options["psm"]
        if psm is not None and "psm_tau" not in node.config.given:
            modem.options["psm"] = (longest_interval(session.report_every), psm[1])  # a server may have changed the interval
        try:
            if not session.open(None if node.urgent else self._defer):
                return False
            modem.spoken_at = self.node.board.clock.ticks_ms()
            self._sync_clock()
            node.collect()
            node.ask("in_contact", node.clock.now())
            delivered, unobserved = delivery.delivered, delivery.unobserved
            arrived = delivery.flush(node.fresh, declared=session.declared)
            if arrived and not delivery.mute:
                session.declared = False
                if modem.follow_schedule():
                    self._warn_of_timers()
                modem.service(int(node.config.listen) * 1000, delivery.quiet_ms(), delivery.released)
                # An observation made just now lets go what waited for an observer.
                unobserved = delivery.unobserved
                arrived = delivery.flush(node.fresh, True)
            unobserved = delivery.unobserved - unobserved
            arrived = arrived and not (delivery.mute and session.unheard)  # no pack alone in vain for a second time in a row
            if arrived:
                node.warn("history", "%d readings wait for an observer: let the server observe %s and the sensors" % (
                    unobserved, HISTORY) if unobserved else "")
            session.arrived(arrived and not unobserved)
            self._reached = arrived
            # Whoever could say nothing that anybody observes has learnt nothing of the way: the back-off stays as it is.
            self.in_vain = unobserved > 0 and delivery.delivered == delivered
        except (AtError, OSError) as error:  # OSError: a mark that must be on flash before something is tried
            self._failed(error)
        finally:
            node.exchanges = session.exchanges - before
        return self._reached

    def _warn_of_timers(self) -> None:
        """Say where the network grants other timers than were asked for: the rest of the node lives with them."""
        granted, asked = self.modem.granted(), self.modem.options["psm"]
        text = ""
        if granted is not None and asked is not None and asked[0] is not None:
            if granted[1] < 0:
                text = "the network grants no PSM"
            elif granted[0] < asked[0]:
                text = "the network grants T3412 of %d s, %d s were asked for" % (granted[0], asked[0])
        self.node.warn("psm", text)

    def _defer(self) -> bool:
        """Whether this contact is put off, asked of a session that stands before its radio has been used."""
        self._deferred = True in self.node.ask("defer", self.node.clock.now())
        return self._deferred

    def _sync_clock(self) -> None:
        node = self.node
        clock = node.clock
        if clock.stale:
            first = clock.unix() is None
            # Asked twice: what goes out now is without a time for ever where one line was lost.
            unix = self.modem.network_time() or self.modem.network_time()
            if unix is not None and clock.set_unix(unix, "network"):
                node.moved = clock.moved  # the slot that is being served keeps its name until it is
                for part in (node.sampling, node.backoff, self.session, node.tree):
                    part.rebase(clock.moved)
                node.ask("rebase", clock.moved)
                if first:  # the readings on flash have no other time: with the next commit it is there too
                    node.state.save("clock", clock.dump(), True)

    def conclude(self, due: "int | None") -> None:
        """Draw the consequences of a wake's contact for slot and back-off, and let the module sleep."""
        node, stats, reached = self.node, self.at.stats, self._reached
        if due is not None and (reached or self._deferred):
            node.reporting.serve(due)
        if reached:
            if not self.in_vain:
                node.backoff.succeeded()
            node.urgent = False
        elif not self._deferred:
            clock, woke_at = node.board.clock, node.woke_at
            node.backoff.failed(node.clock.now(), back_off_reason(
                self.modem.refusal, stats.lines - self._heard[0], stats.timeouts - self._heard[1]),
                0 if woke_at is None else clock.ticks_diff(clock.ticks_ms(), woke_at) // 1000)
        node.reached = None if self._deferred else reached
        # A slot is served under the name it had when it was due; then the network's time may rename it.
        node.reporting.rebase(node.moved)
        node.moved = 0
        self.close()

    def close(self) -> None:
        """Send the module to sleep; whether it did is seen at the next wake. Has time of its own after a spent budget."""
        node = self.node
        after, node.tree.after = node.tree.after, None
        if after is not None:
            self._run_after(after)  # what a command on 19/1/0 asked for once its answer is out
        self._closing = True
        try:
            self.session.close(node.module_off)
        except (AtError, OSError) as error:
            self._failed(error)
        self._closing, node.woke_at = False, None

    def idle(self) -> None:
        """Called in every wait of the driver: the watchdog is fed, and a wake that lasts too long ends."""
        node = self.node
        node.board.feed()
        if node.woke_at is not None:
            clock, budget = node.board.clock, node.config.awake_budget + (_CLOSING_S if self._closing else 0)
            if clock.ticks_diff(clock.ticks_ms(), node.woke_at) >= budget * 1000:
                raise BudgetExceeded("awake for %d s, the budget of a wake" % budget)

    def _failed(self, error: Exception) -> None:
        # The kind of error is enough: its text may hold what the module said.
        self.node.last_error = type(error).__name__
        print("lwnode: contact ended by", self.node.last_error)

    def _run_after(self, after: "Callable[[], None]") -> None:
        """Do what a request has left for after its answer; a restart say, so what RAM holds goes to flash before."""
        self.node.save(True)
        after()

    def answer(self, request: Request) -> Response:
        """Answer the server from the tree; what a write changed is stored before the answer goes out."""
        node = self.node
        tree = node.tree
        node.ask("before_request", request)
        self._request = request
        response = answer(tree, request)
        if tree.dirty:
            try:
                self._persist()
            except OSError:
                pass  # an observation or a refusal: the end of the wake keeps it, no reason not to answer
        after = response.after
        if after is not None:
            response.after = lambda: self._run_after(after)
        return response

    def _persist(self) -> None:
        """Keep what a request has changed, before its answer. OSError: it cannot be kept, and lwnode.lwm2m takes it back."""
        self.node.ask("after_request", self._request)
        self.node.save_tree()

    def event(self, name: str, value: "Any") -> None:
        """Follow what the module tells (the table of effects is in lwnode.modem)."""
        node = self.node
        if name == "delivered":
            self.delivery.settle(value, True)
        elif name == "failed":
            self.delivery.settle(value[0], False, value[1] not in (UNCHANGED, UNOBSERVED), value[1] == UNOBSERVED)
        elif name == "proved":
            node.journal.release(value)
        elif name == "observed":
            node.tree.observe(value)
        elif name == "cancelled":
            node.tree.cancel(value)
        else:
            if name == "firmware":
                node.warn("firmware", "module firmware: " + value if self.modem.update_since else "")
            self.session.heard(name, value)
            node.ask("event", name, value)


def back_off_reason(refusal: str, heard: int, lost: int) -> str:
    """Say which back-off a refusal of SIM or network asks for: only a person can help a SIM, a denial lasts.

    A module that spoke (`heard` lines) but left commands unanswered (`lost`) says nothing about network and server.
    """
    if refusal.startswith("module:"):  # another family's
        return "no_sim"
    if refusal.startswith("SIM"):
        return "no_pin" if "PIN" in refusal else "no_sim"
    if ("denied" in refusal or "EMM" in refusal) and "so far" not in refusal:
        return "denied"
    return "line" if heard and lost else ""
