"""Timer octets of PSM (TS 24.008, 10.5.7.3 and 10.5.7.4a) and eDRX cycles (10.5.5.32)."""

T3412_UNITS = (600, 3600, 36000, 2, 30, 60, 1152000, 0)
T3324_UNITS = (2, 60, 360, 0, 0, 0, 0, 0)
EDRX_MS = {"0000": 5120, "0001": 10240, "0010": 20480, "0011": 40960, "0100": 61440, "0101": 81920, "0110": 102400,
           "0111": 122880, "1000": 143360, "1001": 163840, "1010": 327680, "1011": 655360, "1100": 1310720, "1101": 2621440,
           "1110": 5242880, "1111": 10485760}


def timer_seconds(bits, units):
    """An eight-bit GPRS timer as text -> seconds; 0 = switched off or no such text."""
    if len(bits) != 8 or bits.strip("01"):
        return 0
    return units[int(bits[:3], 2)] * int(bits[3:], 2)
