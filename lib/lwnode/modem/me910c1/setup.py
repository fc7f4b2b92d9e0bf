"""ME910C1: account, keys, APN, definitions: the driver's methods that a warm wake has no use for.

    AT#LWM2MSTS=0,999,"coap://192.0.2.7:5683",0       the server of the next restart (3.1.8)
    AT#LWM2MINJKEYS=0,1,"node-1","",""                endpoint, identity, key: from the next restart (3.1.14)
    AT#LWM2MFOTACFG=0,3                               its firmware waits for our word, at every step (3.1.12)
    AT#M2MLIST=/XML                                   #M2MLIST: "object_3303.xml",1716
    AT#M2MWRITE="/XML/object_3303.xml",1716           >>>, the bytes, OK; counts from the next restart (field)

None of the first three can be read back: what was written is remembered as a checksum in the store, once the restart that
makes it hold is over. Definitions are compared by name and size.
"""

from binascii import crc32

from lwnode.at import CommandError, Raw, Secret
from lwnode.lwm2m import STRING, registry
from lwnode.modem import NOT_REGISTERED, REGISTERED
from lwnode.modem import checks as ranges
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

    from lwnode.modem import Server

    Ids = tuple[Any, ...]

LIST_LIMIT = 6
CLOSED = (0, 1, 2, 5)  # to R, E and W (3.1.5 to 3.1.7)
_HISTORY = const((19, 0, 0))  # where packs of late readings go
_UPLOAD_MS = const(30000)  # 2 KB at 115200 baud are 0.2 s; what its file system takes nobody says (field)
_TYPES = const(("", "String", "Opaque", "Integer", "Float", "Boolean", "Time", "Objlnk"))
_SEVERAL = const(("Single", "Multiple"))
_RATS = const(("catm", "nbiot"))  # AT#WS46 0 and 1 (low_power 3.5)


def configure(modem: "Any", server: "Server") -> bool:
    """STS, INJKEYS, APN, radio access, PSM. True: restart. ValueError, by key, before the wire."""
    check(modem, server)
    modem.server = server
    options, ask, write = modem.options, modem.ask, modem.at.write
    restart = False
    if options["apn"] is not None:
        # A changed APN wants a reboot (low_power 3.5).
        cid = options["cid"]
        if [str(cid), "IP", options["apn"] or None] not in [row[:3] for row in ask(modem.at.read, "+CGDCONT") or []]:
            write("+CGDCONT", cid, "IP", options["apn"])
            restart = True
    if options["rat"] is not None:
        rat = _RATS.index(options["rat"])
        if [str(rat)] not in [row[:1] for row in ask(modem.at.read, "#WS46") or []]:
            write("#WS46", rat)
            restart = True
    account = (server.host, server.port, server.endpoint, server.bootstrap, server.psk_identity, server.psk)
    ask(modem.configure_radio)
    imei = modem._answer_to("AT+CGSN", prefix="")[0]  # another module does not hold what this store remembers
    mark = crc32(repr((imei, account)).encode()) & ~2 | 1 | int(server.bootstrap) << 1
    if not modem._factory and mark in (modem._configured, modem._account()):
        modem._configured = mark
        return restart
    if ask(modem.status) == REGISTERED:
        ask(modem.deregister)  # the server need not wait for the lifetime to end
    write("#LWM2MSTS", 0, 999, server.uri(), int(server.bootstrap))
    # Identity and key present, if empty (3.1.14); some firmware wants the short form then (field).
    if server.psk is not None:
        write("#LWM2MINJKEYS", 0, 1, server.endpoint, Secret(str(server.psk_identity)), Secret(str(server.psk)), secret=True)
    else:
        ask(write, "#LWM2MINJKEYS", 0, 3, "", "", "")
        try:
            write("#LWM2MINJKEYS", 0, 1, server.endpoint, "", "")
        except CommandError:
            write("#LWM2MINJKEYS", 0, 1, server.endpoint)
    ask(write, "#LWM2MFOTACFG", 0, 3)
    modem._account_due = mark
    modem._factory = 0
    return True


def write_again(modem: "Any") -> bool:
    """Our account after a factory reset, and the restart that makes it hold. False where only configure() knows it: a warm
    wake; until the next, cold one the agent is off, for its maker's server is no business of ours."""
    if modem.server is None:
        modem._factory = 2
        modem.ask(modem.at.write, "#LWM2MENA", 0)
        return False
    configure(modem, modem.server)
    if modem.objects:
        declare(modem, modem.objects)
    return bool(modem.restart() and modem.status() is not None)


