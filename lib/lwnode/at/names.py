"""What a command's answer is called, whether a line has that name, and what stands behind it."""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Sequence


def matches(line: "bytes | bytearray", prefix: bytes) -> bool:
    """A prefix is a whole name: a colon, blank, comma or the end follows. One that has a colon is literal."""
    if not line.startswith(prefix):
        return False
    size = len(prefix)
    return not size or len(line) == size or line[size] in b": ," or b":" in prefix


def any_matches(line: "bytes | bytearray", prefixes: "Sequence[bytes]") -> bool:
    """Has the line one of these names?"""
    for prefix in prefixes:
        if matches(line, prefix):
            return True
    return False


def find(table: "list[tuple[bytes, Any]]", line: "bytes | bytearray") -> "Any":
    """What stands beside the first prefix that the line has, or None."""
    for entry in table:
        if matches(line, entry[0]):
            return entry[1]
    return None


def latin(line: "bytes | bytearray", stats: "Any") -> str:
    """A line that is no UTF-8, character by character."""
    stats.garbage += 1
    return "".join(map(chr, line))


def answer_name(line: bytes) -> bytes:
    """What the information lines of a command (with its CR) begin with: +X for AT+X=?, nothing for AT, ATI, AT&V."""
    if line[2] in b"\r&" or line[2] > 64:
        return b""
    end = line.find(b"?", 3)
    if end < 0:
        end = len(line) - 1
    cut = line.find(b"=", 3, end)
    if cut > 0:
        end = cut
    cut = line.find(b";", 3, end)
    return line[2 : cut if cut > 0 else end]


def fields(line: str) -> "list[str | None]":
    """The parameters after the line's own name: unquoted, None where empty, (0,1) kept whole.

    Nothing is converted: 0000 may be a payload. A quote ends a string only before a comma or the end, so that a
    quote inside a text does no harm.

    >>> fields('+CCLK: "20/04/05,15:38:02+08",,0000')
    ['20/04/05,15:38:02+08', None, '0000']
    """
    start = line.find(":") + 1  # modules write +NAME: 1, +NAME:1 and +NAME :1, or no name at all
    if start and (line.find(",", 0, start) >= 0 or line.find('"', 0, start) >= 0 or line.startswith("//", start)):
        start = 0
    found: "list[str | None]" = []
    while line.startswith(" ", start):
        start += 1
    if start == len(line):
        return found
    while start >= 0:
        while line.startswith(" ", start):
            start += 1
        stop = line.find(",", start)
        if line.startswith('"', start):
            stop = _close(line, start, '"')
        elif line.startswith("(", start):
            stop = _close(line, start, ")")
        found.append(_field(line[start:] if stop < 0 else line[start:stop]))
        start = stop + 1 or -1
    return found


def _field(part: str) -> "str | None":
    if part.endswith(" "):
        part = part.rstrip()
    if part.startswith('"'):
        return part[1:-1] if part.endswith('"') and part != '"' else part[1:]
    return part or None


def _close(line: str, start: int, closing: str) -> int:
    """Index of the comma behind a quoted or bracketed field, or -1."""
    stop = line.find(closing, start + 1)
    while stop >= 0:
        following = line[stop + 1 :].lstrip()
        if not following or following.startswith(","):
            break
        stop = line.find(closing, stop + 1)
    return line.find(",", stop) if stop >= 0 else -1
