"""What this node uses and how it fares: bytes of a month, charge by phase, and both with its counters as object 26251.

    {"data_budget": 500000, "billing_day": 1, "health_every": 86400}       config.json

Above 80 % of the month's budget reports come four times as seldom, above 100 % only alarms go out; readings wait.

The object (docs/objects/26251.xml) is worked out when a server asks. Once in `health_every`, and when a trouble comes or goes,
it is told unasked in a contact: a pipe carries it through the journal, with its time, and beside it voltage, charge and error
code of the device object; a shadow is given all of it; a pull module reports what a server observes.

Charge is times multiplied with typical currents: good for comparing, not for billing. Hours count sleep too. Bounds: 85 bytes
of state; nothing here writes flash.
"""

from binascii import crc32
from struct import calcsize, pack, unpack

from lwnode.drivers.battery import ALKALINE_2, LI_ION, LI_SOCL2, level
from lwnode.features import Feature
from lwnode.lwm2m import INTEGER, STRING, Path
from lwnode.lwm2m.objects import Instance
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.node import Node

_HEALTH = const(26251)
_TEXTS = (6, 10, 13)
_R = const(8)  # read, in Instance.kinds
_OVERHEAD = const(60)  # of a message: IPv4 20, UDP 8, CoAP header, token, Uri-Path or Observe about 32
_DTLS = const(29)  # record header 13, explicit nonce 8, CCM-8 tag 8 (RFC 6655)
_EXCHANGE = const(120)  # bytes that a registration, update or recovery carries
_TAIL_MS = const(20000)  # the network keeps the radio connected after the last byte (low-power notes, 4: 20 to 25 s)
_DAY_S = const(86400)
_LONGEST_SLEEP_S = const(864000)
_MOST = const(0x3FFFFFFF)
_FORMAT = "<HIIIHIIHIHhHIII" + "IH" * 4
_NAMES = ("month", "spent", "operational_s", "since_crash_s", "crashes", "sync_ok", "sync_failed", "awake_ms", "awake_s",
          "last_mv", "slope", "mark_mv", "mark_at", "slept_at", "next_at")
_PHASES = ("sleep", "awake", "connect", "tail")

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


class Health(Instance):
    """Numbers and texts, only to be read, and worked out when somebody asks."""

    usage: "Any" = None

    def extra(self, id: int) -> "Any":
        """Return the value of a resource."""
        return self.usage.value(id)


