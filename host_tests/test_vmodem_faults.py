"""Faults on purpose: each kind at a chosen exchange, and at random by seed, the same under both interpreters."""

from fakes.refusal import raised
from fakes.vmodem import NODE, Bench, registered_bc66

from testing.virtual_modem.faults import KINDS, QUIRKS


def test_error_and_silence_do_not_execute():
    for kind, expected in (("error", ["ERROR"]), ("silence", [])):
        bench = Bench()
        bench.modem.faults.arm(kind)
        assert bench.say("AT+CMEE=2") == expected
        assert bench.say("AT+CMEE?") == ["+CMEE: 1", "OK"]


def test_a_lost_answer_was_executed():
    bench = Bench()
    bench.modem.faults.arm("lost_answer")
    assert bench.say("AT+CMEE=2") == []
    assert bench.say("AT+CMEE?") == ["+CMEE: 2", "OK"]


def test_a_fault_at_the_third_line():
    bench = Bench()
    bench.modem.faults.arm("error", at=3)
    assert [bench.say("AT")[0] for _ in range(4)] == ["OK", "OK", "ERROR", "OK"]


def test_a_late_answer_comes_when_nobody_waits_for_it():
    bench = Bench()
    bench.modem.faults.arm("late", value=2500)
    assert bench.say("AT+CFUN?", 2400) == []
    assert bench.wait(200) == ["+CFUN: 1", "OK"]


def test_garbage_before_an_answer():
    bench = Bench()
    bench.modem.faults.arm("garbage")
    bench.modem.receive(b"AT\r")
    raw = bench.take_raw()
    assert raw.endswith(b"\r\nOK\r\n") and len(raw) > 6 and b"\x00" in raw


def test_one_wrong_bit():
    bench = Bench()
    bench.modem.faults.arm("bitflip")
    bench.modem.receive(b"AT\r")
    raw = bench.take_raw()
    assert len(raw) == 6 and raw != b"\r\nOK\r\n"


def test_a_reboot_in_the_middle_of_a_command():
    bench = registered_bc66()
    bench.modem.faults.arm("reboot")
    said = bench.say("AT+QLWUPDATE=0,1000", 1000)
    assert "RDY" in said and "OK" not in said
    assert bench.modem.counters["restarts"] == 1
    assert bench.server.registrations[NODE].lifetime == 900


def test_a_lost_urc_by_its_text():
    bench = registered_bc66()
    bench.asked("observe", "/3303/0/5700")
    bench.say("AT+QLWOBSRSP=1,1,3303,0,5700,4,4,21.5,0", 100)
    bench.modem.faults.arm("lost_urc", value="report_ack")
    said = bench.say("AT+QLWNOTIFY=3303,0,5700,4,4,21.5,0,1", 500)
    assert said == ["OK", '+QLWURC: "report",35268', "+QLWNOTIFY: 0"]
    assert len(bench.server.deliveries) == 1


def test_random_faults_repeat_with_their_seed():
    played = []
    for seed in (7, 7, 8):
        bench = Bench()
        bench.modem.faults.random(seed, permille=300)
        for _ in range(40):
            bench.say("AT", 8000)
        played.append(list(bench.modem.faults.played))
    assert played[0] == played[1] and played[0] != played[2]
    assert 4 <= len(played[0]) <= 25
    # The very sequence, so that both interpreters are known to play the same.
    assert [kind for _, kind in played[0][:3]] == FIRST_OF_SEED_7


FIRST_OF_SEED_7 = ["lost_answer", "urc_inside", "error"]


def test_random_faults_can_be_chosen_and_stopped():
    bench = Bench()
    bench.modem.faults.random(1, permille=1000, kinds=("error",))
    assert bench.say("AT") == ["ERROR"]
    bench.modem.faults.random(1, permille=0)
    assert bench.say("AT") == ["OK"]


def test_unknown_kinds_are_named():
    bench = Bench()
    for call in (lambda: bench.modem.faults.arm("nix"), lambda: bench.modem.faults.random(1, 10, ("nix",))):
        assert "lost_urc" in str(raised(ValueError, call))


def test_every_kind_and_quirk_says_what_it_does():
    for name in KINDS:
        assert len(KINDS[name]) > 10
    for name in QUIRKS:
        families, text, section = QUIRKS[name]
        assert families and len(text) > 10 and section, name


def test_a_urc_inside_an_answer():
    bench = Bench()
    bench.modem.faults.arm("urc_inside")
    assert bench.say("AT+CFUN?") == ["+CFUN: 1", "+CSCON: 1", "OK"]
    bench.modem.faults.arm("urc_inside", value="+HELLO: 1")
    assert bench.say("AT") == ["+HELLO: 1", "OK"]


def test_the_echo_comes_back():
    bench = Bench()
    bench.modem.faults.arm("echo_on")
    assert bench.say("AT") == ["OK"]
    assert bench.say("AT") == ["AT", "OK"]
