"""The six configuration files of a BG96, made, read and checked on the host (LwM2M User Guide V1.1, 3.3).

    files = make(uri="coaps://leshan.eclipse.org:5684", ssid=101, lifetime=900, apn="iot.example",
                 identity="node-1", key="30313233343536373839")
    write(files, "build/datatx")            # bootstrap.ini carrier_apn_cfg lwm2m_cfg lwm2m_app_autostart qcli_config ssl/
    account, settings, carriers = read("build/datatx")
    check(account, settings, carriers)      # sentences: what is out of range, what will surprise

The files go to /datatx of the module's alternate file system and are read at boot only; persistent files of an earlier
server must be deleted with AT+QLWM2M="reset" (chapter 7, question 3). The guide shows no content for lwm2m_app_autostart
and qcli_config: the first must exist or the client does not start, so both are made with a comment-free single line.
"""

import json
from pathlib import Path

BOOTSTRAP, CARRIER, SETTINGS = "bootstrap.ini", "carrier_apn_cfg", "lwm2m_cfg"
AUTOSTART, QCLI = "lwm2m_app_autostart", "qcli_config"

# table 4: name -> default, lowest, highest; the names are those of the sample, which has PER where the table has FER
ITEMS: "dict[str, tuple[str | int, int, int]]" = {
    "APN": ("carrier_apn", 0, 0), "RETRY_TIMEOUT": (30, 1, 86400), "RETRY_EXPONENT_VAL": (2, 1, 10),
    "MAX_RETRY_TIMEOUT": (640, 1, 86400), "MAX_NO_RETRIES": (5, 0, 1000), "ACK_TIMEOUT": (30, 1, 86400),
    "REG_RETRY_TIMEOUT": (60, 1, 86400), "REG_RETRY_EXPONENT": (2, 1, 10), "REG_RETRY_MAXTIMEOUT": (480, 1, 86400),
    "ROAMING_FEAT": (1, 0, 1), "PER_REGSTATUS_FEAT": (0, 0, 1), "BATTERY_LEVEL_THRESHOLD": (20, 0, 100),
    "REBOOTSTRAP_REG_FAILS_MAX_NO_ATTEMPTS": (5, 0, 1000), "CARRIER_TYPE": (0, 0, 1), "REG_EP_NAME": (4, 4, 7),
    "BOOTSTRAP_EP_NAME": (7, 4, 7), "BOOT_UP_SLEEP_TIME": (10, 0, 86400)}
# in the table, not in the sample: written only where they are set
EXTRA = {"GPS_MIN_INTERVAL": (3000, 1, 1 << 31), "GPS_MIN_DISTANCE": (1, 0, 1 << 31)}


def make(uri: str, ssid: int = 101, lifetime: int = 86400, apn: str = "carrier_apn", bootstrap: bool = False,
         identity: "str | None" = None, key: "str | None" = None, apn_class: int = 2,
         carriers: "list[dict[str, object]] | None" = None, **settings: "str | int") -> "dict[str, str]":
    """File name -> text. settings are items of lwm2m_cfg by name. ValueError where check() finds something out of range."""
    values = {name: ITEMS[name][0] for name in ITEMS}
    values["APN"] = apn
    for name, value in settings.items():
        if name not in ITEMS and name not in EXTRA:
            raise ValueError(f"{name}: not in lwm2m_cfg; expected one of {' '.join(ITEMS)} {' '.join(EXTRA)}")
        values[name] = value
    sections = carriers or [{"APN_NAME": apn, "APN_CLASS": apn_class, "SHORT_SERVER_ID1": ssid}]
    secure = uri.startswith("coaps://")
    account = {"uri": uri, "ssid": ssid, "lifetime": lifetime, "bootstrap": bootstrap, "security": 0 if secure else 3}
    wrong = [text for text in check(account, values, sections) if text.startswith("refused")]
    if secure and not (identity and key):
        wrong.append("refused: coaps needs identity and key")
    if key and (len(key) % 2 or key.strip("0123456789abcdefABCDEF")):
        wrong.append("refused: the key is not an even number of hexadecimal digits")
    if wrong:
        raise ValueError("; ".join(wrong))
    files = {BOOTSTRAP: bootstrap_ini(account), CARRIER: carrier_apn_cfg(sections), SETTINGS: lwm2m_cfg(values),
             AUTOSTART: "\n", QCLI: "\n"}
    if secure:
        # gnutls' psktool writes name:key; the guide names the file after the short server id (3.3.4)
        files[f"ssl/{ssid}_server.psk"] = f"{identity}:{key}\n"
    return files


