"""What a node must be told: keys with their ranges, checked at each start; a wrong key stops it with its name.

Two files beside main.py: `config.json` (may be shown to anybody) and `secrets.json` (PSK and PIN, never shown).

    >>> settings = checked({"family": "bc66", "host": "198.51.100.7", "endpoint": "urn:dev:ops:node-1", "apn": "iot"})
    >>> settings.lifetime, settings.binding
    (86400, 'U')
    >>> checked({"family": "bc66", "host": "198.51.100.7", "endpoint": "x", "apn": "iot", "lifetime": "a day"})
    ConfigError: config.json: "lifetime" must be a whole number from 20 to 31536000, found "a day"

Each value is checked for its type and range, and then for what fits together. What the keys mean is written for people in
docs/configuration.md. Features bring their keys with them (lwnode.features). Bounds: some 3 KB of heap (32-bit).
"""

import json

from lwnode import features
from lwnode.lwm2m import Path
from lwnode.power.store import FileStore, TwinStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Row = tuple[Any, ...]

FAMILIES = ("bc20", "bc66", "bg96", "me910c1")
REQUIRED = "!"

# A row for each key: its name, kind, default (! must be given, - none), then smallest and largest, or choices. Kind: s text,
# i whole number, b true or false; n a list of whole numbers, t a list of texts, of so many at least and at most.
KEYS = (
    "family s ! bc20,bc66,bg96,me910c1;host s ! 1 150;port i 5683 1 65535;endpoint s ! 1 150;lifetime i 86400 20 31536000;"
    "binding s U U,UQ;security s none none,psk;bootstrap b false;apn s ! 0 100;sample_every i 900 1 604800;"
    "report_every i 900 1 604800;spread i 600 0 86400;listen i 5 0 600;attach_timeout i 180 10 600;awake_budget i 240 20 1200;"
    "ack_timeout i 2 1 20;max_retransmit i 4 0 8;history s pack pack,replay;journal_bytes i 65536 1024 1048576;"
    "journal_batch i 8 1 256;watchdog i 8000 1000 8388;maintenance_window i 5 0 300;node_objects b true;"
    "planned_restart i 0 0 100000"
)
SECRETS = "psk_identity s - 1 150;psk s - 2 256;pin s - 4 8;update_key s - 32 128"
# What the driver has a value of its own for: any, and a single family's; ranges are the manuals'.
ANY = ("psm_tau i - 0 35712000;psm_active i - 0 11160;edrx i - 0 10485;module_update s - never,ask,allow;"
       "roaming s - never,allowed;")
OPTIONS = {
    "bc20": "buffered b -;read_length i - 1 512;receive_hex b -",
    "bc66": "buffered b -;retransmit_mode i - 0 1;auto_reg b -;persistent b -;rai b -;auto_ack b -;recovery_mode i - 0 1;"
    "write_format s - tlv,text",
    "bg96": "sleep s - psm,light;server_type i - 0 5;ssid i - 1 65534;name_form i - 4,7;data_object i - 19,10250,26241;"
    "auto_register b -;auto_name b -;mbsps t - 5 6;key_file b -",
    "me910c1": "sleep s - psm,cfun5,off;rat s - catm,nbiot;cid i - 1 6;ack_mode b -;guard_request i - 1 100;"
    "guard_release i - 1 100;ack_wait i - 5 600;disable_s i - 1 604800;registration_urcs b -;monitor n - 0 6;"
    "acknowledge t - 0 6",
}
_KINDS = "bisnt"
_DUE = ("true or false", "a whole number from %s to %s", "text of %s to %s characters", "a list of %s to %s whole numbers",
        "a list of %s to %s texts")  # fmt: skip
_ENDING = '"\r\n\0\x1a\x1b'  # whatever reaches an AT command line must not be able to end it


class ConfigError(ValueError):
    """A configuration that cannot be used: file, key, what was expected, what was found."""


