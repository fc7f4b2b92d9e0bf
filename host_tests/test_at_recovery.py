"""Silence, late answers, dirty lines, strange line settings, baud rates, full UARTs, floods."""

from fakes.at_modem import AtModem
from fakes.clock import VirtualClock
from fakes.refusal import raised
from fakes.uart import FakeUart, hear
from lwnode.at import AtClient, AtError, AtTimeout, CommandError, LinkError

OK = b"\r\nOK\r\n"


def pair(modem, chunk=8, **options):
    clock = VirtualClock()
    uart = FakeUart(clock, peer=modem, chunk=chunk)
    return AtClient(uart, clock, **options), uart, clock


# Deadlines.


def test_an_answer_at_the_deadline_is_in_time_and_one_after_it_is_not():
    for chunk in (1, 3, 8, None):
        clock = VirtualClock()
        uart = FakeUart(clock, chunk=chunk).script([(b"AT+X?\r", b"\r\n+X: 1\r\n" + OK, 300)])
        assert AtClient(uart, clock).read("+X", timeout_ms=300) == [["1"]]
        clock = VirtualClock()
        uart = FakeUart(clock, chunk=chunk).script([(b"AT+X?\r", b"\r\n+X: 1\r\n" + OK, 301)])
        raised(AtTimeout, AtClient(uart, clock).read, "+X", timeout_ms=300)
        assert clock.now == 300


def test_a_babbling_module_does_not_move_the_deadline():
    clock = VirtualClock()
    uart = FakeUart(clock)
    at = AtClient(uart, clock)
    for ms in range(0, 3000, 7):
        uart.feed(b"\r\n+NOISE: 1\r\n" if ms % 2 else b"\x93\x00zzzzzz", after_ms=ms)
    raised(AtTimeout, at.send, "AT+X", timeout_ms=1000)
    assert clock.now == 1000


class Babbling(FakeUart):
    """Always has one more line: each takes us longer to look at than it to come."""

    def any(self):
        self._incoming.extend(b"\r\n+NOISE: 1\r\n")
        self.clock.advance(1)
        return FakeUart.any(self)


def test_a_module_that_never_pauses_does_not_hold_us_for_ever():
    for subscribed in ("+NOISE", "+OTHER"):
        for call, limit in (
            (lambda at: raised(AtTimeout, at.send, "AT+X"), 900), (lambda at: raised(AtTimeout, at.wait, "+X", 300), 1500),
            (lambda at: at.poll(300), 900), (lambda at: at.poll(0), 600), (lambda at: raised(AtTimeout, at.sync), 60_000),
        ):
            clock = VirtualClock()
            at = AtClient(Babbling(clock, chunk=None), clock)
            at.subscribe(subscribed, lambda text: None)
            call(at)
            assert clock.now < limit, clock.now


def test_an_echo_is_silence():
    """TX and RX joined, or a module whose firmware hangs: what comes back are our own words."""
    clock = VirtualClock()
    uart = FakeUart(clock, chunk=3)
    uart.write = lambda data: uart.feed_now(bytes(data)) or len(data)
    at = AtClient(uart, clock)
    for _ in range(2):  # the second time by AT, for the line is out of step
        raised(AtTimeout, at.send, "AT+CSQ", prefix="")
    raised(AtTimeout, at.sync)
    at.poll(100)
    assert at.stats.lines == 0 and at.stats.echoes > 4 and at.stats.unknown == 0
    modem = AtModem({b"AT+CSQ": [b"+CSQ: 1,2"]}, echo=True)
    at, uart, clock = pair(modem)
    assert at.send("AT+CSQ") == ["+CSQ: 1,2"]
    assert (at.stats.lines, at.stats.echoes) == (2, 1)
    modem.dead = True
    raised(AtTimeout, at.send, "AT+CSQ")
    modem.dead = False
    assert at.send("AT+CSQ") == ["+CSQ: 1,2"]  # with an AT before it
    assert (at.stats.lines, at.stats.echoes, at.stats.unknown) == (5, 3, 0)


def test_ticks_wrap_in_mid_wait():
    clock = VirtualClock(first_tick=(1 << 30) - 100)
    uart = FakeUart(clock).script([(b"AT\r", OK, 250), (b"AT\r", b"")])
    at = AtClient(uart, clock)
    assert at.send("AT") == []
    raised(AtTimeout, at.send, "AT", timeout_ms=500)
    assert clock.now == 250 + 20 + 500


