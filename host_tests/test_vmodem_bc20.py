"""BC20 model: the worked examples of its manual, its modes and limits, refusals, quirks of the field."""

from fakes.vmodem import Bench

from testing.lwm2m import codec
from testing.lwm2m.names import OPAQUE, TLV

EP = "867724030023557"
LONG = "01F00035020056FFFFFFCD3836333730333033303733353132353436303131313137343830383738350000015FFB289A180100040200010097"


def dialogue(bench, *steps):
    """(command, what must come back within a second)."""
    for command, expected in steps:
        said = bench.say(command, 1000)
        assert said == expected, (command, said, expected)


SETUP = (("AT+CGPADDR=1", ["+CGPADDR: 1,10.52.241.198", "OK"]),
         ('AT+QLWSERV="180.101.147.115",5683', ["OK"]), ('AT+QLWCONF="%s"' % EP, ["OK"]), ('AT+QLWADDOBJ=19,0,1,"0"', ["OK"]),
         ('AT+QLWADDOBJ=19,1,1,"0"', ["OK"]))


def ready(mode=None, hexadecimal=True, **options):
    """A bench set up as in chapter 5, the server observing 19/0/0; `mode` opens."""
    bench = Bench("bc20", address="10.52.241.198", **options)
    bench.server.auto_observe.append("/19/0/0")
    dialogue(bench, *SETUP)
    if hexadecimal:
        dialogue(bench, ('AT+QLWCFG="dataformat",1,1', ["OK"]))
    if mode is not None:
        dialogue(bench, ("AT+QLWOPEN=%d" % mode, ["OK", "CONNECT OK", "+QLWOBSERVE: 0,19,0,0"]))
    return bench


def push(bench, data):
    """The server writes bytes to /19/1/0."""
    return bench.server.write(EP, "/19/1/0", data, content_format=42)


# ---- worked examples


def test_3_1_and_3_2_platform_and_name():
    bench = Bench("bc20")
    dialogue(bench,
             ('AT+QLWSERV="180.101.147.115",5683', ["OK"]),
             ("AT+QLWSERV?", ['+QLWSERV: "180.101.147.115",5683', "OK"]), ('AT+QLWCONF="866971030001361"', ["OK"]),
             ("AT+QLWCONF?", ['+QLWCONF: "866971030001361"', "OK"]))


def test_3_3_and_3_4_objects():
    bench = Bench("bc20")
    dialogue(
        bench,
        ('AT+QLWADDOBJ=19,0,1,"0"', ["OK"]),
        ('AT+QLWADDOBJ=19,1,1,"0"', ["OK"]),
        ("AT+QLWDELOBJ=19", ["OK"]),  # not registered: no UPDATE OK
    )
    dialogue(ready(mode=0), ("AT+QLWDELOBJ=19", ["OK", "UPDATE OK"]))


def test_3_5_to_3_7_open_update_close():
    bench = ready()
    bench.server.auto_observe.clear()
    dialogue(bench, ("AT+QLWOPEN=0", ["OK", "CONNECT OK"]), ("AT+QLWUPDATE", ["OK", "UPDATE OK"]),
             ("AT+QLWCLOSE", ["OK", "CLOSE OK"]))


def test_3_8_send_non_and_con():
    bench = ready(mode=0)
    dialogue(bench, ("AT+QLWDATASEND=19,0,0,1,00,0x0000", ["OK"]), ("AT+QLWDATASEND=19,0,0,1,01,0x0100", ["OK", "SEND OK"]))
    assert [each.value for each in bench.server.deliveries] == [b"\x00", b"\x01"]


def test_3_9_status_with_and_without_the_blank():
    for blank, expected in ((True, "+QLWDATASTATUS: 4"), (False, "+QLWDATASTATUS:4")):
        bench = ready(mode=0, status_blank=blank)
        dialogue(bench, ("AT+QLWDATASEND=19,0,0,1,01,0x0100", ["OK", "SEND OK"]), ("AT+QLWDATASTATUS?", [expected, "OK"]))


