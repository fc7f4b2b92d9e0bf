"""Whose line is it: answers and URCs of one name, whole names, late results, handlers, the queue, banners."""

from fakes.at_modem import AtModem
from fakes.clock import VirtualClock
from fakes.refusal import raised
from fakes.uart import FakeUart, hear
from lwnode.at import AtClient, AtError, AtTimeout, BudgetExceeded, CommandError, LinkError

OK = b"\r\nOK\r\n"


def line(text):
    return b"\r\n" + text.encode() + b"\r\n"


def client(script=(), chunk=8, **options):
    clock = VirtualClock()
    uart = FakeUart(clock, chunk=chunk).script(script)
    return AtClient(uart, clock, **options), uart, clock


# Names.


def test_a_prefix_is_a_whole_name():
    pairs = [("+QLWRD", "+QLWRDRSP: 0"), ("#LWM2MR", "#LWM2MRING: REG"), ("#LWM2ME", "#LWM2MEND: 0")]
    for name, other in pairs:
        at, uart, _ = client([(b"AT" + name.encode() + b"\r", line(other) + line(name + ": 7") + OK)])
        heard = []
        at.subscribe(name, heard.append)
        at.subscribe(other.split(":")[0], lambda text, heard=heard: heard.append("other " + text))
        assert at.run(name, prefix=name) == [["7"]]
        at.poll(1)
        assert heard == ["other " + other]


def test_what_follows_a_name():
    at, uart, _ = client()
    heard = hear(at, "+QATSLEEP", "*MATREADY")
    uart.feed(line("+QATSLEEP") + line("+QATSLEEP: 1") + line("+QATSLEEP :1") + line("+QATSLEEP,1") + line("+QATSLEEPX"))
    uart.feed(line("*MATREADY: 1") + line("*MATREADYX"))
    at.poll(1)
    assert heard == ["+QATSLEEP", "+QATSLEEP: 1", "+QATSLEEP :1", "+QATSLEEP,1", "*MATREADY: 1"]
    assert at.stats.unknown == 2


def test_a_prefix_with_a_colon_is_literal_and_the_longest_wins():
    at, uart, _ = client()
    heard = []
    at.subscribe("+QLWURC", lambda text: heard.append(("any", text)))
    at.subscribe('+QLWURC: "read"', lambda text: heard.append(("read", text)))
    at.subscribe("", lambda text: heard.append(("nobody", text)))
    uart.feed(line('+QLWURC: "read",1') + line('+QLWURC: "ping",0') + line("RING"))
    assert at.poll(1) == 3
    assert [who for who, _ in heard] == ["read", "any", "nobody"]
    at.subscribe('+QLWURC: "read"', None)
    uart.feed(line('+QLWURC: "read",2'))
    at.poll(1)
    assert heard[-1] == ("any", '+QLWURC: "read",2')


# Answer or URC of the same name.


def same_name(command, lines, answer, urcs, subscribe=True, **how):
    for chunk in (1, 3, 8, None):
        reply = b"".join([line(text) for text in lines]) + OK
        at, _, _ = client([(command.encode() + b"\r", reply)], chunk)
        heard = []
        name = lines[0].split(":")[0].strip()
        if subscribe:
            at.subscribe(name, heard.append)
        assert at.send(command, **how) == answer, (command, lines)
        at.poll(1)
        assert heard == urcs, (command, lines)


def test_cereg_answer_and_urc_are_told_apart_by_their_fields():
    urc, answer = '+CEREG: 5,"1A2B","01A2D101",9', '+CEREG: 2,5,"1A2B","01A2D101",9'
    same_name("AT+CEREG?", [urc, answer], [answer], [urc])
    same_name("AT+CEREG?", [answer, urc], [answer], [urc])
    same_name("AT+CEREG?", ["+CEREG: 1", "+CEREG: 0,1"], ["+CEREG: 0,1"], ["+CEREG: 1"])
    same_name("AT+CEREG=2", ["+CEREG: 2"], [], ["+CEREG: 2"])
    same_name("AT+CEREG=?", ["+CEREG: (0-2)"], ["+CEREG: (0-2)"], [])
    same_name("AT+CEREG?", [urc, answer], [answer], [], subscribe=False)


