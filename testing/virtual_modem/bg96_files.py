"""BG96: the configuration files in its file system (LwM2M User Guide V1.1, 3.3), read and written.

    files = built_in(0)                         what AT+QLWM2M="select",0 loads, name -> text
    Settings(files).server()                    {"uri": ..., "ssid": 101, "security": 3, "lifetime": 86400, ...}
    set_bootstrap(files, {0: ...})              edit bootstrap.ini

bootstrap.ini is a sequence of JSON objects (bn, e with n and v, bv or sv); carrier_apn_cfg has sections that `;`
separates; lwm2m_cfg is { NAME=value; ... }. What a file leaves out has the default of the manual's tables.
"""

import json

AUTOSTART = "lwm2m_app_autostart"
BOOTSTRAP = "bootstrap.ini"
CARRIER = "carrier_apn_cfg"
CFG = "lwm2m_cfg"
QCLI = "qcli_config"
FACTORY = "factory/bootstrap.ini"

# Table 4; the "typical content" differs in three of them.
CFG_DEFAULTS = (("APN", ""), ("RETRY_TIMEOUT", 30), ("RETRY_EXPONENT_VAL", 2), ("MAX_RETRY_TIMEOUT", 640),
                ("MAX_NO_RETRIES", 5), ("ACK_TIMEOUT", 60), ("REG_RETRY_TIMEOUT", 60), ("REG_RETRY_EXPONENT", 2),
                ("REG_RETRY_MAXTIMEOUT", 480), ("ROAMING_FEAT", 1), ("PER_REGSTATUS_FEAT", 0), ("BATTERY_LEVEL_THRESHOLD", 20),
                ("CARRIER_TYPE", 0),
                ("REBOOTSTRAP_REG_FAILS_MAX_NO_ATTEMPTS", 0), ("REG_EP_NAME", 4), ("BOOTSTRAP_EP_NAME", 7),
                ("BOOT_UP_SLEEP_TIME", 5), ("GPS_MIN_INTERVAL", 3000), ("GPS_MIN_DISTANCE", 1))
_URIS = ("coap://leshan.eclipse.org:5683", "coaps://bootp.iot.t-mobile.com:5684", "coap://127.0.0.1:5783",
         "coaps://boot.lwm2m.vzwdm.com:5684", "coap://127.0.0.1:5683", "coaps://ibm-boot.lwm2m.att.com:5694")
_CLIENT_INITIATED = (1, 2, 3, 5)


def built_in(server_type):
    """The files that "select" loads for one of the six server types."""
    bootstrap = server_type in _CLIENT_INITIATED
    uri = _URIS[server_type]
    files = {AUTOSTART: "lwm2m\n", QCLI: "qcli\n",
             CARRIER: "APN_NAME=\nAPN_CLASS=2\nSHORT_SERVER_ID1=%d\n" % (100 if bootstrap else 101),
             CFG: "{\n%s}\n" % "".join(["%s=%s;\n" % pair for pair in CFG_DEFAULTS[:-2]])}
    security = {"uri": uri, "bootstrap": bootstrap, "security": 0 if uri.startswith("coaps") else 3}
    security["ssid"] = 100 if bootstrap else 101
    files[BOOTSTRAP] = bootstrap_text(security, 86400)
    files[FACTORY] = files[BOOTSTRAP]
    return files


def bootstrap_text(security, lifetime):
    """bootstrap.ini for one server: its Security object, and the Server object unless it is a bootstrap server."""
    text = '{"bn":"/0/1/",\n"e":[\n{"n":"0","sv":"%s"},\n{"n":"1","bv":%s},\n{"n":"2","v":%d},\n{"n":"10","v":%d\n}]}\n' % (
        security["uri"], "true" if security["bootstrap"] else "false", security["security"], security["ssid"])
    if not security["bootstrap"]:
        text += '{"bn":"/1/1/",\n"e":[\n{"n":"0","v":%d},\n{"n":"1","v":%d},\n{"n":"7","sv":"U"\n}]}\n' % (
            security["ssid"], lifetime)
    return text


def sequences(text):
    """The JSON objects of a bootstrap.ini, one after the other; what is no JSON is skipped."""
    found = []
    depth = start = 0
    quoted = False
    for index in range(len(text)):
        letter = text[index]
        if letter == '"' and text[index - 1 : index] != "\\":
            quoted = not quoted
        elif not quoted and letter == "{":
            start = index if depth == 0 else start
            depth += 1
        elif not quoted and letter == "}" and depth:
            depth -= 1
            if depth == 0:
                try:
                    found.append(json.loads(text[start : index + 1]))
                except ValueError:
                    continue
    return found


