"""BC66: what a bootstrap server writes, and the time that a server does not want to hear from us."""

from binascii import hexlify

from tools.lwm2m import codec
from tools.virtual_modem.bc66_session import DEREGISTERED, Bc66Session


class Bc66Bootstrap(Bc66Session):
    """Accounts written by a bootstrap server; disable (1/0/4). `bc66_requests` has what follows a write."""

    def _bootstrap_write(self, request):
        """What a bootstrap server writes: the server's account (object 0) and the Server object (1)."""
        if request.operation == "delete":
            return 202
        path = request.path
        try:
            readings = codec.decode(request.content_format or 0, path, request.payload)
        except ValueError:
            return 400
        instances = {}
        for reading in readings:
            instances.setdefault(reading.path[:2], {})[reading.path[2]] = reading.value
        for place in sorted(instances):
            if place[0] == 0:
                self._security_written(instances[place])
            elif place[0] == 1:
                self._server_written(instances[place])
        return 204

    def _security_written(self, values):
        if values.get(1) or not values.get(0):
            return  # the bootstrap server's own account
        scheme, _, rest = values[0].partition("://")
        host, _, port = rest.rstrip("/").partition(":")
        own = self.account(True)
        secure = values.get(2, 3) == 0
        identity = values.get(3, b"")
        identity = identity.decode() if isinstance(identity, (bytes, bytearray)) else str(identity)
        key = hexlify(values.get(5, b"")).decode().upper() if secure else ""
        default_port = 5684 if scheme == "coaps" else 5683
        self.stored("accounts", {})["0"] = [
            host,
            int(port) if port else default_port,
            own[2],
            own[3],
            0 if secure else 3,
            identity if secure else "",
            key,
            True,
        ]

    def _server_written(self, values):
        server = self.account(False)
        for resource in (1, 2, 3, 7):
            if resource in values:
                self.server_wrote((1, 0, resource), values[resource])
        if 1 in values and server is not None:
            server[3] = int(values[1])

    # ---- disable (1/0/4)

    @property
    def disabled(self):
        """True while the server does not want to hear from us."""
        return self._disable_timer is not None and self._disable_timer.active

    def disable(self):
        """Deregister, stay away for the disable timeout, register again (4.3.15)."""
        timeout = self.builtin.server[5]
        self.urc('+QLWURC: "disable",%d' % timeout)
        self.begin()
        self.link.deregister(self.guarded(lambda code: self._forget_session()))
        self.status = DEREGISTERED
        self._stop(self._update_timer)
        self._disable_timer = self.after_rtc(timeout * 1000, self._enable)

    def _enable(self):
        self._disable_timer = None
        if self.state_name == "on" and self.attached:
            self.register()
            return
        self.kept["enable_due"] = True
        self.wake_up()
