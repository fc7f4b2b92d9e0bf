"""Rows in which a registration or a node ends and begins: triggers, reboots, farewell, sleep, expiry, the server's restart.

As in `checks`: a check returns the cell's text or raises. After each the node is registered again, except where a module
does not say for how long it is to stay away (the shadow's 1/0/4: last of all).
"""

from tools.interop import checks
from tools.interop.bench import PERIOD_S
from tools.interop.checks import RELAY, TEMPERATURE, need, refused

# Runs in place of main.py, once: a person takes the node out of service. Then main.py is itself again.
FAREWELL = """import os
from shell import node

unit = node()
try:
    if not unit.session.open():
        raise OSError("no session")
    if not unit.modem.deregister():
        raise OSError("the server did not agree")
    unit.close()
    os.rename("main.old", "main.py")
except Exception as error:
    print("farewell:", type(error).__name__, error)
unit.board.sleep(60000)
"""
_OBJECT_1_LIFETIME, _OBJECT_1_BINDING = "/1/0/1", "/1/0/7"
SLEEP_S = PERIOD_S - 30  # what is left of a period for its sleep, at least
SHORT_S = 160  # a lifetime whose update, after nine tenths, is due in that sleep; the server waits for 93 s of it


async def update_trigger(node):
    """Execute 1/0/8: an update follows."""
    mark = node.mark()
    answer = await node.ask(node.leshan.execute, "/1/0/8")
    need(answer.code == 204, f"204 expected, {answer} came")
    await node.event("UPDATED", 60, after=mark)
    return "update"


async def disable(node):
    """Execute 1/0/4: deregistration, silence for the disable timeout (1/0/5), registration."""
    answer = await node.ask(node.leshan.write, "/1/0/5", 120)
    need(answer.code in (204, 405), f"204 or 405 expected for 1/0/5, {answer} came")
    mark = node.mark()
    # Leshan drops a client that deregisters right behind its answer, and the answer with it where it is slow to take that up.
    answer = await node.ask(node.leshan.execute, "/1/0/4", unless=lambda: node.heard("DEREGISTRATION", mark))
    if answer.code in (404, 405):
        return refused(answer, 404, 405)
    gone = await node.event("DEREGISTRATION", 60, after=mark)
    need(answer.code in (204, 400, 504), f"204 expected, {answer} came")
    if node.contract == "shadow":  # the module does not say for how long: the driver's option, a day
        return "deregisters, stays away"
    back = await node.event("REGISTRATION", 120, after=mark)
    need(back.at - gone.at > 1, "its registration was replaced by a new one, and not ended")
    return "deregisters, returns"


async def reboot(node):
    """Execute 3/0/4: the module restarts, and the node comes back by itself."""
    return await _restart(node, "/3/0/4", ("REGISTRATION", "UPDATED"), "comes back")


async def factory_reset(node):
    """Execute 3/0/5: everything is forgotten, and the node configures and declares anew."""
    return await _restart(node, "/3/0/5", ("REGISTRATION",), "declares anew")


async def _restart(node, path, names, text):
    mark = node.mark()
    answer = await node.ask(node.leshan.execute, path)
    if answer.code in (404, 405):
        return refused(answer, 404, 405)
    need(answer.code == 204, f"204 expected, {answer} came")
    await node.event(names, 240, after=mark)
    if node.contract != "pipe":
        await node.answers(TEMPERATURE)
    return text


async def bootstrap_trigger(node):
    """Execute 1/0/9 without a bootstrap server: refused, or taken and nothing lost by it (BG96)."""
    answer = await node.ask(node.leshan.execute, "/1/0/9")
    if answer.code != 204:
        return refused(answer, 404, 405, 400)
    again = await node.ask(node.leshan.read, "/3/0")
    need(again.code == 205, f"205 expected afterwards, {again} came")
    return "2.04, stays"


async def farewell(node):
    """The driver's own deregistration, by a program that runs once instead of main.py; afterwards main.py registers."""
    main = node.board.flash / "main.py"
    kept = main.with_name("main.old")
    mark = node.mark()
    kept.write_bytes(main.read_bytes())
    main.write_text(FAREWELL)
    await node.until(lambda: not kept.exists(), "a farewell that went well", 180)
    # the session may have registered anew before, to be observed again: such an end is followed by a beginning at once
    for _ in range(4):
        gone = await node.event("DEREGISTRATION", 60, after=mark)
        back = await node.event("REGISTRATION", 180, after=node.number(gone) + 1)
        if back.at - gone.at > 1:
            return "leaves, returns"
        mark = node.number(back) + 1
    raise AssertionError("it left and was back at once, time and again")


