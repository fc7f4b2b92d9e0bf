"""The fourteen worked examples of the Telit manual: the driver emits the manual's lines, character by character.

The model answers with the manual's text (test_vmodem_me910c1_examples proves that), so what the driver makes of it counts.
"""

from fakes.telit import Node, ready
from test_vmodem_me910c1_examples import account

from lwnode.lwm2m import Path
from lwnode.modem.me910c1 import setup
from lwnode.modem import NOT_REGISTERED, REGISTERED

BS = "coap://bs-engr.telit.io"


def node(nvram=None, model=None, **options):
    made = Node(ready() if nvram is None else nvram, model=model, registration_urcs=False, **options)
    assert made.modem.start()
    assert made.modem.attach(30000)
    return made


def in_order(lines, *wanted):
    """The wanted lines are there in that order."""
    rest = list(lines)
    for line in wanted:
        assert line in rest, (line, lines)
        rest = rest[rest.index(line) + 1:]


def test_example_01_reads_the_monitored_objects_and_adds_none_twice():
    made = node(monitor=(4, 3))
    made.modem.register(30000)
    in_order(made.commands, "AT#LWM2MMON?", "AT#LWM2MMON=1,4", "AT#LWM2MMON=1,3")
    mark = len(made.commands)
    made.host_boots()
    made.modem.register(30000)  # the list of the manual comes, joined by a lone LF
    assert "AT#LWM2MMON?" in made.since(mark) and made.model.monitored == [4, 3]
    assert [line for line in made.since(mark) if line.startswith("AT#LWM2MMON=")] == []


def test_example_02_lists_the_acknowledged_uris():
    made = node(acknowledge=(Path(3, 0, 9), Path(3, 0, 8)))
    made.modem.register(30000)
    in_order(made.commands, "AT#LWM2MNFYACKURI=0,2", "AT#LWM2MNFYACKURI=0,1,3,0,9", "AT#LWM2MNFYACKURI=0,1,3,0,8")
    mark = len(made.commands)
    made.host_boots()
    made.modem.register(30000)
    assert [line for line in made.since(mark) if "NFYACKURI" in line] == ["AT#LWM2MNFYACKURI=0,2"]


def test_example_03_enables_and_disables_in_ack_mode():
    made = node(ready(uri=BS, bootstrap=1), {"hostile": "stat_without_number"}, ack_mode=True, guard_release=20)
    made.server.bootstrap = account()
    assert made.modem.register(90000)
    in_order(made.commands, "AT#LWM2MSTAT", "AT#LWM2MENA=1,1,1,5,20", "AT#LWM2MACK=1", "AT#LWM2MSTAT")
    assert made.told("bootstrapping") and made.told("bootstrapped")
    made.modem.service(30000)
    mark = len(made.commands)
    assert made.modem.deregister()
    in_order(made.since(mark), "AT#LWM2MSTAT", "AT#LWM2MENA=0", "AT#LWM2MACK=1", "AT#LWM2MENA?")
    assert made.modem.status() == NOT_REGISTERED or made.model.status == "DIS"
    assert [event[2] for event in made.server.events][-1] == "deregistered"


def test_example_04_bootstraps():
    made = node(ready(uri=BS, bootstrap=1))
    made.server.bootstrap = account()
    assert made.modem.register(60000)
    assert made.said("AT#LWM2MENA=1") == ["AT#LWM2MENA=1"]
    assert [name for name, _ in made.events if name.startswith("bootstrap")] == ["bootstrapping", "bootstrapped"]


def test_example_05_fails_to_bootstrap_and_restarts_the_module():
    made = node(ready(uri=BS, bootstrap=1))
    assert not made.modem.register(60000)
    assert made.told("bootstrapping") and made.modem.refusal
    made.modem.service(15000)
    assert "AT#REBOOT" in made.commands


def test_example_06_registers_and_leaves():
    made = node(model={"registration_urcs": True})
    assert made.modem.register(60000) and made.told("registered") == ["registered"]
    assert made.modem.deregister()
    in_order(made.commands, "AT#LWM2MENA=1", "AT#LWM2MENA=0")
    assert made.told("lost") == []  # it was our own wish


def test_example_07_fails_to_register():
    made = node(model={"registration_urcs": True})
    made.server.refuse = 403
    assert not made.modem.register(60000)
    assert made.modem.status() == NOT_REGISTERED and "FORCE_EXIT" in made.modem.refusal


def test_example_08_is_suspended_and_comes_back():
    nvram = ready()
    nvram["values"] = {"1/0/5/0": "60"}
    made = node(nvram, {"registration_urcs": True}, disable_s=60)
    made.modem.register(60000)
    made.server.execute("node-1", (1, 0, 4))
    made.modem.service(5000)
    assert made.told("disabled") == [60] and made.modem.status() == NOT_REGISTERED
    made.modem.service(70000)
    assert made.modem.status() == REGISTERED and made.told("registered") == ["registered", "registered"]


def test_example_09_reads_the_state_in_ack_mode():
    made = node(ack_mode=True, guard_release=20)
    made.modem.register(90000)
    made.modem.service(30000)
    mark = len(made.commands)
    assert made.modem.deregister()
    in_order(made.since(mark), "AT#LWM2MENA=0", "AT#LWM2MACK=1", "AT#LWM2MENA?")


def test_example_10_disables_without_ack():
    made = node()
    made.modem.register(60000)
    assert made.modem.deregister()
    in_order(made.commands, "AT#LWM2MENA=1", "AT#LWM2MENA=0", "AT#LWM2MENA?")


def test_examples_11_to_14_ask_what_exists():
    made = node()
    assert setup.exists(made.modem, 0, 33211, 0, 0, 0)
    assert setup.exists(made.modem, 0, 11, 1)
    assert not setup.exists(made.modem, 0, 33211, 10, 0, 0)
    assert not setup.exists(made.modem, 3)
    in_order(
        made.commands, "AT+CMEE=2", "AT#LWM2MEXIST=0,33211,0,0,0", "AT#LWM2MEXIST=0,11,1", "AT#LWM2MEXIST=0,33211,10,0,0",
        "AT#LWM2MEXIST=3")