def test_cpin_and_cfun_by_the_form_of_the_command():
    same_name("AT+CPIN?", ["+CPIN: READY"], ["+CPIN: READY"], [])
    same_name("AT+CFUN=1", ["+CFUN: 1"], [], ["+CFUN: 1"])
    same_name("AT+CFUN?", ["+CFUN: 1"], ["+CFUN: 1"], [])


def test_a_named_prefix_makes_it_the_answer():
    same_name("AT+QLWRD=10", ["+QLWRD: 0"], ["+QLWRD: 0"], [], prefix="+QLWRD")
    same_name("AT#LWM2MMON=0", ["#LWM2MMON: UPD"], ["#LWM2MMON: UPD"], [], prefix="#LWM2MMON")


def test_the_family_decides_with_a_hook():
    at, _, _ = client([(b"AT#LWM2MMON?\r", line("#LWM2MMON: UPD,\"/3/0/9\"") + line('#LWM2MMON: "4"') + OK)])
    asked = []
    heard = []

    def is_answer(command, text):
        asked.append((command, text))
        return None if text.endswith('"4"') else False

    at.is_answer = is_answer
    at.subscribe("#LWM2MMON", heard.append)
    assert at.read("#LWM2MMON") == [["4"]]
    at.poll(1)
    assert heard == ['#LWM2MMON: UPD,"/3/0/9"']
    assert asked[0] == ("AT#LWM2MMON?", '#LWM2MMON: UPD,"/3/0/9"')


def test_two_meanings_of_qlwupdate_before_and_after_ok():
    script = [(b"AT+QLWUPDATE=0,60\r", [(1, OK), (900, line("+QLWUPDATE: 0,4711"))])]
    at, _, _ = client(script)
    at.subscribe("+QLWUPDATE", lambda text: None)
    assert at.write("+QLWUPDATE", 0, 60, result="+QLWUPDATE", result_timeout_ms=5000) == [["0", "4711"]]


def test_basic_commands_take_lines_without_a_name_only():
    at, _, _ = client([(b"ATI\r", line("Quectel_Ltd") + line("+CEREG: 5") + line("Revision: BC66NBR01A10") + OK)])
    assert at.send("ATI") == ["Quectel_Ltd", "Revision: BC66NBR01A10"]
    assert at.stats.unknown == 1
    at, _, _ = client([(b"ATI\r", b"".join([line(mark + "X: 1") for mark in "+#*^"]) + OK), (b"AT\r", line("=X: 1") + OK)])
    assert (at.send("ATI"), at.send("AT"), at.stats.unknown) == ([], ["=X: 1"], 4)
    at, _, _ = client([(b"AT+CGSN\r", line("867997030012345") + OK)])
    assert at.send("AT+CGSN", prefix="") == ["867997030012345"]


def test_several_commands_in_a_line_with_one_final_result():
    at, _, _ = client([(b"AT+A?;+B?\r", line("+A: 1") + line("+B: 2") + OK)])
    assert at.send("AT+A?;+B?", prefix="") == ["+A: 1", "+B: 2"]


def test_lines_of_a_list_joined_by_lf():
    at, _, _ = client([(b"AT#LWM2MMON?\r", b'\r\n#LWM2MMON: "4"\n#LWM2MMON: "3"\r\n\r\nOK\r\n')])
    assert at.read("#LWM2MMON") == [["4"], ["3"]]


# Final and late results.


def test_a_final_result_is_a_whole_line():
    for impostor in ("LOOK", "OKAY", "CONNECT OK", "SEND OK", "xOK", "OK,", "ERRORS", "NO CARRIERS", "+CMEE: 1"):
        at, _, _ = client([(b"AT+Q\r", line(impostor) + OK)])
        assert at.send("AT+Q") == []
        assert at.stats.lines == 2


