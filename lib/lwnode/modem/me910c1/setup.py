"""ME910C1: account, keys, APN, definitions. Loaded by configure() and declare().

    AT#LWM2MSTS=0,999,"coap://192.0.2.7:5683",0       the server of the next restart (3.1.8)
    AT#LWM2MINJKEYS=0,1,"node-1","",""                endpoint, identity, key: from the next restart (3.1.14)
    AT#M2MLIST=/XML                                   #M2MLIST: "object_3303.xml",1716
    AT#M2MWRITE="/XML/object_3303.xml",1716           >>>, the bytes, OK; counts from the next restart (field)

Neither STS nor INJKEYS can be read back: what was written is remembered as a checksum in the store, once the restart that
makes it hold is over. Definitions are compared by name and size.
"""

from binascii import crc32

from lwnode.at import CommandError, Raw, Secret
from lwnode.lwm2m import registry
from lwnode.modem import NOT_REGISTERED, REGISTERED
from lwnode.modem import driver as ranges
from lwnode.modem.me910c1.shadow import CREATED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

    from lwnode.modem import Server

_UPLOAD_MS = 30000  # 2 KB at 115200 baud are 0.2 s; what its file system takes nobody says (field)
_TYPES = ("", "String", "Opaque", "Integer", "Float", "Boolean", "Time", "Objlnk")
_COMMANDS = "STAT MON ENA ACK R E W STS SET NEWINST GET FOTACFG FOTAACK INJKEYS NFYACKURI NFYACKENA EXIST"
_RATS = ("catm", "nbiot")  # AT#WS46 0 and 1 (low_power 3.5)


def configure(modem: "Any", server: "Server") -> bool:
    """See Driver.configure. True: restart."""
    check(modem, server)
    modem.server = server
    options = modem.options
    restart = _write_apn(modem, options["apn"]) | _write_rat(modem, options["rat"])
    account = (server.host, server.port, server.endpoint, server.bootstrap, server.psk_identity, server.psk)
    modem.ask(modem.configure_radio)
    imei = modem._answer_to("AT+CGSN", prefix="")[0]  # another module does not hold what this store remembers
    mark = crc32(repr((imei, account)).encode()) & ~2 | 1 | int(server.bootstrap) << 1
    if not modem._factory and mark in (modem._configured, modem._marked_account()):
        modem._configured = mark
        return restart
    if modem.ask(modem.status) == REGISTERED:
        modem.ask(modem.deregister)  # the server need not wait for the lifetime to end
    write_server(modem, server)
    _write_keys(modem, server)
    modem._account_due = mark
    modem._factory = 0
    return True


def write_server(modem: "Any", server: "Server") -> None:
    """STS (3.1.8)."""
    modem.at.write("#LWM2MSTS", 0, 999, server.uri(), int(server.bootstrap))


def _write_keys(modem: "Any", server: "Server") -> None:
    """INJKEYS with identity and key present, if empty (3.1.14); some firmware wants the short form then (field)."""
    if server.security == "psk":
        modem.at.write(
            "#LWM2MINJKEYS", 0, 1, server.endpoint, Secret(str(server.psk_identity)), Secret(str(server.psk)), secret=True)
        return
    modem.ask(modem.at.write, "#LWM2MINJKEYS", 0, 3, "", "", "")
    try:
        modem.at.write("#LWM2MINJKEYS", 0, 1, server.endpoint, "", "")
    except CommandError:
        modem.at.write("#LWM2MINJKEYS", 0, 1, server.endpoint)


def bootstrap(modem: "Any", timeout_ms: int) -> bool:
    """See Driver.bootstrap."""
    if modem.server is None or not modem.server.bootstrap:
        raise ValueError("bootstrap: expected a Server(bootstrap=True) configured, found none")
    modem.ask(modem.deregister)
    write_server(modem, modem.server)
    return bool(modem.restart() and modem.attach(timeout_ms) and modem.register(timeout_ms))


def forget(modem: "Any") -> None:
    """Leave; factory server, no keys, nothing remembered."""
    modem.deregister()
    modem.at.write("#LWM2MSTS", 0)
    modem.at.write("#LWM2MINJKEYS", 0, 0, "", "", "")
    modem._invalidate()
    modem._account_due = 0
    modem._known.clear()
    modem._status = NOT_REGISTERED
    modem._factory = 0
    modem._mark_account(0)


def check(modem: "Any", server: "Server") -> None:
    """Account and options against the manual's ranges; what the module cannot be told is refused by key."""
    check_server(server)
    options = modem.options
    for name, low, high in (("cid", 1, 6), ("guard_request", 1, 100), ("guard_release", 1, 100)):
        ranges.within("ME910C1 3.1.3", name, options[name], low, high)
    ranges.one_of("ME910C1", options, "sleep", ("psm", "cfun5", "off"))
    ranges.one_of("AT#WS46", options, "rat", (None,) + _RATS)
    ranges.wake_pin(modem, "cfun5")
    ranges.budget(modem, "ack_wait")
    ranges.no_retransmission(modem, "leave them out, ack_wait says how long to wait")


