"""From the journal to the server: what waits goes out, and leaves the journal only when it has arrived.

The newest reading of a path that was taken in this wake goes live to its typed object; everything older is history and
goes, oldest first, as SenML CBOR packs on 19/0/0, each reading with its own time (design, "A reading, outwards"). A pipe
has 19/0/0 alone: all of it goes in packs.
Where a module cannot carry packs, or the configuration says "replay", history is replayed in order on its own path.

    delivery = Delivery(journal, tree, modem, clock, config)
    delivery.flush(first_of_this_wake)   -> True when nothing that could go out is left

Bounds: one pack in flight; live readings one publish per path, all in flight together; each wait ends at
`modem.deadline_ms` at the latest. What is not acknowledged stays in the journal.
"""

from lwnode.lwm2m import OPAQUE, Path, unpack_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HISTORY = Path(19, 0, 0)

# The longest pack that is made (BC66 manual 4.2.12: one opaque message holds 512 bytes); a module may take less.
_PACK_LIMIT = 512
# Readings decoded at once while a pack is made; bounds the heap, not the pack.
_PACK_READINGS = 40


class Delivery:
    """Empties the journal through a modem; counts what it did in `delivered`, `failed` and `unobserved`."""

    def __init__(self, journal: "Any", tree: "Any", modem: "Any", clock: "Any", config: "Any") -> None:
        self.journal, self.tree, self.modem, self.clock = journal, tree, modem, clock
        self.delivered = self.failed = self.unobserved = 0
        self.messages = self.bytes = 0  # published since the node began this wake, and their payload
        self.device: "list[Any]" = []  # values of the module's own device object, to go out with the next refresh()
        self.unheard = 0  # contacts in a row whose reports were not confirmed
        self._replay = config.history == "replay"
        self._tickets: "dict[int, list[int]]" = {}
        self._lost = False
        self._packing = True
        self._readings: "set[Path]" = set()  # what this contact's flush has dealt with

    def settle(self, ticket: int, arrived: bool, lost: bool = True) -> None:
        """Take the module's word on a ticket: acknowledged entries leave the journal, others stay.

        lost False: what failed stands in nobody's way, the readings behind it may go.
        """
        entries = self._tickets.pop(ticket, None)
        if entries is None:
            return  # a late result belongs to nobody
        if arrived:
            self.journal.remove(entries)
            self.delivered += len(entries)
        else:
            self.failed += len(entries)
            self._lost = self._lost or lost

    def flush(self, fresh: int, last: bool = False) -> bool:
        """Send what waits; `fresh` is the first journal sequence number of this wake.

        `last`: the server has had its time to observe; where it did not observe 19/0/0, packs are impossible and history
        is replayed in order on its own paths, without times, rather than not at all.

        Returns False as soon as the module says that something did not arrive: the rest would only follow it.
        Raises what the driver raises (AtError, BudgetExceeded); unacknowledged entries then stay.
        """
        self._lost = False
        self._tickets.clear()
        packs = not self._replay and self.modem.capabilities.history == "pack"
        self._packing = packs and not (last and not self._observed(HISTORY))
        # A pipe carries everything in packs, each reading with its time: four that are fresh share one message.
        live: "dict[Path, int]" = {}  # for each path the last entry of this wake
        if not (self._packing and self.modem.capabilities.contract == "pipe"):
            live = {unpack_record(data)[0]: number for number, data in self.journal.entries() if number >= fresh}
        if not last:
            self._readings = {unpack_record(data)[0] for _, data in self.journal.entries()}
        after = -1
        while not self._lost:
            batch = self._older(after, live)
            if not batch:
                break
            after = self._send_history(batch)
            self._await()
        if not self._lost and live:
            wanted = tuple(live.values())
            # Collected first: an answer that arrives while publishing takes its entry out of the journal.
            waiting = [(number, self._record(data)) for number, data in self.journal.entries() if number in wanted]
            for number, record in waiting:
                if self._may_send(record[0], 1):
                    self._publish([record], [number])
            self._await()
        return not self._lost

    def refresh(self, everything: bool) -> None:
        """Push live values that are no readings: extremes, counters, settings.

        A shadow module answers for us and must have them all, once after a declaration and then what changed; a pull
        module is told what somebody observes; a pipe has no place for them. None of them is kept in the journal.
        """
        contract = self.modem.capabilities.contract
        values = self.tree.changes(contract != "shadow")
        if contract == "shadow" and everything:
            # Readings that have just gone in a pack, each with its own time, would come a second time and as present ones.
            values = [value for value in self.tree.values() if value[0] not in self._readings]
        elif contract == "pipe":
            return
        device, self.device = self.device, []
        for path, kind, value in device + list(values):
            self.messages += 1
            self.bytes += len(value)
            self.modem.publish([(path, kind, value, None)], confirm=False)

    def _older(self, after: int, live: "dict[Path, int]") -> "list[tuple[int, Any]]":
        """Return up to a pack's worth of (number, record) later than `after` that are not live."""
        numbers = tuple(live.values())
        batch = []
        for number, data in self.journal.entries():
            if number <= after or number in numbers:
                continue
            batch.append((number, self._record(data)))
            if len(batch) == _PACK_READINGS:
                break
        return batch

    def _record(self, data: bytes) -> "Any":
        path, kind, value, stamp = unpack_record(data)
        return (path, kind, value, self.clock.resolve(stamp))

    def _send_history(self, batch: "list[tuple[int, Any]]") -> int:
        """Send the front of a batch; return the last sequence number dealt with."""
        if not self._packing:
            number, record = batch[0]
            if self._may_send(record[0], 1):
                self._publish([record], [number])
            return number
        if not self._may_send(HISTORY, len(batch)):
            return batch[-1][0]
        limit = min(_PACK_LIMIT, self.modem.capabilities.limits["pack"])
        pack, used = self.tree.pack([record for _, record in batch], limit)
        numbers = [number for number, _ in batch[:used]]
        self._publish([(HISTORY, OPAQUE, pack, None)], numbers)
        return numbers[-1]

    def _may_send(self, path: Path, readings: int) -> bool:
        # A notification nobody observes would be refused or vanish: its entry waits for an observer.
        if self._observed(path):
            return True
        self.unobserved += readings
        return False

    def _observed(self, path: Path) -> bool:
        return self.modem.capabilities.contract != "pull" or bool(self.tree.observed(path))

    def _publish(self, records: "list[Any]", numbers: "list[int]") -> None:
        self.messages += 1
        self.bytes += len(records[0][2])
        ticket = self.modem.publish(records, confirm=True)
        self._tickets[ticket] = numbers

    def _await(self) -> None:
        """Serve the module until every ticket is settled or the deadline of a report has passed.

        Half of it where the last contact waited in vain: an acknowledgement is seldom later than the last retransmission but
        one, and to wait for each costs a day's charge (issue 15 G).
        """
        if not self._tickets:
            return
        self.modem.settle(self.modem.deadline_ms // (2 if self.unheard else 1))
        for ticket in list(self._tickets):
            self.settle(ticket, False)
