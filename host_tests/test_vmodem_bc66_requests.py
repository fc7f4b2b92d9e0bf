"""BC66 model: requests of the server and the host's answers, values of every type, the buffer, refusals of wrong values."""

from fakes.vmodem import NODE, Bench, registered_bc66

from testing.lwm2m import codec
from testing.lwm2m.names import BOOLEAN, FLOAT, INTEGER, JSON, STRING, TLV

LONG = "x" * 1025


def observed(path="/3303/0/5700", **options):
    """A bench whose server observes `path`."""
    bench = registered_bc66(**options)
    exchange = bench.asked("observe", path)
    answer = "AT+QLWOBSRSP=1,1,3303,0,5700,4,5,21.50,0"
    assert bench.say(answer, 100) == ["OK", "+QLWOBSRSP: 0"]
    assert exchange.code == 205
    return bench


# ---- refusals: each command once with something wrong

REFUSED = (
    # configuration
    ('AT+QLWCONFIG=0,"host",5683,"node",900', 2),
    ('AT+QLWCONFIG=2,"host",5683,"node",900,3', 3),
    ('AT+QLWCONFIG=0,"%s",5683,"node",900,3' % LONG[:151], 3),
    ('AT+QLWCONFIG=0,"host",65536,"node",900,3', 3),
    ('AT+QLWCONFIG=0,"host",-1,"node",900,3', 3),
    ('AT+QLWCONFIG=0,"host",5683,"%s",900,3' % LONG[:151], 3),
    ('AT+QLWCONFIG=0,"host",5683,"node",19,3', 3),
    ('AT+QLWCONFIG=0,"host",5683,"node",31536001,3', 3),
    ('AT+QLWCONFIG=0,"host",5683,"node",900,1', 3),
    ('AT+QLWCONFIG=0,"host",5683,"node",900,0', 2),
    ('AT+QLWCONFIG=0,"host",5683,"node",900,0,"id","ABC"', 13),
    ('AT+QLWCONFIG=0,"host",5683,"node",900,0,"id","XY"', 3),
    ('AT+QLWCONFIG=0,"host",5683,"node",900,0,"%s","AB"' % LONG[:151], 3),
    ('AT+QLWCONFIG=0,"host",5683,"node",900,0,"id","%s"' % ("AB" * 129), 3),
    ('AT+QLWCFG="no_such",1', 3),
    ('AT+QLWCFG="auto_reg",2', 3),
    ('AT+QLWCFG="per_regstatus_feat",2', 3),
    ('AT+QLWCFG="rai_enable",2', 3),
    ('AT+QLWCFG="retransmit",21,4', 3),
    ('AT+QLWCFG="retransmit",2,9', 3),
    ('AT+QLWCFG="retransmit",2', 2),
    ('AT+QLWCFG="auto_ack",2', 3),
    ('AT+QLWCFG="access_mode",2', 3),
    ('AT+QLWCFG="recovery_mode",2', 3),
    ('AT+QLWCFG="retransmit_mode",2', 3),
    # registration
    ("AT+QLWREG", 34),
    ("AT+QLWDEREG", 4),
    ("AT+QLWUPDATE=0,1000", 4),
    ("AT+QLWUPDATE=2,0", 3),
    ("AT+QLWUPDATE=0,19", 3),
    ("AT+QLWUPDATE=1,2", 3),
    ("AT+QLWUPDATE=0", 2),
    ("AT+QLWRECOVER", 4),
    # objects
    ("AT+QLWADDOBJ=3303,0,2,5700", 2),
    ("AT+QLWADDOBJ=3303,0,0,5700", 3),
    ("AT+QLWADDOBJ=3,0,1,0", 3),
    ("AT+QLWADDOBJ=65536,0,1,0", 3),
    ("AT+QLWADDOBJ=3303,0,15," + ",".join([str(n) for n in range(15)]), 2),
    ("AT+QLWDELOBJ=x", 3),
    ("AT+QLWDELOBJ=1,2", 2),
    # answers and reports
    ("AT+QLWRDRSP=1", 2),
    ("AT+QLWRDRSP=1,2", 3),
    ("AT+QLWRDRSP=1,1,3303,0,5700,4,4,21.5", 2),
    ("AT+QLWRDRSP=70000,1,3303,0,5700,4,4,21.5,0", 3),
    ("AT+QLWRDRSP=1,1,3303,0,5700,6,4,21.5,0", 3),
    ("AT+QLWRDRSP=1,1,3303,0,5700,4,4,abcd,0", 3),
    ("AT+QLWRDRSP=1,1,3303,0,5700,4,3,nan,0", 3),
    ('AT+QLWRDRSP=1,1,3303,0,5700,1,3,"abcd",0', 3),
    ('AT+QLWRDRSP=1,1,3303,0,5700,2,1,"ABC",0', 13),
    ('AT+QLWRDRSP=1,1,3303,0,5700,2,1,"XY",0', 3),
    ("AT+QLWRDRSP=1,1,3303,0,5700,3,2,1.5,0", 3),
    ("AT+QLWRDRSP=1,1,3303,0,5700,5,1,2,0", 3),
    ("AT+QLWRDRSP=1,1,3303,0,5700,4,4,,0", 2),
    ("AT+QLWOBSRSP=1,2", 3),
    ("AT+QLWWRRSP=1", 2),
    ("AT+QLWWRRSP=1,1", 3),
    ("AT+QLWRRSP=1,15", 3),
    ("AT+QLWEXERSP=1,15", 3),
    ("AT+QLWNOTIFY=3303,0,5700,4,4,21.5", 2),
    ("AT+QLWNOTIFY=3303,0,5700,4,4,21.5,0,2", 3),
    ("AT+QLWNOTIFY=3303,0,5700,4,4,21.5,0,1,3", 3),
    ('AT+QLWNOTIFY=3303,0,5700,1,1025,"%s",0,1' % LONG, 3),
    ('AT+QLWNOTIFY=3303,0,5700,2,513,"%s",0,1' % ("AB" * 513), 3),
    ("AT+QLWNOTIFY=3303,0,5700,4,4,21.5,0,1", 4),
    ("AT+QLWRD", 15),
)


