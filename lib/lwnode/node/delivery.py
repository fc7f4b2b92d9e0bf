"""From the journal to the server: what waits goes out, and leaves the journal only when it has arrived.

The newest reading of a path that was taken in this wake goes live to its typed object; everything older is history and
goes, oldest first, as SenML CBOR packs on 19/0/0, each reading with its own time (design, "A reading, outwards"). A pipe
has 19/0/0 alone: all of it goes in packs. History waits for an observer of 19/0/0, and never comes as a present value: only
where the configuration says "replay", or a module cannot carry packs, is it replayed in order on its own path, without times.

    delivery = Delivery(journal, tree, modem, clock, config)
    delivery.flush(first_of_this_wake)   -> True when nothing that could go out is left

Bounds: one pack in flight; live readings one publish per path, all in flight together; each wait ends at
`modem.deadline_ms` at the latest. What is not acknowledged stays in the journal; what a module takes that acknowledges nothing
(BG96) stays too, and is not sent again, until the module tells of a sign of life from the server ("proved").
"""

from lwnode.lwm2m import OPAQUE, Path, unpack_record
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HISTORY = Path(19, 0, 0)

# The longest pack that is made (BC66 manual 4.2.12: one opaque message holds 512 bytes); a module may take less.
_PACK_LIMIT = const(512)
# Readings decoded at once while a pack is made; bounds the heap, not the pack.
_PACK_READINGS = const(40)
_SERVER_MS = const(1500)  # what a server may take to think
_PAGING_MS = const(2560)  # the longest DRX cycle of NB-IoT and LTE-M without eDRX


