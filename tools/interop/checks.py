"""What is asked of every node, and what each contract is expected to answer.

A row is an operation of the final table; a check returns the cell's text, or raises: AssertionError with what was
expected and what came, LeshanError when nobody answered. What a contract cannot carry is checked as well: the cell
then shows the code that Leshan shows, and a node that suddenly answers otherwise fails.

    pull    BC66, BC66-NA      typed objects, every operation reaches the host
    shadow  ME910C1            typed objects, the module answers; no executes on custom objects
    pipe    BC20, BG96         bytes on object 19: packs of readings up, commands down

`lives` has the rows in which the node or its registration ends and begins.
"""

from tools.interop.bench import LIFETIME_S, PACKS, SENSORS
from testing.lwm2m.codec import CodecError, decode
from testing.lwm2m.names import SENML_CBOR

# Objects that a module brings itself (BC66: application note 3.2.1; BG96: user guide 3.2; the two others' manuals do not
# list theirs: what the models have, and what Leshan shows of it, object 0 left out by a client that follows the standard).
BUILTIN = {"bc66": (0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 13, 16, 3353), "bc20": (1, 3), "bg96": (0, 1, 2, 3, 4, 5, 6, 7, 9, 15),
           "me910c1": (1, 2, 3, 4, 5, 6, 7, 11, 33211)}
PRIVATE = range(26241, 32769)  # objects of the node's own, where it declares some
TYPED = (3303, 3304, 3306, 3308, 3341)
COMMANDS = "/19/1/0"
TEMPERATURE, RELAY = "/3303/0/5700", "/3306/0/5850"
LIFETIME, FLOAT, INTEGER, TEXT = "/1/0/1", "/3308/0/5900", "/3341/0/5528", "/3341/0/5527"
# Numbers as their bytes in TLV: "9", "01", "4321" and others, and such as no reading of bytes as digits would give. A Float
# has eight bytes from Leshan, and all eight are digits of numbers below 1e-60 alone; of 16.188 it is seven ("@0001234").
INTEGERS = (57, 12337, -5, 875770417, -32769)
FLOATS = (21.5, -0.5, 100000.0, -0.001, 16.188237145543098)
WIDE = 3544668469065756977  # "11223331"; more than the 32 bits that a shadow's module keeps


def need(condition, sentence):
    """An assertion that also works without -O's consent."""
    if not condition:
        raise AssertionError(sentence)


async def key_refused(node, key, patience):
    """A sentence says that the server does not take the node's key, without the key."""
    await node.until(lambda: node.modem.troubles, "a sentence about the key", patience)
    told = " ".join(node.modem.troubles)
    need("identity or key" in told and key not in told, f"a sentence about the key, without it, expected, {told!r} came")


async def registration(node):
    """The right objects, lifetime and binding."""
    seen = (await node.event("REGISTRATION", 120, after=0)).data
    shown = sorted({int(each["url"].strip("/").split("/")[0]) for each in seen["objectLinks"] if each["url"].strip("/")})
    wanted = set(BUILTIN[node.family]) | {19} | (set(TYPED) if node.contract != "pipe" else set())
    needed = {each for each in shown if each not in PRIVATE}
    need(needed == wanted, f"objects {sorted(wanted)} expected, {shown} came")
    if node.settings_of("lifetime") is not None:
        need(seen["lifetime"] == LIFETIME_S, f"lifetime {LIFETIME_S} expected, {seen['lifetime']} came")
    binding = node.settings_of("binding") or "U"
    need(seen["bindingMode"] == binding, f"binding {binding} expected, {seen['bindingMode']} came")
    return f"{len(shown)} objects, {seen['lifetime']} s, {binding}"


