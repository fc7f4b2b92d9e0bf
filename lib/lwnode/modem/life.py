"""Start, restart, power, and what is carried over the host's deep sleep: the same steps in every family.

    modem.start()                  found, or switched on; its revision decides on the dialect
    data = modem.snapshot()        revision, what was configured and declared, observations: no secret
    modem.restore(data)            a warm wake asks none of it again

A family gives the commands (RESTART, POWER_OFF) and `_greet()`: what it wants said once the line is in order.
"""

import struct

from micropython import const

from lwnode.at import AtError, BudgetExceeded
from lwnode.modem import DEREGISTERED
from lwnode.modem.base import Modem, path_of

_SNAPSHOT = const(3)  # format; a snapshot of another one starts cold
_HEAD = ">BBBBIIB"  # format, length of the revision, failures, status, account, objects, observations
_DOWN_MS = const(1000)  # OK comes before it goes down; banners follow after 5 s (QRST) and 6 s (CFUN=1,1; field_quirks 5)
_OFF_MS = const(5000)  # OK comes at once, going down takes up to 10 s (low_power 3.4, 3.5)
_BOOT_TRIES = const(6)  # each looks for the module for some seconds (AtClient.sync)


class Life(Modem):
    """The life of a module between power-on and power-off."""

    RESTART = ""
    POWER_OFF = ""
    _asleep = False

    def start(self) -> bool:
        """Find the module (switch it on where it is silent) and learn its revision and dialect."""
        self._doubt()
        return self._begin() or self.power_cycle()

    def _begin(self) -> bool:
        expected, self._restart_expected = self._restart_expected, True
        try:
            self.at.sync()
            self.revision = self._bare_line("AT+CGMR")
            self._greet()
            self.capabilities = self._capabilities()
        except BudgetExceeded:
            raise
        except AtError:
            return False
        finally:
            self._restart_expected = expected
        return True

    def _greet(self) -> None:
        """Settings that the module forgets when it restarts."""

    def restart(self) -> bool:
        """Reset by command; what was registered may be gone, what was configured holds now."""
        self._emit("restarting", "command")
        self._restart_expected = True
        try:
            self._forget_session("module restarted")
            self.ask(self.at.send, self.RESTART)
            self.at.poll(_DOWN_MS)
            for _ in range(_BOOT_TRIES):
                if self._begin():
                    self._restart_due = False
                    self._emit("restarted", "command")
                    return True
            return False
        finally:
            self._restart_expected = False

    def power_off(self) -> bool:
        """Detach and switch off. True where the module agreed."""
        self._forget_session("module switched off")
        return self.ask(self.at.send, self.POWER_OFF, timeout_ms=_OFF_MS) is not None

    def _seen_asleep(self) -> bool:
        return self._asleep or (self.pins is not None and self.pins.get("status") is False)

    def snapshot(self) -> bytes:
        """13 bytes, the revision, 6 for each observation."""
        revision = self.revision.encode()[:40]
        data = struct.pack(
            _HEAD, _SNAPSHOT, len(revision), min(self.failures, 255), self._status | self._restart_due << 7,
            self._configured,
            self._declared, len(self.observed))
        for path in self.observed:
            data += struct.pack(">HHH", *[65535 if part is None else part for part in path.ids])
        return data + revision

    def restore(self, data: "bytes | None") -> bool:
        """Take up a snapshot; False where it is none of ours."""
        size = struct.calcsize(_HEAD)
        if not data or len(data) < size or data[0] != _SNAPSHOT or len(data) != size + data[1] + 6 * data[size - 1]:
            return False
        _, length, self.failures, self._status, self._configured, self._declared, count = struct.unpack_from(_HEAD, data)
        self._restart_due = bool(self._status & 128)
        self._status = min(self._status & 127, DEREGISTERED)
        self.observed = []
        for index in range(count):
            ids = [value if value != 65535 else -1 for value in struct.unpack_from(">HHH", data, size + 6 * index)]
            self.observed.append(path_of(*ids))
        self.revision = bytes(data[len(data) - length:]).decode()
        self.capabilities = self._capabilities()
        return True
