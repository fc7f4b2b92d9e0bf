"""Commands with more than lines in their answer: payloads by length, data after a prompt, late results."""

from lwnode.at.errors import AtError, CommandError
from lwnode.at.names import any_matches, fields
from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Sequence

    Handler = Callable[[str], object]
    Payload = Callable[[str], int]
    Data = bytes | str | Iterable[bytes]


def prepare(
    client: "Any",
    command: bytes,
    name: bytes,
    prefix: str | None = None,
    timeout_ms: "int | None" = None,
    payload: "Payload | None" = None,
    data: "Data | None" = None,
    prompt: str | None = None,
    secret: bool = False,
    result: "str | Sequence[str] | None" = None,
    result_timeout_ms: int = 0,
) -> "tuple[bytes, bool, int, Extras | None]":
    """The keywords of AtClient.send, with their defaults: the answer's name, was it given, deadline, what else."""
    if timeout_ms is None:
        timeout_ms = client.timeout_ms
    if secret:
        from lwnode.at.secrets import hide

        hide(command, client._secrets)
    extras = None
    if payload or result or data is not None or prompt is not None:
        extras = Extras(client, payload, result, result_timeout_ms or timeout_ms)
        if data is not None or prompt is not None:
            extras.prepare_data(prompt or ">", data)
    if prefix is not None:
        name = prefix.encode()
    return name, prefix is not None, timeout_ms, extras


class Extras:
    """What one command expects besides information lines and OK. Made before its first byte goes out."""

    def __init__(
        self, client: "Any", payload: "Payload | None", result: "str | Sequence[str] | None", result_ms: int
    ) -> None:
        self._client = client
        self._framing: "Any" = None if payload is None else _framing(client)
        self._payload = payload
        self._prompt = b""
        self._data: "Data | None" = None
        wanted = [] if result is None else [result] if isinstance(result, str) else list(result)
        # SEND FAIL answers who waits for SEND OK, unless that was asked for too
        failures = [name[:-2] + "FAIL" for name in wanted if name[-3:] == " OK" and name[:-2] + "FAIL" not in wanted]
        self._failures = [name.encode() for name in failures]
        self._results = [name.encode() for name in wanted + failures]
        self._result_ms = result_ms
        self._found: "bytearray | None" = None
        self._waited = False  # after OK, for the result

    def prepare_data(self, prompt: str, data: "Data | None") -> None:
        """Data will go out after the prompt."""
        self._framing = _framing(self._client)
        self._prompt = prompt.encode()
        self._data = data

    def arm(self) -> None:
        """Right before the command goes out."""
        if self._prompt:
            self._framing.prompt = self._prompt
            _trouble(self._client).escape = True

    def disarm(self) -> None:
        """However it ended. A result that did not come may still come, and belongs to nobody then."""
        if self._framing is not None:
            self._framing.clear()
        if self._results and not self._found and (self._client._dirty or self._waited):
            state = _trouble(self._client)
            state.owed = () if state.booted else self._results
            state.owed_since = self._client.clock.ticks_ms()

    def takes(self, line: bytearray, lines: list[bytearray]) -> bool:
        """Is this line a payload, the prompt or the late result?"""
        if self._framing is not None and self._framing.by_length:
            lines.append(line)
            return True
        if self._prompt and not self._framing.prompt:
            self._prompt = b""
            self._send_data()
            return True
        return self.is_result(line)

    def follow(self, line: bytearray) -> None:
        """After one of the command's information lines: does a payload come next?"""
        if self._payload is None:
            return
        from lwnode.at.framing import length

        client = self._client
        count = length(self._payload, client._text(line))
        if count > client._rx.size:
            client.stats.overruns += 1
            raise AtError("a payload of %d bytes needs a larger rx_size" % count)
        if count:
            self._framing.expect(client._rx, count)

    def _send_data(self) -> None:
        """Bytes go out as they are, in pieces if they come so: who is short of RAM may make them as they go."""
        data = self._data
        if isinstance(data, str):
            data = data.encode()
        for piece in (data,) if isinstance(data, (bytes, bytearray, memoryview)) else data or ():
            self._client._write(piece)

    # The late result.

    def is_result(self, line: bytearray) -> bool:
        """Whether this line is the late result; it is kept."""
        client = self._client
        if not any_matches(line, self._results):
            return False
        late = client._trouble
        if client._dirty and late is not None and late.owes(line, client.clock.ticks_ms(), client.clock):
            late.owed = ()  # before our OK: what the last command missed
            client.stats.late += 1
        elif self._found:
            return False
        else:
            self._found = line
        return True

    def deadline(self) -> int:
        """When OK has come: until when the result may come."""
        clock = self._client.clock
        return clock.ticks_add(clock.ticks_ms(), self._result_ms)  # type: ignore[no-any-return]

    def is_complete(self, lines: list[bytearray]) -> bool:
        """After OK: whether nothing more is to come; the result is the last line then."""
        client = self._client
        self._waited = bool(self._results) and not self._found
        if self._found:
            if self._found in self._failures:
                raise CommandError(None, client._text(self._found), client._command)
            lines.append(self._found)
        return not self._waited


# What a plain answer with a late result does without: values by length, prompts, and the memory of what went wrong.


def _framing(client: "Any") -> "Any":
    from lwnode.at.framing import framing

    return framing(client._rx)


def _trouble(client: "Any") -> "Any":
    from lwnode.at.recovery import trouble

    return trouble(client)


def split_all(lines: list[str], payload: "Payload | None") -> "list[list[str | None]]":
    """The fields of information lines; a payload that follows one stays whole."""
    from lwnode.at.framing import length

    found: "list[list[str | None]]" = []
    follows = False
    for text in lines:
        found.append([text] if follows else fields(text))
        follows = payload is not None and not follows and length(payload, text) > 0
    return found


def subscribe(client: "Any", prefix: bytes, handler: "Handler | None", payload: "Payload | None") -> None:
    """See AtClient.subscribe."""
    kept = [entry for entry in client._subscribed if entry[0] != prefix]
    if handler is not None:
        place = 0
        while place < len(kept) and len(kept[place][0]) > len(prefix):
            place += 1
        kept.insert(place, (prefix, handler))
    client._subscribed = kept
    if payload is not None or client._rx.framing is not None:
        _framing(client).declare(prefix, payload)
