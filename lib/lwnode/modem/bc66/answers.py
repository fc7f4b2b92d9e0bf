"""BC66: what the server asks, and how it is answered: QLWRDRSP, QLWWRRSP, QLWEXERSP, QLWOBSRSP.

    +QLWURC: "read",62953,9,0,0
    AT+QLWRDRSP=62953,1,9,0,0,1,5,"abcde",0
    OK
    +QLWRDRSP: 0

Values of several resources go under one message id, <index> falling from n-1 to 0 (4.2.8); only index 0 brings the
result line (seen in the field). A request that CoAP repeats comes again with its message id: the node, which has
answered it once, gives the same answer and does nothing twice. Loaded when the first request comes.
"""

from lwnode.at import CommandError, Raw
from lwnode.lwm2m import Request
from lwnode.modem.base import path_of
from lwnode.modem.bc66.codes import BAD_REQUEST, RESULTS, received_value, wire_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Path, Response
    from lwnode.modem.bc66.urcs import Urcs


def on_read(modem: "Urcs", mid: int, object_id: int, instance: int, resource: int) -> None:
    """4.3.4: answered from the node's last good values."""
    path = path_of(object_id, instance, resource)
    response = modem._handle(Request("read", path, mid))
    _answer_values(modem, "+QLWRDRSP", mid, path, response)


def on_observe(modem: "Urcs", mid: int, cancel: int, object_id: int, instance: int, resource: int) -> None:
    """4.3.6: flag 0 observes, 1 cancels; with auto_ack the module has answered already (4.2.2)."""
    path = path_of(object_id, instance, resource)
    response = modem._handle(Request("cancel" if cancel else "observe", path, mid))
    accepted = response.code in (204, 205)
    if not modem.options["auto_ack"]:
        _answer_values(modem, "+QLWOBSRSP", mid, path, response)
    if cancel:
        _observation_ends(modem, path)
    elif accepted:
        if path not in modem.observed:
            modem.observed.append(path)
        modem._emit("observed", path)


def _observation_ends(modem: "Urcs", path: "Path") -> None:
    if path in modem.observed:
        modem.observed.remove(path)
    modem._emit("cancelled", path)


def on_write(
    modem: "Urcs", mid: int, object_id: int, instance: int, resource: int, kind: int, length: int, value: str, index: int,
) -> None:
    """4.3.3: index 0 only, the manual says; parts that come all the same are answered once, with the worst code."""
    path = path_of(object_id, instance, resource)
    response = modem._handle(Request("write", path, mid, kind, received_value(length, value), index))
    code = max(response.code, modem._parts_code)
    if index > 0:
        modem._parts_code = code
        return
    modem._parts_code = 204
    result = RESULTS.get(code, BAD_REQUEST)
    try:
        modem._act(modem._write_answer, mid, result, strict=True)
    except CommandError as error:
        if error.code is not None or modem._write_answer == "+QLWRRSP":
            modem._count("refused_answers")
        else:
            # The plain ERROR of an unknown command: this firmware has the name that 4.2.9 prints.
            modem._write_answer = "+QLWRRSP"
            modem._act("+QLWRRSP", mid, result)
    _afterwards(modem, response)


def on_execute(modem: "Urcs", mid: int, object_id: int, instance: int, resource: int) -> None:
    """4.3.5: no arguments are delivered. Answered first, then the action's consequence (a restart, say)."""
    path = path_of(object_id, instance, resource)
    response = modem._handle(Request("execute", path, mid))
    modem._act("+QLWEXERSP", mid, RESULTS.get(response.code, BAD_REQUEST))
    _afterwards(modem, response)


def _afterwards(modem: "Urcs", response: "Response") -> None:
    if response.after is not None:
        response.after()


def _answer_values(modem: "Urcs", command: str, mid: int, path: "Path", response: "Response") -> None:
    """The response of a read or observe, or its refusal."""
    result = RESULTS.get(response.code, BAD_REQUEST)
    values = []
    if result == RESULTS[205]:
        values = _sendable(modem, response.values)
        result = result if values else RESULTS[404]
    if not values:
        _refuse_values(modem, command, mid, result, path)
    for index in range(len(values) - 1, -1, -1):
        where, kind, length, value = values[len(values) - 1 - index]
        modem._send_value(
            command, (mid, result, where.object, where.instance, where.resource), kind, length, value, (index,))


def _sendable(modem: "Urcs", values: "Any") -> "list[tuple[Path, int, int, Any]]":
    """Values in the wire's form; one that BC66 cannot carry is left out and counted."""
    found = []
    for path, kind, value in values:
        try:
            wire_type, length, text, quoted = wire_value(kind, value)
        except ValueError:
            modem._count("unsendable_values")
            continue
        found.append((path, wire_type, length, text if quoted else Raw(text)))
    return found


def _refuse_values(modem: "Urcs", command: str, mid: int, result: int, path: "Path") -> None:
    """4.2.8 does not say what stands for the value when there is none: all fields first, then the code alone."""
    instance = -1 if path.instance is None else path.instance
    resource = -1 if path.resource is None else path.resource
    try:
        modem._act(command, mid, result, path.object, instance, resource, 1, 0, "", 0, strict=True)
    except CommandError:
        modem._act(command, mid, result)