def bootstrap_ini(account: "dict[str, object]") -> str:
    """The Security object, and the Server object unless it is a bootstrap server's; JSON as in 6.1, line by line."""
    entries = [("0", "sv", account["uri"]), ("1", "bv", bool(account["bootstrap"])), ("2", "v", account["security"]),
               ("10", "v", account["ssid"])]
    text = _sequence("/0/1/", entries)
    if not account["bootstrap"]:
        text += _sequence("/1/1/", [("0", "v", account["ssid"]), ("1", "v", account["lifetime"]), ("7", "sv", "U")])
    return text


def _sequence(base: str, entries: "list[tuple[str, str, object]]") -> str:
    rows = ",\n".join(['{"n":%s,"%s":%s' % (json.dumps(name), kind, json.dumps(value)) + "}" for name, kind, value in entries])
    # the guide breaks the line before the last brace
    return '{"bn":%s,\n"e":[\n%s\n}]}\n' % (json.dumps(base), rows[:-1])


def carrier_apn_cfg(sections: "list[dict[str, object]]") -> str:
    """Sections as in 3.3.2: the first, then each after a semicolon."""
    parts = []
    for index, section in enumerate(sections):
        head = "; /* New APN config */\n" if index else "/* Existing APN config */\n" if len(sections) > 1 else ""
        parts.append(head + "".join([f"{name}={section[name]}\n" for name in section]))
    return "".join(parts)


def lwm2m_cfg(values: "dict[str, str | int]") -> str:
    """The items in the sample's order (3.3.3)."""
    return "{\n" + "".join([f"{name}={values[name]};\n" for name in values]) + "}\n"


def write(files: "dict[str, str]", folder: "str | Path") -> None:
    """Put the files into a folder that is copied to /datatx; the key's file is readable by its owner only."""
    for name, text in files.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.startswith("ssl/"):
            path.touch(mode=0o600)
        path.write_text(text)


def read(folder: "str | Path") -> "tuple[dict[str, object], dict[str, str | int], list[dict[str, object]]]":
    """(account, items of lwm2m_cfg, sections of carrier_apn_cfg) as the module will take them; missing files are empty.

    The account also tells of the other three: `autostart` and `qcli`, whether they are there, and of the key's file the
    `identity` and the key's length in bits (`key_bits`, 0 where it is no key), never the key; `servers` counts the accounts of
    bootstrap.ini, which may hold several (3.3): what is told is the one at 0/1, ours.
    """
    def text(name: str) -> str:
        path = Path(folder) / name
        return path.read_text() if path.exists() else ""

    resources = parse_bootstrap(text(BOOTSTRAP))
    security, server = resources.get("/0/1", {}), resources.get("/1/1", {})
    account = {"uri": security.get("0", ""), "ssid": security.get("10", 0), "lifetime": server.get("1", 86400),
               "bootstrap": bool(security.get("1")), "security": security.get("2", 3)}
    account["servers"] = len([path for path in resources if path.startswith("/0/") and resources[path].get("0")])
    for name, file in (("autostart", AUTOSTART), ("qcli", QCLI)):
        account[name] = (Path(folder) / file).exists()
    identity, _, key = text(f"ssl/{account['ssid']}_server.psk").strip().rpartition(":")
    good = len(key) % 2 == 0 and not key.strip("0123456789abcdefABCDEF")
    account["identity"], account["key_bits"] = identity, 4 * len(key) if good else 0
    settings: "dict[str, str | int]" = {name: default[0] for name, default in ITEMS.items()}
    for section in parse_items(text(SETTINGS)):
        settings.update(section)  # type: ignore[arg-type]
    if "FER_REGSTATUS_FEAT" in settings:  # so the table spells it
        settings["PER_REGSTATUS_FEAT"] = settings.pop("FER_REGSTATUS_FEAT")
    return account, settings, parse_items(text(CARRIER))


def parse_bootstrap(text: str) -> "dict[str, dict[str, object]]":
    """Instance path -> {resource: value} of a sequence of JSON objects."""
    found: "dict[str, dict[str, object]]" = {}
    decoder = json.JSONDecoder()
    text = text.strip()
    while text:
        sequence, end = decoder.raw_decode(text)
        text = text[end:].lstrip("; \r\n\t")
        for entry in sequence.get("e", ()):
            instance, _, resource = (sequence.get("bn", "") + entry["n"]).rpartition("/")
            for kind in ("v", "bv", "sv", "ov"):
                if kind in entry:
                    found.setdefault(instance, {})[resource] = entry[kind]
    return found


