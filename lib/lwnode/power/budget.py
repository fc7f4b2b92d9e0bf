"""What may be spent: bytes in one month.

    data = DataBudget(500000, billing_day=1)
    data.spend(96, now)                # payload; headers are added
    data.stretch(now)                  -> 1; 4 above 80 % of the budget
    data.allow(now, urgent=False)      -> True; False above 100 % (alarms still go)
"""

from struct import calcsize, pack, unpack_from

from micropython import const

_VERSION = const(1)
_FORMAT = "<BHIIH"
_OVERHEAD = const(60)  # IPv4 20, UDP 8, CoAP header, token, Uri-Path or Observe about 32
_DTLS = const(29)  # record header 13, explicit nonce 8, CCM-8 tag 8 (RFC 6655)
_DAY_S = const(86400)


def _civil(unix: int) -> tuple[int, int, int]:
    """Return (year, month, day) of Unix seconds. time.gmtime() counts from 2000 on ESP32 and from 1970 on RP2."""
    days = unix // _DAY_S + 719468
    era = days // 146097
    day_of_era = days - era * 146097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


class DataBudget:
    """Bytes over the air per month, from `billing_day` (1 to 28) on; 0 means no limit. Enforced by policy, not by cutting."""

    def __init__(self, limit_bytes: int, billing_day: int = 1, dtls: bool = False) -> None:
        self.limit = limit_bytes
        self._day = billing_day
        self._overhead = _OVERHEAD + (_DTLS if dtls else 0)
        self._month = 0
        self.spent = 0
        self.last_month = 0
        self.refused = 0

    def _turn(self, now: int) -> None:
        year, month, day = _civil(now)
        number = (year * 12 + month - (day < self._day)) & 0xFFFF
        if number != self._month:
            # A month that goes back is a corrected clock: what was spent stays spent.
            if number > self._month:
                self.last_month = self.spent
                self.spent = 0
            self._month = number

    def spend(self, payload: int, now: int, messages: int = 2) -> None:
        """Count an exchange: payload bytes and the headers of `messages` datagrams (a report and its acknowledgement)."""
        self._turn(now)
        self.spent += payload + messages * self._overhead

    def stretch(self, now: int) -> int:
        """Return by what reporting is to be stretched: 4 above 80 % of the budget."""
        self._turn(now)
        return 4 if self.limit and self.spent * 5 >= self.limit * 4 else 1

    def allow(self, now: int, urgent: bool = False) -> bool:
        """Return whether a report may go; above the budget only urgent ones (readings wait in the journal)."""
        self._turn(now)
        fine = urgent or not self.limit or self.spent < self.limit
        self.refused += not fine
        return fine

    def dump(self) -> bytes:
        """Return what must survive sleep (13 bytes)."""
        return pack(_FORMAT, _VERSION, self._month, min(self.spent, 0xFFFFFFFF), self.last_month, min(self.refused, 65535))

    def load(self, data: bytes | None) -> bool:
        """Take up what dump() gave. False: nothing usable in data."""
        if not data or len(data) < calcsize(_FORMAT) or data[0] != _VERSION:
            return False
        _, self._month, self.spent, self.last_month, self.refused = unpack_from(_FORMAT, data, 0)
        return True
