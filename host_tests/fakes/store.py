"""A store that outlives what it is given to."""


class Store:
    """The store protocol in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict = {}

    def load(self, name):
        return self.kept.get(name)

    def save(self, name, data) -> None:
        self.kept[name] = data
