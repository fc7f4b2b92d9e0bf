"""What a wake asks before and after: battery, data budget, energy, health, event pins, a module that does not sleep.

    care.begin(node, "timer")     sets node.may (0 no contact, 1 alarms only, 2 as usual), stretch, batch, urgent
    care.defer(node)              -> True: the link is expensive now, and nothing is urgent
    care.end(node)                what the wake has cost; judges a configuration on trial

Loaded twice in a wake and let go again (housekeeping.unload): of all this only some 200 bytes of state stay, in RetainedState.
Flash is not written here, and nothing is sent.
"""

import gc
import struct

from micropython import const

from lwnode.lwm2m import INTEGER, Path
from lwnode.power.policy import CELLS, Deferral
from lwnode.power.typical import currents
from lwnode.power.upkeep import Upkeep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The network keeps the radio connected that long after the last byte (low-power notes, section 4: 20 to 25 s).
_TAIL_MS = const(20000)
# Longer than any active timer (T3324) that a node asks for: who is awake after it does not sleep.
_SETTLED_S = const(180)
# Times in a row that a module may be found awake before it is switched off instead of sent to sleep.
_SLEEPLESS = const(3)
# Registration, update or recovery, beside the reports: payload of the exchange in bytes.
_SESSION_BYTES = const(120)

_FORMAT = "<BBBHHqqBB"  # trouble, pins found active, found awake in a row, in all, crashes, heartbeat, closed, trial, urgent

_HEALTH = const(26251)  # docs/objects/26251.xml
_LOST, _SECOND_HOME, _SLEEPS_NOT, _WEAK, _STUCK = const(1), const(2), const(4), const(8), const(16)


class Kept:
    """The 25 bytes that this room keeps of itself."""

    def __init__(self, data: "bytes | None") -> None:
        if data is None or len(data) != struct.calcsize(_FORMAT):
            data = bytes(struct.calcsize(_FORMAT))
        (self.trouble, self.pins, self.streak, self.sleepless, self.crashes, self.beat_at, self.closed_at,
         self.trial, self.urgent) = struct.unpack(_FORMAT, data)

    def dump(self) -> bytes:
        """Return them."""
        return struct.pack(_FORMAT, self.trouble, self.pins, min(self.streak, 255), min(self.sleepless, 65535),
                           min(self.crashes, 65535), self.beat_at, self.closed_at, self.trial, self.urgent)


def _upkeep(node: "Any") -> Upkeep:
    config = node.config
    upkeep = Upkeep(node.board.clock, currents(node.board.definition.CHIP, config.family), config.data_budget,
                    config.billing_day, CELLS[config.battery], config.security == "psk")
    upkeep.load(node.state.load("upkeep"))
    return upkeep


def begin(node: "Any", cause: str) -> None:
    """Judge the battery, the month's data, the pins and the module, before anything else in a wake."""
    now = node.clock.now()
    board, config = node.board, node.config
    kept, upkeep = Kept(node.state.load("care")), _upkeep(node)
    millivolts = board.battery_mv()
    upkeep.woke(now, millivolts)
    node.reporting.stretch = upkeep.stretch(now)
    node.journal.batch = upkeep.batch(config.journal_batch)
    node.may = (2 if upkeep.may_contact(now) else 1) if upkeep.bands.transmit else 0
    node.nap_s = 0 if node.may else upkeep.bands.contact_every_s
    node.urgent = bool(kept.urgent)
    _events(node, kept, cause)
    _module(node, kept, cause, now)
    _crashes(node, kept, upkeep)
    if node.wakes == 1 and node.state.source != "memory":
        from lwnode.power.trial import Trial
        kept.trial = int(Trial(node.files).state == "running")
    node.trial = kept.trial
    _health(node, kept, upkeep, now)
    node.state.save("care", kept.dump())
    node.state.save("upkeep", upkeep.dump())


