"""What a node must be told, as one table of keys; a wrong key stops the start with its name.

Two files beside main.py: `config.json` (may be shown to anybody) and `secrets.json` (PSK and PIN, never shown).

    >>> from lwnode.config import checked
    >>> settings = checked({"family": "bc66", "host": "198.51.100.7", "endpoint": "urn:dev:ops:node-1", "apn": "iot"})
    >>> settings.lifetime, settings.binding
    (86400, 'U')
    >>> checked({"family": "bc66", "host": "198.51.100.7", "endpoint": "x", "apn": "iot", "lifetime": "a day"})
    ConfigError: config.json: "lifetime" must be a whole number from 20 to 31536000 (registration lifetime (seconds)),
    found "a day"

Bounds: each value is checked for its type and range and then for what fits together. The tables cost about 5 KB of heap
(32-bit) while a configuration is read; what stays is a `Settings`, and `drop` gives the rest back.
"""

from lwnode.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FAMILIES = ("bc20", "bc66", "bg96", "me910c1")

_REQUIRED = object()

# key, kind, default, smallest or choices, largest, what it is.  kind: s text, i whole number, b true/false
KEYS = (
    ("family", "s", _REQUIRED, FAMILIES, None, "the module on the UART"),
    ("host", "s", _REQUIRED, 1, 150, "LwM2M server (or bootstrap server) name or IP address"),
    ("port", "i", 5683, 1, 65535, "UDP port of the server"),
    ("endpoint", "s", _REQUIRED, 1, 150, "endpoint client name; {id} becomes the board's unique id in hex"),
    ("lifetime", "i", 86400, 20, 31536000, "registration lifetime (seconds)"),
    ("binding", "s", "U", ("U", "UQ"), None, "binding: U, or UQ for queue mode"),
    ("security", "s", "none", ("none", "psk"), None, "DTLS with a pre-shared key, or none"),
    ("bootstrap", "b", False, None, None, "host and port are a bootstrap server's"),
    ("apn", "s", _REQUIRED, 0, 100, "access point name; empty takes the network's default"),
    ("sample_every", "i", 900, 1, 604800, "period of sampling, aligned slots (seconds)"),
    ("report_every", "i", 900, 1, 604800, "period of contact with the server, aligned slots (seconds)"),
    ("spread", "i", 600, 0, 86400, "longest delay of this device's slots, and of its first contact after power-on: by its own"
     " id, at most a quarter of `sample_every` (seconds)"),
    ("listen", "i", 5, 0, 600, "how long the server may ask after a report (seconds)"),
    ("attach_timeout", "i", 180, 10, 600, "longest wait for the network (seconds)"),
    ("awake_budget", "i", 240, 20, 1200, "longest wake; what is not done by then waits (seconds)"),
    ("ack_timeout", "i", 2, 1, 20, "first CoAP retransmission after (seconds)"),
    ("max_retransmit", "i", 4, 0, 8, "CoAP retransmissions"),
    ("history", "s", "pack", ("pack", "replay"), None, "late readings: SenML pack on 19/0/0, or replayed in order"),
    ("journal_bytes", "i", 65536, 1024, 1048576, "room for readings that wait (bytes)"),
    ("journal_batch", "i", 8, 1, 256, "readings exposed to power loss where RAM is the only quick store (RP2)"),
    ("watchdog", "i", 8000, 1000, 8388, "hardware watchdog while awake (milliseconds)"),
    ("maintenance_window", "i", 5, 0, 300, "wait for mpremote after power-on or reset button (seconds)"),
    ("battery", "s", "none", ("none", "lipo", "alkaline", "li_socl2"), None,
     "the cell whose voltage BATTERY of the board file measures: a weak one stretches intervals, a dead one rests"),
    ("data_budget", "i", 0, 0, 1000000000, "bytes over the air in a month, headers included; 0 no limit; alarms pass it"),
    ("billing_day", "i", 1, 1, 28, "day on which that month begins"),
    ("defer_longest", "i", 0, 0, 86400, "longest wait of a report for a better signal, asked each time (seconds); 0 never"),
    ("defer_below", "i", -118, -140, 0, "signal (RSRP) below which a report waits (dBm)"),
    ("node_objects", "b", True, None, None, "declare 26250 and 26251, the node's own settings and health"),
    ("trial_wakes", "i", 3, 1, 100, "contacts that may fail before a setting of the server is taken back"),
    ("health_every", "i", 86400, 3600, 604800, "how often the node's health is told unasked (seconds)"),
    ("planned_restart", "i", 0, 0, 100000, "restart the board after so many wakes, where RAM is kept; 0 never"),
)

