"""The registers of an RP2 that keep something over a reset.

Addresses: pico-sdk 2.2.0, hardware/regs: watchdog.h, vreg_and_chip_reset.h, powman.h.
"""

from __future__ import annotations

WATCHDOG = {"rp2040": 0x40058000, "rp2350": 0x400D8000}
CHIP_RESET = {"rp2040": 0x40064008, "rp2350": 0x4010002C}
HAD_POWER_ON = {"rp2040": 0x100, "rp2350": 0x10000}
HAD_BROWN_OUT = {"rp2040": 0x100, "rp2350": 0x20000}
POWMAN_SCRATCH = 0x401000B0
CTRL_ENABLE = 0x40000000
REASON_TIMER, REASON_FORCE = 1, 2
WATCHDOG_MAGIC = 0x6AB73121  # watchdog_enable() writes it to scratch 4, machine.reset() writes 0


class Registers:
    """Watchdog, scratch and reset cause of one chip; `on_stop` is called when user code clears the watchdog's enable bit."""

    def __init__(self, chip: str) -> None:
        self.chip = chip
        base = WATCHDOG[chip]
        self.ctrl, self.reason, self._clear = base, base + 8, base + 0x3000
        self.scratch = [base + 0x0C + 4 * index for index in range(8)]
        self.kept = self.scratch + ([POWMAN_SCRATCH + 4 * index for index in range(8)] if chip == "rp2350" else [])
        self.values = dict.fromkeys([self.ctrl, self.reason, CHIP_RESET[chip], *self.kept], 0)

    def peek(self, address: int) -> int:
        """Read; ValueError for an address that the host board does not play."""
        if address not in self.values:
            raise ValueError(f"the host board plays no register at {address:#x}")
        return self.values[address]

    def poke(self, address: int, value: int) -> None:
        """Write, or clear bits through the alias of CTRL."""
        if address == self._clear:
            self.values[self.ctrl] &= ~value
        else:
            self.peek(address)
            self.values[address] = value & 0xFFFFFFFF

    def watchdog_started(self) -> None:
        """What watchdog_enable() leaves behind."""
        self.values[self.ctrl] |= CTRL_ENABLE
        self.values[self.scratch[4]] = WATCHDOG_MAGIC

    @property
    def watchdog_enabled(self) -> bool:
        return bool(self.values[self.ctrl] & CTRL_ENABLE)

    def restart(self, why: str) -> None:
        """The state at the next boot: why is power_on, brown_out, watchdog or reset."""
        self.values[self.ctrl] = 0
        self.values[self.reason] = {"watchdog": REASON_TIMER, "reset": REASON_FORCE}.get(why, 0)
        if why == "reset":
            self.values[self.scratch[4]] = 0
        if why in ("power_on", "brown_out"):
            bits = HAD_POWER_ON if why == "power_on" else HAD_BROWN_OUT
            self.values[CHIP_RESET[self.chip]] = bits[self.chip]
            for address in self.kept:
                self.values[address] = 0
