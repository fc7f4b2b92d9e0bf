"""What BC66 and BC20 have in common beside LwM2M: one chipset (MT2625), its sleep, its power commands.

    AT+QSCLK=0     stay awake            AT+QSCLK=1, AT+QRELLOCK     sleep, and give back the lock of the last command
    AT+QRST=1      restart               AT+QPOWD=0                  off

Sources: low_power 3.2 and 3.3 (driver code and logs; the LwM2M notes only ask for QSCLK=0 before an exchange, 3.3).
"""

from micropython import const

from lwnode.at import AtTimeout
from lwnode.modem.driver import Modem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_WAKE_MS = const(100)  # PSM_EINT low; the BC65 manual asks 100 ms, one driver gets by with 5 (field_quirks 5)
_BOOT_MS = const(1000)  # the banner and +CPIN: READY of 4.2.15 come within it; where they do not, AT asks
_AT_MS = const(500)  # 300 ms by the manuals; the first is often lost, so each is short (field_quirks 1.6)
_AT_TRIES = const(12)


class NbIot(Modem):
    """Sleep, wake and power of the MT2625 modules."""

    POWER_KEY_MS = 500  # two drivers (low_power 3.2)
    RESET_MS = 50  # BC66LINK (field_quirks 5)
    RESTART = "AT+QRST=1"
    POWER_OFF = "AT+QPOWD=0"
    OPTIONS = dict(
        Modem.OPTIONS,
        sleep_confirm_ms=3000,  # it sleeps as soon as QRELLOCK has given back the lock (low_power 3.2)
        settle_ms=60000,  # one exchange of its own at the defaults: 2 s x 31 (BC66 note 4.2.2)
        boot_ms=6000,  # QRST takes about 5 s to the banner (field_quirks 5)
    )

    _connected = False

    def _greet(self) -> None:
        self._set_sleep(0)
        self.ask(self.at.write, "+QNBIOTEVENT", 1, 1)
        self.ask(self.at.write, "+QCFG", "dsevent", 1)
        self._asleep = False

    def _on_restart(self, *line: "Any") -> None:
        """A module that restarted by itself sleeps again when it likes: it is told anew to stay awake."""
        Modem._on_restart(self, *line)
        if not self._restart_expected:
            self.later(self._begin)

    def _set_sleep(self, mode: int) -> bool:
        """QSCLK=0 was seen to answer ERROR after 1.9 s (field_quirks 2.2): asked twice."""
        return self.ask(self.at.write, "+QSCLK", mode) is not None or self.ask(self.at.write, "+QSCLK", mode) is not None

    def _pulse_wake(self) -> bool:
        pulsed = self.pins is not None and bool(self.pins.pulse("wake", _WAKE_MS))
        if pulsed:
            # Out of deep sleep it boots up to +CPIN: READY (4.2.15); an AT before that is lost and costs a second and a half.
            try:
                self._lightly(self.at.wait, "+CPIN", _BOOT_MS)
            except AtTimeout:
                pass  # it was awake, or its lines were lost: AT will tell
        return pulsed

    def _roused(self) -> bool:
        return self._pulse_wake() and self.ask(self.at.send, "AT", timeout_ms=_AT_MS) is not None

    def wake(self) -> bool:
        """Pulse the wake pin, AT until OK, QSCLK=0. The boot-ROM banner comes after deep sleep too, without harm."""
        self._restart_expected = True
        try:
            self._pulse_wake()
            for _ in range(_AT_TRIES):
                # The first AT after sleep is often lost: nothing but AT may be repeated (field_quirks 1.6).
                if self.ask(self.at.send, "AT", timeout_ms=_AT_MS) is not None:
                    self._asleep = False
                    return self._set_sleep(0)
            return False
        finally:
            self._restart_expected = False

    def sleep(self) -> bool:
        """QSCLK=1, then the lock that each command sets is given back (QRELLOCK). True: seen by event or status pin."""
        self._close_requests()
        self._asleep = False
        if not self._set_sleep(1):
            self._count("sleep_refused")
            return False
        self.ask(self.at.run, "+QRELLOCK")
        self.ask(self.at.poll, 0)
        if self._waiting:  # a request that came meanwhile; its answer has set the lock again
            self._close_requests()
            self.ask(self.at.run, "+QRELLOCK")
        return self._confirm_sleep()

    def service(self, timeout_ms: int, quiet_ms: "int | None" = None, released: bool = False) -> None:
        """As Modem.service. Once the radio is let go +CSCON: 1 (27.007 10.1.30) announces a request some time before it, so the
        board may sleep lightly: what it sleeps through is that line."""
        at, end = self.at, self.at.deadline(timeout_ms)
        if released and quiet_ms is not None and self.light_sleep is not None:
            at.subscribe("+CSCON", self._on_connection)
            rows = self.ask(at.read, "+CSCON") or [[]]
            self._connected = rows[-1][1:2] != ["0"]
            if rows[-1][:1] == ["1"] or self.ask(at.write, "+CSCON", 1) is not None:
                self._await(lambda: not self._connected, min(quiet_ms, timeout_ms))
                at.light_sleep = None if self._connected else self.light_sleep
        Modem.service(self, max(0, at.left(end)), quiet_ms)
        at.light_sleep = None

    def _on_connection(self, line: str) -> None:
        self._connected = line.rstrip()[-1:] == "1"

    def _on_power_event(self, event: str) -> None:
        if event in ("ENTER DEEPSLEEP", "ENTER PSM"):
            self._asleep = True

    def _write_apn(self) -> bool:
        """The default bearer's APN (NVRAM, effective after a reset). True where it was written."""
        apn = self.options["apn"]
        if apn is None:
            return False
        rows = self.ask(self._query, "+QCGDEFCONT") or []
        if rows and rows[-1][1:2] == [apn]:
            return False
        self._restart_due = True
        self.at.write("+QCGDEFCONT", "IP", apn)
        return True