class Settings:
    """One attribute per key of config.json, checked and with defaults; secrets only through `secret`, never in a text."""

    if TYPE_CHECKING:
        family: str; host: str; endpoint: str; binding: str; security: str; apn: str; history: str; battery: str  # noqa: E702
        port: int; lifetime: int; sample_every: int; report_every: int; spread: int; listen: int  # noqa: E702
        attach_timeout: int; awake_budget: int; ack_timeout: int; max_retransmit: int; journal_bytes: int  # noqa: E702
        journal_batch: int; watchdog: int; maintenance_window: int; planned_restart: int; data_budget: int  # noqa: E702
        billing_day: int; health_every: int; trial_wakes: int; defer_longest: int; defer_below: int  # noqa: E702
        report_at: list[str]; bootstrap: bool; node_objects: bool; server_updates: bool; diagnosis: bool  # noqa: E702

    def __init__(self, values: "dict[str, Any]", secrets: "dict[str, Any]") -> None:
        for key in values:
            setattr(self, key, values[key])
        self.options: "dict[str, Any]" = {}  # of the driver
        self.features: "tuple[Any, ...]" = ()  # classes of lwnode.features that these settings ask for
        self.given: "dict[str, Any]" = {}  # config.json as it was read
        self.source = ""  # why these settings are not config.json's, or nothing
        self._secrets = secrets

    def secret(self, key: str) -> "str | None":
        """Return a secret by its key, or None; callers hand it to the driver and keep no copy."""
        return self._secrets.get(key)


def _wrong(key: str, text: str, source: str = "config.json") -> ConfigError:
    return ConfigError('%s: "%s" %s' % (source, key, text))


def checked(given: "dict[str, Any]", secrets: "dict[str, Any] | None" = None) -> Settings:
    """Check a configuration and return it with its defaults.

    Raises ConfigError naming the key, what was expected and what was found. A secret's value is never part of it.
    """
    if not isinstance(given, dict):
        raise ConfigError("config.json: must hold one JSON object, found %s" % type(given).__name__)
    secrets, family, table = secrets or {}, given.get("family"), KEYS
    found = []
    for name, key in features.names(given):
        try:
            feature = features.installed(name)
        except ImportError as error:
            if key:
                raise _wrong(key, 'needs the feature "%s": %s; deploy this configuration' % (name, error))
            if "features." + name not in str(error):
                raise
            continue
        found.append(feature)
        table += feature.KEYS and ";" + feature.KEYS
    own = ANY + (OPTIONS[family] if family in FAMILIES else "")  # another one is refused by the first row
    values = _values("config.json", given, table + ";" + own)
    _values("secrets.json", secrets, SECRETS)
    values, options = _options(values, own)
    if "lifetime" not in given and family == "bc66":  # the others take a day at most, or no other
        values["lifetime"] = longest_interval(values["report_every"])
    settings = Settings(values, secrets)
    settings.given, settings.options = given, options
    _check_together(settings)
    settings.features = tuple([feature for feature in found if feature.enabled(settings)])
    return settings


def _values(source: str, given: "dict[str, Any]", table: str) -> "dict[str, Any]":
    """Value or default of each row, None where it has none. ConfigError for a wrong value, and for a key without a row."""
    values: "dict[str, Any]" = {}
    for row in table.split(";"):
        key, kind, usual, *ends = row.split(" ")
        value = given.get(key)
        if key in given or usual == REQUIRED:
            due = _due(kind, value, ends)
            if due and key not in given:
                raise _wrong(key, "is missing; it must be " + due, source)
            if due:
                found = "something else" if source == "secrets.json" else '"%s"' % value if isinstance(value, str) else value
                raise _wrong(key, "must be %s, found %s" % (due, found), source)
        elif usual != "-":
            value = usual == "true" if kind == "b" else int(usual) if kind == "i" else usual
        values[key] = value
    for key in given:
        if key not in values and not (given[key] in features.OFF and " %s " % key in features.FEATURES):
            names = ", ".join([name for name in FAMILIES if ";%s " % key in ";" + OPTIONS[name]])
            raise _wrong(key, "is a key of %s, not of %s: leave it out" % (names, given.get("family", source)) if names else
                         "is not a key of this firmware; see docs/configuration.md", source)
    return values


def _due(kind: str, value: "Any", ends: "list[str]") -> str:
    """What a value must be; "" where it is that."""
    due, of = _DUE[_KINDS.find(kind)], (bool, int, str, list, list)[_KINDS.find(kind)]
    good = isinstance(value, of) and (kind == "b" or not isinstance(value, bool))
    if len(ends) == 1:
        due = "one of " + ends[0].replace(",", ", ")
        good = good and str(value) in ends[0].split(",")
    elif ends:
        due = due % tuple(ends)
        good = good and int(ends[0]) <= (value if kind == "i" else len(value)) <= int(ends[1])
        if good and kind == "s":
            good = not [1 for ending in _ENDING if ending in value]
        elif good and kind != "i":
            entry = ("i", ["1", "65535"]) if kind == "n" else ("s", ["0", "100"])
            good = not [1 for each in value if _due(entry[0], each, entry[1])]
    return "" if good else due


def longest_interval(report_every: int) -> int:
    """Seconds that registration and tracking area update have to outlast: a stretch of four (a low battery), a day at least."""
    return max(86400, 4 * report_every)