def test_every_command_refuses_wrong_values_with_its_code():
    bench = Bench()
    for line, code in REFUSED:
        assert bench.say(line) == ["+CMEE ERROR: %d" % code], line
        assert bench.wait(200) == [], line


def test_commands_of_one_form_refuse_others():
    bench = Bench()
    for line in ("AT+QLWSTATUS=1", "AT+QLWREG=1", "AT+QLWDEREG?", "AT+QLWRECOVER?", "AT+QLWNOTIFY?", "AT+QLWCONFIG"):
        assert bench.say(line) == ["+CME ERROR: 4"], line


def test_no_codes_without_cmee():
    bench = Bench()
    bench.say("AT+CMEE=0")
    assert bench.say("AT+QLWUPDATE=2,0") == ["ERROR"]


def test_registered_twice_and_configured_while_registered():
    bench = registered_bc66()
    assert bench.say("AT+QLWREG") == ["+CMEE ERROR: 33"]
    assert bench.say('AT+QLWCONFIG=0,"host",5683,"node",900,3') == ["+CMEE ERROR: 33"]
    bench.say("AT+QLWDEREG", 500)
    assert bench.say("AT+QLWSTATUS?") == ["+QLWSTATUS: 4", "OK"]
    assert bench.say('AT+QLWCONFIG=0,"host",5683,"node",900,3') == ["OK"]


def test_object_limits():
    bench = Bench()
    for number in range(15):
        assert bench.say("AT+QLWADDOBJ=%d,0,1,5700" % (3303 + number), 50) == ["OK", "+QLWADDOBJ: 0"]
    assert bench.say("AT+QLWADDOBJ=4000,0,1,5700", 50) == ["OK", "+QLWADDOBJ: 1"]
    for instance in range(1, 4):
        assert bench.say("AT+QLWADDOBJ=3303,%d,1,5700" % instance, 50) == ["OK", "+QLWADDOBJ: 0"]
    assert bench.say("AT+QLWADDOBJ=3303,4,1,5700", 50) == ["OK", "+QLWADDOBJ: 1"]
    assert bench.say("AT+QLWADDOBJ=3304,0,1,5700", 50) == ["OK", "+QLWADDOBJ: 1"]
    assert bench.say("AT+QLWDELOBJ=4000", 50) == ["OK", "+QLWDELOBJ: 1"]
    assert bench.say("AT+QLWADDOBJ=3317,1,14," + ",".join([str(n) for n in range(14)]), 50)[-1] == "+QLWADDOBJ: 0"


