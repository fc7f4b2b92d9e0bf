"""ME910C1: what must be said again after a power cycle of the module. Loaded when that is due.

    AT#LWM2MMON?                          asked until the agent no longer refuses (3.1.3: for a short time after ENA)
    AT#LWM2MEXIST=0,3303,0                Invalid URI: AT#LWM2MNEWINST=0,3303,0
    AT#LWM2MMON=1,3306;#LWM2MNFYACKURI... all of what follows in one line; one by one where that is refused
    AT#LWM2MMON=1,3306                    the objects that the server may write, 6 at most (3.1.2)
    AT#LWM2MNFYACKURI=0,1,3303,0,5700     the resources whose delivery is told, 6 at most (3.1.15)
    AT#LWM2MNFYACKENA=0,1
    AT#LWM2MR=0,3306,0,5850,0;#LWM2MR...  what the server wrote while nobody listened
"""

from lwnode.at import AtError, BudgetExceeded, CommandError
import lwnode.lwm2m.registry as registry  # not by the package's __getattr__: RP2's stack
from lwnode.modem.me910c1.urcs import CREATED, ids_of
from lwnode.modem.me910c1.values import CLOSED, operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LIMIT = 6
_LOOK_MS = 1000  # the field waits a second between tries after ENA (field_quirks 2.6)