def _options(values: "dict[str, Any]", own: str) -> "tuple[dict[str, Any], dict[str, Any]]":
    """(values of the node, options of the driver as far as they are given; PSM by the schedule where they leave it open).

    T3324 begins when the network releases the radio, and a released module is paged every 2.56 s: as long as `listen`, and
    three seconds more (issue 19). An ME910C1 waits it out at 16 mA while its host sleeps, and wakes without a session: two
    seconds are the least that is not zero. What sleeps lightly, or is switched off between contacts, has no use for PSM.
    """
    found = {}
    for row in own.split(";"):
        key = row.split(" ")[0]
        value = values.pop(key)
        if value is not None:
            found[key] = value
    if "psm_tau" in found or "psm_active" in found or found.get("sleep", "psm") == "psm":
        found["psm"] = (found.pop("psm_tau", longest_interval(values["report_every"])) or None,
                        found.pop("psm_active", 2 if values["family"] == "me910c1" else values["listen"] + 3))
    if "ack_wait" in found:
        found["ack_wait_ms"] = found.pop("ack_wait") * 1000
    if "acknowledge" in found:
        try:
            found["acknowledge"] = [Path.parse(text) for text in found["acknowledge"]]
        except ValueError as error:
            raise ConfigError("config.json: " + str(error))
    return values, found


def _check_together(settings: Settings) -> None:
    secret = settings.secret
    if settings.security == "psk" and not (secret("psk") and secret("psk_identity")):
        raise _wrong("psk", 'and "psk_identity" are missing; config.json says "security": "psk"', "secrets.json")
    for name in ("psk", "update_key"):
        key = secret(name) or ""
        if len(key) % 2 or key.strip("0123456789abcdefABCDEF"):
            raise _wrong(name, "must be an even number of hexadecimal digits", "secrets.json")
    if settings.report_every < settings.sample_every:
        raise _wrong("report_every", '(%d s) must not be shorter than "sample_every" (%d s)'
                     % (settings.report_every, settings.sample_every))
    longest = settings.listen + report_wait(
        settings.ack_timeout, settings.max_retransmit, settings.options.get("retransmit_mode"))
    if longest > settings.awake_budget:
        raise _wrong("awake_budget", '(%d s) is shorter than one report may take (%d s by "ack_timeout" and "max_retransmit", '
                     'and "listen")' % (settings.awake_budget, longest))


def report_wait(ack_timeout: int, max_retransmit: int, fixed: "int | None" = 0) -> int:
    """Return the longest wait for one acknowledgement in seconds: doubling each time (RFC 7252 4.2), or fixed."""
    return ack_timeout * (max_retransmit + 1) if fixed else ack_timeout * ((1 << (max_retransmit + 1)) - 1)


def read(folder: str = "", files: "Any" = None) -> Settings:
    """Read config.json and secrets.json (which may be absent) from a folder and check them.

    Raises ConfigError for a missing file, text that is not JSON, and every wrong key.
    """
    given = _json(folder + "config.json", files)
    if given is None:
        raise ConfigError("config.json: the file is missing; copy firmware/config.json to the board and edit it")
    return checked(given, _json(folder + "secrets.json", files))


def _json(name: str, files: "Any" = None) -> "Any":
    for left in (2, 1, 0):
        try:
            with (files.open if files else open)(name, "r") as file:
                return json.loads(file.read())
        except OSError as error:
            if error.args[0] == 2:  # ENOENT; everything else is no absence
                return None
            if not left:
                raise ConfigError("%s: cannot be read now (error %s): the flash fails" % (name, error.args[0]))
        except ValueError:
            # The text itself is not quoted: it may be the secrets file.
            raise ConfigError("%s: not valid JSON; check quotes and commas" % name)
    return None


def keep(settings: Settings, store: "Any", files: "Any" = None) -> None:
    """Keep what was given twice: on flash, and in the protected store, which outlives the filesystem (up to 1.9 KB).

    A store that is full or cannot be written leaves the other, and neither stops a start.
    """
    try:
        TwinStore(FileStore("state", files), store).save("identity", json.dumps([settings.given, settings._secrets]).encode())
    except (OSError, ValueError):
        print("lwnode: the settings have no backup copy: flash or protected store is full")


def kept(store: "Any", files: "Any", reason: str) -> "Settings | None":
    """Return the settings of the backup copy, which a start of before has kept there, or None; `source` says why."""
    try:
        settings = checked(*json.loads(TwinStore(FileStore("state", files), store).load("identity") or b""))
    except (OSError, ValueError, TypeError):
        return None
    settings.source = reason[:80]
    return settings
