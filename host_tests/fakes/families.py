"""The same node program on each module family, in virtual time: temperature, humidity, one actuator, one outage.

    carried = live("bg96", "esp32")
    carried.lost, carried.actuator, carried.rows()
"""

from fakes.world import ENDPOINT, HUMIDITY, RELAY, TEMPERATURE, World

from lwnode.lwm2m import BOOLEAN, Path, pack_senml

FAMILIES = ("bc66", "me910c1", "bc20", "bg96")
HOURS = 6


class Carried:
    """What a family carried in a few hours with an outage of one hour in them."""

    def __init__(self, family, world, contract):
        self.family = family
        self.contract = contract
        self.taken = len(world.taken)
        # The newest may still be on its way when the time is over.
        self.lost = len([reading for reading in world.lost() if reading[2] < world.clock.unix() - 1800])
        self.actuator = world.relay == 1
        paths = [delivery.path for delivery in world.server.deliveries]
        self.typed = paths.count((3303, 0, 5700))
        self.registrations = len([event for event in world.server.events if "registered" in event[2]])


def command(contract):
    """How a server switches the relay on over a contract: (path, payload, content format)."""
    if contract != "pipe":
        return RELAY, b"1", 0
    record = (Path.parse(RELAY), BOOLEAN, "1", None)
    return "/19/1/0", pack_senml([record], 100)[0], 42


def live(family, port):
    """Run one family; returns what was Carried."""
    world = World(port, config={"family": family})
    asked = []

    def ask():
        if not asked:
            asked.append(world.server.write(ENDPOINT, *command(contract_of(family))))

    world.on_awake = ask
    world.at(lambda: world.outage(True), hours=2)
    world.at(lambda: world.outage(False), hours=3)
    world.run(hours=HOURS)
    return Carried(family, world, contract_of(family))


def contract_of(family):
    """pull, shadow or pipe (design, "What it is for")."""
    return {"bc66": "pull", "me910c1": "shadow"}.get(family, "pipe")


__all__ = ("FAMILIES", "HUMIDITY", "TEMPERATURE", "Carried", "live")
