"""The nouns of the mapper: paths, requests, responses and the LwM2M data types.

    >>> path = Path(3303, 0, 5700)
    >>> str(path), path == Path.parse("/3303/0/5700")
    ('/3303/0/5700', True)
    >>> Path(3303, 0).contains(path)          # None means "all below"
    True
    >>> Response(205, [(path, FLOAT, "21.5")])
    Response(205, values: 1)

A value on its way to a module is a tuple (Path, type, text or bytes): decimal text for numbers, "0" or
"1" for booleans, bytes for OPAQUE. A record is the same with its time: (Path, type, text or bytes, when),
`when` in Unix seconds or None where the time of the measurement is not known.
"""

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Sequence, TypeAlias

    Value: TypeAlias = "tuple[Path, int, str | bytes]"
    Record: TypeAlias = "tuple[Path, int, str | bytes, int | None]"
    Plain: TypeAlias = "float | int | bool | str | bytes"

# OMA-TS-LightweightM2M-V1_0_2 appendix C. The numbers 1 to 5 are those of the BC66 as well.
NONE = const(0)
STRING = const(1)
OPAQUE = const(2)
INTEGER = const(3)
FLOAT = const(4)
BOOLEAN = const(5)
TIME = const(6)
OBJLNK = const(7)

_ID_LIMIT = const(65535)


class Path:
    """An object, instance or resource: immutable, hashable, None for all below.

    Where a multiple resource travels in a codec, a fourth id is the instance of the resource; .ids has it then too.
    """

    def __init__(
        self, object: int, instance: "int | None" = None, resource: "int | None" = None, one: "int | None" = None
    ) -> None:
        if (instance is None and resource is not None) or (resource is None and one is not None):
            raise ValueError("a resource needs its instance: Path(object, instance, resource)")
        for part in (object, instance or 0, resource or 0, one or 0):
            if not 0 <= part <= _ID_LIMIT:
                raise ValueError("an id is 0 to 65535, not %s" % part)
        self.object, self.instance, self.resource = object, instance, resource
        ids: "Any" = (object, instance, resource)  # rarely four, and three are what everything else works with
        self.ids: "tuple[int, int | None, int | None]" = ids if one is None else ids + (one,)

    @staticmethod
    def parse(text: str) -> "Path":
        """The path written in text, with or without the leading slash; ValueError with a sentence otherwise."""
        parts = text.strip("/").split("/")
        try:
            if len(parts) <= 3:
                return Path(*map(int, parts))
        except ValueError:
            pass
        raise ValueError("a path looks like /3303/0/5700, with ids of 0 to 65535, not %s" % text)

    def contains(self, other: "Path") -> bool:
        """Whether other is this path or lies below it."""
        for mine, theirs in zip(self.ids, other.ids):
            if mine is not None and mine != theirs:
                return False
        return len(self.ids) <= len(other.ids)

    def __eq__(self, other: "Any") -> bool:
        return isinstance(other, Path) and self.ids == other.ids

    def __hash__(self) -> int:
        return hash(self.ids)

    def __str__(self) -> str:
        return "".join(["/" + str(part) for part in self.ids if part is not None])

    def __repr__(self) -> str:
        return "Path(%s)" % str(self)


class Request:
    """What the server asks: operation "read" "write" "execute" "observe" "cancel" or "write_attributes".

    value holds the bytes as the server sent them, type what the module said they are (None: it did
    not say), index the number of messages that follow this one for the same request.
    """

    def __init__(
        self,
        operation: str,
        path: Path,
        message_id: "int | None" = None,
        type: "int | None" = None,
        value: bytes = b"",
        index: int = 0,
    ) -> None:
        self.operation = operation
        self.path = path
        self.message_id = message_id
        self.type = type
        self.value = value
        self.index = index


class Response:
    """The answer: code 205 204 400 401 404 405 406 500, values to send, after() to run once it is sent."""

    def __init__(
        self, code: int, values: "Sequence[Value]" = (), after: "Callable[[], None] | None" = None
    ) -> None:
        self.code = code
        self.values = values
        self.after = after

    def __repr__(self) -> str:
        return "Response(%s, values: %s)" % (self.code, len(self.values))


class Reject(Exception):
    """Raised by an application's callback to refuse a write or an execute with a code of its choice."""

    def __init__(self, code: int = 400, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
