"""A checked configuration, as small as it can be: what lwnode.config leaves behind when it is dropped.

    >>> settings.lifetime, settings.secret("psk") is None
    (86400, True)

Bounds: one attribute per key of the table in lwnode/config.py; secrets only through `secret`, never in a text.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Settings:
    """One attribute per key of config.json, checked and with defaults; made by lwnode.config."""

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> "Any": ...

    def __init__(self, values: "dict[str, Any]", secrets: "dict[str, Any]") -> None:
        self.options: dict[str, Any] = {}  # what only this family can be told: lwnode.options
        for key in values:
            setattr(self, key, values[key])
        self.features: tuple[Any, ...] = ()  # classes of lwnode.features that these settings ask for
        self.source = ""  # why these settings are not config.json's, or nothing
        self._secrets = secrets

    def secret(self, key: str) -> "str | None":
        """Return a secret by its key, or None; callers hand it to the driver and keep no copy."""
        value = self._secrets[key]
        return value if value is None else str(value)

    def __repr__(self) -> str:
        return "Settings(%s, %s:%d)" % (self.family, self.host, self.port)