def test_3_9_the_command_has_another_name_in_its_tables_title():
    for name, other in (("QLWDATASTATUS", "QLWULDATASTATUS"), ("QLWULDATASTATUS", "QLWDATASTATUS")):
        bench = ready(mode=0, status_command=name)
        assert bench.say("AT+%s?" % name) == ["+QLWDATASTATUS: 0", "OK"]
        assert bench.say("AT+%s?" % other) == ["ERROR"]


def test_3_10_read_in_pieces():
    bench = ready(mode=1)
    push(bench, b"\xaa\xaa\x00\x00")
    assert bench.wait(100) == ["+QLWDATARECV: 19,1,0,4"]
    dialogue(bench,
             ("AT+QLWRD=2", ["+QLWRD: 2,2", "AAAA", "OK"]),
             ("AT+QLWRD=2", ["+QLWRD: 2,0", "0000", "OK"]), ("AT+QLWRD=4", ["+QLWRD: 0", "OK"]))


def test_3_11_dataformat():
    bench = Bench("bc20")
    dialogue(bench, ('AT+QLWCFG="dataformat",1,1', ["OK"]), ('AT+QLWCFG="dataformat",1,0', ["OK"]))


def test_3_12_delete_takes_its_time():
    bench = ready(mode=0, delete_ms=4000)
    assert bench.say("AT+QLWDEL", 3900) == []
    assert bench.wait(200) == ["OK"]
    assert bench.say("AT+QLWSERV?") == ["ERROR"]


def test_5_1_register():
    bench = ready()
    dialogue(bench,
             ("AT+QLWOPEN=0", ["OK", "CONNECT OK", "+QLWOBSERVE: 0,19,0,0"]), ("AT+QLWUPDATE", ["OK", "UPDATE OK"]),
             ("AT+QLWCLOSE", ["OK", "CLOSE OK"]), ("AT+QLWDEL", ["OK"]))


def test_5_2_direct_push():
    bench = ready(mode=0)
    dialogue(bench, ("AT+QLWDATASEND=19,0,0,57,%s,0x0000" % LONG, ["OK"]))
    push(bench, b"\xaa\xaa\x00\x00")
    assert bench.wait(100) == ["+QLWDATARECV: 19,1,0,4,AAAA0000"]
    dialogue(bench,
             ("AT+QLWDATASEND=19,0,0,57,%s,0x0100" % LONG, ["OK", "SEND OK"]),
             ("AT+QLWDATASTATUS?", ["+QLWDATASTATUS: 4", "OK"]))
    assert bench.server.deliveries[-1].value[:2] == b"\x01\xf0"


def test_5_3_buffer_access():
    bench = ready(mode=1)
    dialogue(bench, ("AT+QLWDATASEND=19,0,0,57,%s,0x0000" % LONG, ["OK"]))
    push(bench, b"\xaa\xaa\x00\x00")
    assert bench.wait(100) == ["+QLWDATARECV: 19,1,0,4"]
    dialogue(bench,
             ("AT+QLWRD=4", ["+QLWRD: 4,0", "AAAA0000", "OK"]),
             ("AT+QLWDATASEND=19,0,0,57,%s,0x0100" % LONG, ["OK", "SEND OK"]))
    push(bench, b"\xaa\xaa\x00\x00")
    assert bench.wait(100) == ["+QLWDATARECV: 19,1,0,4"]
    dialogue(bench,
             ("AT+QLWRD=2", ["+QLWRD: 2,2", "AAAA", "OK"]),
             ("AT+QLWRD=2", ["+QLWRD: 2,0", "0000", "OK"]),
             ("AT+QLWDATASTATUS?", ["+QLWDATASTATUS: 4", "OK"]))


def test_examples_byte_by_byte():
    bench = ready(mode=1)
    push(bench, b"\xaa\xaa")
    bench.wait(100)
    assert bench.bytes_for(b"AT+QLWRD=2\r") == b"\r\n+QLWRD: 2,0\r\nAAAA\r\n\r\nOK\r\n"


# ---- forms and refusals


