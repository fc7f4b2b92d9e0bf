"""A server that writes just when the node goes to sleep: the module has acknowledged it, so the node has to follow."""

from fakes.world import World

SWITCH_ON = b"\x81\xa2\x00\x6c/3306/0/5850\x04\xf5"  # SenML CBOR of [{n: "/3306/0/5850", vb: true}]


def closing(line):
    """A BC20 node to which a command pack is written when it says `line`."""
    world = World("esp32", {"family": "bc20"})

    def note(direction, text):
        if direction == ">" and text.startswith(line) and world.clock.now > 3600000 and not world.relay:
            world.model.on_note = None
            world.server.write("urn:dev:world", "/19/1/0", SWITCH_ON, content_format=42)

    world.model.on_note = note
    world.run(hours=1, minutes=10)
    assert world.model.on_note is None, "the node never said %s" % line
    return world


def test_a_command_that_comes_while_the_module_is_sent_to_sleep_is_followed():
    assert closing("AT+QSCLK=1").relay == 1
