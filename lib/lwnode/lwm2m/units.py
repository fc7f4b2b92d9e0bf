"""SenML units (RFC 8428 table, RFC 8798 secondary units) and the one each sensor object is given by default.

    >>> check("Cel") is None, check("°C")
    (True, 'SenML writes Cel for °C')
"""

_PRIMARY = (
    " m kg g s A K cd mol Hz rad sr N Pa J W C V F Ohm S Wb T H Cel lm lx Bq Gy Sv kat m2 m3 l m/s m/s2 m3/s l/s W/m2"
    " cd/m2 bit bit/s lat lon pH dB dBW Bspl count / % %RH %EL EL 1/s 1/min beat/min beats S/m B VA VAs var vars J/m"
    " kg/m3 deg NTU rad/s "
)
_SECONDARY = (
    " ms min h MHz kW kVA kvar Ah Wh kWh varh kvarh kVAh Wh/km KiB GB Mbit/s B/s MB/s mV mA dBm ug/m3 mm/h m/h ppm /100"
    " /1000 hPa mm cm km km/h ppb ppt VAh mg/l ug/l g/l "
)
_SPELT = (
    ("°C", "Cel"),
    ("C°", "Cel"),
    ("degC", "Cel"),
    ("celsius", "Cel"),
    ("RH", "%RH"),
    ("lux", "lx"),
    ("bar", "Pa"),
    ("sec", "s"),
    ("volt", "V"),
    ("µg/m3", "ug/m3"),
    ("°", "deg"),
)
_DEFAULTS = (
    (3301, "lx"),
    (3303, "Cel"),
    (3304, "%RH"),
    (3313, "m/s2"),
    (3314, "T"),
    (3315, "Pa"),
    (3316, "V"),
    (3317, "A"),
    (3318, "Hz"),
    (3319, "m"),
    (3320, "%"),
    (3321, "m"),
    (3323, "Pa"),
    (3324, "dB"),
    (3326, "pH"),
    (3327, "S/m"),
    (3328, "W"),
    (3330, "m"),
    (3334, "rad/s"),
)


def check(unit: str) -> "str | None":
    """None if SenML knows the unit, else a sentence with the likely one."""
    if " " not in unit and (" " + unit + " " in _PRIMARY or " " + unit + " " in _SECONDARY):
        return None
    for spelt, meant in _SPELT:
        if unit.lower() == spelt.lower():
            return "SenML writes {} for {}".format(meant, unit)
    return "{} is no SenML unit; RFC 8428 section 12.1 and RFC 8798 list them".format(unit)


def default(object_id: int) -> "str | None":
    """The unit of an object whose quantity leaves no choice; None where the row must say."""
    for id, unit in _DEFAULTS:
        if id == object_id:
            return unit
    return None
