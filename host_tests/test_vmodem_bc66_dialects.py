"""BC66 model with firmware older than the application note, and the habits of real firmware (field_quirks.md)."""

from fakes.vmodem import NODE, Bench, registered_bc66

from testing.lwm2m.names import JSON

OWN = 'AT+QLWCONFIG=0,"host",5683,"%s",900,3' % NODE


def old(revision, **options):
    """A registered module with old firmware; objects only after the registration."""
    bench = Bench(revision="BC66NBR01" + revision, **options)
    bench.say(OWN)
    bench.say("AT+QLWREG", 1000)
    return bench


# ---- A07 to A09


def test_a09_settings_and_commands():
    bench = Bench(revision="BC66NBR01A09")
    said = bench.say("AT+QLWCFG?")
    assert said == ['+QLWCFG: "auto_reg",0', '+QLWCFG: "per_regstatus_feat",0', '+QLWCFG: "retransmit",2,4', "OK"]
    assert bench.say('AT+QLWCFG="access_mode"') == ['+QLWCFG: "access_mode",0', "OK"]
    assert bench.say('AT+QLWCFG="recovery_mode",1') == ["+CMEE ERROR: 3"]
    assert bench.say("AT+QLWRECOVER") == ["ERROR"]
    assert bench.say("AT+QLWADDOBJ=3303,0,1,5700") == ["+CMEE ERROR: 4"]
    assert bench.say("AT+QLWSTATUS?") == ["+QLWSTATUS: 0", "OK"]


def test_a09_changes_are_one_string():
    bench = old("A09")
    assert bench.told("write", "/1/0/1", b"30", content_format=0)[0] == '+QLWURC: "lifetime changed,30"'
    bench.server.write(NODE, "/1/0/7", b"U", content_format=0)
    assert '+QLWURC: binding_changed,U' in bench.wait(200)


def test_a09_asserts_on_a_long_write_and_on_json():
    for payload, kind in ((b"x" * 51, 0), (b'{"e":[]}', JSON)):
        bench = old("A09")
        bench.say("AT+QLWADDOBJ=3303,0,1,5701", 500)
        bench.server.write(NODE, "/3303/0/5701", payload, content_format=kind)
        assert "RDY" in bench.wait(1000)
    bench = old("A09")
    bench.say("AT+QLWADDOBJ=3303,0,1,5701", 500)
    assert bench.told("write", "/3303/0/5701", b"x" * 50, content_format=0)[0].startswith('+QLWURC: "write",')


def test_a09_knows_resources_only():
    bench = old("A09")
    bench.say("AT+QLWADDOBJ=3303,0,1,5701", 500)
    exchange = bench.server.read(NODE, "/3303/0")
    assert bench.wait(200) == [] and exchange.code == 405


def test_a09_enter_deepsleep_without_line_end():
    bench = Bench(revision="BC66NBR01A09")
    bench.say('AT+QCFG="dsevent",1')
    bench.clock.advance(60000)
    assert bench.take_raw() == b'\r\n+QNBIOTEVENT: "ENTER DEEPSLEEP"'
    bench.modem.pin("wake", True)
    bench.clock.advance(500)
    assert bench.take_raw().startswith(b"\n\rF1: 0000 0000\n\r")


def test_quirk_the_deep_sleep_line_has_no_end_in_any_firmware():
    bench = Bench(hostile="deepsleep_no_newline")
    bench.say('AT+QCFG="dsevent",1')
    bench.clock.advance(60000)
    assert bench.take_raw().endswith(b'\r\n+QNBIOTEVENT: "ENTER DEEPSLEEP"')
    assert Bench().modem.quirk("deepsleep_no_newline") is False


# ---- A06 and older


def test_a06_results():
    bench = Bench(revision="BC66NBR01A06")
    bench.say(OWN)
    assert bench.say("AT+QLWREG", 1000) == ["OK", "+QLWURC: reg,0"]
    assert bench.say("AT+QLWADDOBJ=3303,0,1,5700", 500) == ["OK", "+QLWADDOBJ :0", '+QLWURC: "ping",0']
    assert bench.say("AT+QLWDELOBJ=3303", 500) == ["OK", "+QLWDELOBJ :0", '+QLWURC: "ping",0']
    assert bench.say("AT+QLWDEREG", 500) == ["OK", "+QLWURC: dereg,0"]
    assert bench.say("AT+QLWSTATUS?") == ["ERROR"]
    assert bench.say("at+qsclk=0") == ["ERROR"]
    assert bench.say("AT+QSCLK=0") == ["OK"]