def test_test_forms():
    bench = Bench("bc20")
    dialogue(bench,
             ("AT+QLWSERV=?", ['+QLWSERV: "IP_address",(0-65535)', "OK"]),
             ("AT+QLWCONF=?", ['+QLWCONF: "endpointname"', "OK"]),
             ("AT+QLWRD=?", ["+QLWRD: (1-512)", "OK"]),
             ("AT+QLWCFG=?", ['+QLWCFG: "dataformat",(0,1),(0,1)', "OK"]))


REFUSED = (
    'AT+QLWSERV="180.101.147.115",65536',
    'AT+QLWSERV="180.101.147.115"',
    "AT+QLWSERV?",
    "AT+QLWCONF?",
    "AT+QLWCONF=",
    "AT+QLWADDOBJ=65536",
    'AT+QLWADDOBJ=19,0,2,"0"',
    'AT+QLWADDOBJ=19,0,1,"x"',
    "AT+QLWDELOBJ=19",
    "AT+QLWOPEN=0",  # nothing is configured
    "AT+QLWOPEN=2",
    "AT+QLWUPDATE=1",
    "AT+QLWCLOSE=1",
    "AT+QLWDELOBJ=65536",
    "AT+QLWDELOBJ=x",
    "AT+QLWUPDATE",
    "AT+QLWCLOSE",
    "AT+QLWDATASEND=19,0,0,1,00,0x0000",
    "AT+QLWDATASTATUS",
    "AT+QLWRD=0",
    "AT+QLWRD=513",
    "AT+QLWCFG=\"dataformat\",2,1",
    "AT+QLWCFG=\"other\",1,1",
    "AT+QLWDEL=1",
)


def test_wrong_values_are_plain_errors():
    bench = Bench("bc20")
    for line in REFUSED:
        assert bench.say(line, 500) == ["ERROR"], line


def test_wrong_data():
    bench = ready(mode=0)
    for line in ("AT+QLWDATASEND=19,0,0,2,00,0x0000", "AT+QLWDATASEND=19,0,0,1,XY,0x0000", "AT+QLWDATASEND=19,0,0,0,,0x0000",
                 "AT+QLWDATASEND=19,0,0,1,00,0x0001", "AT+QLWDATASEND=19,0,0,1,00", "AT+QLWDATASEND=20,0,0,1,00,0x0000",
                 "AT+QLWDATASEND=19,0,0,513,%s,0x0000" % ("00" * 513)):
        assert bench.say(line, 200) == ["ERROR"], line[:50]
    assert bench.say("AT+QLWDATASEND=19,0,0,512,%s,0x0100" % ("5A" * 512), 500) == ["OK", "SEND OK"]


def test_firmware_before_nar01a01_has_no_lwm2m():
    assert Bench("bc20", revision="BC20NAR00A09").say("AT+QLWSERV?") == ["ERROR"]
    assert Bench("bc20").say("AT+QLWSERV=?")[-1] == "OK"


def test_another_platform_wants_a_delete_first():
    bench = ready()
    assert bench.say('AT+QLWSERV="10.0.0.1",5683') == ["ERROR"]
    assert bench.say('AT+QLWSERV="180.101.147.115",5683') == ["OK"]
    bench.say("AT+QLWDEL", 1000)
    assert bench.say('AT+QLWSERV="10.0.0.1",5683') == ["OK"]


# ---- behaviour


def test_failures_after_about_128_s():
    bench = ready(mode=0)
    bench.say("AT+QSCLK=0")
    bench.link.radio(up=False)
    assert bench.say("AT+QLWDATASEND=19,0,0,1,01,0x0100", 120000) == ["OK"]
    assert bench.say("AT+QLWDATASTATUS?") == ["+QLWDATASTATUS: 1", "OK"]
    assert bench.wait(8000) == ["SEND FAIL"]
    assert bench.say("AT+QLWDATASTATUS?") == ["+QLWDATASTATUS: 3", "OK"]
    assert bench.say("AT+QLWUPDATE", 128000) == ["OK", "UPDATE FAIL"]
    assert bench.say("AT+QLWCLOSE", 128000) == ["OK", "CLOSE FAIL"]
    assert bench.say("AT+QLWOPEN=0", 128000) == ["OK", "CONNECT FAIL"]


