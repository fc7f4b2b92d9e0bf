"""Where each current of lwnode.features.usage comes from, for people. Marks: measured by others, recalled, estimate."""

BOARDS = {
    "esp32": ("deep sleep of good boards 50 to 66 uA (micropython-mqtt README, measured)",
              "20-31 mA at 80 MHz (data sheet, recalled)"),
    "esp32s3": ("as ESP32 (estimate)", "as ESP32 (estimate)"),
    "esp32c3": ("data sheet and board, recalled", "data sheet, recalled"),
    "esp32c6": ("data sheet and board, recalled", "data sheet, recalled"),
    "rp2040": ("0.99 mA at VSYS (MicroPython PR 8832, measured)", "21-22 mA at 125 MHz (MicroPython issue 8770, measured)"),
    "rp2350": ("1.9 mA with SRAM (CircuitPython issue 9491, measured)", "estimate"),
}
# asleep, light sleep, awake with the radio idle, starting or searching, connected, tail
MODULES = {
    "bc66": ("PSM 3.5 uA (data sheet, recalled)", "DRX 2.56 s 0.43 mA (recalled)", "as in light sleep (estimate)",
             "estimate", "Tx 100-115 mA a third of the time (recalled)",
             "12 mA above sleep while RRC lasts (bench of a BC660K: +10 mA, measured)"),
    "bc20": ("as BC66, same chipset (estimate)",) + ("as BC66 (estimate)",) * 5,
    "bg96": ("PSM 10 uA (data sheet, recalled)", "DRX 1.28 s 1.7 mA (recalled)", "UART awake about 16 mA (recalled)",
             "estimate", "NB1 Tx about 170 mA (recalled)", "estimate"),
    "me910c1": ("PSM about 10 uA (recalled, unconfirmed)", "eDRX about 1 mA (recalled)", "as BG96 (estimate)", "estimate",
                "Tx 190-250 mA (recalled, unconfirmed)", "estimate"),
}


def of_rows(chip: str, family: str) -> list[str]:
    """A source for each row of testing.simulate.charge.Charge.rows(), in their order."""
    return [*BOARDS[chip], *MODULES[family]]
