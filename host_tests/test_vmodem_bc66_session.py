"""BC66 model: what the module does by itself - back-off chains, automatic registration, updates, sleep, recovery."""

from fakes.vmodem import NODE, Bench, registered_bc66
from test_vmodem_bc66_examples import BOOTSTRAP, bootstrap_steps

from testing.virtual_modem.bc66_session import BUILT_IN, update_interval_ms

OWN = 'AT+QLWCONFIG=0,"host",5683,"%s",900,3' % NODE
BOOT = 'AT+QLWCONFIG=1,"boot",5683,"%s",900,3' % NODE


def counting(bench):
    """Count the registrations and bootstrap requests that the link is asked for; returns the list of their names."""
    asked = []
    link = bench.link
    register, bootstrap, update = link.register, link.bootstrap, link.update

    def on_register(*args):
        asked.append("register")
        register(*args)

    def on_bootstrap(*args):
        asked.append("bootstrap")
        bootstrap(*args)

    def on_update(*args, **more):
        asked.append("update")
        update(*args, **more)

    link.register, link.bootstrap, link.update = on_register, on_bootstrap, on_update
    return asked


def quick():
    """One transmission a second, no repetition: chains that take minutes take seconds."""
    return {"backoff_ms": 10}


def with_bootstrap(lifetime=900):
    bench = Bench(**quick())
    bench.server.bootstrap = bootstrap_steps(lifetime)
    bench.say('AT+QLWCFG="retransmit",1,0')
    bench.restart()
    bench.say(BOOT)
    return bench


def test_update_intervals_of_the_manual():
    pairs = ((20, 10), (30, 15), (50, 30), (100, 70), (300, 250), (900, 820), (3600, 3385), (86400, 82045))
    for lifetime, seconds in pairs:
        assert update_interval_ms(lifetime) == seconds * 1000, lifetime


def test_automatic_updates_come_when_the_formula_says():
    for lifetime, seconds in ((30, 15), (50, 30), (100, 70), (300, 250), (900, 820)):
        bench = registered_bc66(lifetime=lifetime)
        bench.say("AT+QSCLK=0")
        assert bench.wait(seconds * 1000 - 1500) == []
        assert bench.wait(1500) == ['+QLWURC: "ping",0']
        assert NODE in bench.server.registrations


def test_registration_lists_thirteen_objects_and_the_custom_ones():
    bench = registered_bc66()
    objects = bench.server.registrations[NODE].objects
    assert objects == ["/%d/0" % number for number in BUILT_IN] + ["/3303/0"]
    assert len(BUILT_IN) == 13


def test_case_1_bootstrap_server_silent():
    bench = with_bootstrap()
    asked = counting(bench)
    bench.link.radio(up=False)
    assert bench.say("AT+QLWREG", 10000) == ["OK", "+QLWREG: 1"]
    assert asked == ["bootstrap", "bootstrap"]
    assert bench.say("AT+QLWSTATUS?") == ["+QLWSTATUS: 0", "OK"]


def test_case_2_server_silent_after_bootstrap():
    bench = with_bootstrap()
    bench.server.handle_register = lambda *arguments: None
    asked = counting(bench)
    said = bench.say("AT+QLWREG", 20000)
    assert said[-1] == "+QLWREG: 1" and said.count("+QLWREG: 1") == 1
    assert asked == ["bootstrap", "register", "register", "bootstrap", "register", "register"]


def test_case_2_server_silent_and_bootstrap_gone():
    bench = with_bootstrap()
    asked = counting(bench)
    bench.server.handle_register = lambda *arguments: bench.link.radio(up=False)
    said = bench.say("AT+QLWREG", 20000)
    assert said[-1] == "+QLWREG: 1"
    assert asked == ["bootstrap", "register", "register", "bootstrap", "bootstrap"]