def test_configuration_is_shown_as_it_was_set():
    bench = Bench()
    bench.say('AT+QLWCONFIG=0,10.112.28.10,"5683","86",900,3')
    assert bench.say("AT+QLWCONFIG?") == ['+QLWCONFIG:0,10.112.28.10,5683,"86",900,3', "OK"]
    assert Bench().say("AT+QLWCONFIG?") == ["OK"]


def test_a_changed_bootstrap_setting_shows_both_accounts():
    bench = Bench()
    bench.type('AT+QLWCONFIG=0,"host",5683,"86",900,3', 'AT+QLWCONFIG=1,"boot",5683,"86",900,3')
    assert bench.say("AT+QLWCONFIG?") == ['+QLWCONFIG:1,"boot",5683,"86",900,3', '+QLWCONFIG:0,"host",5683,"86",900,3', "OK"]


# ---- reads, observes

RESULTS = ((1, 205), (11, 400), (12, 401), (13, 404), (14, 405), (15, 406))


def test_read_results_become_coap_codes():
    for result, code in RESULTS:
        bench = registered_bc66()
        exchange = bench.asked("read", "/3303/0/5700")
        full = "AT+QLWRDRSP=1,%d,3303,0,5700,4,4,21.5,0" % result
        assert bench.say(full, 100) == ["OK", "+QLWRDRSP: 0"]
        assert exchange.code == code


def test_a_refusal_needs_no_value():
    bench = registered_bc66()
    exchange = bench.asked("read", "/3303/0/5700")
    assert bench.say("AT+QLWRDRSP=1,13", 100) == ["OK", "+QLWRDRSP: 0"]
    assert exchange.code == 404


def test_values_of_every_type():
    cases = ((1, '3,"abc"', "abc"), (2, '2,"0AFF"', b"\x0a\xff"), (3, "3,-12", -12), (4, "6,-0.125", -0.125), (5, "1,1", True))
    paths = {1: 5701, 2: 5522, 3: 5501, 4: 5700, 5: 5500}
    resources = ",".join([str(number) for number in sorted(paths.values())])
    for kind, text, value in cases:
        bench = registered_bc66(objects=("3350,0,5," + resources,))
        exchange = bench.asked("read", "/3350/0/%d" % paths[kind])
        said = bench.say("AT+QLWRDRSP=1,1,3350,0,%d,%d,%s,0" % (paths[kind], kind, text), 100)
        assert said == ["OK", "+QLWRDRSP: 0"], (kind, said)
        assert exchange.value == value, (kind, exchange.values)


def test_the_length_of_a_float_may_be_short_and_no_others():
    """4.2.11 prints 4 for 88.88, the text says that it counts characters."""
    for kind, length, text, good in ((4, 4, "88.88", True), (4, 5, "88.88", True), (4, 6, "88.88", False),
                                     (3, 1, "21", False), (1, 4, '"abcde"', False)):  # fmt: skip
        for checked in (True, False):
            bench = registered_bc66(check_length=checked)
            bench.server.read(NODE, "/3303/0/5700")
            mid = bench.wait(100)[0].split(",")[1]
            said = bench.say("AT+QLWRDRSP=%s,1,3303,0,5700,%d,%d,%s,0" % (mid, kind, length, text))
            assert (said[0] == "OK") == (good or not checked), (kind, length, checked, said)


def test_results_come_when_the_server_has_answered():
    bench = registered_bc66()
    bench.link.radio(delay_ms=500)
    said = bench.say("AT+QLWUPDATE=0,900")
    assert said[0].startswith("+QLWUPDATE: ") and said[1] == "OK"
    assert bench.wait(990) == []
    assert bench.wait(100)[0].startswith("+QLWUPDATE: 0,")


