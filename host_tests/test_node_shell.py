"""firmware/shell.py and doctor.py against a whole node in virtual time: each refusal named with its remedy, no secret shown."""

import shell
from doctor import checks
from fakes.world import World
from lwnode.at import CommandError


def found(world):
    """What doctor() finds, by step."""
    return {name: (fine, text) for name, fine, text in checks(world.node())}


class Printed:
    """What the shell prints while it lasts, a line each."""

    def __enter__(self):
        self.said = []
        shell.print = lambda *words: self.said.extend(" ".join(map(str, words)).split("\n"))
        return self.said

    def __exit__(self, *_):
        del shell.print


def rows(word):
    """What a word prints in two columns."""
    with Printed() as said:
        word()
    return {line.strip().partition("  ")[0]: line.strip().partition("  ")[2].strip() for line in said}


def test_a_node_in_order_passes_every_step_in_every_family():
    for family in ("bc66", "me910c1", "bc20", "bg96"):
        told = found(World(config={"family": family}))
        assert [name for name in told if not told[name][0]] == [], (family, told)
        assert sorted(told) == ["SIM", "UART", "network", "roaming", "server", "signal"]
        assert "115200 baud" in told["UART"][1] and told["server"][1] == "registered"
    assert told["roaming"][1].startswith("no") and found(World(sim="pin", secrets={"pin": "1234"}))["SIM"][0]


def test_what_is_wrong_is_found_at_its_step_with_its_remedy():
    for step, words, options in (
        ("UART", 'the module answers at 9600 baud: set UART["baudrate"] in board.py, now 115200, and deploy', {"rate": 9600}),
        ("UART", "TX goes to RXD", {"rate": 1}), ("SIM", "insert it", {"sim": "absent"}),
        ("SIM", "put the right pin into secrets.json", {"sim": "pin"}), ("SIM", "PUK telephone", {"sim": "puk"}),
        ("network", "3) activated", {"deny_cause": 3}), ("network", "5) IMEI", {"deny_cause": 5}),
        ("network", "7) NB-IoT or LTE-M data", {"deny_cause": 7}), ("network", "13) ask for roaming", {"deny_cause": 13}),
        ("network", "17) tries again", {"deny_cause": 17}), ("network", "19) check apn", {"deny_cause": 19}),
        ("network", "99) give this number", {"deny_cause": 99}), ("network", "antenna", {"outage": True}),
        ("roaming", "foreign network", {"roaming": True}), ("server", "server.test:5683", {"loss": 100}),
    ):  # fmt: skip
        rate, outage, loss = options.pop("rate", 115200), options.pop("outage", False), options.pop("loss", 0)
        world = World(**options)
        world.uart.peer_baudrate = rate
        world.outage(outage)
        world.link.radio(loss=loss)
        told = found(world)
        assert told[step][0] is (step == "roaming"), (step, told)
        for word in words.split(" ") if words[:1].isdigit() or "PUK" in words else (words,):
            assert word in told[step][1], (step, told)
        # It goes no further than that, but tells how well a network is heard that refuses.
        steps = ["UART", "SIM", "network", "signal"] + ([] if step == "network" else ["roaming", "server"])
        assert sorted(told) == sorted(steps[: {"UART": 1, "SIM": 2}.get(step, 6)]), (step, told)
        assert world.uart.baudrate == 115200


def test_no_secret_is_in_what_the_module_prints_back():
    secrets = {"psk_identity": "node-1-identity", "psk": "0011223344556677"}
    world = World(config={"security": "psk"}, secrets=secrets)
    unit = shell.node(world.node())
    unit.session.open()
    lines = shell.at("+QLWCONFIG?")
    assert lines, "the module prints its configuration"
    for secret in secrets.values():
        assert secret.lower() not in " ".join(lines).lower()
    assert "***" in " ".join(lines)


def test_at_takes_a_command_with_its_at_or_without_and_explains_a_refusal():
    with Printed() as said:
        unit = shell.node(World(sim="absent").node())
        unit.modem.start()
        assert shell.at("+CSQ") == shell.at("AT+CSQ") == shell.at("at+CSQ")
        assert shell.at("+CGMM") == shell.at("at+cgmm") == ["Quectel_BC66"], "an answer without its name"
        shell.trace()
        assert unit.trace is not None
        for line in ("+CPIN?", "AT+NONSENSE"):
            try:
                shell.at(line)
                assert False, line
            except CommandError as error:
                assert error.lines == []
        shell.trace(False)
        assert unit.trace is None and any(["tx b'AT+CPIN?\\r'" in text for text in said]), said
        assert [text for text in said if "no SIM: insert it" in text], said
        for wrong in (5, None, b"+CSQ"):
            try:
                shell.at(wrong)
                assert False, wrong
            except ValueError as error:
                assert 'at("+CSQ")' in str(error)


