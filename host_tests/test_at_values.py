"""Values in and out: payloads by length, prompts and data, parameters, fields, secrets in every trace."""

from fakes.clock import VirtualClock
from fakes.refusal import raised
from fakes.uart import FakeUart, hear
from lwnode.at import AtClient, AtError, AtTimeout, CommandError, Raw, Secret, fields

OK = b"\r\nOK\r\n"
NASTY = b'"a",b\r\nOK\r\n+CME ERROR: 5\r\nERROR\r\nRDY\r\n> \r\n'


def clients(script=(), **options):
    for chunk in (1, 3, 8, None):
        clock = VirtualClock()
        uart = FakeUart(clock, chunk=chunk).script(script)
        yield AtClient(uart, clock, **options), uart, clock


# Payloads by length.


def test_payload_after_an_information_line():
    for end in (b"\r\n", b"\n", b"\r"):
        reply = b"\r\n+QLWRD: %d,0" % len(NASTY) + end + NASTY + b"\r\n" + OK
        for at, _, _ in clients([(b"AT+QLWRD=512\r", reply), (b"AT\r", OK)]):
            lines = at.send("AT+QLWRD=512", payload=lambda text: int(fields(text)[0]))
            assert lines == ["+QLWRD: %d,0" % len(NASTY), NASTY.decode()]
            assert at.send("AT") == []
            assert at.stats.restarts == 0


def test_hex_payload_has_twice_as_many_characters():
    reply = b"\r\n+QLWRD: 2,2\r\nAA0F\r\n" + OK
    for at, _, _ in clients([(b"AT+QLWRD=2\r", reply)]):
        assert at.write("+QLWRD", 2, payload=lambda text: 2 * int(fields(text)[0])) == [["2", "2"], ["AA0F"]]


def test_no_payload_where_none_is_declared():
    for at, _, _ in clients([(b"AT+QLWRD=2\r", b"\r\n+QLWRD: 0\r\n" + OK)]):
        assert at.write("+QLWRD", 2, payload=lambda text: int(fields(text)[0])) == [["0"]]


def test_payload_inside_a_urc_with_and_without_quotes():
    quoted = b'\r\n+QLWURC: "write",27,19,0,0,1,%d,"' % len(NASTY) + NASTY + b'",0\r\n'
    bare = b"\r\n+QLWDATARECV: 19,1,0,%d," % len(NASTY) + NASTY + b"\r\n"
    for at, uart, _ in clients():
        heard = []
        at.subscribe('+QLWURC: "write"', heard.append, payload=6)
        at.subscribe("+QLWDATARECV", heard.append, payload=3)
        at.subscribe("+CEREG", heard.append)
        uart.feed(quoted + bare + b"\r\n+CEREG: 1\r\n")
        at.poll(10)
        assert heard == [quoted.decode().strip(), bare.decode()[2:-2], "+CEREG: 1"]


def test_payload_inside_a_line_of_a_commands_answer():
    """BC66 in buffer mode gives cached URCs as answers of AT+QLWRD."""
    text = b'+QLWRD: "write",27,19,0,0,1,6,"a\r\nb",",0'
    for at, _, _ in clients([(b"AT+QLWRD=1\r", b"\r\n" + text + b"\r\n" + OK)]):
        at.subscribe('+QLWRD: "write"', lambda line: None, payload=6)
        assert at.send("AT+QLWRD=1", prefix="+QLWRD") == [text.decode()]


def test_a_length_that_lies_costs_a_moment_and_no_line():
    """One BC26 capture declares 27 with 13 bytes of data."""
    for at, uart, clock in clients():
        heard = []
        at.subscribe("+QLWDATARECV", heard.append, payload=3)
        uart.feed(b"\r\n+QLWDATARECV: 19,1,0,27,thirteenbytes\r\n")
        uart.feed(b"\r\n+CEREG: 1\r\n", after_ms=400)
        at.subscribe("+CEREG", heard.append)
        at.poll(1000)
        assert heard == ["+QLWDATARECV: 19,1,0,27,thirteenbytes", "+CEREG: 1"]
        assert at.stats.garbage == 1


def test_a_payload_that_stays_short_after_a_line():
    for at, _, _ in clients([(b"AT+QLWRD=9\r", b"\r\n+QLWRD: 9,0\r\nabc\r\n" + b"\r\nOK")]):
        error = raised(AtTimeout, at.send, "AT+QLWRD=9", timeout_ms=1000, payload=lambda text: 9)
        assert "QLWRD" in str(error)