def test_case_3_update_fails_and_the_server_takes_a_new_registration():
    bench = registered_bc66(**quick())
    asked = counting(bench)
    bench.server.restart()
    said = bench.say("AT+QLWUPDATE=0,1000", 2000)
    assert said == ["+QLWUPDATE: 35268", "OK", "+QLWUPDATE: 14,35268", "+QLWREG: 0"]
    assert asked == ["update", "register"]


def test_case_3_update_and_everything_after_it_fails():
    bench = with_bootstrap()
    bench.say("AT+QLWREG", 2000)
    asked = counting(bench)
    bench.link.radio(up=False)
    said = bench.say("AT+QLWUPDATE=1,1", 20000)
    assert said == ["+QLWUPDATE: 35268", "OK", "+QLWUPDATE: 1,35268", "+QLWREG: 1"]
    assert asked == ["update", "register", "register", "bootstrap", "bootstrap"]


def test_case_4_recovery_fails():
    bench = registered_bc66(**quick())
    bench.sleep()
    asked = counting(bench)
    bench.server.restart()
    said = bench.wake(3000)
    assert said[-2:] == ['+QLWURC: "recovered",3', "+QLWREG: 0"]
    assert asked == ["update", "register"]


def test_case_4_recovery_and_everything_after_it_fails():
    bench = with_bootstrap()
    bench.say("AT+QLWREG", 2000)
    bench.sleep()
    asked = counting(bench)
    bench.link.radio(up=False)
    said = bench.wake(20000)
    assert said[-2:] == ['+QLWURC: "recovered",3', "+QLWREG: 1"]
    assert asked == ["update", "register", "register", "bootstrap", "bootstrap"]


def test_nothing_is_configured_or_registered_while_a_chain_runs():
    bench = with_bootstrap()
    bench.link.radio(up=False)
    bench.say("AT+QLWREG", 100)
    assert bench.say("AT+QLWSTATUS?") == ["+QLWSTATUS: 1", "OK"]
    assert bench.say("AT+QLWREG") == ["+CMEE ERROR: 32"]
    assert bench.say(OWN) == ["+CMEE ERROR: 32"]


def test_auto_registration_1_operator_sim_at_first_boot():
    bench = Bench(quiet=False, operator_sim=True, keys={"urn:imei:866971030000717": "00"})
    bench.server.bootstrap = bootstrap_steps()
    bench.server.accepts_key = lambda account: True
    said = bench.wait(4000)
    assert '+QLWURC: "bs_finished"' in said and said[-1] == "+QLWREG: 0"
    bench.say("ATE0")
    assert bench.say('AT+QLWCFG="auto_reg"') == ['+QLWCFG: "auto_reg",1', "OK"]
    assert bench.say("AT+QLWCONFIG?")[0].startswith('+QLWCONFIG:1,"bootp.iot.t-mobile.com",5584,"urn:imei:8669')
    assert len(bench.say("AT+QLWCONFIG?")) == 3  # bootstrap and a server: two lines (4.2.1)


def test_auto_registration_2_own_server_after_reboot_only():
    bench = Bench()
    bench.type(OWN, 'AT+QLWCFG="auto_reg",1')
    assert bench.wait(5000) == []
    assert bench.restart()[-1] == "+QLWREG: 0"


def test_auto_registration_3_another_server_with_cfun():
    bench = Bench()
    bench.type(OWN, 'AT+QLWCFG="auto_reg",1')
    bench.restart()
    assert bench.say(OWN) == ["+CMEE ERROR: 33"]
    assert bench.say("AT+CFUN=0", 100) == ["OK"]
    assert bench.say('AT+QLWCONFIG=0,"other",5683,"second",900,3') == ["OK"]
    said = bench.say("AT+CFUN=1", 3000)
    assert said[-1] == "+QLWREG: 0"
    assert "second" in bench.server.registrations


def test_settings_take_effect_with_the_next_boot():
    bench = registered_bc66()
    bench.say('AT+QLWCFG="access_mode",1')
    assert bench.say('AT+QLWCFG="access_mode"') == ['+QLWCFG: "access_mode",1', "OK"]
    assert bench.told("read", "/3303/0/5700") == ['+QLWURC: "read",1,3303,0,5700']
    bench.restart()
    bench.say("AT+QLWREG", 1000)
    assert bench.told("read", "/3303/0/5700") == ['+QLWURC: "buffer"']


