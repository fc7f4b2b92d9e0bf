"""What is to be judged in a wake before anything else: battery and budget, wake pins, a module that does not sleep, health.

    care.begin(node, "timer", now)     sets node.may (0 no contact, 1 alarms only, 2 as usual), stretch, batch, urgent
    care.defer(node)                   -> True: the link is expensive now, and nothing is urgent

Loaded where there is something to judge, and let go again (housekeeping.unload). Nothing is written to flash or sent here.
"""

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Health is brought up to date with a contact that is so long after the last time.
SETTLE_S = 3600
# Longer than any active timer (T3324) that a node asks for: who is awake after it does not sleep.
_SETTLED_S = const(180)
# Times in a row that a module may be found awake before it is switched off instead of sent to sleep.
SLEEPLESS = 3


def begin(node: "Any", cause: str, now: int) -> None:
    """Judge what there is to judge."""
    costs, config = node.costs, node.config
    if node.wake_on:
        _events(node, costs, cause)
    if costs.closed_at and now - costs.closed_at >= _SETTLED_S and cause != "ring":
        _module(node, costs)
    if config.battery != "none" or config.data_budget:
        node.late("balance", "judge")(node, now)
        node.tidy()
    news = config.source and not costs.trouble
    if news or (not 0 <= now - costs.shown_at < SETTLE_S and node.reporting.due(now) is not None):
        node.late("health", "tell")(node, now)


def _events(node: "Any", costs: "Any", cause: str) -> None:
    """An event is a wake pin that became active; one that stays so is stuck, and no news (the board waits for its release)."""
    names = node.wake_on
    active = event = 0
    for i in range(len(names)):
        if node.board.pins.get(names[i]):
            active |= 1 << i
        elif cause == names[i] and not costs.held >> i & 1:
            event = 1  # a short pulse: over before the board was awake
    if active & ~costs.held or event or (cause == "pin" and not costs.held):
        node.unsampled = True
        node.alarm()
    # After any edge the next sleep hears none for a minute: a pin that flutters does not empty the battery.
    node.deaf = cause in names or cause == "pin"
    node.stuck = active & costs.held
    costs.held = active


def _module(node: "Any", costs: "Any") -> None:
    """Count a module that is awake although it was sent to sleep; its status pin says so, where there is one."""
    pins = node.board.pins
    if not pins.get("status") or node.modem.sleeps_powered:
        costs.streak = 0
        return
    costs.streak = min(costs.streak + 1, 255)
    costs.sleepless += 1
    # Without a key nobody could switch it on again.
    node.module_off = costs.streak >= SLEEPLESS and pins.number("power_key") is not None


def defer(node: "Any") -> bool:
    """Ask whether this report can wait for a better signal: at most `defer_longest` seconds after the first that waited."""
    from lwnode.power.policy import Deferral

    config, now = node.config, node.clock.now()
    deferral = Deferral(config.defer_longest, config.defer_below)
    deferral.load(node.state.load("deferral"))
    wait = not deferral.allow(now, node.modem.signal().get("rsrp"), next_s=node.reporting.interval_s)
    node.state.save("deferral", deferral.dump())
    return wait