def test_a06_requests_by_number():
    bench = old("A06")
    bench.say("AT+QLWADDOBJ=3303,0,2,5700,5701", 500)
    bench.server.observe(NODE, "/3303/0/5700")
    bench.server.read(NODE, "/3303/0/5700")
    bench.server.write(NODE, "/3303/0/5701", b"1", content_format=0)
    assert bench.wait(100) == ["+QLWURC: 0,1,0,3303,0,5700", "+QLWURC: 1,2,3303,0,5700", '+QLWURC: 2,3,3303,0,5701,2,1,"31",0']
    assert bench.say("AT+QLWRDRSP=2,1,3303,0,5700,4,4,21.5,0", 100) == ["OK", "+QLWRDRSP: 0"]


def test_a06_object_19_is_a_pipe():
    bench = old("A06")
    assert bench.told("observe", "/19/0/0") == ["+QLWOBSERVE: 0,19,0,0"]
    assert bench.say("AT+QLWDATASEND=19,0,0,2,AA00,0x0100", 500) == ["OK", "SEND OK"]
    assert bench.say("AT+QLWDATASEND=19,0,0,2,AA01,0x0000", 500) == ["OK"]
    assert [each.value for each in bench.server.deliveries] == [b"\xaa\x00", b"\xaa\x01"]
    assert bench.told("write", "/19/1/0", b"\xaa\x00", content_format=42) == ["+QLWDATARECV: 19,1,0,2,AA00"]
    assert bench.say("AT+QLWDATASEND=19,0,0,3,AA00,0x0100") == ["+CMEE ERROR: 3"]
    assert bench.say("AT+QLWDATASEND=19,0,0,2,AA00,1") == ["+CMEE ERROR: 3"]
    assert bench.say("AT+QLWDEREG", 500)[0] == "OK"
    assert bench.say("AT+QLWDATASEND=19,0,0,2,AA00,0x0100") == ["+CMEE ERROR: 4"]


def test_newer_firmware_has_no_datasend():
    assert registered_bc66().say("AT+QLWDATASEND=19,0,0,2,AA00,0x0100") == ["ERROR"]


# ---- quirks


def test_quirk_both_spellings_of_the_error():
    bench = Bench(hostile="cme_spelling")
    said = [bench.say("AT+QLWUPDATE=2,0")[0] for _ in range(2)]
    assert sorted(said) == ["+CME ERROR: 3", "+CMEE ERROR: 3"]


def test_quirk_plain_error_with_cmee():
    bench = Bench(hostile="plain_error")
    said = [bench.say("AT+QLWUPDATE=2,0")[0] for _ in range(3)]
    assert said.count("ERROR") == 1


def test_quirk_qsclk_error_after_1900_ms():
    bench = Bench(hostile=("qsclk_error",))
    assert bench.say("AT+QSCLK=0", 1800) == []
    assert bench.wait(200) == ["ERROR"]
    assert bench.say("AT+QSCLK=0") == ["OK"]


def test_quirk_first_line_after_boot_and_wake_is_lost():
    bench = Bench(hostile="first_at_lost", quiet=False)
    bench.wait(3000)
    assert bench.say("ATE0") == ["ATE0"]  # echoed, not heard
    assert bench.say("ATE0") == ["ATE0", "OK"]
    bench.sleep()
    bench.wake()
    assert bench.say("AT") == []
    assert bench.say("AT") == ["OK"]


def test_quirk_banner_glued_and_noise():
    bench = Bench(hostile=("banner_glued", "boot_noise"), quiet=False)
    bench.clock.advance(600)
    raw = bench.take_raw()
    assert raw.startswith(b"\x00\xff\x00\n\x1a\xff\n\rF1") and b"Leaving the BROM\n\rBL_V01\r\nRDY" in raw


def test_quirk_odd_urcs():
    said = Bench(hostile="odd_urcs", quiet=False).wait(1000)
    for text in ("+QATSLEEP", "*MATREADY: 1", "+LWM2M:reg failed back off"):
        assert text in said


def test_quirk_refusal_while_the_radio_is_idle():
    bench = registered_bc66(hostile="idle_refusal")
    bench.say("AT+QSCLK=0")
    bench.wait(15000)
    assert bench.say("AT+QLWUPDATE=1,1") == ["+CMEE ERROR: 1"]
    assert bench.say("AT+QLWUPDATE=1,1", 500)[-1] == "+QLWUPDATE: 0,35268"