SECRETS = (
    ("psk_identity", "s", None, 1, 150, "PSK identity"),
    ("psk", "s", None, 2, 256, "pre-shared key, hexadecimal"),
    ("pin", "s", None, 4, 8, "SIM PIN"),
    ("update_key", "s", None, 32, 128, "key of update packages, hexadecimal; without it one derived from psk"),
)


_UNKNOWN = '%s: "%s" is not a key of this firmware; see docs/configuration.md'


class ConfigError(ValueError):
    """A configuration that cannot be used: file, key, what was expected, what was found."""


def _range_text(kind: str, low: "Any", high: "Any") -> str:
    if isinstance(low, tuple):
        return "one of " + ", ".join([str(choice) for choice in low])
    if kind == "b":
        return "true or false"
    if kind == "i":
        return "a whole number from %d to %d" % (low, high)
    return "text of %d to %d characters" % (low, high)


def _fits(kind: str, value: "Any", low: "Any", high: "Any") -> bool:
    if kind == "b" or isinstance(value, bool):
        return kind == "b" and isinstance(value, bool)
    if isinstance(low, tuple):
        return value in low
    if kind == "i":
        return isinstance(value, int) and low <= value <= high
    if not isinstance(value, str):
        return False
    # Whatever reaches an AT command line must not be able to end it.
    return low <= len(value) <= high and not any(c in value for c in '"\r\n\0\x1a\x1b')


def _checked(source: str, given: "dict[str, Any]", table: "tuple[Any, ...]", secret: bool) -> "dict[str, Any]":
    known = {}
    for key, kind, default, low, high, about in table:
        if key in given:
            value = given[key]
            if not _fits(kind, value, low, high):
                found = "something else" if secret else _shown(value)
                raise ConfigError('%s: "%s" must be %s (%s), found %s'
                                  % (source, key, _range_text(kind, low, high), about, found))
            known[key] = value
        elif default is _REQUIRED:
            raise ConfigError('%s: "%s" is missing; it must be %s (%s)'
                              % (source, key, _range_text(kind, low, high), about))
        else:
            known[key] = default
    others = [key for key in given if key not in known]
    if others and not secret:
        known["options"] = _family_options(str(given["family"]), {key: given[key] for key in others})
    elif others:
        raise ConfigError(_UNKNOWN % (source, others[0]))
    return known


def _family_options(family: str, given: "dict[str, Any]") -> "dict[str, Any]":
    """Keys that only some modules have (lwnode.options), checked, as options of the driver."""
    from lwnode import options

    for key in given:
        try:
            row = options.row_of(key, family)
        except ValueError as error:
            raise ConfigError("config.json: " + str(error))
        if row is None:
            raise ConfigError(_UNKNOWN % ("config.json", key))
        _, kind, low, high, _, about = row
        many = kind in ("n", "t")
        if not (options.fits if many else _fits)(kind, given[key], low, high):
            expected = (options.range_text if many else _range_text)(kind, low, high)
            raise ConfigError('config.json: "%s" must be %s (%s), found %s' % (key, expected, about, _shown(given[key])))
    try:
        return options.driver_options(given)
    except ValueError as error:
        raise ConfigError("config.json: " + str(error))


def _shown(value: "Any") -> str:
    return '"%s"' % value if isinstance(value, str) else str(value)


def checked(given: "dict[str, Any]", secrets: "dict[str, Any] | None" = None) -> Settings:
    """Check a configuration and return it with its defaults.

    Raises ConfigError naming the key, what was expected and what was found. A secret's value is never part of it.
    """
    if not isinstance(given, dict):
        raise ConfigError("config.json: must hold one JSON object, found %s" % type(given).__name__)
    values = _checked("config.json", given, KEYS, False)
    settings = Settings(values, _checked("secrets.json", secrets or {}, SECRETS, True))
    _check_security(settings)
    _check_times(settings)
    settings.features = _features(given, settings)
    return settings


def _features(given: "dict[str, Any]", settings: Settings) -> "tuple[Any, ...]":
    """The features that the settings ask for, by their order; ConfigError where one is not installed."""
    from lwnode import features

    found = []
    for name, key in features.names(given):
        feature = features.installed(name)
        if feature is None and key:
            raise ConfigError('config.json: "%s" needs the feature "%s", which is not installed; deploy this configuration'
                              % (key, name))
        if feature is not None and feature.enabled(settings):
            found.append(feature)
    return tuple(sorted(found, key=lambda feature: feature.ORDER))


