"""How a whole node starts: whatever its memory holds, whatever fails, and for whom it waits (low-power notes, 6: 4, 11, 14)."""

import sys

from fakes.flash import Memory
from fakes.world import World

from lwnode.power import FileStore, RetainedState

PORTS = ("esp32", "rp2")
RTC_HEAD = 12  # of lwnode.board.esp32
HOUR_MS = 3600000
NAMES = ("clock", "sampling", "reporting", "backoff", "session", "modem", "costs", "upkeep", "deferral", "settings")
FORMS = ("ones", "random", "short", "long", "zeros")


def late(world, seconds=1800):
    """Readings older than that which the server does not have."""
    return [reading for reading in world.lost() if reading[2] < world.clock.unix() - seconds]


class Noise:
    """The same bytes on each interpreter."""

    def __init__(self, seed):
        self.state = seed

    def bytes(self, length):
        """So many bytes."""
        found = bytearray(length)
        for i in range(length):
            self.state = (self.state * 1103515245 + 12345) & 0x3FFFFFFF
            found[i] = self.state >> 16 & 0xFF
        return bytes(found)


def _state(world):
    """The node's retained state, as it lies in its memory, and how to put it back."""
    files = FileStore("state", world.flash)
    if world.port == "esp32":
        memory = Memory(2036, bytes(world.chip.rtc[RTC_HEAD:]))
        state = RetainedState(memory, 1)

        def keep():
            state.commit()
            world.chip.rtc = bytes(world.chip.rtc[:RTC_HEAD]) + bytes(memory.content)

        return state, keep
    state = RetainedState(Memory(0), 1, files)
    return state, state.commit


def _comes_back(world, where):
    world.chip.boot("deep_sleep" if world.port == "esp32" else "watchdog")
    before = len(world.taken)
    world.run(hours=3)
    assert len(world.taken) >= before + 2 * 10, (where, len(world.taken) - before)
    assert not late(world), (where, late(world)[:2])
    assert world.chip.awake_ms < HOUR_MS, where


def test_each_part_of_the_state_may_be_garbage_or_of_an_older_firmware():
    """Its checksum is right: it was written so, by another version or by a bug."""
    noise = Noise(5)
    for port in PORTS:
        world = World(port)
        world.run(hours=1)
        state, _ = _state(world)
        assert len([name for name in NAMES if state.load(name)]) >= 7, "the names are the node's own"
        for at in range(len(NAMES)):
            name = NAMES[at]
            # All forms once; under MicroPython, which is slower here, and where the state is a file, one of each name in turn.
            every = sys.implementation.name == "cpython" and port == "esp32"
            for form in FORMS if every else FORMS[at % len(FORMS) :][:1]:
                world = World(port)
                world.run(hours=1)
                state, keep = _state(world)
                data = state.load(name) or bytes(20)
                data = {"random": noise.bytes(len(data)), "short": data[:-1], "long": data + b"\x01",
                        "zeros": bytes(len(data)), "ones": b"\xff" * len(data)}[form]
                state.save(name, data, durable=True)
                keep()
                _comes_back(world, (port, name, form))


def test_random_memory_and_damaged_files_are_as_good_as_none():
    noise = Noise(9)
    for _ in range(6):
        world = World("esp32")
        world.run(hours=1)
        world.chip.rtc = bytes(world.chip.rtc[:RTC_HEAD]) + noise.bytes(2036)
        _comes_back(world, "random RTC memory behind a good head")
        world.chip.rtc = noise.bytes(2048)
        _comes_back(world, "random RTC memory")
    for port in PORTS:
        world = World(port)
        world.run(hours=1)
        for name in [name for name in world.flash.content if name.startswith("state/") and "/j" not in name]:
            world.flash.content[name] = noise.bytes(len(world.flash.content[name]))
        if port == "esp32":
            world.chip.rtc = b""
        _comes_back(world, (port, "random files"))


class Failing(World):
    """An application that fails at each start, until it is mended."""

    error = None

    def _declare(self, tree, board):
        if self.error is not None:
            raise self.error
        World._declare(self, tree, board)


def test_a_crash_loop_sleeps_and_ends_when_the_fault_goes():
    for port in PORTS:
        for error in (ImportError("no module named 'probe'"), MemoryError("allocating 512 bytes"), ValueError("a fault"),
                      SystemExit(1)):
            world = Failing(port)
            world.error = error
            world.run(hours=20)
            assert not world.taken and world.chip.awake_ms < 0.05 * 20 * HOUR_MS, (port, error, world.chip.awake_ms)
            world.error = None
            world.run(hours=4)
            assert len(world.taken) >= 2 * 8 and not late(world), (port, error)


def test_the_window_for_a_person_is_there_on_a_cold_boot_and_never_on_a_wake_or_a_planned_restart():
    for port in PORTS:
        world = World(port, {"maintenance_window": 10, "planned_restart": 4})
        awake = []
        world.chip.on_sleep = awake.append
        world.run(hours=4)
        assert awake[0] >= 10000, (port, awake)
        assert max(awake[1:]) < 10000, (port, awake)
        if port == "rp2":
            assert world.causes.count("reset") >= 2, world.causes
        world.chip.boot("power_on")
        world.model.restart()
        del awake[:]
        world.run(hours=1)
        assert awake[0] >= 10000, (port, awake)


def test_a_time_learnt_anew_outlives_the_power_that_the_readings_on_flash_outlive():
    world = World("esp32")
    world.outage(True)
    world.run(hours=4)
    urc = world.model.urc
    world.model.urc = lambda text, *more: None if "report_ack" in text else urc(text, *more)
    world.outage(False)
    while not world.server.deliveries:
        world.run(minutes=30)
    taken = {(path, text): unix for path, text, unix in world.taken[:24]}
    del world.server.deliveries[:]
    world.model.urc = urc
    world.chip.boot("power_on")
    world.model.restart()
    world.run(hours=12)
    came = [(taken[path, text], when) for path, text, when in world.delivered() if (path, text) in taken]
    assert len(came) == 24 and not [pair for pair in came if pair[1] is None or abs(pair[1] - pair[0]) > 5], came