def test_every_final_result():
    for text, code, words in [("ERROR", None, "ERROR"), ("ABORTED", None, "ABORTED"), ("NO CARRIER", None, "NO CARRIER"),
                              ("+CME ERROR: 0", 0, "0"), ("+CME ERROR:4", 4, "4"), ("+CMEE ERROR : 33", 33, "33"),
                              ("+CMS  ERROR:  500", 500, "500"),
                              ("+CME ERROR: phone failure", None, "phone failure"), ("+CME ERROR", None, "")]:
        result = text.split()[0] + " ERROR" if text[0] == "+" else text
        at, _, _ = client([(b"AT+Q\r", line(text)), (b"AT+Q\r", OK)])
        error = raised(CommandError, at.send, "AT+Q")
        assert (error.code, error.text, error.result) == (code, words, result), text
        assert at.send("AT+Q") == []


def test_the_answer_of_cmee_is_no_error():
    at, _, _ = client([(b"AT+CMEE?\r", line("+CMEE: 1") + OK)])
    assert at.read("+CMEE") == [["1"]]


def test_a_result_before_ok_with_ok_and_long_after():
    for reply in ([(1, line("+QLWREG: 0") + OK)], [(1, OK + line("+QLWREG: 0"))], [(1, OK), (128_000, line("+QLWREG: 0"))]):
        for chunk in (1, 3, 8, None):
            at, _, _ = client([(b"AT+QLWREG\r", reply), (b"AT+CSQ\r", line("+CSQ: 18,99") + OK)], chunk)
            heard = hear(at, "+QLWREG")
            assert at.send("AT+QLWREG", result="+QLWREG:", result_timeout_ms=130_000) == ["+QLWREG: 0"]
            assert at.send("AT+CSQ") == ["+CSQ: 18,99"]
            at.poll(1)
            assert heard == []


def test_lines_that_came_before_it_went_wrong_are_not_lost():
    at, _, _ = client([(b"AT+X?\r", line("+X: 1") + line("+X: 2") + line("+CME ERROR: 4")),
                       (b"AT+X?\r", line("+X: 1")), (b"AT\r", OK), (b"AT+X?\r", line("+X: 1") + line("RDY"))])
    assert raised(CommandError, at.read, "+X").lines == ["+X: 1", "+X: 2"]
    assert raised(AtTimeout, at.read, "+X").lines == ["+X: 1"]
    assert raised(LinkError, at.read, "+X", timeout_ms=2000).lines == ["+X: 1"]
    assert list(raised(AtTimeout, at.wait, "+X", 1).lines) == []


def test_a_result_may_be_one_of_two():
    for word in ("SEND OK", "SEND FAIL"):
        at, _, _ = client([(b"AT+S\r", [(1, OK), (900, line(word))])])
        assert at.send("AT+S", result=("SEND OK", "SEND FAIL"), result_timeout_ms=1000) == [word]


def test_a_result_nobody_armed_belongs_to_nobody():
    at, uart, _ = client([(b"AT+A\r", line("CONNECT OK") + OK), (b"AT+S\r", [(1, OK), (10, line("SEND OK"))])])
    uart.feed(line("SEND OK"))
    assert at.send("AT+A") == []
    began = at.clock.now
    assert at.send("AT+S", result="SEND OK") == ["SEND OK"]
    assert at.clock.now - began >= 10  # its own, not the one that had come before


def test_a_late_result_is_not_given_to_the_next_command():
    script = [(b"AT+QLWREG\r", [(1, OK), (6000, line("+QLWREG: 1"))]),
              (b"AT+QLWREG\r", [(3000, b""), (1500, OK), (9000, line("+QLWREG: 0"))])]
    at, _, clock = client(script)
    raised(AtTimeout, at.send, "AT+QLWREG", result="+QLWREG:", result_timeout_ms=5000)
    assert at.stats.timeouts == 1
    assert at.send("AT+QLWREG", timeout_ms=2000, result="+QLWREG:", result_timeout_ms=10_000) == ["+QLWREG: 0"]
    assert at.stats.late == 1
    script = [(b"AT+QLWREG\r", OK), (b"AT+QLWREG\r", line("+QLWREG: 1") + line("+QLWREG: 0") + OK)]
    at, _, clock = client(script)
    raised(AtTimeout, at.send, "AT+QLWREG", result="+QLWREG:", result_timeout_ms=5000)
    assert at.send("AT+QLWREG", result="+QLWREG:") == ["+QLWREG: 0"]


