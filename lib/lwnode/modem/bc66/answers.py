"""BC66: what the server asks, and how it is answered: QLWRDRSP, QLWWRRSP, QLWEXERSP, QLWOBSRSP.

    +QLWURC: "read",62953,9,0,0
    AT+QLWRDRSP=62953,1,9,0,0,1,5,"abcde",0
    OK
    +QLWRDRSP: 0

Values of several resources go under one message id, <index> falling from n-1 to 0 (4.2.8); only index 0 brings the
result line (seen in the field). A repeated write or execute gets the first answer and is not carried out again.
"""

from lwnode.at import CommandError, Raw
from lwnode.lwm2m import Request
from lwnode.modem.base import path_of
from lwnode.modem.bc66.codes import BAD_REQUEST, RESULTS, received_value, wire_value
from lwnode.modem.quectel import NbIot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Path, Response


class Answers(NbIot):
    """The four requests that BC66 hands to its host (4.3.3 to 4.3.6)."""

    _write_answer = "+QLWWRRSP"  # 5.4 and every driver in the field; 4.2.9 prints AT+QLWRRSP
    _parts_code = 204  # worst outcome of the write parts before index 0

    def _on_read(self, mid: int, object_id: int, instance: int, resource: int) -> None:
        """4.3.4: answered from the node's last good values."""
        path = path_of(object_id, instance, resource)
        response = self._handle(Request("read", path, mid))
        self._answer_values("+QLWRDRSP", mid, path, response)

    def _on_observe(self, mid: int, cancel: int, object_id: int, instance: int, resource: int) -> None:
        """4.3.6: flag 0 observes, 1 cancels; with auto_ack the module has answered already (4.2.2)."""
        path = path_of(object_id, instance, resource)
        response = self._handle(Request("cancel" if cancel else "observe", path, mid))
        accepted = response.code in (204, 205)
        if not self.options["auto_ack"]:
            self._answer_values("+QLWOBSRSP", mid, path, response)
        if cancel:
            self._observation_ends(path)
        elif accepted:
            if path not in self.observed:
                self.observed.append(path)
            self._emit("observed", path)

    def _observation_ends(self, path: "Path") -> None:
        if path in self.observed:
            self.observed.remove(path)
        self._emit("cancelled", path)

    def _on_write(
        self, mid: int, object_id: int, instance: int, resource: int, kind: int, length: int, value: str, index: int,
    ) -> None:
        """4.3.3: index 0 only, the manual says; parts that come all the same are answered once, with the worst code."""
        path = path_of(object_id, instance, resource)
        key = ("write %d %s %s" % (mid, path, value)).encode()
        code = self._remembered(key)
        response = None
        if code is None:
            response = self._handle(Request("write", path, mid, kind, received_value(length, value), index))
            code = max(response.code, self._parts_code)
            self._remember(key, code)
        if index > 0:
            self._parts_code = code
            return
        self._parts_code = 204
        self._answer_write(mid, RESULTS.get(code, BAD_REQUEST))
        self._afterwards(response)

    def _on_execute(self, mid: int, object_id: int, instance: int, resource: int) -> None:
        """4.3.5: no arguments are delivered. Answered first, then the action's consequence (a restart, say)."""
        path = path_of(object_id, instance, resource)
        key = ("execute %d %s" % (mid, path)).encode()
        code = self._remembered(key)
        response = None
        if code is None:
            response = self._handle(Request("execute", path, mid))
            code = response.code
            self._remember(key, code)
        self._act("+QLWEXERSP", mid, RESULTS.get(code, BAD_REQUEST))
        self._afterwards(response)

    def _afterwards(self, response: "Response | None") -> None:
        if response is not None and response.after is not None:
            response.after()

    def _answer_write(self, mid: int, result: int) -> None:
        try:
            self._act(self._write_answer, mid, result, strict=True)
        except CommandError as error:
            if error.code is not None or self._write_answer == "+QLWRRSP":
                self._count("refused_answers")
                return
            # The plain ERROR of an unknown command: this firmware has the name that 4.2.9 prints.
            self._write_answer = "+QLWRRSP"
            self._act(self._write_answer, mid, result)

    def _answer_values(self, command: str, mid: int, path: "Path", response: "Response") -> None:
        """The response of a read or observe, or its refusal."""
        result = RESULTS.get(response.code, BAD_REQUEST)
        values = []
        if result == RESULTS[205]:
            values = self._sendable(response.values)
            result = result if values else RESULTS[404]
        if not values:
            self._refuse_values(command, mid, result, path)
        for index in range(len(values) - 1, -1, -1):
            where, kind, length, value = values[len(values) - 1 - index]
            self._send_value(
                command, (mid, result, where.object, where.instance, where.resource), kind, length, value, (index,))

    def _sendable(self, values: "Any") -> "list[tuple[Path, int, int, Any]]":
        """Values in the wire's form; one that BC66 cannot carry is left out and counted."""
        found = []
        for path, kind, value in values:
            try:
                wire_type, length, text, quoted = wire_value(kind, value)
            except ValueError:
                self._count("unsendable_values")
                continue
            found.append((path, wire_type, length, text if quoted else Raw(text)))
        return found

    def _refuse_values(self, command: str, mid: int, result: int, path: "Path") -> None:
        """4.2.8 does not say what stands for the value when there is none: all fields first, then the code alone."""
        instance = -1 if path.instance is None else path.instance
        resource = -1 if path.resource is None else path.resource
        try:
            self._act(command, mid, result, path.object, instance, resource, 1, 0, "", 0, strict=True)
        except CommandError:
            self._act(command, mid, result)

    def _send_value(
        self, command: str, head: "tuple[int | None, ...]", kind: int, length: int, value: "Any",
        tail: "tuple[int, ...]",
    ) -> "int | None":
        """One value under QLWRDRSP, QLWOBSRSP or QLWNOTIFY; the <err> of its result line, None where refused.

        A float's <len> is the number of characters in the text of 4.2.12 and 4 in its examples (5.8): the text is
        followed, and a module that refuses it (err 3) is given 4 once.
        """
        error = self._act(command, *(head + (kind, length, value) + tail), last=tail[0] == 0)
        if error == 3 and kind == 4 and length != 4:
            self._count("float_lengths_of_4")
            error = self._act(command, *(head + (kind, 4, value) + tail), last=tail[0] == 0)
        return error

    def _act(self, command: str, *parameters: "Any", strict: bool = False, last: bool = True) -> int:
        """A command with a result line +NAME: <err>; returns <err>, 0 being success.

        A refusal (+CMEE ERROR) is returned as its code too, -1 without one, or raised where strict. Not last: a part
        that has no result line of its own.
        """
        try:
            if not last:
                self._write(command, *parameters)
                return 0
            rows = self._write(command, *parameters, result=command)
        except CommandError as error:
            self._count("refused_commands")
            if strict:
                raise
            return -1 if error.code is None else int(error.code)
        try:
            return int(rows[-1][0])
        except (ValueError, IndexError, TypeError):
            self._count("malformed_results")
            return -1