def test_several_values_in_one_answer_stay_whole_and_a_short_one_costs_no_other_line():
    reply = b"\r\n+R: 3\r\na,b\r\n+R: 1\r\n,\r\n+R: 0,x\r\n"
    short = [(1, b"\r\n+R: 99\r\nabc\r\n"), (400, b"\r\n+A: 1\r\n" + OK)]
    for at, uart, _ in clients([(b"AT+R=1\r", reply + OK), (b"AT+R=1\r", short)]):
        heard = hear(at, "+A")
        by_length = lambda text: int(fields(text)[0])
        assert at.write("+R", 1, payload=by_length) == [["3"], ["a,b"], ["1"], [","], ["0", "x"]]
        assert at.write("+R", 1, payload=by_length, timeout_ms=1000) == [["99"]]
        at.poll(1)
        assert heard == ["+A: 1"] and at.stats.garbage == 1


def test_a_payload_larger_than_the_buffer_is_refused():
    for size in (128, 900):
        script = [(b"AT+QLWRD=9\r", b"\r\n+QLWRD: 900,0\r\n" + b"x" * size + OK), (b"AT\r", OK), (b"AT\r", OK)]
        for at, _, _ in clients(script, rx_size=128):
            assert "rx_size" in str(raised(AtError, at.send, "AT+QLWRD=9", payload=lambda text: size))
            assert at.send("AT", timeout_ms=1000) == []


def test_a_value_inside_a_line_that_does_not_fit_is_counted_and_costs_no_other_line():
    for at, uart, _ in clients(rx_size=128):
        heard = []
        at.subscribe("+W", heard.append, payload=1)
        uart.feed(b"\r\n+W: 1,900,\"abc\r\n+A: 1\r\n")
        at.subscribe("+A", heard.append)
        at.poll(500)
        uart.feed(b"\r\n+W: 1,3,\"a\rb\"\r\n")
        at.poll(500)
        assert heard == ['+W: 1,900,"abc', "+A: 1", '+W: 1,3,"a\rb"'] and at.stats.overruns == 1


def test_a_payload_function_that_fails_means_no_payload():
    for at, uart, _ in clients([(b"AT+X\r", b"\r\n+X: \r\n" + OK)]):
        assert at.send("AT+X", payload=lambda text: int(fields(text)[5])) == ["+X:"]
    for at, uart, _ in clients():
        heard = []
        at.subscribe("+Y", heard.append, payload=1)
        for text in ("+Y: 1", "+Y: 1,2", "+Y: 1,x,3", "+Y: 1,,3", "+Y: 1,0,", "+Y: 1,-2,3"):
            uart.feed(line(text))
        assert at.poll(1) == 6 and heard[0] == "+Y: 1" and heard[-1] == "+Y: 1,-2,3"


def test_a_value_that_looks_like_anything_is_the_value():
    values = (b"ab\r\nOK\r\ncd", b"OK", b"\r\nOK\r\n", b"SEND OK", b"\r\n+A: 1\r\n", b"+A: 1", b"\r\n> ", b"\n", b'"', b'","')
    for text in values + (b"RDY", b"\r\nRDY\r\n"):
        data = b'\r\n+QLWDLDATA: "/10250/0/1",4,%d,"' % len(text) + text + b'"\r\n'
        answer = b"\r\n+QLWRD: %d,0\r\n" % len(text) + text + b"\r\n" + OK
        for at, uart, _ in clients([(b"AT+QLWRD=512\r", answer)]):
            heard, forged = [], []
            at.subscribe("+A", forged.append)
            at.subscribe("+QLWDLDATA", heard.append, payload=2)
            uart.feed(data)
            at.poll(300)
            assert at.send("AT+QLWRD=512", payload=lambda text: int(fields(text)[0]))[1] == text.decode(), text
            at.poll(300)
            assert heard == [data.decode()[2:-2]] and forged == [] and at.stats.restarts == 0, (text, heard, forged)


def test_a_urc_between_head_and_value_is_survived():
    head, urc = b"\r\n+QLWRD: %d,0\r\n", b"\r\n+A: 1\r\n"
    for value in (b"abc", b"ab\r\nOK\r\ncd", b"x" * 40, b"+B: 1\r\n+B: 222"):
        for urcs in (urc, urc + urc, b"+A: 1\r\n", b"\r\n+A: 1" + b"2" * 60 + b"\r\n"):
            end = (b"\r\n" + OK, OK)[len(value) % 2]
            for at, _, _ in clients([(b"AT+QLWRD=9\r", head % len(value) + urcs + value + end)]):
                heard = hear(at, "+A")
                began = at.clock.now
                assert at.send("AT+QLWRD=9", payload=lambda text: int(fields(text)[0]))[1] == value.decode()
                assert at.clock.now == began  # what is there is not waited for
                at.poll(1)
                assert "\r\n".join(heard) == urcs.decode().strip().replace("\r\n\r\n", "\r\n"), (value, urcs)


