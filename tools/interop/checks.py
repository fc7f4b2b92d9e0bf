"""What is asked of every node, and what each contract is expected to answer.

A row is an operation of the final table; a check returns the cell's text, or raises: AssertionError with what was
expected and what came, LeshanError when nobody answered. What a contract cannot carry is checked as well: the cell
then shows the code that Leshan shows, and a node that suddenly answers otherwise fails.

    pull    BC66, BC66-NA      typed objects, every operation reaches the host
    shadow  ME910C1            typed objects, the module answers; no executes on custom objects
    pipe    BC20, BG96         bytes on object 19: packs of readings up, commands down
"""

import asyncio

from tools.interop.bench import LIFETIME_S, SENSORS
from tools.lwm2m.codec import CodecError, decode
from tools.lwm2m.names import SENML_CBOR

# Objects that a module brings itself (BC66: application note 3.2.1; BG96: user guide 2.3; BC20 shows only its own).
BUILTIN = {
    "bc66": (0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 13, 16, 3353),
    "bc20": (),
    "bg96": (),
    "me910c1": (),
}
TYPED = (3303, 3304, 3306)
PACKS, COMMANDS = "/19/0/0", "/19/1/0"
TEMPERATURE, RELAY = "/3303/0/5700", "/3306/0/5850"


def need(condition, sentence):
    """An assertion that also works without -O's consent."""
    if not condition:
        raise AssertionError(sentence)


async def registration(node):
    """The right objects, lifetime and binding."""
    seen = (await node.event("REGISTRATION", 120, after=0)).data
    shown = sorted({int(each["url"].strip("/").split("/")[0]) for each in seen["objectLinks"] if each["url"].strip("/")})
    wanted = set(BUILTIN[node.family]) | {19} | (set(TYPED) if node.contract != "pipe" else set())
    missing = sorted(wanted.difference(shown))
    need(not missing, f"objects {missing} are missing, {shown} came")
    if node.contract == "pipe":
        need(not set(TYPED).intersection(shown), f"a pipe cannot declare {TYPED}, {shown} came")
    if node.settings_of("lifetime") is not None:
        need(seen["lifetime"] == LIFETIME_S, f"lifetime {LIFETIME_S} expected, {seen['lifetime']} came")
    binding = node.settings_of("binding") or "U"
    need(seen["bindingMode"] == binding, f"binding {binding} expected, {seen['bindingMode']} came")
    return f"{len(shown)} objects, {seen['lifetime']} s, {binding}"


async def read_resource(node):
    """A resource: the sensor's last value."""
    answer = await node.ask(node.leshan.read, TEMPERATURE)
    if node.contract == "pipe":
        return refused(answer, 404)
    for _ in range(100):  # a shadow holds nothing before the first report
        if node.contract != "shadow" or answer.value in node.readings(TEMPERATURE):
            break
        await asyncio.sleep(0.5)
        answer = await node.ask(node.leshan.read, TEMPERATURE)
    need(answer.code == 205 and answer.value in node.readings(TEMPERATURE), f"a reading expected, {answer} came")
    return f"{answer.value} Cel"


async def read_instance(node):
    """An instance: value, unit, range."""
    answer = await node.ask(node.leshan.read, "/3303/0")
    if node.contract == "pipe":
        return refused(answer, 404)
    need(answer.code == 205, f"205 expected, {answer} came")
    need(answer.values.get(5700) in node.readings(TEMPERATURE), f"5700 is no reading: {answer}")
    if node.contract == "shadow" and not answer.values.get(5701):
        return "5700 alone is filled"
    need(answer.values.get(5701) == "Cel", f"5701 = Cel expected, {answer} came")
    return f"{len(answer.values)} resources"


async def read_object(node):
    """An object: all its instances."""
    answer = await node.ask(node.leshan.read, "/3303")
    if node.contract == "pipe":
        return refused(answer, 404)
    need(answer.code == 205 and (0, 5700) in answer.values, f"instance 0 with 5700 expected, {answer} came")
    return "yes"


async def observe(node):
    """Observe what the contract offers; the notifications' values are the sensor's readings.

    A new registration ends observations; a server observes again, as this check does.
    """
    paths = (PACKS,) if node.contract == "pipe" else (TEMPERATURE, "/3304/0/5700")
    found = dict.fromkeys(SENSORS, 0)
    mark = node.mark()
    registered = True
    while min(found.values()) < 2:
        if registered:
            for path in paths:
                answer = await node.ask(node.leshan.observe, path)
                need(answer.code == 205, f"205 expected for {path}, {answer} came")
        event = await node.event(("NOTIFICATION", "REGISTRATION"), 180, after=mark)
        mark = node.leshan.events.index(event) + 1
        registered = event.name == "REGISTRATION"
        if not registered:
            _count(node, event.data, found)
    return "packs of readings" if node.contract == "pipe" else "readings"


