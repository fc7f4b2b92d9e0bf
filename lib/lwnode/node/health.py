"""The node's health as resources: object 26251 (docs/objects/26251.xml), a device object that takes a host's word, errors.

    health.fill(node)             the values, when a server asks
    health.tell(node, now)        about once an hour, with a contact

The values are worked out when somebody asks. Once in `health_every`, and when
a trouble comes or goes, they are told unasked: a pipe carries them through the journal, with their time; a shadow is given
all of them; a pull module reports those that a server observes. Loaded for that, and let go again.
"""

from micropython import const

from lwnode.lwm2m import INTEGER, Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEALTH = const(26251)
_LOST, _SECOND_HOME, _SLEEPLESS, _WEAK, _STUCK = const(1), const(2), const(4), const(8), const(16)
_SLEEPLESS_TIMES = const(3)


def _trouble(node: "Any") -> "tuple[int, str]":
    """(flags, words) of what a person should look after."""
    found = []
    flags = 0
    source = node.config.source
    if source:
        # main.py says so: the board's own boot could not mount the filesystem, or config.json is not what it was.
        flags |= _LOST if source.startswith("filesystem") else _SECOND_HOME
        found.append("settings from the second home: " + source)
    if node.costs.streak >= _SLEEPLESS_TIMES:
        flags |= _SLEEPLESS
        found.append("module does not sleep")
    if node.weak:
        flags |= _WEAK
        found.append("battery " + node.weak)
    if node.stuck:
        flags |= _STUCK
        found.append("active since the last wake: pin " + " ".join(
            [node.wake_on[i] for i in range(len(node.wake_on)) if node.stuck >> i & 1]))
    if node.journal.errors:
        found.append("flash refused %d times, %d readings unreadable" % (node.journal.errors, node.journal.unreadable))
    return flags, "; ".join(found)[:160]


def fill(node: "Any") -> "dict[int, Any]":
    """Bring the health object up to date: when a server asks, and before a heartbeat."""
    from lwnode.node import balance

    upkeep = balance.opened(node)
    balance.settle(node, upkeep, node.clock.now())
    values = _values(node, upkeep, _trouble(node)[1])
    node.state.save("upkeep", upkeep.dump())
    row = node.tree.row(_HEALTH, 0)
    if row is not None:
        row.settings.update(values)
        row.stale = False
    return values


def tell(node: "Any", now: int) -> None:
    """See whether the node's health is to be told: a heartbeat is due, or a trouble has come or gone."""
    costs = node.costs
    flags = _trouble(node)[0]
    if flags & ~costs.trouble & (_LOST | _SECOND_HOME):
        node.alarm()
    if flags != costs.trouble or not costs.beat_at or not 0 <= now - costs.beat_at < node.config.health_every:
        _beat(node, node.tree.row(_HEALTH, 0), fill(node), flags, now)
    costs.trouble = flags
    costs.shown_at = max(1, now)


def _values(node: "Any", upkeep: "Any", words: str) -> "dict[int, Any]":
    """Resource id -> value, one part of Upkeep after the other."""
    charge = upkeep.energy.charge_mc
    values = {4: node.journal.dropped, 6: _pairs(node.guard.resets if node.guard is not None else {}),
              9: upkeep.energy.uah_per_day(), 10: _pairs(charge), 12: node.costs.sleepless, 13: words}
    upkeep.rest("energy")
    values[11] = upkeep.data.spent
    upkeep.rest("data")
    node.tidy()
    health = upkeep.health
    values.update({0: health.operational_s // 3600, 1: health.since_crash_s // 3600, 2: health.sync_ok, 3: health.sync_failed,
                   5: health.awake_s, 7: health.last_mv, 8: health.slope_mv_per_day})
    upkeep.rest("health")
    return values


def _pairs(counts: "dict[str, int]") -> str:
    return " ".join(["%s %d" % (name, counts[name]) for name in sorted(counts) if counts[name]])


def _beat(node: "Any", row: "Any", values: "dict[int, Any]", flags: int, now: int) -> None:
    """Tell it: a heartbeat."""
    contract = node.modem.capabilities.contract
    device = _device(node, values[7])
    if contract != "pipe":
        # Beats again until it was told: what was touched is forgotten with the RAM.
        node.beat = True
        node.delivery.device = device if contract == "shadow" else []
        for id in values if row is not None else ():
            row.touch(id)
        return
    if flags != node.costs.trouble:
        code = 8 if flags & _LOST else 1 if flags & _WEAK else node.tree.error_code
        device.append((Path(3, 0, 11), INTEGER, str(code)))
    if row is not None:
        device += node.tree.values(row.path())
    node.keep([(path, kind, text, None) for path, kind, text in device], node.clock.unix())
    node.costs.beat_at = max(1, now)


def _device(node: "Any", millivolts: int) -> "list[Any]":
    """3/0/7 and 3/0/9, voltage and charge, for contracts whose device object takes a host's word."""
    if not millivolts:
        return []
    from lwnode.drivers import battery
    curves = {"alkaline": battery.ALKALINE_2, "li_socl2": battery.LI_SOCL2}
    level = battery.level(millivolts, curves.get(node.config.battery, battery.LI_ION))
    return [(Path(3, 0, 7), INTEGER, str(millivolts)), (Path(3, 0, 9), INTEGER, str(level))]