def bootstrap(modem: "Any", timeout_ms: int = 120000) -> bool:
    """Name the bootstrap server again (3.1.8), restart, register: the module bootstraps on its way."""
    server = modem.server
    if server is None or not server.bootstrap:
        raise ValueError("bootstrap: expected a Server(bootstrap=True)")
    modem.ask(modem.deregister)
    modem.at.write("#LWM2MSTS", 0, 999, server.uri(), 1)
    return bool(modem.restart() and modem.attach(timeout_ms) and modem.register(timeout_ms))


def forget(modem: "Any") -> None:
    """Leave the server; factory server and no keys from the next restart on (3.1.8, 3.1.14), nothing remembered."""
    modem.deregister()
    modem.at.write("#LWM2MSTS", 0)
    modem.at.write("#LWM2MINJKEYS", 0, 0, "", "", "")
    modem._configured = modem._declared = 0
    modem._account_due = modem._factory = 0
    modem._known.clear()
    modem._status = NOT_REGISTERED
    modem._account(0)


def check(modem: "Any", server: "Server") -> None:
    """Account and awake budget against the manual's bounds; what the module cannot be told is refused by key."""
    for name in ("endpoint", "psk_identity", "psk"):
        ranges.within("characters, ME910C1 3.1.14", name, len(getattr(server, name) or ""), 0, 64)
    for name, found, fixed, path in (
        ("lifetime", server.lifetime, 86400, "/1/0/1"), ("binding", server.binding, "U", "/1/0/7"),
    ):
        if found != fixed:
            raise ValueError(
                "%s: expected %s, found %s; object 1 is closed (3.1.7): let the server write %s" % (
                    name, fixed, found, path))
    ranges.wake_pin(modem, "cfun5")
    ranges.budget(modem, "ack_wait")
    ranges.no_retransmission(modem, "leave them out, ack_wait says how long to wait")


# ---- objects ------------------------------------------------------------------------------------------------------


def reason_of(error: CommandError) -> str:
    """What the module gave as its reason (2.2.2.1): words by AT+CMEE=2, or the code of an error that came as a number."""
    return error.text if error.code is None else "%s: %d" % (error.result, error.code)


def row_of(ids: "Ids") -> "tuple[int, str]":
    """(type, what the server may do) of a resource; of objects that the registry lacks, text and everything."""
    kind, allowed = (registry.lookup(ids[0], ids[2]) or (STRING, "RW"))[:2]
    return kind, "R" if ids[0] == 3 and ids[2] not in (13, 14, 15) else allowed


def main_resource(object_id: int) -> int:
    """The resource that an object is about: its first mandatory one, such as 3303/5700 and 3306/5850."""
    return (registry.resources(object_id, mandatory=True) or [-1])[0]


def declare(modem: "Any", objects: "Any") -> bool:
    """Definitions uploaded where they are missing (True: restart), instances and lists once the agent is enabled."""
    for entry in objects:
        ranges.within("ME910C1 3.1.10", "object", entry[0], 3, 65534)
        ranges.within("ME910C1 3.1.10", "instance of object %d" % entry[0], entry[1], 0, 65534)
    modem.objects = [(entry[0], entry[1], tuple(entry[2])) for entry in objects]
    modem.monitored()
    modem.acknowledged()
    mark = crc32(repr(modem.objects).encode()) & ~modem.CREATED | 1
    if mark != modem._declared & ~modem.CREATED:
        uploaded = upload_missing(modem)
        modem._declared = mark
        if uploaded:
            return True
    modem._armed = False
    if modem.status() == REGISTERED:
        modem.register(0)
    return False


def upload_missing(modem: "Any") -> bool:
    """Definitions that the module lacks, or has of another size. True where a file was written.

    A file of the right size may still be damaged (an upload cut short): an object that is not known after the restart
    is uploaded again. From the option definitions(number), a file of the store, or made from the registry.
    """
    files: "dict[str, Any] | None" = None
    written = False
    hook, store = modem.options["definitions"], modem.options["store"]
    for number in sorted({entry[0] for entry in modem.objects if entry[0] >= 7}):
        name = "object_%d.xml" % number
        pieces: "Any" = hook(number) if hook is not None else None
        if pieces is None and store is not None:
            pieces = store.load(name)
        if pieces is None:
            size = sum([len(piece) for piece in definition(number)])
            pieces = definition(number)
        else:
            pieces = pieces.encode() if isinstance(pieces, str) else pieces
            size = len(pieces)
        if not size:
            continue  # the module has it, or nobody does: NEWINST will say so
        there = exists(modem, 0, number)
        if there is not False:
            if files is None:
                rows = modem.ask(modem.at.write, "#M2MLIST", Raw("/XML"), prefix="#M2MLIST") or []
                files = {str(row[0]): row[1] for row in rows if len(row) > 1}
            found = files.get(name)
            if found == str(size) or found is None and there:
                continue
        modem.at.send('AT#M2MWRITE="/XML/%s",%d' % (name, size), prompt=">>>", data=pieces, timeout_ms=_UPLOAD_MS)
        modem._count("uploads")
        written = True
    return written