def _events(node: "Any", kept: Kept, cause: str) -> None:
    """An event is a wake pin that became active; one that stays so is stuck, and no news (the board waits for its release)."""
    names = node.wake_on
    active = event = 0
    for i in range(len(names)):
        if node.board.pins.get(names[i]):
            active |= 1 << i
        elif cause == names[i] and not kept.pins >> i & 1:
            event = 1  # a short pulse: over before the board was awake
    if active & ~kept.pins or event or (cause == "pin" and not kept.pins):
        node.unsampled = True
        node.alarm()
    # After any edge the next sleep hears none for a minute: a pin that flutters does not empty the battery.
    node.deaf = cause in names or cause == "pin"
    node.stuck = active & kept.pins
    kept.pins = active


def _module(node: "Any", kept: Kept, cause: str, now: int) -> None:
    """Count a module that is awake although it was sent to sleep; its status pin says so, where there is one."""
    if not kept.closed_at or now - kept.closed_at < _SETTLED_S or cause == "ring":
        return
    if not node.board.pins.get("status"):
        kept.streak = 0
    else:
        kept.streak += 1
        kept.sleepless += 1
    # Without a key nobody could switch it on again.
    node.module_off = kept.streak >= _SLEEPLESS and node.board.pins.number("power_key") is not None


def _crashes(node: "Any", kept: Kept, upkeep: Upkeep) -> None:
    resets = _resets(node)
    crashes = sum([resets.get(cause, 0) for cause in ("watchdog", "panic", "crash")])
    if crashes != kept.crashes:
        upkeep.health.crashed()
        kept.crashes = crashes


def _resets(node: "Any") -> "dict[str, int]":
    return node.guard.resets if node.guard is not None else {}


def _trouble(node: "Any", kept: Kept, upkeep: Upkeep) -> "tuple[int, str]":
    """(flags, words) of what a person should look after."""
    found = []
    flags = 0
    if node.board.filesystem == "lost":
        flags |= _LOST
        found.append("filesystem lost")
    if node.config.source:
        flags |= _SECOND_HOME
        found.append("settings from the second home: " + node.config.source)
    if kept.streak >= _SLEEPLESS:
        flags |= _SLEEPS_NOT
        found.append("module does not sleep")
    if upkeep.bands.weak:
        flags |= _WEAK
        found.append("battery " + upkeep.bands.band)
    if node.stuck:
        flags |= _STUCK
        found.append("active since the last wake: pin " + " ".join(
            [node.wake_on[i] for i in range(len(node.wake_on)) if node.stuck >> i & 1]))
    return flags, "; ".join(found)[:160]


def _health(node: "Any", kept: Kept, upkeep: Upkeep, now: int) -> None:
    """Bring the health object up to date; once in `health_every`, and when a trouble comes or goes, it is told."""
    flags, words = _trouble(node, kept, upkeep)
    news = flags & ~kept.trouble & (_LOST | _SECOND_HOME)
    if node.reporting.due(now) is None and not news:
        return
    due = flags != kept.trouble or not kept.beat_at or not 0 <= now - kept.beat_at < node.config.health_every
    values = _values(node, kept, upkeep, words)
    row = node.tree.row(_HEALTH, 0)
    if row is not None:
        row.resources[0].value = values[0]
        row.settings.update(values)
    if news:
        node.alarm()
    if due:
        _tell(node, kept, row, values, flags, now)
    kept.trouble = flags


def _values(node: "Any", kept: Kept, upkeep: Upkeep, words: str) -> "dict[int, Any]":
    """Resource id -> value of object 26251 (docs/objects/26251.xml)."""
    figures = dict(upkeep.metrics({}, node.journal.dropped))
    resets = _resets(node)
    charge = upkeep.energy.charge_mc
    return {
        0: figures["operational_h"], 1: figures["crash_free_h"], 2: figures["sync_ok"], 3: figures["sync_failed"],
        4: figures["dropped"], 5: figures["awake_s"], 6: _pairs(resets), 7: figures["battery_mv"],
        8: figures["battery_mv_per_day"], 9: figures["uah_per_day"], 10: _pairs(charge), 11: figures["data_bytes"],
        12: kept.sleepless, 13: words,
    }