def check_server(server: "Server") -> None:
    """Refuse what the module cannot hold, by key."""
    for name, value in (
        ("endpoint", server.endpoint), ("psk_identity", server.psk_identity or ""), ("psk", server.psk or ""),
    ):
        if len(value) > 64 or '"' in value:
            raise ValueError(
                "%s: expected at most 64 characters without quotes (ME910C1 3.1.14), found %d" % (name, len(value)))
    if not server.endpoint:
        raise ValueError("endpoint: expected a name (ME910C1 3.1.14), found none")
    if server.psk is not None and (len(server.psk) % 2 or server.psk.lower().strip("0123456789abcdef")):
        raise ValueError("psk: expected an even number of hexadecimal digits, found %d characters" % len(server.psk))
    if server.lifetime != 86400:
        raise ValueError(
            "lifetime: expected 86400, found %d; the ME910C1 takes it from its server object alone (object 1 is closed,"
            " 3.1.7): let the server write /1/0/1, or the bootstrap server" % server.lifetime)
    if server.binding != "U":
        raise ValueError(
            "binding: expected U, found %s; the ME910C1 takes it from its server object alone: let the server write"
            " /1/0/7; ack_mode gates the radio" % server.binding)


def _write_apn(modem: "Any", apn: "str | None") -> bool:
    """+CGDCONT where it differs; a changed APN wants a reboot (low_power 3.5)."""
    if apn is None:
        return False
    cid = str(modem.options["cid"])
    for row in modem.ask(modem.at.read, "+CGDCONT") or []:
        if row[:3] == [cid, "IP", apn or None]:
            return False
    modem.at.write("+CGDCONT", int(cid), "IP", apn)
    return True


def _write_rat(modem: "Any", rat: "str | None") -> bool:
    if rat is None:
        return False
    wanted = _RATS.index(rat)
    rows = modem.ask(modem.at.read, "#WS46") or []
    if rows and rows[-1][:1] == [str(wanted)]:
        return False
    modem.at.write("#WS46", wanted)
    return True


# ---- objects ------------------------------------------------------------------------------------------------------


def declare(modem: "Any", objects: "Any") -> bool:
    """See Driver.declare. True: definitions were uploaded, restart."""
    for entry in objects:
        ranges.within("ME910C1 3.1.10", "object", entry[0], 3, 65534)
        ranges.within("ME910C1 3.1.10", "instance of object %d" % entry[0], entry[1], 0, 65534)
    modem.objects = [(entry[0], entry[1], tuple(entry[2])) for entry in objects]
    modem.monitored()
    modem.acknowledged()
    mark = crc32(repr(modem.objects).encode()) & ~CREATED | 1
    uploaded = False
    if mark != modem._declared & ~CREATED:
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
    is uploaded again.
    """
    files: "dict[str, Any] | None" = None
    written = False
    for number in sorted({entry[0] for entry in modem.objects if entry[0] >= 7}):
        size, pieces = _definition(modem, number)
        if pieces is None:
            continue  # the module has it, or nobody does: NEWINST will say so
        there = modem.known(0, number)
        if there is not False:
            if files is None:
                rows = modem.ask(modem.at.write, "#M2MLIST", Raw("/XML"), prefix="#M2MLIST") or []
                files = {str(row[0]): row[1] for row in rows if len(row) > 1}
            found = files.get("object_%d.xml" % number)
            if found == str(size) or found is None and there:
                continue
        name = "object_%d.xml" % number
        modem.at.send('AT#M2MWRITE="/XML/%s",%d' % (name, size), prompt=">>>", data=pieces, timeout_ms=_UPLOAD_MS)
        modem._count("uploads")
        written = True
    return written


def _definition(modem: "Any", number: int) -> "tuple[int, Any]":
    """(bytes, pieces): the option definitions(number), a file of the store, or made from the registry."""
    hook = modem.options["definitions"]
    data = hook(number) if hook is not None else None
    store = modem.options["store"]
    if data is None and store is not None:
        data = store.load("object_%d.xml" % number)
    if data is not None:
        data = data.encode() if isinstance(data, str) else data
        return len(data), data
    size = sum([len(piece) for piece in definition(number)])
    return size, definition(number) if size else None


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
            object_id, object_id, _several(registry.multiple(object_id)))
    ).encode()
    for number in resources:
        row = registry.lookup(object_id, number)
        if row is None:
            continue
        yield (
            '<Item ID="%d"><Name>R%d</Name><Operations>%s</Operations><MultipleInstances>%s</MultipleInstances><Mandatory>'
            "%s</Mandatory><Type>%s</Type></Item>" % (
                number, number, row[1], _several(row[4]), "Mandatory" if number in needed else "Optional",
                _TYPES[row[0]])
        ).encode()
    yield b"</Resources></Object></LWM2M>"


def _several(multiple: bool) -> str:
    return "Multiple" if multiple else "Single"


def inspect(modem: "Any") -> "dict[str, str]":
    """Answers by command line; the words of the refusal where there is one. STAT?, ACK? and FOTAACK? are not supported."""
    found = {}
    for name in _COMMANDS.split(" "):
        for end in ("=?", "?"):
            line = "AT#LWM2M" + name + end
            try:
                lines = modem.at.send(line)
                found[line] = " ".join(lines) or "OK"
            except CommandError as error:
                found[line] = error.text
    return found
