"""RP2040 and RP2350: light sleep that returns, scratch registers, a clock that starts in 2021 at each boot.

    board.sleep(7200000)               -> "timer"   two hours, in slices: one sleep ends at 71 minutes
    board.reset_cause()                -> "planned"  the port knows only power-on and watchdog: registers tell the rest

Sleep: lightsleep() returns early for any interrupt (USB; a Pico W's network stack, every 64 ms, issues 16181, 17204), so it
is repeated until the time is over; one of at most 60 minutes (4,294,966 ms is the port's limit). The watchdog is
stopped by register first: up to v1.28 an RP2040 whose watchdog expires in light sleep is dead until its power goes
(issue 17228), an RP2350's stops counting. Where it will not stop, slices of 6 s are slept and fed between.
Afterwards CPU frequency and UART are set again: both are wrong after light sleep (issues 14079, 19433). deepsleep()
is never used: it is light sleep and a reset, and saves nothing.

Time: every hard boot starts the count in 2021, so each feed() leaves the count in two scratch registers, which
survive the watchdog and our own resets; after those the count goes on, a few seconds late at worst.
"""

import os
import random
import time
from binascii import crc32
from struct import pack, unpack_from

from micropython import const

from lwnode.board.base import Board as Base

_REASON = const(0x08)  # of the watchdog; its control register lies at 0
_SCRATCH = const(0x0C)
_CLEAR = const(0x3000)
_ENABLE = const(0x40000000)
_REASON_TIMER = const(1)
# Scratch registers we use; 4 is the SDK's.
_MARK = const(0)
_COUNT_ID = const(1)
_TIME = const(5)
_TIME_CHECK = const(6)
_MARK_RUNNING = const(0x4C571000)
_MARK_PLANNED = const(0x4C572000)
_MARK_CRASHED = const(0x4C573000)
_WDT_MAX_MS = const(8388)  # 24 bits, counted twice as fast (RP2040-E1); RP2350 the same up to v1.28
_SLICE_MS = const(3600000)
_SLICE_FED_MS = const(6000)
_SPIN_MS = const(50)
_AT_ONCE_MS = const(5)  # a host's frames; what a tick of a Pico W's network ends goes on, or each wait would begin before one
_SIE_STATUS = const(0x50110050)
_CONNECTED = const(0x10000)
_SUSPENDED = const(0x10)
_RESERVED = const(2)
_BLOCK = const(4096)
_YEAR_S = const(31536000)
_HEAD = const("<HHII")  # of the protected store: magic, length, sequence, crc32
_HEAD_BYTES = const(12)
_MAGIC = const(0x4C56)
_ENOENT = const(2)

# Chip: watchdog base, chip reset register, brown-out bit, run-pin bit (pico-sdk 2.2.0 headers)
_CHIPS = {
    "rp2040": (0x40058000, 0x40064008, 0, 0x10000),
    "rp2350": (0x400D8000, 0x4010002C, 0x20000, 0x40000),
}

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class NoMemory:
    """RP2 has no retained memory large enough for state: RetainedState works from the store behind it."""

    size = 0


class ProtectedStore:
    """A small store that outlives the filesystem: named bytes in one image of up to 4084 bytes (ESP32 has NVS).

        store.save("identity", b"...")     # endpoint, server, APN, PSK: the backup copy
        store.load("identity")             -> b"..." or None; OSError where it cannot be read now

    It lies in two sectors of `device` (rp2.Flash), or in two files: for stock firmware, where no sector is reserved; those fall
    with the filesystem. For what changes rarely: boot counters after a crash, identity, ship mode. The two take turns, with a
    sequence number and a CRC: a cut at any byte of a save leaves the image before it.
    """

    def __init__(self, device: "Any" = None) -> None:
        self._device = device
        self._values: dict[str, bytes] | None = None
        self._sequence = 0
        self._next = 0

    def _read(self, index: int) -> "bytes | bytearray":
        if self._device is not None:
            raw = bytearray(_BLOCK)
            self._device.readblocks(index, raw)
            return raw
        try:
            with open("protected.%d" % index, "rb") as file:
                return bytes(file.read())
        except OSError as error:
            if error.errno != _ENOENT:
                raise
            return b""

    def _open(self) -> "dict[str, bytes]":
        if self._values is None:
            newest = following = 0  # taken over only when both could be read
            values: dict[str, bytes] = {}
            for slot in (0, 1):
                raw = self._read(slot)
                if len(raw) < _HEAD_BYTES:
                    continue
                magic, length, sequence, check = unpack_from(_HEAD, raw, 0)
                body = bytes(raw[_HEAD_BYTES : _HEAD_BYTES + length])
                whole = magic == _MAGIC and len(body) == length and crc32(body, sequence) == check
                if whole and sequence > newest:
                    newest, following, values = sequence, 1 - slot, {}
                    at = 0
                    while at + 3 <= length:
                        key, size = unpack_from("<BH", body, at)
                        at += 3 + key
                        values[body[at - key : at].decode()] = body[at : at + size]
                        at += size
            self._sequence, self._next, self._values = newest, following, values
        return self._values

    def load(self, name: str) -> bytes | None:
        """Return what was saved under name, or None."""
        return self._open().get(name)

    def save(self, name: str, data: bytes) -> None:
        """Keep data. OSError where it could not be written, ValueError where the image would outgrow a sector."""
        values = dict(self._open())
        if values.get(name) == data:
            return
        values[name] = bytes(data)
        body = b"".join([pack("<BH", len(key), len(value)) + key.encode() + value for key, value in values.items()])
        if len(body) + _HEAD_BYTES > _BLOCK:
            raise ValueError("%s would make it %d bytes, the protected store has %d" % (name, len(body), _BLOCK - _HEAD_BYTES))
        sequence = self._sequence + 1
        image = pack(_HEAD, _MAGIC, len(body), sequence, crc32(body, sequence)) + body
        if self._device is not None:
            self._device.writeblocks(self._next, image + b"\xff" * (_BLOCK - len(image)))
        else:
            with open("protected.%d" % self._next, "wb") as file:
                file.write(image)
        self._sequence, self._next, self._values = sequence, 1 - self._next, values


