"""A URC, a noise byte and a silence at every byte position of ten dialogues; and random streams cut at random.

What must hold: a silence changes nothing. A URC or a noise byte between two lines changes nothing, and the URC
arrives. Inside a line (where no module puts them) they may cost that line: then the call ends with an AtError at its
deadline at the latest or with what the damaged line says, and the next command is right again.
"""

from fakes.clock import VirtualClock
from fakes.uart import FakeUart, hear
from lwnode.at import AtClient, AtError, fields

OK = b"\r\nOK\r\n"
URC = b"\r\n+CGREG: 7\r\n"
PROBE = b"\r\n+PROBE: 1\r\n"


def line(text):
    return b"\r\n" + text + b"\r\n"


class Module:
    """Says its part of a dialogue: each command has its answer, and what it says first comes unasked.

    `fault` = (position in all that it says, bytes to put there or None for 150 ms of silence).
    """

    def __init__(self, clock, dialogue, fault=None):
        self.clock = clock
        self.first = dialogue.first
        self.answers = list(dialogue.answers)
        self.fault = fault
        self.said = 0
        self.heard = b""
        self.delay = 0
        self.out = None

    def start(self):
        self.say(self.first, 5)

    def receive(self, data):
        self.heard += data
        if self.heard.endswith(b"AT\r"):
            self.heard = b""
            self.say(OK, 2)
        elif self.heard.endswith(b"AT+PROBE?\r"):
            self.heard = b""
            self.say(PROBE + OK, 2)
        elif self.answers and self.answers[0][0] in self.heard:
            self.heard = b""
            for ms, data in self.answers.pop(0)[1]:
                self.say(data, ms)

    def say(self, data, ms):
        begin, self.said = self.said, self.said + len(data)
        if self.fault is not None and begin <= self.fault[0] < self.said:
            cut = self.fault[0] - begin
            self.later(ms, data[:cut])
            if self.fault[1] is None:
                self.delay = 150
            else:
                self.later(ms, self.fault[1])
            data = data[cut:]
        self.later(ms, data)

    def later(self, ms, data):
        self.clock.after(ms + self.delay, lambda: self.out(data))


class Dialogue:
    """`run(at)` makes the calls and returns what they gave. `first` comes unasked, `answers` = (command, [(ms, bytes)])."""

    def __init__(self, run, answers, first=b"", inside=()):
        self.run = run
        self.first = first
        self.answers = answers
        self.inside = inside  # what comes by length, with the line that declares it: a URC in there is part of it
        self.stream = first + b"".join([data for _, parts in answers for _, data in parts])

    def in_value(self, position):
        """Is this in a value that comes by length, or in the line that declares it?"""
        for value in self.inside:
            start = self.stream.find(value)
            if start >= 0 and start + 2 < position < start + len(value):
                return True
        return False

    def boundary(self, position):
        """Is this the beginning of a line or its end?"""
        around = self.stream[max(0, position - 1) : position + 1]
        return not self.in_value(position) and (around[:1] in b"\r\n" or around[1:] in b"\r\n")


def bc66_configure(at):
    got = at.read("+QLWCONFIG")
    at.write("+QLWCONFIG", 0, "host", 5683, "ep", 300, 3)
    return got


def bc66_register(at):
    return at.send("AT+QLWREG", result="+QLWREG:", result_timeout_ms=3000)


def answering(prefix, command):
    """Answer a request from its handler, as a family file does."""

    def run(at):
        got = []

        def on_request(text):
            got.append(text)
            got.append(at.send(command, result=command[2:].split("=")[0], result_timeout_ms=500))

        at.subscribe(prefix, on_request)
        for _ in range(90):
            if len(got) < 2:
                at.poll(10)
        at.subscribe(prefix, None)
        return got

    return run


def bc66_notify(at):
    at.subscribe('+QLWURC: "report', lambda text: None)
    got = at.write("+QLWNOTIFY", 3303, 0, 5700, 4, 4, "21.5", 0, 1, result="+QLWNOTIFY", result_timeout_ms=500)
    return got, at.wait('+QLWURC: "report_ack"', 900)


def bc66_recover(at):
    at.send("AT+QLWRECOVER")
    return at.wait('+QLWURC: "recovered"', 2000)


def bc20_read_loop(at):
    got = []
    while len(got) < 4:
        lines = at.write("+QLWRD", 16, payload=lambda text: int(fields(text)[0]))
        got.append(lines)
        if len(lines) < 2:
            break
    return got


def bg96_uldata(at):
    at.send('AT+QLWM2M="uldata",10250,5,"hello"')
    return at.wait("+QLWDLDATA", 500)


def telit_list(at):
    return at.read("#LWM2MMON")


def telit_upload(at):
    return at.send('AT#M2MWRITE="/XML/object_3303.xml",10', data=b"<a>\r\n</a>.", prompt=">>>", timeout_ms=2000)


