"""Ship mode: asleep from the factory to the field, until a button or a magnet, over battery changes too.

    ship = ShipMode(board.vault)
    ship.order()                       # by the provisioning tool, mpremote, or the server before a node is moved
    if ship.active and not ship.released(board.wake_cause(), board.pins.get("ship")):
        board.ship()                   # ESP32: deep sleep without a timer; RP2: light sleep by the hour
        ship.released("ship", True)    # RP2 comes back here

The order is kept in the vault, so a node whose battery is connected in the box goes back to sleep at once.
"""

_NAME = "ship"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lwnode.power.store import Store


class ShipMode:
    """One flag, in a store that survives power loss."""

    def __init__(self, store: "Store") -> None:
        self._store = store

    @property
    def active(self) -> bool:
        """Whether this node is to sleep until its button is pressed."""
        return self._store.load(_NAME) == b"1"

    def order(self) -> None:
        """Ship from the next boot on."""
        self._store.save(_NAME, b"1")

    def released(self, wake_cause: str, pressed: bool | None) -> bool:
        """Take note of a boot: by the ship pin (or with it pressed) the journey is over. Returns whether it is."""
        if wake_cause == "ship" or pressed:
            self._store.save(_NAME, b"0")
            return True
        return False
