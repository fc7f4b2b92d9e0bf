"""What a command's answer is called, and whether a line has that name."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

# 3GPP TS 27.007: the answer of these has one field more (<n>) than the URC of the same name.
REGISTRATION = ("+CREG", "+CGREG", "+CEREG", "+C5GREG")


def matches(line: str, prefix: str) -> bool:
    """A prefix is a whole name: a colon, blank, comma or the end follows. One that has a colon is literal."""
    if not line.startswith(prefix):
        return False
    size = len(prefix)
    return not size or len(line) == size or line[size] in ": ," or ":" in prefix


def any_matches(line: str, prefixes: "Sequence[str]") -> bool:
    """Does the line have one of these names?"""
    for prefix in prefixes:
        if matches(line, prefix):
            return True
    return False


def answer_name(line: str) -> str:
    """What the information lines of a command begin with: +X for AT+X=?, "" for basic commands (ATI, AT&V)."""
    if len(line) < 3 or line[2] == "&" or line[2].isalpha():
        return ""
    end = len(line)
    for mark in "=?;":
        found = line.find(mark, 3, end)
        if found > 0:
            end = found
    return line[2:end]


def answers_registration(line: str, text: str) -> bool:
    """+CEREG: 2,5,"1A2B" answers AT+CEREG?, and +CEREG: 5,"1A2B" is the URC."""
    if line[-2:] == "=?":
        return True
    second = text.find(",") + 1
    return line[-1] == "?" and second > 0 and text[second:].lstrip()[:1] != '"'
