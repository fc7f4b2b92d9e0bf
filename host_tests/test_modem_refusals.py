"""A scripted module is no kinder than the manual: what its script leaves out is refused as the virtual modems refuse it."""

from fakes.manual import Manual
from fakes.modem_bench import Bench
from fakes.refusal import raised
from test_vmodem_bc20 import REFUSED as BC20
from test_vmodem_bc66_requests import REFUSED as BC66
from test_vmodem_bg96 import REFUSED as BG96

from lwnode.at import CommandError

# What a virtual modem refuses for what it holds at that moment (an account, an object, a key), and a script may not know.
BY_STATE = {
    "bc66": ("AT+QLWREG", "AT+QLWRECOVER", "AT+QLWRD", "AT+QLWADDOBJ=3,0,1,0"),
    "bc20": ("AT+QLWSERV?", "AT+QLWCONF?", "AT+QLWDELOBJ=19", "AT+QLWOPEN=0", 'AT+QLWADDOBJ=19,0,2,"0"',
             'AT+QLWADDOBJ=19,0,1,"x"'),
    "bg96": ('"register"', '"bootstrap",0', '"psk",1', '"bootstrap",1,"http://host"'),
}


def test_what_the_virtual_modems_refuse_a_script_refuses():
    for family, lines in (("bc66", [line for line, _ in BC66]), ("bc20", BC20), ("bg96", BG96)):
        for line in lines:
            manual = Manual(family)
            manual.session = False
            taken = manual.refusal('AT+QLWM2M=' + line if family == "bg96" else line) is None
            assert taken == (line in BY_STATE[family]), (family, line[:80])


def test_a_session_is_not_begun_twice_and_not_used_before_it_is_there():
    for family, begin, said, within, ended in (
        ("bc66", "AT+QLWREG", "+QLWREG: 0", "AT+QLWUPDATE=0,900", "+QLWDEREG: 0"),
        ("bc20", "AT+QLWOPEN=0", "CONNECT OK", "AT+QLWUPDATE", "CLOSE OK"),
        ("bg96", 'AT+QLWM2M="register"', '+QLWEVENT: 5,"STATE_READY"', 'AT+QLWM2M="update",101', '+QLWEVENT: 0,"INITIAL"'),
    ):  # fmt: skip
        bench = Bench(family)
        bench.at.send(begin)
        bench.talker.say(said)
        raised(CommandError, bench.at.send, begin)
        bench.at.send(within)
        bench.talker.say(ended)
        raised(CommandError, bench.at.send, within)
        bench.at.send(begin)
    bench = Bench("me910c1")
    bench.at.send("AT#LWM2MENA=1")
    for line in ("AT#LWM2MENA=1", "AT#LWM2MMON=1,3303;#LWM2MMON=1,65536", "AT#LWM2MNOTHING"):
        raised(CommandError, bench.at.send, line)
    bench.at.send("AT#LWM2MENA=0")
    raised(CommandError, bench.at.send, "AT#LWM2MR=0,3303,0,5700,0")
    raised(CommandError, Bench("bg96").at.send, 'AT+QLWM2M="dltype",2')