def test_a_urc_between_value_and_final_result_leaves_the_value_whole():
    for value in (b"abc", b"\r\nab", b"\0\0", b"\r\n+B: 1\r\n"):
        for at, _, _ in clients([(b"AT+R\r", b"\r\n+R: %d\r\n" % len(value) + value + b"\r\n\r\n+A: 1\r\n" + OK)]):
            heard = hear(at, "+A")
            assert at.send("AT+R", payload=lambda text: int(fields(text)[0]))[1] == value.decode()
            assert at.clock.now == 0
            at.poll(1)
            assert heard == ["+A: 1"]


def test_a_value_that_no_line_end_follows():
    """At once where other bytes follow, after a moment where none do; never more or less than was announced."""
    script = [(b"AT+R\r", b"\r\n+R: 3\r\nabcdef\r\n" + OK), (b"AT+R\r", [(1, b"\r\n+R: 3\r\nabc"), (500, OK)])]
    for at, _, clock in clients(script):
        at.subscribe("+A", print)
        assert at.send("AT+R", payload=lambda text: 3) == ["+R: 3", "abc"]
        assert at.stats.unknown == 1
        assert at.send("AT+R", payload=lambda text: 3, timeout_ms=900) == ["+R: 3", "abc"]
        assert at.stats.garbage == 0


# Prompts and data.


def test_data_goes_out_after_the_prompt_only():
    cases = ((b"\r\n> ", None), (b"\r\n>", ">"), (b"\r\n>>>", ">>>"), (b"\r\n>>> ", ">>>"), (b"\r\nCONNECT\r\n", "CONNECT"))
    for prompt, given in cases:
        for at, uart, clock in clients([(b"AT+W=5\r", prompt, 50), (b"a\r\nb>", OK, 10)]):
            assert at.send("AT+W=5", data=b"a\r\nb>", prompt=given) == []
            assert clock.now == 60


def test_data_in_pieces():
    for at, uart, _ in clients([(b"AT+W=5\r", b"\r\n>>>"), (b"abc", b""), (b"de", OK)]):
        assert at.send("AT+W=5", data=(piece for piece in (b"abc", b"de")), prompt=">>>") == []


def test_an_error_instead_of_the_prompt():
    for at, uart, _ in clients([(b"AT+W=5\r", b"\r\n+CME ERROR: 4\r\n"), (b"AT\r", OK)]):
        raised(CommandError, at.send, "AT+W=5", data=b"abcde")
        assert at.send("AT") == []
        assert b"abcde" not in uart.sent
        heard = hear(at, "")
        uart.feed(b"\r\n> no prompt is due\r\n")
        at.poll(1)
        assert heard == ["> no prompt is due"]


def test_blanks_and_noise_before_a_prompt_are_no_text():
    for before in (b"\r\n", b"\r\n ", b" \x00\x7f", b"\xff \x80"):
        for at, uart, _ in clients([(b"AT+S\r", before + b"> "), (b"abc", OK)]):
            assert at.send("AT+S", data=b"abc") == [], before


def test_a_prompt_counts_only_at_the_start_of_a_line_and_only_once():
    for at, uart, _ in clients([(b"AT+W=5\r", b'\r\n+Y: "a> b"\r\n\r\n> '), (b"abcde", b"\r\n> \r\n" + OK)]):
        assert at.send("AT+W=5", data=b"abcde") == []
        assert bytes(uart.sent).count(b"abcde") == 1
    for at, uart, _ in clients([(b"AT\r", b"\r\n> \r\n" + OK)]):
        assert at.send("AT", prefix="+NONE") == []


def test_a_urc_between_prompt_and_result():
    for at, uart, _ in clients([(b"AT+W=5\r", b"\r\n+A: 1\r\n> "), (b"abcde", b"\r\n+A: 2\r\n" + OK)]):
        heard = hear(at, "+A")
        assert at.send("AT+W=5", data=b"abcde") == []
        at.poll(1)
        assert heard == ["+A: 1", "+A: 2"]


# Parameters.