def test_quirk_registration_right_after_deregistration():
    bench = registered_bc66(hostile="dereg_pause")
    bench.say("AT+QLWDEREG", 200)
    assert bench.say("AT+QLWREG", 300) == ["OK", "+QLWREG: 1"]
    bench.wait(1000)
    assert bench.say("AT+QLWREG", 1000) == ["OK", "+QLWREG: 0"]


def test_quirk_lines_sent_too_early_shift_the_answers():
    bench = Bench(hostile="answers_shift")
    bench.modem.receive(b"AT+CFUN=1;+CFUN=0\rAT+CFUN?\r")
    assert bench.wait(200) == ["OK", "OK"]


def test_all_quirks_at_once_leave_a_module_that_can_be_used():
    bench = Bench(hostile="all")
    for _ in range(3):
        bench.say(OWN, 3000)
        said = bench.say("AT+QLWREG", 3000)
        if "+QLWREG: 0" in said:
            break
    assert NODE in bench.server.registrations


def test_quirk_a06_results_without_blank():
    bench = Bench(revision="BC66NBR01A06", hostile="bare_results")
    bench.say(OWN)
    assert bench.say("AT+QLWREG", 1000) == ["OK", "+QLWURC:reg,0"]
    assert bench.told("write", "/19/1/0", b"\xaa\x00", content_format=42) == ["+QLWDATARECV: AA00"]


def test_a06_says_nothing_of_a_missing_sim():
    said = Bench(revision="BC66NBR01A06", sim="absent", quiet=False).wait(1000)
    assert not [line for line in said if line.startswith("+CPIN")]


def test_a09_does_not_update_by_itself():
    bench = old("A09")
    bench.say("AT+QSCLK=0")
    assert bench.wait(1000000) == [] and NODE not in bench.server.registrations


def test_a09_buffered_write_ends_at_a_blank():
    bench = Bench(revision="BC66NBR01A09")
    bench.type('AT+QLWCFG="access_mode",1', OWN)
    bench.restart()
    bench.say("AT+QLWREG", 1000)
    bench.say("AT+QLWADDOBJ=3303,0,1,5701", 500)
    bench.asked("write", "/3303/0/5701", b"ab cd", content_format=0)
    assert bench.say("AT+QLWRD") == ['+QLWRD: 0,"write",1,3303,0,5701,2,2,"6162",0', "OK"]


def test_a09_crashes_on_quick_notifications():
    bench = old("A09")
    bench.say("AT+QLWADDOBJ=3303,0,1,5700", 500)
    bench.asked("observe", "/3303/0/5700")
    bench.say("AT+QLWOBSRSP=1,1,3303,0,5700,4,4,21.5,0", 200)
    line = "AT+QLWNOTIFY=3303,0,5700,4,4,21.5,0,0"
    assert bench.say(line, 200) == ["OK", "+QLWNOTIFY: 0"]
    assert bench.say(line, 50) == ["OK", "+QLWNOTIFY: 0"]
    assert "RDY" in bench.say(line, 1000)


def test_quirk_a_request_comes_twice():
    bench = registered_bc66(hostile="duplicate_requests")
    assert bench.told("read", "/3303/0/5700", ms=2500) == ['+QLWURC: "read",1,3303,0,5700'] * 2
    bench.say("AT+QLWRDRSP=1,1,3303,0,5700,4,4,21.5,0", 100)
    bench.asked("read", "/3303/0/5700")
    bench.say("AT+QLWRDRSP=2,1,3303,0,5700,4,4,21.5,0", 100)
    assert bench.wait(5000) == []


def test_quirk_garbage_instead_of_the_banner():
    bench = Bench(hostile="baud_garbage", quiet=False)
    bench.clock.advance(600)
    raw = bench.take_raw()
    assert b"BROM" not in raw and raw.endswith(b"\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\n+CPIN: READY\r\n")


def test_quirk_autobaud_speaks_after_the_first_line():
    bench = Bench(hostile="autobaud", quiet=False)
    said = bench.wait(3000)
    assert "RDY" not in said and "Leaving the BROM" in said
    assert bench.say("ATE0")[-4:] == ["OK", "RDY", "+CFUN: 1", "+CPIN: READY"]


def test_quirk_the_first_answer_to_an_observe_fails():
    bench = registered_bc66(hostile="observe_refused")
    for mid, result in ((1, 1), (2, 0)):
        bench.asked("observe", "/3303/0/5700")
        said = bench.say("AT+QLWOBSRSP=%d,1,3303,0,5700,4,4,21.5,0" % mid, 200)
        assert said == ["OK", "+QLWOBSRSP: %d" % result]
    assert bench.link.observations() == [(3303, 0, 5700)]