class Delivery:
    """Empties the journal through a modem; counts what it did in `delivered`, `failed` and `unobserved`."""

    def __init__(self, journal: "Any", tree: "Any", modem: "Any", clock: "Any", config: "Any") -> None:
        self.journal, self.tree, self.modem, self.clock = journal, tree, modem, clock
        self.delivered = self.failed = self.unobserved = 0
        self.messages = self.bytes = 0  # published since the node began this wake, and their payload
        self.device: "list[Any]" = []  # values of the module's own device object, to go out with the next refresh()
        self.released = False  # the last report has let the radio go
        self.unheard = 0  # contacts in a row whose reports were not confirmed
        self.history = config.history
        self._tickets: "dict[int, list[int]]" = {}
        self._lost = False
        self._readings: "dict[Path, int]" = {}  # what this contact's flush has dealt with
        self.mute = False  # a pack of this contact was met with silence, and may have no observer

    def settle(self, number: int, arrived: bool, lost: bool = True, mute: bool = False) -> None:
        """Take the module's word on a number: acknowledged entries leave the journal, others stay.

        lost False: what failed stands in nobody's way, the readings behind it may go; but no pack behind a mute one.
        """
        entries = self._tickets.pop(number, None)
        if entries is None:
            return  # a late result belongs to nobody
        if arrived:
            if self.modem.capabilities.acknowledges == "module":
                self.journal.hand(entries[-1])
            else:
                self.journal.remove(entries)
            self.delivered += len(entries)
        else:
            self.failed += len(entries)
            self.unobserved += len(entries) if mute else 0
            self._lost, self.mute = self._lost or lost, self.mute or mute

    def flush(self, fresh: int, again: bool = False, declared: "bool | None" = None) -> bool:
        """Send what waits; `fresh` is the first journal sequence number of this wake, `again` the second time within it.

        `declared`, where it is given: beside what is live go the values that are no readings (refresh).

        Returns False as soon as the module says that something did not arrive: the rest would only follow it.
        Raises what the driver raises (AtError, BudgetExceeded); unacknowledged entries then stay.
        """
        self._lost = False
        self._tickets.clear()
        can = self.modem.capabilities
        packing = self.history != "replay" and can.history == "pack"
        newest = {unpack_record(data)[0]: number for number, data in self.journal.entries()}
        if not again:
            self._readings, self.mute = newest, False
        # For each path the last entry of this wake. A pipe carries everything in packs, each reading with its time: four
        # that are fresh share one message.
        in_packs = packing and can.contract == "pipe"
        after, history = self.journal.handed, True
        live = () if in_packs else tuple(number for number in newest.values() if number >= max(fresh, after + 1))
        while not self._lost:
            batch = self._batch(after, live, history)
            if history and not batch:
                history = False
                if declared is not None and not self.mute and can.contract != "shadow":
                    self.refresh(declared)
                continue
            if history and packing:
                after = batch[-1][0]
                if self._may_send(HISTORY, len(batch)):
                    pack, used = self.tree.pack([record for _, record in batch], min(_PACK_LIMIT, can.limits["pack"]))
                    after = batch[max(0, used - 1)][0]
                    self._publish((HISTORY, OPAQUE, pack, None), [number for number, _ in batch[: used or 1]])
                    if self.modem.packs is None:
                        # Whether anybody observes packs is told by what is new, behind this one.
                        self._send(self._batch(after, live, False), False)
                        live = ()
            else:
                after = batch[0][0] if history else after
                self._send([each for each in batch[:1 if history else None] if self._may_send(each[1][0], 1)],
                           can.releases and not history)
                if not (history or declared is None or self.mute) and can.contract == "shadow":
                    self.refresh(declared)  # while the acknowledgements are on their way
            self._wait()
            if not history:
                break
        return not self._lost

    def _batch(self, after: int, live: "tuple[int, ...]", history: bool) -> "list[tuple[int, Any]]":
        """(number, record) of what follows `after` in the history, or of what is live, each with its time.

        Collected before it is sent: an answer that arrives while publishing takes its entry out of the journal.
        """
        batch: "list[tuple[int, Any]]" = []
        for number, data in self.journal.entries():
            if (number > after and number not in live) if history else number in live:
                path, kind, value, stamp = unpack_record(data)
                batch.append((number, (path, kind, value, self.clock.resolve(stamp))))
                if history and len(batch) == _PACK_READINGS:
                    break
        return batch

    def _send(self, ready: "list[Any]", release: bool) -> None:
        """Publish (number, record) each on its own path; release: the last of them lets the radio go."""
        for number, record in ready:
            if release and number == ready[-1][0]:
                self._wait()  # or its release would cut off the others' acknowledgements
                if self._lost:
                    return
                self.modem.release_next = self.released = True
            self._publish(record, [number])

    def _wait(self) -> None:
        """Wait for what has been published; what nobody speaks of has not arrived."""
        if self._tickets:
            begun = self.modem.spoken_at
            # Half as long where the last contact waited in vain: an acknowledgement is seldom later than the last
            # retransmission but one, and to wait for each costs a day's charge (issue 15 G).
            if not self.modem.settle(self.modem.deadline_ms // (2 if self.unheard else 1)):
                self.modem.abandon()
            for ticket in list(self._tickets):
                self.settle(ticket, False)
            if self.modem.capabilities.acknowledges == "server":
                self.modem.trip(begun)

    def quiet_ms(self) -> int:
        """How long after the last word a server that has something to say is heard: a round trip, and 1.5 s of its own.

        Where the radio was released it has to be paged first, in a cycle of 2.56 s (DRX), and no longer than T3324.
        """
        granted, quiet = self.modem.granted(), int(self.modem.round_trip_ms) + _SERVER_MS
        if self.released:
            paging = _PAGING_MS if granted is None or granted[1] < 0 else min(_PAGING_MS, granted[1] * 1000)
            quiet += paging
        return quiet

    def refresh(self, declared: bool) -> None:
        """Push live values that are no readings: extremes, counters, settings.

        A shadow module answers for us and must have them all, once after a declaration and then what changed; a pull
        module is told what somebody observes; a pipe has no place for them. None of them is kept in the journal.
        """
        contract = self.modem.capabilities.contract
        values = self.tree.changes(contract != "shadow")
        if contract == "shadow" and declared:
            # Readings that have just gone in a pack, each with its own time, would come a second time and as present ones.
            values = [value for value in self.tree.values() if value[0] not in self._readings]
        elif contract == "pipe":
            return
        device, self.device = self.device, []
        for path, kind, value in device + list(values):
            self._publish((path, kind, value, None), None)

    def _may_send(self, path: Path, count: int) -> bool:
        # A notification nobody observes would be refused or vanish: its entry waits for an observer.
        if self.tree.observed(path) if self.modem.capabilities.contract == "pull" else path != HISTORY or (
                self.modem.packs is not False and not self.mute):
            return True
        self.unobserved += count
        return False

    def _publish(self, record: "Any", entries: "list[int] | None") -> None:
        """Send one record, for these entries of the journal (none: nobody waits for it). What fits no message is dropped."""
        self.messages += 1
        self.modem.spoken_at = self.modem.clock.ticks_ms()
        self.bytes += len(record[2])
        try:
            if record[0] is HISTORY and not record[2]:
                raise ValueError("a reading is too long for a pack")
            ticket = self.modem.publish([record], confirm=entries is not None)
        except ValueError as error:
            print("lwnode:", error)  # or it would stand before all others for ever
            self.journal.dropped += len(entries or ())
            self.journal.remove(entries or [])
            return
        if entries is not None:
            self._tickets[ticket] = entries