# The dirty line.


def test_the_next_command_waits_for_resynchronisation():
    modem = AtModem({b"AT+CSQ": [b"+CSQ: 1,2"]})
    at, uart, clock = pair(modem)
    modem.dead = True
    raised(AtTimeout, at.send, "AT+CSQ")
    modem.dead = False
    modem.lost = 2  # the first AT after sleep are lost
    assert at.send("AT+CSQ", timeout_ms=2000) == ["+CSQ: 1,2"]
    assert modem.heard == [b"AT", b"AT+CSQ"]


def test_a_lost_at_costs_a_tenth_of_a_second_and_a_lost_command_a_second():
    for command, cost in (("AT", 100), ("AT+CSQ", 1000)):
        modem = AtModem({b"AT+CSQ": [b"+CSQ: 1,2"]})
        modem.lost = 1
        at, uart, clock = pair(modem)
        raised(AtTimeout, at.send, command)
        began = clock.now
        assert at.send("AT+CSQ") == ["+CSQ: 1,2"]
        assert clock.now - began == cost + at.gap_ms


def test_a_late_answer_that_came_meanwhile_is_not_waited_for():
    clock = VirtualClock()
    script = [(b"AT+X?\r", b"\r\n+X: 9\r\n" + OK, 500), (b"AT\r", OK, 5), (b"AT+X?\r", b"\r\n+X: 1\r\n" + OK, 5)]
    at = AtClient(FakeUart(clock).script(script), clock)
    raised(AtTimeout, at.read, "+X")
    at.poll(700)
    assert at.read("+X") == [["1"]] and clock.now == 300 + 700 + 5 + 20 + 5


def test_resynchronisation_is_bounded_by_the_commands_own_time():
    at, uart, clock = pair(AtModem())
    at.uart.peer.dead = True
    for timeout_ms in (300, 2000, 500):
        began = clock.now
        raised(AtTimeout, at.send, "AT+X", timeout_ms=timeout_ms)
        assert clock.now - began == timeout_ms
    assert at.stats.timeouts == 3


class Busy:
    """Answers commands in order, the first after `delay` ms, however many come meanwhile."""

    def __init__(self, clock, delay):
        self.clock = clock
        self.busy_until = delay
        self.values = [b"\r\n+X: 9\r\n", b"\r\n+X: 1\r\n"]
        self.out = None

    def receive(self, data):
        answer = OK if data == b"AT\r" else self.values.pop(0) + OK
        self.clock.at(max(self.clock.now + 2, self.busy_until), lambda: self.out(answer))


def test_late_answer_of_the_same_query_after_every_delay():
    """The module answers in order, at any time after the deadline: the stale value is never taken."""
    for delay in (301, 320, 400, 700, 1200, 1290):
        clock = VirtualClock()
        at = AtClient(FakeUart(clock, peer=Busy(clock, delay), chunk=3), clock)
        raised(AtTimeout, at.read, "+X", timeout_ms=300)
        assert at.read("+X", timeout_ms=3000) == [["1"]], delay


def test_urcs_during_resynchronisation_are_not_lost():
    clock = VirtualClock()
    script = [(b"AT+X?\r", b""), (b"AT\r", b'\r\n+QLWURC: "read",1\r\n' + OK), (b"AT+X?\r", OK)]
    at = AtClient(FakeUart(clock).script(script), clock)
    heard = hear(at, "+QLWURC")
    raised(AtTimeout, at.read, "+X")
    at.read("+X")
    at.poll(1)
    assert heard == ['+QLWURC: "read",1']


def test_a_late_answer_is_no_urc_either():
    clock = VirtualClock()
    uart = FakeUart(clock).script([(b"AT+CEREG?\r", b"\r\n+CEREG: 0,5\r\n" + OK, 400)])
    at = AtClient(uart, clock)
    heard = hear(at, "+CEREG")
    raised(AtTimeout, at.read, "+CEREG")
    uart.feed(b'\r\n+CEREG: 1,"1A2B"\r\n', after_ms=50)
    at.poll(500)
    assert heard == ['+CEREG: 1,"1A2B"']
    assert at.stats.late == 2


