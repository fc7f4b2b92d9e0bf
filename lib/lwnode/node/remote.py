"""What the server may change of a node, and the way back: periods and rules on trial, orders to stay awake or to ship.

    remote.restore(node, data)        what was set before the restart
    remote.asked(node, 1, 3600)       a write of 26250/0/1: the periods for change(); Reject where it does not fit
    remote.default_period(node, ...)  a write of 1/0/2 or 1/0/3 that the module tells of
    remote.judge(node, reached)       after a later wake's contact: kept, or after `trial_wakes` silent ones rolled back

A setting counts from the moment in which it is written, and is on flash before the server has its answer: the old one lies
in `trial`, so that a setting which cuts the node off, or crashes it, is undone. Loaded only when one of this happens.
"""

import struct

from micropython import const

from lwnode.lwm2m import Reject, decimal
from lwnode.power.schedule import device_offset
from lwnode.power.trial import Trial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SETTINGS, _HEALTH = const(26250), const(26251)
_TRIAL, _AWAKE, _SHIP = const(2), const(3), const(4)
_STATES = ("none", "running", "", "kept", "rolled back")  # by node.trial; 2 is running since this wake
_LONGEST_AWAKE_S = const(3600)
_LONGEST_PERIOD_S = const(604800)
_FORMAT = "<IIII"  # periods of config.json, so that a person's edit counts again; periods in force
_RULES = ("pmin", "pmax", "gt", "lt", "st")


def restore(node: "Any", data: bytes) -> None:
    """Take up at a start what a server has set, unless config.json has been edited since."""
    config = node.config
    if len(data) == struct.calcsize(_FORMAT):
        base_sample, base_report, sample, report = struct.unpack(_FORMAT, data)
        if (base_sample, base_report) == (config.sample_every, config.report_every) and 1 <= sample <= report:
            _put(node, sample, report)
            return
    node.state.remove("settings")


def resume(node: "Any") -> None:
    """Ask the flash whether settings are on trial."""
    node.trial = _STATES.index(Trial(node.files).state)


def _put(node: "Any", sample: int, report: int) -> None:
    """Work by these periods from now on."""
    offset = device_offset(node.board.unique_id(), sample, node.config.spread)
    for schedule, period in ((node.sampling, sample), (node.reporting, report)):
        schedule.change(period, offset)
    if node.connected:
        node.session.report_every = report
    row = node.tree.row(_SETTINGS, 0)
    if row is not None:
        row.settings.update({0: sample, 1: report})
        row.touch(0)
        row.touch(1)


def _kept(node: "Any") -> bytes:
    """What restore() takes up; it is to be saved durably, and committed."""
    config = node.config
    return struct.pack(_FORMAT, config.sample_every, config.report_every, node.sampling.period_s, node.reporting.period_s)


def asked(node: "Any", id: int, value: "Any") -> "tuple[int, int] | None":
    """Follow an order in 26250/0, or return the periods for change(). Reject where the value does not fit."""
    if id == _AWAKE:
        _stay_awake(node, value)
    elif id == _SHIP:
        _ship(node, value)
    else:
        sample = value if id == 0 else node.sampling.period_s
        report = value if id == 1 else node.reporting.period_s
        if report < sample:
            raise Reject(400, "the reporting period %d s is shorter than the sampling period %d s" % (report, sample))
        return sample, report
    return None


def default_period(node: "Any", name: str, seconds: int) -> None:
    """Follow the server's default periods: 1/0/3 is how often it wants to hear at least, 1/0/2 how often at most.

    Neither touches sampling: a default minimum of a second, as servers write it, is no order to measure each second.
    """
    sample, report = node.sampling.period_s, node.reporting.period_s
    wanted = seconds if name == "max_period" else max(seconds, report)
    if 0 < wanted <= _LONGEST_PERIOD_S:
        change(node, sample, max(wanted, sample))


def change(node: "Any", sample: int, report: int) -> None:
    """Put these periods on trial, and work by them."""
    old = snapshot(node)
    trial = Trial(node.files, node.config.trial_wakes)
    if trial.start(("%d %d\n" % (sample, report) + old.partition("\n")[2]).encode(), old.encode()):
        _begun(node, trial)
        _put(node, sample, report)
        node.state.save("settings", _kept(node), durable=True)
        node.state.commit()


def snapshot(node: "Any") -> str:
    """The settings that a server may change, as text: periods, then a line for each reading that has rules."""
    lines = ["%d %d" % (node.sampling.period_s, node.reporting.period_s)]
    for row in node.tree.rows:
        for resource in row.resources:
            rules = resource.rules
            if rules is not None:
                given = [name + "=" + decimal(getattr(rules, name)) for name in _RULES if getattr(rules, name) is not None]
                lines.append("%s %s" % (resource.path, "&".join(given)))
    return "\n".join(lines)


def ruled(node: "Any", before: str) -> None:
    """Put rules that a request has just changed on trial."""
    trial = Trial(node.files, node.config.trial_wakes)
    if trial.start(snapshot(node).encode(), before.encode()):
        _begun(node, trial)


def _begun(node: "Any", trial: Trial) -> None:
    node.trial = 2  # this wake's contact proves nothing: it is the one that brought the change
    _say(node, trial.state)


def _say(node: "Any", state: str) -> None:
    row = node.tree.row(_SETTINGS, 0)
    if row is not None:
        row.settings[_TRIAL] = state
        row.touch(_TRIAL)


def judge(node: "Any", reached: bool) -> None:
    """Tell the trial how a wake has ended that tried to reach the server."""
    trial = Trial(node.files, node.config.trial_wakes)
    old = trial.wake(reached)
    if old is not None:
        _back(node, old.decode())
    _say(node, trial.state)
    node.trial = _STATES.index(trial.state)


def _back(node: "Any", old: str) -> None:
    """Work by the old settings again."""
    lines = old.split("\n")
    sample, report = [int(part) for part in lines[0].split(" ")]
    _put(node, sample, report)
    wanted = {}
    for line in lines[1:]:
        path, _, query = line.partition(" ")
        wanted[path] = query
    for row in node.tree.rows:
        for resource in row.resources:
            if str(resource.path) not in wanted:
                resource.rules = None
            elif resource.rules is not None:
                rules: "dict[str, float | None]" = {name: None for name in _RULES}
                for part in wanted[str(resource.path)].split("&"):
                    name, _, text = part.partition("=")
                    if name in rules:
                        rules[name] = int(text) if name[0] == "p" else float(text)
                resource.rules.change(rules)
    node.state.save("settings", _kept(node), durable=True)
    node.state.commit()
    node.save_tree()


def _stay_awake(node: "Any", seconds: int) -> None:
    """Stay awake for a person at the cable once this contact is over: at most an hour, slots are served meanwhile."""
    if not 0 <= seconds <= _LONGEST_AWAKE_S:
        raise Reject(400, "awake for 0 to %d s, not %d" % (_LONGEST_AWAKE_S, seconds))
    clock = node.board.clock
    node.awake_until = clock.ticks_add(clock.ticks_ms(), seconds * 1000) if seconds else None


def _ship(node: "Any", order: bool) -> None:
    """Sleep from this contact on until the button or magnet on pin "ship"."""
    if order and "ship" not in node.orders:
        raise Reject(405, "ship mode is not installed")
    if "ship" in node.orders:
        node.orders["ship"](bool(order))


def orders_over(node: "Any") -> None:
    """The order to stay awake has been followed: it reads 0 again."""
    row = node.tree.row(_SETTINGS, 0)
    if row is not None:
        row.set(_AWAKE, 0)
