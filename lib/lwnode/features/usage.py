"""What this node uses and how it fares: bytes of a month, charge by phase, and both with its counters as object 26251.

    {"data_budget": 500000, "billing_day": 1, "health_every": 86400}       config.json

Above 80 % of the month's budget reports come four times as seldom, above 100 % only alarms go out; readings wait.

The object is worked out when a server asks. Once in `health_every`, and when a warning comes or goes, it is told unasked in a
contact: a pipe carries it through the journal, with its time, beside voltage, charge and error code of the device object; a
shadow is given all of it; a pull module reports what a server observes. Charge is times multiplied with typical currents: good
for comparing, not for billing. Hours count sleep too. Bounds: 85 bytes of state; nothing here writes flash.
"""

from binascii import crc32
from struct import calcsize, pack, unpack

from lwnode.drivers.battery import ALKALINE_2, LI_ION, LI_SOCL2, level
from lwnode.features import Feature
from lwnode.lwm2m import INTEGER, Path
from lwnode.lwm2m.objects import Instance
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.node import Node

_HEALTH = const(26251)
_OVERHEAD = const(60)  # of a message: IPv4 20, UDP 8, CoAP header, token, Uri-Path or Observe about 32
_DTLS = const(29)  # record header 13, explicit nonce 8, CCM-8 tag 8 (RFC 6655)
_EXCHANGE = const(120)  # bytes that a registration, update or recovery carries
_TAIL_MS = const(20000)  # the network keeps the radio connected after the last byte (low-power notes, 4: 20 to 25 s)
_DAY_S = const(86400)
_LONGEST_SLEEP_S = const(864000)
# Counters by their place in the state. _MARK is where the slope is measured from; _CHARGE: by phase, mC and the uC beyond.
_MONTH = const(0)
_SPENT = const(1)
_OPERATED = const(2)
_SOUND = const(3)
_CRASHES = const(4)
_ARRIVED = const(5)
_FAILED = const(6)
_AWAKE_MS = const(7)
_AWAKE = const(8)
_MV = const(9)
_SLOPE = const(10)
_MARK_MV = const(11)
_MARK_AT = const(12)
_SLEPT_AT = const(13)
_NEXT_AT = const(14)
_CHARGE = const(15)
_TOLD = const(23)
_FORMAT = const("<HIIIHIIHIHhHIIIIHIHIHIHI")
_MOST = const(0x3FFFFFFF)
_PHASES = const(("sleep", "awake", "connect", "tail"))

# Supply currents in microamperes; where each figure comes from stands in tools/energy/sources.py.
# chip: (sleep, active) of the whole board
BOARDS = {"esp32": (50, 30000), "esp32s3": (50, 30000), "esp32c3": (45, 22000), "esp32c6": (45, 25000),
          "rp2040": (990, 22000), "rp2350": (1900, 20000)}
# family: (deep sleep, boot and search, connected mean, tail, idle) of the module alone
MODULES = {"bc66": (4, 30000, 70000, 12000, 430), "bc20": (4, 30000, 70000, 12000, 430),
           "bg96": (10, 40000, 110000, 20000, 16000), "me910c1": (10, 40000, 120000, 20000, 16000)}


def civil(unix: int) -> "tuple[int, int, int]":
    """Return (year, month, day) of Unix seconds. time.gmtime() counts from 2000 on ESP32 and from 1970 on RP2."""
    days = unix // _DAY_S + 719468
    era = days // 146097
    day_of_era = days - era * 146097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


