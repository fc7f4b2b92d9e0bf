"""What a module of a family refuses by its manual: forms, ranges, and what needs a session or must not have one.

    manual = Manual("bg96")
    manual.refusal('AT+QLWM2M="dltype",2')       -> "ERROR"          0 or 1 (guide 4.1)
    manual.said('+QLWEVENT: 5,"STATE_READY"')
    manual.refusal('AT+QLWM2M="register"')       -> "ERROR"          it is registered

A Talker asks it about each line: what its script does not answer is refused, and a script that says OK to it is wrong. Lines
that are not LwM2M's are none of its business.
"""

from lwnode.at import fields

# Values of a form: s text, x digits in hexadecimal, N-M a number, a|b one of these, * anything to the end; behind / optional.
_ID = "0-65535"
_PATH = _ID + " " + _ID + " " + _ID
_SUBS = {
    "select": "/ 0-5", "cdp": "/ s 0-65535", "epns": "/ 0-1 s", "bsmode": "/ 0-1", "mbsps": "/ s s s s s / s",
    "register": "/ 0-1", "update": "1-65534 / 0-1",
    "deregister": "", "lifetime": "1-65534 30-86400", "uldata": "19|10250|26241 1-1460 *",
    "ulhex": "19|10250|26241 1-1460 x", "dltype": "0-1", "ippref": "0-1", "enable": "0-1", "qcli_en": "0-1", "psk": "0-1",
    "apn": "s", "endpoint": "4|7 4|7",
    "reset": "", "clean": "",
}
_CATEGORIES = {"0": "", "1": "s", "2": "30-86400", "3": "0-1", "4": "0|3"}  # of "bootstrap"
_SETTINGS = {
    "auto_reg": "0-1", "per_regstatus_feat": "0-1", "rai_enable": "0-1", "retransmit": "1-20 0-8", "auto_ack": "0-1",
    "access_mode": "0-1", "recovery_mode": "0-1", "retransmit_mode": "0-1",
}
_VALUE = " 1-5 0-1024 * "
# name: values of its set form; None: it has none. "?" or "" behind the name: a read form, a form without values.
_FORMS = {
    "bc20": {
        "+QLWSERV": "s 0-65535", "+QLWSERV?": None, "+QLWCONF": "s", "+QLWCONF?": None,
        "+QLWADDOBJ": _ID + " / 0-65535 / 1-14 s",
        "+QLWDELOBJ": _ID, "+QLWOPEN": "0-1", "+QLWUPDATE!": None, "+QLWCLOSE!": None, "+QLWDEL!": None, "+QLWRD": "1-512",
        "+QLWDATASEND": _PATH + " 1-512 *", "+QLWDATASTATUS?": None, "+QLWCFG": "dataformat 0-1 0-1",
    },
    "bc66": {
        "+QLWCONFIG": "0-1 s 1-65535 s 20-31536000 0|3 / s x", "+QLWCONFIG?": None, "+QLWCFG?": None, "+QLWREG!": None,
        "+QLWUPDATE": "0-1 0-31536000", "+QLWDEREG!": None, "+QLWADDOBJ": _ID + " " + _ID + " 1-14 *", "+QLWADDOBJ?": None,
        "+QLWDELOBJ": _ID, "+QLWRDRSP": _ID + " 1|11|12|13|14|15 / *", "+QLWWRRSP": _ID + " 2|11|12|13|14",
        "+QLWRRSP": _ID + " 2|11|12|13|14", "+QLWEXERSP": _ID + " 2|11|12|13|14", "+QLWOBSRSP": _ID + " 1|11|12|13|14|15 / *",
        "+QLWNOTIFY": _ID + " " + _ID + " -1-65535" + _VALUE, "+QLWRD?": None, "+QLWRD!": None, "+QLWSTATUS?": None,
        "+QLWRECOVER!": None, "+QLWDATASEND": _PATH + " 1-512 *",
    },
    "me910c1": {
        "#LWM2MSTAT!": None, "#LWM2MMON": "0-1 / 1-65535", "#LWM2MMON?": None, "#LWM2MENA": "0-1 / 1-6 / 0-1 / 1-100 / 1-100",
        "#LWM2MENA?": None, "#LWM2MACK": "1", "#LWM2MR": "0 " + _PATH + " " + _ID, "#LWM2ME": "0 " + _PATH + " " + _ID,
        "#LWM2MW": "0 " + _PATH + " " + _ID + " *", "#LWM2MSTS": "0 / *", "#LWM2MSET": "0-3 " + _PATH + " " + _ID + " *",
        "#LWM2MNEWINST": "0 7-65534 0-65534", "#LWM2MGET": "0-3 " + _PATH + " " + _ID, "#LWM2MFOTACFG": "0 0-3",
        "#LWM2MFOTAACK": "0 1", "#LWM2MINJKEYS": "0 0-3 *", "#LWM2MNFYACKURI": "0 0-2 / " + _PATH, "#LWM2MNFYACKENA": "0 0-2",
        "#LWM2MEXIST": "0 / 0-65535 / 0-65535 / 0-65535 / 0-65535",
    },
}  # fmt: skip
# What is said when a session begins and ends.
_BEGINS = {"bc66": ("+QLWREG: 0", '+QLWURC: "recovered",0', '+QLWURC: "ping",0'), "bc20": ("CONNECT OK", "UPDATE OK"),
           "bg96": ("+QLWEVENT: 5",), "me910c1": ()}
