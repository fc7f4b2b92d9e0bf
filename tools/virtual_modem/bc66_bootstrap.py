"""BC66: what a bootstrap server writes, and the time that a server does not want to hear from us."""

from tools.virtual_modem.accounts import bootstrap_write, split_uri
from tools.virtual_modem.bc66_session import DEREGISTERED, Bc66Session


class Bc66Bootstrap(Bc66Session):
    """Accounts written by a bootstrap server; disable (1/0/4). `bc66_requests` has what follows a write."""

    def _bootstrap_write(self, request):
        return bootstrap_write(request, self._take_account, self._take_server)

    def _take_account(self, written):
        place = split_uri(written.uri)
        if place is None:
            return
        own = self.account(True)
        security = 0 if written.key else 3
        entry = [place[0], place[1], own[2], own[3], security, written.identity, written.key, True]
        self.stored("accounts", {})["0"] = entry

    def _take_server(self, values):
        server = self.account(False)
        for resource in (1, 2, 3, 7):
            if resource in values:
                self.builtin.keep((1, 0, resource), values[resource])
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
        timeout = self.builtin.kept((1, 0, 5))
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