def _count(node, data, found):
    """Each value is one that the sensor gave."""
    values = [(data["res"], data["val"].get("value"))]
    if data["res"] == PACKS:
        values = [("/" + "/".join(str(part) for part in each.path), each.value) for each in unpacked(data["val"])]
    for path, value in values:
        if path in found:
            near = min([abs(float(value) - each) for each in node.readings(path)], default=1)
            need(near < 1e-6, f"{path} = {value} is no reading of the sensor")
            found[path] += 1


def unpacked(content):
    """The readings of a pack as Leshan shows opaque values: hex, one value or resource instances."""
    texts = [content["value"]] if "value" in content else list(content.get("values", {}).values())
    readings = []
    for text in texts:
        try:
            readings += decode(SENML_CBOR, (19, 0, 0), bytes.fromhex(text))
        except (CodecError, ValueError, TypeError):
            continue  # what stood there before the first pack
    return readings


async def write(node):
    """Write to the actuator; the board's relay follows."""
    for level in (True, False, True):
        answer = await node.ask(node.leshan.write, RELAY, level)
        if node.contract == "pipe":
            return refused(answer, 404)
        need(answer.code == 204, f"204 expected, {answer} came")
        # a shadow answers for a node that may just have gone to sleep: it follows at its next wake
        await node.until(lambda level=level: node.outputs.get("relay") == int(level), f"relay = {int(level)}", 150)
    answer = await node.ask(node.leshan.read, RELAY)
    need(answer.value is True or answer.value == 1, f"5850 = true expected, {answer} came")
    return "relay follows"


async def command(node):
    """A command pack on 19/1/0, the way back where the module hands on nothing but bytes: the relay follows."""
    for level in (False, True):
        pack = b"\x81\xa2\x00\x6c/3306/0/5850\x04" + (b"\xf5" if level else b"\xf4")  # [{n: "/3306/0/5850", vb: level}]
        answer = await node.ask(node.leshan.write, COMMANDS, pack)
        need(answer.code == 204, f"204 expected, {answer} came")
        await node.until(lambda level=level: node.outputs.get("relay") == int(level), f"relay = {int(level)}", 150)
    return "relay follows"


async def execute(node):
    """Execute 5605: minimum and maximum become the present value."""
    answer = await node.ask(node.leshan.execute, "/3303/0/5605")
    if node.contract == "pipe":
        return refused(answer, 404)
    if node.contract == "shadow":  # the manual has no word to the host about it, whatever the module answers
        return refused(answer, 204, 404, 405) + ", unheard"
    need(answer.code == 204, f"204 expected, {answer} came")
    values = (await node.ask(node.leshan.read, "/3303/0")).values
    need(values[5601] == values[5602], f"5601 = 5602 expected, {values} came")
    return "min = max"


async def discover(node):
    """Discover; the BC66 leaves custom objects to the host and has no URC for it (3.2.2), so they refuse."""
    own = await node.ask(node.leshan.discover, "/3/0")
    need(own.code == 205 and any(path == "/3/0/0" for path, _ in own.links), f"/3/0/0 expected, {own} came")
    answer = await node.ask(node.leshan.discover, "/3303/0")
    if node.contract == "shadow":
        need(answer.code == 205, f"205 expected, {answer} came")
        return "yes"
    return "module's own; custom " + refused(answer, 405 if node.contract == "pull" else 404)


async def write_attributes(node):
    """Write-attributes on what the module answers itself are kept and shown by discover."""
    answer = await node.ask(node.leshan.attributes, "/3/0", pmin=1, pmax=60)
    need(answer.code == 204, f"204 expected, {answer} came")
    shown = dict((await node.ask(node.leshan.discover, "/3/0")).links).get("/3/0", {})
    need({"pmin", "pmax"} <= set(shown), f"pmin and pmax expected in {shown}")
    return "kept"


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
    answer = await node.ask(node.leshan.execute, "/1/0/4")
    if answer.code in (404, 405):
        return refused(answer, 404, 405)
    need(answer.code == 204, f"204 expected, {answer} came")
    gone = await node.event("DEREGISTRATION", 60, after=mark)
    if node.contract == "shadow":  # the module does not say for how long: the driver's option, a day
        return "deregisters, stays away"
    back = await node.event("REGISTRATION", 120, after=mark)
    need(back.at >= gone.at, "it registered before it deregistered")
    return "deregisters, returns"