class Usage(Feature):
    """Counters of a node's life, and what they allow."""

    KEYS = "data_budget i 0 0 1000000000;billing_day i 1 1 28;health_every i 86400 3600 604800"
    name = "usage"
    SIZE = calcsize(_FORMAT)
    _woke = 0  # ticks; a board's begin at its boot
    _telling = False

    @staticmethod
    def enabled(settings: "Any") -> bool:
        """Say whether there is something to tell or to keep within."""
        return bool(settings.node_objects or settings.data_budget)

    def attach(self, node: "Node") -> None:
        """Add 26251 to the tree."""
        self.node, self.counts = node, [0] * 24
        board, module = BOARDS[node.board.definition.CHIP], MODULES[node.config.family]
        self._ua = (board[0] + module[0], board[1] + module[0], board[1] + module[2], board[0] + module[3])
        if node.config.node_objects:
            row = Instance(node.tree, _HEALTH, 0)
            row.source = self
            row.show(list(range(14)))
            node.tree.rows.append(row)

    def before_wake(self, node: "Node", cause: str, now: int) -> None:
        """Count the sleep that is over, and keep within the month's budget."""
        counts = self.counts
        if counts[_SLEPT_AT] and not node.stayed_awake:
            self._woke = node.board.clock.ticks_ms() if node.wakes > 1 else 0
            slept = now - counts[_SLEPT_AT]
            if 0 < slept < _LONGEST_SLEEP_S:  # one across a step of the clock is not believed
                counts[_OPERATED] += slept
                counts[_SOUND] += slept
                self._spend(0, slept * 1000)
        mv, passed = node.board.battery_mv(), now - counts[_MARK_AT]
        if mv is not None:  # rested; the slope is measured over a day at least, half new and half old
            counts[_MV] = min(mv, 65535)
            if counts[_MARK_MV] and passed >= _DAY_S:
                slope = (mv - counts[_MARK_MV]) * _DAY_S // passed
                counts[_SLOPE] = max(-32000, min(32000, (slope + counts[_SLOPE]) // 2))
            if not counts[_MARK_MV] or not 0 <= passed < _DAY_S:
                counts[_MARK_AT], counts[_MARK_MV] = max(1, now), counts[_MV]
        resets = node.guard.resets if node.guard is not None else {}
        crashes = sum([resets.get(cause, 0) for cause in ("watchdog", "panic", "crash")]) & 0xFFFF
        if crashes != counts[_CRASHES]:
            counts[_CRASHES], counts[_SOUND] = crashes, 0
        self._turn(now)
        limit, spent = node.config.data_budget, counts[_SPENT]
        if limit:
            node.limit(contact=2 if spent < limit else 1, stretch=4 if spent * 5 >= limit * 4 else 1)
        if node.config.source and not counts[_TOLD]:
            node.alarm()

    def in_contact(self, node: "Node", now: int) -> None:
        """See whether the health is to be told: it is due, or a warning has come or gone since."""
        counts, every = self.counts, node.config.health_every
        if not counts[_NEXT_AT]:  # new, or new since the power went: it has nothing to tell yet
            counts[_NEXT_AT] = now + 3600
        self._telling = self._warned() != counts[_TOLD] or not now < counts[_NEXT_AT] <= now + every
        if self._telling:
            self._tell(node)
            if node.modem.capabilities.contract == "pipe":  # the journal has it
                counts[_TOLD], counts[_NEXT_AT] = self._warned(), now + every

    def after_contact(self, node: "Node", reached: bool) -> None:
        """Count a contact. Values that are told without the journal are told again until one has arrived."""
        counts, now = self.counts, node.clock.now()
        messages = 2 * (node.delivery.messages + node.exchanges)
        headers = messages * (_OVERHEAD + (_DTLS if node.config.security == "psk" else 0))
        self._turn(now)
        counts[_SPENT] += node.delivery.bytes + _EXCHANGE * node.exchanges + headers
        self._spend(3, _TAIL_MS if messages else 0)
        if node.reached is not None:
            counts[_ARRIVED if reached else _FAILED] += 1
        if self._telling and reached:
            counts[_TOLD], counts[_NEXT_AT] = self._warned(), now + node.config.health_every

    def before_sleep(self, node: "Node", now: int) -> None:
        """Count the wake that ends."""
        counts, clock = self.counts, node.board.clock
        ticks = clock.ticks_ms()
        awake, self._woke = max(0, clock.ticks_diff(ticks, self._woke)), ticks
        self._spend(2, node.contact_ms)
        self._spend(1, awake - node.contact_ms)
        awake += counts[_AWAKE_MS]
        counts[_AWAKE_MS] = awake % 1000
        counts[_AWAKE] += awake // 1000
        counts[_OPERATED] += awake // 1000
        counts[_SOUND] += awake // 1000
        counts[_SLEPT_AT] = max(1, now)

    def rebase(self, node: "Node", moved: int) -> None:
        """Follow a step of the clock."""
        for at in (_MARK_AT, _SLEPT_AT, _NEXT_AT):
            if self.counts[at]:
                self.counts[at] = max(1, self.counts[at] + moved)

    def _spend(self, phase: int, ms: int) -> None:
        ua, at = self._ua[phase], _CHARGE + 2 * phase
        uc = self.counts[at + 1] + max(0, ms) // 1000 * ua + max(0, ms) % 1000 * ua // 1000
        self.counts[at], self.counts[at + 1] = self.counts[at] + uc // 1000, uc % 1000

    def _turn(self, now: int) -> None:
        year, month, day = civil(now)
        number = (year * 12 + month - (day < self.node.config.billing_day)) & 0xFFFF
        if number > self.counts[_MONTH]:  # one that goes back is a corrected clock: what was spent stays spent
            self.counts[_SPENT] = 0
        self.counts[_MONTH] = number

    def _warned(self) -> int:
        return crc32("".join(sorted(self.node.warnings)).encode()) if self.node.warnings else 0

    def value(self, id: int) -> "int | str":
        """The present value of a resource of 26251."""
        node, counts = self.node, self.counts
        resets = node.guard.resets if node.guard is not None else {}
        charge = {_PHASES[i]: counts[_CHARGE + 2 * i] for i in range(4)}
        # A millicoulomb is 1/3.6 of a microampere-hour.
        per_day = int(24000 * (sum(charge.values()) / counts[_OPERATED])) if counts[_OPERATED] >= 60 else 0
        return (counts[_OPERATED] // 3600, counts[_SOUND] // 3600, counts[_ARRIVED], counts[_FAILED], node.journal.dropped,
                counts[_AWAKE], _pairs(resets), counts[_MV], counts[_SLOPE], per_day, _pairs(charge), counts[_SPENT],
                node.module_awake, "; ".join([node.warnings[key] for key in sorted(node.warnings)])[:160])[id]

    def _tell(self, node: "Node") -> None:
        """Tell all of it: a heartbeat."""
        contract, row, millivolts = node.modem.capabilities.contract, node.tree.row(_HEALTH, 0), self.counts[_MV]
        device: "list[Any]" = []
        if millivolts:
            curves = {"alkaline": ALKALINE_2, "li_socl2": LI_SOCL2}
            charge = level(millivolts, curves.get(getattr(node.config, "battery", ""), LI_ION))
            device = [(Path(3, 0, 7), INTEGER, str(millivolts)), (Path(3, 0, 9), INTEGER, str(charge))]
        if contract != "pipe":
            node.delivery.device = device if contract == "shadow" else []
            for id in range(14):
                if row is not None:
                    row.touch(id)
            return
        if self._warned() != self.counts[_TOLD]:
            code = 8 if "filesystem" in node.warnings else 1 if "battery" in node.warnings else node.tree.error_code
            device.append((Path(3, 0, 11), INTEGER, str(code)))
        if row is not None:
            device += node.tree.values(row.path())
        node.keep([(path, kind, text, None) for path, kind, text in device], node.clock.unix())

    def dump(self) -> bytes:
        """Return the counters; one that only grows stays at 30 bits."""
        counts = self.counts
        return pack(_FORMAT, *[counts[i] if _MV <= i <= _NEXT_AT or i == _TOLD else min(counts[i], _MOST) for i in range(24)])

    def load(self, data: bytes) -> bool:
        """Take them up."""
        if len(data) != self.SIZE or max(unpack(_FORMAT, data)[_OPERATED:_CRASHES]) > _MOST:
            return False
        self.counts = list(unpack(_FORMAT, data))
        return True


def _pairs(counts: "dict[str, int]") -> str:
    return " ".join(["%s %d" % (name, counts[name]) for name in sorted(counts) if counts[name]])


FEATURE = Usage