def test_a_result_that_did_not_come_does_not_make_the_line_dirty():
    at, uart, _ = client([(b"AT+QLWREG\r", OK), (b"AT+CSQ\r", OK)])
    raised(AtTimeout, at.send, "AT+QLWREG", result="+QLWREG:")
    at.send("AT+CSQ")  # the script would object to an AT in between


# Handlers.


def test_a_handler_may_send_and_wait():
    script = [(b"AT+QLWRDRSP=1\r", [(1, OK), (30, line("+QLWRDRSP: 0"))])]
    at, uart, _ = client(script)
    seen = []

    def on_read(text):
        seen.append(at.send("AT+QLWRDRSP=1"))
        seen.append(at.wait("+QLWRDRSP", 100))

    at.subscribe('+QLWURC: "read"', on_read)
    uart.feed(line('+QLWURC: "read",1'))
    at.poll(100)
    assert seen == [[], "+QLWRDRSP: 0"]


def test_a_urc_per_answer_for_ever_neither_nests_nor_hangs():
    """A split answer (3 parts) is not interleaved with the next one, and depth stays one."""
    clock = VirtualClock()
    urc = line('+QLWURC: "observe",1')
    modem = AtModem({b"AT+PART=%d" % part: [] for part in range(3)})
    uart = FakeUart(clock, peer=modem)
    at = AtClient(uart, clock)
    depth = [0, 0]

    def on_urc(text):
        depth[0] += 1
        depth[1] = max(depth)
        for part in range(3):
            uart.feed(urc, after_ms=1)
            at.write("+PART", part)
        depth[0] -= 1

    at.subscribe("+QLWURC", on_urc)
    uart.feed(urc)
    at.poll(2000)
    assert clock.now < 2200
    assert depth[1] == 1
    parts = [heard for heard in modem.heard if heard.startswith(b"AT+PART")]
    assert len(parts) > 20
    for index, heard in enumerate(parts):
        assert heard == b"AT+PART=%d" % (index % 3)


def test_wait_looks_in_the_queue_first_and_takes_its_own_only():
    at, uart, _ = client([(b"AT\r", line("+A: 1") + line("+B: 1") + line("+B: 2") + OK)])
    heard = hear(at, "+A", "+B")
    at.send("AT")
    assert at.wait("+B", 10) == "+B: 1"
    assert heard == []
    at.poll(1)
    assert heard == ["+A: 1", "+B: 2"]
    raised(AtTimeout, at.wait, "+B", 10)


def test_wait_finds_what_came_while_a_handler_took_all_the_time():
    at, uart, clock = client(chunk=None)
    at.subscribe("+A", lambda text: clock.advance(60_000))
    uart.feed(line("+A: 1"), after_ms=5)
    uart.feed(line("+B: 1"), after_ms=50)
    assert at.wait("+B", 100) == "+B: 1"


def test_wait_dispatches_other_urcs_and_keeps_what_nobody_claimed():
    at, uart, clock = client([(b"AT+CFUN=1\r", line("+CPIN: READY") + OK)])
    heard = hear(at, "+IP")
    at.send("AT+CFUN=1")
    assert at.wait("+CPIN", 10) == "+CPIN: READY"  # it came before anybody waited
    uart.feed(line("+IP: 10.0.0.1") + line("+CEREG: 1"), after_ms=20)
    assert at.wait("+CEREG", 100) == "+CEREG: 1"
    at.poll(1)
    assert heard == ["+IP: 10.0.0.1"]


