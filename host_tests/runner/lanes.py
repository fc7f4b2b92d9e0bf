"""Shares the selected tests out over processes, a file at a time: one for each core, and one for what mostly waits.

    run(session)      True where it ran them all, None where pytest's own loop should

A lane is a fork of the process that has collected the tests. It asks for a file, runs its tests as pytest does, sends each
report home, and asks again. The files of FIRST are handed out before all others, so that no core ends alone with a long one; a
file that says REAL_TIME = "why" goes to a lane of its own from the start, for it waits more than it works.

Bounds: a fixture of the session's scope is made once for each file. A lane that dies fails the test it was in and those of
that file that had not run; another takes its place. With --pdb, with LANES=0 in the environment (a plugin that keeps what it
sees in this process wants that), or where there is nothing to share, pytest's own loop runs.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from multiprocessing import connection

import pytest

CORES = int(os.environ.get("LANES") or min(8, os.cpu_count() or 1))
# What takes ten seconds and more, the longest first: portable files under both interpreters.
FIRST = ("test_simulate", "test_energy", "test_power_faults", "test_update_node", "test_node_fleet", "test_node_power",
         "test_node_health", "test_update_cuts", "test_node_remote", "test_node_boots", "test_modem_me910c1_node",
         "test_modem_options", "test_node_families", "test_arguments", "test_power_wake", "test_docs")  # fmt: skip


class Unit:
    """The selected tests of one file for one interpreter."""

    def __init__(self, collector: pytest.Collector) -> None:
        self.items: list[pytest.Item] = []
        stem = collector.path.stem
        self.waits = hasattr(getattr(collector, "obj", None), "REAL_TIME")
        self.place = FIRST.index(stem) if stem in FIRST else len(FIRST)


class Reports:
    """What a lane hears of its tests, sent home."""

    def __init__(self, config: pytest.Config, home: connection.Connection) -> None:
        self.config, self.home = config, home

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.home.send(("report", self.config.hook.pytest_report_to_serializable(config=self.config, report=report)))

    def pytest_warning_recorded(self, warning_message, when, nodeid, location) -> None:
        warning_message.source = None
        self.home.send(("warning", {"warning_message": warning_message, "when": when, "nodeid": nodeid, "location": location}))


class Lane:
    """One process: `near` is our end of its pipe, `unit` what it runs, `left` the tests of that without a report."""

    def __init__(self, session: pytest.Session, units: list[Unit], waits: bool) -> None:
        self.waits = waits
        self.unit: Unit | None = None
        self.left: dict[str, pytest.Item] = {}
        self.near, far = connection.Pipe()
        self.pid = os.fork()
        if not self.pid:
            status = 1
            try:
                self.near.close()
                os.nice(0 if waits else 10)  # what follows a clock comes first
                _work(session, units, far)
                status = 0
            except (KeyboardInterrupt, EOFError, BrokenPipeError):
                pass  # nobody wants to know any more
            finally:
                os._exit(status)
        far.close()

    def give(self, number: int | None, units: list[Unit]) -> None:
        """Hand out a unit, or word that there is none."""
        self.unit = None if number is None else units[number]
        self.left = {} if self.unit is None else {item.nodeid: item for item in self.unit.items}
        with contextlib.suppress(OSError):  # it has died: the next look at its pipe says so
            self.near.send(number)


def _work(session: pytest.Session, units: list[Unit], home: connection.Connection) -> None:
    """A lane's life."""
    config = session.config
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture:  # not into the files of the process that we come from
        capture.suspend_global_capture()
        capture._global_capturing = None
        capture.start_global_capturing()
    for name in ("terminalreporter", "junitxml"):
        if config.pluginmanager.hasplugin(name):
            config.pluginmanager.unregister(name=name)
    config.pluginmanager.register(Reports(config, home))
    while (number := _asked(home)) is not None:
        items = units[number].items
        for item, following in zip(items, [*items[1:], None]):
            config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if home.poll():
                return  # the others have failed: enough


def _asked(home: connection.Connection) -> int | None:
    home.send(("next", None))
    return home.recv()


def run(session: pytest.Session) -> bool | None:
    """Run all that was selected, in lanes."""
    option = session.config.option
    groups: dict[pytest.Collector, Unit] = {}
    for item in session.items:
        file = item.getparent(pytest.File)
        groups.setdefault(file, Unit(file)).items.append(item)
    units = sorted(groups.values(), key=lambda unit: unit.place)
    alone = option.collectonly or option.usepdb or len(units) < 2 or not CORES or not hasattr(os, "fork")
    if session.testsfailed or alone:
        return None
    session.config._tmp_path_factory.getbasetemp()  # one folder for all lanes
    sys.stdout.flush()
    sys.stderr.flush()
    _share_out(session, units)
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)
    return True


def _share_out(session: pytest.Session, units: list[Unit]) -> None:
    """Start the lanes, hand out the units and take in what they say, until the last has ended."""
    hook = session.config.hook
    queues = {waits: [number for number, unit in enumerate(units) if unit.waits == waits] for waits in (True, False)}
    running = [Lane(session, units, waits) for waits, many in ((True, 1), (False, CORES)) for _ in queues[waits][:many]]
    try:
        for lane, word, data in _messages(running):
            queue = [] if session.shouldfail or session.shouldstop else queues[lane.waits]
            if word == "next":
                lane.give(queue.pop(0) if queue else None, units)
            elif word == "report":
                _report(session, hook.pytest_report_from_serializable(config=session.config, data=data), lane)
                if session.shouldfail or session.shouldstop:
                    for other in running:
                        other.give(None, units)
            elif word == "warning":
                hook.pytest_warning_recorded.call_historic(kwargs=data)
            else:
                for item in lane.left.values():
                    _report(session, _not_run(item, data), lane)
                if queue:
                    running.append(Lane(session, units, lane.waits))
    finally:
        for lane in running:
            lane.near.close()


def _messages(running: list[Lane]) -> Iterator[tuple[Lane, str, object]]:
    """(lane, word, data) as it comes, until no lane is left; "died" with its status for one that ended within a unit."""
    while running:
        for near in connection.wait([lane.near for lane in running]):
            lane = next(lane for lane in running if lane.near is near)
            try:
                word, data = near.recv()
            except (EOFError, ConnectionError):
                running.remove(lane)
                near.close()
                status = os.waitstatus_to_exitcode(os.waitpid(lane.pid, 0)[1])
                if lane.left:
                    yield lane, "died", status
                continue
            yield lane, word, data


def _report(session: pytest.Session, report: pytest.TestReport, lane: Lane) -> None:
    """One report, as if the test had run here."""
    hook = session.config.hook
    if report.when == "setup":
        hook.pytest_runtest_logstart(nodeid=report.nodeid, location=report.location)
    hook.pytest_runtest_logreport(report=report)
    if report.when == "teardown":
        lane.left.pop(report.nodeid, None)
        hook.pytest_runtest_logfinish(nodeid=report.nodeid, location=report.location)


def _not_run(item: pytest.Item, status: object) -> pytest.TestReport:
    """The report of a test whose lane died."""
    return pytest.TestReport(item.nodeid, item.location, {}, "failed", f"not finished: its process ended with {status}", "call")
