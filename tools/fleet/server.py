"""A LwM2M server with Leshan's REST interface: what it knows of nodes and keys, and what it asks of them.

    server = Server("http://127.0.0.1:8080")
    server.clients()                            # {endpoint: registration}
    server.keys()                               # {endpoint: (identity, key)}
    server.read("node-1", "/26251/0").values    # {7: 3600, ...}

Leshan's demo servers of 2.0.0-M4 and of 2.0.0-M18 (tools/interop/DemoServer.java is as the latter) differ in how security info,
numbers and the event stream are written; the event stream shows which one it is. Keys are in no message of this.
"""

import base64
import http.client
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from tools.boards.remedy import Remedy
from tools.interop.answers import Answer, quoted, typed


_KEPT = 20000
_AWAKE = ("REGISTRATION", "UPDATED", "NOTIFICATION", "AWAKE")


class Server:
    """See the module; blocking, and safe to use from several threads."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Remedy("SERVER= is the address of Leshan's web interface, such as http://127.0.0.1:8080")
        host = parts.netloc.rpartition("@")[2]
        self.url = f"{parts.scheme}://{host}{parts.path}".rstrip("/").removesuffix("/api")
        self._headers = {}
        if parts.username:  # of the proxy before it, which asks for a password as Leshan does not; in no message
            word = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
            self._headers["Authorization"] = "Basic " + base64.b64encode(word.encode()).decode()
        self._modern = None

    @property
    def modern(self):
        """Whether this is Leshan 2.0.0-M16 or later: an older one has its events at /event as well."""
        if self._modern is None:
            try:
                with self.stream("/event", 10) as stream:
                    self._modern = "event-stream" not in stream.headers.get("Content-Type", "")
            except urllib.error.HTTPError:
                self._modern = True
            except OSError as error:
                raise Remedy(f"{self.url} does not answer ({getattr(error, 'reason', error)}): is the server up?") from None
        return self._modern

    def stream(self, path, timeout):
        """The event stream, which a server gives to who asks for one."""
        request = urllib.request.Request(self.url + path, headers={"Accept": "text/event-stream", **self._headers})
        return urllib.request.urlopen(request, timeout=timeout)

    def call(self, method, path, body=None, timeout=30):
        """One request: an Answer, HTTP 504 where none came in time."""
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        kind = "application/json" if isinstance(body, (dict, list)) else "text/plain"
        request = urllib.request.Request(f"{self.url}/api{path}", data, {"Content-Type": kind, **self._headers}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return Answer(response.status, response.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode(errors="replace"))
        except (TimeoutError, http.client.HTTPException) as error:
            return Answer(504, str(error))
        except OSError as error:
            raise Remedy(f"{self.url} does not answer ({getattr(error, 'reason', error)}): is the server up?") from None

    def _listed(self, path):
        """The list that is there. Remedy where there is none."""
        answer = self.call("GET", path)
        if answer.http in (401, 403):
            raise Remedy(f"{self.url} refuses (HTTP {answer.http}): a proxy asks for SERVER=https://name:password@host")
        try:
            found = json.loads(answer.text) if answer.http == 200 else None
        except ValueError:
            found = None
        if not isinstance(found, list):
            raise Remedy(f"{self.url} has no /api{path} (HTTP {answer.http}): is it Leshan's web interface?")
        return found

    # keys

    def keys(self):
        """{endpoint: (identity, key in hex)} of all that have a pre-shared key there."""
        found = {}
        for each in self._listed("/security/clients"):
            details = each["psk"] if "psk" in each else each.get("tls", {}).get("details") or {}
            if "key" in details:
                found[each["endpoint"]] = (details["identity"], details["key"].lower())
        return found

    def put_key(self, entry):
        """Let a node in with this key (register.entry); what was there of that endpoint is replaced."""
        details = entry["tls"]["details"]
        body = entry if self.modern else {"endpoint": entry["endpoint"], "psk": details}
        answer = self.call("PUT", "/security/clients" + "/" * self.modern, body)
        if answer.http not in (200, 204):
            raise Remedy(f"the server did not take the key of {entry['endpoint']} (HTTP {answer.http}): "
                         "another endpoint may have its identity")

    def remove_key(self, endpoint):
        """Shut a node out: its key is gone, and with it its association."""
        answer = self.call("DELETE", f"/security/clients/{quoted(endpoint)}")
        if answer.http not in (200, 204, 404):
            raise Remedy(f"the server did not remove the key of {endpoint} (HTTP {answer.http})")

    # nodes

    def clients(self):
        """{endpoint: registration} of all that are registered now."""
        return {each["endpoint"]: each for each in self._listed("/clients")}

    def read(self, endpoint, path, timeout=10):
        """Read a resource or an instance."""
        return self._ask("GET", endpoint, path, None, timeout)

    def write(self, endpoint, path, value, timeout=10):
        """Write one resource: bool, int, float, str or bytes."""
        body = {"id": int(path.split("/")[-1]), "kind": "singleResource", **typed(value, self.modern)}
        return self._ask("PUT", endpoint, path, body, timeout)

    def execute(self, endpoint, path, timeout=10):
        """Execute."""
        return self._ask("POST", endpoint, path, b"", timeout)

    def observe(self, endpoint, path, timeout=10):
        """Observe."""
        return self._ask("POST", endpoint, path + "/observe", b"", timeout)

    def _ask(self, method, endpoint, path, body, timeout):
        return self.call(method, f"/clients/{quoted(endpoint)}{path}?timeout={timeout}", body, timeout + 30)


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