async def reboot(node):
    """Execute 3/0/4: the module restarts, and the node comes back by itself."""
    mark = node.mark()
    answer = await node.ask(node.leshan.execute, "/3/0/4")
    if answer.code in (404, 405):
        return refused(answer, 404, 405)
    need(answer.code == 204, f"204 expected, {answer} came")
    await _back(node, mark)
    return "comes back"


async def factory_reset(node):
    """Execute 3/0/5: everything is forgotten, and the node configures and declares anew."""
    mark = node.mark()
    answer = await node.ask(node.leshan.execute, "/3/0/5")
    if answer.code in (404, 405):
        return refused(answer, 404, 405)
    need(answer.code == 204, f"204 expected, {answer} came")
    await _back(node, mark, ("REGISTRATION",))
    return "declares anew"


async def bootstrap_trigger(node):
    """Execute 1/0/9 without a bootstrap server: refused, or taken and nothing lost by it (BG96)."""
    answer = await node.ask(node.leshan.execute, "/1/0/9")
    if answer.code != 204:
        return refused(answer, 404, 405, 400)
    again = await node.ask(node.leshan.read, "/3/0")
    need(again.code == 205, f"205 expected afterwards, {again} came")
    return "2.04, stays"


async def server_restart(node, restarted):
    """The server has lost everything (event number `restarted`): the node comes back by itself and is observed again."""
    await node.event("REGISTRATION", 240, after=restarted)
    if node.contract != "pipe":
        await node.answers(TEMPERATURE)
    return "comes back"


async def lifetime_expiry(node):
    """The server sets 1/0/1 = 30, coverage goes: the registration expires; coverage returns: so does the node."""
    mark = node.mark()
    answer = await node.ask(node.leshan.write, "/1/0/1", 30)
    if answer.code in (404, 405):
        return refused(answer, 404, 405)
    need(answer.code == 204, f"204 expected, {answer} came")
    if node.family == "bc20":  # no command sets its lifetime, and nothing says that a server can
        return f"fixed, {LIFETIME_S} s"
    await node.event("UPDATED", 60, after=mark, where=lambda data: data["registration"]["lifetime"] == 30)
    mark = node.mark()
    node.control("radio down")
    try:
        await node.event("DEREGISTRATION", 90, after=mark)
    finally:
        node.control("radio up")
    await node.event("REGISTRATION", 300, after=mark)
    return "expires, returns"


async def queue_mode(node):
    """A write while the node has been silent for longer than it listens arrives at its next wake."""
    if (node.settings_of("binding") or "U") != "UQ":
        return "no UQ"
    mark = node.mark()
    node.real_time(True)
    await node.event("SLEEPING", 260, after=mark)
    mark = node.mark()
    level = not node.outputs.get("relay")
    answer = await node.leshan.write(node.endpoint, RELAY, level)
    asleep = answer.delayed or (answer.http == 400 and "sleep" in answer.text.lower())
    need(asleep, f"a sleeping client expected, HTTP {answer.http} {answer} came")
    node.real_time(False)
    await node.event("AWAKE", 240, after=mark)
    if not answer.delayed:  # older milestones leave the queue to whoever uses them
        answer = await node.ask(node.leshan.write, RELAY, level)
        need(answer.code == 204, f"204 expected, {answer} came")
    await node.until(lambda: node.outputs.get("relay") == int(level), f"relay = {int(level)}")
    return "at the next wake"


async def _back(node, mark, names=("REGISTRATION", "UPDATED")):
    waits = [asyncio.ensure_future(node.event(name, 240, after=mark)) for name in names]
    done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for each in pending:
        each.cancel()
    for each in done:
        each.result()
    if node.contract != "pipe":
        await node.answers(TEMPERATURE)


def refused(answer, *codes):
    """The cell for what a contract cannot do: the code that Leshan shows, if it is one of the expected."""
    need(answer.code in codes, f"{' or '.join(map(str, codes))} expected, {answer} came")
    return f"{answer.code // 100}.{answer.code % 100:02d}"


# What leaves a shadow without its server for longer than a bench can wait comes after everything else.
LAST = {"shadow": (("1/0/4 disable", disable),)}

ROWS = (
    ("registration", registration),
    ("observe, notify", observe),  # first: a shadow is filled by the first report, and a report needs an observer
    ("read resource", read_resource),
    ("read instance", read_instance),
    ("read object", read_object),
    ("write actuator", write),
    ("command, 19/1/0", command),
    ("execute 5605", execute),
    ("discover", discover),
    ("write-attributes", write_attributes),
    ("1/0/8 update trigger", update_trigger),
    ("1/0/9 bootstrap", bootstrap_trigger),
    ("3/0/4 reboot", reboot),
    ("3/0/5 factory reset", factory_reset),
    ("1/0/4 disable", disable),
    ("queue mode", queue_mode),
    ("lifetime expiry", lifetime_expiry),
)
