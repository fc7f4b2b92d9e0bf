"""ME910C1: servers, keys, names: the factory's, of AT#LWM2MSTS and AT#LWM2MINJKEYS, of a bootstrap server (3.1.8, 3.1.14)."""

from testing.lwm2m.link import Account
from testing.virtual_modem.accounts import bootstrap_write, split_uri
from testing.virtual_modem.me910c1_files import TelitFiles

# AT#LWM2MSTS <serverURI> -> (URI, bootstrap server) (3.1.8).
SERVERS = {
    10: ("coaps://ddocdpboot.do.motive.com:5684", 1),
    11: ("coaps://ddocdp.do.motive.com:5684", 0),
    12: ("coap://ddocdp.do.motive.com:5683", 0),
    20: ("coaps://xattmpct.xdev.motive.com:5684", 1),
}


class TelitAccounts(TelitFiles):
    """What the agent knows of its servers; `applied` is what counts since the last boot."""

    def endpoint(self):
        """The client's name: what AT#LWM2MINJKEYS stored when the module booted."""
        return self.applied_keys().get("ep") or "urn:imei:%s" % self.options["imei"]

    def applied_keys(self):
        """The credentials in use: those of the last boot (3.1.14: effective after the next reboot)."""
        return self.applied.get("keys", {})

    def first_server(self):
        """[uri, is bootstrap server] by AT#LWM2MSTS as of the last boot, else the factory's."""
        return self.applied.get("server") or [self.options["factory_server"], 1]

    def dm_account(self):
        """[uri, short server id, identity, key]: written by a bootstrap server, or the one of AT#LWM2MSTS."""
        uri, is_bootstrap = self.first_server()
        if is_bootstrap:
            return self.nvram.get("dm")
        keys = self.applied_keys()
        return [uri, self.options["ssid"], keys.get("id", ""), keys.get("key", "")]

    def link_account(self, uri, identity, key, bootstrap=False):
        """What the link wants to know of a server."""
        host, port, secure = split_uri(uri)
        if self.redirect is not None:
            host, port = self.redirect(host, port, bootstrap)
        return Account(host, port, identity, key) if secure else Account(host, port)

    def secrets(self):
        kept = list(super().secrets())
        keys = self.stored("account", {}).get("keys", {})
        kept += [keys.get("key", ""), keys.get("id", ""), self.options["factory_key"]]
        if self.nvram.get("dm"):
            kept += self.nvram["dm"][2:4]
        return sorted([text for text in kept if text], key=len, reverse=True)

    # ---- what a bootstrap server writes

    def bootstrap_write(self, request):
        """What the bootstrap server deletes and writes -> the code of the answer."""
        if request.operation == "delete" and (not request.path or request.path[0] == 0):
            self.nvram.pop("dm", None)
        return bootstrap_write(request, self._take_account, self._take_server)

    def _take_account(self, written):
        if split_uri(written.uri) is None:
            return  # a scheme or a port that is none: as good as no account
        ssid = self.options["ssid"] if written.ssid is None else written.ssid
        self.nvram["dm"] = [written.uri, ssid, written.identity, written.key]

    def _take_server(self, values):
        for resource in (0, 1, 2, 3, 5, 7):
            if resource in values:
                self.objects.put((1, 0, resource, 0), str(values[resource]))
