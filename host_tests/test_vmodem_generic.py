"""The commands beside LwM2M as BC66 has them: identity, SIM, network, clock, sleep, reset; each once right, once wrong."""

from fakes.refusal import raised
from fakes.vmodem import Bench


def test_identity():
    bench = Bench()
    assert bench.say("ATI") == ["Quectel_Ltd", "Quectel_BC66", "Revision: MTK_2625", "OK"]
    assert bench.say("AT+CGMR") == ["Revision: BC66NBR01A10", "OK"]
    assert bench.say("AT+CGSN=1") == ["+CGSN: 866971030000717", "OK"]
    assert bench.say("AT+CIMI") == ["460111174590523", "OK"]
    assert bench.say("AT+QCCID") == ["+QCCID: 89860317482035195680", "OK"]
    assert bench.say("AT+CGSN=7") == ["+CME ERROR: 50"]


WRONG = ("AT+CEREG=6", "AT+CGATT=2", "AT+CPSMS=3", 'AT+CPSMS=1,,,"0000","00000000"', 'AT+CPSMS=1,,,"00000002","00000000"',
         "AT+CEDRXS=4", 'AT+CEDRXS=1,5,"00"', "AT+CSCON=2", "AT+IPR=1234", "AT+QSCLK=3", "AT+QNBIOTEVENT=2,1",
         'AT+QCFG="nothing",1', 'AT+QCFG="dsevent",2', "AT+QATWAKEUP=2", "AT+QRST=0", "AT+QPOWD=3", "AT+QENG=5",
         'AT+QCGDEFCONT="NONIP"', "AT+QNBIOTRAI=3", "AT+CGSN=4", "AT+CFUN=3", "AT+CMEE=9", "AT+CGPADDR=99")


def test_wrong_values_are_refused():
    bench = Bench()
    for line in WRONG:
        assert bench.say(line, 200) == ["+CME ERROR: 50"], line
    assert bench.modem.state_name == "on"


def test_attach_is_seen_step_by_step():
    bench = Bench(quiet=False, attach_ms=5000)
    bench.wait(600)
    bench.say("ATE0")
    assert bench.say("AT+CEREG=1;+CEREG?") == ["+CEREG: 1,2", "OK"]
    assert bench.say("AT+CGPADDR=1") == ["+CGPADDR: 1", "OK"]
    assert bench.say("AT+CSQ") == ["+CSQ: 99,99", "OK"]
    assert bench.wait(6000) == ["+CEREG: 1", "+IP: 100.97.37.69"]
    assert bench.say("AT+CGATT?;+CESQ") == ["+CGATT: 1", "+CESQ: 46,0,255,255,20,46", "OK"]


def test_roaming_and_refusal():
    assert Bench(roaming=True).say("AT+CEREG?") == ["+CEREG: 0,5", "OK"]
    bench = Bench(deny_cause=15)
    assert bench.say("AT+CEREG=3;+CEREG?") == ["+CEREG: 3,3,,,,0,15", "OK"]
    assert bench.say("AT+CGATT?") == ["+CGATT: 0", "OK"]


def test_detach_and_attach():
    bench = Bench()
    assert bench.say("AT+CGATT=0", 100) == ["OK"]
    assert bench.say("AT+CEREG?") == ["+CEREG: 0,0", "OK"]
    assert bench.say("AT+CGATT=1", 3000) == ["OK", "+IP: 100.97.37.69"]


def test_no_sim():
    bench = Bench(sim="absent", quiet=False)
    assert "+CPIN: NOT READY" in bench.wait(3000)
    bench.say("ATE0")
    for line in ("AT+CPIN?", "AT+CIMI", "AT+QCCID"):
        assert bench.say(line) == ["+CME ERROR: 10"]
    assert bench.say("AT+CEREG?") == ["+CEREG: 0,0", "OK"]


