"""Leshan's REST interface: what a server knows of nodes and keys, and what it asks of them. Blocking; safe in threads.

    rest = Rest("http://127.0.0.1:8080")
    rest.clients()                              # {endpoint: registration}
    rest.keys()                                 # {endpoint: (identity, key)}
    rest.read("node-1", "/26251/0").values      # {7: 3600, ...}

Leshan's demo servers of 2.0.0-M4 and of 2.0.0-M18 (DemoServer.java is as the latter) differ in how security info, numbers and
the event stream are written; the event stream shows which one it is. Keys are in no message of this.
"""

import base64
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request

from tools.boards.remedy import Remedy
from tools.interop.answers import Answer, quoted, typed


def key_entry(endpoint, identity, key):
    """Security info as Leshan's REST takes it (2.0.0-M16 and later)."""
    return {"endpoint": endpoint, "tls": {"mode": "psk", "details": {"identity": identity, "key": key}}}


class Rest:
    """See the module. `modern`: whether this is Leshan 2.0.0-M16 or later, where that is known."""

    def __init__(self, url, modern=None):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Remedy("SERVER= is the address of Leshan's web interface, such as http://127.0.0.1:8080")
        host = parts.netloc.rpartition("@")[2]
        self.url = f"{parts.scheme}://{host}{parts.path}".rstrip("/").removesuffix("/api")
        self._headers = {}
        if parts.username:  # of the proxy before it, which asks for a password as Leshan does not; in no message
            word = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
            self._headers["Authorization"] = "Basic " + base64.b64encode(word.encode()).decode()
        self._modern = modern

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
        """Let a node in with this key (key_entry); what was there of that endpoint is replaced."""
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

    def client(self, endpoint):
        """The registration, or None."""
        answer = self.call("GET", f"/clients/{quoted(endpoint)}")
        return answer.document if answer.http == 200 else None

    def read(self, endpoint, path, timeout=10, form=None):
        """Read. `form` as "TLV", "TEXT", "JSON", "OPAQUE"; None leaves it to Leshan."""
        return self._ask("GET", endpoint, path, timeout=timeout, format=form)

    def discover(self, endpoint, path, timeout=10):
        """Discover."""
        return self._ask("GET", endpoint, path + "/discover", timeout=timeout)

    def write(self, endpoint, path, value, timeout=10, form=None):
        """Write one resource: bool, int, float, str or bytes."""
        return self._ask("PUT", endpoint, path, self._resource(int(path.split("/")[-1]), value), timeout, format=form)

    def _resource(self, number, value):
        return {"id": number, "kind": "singleResource", **typed(value, self.modern)}

    def _instance(self, number, values):
        return {"id": number, "kind": "instance", "resources": [self._resource(*each) for each in values.items()]}

    def write_instance(self, endpoint, path, values, replace=False, timeout=10):
        """Write {resource: value} of an instance."""
        body = self._instance(int(path.split("/")[-1]), values)
        return self._ask("PUT", endpoint, path, body, timeout, replace=str(replace).lower())

    def attributes(self, endpoint, path, timeout=10, **attributes):
        """Write notification attributes: pmin=1, gt=25."""
        return self._ask("PUT", endpoint, path + "/attributes", timeout=None, **attributes)

    def execute(self, endpoint, path, timeout=10):
        """Execute."""
        return self._ask("POST", endpoint, path, b"", timeout)

    def observe(self, endpoint, path, timeout=10):
        """Observe."""
        return self._ask("POST", endpoint, path + "/observe", b"", timeout)

    def _ask(self, method, endpoint, path, body=None, timeout=None, **query):
        query = {name: value for name, value in query.items() if value is not None}
        if timeout is not None:
            query["timeout"] = timeout
        tail = "?" + urllib.parse.urlencode(query) if query else ""
        return self.call(method, f"/clients/{quoted(endpoint)}{path}{tail}", body, (timeout or 5) + 30)
