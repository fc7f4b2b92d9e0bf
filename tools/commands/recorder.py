"""Who said what on the wire: a pytest plugin (python -m pytest -p tools.commands.recorder), and what lives.py watches with.

Sides: what firmware/main.py wrote (node), what a word of the shell or the doctor wrote (person; not at(), by which a person can
say anything), what a public method of a driver wrote (driven, the two before it included; not what a test sends by AtClient),
what a driver heard, and what a virtual modem was told (modelled) and said. LWNODE_TRAFFIC names the plugin's file, JSON.
"""

import json
import os
import sys

TRAFFIC: "dict[str, dict[str, dict[str, list[str]]]]" = {
    side: {} for side in ("node", "person", "driven", "heard", "modelled", "said")}
_PASSED: "set[str]" = set()
_FAMILIES: "dict[int, str]" = {}
_OPEN: "dict[int, str]" = {}


def _add(side: str, family: str, line: str, result: str = "") -> None:
    results = TRAFFIC[side].setdefault(family, {}).setdefault(line, [])
    if result not in results:
        results.append(result)


def speaker() -> "tuple[str, str]":
    """(family, side) of who writes: node, person or driven; ("", "") where it is a test by itself.

    The outermost frame of the driver's package counts: what a test does by AtClient, by a function of it or by a method with
    an underscore (_write, _sub) is no evidence.
    """
    frame = sys._getframe(2)
    found = spoke = ""
    while frame is not None:
        file, name = frame.f_code.co_filename.replace("\\", "/"), frame.f_code.co_name
        if "/lwnode/modem/" in file:
            family = str(getattr(frame.f_locals.get("self"), "FAMILY", ""))
            spoke = spoke or family
            found = "" if name.startswith("_") else family
        elif file.endswith(("firmware/shell.py", "firmware/doctor.py")):
            unit = frame.f_locals.get("unit") or frame.f_globals.get("_node")
            if unit is not None and name != "at":
                return str(unit.modem.FAMILY), "person"
        elif file.endswith("firmware/life.py") and name == "main":
            return spoke, "node" if spoke else ""
        frame = frame.f_back  # type: ignore[assignment]
    return found, "driven" if found else ""


def commands(data: bytes) -> "list[str]":
    """The AT commands in what was written, one for each of several in a line (Telit 2.2.1)."""
    lines = [line for line in data.decode("utf-8", "replace").split("\r") if line.startswith("AT")]
    return [part if part.startswith("AT") else "AT#" + part for line in lines for part in line.split(";#")]


def _watch_uart() -> None:
    from fakes.uart import FakeUart

    write, feed = FakeUart.write, FakeUart.feed_now

    def written(self, buf):  # type: ignore[no-untyped-def]
        family, side = speaker()
        if family:
            _FAMILIES[id(self)] = family
            for line in commands(bytes(buf)):
                for each in {side, "driven"}:
                    _add(each, family, line)
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
    import lwnode.modem

    opened = lwnode.modem.open_modem

    def noted(family, at, pins=None, **options):  # type: ignore[no-untyped-def]
        _FAMILIES[id(at.uart)] = family.lower()
        return opened(family, at, pins, **options)

    lwnode.modem.open_modem = noted


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


def watch() -> None:
    """Record from now on; before any driver or virtual modem is made."""
    _watch_uart()
    _watch_drivers()
    _watch_models()


def pytest_configure(config) -> None:  # type: ignore[no-untyped-def]
    """Before any test module is imported."""
    watch()


def pytest_runtest_logreport(report) -> None:  # type: ignore[no-untyped-def]
    """The names of tests that passed, without file and interpreter."""
    if report.when == "call" and report.passed:
        _PASSED.add(report.nodeid.rpartition("::")[2].partition("[")[0])


def pytest_sessionfinish(session) -> None:  # type: ignore[no-untyped-def]
    """Write it all down."""
    with open(os.environ["LWNODE_TRAFFIC"], "w", encoding="utf-8") as file:
        json.dump({"traffic": TRAFFIC, "passed": sorted(_PASSED)}, file)
