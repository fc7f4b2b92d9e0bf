"""The AT line of every model: echo, result forms, line ends, repetition, several commands, what is no command."""

from fakes.refusal import raised
from fakes.vmodem import Bench

from testing.virtual_modem.atline import whole_number


def bare(**options):
    """A BC66 whose boot is over, with its echo on."""
    bench = Bench(quiet=False, **options)
    bench.wait(3000)
    return bench


def test_echo_and_verbose_result_byte_by_byte():
    bench = bare()
    assert bench.bytes_for(b"AT+CFUN?\r") == b"AT+CFUN?\r\r\n+CFUN: 1\r\n\r\nOK\r\n"


def test_the_command_that_ends_the_echo_is_echoed():
    bench = bare()
    assert bench.bytes_for(b"ATE0\r") == b"ATE0\r\r\nOK\r\n"
    assert bench.bytes_for(b"AT\r") == b"\r\nOK\r\n"


def test_numbers_instead_of_words():
    bench = Bench()
    assert bench.bytes_for(b"ATV0\r") == b"0\r"
    assert bench.bytes_for(b"AT+CFUN?\r") == b"+CFUN: 1\r\n0\r"
    assert bench.bytes_for(b"AT+CMEE=0\rAT+CFUN=9\r") == b"0\r4\r"
    assert bench.bytes_for(b"ATV1\r") == b"\r\nOK\r\n"


def test_results_can_be_switched_off():
    bench = Bench()
    assert bench.bytes_for(b"ATQ1\rAT\rATQ0\r") == b"\r\nOK\r\n"


def test_s3_and_s4_change_the_line_ends():
    bench = Bench()
    assert bench.say("ATS3?;S4?") == ["013", "010", "OK"]
    assert bench.bytes_for(b"ATS4=32\r") == b"\r OK\r "
    assert bench.bytes_for(b"ATS3=33\r") == b"! OK! "
    assert bench.bytes_for(b"ATS3=13S4=10!") == b"\r\nOK\r\n"


def test_several_commands_in_a_line_and_one_result():
    bench = Bench()
    assert bench.say("AT+CFUN?;+CSQ;+CGATT?") == ["+CFUN: 1", "+CSQ: 23,0", "+CGATT: 1", "OK"]
    assert bench.say("ATE0V1Q0;+CFUN?") == ["+CFUN: 1", "OK"]


def test_the_first_error_ends_the_line():
    bench = Bench()
    assert bench.say("AT+CFUN?;+CFUN=7;+CSQ") == ["+CFUN: 1", "+CME ERROR: 50"]


def test_a_semicolon_in_quotes_separates_nothing():
    bench = Bench()
    assert bench.say('AT+QLWCONFIG=0,"host",5683,"a;b",900,3') == ["OK"]
    assert bench.say("AT+QLWCONFIG?") == ['+QLWCONFIG:0,"host",5683,"a;b",900,3', "OK"]


def test_a_slash_repeats_the_last_line_without_a_return():
    bench = Bench()
    bench.say("AT+CFUN?")
    bench.modem.receive(b"A/")
    assert bench.take() == ["+CFUN: 1", "OK"]


def test_case_blanks_line_feeds_and_backspace():
    bench = Bench()
    assert bench.say("at+cfun?") == ["+CFUN: 1", "OK"]
    assert bench.say("AT+CEREG = 1") == ["OK"]
    bench.modem.receive(b"AT\r\nAT\r\n")
    assert bench.take() == ["OK", "OK"]
    bench.modem.receive(b"AT+CFUX\x08N?\r")
    assert bench.take() == ["+CFUN: 1", "OK"]


def test_what_is_no_command_gets_no_answer():
    bench = Bench()
    for noise in (b"hello\r", b"\xff\x00\x80\r", b"\r\r\r", b"OK\r"):
        bench.modem.receive(noise)
        assert bench.take_raw() == b""
    assert bench.say("AT") == ["OK"]


def test_unknown_commands_and_forms_are_errors():
    bench = Bench()
    assert bench.say("AT+NOSUCH") == ["ERROR"]
    assert bench.say("ATD123") == ["ERROR"]
    assert bench.say("AT+QLWREG=1") == ["+CME ERROR: 4"]


def test_error_forms():
    bench = Bench()
    for mode, expected in ((0, "ERROR"), (1, "+CME ERROR: 50"), (2, "+CME ERROR: incorrect parameters")):
        bench.say("AT+CMEE=%d" % mode)
        assert bench.say("AT+CFUN=7") == [expected]
    assert bench.say("AT+CMEE?") == ["+CMEE: 2", "OK"]
    assert bench.say("AT+CMEE=3") == ["+CME ERROR: incorrect parameters"]


def test_stored_settings_outlive_a_reset_others_do_not():
    bench = Bench()
    bench.say("AT+CMEE=2")
    bench.restart()
    assert bench.say("AT+CMEE?") == ["+CMEE: 1", "OK"]
    bench.say("AT+CMEE=2;&W")
    bench.restart()
    assert bench.say("AT+CMEE?") == ["+CMEE: 2", "OK"]
    bench.say("AT&F")
    assert bench.take() == []
    bench.say("ATE0")
    assert bench.say("AT+CMEE?") == ["+CMEE: 1", "OK"]
    bench.type("ATZ", "ATE0")
    assert bench.say("AT+CMEE?") == ["+CMEE: 2", "OK"]


def test_settings_that_outlive_deep_sleep():
    bench = Bench()
    bench.say("AT+CEREG=2;+CMEE=2")
    bench.sleep()
    bench.wake()
    assert bench.say("AT+CMEE?;+CEREG?") == ["+CMEE: 2", '+CEREG: 2,1,"5A0C","02CF5133",9', "OK"]


def test_lines_wait_while_a_command_runs():
    bench = Bench()
    bench.modem.receive(b"AT+CFUN=0\rAT+CFUN?\r")
    assert bench.take() == []
    assert bench.wait(100) == ["OK", "+CFUN: 0", "OK"]


def test_a_line_that_is_too_long():
    bench = Bench(line_limit=400)
    assert bench.say("AT+CFUN?" + " " * 400) == ["ERROR"]
    assert bench.say("AT+CFUN?") == ["+CFUN: 1", "OK"]


def test_latency_is_virtual_time():
    bench = Bench(latency_ms=40)
    bench.wait(100)
    bench.modem.receive(b"AT\r")
    assert bench.wait(39) == []
    assert bench.wait(1) == ["OK"]


def test_secrets_stay_out_of_the_record():
    bench = Bench(sim="pin")
    bench.say("AT+CPIN=1234", 4000)
    bench.type('AT+QLWCONFIG=0,"host",5684,"node",900,0,"identity7","00112233445566"', "AT+QLWCONFIG?", "AT+CIMI")
    record = repr(bench.modem.recent)
    for secret in ("1234", "identity7", "00112233445566", bench.modem.options["imsi"]):
        assert secret not in record, secret


def test_a_wrong_option_is_named():
    error = raised(TypeError, Bench, nonsense=1)
    assert "nonsense" in str(error) and "attach_ms" in str(error)


def test_a_wrong_family_is_named():
    assert "bc66" in str(raised(ValueError, Bench, "bc99"))


def test_digits_of_other_scripts_are_no_numbers():
    for text in ("¹", "٣", "1²"):
        assert whole_number(text) is None
    assert whole_number("-12") == -12
