"""The pipe contract: opaque bytes on object 19, for BC20, BG96 and BC66 with firmware R01A06 or older.

    publish(modem, send, records, True)                SenML CBOR packs on 19/0/0, as many messages as they need
    written(modem, 19, 1, 0, 4, "AAAA0000")      a write on 19/1/0, which the module has acknowledged: the node follows it

The server sees no typed resource and cannot read: what a reading is, and when it was taken, stands in the pack
(RFC 8428). A record that is for 19/0/0 itself goes as it is, so a node that packs by itself may do so. 19/0/0 is the way
up and 19/1/0 the way down in every example of the manuals.
"""

from lwnode.lwm2m import OPAQUE, Path, Request, pack_senml
from lwnode.modem import Unsupported
from lwnode.modem.driver import path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.modem.driver import Modem

UPLINK = Path(19, 0, 0)
OBJECTS = ((19, 0, (0,)), (19, 1, (0,)))


def refuse_account(family: str, server: "Any", what: "tuple[str, ...]") -> None:
    """Unsupported for what this module cannot hold of an account, by key."""
    for key, asked in (
        ("lifetime", server.lifetime != 86400), ("binding", server.binding != "U"), ("security", server.psk is not None),
        ("bootstrap", server.bootstrap),
    ):
        if asked and key in what:
            raise Unsupported("%s cannot hold %s: leave it out of the configuration, or use a BC66" % (family, key))


def publish(modem: "Modem", send: "Any", records: "Any", confirm: bool) -> int:
    """Modem.publish over send(path, data, confirm), which hands one message to the module: None, or why it was not taken."""
    limit = modem.capabilities.limits["pack"]
    messages = _messages(list(records), limit)
    ticket = modem.reports.open()
    for path, data in messages:
        modem._wait_for_room()
        reason = send(path, data, confirm)
        if reason is not None:
            modem.reports.refuse(ticket, reason)
            break
        if confirm and modem.capabilities.acknowledges == "server":
            modem.reports.sent(ticket, modem.deadline_ms, "next")
    modem.reports.seal(ticket)
    return ticket


def _messages(records: "list[Any]", limit: int) -> "list[tuple[Path, bytes]]":
    """(path, bytes) of each message, in order. ValueError before anything is sent."""
    messages: "list[tuple[Path, bytes]]" = []
    loose: "list[Any]" = []
    for record in records:
        if record[0].object != UPLINK.object:
            loose.append(record)
            continue
        _pack(messages, loose, limit)
        loose = []
        data = record[2].encode() if isinstance(record[2], str) else bytes(record[2])
        if not 0 < len(data) <= limit:
            raise ValueError("object 19: expected 1 to %d bytes, found %d" % (limit, len(data)))
        messages.append((record[0], data))
    _pack(messages, loose, limit)
    return messages


def _pack(messages: "list[tuple[Path, bytes]]", records: "list[Any]", limit: int) -> None:
    while records:
        data, used = pack_senml(records, limit)
        if not used:
            raise ValueError("%s: a value of more than %d bytes fits no message" % (records[0][0], limit))
        messages.append((UPLINK, data))
        records = records[used:]


def written(modem: "Modem", object_id: int, instance: int, resource: int, length: int, text: str) -> None:
    """A write has come and was acknowledged by the module: the node is to follow it."""
    modem.request(Request("write", path_of(object_id, instance, resource), None, OPAQUE, raw_bytes(length, text)))


def raw_bytes(length: int, text: str) -> bytes:
    """Hexadecimal digits or text, told apart by the length that the module declares (one capture lies about it)."""
    if len(text) != length or not length:
        try:
            return bytes.fromhex(text)
        except ValueError:
            pass
    return text.encode()
