"""What the four modules ask of the wires between them and a board: UART level, supply, peak.

    from boards.modules import MODULES, wiring
    wiring(definition, "bc66")      -> (["UART ..."], "")          what is so, and why it cannot be: a sentence or nothing

A board file says at which level its own pins work (IO_MV) and what stands between them and the module (SHIFTER, the
millivolts at the host's side and at the module's). A carrier board that shifts by itself is declared by MODULE_MV.

Sources: the vendors' hardware designs named below, quoted from memory; nothing here was measured by us.
"""


class Module:
    """One family. uart_mv: level of its UART pins; peak and supply as people write them; source of all three."""

    def __init__(self, name, uart_mv, peak, supply, source):
        self.name = name
        self.uart_mv = uart_mv
        self.peak = peak
        self.supply = supply
        self.source = source

    def line(self):
        """For the list of make boards."""
        return "%-8s UART %s, VBAT %s, peak %s (%s)" % (self.name, volts(self.uart_mv), self.supply, self.peak, self.source)


MODULES = {
    "bc66": Module("BC66", 1800, "0.3 A while sending", "2.1 to 3.63 V", "BC66 Hardware Design: UART interfaces, power supply"),
    "bc20": Module("BC20", 1800, "0.3 A while sending", "2.1 to 3.63 V", "BC20 Hardware Design: UART interfaces, power supply"),
    "bg96": Module("BG96", 1800, "2 A in a GSM burst", "3.3 to 4.3 V", "BG96 Hardware Design: UART interfaces, power supply"),
    "me910c1": Module("ME910C1", 1800, "0.25 A mean while sending, far more with 2G", "3.4 to 4.2 V",
                      "ME910C1 Hardware Design: logic levels, power supply"),
}

WHY_NOT_3V3 = (
    "a module draws its peak within microseconds; the regulator behind a board's 3.3 V pin is sized for the board, dips, and "
    "resets it: give the module a regulator of its own and a low-ESR capacitor of 100 uF or more"
)


def volts(mv):
    """1.8 V of 1800."""
    return "%d.%d V" % (mv // 1000, mv % 1000 // 100)


def wiring(definition, family):
    """(sentences of what is declared, why it cannot be or nothing) for a module family on a board."""
    host = getattr(definition, "IO_MV", None)
    if host is None:
        return [], "IO_MV is missing: the level at which this board's pins work, 3300 or 1800"
    module = MODULES.get(family)
    level = getattr(definition, "MODULE_MV", None) or (module.uart_mv if module else None)
    if level is None:
        return [], "no UART level is known for %s: add it to boards/modules.py with its source" % family
    shifter = getattr(definition, "SHIFTER", None)
    name = module.name if module else family
    if shifter is not None and tuple(shifter) != (host, level):
        return [], "SHIFTER is %s, but this board works at %s and the %s at %s" % (
            " / ".join([volts(mv) for mv in shifter]), volts(host), name, volts(level))
    if shifter is None and host != level:
        return [], ("the %s works at %s, this board at %s: put a level shifter into TX, RX, status and ring, and declare it, "
                    "SHIFTER = (%d, %d)" % (name, volts(level), volts(host), host, level))
    between = "straight wires" if shifter is None else "a level shifter in TX, RX, status and ring"
    source = "MODULE_MV of the board file" if getattr(definition, "MODULE_MV", None) else module.source
    return ["UART: board %s, %s %s (%s), between them %s" % (volts(host), name, volts(level), source, between),
            "supply: VBAT %s, peak %s, not from the board's 3.3 V pin" % (module.supply, module.peak)] if module else [], ""
