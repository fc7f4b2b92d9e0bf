"""Actuator rows: what the server may set, applied by a callback before it counts.

    >>> tree = ObjectTree()
    >>> relay = tree.actuator(3306, lambda on: print("relay", on), initial=False)
    >>> tree.handle(Request("write", Path(3306, 0, 5850), 7, value=b"1"))
    relay True
    Response(204, 0 values)

apply(value) may raise Reject(code) to refuse. For several writable resources give a dict instead:
apply={5850: lamp.switch, 5851: lamp.dim}. On time (5852) counts the seconds in which 5850 (or 5500) is on;
the server resets it by writing 0.
"""

from micropython import const

from .instance import Instance
from .model import BOOLEAN, Reject
from .resource import Resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from .model import Plain

_ON_TIME = const(5852)
_OFF_TIME = const(5854)
_APPLICATION_TYPE = const(5750)
_TIMESTAMP = const(5518)


class Actuator(Instance):
    """One row of something that the server can set."""

    kept = ("on_seconds", "off_seconds", "since")
    apply: "dict[int, Callable[..., object]]"
    on_seconds = 0
    off_seconds = 0
    since: "int | None" = None  # when the present state was last accounted for

    def serves(self, id: int) -> bool:
        return super().serves(id) or id in self.apply or id in (_APPLICATION_TYPE, _ON_TIME, _OFF_TIME, _TIMESTAMP)

    def applied(self, id: int, value: "Plain") -> bool:
        """Reset a time, or call back; Reject where the callback refuses."""
        if id == _ON_TIME or id == _OFF_TIME:
            if value != 0:
                raise Reject(400, "the server can only reset the time to 0")
            self._account()
            if id == _ON_TIME:
                self.on_seconds = 0
            else:
                self.off_seconds = 0
            self.touch(id)
            return True
        callback = self.apply.get(id)
        if callback is not None:
            callback(value)
        return False

    def accepted(self, resource: Resource, value: "Plain", when: "int | None", quality: int) -> None:
        if resource.type == BOOLEAN:
            self._account(when)

    def _account(self, now: "int | None" = None) -> None:
        """Add the seconds since the last look to on time or off time, by the state that held meanwhile."""
        if now is None:
            now = self.tree.time()
        main = self.resources[0] if self.resources else None
        if now is None or main is None or main.value is None:
            self.since = now
            return
        if self.since is not None and now > self.since:
            if main.value:
                self.on_seconds += now - self.since
            else:
                self.off_seconds += now - self.since
        self.since = now

    def extra(self, id: int) -> "Plain | None":
        if id == _ON_TIME or id == _OFF_TIME:
            self._account()
            return self.on_seconds if id == _ON_TIME else self.off_seconds
        if id == _TIMESTAMP:
            return self.resources[0].when if self.resources else None
        value = super().extra(id)
        return "" if value is None and id == _APPLICATION_TYPE else value
