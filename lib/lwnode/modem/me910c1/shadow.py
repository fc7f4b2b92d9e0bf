"""ME910C1: reports. A value goes into the module, the module notifies by itself, and may tell whether that arrived.

    AT#LWM2MSET=1,3303,0,5700,0,21.5     OK: taken
    #LWM2MNFYACK: 0,99,"/3303/0/5700","ACK"      the server has it (armed resources, six at most, 3.1.15)

The module keeps only the last value of a path and notifies only changes. So one value of a path is on its way at a time,
and one that did not change shares the fate of the one before. The host is not told who observes what: the first silence of
a path costs its deadline; from then on, what nobody observes counts as delivered when the module took it.
"""

from micropython import const

from lwnode.at import AtError, BudgetExceeded, CommandError
from lwnode.modem import REGISTERED
from lwnode.modem.reports import UNCHANGED
from lwnode.modem.me910c1.urcs import ACKED, CREATED, HISTORY, NACKED, TAKEN, UNWATCHED, Urcs, mark_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Ids = tuple[Any, ...]

_KEYS = const(0x3FFFFFFF)
_GHOST = const(0)  # the key of a flight whose ticket has failed already


class Shadow(Urcs):
    """Values on their way."""

    _key = 0

    @property
    def deadline_ms(self) -> int:
        """The longest a confirmable notification takes; in ACK mode with the time in which it is announced (3.1.3)."""
        options = self.options
        return int(options["ack_wait_ms"] + (options["guard_request"] * 1000 if options["ack_mode"] else 0))

    def publish(self, records: "Any", confirm: bool = True) -> int:
        """SET or W (values.py). Delivered: acknowledged by the server where armed for the path, else taken by the module."""
        from lwnode.modem.me910c1.values import wire_lines

        lines = wire_lines(records)
        self._upkeep()
        ticket = self.reports.open()
        try:
            self._let_observe()
            for ids, text, name, values in lines:
                self._wait_for(ids)
                if not self._set(ticket, ids, text, name, values, confirm):
                    break
        finally:
            self.reports.seal(ticket)
        return ticket

    def _let_observe(self) -> None:
        """A new registration has no observations: what is set before the server observes again is never notified."""
        if self._fresh is not None:
            clock = self.clock
            left = clock.ticks_diff(clock.ticks_add(self._fresh, self.options["observe_ms"]), clock.ticks_ms())
            self._fresh = None
            if 0 < left <= self.options["observe_ms"]:
                self.at.poll(left)

    def _set(self, ticket: int, ids: "Ids", text: str, name: str, values: "Any", confirm: bool) -> bool:
        """One value. False: the module does not answer, the rest is not tried."""
        entry = self._known.get(ids)
        state = TAKEN if entry is None else entry[1]
        same = entry is not None and entry[0] == mark_of(text)
        if same and ids == HISTORY and state != ACKED:
            # The oldest of the journal once more, which must not block it: the same pack in other bytes is a change.
            text, values = self._in("me910c1.values", "rewritten")(self, text, values)
            same = False
        notified = confirm and ids in self._acked and not same and (state != UNWATCHED or ids == HISTORY)
        # Noted first, for an answer may be lost; and open until its own acknowledgement.
        self._remember_value(ids, text, state if same or state != ACKED else NACKED)
        if notified:
            self._key = self._key % _KEYS + 1
            self._flights[ids] = (self._key, self.clock.ticks_add(self.clock.ticks_ms(), self.deadline_ms))
            self.reports.sent(ticket, self.deadline_ms + 1000, self._key)
        try:
            self.at.write(name, *values)
        except BudgetExceeded:
            raise
        except CommandError as error:
            if entry is None:
                del self._known[ids]
            else:
                self._known[ids] = entry
            self._declared &= ~CREATED  # the instance may be gone: looked for at the next registration
            self._ground(ticket, ids, notified, "%s: %s" % (name, self._reason(error)))
            self._flights.pop(ids, None)
            return True
        except AtError:
            # Its acknowledgement may have come instead of the answer. One that comes later is nobody's: the flight
            # stays, so that the next value of the path waits for it.
            self.ask(self.at.poll, 0)
            self._ground(ticket, ids, notified, "no answer from the module")
            return False
        if confirm and ids in self._acked and not notified:
            # No change, no notification: what became of the value before is what becomes of this one.
            self._count("unchanged" if same else "unwatched")
            if same and state in (TAKEN, NACKED):
                self.reports.refuse(ticket, UNCHANGED)
        return True

    def _ground(self, ticket: int, ids: "Ids", notified: bool, reason: str) -> None:
        """The value did not get into the module, or nobody knows; unless its acknowledgement is there already."""
        if not notified:
            self.reports.refuse(ticket, reason)
        elif ids in self._flights:
            key, due = self._flights[ids]
            self._flights[ids] = (_GHOST, due)
            self.reports.settle(key, reason)

    def _wait_for(self, ids: "Ids") -> None:
        """Until nothing of that path is on its way, and there is room for one more message."""
        clock = self.clock
        end = clock.ticks_add(clock.ticks_ms(), self.deadline_ms)
        while ids in self._flights or self.reports.in_flight >= self.reports.limit:
            self._give_up()
            if clock.ticks_diff(end, clock.ticks_ms()) <= 0:
                return
            self.at.poll(200)
            self.reports.expire()

    def _give_up(self) -> None:
        """No word of a notification in time: lost, where the path was acknowledged before; else nobody observes it."""
        now = self.clock.ticks_ms()
        for ids in list(self._flights):
            key, due = self._flights[ids]
            if self.clock.ticks_diff(due, now) > 0:
                continue
            del self._flights[ids]
            if key == _GHOST:
                continue
            entry = self._known[ids]
            reason: "str | None" = None
            if entry[1] in (ACKED, NACKED):
                # A pack that stays unheard twice is no accident: whoever observed it does so no more.
                entry[1] = TAKEN if ids == HISTORY else NACKED
                reason = "no acknowledgement in time"
            elif ids == HISTORY:
                # The next pack would overwrite it. Until a cold start asks anew, what is late goes on its own path.
                entry[1] = UNWATCHED
                self.capabilities.history = "replay"
                reason = "nobody observes /19/0/0"
            elif self.ask(self.status) != REGISTERED:
                reason = "the module had restarted"  # that silence says nothing of observers
            else:
                entry[1] = UNWATCHED
                self._count("unwatched")
            self.reports.settle(key, reason)

    # ---- values: see values.py --------------------------------------------------------------------------------

    def _operations(self, ids: "Ids") -> str:
        from lwnode.modem.me910c1.values import operations

        return operations(ids)

    def _read_text(self, ids: "Ids") -> str:
        """AT#LWM2MR; the value begins behind the name, and may itself hold commas (3.1.5 and the field)."""
        lines = self.at.send("AT#LWM2MR=0,%d,%d,%d,0" % ids, prefix="#LWM2MR")
        return self.text_of(lines[-1]) if lines else ""

    def text_of(self, line: str) -> str:
        """The value of a #LWM2MR line."""
        return line.partition(":")[2].strip().strip('"')
