"""Words for a session by cable: `mpremote`, Ctrl-C in the maintenance window, then

    >>> from shell import *
    >>> help()                   # the words; each can be completed with the tab key
    >>> status()                 # configuration, module, session, journal
    >>> at("+CSQ")               # any AT command, with its AT or without; the information lines
    >>> trace()                  # print what goes to the module and comes from it; trace(False) ends it
    >>> sample()                 # one reading of every sensor, into the journal
    >>> report()                 # one contact with the server now, whatever the schedule says
    >>> why()                    # for every path: what was decided on the last sample, and why
    >>> journal()                # what waits for the server
    >>> inspect()                # what the module says to each of its read and test forms
    >>> doctor()                 # wiring, baud, SIM, network, roaming, signal, server: each with a remedy

Nothing here sleeps the board except `sleep_now()`; no secret is printed. The node is built on the first word that
needs it and kept; `log()` shows the last failure that main.py has noted. Ctrl-C ends any word.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_node: "Any" = None
_WORDS = (
    ("status()", "configuration, module, session, journal, update"),
    ('at("+CSQ")', "an AT command; a refusal is explained"),
    ("trace()", "print what goes to the module and comes from it, secrets painted over; trace(False) ends it"),
    ("sample()", "read every sensor once, into the journal"),
    ("report()", "one contact with the server now"),
    ("why()", "the decision on each path's last sample"),
    ("journal()", "readings that wait for the server"),
    ("inspect()", "what the module says to each of its read and test forms"),
    ("doctor()", "wiring, baud, SIM, network, roaming, signal, server: what is wrong, and what to do"),
    ("log()", "the last failure noted by main.py"),
    ("update()", "check the package in /update, and stage it for the next restart"),
    ("updates()", "the update that is under way, and how the last one ended"),
    ("sleep_now()", "module to sleep, board to sleep until the next slot"),
    ("node()", "the node itself: node().modem, node().tree, node().board"),
)
# Answers that do not begin with the command's name (27.007 5.1 to 5.4).
_NAMELESS = ("+CGMI", "+CGMM", "+CGMR", "+CGSN", "+GMI", "+GMM", "+GMR", "+GSN")
# The read and test forms of a family's LwM2M commands; of the others the driver knows them.
_FORMS = {
    "bc20": ("AT+QLWSERV=?", "AT+QLWCONF=?", "AT+QLWRD=?", "AT+QLWCFG=?"),
    "bc66": ("AT+QLWCFG?", "AT+QLWCONFIG?", "AT+QLWADDOBJ?", "AT+QLWSTATUS?", "AT+QLWRD?"),
    "bg96": ("AT+QLWM2M=?", 'AT+QLWM2M="select"', 'AT+QLWM2M="cdp"', 'AT+QLWM2M="epns"', 'AT+QLWM2M="bsmode"',
             'AT+QLWM2M="mbsps"'),
}


def node(given: "Any" = None) -> "Any":
    """Return the node of this session, built from config.json and sensors.py on first use; `given` takes its place."""
    global _node
    if given is not None:
        _node = given
    if _node is None:
        import board as definition
        import sensors
        from lwnode.board import open_board
        from lwnode.node import Node
        from lwnode.config import read
        _node = Node(open_board(definition), read(), sensors.declare)
    _node.connect()
    return _node


def help(*of: "Any") -> None:
    """List the words; help(x) is MicroPython's own."""
    if of:
        import builtins
        builtins.help(*of)
        return
    for word, about in _WORDS:
        print("  %-14s %s" % (word, about))


def _table(rows: "list[tuple[Any, ...]]") -> None:
    """Print rows in aligned columns."""
    widths = [max([len(str(row[column])) for row in rows]) for column in range(len(rows[0]))] if rows else []
    for row in rows:
        print(("  " + "  ".join(["%-*s" % (width, value) for width, value in zip(widths, row)])).rstrip())


def at(line: str, timeout_ms: int = 3000) -> "list[str]":
    """Send one command, with its AT or without; return its information lines. A refusal is explained, and raised."""
    from lwnode.at import AtTimeout, CommandError
    if not isinstance(line, str):
        raise ValueError('at() wants a command as text: at("+CSQ") or at("AT+CSQ")')
    unit = node()
    line = "AT" + (line[2:] if line[:2].upper() == "AT" else line)
    how: "dict[str, Any]" = {"timeout_ms": timeout_ms}
    if line[2:].upper() in _NAMELESS:
        how["prefix"] = ""
    try:
        try:
            lines: "list[str]" = unit.at.send(line, **how)
        except AtTimeout:
            # Asleep, off, or not yet spoken to.
            if not unit.modem.wake() and not unit.modem.start():
                raise
            lines = unit.at.send(line, **how)
    except CommandError as error:
        from words import explain
        print("  " + (explain(error.code, error.result) or "the module's own manual has this error"))
        raise
    return [_shown(text) for text in lines]


def inspect() -> None:
    """Print what this module's firmware says to each of its read and test forms: a support engineer's first question."""
    unit = node()
    if not unit.modem.wake() and not unit.modem.start():
        print("  the module is silent: doctor() looks for the reason")
        return
    forms = _FORMS.get(unit.config.family)
    if forms is None:
        said = unit.modem.inspect()
    else:
        said = {}
        for line in forms:
            lines = unit.modem.ask(unit.at.send, line, secret=line == "AT+QLWCONFIG?")
            if line == "AT+QLWCONFIG?":
                lines = [",".join(text.split(",")[:7]) for text in lines or ()]  # the key is the eighth (BC66 note 4.2.1)
            said[line] = "refused" if lines is None else "; ".join(lines)
    _table([(name, _shown(str(said[name]))) for name in sorted(said)])