async def read_resource(node):
    """A resource: the module's maker, and the sensor's last value."""
    own = await node.ask(node.leshan.read, "/3/0/0")
    need(own.code == 205 and own.value in ("Quectel", "Telit"), f"the module's maker expected, {own} came")
    answer = await node.ask(node.leshan.read, TEMPERATURE)
    if node.contract == "pipe":
        return "module's own; custom " + refused(answer, 404)
    while node.contract == "shadow" and answer.value not in node.readings(TEMPERATURE):
        # a shadow holds nothing before the first report
        await node.event("NOTIFICATION", 180)
        answer = await node.ask(node.leshan.read, TEMPERATURE)
    need(answer.code == 205 and answer.value in node.readings(TEMPERATURE), f"a reading expected, {answer} came")
    return f"{answer.value} Cel"


async def read_instance(node):
    """An instance: of the module's own, and value, unit, range of a sensor."""
    own = await node.ask(node.leshan.read, "/3/0")
    need(own.code == 205 and {0, 1} <= set(own.values), f"3/0/0 and 3/0/1 expected, {own} came")
    answer = await node.ask(node.leshan.read, "/3303/0")
    if node.contract == "pipe":
        return "module's own; custom " + refused(answer, 404)
    need(answer.code == 205, f"205 expected, {answer} came")
    need(answer.values.get(5700) in node.readings(TEMPERATURE), f"5700 is no reading: {answer}")
    if node.contract == "shadow" and not answer.values.get(5701):
        return "5700 alone is filled"
    need(answer.values.get(5701) == "Cel", f"5701 = Cel expected, {answer} came")
    return f"{len(answer.values)} resources"


async def read_object(node):
    """An object: all its instances, of the module's own and of the node's."""
    own = await node.ask(node.leshan.read, "/3")
    need(own.code == 205 and (0, 0) in own.values, f"instance 0 with 3/0/0 expected, {own} came")
    answer = await node.ask(node.leshan.read, "/3303")
    if node.contract == "pipe":
        return "module's own; custom " + refused(answer, 404)
    need(answer.code == 205 and (0, 5700) in answer.values, f"instance 0 with 5700 expected, {answer} came")
    return "yes"


async def observe(node):
    """Observe what the contract offers; the notifications' values are the sensor's readings."""
    await node.until(lambda: len(node.observations) == len(node.observed), "an answer to each observe", 120)
    for path, answer in node.observations.items():
        need(answer.code == 205, f"205 expected for {path}, {answer} came")
    found = dict.fromkeys(SENSORS, 0)
    mark = node.mark()
    while min(found.values()) < 2:
        event = await node.event("NOTIFICATION", 180, after=mark)
        mark = node.number(event) + 1
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
        answer = await node.ask(node.leshan.write, COMMANDS, switch(level))
        need(answer.code == 204, f"204 expected, {answer} came")
        await node.until(lambda level=level: node.outputs.get("relay") == int(level), f"relay = {int(level)}", 150)
    return "relay follows"


def switch(level):
    """The command pack that switches the relay: SenML CBOR of [{n: "/3306/0/5850", vb: level}]."""
    return b"\x81\xa2\x00\x6c/3306/0/5850\x04" + (b"\xf5" if level else b"\xf4")


async def write_tlv(node):
    """Numbers in TLV, positive, negative and such whose bytes are ASCII digits: what is read back, and what the host hears."""
    return await _numbers(node, "TLV")


async def write_text(node):
    """The same numbers as text. BC66 hands on nothing about the form, so this node's configuration says it (write_format)."""
    return await _numbers(node, "TEXT")


async def _numbers(node, form):
    if node.contract == "pipe":  # nothing but the module's own takes a number
        for seconds in (12337, LIFETIME_S):
            await _written(node, LIFETIME, seconds, form)
        return "1/0/1 alone"
    numbers = [(INTEGER, each) for each in INTEGERS + ((WIDE,) if node.contract == "pull" else ())]
    for path, value in numbers + [(FLOAT, each) for each in FLOATS]:
        mark = len(node.lines)
        await _written(node, path, value, form)
        word = "wrote float " if path == FLOAT else "wrote integer "
        heard = lambda mark=mark, word=word, value=value: _heard(node.lines[mark:], word, value)  # noqa: E731
        await node.until(heard, word + str(value), 150)
    return f"{len(numbers) + len(FLOATS)} numbers, heard"


