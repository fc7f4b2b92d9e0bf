"""Properties of the AT driver, searched by hypothesis: random streams, random cuts, random values, random secrets."""

from fakes.clock import VirtualClock
from fakes.uart import FakeUart
from hypothesis import given, settings
from hypothesis import strategies as st
from lwnode.at import AtClient, AtError, Secret, fields
from test_at_faults import DIALOGUES, PIECES, listen, play
from test_at_values import leaks, whole

CPYTHON_ONLY = "hypothesis does not run on MicroPython; the portable cases are in test_at_*.py"

OK = b"\r\nOK\r\n"
streams = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=6)), max_size=40).map(b"".join)
texts = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"'), max_size=40)


@settings(max_examples=150, deadline=None)
@given(streams, st.lists(st.integers(0, 300), max_size=6), st.sampled_from((1, 2, 3, 5, 8)))
def test_same_lines_whatever_the_chunking(stream, cuts, chunk):
    cuts = sorted(min(cut, len(stream)) for cut in cuts)
    assert listen(stream, cuts, chunk) == listen(stream, [], None)


@settings(max_examples=100, deadline=None)
@given(streams, st.integers(1, 9))
def test_nothing_but_at_errors_and_never_late(stream, chunk):
    clock = VirtualClock()
    at = AtClient(FakeUart(clock, chunk=chunk).script([(b"AT+X?\r", stream, 7)]), clock, rx_size=64)
    at.subscribe("+A", lambda text: None)
    try:
        at.read("+X", timeout_ms=500, result="SEND OK")
    except AtError:
        pass
    assert clock.now <= 1000
    assert sum(len(line) + 32 for line in at._queue) <= at.queue_size and len(at._rx.bytes) in (0, 64)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(DIALOGUES)), st.integers(0, 200), st.binary(min_size=1, max_size=12), st.integers(1, 9))
def test_any_bytes_at_any_position_of_a_dialogue(name, position, noise, chunk):
    play(DIALOGUES[name], (position, noise), chunk)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(texts, st.none(), st.integers(-(2**31), 2**31)), min_size=1, max_size=6))
def test_fields_give_back_what_write_wrote(values):
    clock = VirtualClock()
    uart = FakeUart(clock, peer=None)
    at = AtClient(uart, clock)

    class Echo:
        def receive(self, data):
            self.out(b"\r\n+X: " + data[len(b"AT+X=") : -1] + b"\r\n" + OK)

    uart.peer = Echo()
    uart.peer.out = uart.feed_now
    expected = [None if value is None else str(value) for value in values]
    if expected == [None]:
        expected = []  # nothing at all
    elif expected[-1] is None:
        assert at.write("+X", *values)[0][:-1] == expected[:-1]
        return
    assert at.write("+X", *values) == [expected]


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=1, max_size=60), st.integers(1, 9), st.booleans())
def test_a_payload_by_length_is_given_as_it_is(value, chunk, inside):
    clock = VirtualClock()
    uart = FakeUart(clock, chunk=chunk)
    at = AtClient(uart, clock)
    if inside:
        heard = []
        at.subscribe("+W", heard.append, payload=1)
        uart.feed(b'\r\n+W: 1,%d,"' % len(value) + value + b'",0\r\n')
        at.poll(10)
        got = heard[0][len(fields(heard[0])[1] or "") + len('+W: 1,,"') : -len('",0')]
    else:
        uart.script([(b"AT+R\r", b"\r\n+R: %d\r\n" % len(value) + value + b"\r\n" + OK)])
        got = at.send("AT+R", payload=lambda text: int(fields(text)[0]))[1]
    try:
        assert got == value.decode()
    except UnicodeDecodeError:
        assert len(got) >= 1  # no UTF-8: it comes character by character


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"*'), min_size=8, max_size=64),
       st.integers(1, 20),
       st.lists(st.tuples(st.integers(0, 80), st.sampled_from((b"\xff", b"\r\n+A: 1\r\n", b"~"))), max_size=3))
def test_no_secret_in_any_trace(secret, chunk, cuts):
    clock = VirtualClock()
    uart = FakeUart(clock, chunk=chunk)
    seen = []
    at = AtClient(uart, clock, trace=lambda direction, data: seen.append((direction, data)))
    command = b'AT+K="' + secret.encode() + b'"\r'
    echo = command
    for position, noise in cuts:
        echo = echo[:position] + noise + echo[position:]
    uart.script([(command, echo + OK)])
    try:
        at.write("K", Secret(secret))
    except AtError:
        pass
    at._rx.trace.flush()
    for text in whole(seen):
        assert not leaks(text, secret)
