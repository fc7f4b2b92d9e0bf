"""The account of a node: what its wakes have cost is carried over to lwnode.power.Upkeep, which says what may be spent.

    balance.judge(node, now)            in each wake of a node with a cell to spare or a budget to keep
    upkeep = balance.opened(node)
    balance.settle(node, upkeep, now)   node.costs is then empty

One part of Upkeep is loaded after the other and put away again, so that never more than one lies on the heap.
"""

import gc

from micropython import const

from lwnode.power.upkeep import Upkeep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The network keeps the radio connected that long after the last byte (low-power notes, section 4: 20 to 25 s).
_TAIL_MS = const(20000)


def opened(node: "Any") -> Upkeep:
    """Return the account, as it was left."""
    from lwnode.power.typical import currents

    config = node.config
    upkeep = Upkeep(currents(node.board.definition.CHIP, config.family), config.data_budget,
                    config.billing_day, config.battery, config.security == "psk")
    upkeep.load(node.state.load("upkeep"))
    return upkeep


def judge(node: "Any", now: int) -> None:
    """Say what battery and budget allow in this wake."""
    upkeep = opened(node)
    settle(node, upkeep, now)
    bands = upkeep.bands
    bands.update(node.board.battery_mv())
    node.reporting.stretch = upkeep.stretch(now)
    node.journal.batch = upkeep.batch(node.config.journal_batch)
    node.may = (2 if upkeep.may_contact(now) else 1) if bands.transmit else 0
    node.nap_s = 0 if node.may else bands.contact_every_s
    node.weak = bands.band if bands.weak else ""
    node.state.save("upkeep", upkeep.dump())


def settle(node: "Any", upkeep: Upkeep, now: int) -> None:
    """Carry over what was added up since the last time."""
    costs = node.costs
    energy = upkeep.energy
    energy.add("sleep", costs.slept_s * 1000)
    energy.add("connect", costs.connect_ms)
    energy.add("awake", costs.awake_ms - costs.connect_ms)
    energy.add("tail", costs.tails * _TAIL_MS)
    upkeep.rest("energy")
    upkeep.data.spend(costs.octets, now, costs.messages)
    upkeep.rest("data")
    node.tidy()
    health = upkeep.health
    health.wake(costs.awake_ms, costs.slept_s)
    health.sync_ok += costs.arrived
    health.sync_failed += costs.failed
    health.battery(node.board.battery_mv(), now)
    resets = node.guard.resets if node.guard is not None else {}
    crashes = sum([resets.get(cause, 0) for cause in ("watchdog", "panic", "crash")]) & 0xFFFF
    if crashes != costs.crashes:
        health.crashed()
        costs.crashes = crashes
    health.heap(getattr(gc, "mem_free", int)())
    upkeep.rest("health")
    if costs.arrived or costs.failed:
        upkeep.contact_at = costs.closed_at
    costs.slept_s = costs.awake_ms = costs.connect_ms = costs.octets = 0
    costs.arrived = costs.failed = costs.messages = costs.tails = 0