def test_a_prompt_that_came_too_late_does_not_swallow_the_next_command():
    clock = VirtualClock()
    script = [(b"AT+W=4\r", b"\r\n> ", 500), (b"\x1b", OK), (b"AT\r", OK), (b"AT+CSQ\r", b"\r\n+CSQ: 1,2\r\n" + OK)]
    at = AtClient(FakeUart(clock).script(script), clock)
    raised(AtTimeout, at.send, "AT+W=4", data=b"abcd")
    clock.advance(300)
    assert at.send("AT+CSQ") == ["+CSQ: 1,2"]


def test_keyboard_interrupt_passes_and_leaves_the_line_dirty():
    clock = VirtualClock()
    script = [(b"AT+X?\r", b"\r\n+X: 9\r\n" + OK, 100), (b"AT\r", OK), (b"AT+X?\r", b"\r\n+X: 1\r\n" + OK)]
    uart = FakeUart(clock).script(script)
    at = AtClient(uart, clock)

    def interrupt():
        raise KeyboardInterrupt

    at.idle = interrupt
    raised(KeyboardInterrupt, at.read, "+X")
    at.idle = None
    assert at.read("+X") == [["1"]]


# Buffers.


def test_a_line_longer_than_the_buffer_is_dropped_to_its_end_and_counted():
    for chunk in (1, 3, 8, None):
        for size in list(range(50, 68)) + list(range(117, 122)) + [130, 700, 5000]:
            clock = VirtualClock()
            reply = b"\r\n+LONG: " + b"x" * size + (b"\r\n", b"\n", b"\r")[size % 3] + b"+X: 1\r\n" + OK
            at = AtClient(FakeUart(clock, chunk=chunk).script([(b"AT+X?\r", reply)]), clock, rx_size=64)
            assert at.read("+X") == [["1"]], (chunk, size)
            assert at.stats.overruns == (len("+LONG: ") + size >= 64), (chunk, size)


def test_an_answer_that_does_not_fit_is_an_error_and_no_empty_success():
    long = b"\r\n+LONG: " + b"x" * 90 + b"\r\n"
    cases = [("AT+LONG?", long + OK, {}, True), ("ATI", long + OK, {}, True), ("AT+X?", long + OK, {"prefix": ""}, True),
             ("AT+X?", long + b"\r\n+X: 1\r\n" + OK, {}, False), ("AT+X?", (b"\r\n+X: 1\r\n" * 300) + OK, {}, True)]
    for command, reply, how, error in cases:
        for chunk in (1, 8, None):
            clock = VirtualClock()
            script = [(command.encode() + b"\r", reply)] + [(b"AT\r", OK)] * (1 + (len(reply) > 999))
            uart = FakeUart(clock, chunk=chunk).script(script)
            at = AtClient(uart, clock, rx_size=64)
            if error:
                assert "size" in str(raised(AtError, at.send, command, timeout_ms=900, **how)), command
            else:
                assert at.send(command, **how) == ["+X: 1"]
            assert at.send("AT", timeout_ms=900) == []


def test_kilobytes_of_binary_noise():
    seed = 12345
    noise = bytearray()
    for _ in range(4096):
        seed = (seed * 1103515245 + 12345) & 0x3FFFFFFF
        noise.append(seed >> 16 & 255)
    for chunk in (3, 8, None):
        clock = VirtualClock()
        uart = FakeUart(clock, chunk=chunk).script([(b"AT+X?\r", b"\r\n+X: 1\r\n" + OK)])
        at = AtClient(uart, clock, rx_size=256)
        uart.feed(b"\r\nAPP RDY\r\n" + noise + b"\r\n")
        heard = hear(at, "APP RDY")
        assert at.read("+X") == [["1"]]
        at.poll(1)
        assert heard == ["APP RDY"]


def test_every_line_end():
    for end in (b"\r\n", b"\n\r", b"\n", b"\r", b"\r\r\n", b"\r\n\r\n", b"\n\n\r", b"\0\r\n\xff"):
        for chunk in (1, 3, 8, None):
            clock = VirtualClock()
            reply = end + b"+X: 1" + end + b"+X: 2" + end + b"OK" + end
            at = AtClient(FakeUart(clock, chunk=chunk).script([(b"AT+X?\r", reply)]), clock)
            assert at.read("+X") == [["1"], ["2"]], end


