"""The fourteen worked examples of the Telit manual (80529ST10974A Rev. 3): typed at the model, its answers compared.

Everything is compared as it travels, CR and LF included; only identifiers, addresses and times are ours.
"""

from fakes.telit import Desk, ready
from testing.lwm2m.codec import tlv
from testing.lwm2m.link import TLV
from testing.lwm2m.local import LocalLink, LocalServer

OK = "\r\nOK\r\n"


def line(text):
    return "\r\n%s\r\n" % text


def tlt(event, ssid=None, uri=""):
    return line('LWM2M-TLT:"%s"' % event if ssid is None else 'LWM2M-TLT:"%s",SSID=%d,"%s"' % (event, ssid, uri))


def account(uri="coap://host:5683"):
    """What the bootstrap server writes: Security and Server object of short server id 99."""
    security = tlv(0xC0, 0, uri.encode()) + tlv(0xC0, 1, b"\x00") + tlv(0xC0, 2, b"\x03") + tlv(0xC0, 10, b"\x63")
    server = tlv(0xC0, 0, b"\x63") + tlv(0xC0, 1, b"\x00\x01\x51\x80") + tlv(0xC0, 7, b"U")
    return [("write", (0, 1), TLV, security), ("write", (1, 0), TLV, server)]


def bootstrapping(**options):
    """A module whose server is a bootstrap server that has an account for it."""
    desk = Desk(ready(uri="coap://bs-engr.telit.io", bootstrap=1), **options)
    desk.server.bootstrap = account()
    return desk


BS = "coap://bs-engr.telit.io"
DM = "coap://host:5683"


def test_example_01_of_2_2_2_3_lists_monitored_objects_with_a_lone_lf():
    desk = Desk()
    desk.say("AT#LWM2MMON=1,4")
    desk.say("AT#LWM2MMON=1,3")
    assert desk.say("AT#LWM2MMON?") == '\r\n#LWM2MMON: "4"\n#LWM2MMON: "3"\r\n' + OK


def test_example_02_of_2_2_2_3_lists_the_acknowledged_uris():
    """Printed as AT#LWM2MFYACKURI; the answer below it, and section 3.1.15, have the N."""
    desk = Desk()
    desk.say("AT#LWM2MNFYACKURI=0,1,3,0,9")
    desk.say("AT#LWM2MNFYACKURI=0,1,3,0,8")
    assert desk.say("AT#LWM2MNFYACKURI=0,2") == '\r\n#LWM2MNFYACKURI: "/3/0/9"\n#LWM2MNFYACKURI: "/3/0/8"\r\n' + OK
    assert desk.say("AT#LWM2MFYACKURI=0,2") == "\r\nERROR\r\n"


def test_example_03_of_3_1_1_enables_and_disables_in_ack_mode():
    desk = bootstrapping(hostile="stat_without_number")
    assert desk.say("AT#LWM2MENA=1,1,1,5,20") == OK + line('#LWM2MRING: "REG"')
    assert desk.say("AT#LWM2MSTAT") == line('#LWM2MGETSTAT: 1,"WAIT"') + OK
    expected = OK + tlt("BOOTSTRAPPING", 0, BS) + tlt("BOOTSTRAPPED", 0, BS) + line("#LWM2MEND: 0")
    assert desk.say("AT#LWM2MACK=1", 2500) == expected
    assert desk.say("AT#LWM2MSTAT") == line('#LWM2MGETSTAT: 1,"ACTIVE"') + OK
    assert desk.hear(25000) == line("#LWM2MEND: 0")
    assert desk.say("AT#LWM2MSTAT") == line('#LWM2MGETSTAT: 1,"IDLE"') + OK
    assert desk.say("AT#LWM2MENA=0") == OK + line('#LWM2MRING: "DRG"')
    assert desk.say("AT#LWM2MSTAT") == line('#LWM2MGETSTAT: 1,"WAIT"') + OK
    assert desk.say("AT#LWM2MACK=1", 4000) == OK
    assert desk.say("AT#LWM2MSTAT") == line('#LWM2MGETSTAT: "DIS"') + OK
    assert desk.say("AT#LWM2MENA?") == line("#LWM2MENA: 0") + OK
    assert [event[2] for event in desk.server.events] == ["registered", "deregistered"]


def test_example_04_of_3_1_3_bootstraps():
    desk = bootstrapping()
    assert desk.say("AT#LWM2MENA=1", 9000) == OK + tlt("BOOTSTRAPPING", 0, BS) + tlt("BOOTSTRAPPED", 0, BS)


def test_example_05_of_3_1_3_fails_to_bootstrap():
    desk = bootstrapping()
    desk.server.bootstrap = []
    expected = OK + tlt("BOOTSTRAPPING", 0, BS) * 3 + tlt("FORCE_EXIT")
    assert desk.say("AT#LWM2MENA=1", 20000) == expected


