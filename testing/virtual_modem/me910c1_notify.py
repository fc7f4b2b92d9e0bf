"""ME910C1: notifications by the module itself, within pmin and pmax, by gt, lt and st; the URC of their acknowledgement.

    host sets /3303/0/5700         observed: a notification, then #LWM2MNFYACK: 0,99,"/3303/0/5700","ACK" (3.1.15)
"""

from testing.lwm2m.names import path_text
from testing.virtual_modem.me910c1_agent import TelitAgent


class TelitNotify(TelitAgent):
    """What is observed, and when it goes out."""

    OPTIONS = dict(TelitAgent.OPTIONS)
    OPTIONS.update(
        {
            "notify_ms": 100,  # changes that follow each other so closely share a notification
            "confirm": True,  # notifications are confirmable
        }
    )

    def __init__(self, clock, link, nvram=None, **options):
        self._watches = {}
        super().__init__(clock, link, nvram, **options)

    def went_down(self, state):
        if state == "off" or not self.options["psm_keeps"]:
            self._watches = {}
        super().went_down(state)

    def booted(self, woken):
        super().booted(woken)
        for path in sorted(self._watches):
            watch = self._watches[path]
            pending, watch["dirty"], watch["flying"] = watch["dirty"], False, False
            if pending:
                self._change_seen(path)
            else:
                self._arm_longest(path, watch)

    def on_registered(self):
        for watch in self._watches.values():
            self._stop(watch["timer"])
        self._watches = {}

    def _attribute(self, path, name, default):
        """An attribute by the nearest level that has it, else the default of the Server object."""
        for length in range(len(path), 0, -1):
            kept = self.link.attributes.get(tuple(path[:length]), {})
            if name in kept:
                return float(kept[name])
        return float(self.objects.get((1, 0, default, 0))) if default else None

    def _change_seen(self, path):
        watch = self._watches[path]
        if watch["dirty"] or not self._worth(path, watch):
            return
        watch["dirty"] = True
        shortest = int(self._attribute(path, "pmin", 2) * 1000)
        due = max(self.clock.now + self.options["notify_ms"], watch["sent"] + shortest)
        # The host is asked for its ACK some time ahead of what pmin holds back.
        ring = max(self.options["notify_ms"], due - self.clock.now - (self.guard_request * 1000 if self.mode else 0))
        watch["due"] = due
        self._stop(watch["timer"])
        watch["timer"] = self.after(ring, lambda: self._notify_due(path))

    def _worth(self, path, watch):
        """gt, lt and st of a single resource (TS 1.0.2, 5.1.2)."""
        names = {name: self._attribute(path, name, 0) for name in ("gt", "lt", "st")}
        if len(path) < 3 or not any([value is not None for value in names.values()]):
            return True
        try:
            now = float(self.objects.get(path + (0,)))
        except ValueError:
            return True
        before = watch.get("value")
        if before is None:
            return True
        for name in ("gt", "lt"):
            if names[name] is not None and (now > names[name]) != (before > names[name]):
                return True
        return names["st"] is not None and abs(now - before) >= names["st"]

    def _arm_longest(self, path, watch):
        if watch["dirty"]:
            return
        self._stop(watch["timer"])
        self._remember(path, watch)
        longest = self._attribute(path, "pmax", 3)
        if longest:
            wait = max(1, watch["sent"] + int(longest * 1000) - self.clock.now)
            watch["timer"] = self.after(wait, lambda: self._notify_due(path))

    def _remember(self, path, watch):
        if len(path) == 3:
            try:
                watch["value"] = float(self.objects.get(path + (0,)))
            except ValueError:
                watch["value"] = None

    def _notify_due(self, path):
        if path in self._watches and self.registered:
            self.demand("NOT", lambda: self._notify_when_due(path))

    def _notify_when_due(self, path):
        watch = self._watches.get(path)
        if watch is None:
            return
        left = (watch["due"] or 0) - self.clock.now
        if left > 0:
            self.after(left, lambda: self._notify(path))
        else:
            self._notify(path)

    def _notify(self, path):
        watch = self._watches.get(path)
        if watch is None or not self.registered:
            return
        if watch["flying"]:
            watch["dirty"] = "again"
            return
        values = self.objects.values(path)
        if values is None:
            del self._watches[path]
            return
        watch["flying"], watch["dirty"], watch["due"] = True, False, None
        watch["sent"] = self.clock.now
        self._arm_longest(path, watch)
        carried = [value[0][:3] for value in values]
        self.link.notify(
            path, values, self.options["confirm"], self.exchange(lambda code: self._notified(path, carried, code))
        )

    def _notified(self, path, carried, code):
        watch = self._watches.get(path)
        if code == -1:
            self._watches.pop(path, None)
        elif watch is not None:
            watch["flying"] = False
            if watch["dirty"] == "again":
                watch["dirty"] = False
                self._change_seen(path)
        if self.ack_enabled and self.options["confirm"]:
            account = self.dm_account()
            for uri in self.ack_uris:
                if uri in carried:
                    word = "ACK" if code == 0 else "NACK"
                    self.urc('#LWM2MNFYACK: 0,%d,"%s","%s"' % (account[1] if account else 0, path_text(uri), word))