def test_a_urc_that_began_before_a_command_is_no_answer_and_not_lost():
    at, uart, _ = client([(b"AT+A?\r", b": 1\r\n" + line("+A: 2") + OK, 5)])
    heard = hear(at, "+A")
    uart.feed(b"\r\n+A")
    assert at.read("+A") == [["2"]]
    at.poll(1)
    assert heard == ["+A: 1"]


def test_handlers_never_run_inside_send():
    at, uart, _ = client([(b"AT\r", line("+A: 1") + OK), (b"AT\r", OK)])
    heard = hear(at, "+A")
    at.send("AT")
    at.send("AT")
    assert heard == []
    assert at.poll(0) == 1


def test_a_handler_that_raises_leaves_the_client_usable():
    at, uart, _ = client([(b"AT\r", OK)])

    def fails(text):
        raise KeyError(text)

    at.subscribe("+A", fails)
    uart.feed(line("+A: 1") + line("+A: 2"))
    raised(KeyError, at.poll, 10)
    raised(KeyError, at.poll, 10)
    assert at.poll(10) == 0
    assert at.send("AT") == []


def test_poll_ends_when_told_to():
    at, uart, clock = client()
    heard = hear(at, "+A")
    for ms in (100, 200, 300):
        uart.feed(line("+A: %d" % ms), after_ms=ms)
    assert at.poll(1000, until=lambda: len(heard) == 2) == 2
    assert clock.now == 200
    assert at.poll(1000) == 1
    assert clock.now == 1200


# The queue.


def test_the_queue_is_bounded_in_bytes_and_drops_the_oldest():
    flood = b"".join([line("+A: %04d" % number) for number in range(1000)])
    at, uart, _ = client([(b"AT\r", flood + OK)], chunk=None, rx_size=256)
    heard = hear(at, "+A")
    at.send("AT", timeout_ms=2000)
    assert at.stats.dropped == 1000 - at.queue_size // 40
    at.poll(1)
    assert len(heard) == at.queue_size // 40
    assert heard[-1] == "+A: 0999"


def test_a_storm_during_a_command_leaves_the_newest_of_each_name_and_counts_the_rest():
    lines, newest = [], {}
    for number in range(1000):
        name = ("+CEREG: %d", '+QLWURC: "report",%d', "+CSCON: %d", '+QLWURC: "ping",%d', "^MODE: %d")[number * 7 % 5]
        lines.append(name % number)
        newest[name] = name % number
    first = ['+QLWURC: "observe",1', "RING"]
    for names in (("+CEREG", "+QLWURC", "+CSCON", "^MODE", "RING"), ("",)):
        at, uart, _ = client([(b"AT\r", b"".join([line(text) for text in first + lines]) + OK)], chunk=None)
        heard = []
        for name in names:
            at.subscribe(name, heard.append)
        at.send("AT", prefix="+NONE", timeout_ms=2000)
        at.poll(1)
        assert heard[:2] == first
        for text in newest.values():
            assert text in heard
        assert heard[2:] == [text for text in lines if text in heard]  # still in order
        assert len(heard) + at.stats.dropped == 1002 and sum([len(text) + 32 for text in heard]) <= at.queue_size


def test_the_queue_is_bounded_by_heap_and_not_by_text():
    for claimed in (True, False):
        at, uart, _ = client([(b"AT\r", b"x\n" * 2100 + OK)], chunk=None)
        if claimed:
            at.subscribe("x", print)
        at.send("AT", prefix="+NONE", timeout_ms=2000)
        assert 0 < len(at._queue) <= at.queue_size // 33


def test_a_full_queue_gives_up_what_nobody_asked_for_before_what_somebody_did():
    flood = b"".join([line("+A%d: 1" % number) for number in range(20)])
    at, uart, _ = client([(b"AT\r", line("+A: 1") + line("x" * 1500) + flood + OK)])
    heard = hear(at, "+A")
    for number in range(20):
        at.subscribe("+A%d" % number, heard.append)
    at.send("AT", prefix="+NONE", timeout_ms=2000)
    at.poll(1)
    assert heard == ["+A: 1"] + ["+A%d: 1" % number for number in range(20)] and at.stats.dropped == 0