def test_persistence_off_registers_anew():
    bench = Bench()
    bench.type(OWN, 'AT+QLWCFG="auto_reg",1', 'AT+QLWCFG="per_regstatus_feat",1')
    bench.restart()
    assert bench.restart()[-1] == "+QLWREG: 0"


def test_persistence_with_a_server_that_forgot_us():
    bench = Bench()
    bench.type(OWN, 'AT+QLWCFG="auto_reg",1')
    bench.restart()
    bench.server.restart()
    said = bench.restart()
    assert said[-2:] == ['+QLWURC: "ping",14', "+QLWREG: 0"]


def test_an_update_carries_only_what_changed():
    bench = registered_bc66()
    seen = []
    update = bench.link.update

    def spy(done, lifetime=None, binding=None, objects=None):
        seen.append((lifetime, binding, objects is not None))
        update(done, lifetime, binding, objects)

    bench.link.update = spy
    bench.say("AT+QLWUPDATE=0,1000", 500)
    bench.say("AT+QLWUPDATE=1,0", 500)
    bench.say("AT+QLWADDOBJ=3304,0,1,5700", 500)
    bench.asked("execute", "/1/0/8", ms=500)
    assert seen == [(1000, None, False), (None, "U", False), (None, None, True), (None, None, False)]


def test_deep_sleep_is_deaf_and_wakes_by_pin_only():
    bench = registered_bc66()
    bench.type('AT+QCFG="dsevent",1', "AT+QNBIOTEVENT=1,1", "AT+CSCON=1")
    said = bench.sleep()
    assert said == ["+CSCON: 0", '+QNBIOTEVENT: "ENTER PSM"', '+QNBIOTEVENT: "ENTER DEEPSLEEP"']
    assert bench.modem.status_pin is False
    assert bench.say("AT", 1000) == []
    assert bench.modem.counters["ignored_bytes"] == 3
    said = bench.wake(1000)
    assert said[:6][-1] == "Leaving the BROM" and "+CPIN: READY" in said
    assert said[-1] == '+QLWURC: "recovered",0'
    assert bench.modem.status_pin is True


def test_no_deep_sleep_with_qsclk_0_or_2():
    for mode in (0, 2):
        bench = registered_bc66()
        bench.say("AT+QSCLK=%d" % mode)
        bench.wait(120000)
        assert bench.modem.state_name == "on"
        assert bench.say("AT+QSCLK?") == ["+QSCLK: %d" % mode, "OK"]


def test_qrellock_gives_the_sleep_lock_back():
    for release, state in ((False, "on"), (True, "asleep")):
        bench = registered_bc66(psm=("00100001", "00000000"))
        bench.wait(8000)
        bench.say("AT")  # holds the module awake for 10 s
        if release:
            bench.say("AT+QRELLOCK")
        bench.wait(4000)  # RRC is idle and the active time over after two of them
        assert bench.modem.state_name == state


def test_sleep_in_cfun_0():
    bench = Bench()
    bench.say("AT+CFUN=0", 100)
    bench.wait(11000)
    assert bench.modem.state_name == "asleep"


def test_cold_boot_banner_has_seven_lines_that_end_lf_cr():
    bench = Bench(quiet=False)
    bench.wait(600)
    raw = bench.take_raw() or b""
    bench.modem.pin("reset", True)
    bench.modem.pin("reset", False)
    bench.clock.advance(600)
    raw = bench.take_raw()
    assert raw.startswith(b"\n\rF1: 0000 0000\n\rV0: 0000 0000 [0001]\n\r00: 0006 000C\n\r01: 0000 0000\n\rU0:")
    assert b"T0: 0000 00B4\n\rLeaving the BROM\n\r\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\n+CPIN: READY\r\n" in raw


