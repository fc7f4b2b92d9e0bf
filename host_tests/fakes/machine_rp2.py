"""A model of the RP2 port: `machine` and `rp2` with what survives what (MicroPython ports/rp2, pico-sdk 2.2.0
registers).

    chip = Rp2(VirtualClock())                   # RP2040, MicroPython 1.28
    board = open_board(definition, chip.machine, chip.port, chip.time)

Modelled: reset_cause() that knows power-on and watchdog only, REASON, scratch and chip-reset registers behind
mem32, the clock that each boot sets to 2021-01-01, light sleep that ends early (chip.early(ms) says when, a computer on
the cable always), is refused above 71 minutes, spoils UART and CPU frequency, loses what the UART receives, and with a
running watchdog kills an RP2040 (up to 1.28) or stops an RP2350's watchdog; a watchdog of at most 8388 ms that no API and
no soft reset stops; rp2.Flash by sectors, a power cut possible in each erase and each program.
"""

from fakes.chip import Chip, Names, Reset, make_adc, make_i2c, make_pin, make_uart

_BOOT_2021 = 1609459200
_WATCHDOG = {"rp2040": 0x40058000, "rp2350": 0x400D8000}
_CHIP_RESET = {"rp2040": 0x40064008, "rp2350": 0x4010002C}
_POWER_ON = {"rp2040": 0x100, "rp2350": 0x10000}
_BROWN_OUT = {"rp2040": 0x100, "rp2350": 0x20000}
_RUN = {"rp2040": 0x10000, "rp2350": 0x40000}
_SIE_STATUS = 0x50110050
_ENABLE = 0x40000000
_LONGEST_MS = 4294967
_SECTOR = 4096
_DEFAULT_HZ = 125000000


