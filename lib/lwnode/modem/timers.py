"""Clock strings and 3GPP timer codes, as all four families write them.

    parse_clock('"20/11/27,03:37:40+32"')          (1606448260, 28800): the time as written, and its zone in seconds
    parse_clock("2023/03/09,14:02:31GMT-5")        (1678370551, -18000)
    parse_clock('"80/01/06,02:08:09+00"')          None: the module has not been told the time
    periodic_tau(3600)                             "00100001"
    active_time(60)                                "00100001": same digits, another unit
    edrx_code(20.48, NB_IOT)                       "0010"

Sources: the clock forms are those of ../reference low_power 3.7 (seen in logs); timers are 3GPP TS 24.008 10.5.7.3
(T3324), 10.5.7.4a (T3412 extended) and 10.5.5.32 (eDRX).
"""

from micropython import const

_EARLIEST = const(2020)  # a module that was never told the time shows 1970, 1980 or 2000

NB_IOT = const(5)  # <AcT-type> of AT+CEDRXS, 3GPP TS 27.007
LTE_M = const(4)

# code, unit in seconds, for units in rising order
_TAU_UNITS = ((3, 2), (4, 30), (5, 60), (0, 600), (1, 3600), (2, 36000), (6, 1152000))
_ACTIVE_UNITS = ((0, 2), (1, 60), (2, 360))
# eDRX value -> cycle in units of 10.24 s, counted in halves so that 5.12 s is a whole number
_EDRX_HALVES = (1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 64, 128, 256, 512, 1024, 2048)
_EDRX_NB = (2, 3, 5, 9, 10, 11, 12, 13, 14, 15)


def unix_time(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    """Seconds since 1970-01-01 UTC of a date in the Gregorian calendar, whatever epoch the port counts from."""
    if month <= 2:
        year -= 1
        month += 12
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 1 - 719468
    return ((days * 24 + hour) * 60 + minute) * 60 + second


def parse_clock(text: str) -> "tuple[int, int | None] | None":
    """(seconds since 1970 as written, zone in seconds or None), or None for text that is no plausible time."""
    text = text.strip().strip('"')
    unit = 900  # quarters of an hour
    if "GMT" in text:
        text = text.replace("GMT", "")
        unit = 3600
    zone = None
    try:
        date, _, clock = text.partition(",")
        clock = clock.split(",")[0].strip('"')
        for sign in "+-":
            clock, found, offset = clock.partition(sign)
            if found:
                zone = int(sign + offset) * unit
        year, month, day = [int(part) for part in date.split("/")]
        hour, minute, second = [int(part) for part in clock.split(":")]
    except ValueError:
        return None
    if year < 100:
        year += 2000 if year < 70 else 1900
    if not (_EARLIEST <= year < 2100 and 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60):
        return None
    return unix_time(year, month, day, hour, minute, second), zone


def _encode(seconds: int, units: "tuple[tuple[int, int], ...]", name: str) -> str:
    for code, unit in units:
        count = (seconds + unit - 1) // unit
        if count <= 31:
            return _bits(code << 5 | count, 8)
    longest = units[-1][1] * 31
    raise ValueError("%s: expected 0 to %d s, found %d" % (name, longest, seconds))


def _bits(value: int, width: int) -> str:
    return "".join(["1" if value >> bit & 1 else "0" for bit in range(width - 1, -1, -1)])


def periodic_tau(seconds: int) -> str:
    """T3412 extended for at least that long, 0 to 35 712 000 s, as eight binary digits."""
    return _encode(seconds, _TAU_UNITS, "periodic TAU")


def active_time(seconds: int) -> str:
    """T3324 for at least that long, 0 to 11 160 s, as eight binary digits."""
    return _encode(seconds, _ACTIVE_UNITS, "active time")


def edrx_code(seconds: float, access: int) -> str:
    """The shortest eDRX cycle that is at least that long, as four binary digits. access: NB_IOT or LTE_M."""
    for value, halves in enumerate(_EDRX_HALVES):
        if access == NB_IOT and value not in _EDRX_NB:
            continue
        if halves * 512 >= seconds * 100 - 1:
            return _bits(value, 4)
    raise ValueError(f"eDRX cycle: expected at most 10485.76 s, found {seconds}")


def edrx_s(bits: str) -> "float | None":
    """Seconds of an eDRX code, or None where it is none."""
    try:
        return _EDRX_HALVES[int(bits, 2)] * 512 / 100
    except (ValueError, IndexError):
        return None