def parse_items(text: str) -> "list[dict[str, object]]":
    """Sections of NAME=value; a semicolon before a line begins a new one, one behind it ends the item."""
    sections: "list[dict[str, object]]" = [{}]
    for line in text.splitlines():
        line = line.partition("/*")[0].strip(" \t{}")
        if line.startswith(";"):
            sections.append({})
            line = line[1:].strip()
        name, equals, value = line.partition("=")
        if equals:
            value = value.strip().rstrip(";").strip()
            sections[-1][name.strip()] = int(value) if value.isdigit() else value
    return [section for section in sections if section]


def check(account: "dict[str, object]", settings: "dict[str, str | int]", carriers: "list[dict[str, object]]") -> "list[str]":
    """What is wrong ("refused: ...") and what will surprise ("warning: ..."), as sentences."""
    told = _ranges(account, settings, carriers)
    if not account.get("autostart", True):
        told.append(f"refused: {AUTOSTART} is missing: without it the client does not start (3.3)")
    if not account.get("qcli", True):
        told.append(f"warning: {QCLI} is missing: no QCLI at start-up (3.3)")
    if account["security"] == 0 and not (account.get("identity", True) and account.get("key_bits", True)):
        told.append(f"refused: ssl/{account['ssid']}_server.psk: expected identity:key in hexadecimal digits (3.3.4)")
    if int(str(account.get("servers", 1))) > 1:
        told.append(f"warning: bootstrap.ini has {account['servers']} accounts: the node speaks with one, ssid in config.json")
    if settings.get("CARRIER_TYPE") == 1 and account["security"] != 0:
        told.append("warning: CARRIER_TYPE=1: Verizon wants security always (3.3.4)")
    if settings.get("ROAMING_FEAT") == 1:
        told.append("warning: ROAMING_FEAT=1: no LwM2M while roaming (3.3.3); set 0 for a SIM that roams")
    for name in ("REG_EP_NAME", "BOOTSTRAP_EP_NAME"):
        if settings.get(name) == 7 and (name == "REG_EP_NAME" or account["bootstrap"]):
            told.append(f"warning: {name}=7 needs a SIM with MSISDN, else the connection fails (chapter 7, question 2)")
    ids = [section.get("SHORT_SERVER_ID1") for section in carriers]
    if carriers and account["ssid"] not in ids:
        told.append(f"warning: carrier_apn_cfg has no section for server {account['ssid']}: the APN of lwm2m_cfg is used")
    if settings.get("APN") == ITEMS["APN"][0]:
        told.append("warning: the APN is still carrier_apn: registered with the network is then not enough (question 1)")
    told.append('warning: after a change of server delete the old persistent files: AT+QLWM2M="reset" (question 3)')
    return told


def _ranges(account: "dict[str, object]", settings: "dict[str, str | int]", carriers: "list[dict[str, object]]") -> "list[str]":
    told = []
    uri = str(account["uri"])
    host, _, port = uri.partition("://")[2].rpartition(":")
    if not uri.startswith(("coap://", "coaps://")) or not host or not port.isdigit() or not 0 < int(port) < 65536:
        told.append(f"refused: server: expected coap(s)://host:port, found {uri}")
    for name, low, high in (("ssid", 1, 65534), ("lifetime", 30, 86400)):
        value = account[name]
        if not isinstance(value, int) or not low <= value <= high:
            told.append(f"refused: {name}: expected {low} to {high}, found {value}")
    for name, value in settings.items():
        _, low, high = {**ITEMS, **EXTRA}.get(name, (0, 0, 0))
        if name != "APN" and high and (not isinstance(value, int) or not low <= value <= high):
            told.append(f"refused: {name}: expected {low} to {high}, found {value}")
        if name.endswith("EP_NAME") and value not in (4, 7):
            told.append(f"refused: {name}: expected 4 or 7, found {value}")
    for section in carriers:
        if section.get("BS_IF_REG_FAILS", 0) not in (0, 1):
            told.append(f"refused: BS_IF_REG_FAILS: expected 0 or 1, found {section['BS_IF_REG_FAILS']}")
    return told