def test_the_four_command_forms():
    script = [(b"AT+QLWSERV=?\r", b'\r\n+QLWSERV: "(IP)",(0-65535)\r\n' + OK),
              (b"AT+QLWSERV?\r", b'\r\n+QLWSERV: "10.0.0.1",5683\r\n' + OK), (b'AT+QLWSERV="10.0.0.1",5683\r', OK),
              (b"AT+QLWUPDATE\r", OK)]
    for at, _, _ in clients(script):
        assert at.test("QLWSERV") == [["(IP)", "(0-65535)"]]
        assert at.read("+QLWSERV") == [["10.0.0.1", "5683"]]
        assert at.write("QLWSERV", "10.0.0.1", 5683) == []
        assert at.run("QLWUPDATE") == []


def test_how_parameters_are_written():
    line = b'AT+QLWCONFIG=0,"a.example.org",5683,,UQ,01FF,-7,1,"s",t\r'
    for at, _, _ in clients([(line, OK)]):
        values = (0, "a.example.org", 5683, None, Raw("UQ"), b"\x01\xff", -7, True, Secret("s"), Secret("t", bare=True))
        at.write("QLWCONFIG", *values)


def test_what_could_break_out_of_a_command_is_refused():
    for at, uart, _ in clients():
        for text in ('a"b', "a\rb", "a\nb", "a\0b", "a\x1ab", "a\x1bb", 'x"\r\nAT+CFUN=0'):
            raised(ValueError, at.write, "+X", text)
            raised(ValueError, at.write, "+X", Raw(text))
            raised(ValueError, at.write, "+X", Secret(text))
            raised(ValueError, at.send, "AT+X=" + text)
            raised(ValueError, at.read, "+X" + text)
        for number in (1.5, float("nan"), float("inf"), object(), [1]):
            raised(ValueError, at.write, "+X", number)
        assert uart.writes == 0


def test_fields():
    for line, expected in [("+CSQ: 18,99", ["18", "99"]), ("+CSQ:18, 99", ["18", "99"]), ("+QLWADDOBJ :0", ["0"]),
                           ('+CCLK: "20/04/05,15:38:02+08"', ["20/04/05,15:38:02+08"]),
                           ('+X: "",,"a ",b ', ["", None, "a ", "b"]), ("+X: 1,", ["1", None]), ("+X:", []), ("+X", ["+X"]),
                           ("+X: 0000", ["0000"]),
                           ('+X: (0-2),(0,1),"(a,b)"', ["(0-2)", "(0,1)", "(a,b)"]), ('+X: "a"b",1', ['a"b', "1"]),
                           ('+X: "a",  "b" , c', ["a", "b", "c"]), ('+X: "a"b,c",1', ['a"b,c', "1"]),
                           ('+X: (a)b,c),1', ["(a)b,c)", "1"]), ('+X: "a""', ['a"']), ('+X: "', [""]), ('+X: (1', ["(1"]),
                           ('+X: "a" ,,"b"', ["a", None, "b"]), ('+X: "open', ["open"]),
                           ('+QLWURC: "lifetime changed,30"', ["lifetime changed,30"]),
                           ('LWM2M-TLT:"REGISTERED",SSID=123,"coap://a:5683"', ["REGISTERED", "SSID=123", "coap://a:5683"]),
                           ("867997030012345", ["867997030012345"]),
                           ("coap://10.0.0.1:5683", ["coap://10.0.0.1:5683"]), ("3031,AABB", ["3031", "AABB"]), ("", [])]:
        assert fields(line) == expected, (line, fields(line))


def test_ask_gives_what_stands_behind_the_name_however_it_is_written():
    for line, expected in [
        ("+CSQ: 18,99", "18,99"), ("+CSQ:18,99", "18,99"), ("+CSQ :18,99", "18,99"), ("+CSQ", "+CSQ"), ("+CSQ:", ""),
        ('+CCLK:"20/04/05,15:38:02+08"', '"20/04/05,15:38:02+08"'), ("+CSQ:  a: b", "a: b"), ("+CSQ,a:b", "+CSQ,a:b"),
        ('+CSQ "a:b"', '+CSQ "a:b"'), ("coap://10.0.0.1", "coap://10.0.0.1"), (",a:b", ",a:b")]:
        for at, _, _ in clients([(b"AT+CSQ\r", b"\r\n" + line.encode() + b"\r\n" + OK), (b"AT+CSQ\r", OK)]):
            assert at.ask("AT+CSQ", prefix=line[:5].rstrip(" :,") if line[0] == "+" else "") == expected, line
            assert at.ask("AT+CSQ") == ""
    for line, expected in [("867997030052996", "867997030052996"), ("+CGSN: 867997", "867997"), ("Revision: BC66", "BC66")]:
        for at, _, _ in clients([(b"AT+CGSN\r", b"\r\n" + line.encode() + b"\r\n" + OK)]):
            assert at.ask("AT+CGSN", prefix="") == expected


