"""What a module's error means, for a person: 3GPP TS 27.007 9.2 (+CME ERROR) and TS 27.005 3.2.5 (+CMS ERROR).

    >>> explain(10, "+CME ERROR")
    'no SIM: insert it, contacts down, with the power off'
    >>> spelled("registration: status 13")
    'registration: status 13 (forbidden)'

These numbers are the same for all modules. +CMEE ERROR and the status codes are BC66's own (its LwM2M note, chapter 6); 500 and
above are in the module's own manual.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CME = {
    0: "the module failed in itself, without a reason: switch it off and on",
    3: "not allowed as things are: is it registered, attached, configured already?",
    4: "this module or its firmware does not know the command",
    5: "the SIM is locked to another device",
    10: "no SIM: insert it, contacts down, with the power off",
    11: "the SIM asks for its PIN: put pin into secrets.json",
    12: "the SIM asks for its PUK: put it into a telephone",
    13: "the SIM does not answer: clean it, look at its holder",
    14: "the SIM is busy: ask again in a second",
    15: "this SIM does not belong here: another card is needed",
    16: "a wrong password or PIN: three of them lock the SIM",
    17: "the SIM asks for its PIN2",
    18: "the SIM asks for its PUK2: put it into a telephone",
    20: "the module's memory is full: delete something in it",
    21: "there is no entry of that number",
    22: "not found",
    23: "the module's memory failed",
    24: "the text is too long for this parameter",
    25: "a character that this parameter may not have",
    26: "the number to dial is too long",
    27: "a character that a number to dial may not have",
    30: "no network: antenna, band, cover",
    31: "the network did not answer in time",
    32: "this network allows emergency calls only: the SIM may not be used here",
    40: "the module is locked to one network",
    50: "wrong parameters: their number, their kind or their range",
    100: "failed without a reason",
    103: "the network refuses this SIM: have it activated",
    106: "the network refuses this module: its IMEI is barred or not known",
    107: "the contract lacks data service",
    111: "this network may not be used with this SIM",
    112: "this area may not be used with this SIM",
    113: "no roaming in this area",
    132: "the network lacks this service",
    133: "the contract lacks this service: look at the APN",
    134: "the network is out of order for a while",
    148: "the network refused without a reason: look at the APN",
    149: "the APN's user or password is wrong",
}
_CMS = {
    300: "the module failed in itself: switch it off and on",
    302: "not allowed as things are",
    303: "this module does not know the command",
    304: "the message's PDU is wrong",
    305: "a parameter of text mode is wrong",
    310: "no SIM",
    311: "the SIM asks for its PIN",
    313: "the SIM does not answer",
    314: "the SIM is busy: ask again in a second",
    320: "the memory of messages failed",
    321: "there is no message of that number",
    322: "the memory of messages is full: delete some",
    330: "the message centre's number is not known: set it by AT+CSCA",
    331: "no network",
    332: "the network did not answer in time",
}
_CMEE = {
    0: "operation successful", 1: "other error", 2: "parameter number error", 3: "parameter value error", 4: "not registered",
    7: "disabled", 13: "data length is odd", 15: "not ready to receive", 32: "keep connecting", 33: "already registered",
    34: "LwM2M cannot be created",
}
_STATUS = {
    0: "success", 1: "timeout", 2: "packet not sent", 3: "recovery failed", 4: "update failed", 9: "reset",
    10: "bad request", 13: "forbidden", 14: "not found", 22: "precondition failed",
}


# lwnode.modem: what Modem.status() returns, in order
STATES = (
    "not registered", "registering", "registered", "deregistering", "recovering", "need recover", "unknown", "deregistered",
)


def spelled(text: str) -> str:
    """A refusal of the driver, which names an error or a status by its number, with the words of BC66's manual behind it."""
    words = text.split(" ")
    for at in range(len(words) - 1):
        table = {"error": _CMEE, "status": _STATUS}.get(words[at])
        number = words[at + 1].rstrip(",;)")
        if table and number.isdigit() and int(number) in table:
            words[at + 1] = "%s (%s)%s" % (number, table[int(number)], words[at + 1][len(number):])
    return " ".join(words)


def explain(code: "int | None", result: str = "+CME ERROR") -> str:
    """A sentence for a code of that kind, or "" where the number is the module's own or none was given."""
    table: "Any" = {"+CME ERROR": _CME, "+CMS ERROR": _CMS, "+CMEE ERROR": _CMEE}.get(result, {})
    return table.get(code, "")  # type: ignore[no-any-return]
