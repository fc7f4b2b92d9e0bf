"""What the node says to its module in a wake with a kept session: every command has a reason, and none asks what is known.

The lists are the whole dialogue of one plain reporting wake (two readings, nothing asked by the server). Who adds a command
here has a reason to give beside it; tools/bench/wake.py holds the count against the least that each manual allows.
"""

from fakes.world import World

from lwnode.lwm2m import FLOAT, Path

KNOCK = "AT"  # the UART is deaf in sleep: until it answers, nothing else makes sense
PLAIN = {
    "bc66": (
        KNOCK,
        "AT+QSCLK=0",  # stay awake while reports are open and the server may ask
        "AT+QLWSTATUS?",  # the session ends by itself when its lifetime does: recover or register?
        "AT+QLWRECOVER",  # note 3.4: deep sleep suspends the session
        "AT+QLWSTATUS?",  # the board slept meanwhile: the line that ended it, "recovered", came without its begin
        "AT+QLWNOTIFY", "AT+QLWNOTIFY",  # one resource each (4.2.7); the last one lets the radio go
        "AT+CSCON?",  # has it been let go? Then the board sleeps lightly until the module is paged
        "AT+QSCLK=1",
        "AT+QRELLOCK",  # else it stays awake for ten seconds more
    ),
    "bc20": (
        KNOCK, "AT+QSCLK=0",  # then both readings in one pack
        "AT+QLWDATASEND", "AT+QSCLK=1", "AT+QRELLOCK",
    ),
    "bg96": (
        KNOCK,
        'AT+QLWM2M="select"',  # its wake out of PSM is a boot: it is asked until it is registered, or has had its time
        'AT+QCFG="psm/enter"',  # stay awake
        'AT+QLWM2M="update"',  # does the session stand?
        "AT+CEREG?", "AT+CGPADDR",  # it has just booted: is there a network? Then its SIM is ready and its radio on
        'AT+QLWM2M="register"', 'AT+QLWM2M="ulhex"',  # both readings in one pack
        'AT+QCFG="psm/enter"',
    ),
}  # fmt: skip
# Answered at the start, and cannot have changed.
KNOWN = ("+CGMR", "+CGSN", "+CIMI", "+QCCID", "+CPIN", "+CFUN", "+CEREG", "+CGPADDR", "+QLWCONFIG", "+QLWADDOBJ")
# Queries whose answer moves by itself: the client of a module that has just booted is asked until it is there.
MOVING = ("AT#LWM2MSTAT", 'AT+QLWM2M="select"')


def head(line):
    """The command without its values; sub-commands of Quectel's quoted kind are part of the name."""
    name, form, values = line.partition("=")
    if name in ("AT+QLWM2M", "AT+QCFG"):
        return name + form + values.split(",")[0]
    return line if name == "AT+QSCLK" else name


def plain_wake(family):
    """The lines of one reporting wake, in the fourth hour."""
    world = World("esp32", {"family": family})
    marks = []
    for minutes in (202, 217):  # a wake lies between, and none of those that set the clock
        world.at(lambda: marks.append((len(world.uart.sent), len(world.server.deliveries))), minutes=minutes)
    world.run(hours=4)
    (before, there), (after, arrived) = marks
    assert arrived == there + 2
    lines = bytes(world.uart.sent[before:after]).decode().split("\r")[:-1]
    return [line for line in lines if "CCLK" not in line and "QLTS" not in line]  # once in an hour, in whichever it falls


def check_plain(family):
    said = []
    for line in plain_wake(family):
        if line not in MOVING or head(line) not in said:
            said.append(head(line))
    assert tuple(said) == PLAIN[family], said


def test_bc66_says_what_a_report_needs():
    check_plain("bc66")


def notifications(**keys):
    """(milliseconds, rai_flag, acknowledgements that are waited for) of each report of an hour, with three sensors."""
    world = World("esp32", dict(keys, family="bc66"), observe=("/3303/0/5700", "/3304/0/5700", "/3300/0/5700", "/19/0/0"))
    world.declare = lambda tree, board: tree.sensor(3300, lambda: world.clock.now / 1000)
    found, waiting = [], []

    def note(way, text):
        if "report_ack" in text:
            waiting.pop()
        elif way == ">" and "QLWNOTIFY" in text:
            found.append((world.clock.now, int(text.split(",")[8]) if text.count(",") == 8 else 0, len(waiting)))
            waiting.append(text)

    world.model.on_note = note
    world.link.radio(delay_ms=700)
    world.run(hours=1)
    return world, found


def test_only_the_last_report_of_a_contact_lets_the_radio_go():
    """4.2.12: with flag 2 the network releases after one answer; one that is waited for must not be cut off by it."""
    world, found = notifications()
    contacts = []
    for when, flag, waiting in found:
        if not contacts or when - contacts[-1][-1][0] > 60000:
            contacts.append([])
        contacts[-1].append((when, flag, waiting))
    assert len(contacts) >= 3
    for contact in contacts[1:]:
        assert [flag for _, flag, _ in contact] == [0, 0, 2] and contact[-1][2] == 0, contact
    _, found = notifications(rai=False)
    assert not [each for each in found if each[1]] and max([waiting for _, _, waiting in found]) == 2


def test_a_request_that_waits_keeps_the_radio():
    world = World("esp32", {"family": "bc66"})
    node = world.node()
    node.contact()
    node.modem.later(lambda: None)
    node.modem.release_next = True
    sent = len(world.uart.sent)
    node.modem.publish([(Path(3303, 0, 5700), FLOAT, "1.5", None)])
    assert b",0,1\r" in bytes(world.uart.sent[sent:])


def test_bc20_says_what_a_report_needs():
    check_plain("bc20")


def test_bg96_says_what_a_report_needs():
    check_plain("bg96")


def check_no_question_twice(family):
    lines = [line for line in plain_wake(family) if line != KNOCK and line not in MOVING]
    if family == "me910c1":
        lines.remove("ATE0")  # its question whether somebody is there
    if family == "bc66":
        lines.remove("AT+QLWSTATUS?")  # after the recovery it has another answer
    for line in lines:
        assert lines.count(line) == 1, line


def test_nothing_is_said_twice_in_a_wake():
    for family in ("bc66", "bc20", "bg96", "me910c1"):
        check_no_question_twice(family)


def test_a_kept_session_asks_neither_identity_nor_network_nor_configuration():
    """ME910C1 and BG96 are left out: their sleep (PSM) is a power cycle."""
    for family in ("bc66", "bc20"):
        for line in plain_wake(family):
            for known in KNOWN:
                assert known not in line, (family, line)
