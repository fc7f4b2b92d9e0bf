"""BC66: commands with a result line of their own, and values on their way out. Shared by answers, reports and set-up."""

from lwnode.at import CommandError
from lwnode.modem.network import number
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
        for declared in (length, 4):
            values = head + (kind, declared, value) + tail
            error = 0
            try:
                # Not through _act: an answer to the server is given 8 KB of stack deep in a wake (RP2).
                if tail[0]:
                    self.at.write(command, *values)
                else:
                    rows = self.at.write(command, *values, result=command)
                    error = result_of(rows)
            except CommandError as refused:
                self._count("refused_commands")
                error = refused.code or -1  # +CME ERROR: 0 is a failure, not success (field_quirks 2.3)
            if error != 3 or kind != 4 or declared == 4:
                break
            self._count("float_lengths_of_4")
        return error

    def _act(self, command: str, *parameters: "Any", strict: bool = False) -> int:
        """A command with a result line +NAME: <err>; returns <err>, 0 being success.

        A refusal (+CMEE ERROR) is returned as its code too, -1 without one, or raised where strict.
        """
        try:
            rows = self.at.write(command, *parameters, result=command)
        except CommandError as error:
            self._count("refused_commands")
            if strict:
                raise
            return error.code or -1
        return result_of(rows)


def result_of(rows: "list[list[str | None]]") -> int:
    """<err> of a result line, -1 where it is none."""
    error = number(rows[-1], 0, 0, 255) if rows else None
    return -1 if error is None else error