def test_a_storm_of_names_that_differ_leaves_the_newest():
    lines = ["+A%03d: 1" % number for number in range(200)]
    at, uart, _ = client([(b"AT\r", b"".join([line(text) for text in lines]) + OK)], chunk=None)
    heard = hear(at, "")
    at.send("AT", prefix="+NONE", timeout_ms=2000)
    at.poll(1)
    assert heard == lines[-len(heard) :] and len(heard) == at.queue_size // 40


def test_unknown_lines_never_push_out_a_urc():
    flood = b"".join([line("unknown %d" % number) for number in range(1000)])
    at, uart, _ = client([(b"AT\r", line("+A: 1") + flood + OK)], chunk=None)
    heard = hear(at, "+A")
    at.send("AT", prefix="+NONE", timeout_ms=2000)
    at.poll(1)
    assert heard == ["+A: 1"]
    assert at.stats.unknown == 1000
    assert at.stats.dropped == 0


# Restarts.


def test_a_banner_in_mid_command_fails_it_at_once():
    banner = b"\n\rF1: 0000 0000\n\rV0: 0000 0000 [0001]\n\r00: 0006 000C\n\rT0: 0000 00B4\n\rLeaving the BROM\n\r\r\nRDY\r\n"
    at, uart, clock = client([(b"AT+X?\r", b"\r\n+X: 1" + banner, 50), (b"AT\r", OK), (b"AT+X?\r", line("+X: 1,2") + OK)])
    at.banners = (b"F1", b"RDY")
    restarts = []
    at.on_restart = restarts.append
    raised(LinkError, at.read, "+X", timeout_ms=5000)
    assert clock.now == 50
    assert at.read("+X") == [["1", "2"]]
    assert at.stats.restarts == 1  # both lines are of one boot
    assert restarts == ["F1: 0000 0000"]


def test_a_banner_while_idle_is_reported_and_still_a_urc():
    at, uart, _ = client()
    restarts, heard = [], []
    at.on_restart = restarts.append
    at.subscribe("RDY", heard.append)
    uart.feed(b"\x00\xff\r\nRDY\r\n", after_ms=10)
    at.poll(20)
    assert (restarts, heard, at.stats.restarts) == (["RDY"], ["RDY"], 1)


def test_a_restart_that_was_asked_for():
    at, _, _ = client([(b"AT+QRST=1\r", [(1, OK), (5000, b"\r\nRDY\r\n")])])
    assert at.send("AT+QRST=1", result="RDY", result_timeout_ms=10_000) == ["RDY"]


# Hooks.


def test_idle_runs_at_least_every_500_ms_and_may_end_the_wait():
    at, uart, clock = client([(b"AT+A\r", b""), (b"AT\r", OK), (b"AT+A\r", OK)])
    calls = []
    at.idle = lambda: calls.append(clock.now)
    raised(AtTimeout, at.send, "AT+A", timeout_ms=3000)
    assert calls[0] == 0 and len(calls) == 6
    assert max([later - earlier for earlier, later in zip(calls, calls[1:])]) <= 500

    def over():
        raise BudgetExceeded("the wake took its time")

    at.idle = over
    raised(BudgetExceeded, at.poll, 1000)
    raised(BudgetExceeded, at.wait, "+A", 1000)
    at.idle = None
    assert at.send("AT+A") == []


def test_budget_exceeded_in_a_command_makes_the_line_dirty():
    script = [(b"AT+X?\r", line("+X: 9") + OK, 700), (b"AT\r", OK), (b"AT+X?\r", line("+X: 1") + OK)]
    at, uart, clock = client(script)

    def idle():
        if clock.now >= 500:
            raise BudgetExceeded("over")

    at.idle = idle
    raised(BudgetExceeded, at.read, "+X", timeout_ms=5000)
    assert clock.now == 500
    at.idle = None
    assert at.read("+X") == [["1"]]