def test_an_instance_is_read_in_parts_by_index():
    bench = registered_bc66()
    exchange = bench.server.read(NODE, "/3303/0")
    assert bench.wait(100) == ['+QLWURC: "read",1,3303,0,-1']
    assert bench.say("AT+QLWRDRSP=1,1,3303,0,5700,4,4,21.5,1", 100) == ["OK"]
    assert exchange.code is None
    assert bench.say('AT+QLWRDRSP=1,1,3303,0,5701,1,3,"Cel",0', 100) == ["OK", "+QLWRDRSP: 0"]
    assert [each.value for each in exchange.values] == [21.5, "Cel"]


def test_index_results_for_each_part_as_the_manual_reads():
    bench = registered_bc66(index_results=True)
    bench.asked("read", "/3303/0")
    assert bench.say("AT+QLWRDRSP=1,1,3303,0,5700,4,4,21.5,1", 100) == ["OK", "+QLWRDRSP: 0"]


def test_a_long_value_in_parts_is_one_value():
    bench = registered_bc66()
    exchange = bench.asked("read", "/3303/0/5701")
    bench.say('AT+QLWRDRSP=1,1,3303,0,5701,1,3,"abc",1', 100)
    bench.say('AT+QLWRDRSP=1,1,3303,0,5701,1,3,"def",0', 100)
    assert exchange.value == "abcdef"


def test_a_whole_object():
    bench = registered_bc66(objects=("3303,0,1,5700", "3303,1,1,5700"))
    exchange = bench.server.read(NODE, "/3303")
    assert bench.wait(100) == ['+QLWURC: "read",1,3303,-1,-1']
    bench.say("AT+QLWRDRSP=1,1,3303,0,5700,4,4,21.5,1", 100)
    bench.say("AT+QLWRDRSP=1,1,3303,1,5700,4,4,22.5,0", 100)
    assert [each.path for each in exchange.values] == [(3303, 0, 5700), (3303, 1, 5700)]
    bench = registered_bc66(object_level=False)
    exchange = bench.server.read(NODE, "/3303")
    assert bench.wait(200) == [] and exchange.code == 405


def test_an_answer_nobody_waits_for():
    bench = registered_bc66()
    for line, name in (("AT+QLWRDRSP=99,1,3303,0,5700,4,4,21.5,0", "QLWRDRSP"),
                       ("AT+QLWOBSRSP=99,1,3303,0,5700,4,4,21.5,0", "QLWOBSRSP"), ("AT+QLWWRRSP=99,2", "QLWWRRSP"),
                       ("AT+QLWEXERSP=99,2", "QLWEXERSP")):
        assert bench.say(line, 100) == ["OK", "+%s: 1" % name]


def test_an_answer_after_the_servers_patience():
    bench = registered_bc66(answer_ms=5000)
    bench.say("AT+QSCLK=0")
    bench.asked("read", "/3303/0/5700", ms=6000)
    assert bench.say("AT+QLWRDRSP=1,1,3303,0,5700,4,4,21.5,0", 100) == ["OK", "+QLWRDRSP: 1"]


def test_unknown_paths_never_reach_the_host():
    bench = registered_bc66()
    for path in ("/3304/0/5700", "/3303/1/5700", "/3303/0/5702"):
        exchange = bench.server.read(NODE, path)
        assert bench.wait(200) == [] and exchange.code == 404, path


def test_operations_that_custom_objects_do_not_have():
    bench = registered_bc66()
    asked = [bench.server.discover(NODE, "/3303/0"), bench.server.delete(NODE, "/3303/0")]
    asked.append(bench.server.create(NODE, "/3303", b""))
    asked.append(bench.server.write_attributes(NODE, "/3303/0/5700", ("pmin=5",)))
    assert bench.wait(500) == []
    assert [each.code for each in asked] == [405, 405, 405, 405]


