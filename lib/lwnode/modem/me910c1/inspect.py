"""ME910C1: every #LWM2M command's test and read form, asked for people and for a module of unknown firmware.

    modem.inspect()      {"AT#LWM2MMON=?": "#LWM2MMON: (0,1),(1-65535)", "AT#LWM2MACK?": "ERROR", "AT#LWM2MR?": "OK", ...}
"""

from lwnode.at import CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_COMMANDS = "STAT MON ENA ACK R E W STS SET NEWINST GET FOTACFG FOTAACK INJKEYS NFYACKURI NFYACKENA EXIST"


def inspect(modem: "Any") -> "dict[str, str]":
    """Answers by command line; the words of the refusal where there is one. STAT?, ACK? and FOTAACK? are not supported."""
    found = {}
    for name in _COMMANDS.split(" "):
        for end in ("=?", "?"):
            line = "AT#LWM2M" + name + end
            try:
                lines = modem.at.send(line)
                found[line] = " ".join(lines) or "OK"
            except CommandError as error:
                found[line] = error.text
    return found