async def server_restart(node, restarted):
    """The server has lost everything (event number `restarted`): the node comes back by itself and is observed again."""
    await node.event("REGISTRATION", 240, after=restarted)
    if node.contract != "pipe":
        await node.answers(TEMPERATURE)
    return "comes back"


async def lifetime_expiry(node):
    """The server sets 1/0/1 = 30, coverage goes: the registration expires; coverage returns: so does the node."""
    await _lifetime(node, 30)
    mark = node.mark()
    node.control("radio down")
    try:
        await node.event("DEREGISTRATION", 90, after=mark)
    finally:
        node.control("radio up")
    await node.event("REGISTRATION", 300, after=mark)
    return "expires, returns"


async def queue_mode(node):
    """A write while the node has been silent for longer than it listens waits with the server and arrives at the next wake.

    Only BC66 has a command for the binding. To the others the server writes 1/0/7, and their own client takes it over.
    BG96 and ME910C1 register anew when they wake. BC20 wakes with a notification, and that tells a server of LwM2M 1.0
    nothing of who is awake (TS 1.0.2, 8.3). An update does, due when its lifetime is nearly over, which is short here.
    """
    if node.family == "bc20":
        await _lifetime(node, SHORT_S)
    if (node.settings_of("binding") or "U") != "UQ":
        await _bind(node, "UQ")
    # A whole period: a shorter sleep ends before the server counts the node as asleep, or before the update is due. One that
    # fell due while the module is still awake and the host no more would let the write in when nobody listens.
    await node.until(lambda: node.sleeps_ms > SLEEP_S * 1000, f"a sleep of {SLEEP_S} s or more", 180)
    mark = node.mark()
    node.real_time(True)
    try:
        await node.event("SLEEPING", 300, after=mark)
        mark = node.mark()
        level = not node.outputs.get("relay")
        path, value = (RELAY, level) if node.contract != "pipe" else (checks.COMMANDS, checks.switch(level))
        answer = await node.leshan.write(node.endpoint, path, value)
        asleep = answer.delayed or (answer.http == 400 and "sleep" in answer.text.lower())
        need(asleep, f"a sleeping client expected, HTTP {answer.http} {answer} came")
        need(node.outputs.get("relay") != int(level), "the write arrived while the node slept")
    finally:
        node.real_time(False)
    await node.event("AWAKE", 240, after=mark)
    if not answer.delayed:  # older milestones leave the queue to whoever uses them
        answer = await node.ask(node.leshan.write, path, value)
        need(answer.code == 204, f"204 expected, {answer} came")
    await node.until(lambda: node.outputs.get("relay") == int(level), f"relay = {int(level)}", 150)
    return "at the next update" if node.family == "bc20" else "at the next wake"


async def _lifetime(node, seconds):
    mark = node.mark()
    answer = await node.ask(node.leshan.write, _OBJECT_1_LIFETIME, seconds)
    need(answer.code == 204, f"204 expected for 1/0/1, {answer} came")
    await node.event("UPDATED", 60, after=mark, where=lambda data: data["registration"]["lifetime"] == seconds)


async def _bind(node, binding):
    mark = node.mark()
    answer = await node.ask(node.leshan.write, _OBJECT_1_BINDING, binding)
    need(answer.code == 204, f"204 expected for 1/0/7, {answer} came")
    await node.event("UPDATED", 60, after=mark, where=lambda data: data["registration"]["bindingMode"] == binding)


# What leaves a shadow without its server for longer than a bench can wait comes after everything else.
LAST = {"shadow": (("1/0/4 disable", disable),)}

# Rows by node: each family has one node for each of these, all at once. The suffix is the end of its name.
COURSES = {
    "": (
        ("registration", checks.registration),
        # first: a shadow is filled by the first report, and a report needs an observer
        ("observe, notify", checks.observe),
        ("read resource", checks.read_resource),
        ("read instance", checks.read_instance),
        ("read object", checks.read_object),
        ("write actuator", checks.write),
        ("write instance", checks.write_instance),
        ("command, 19/1/0", checks.command),
        ("execute 5605", checks.execute),
        ("discover", checks.discover),
        ("write-attributes", checks.write_attributes),
        ("1/0/8 update trigger", update_trigger),
        ("1/0/9 bootstrap", bootstrap_trigger),
        ("3/0/4 reboot", reboot),
        ("3/0/5 factory reset", factory_reset),
        ("1/0/4 disable", disable),
    ),
    "-leaves": (("write text", checks.write_text), ("deregister", farewell), ("lifetime expiry", lifetime_expiry)),
    "-sleeps": (("read formats", checks.read_formats), ("write TLV", checks.write_tlv), ("queue mode", queue_mode)),
}
ROWS = tuple(row for course in COURSES.values() for row in course)
