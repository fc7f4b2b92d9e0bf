"""BC66: commands with a result line of their own, and values on their way out. Shared by answers, reports and set-up."""

from lwnode.at import CommandError
from lwnode.modem.quectel import NbIot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Wire(NbIot):
    """The two shapes that most LwM2M commands of BC66 have."""

    _write_answer = "+QLWWRRSP"  # 5.4 and every driver in the field; 4.2.9 prints AT+QLWRRSP
    _parts_code = 204  # worst outcome of the write parts before index 0

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