class Usage(Feature):
    """Counters of a node's life, and what they allow."""

    KEYS = (("data_budget", "i", 0, 0, 1000000000), ("billing_day", "i", 1, 1, 28),
            ("health_every", "i", 86400, 3600, 604800))
    name = "usage"
    ORDER = 20
    SIZE = calcsize(_FORMAT) + 4
    if TYPE_CHECKING:
        month: int; spent: int; operational_s: int; since_crash_s: int; crashes: int; sync_ok: int  # noqa: E702
        sync_failed: int; awake_ms: int; awake_s: int; last_mv: int; slope: int; mark_mv: int; mark_at: int  # noqa: E702
        slept_at: int; next_at: int  # noqa: E702

    def __init__(self) -> None:
        for name in _NAMES:
            setattr(self, name, 0)
        self.charge = [0] * 8  # millicoulombs and the microcoulombs beyond them, by phase
        self.told = 0  # the troubles that were told last, as a CRC
        self._woke = 0  # ticks; a board's begin at its boot
        self._telling = False

    @staticmethod
    def enabled(settings: "Any") -> bool:
        """Say whether there is something to tell or to keep within."""
        return bool(settings.node_objects or settings.data_budget)

    def attach(self, node: "Node") -> None:
        """Add 26251 to the tree."""
        self.node = node
        board, module = BOARDS[node.board.definition.CHIP], MODULES[node.config.family]
        self._ua = (board[0] + module[0], board[1] + module[0], board[1] + module[2], board[0] + module[3])
        self._overhead = _OVERHEAD + (_DTLS if node.config.security == "psk" else 0)
        if node.config.node_objects:
            row = Health(node.tree, _HEALTH, 0, "1.0")
            row.usage = self
            row.offered = tuple(range(14))
            # What docs/objects says of each resource, not looked up in a registry that does not know them.
            row.kinds = bytes([(STRING if id in _TEXTS else INTEGER) | _R for id in row.offered])
            node.tree.rows.append(row)

    def before_wake(self, node: "Node", cause: str, now: int) -> None:
        """Count the sleep that is over, and keep within the month's budget."""
        if self.slept_at and not node.stayed_awake:
            self._woke = node.board.clock.ticks_ms() if node.wakes > 1 else 0
            slept = now - self.slept_at
            if 0 < slept < _LONGEST_SLEEP_S:  # one across a step of the clock is not believed
                self._lived(slept)
                self._spend(0, slept * 1000)
        self._battery(node.board.battery_mv(), now)
        resets = node.guard.resets if node.guard is not None else {}
        crashes = sum([resets.get(cause, 0) for cause in ("watchdog", "panic", "crash")]) & 0xFFFF
        if crashes != self.crashes:
            self.crashes, self.since_crash_s = crashes, 0
        self._turn(now)
        limit = node.config.data_budget
        if limit:
            node.limit(contact=2 if self.spent < limit else 1, stretch=4 if self.spent * 5 >= limit * 4 else 1)
        if node.config.source and not self.told:
            node.alarm()

    def in_contact(self, node: "Node", now: int) -> None:
        """See whether the health is to be told: it is due, or a trouble has come or gone since."""
        every = node.config.health_every
        self._telling = False
        if not self.next_at:  # new, or new since the power went: it has nothing to tell yet
            self.next_at = now + 3600
        if self._troubles() != self.told or not now < self.next_at <= now + every:
            self._tell(node, now + every)

    def after_contact(self, node: "Node", reached: bool) -> None:
        """Count a contact. Values that are told without the journal are told again until one has arrived."""
        now = node.clock.now()
        messages = 2 * (node.delivery.messages + node.exchanges)
        self._turn(now)
        self.spent += node.delivery.bytes + _EXCHANGE * node.exchanges + messages * self._overhead
        self._spend(3, _TAIL_MS if messages else 0)
        if node.reached is not None:
            self.sync_ok += reached
            self.sync_failed += not reached
        if self._telling and reached:
            self.told, self.next_at = self._troubles(), now + node.config.health_every

    def before_sleep(self, node: "Node", now: int) -> None:
        """Count the wake that ends."""
        clock = node.board.clock
        ticks = clock.ticks_ms()
        awake, self._woke = max(0, clock.ticks_diff(ticks, self._woke)), ticks
        self._spend(2, node.contact_ms)
        self._spend(1, awake - node.contact_ms)
        self.awake_ms += awake
        self._lived(self.awake_ms // 1000)
        self.awake_s += self.awake_ms // 1000
        self.awake_ms %= 1000
        self.slept_at = max(1, now)

    def rebase(self, node: "Node", moved: int) -> None:
        """Follow a step of the clock."""
        for name in ("mark_at", "slept_at", "next_at"):
            if getattr(self, name):
                setattr(self, name, max(1, getattr(self, name) + moved))

    def _lived(self, seconds: int) -> None:
        self.operational_s += seconds
        self.since_crash_s += seconds

    def _spend(self, phase: int, ms: int) -> None:
        ua = self._ua[phase]
        microcoulombs = self.charge[2 * phase + 1] + max(0, ms) // 1000 * ua + max(0, ms) % 1000 * ua // 1000
        self.charge[2 * phase] += microcoulombs // 1000
        self.charge[2 * phase + 1] = microcoulombs % 1000

    def _turn(self, now: int) -> None:
        year, month, day = civil(now)
        number = (year * 12 + month - (day < self.node.config.billing_day)) & 0xFFFF
        if number > self.month:  # one that goes back is a corrected clock: what was spent stays spent
            self.spent = 0
        self.month = number

    def _battery(self, millivolts: "int | None", now: int) -> None:
        """Take a rested voltage; its slope is measured over a day at least, half new and half old."""
        if millivolts is None:
            return
        self.last_mv = min(millivolts, 65535)
        passed = now - self.mark_at
        if self.mark_mv and passed >= _DAY_S:
            slope = (millivolts - self.mark_mv) * _DAY_S // passed
            self.slope = max(-32000, min(32000, (slope + self.slope) // 2))
        if not self.mark_mv or not 0 <= passed < _DAY_S:
            self.mark_at, self.mark_mv = max(1, now), self.last_mv

    def _troubles(self) -> int:
        return crc32("".join(sorted(self.node.troubles)).encode()) if self.node.troubles else 0

    def value(self, id: int) -> "int | str":
        """The present value of a resource of 26251."""
        node = self.node
        resets = node.guard.resets if node.guard is not None else {}
        charge = {_PHASES[i]: self.charge[2 * i] for i in range(4)}
        # A millicoulomb is 1/3.6 of a microampere-hour.
        per_day = int(24000 * (sum(charge.values()) / self.operational_s)) if self.operational_s >= 60 else 0
        values = (self.operational_s // 3600, self.since_crash_s // 3600, self.sync_ok, self.sync_failed, node.journal.dropped,
                  self.awake_s, _pairs(resets), self.last_mv, self.slope, per_day, _pairs(charge), self.spent,
                  node.module_awake, "; ".join([node.troubles[key] for key in sorted(node.troubles)])[:160])
        return values[id]

    def _tell(self, node: "Node", next_at: int) -> None:
        """Tell all of it: a heartbeat."""
        contract = node.modem.capabilities.contract
        device: "list[Any]" = []
        if self.last_mv:
            curves = {"alkaline": ALKALINE_2, "li_socl2": LI_SOCL2}
            charge = level(self.last_mv, curves.get(getattr(node.config, "battery", ""), LI_ION))
            device = [(Path(3, 0, 7), INTEGER, str(self.last_mv)), (Path(3, 0, 9), INTEGER, str(charge))]
        row = node.tree.row(_HEALTH, 0)
        if contract != "pipe":
            self._telling = True
            node.delivery.device = device if contract == "shadow" else []
            if row is not None:
                for id in range(14):
                    row.touch(id)
            return
        if self._troubles() != self.told:
            code = 8 if "filesystem" in node.troubles else 1 if "battery" in node.troubles else node.tree.error_code
            device.append((Path(3, 0, 11), INTEGER, str(code)))
        if row is not None:
            device += node.tree.values(row.path())
        node.keep([(path, kind, text, None) for path, kind, text in device], node.clock.unix())
        self.told, self.next_at = self._troubles(), next_at

    def dump(self) -> bytes:
        """Return counters, times and charge; a counter stays at 30 bits."""
        counters = [min(getattr(self, name), _MOST) for name in _NAMES[:-3]]
        return pack(_FORMAT + "I", *(counters + [self.mark_at, self.slept_at, self.next_at] + self.charge + [self.told]))

    def load(self, data: bytes) -> bool:
        """Take them up."""
        if len(data) != self.SIZE:
            return False
        values = unpack(_FORMAT + "I", data)
        if max(values[2:6]) > _MOST:
            return False
        for i, name in enumerate(_NAMES):
            setattr(self, name, values[i])
        self.charge, self.told = list(values[len(_NAMES) : -1]), values[-1]
        return True


def _pairs(counts: "dict[str, int]") -> str:
    return " ".join(["%s %d" % (name, counts[name]) for name in sorted(counts) if counts[name]])


FEATURE = Usage
