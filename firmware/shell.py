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
_WORDS = """\
  status()       configuration, module, session, journal, update
  at("+CSQ")     an AT command; a refusal is explained
  trace()        print the dialogue with the module, secrets painted over; trace(False) ends it
  sample()       read every sensor once, into the journal
  report()       one contact with the server now
  why()          the decision on each path's last sample
  journal()      readings that wait for the server
  inspect()      what the module says to each of its read and test forms
  doctor()       from the UART to the server: what is wrong, and what to do
  log()          the last failure noted by main.py
  update()       check /update/package and stage it for the next restart
  updates()      the update under way, and how the last one ended
  sleep_now()    module and board to sleep until the next slot
  node()         the node itself: its modem, tree, board, session, journal"""
# Answers that do not begin with the command's name (27.007 5.1 to 5.4).
_NAMELESS = ("+CGMI", "+CGMM", "+CGMR", "+CGSN", "+GMI", "+GMM", "+GMR", "+GSN")
# How a family's LwM2M commands begin, and their read and test forms; of a name alone both.
_FORMS = {
    "bc20": "+QLW SERV=? CONF=? RD=? CFG=?",
    "bc66": "+QLW CFG? CONFIG? ADDOBJ? STATUS? RD?",
    "bg96": '+QLWM2M =? ="select" ="cdp" ="epns" ="bsmode" ="mbsps"',
    "me910c1": "#LWM2M STAT MON ENA ACK R E W STS SET NEWINST GET FOTACFG FOTAACK INJKEYS NFYACKURI NFYACKENA EXIST",
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
    print(_WORDS)


def _table(rows: "list[tuple[Any, Any]]") -> None:
    """Print names and values in two columns."""
    width = max([0] + [len(str(name)) for name, _ in rows])
    for name, value in rows:
        print("  %-*s  %s" % (width, name, value))


def at(line: str, timeout_ms: int = 3000) -> "list[str]":
    """Send one command, with its AT or without; return its information lines. A refusal is explained, and raised."""
    from lwnode.at import AtTimeout, CommandError
    if not isinstance(line, str):
        raise ValueError('at() wants a command as text: at("+CSQ") or at("AT+CSQ")')
    unit = node()
    line = line[2:] if line[:2].upper() == "AT" else line
    how: "dict[str, Any]" = {"prefix": ""} if line.upper() in _NAMELESS else {}
    for last in (False, True):
        try:
            return [_shown(text) for text in unit.at.send("AT" + line, timeout_ms=timeout_ms, **how)]
        except AtTimeout:
            # Asleep, off, or not yet spoken to.
            if last or not unit.modem.wake() and not unit.modem.start():
                raise
        except CommandError as error:
            from words import explain
            print("  " + (explain(error.code, error.result) or "the module's own manual has this error"))
            raise
    return []


def inspect() -> None:
    """Print what this module's firmware says to each of its read and test forms: a support engineer's first question."""
    unit = node()
    if not unit.modem.wake() and not unit.modem.start():
        print("  the module is silent: doctor() looks for the reason")
        return
    begin, *names = _FORMS[unit.config.family].split(" ")
    said = {}
    for name in names:
        for form in (name,) if "?" in name or "=" in name else (name + "=?", name + "?"):
            lines = unit.modem.ask(unit.at.send, "AT" + begin + form, secret=form == "CONFIG?")
            if form == "CONFIG?":
                lines = [",".join(text.split(",")[:7]) for text in lines or ()]  # the key is the eighth (BC66 note 4.2.1)
            said["AT" + begin + form] = "refused" if lines is None else "; ".join(lines) or "OK"
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
    unit.trace = (lambda *said: print("  %s %r" % said)) if on else None
    unit.at.trace_to(unit.trace)


def status() -> None:
    """Print what the node knows of itself and what the module says; no secrets."""
    from lwnode import VERSION
    unit = node()
    config, session, journal, modem = unit.config, unit.session, unit.journal, unit.modem
    mv, psm, granted = unit.board.battery_mv(), modem.options["psm"], modem.granted()
    asked = psm is not None and psm[0] is not None
    _table([
        ("version", VERSION), ("family", config.family), ("server", "%s:%d, %s" % (config.host, config.port, config.security)),
        ("endpoint", session.endpoint()), ("session", _session(unit)),
        ("registrations", session.registrations), ("recoveries", session.recoveries),
        ("journal", "%d waiting, %d dropped, %d exposed" % (len(journal), journal.dropped, journal.exposed)),
        ("time", unit.clock.unix() or "not known yet"), ("last error", unit.last_error or "none"),
        ("psm", "T3412 %d s and T3324 %d s asked for, %s" % (psm + (
            "what is granted not known yet" if granted is None else
            "%d s and %d s granted" % granted if granted[1] >= 0 else "none granted",)) if asked else "not asked for"),
        ("battery", "not wired" if mv is None else "%d mV" % mv), ("update", _update_state()),
        ("module firmware", "being updated" if modem.update_since else modem.revision or "not known yet"),
    ])


def _session(unit: "Any") -> str:
    """What the module says of its session; one that sleeps is not woken for it, and costs two seconds instead of thirty."""
    from lwnode.at import AtError, AtTimeout
    from words import explain
    for _ in range(2):  # the first AT after a pause may be lost
        try:
            unit.at.send("AT", timeout_ms=500)
            return explain(unit.modem.status(), "session")
        except AtTimeout:
            pass
        except AtError as error:
            return "no answer: %s" % error
    return "the module sleeps, or is off: at() or report() wakes it, doctor() says why where they do not"


def sample() -> None:
    """Read every sensor once and print the values; what the rules keep goes into the journal."""
    unit = node()
    unit.sample()
    _table([(each.path, each.text()) for each in _readings()])
    for path, _, _, error in unit.tree.health():
        print("  %s: %s" % (path, error))


def report() -> bool:
    """Contact the server now: session, journal, listening window. Returns whether it was reached."""
    reached = bool(node().contact())
    print("  reached the server, %d readings still wait" % len(_node.journal) if reached
          else "  not reached (%s); readings stay in the journal" % (_node.last_error or "no registration"))
    return reached


def why() -> None:
    """Print what became of each path's last sample, and why; one that is to go out has not gone while the journal has it."""
    from lwnode.lwm2m import unpack_record
    waiting = [unpack_record(data)[0] for _, data in node().journal.entries()]
    _table([(each.path, each.reason.replace("sent:", "kept for the next report:") if each.path in waiting else each.reason)
            for each in _readings()])


def _readings() -> "list[Any]":
    return [each for row in _node.tree.rows for each in row.resources if each.text() is not None]


def journal(limit: int = 20) -> None:
    """Print the oldest readings that wait."""
    from lwnode.lwm2m import unpack_record
    unit = node()
    for number, data in unit.journal.entries(limit):
        path, _, value, stamp = unpack_record(data)
        print("  %6d  %s = %s  at %s" % (number, path, value if isinstance(value, str) else "%d bytes" % len(value),
                                         unit.clock.resolve(stamp) or "(time not known)"))
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
    unit = node()
    try:
        from lwnode.update import by_hand
        said = by_hand(unit)
    except ImportError as error:
        said = "%s: deployed without updates; make update brings what they take" % error
    print("  " + said)
    return said.startswith("staged")


def updates() -> None:
    """Print the update that is under way, and how the last one ended."""
    print("  " + _update_state())


def _update_state() -> str:
    try:
        from swap import told
    except ImportError:
        return "none, deployed without"
    return told(_node and _node.flash)


del TYPE_CHECKING
