"""Open reports: what was handed to the module and is not yet known to have reached the server.

    ticket = reports.open()
    reports.sent(ticket, 62000)          # one message of the ticket left; its acknowledgement is due within 62 s
    reports.name(34180)                  # +QLWURC: "report",34180: the oldest unnamed message has this id
    reports.settle(34180, None)          # +QLWURC: "report_ack",0,34180
    reports.seal(ticket)
    reports.outcomes                     # [("delivered", 1)], which the driver takes out

A ticket is one call of Modem.publish and may need several messages; it is delivered when all of them are, failed when
any is. Bounds: `limit` messages in flight (publish waits below it), one small list per message, no payload is kept.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


# Reasons of a ticket that say nothing of the others. UNCHANGED: not acknowledged before, and the module repeats only what
# changes; it can go out once the module holds another value. UNOBSERVED: silence, and its path was never acknowledged.
UNCHANGED = "unchanged"
UNOBSERVED = "unobserved"


class Reports:
    """Messages in flight and the tickets that they belong to. clock: ticks_ms, ticks_add, ticks_diff."""

    def __init__(self, clock: "Any", limit: int = 4) -> None:
        self.limit = limit
        self.in_flight: "list[list[Any]]" = []  # [ticket, id or None, deadline in ticks], oldest first
        self.outcomes: "list[tuple[str, Any]]" = []  # ("delivered", ticket) or ("failed", (ticket, reason)), in order
        self._clock = clock
        self._last = 0
        self._tickets: "dict[int, list[Any]]" = {}
        self._expired: "list[Any]" = []

    def __len__(self) -> int:
        return len(self._tickets)

    def open(self) -> int:
        """A new ticket, from 1 up; it stays open until it is sealed and all its messages are settled."""
        self._last = self._last % 0x3FFFFFFF + 1
        self._tickets[self._last] = [1, None]  # what is open of it, sealing too; why it failed
        return self._last

    def sent(self, number: int, deadline_ms: int, key: "int | str | None" = None) -> None:
        """One message of the ticket is with the module; key is its id where the module has told it already."""
        self._tickets[number][0] += 1
        self.in_flight.append([number, key, self._clock.ticks_add(self._clock.ticks_ms(), deadline_ms)])

    def name(self, key: "int | str") -> None:
        """The module has numbered the oldest message that has no id yet."""
        for message in self.in_flight:
            if message[1] is None:
                message[1] = key
                return

    def settle(self, key: "int | str | None", reason: "str | None") -> bool:
        """The message of that id is acknowledged (reason None) or has failed; False where no message has that id.

        An id that was never told (its URC was lost) goes to the oldest message without one; the late
        result of an expired message belongs to nobody.
        """
        if key in self._expired:
            self._expired.remove(key)
            return False
        for wanted in (key, None):
            for message in self.in_flight:
                if message[1] == wanted:
                    self.in_flight.remove(message)
                    self.seal(message[0], reason)
                    return True
        return False

    def refuse(self, number: int, reason: str) -> None:
        """The module did not take a message of this ticket."""
        self._tickets[number][1] = self._tickets[number][1] or reason

    def seal(self, number: int, reason: "str | None" = None) -> None:
        """No more messages follow for this ticket (for the driver), or one of them is over (reason: it has failed)."""
        entry = self._tickets.get(number)
        if entry is None:
            return
        entry[0] -= 1
        entry[1] = entry[1] or reason
        if not entry[0]:
            del self._tickets[number]
            self.outcomes.append(("failed", (number, entry[1])) if entry[1] else ("delivered", number))

    def expire(self, reason: "str | None" = None, now: bool = False) -> int:
        """Fail what is overdue, with `now` everything, and everything where the module has forgotten it: with that reason.

        Returns the milliseconds to the next deadline, a second where there is none sooner.
        """
        ticks = self._clock.ticks_ms()
        nearest = 1000
        for message in list(self.in_flight):
            left = self._clock.ticks_diff(message[2], ticks)
            if left > 0 and not (reason or now):
                nearest = min(nearest, left)
                continue
            self.in_flight.remove(message)
            if message[1] is not None and not reason:
                self._expired = self._expired[-3:] + [message[1]]
            self.seal(message[0], reason or "no acknowledgement in time")
        return nearest