class Board(Base):
    """An RP2040 or RP2350 board."""

    if TYPE_CHECKING:
        import machine

    port = "rp2"

    def __init__(self, definition: "Any", machine: "Any" = None, port: "Any" = None, clock: "Any" = None) -> None:
        if machine is None:
            import machine as machine_module

            machine = machine_module
        if port is None:
            import rp2 as port
        super().__init__(definition, machine, clock)
        self._watchdog_base, self._chip_reset, self._bor, self._run = _CHIPS[definition.CHIP]
        self.retained = NoMemory()
        # The last two sectors of the flash where no filesystem covers them (our frozen _boot.py), else files.
        blocks = port.Flash().ioctl(4, 0)
        try:
            stat = getattr(port, "statvfs", os.statvfs)("/")
            covered = stat[1] * stat[2] // _BLOCK
        except (OSError, AttributeError):
            covered = blocks
        reserved = covered + _RESERVED <= blocks
        self.protected = ProtectedStore(
            port.Flash(start=(blocks - _RESERVED) * _BLOCK, len=_RESERVED * _BLOCK) if reserved else None)
        self._fired = ""
        self._cause = self._find_cause()
        if self._cause == "soft":
            self.watchdog_stop()  # it outlives a soft reset, and nobody feeds it before the node starts it
        self._carry_time()
        self._noted = 0  # the time in the scratch registers
        self._poke(_MARK, _MARK_RUNNING)
        self.feed()

    def _peek(self, register: int) -> int:
        return int(self.machine.mem32[self._watchdog_base + _SCRATCH + 4 * register]) & 0xFFFFFFFF

    def _poke(self, register: int, value: int) -> None:
        self.machine.mem32[self._watchdog_base + _SCRATCH + 4 * register] = value

    def _find_cause(self) -> str:
        machine = self.machine
        # A soft reset (Ctrl-D) leaves the clock alone; any other boot has just set it to 2021, and we then move it on.
        if int(machine.RTC().datetime()[0]) > 2021:
            return "soft"
        if machine.reset_cause() == machine.WDT_RESET:
            if int(machine.mem32[self._watchdog_base + _REASON]) & _REASON_TIMER:
                return "watchdog"
            return {_MARK_PLANNED: "planned", _MARK_CRASHED: "panic"}.get(self._peek(_MARK), "hard")
        chip = int(machine.mem32[self._chip_reset]) & 0xFFFFFFFF
        if self._bor and chip & self._bor:
            return "brown_out"
        return "hard" if chip & self._run else "power_on"

    def _carry_time(self) -> None:
        """Continue the count of before a watchdog's or our own reset; a cold boot's is moved to 2022 (_find_cause)."""
        clock, seconds = self.clock, self._peek(_TIME)
        carried = seconds and seconds ^ 0xFFFFFFFF == self._peek(_TIME_CHECK)
        clock.kept = self._cause == "soft" or bool(carried and self._cause in ("watchdog", "planned", "panic", "hard"))
        if not clock.kept:
            seconds = int(clock.time()) + _YEAR_S
            self._poke(_COUNT_ID, random.getrandbits(30) or 1)
        elif self._cause == "watchdog":
            seconds += _WDT_MAX_MS // 1000
        if self._cause != "soft":
            moment = time.gmtime(seconds)
            self.machine.RTC().datetime(tuple(moment[:3]) + (moment[6],) + tuple(moment[3:6]) + (0,))
        clock.count_id = self._peek(_COUNT_ID)

    def stay_awake(self) -> bool:
        """Return whether somebody wants this node awake: the jumper, or a USB host that is connected and awake."""
        status = int(self.machine.mem32[_SIE_STATUS])
        return super().stay_awake() or bool(status & _CONNECTED and not status & _SUSPENDED)

    def watchdog(self, ms: int) -> None:
        """Start the watchdog with at most 8388 ms."""
        super().watchdog(min(ms, _WDT_MAX_MS))

    def feed(self) -> None:
        """Feed the watchdog, and note the time for the boot it may cause."""
        # One function: each wait of the driver ends here, at the deepest point of a wake.
        seconds = int(self.clock.time())
        if seconds != self._noted:
            self._noted = seconds
            mem32, scratch = self.machine.mem32, self._watchdog_base + _SCRATCH
            mem32[scratch + 4 * _TIME] = seconds
            mem32[scratch + 4 * _TIME_CHECK] = seconds ^ 0xFFFFFFFF
        if self._wdt is not None:
            self._wdt.feed()

    def watchdog_stop(self) -> bool:
        """Stop the watchdog by the clear alias of its control register: the API has no way. False where it still runs."""
        mem32 = self.machine.mem32
        mem32[self._watchdog_base + _CLEAR] = _ENABLE
        if int(mem32[self._watchdog_base]) & _ENABLE:
            return False
        self._wdt = None
        return True

    def sleep(self, ms: int, wake_on: "tuple[str, ...]" = ()) -> str:
        """Light sleep for ms; returns "timer" or the pin's name. The watchdog, if it ran, runs again afterwards."""
        machine, clock = self.machine, self.clock
        frequency = machine.freq()
        watched = self._wdt is not None
        slice_ms = _SLICE_MS if not watched or self.watchdog_stop() else _SLICE_FED_MS
        self._uart_drain()
        if self._uart is not None:
            self._uart.deinit()  # a byte that arrives in light sleep can keep it from ever ending (issue 15129)
        self._fired = ""
        armed = self._armed(wake_on)
        for name, level in armed:
            self.pins.pin(name).irq(handler=self._handler(name),
                                    trigger=machine.Pin.IRQ_RISING if level else machine.Pin.IRQ_FALLING)
        while ms > 0 and not self._fired:
            self.feed()
            part = min(ms, slice_ms)
            start = clock.ticks_ms()
            self.machine.lightsleep(part)
            if clock.ticks_diff(clock.ticks_ms(), start) < min(part, _AT_ONCE_MS) and not self._fired:
                # An interrupt that never ends (a host on USB): wait awake rather than spin.
                clock.sleep_ms(min(_SPIN_MS, part))
            ms -= max(clock.ticks_diff(clock.ticks_ms(), start), 1)
        for name, _ in armed:
            self.pins.pin(name).irq(handler=None)
        machine.freq(frequency)
        if self._uart is not None:
            self._make_uart()
        self.free_i2c()
        if watched and self._wdt is None:
            self.watchdog(self._wdt_ms)
        self.feed()
        self._wake = self._fired or "timer"
        return self._wake

    def free_i2c(self) -> bool:
        """Nine clocks and a stop where a sensor holds SDA low, amid a byte that a reset cut off (UM10204 3.1.16)."""
        if self._i2c is None or self.machine.Pin(self.definition.I2C["sda"]).value():
            return False
        pin = self.machine.Pin
        scl, sda = [pin(self.definition.I2C[name], pin.OPEN_DRAIN, pin.PULL_UP, value=1) for name in ("scl", "sda")]
        for line, level in ((scl, 0), (scl, 1)) * 9 + ((scl, 0), (sda, 0), (scl, 1), (sda, 1)):
            line.value(level)
            self.clock.sleep_ms(1)
        self._make_i2c()
        return True

    def _handler(self, name: str) -> "Any":
        def fired(_pin: "Any") -> None:
            self._fired = self._fired or name

        return fired

    def restart(self, reason: str = "") -> None:
        """Restart; see lwnode.board.base.Board.restart."""
        self._poke(_MARK, _MARK_CRASHED if reason == "crash" else _MARK_PLANNED)
        self.feed()
        self.machine.reset()

    def ship(self) -> None:
        """Sleep by the hour until the ship pin: light sleep without a timer cannot be woken (MicroPython PR 8832)."""
        name = self._release()
        while self.sleep(_SLICE_MS, (name,)) != name:
            pass
