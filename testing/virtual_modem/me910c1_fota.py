"""ME910C1: firmware over the air, and the gates before download and update (Telit manual, 3.1.12, 3.1.13)."""

from testing.virtual_modem.me910c1_notify import TelitNotify

_WEEK_MS = 7 * 86400 * 1000


class TelitFota(TelitNotify):
    """The Firmware object at work; a gate that was shut at a reboot is shut after it."""

    OPTIONS = dict(TelitNotify.OPTIONS)
    OPTIONS.update(
        {
            "fota_ms": 20000,  # download or application: "from a few seconds up to a couple of minutes" (3.1.13)
            "fota_revision": "30.00.xx9",  # what runs after an update
        }
    )

    def __init__(self, clock, link, nvram=None, **options):
        if nvram and "revision" in nvram:
            options["revision"] = nvram["revision"]  # a firmware update outlives everything
        super().__init__(clock, link, nvram, **options)

    def booted(self, woken):
        super().booted(woken)
        gate = self.nvram.get("fota_gate")
        if gate:
            self._open_gate(gate)

    def _package_uri(self, uri):
        if not uri:
            self.nvram["fota_state"] = 0
            return
        self.nvram["fota_state"] = 1
        self._gate("DOWNLOAD")

    def _gate(self, action):
        """Wait for the host's AT#LWM2MFOTAACK where AT#LWM2MFOTACFG asks for it, a week at most (3.1.12)."""
        bit = 1 if action == "DOWNLOAD" else 2
        if self.stored("fota_mode", 0) & bit:
            self._open_gate(action)
        else:
            self.after(self.options["fota_ms"], lambda: self._fota(action))

    def _open_gate(self, action):
        self.nvram["fota_gate"] = action
        self.urc('#LWM2MFOTARING: 0,"%s"' % action)
        self.after_rtc(_WEEK_MS, lambda: self.pass_gate(action))

    def pass_gate(self, action=None):
        """The host's ACK, or the week is over: False where nothing waits."""
        waiting = self.nvram.get("fota_gate")
        if not waiting or action not in (None, waiting):
            return False
        del self.nvram["fota_gate"]
        self.after(self.options["fota_ms"], lambda: self._fota(waiting))
        return True

    def _fota(self, action):
        if action == "DOWNLOAD":
            self.nvram["fota_state"] = 2
            self.changed((5, 0, 3, 0))
            return
        self.nvram["fota_state"], self.nvram["fota_result"] = 0, 1
        self.nvram["revision"] = self.options["fota_revision"]
        self.options["revision"] = self.options["fota_revision"]
        self.urc('#LWM2MINFO: "GEN","FOTA REBOOT"')
        self.after(500, self.restart)