def test_no_send_while_a_con_is_open():
    bench = ready(mode=0)
    bench.link.radio(delay_ms=500)
    assert bench.say("AT+QLWDATASEND=19,0,0,1,01,0x0100") == ["OK"]
    assert bench.say("AT+QLWDATASEND=19,0,0,1,02,0x0000") == ["ERROR"]
    assert bench.wait(1500) == ["SEND OK"]
    assert bench.say("AT+QLWDATASEND=19,0,0,1,02,0x0000") == ["OK"]


def test_status_before_anything_and_after_a_reset_message():
    bench = ready(mode=0)
    assert bench.say("AT+QLWDATASTATUS?") == ["+QLWDATASTATUS: 0", "OK"]
    bench.server.cancel(EP, "/19/0/0", active=False)
    said = bench.say("AT+QLWDATASEND=19,0,0,1,01,0x0100", 500)
    assert said == ["OK", "+QLWOBSERVE: 1,19,0,0", "SEND FAIL"]
    assert bench.say("AT+QLWDATASTATUS?") == ["+QLWDATASTATUS: 5", "OK"]


def test_data_before_an_observe_goes_nowhere():
    bench = ready()
    bench.server.auto_observe.clear()
    bench.say("AT+QLWOPEN=0", 500)
    assert bench.say("AT+QLWDATASEND=19,0,0,1,01,0x0100", 500) == ["OK", "SEND FAIL"]
    assert bench.say("AT+QLWDATASTATUS?") == ["+QLWDATASTATUS: 2", "OK"]
    assert bench.say("AT+QLWDATASEND=19,0,0,1,01,0x0000", 500) == ["OK"]
    assert bench.server.deliveries == []


def test_observe_forms():
    bench = ready(mode=0)
    assert bench.told("observe", "/19/1") == ["+QLWOBSERVE: 0,19,1,-1"]
    assert bench.told("cancel", "/19/0/0") == ["+QLWOBSERVE: 1,19,0,0"]


def test_no_urc_while_the_buffer_holds_something():
    bench = ready(mode=1)
    push(bench, b"\x01\x02\x03")
    push(bench, b"\x04\x05")
    assert bench.wait(200) == ["+QLWDATARECV: 19,1,0,3"]
    assert bench.say("AT+QLWRD=512") == ["+QLWRD: 3,0", "010203", "OK"]  # one node: <remain> is not the buffer's
    assert bench.say("AT+QLWRD=512") == ["+QLWRD: 2,0", "0405", "OK"]
    assert bench.say("AT+QLWRD=512") == ["+QLWRD: 0", "OK"]
    push(bench, b"\x06")
    assert bench.wait(200) == ["+QLWDATARECV: 19,1,0,1"]


def test_text_in_both_directions():
    bench = ready(mode=0, hexadecimal=False)
    text = 'a,b;c "d"'
    assert bench.say("AT+QLWDATASEND=19,0,0,%d,%s,0x0100" % (len(text), text), 200) == ["OK", "SEND OK"]
    assert bench.server.deliveries[-1].value == text.encode()
    push(bench, b"x,y")
    assert bench.wait(100) == ["+QLWDATARECV: 19,1,0,3,x,y"]
    bench.say('AT+QLWCFG="dataformat",0,1')
    push(bench, b"x,y")
    assert bench.wait(100) == ["+QLWDATARECV: 19,1,0,3,782C79"]


def test_a_tlv_write_is_unpacked():
    bench = ready(mode=0)
    payload = codec.encode(TLV, (19, 1, 0), [((19, 1, 0), OPAQUE, b"\xaa\x01")])
    assert bench.told("write", "/19/1/0", payload, content_format=TLV) == ["+QLWDATARECV: 19,1,0,2,AA01"]


def test_what_a_pipe_cannot_do():
    bench = ready(mode=0)
    asked = [bench.server.read(EP, "/19/0/0"), bench.server.execute(EP, "/19/0/0"), bench.server.read(EP, "/3303/0")]
    device = bench.server.read(EP, "/3/0/1")
    assert bench.wait(200) == []
    assert [each.code for each in asked] == [405, 405, 404]
    assert device.value == "BC20"
    assert bench.server.registrations[EP].objects == ["/1/0", "/3/0", "/19/0", "/19/1"]


