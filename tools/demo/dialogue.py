"""What went over the UART: commands per wake, recoveries, and the text of `VERBOSE=1` without secrets."""

from __future__ import annotations

from collections.abc import Callable


class Dialogue:
    """Listens to the virtual modem's UART. Lines are whole lines, whatever the chunks; secrets become asterisks."""

    def __init__(self, secrets: tuple[str, ...] = (), on_line: Callable[[str, str], None] | None = None,
                 report: str = "AT+QLWNOTIFY") -> None:  # fmt: skip
        self.commands = 0
        self.report = report
        self.recoveries = 0
        self.notifications = 0
        self._secrets = [secret for secret in secrets if secret]
        self._on_line = on_line
        self._rest = {"host": b"", "module": b""}

    def heard(self, direction: str, data: bytes) -> None:
        """Bytes of one side: direction "host" (to the module) or "module"."""
        *lines, self._rest[direction] = (self._rest[direction] + data).replace(b"\r", b"\n").split(b"\n")
        for raw in lines:
            line = raw.decode("ascii", "backslashreplace").strip()
            if line:
                self._line(direction, line)

    def _line(self, direction: str, line: str) -> None:
        if direction == "host" and line[:2].upper() == "AT":
            self.commands += 1
            self.notifications += line.startswith(self.report)
        if direction == "module" and line.replace(" ", "") == '+QLWURC:"recovered",0':
            self.recoveries += 1
        for secret in self._secrets:
            line = line.replace(secret, "********")
        if self._on_line:
            self._on_line(direction, line)
