"""Maximum response times: 300 ms for every LwM2M command of BC66 (note 4.2) and BC20 (3), 5 s for the BC20's AT+QLWDEL (3.12).

Up to the command's own result, OK or ERROR; what the server decides comes later as a URC. BG96 and ME910C1 have no such
times: the guide names none, and the Telit manual's "MAX timeout" is a dash for each command.
"""

from fakes.vmodem import Bench
from fakes.world import World

LINES = {
    "bc66": ("AT+QLWADDOBJ=3303,0,2,5700,5701", "AT+QLWADDOBJ?", "AT+QLWCFG?", 'AT+QLWCFG="retransmit",2,5',
             'AT+QLWCONFIG=0,"host",5683,"node-1",900,3', "AT+QLWCONFIG?", "AT+QLWREG", "AT+QLWSTATUS?", "AT+QLWUPDATE=0,1000",
             "AT+QLWUPDATE=1,1", "AT+QLWNOTIFY=3303,0,5700,4,4,22.0,0,1", "AT+QLWRDRSP=7,1,3303,0,5700,4,4,21.5,0",
             "AT+QLWWRRSP=7,2", "AT+QLWEXERSP=7,2", "AT+QLWOBSRSP=7,1,3303,0,5700,4,4,21.5,0", "AT+QLWRD?", "AT+QLWRECOVER",
             "AT+QLWDEREG", "AT+QLWDELOBJ=3303"),
    "bc20": ('AT+QLWSERV="host",5683', 'AT+QLWCONF="node-1"', "AT+QLWSERV?", "AT+QLWCONF?", 'AT+QLWADDOBJ=19,0,1,"0"',
             'AT+QLWCFG="dataformat",1,1', "AT+QLWOPEN=1", "AT+QLWDATASEND=19,0,0,1,01,0x0100", "AT+QLWDATASTATUS?",
             "AT+QLWRD=2", "AT+QLWUPDATE", "AT+QLWCLOSE", "AT+QLWDELOBJ=19", "AT+QLWDEL"),
}  # fmt: skip
LONGEST_MS = {"AT+QLWDEL": 5000}
FINAL = ("OK", "ERROR", "+CME ERROR", "+CMEE ERROR")


def answered_ms(bench, line):
    """Milliseconds until the final result of a command line."""
    said, ms = bench.say(line), 0
    while not any([each.startswith(final) for each in said for final in FINAL]):  # no tuples before MicroPython 1.25
        said, ms = bench.wait(1), ms + 1
        assert ms < 20000, line
    return ms


def test_no_command_answers_later_than_its_manual_allows():
    for family in LINES:
        bench = Bench(family)
        for line in LINES[family]:
            assert answered_ms(bench, line) <= LONGEST_MS.get(line, 300), line
            bench.wait(2000)


def test_the_longest_that_a_manual_allows_can_be_played():
    for family in LINES:
        bench = Bench(family, latency_ms=300, **({"delete_ms": 4700} if family == "bc20" else {}))
        bench.wait(2000)
        for line in LINES[family]:
            assert answered_ms(bench, line) == LONGEST_MS.get(line, 300), line
            bench.wait(2000)


def test_a_node_lives_with_a_module_that_always_takes_the_longest():
    """Each answer after 300 ms, the BC20's deletion after 5 s, and another server in the middle, which wants the deletion."""
    from lwnode.config import checked
    from fakes.world import CONFIG

    for family in ("bc66", "bc20", "bg96", "me910c1"):
        world = World("esp32", {"family": family}, latency_ms=300, **({"delete_ms": 4700} if family == "bc20" else {}))

        def moved(world=world, family=family):
            config = dict(CONFIG)
            config.update({"family": family, "host": "other.test"})
            world.settings = checked(config, None)
            world.reset("power_on")

        world.at(moved, minutes=40)
        world.run(hours=2)
        late = [reading for reading in world.lost() if reading[2] < world.clock.unix() - 1800]
        assert len(world.taken) >= 12 and not late, (family, len(world.taken), late)
        assert family != "bc20" or world.model.counters["commands"] and "other.test" in str(world.model.kept) + str(
            world.model.nvram)