def _shown(text: str) -> str:
    """A module's text as a person may see it: it prints back what it was configured with, secrets too."""
    for name in ("psk", "psk_identity", "pin"):
        secret = node().config.secret(name)
        at = text.lower().find(secret.lower()) if secret else -1
        while at >= 0:
            text = text[:at] + "***" + text[at + len(secret):]
            at = text.lower().find(secret.lower(), at + 3)
    return text


def trace(on: bool = True) -> None:
    """Print every byte to and from the module from now on, secrets painted over; trace(False) ends it."""
    unit = node()
    unit.trace = _printed if on else None
    unit.at.trace_to(unit.trace)


def _printed(direction: str, data: bytes) -> None:
    print("  %s %r" % (direction, data))


def status() -> None:
    """Print what the node knows of itself and what the module says; no secrets."""
    from lwnode import VERSION
    unit = node()
    config = unit.config
    mv = unit.board.battery_mv()
    _table([
        ("version", VERSION), ("family", config.family), ("server", "%s:%d, %s" % (config.host, config.port, config.security)),
        ("endpoint", unit.session.endpoint()), ("session", _session(unit)),
        ("registrations", unit.session.registrations), ("recoveries", unit.session.recoveries),
        ("journal", "%d waiting, %d dropped, %d exposed" % (len(unit.journal), unit.journal.dropped,
                                                            unit.journal.exposed)),
        ("time", unit.clock.unix() or "not known yet"), ("last error", unit.last_error or "none"),
        ("psm", _power_saving(unit.modem)),
        ("battery", "not wired" if mv is None else "%d mV" % mv), ("update", _update_state()),
        ("module firmware", "being updated" if unit.modem.update_since else unit.modem.revision or "not known yet"),
    ])


def _power_saving(modem: "Any") -> str:
    """The timers asked for and those granted."""
    psm, granted = modem.options["psm"], modem.granted()
    if psm is None or psm[0] is None:
        return "not asked for"
    text = "T3412 %d s and T3324 %d s asked for, " % psm
    if granted is None:
        return text + "what is granted not known yet"
    return text + ("none granted" if granted[1] < 0 else "%d s and %d s granted" % granted)


def _session(unit: "Any") -> str:
    """What the module says of its session; one that sleeps is not woken for it, and costs two seconds instead of thirty."""
    from lwnode.at import AtError, AtTimeout
    from words import STATES
    for _ in range(2):  # the first AT after a pause may be lost
        try:
            unit.at.send("AT", timeout_ms=500)
            return str(STATES[unit.modem.status()])
        except AtTimeout:
            pass
        except AtError as error:
            return "no answer: %s" % error
    return "the module sleeps, or is off: at() or report() wakes it, doctor() says why where they do not"


def sample() -> None:
    """Read every sensor once and print the values; what the rules keep goes into the journal."""
    unit = node()
    unit.sample()
    _table([(str(each.path), each.text()) for each in _readings(unit)])
    for path, _, _, error in unit.tree.health():
        print("  %s: %s" % (path, error))


def report() -> bool:
    """Contact the server now: session, journal, listening window. Returns whether it was reached."""
    reached = bool(node().contact())
    print("  reached the server, %d readings still wait" % len(node().journal) if reached
          else "  not reached (%s); readings stay in the journal" % (node().last_error or "no registration"))
    return reached


def why() -> None:
    """Print what became of each path's last sample, and why; one that is to go out has not gone while the journal has it."""
    from lwnode.lwm2m import unpack_record
    unit = node()
    waiting = [unpack_record(data)[0] for _, data in unit.journal.entries()]
    _table([(str(each.path), each.reason.replace("sent:", "kept for the next report:") if each.path in waiting else each.reason)
            for each in _readings(unit)])


def _readings(unit: "Any") -> "list[Any]":
    return [each for row in unit.tree.rows for each in row.resources if each.text() is not None]


def journal(limit: int = 20) -> None:
    """Print the oldest readings that wait."""
    from lwnode.lwm2m import unpack_record
    unit = node()
    for number, data in unit.journal.entries(limit):
        path, _, value, stamp = unpack_record(data)
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
    """Check the way to the server step by step; a step that fails names its remedy."""
    import doctor as steps  # the function has the file's name: this one is the module
    for name, fine, text in steps.checks(node()):
        print("  %-8s %s  %s" % (name, "ok  " if fine else "FAIL", text))


def update() -> bool:
    """Check the package in /update and stage it: the node tries it after its next restart. A bad one changes nothing."""
    try:
        import swap  # noqa: F401  without it nothing would be tried
        from lwnode.update import UpdateError, key_of, spare_blocks, stage
    except ImportError as error:
        print("  %s: this node was deployed without updates; make update brings what it takes" % error)
        return False
    unit = node()
    board, config = unit.board, unit.config
    try:
        version = stage(key_of(config.secret), "%s/%s" % (board.definition.NAME, config.family), None, board.protected,
                        spare_blocks(config.journal_bytes), board.feed)
    except UpdateError as error:
        print("  refused, nothing has changed: %s" % error)
        return False
    print("  staged version %d: the next restart tries it" % version)
    return True


def updates() -> None:
    """Print the update that is under way, and how the last one ended."""
    print("  " + _update_state())


def _update_state() -> str:
    try:
        import swap
    except ImportError:
        return "none, deployed without"
    under_way = swap.Swap(_node and _node.flash)
    last = swap.read(under_way.files, swap.LAST)
    text = "last: version %s" % last if last else "none so far"
    if under_way.rows:
        text = "version %d %s; %s" % (under_way.version, "on trial, start %d, %d contacts failed" % (
            under_way.starts, under_way.silent) if under_way.state == "trial" else "waits for a restart", text)
    return text


del TYPE_CHECKING