# Secrets.

PSK = "0123456789abcdefFEDCBA9876543210"
IDENTITY = "node-identity-4711"


def leaks(text, secret, run=8):
    """A run of 8 characters of the secret in any case; all of it when it is shorter."""
    size = min(run, len(secret))
    text = text.lower()
    return [secret[i : i + size] for i in range(len(secret) - size + 1) if secret[i : i + size].lower() in text]


def traced(chunk):
    clock = VirtualClock()
    uart = FakeUart(clock, chunk=chunk)
    seen = []
    at = AtClient(uart, clock, trace=lambda direction, data: seen.append((direction, bytes(data))))
    return at, uart, seen


def whole(seen):
    """The log as one text, each direction by itself too."""
    texts = [b"".join([data for way, data in seen if way in ways]) for ways in (("rx", "tx"), ("rx",), ("tx",))]
    return ["".join(map(chr, text)) for text in texts]


def test_no_secret_in_the_trace_whatever_the_chunking():
    for chunk in (1, 2, 3, 5, 7, 8, 13, None):
        at, uart, seen = traced(chunk)
        write = b'AT+QLWCONFIG=0,"%s","%s"\r' % (IDENTITY.encode(), PSK.encode())
        read_back = b'\r\n+QLWCONFIG: 0,"%s","%s"\r\n' % (IDENTITY.encode(), PSK.upper().encode())
        uart.script([(write, write + OK), (b"AT+QLWCONFIG?\r", b"AT+QLWCONFIG?\r" + read_back + OK)])
        at.write("QLWCONFIG", 0, Secret(IDENTITY), Secret(PSK))
        assert at.read("QLWCONFIG") == [["0", IDENTITY, PSK.upper()]]  # the caller gets it
        for text in whole(seen):
            for secret in (PSK, IDENTITY):
                assert not leaks(text, secret), (chunk, text)
        assert "AT+QLWCONFIG=0" in whole(seen)[0]  # the rest is there


def test_no_secret_when_a_urc_silence_or_noise_cuts_it():
    echo = b'AT+PSK="' + PSK.encode() + b'"\r'
    for position in range(len(echo)):
        for cut in (b"\r\n+CEREG: 1\r\n", b"\xff", None):
            at, uart, seen = traced(1 + position % 9)
            if cut is None:
                uart.script([(echo, [(1, echo[:position]), (200, echo[position:] + OK)])])
            else:
                uart.script([(echo, echo[:position] + cut + echo[position:] + OK)])
            at.write("PSK", Secret(PSK))
            at._rx.trace.flush()
            for text in whole(seen):
                assert not leaks(text, PSK), (position, cut, text)


def test_a_line_without_end_does_not_leak_by_halves():
    at, uart, seen = traced(1)
    uart.script([(b'AT+PSK="' + PSK.encode() + b'"\r', OK)])
    at.write("PSK", Secret(PSK))
    for index in range(len(PSK)):
        uart.feed(PSK[index].encode())
        at.poll(0)
        at._rx.trace.flush()
    for text in whole(seen):
        assert not leaks(text, PSK), text


def test_secret_keyword_covers_all_parameters():
    at, uart, seen = traced(3)
    refusal = b'AT+CPIN="1234"\r\r\n+CME ERROR: wrong pin 1234\r\n'
    uart.script([(b'AT+CPIN="1234"\r', refusal), (b"AT+X?\r", b"\r\n+X: 1234\r\n" + OK)])
    error = raised(CommandError, at.send, 'AT+CPIN="1234"', secret=True)
    at.send("AT+X?")
    for text in whole(seen) + [str(error), repr(error), error.text]:
        assert "1234" not in text and "****" in text or text.count("CPIN") == 0, text
    at, uart, seen = traced(3)
    uart.script([(b"AT+K=12345\r", OK)])
    at.send("AT+K=12345", timeout_ms=500)
    assert "12345" in whole(seen)[2]  # only what was said to be secret
    uart.script([(b'AT+K=0,12,"abcd"\r', OK), (b"AT+X?\r", b"\r\n+X: 0,12,abcd,0,12\r\n" + OK)])
    at.send('AT+K=0,12,"abcd"', secret=True)
    at.send("AT+X?")
    assert "+X: 0,12,****,0,12" in whole(seen)[1]  # what is too short to be secret by itself stays readable


