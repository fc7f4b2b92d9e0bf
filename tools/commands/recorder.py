"""A pytest plugin that writes down who said what while the tests run: python -m pytest -p tools.commands.recorder

Three sides are told apart: what a driver wrote while one of its public methods ran (not a test by AtClient or a typed verb),
what a driver heard, and what a virtual modem was told and answered. LWNODE_TRAFFIC names the file it goes to, as JSON.
"""

import json
import os
import sys

_TRAFFIC: "dict[str, dict[str, dict[str, list[str]]]]" = {"driven": {}, "heard": {}, "modelled": {}, "said": {}}
_PASSED: "set[str]" = set()
_FAMILIES: "dict[int, str]" = {}
_OPEN: "dict[int, str]" = {}


def _add(side: str, family: str, line: str, result: str = "") -> None:
    results = _TRAFFIC[side].setdefault(family, {}).setdefault(line, [])
    if result not in results:
        results.append(result)


def _family_of_caller() -> str:
    """FAMILY of the driver that writes, where a public method of it or a word of the shell was called; empty else.

    The outermost frame of the driver's package counts: what a test does by AtClient, by a function of it or by a method with
    an underscore (_write, _sub) is no evidence.
    """
    frame = sys._getframe(2)
    found = ""
    while frame is not None:
        if "/lwnode/modem/" in frame.f_code.co_filename.replace("\\", "/"):
            family = getattr(frame.f_locals.get("self"), "FAMILY", "")
            found = str(family) if family and not frame.f_code.co_name.startswith("_") else ""
        elif frame.f_code.co_filename.endswith("firmware/shell.py") and frame.f_globals["_node"] is not None:
            return str(frame.f_globals["_node"].modem.FAMILY)
        frame = frame.f_back  # type: ignore[assignment]
    return found


def _watch_uart() -> None:
    from fakes.uart import FakeUart

    write, feed = FakeUart.write, FakeUart.feed_now

    def written(self, buf):  # type: ignore[no-untyped-def]
        family = _family_of_caller()
        if family:
            _FAMILIES[id(self)] = family
            for line in bytes(buf).decode("utf-8", "replace").split("\r"):
                if line.startswith("AT"):
                    for part in line.split(";#"):  # Telit 2.2.1: several in a line
                        _add("driven", family, part if part.startswith("AT") else "AT#" + part)
        return write(self, buf)

    def fed(self, data):  # type: ignore[no-untyped-def]
        family = _FAMILIES.get(id(self))
        if family:
            for line in bytes(data).decode("utf-8", "replace").replace("\r", "\n").split("\n"):
                if line.strip():
                    _add("heard", family, line.strip())
        return feed(self, data)

    FakeUart.write, FakeUart.feed_now = written, fed  # type: ignore[method-assign]


def _watch_drivers() -> None:
    """A uart belongs to a family from the moment its driver is opened: URCs may come before the first command."""
    import lwnode.modem as room

    opened = room.open_modem

    def noted(family, at, pins=None, **options):  # type: ignore[no-untyped-def]
        _FAMILIES[id(at.uart)] = family.lower()
        return opened(family, at, pins, **options)

    room.open_modem = noted


def _watch_models() -> None:
    from testing.virtual_modem.core import Core

    note = Core.note

    def noted(self, direction, text):  # type: ignore[no-untyped-def]
        if direction == ">":
            _OPEN[id(self)] = text
            _add("modelled", self.family, text, "")
        else:
            _add("said", self.family, text)
            final = text in ("OK", "ERROR") or text.startswith("+CM")
            if final and id(self) in _OPEN:
                _add("modelled", self.family, _OPEN.pop(id(self)), "OK" if text == "OK" else "refused")
        return note(self, direction, text)

    Core.note = noted


def pytest_configure(config) -> None:  # type: ignore[no-untyped-def]
    """Before any test module is imported."""
    _watch_uart()
    _watch_drivers()
    _watch_models()


def pytest_runtest_logreport(report) -> None:  # type: ignore[no-untyped-def]
    """The names of tests that passed, without file and interpreter."""
    if report.when == "call" and report.passed:
        _PASSED.add(report.nodeid.rpartition("::")[2].partition("[")[0])


def pytest_sessionfinish(session) -> None:  # type: ignore[no-untyped-def]
    """Write it all down."""
    with open(os.environ["LWNODE_TRAFFIC"], "w", encoding="utf-8") as file:
        json.dump({"traffic": _TRAFFIC, "passed": sorted(_PASSED)}, file)