def test_example_06_of_3_1_3_registers_at_two_servers_and_leaves_them():
    """Two servers behind one agent; the second is nearer, so it answers first."""
    desk = Desk(ready(), registration_urcs=True)
    other = LocalLink(desk.clock, LocalServer(desk.clock), delay_ms=5)
    second = "coap://217.114.209.230:5683"
    desk.model.options["servers"] = ((second, 102, other),)
    expected = OK + tlt("REGISTERING", 99, DM) + tlt("REGISTERING", 102, second)
    expected += tlt("REGISTERED", 102, second) + tlt("REGISTERED", 99, DM)
    assert desk.say("AT#LWM2MENA=1", 9000) == expected
    expected = OK + tlt("DEREGISTERED", 99, DM) + tlt("DEREGISTERED", 102, second) + tlt("CLIENT_DISABLED")
    assert desk.say("AT#LWM2MENA=0", 5000) == expected
    assert other.server.events[-1][2] == desk.server.events[-1][2] == "deregistered"


def test_example_07_of_3_1_3_fails_to_register():
    """The handshake fails: the server knows another key."""
    nvram = ready(uri="coaps://engr-api.devicewise.com", id="node-1", key="AABB")
    desk = Desk(nvram, keys={"node-1": "CCDD"}, registration_urcs=True)
    uri = "coaps://engr-api.devicewise.com"
    expected = OK + tlt("REGISTERING", 99, uri) + tlt("FORCE_EXIT") + tlt("CLIENT_DISABLED")
    assert desk.say("AT#LWM2MENA=1", 300000) == expected


def test_example_08_of_3_1_3_is_suspended():
    nvram = ready()
    nvram["values"] = {"1/0/5/0": "60"}
    desk = Desk(nvram, registration_urcs=True)
    assert desk.say("AT#LWM2MENA=1", 9000) == OK + tlt("REGISTERING", 99, DM) + tlt("REGISTERED", 99, DM)
    assert desk.told("execute", (1, 0, 4), ms=50000) == tlt("SUSPENDED", 99, DM)
    assert desk.hear(20000) == tlt("REGISTERING", 99, DM) + tlt("REGISTERED", 99, DM)


def test_example_09_of_3_1_3_reads_the_state_in_ack_mode():
    """One END here, two in 3.1.1: the option bootstrap_end."""
    desk = bootstrapping(bootstrap_end=False)
    assert desk.say("AT#LWM2MENA=1,1,1,5,20") == OK + line('#LWM2MRING: "REG"')
    assert desk.say("AT#LWM2MENA?") == line('#LWM2MENA: 1,1,1,5,20,"WAIT"') + OK
    expected = OK + tlt("BOOTSTRAPPING", 0, BS) + tlt("BOOTSTRAPPED", 0, BS) + line("#LWM2MEND: 0")
    assert desk.say("AT#LWM2MACK=1", 30000) == expected
    assert desk.say("AT#LWM2MENA?") == line('#LWM2MENA: 1,1,1,5,20,"IDLE"') + OK
    assert desk.say("AT#LWM2MENA=0") == OK + line('#LWM2MRING: "DRG"')
    assert desk.say("AT#LWM2MENA?") == line('#LWM2MENA: 1,1,1,5,20,"WAIT"') + OK
    assert desk.say("AT#LWM2MACK=1") == OK
    assert desk.say("AT#LWM2MENA?", 4000) == line('#LWM2MENA: 1,1,1,5,20,"DEREG"') + OK
    assert desk.say("AT#LWM2MENA?") == line("#LWM2MENA: 0") + OK


def test_example_10_of_3_1_3_disables_without_ack():
    desk = Desk(ready())
    assert desk.say("AT#LWM2MENA=1", 8000) == OK
    assert desk.say("AT#LWM2MENA=0") == OK
    assert desk.say("AT#LWM2MENA?", 4000) == line('#LWM2MENA: 1,1,0,5,5,"DEREG"') + OK
    assert desk.say("AT#LWM2MENA?") == line("#LWM2MENA: 0") + OK


def test_example_11_of_3_1_17_finds_a_resource_instance():
    assert Desk().say("AT#LWM2MEXIST=0,33211,0,0,0") == OK


def test_example_12_of_3_1_17_finds_an_instance():
    assert Desk().say("AT#LWM2MEXIST=0,11,1") == OK


def test_example_13_of_3_1_17_misses_an_instance_and_says_so_in_words():
    desk = Desk()
    assert desk.say("AT#LWM2MEXIST=0,33211,10,0,0") == "\r\nERROR\r\n"
    assert desk.say("AT+CMEE=2") == OK
    assert desk.say("AT#LWM2MEXIST=0,33211,10,0,0") == line("+CME ERROR: Invalid URI")


def test_example_14_of_3_1_17_misses_an_agent():
    desk = Desk()
    desk.say("AT+CMEE=2")
    assert desk.say("AT#LWM2MEXIST=3") == line("+CME ERROR: Invalid agent")
