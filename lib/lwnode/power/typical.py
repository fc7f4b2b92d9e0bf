"""Typical supply currents of boards and modules, with where each figure comes from.

    currents("esp32", "bc66")          -> {"sleep": 53, "awake": 30000, ...} microamperes for EnergyMeter
    BOARDS["rp2040"], MODULES["bc66"]  the rows, for `make energy`

Marks: [manual] read in a manual or measured report, [recalled] a vendor's figure not read again, [estimate]. An
RP2040 sleeps at 1 mA: its sleep outweighs everything else, and a load switch or an external timer (TPL5110) is
worth more than any setting here.
"""

# chip: (sleep, active) in microamperes of the whole board
BOARDS = {
    "esp32": (50, 30000),  # deep sleep of a good board 50-66 uA (mqtt README) [manual]; 20-31 mA at 80 MHz [recalled]
    "esp32s3": (50, 30000),  # as esp32 [estimate]
    "esp32c3": (45, 22000),  # [recalled]
    "esp32c6": (45, 25000),  # [recalled]
    "rp2040": (990, 22000),  # 0.99 mA at VSYS, 21-22 mA at 125 MHz (MicroPython PR 8832, issue 8770) [manual]
    "rp2350": (1900, 20000),  # sleep with SRAM and without POWMAN (circuitpython issue 9491) [manual]; active [estimate]
}

# family: (deep sleep, boot and search, connected mean, tail, idle) in microamperes of the module alone
MODULES = {
    # 3.5 uA, Tx 100-115 mA a third of the time, idle 0.43 mA at 2.56 s DRX [all recalled]
    "bc66": (4, 30000, 70000, 12000, 430),
    "bc20": (4, 30000, 70000, 12000, 430),  # same chipset as BC66, GNSS off [estimate]
    # PSM 10 uA, NB1 Tx 170 mA, idle with the UART awake about 16 mA (light sleep by QSCLK and DTR: 1.7 mA) [recalled]
    "bg96": (10, 40000, 110000, 20000, 16000),
    # PSM about 10 uA, Tx 190-250 mA [recalled, unconfirmed]; idle as BG96 [estimate]
    "me910c1": (10, 40000, 120000, 20000, 16000),
}


def currents(chip: str, family: str) -> dict[str, int]:
    """Return the currents of each phase of EnergyMeter. KeyError for an unknown chip or family."""
    sleep, active = BOARDS[chip]
    psm, boot, connect, tail, idle = MODULES[family]
    return {
        "sleep": sleep + psm,
        "awake": active + psm,
        "boot": active + boot,
        "connect": active + connect,
        "tail": sleep + tail,  # the board sleeps while the network still holds the radio
        "idle": active + idle,
    }