def test_the_words_work_one_after_another_and_help_lists_each():
    world = World()
    unit = shell.node(world.node())
    for word in ("help", "status", "sample", "why", "journal", "report", "doctor", "updates"):
        getattr(shell, word)()
    assert unit.tree.values(None) and shell.at("+CSQ")[0].startswith("+CSQ:")
    with Printed() as said:
        shell.help()
    listed = [line.strip().partition("(")[0] for line in said]
    words = [name for name in dir(shell) if name[0] != "_" and callable(getattr(shell, name))]
    words.remove("help")
    assert sorted(words) == sorted(listed)


def test_inspect_prints_what_each_module_says_of_its_forms_and_no_secret():
    forms = {"bc20": "AT+QLWSERV=?", "bc66": "AT+QLWCONFIG?", "bg96": 'AT+QLWM2M="select"', "me910c1": "AT#LWM2MSTS?"}
    secrets = {"psk_identity": "node-1-identity", "psk": "0011223344556677"}
    for family in sorted(forms):
        world = World(config={"family": family, "security": "psk" if family == "bc66" else "none"}, secrets=secrets)
        unit = shell.node(world.node())
        unit.session.open()
        told = rows(shell.inspect)
        assert told.get(forms[family]), (family, told)
        if family == "me910c1":  # each read and each test form; three have none
            assert len(told) == 34 and sorted(told.values()).count("refused") == 3, told
            assert told["AT#LWM2MMON=?"] == "#LWM2MMON: (0,1),(1-65535)" and told["AT#LWM2MR?"] == "OK"
        assert not [text for text in told.values() for secret in secrets.values() if secret in text]


def test_why_says_of_what_still_waits_that_it_waits():
    world = World()
    shell.node(world.node())
    told = [rows(word) for word in (shell.sample, shell.why, shell.report, shell.why)]
    for path in ("/3303/0/5700", "/3304/0/5700"):
        assert float(told[0][path])
        assert (told[1][path], told[3][path]) == ("kept for the next report: no rules", "sent: no rules")


def test_sleep_now_sleeps():
    world = World("rp2")
    shell.node(world.node())
    before = world.clock.now
    shell.sleep_now()
    assert world.clock.now > before


def test_ctrl_c_in_a_wake_stops_the_watchdog_so_that_the_prompt_stays():
    import life

    class Parts:
        settings = None
        files = None

        @staticmethod
        def declare(tree, board):
            def interrupted():
                raise KeyboardInterrupt

            tree.sensor(3303, interrupted)

    for port in ("esp32", "rp2"):
        world = World(port)
        Parts.settings, Parts.files = world.settings, world.flash
        board = world.board()
        try:
            life.main(board, Parts)
            raise AssertionError("Ctrl-C did not reach the prompt")
        except KeyboardInterrupt:
            pass
        world.clock.sleep_ms(60000)  # a watchdog that still ran would raise its reset here
        assert not board._wdt_ms or port == "rp2"


def test_a_node_whose_cable_comes_later_works_awake_until_it_is_unplugged():
    world = World("rp2", config={"sample_every": 60, "report_every": 600})

    def plugged(usb):
        world.chip.usb = usb

    marks = []
    for minutes in (30, 60, 90):
        world.at(lambda: marks.append(world.chip.asleep_ms), minutes=minutes - 1)
    world.at(lambda: plugged(0x10000), minutes=30)  # main.py would wait for a person, were it there at the start
    world.at(lambda: plugged(0), minutes=60)
    world.run(minutes=90)
    assert marks[0] > 1000000 and marks[1] - marks[0] < 180000 and marks[2] - marks[1] > 1000000, marks
    assert len([reading for reading in world.taken if reading[0] == "/3303/0/5700"]) >= 88


def test_status_of_a_module_that_sleeps_says_so_within_seconds():
    """Issue 14: 30 s, and then only "no answer (AtTimeout)"."""
    world = World()
    node = world.node()
    shell.node(node)
    assert rows(shell.status)["session"] in ("registered", "not registered", "deregistered")
    world.uart.peer_baudrate = 1  # what a module asleep says: nothing
    began = world.clock.now
    assert rows(shell.status)["session"].startswith("the module sleeps, or is off: at() or report() wakes it")
    assert world.clock.now - began < 4000
