"""What is secret in a command line, noted before it is sent. Loaded for lines that are secret as a whole.

    hide(b'AT+QLWCONFIG=0,"a.example.org",5684,...\\r', secrets)     secrets: what a trace paints over from now on
"""

from lwnode.at.names import fields
from lwnode.at.params import remember

ANSWER = b"\0"  # marks the name of an answer in the list of secrets; no secret has a NUL


def hide(command: bytes, secrets: list[bytes]) -> None:
    """A line whose parameters are secret: all together, and each that is long enough to be one by itself.

    Its answer is secret, too, the more so where the command only asks: AT+QLWCONFIG? prints the key of an earlier life.
    """
    name, form, values = command.strip().partition(b"=")
    remember(ANSWER + name.rstrip(b"?")[2:], secrets)
    if not form:
        return
    remember(values, secrets)
    for value in fields(str(values, "utf-8")):
        if value and len(value) > 3:
            remember(value.encode(), secrets)
