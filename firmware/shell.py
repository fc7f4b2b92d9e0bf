"""Words for a session by cable: `mpremote`, Ctrl-C in the maintenance window, then

    >>> from shell import *
    >>> help()
    >>> status()                 # configuration, module, session, journal
    >>> at("+CSQ")               # any AT command, without its AT; the information lines
    >>> sample()                 # one reading of every sensor, into the journal
    >>> report()                 # one contact with the server now, whatever the schedule says
    >>> why()                    # for every path: what was decided on the last sample, and why
    >>> journal()                # what waits for the server
    >>> doctor()                 # wiring, SIM, network, signal, server: each with a remedy

Nothing here sleeps the board except `sleep_now()`; no secret is printed. The node is built on the first word that
needs it and kept; `log()` shows the last failure that main.py has noted.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_node: "Any" = None


def node() -> "Any":
    """Return the node of this session, built from config.json and sensors.py on first use."""
    global _node
    if _node is None:
        import board as definition
        import sensors
        from lwnode.board import open_board
        from lwnode.node import Node
        from lwnode.config import read
        _node = Node(open_board(definition), read(), sensors.declare)
    return _node


def help() -> None:
    """List the words."""
    for word, about in (
            ("status()", "configuration, module, session, journal"),
            ('at("+CSQ")', "an AT command, without its AT"),
            ("sample()", "read every sensor once, into the journal"),
            ("report()", "one contact with the server now"),
            ("why()", "the decision on each path's last sample"),
            ("journal()", "readings that wait for the server"),
            ("doctor()", "check wiring, SIM, network, signal, server"),
            ("log()", "the last failure noted by main.py"),
            ("sleep_now()", "module to sleep, board to sleep until the next slot")):
        print("  %-14s %s" % (word, about))


def table(rows: "list[tuple[Any, ...]]") -> None:
    """Print rows in aligned columns."""
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(rows[0]))] if rows else []
    for row in rows:
        print("  " + "  ".join("%-*s" % (width, value) for width, value in zip(widths, row)))


def at(line: str, timeout_ms: int = 3000) -> "list[str]":
    """Send one command, `line` being what follows AT; return its information lines. Raises CommandError, AtTimeout."""
    lines: "list[str]" = node().at.send("AT" + line, timeout_ms=timeout_ms)
    return lines


def status() -> None:
    """Print what the node knows of itself and what the module says; no secrets."""
    from lwnode.at import AtError
    from lwnode.modem import STATUS_NAMES
    unit = node()
    config = unit.config
    try:
        session = STATUS_NAMES[unit.modem.status()]
    except AtError as error:
        session = "no answer (%s)" % type(error).__name__
    table([
        ("family", config.family), ("server", "%s:%d, %s" % (config.host, config.port, config.security)),
        ("endpoint", unit.session.endpoint()), ("session", session),
        ("registrations", unit.session.registrations), ("recoveries", unit.session.recoveries),
        ("journal", "%d waiting, %d dropped, %d exposed" % (len(unit.journal), unit.journal.dropped,
                                                            unit.journal.exposed)),
        ("time", unit.clock.unix() or "not known yet"), ("last error", unit.last_error or "none"),
        ("battery", "%s mV" % (unit.board.battery_mv() or "?")),
    ])


def sample() -> None:
    """Read every sensor once and print the values; what the rules keep goes into the journal."""
    unit = node()
    unit.sample()
    table([(str(path), value) for path, _, value in unit.tree.values(None)])


def report() -> bool:
    """Contact the server now: session, journal, listening window. Returns whether it was reached."""
    reached = bool(node().contact())
    print("  reached the server, %d readings still wait" % len(node().journal) if reached
          else "  not reached (%s); readings stay in the journal" % (node().last_error or "no registration"))
    return reached


def why() -> None:
    """Print the reason kept for each path's last sample."""
    unit = node()
    table([(str(path), unit.tree.resource(path).reason) for path, _, _ in unit.tree.values(None)])


def journal(limit: int = 20) -> None:
    """Print the oldest readings that wait."""
    from lwnode.lwm2m import codec
    unit = node()
    for number, data in unit.journal.entries(limit):
        path, _, value, stamp = codec.unpack_record(data)
        shown = value if isinstance(value, str) else "%d bytes" % len(value)
        print("  %6d  %s = %s  at %s" % (number, path, shown, unit.clock.resolve(stamp) or "(time not known)"))
    print("  %d waiting" % len(unit.journal))


def log() -> None:
    """Print what main.py noted of its last failure."""
    try:
        with open("crash.txt") as file:
            print(file.read())
    except OSError:
        print("  no failure noted")


def sleep_now() -> None:
    """Let the module sleep and put the board to sleep until the next slot; the cable session ends here."""
    unit = node()
    unit.close()
    unit.board.sleep(unit.pause())


def doctor() -> None:
    """Check the way to the server step by step; the first step that fails names its remedy."""
    unit = node()
    for name, check in (("UART", _check_uart), ("SIM", _check_sim), ("network", _check_network),
                        ("signal", _check_signal), ("server", _check_server)):
        fine, text = check(unit)
        print("  %-8s %s  %s" % (name, "ok  " if fine else "FAIL", text))
        if not fine:
            return


def _check_uart(unit: "Any") -> "tuple[bool, str]":
    from lwnode.at import AtError
    try:
        if not unit.modem.wake() and not unit.modem.start():
            return False, "the module is silent: check supply, ground, crossed TX and RX, the level shifter"
        return True, unit.modem.identity().get("revision", "answers")
    except AtError as error:
        return False, "%s: check TX and RX, the level shifter, and the baud rate of boards' UART" % type(error).__name__


def _check_sim(unit: "Any") -> "tuple[bool, str]":
    if unit.modem.unlock_sim():
        return True, "ready"
    return False, unit.modem.refusal + ": insert the SIM, or put its PIN into secrets.json"


def _check_network(unit: "Any") -> "tuple[bool, str]":
    if unit.modem.attach(int(unit.config.attach_timeout) * 1000):
        return True, "attached"
    return False, unit.modem.refusal + ": check the APN in config.json, the antenna, and whether the SIM may roam"


def _check_signal(unit: "Any") -> "tuple[bool, str]":
    signal = unit.modem.signal()
    rsrp = signal.get("rsrp")
    text = ", ".join("%s %d" % item for item in sorted(signal.items())) or "not known"
    if rsrp is not None and rsrp < -125:
        return False, text + ": move the antenna; below -125 dBm a report costs many repetitions"
    return True, text


def _check_server(unit: "Any") -> "tuple[bool, str]":
    if unit.session.open():
        return True, "registered"
    return False, "no registration: check host, port, security and the endpoint as the server knows it"