_ENDS = {"bc66": ("+QLWDEREG: 0", "+QLWREG: ", '+QLWURC: "bootstrap_request_trigger"', '+QLWURC: "factory_reset"'),
         "bc20": ("CLOSE OK",), "bg96": ("+QLWEVENT: ", "RDY"),
         "me910c1": ()}
# Commands that begin a session, and those that need one.
_WITHOUT = {"bc66": ("+QLWREG", "+QLWCONFIG="), "bc20": ("+QLWOPEN",), "bg96": ('+QLWM2M="register"',),
            "me910c1": ("#LWM2MENA=1",)}
_WITHIN = {
    "bc66": ("+QLWUPDATE=", "+QLWNOTIFY=", "+QLWRDRSP=", "+QLWWRRSP=", "+QLWEXERSP=", "+QLWOBSRSP=", "+QLWDEREG"),
    "bc20": ("+QLWUPDATE", "+QLWCLOSE", "+QLWDATASEND="),
    "bg96": ['+QLWM2M="%s"' % name for name in ("update", "deregister", "lifetime", "uldata", "ulhex")],
    "me910c1": ("#LWM2MR=", "#LWM2ME=", "#LWM2MW="),
}


class Manual:
    """One module: whether a session stands (None until it has been said), and what it refuses."""

    def __init__(self, family) -> None:
        self.family = family
        self.session = None

    def said(self, line: str) -> None:
        """The module says this."""
        if [True for words in _BEGINS[self.family] if line.startswith(words)]:
            self.session = True
        elif [True for words in _ENDS[self.family] if line.startswith(words)]:
            self.session = False

    def refusal(self, line: str) -> "str | None":
        """The final result by which a line is refused, None for one that is taken."""
        for part in line.split(";#")[1:]:  # Telit 2.2.2: several in a line, up to the first that is refused
            refused = self.refusal("AT#" + part)
            if refused:
                return refused
        body = line[2:].split(";#")[0]
        if body[:4] != "+QLW" and body[:6] != "#LWM2M":
            return None
        code = 0
        if not self._fits(body):
            code = 3
        elif self.session and [True for name in _WITHOUT[self.family] if body.startswith(name)]:
            code = 33
        elif self.session is False and [True for name in _WITHIN[self.family] if body.startswith(name)]:
            code = 4
        if code:
            return "+CMEE ERROR: %d" % code if self.family == "bc66" else "ERROR"
        return None

    def taken(self, line: str) -> None:
        """The line was answered OK."""
        if line.startswith("AT#LWM2MENA="):
            self.session = line.startswith("AT#LWM2MENA=1")
        elif line.startswith('AT+QLWM2M="deregister"') or line == "AT+QLWDEL":
            self.session = False

    def _fits(self, body: str) -> bool:
        name, equals, text = body.partition("=")
        if equals and text == "?":
            return True
        values = fields(": " + text) if equals and text else []
        if name == "+QLWCONFIG" and values[5:6] == ["0"] and (len(values) != 8 or len(str(values[7])) > 256):
            return False
        if name == "+QLWADDOBJ" and len(values) > 2 and self.family == "bc66" and values[2] != str(len(values) - 3):
            return False
        if self.family == "bg96" and values[:1] == ["bootstrap"]:
            return len(values) > 1 and values[1] in _CATEGORIES and _match(_CATEGORIES[str(values[1])], values[2:])
        if self.family == "bg96":
            return name == "+QLWM2M" and bool(values) and values[0] in _SUBS and _match(_SUBS[str(values[0])], values[1:])
        if name == "+QLWCFG" and self.family == "bc66":
            form = _SETTINGS.get(str(values[0])) if values else None
            return form is not None and (len(values) == 1 or _match(form, values[1:]))
        forms = _FORMS[self.family]
        if not equals:
            return name in forms and name[-1] == "?" or name + "!" in forms
        form = forms.get(name)
        return form is not None and _match(form, values)


def _match(form: str, values: "list[str | None]") -> bool:
    tokens = form.split(" ") if form else []
    at = 0
    for token in tokens:
        if token == "/":
            if at == len(values):
                return True
        elif token == "*":
            return True
        elif at >= len(values) or not _is(token, values[at]):
            return False
        else:
            at += 1
    return at == len(values)


def _is(token: str, value: "str | None") -> bool:
    if token == "s":
        return value is not None and 0 < len(value) <= 150
    if token == "x":
        return value is not None and len(value) % 2 == 0 and not value.strip("0123456789ABCDEFabcdef")
    low, dash, high = token[1:].partition("-")
    if dash:
        try:
            return int(token[0] + low) <= int(value or "") <= int(high)
        except ValueError:
            return False
    return value in token.split("|")