def test_the_gap_between_final_result_and_next_command():
    at, uart, clock = client([(b"AT\r", OK, 5)] * 3, gap_ms=20)
    for _ in range(3):
        at.send("AT")
    assert clock.now == 5 + 20 + 5 + 20 + 5


def test_nobody_polls_or_waits_inside_a_running_command():
    at, _, _ = client([(b"AT+A\r", OK, 5)])
    errors = []

    def idle():
        errors.append(raised(AtError, at.poll, 10))
        errors.append(raised(AtError, at.wait, "+A", 10))

    at.idle = idle
    at.send("AT+A")
    assert len(errors) == 2


def test_a_refused_command_owes_no_result():
    script = [(b"AT+QLWREG\r", line("+CMEE ERROR: 7")), (b"AT+QLWREG\r", line("+QLWREG: 0") + OK)]
    at, _, _ = client(script)
    raised(CommandError, at.send, "AT+QLWREG", result="+QLWREG:")
    assert at.send("AT+QLWREG", result="+QLWREG:") == ["+QLWREG: 0"]


def test_a_result_that_cannot_be_so_late_is_the_commands_own():
    script = [(b"AT+QLWREG\r", OK), (b"AT+QLWREG\r", line("+QLWREG: 0") + OK)]
    at, _, clock = client(script)
    raised(AtTimeout, at.send, "AT+QLWREG", result="+QLWREG:", result_timeout_ms=1000)
    clock.advance(131_000)
    assert at.send("AT+QLWREG", result="+QLWREG:") == ["+QLWREG: 0"]


def test_a_stray_error_while_idle_is_late_and_nobodys():
    at, uart, _ = client()
    heard = hear(at, "")
    uart.feed(OK + line("ERROR") + line("ABORTED") + line("NO CARRIER") + line("+CME ERROR: 5") + line("+CMS ERROR: 500"))
    uart.feed(line("+CMEE: 1"))
    at.poll(1)
    assert heard == ["+CMEE: 1"] and at.stats.late == 6


def test_between_ok_and_the_late_result_nothing_is_the_commands():
    for stray in ("ERROR", "+CME ERROR: 4", "+QLWREGX: 1", "OK"):
        at, _, _ = client([(b"AT+QLWREG\r", [(1, OK), (10, line(stray)), (20, line("+QLWREG: 0"))])])
        assert at.send("AT+QLWREG", result="+QLWREG", result_timeout_ms=100) == ["+QLWREG: 0"]
        assert at.stats.late == (stray != "+QLWREGX: 1")


def test_what_the_form_of_a_command_and_a_hook_say_of_a_line_of_its_name():
    for say, lines, hook, answer, urcs in (
        (lambda at: at.run("+X"), ["+X: 1"], None, [["1"]], []),  # neither =? nor =: it is asked for
        (lambda at: at.read("+X"), ["+X: 1"], None, [["1"]], []),
        (lambda at: at.write("+X", 1), ["+X: 1"], None, [], ["+X: 1"]),
        (lambda at: at.write("+X", 1), ["+X: 1", "+X: 2"], lambda command, text: text[-1] == "2" or None, [["2"]], ["+X: 1"]),
        (lambda at: at.read("+X"), ["+X: 1", "+X: 2"], lambda command, text: text[-1] == "2", [["2"]], ["+X: 1"]),
        (lambda at: at.send("AT&V"), ["&C1 &D2", "+X: 1"], None, ["&C1 &D2"], ["+X: 1"]),
        (lambda at: at.send("ATA"), ["CONNECT 9600"], None, ["CONNECT 9600"], []),
        (lambda at: at.send("AT+X?;+Y?"), ["+X: 1"], None, ["+X: 1"], []),
    ):  # fmt: skip
        at, uart, _ = client()
        heard = []
        at.subscribe("+X", lambda text: heard.append("an older handler"))
        at.subscribe("+X", heard.append)
        at.is_answer = hook
        uart.feed(b"".join([line(text) for text in lines]) + OK, after_ms=1)
        assert say(at) == answer and at.poll() == len(urcs), lines
        assert heard == urcs, lines