HEX = b"5A" * 512
DIALOGUES = {
    "bc66_configure": Dialogue(bc66_configure, [
        (b"+QLWCONFIG?\r", [(2, line(b'+QLWCONFIG: 0,"10.1.2.3",5683,"8679",900,3') + OK)]), (b"+QLWCONFIG=", [(9, OK)])]),
    "bc66_register": Dialogue(bc66_register, [(b"+QLWREG\r", [(2, OK), (900, line(b"+QLWREG: 0"))])]),
    "bc66_observe": Dialogue(answering('+QLWURC: "observe"', "AT+QLWOBSRSP=1,0,3303,0,5700,4,4,21.5,0"),
        [(b"+QLWOBSRSP=", [(2, OK), (30, line(b"+QLWOBSRSP: 0"))])], line(b'+QLWURC: "observe",1,0,3303,0,5700')),
    "bc66_write": Dialogue(answering('+QLWURC: "write"', "AT+QLWWRRSP=2,2"),
        [(b"+QLWWRRSP=", [(2, OK), (30, line(b"+QLWWRRSP: 0"))])],
        line(b'+QLWURC: "write",2,19,0,0,2,512,"' + HEX + b'",0')),
    "bc66_notify": Dialogue(bc66_notify, [(b"+QLWNOTIFY=", [
        (2, OK), (9, line(b'+QLWURC: "report",7')), (20, line(b"+QLWNOTIFY: 0")), (300, line(b'+QLWURC: "report_ack",0,7'))])]),
    "bc66_recover": Dialogue(bc66_recover, [(b"+QLWRECOVER\r", [(2, OK), (700, line(b'+QLWURC: "recovered",0'))])]),
    "bc20_read_loop": Dialogue(bc20_read_loop, [
        (b"+QLWRD=16\r", [(2, line(b"+QLWRD: 16,3") + b"OK\r\nERROR\r\nabcde" + b"\r\n" + OK)]),
        (b"+QLWRD=16\r", [(2, line(b"+QLWRD: 3,0") + b"x,y" + b"\r\n" + OK)]),
        (b"+QLWRD=16\r", [(2, line(b"+QLWRD: 0") + OK)])],
        inside=(b"\r\n+QLWRD: 16,3\r\nOK\r\nERROR\r\nabcde", b"\r\n+QLWRD: 3,0\r\nx,y")),
    "bg96_uldata": Dialogue(bg96_uldata, [(b'"uldata"', [(2, OK), (90, line(b'+QLWDLDATA: "/10250/0/1",4,2,"hi"'))])]),
    "telit_list": Dialogue(telit_list, [(b"#LWM2MMON?\r", [(2, b'\r\n#LWM2MMON: "4"\n#LWM2MMON: "3"\r\n\r\nOK\r\n')])]),
    "telit_upload": Dialogue(telit_upload, [(b'",10\r', [(2, b"\r\n>>>")]), (b"</a>.", [(2, b"\r\n\r\nOK\r\n")])]),
}


def play(dialogue, fault=None, chunk=8):
    """The result (or the AtError's name) and how often the URC arrived; then the next command is right."""
    clock = VirtualClock()
    module = Module(clock, dialogue, fault)
    uart = FakeUart(clock, peer=module, chunk=chunk)
    at = AtClient(uart, clock)
    heard = hear(at, "+CGREG")
    module.start()
    try:
        result = dialogue.run(at)
    except AtError as error:
        result = type(error).__name__
    assert clock.now < 9000, "hangs"
    module.fault = None
    at.poll(400)
    assert at.read("+PROBE", timeout_ms=1000) == [["1"]], (fault, chunk, result)
    at.poll(1)
    return result, len(heard)


def positions(dialogue):
    """Every position; of the long run of equal hex digits every 64th."""
    start = dialogue.stream.find(HEX)
    for position in range(len(dialogue.stream)):
        if start < 0 or not start + 8 < position < start + len(HEX) - 8 or position % 64 == 0:
            yield position


def test_ten_dialogues_whatever_the_chunking():
    assert len(DIALOGUES) == 10
    for name in DIALOGUES:
        expected = play(DIALOGUES[name])
        assert expected[0] not in ("AtTimeout", "CommandError", "LinkError"), name
        for chunk in (1, 3, None):
            assert play(DIALOGUES[name], chunk=chunk) == expected, (name, chunk)


def test_silence_at_every_position():
    for name in DIALOGUES:
        dialogue = DIALOGUES[name]
        expected = play(dialogue)
        for position in positions(dialogue):
            assert play(dialogue, (position, None), (1, 3, 8)[position % 3]) == expected, (name, position)


def test_urc_at_every_position():
    for name in DIALOGUES:
        dialogue = DIALOGUES[name]
        expected = play(dialogue)[0]
        for position in positions(dialogue):
            result, heard = play(dialogue, (position, URC), (1, 3, 8)[position % 3])
            if dialogue.boundary(position):
                assert result == expected, (name, position, result)
            assert heard == 1 or not heard and dialogue.in_value(position), (name, position, heard)


def test_noise_byte_at_every_position():
    for name in DIALOGUES:
        dialogue = DIALOGUES[name]
        expected = play(dialogue)[0]
        for position in positions(dialogue):
            for noise in (b"\xff", b"\0", b"x"):
                result, _ = play(dialogue, (position, noise), (1, 3, 8)[position % 3])
                if dialogue.boundary(position) and noise != b"x":
                    assert result == expected, (name, position, noise, result)


