"""ME910C1: the 173 +CME ERROR codes by name (2.2.2.1). Loaded when one comes as a number, and dropped again.

    reason(CommandError(3, "3"))               "operation not allowed (3)"
    reason(CommandError(None, "Invalid URI"))  "Invalid URI": words come as they are, by AT+CMEE=2 (3.1.17)

Codes in a row share one entry: first number, then their names. 569 stands in the manual without one.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lwnode.at import CommandError

_NAMES = (
    "0=phone failure|no connection to phone|phone adaptor link reserved|operation not allowed|operation not supported"
    "|PH-SIM PIN required|PH-FSIM PIN required|PH-FSIM PUK required",
    "10=SIM not inserted|SIM PIN required|SIM PUK required|SIM failure|SIM busy|SIM wrong|incorrect password"
    "|SIM PIN2 required|SIM PUK2 required",
    "20=memory full|invalid index|not found|memory failure|text string too long|invalid characters in text string"
    "|dial string too long|invalid characters in dial string",
    "30=no network service|network timeout|network not allowed - emergency calls only",
    "34=numeric parameter instead of text parameter|text parameter instead of numeric parameter"
    "|numeric parameter out of bounds|text string too short|The GPIO Pin is already used",
    "40=network personalization PIN required|network personalization PUK required"
    "|network subset personalization PIN required|network subset personalization PUK required"
    "|service provider personalization PIN required|service provider personalization PUK required"
    "|corporate personalization PIN required|corporate personalization PUK required",
    "49=EAP method not supported|Invalid EAP parameter|Parameter length error for all Auth commands"
    "|Temporary error for all Auth command|not verified hidden key",
    "100=unknown",
    "103=Illegal MESSAGE",
    "106=Illegal ME|GPRS services not allowed",
    "111=PLMN not allowed|Location area not allowed|Roaming not allowed in this location area",
    "132=service option not supported|requested service option not subscribed|service option temporarily out of order",
    "148=unspecified GPRS error|PDP authentication failure|invalid mobile class",
    "257=network rejected request|retry operation|invalid deflected to number|deflected to own number"
    "|unknown subscriber|service not available|unknown class|unknown network message",
    "273=Minimum TFT per PDP address error|Duplicate TFT eval prec index|Invalid TFT param combination",
    "277=Invalid number of parameters|Invalid Parameter",
    "320=Call index error|Call state error|Sys state error|Parameters error",
    "550=generic undocumented error|wrong state|wrong mode|context already activated|stack already active"
    "|activation failed|context not opened|can not setup socket|can not resolve DN|time-out in opening socket"
    "|can not open socket|remote disconnected or time-out|connection failed|tx error|already listening"
    "|socket disconnection|can not resume socket|ip version type incompatible|ipv6 not enabled|",
    "600=Generic undocumented error|wrong state|Can not activate|Can not resolve name|Can not allocate control socket"
    "|Can not connect control socket|Bad or no response from server|Not connected|Already connected|Context down",
    "612=Resource used by other instance|Data socket yet opened in cmdmode|FTP CmdMode data socket closed"
    "|FTP not connected|FTP disconnected|FTP read command closed|FTP read command error|FTP write command closed"
    "|FTP write command error|FTP read data closed|FTP read data error|FTP write data closed|FTP write data error"
    "|FTP host not found|FTP accept failure|FTP listen failure|FTP bind failure|FTP file create failure"
    "|FTP file get failure|FTP file put failure|FTP file not found|FTP timed out|FTP login incorrect|FTP close error"
    "|FTP server not ready|FTP server shutdown|FTP unexpected reply|FTP user ID and password don't match"
    "|FTP user ID and password don't match|FTP user already logged in|FTP open channel timeout"
    "|FTP communication timeout|FTP unknown error",
    "657=Network survey error (No Carrier)|Network survey error (Busy)|Network survey error (Wrong request)"
    "|Network survey error (Aborted)",
    "680=LU processing|Network search aborted|PTM mode|Network search terminated|CSG Search processing",
    "690=Active call state|RR connection established",
    "770=SIM invalid",
    "900=No Response for AT Command",
    "1000=SSL not activated|SSL certs and keys wrong or not stored|SSL generic error|SSL already activated"
    "|SSL error during handshake|SSL socket error|SSL invalid state|SSL cannot activate|SSL not connected"
    "|SSL already connected|SSL error enc/dec data|SSL disconnected",
    "1100=Model not recognized|Model information missing|Unable to open the file|Unable to close the file"
    "|Unable to read the nv file|Unable to write the nv file|Input pattern is wrong",
    "1113=Call establishment failed|File name already exist",
)


def reason(error: "CommandError") -> str:
    """What the module gave as its reason, in words."""
    code = error.code
    if code is None or error.result == "+CMS ERROR":  # another table (2.2.2.2), which no LwM2M command uses
        return error.text if code is None else "+CMS ERROR: %d" % code
    for row in _NAMES:
        first, _, rest = row.partition("=")
        if int(first) > code:
            break
        names = rest.split("|")
        if code - int(first) < len(names) and names[code - int(first)]:
            return "%s (%d)" % (names[code - int(first)], code)
    return "error %d" % code
