"""What a command's answer is called, whether a line has that name, and what stands behind it."""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any


def matches(line: "bytes | bytearray", prefix: bytes) -> bool:
    """A prefix is a whole name: a colon, blank, comma or the end follows. One that has a colon is literal."""
    if not line.startswith(prefix):
        return False
    size = len(prefix)
    return not size or len(line) == size or line[size] in b": ," or b":" in prefix


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
    """What the information lines of a command begin with: +X for AT+X=?, nothing for basic ones (AT, ATI, AT&V)."""
    if len(line) < 3 or line[2] in b"&" or line[2] > 64:
        return b""
    end = line.find(b"?", 3)
    if end < 0:
        end = len(line)
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
    return split(line.encode())


def split(line: "bytes | bytearray") -> "list[str | None]":
    """The same for a line that is still bytes. Modules write +NAME: 1, +NAME:1 and +NAME :1, or no name at all."""
    colon = line.find(b":")
    start = colon + 1
    if colon >= 0 and (b"," in line[:colon] or b'"' in line[:colon] or line.startswith(b"//", start)):
        start = 0
    found: "list[str | None]" = []
    size = len(line)
    while start < size:
        while start < size and line[start] == 32:
            start += 1
        stop = line.find(b",", start)
        if start < size and line[start] in b'"(':
            stop = _close(line, start)
        if stop < 0:
            stop = size
        part = line[start:stop].strip()
        if part.startswith(b'"'):
            part = part[1 : -1 if len(part) > 1 and part[-1] == 34 else size]
            found.append(str(part, "utf-8"))
        else:
            found.append(str(part, "utf-8") if part else None)
        start = stop + 1
    if size and line[-1] == 44:
        found.append(None)
    return found


def _close(line: "bytes | bytearray", start: int) -> int:
    """Index of the comma behind a quoted or bracketed field, or -1."""
    closing = b'"' if line[start] == 34 else b")"
    stop = line.find(closing, start + 1)
    while stop >= 0:
        following = line[stop + 1 :].lstrip()
        if not following or following[0] == 44:
            break
        stop = line.find(closing, stop + 1)
    return line.find(b",", stop) if stop >= 0 else -1