def _days(year, month, day):
    """Days since 1970 of a civil date."""
    year -= month <= 2
    era = year // 400
    in_era = (year - era * 400) * 365 + (year - era * 400) // 4 - (year - era * 400) // 100
    return era * 146097 + in_era + (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1 - 719468


class Sectors:
    """NOR flash in sectors of 4096 bytes; `cut_at`: the power goes in the middle of the n-th erase or program."""

    def __init__(self, blocks):
        self.size = blocks * _SECTOR
        self.data = bytearray(b"\xff" * self.size)
        self.operations = 0
        self.cut_at = None
        self.erases = {}

    def step(self):
        """Count an operation; return whether the power goes now."""
        self.operations += 1
        return self.cut_at is not None and self.operations >= self.cut_at

    def erase(self, at, size):
        """Set to ones."""
        cut = self.step()
        size = size // 2 if cut else size
        self.data[at : at + size] = b"\xff" * size
        self.erases[at // _SECTOR] = self.erases.get(at // _SECTOR, 0) + 1
        if cut:
            raise Reset("power_on")

    def program(self, at, data):
        """Clear bits."""
        cut = self.step()
        data = data[: len(data) // 2] if cut else data
        for i in range(0, len(data), 256):
            page = bytes(data[i : i + 256])
            old = self.data[at + i : at + i + len(page)]
            if old == b"\xff" * len(page):
                self.data[at + i : at + i + len(page)] = page
            else:
                self.data[at + i : at + i + len(page)] = bytes([a & b for a, b in zip(old, page)])
        if cut:
            raise Reset("power_on")


class Rp2(Chip):
    """An RP2040 or RP2350 with its wires and flash."""

    def __init__(self, clock, chip="rp2040", unique_id=b"\xe6\x60\x58\x38\x83\x01\x02\x03", version=(1, 28, 0), blocks=16,
                 covered=14):
        super().__init__(clock, range(30 if chip == "rp2040" else 48))
        self.chip = chip
        self.version = version
        self.uart_frees = version >= (1, 25)
        self.unique_id = unique_id
        self.adc_numbers = (26, 27, 28, 29)
        self.registers = {}
        self.sectors = Sectors(blocks)
        self.covered = covered  # blocks that the mounted filesystem covers
        self.frequency = _DEFAULT_HZ
        self.early = None  # fn(ms) -> milliseconds after which an interrupt ends this sleep, or None
        self.usb = 0
        self._base = _WATCHDOG[chip]
        self._cause = 1
        self.machine = self._make_machine()
        self.port = self._make_port()
        self.boot("power_on")
        self.boots = 0

    def boot(self, kind, keep_rtc=True):
        """Restart: power_on and brown_out clear the scratch registers, a watchdog's or own reset keeps them."""
        self.forget_ram(kind)
        registers, base = self.registers, self._base
        if kind == "soft":
            return
        self.outputs = {}
        self.pulls = {}
        self.frequency = _DEFAULT_HZ
        self.time.restart(_BOOT_2021)
        registers[base] = 0
        if kind in ("power_on", "brown_out", "run_pin"):
            for address in range(base + 0x0C, base + 0x2C, 4):
                registers[address] = 0
            registers[base + 8] = 0
            bits = {"power_on": _POWER_ON, "brown_out": _BROWN_OUT, "run_pin": _RUN}[kind]
            registers[_CHIP_RESET[self.chip]] = bits[self.chip]
            self._cause = 1
        else:
            # A panic on this port ends in a loop that only the watchdog leaves.
            registers[base + 8] = 2 if kind in ("reset", "deep_sleep") else 1
            if kind in ("reset", "deep_sleep"):
                registers[base + 0x1C] = 0
            self._cause = 3

    def watchdog_start(self, ms):
        self.registers[self._base] = self.registers.get(self._base, 0) | _ENABLE
        self.registers[self._base + 0x1C] = 0x6AB73121
        super().watchdog_start(ms)

    def watchdog_expired(self):
        if self.sleeping and self.chip == "rp2040" and self.version < (1, 29):
            self.die("the watchdog expired in light sleep: an RP2040 is locked up until its power goes")
        raise Reset("watchdog")

    def _peek(self, address):
        if address == _SIE_STATUS:
            return self.usb
        value = self.registers.get(address, 0)
        return value - (1 << 32) if value & 0x80000000 else value  # mem32 reads are signed

    def _poke(self, address, value):
        if address == self._base + 0x3000:
            self.registers[self._base] &= ~value
            if value & _ENABLE:
                self.watchdog_cancel()
        else:
            self.registers[address] = value & 0xFFFFFFFF

    def _lightsleep(self, ms=None):
        if ms is None:
            self.die("dormant: nothing is armed that could end it")
        if ms <= 1:
            self.clock.advance(max(0, ms))
            return
        if ms >= _LONGEST_MS:
            raise ValueError("sleep too long")
        early = self.early(ms) if self.early is not None else None
        if self.usb & 0x10000 and not self.usb & 0x10:
            early = 1  # a host's frames come every millisecond
        self.sleeping = True
        self.falls_asleep()
        paused = self.watchdog_on and self.chip == "rp2350" and self.version < (1, 29)
        start = self.clock.now
        if paused:
            self._watchdog_end += ms  # it does not count in there; put right below
        try:
            slept = self.pass_time(ms if early is None else min(ms, max(1, early)))
        finally:
            self.sleeping = False
        if paused:
            self._watchdog_end -= ms - (self.clock.now - start)
        self.wakes_up(slept)
        self.frequency = _DEFAULT_HZ
        self.uart_spoilt = True
        self.drop_received()

    def _deepsleep(self, ms=None):
        self._lightsleep(ms)
        raise Reset("deep_sleep")

    def _reset(self):
        raise Reset("reset")

    def _freq(self, hz=None):
        if hz is None:
            return self.frequency
        self.frequency = hz
        return None

    def _make_machine(self):
        chip = self

        class Rtc:
            def datetime(self, fields=None):
                if fields is None:
                    seconds = chip.time.time()
                    year = 1970
                    while _days(year + 1, 1, 1) * 86400 <= seconds:
                        year += 1
                    return (year, 1, 1, 0, 0, 0, 0, 0)  # the month is nobody's business here
                year, month, day, _, hour, minute, second, _ = fields
                chip.time.set(_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second)
                return None

        class Wdt:
            def __init__(self, id=0, timeout=5000):
                if not 0 < timeout <= (8388 if chip.version < (1, 29) or chip.chip == "rp2040" else 16777):
                    raise ValueError("timeout exceeds 8388")
                chip.watchdog_start(timeout)

            def feed(self):
                chip.watchdog_feed()

        class Mem32:
            def __getitem__(self, address):
                return chip._peek(address)

            def __setitem__(self, address, value):
                chip._poke(address, value)

        return Names(Pin=make_pin(chip), UART=make_uart(chip), I2C=make_i2c(chip), ADC=make_adc(chip, False), RTC=Rtc, WDT=Wdt,
                     mem32=Mem32(), PWRON_RESET=1, WDT_RESET=3, reset_cause=lambda: chip._cause,
                     unique_id=lambda: chip.unique_id, reset=chip._reset, lightsleep=chip._lightsleep,
                     deepsleep=chip._deepsleep, freq=chip._freq)

    def _make_port(self):
        chip = self

        class Flash:
            def __init__(self, start=-1, len=-1):
                size = chip.sectors.size
                self._start = max(0, start)
                self._size = size - self._start if len == -1 else len
                if self._start % _SECTOR or self._start + self._size > size:
                    raise ValueError()

            def readblocks(self, block, buf, offset=0):
                at = self._start + block * _SECTOR + offset
                buf[:] = chip.sectors.data[at : at + len(buf)]

            def writeblocks(self, block, buf, offset=None):
                at = self._start + block * _SECTOR + (offset or 0)
                if offset is None:
                    chip.sectors.erase(at, len(buf))
                chip.sectors.program(at, buf)

            def ioctl(self, op, arg):
                if op == 4:
                    return self._size // _SECTOR
                if op == 5:
                    return _SECTOR
                if op == 6:
                    chip.sectors.erase(self._start + arg * _SECTOR, _SECTOR)
                return 0

        return Names(Flash=Flash, statvfs=lambda _path: (_SECTOR, _SECTOR, chip.covered, 0, 0, 0, 0, 0, 0, 255))