async def _written(node, path, value, form):
    answer = await node.ask(node.leshan.write, path, value, form=form)
    need(answer.code == 204, f"204 expected for {path} = {value}, {answer} came")
    answer = await node.ask(node.leshan.read, path)
    need(_near(answer.value, value), f"{path} = {value} expected, {answer} came")


def _near(one, other):
    return abs(float(one) - other) <= 1e-5 * abs(other)  # a node's floats may have 32 bits, and six digits without a resolution


def _heard(lines, word, value):
    return any(line.startswith(word) and _near(line[len(word) :], value) for line in lines)


async def read_formats(node):
    """Each content format that a server may ask for: an answer in it, or 4.06 (RFC 7252 5.10.4)."""
    await read_resource(node)  # a shadow holds nothing before the first report
    cells = []
    for path in ("/3/0/0",) if node.contract == "pipe" else ("/3/0/0", TEMPERATURE):
        found = []
        for form in ("TLV", "TEXT", "JSON", "SENML_CBOR", "CBOR"):
            answer = await node.ask(node.leshan.read, path, form=form)
            need(answer.code in (205, 406), f"2.05 or 4.06 expected for {form}, {answer} came")
            if answer.code == 205:
                good = answer.value in ("Quectel", "Telit") if path == "/3/0/0" else answer.value in node.readings(path)
                need(good, f"a value of {path} in {form} expected, {answer} came")
                found.append(form)
        cells.append(" ".join(found))
    return "; ".join(dict.fromkeys(cells))


async def write_instance(node):
    """Write-instance, in part and as a whole: the parts arrive."""
    for replace, text, number in ((False, "in part", 7), (True, "whole", 8)):
        answer = await node.ask(node.leshan.write_instance, "/3341/0", {5527: text, 5528: number}, replace=replace)
        if answer.code != 204:
            return refused(answer, *((404,) if node.contract == "pipe" else (405, 400)))
        shown = await node.ask(node.leshan.read, "/3341/0")
        need((shown.values.get(5527), shown.values.get(5528)) == (text, number), f"{text} and {number} expected, {shown} came")
    return "in part, whole"


async def execute(node):
    """Execute 5605: minimum and maximum become the present value."""
    answer = await node.ask(node.leshan.execute, "/3303/0/5605")
    if node.contract == "pipe":
        return refused(answer, 404)
    if node.contract == "shadow":  # the manual has no word to the host about it, whatever the module answers
        return refused(answer, 204, 404, 405) + ", unheard"
    need(answer.code == 204, f"204 expected, {answer} came")
    for _ in range(10):  # a wake in between has taken the next sample, and that is another extreme
        values = (await node.ask(node.leshan.read, "/3303/0")).values
        if values[5601] == values[5602]:
            return "min = max"
        await node.ask(node.leshan.execute, "/3303/0/5605")
    raise AssertionError(f"5601 = 5602 expected, {values} came")


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
    """Write-attributes on what the module answers itself are kept and shown by discover; and on what the node declared."""
    answer = await node.ask(node.leshan.attributes, "/3/0", pmin=1, pmax=60)
    need(answer.code == 204, f"204 expected, {answer} came")
    shown = dict((await node.ask(node.leshan.discover, "/3/0")).links).get("/3/0", {})
    need({"pmin", "pmax"} <= set(shown), f"pmin and pmax expected in {shown}")
    answer = await node.ask(node.leshan.attributes, TEMPERATURE, pmin=1, pmax=86400)
    if node.contract == "shadow":
        need(answer.code == 204, f"204 expected, {answer} came")
        return "kept"
    return "module's own; custom " + refused(answer, 404 if node.contract == "pipe" else 405)


def refused(answer, *codes):
    """The cell for what a contract cannot do: the code that Leshan shows, if it is one of the expected."""
    need(answer.code in codes, f"{' or '.join(map(str, codes))} expected, {answer} came")
    return f"{answer.code // 100}.{answer.code % 100:02d}"
