"""Signal, network time, radio link and power saving. Loaded when the first of them is asked for."""

from lwnode.at import CommandError
from lwnode.modem import timers
from lwnode.modem.network import command_of, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lwnode.modem.network import Network


def signal(modem: "Network") -> "dict[str, int]":
    """rssi and rsrp in dBm, rsrq in dB; absent where the module says unknown or something impossible."""
    found: dict[str, int] = {}
    quality = modem._first_line("AT+CSQ").split(",")
    value = number(quality, 0, 0, 31)
    if value is not None:
        found["rssi"] = 2 * value - 113
    extended = modem._first_line("AT+CESQ").split(",")
    value = number(extended, 5, 0, 97)
    if value is not None:
        found["rsrp"] = value - 140
    value = number(extended, 4, 0, 34)
    if value is not None:
        found["rsrq"] = value // 2 - 20
    return found


def network_time(modem: "Network") -> "int | None":
    """Seconds since 1970, UTC, by the network; None while the module has not been told."""
    parsed = timers.parse_clock(modem._first_line(command_of(modem.CLOCK)))
    if parsed is None:
        return None
    seconds, zone = parsed
    return seconds - zone if modem.CLOCK_IS_LOCAL and zone else seconds


def rrc_connected(modem: "Network") -> "bool | None":
    """Whether the radio link is up; None where the module does not tell."""
    state = number(modem._first_line("AT+CSCON?").split(","), 1, 0, 1)
    return None if state is None else bool(state)


def radio_time(modem: "Network") -> "dict[str, int]":
    """Seconds slept, receiving and sending: +QENG: 3,<sleep>,<rx>,<tx> in tenths of a second (low_power 3.2)."""
    for row in (modem.ask(modem.at.write, *modem.COUNTERS) or []) if modem.COUNTERS else []:
        counts = [number(row, index, 0, 1 << 30) for index in (1, 2, 3)]
        if None not in counts:
            return dict(zip(("sleep", "rx", "tx"), [(count or 0) // 10 for count in counts]))
    return {}


def power_saving(modem: "Network", tau_s: "int | None", active_s: int = 60) -> bool:
    """Ask the network for PSM with these timers in seconds, or for none (tau_s None).

    Compared first: on the air a changed setting costs a tracking area update. True where something was written.
    """
    values = modem._first_line("AT+CPSMS?").split(",")
    if tau_s is None:
        if values[0] == "0":
            return False
        modem.at.write("+CPSMS", 0)
        return True
    wanted = (timers.periodic_tau(tau_s), timers.active_time(active_s))
    if values[0] == "1" and tuple([v.strip('"') for v in values[3:5]]) == wanted:
        return False
    modem.at.write("+CPSMS", 1, None, None, wanted[0], wanted[1])
    return True


def edrx(modem: "Network", cycle_s: "float | None") -> "float | None":
    """Ask for an eDRX cycle in seconds, or for none; returns the cycle that the network grants, or None."""
    if cycle_s is None:
        modem.at.write("+CEDRXS", 0, modem.ACCESS)
        return None
    code = timers.edrx_code(cycle_s, modem.ACCESS)
    # CEDRXS? would show the request even where eDRX is off: what holds is what CEDRXRDP says.
    granted = _granted_edrx(modem)
    if granted is None or granted[0] != code:
        modem.at.write("+CEDRXS", 1, modem.ACCESS, code)
        granted = _granted_edrx(modem)
    return None if granted is None else timers.edrx_s(granted[1])


def _granted_edrx(modem: "Network") -> "tuple[str, str] | None":
    values = [v.strip('"') for v in modem._first_line("AT+CEDRXRDP").split(",")]
    return (values[1], values[2]) if len(values) > 2 else None


def configured(modem: "Network") -> None:
    """The options psm and edrx; a module or a network that refuses them costs energy, not the node."""
    psm, cycle = modem.options["psm"], modem.options["edrx"]
    for call, values in ((power_saving, psm), (edrx, None if cycle is None else (cycle or None,))):
        if values is None:
            continue
        try:
            call(modem, *values)
        except CommandError:
            modem.stats["power_saving_refused"] = modem.stats.get("power_saving_refused", 0) + 1