def test_pin_right_and_wrong_and_blocked():
    bench = Bench(sim="pin")
    assert bench.say("AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]
    assert bench.say("AT+CIMI") == ["+CME ERROR: 11"]
    assert bench.say("AT+CPIN=0000") == ["+CME ERROR: 16"]
    said = bench.say("AT+CPIN=1234", 3000)
    assert said == ["OK", "+CPIN: READY", "+IP: 100.97.37.69"]
    nvram = {}
    for _ in range(3):
        bench = Bench(sim="pin", nvram=nvram)
        bench.say("AT+CPIN=0000")
    assert bench.say("AT+CPIN?") == ["+CPIN: SIM PUK", "OK"]
    assert bench.say("AT+CPIN=1234") == ["+CME ERROR: 3"]


def test_clock_in_each_format():
    shown = {}
    for form in ("quarters", "bare", "gmt"):
        shown[form] = Bench(clock_format=form, zone_quarters=-20).say("AT+CCLK?")[0]
    assert shown["quarters"] == '+CCLK: "25/12/31,19:00:03-20"'
    assert shown["bare"] == "+CCLK: 25/12/31,19:00:03-20"
    assert shown["gmt"] == "+CCLK: 2025/12/31,19:00:03GMT-5"
    unset = Bench(sim="absent").say("AT+CCLK?")[0]
    assert unset.startswith('+CCLK: "70/01/01,')


def test_psm_and_edrx_settings_are_kept():
    bench = Bench()
    assert bench.say('AT+CPSMS=1,,,"01000011","00000001"') == ["OK"]
    assert bench.say('AT+CEDRXS=1,5,"0101"') == ["OK"]
    bench.restart()
    assert bench.say("AT+CPSMS?") == ['+CPSMS: 1,,,"01000011","00000001"', "OK"]
    assert bench.say("AT+CEDRXS?;+CEDRXRDP") == ['+CEDRXS: 5,"0101"', '+CEDRXRDP: 5,"0101","0101","0001"', "OK"]
    assert bench.say("AT+CPSMS=0;+CPSMS?") == ['+CPSMS: 0,,,"01000011","00000001"', "OK"]
    assert bench.modem.active_time_s() is None


def test_edrx_of_82_s_is_deep_sleep_too():
    bench = Bench(psm=None)
    bench.say('AT+CEDRXS=1,5,"0101"')
    bench.wait(25000)
    assert bench.modem.state_name == "asleep"


def test_tau_wakes_the_module():
    bench = Bench(psm=("01100001", "00000001"))  # 2 s units: T3412 2 s, active 2 s
    bench.wait(16000)
    assert bench.modem.counters["deep_sleeps"] >= 1
    assert "Leaving the BROM" in bench.wait(10000) or bench.modem.counters["deep_sleeps"] > 1


def test_rrc_events():
    bench = Bench(rrc_ms=3000)
    bench.wait(10000)
    assert bench.say("AT+CSCON=1;+CSCON?")[-1] == "OK"
    bench.modem.activity()
    assert bench.take() == ["+CSCON: 1"]
    assert bench.wait(3100) == ["+CSCON: 0"]


def test_engineering_and_supply():
    bench = Bench()
    assert bench.say("AT+QENG=0")[0].startswith("+QENG: 0,2506,")
    name, numbers = bench.say("AT+QENG=2")[0].split(": ")
    assert name == "+QENG" and len(numbers.split(",")) == 4
    assert bench.say("AT+CBC") == ["+CBC: 0,0,3600", "OK"]


def test_reset_and_power_by_command():
    bench = Bench()
    said = bench.say("AT+QRST=1", 3000)
    assert said[0] == "OK" and "RDY" in said
    assert bench.say("ATE0")[-1] == "OK"
    assert bench.say("AT+CFUN=1,1", 3000)[-4:-1] == ["RDY", "+CFUN: 1", "+CPIN: READY"]
    bench.say("ATE0")
    bench.say("AT+QPOWD=0", 100)
    assert bench.modem.state_name == "off" and not bench.modem.status_pin
    assert bench.say("AT", 1000) == []


def test_power_key_switches_on_and_off():
    bench = Bench(start="off", quiet=False)
    assert bench.say("AT", 5000) == []
    bench.modem.pin("power_key", True)
    bench.wait(300)
    bench.modem.pin("power_key", False)  # too short
    assert bench.wait(3000) == []
    bench.modem.pin("power_key", True)
    bench.wait(600)
    bench.modem.pin("power_key", False)
    assert "RDY" in bench.wait(3000)
    bench.modem.pin("power_key", True)
    bench.wait(1500)
    bench.modem.pin("power_key", False)
    assert bench.modem.state_name == "off"


def test_an_unknown_pin_is_named():
    assert "power_key" in str(raised(ValueError, Bench().modem.pin, "led", True))


def test_status_changes_are_told():
    bench = Bench()
    levels = []
    bench.modem.on_status = levels.append
    bench.say("AT+QPOWD=0", 100)
    bench.modem.pin("power_key", True)
    bench.wait(600)
    assert levels == [False, True]


def test_atwakeup_and_apn():
    bench = Bench()
    bench.say("AT+QATWAKEUP=1")
    assert bench.say('AT+QCGDEFCONT="IP","iot.example"') == ["OK"]
    assert bench.say("AT+QCGDEFCONT?") == ['+QCGDEFCONT: "IP","iot.example"', "OK"]
    bench.sleep()
    assert "+QATWAKEUP" in bench.wake()


def test_test_forms():
    bench = Bench()
    for name in ("CEREG", "CPSMS", "CEDRXS", "QSCLK", "CMEE", "QNBIOTEVENT", "QNBIOTRAI", "CGSN", "QCFG", "CGPADDR"):
        said = bench.say("AT+%s=?" % name)
        assert said[0].startswith("+%s: " % name) and said[-1] == "OK", said


def test_a_module_that_boots_without_coverage_searches_for_half_a_minute_and_rests():
    bench = Bench(start="off")
    bench.modem.set_coverage(False)
    bench.modem.power_on()
    bench.clock.advance(20000)
    assert bench.modem.state_name == "on" and not bench.modem.psm
    bench.clock.advance(30000)
    assert bench.modem.state_name == "asleep"
    bench.modem.set_coverage(True)
    bench.modem.wake_up()
    bench.clock.advance(5000)
    assert bench.modem.attached


def test_it_does_not_rest_while_an_exchange_is_open():
    bench = Bench(start="off")
    bench.modem.set_coverage(False)
    bench.modem.power_on()
    bench.clock.advance(1000)
    bench.modem.begin()
    bench.clock.advance(60000)
    assert bench.modem.state_name == "on" and not bench.modem.psm
    bench.modem.end()
    bench.clock.advance(31000)
    assert bench.modem.state_name == "asleep"
