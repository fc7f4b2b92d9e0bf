"""Unix seconds to date and time, for both interpreters (MicroPython ports count from different years)."""

_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def civil(unix):
    """Unix seconds -> (year, month, day, hour, minute, second); without a library, for both interpreters."""
    days, rest = divmod(unix, 86400)
    year = 1970
    while True:
        length = 366 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 365
        if days < length:
            break
        days -= length
        year += 1
    month = 0
    while True:
        length = _DAYS[month] + (1 if month == 1 and _leap(year) else 0)
        if days < length:
            break
        days -= length
        month += 1
    return year, month + 1, days + 1, rest // 3600, rest // 60 % 60, rest % 60


def _leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