def _check_security(settings: Settings) -> None:
    key = settings.secret("psk")
    if settings.security == "psk" and not (key and settings.secret("psk_identity")):
        raise ConfigError('secrets.json: "psk" and "psk_identity" are missing; config.json says "security": "psk"')
    for name in ("psk", "update_key"):
        key = settings.secret(name)
        if key is not None and (len(key) % 2 or any(c not in "0123456789abcdefABCDEF" for c in key)):
            raise ConfigError('secrets.json: "%s" must be an even number of hexadecimal digits' % name)


def _check_times(settings: Settings) -> None:
    if settings.report_every < settings.sample_every:
        raise ConfigError('config.json: "report_every" (%d s) must not be shorter than "sample_every" (%d s)'
                          % (settings.report_every, settings.sample_every))
    longest = report_wait(settings.ack_timeout, settings.max_retransmit, settings.options.get("retransmit_mode"))
    longest += int(settings.listen)
    if longest > settings.awake_budget:
        raise ConfigError('config.json: "awake_budget" (%d s) is shorter than one report may take (%d s by '
                          '"ack_timeout" and "max_retransmit", and "listen")' % (settings.awake_budget, longest))


def report_wait(ack_timeout: int, max_retransmit: int, fixed: "int | None" = 0) -> int:
    """Return the longest wait for one acknowledgement in seconds: doubling each time (RFC 7252 4.2), or fixed."""
    if fixed:
        return ack_timeout * (max_retransmit + 1)
    return ack_timeout * ((1 << (max_retransmit + 1)) - 1)


def drop() -> None:
    """Forget this module: its tables are needed once a start, their heap is not."""
    import sys
    import lwnode
    for name in ("config", "options"):
        sys.modules.pop("lwnode." + name, None)
        if hasattr(lwnode, name):
            delattr(lwnode, name)


def read(folder: str = "", files: "Any" = None) -> Settings:
    """Read config.json and secrets.json (which may be absent) from a folder and check them.

    Raises ConfigError for a missing file, text that is not JSON, and every wrong key.
    """
    given = _json(folder + "config.json", files)
    if given is None:
        raise ConfigError("config.json: the file is missing; copy firmware/config.json to the board and edit it")
    return checked(given, _json(folder + "secrets.json", files))


def _json(name: str, files: "Any" = None) -> "Any":
    import json
    for left in (2, 1, 0):
        try:
            with (files.open if files else open)(name, "r") as file:
                text = file.read()
            break
        except OSError as error:
            if error.args[0] == 2:  # ENOENT; everything else is no absence
                return None
            if not left:
                raise ConfigError("%s: cannot be read now (error %s): the flash fails" % (name, error.args[0]))
    try:
        return json.loads(text)
    except ValueError:
        # The text itself is not quoted: it may be the secrets file.
        raise ConfigError("%s: not valid JSON; check quotes and commas" % name)


def _homes(vault: "Any", files: "Any") -> "Any":
    from lwnode.power.store import FileStore, TwinStore
    return TwinStore(FileStore("state", files), vault)


def keep(settings: Settings, vault: "Any", files: "Any" = None) -> None:
    """Keep what is not a default in the second home: on flash, and in the vault that outlives the filesystem.

    Up to 1.9 KB; a home that is full or cannot be written leaves the other, and neither stops a start.
    """
    import json
    values = {row[0]: getattr(settings, row[0]) for row in KEYS if getattr(settings, row[0]) != row[2]}
    secrets = {row[0]: settings.secret(row[0]) for row in SECRETS if settings.secret(row[0]) is not None}
    try:
        _homes(vault, files).save("identity", json.dumps([values, secrets]).encode())
    except (OSError, ValueError):
        print("lwnode: the settings have no second home: flash or vault is full")


def kept(vault: "Any", files: "Any", reason: str) -> "Settings | None":
    """Return the settings of the second home, which a start of before has kept there, or None; `source` says why."""
    import json
    try:
        data = _homes(vault, files).load("identity")
        values, secrets = json.loads(data or b"")
        settings = checked(values, secrets)
    except (OSError, ValueError, TypeError):
        return None
    settings.source = reason[:80]
    return settings
