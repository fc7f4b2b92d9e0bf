"""Where each figure of the power budget comes from, and the floor that follows from them.

    floor("esp32", "bc66", 96)          -> Floor(sleep=1.296, above=2.76): mAh a day asleep, and what 96 contacts add
    floor("esp32", "bc66", 96).days(3000)    -> 568
    of_rows("esp32", "bc66")            a Source for each row of testing.simulate.charge.Charge.rows(), in their order
    WORLD["tail_s"]                     an assumption about the network, the cell or the module's start: value, unit, source

Kinds of source: measured (by others, on hardware), document (a manual or standard that was read), recalled (a vendor's figure
that was not read again), guess.
"""

from __future__ import annotations

from typing import NamedTuple

KINDS = ("measured", "document", "recalled", "guess")


class Source(NamedTuple):
    """What stands behind a figure."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.text} ({self.kind})" if self.text else self.kind


class Assumption(NamedTuple):
    """A figure that is not a current."""

    what: str
    value: float
    unit: str
    source: Source


def _source(text: str) -> Source:
    """ "kind: text" as a Source."""
    kind, _, words = text.partition(":")
    return Source(kind, words.strip())


def _sources(*texts: str) -> tuple[Source, ...]:
    return tuple(map(_source, texts))


# Each current of lwnode.features.usage: asleep, awake.
BOARDS = {
    "esp32": _sources("measured: deep sleep of good boards 50 to 66 µA, micropython-mqtt README",
                      "recalled: data sheet, 20 to 31 mA at 80 MHz"),
    "esp32s3": _sources("guess: as ESP32", "guess: as ESP32"),
    "esp32c3": _sources("recalled: data sheet and board", "recalled: data sheet"),
    "esp32c6": _sources("recalled: data sheet and board", "recalled: data sheet"),
    "rp2040": _sources("measured: 0.99 mA at VSYS, MicroPython PR 8832",
                       "measured: 21 to 22 mA at 125 MHz, MicroPython issue 8770"),
    "rp2350": _sources("measured: 1.9 mA with SRAM kept, CircuitPython issue 9491", "guess:"),
}
# A board in light sleep while it waits for the module: testing.simulate.charge.DOZING.
DOZING = _source("measured: 1.1 mA of an ESP32, micropython-esp32 issue 32; 0.8 mA by the data sheet")
# asleep, light sleep, awake with the radio idle, starting or searching, connected, tail
MODULES = {
    "bc66": _sources("recalled: data sheet, PSM 3.5 µA; the BC65's says 4", "recalled: DRX 2.56 s 0.43 mA",
                     "guess: as in light sleep", "guess:", "recalled: 100 to 115 mA sending, a third of the time",
                     "measured: a BC660K's bench saw 10 mA above sleep while RRC lasts"),
    "bc20": _sources("guess: as BC66, same chipset", *("guess: as BC66",) * 5),
    "bg96": _sources("recalled: data sheet, PSM 10 µA", "recalled: DRX 1.28 s 1.7 mA", "recalled: UART awake about 16 mA",
                     "guess:", "recalled: NB1 sending about 170 mA", "guess:"),
    "me910c1": _sources("recalled: PSM about 10 µA, unconfirmed", "recalled: eDRX about 1 mA", "guess: as BG96", "guess:",
                        "recalled: 190 to 250 mA sending, unconfirmed", "guess:"),
}
# What is no current: the network, the cell, and what a module needs before its first byte.
WORLD = {name: Assumption(what, value, unit, _source(source)) for name, what, value, unit, source in (
    ("one_way_s", "one way through the network", 0.7, "s", "guess: NB-IoT in normal coverage"),
    ("tail_s", "the network's tail after the last byte", 20, "s", "measured: 20 to 25 s, up to 50 s, on a BC660K's bench"),
    ("released_s", "the same, released by the module (RAI)", 0.3, "s", "guess:"),
    ("drx_s", "a paging cycle (DRX)", 2.56, "s", "guess: a cell may set 1.28 to 10.24 s (3GPP TS 36.331)"),
    ("wake_s", "wake of BC66, BC20, BG96 from PSM", 0.15, "s", "guess: the field waits 0.3 to 3 s"),
    ("me910c1_wake_s", "wake of ME910C1 from PSM, which is a start", 4, "s",
     "guess: the model takes 3 s; guides wait 10 s after a reboot"),
    ("me910c1_attach_s", "and its search for the network it knows", 1.5, "s",
     "guess: a warm attach after a reset took a BC660K 5 s"),
    ("early_s", "a BG96 connected before it can be told anything, from RDY on", 1.1, "s",
     "guess: leaving PSM needs no signalling (TS 24.301 5.3.11); the models connect when they start"),
    ("observed_s", "from an ME910C1's registration to the server's observes", 0, "s",
     "guess: the model's server asks at once; the driver learns it and waits 3 s at most"),
    ("granted", "PSM timers, of those asked for", 100, "%", "guess: networks cut them"),
    ("board_start_s", "MicroPython's start and our imports, awake", 0, "s",
     "guess: not counted; each second of an ESP32 is 30 mC a wake, 0.8 mAh a day at 15 min"),
    ("pico_start_s", "the same of a Pico whose power is cut, awake", 2.7, "s",
     "measured: 9.8 s a wake instead of 7.1 on an emulated RP2040, MicroPython 1.28"),
    ("usable", "of a cell's capacity, usable", 80, "%", "guess: cold, pulses, age"),
    ("leak", "lost by itself each year", 2, "%", "recalled: lithium thionyl chloride 1 to 2 %; a LiPo 3 to 5 % a month"),
    ("tpl5110_ua", "TPL5110 while it keeps the power off", 0.035, "µA", "document: TI SNAS650, 35 nA at 2.5 V"),
    ("ds3231_ua", "DS3231 on its backup supply", 3, "µA", "recalled: Maxim data sheet, 0.84 typical, 3 µA at most"),
)}


class Floor(NamedTuple):
    """The least that a day can cost, in mAh: asleep all day, and what the contacts add to that."""

    sleep: float
    above: float

    def days(self, capacity_mah: float) -> float:
        """How long a cell lasts at that."""
        from testing.simulate.charge import lifetime

        return lifetime(capacity_mah, self.sleep + self.above)


def floor(chip: str, family: str, contacts: float) -> Floor:
    """The floor of a board and module with so many contacts a day.

    A contact is one exchange (two for an ME910C1: registration and report), the module's start, and the network's tail; a
    BC66 releases the connection itself and listens for one paging cycle before it sleeps. The board sleeps throughout.
    """
    from lwnode.features.usage import BOARDS as BOARD_UA
    from testing.simulate.charge import currents

    _, _, asleep, _, idle, start, connected, tail, _ = currents(chip, family)
    value = {name: row.value for name, row in WORLD.items()}
    telit, released = family == "me910c1", family == "bc66"
    seconds = [(value["me910c1_wake_s"] + value["me910c1_attach_s"] if telit else value["wake_s"], start),
               (2 * value["one_way_s"] * (2 if telit else 1), connected)]  # fmt: skip
    seconds.append((value["drx_s"], idle) if released else (value["tail_s"], tail))
    above = sum(s * (ua - asleep) for s, ua in seconds) * contacts
    return Floor((BOARD_UA[chip][0] + asleep) * 24 / 1000, above / 3.6e6)


def switched(chip: str, mah: float, hours_asleep: float, wakes: float) -> float:
    """mAh a day of a board that costs `mah`, with its power cut instead of asleep (DS3231) and a start for each wake."""
    from lwnode.features.usage import BOARDS as BOARD_UA

    asleep, awake = BOARD_UA[chip]
    saved = hours_asleep * (asleep - WORLD["ds3231_ua"].value) / 1000
    return mah - saved + wakes * WORLD["pico_start_s"].value * awake / 3.6e6


def of_rows(chip: str, family: str) -> list[Source]:
    """A source for each row of testing.simulate.charge.Charge.rows(), in their order."""
    return [*BOARDS[chip], *MODULES[family], DOZING]


def all_figures() -> list[tuple[str, str, str, Source]]:
    """(part, state, figure, source) of every assumption."""
    from lwnode.features import usage
    from testing.simulate.charge import currents

    found = [(f"{chip} board", state, ampere(ua), source) for chip, values in usage.BOARDS.items()
             for state, ua, source in zip(("asleep", "awake"), values, BOARDS[chip])]
    found.append(("esp32 board", "dozing", ampere(currents("esp32", "bc66")[8]), DOZING))
    states = ("asleep (PSM)", "light sleep", "awake, radio idle", "starts, searches", "connected, mean", "network's tail")
    found += [(family.upper(), state, ampere(ua), source) for family, sources in MODULES.items()
              for state, ua, source in zip(states, currents("esp32", family)[2:], sources)]
    return found + [("world", row.what, f"{row.value:g} {row.unit}", row.source) for row in WORLD.values()]


def ampere(ua: float) -> str:
    """Microamperes for people."""
    return f"{ua:g} µA" if ua < 1000 else f"{ua / 1000:g} mA"
