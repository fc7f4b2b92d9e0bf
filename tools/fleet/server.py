"""What a fleet's server tells: `Server` is its REST interface (tools/interop/rest.py), `Events` follows its event stream."""

import http.client
import json
import threading
import time

from tools.interop.rest import Rest as Server

__all__ = ["Events", "Server"]

_KEPT = 20000
_AWAKE = ("REGISTRATION", "UPDATED", "NOTIFICATION", "AWAKE")


class Events:
    """The event stream, followed by a thread. `count` numbers what comes; the last _KEPT of it are there to be looked for."""

    def __init__(self, server):
        self.count = 0
        self._kept = []
        self._news = threading.Condition()
        self._stream = server.stream("/api/event" if server.modern else "/event", 86400)
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self):
        name = None
        try:
            for line in self._stream:
                text = line.decode(errors="replace").strip()
                if text.startswith("event:"):
                    name = text[6:].strip()
                elif text.startswith("data:") and name:
                    with self._news:
                        self._kept.append((name, json.loads(text[5:])))
                        self.count += 1
                        if len(self._kept) > _KEPT:
                            del self._kept[: _KEPT // 2]
                        self._news.notify_all()
        except (OSError, ValueError, http.client.HTTPException):
            pass  # the server went, or somebody closed this

    def answer(self, request, after, timeout):
        """The late answer to a request that a server has put off, by its id; None when none came in time."""
        return self.first(lambda name, one: name == "REQUEST_RESPONSE" and one.get("requestId") == request, after, timeout)[1]

    def shows(self, endpoint, after, timeout):
        """Wait until that node shows itself: it registers, updates, notifies or wakes. Whether it did in time."""
        return self.first(lambda name, one: name in _AWAKE and endpoint in (
            one.get("ep"), one.get("endpoint"), one.get("registration", {}).get("endpoint")), after, timeout)[1] is not None

    def first(self, wanted, after, timeout):
        """(number, document) of the first event behind number `after` for which wanted(name, document) is true; else None."""
        deadline, seen = time.monotonic() + timeout, after
        with self._news:
            while True:
                gone = self.count - len(self._kept)
                for name, document in self._kept[max(0, seen - gone):]:
                    seen = max(seen, gone) + 1
                    if wanted(name, document):
                        return seen, document
                left = deadline - time.monotonic()
                if left <= 0 or not self._news.wait(left):
                    return seen, None