def definition(object_id: int) -> "Iterator[bytes]":
    """A definition for the module's /XML folder in pieces, 130 bytes a resource; none where the registry lacks the object.

    The module answers by number, so names and descriptions are left out. One resource is in memory at a time.
    """
    resources = registry.resources(object_id)
    if not resources:
        return
    needed = registry.resources(object_id, mandatory=True)
    yield (
        '<LWM2M><Object ObjectType="MODefinition"><Name>O%d</Name><ObjectID>%d</ObjectID><MultipleInstances>%s'
        "</MultipleInstances><Mandatory>Optional</Mandatory><Resources>" % (
            object_id, object_id, _SEVERAL[registry.multiple(object_id)])
    ).encode()
    for number in resources:
        row = registry.lookup(object_id, number)
        if row is not None:
            yield (
                '<Item ID="%d"><Name>R%d</Name><Operations>%s</Operations><MultipleInstances>%s</MultipleInstances><Mandatory>'
                "%s</Mandatory><Type>%s</Type></Item>" % (
                    number, number, row[1], _SEVERAL[row[4]], "Mandatory" if number in needed else "Optional", _TYPES[row[0]])
            ).encode()
    yield b"</Resources></Object></LWM2M>"


def exists(modem: "Any", *numbers: int) -> "bool | None":
    """AT#LWM2MEXIST, agent first (3.1.17); False for Invalid URI and Invalid agent, None where the module says neither."""
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
    if modem.objects and modem._declared & modem.CREATED and exists(modem, 0, *modem.objects[0][:2]):
        return True
    done, made, lost = True, 0, False
    for object_id, instance, _ in modem.objects:
        if exists(modem, 0, object_id, instance):
            continue
        try:
            modem.at.write("#LWM2MNEWINST", 0, object_id, instance)
            made += 1
            lost = lost or (object_id, instance) in [ids[:2] for ids in modem._known]
        except CommandError as error:
            done = False
            modem.refusal = "object %d/%d: not created (%s); is its definition uploaded?" % (
                object_id, instance, reason_of(error))
    if lost:
        # Instances outlive everything but a factory reset, and these were there before.
        modem._factory_reset("%d instances created again" % made)
    if done:
        modem._declared |= modem.CREATED
    return done


def writable(modem: "Any") -> "list[Ids]":
    """Declared resources that the server may write."""
    return [(object_id, instance, resource) for object_id, instance, resources in modem.objects for resource in resources
            if object_id not in CLOSED and "W" in row_of((object_id, instance, resource))[1]]


def monitored(modem: "Any") -> "list[int]":
    """Objects to monitor: by option, else those whose main resource the server may write, then the other writable ones.

    ValueError where more than six are actuators (3.1.2).
    """
    chosen = modem.options["monitor"]
    if chosen is None:
        paths = writable(modem)
        chosen = sorted({ids[0] for ids in paths if ids[2] == main_resource(ids[0]) or not registry.resources(ids[0])})
        if len(chosen) > LIST_LIMIT:
            raise ValueError("monitor: expected at most 6 objects that a server writes (3.1.2), found %s" % chosen)
        chosen += sorted({ids[0] for ids in paths if ids[0] not in chosen})[: LIST_LIMIT - len(chosen)]
    return [number for number in chosen if number]


def acknowledged(modem: "Any") -> "list[Ids]":
    """Resources whose delivery is told: by option, else history, then each instance's main resource, six at most."""
    chosen = modem.options["acknowledge"]
    if chosen is not None:
        return [path.ids for path in chosen]
    found: "list[Ids]" = []
    for object_id, instance, resources in modem.objects:
        ids = (object_id, instance, main_resource(object_id))
        if ids == _HISTORY and 0 in resources:
            found.insert(0, ids)
        elif ids[2] in resources and "W" not in row_of(ids)[1]:
            found.append(ids)
    if len(found) > LIST_LIMIT:
        modem._count("unacknowledged_paths", len(found) - LIST_LIMIT)
    return found[:LIST_LIMIT]
