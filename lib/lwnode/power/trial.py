"""A configuration on trial: kept once the server was reached with it, undone after n silent wakes.

    trial = Trial(store, wakes=3)
    trial.start(new, old)              # both as bytes; the caller has validated new and now works by it
    trial.wake(contact=False)          -> None      silent, two left
    trial.wake(contact=True)           -> None      reached: the configuration stays, `state` is "kept"
    ...
    trial.wake(contact=False)          -> old       third silent wake: go back to these bytes, `state` is "rolled back"

The store must be durable (FileStore or TwinStore, or RetainedState with a store behind): a configuration that cuts
the node off may also crash it. A trial found at boot goes on.
"""

from struct import pack, unpack_from

_NAME = "trial"
_HEAD = "<BBHH"
_HEAD_BYTES = 6
_IDLE, _RUNNING, _KEPT, _ROLLED_BACK = 0, 1, 2, 3
_STATES = ("none", "running", "kept", "rolled back")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lwnode.power.store import Store


class Trial:
    """One configuration (up to 30 KB) on trial at a time; a new one keeps the old one's way back."""

    def __init__(self, store: "Store", wakes: int = 3) -> None:
        self._store = store
        self._wakes = wakes
        self._state = _IDLE
        self.left = 0
        self.rollbacks = 0
        self._old = b""
        data = store.load(_NAME)
        if data and len(data) >= _HEAD_BYTES:
            state, self.left, self.rollbacks, length = unpack_from(_HEAD, data, 0)
            if state < len(_STATES) and len(data) == _HEAD_BYTES + length:
                self._state = state
                self._old = data[_HEAD_BYTES:]

    @property
    def state(self) -> str:
        """One of "none", "running", "kept", "rolled back": to be told to the server."""
        return _STATES[self._state]

    def _image(self) -> bytes:
        return pack(_HEAD, self._state, self.left, min(self.rollbacks, 65535), len(self._old)) + self._old

    def start(self, new: bytes, old: bytes) -> bool:
        """Begin a trial; False where new equals old, which needs none. Must return before new is put to work."""
        if new == old:
            return False
        if self._state != _RUNNING:
            self._old = bytes(old)
        self._state = _RUNNING
        self.left = self._wakes
        self._store.save(_NAME, self._image())
        return True

    def wake(self, contact: bool) -> bytes | None:
        """Tell how a wake that tried to reach the server ended; returns the bytes to go back to, or None."""
        if self._state != _RUNNING:
            return None
        if contact:
            self._state, self._old = _KEPT, b""
            self._store.save(_NAME, self._image())
            return None
        self.left = max(0, self.left - 1)
        if self.left:
            self._store.save(_NAME, self._image())
            return None
        old, self._old = self._old, b""
        self._state = _ROLLED_BACK
        self.rollbacks += 1
        self._store.save(_NAME, self._image())
        return old