def test_no_secret_in_exceptions_and_reprs():
    at, uart, seen = traced(8)
    uart.script([(b'AT+PSK="' + PSK.encode() + b'"\r', b"\r\n+CME ERROR: bad key " + PSK.encode() + b"\r\n"),
                 (b'AT+PSK="' + PSK.encode() + b'"\r', b"")])
    texts = [repr(Secret(PSK)), str(Secret(PSK)), repr(at)]
    for kind in (CommandError, AtTimeout):
        error = raised(kind, at.write, "PSK", Secret(PSK))
        texts += [str(error), repr(error), str(getattr(error, "text", "")), repr(error.args)]
    texts.append(str(raised(ValueError, at.write, "PSK", Secret(PSK + '"'))))
    texts.append(str(raised(ValueError, at.send, "AT+PSK=" + PSK + "\n", secret=True)))
    for text in texts:
        assert not leaks(text, PSK), text


def test_secrets_are_known_to_a_trace_that_starts_later():
    read_back = b"\r\n+PSK: " + PSK.encode() + b"\r\n"
    clock = VirtualClock()
    uart = FakeUart(clock).script([(b'AT+PSK="' + PSK.encode() + b'"\r', OK), (b"AT+PSK?\r", read_back + OK)])
    at = AtClient(uart, clock)
    seen = []
    at.write("PSK", Secret(PSK))
    at.trace_to(lambda direction, data: seen.append((direction, data)))
    at.read("PSK")
    at.trace_to(None)
    assert not leaks(whole(seen)[0], PSK) and "+PSK" in whole(seen)[0]


def test_the_trace_has_every_byte_in_order():
    at, uart, seen = traced(3)
    noise = b"\x00\xffjunk"
    uart.script([(b"AT+CSQ\r", b"\r\n+CSQ: 1,2\r\n" + OK), (b"AT\r", noise + OK)])
    at.send("AT+CSQ")
    at.send("AT")
    assert b"".join([data for _, data in seen]) == b"AT+CSQ\r\r\n+CSQ: 1,2\r\n\r\nOK\r\nAT\r" + noise + OK
    assert [way for way, _ in seen if way == "tx"] == ["tx", "tx"]
    for way, data in seen:  # by whole lines
        assert way == "tx" or data[-1:] in b"\r\n" and data[:-1].strip(b"\r\n").count(b"\n") == 0, data
    seen.clear()
    uart.script([(b"AT\r", b"x" * 1400 + OK)])
    at.send("AT", prefix="+NONE")
    assert len(max([data for _, data in seen], key=len)) < 1100  # a line without end is not kept back for ever
    uart.feed(b"half").script([(b"AT\r", OK)])
    at.poll(1)
    seen.clear()
    at.send("AT")
    assert seen[:2] == [("rx", b"half"), ("tx", b"AT\r")] and b"" not in [data for _, data in seen]


def test_the_answer_of_a_secret_query_is_covered_also_when_it_comes_in_two_pieces():
    """The key of an earlier life is printed by who reads the settings: nobody here knows it."""
    answer = b'\r\n\xff+QLWCONFIG: 0,"host",5683,"' + PSK.encode() + b'"\r\n'
    for position in range(20, len(answer)):
        at, uart, seen = traced(1 + position % 9)
        uart.script([(b"AT+QLWCONFIG?\r", answer[:position], 1), (b"AT\r", answer[position:] + OK), (b"AT\r", OK)])
        raised(AtTimeout, at.read, "+QLWCONFIG", secret=True)
        at.send("AT")  # what is left of the line comes after bytes went out
        text = whole(seen)[1]
        assert not leaks(text, PSK), (position, text)
        assert "+QLWCONFIG" in text and "OK" in text


def test_only_the_secret_answer_is_covered():
    at, uart, seen = traced(None)
    answer = b"\r\n+QLWCONFIG: 0,hostname\r\n+QLWCONFIG 1,hostname\r\n+QLWCONFIG,hostname\r\n+QLWCONFIGS: visible\r\n"
    uart.script([(b"AT+QLWCONFIG?\r", answer + OK)])
    at.read("+QLWCONFIG", secret=True)
    text = whole(seen)[1]
    assert "hostname" not in text and text.count("+QLWCONFIG") == 4 and "visible\r\n\r\nOK\r\n" in text
    uart.script([(b"AT+QLWCONFIG?\r", b"\r\n+QLWCONFIG: 0,hostname")])
    raised(AtTimeout, at.read, "+QLWCONFIG", secret=True)
    assert seen[-1] == ("rx", b"+QLWCONFIG:" + b"*" * 11)  # given out at the deadline at the latest