def test_observe_and_cancel():
    bench = observed()
    assert bench.link.observations() == [(3303, 0, 5700)]
    exchange = bench.server.cancel(NODE, "/3303/0/5700")
    assert bench.wait(100) == ['+QLWURC: "observe",2,1,3303,0,5700']
    assert bench.say("AT+QLWOBSRSP=2,1,3303,0,5700,4,5,21.50,0", 100) == ["OK", "+QLWOBSRSP: 0"]
    assert exchange.code == 205 and bench.link.observations() == []
    assert bench.say("AT+QLWNOTIFY=3303,0,5700,4,4,21.5,0,1", 200) == ["OK", "+QLWNOTIFY: 1"]


def test_cancel_by_reset_is_told_too():
    bench = observed()
    bench.server.cancel(NODE, "/3303/0/5700", active=False)
    said = bench.say("AT+QLWNOTIFY=3303,0,5700,4,4,21.5,0,1", 500)
    assert said[-2:] == ['+QLWURC: "observe",0,1,3303,0,5700', '+QLWURC: "report_ack",9,35268']


def test_auto_ack_needs_no_answer():
    bench = registered_bc66()
    bench.say('AT+QLWCFG="auto_ack",1')
    bench.restart()
    bench.say("AT+QLWREG", 1000)
    exchange = bench.server.observe(NODE, "/3303/0/5700")
    assert bench.wait(200) == ['+QLWURC: "observe",1,0,3303,0,5700']
    assert exchange.code == 205 and bench.link.observations() == [(3303, 0, 5700)]
    assert bench.say("AT+QLWNOTIFY=3303,0,5700,4,4,21.5,0,0", 200) == ["OK", "+QLWNOTIFY: 0"]
    assert bench.server.deliveries[-1].value == 21.5


# ---- writes, executes