def resources(text):
    """{(object, instance): {resource: value}} of a bootstrap.ini."""
    found = {}
    for sequence in sequences(text):
        base = sequence.get("bn", "")
        for entry in sequence.get("e", ()):
            numbers = [part for part in (base + str(entry.get("n", ""))).split("/") if part]
            if len(numbers) < 3 or not all([part.isdigit() for part in numbers]):
                continue
            place, resource = (int(numbers[0]), int(numbers[1])), int(numbers[2])
            for field in ("v", "bv", "sv", "ov"):
                if field in entry:
                    found.setdefault(place, {})[resource] = entry[field]
    return found


def pairs(text):
    """[{NAME: value}, ...]: the sections of carrier_apn_cfg, or the one of lwm2m_cfg when `;` ends each line."""
    sections = [{}]
    for line in text.replace("{", "\n").replace("}", "\n").split("\n"):
        line = line.strip()
        if line.startswith(";"):
            sections.append({})
            line = line[1:].strip()
        comment = line.find("/*")
        if comment >= 0:
            line = line[:comment].strip()
        name, equals, value = line.partition("=")
        if not equals:
            continue
        value = value.strip()
        if value.endswith(";"):
            value = value[:-1].strip()
        sections[-1][name.strip()] = int(value) if value.isdigit() else value
    return [section for section in sections if section]


class Settings:
    """What the client takes from the files when it starts."""

    def __init__(self, files):
        self.autostart = AUTOSTART in files
        self.cfg = dict(CFG_DEFAULTS)
        for section in pairs(files.get(CFG, "")):
            self.cfg.update(section)
        if "FER_REGSTATUS_FEAT" in self.cfg:  # Table 4 spells it so
            self.cfg["PER_REGSTATUS_FEAT"] = self.cfg["FER_REGSTATUS_FEAT"]
        self.carriers = pairs(files.get(CARRIER, ""))
        self.accounts = _accounts(resources(files.get(BOOTSTRAP, "")))

    def server(self):
        """The first LwM2M server, None where there is only a bootstrap server."""
        return _first(self.accounts, False)

    def bootstrap(self):
        """The bootstrap server, or None."""
        return _first(self.accounts, True)

    def carrier(self, ssid):
        """The section of carrier_apn_cfg for a short server id, {} without."""
        for section in self.carriers:
            if section.get("SHORT_SERVER_ID1") == ssid:
                return section
        return {}

    def apn(self, ssid):
        """The APN for a server (3.1.2: carrier_apn_cfg, else lwm2m_cfg)."""
        return self.carrier(ssid).get("APN_NAME") or self.cfg["APN"]


def _accounts(found):
    accounts = []
    for place in sorted(found):
        values = found[place]
        if place[0] != 0 or not values.get(0):
            continue
        ssid = values.get(10, 0)
        account = {"uri": values[0], "bootstrap": bool(values.get(1)), "security": values.get(2, 3), "ssid": ssid}
        account.update({"lifetime": 86400, "binding": "U"})
        for other in found:
            if other[0] == 1 and found[other].get(0) == ssid:
                account["lifetime"] = int(found[other].get(1, 86400))
                account["binding"] = found[other].get(7, "U")
        accounts.append(account)
    return accounts


def _first(accounts, bootstrap):
    for account in accounts:
        if account["bootstrap"] == bootstrap:
            return account
    return None


def set_account(files, **changes):
    """Change the account in bootstrap.ini: uri, bootstrap, security, ssid, lifetime."""
    accounts = _accounts(resources(files.get(BOOTSTRAP, "")))
    account = accounts[0] if accounts else {"uri": _URIS[0], "bootstrap": False, "security": 3, "ssid": 101}
    account.setdefault("lifetime", 86400)
    account.update(changes)
    files[BOOTSTRAP] = bootstrap_text(account, account["lifetime"])


def set_cfg(files, **changes):
    """Change lines of lwm2m_cfg."""
    settings = dict(CFG_DEFAULTS[:-2])
    for section in pairs(files.get(CFG, "")):
        settings.update(section)
    settings.update(changes)
    order = [name for name, _ in CFG_DEFAULTS if name in settings]
    order += sorted([name for name in settings if name not in order])
    files[CFG] = "{\n%s}\n" % "".join(["%s=%s;\n" % (name, settings[name]) for name in order])