# Random streams, the same under both interpreters.


class Random:
    """A small generator of its own: both interpreters see the same numbers."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 1103515245 + 12345) & 0x3FFFFFFF
        return (self.state >> 12) % limit


PIECES = (b"\r\n", b"\n\r", b"\r", b"\n", b"\0", b"\xff", b"OK", b"ERROR", b"+CME ERROR: 5", b"+X: 1,2", b"+A: 7", b"RDY", b">",
          b"> ", b'"', b",", b":", b"+QLWRD: 3,0", b'+W: 1,2,3,5,"', b"abc", b" ", b"AT+X?", b"LOOK", b"\x1a", b"\x80\x81",
          b"x" * 70)


def random_stream(random):
    return b"".join([PIECES[random.below(len(PIECES))] for _ in range(3 + random.below(30))])


def listen(stream, cuts, chunk):
    """What an idle client makes of a stream that arrives in these pieces."""
    clock = VirtualClock()
    uart = FakeUart(clock, chunk=chunk)
    at = AtClient(uart, clock, rx_size=64)
    heard = hear(at, "", "+A")
    at.subscribe("+W", heard.append, payload=3)
    previous = 0
    for cut in cuts + [len(stream)]:
        uart.feed(stream[previous:cut])
        at.poll(0)
        previous = cut
    at.poll(1000)
    uart.feed(b"\r\n")  # a value by length that was declared last gets this much, then nothing for a while
    at.poll(1000)
    uart.feed(b"\r\n+A: end\r\n")
    at.poll(1)
    assert heard[-1] == "+A: end"
    return heard, at.stats.overruns


def test_random_streams_give_the_same_lines_whatever_the_cuts():
    random = Random(4711)
    for _ in range(120):
        stream = random_stream(random)
        expected = listen(stream, [], None)
        for chunk in (1, 3, 8):
            cuts = sorted([random.below(len(stream)) for _ in range(4)])
            assert listen(stream, cuts, chunk) == expected, stream


def test_random_streams_as_answers_raise_nothing_but_at_errors():
    random = Random(815)
    for _ in range(150):
        clock = VirtualClock()
        stream = random_stream(random)
        script = [(b"AT+X?\r", stream, 1 + random.below(200))]
        uart = FakeUart(clock, chunk=1 + random.below(9)).script(script)
        at = AtClient(uart, clock, rx_size=64)
        at.subscribe("+A", lambda text: None)
        try:
            lines = at.send("AT+X?", timeout_ms=300, payload=lambda text: int(fields(text)[0]))
            assert isinstance(lines, list)
        except AtError:
            pass
        assert clock.now <= 600
        uart.script([(b"AT\r", OK)] * 9)
        uart.feed(b"\r\n")
        at.poll(300)
        assert at.send("AT", prefix="+NONE", timeout_ms=1000) == []


class Moody:
    """Answers in order: AT+T=n with +T: n. Sometimes slow, sometimes deaf, sometimes chatty, sometimes it restarts."""

    def __init__(self, clock, random):
        self.clock = clock
        self.random = random
        self.free_at = 0
        self.heard = b""
        self.born = 0  # what was begun before a restart is never answered
        self.sent_urcs = 0
        self.out = None

    def receive(self, data):
        self.heard += data
        while b"\r" in self.heard:
            end = self.heard.index(b"\r")
            command, self.heard = self.heard[:end], self.heard[end + 1 :]
            self.execute(command)

    def execute(self, command):
        mood = self.random.below(20)
        if mood == 0:
            return  # deaf
        if mood == 1:
            self.born += 1
            self.free_at = self.clock.now + 600
            self.say(b"\r\nRDY\r\n", self.free_at, self.born)
            return
        slow = mood >= 16 and command != b"AT"  # AT takes no time once the module listens
        delay = 250 + self.random.below(900) if slow else 2 + self.random.below(20)
        self.free_at = max(self.clock.now, self.free_at) + delay
        answer = OK
        if command.startswith(b"AT+T="):
            answer = b"\r\n+T: " + command[5:] + b"\r\n" + OK
        if mood in (2, 17):
            self.sent_urcs += 1
            answer = b"\r\n+A: 1\r\n" + answer
        self.say(answer, self.free_at, self.born)

    def say(self, data, when, born):
        self.clock.at(when, lambda: self.out(data) if born == self.born else None)


def test_never_the_answer_of_another_command():
    for seed in range(12):
        clock = VirtualClock()
        module = Moody(clock, Random(seed))
        uart = FakeUart(clock, peer=module, chunk=1 + seed % 9)
        at = AtClient(uart, clock)
        heard = hear(at, "+A")
        answered = 0
        for number in range(80):
            try:
                assert at.write("+T", number, timeout_ms=300) == [[str(number)]]
                answered += 1
            except AtError:
                pass
            at.poll(number % 3)
        at.poll(3000)
        assert answered > 30, (seed, answered)
        assert len(heard) <= module.sent_urcs and heard.count("+A: 1") == len(heard)