def test_manual_recovery_only_while_the_lifetime_lasts():
    bench = registered_bc66(lifetime=300)
    bench.say('AT+QLWCFG="recovery_mode",1')
    bench.sleep()
    bench.wait(400000)
    bench.wake()
    bench.say("ATE0")
    assert bench.say("AT+QLWSTATUS?") == ["+QLWSTATUS: 0", "OK"]
    assert bench.say("AT+QLWRECOVER") == ["+CMEE ERROR: 4"]
    assert bench.say("AT+QLWREG", 500) == ["OK", "+QLWREG: 0"]


def test_automatic_recovery_wakes_for_its_updates():
    bench = registered_bc66(lifetime=900)
    bench.sleep()
    said = bench.wait(900000)
    assert '+QLWURC: "recovered",0' in said
    assert NODE in bench.server.registrations


def test_network_loss_and_return_are_told():
    bench = registered_bc66()
    bench.say("AT+CEREG=1")
    bench.link.radio(up=False)
    bench.modem.set_coverage(False)
    assert bench.wait(11000) == ["+CEREG: 2", '+QLWURC: "lwstatus",0']
    bench.link.radio(up=True)
    bench.modem.set_coverage(True)
    assert bench.wait(2000) == ["+CEREG: 1", "+IP: 100.97.37.69", '+QLWURC: "lwstatus",1']


def test_disable_means_no_contact_then_registration():
    bench = registered_bc66()
    bench.asked("write", "/1/0/5", b"600", content_format=0)
    assert bench.told("execute", "/1/0/4", ms=200) == ['+QLWURC: "disable",600']
    assert NODE not in bench.server.registrations
    assert bench.say("AT+QLWREG") == ["+CMEE ERROR: 7"]
    assert bench.say("AT+QLWUPDATE=1,1") == ["+CMEE ERROR: 7"]
    said = bench.wait(700000)  # also across deep sleep
    assert said[-1] == "+QLWREG: 0" and bench.modem.counters["deep_sleeps"] >= 1


def test_disable_lasts_a_day_by_default():
    bench = registered_bc66()
    assert bench.told("execute", "/1/0/4", ms=200) == ['+QLWURC: "disable",86400']


def test_factory_reset_in_direct_mode_resets_the_module():
    bench = open_bootstrapped()
    bench.say("AT+QLWADDOBJ=3303,0,1,5700", 500)
    bench.server.execute(NODE, "/3/0/5")
    said = bench.wait(5000)
    assert said[0] == '+QLWURC: "factory_reset",0'
    assert "RDY" in said and '+QLWURC: "bs_finished"' in said and said[-1] == "+QLWREG: 0"
    bench.say("ATE0")
    assert bench.say("AT+QLWADDOBJ?") == ["OK"]


def open_bootstrapped():
    bench = with_bootstrap()
    said = bench.say("AT+QLWREG", 2000)
    assert said[-1] == "+QLWREG: 0"
    return bench


def test_factory_reset_in_buffer_mode_waits_for_the_mcu():
    bench = with_bootstrap()
    bench.say('AT+QLWCFG="access_mode",1')
    bench.restart()
    bench.say("AT+QLWREG", 2000)
    assert bench.told("execute", "/3/0/5", ms=5000) == ['+QLWURC: "buffer"']
    assert NODE not in bench.server.registrations
    assert bench.say("AT+QLWRD") == ['+QLWRD: 0,"factory_reset",0', "OK"]
    assert bench.restart()[-1] == "+QLWREG: 0"


def test_bootstrap_request_trigger():
    bench = open_bootstrapped()
    bench.server.execute(NODE, "/1/0/9")
    said = bench.wait(1000)
    assert said[0] == '+QLWURC: "bootstrap_request_trigger",0'
    assert said[-2:] == ['+QLWURC: "bs_finished"', "+QLWREG: 0"]