def test_single_garbage_bytes_glued_to_a_line():
    for junk in (b"\0", b"\x7f", b"\xff", b"\x80", b"\xf0\xf0", b"\x07"):
        clock = VirtualClock()
        reply = b"\r\n" + junk + b"+X: 1" + junk + b"\r\n\r\n" + junk + b"OK" + junk + b"\r\n"
        at = AtClient(FakeUart(clock).script([(b"AT+X?\r", reply)]), clock)
        assert at.read("+X") == [["1"]]


def test_a_line_that_is_no_utf8_is_still_a_line():
    clock = VirtualClock()
    uart = FakeUart(clock)
    at = AtClient(uart, clock)
    heard = hear(at, "+A")
    uart.feed(b"\r\n+A: x\xffy\r\n\r\n+A: \xc3\xa9!\r\n")
    assert at.poll(1) == 2
    assert heard == ["+A: x\xffy", "+A: \u00e9!"]
    assert at.stats.garbage == 1


def test_an_urc_without_line_end_that_ends_with_the_next_boot():
    """BC66 before R01A10: ENTER DEEPSLEEP has no CR LF; the line ends with the banner, hours later."""
    clock = VirtualClock()
    uart = FakeUart(clock)
    at = AtClient(uart, clock)
    at.banners = (b"F1",)
    heard = hear(at, "+QNBIOTEVENT")
    uart.feed(b'\r\n+QNBIOTEVENT: "ENTER DEEPSLEEP"')
    uart.feed(b"\n\rF1: 0000 0000\n\r", after_ms=3_600_000)
    at.poll(4_000_000)
    assert heard == ['+QNBIOTEVENT: "ENTER DEEPSLEEP"']
    assert at.stats.restarts == 1


def test_the_buffer_is_allocated_on_first_use_with_the_size_set_until_then():
    clock = VirtualClock()
    long = b"y" * 2900
    uart = FakeUart(clock).script([(b"AT+X?\r", b"\r\n+X: " + long + b"\r\n" + OK)])
    at = AtClient(uart, clock)
    at.rx_size = 3000
    assert at.send("AT+X?", timeout_ms=5000) == ["+X: " + "y" * 2900]


class SlowUart(FakeUart):
    """Takes at most five bytes a write, and none while CTS is held."""

    held = False

    def write(self, buf):
        if self.held:
            return None
        return FakeUart.write(self, bytes(buf[:5]))


def test_a_uart_that_takes_a_few_bytes_at_a_time():
    clock = VirtualClock()
    uart = SlowUart(clock).script([(b"AT+QLWSERV=1,2,3\r", OK)])
    at = AtClient(uart, clock)
    assert at.write("+QLWSERV", 1, 2, 3) == []


def test_a_uart_that_takes_nothing_for_a_while_or_for_ever():
    calls = []
    for hook in (None, lambda: calls.append(1)):
        clock = VirtualClock()
        uart = SlowUart(clock).script([(b"AT+QLWSERV=1\r", OK)])
        at = AtClient(uart, clock)
        at.idle = hook
        uart.held = True
        clock.after(3000, lambda: setattr(uart, "held", False))
        assert at.write("+QLWSERV", 1) == [] and 3000 <= clock.now < 3100
        uart.held = True
        assert "CTS" in str(raised(AtTimeout, at.send, "AT"))
        assert 5000 <= clock.now - 3000 < 5100 and (hook is None or len(calls) > 4000)


def test_a_uart_without_wait_is_polled_by_the_clock_in_steps_of_1_ms():
    clock = VirtualClock()
    inner = FakeUart(clock).script([(b"AT\r", OK, 123)])

    class Plain:
        def any(self):
            return inner.any()

        def readinto(self, buf):
            return inner.readinto(buf)

        def write(self, buf):
            return inner.write(buf)

    steps = []
    sleep = clock.sleep_ms

    class Watched:
        ticks_ms = clock.ticks_ms
        ticks_add = clock.ticks_add
        ticks_diff = clock.ticks_diff

        def sleep_ms(self, ms):
            steps.append(ms)
            sleep(ms)

    assert AtClient(Plain(), Watched()).send("AT") == []
    assert clock.now == 123 and steps == [1] * 123


# The state of the line.