def test_writes_arrive_as_hex_of_the_raw_bytes():
    cases = ((b"1", 0, "31"), (b"\x00\xff", 42, "00FF"),
             (codec.encode(TLV, (3306, 0, 5850), [((3306, 0, 5850), BOOLEAN, "1")]), TLV, "01"),
             (codec.encode(TLV, (3306, 0, 5850), [((3306, 0, 5850), INTEGER, "1000")]), TLV, "03E8"))
    for payload, kind, digits in cases:
        bench = registered_bc66(objects=("3306,0,2,5850,5851",))
        bench.server.write(NODE, "/3306/0/5850", payload, content_format=kind)
        expected = '+QLWURC: "write",1,3306,0,5850,2,%d,"%s",0' % (len(digits) // 2, digits)
        assert bench.wait(100) == [expected]


def test_writes_in_the_other_readings_of_4_3_3():
    """Typed by the registry, or the record as it came: both fit "in hex string format", type and length."""
    tlv = codec.encode(TLV, (26250, 0, 0), [((26250, 0, 0), INTEGER, "57")])
    number = codec.encode(TLV, (3306, 0, 5851), [((3306, 0, 5851), INTEGER, "57")])
    float_ = codec.encode(TLV, (3303, 0, 5700), [((3303, 0, 5700), FLOAT, "21.5")])
    for how, path, payload, kind, urc in (
        ("stripped", "26250,0,0", tlv, TLV, '2,1,"39"'), ("whole_record", "26250,0,0", tlv, TLV, '2,3,"C10039"'),
        ("typed", "3306,0,5851", number, TLV, '3,1,"39"'), ("typed", "3303,0,5700", float_, TLV, '4,8,"4035800000000000"'),
        ("typed", "3306,0,5851", b"57", 0, '1,2,"3537"'), ("typed", "3306,0,5850", b"\x01", 42, '5,1,"01"'),
    ):  # fmt: skip
        number, instance, resource = path.split(",")
        bench = registered_bc66(objects=("%s,%s,1,%s" % (number, instance, resource),), write_as=how)
        bench.server.write(NODE, "/" + path.replace(",", "/"), payload, content_format=kind)
        assert bench.wait(100) == ['+QLWURC: "write",1,%s,%s,0' % (path, urc)], how


def test_a_write_of_more_than_the_note_allows_is_413():
    """4.3.3: 512 bytes of opaque, 1024 of string; what is more has no word there, 4.13 is ours."""
    for how, kind, length, code in (("stripped", 42, 512, None), ("stripped", 42, 513, 413), ("stripped", 0, 1000, 413),
                                    ("typed", 0, 1024, None), ("typed", 0, 1025, 413), ("typed", 42, 513, 413)):
        bench = registered_bc66(objects=("19,1,1,0",), write_as=how)
        exchange = bench.server.write(NODE, "/19/1/0", b"A" * length, content_format=kind)
        said = bench.wait(100)
        assert exchange.code == code and (len(said) == 1 and "41" * length in said[0]) == (code is None), (how, kind, length)


def test_a_json_write():
    bench = registered_bc66(objects=("3306,0,2,5850,5851",))
    payload = codec.encode_json((3306, 0, 5851), [((3306, 0, 5851), INTEGER, "50")])
    payload = payload if isinstance(payload, bytes) else payload.encode()
    assert bench.told("write", "/3306/0/5851", payload, content_format=JSON) == ['+QLWURC: "write",1,3306,0,5851,2,1,"32",0']


def test_an_instance_write_of_one_resource_and_of_two():
    one = codec.encode(TLV, (3306, 0), [((3306, 0, 5850), BOOLEAN, "1")])
    two = codec.encode(TLV, (3306, 0), [((3306, 0, 5850), BOOLEAN, "1"), ((3306, 0, 5851), INTEGER, "5")])
    bench = registered_bc66(objects=("3306,0,2,5850,5851",))
    assert bench.told("write", "/3306/0", one, content_format=TLV) == ['+QLWURC: "write",1,3306,0,5850,2,1,"01",0']
    exchange = bench.server.write(NODE, "/3306/0", two, content_format=TLV)
    assert bench.wait(200) == [] and exchange.code == 405
    exchange = bench.server.write(NODE, "/3306/0", b"\xff\xff\xff", content_format=TLV)
    assert bench.wait(200) == [] and exchange.code == 400


def test_write_and_execute_results():
    for result, code in ((2, 204), (11, 400), (12, 401), (13, 404), (14, 405)):
        bench = registered_bc66()
        write = bench.server.write(NODE, "/3303/0/5701", b"x", content_format=0)
        execute = bench.server.execute(NODE, "/3303/0/5605", b"0='arguments are not handed over'")
        assert bench.wait(100)[1] == '+QLWURC: "execute",2,3303,0,5605'
        bench.say("AT+QLWWRRSP=1,%d" % result, 100)
        bench.say("AT+QLWEXERSP=2,%d" % result, 100)
        assert (write.code, execute.code) == (code, code)


def test_only_one_spelling_of_the_write_response():
    for name, other in (("QLWWRRSP", "QLWRRSP"), ("QLWRRSP", "QLWWRRSP")):
        bench = registered_bc66(write_response=name)
        bench.asked("write", "/3303/0/5701", b"x", content_format=0)
        assert bench.say("AT+%s=1,2" % other, 100) == ["ERROR"]
        assert bench.say("AT+%s=1,2" % name, 100) == ["OK", "+%s: 0" % name]


# ---- notifications


def test_notify_con_and_non_and_release():
    bench = observed()
    assert bench.say("AT+QLWNOTIFY=3303,0,5700,4,4,22.5,0,0,1", 200) == ["OK", "+QLWNOTIFY: 0"]
    said = bench.say("AT+QLWNOTIFY=3303,0,5700,4,4,23.5,0,1,2", 200)
    assert said == ["OK", '+QLWURC: "report",35269', "+QLWNOTIFY: 0", '+QLWURC: "report_ack",0,35269']
    assert [each.value for each in bench.server.deliveries] == [22.5, 23.5]
    bench.wait(400)
    assert not bench.modem.rrc  # released at once: no packet follows


def test_a_notification_of_an_instance_observation_in_parts():
    bench = observed("/3303/0")
    assert bench.say("AT+QLWNOTIFY=3303,0,5700,4,4,21.5,1,1", 200) == ["OK"]
    said = bench.say('AT+QLWNOTIFY=3303,0,5701,1,3,"Cel",0,1', 200)
    assert said[-1] == '+QLWURC: "report_ack",0,35268'
    assert [each.path for each in bench.server.deliveries] == [(3303, 0, 5700), (3303, 0, 5701)]


def test_a_notification_of_the_whole_instance_as_tlv():
    bench = observed("/3303/0")
    data = codec.encode(TLV, (3303, 0), [((3303, 0, 5700), FLOAT, "21.5"), ((3303, 0, 5701), STRING, "Cel")])
    digits = "".join(["%02X" % byte for byte in data])
    line = 'AT+QLWNOTIFY=3303,0,-1,2,%d,"%s",0,1' % (len(data), digits)
    assert bench.say(line, 200)[-1] == '+QLWURC: "report_ack",0,35268'
    assert [each.value for each in bench.server.deliveries] == [21.5, "Cel"]


def test_an_opaque_notification_of_512_bytes():
    bench = registered_bc66(objects=("19,0,1,0",))
    bench.asked("observe", "/19/0/0")
    bench.say('AT+QLWOBSRSP=1,1,19,0,0,2,1,"00",0', 100)
    digits = "A5" * 512
    said = bench.say('AT+QLWNOTIFY=19,0,0,2,512,"%s",0,1' % digits, 300)
    assert said[-1] == '+QLWURC: "report_ack",0,35268'
    assert bench.server.deliveries[-1].value == b"\xa5" * 512


def test_report_ack_after_all_retransmissions():
    bench = observed()
    bench.say("AT+QSCLK=0")
    bench.link.radio(up=False)
    bench.say("AT+QLWNOTIFY=3303,0,5700,4,4,21.5,0,1", 200)
    assert bench.wait(61000) == []
    assert bench.wait(2000) == ['+QLWURC: "report_ack",1,35268']


def test_retransmission_settings_move_the_deadline():
    for timeout, times, mode, seconds in ((4, 3, 0, 60), (5, 2, 1, 15), (1, 0, 0, 1)):
        bench = observed()
        bench.say('AT+QLWCFG="retransmit",%d,%d' % (timeout, times))
        bench.say('AT+QLWCFG="retransmit_mode",%d' % mode)
        bench.restart()
        bench.say("AT+QLWREG", 500)
        bench.asked("observe", "/3303/0/5700")
        bench.say("AT+QLWOBSRSP=2,1,3303,0,5700,4,5,21.50,0", 100)
        bench.link.radio(up=False)
        bench.say("AT+QLWNOTIFY=3303,0,5700,4,4,21.5,0,1", 200)
        assert bench.wait(seconds * 1000 - 1000) == []
        assert bench.wait(1500)[0].startswith('+QLWURC: "report_ack",1,'), (timeout, times, mode)


def test_without_network_nothing_is_sent():
    bench = observed()
    bench.modem.set_coverage(False)
    bench.wait(11000)
    said = bench.say("AT+QLWNOTIFY=3303,0,5700,4,4,21.5,0,1", 200)
    assert said == ["OK", "+QLWNOTIFY: 0", '+QLWURC: "report_ack",2,35268']


# ---- buffer mode


def buffered():
    bench = registered_bc66()
    bench.say('AT+QLWCFG="access_mode",1')
    bench.restart()
    bench.say("AT+QLWREG", 1000)
    return bench


def test_each_kind_of_request_comes_out_of_the_buffer():
    bench = buffered()
    bench.server.observe(NODE, "/3303/0/5700")
    bench.server.read(NODE, "/3303/0/5700")
    bench.server.write(NODE, "/3303/0/5701", b"Cel", content_format=0)
    assert bench.told("execute", "/3303/0/5605", ms=200) == ['+QLWURC: "buffer"']
    assert bench.say("AT+QLWRD?") == ["+QLWRD: 4", "OK"]
    assert bench.say("AT+QLWRD") == ['+QLWRD: 3,"observe",1,0,3303,0,5700', "OK"]
    assert bench.say("AT+QLWRD") == ['+QLWRD: 2,"read",2,3303,0,5700', "OK"]
    assert bench.say("AT+QLWRD") == ['+QLWRD: 1,"write",3,3303,0,5701,2,3,"43656C",0', "OK"]
    assert bench.say("AT+QLWRD") == ['+QLWRD: 0,"execute",4,3303,0,5605', "OK"]
    assert bench.say("AT+QLWRD") == ["+QLWRD: 0", "OK"]
    assert bench.say("AT+QLWEXERSP=4,2", 100) == ["OK", "+QLWEXERSP: 0"]


def test_no_second_buffer_urc_until_it_was_emptied():
    bench = buffered()
    bench.asked("read", "/3303/0/5700")
    assert bench.told("read", "/3303/0/5700") == []
    bench.type("AT+QLWRD", "AT+QLWRD")
    assert bench.told("read", "/3303/0/5700") == ['+QLWURC: "buffer"']


# ---- built-in objects


def test_the_module_answers_for_its_own_objects():
    bench = registered_bc66(lifetime=900)
    lifetime = bench.server.read(NODE, "/1/0/1")
    maker = bench.server.read(NODE, "/3/0/0")
    device = bench.server.read(NODE, "/3/0")
    secret = bench.server.read(NODE, "/0/0")
    nothing = bench.server.read(NODE, "/3/0/77")
    wrong = bench.server.execute(NODE, "/3/0/0")
    found = bench.server.discover(NODE, "/3/0")
    watched = bench.server.observe(NODE, "/4/0/2")
    assert bench.wait(500) == []
    assert lifetime.value == 900 and maker.value == "Quectel" and len(device.values) > 5
    assert (secret.code, nothing.code, wrong.code) == (401, 404, 405)
    assert b"</3/0/4>" in found.payload
    assert watched.code == 205


def test_wrong_writes_to_built_in_objects():
    bench = registered_bc66()
    asked = (
        (bench.server.write(NODE, "/1/0/1", b"5", content_format=0), 400),
        (bench.server.write(NODE, "/1/0/7", b"S", content_format=0), 400),
        (bench.server.write(NODE, "/3/0/0", b"me", content_format=0), 405),
        (bench.server.write(NODE, "/1/0/1", b"abc", content_format=0), 400),
        (bench.server.write(NODE, "/1/0/5", b"-1", content_format=0), 400),
        (bench.server.write(NODE, "/3/0/13", b"1700000000", content_format=0), 405),  # the network sets the clock
        (bench.server.execute(NODE, "/1/0/9"), 405),
    )
    assert bench.wait(500) == []
    for exchange, code in asked:
        assert exchange.code == code, exchange.path


def test_what_a_server_wrote_it_reads_again():
    bench = registered_bc66()
    values = (("/1/0/2", b"5"), ("/1/0/3", b"60"), ("/1/0/5", b"120"), ("/3/0/14", b"+02:00"), ("/3/0/15", b"Europe/Madrid"),
              ("/11/0/1", b"m2m.example"))  # fmt: skip
    for path, value in values:
        asked = bench.asked("write", path, value, content_format=0, ms=200)
        assert asked.code == 204, path
    bench.restart(6000)  # kept in non-volatile memory
    for path, value in values:
        asked = bench.asked("read", path, accept=0, ms=200)
        assert (asked.code, asked.payload) == (205, value), path


def test_a_factory_reset_forgets_what_a_server_wrote():
    bench = registered_bc66()
    bench.server.write(NODE, "/1/0/5", b"120", content_format=0)
    bench.asked("write", "/3/0/14", b"+02:00", content_format=0, ms=200)
    bench.asked("execute", "/3/0/5", ms=9000)
    period = bench.server.read(NODE, "/1/0/5", accept=0)
    offset = bench.asked("read", "/3/0/14", accept=0, ms=200)
    assert (period.payload, offset.code) == (b"86400", 404)


def test_attributes_are_kept_for_discover():
    bench = registered_bc66()
    bench.asked("write_attributes", "/4/0/2", ("pmin=5", "pmax=60"))
    found = bench.asked("discover", "/4/0/2")
    assert found.payload == b"</4/0/2>;pmax=60;pmin=5"


def test_strings_of_the_device_object_by_a_command_of_the_field():
    bench = registered_bc66()
    assert bench.say('AT+QLWCFG="CR",3,0,1,"meter 7"') == ["OK"]
    assert bench.say('AT+QLWCFG="CR",4,0,1,"meter 7"') == ["+CMEE ERROR: 3"]
    exchange = bench.asked("read", "/3/0/1")
    assert exchange.value == "meter 7"