# Every refusal in full: what was expected, what came, what to do.


def line(text):
    return b"\r\n" + text.encode() + b"\r\n"


def client(script=(), **options):
    clock = VirtualClock()
    return AtClient(FakeUart(clock).script(script), clock, **options)


def test_each_refusal_says_what_to_do():
    wide = b"\r\n+X: " + b"y" * 60 + b"\r\n"

    def of(script, call, **options):
        at = client(script, **options)
        return " ".join(str(raised(Exception, call, at)).split())

    early = "the command would end early: CR, LF, NUL, Ctrl-Z, ESC or an open quote is in it"
    for script, call, words in (
        ((), lambda at: at.write("+X", 5), "AT+X: no answer within 300 ms"),
        ((), lambda at: at.send("AT+X", timeout_ms=40), "AT+X: no answer within 40 ms"),
        ([(b"AT+X\r", OK)], lambda at: at.run("+X", result="+X", result_timeout_ms=70), "AT+X: no result within 300 ms"),
        ((), lambda at: at.wait("+X", 120), "no +X in 120 ms"),
        ((), lambda at: at.sync(), "AT: no answer within 300 ms"),
        ([(b"AT+X?\r", line("+CME ERROR: 58"))], lambda at: at.read("+X"), "AT+X?: +CME ERROR 58"),
        ([(b"AT+X=5\r", line("+CMS ERROR: SIM busy"))], lambda at: at.write("+X", 5), "AT+X: +CMS ERROR SIM busy"),
        ([(b"ATD\r", line("NO CARRIER"))], lambda at: at.send("ATD"), "ATD: NO CARRIER"),
        ([(b"AT+X\r", OK)], lambda at: at.run("+X", result="SEND OK"), "AT+X: no result within 300 ms"),
        ([(b"AT+X\r", line("RDY " + 40 * "z"))], lambda at: at.run("+X"),
         "the module restarted in mid-command: RDY zzzzzzzzzzzzzzzz"),
        ([(b"AT+X?\r", wide * 2 + OK)], lambda at: at.read("+X"), "the answer takes more than answer_size, 100 bytes"),
        ([(b"AT+X?\r", b"\r\n+X: " + b"y" * 200 + b"\r\n" + OK)], lambda at: at.read("+X"),
         "a line of the answer is longer than rx_size, 80 bytes"),
        ([(b"AT+X\r", line("+X: 90"))], lambda at: at.run("+X", payload=lambda text: int(text[4:])),
         "a payload of 90 bytes needs more rx_size than 80"),
        ((), lambda at: at.write("+X", 1.5), "no parameter is written as float: give str, int, bytes, None, Raw or Secret"),
        ((), lambda at: at.write("+X", 'a"b'),
         "a quote inside a string parameter would end it early: send it as hex (bytes)"),
        ((), lambda at: at.send("AT+X=12345"), "the command has 10 characters, the module takes 9"),
        ((), lambda at: at.send("AT\rAT"), early), ((), lambda at: at.send("AT\nAT"), early),
        ((), lambda at: at.send("AT\0"), early),
        ((), lambda at: at.send("AT\x1a"), early), ((), lambda at: at.send("AT\x1b"), early),
        ((), lambda at: at.send('AT"'), early),
    ):
        def limited(at, call=call, words=words):
            at.answer_size = 100
            at.line_limit = 9 if "takes 9" in words else 0
            return call(at)

        assert of(script, limited, rx_size=80) == words
    at = client([(b"AT+X=123\r", OK)])
    at.line_limit = 8
    assert at.send("AT+X=123") == [], "as many as it takes"
    at.uart.write = lambda data: None
    assert str(raised(AtTimeout, at.send, "AT")) == "the UART takes no more bytes: is CTS held, or the module off?"
    at = client([(b"ATI\r", line(" !a~ ") + line("\x01!\x7f") + OK)])
    assert at.send("ATI") == ["!a~", "!"], "what is taken off a line is no text"
    at = client()
    told = []
    at.idle = lambda: told.append(str(raised(AtError, at.send, "AT")))
    raised(AtTimeout, at.send, "AT+Y")
    assert told[:1] == ["a command is running: hooks inside one may not send, wait or poll"]


def test_text_that_is_never_closed_is_all_the_rest():
    for text, wanted in (
        ('+X: 1,2,"ab, c  ', ["1", "2", "ab, c"]), ("+X: 1,(2,3  ", ["1", "(2,3"]), ('+X: "', [""]),
        ('+X: 7,"a"b", c', ["7", 'a"b', "c"]),
        ("+X: ,", [None, None]), ("+X:", []), ("+X: (0,1),(2-5)", ["(0,1)", "(2-5)"]), ('+X: "a,b" ,1 ', ["a,b", "1"]),
    ):  # fmt: skip
        assert fields(text) == wanted, (text, fields(text))


