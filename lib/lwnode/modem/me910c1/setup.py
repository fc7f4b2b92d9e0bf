"""ME910C1: account, keys, APN, definitions. Loaded by configure() and declare().

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
from lwnode.lwm2m import registry
from lwnode.modem import NOT_REGISTERED, REGISTERED
from lwnode.modem import checks as ranges
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

    from lwnode.modem import Server

_UPLOAD_MS = const(30000)  # 2 KB at 115200 baud are 0.2 s; what its file system takes nobody says (field)
_TYPES = const(("", "String", "Opaque", "Integer", "Float", "Boolean", "Time", "Objlnk"))
_SEVERAL = const(("Single", "Multiple"))
_COMMANDS = const("STAT MON ENA ACK R E W STS SET NEWINST GET FOTACFG FOTAACK INJKEYS NFYACKURI NFYACKENA EXIST")
_RATS = const(("catm", "nbiot"))  # AT#WS46 0 and 1 (low_power 3.5)


def configure(modem: "Any", server: "Server") -> bool:
    """See Driver.configure. True: restart."""
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


def bootstrap(modem: "Any", timeout_ms: int) -> bool:
    """See Driver.bootstrap."""
    server = modem.server
    if server is None or not server.bootstrap:
        raise ValueError("bootstrap: expected a Server(bootstrap=True)")
    modem.ask(modem.deregister)
    modem.at.write("#LWM2MSTS", 0, 999, server.uri(), 1)
    return bool(modem.restart() and modem.attach(timeout_ms) and modem.register(timeout_ms))


def forget(modem: "Any") -> None:
    """Leave; factory server, no keys, nothing remembered."""
    modem.deregister()
    modem.at.write("#LWM2MSTS", 0)
    modem.at.write("#LWM2MINJKEYS", 0, 0, "", "", "")
    modem._configured = modem._declared = 0
    modem._account_due = modem._factory = 0
    modem._known.clear()
    modem._status = NOT_REGISTERED
    modem._account(0)


def check(modem: "Any", server: "Server") -> None:
    """Account and options against the manual's ranges; what the module cannot be told is refused by key."""
    psk = server.psk or ""
    for name, value in (("endpoint", server.endpoint), ("psk_identity", server.psk_identity or ""), ("psk", psk)):
        if len(value) > 64 or '"' in value or not value and name == "endpoint":
            raise ValueError("%s: expected 1 to 64 characters without quotes (ME910C1 3.1.14), found %d" % (name, len(value)))
    if len(psk) % 2 or psk.lower().strip("0123456789abcdef"):
        raise ValueError("psk: expected an even number of hexadecimal digits, found %d characters" % len(psk))
    for name, found, fixed, path in (
        ("lifetime", server.lifetime, 86400, "/1/0/1"), ("binding", server.binding, "U", "/1/0/7"),
    ):
        if found != fixed:
            raise ValueError(
                "%s: expected %s, found %s; object 1 is closed (3.1.7): let the server write %s" % (
                    name, fixed, found, path))
    options = modem.options
    for name, high in (("cid", 6), ("guard_request", 100), ("guard_release", 100)):
        ranges.within("ME910C1 3.1.3", name, options[name], 1, high)
    ranges.one_of("ME910C1", options, "sleep", ("psm", "cfun5", "off"))
    ranges.one_of("AT#WS46", options, "rat", (None,) + _RATS)
    ranges.wake_pin(modem, "cfun5")
    ranges.budget(modem, "ack_wait")
    ranges.no_retransmission(modem, "leave them out, ack_wait says how long to wait")


# ---- objects ------------------------------------------------------------------------------------------------------


def declare(modem: "Any", objects: "Any") -> bool:
    """See Driver.declare. True: definitions were uploaded, restart."""
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
        there = modem.exists(0, number)
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


def inspect(modem: "Any") -> "dict[str, str]":
    """Answers by command line; the words of the refusal where there is one. STAT?, ACK? and FOTAACK? are not supported."""
    found = {}
    for name in _COMMANDS.split(" "):
        for end in ("=?", "?"):
            line = "AT#LWM2M" + name + end
            try:
                found[line] = " ".join(modem.at.send(line)) or "OK"
            except CommandError as error:
                found[line] = error.text
    return found