def arm(modem: "Any", settle_ms: int, created: bool) -> bool:
    """True where everything stands. What is missing is named in `refusal` and does not keep the rest from being armed."""
    found = _when_ready(modem, settle_ms)
    if found is None:
        modem.refusal = "agent: other commands still fail %d s after it was enabled (3.1.3)" % (settle_ms // 1000)
        return False
    done = created or create(modem)
    # Both lists are lost together: where one is empty the other need not be asked for.
    asked = bool(found) or not monitored(modem)
    listed = not asked and _at_once(modem)
    for _ in range(2):  # a refusal may have been a slip of the line
        if listed:
            break
        asked = True
        listed = _monitor(modem, found) & _acknowledge(modem, asked)
    done = listed and done
    if modem.options["registration_urcs"] and not modem._services:
        modem.ask(_services, modem)
    look_at_all(modem)
    return done


def _when_ready(modem: "Any", settle_ms: int) -> "list[int] | None":
    """The monitored objects, as soon as the agent answers."""
    clock = modem.clock
    end = clock.ticks_add(clock.ticks_ms(), settle_ms)
    while True:
        try:
            rows = modem.at.read("#LWM2MMON")
        except CommandError:
            if clock.ticks_diff(end, clock.ticks_ms()) <= 0:
                return None
            modem.at.poll(_LOOK_MS)
            continue
        return [int(row[0]) for row in rows if row and str(row[0]).isdigit()]


def exists(modem: "Any", *numbers: int) -> bool:
    """AT#LWM2MEXIST, agent first (3.1.17)."""
    if not all([0 <= number <= 65535 for number in numbers]):
        raise ValueError("exists: expected ids from 0 to 65535 (3.1.17), found %s" % (numbers,))
    return bool(known(modem, *numbers))


def known(modem: "Any", *numbers: int) -> "bool | None":
    """True, False for Invalid URI and Invalid agent, None where the module says neither (it may be activating)."""
    try:
        modem.at.write("#LWM2MEXIST", *numbers)
    except CommandError as error:
        return False if "nvalid" in error.text else None
    return True


def create(modem: "Any") -> bool:
    """The declared instances. Creating twice is an error, so each is asked for first (3.1.10).

    Once all were there the first stands for them: only a factory reset takes instances, and it takes all. One that a
    server deletes shows when a value for it is refused.
    """
    first = modem.objects[:1]
    if first and modem._declared & CREATED and exists(modem, 0, first[0][0], first[0][1]):
        return True
    done = True
    made = lost = 0
    known_before = [ids[:2] for ids in modem._known]
    for object_id, instance, _ in modem.objects:
        if exists(modem, 0, object_id, instance):
            continue
        try:
            modem.at.write("#LWM2MNEWINST", 0, object_id, instance)
            made += 1
            lost += (object_id, instance) in known_before
        except CommandError as error:
            done = False
            modem.refusal = "object %d/%d: not created (%s); has its definition been uploaded, and the module restarted?" % (
                object_id, instance, modem._reason(error))
    if lost:
        # Instances outlive everything but a factory reset, and these were there before.
        modem._factory_reset("%d instances created again" % made)
    if done:
        modem._declared |= CREATED
    return done


def writable(objects: "Any") -> "list[tuple[int, int, int]]":
    """Resources that the server may write."""
    return [
        (object_id, instance, resource)
        for object_id, instance, resources in objects
        for resource in resources
        if object_id not in CLOSED and "W" in operations((object_id, instance, resource))
    ]


def _main(object_id: int) -> int:
    """The resource that an object is about: its first mandatory one, such as 3303/5700 and 3306/5850."""
    needed = registry.resources(object_id, mandatory=True)
    return needed[0] if needed else -1


def monitored(modem: "Any") -> "list[int]":
    """Objects to monitor: by option, else those whose main resource the server may write, then the other writable ones.

    ValueError where the option names more than six, or more than six are actuators (3.1.2).
    """
    chosen = modem.options["monitor"]
    paths = writable(modem.objects)
    if chosen is None:
        chosen = sorted({path[0] for path in paths if path[2] == _main(path[0]) or not registry.resources(path[0])})
        if len(chosen) <= _LIMIT:
            chosen += sorted({path[0] for path in paths if path[0] not in chosen})[: _LIMIT - len(chosen)]
    if len(chosen) > _LIMIT or not all([0 <= number <= 65535 for number in chosen]):
        raise ValueError("monitor: expected at most 6 objects of 1 to 65535 (3.1.2), found %s" % (chosen,))
    return [number for number in chosen if number]


def acknowledged(modem: "Any") -> "list[tuple[int, int, int]]":
    """Resources whose delivery is told: by option, else history, then each instance's main resource, six at most."""
    chosen = modem.options["acknowledge"]
    if chosen is not None:
        if len(chosen) > _LIMIT:
            raise ValueError("acknowledge: expected at most 6 resources (3.1.15), found %d" % len(chosen))
        return [path.ids for path in chosen]
    found = [(19, 0, 0)] if [True for entry in modem.objects if tuple(entry[:2]) == (19, 0) and 0 in entry[2]] else []
    for object_id, instance, resources in modem.objects:
        ids = (object_id, instance, _main(object_id))
        if ids[2] in resources and ids not in found and "W" not in operations(ids):
            found.append(ids)
    if len(found) > _LIMIT:
        modem._count("unacknowledged_paths", len(found) - _LIMIT)
    return found[:_LIMIT]


def _at_once(modem: "Any") -> bool:
    """Both lists, empty so far, in one command line. False: a part was refused, and nobody knows which (2.2.2)."""
    uris = acknowledged(modem)
    parts = ["#LWM2MMON=1,%d" % number for number in monitored(modem)]
    parts += ["#LWM2MNFYACKURI=0,1,%d,%d,%d" % ids for ids in uris]
    if uris:
        parts.append("#LWM2MNFYACKENA=0,1")
    if _together(modem, parts, None) is None:
        return False
    modem._acked = uris
    return True


def _together(modem: "Any", parts: "list[str]", prefix: "str | None") -> "list[str] | None":
    """Several commands in one line (2.2.2); None where they do not fit into one, or not all were carried out."""
    line = "AT" + ";".join(parts)
    if len(line) > modem.at.line_limit:
        return None
    lines: "list[str] | None" = modem.ask(modem.at.send, line, prefix=prefix)
    return lines


def _monitor(modem: "Any", found: "list[int]") -> bool:
    wanted = monitored(modem)
    for number in found:
        if number not in wanted:
            modem.ask(modem.at.write, "#LWM2MMON", 0, number)
    done = True
    for number in wanted:
        if number not in found:
            done = modem.ask(modem.at.write, "#LWM2MMON", 1, number) is not None and done
    return done


def _acknowledge(modem: "Any", asked: bool) -> bool:
    wanted = acknowledged(modem)
    rows = modem.ask(modem.at.write, "#LWM2MNFYACKURI", 0, 2, prefix="#LWM2MNFYACKURI") if asked else []
    found = [ids_of(str(row[0])) for row in rows or [] if row]
    for ids in found:
        if ids is not None and ids not in wanted:
            modem.ask(modem.at.write, "#LWM2MNFYACKURI", 0, 0, *ids)
    armed = []
    for ids in wanted:
        if ids in found or modem.ask(modem.at.write, "#LWM2MNFYACKURI", 0, 1, *ids) is not None:
            armed.append(ids)
    # After a power cycle nothing is listed, and nothing enabled. The answer has no # (3.1.16): its last field counts.
    rows = (modem.ask(modem.at.write, "#LWM2MNFYACKENA", 0, 2, prefix="") or []) if found else []
    if not (rows and rows[-1][-1:] == ["1"]) and armed:
        if modem.ask(modem.at.write, "#LWM2MNFYACKENA", 0, 1) is None:
            armed = []
    modem._acked = armed
    return len(armed) == len(wanted)


def _services(modem: "Any") -> None:
    """33211/0/0/1 switches the registration URCs on, from the next restart (field; the manual leaves it to the user)."""
    lines = modem.at.send("AT#LWM2MR=0,33211,0,0,1", prefix="#LWM2MR")
    value = lines[-1].partition(":")[2].strip() if lines else ""
    modem._services = value == "1"
    if value == "0":
        modem.at.write("#LWM2MW", 0, 33211, 0, 0, 1, 1)


def look_at_all(modem: "Any") -> None:
    """Read what the server may have written while the line was deaf; values that were known are no news."""
    watched = monitored(modem)
    paths = [ids for ids in writable(modem.objects) if ids[0] in watched and ids[0] != 19]
    lines = _together(modem, ["#LWM2MR=0,%d,%d,%d,0" % ids for ids in paths], "#LWM2MR") if len(paths) > 1 else None
    if lines is not None and len(lines) != len(paths):
        lines = None
    for index in range(len(paths)):
        try:
            text = modem._read_text(paths[index]) if lines is None else modem.text_of(lines[index])
            modem._in("me910c1.changes", "compare")(modem, paths[index], text)
        except BudgetExceeded:
            raise
        except AtError:
            modem._count("refused_commands")