def _pairs(counts: "dict[str, int]") -> str:
    return " ".join(["%s %d" % (name, counts[name]) for name in sorted(counts) if counts[name]])


def _tell(node: "Any", kept: Kept, row: "Any", values: "dict[int, Any]", flags: int, now: int) -> None:
    """A pipe carries what is told through the journal, with its time; else changed live values go out as any others."""
    contract = node.modem.capabilities.contract
    device = _device(node, values)
    if contract != "pipe":
        # Beats again until it was told: what touched means is forgotten with the RAM.
        node.beat = True
        node.delivery.device = [record[:3] for record in device] if contract == "shadow" else []
        for id in values if row is not None else ():
            row.touch(id)
        return
    if flags != kept.trouble:
        code = 8 if flags & _LOST else 1 if flags & _WEAK else node.tree.error_code
        device.append((Path(3, 0, 11), INTEGER, str(code), None))
    records = [(path, kind, text, None) for path, kind, text in (node.tree.values(row.path()) if row is not None else ())]
    node.keep(records + device, node.clock.unix())
    kept.beat_at = max(1, now)


def _device(node: "Any", values: "dict[int, Any]") -> "list[Any]":
    """3/0/7 and 3/0/9, voltage and charge, for contracts whose device object takes a host's word."""
    if not values[7]:
        return []
    from lwnode.drivers import battery
    curves = {"alkaline": battery.ALKALINE_2, "li_socl2": battery.LI_SOCL2}
    level = battery.level(values[7], curves.get(node.config.battery, battery.LI_ION))
    return [(Path(3, 0, 7), INTEGER, str(values[7]), None), (Path(3, 0, 9), INTEGER, str(level), None)]


def defer(node: "Any") -> bool:
    """Ask whether this report can wait for a better signal: at most `defer_longest` seconds after the first that waited."""
    config, now = node.config, node.clock.now()
    deferral = Deferral(config.defer_longest, config.defer_below)
    deferral.load(node.state.load("deferral"))
    wait = not deferral.allow(now, node.modem.signal().get("rsrp"), next_s=node.reporting.interval_s)
    node.state.save("deferral", deferral.dump())
    return wait


def end(node: "Any") -> None:
    """Count what this wake has cost, and what became of its contact."""
    now = node.clock.now()
    kept, upkeep = Kept(node.state.load("care")), _upkeep(node)
    if node.moved:
        upkeep.rebase(node.moved)
        kept.beat_at += node.moved if kept.beat_at else 0
        kept.closed_at += node.moved if kept.closed_at else 0
    if node.reached is not None:
        delivery = node.delivery
        messages = 2 * (delivery.messages + node.spent)
        upkeep.contacted(node.reached, now, delivery.bytes + _SESSION_BYTES * node.spent, node.contact_ms,
                         _TAIL_MS if messages else 0, messages)
        kept.closed_at = 0 if node.module_off else now
        if node.module_off:
            kept.streak = 0
        if node.reached and node.beat:
            kept.beat_at = max(1, now)
        if kept.trial and node.trial != 2:
            from lwnode.node import remote
            remote.judge(node, node.reached)
    kept.trial = 1 if node.trial else 0
    kept.urgent = int(node.urgent)
    clock = node.board.clock
    ticks = clock.ticks_ms()
    upkeep.sleeps(now, max(0, clock.ticks_diff(ticks, node.woke_at) - node.contact_ms))
    upkeep.health.wake(node.contact_ms)
    node.woke_at = ticks
    upkeep.health.heap(getattr(gc, "mem_free", int)())
    node.state.save("care", kept.dump())
    node.state.save("upkeep", upkeep.dump())
