"""What a single family can be told beyond the common keys, as rows; loaded only where config.json holds such a key.

    {"family": "me910c1", "ack_mode": true, "guard_request": 10}       taken
    {"family": "bc66", "ack_mode": true}
    ConfigError: config.json: "ack_mode" is a key of me910c1, not of bc66: leave it out
    {"family": "bc66", "retransmit_mode": 3}
    ConfigError: config.json: "retransmit_mode" must be a whole number from 0 to 1 (...), found 3

Ranges are the manuals', sections in the rows. Bounds: about 3 KB of heap (32-bit) while a configuration is read.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ALL = ("bc20", "bc66", "bg96", "me910c1")
_LGU = "LGU+ alone (guide 4.1)"

# key, kind, smallest or choices, largest, families, what it is.  kind: as in lwnode.config; n a list of whole numbers,
# t a list of texts (smallest and largest are its lengths). Without such a key the driver's own value holds.
OPTIONS = (
    ("psm_tau", "i", 0, 35712000, _ALL, "PSM: tracking area update asked for (seconds, TS 24.008 10.5.7.4a); 0 no PSM"),
    ("psm_active", "i", 0, 11160, _ALL, "PSM: active time asked for (seconds, TS 24.008 10.5.7.3)"),
    ("edrx", "i", 0, 10485, _ALL, "eDRX cycle asked for (seconds, TS 24.008 10.5.5.32); 0 none"),
    ("buffered", "b", None, None, ("bc20", "bc66"), "requests wait in the module until they are read (BC20 3.5, BC66 4.2.2)"),
    ("read_length", "i", 1, 512, ("bc20",), "bytes read from the buffer at a time (3.10)"),
    ("receive_hex", "b", None, None, ("bc20",), "writes of the server come as hexadecimal digits, else as text (3.11)"),
    ("retransmit_mode", "i", 0, 1, ("bc66",), "0 each repetition waits twice as long, 1 all the same (4.2.2)"),
    ("auto_reg", "b", None, None, ("bc66",), "the module registers by itself after it has started (4.2.2)"),
    ("persistent", "b", None, None, ("bc66",), "the registration outlives a restart of the module (4.2.2)"),
    ("rai", "b", None, None, ("bc66",), "release the radio after each report (4.2.2)"),
    ("auto_ack", "b", None, None, ("bc66",), "the module itself answers an observe (4.2.2)"),
    ("recovery_mode", "i", 0, 1, ("bc66",), "session after deep sleep: 0 recovered by the module, 1 by the node (4.2.2)"),
    ("sleep", "s", ("psm", "light"), None, ("bg96",), "psm, or light: DTR wakes (the wake pin)"),
    ("server_type", "i", 0, 5, ("bg96",), "0 Leshan, 1 T-Mobile, 2 LGU+, 3 Verizon, 4 Ericsson, 5 AT&T (guide 4.1)"),
    ("ssid", "i", 1, 65534, ("bg96",), "short server id (guide 4.1)"),
    ("name_form", "i", (4, 7), None, ("bg96",), "endpoint of IMEI, or of IMEI and MSISDN (guide 4.1)"),
    ("data_object", "i", (19, 10250, 26241), None, ("bg96",), "object that carries the packs (guide 4.1)"),
    ("auto_register", "b", None, None, ("bg96",), "the module registers by itself from then on (guide 4.1)"),
    ("auto_name", "b", None, None, ("bg96",), "the module makes the endpoint from IMSI and ICCID: " + _LGU),
    ("mbsps", "t", 5, 6, ("bg96",), "service code, serial number, CTN, ICCID, module[, MAC]: " + _LGU),
    ("key_file", "b", None, None, ("bg96",), "the pre-shared key lies in the module as ssl/<ssid>_server.psk: tools/bg96_files"
     " (guide 3.3.4)"),
    ("sleep", "s", ("psm", "cfun5", "off"), None, ("me910c1",), "psm; cfun5: radio on, DTR wakes; off: between wakes"),
    ("rat", "s", ("catm", "nbiot"), None, ("me910c1",), "radio access (AT#WS46)"),
    ("cid", "i", 1, 6, ("me910c1",), "PDP context of the agent (3.1.3)"),
    ("ack_mode", "b", None, None, ("me910c1",), "the module asks before it uses the radio (3.1.3)"),
    ("guard_request", "i", 1, 100, ("me910c1",), "ACK mode: how early it asks (seconds, 3.1.3)"),
    ("guard_release", "i", 1, 100, ("me910c1",), "ACK mode: how long the session stays open (seconds, 3.1.3)"),
    ("ack_wait", "i", 5, 600, ("me910c1",), "longest wait for the acknowledgement of a report (seconds)"),
    ("disable_s", "i", 1, 604800, ("me910c1",), "silence after SUSPENDED; the module does not say 1/x/5 (seconds)"),
    ("registration_urcs", "b", None, None, ("me910c1",), "switch the registration URCs on (33211/0/0/1)"),
    ("monitor", "n", 0, 6, ("me910c1",), "objects whose writes are told; the actuators without it (3.1.2)"),
    ("acknowledge", "t", 0, 6, ("me910c1",), "paths whose delivery is told; the main readings without it (3.1.15)"),
)


def row_of(key: str, family: str) -> "tuple[Any, ...] | None":
    """The row of a key for that family; ValueError names the families that have the key, None where none has."""
    families: list[str] = []
    for row in OPTIONS:
        if row[0] == key:
            if family in row[4]:
                return row
            families += row[4]
    if families:
        raise ValueError('"%s" is a key of %s, not of %s: leave it out' % (key, ", ".join(families), family))
    return None


def range_text(kind: str, low: "Any", high: "Any") -> str:
    """What a list must be, in words."""
    return "a list of %d to %d %s" % (low, high, "whole numbers" if kind == "n" else "texts")


def fits(kind: str, value: "Any", low: "Any", high: "Any") -> bool:
    """Whether a list is one of its kind."""
    if not isinstance(value, list) or not low <= len(value) <= high:
        return False
    if kind == "n":
        return all([isinstance(each, int) and not isinstance(each, bool) and 0 < each <= 65535 for each in value])
    return all([isinstance(each, str) and not any([c in each for c in '"\r\n\0\x1a\x1b']) for each in value])


def driver_options(given: "dict[str, Any]") -> "dict[str, Any]":
    """Checked keys as the driver's options."""
    options = dict(given)
    if "psm_tau" in options or "psm_active" in options:
        options["psm"] = (options.pop("psm_tau", 86400) or None, options.pop("psm_active", 10))
    if "ack_wait" in options:
        options["ack_wait_ms"] = options.pop("ack_wait") * 1000
    if "acknowledge" in options:
        from lwnode.lwm2m import Path

        options["acknowledge"] = [Path.parse(text) for text in options["acknowledge"]]
    return options