def test_server_restarted():
    bench = ready(mode=0)
    bench.server.restart()
    assert bench.say("AT+QLWUPDATE", 500) == ["OK", "UPDATE FAIL"]
    assert bench.say("AT+QLWOPEN=0", 500) == ["OK", "CONNECT OK", "+QLWOBSERVE: 0,19,0,0"]


def test_deep_sleep_keeps_or_loses_the_context():
    for kept, expected in (("kept", ["OK", "UPDATE OK"]), ("lost", ["ERROR"])):
        bench = ready(mode=0, after_sleep=kept)
        bench.sleep()
        bench.wake()
        assert bench.say("AT+QLWUPDATE", 500) == expected


def test_an_update_that_fell_due_in_deep_sleep_goes_out_at_the_wake():
    bench = ready(mode=0, lifetime=300)
    updates = bench.server.registrations[EP].updates
    bench.sleep()
    bench.wait(220000)
    assert bench.server.registrations[EP].updates == updates
    bench.wake()
    assert bench.server.registrations[EP].updates == updates + 1
    bench.sleep()
    bench.wake()
    assert bench.server.registrations[EP].updates == updates + 1


def test_a_reset_loses_the_session_but_not_the_set_up():
    bench = ready(mode=0)
    bench.restart()
    assert bench.say("AT+QLWUPDATE") == ["ERROR"]
    assert bench.say("AT+QLWSERV?") == ['+QLWSERV: "180.101.147.115",5683', "OK"]
    assert bench.say("AT+QLWOPEN=0", 500) == ["OK", "CONNECT OK", "+QLWOBSERVE: 0,19,0,0"]


def test_update_trigger_and_reboot_by_the_server():
    bench = ready(mode=0)
    updates = bench.server.registrations[EP].updates
    assert bench.told("execute", "/1/0/8", ms=200) == []
    assert bench.server.registrations[EP].updates == updates + 1
    bench.server.execute(EP, "/3/0/4")
    assert "RDY" in bench.wait(2000)


def test_a_server_sets_lifetime_and_binding_until_the_context_is_lost():
    bench = ready(mode=0)
    for path, value in (("/1/0/1", b"30"), ("/1/0/7", b"UQ"), ("/1/0/5", b"120")):
        asked = bench.server.write(EP, path, value, content_format=0)
        assert bench.wait(200) == []
        assert asked.code == 204
    found = bench.server.registrations[EP]
    assert (found.lifetime, found.binding) == (30, "UQ")
    assert bench.server.read(EP, "/1/0/5") is not None and bench.wait(200) == []
    bench.say("AT+QSCLK=0")
    bench.asked("execute", "/1/0/8", ms=200)
    updates = found.updates
    bench.wait(26000)
    assert found.updates == updates
    bench.wait(1000)
    assert found.updates == updates + 1  # at nine tenths of the new lifetime
    bench.restart()
    dialogue(bench, ("AT+QLWOPEN=0", ["OK", "CONNECT OK", "+QLWOBSERVE: 0,19,0,0"]))
    found = bench.server.registrations[EP]
    assert (found.lifetime, found.binding) == (86400, "U")


def test_a_server_may_not_set_what_the_option_fixes():
    bench = ready(mode=0, server_writes=False)
    refused = bench.server.write(EP, "/1/0/1", b"30", content_format=0)
    taken = bench.server.write(EP, "/1/0/5", b"120", content_format=0)
    assert bench.wait(200) == []
    assert (refused.code, taken.code) == (405, 204)
    assert bench.server.registrations[EP].lifetime == 86400


def test_quirk_declared_length():
    bench = ready(mode=0, hostile="recv_length")
    push(bench, b"\x01" * 13)
    assert bench.wait(100) == ["+QLWDATARECV: 19,1,0,27," + "01" * 13]


def test_generic_commands_are_those_of_the_chipset():
    bench = Bench("bc20")
    assert bench.say("ATI")[1] == "Quectel_BC20"
    assert bench.say("AT+QSCLK=0;+QCCID")[-1] == "OK"
    assert bench.say("AT+QRST=1", 1000)[-1] == "+CPIN: READY"
