"""Ship mode: asleep from the factory to the field, until a button or a magnet, over changes of the battery too.

    board.protected.save("ship", b"1")     an order, by the provisioning tool or by mpremote; from the next wake on
    node.orders["ship"](True)          the same by the server (26250/0/4), once its contact is over

The order is kept in the protected store, so a node whose battery is connected in the box goes back to sleep at once. The
pin "ship" of the board file ends it: pressed while the board sleeps, or held while the battery is connected. An ESP32 sleeps
deeply without a timer, an RP2 lightly by the hour.
"""

from micropython import const

from lwnode.features import Feature
from lwnode.lwm2m import Reject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lwnode.node import Node

_NAME = const("ship")
_ORDERED, _RELEASED = b"1", b"0"


class Ship(Feature):
    """One flag, in a store that survives power loss."""

    name = "ship"

    def attach(self, node: "Node") -> None:
        """Take the server's order."""
        self.node = node
        node.orders[_NAME] = self.order

    def order(self, start: bool) -> None:
        """Ship from the end of this wake on, with the module off; or do not. Reject where no pin could end it."""
        node = self.node
        if start and node.board.pins.number(_NAME) is None:
            raise Reject(405, "ship mode needs a wake pin: add ship to PINS in the board file")
        if start or node.sleeps_by is not None:
            node.board.protected.save(_NAME, _ORDERED if start else _RELEASED)
        node.sleeps_by = node.board.ship if start else None
        node.module_off = start

    def before_wake(self, node: "Node", cause: str, now: int) -> None:
        """Go on sleeping where that was ordered and nobody has pressed the button."""
        board = node.board
        node.sleeps_by = None
        if board.pins.number(_NAME) is None or board.protected.load(_NAME) != _ORDERED:
            return
        if _NAME in (cause, board.wake_cause()) or board.pins.get(_NAME):
            board.protected.save(_NAME, _RELEASED)
            return
        print("lwnode: ship mode, until the button")
        node.limit(contact=0, rest_s=1)
        node.sleeps_by = board.ship


FEATURE = Ship