def test_sync_from_every_state_of_the_line():
    for echo in (False, True):
        for verbose in (True, False):
            for quiet in (False, True):
                for s3, s4 in ((13, 10), (10, 13), (13, 30), (10, 10), (30, 31)):
                    for cmee in (0, 2):
                        modem = AtModem({b"AT+CSQ": [b"+CSQ: 1,2"]}, echo, verbose, quiet, s3, s4, cmee)
                        at, uart, clock = pair(modem, chunk=3)
                        state = (echo, verbose, quiet, s3, s4, cmee)
                        assert at.sync(), state
                        assert (modem.echo, modem.verbose, modem.quiet, modem.s3, modem.s4, modem.cmee) == (
                            False, True, False, 13, 10, 1), state
                        assert at.send("AT+CSQ") == ["+CSQ: 1,2"]
                        assert raised(CommandError, at.send, "AT+NONE").code == 58


def test_sync_of_a_module_in_order_takes_three_commands():
    modem = AtModem()
    at, uart, clock = pair(modem)
    at.sync()
    assert [heard for heard in modem.heard if heard != b"AT"] == [b"ATE0", b"AT+CMEE=1"]
    assert at.stats.late == at.stats.unknown == 0
    assert b"\x1b" not in uart.sent
    modem.dead = True
    raised(AtTimeout, at.send, "AT+X")
    modem.dead = False
    uart.init = None  # the rate stays as it is
    at.sync()
    modem.heard.clear()
    raised(CommandError, at.send, "AT+X")
    assert modem.heard == [b"AT+X"]  # the line is in step: no AT before it


def test_sync_finds_the_baud_rate():
    for rate in (115200, 9600, 57600):
        modem = AtModem({b"AT+CSQ": [b"+CSQ: 1,2"]})
        at, uart, clock = pair(modem)
        uart.peer_baudrate = rate
        assert at.sync(rates=(115200, 57600, 9600)) == rate
        assert uart.baudrate == rate
        assert at.send("AT+CSQ") == ["+CSQ: 1,2"]


def test_sync_of_a_module_that_hears_the_fifth_at_only():
    modem = AtModem()
    modem.lost = 4
    at, uart, clock = pair(modem)
    assert at.sync()


def test_sync_is_bounded_when_nobody_answers():
    modem = AtModem()
    modem.dead = True
    at, uart, clock = pair(modem)
    assert "AT: no answer" in str(raised(AtTimeout, at.sync))
    assert clock.now < 12_000
    raised(AtTimeout, at.sync, rates=(9600, 115200))


def test_sync_loses_no_urc():
    modem = AtModem(echo=True)
    at, uart, clock = pair(modem)
    heard = hear(at, "+CPIN")
    uart.feed(b"\r\n+CPIN: READY\r\n")
    uart.feed(b"\r\n+CPIN: NOT READY\r\n", after_ms=5)
    at.sync()
    at.poll(100)
    assert heard == ["+CPIN: READY", "+CPIN: NOT READY"]


def test_banners_around_a_command_are_of_one_boot_until_the_module_answers():
    at, uart, clock = pair(AtModem())
    uart.peer.dead = True
    at.banners = (b"F1", b"RDY")
    restarts = []
    at.on_restart = restarts.append
    uart.feed(b"\r\nF1: 0000\r\n").feed(b"\r\nRDY\r\n", after_ms=100)
    raised(LinkError, at.send, "AT+X", timeout_ms=500)
    uart.peer.dead = False
    at.send("AT", timeout_ms=500)
    uart.feed(b"\r\nRDY\r\n")
    at.poll(1)
    assert restarts == ["F1: 0000", "RDY"] and at.stats.restarts == 2


def test_after_a_restart_the_line_is_settled_before_the_next_command():
    modem = AtModem({b"AT+CSQ": [b"+CSQ: 1,2"]})
    at, uart, clock = pair(modem)
    uart.feed(b"\r\nRDY\r\n", after_ms=3)
    modem.lost = 1
    raised(LinkError, at.send, "AT+SLOW")
    began = clock.now
    assert at.send("AT+CSQ") == ["+CSQ: 1,2"]
    assert clock.now - began < 100  # what was begun before a restart is never answered, and not waited for
    assert isinstance(raised(AtError, at.send, "AT+NONE"), CommandError)
