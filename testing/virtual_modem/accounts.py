"""Server accounts, as every family has them: a URI taken apart, and what a bootstrap server writes.

    split_uri("coaps://leshan.example")                 -> ("leshan.example", 5684, True)
    code = bootstrap_write(request, self.account_written, self.server_written)      # answers the bootstrap server

`account_written(Account)` is called once per server account (object 0, the bootstrap server's own left out),
`server_written({resource: value})` once per instance of the Server object (1), accounts first.
"""

from binascii import hexlify
from collections import namedtuple

from testing.lwm2m import codec

# uri as written; ssid None where none was; identity as text and key in hexadecimal, both empty without security
ServerAccount = namedtuple("ServerAccount", ("uri", "ssid", "identity", "key"))

_URI, _BOOTSTRAP, _MODE, _IDENTITY, _KEY, _SSID = 0, 1, 2, 3, 5, 10  # resources of object 0 (LwM2M TS 1.0.2, E.1)
_PSK, _NO_SEC = 0, 3


def split_uri(uri):
    """coap(s)://host[:port] -> (host, port, secure), None for anything else."""
    scheme, separator, rest = uri.partition("://")
    if scheme not in ("coap", "coaps") or not separator:
        return None
    host, colon, port = rest.partition(":")
    port = port.rstrip("/")
    if not host or colon and (not port.isdigit() or int(port) > 65535):
        return None
    return host.rstrip("/"), int(port) if colon else (5684 if scheme == "coaps" else 5683), scheme == "coaps"


def bootstrap_write(request, account_written, server_written):
    """Take what a bootstrap server writes or deletes -> the code of the answer: 202, 204, 400."""
    if request.operation == "delete":
        return 202
    try:
        readings = codec.decode(request.content_format or 0, request.path, request.payload)
    except ValueError:
        return 400
    instances = {}
    for reading in readings:
        instances.setdefault(reading.path[:2], {})[reading.path[2]] = reading.value
    for place in sorted(instances):
        values = instances[place]
        if place[0] == 0 and values.get(_URI) and not values.get(_BOOTSTRAP):
            account_written(_account(values))
        elif place[0] == 1:
            server_written(values)
    return 204


def _account(values):
    ssid = int(values[_SSID]) if _SSID in values else None
    if values.get(_MODE, _NO_SEC) != _PSK:
        return ServerAccount(values[_URI], ssid, "", "")
    identity = values.get(_IDENTITY, b"")
    if isinstance(identity, (bytes, bytearray)):
        identity = identity.decode()
    return ServerAccount(values[_URI], ssid, str(identity), hexlify(bytes(values.get(_KEY, b""))).decode().upper())