def test_what_is_owed_is_late_but_not_after_a_restart_nor_much_later():
    for after, owed in ((0, 1), (10, 1), (3_600_000, 0)):
        at, uart, clock = client([(b"AT+QLWREG\r", OK)])
        heard = hear(at, "+QLWREG")
        raised(AtTimeout, at.run, "+QLWREG", result="+QLWREG", result_timeout_ms=100)
        clock.advance(after)
        for count in (1, 2):
            uart.feed(line("+QLWREG: 0"))
            assert at.poll() == 1 and at.stats.late == owed, (after, count)  # of two the first is the one owed
        assert heard == ["+QLWREG: 0"] * 2
    at, uart, _ = client([(b"AT+QLWREG\r", OK)] * 2)
    for count in (1, 2):
        raised(AtTimeout, at.run, "+QLWREG", result="+QLWREG", result_timeout_ms=100)
        uart.feed(line("+QLWREG: 0") + line("+X: " + "y" * 1600))
        at.poll()
        assert at.stats.late == at.stats.overruns == count
    at, uart, _ = client([(b"AT+QLWREG\r", OK + line("RDY"))])
    raised(LinkError, at.run, "+QLWREG", result="+QLWREG", result_timeout_ms=100)
    uart.feed(line("+QLWREG: 0"))
    at.poll()
    assert at.stats.late == 0, "a module that has restarted owes nothing"


def test_of_a_full_queue_goes_what_a_newer_one_of_its_name_and_word_replaces():
    for lines, kept in (
        (("+A: 1", '+U: "read",1', '+U: "write",2', '+U: "read",3'), (0, 2, 3)),
        (("+A: 1", '+U: "read",1,"a"', '+U: "read",2,"b"'), (0, 2)),
        (("+A: 1", '+U: "read",1', '+U: "reap",2'), (1, 2)),  # another word: nothing is replaced, the oldest goes
        (("+A: 1", '+U: "read",1', '+U: "readable",2'), (1, 2)),
        (("+A: 1", "+U: 1", "+U: 2", "+A: 3"), (1, 2, 3)),
        (("+A: 1", "+NOBODY: 1", "+U: 2"), (0, 2)),
        (("+A: 1", "+U", "+UX: 2", "+U"), (0, 2, 3)),
    ):
        at, uart, clock = client([(b"AT\r", b"".join([line(text) for text in lines]) + OK)])
        heard = []
        for name in ("+A", "+U", "+UX"):
            at.subscribe(name, heard.append)
        at.queue_size = sum([len(text) + 32 for text in lines]) - 1
        at.send("AT")
        at.poll()
        known = [text for text in lines if not text.startswith("+NOBODY")]
        assert heard == [lines[index] for index in kept], (lines, heard)
        assert at.stats.dropped == len(known) - len(kept) and clock.now == 0, lines


def test_a_wait_takes_one_line_from_the_queue_or_the_module_and_leaves_the_rest():
    for queued in (True, False):
        script = [(b"AT\r", line("+X: 1") + line("+Y: 1") + line("+X: 2") + OK)]
        at, uart, _ = client(script if queued else [])
        heard = hear(at, "+X", "+Y")
        if queued:
            at.send("AT")
        else:
            uart.feed(line("+X: 1") + line("+Y: 1") + line("+X: 2"), after_ms=5)
        assert at.wait("+Y", 100) == "+Y: 1"
        at.poll()
        assert heard == ["+X: 1", "+X: 2"], queued
    at, uart, _ = client()
    uart.feed(b"\r\n+X: a\xffb\r\n" * 2)
    at.subscribe("+X", lambda text: None)
    assert at.poll() == 2 and at.stats.garbage == 2, "each is counted"
