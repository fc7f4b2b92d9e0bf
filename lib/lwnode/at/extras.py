"""Commands with more than lines in their answer: payloads by length, data after a prompt, late results. Loaded on use."""

from lwnode.at.errors import AtError, CommandError
from lwnode.at.framing import Counted, Prompt, length
from lwnode.at.names import any_matches
from lwnode.at.params import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Sequence

    Payload = Callable[[str], int]
    Data = bytes | str | Iterable[bytes]


class Extras:
    """What one command expects besides information lines and OK. Made before its first byte goes out."""

    def __init__(
        self,
        client: "Any",
        payload: "Payload | None",
        data: "Data | None",
        prompt: str | None,
        result: "str | Sequence[str] | None",
    ) -> None:
        self._client = client
        self._rx = client._receive_buffer()
        self._payload = payload
        self._data = data
        self._prompt: "Prompt | None" = None
        wanted = () if result is None else (result,) if isinstance(result, str) else tuple(result)
        # SEND FAIL answers who waits for SEND OK, unless that was asked for too
        self._failures = [name[:-2] + "FAIL" for name in wanted if name[-3:] == " OK" and name[:-2] + "FAIL" not in wanted]
        self._results: "Sequence[str]" = wanted + tuple(self._failures)
        self._found = ""
        client._by_length()
        if data is not None or prompt is not None:
            self._prompt = Prompt(prompt or ">")

    def arm(self) -> None:
        """Right before the command goes out."""
        self._rx.special = self._prompt
        self._client._escape = self._prompt is not None

    def disarm(self) -> None:
        """However it ended."""
        self._rx.special = None

    def takes(self, text: str, lines: list[str]) -> bool:
        """Is this line a payload, the prompt or the late result?"""
        if self._rx.by_length:
            lines.append(text)
            return True
        if self._prompt is not None and text is self._prompt.text and self._rx.special is None:
            self._prompt = None
            self._send_data()
            return True
        return self._is_result(text)

    def follow(self, text: str) -> None:
        """After one of the command's information lines: does a payload come next?"""
        count = 0 if self._payload is None else length(self._payload, text)
        if not count:
            return
        if count > len(self._rx.bytes):
            self._rx.stats.overruns += 1
            raise AtError("a payload of %d bytes needs a larger rx_size" % count)
        self._rx.special = Counted(self._rx, count)

    def _send_data(self) -> None:
        """Bytes go out as they are, in pieces if they come so: who is short of RAM may make them as they go."""
        data = self._data
        if isinstance(data, str):
            data = data.encode()
        for piece in (data,) if isinstance(data, (bytes, bytearray, memoryview)) else data or ():
            self._client._write(piece)

    # The late result.

    def _is_result(self, text: str) -> bool:
        client = self._client
        if not any_matches(text, self._results):
            return False
        if client._dirty and any_matches(text, client._owed):  # before our OK: the one the last command missed
            client._owed = ()
            client.stats.late += 1
        elif self._found:
            return False
        else:
            self._found = text
        return True

    def finish(self, lines: list[str], timeout_ms: int) -> bool:
        """After OK: wait for the result. False: it did not come, and when it comes it belongs to nobody."""
        client = self._client
        if not self._results:
            return True
        deadline = client._deadline(timeout_ms)
        while not self._found:
            text = client._next(deadline)
            if text is None:
                client._owed = self._results
                return False
            if not self._is_result(text):
                client._unclaimed(text)
        if self._found in self._failures:
            raise CommandError(None, self._found, client._line)
        lines.append(self._found)
        return True

    def give_up(self) -> None:
        """No final result came: the late one may still come."""
        if not self._found:
            self._client._owed = self._results


def split_payloads(lines: list[str], payload: "Payload") -> "list[list[str | None]]":
    """The fields of information lines; a payload that follows one stays whole."""
    found: "list[list[str | None]]" = []
    follows = False
    for text in lines:
        found.append([text] if follows else fields(text))
        follows = not follows and length(payload, text) > 0
    return found
