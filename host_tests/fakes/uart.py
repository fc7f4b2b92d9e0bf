"""A UART in virtual time, as stingy as a real one: at most `chunk` bytes come out of one read.

Three ways to put somebody at the other end:

    uart = FakeUart(clock)                          # nobody: the test feeds bytes itself
    uart.feed(b"\r\nRDY\r\n", after_ms=300)

    uart = FakeUart(clock).script([                 # a dialogue, checked word by word
        (b"AT\r", b"\r\nOK\r\n"),
        (b"AT+CSQ\r", b"\r\n+CSQ: 18,99\r\n\r\nOK\r\n", 40),    # 40 ms later
        (b"AT+QLWDEREG\r", [(10, b"\r\nOK\r\n"), (900, b"\r\n+QLWDEREG: 0\r\n")]),
    ])

    uart = FakeUart(clock, peer=Bc66(clock, link))  # a model: receive(data) is called, out(data) is given
"""


class FakeUart:
    """The `uart` protocol of lwnode.at: any(), readinto(buf), write(buf), wait(ms).

    `sent` holds everything the host wrote. `writes` counts the calls, `waited` the milliseconds slept in wait().
    `baudrate` is what `init` last set: while `peer_baudrate` is set to another value, the line carries garbage.
    """

    def __init__(self, clock, peer=None, chunk: "int | None" = 8, baudrate: int = 115200) -> None:
        self.clock = clock
        self.peer = peer
        self.chunk = chunk
        self.baudrate = baudrate
        self.peer_baudrate: "int | None" = None
        self.sent = bytearray()
        self.writes = 0
        self.waited = 0
        self.script_left: list = []
        self._incoming = bytearray()
        self.slept_ms, self.wake_bytes = 0, 18
        self._unanswered = bytearray()
        if peer is not None:
            peer.out = self.feed_now

    # The protocol.

    def any(self) -> int:
        return len(self._incoming)

    def readinto(self, buf) -> "int | None":
        """At most `chunk` bytes; None when there are none, as machine.UART says."""
        count = min(len(buf), len(self._incoming))
        if self.chunk:
            count = min(count, self.chunk)
        if not count:
            return None
        buf[:count] = self._incoming[:count]
        self._incoming = self._incoming[count:]
        return count

    def write(self, buf) -> int:
        data = bytes(buf)
        self.writes += 1
        self.sent.extend(data)
        if self.peer_baudrate not in (None, self.baudrate):
            return len(data)  # the module hears framing errors
        if self.peer is not None:
            self.peer.receive(data)
        elif self.script_left:
            self._follow_script(data)
        return len(data)

    def wait(self, ms: int) -> bool:
        """Pass time until bytes are there, `ms` at most; jumps from event to event. True: bytes are there."""
        end = self.clock.now + ms
        began = self.clock.now
        while not self._incoming and self.clock.now < end:
            step = end - self.clock.now
            soonest = self.clock.next_in()
            self.clock.advance(step if soonest is None else min(step, soonest))
        self.waited += self.clock.now - began
        return bool(self._incoming)

    def init(self, baudrate: "int | None" = None, **_settings) -> None:
        """machine.UART.init: what a baud rate search calls."""
        if baudrate:
            self.baudrate = baudrate

    # The other end.

    def feed(self, data, after_ms: int = 0) -> "FakeUart":
        """Put bytes on the line to the host, now or later."""
        if after_ms:
            self.clock.after(after_ms, lambda: self.feed_now(data))
        else:
            self.feed_now(data)
        return self

    def feed_now(self, data) -> None:
        """What a model gets as `out`."""
        if self.peer_baudrate not in (None, self.baudrate):
            data = bytes([byte ^ 0xA5 | 0x80 for byte in data])
        self._incoming.extend(data)

    def light_sleep(self, ms: int) -> bool:
        """As an ESP32's board.light_sleep: till the first byte, which is lost with those of the time that waking takes."""
        there, begun = self.any(), self.clock.now
        while self.clock.now - begun < ms and self.any() == there:
            self.clock.advance(1)
        self.slept_ms += self.clock.now - begun
        self.lose(min(self.wake_bytes, self.any() - there))
        return True

    def lose(self, count: int) -> None:
        """The host slept through the first of what has come."""
        self._incoming = self._incoming[count:]

    def script(self, steps) -> "FakeUart":
        """A dialogue: (what the host must write next, answer[, after how many ms]); see the module's text."""
        self.script_left = list(steps)
        return self

    def _follow_script(self, data: bytes) -> None:
        self._unanswered.extend(data)
        while self.script_left and self._unanswered:
            step = self.script_left[0]
            expected = step[0]
            heard = bytes(self._unanswered)
            if not heard.startswith(expected):
                assert expected.startswith(heard), "the script expects %r, the host wrote %r" % (expected, heard)
                return  # the rest comes with the next write
            self._unanswered = self._unanswered[len(expected):]
            self.script_left.pop(0)
            self._answer(step[1], step[2] if len(step) > 2 else 0)

    def _answer(self, answer, after_ms: int) -> None:
        if isinstance(answer, (list, tuple)):
            for later, data in answer:
                self.feed(data, later)
        elif answer:
            self.feed(answer, after_ms)


def hear(at, *names) -> list:
    """The list that the URCs of these names go to."""
    heard: list = []
    for name in names:
        at.subscribe(name, heard.append)
    return heard
