"""SenML units (RFC 8428 table, RFC 8798 secondary units): what a row may call its unit.

    >>> check("Cel") is None, check("°C")
    (True, 'SenML writes Cel for °C')

`make objects` holds every row against it; a node sends what it is told.
"""

_KNOWN = (
    " m kg g s A K cd mol Hz rad sr N Pa J W C V F Ohm S Wb T H Cel lm lx Bq Gy Sv kat m2 m3 l m/s m/s2 m3/s l/s W/m2"
    " cd/m2 bit bit/s lat lon pH dB dBW Bspl count / % %RH %EL EL 1/s 1/min beat/min beats S/m B VA VAs var vars J/m"
    " kg/m3 deg NTU rad/s"
    " ms min h MHz kW kVA kvar Ah Wh kWh varh kvarh kVAh Wh/km KiB GB Mbit/s B/s MB/s mV mA dBm ug/m3 mm/h m/h ppm /100"
    " /1000 hPa mm cm km km/h ppb ppt VAh mg/l ug/l g/l "
)
_SPELT = " °C Cel c° Cel degc Cel celsius Cel rh %RH lux lx bar Pa sec s volt V µg/m3 ug/m3 ° deg "


def check(unit: str) -> "str | None":
    """None if SenML knows the unit, else a sentence with the likely one."""
    if " " not in unit and " " + unit + " " in _KNOWN:
        return None
    for spelt in (unit, unit.lower()):
        at = _SPELT.find(" " + spelt + " ")
        if at >= 0:
            return "SenML writes {} for {}".format(_SPELT[at + len(spelt) + 2 :].split(" ")[0], unit)
    return "{} is no SenML unit; RFC 8428 section 12.1 and RFC 8798 list them".format(unit)