def test_reboot_by_the_server():
    bench = registered_bc66()
    exchange = bench.server.execute(NODE, "/3/0/4")
    said = bench.wait(3000)
    assert exchange.code == 204 and "RDY" in said


def test_server_changes_lifetime_and_binding():
    bench = registered_bc66()
    bench.server.write(NODE, "/1/0/1", b"120", content_format=0)
    assert bench.wait(200) == ['+QLWURC: "lifetime_changed",120', '+QLWURC: "ping",0']
    assert bench.server.registrations[NODE].lifetime == 120
    bench.server.write(NODE, "/1/0/7", b"U", content_format=0)
    assert bench.wait(200) == ['+QLWURC: "binding_changed","U"', '+QLWURC: "ping",0']
    assert bench.told("write", "/1/0/2", b"5", content_format=0, ms=200) == ['+QLWURC: "min_period_changed",5']
    assert bench.told("write", "/1/0/3", b"50", content_format=0, ms=200) == ['+QLWURC: "max_period_changed",50']


def test_wrong_key_ends_in_reg_1():
    bench = Bench(keys={"id": "00"}, **quick())
    bench.say('AT+QLWCFG="retransmit",1,0')
    bench.restart()
    bench.say('AT+QLWCONFIG=0,"host",5684,"%s",900,0,"id","01"' % NODE)
    assert bench.say("AT+QLWREG", 10000) == ["OK", "+QLWREG: 1"]


def test_refusal_by_the_server():
    for told, status in ((False, 1), (True, 13)):
        bench = Bench(refusal_status=told, **quick())
        bench.server.refuse = 403
        bench.say(OWN)
        assert bench.say("AT+QLWREG", 3000) == ["OK", "+QLWREG: %d" % status]


def test_register_without_network_is_not_sent():
    bench = Bench()
    bench.say(OWN)
    bench.say("AT+CGATT=0", 200)
    assert bench.say("AT+QLWREG", 500) == ["OK", "+QLWREG: 2"]


def test_memory_survives_a_power_cycle():
    bench = registered_bc66()
    nvram = bench.modem.nvram
    again = Bench(nvram=nvram)
    assert again.say("AT+QLWADDOBJ?") == ["+QLWADDOBJ: 3303,0,3,5700,5701,5605", "OK"]
    assert again.say("AT+QLWCONFIG?")[0] == '+QLWCONFIG:0,"leshan.eclipse.org",5683,"%s",900,3' % NODE


def test_bootstrap_example_line_is_accepted_as_it_is():
    assert Bench().say(BOOTSTRAP) == ["OK"]


def test_an_edrx_sleeper_is_reached_in_its_paging_window():
    bench = registered_bc66(psm=None)
    bench.say('AT+CEDRXS=1,5,"0101"')
    bench.say("AT+QLWUPDATE=1,0", 500)
    bench.sleep(30000)
    exchange = bench.server.read(NODE, "/3303/0/5700")
    said = bench.wait(60000)
    assert said == [] and exchange.code is None  # asleep: nothing is heard, CoAP gives up repeating
    bench.wait(10000)
    again = []
    for _ in range(400):  # ask until a repetition falls into a window
        bench.server.read(NODE, "/3303/0/5700")
        again += bench.wait(2000)
        if again:
            break
    again += bench.wait(2000)
    assert "Leaving the BROM" in again and [line for line in again if line.startswith('+QLWURC: "read"')]


def test_objects_declared_before_the_recovery_travel_with_it():
    bench = registered_bc66()
    bench.say('AT+QLWCFG="recovery_mode",1')
    bench.sleep()
    bench.wake()
    bench.say("ATE0")
    assert bench.say("AT+QLWADDOBJ=3304,0,1,5700", 200) == ["OK", "+QLWADDOBJ: 0"]
    assert "/3304/0" not in bench.server.registrations[NODE].objects
    assert bench.say("AT+QLWRECOVER", 200)[-1] == '+QLWURC: "recovered",0'
    assert "/3304/0" in bench.server.registrations[NODE].objects