def test_parameters_too_short_to_be_secrets_alone_are_hidden_together():
    seen = []
    at = client([(b"AT+LOCK=1,22,333\r", b"AT+LOCK=1,22,333\r" + OK), (b"AT+LOCK?\r", line("+LOCK: 1,22,333") + OK),
                    (b"AT+PINX?\r", line("+PINX: 47") + OK)],
                   trace=lambda direction, data: seen.append(bytes(data)))  # fmt: skip
    at.send("AT+LOCK=1,22,333", secret=True)
    at.read("+LOCK")
    at.read("+PINX", secret=True)  # what is asked for the first time: nobody knows it yet
    assert not [data for data in seen if b"22,33" in data or b"1,22" in data or b"47" in data]


def test_a_value_that_grows_is_waited_for_and_one_that_stalls_for_200_ms():
    for pieces, given_up in ((((0, b"ab"), (190, b"cd"), (380, b"ef"), (570, b"gh" + OK)), False),
                             (((0, b"ab"), (10, b"cd")), True)):  # fmt: skip
        clock = VirtualClock()
        uart = FakeUart(clock, chunk=None)
        at = AtClient(uart, clock)
        uart.script([(b"AT+R\r", [(0, b"\r\n+R: 8\r\n")] + [(1 + ms, data) for ms, data in pieces])])
        if given_up:
            raised(AtTimeout, at.send, "AT+R", payload=lambda text: int(text[4:]), timeout_ms=205)
            assert at.stats.garbage == 0, "not yet"
            clock = VirtualClock()
            uart = FakeUart(clock, chunk=None)
            at = AtClient(uart, clock)
            uart.script([(b"AT+R\r", [(0, b"\r\n+R: 8\r\n"), (1, b"abcd"), (300, OK)])])
            assert at.send("AT+R", payload=lambda text: int(text[4:]), timeout_ms=900) == ["+R: 8"] and clock.now == 300
            assert at.stats.garbage == 1
        else:
            assert at.send("AT+R", payload=lambda text: int(text[4:]), timeout_ms=900) == ["+R: 8", "abcdefgh"]
            assert at.stats.garbage == 0


def test_what_a_client_is_unless_told_otherwise():
    clock = VirtualClock()
    uart = FakeUart(clock).script([(b"AT\r", OK), (b"AT\r", OK), (b"AT+X\r", b"\r\n+X: " + b"y" * 1529 + b"\r\n" + OK)])
    at = AtClient(uart, clock)
    assert (at.rx_size, at.gap_ms, at.queue_size, at.answer_size) == (1536, 20, 2048, 8192)
    assert (at.line_limit, at.timeout_ms) == (0, 300)
    assert (at.banners, at.idle, at.on_restart, at.is_answer) == ((b"RDY",), None, None, None)
    for name in ("lines", "echoes", "unknown", "overruns", "dropped", "garbage", "timeouts", "late", "restarts"):
        assert getattr(at.stats, name) == 0, name
    at.send("AT")
    assert clock.now == 0, "the first command waits for nothing"
    at.send("AT")
    assert clock.now == 20, "the gap"
    clock.advance(5)
    assert len(at.run("+X")[0][0]) == 1529 and clock.now == 40 and at.stats.overruns == 0


def test_a_value_in_a_line_stays_whole_wherever_the_buffer_has_to_move_it():
    value = b"ab\r\nOK\r\n\r\n>ef"
    for before in range(1, 62):
        for chunk in (1, 7, 8):
            clock = VirtualClock()
            uart = FakeUart(clock, chunk=chunk)
            at = AtClient(uart, clock, rx_size=64)
            heard = []
            at.subscribe("+W", heard.append, payload=1)
            at.subscribe("+A", heard.append)
            uart.feed(b"+A" + b"x" * (before % 31) + b"\r\n" + b"+A: " + b"y" * (before // 2) + b"\r\n")
            data = b'+W: 1,13,"' + value + b'",0\r\n+A: z\r\n'
            for position in range(0, len(data), 3):
                uart.feed(data[position : position + 3], after_ms=position)
            at.poll(900)
            assert heard[-2:] == ['+W: 1,13,"' + value.decode() + '",0', "+A: z"], (before, chunk, heard)
            assert at.stats.garbage == at.stats.overruns == 0
