"""A call in the model's future, cancelled by what ends it: sleep, reset, or nobody."""


class Timer:
    """One call in the future; `cancel` before, and nothing happens."""

    def __init__(self, owner, kind, function):
        self._function = function
        self._owner = owner
        self._generation = owner.generations[kind]
        self._kind = kind
        self.handle = None
        self.due = 0

    def fire(self):
        """What the clock calls."""
        function = self._function
        self._function = None
        if function is not None and self._owner.generations[self._kind] == self._generation:
            function()

    def cancel(self):
        """Forget it; harmless once it has run."""
        if self._function is not None:
            self._function = None
            cancel = getattr(self._owner.clock, "cancel", None)
            if cancel is not None:
                cancel(self.handle)

    @property
    def active(self):
        """True while the call is still to come."""
        return self._function is not None and self._owner.generations[self._kind] == self._generation
