"""One node's values through its server, on the contracts that carry a question: pull and shadow by reads, a pipe by a command.

    asker = Asker(server, events)
    asker.values("node-1", registration, ["/9/0/1", "/9/0/9"])     # {"/9/0/1": "0", ...}; TimeoutError where it is silent

A pipe's answer is a pack on 19/0/0, which is observed for it; a node that sleeps is asked until `patience_s` is over.
"""

import time

from testing.lwm2m.codec import CodecError, decode_senml
from tools.interop.answers import plain

_FIRST_S, _LONGEST_S = 0.5, 30.0
_REST_S, _AGAIN_S = 5.0, 20.0  # what may still come of an answer; before a question is put again


def contract_of(registration):
    """"typed" where the server reaches a node's own objects (sensors, 26250 ...), "pipe" where it reaches object 19 alone."""
    objects = {int(each["url"].split("/")[1]) for each in registration.get("objectLinks", []) if each.get("url", "/") != "/"}
    return "pipe" if 19 in objects and not any(3200 <= one <= 3500 or 26250 <= one <= 26299 for one in objects) else "typed"


def has(registration, path):
    """Whether a registration names this instance, such as /9/0; a pipe carries what its node has without naming it."""
    return contract_of(registration) == "pipe" or any(each.get("url") == path for each in registration.get("objectLinks", []))


def pack(*records):
    """A pack of commands: (path, value) with value None for a question; bytes, int or None."""
    data = bytes([0x80 + len(records)])
    for path, value in records:
        data += (b"\xa1" if value is None else b"\xa2") + b"\x00" + _head(0x60, len(path)) + path.encode()
        if isinstance(value, bytes):
            data += b"\x08" + _head(0x40, len(value)) + value
        elif value is not None:
            data += b"\x02" + _head(0, value)
    return data


def _head(kind, number):
    """Major type and number of a CBOR item (RFC 8949, 3)."""
    return bytes([kind + number]) if number < 24 else bytes([kind + 25]) + number.to_bytes(2, "big")


class Asker:
    """See the module. Blocking; `events` is an Events, needed for pipes and for answers that a server delivers late."""

    def __init__(self, server, events=None, patience_s=600.0, timeout_s=5):
        self.server, self.events, self.patience_s, self.timeout_s = server, events, patience_s, timeout_s
        self.observed = set()  # pipes whose packs this server is told

    def asked(self, question, endpoint, *given):
        """Put a question until the node answers: an Answer whose code is the node's. TimeoutError when patience is over.

        A node in the field listens for some seconds after it has shown itself, and sleeps for minutes: asked again just then.
        """
        deadline, wait = time.monotonic() + self.patience_s, _FIRST_S
        while True:
            mark = self.events.count if self.events else 0
            answer = question(endpoint, *given, self.timeout_s)
            if answer.delayed and self.events:
                found = self.events.answer(answer.document.get("requestId"), mark, deadline - time.monotonic())
                if found is not None:
                    answer.document |= found
                    answer.delayed = False
                    answer.code = int("".join(char for char in str(found.get("status")) if char.isdigit()) or 504)
            if answer.http == 200 and not answer.delayed and answer.code != 504:
                return answer
            if time.monotonic() + wait > deadline:
                raise TimeoutError(f"no answer within {self.patience_s:.0f} s (HTTP {answer.http})")
            if self.events is None or not self.events.shows(endpoint, mark, wait):
                time.sleep(0 if self.events else wait)
            wait = min(wait * 2, _LONGEST_S)

    def values(self, endpoint, registration, paths):
        """{path: value} of those that the node has; bytes for opaque ones of a pipe, hex text from a server."""
        if contract_of(registration) == "pipe":
            return self.reported(endpoint, paths, *[(path, None) for path in paths])
        found = {}
        for path in paths:
            answer = self.asked(self.server.read, endpoint, path)
            if answer.code != 205:
                continue
            if path.count("/") == 2:
                found |= {f"{path}/{id}": value for id, value in answer.values.items()}
            else:
                found[path] = answer.value
        return found

    def command(self, endpoint, *records):
        """Send a pack of commands to a pipe."""
        return self.asked(self.server.write, endpoint, "/19/1/0", pack(*records))

    def reported(self, endpoint, paths, *records):
        """Send commands to a pipe, and wait for the pack that answers them: {path: value} of what is at or below `paths`.

        Sent again where none comes: a pipe's module takes what its host sleeps through, and says so to nobody.
        """
        found, mark = {}, self.events.count
        deadline, again = time.monotonic() + self.patience_s, 0.0
        while not all(any(name.startswith(path) for name in found) for path in paths):
            if not found and time.monotonic() >= again:
                if again or endpoint not in self.observed:
                    self.asked(self.server.observe, endpoint, "/19/0/0")
                    self.observed.add(endpoint)
                self.command(endpoint, *records)
                again = time.monotonic() + _AGAIN_S
            until = deadline if found else min(deadline, again)
            mark, document = self.events.first(lambda name, one: name == "NOTIFICATION" and one.get("ep") == endpoint, mark,
                                               until - time.monotonic())
            if document is None:
                if found:
                    break  # a path that has no value is not in the answer
                if time.monotonic() >= deadline:
                    raise TimeoutError(f"no pack within {self.patience_s:.0f} s")
                continue
            news = readings(document)
            found |= {name: value for name, value in news.items() if any(name.startswith(path) for path in paths)}
            if found:
                deadline = min(deadline, time.monotonic() + _REST_S)
        return found


def readings(document):
    """{path: value} of the pack in a notification's document, empty where it holds none."""
    value = document.get("val", {}).get("value")
    try:
        found = decode_senml(112, bytes.fromhex(value))
    except (CodecError, ValueError, TypeError):
        return {}
    return {"/" + "/".join(str(part) for part in one.path): plain(one.value)
            for one in found if one.value is not None}
