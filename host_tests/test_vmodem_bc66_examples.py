"""The worked examples of the BC66 application note V2.1: its command in, its answer out, line by line.

Only identifiers, addresses and times differ: message ids are the ones that the model is told to use.
"""

from fakes.vmodem import NODE, Bench, registered_bc66

PSK_EP = "urn:imei:867997030052996"
KEY = "3083693CF1E6766A2408BFD88278249A2DB498B40A6BF6049300FD47DE325CFC"
BOOTSTRAP = 'AT+QLWCONFIG=1,"bootp.iot.t-mobile.com",5584,"%s",900,0,"%s","%s"' % (PSK_EP, PSK_EP, KEY)
BROM_WAKE = ["F1: 0000 0000", "V0: 0000 0000 [0001]", "00: 0000 0000", "U0: 0000 0001 [0000]", "T0: 0000 001E",
             "Leaving the BROM"]


def dialogue(bench, *steps):
    """(command, what must come back within a second)."""
    for command, expected in steps:
        said = bench.say(command, 1000)
        assert said == expected, (command, said, expected)


def bootstrap_steps(lifetime=30):
    from testing.lwm2m import codec
    from testing.lwm2m.names import BOOLEAN, INTEGER, STRING, TLV

    security = [((0, 1, 0), STRING, "coap://host:5683"), ((0, 1, 1), BOOLEAN, "0"), ((0, 1, 2), INTEGER, "3")]
    security.append(((0, 1, 10), INTEGER, "1"))
    server = [((1, 0, 0), INTEGER, "1"), ((1, 0, 1), INTEGER, str(lifetime)), ((1, 0, 2), INTEGER, "1")]
    server += [((1, 0, 3), INTEGER, "3600"), ((1, 0, 7), STRING, "UQ")]
    return [("delete", (0, 1)),
            ("write", (0, 1), TLV, codec.encode(TLV, (0, 1), security)),
            ("write", (1, 0), TLV, codec.encode(TLV, (1, 0), server))]


def test_3_2_2_custom_object_while_registered():
    bench = registered_bc66(objects=())
    dialogue(bench,
             ("AT+QLWADDOBJ=3303,0,7,5601,5602,5603,5604,5605,5700,5701", ["OK", "+QLWADDOBJ: 0", '+QLWURC: "ping",0']),
             ("AT+QLWADDOBJ?", ["+QLWADDOBJ: 3303,0,7,5601,5602,5603,5604,5605,5700,5701", "OK"]))


def test_4_2_1_config_with_the_quote_in_the_wrong_place():
    bench = Bench()
    dialogue(
        bench,
        ('AT+QLWCONFIG=1,"bootp.iot.t-mobile.com,5584","%s",900,0,"%s","%s"' % (PSK_EP, PSK_EP, KEY), ["OK"]),
        ("AT+QLWCONFIG?", ['+QLWCONFIG:1,"bootp.iot.t-mobile.com",5584,"%s",900,0,"%s","%s"' % (PSK_EP, PSK_EP, KEY), "OK"]))


def test_4_2_2_all_settings():
    bench = Bench()
    factory = ['"auto_reg",0', '"per_regstatus_feat",0', '"rai_enable",0', '"retransmit",2,4', '"auto_ack",0']
    factory += ['"access_mode",0', '"recovery_mode",0', '"retransmit_mode",0']
    dialogue(bench, ("AT+QLWCFG?", ["+QLWCFG: " + line for line in factory] + ["OK"]))
    for line in ('"auto_reg",1', '"per_regstatus_feat",1', '"rai_enable",1', '"retransmit",4,3', '"auto_ack",1'):
        dialogue(bench, ("AT+QLWCFG=" + line, ["OK"]))
    for line in ('"access_mode",1', '"recovery_mode",1', '"retransmit_mode",1'):
        dialogue(bench, ("AT+QLWCFG=" + line, ["OK"]), ("AT+QLWCFG=" + line[:-2], ["+QLWCFG: " + line, "OK"]))
    dialogue(bench, ('AT+QLWCFG="retransmit"', ['+QLWCFG: "retransmit",4,3', "OK"]))


def test_4_2_3_register():
    bench = Bench()
    bench.say('AT+QLWCONFIG=0,"leshan.eclipse.org",5683,"%s",900,3' % NODE)
    dialogue(bench, ("AT+QLWREG", ["OK", "+QLWREG: 0"]))


def test_4_2_4_update_lifetime_and_binding():
    bench = registered_bc66(first_mid=59797)
    dialogue(bench,
             ("AT+QLWUPDATE=0,1000", ["+QLWUPDATE: 59797", "OK", "+QLWUPDATE: 0,59797"]),
             ("AT+QLWUPDATE=1,1", ["+QLWUPDATE: 59798", "OK", "+QLWUPDATE: 0,59798"]))
    assert bench.server.registrations[NODE].lifetime == 1000


def test_4_2_4_update_with_the_blank_of_the_second_example():
    bench = registered_bc66(first_mid=61459, hostile="update_blank")
    dialogue(bench, ("AT+QLWUPDATE=1,1", ["+QLWUPDATE: 61459", "OK", "+QLWUPDATE: 0, 61459"]))


def test_4_2_5_deregister():
    bench = registered_bc66()
    dialogue(bench, ("AT+QLWDEREG", ["OK", "+QLWDEREG: 0"]))


def test_4_2_6_four_instances_before_registration():
    bench = Bench()
    for instance in range(4):
        dialogue(bench, ("AT+QLWADDOBJ=3303,%d,3,5601,5602,5603" % instance, ["OK", "+QLWADDOBJ: 0"]))
    listed = ["+QLWADDOBJ: 3303,%d,3,5601,5602,5603" % instance for instance in range(4)]
    dialogue(bench, ("AT+QLWADDOBJ?", listed + ["OK"]))


def test_4_2_7_delete_object():
    bench = Bench()
    bench.say("AT+QLWADDOBJ=17,0,1,1", 100)
    dialogue(bench, ("AT+QLWDELOBJ=17", ["OK", "+QLWDELOBJ: 0"]), ("AT+QLWADDOBJ?", ["OK"]))


def asked(operation, path, mid, objects=("9,0,5,0,1,2,3,4", "15,0,1,5"), **more):
    """A registered bench that the server has just asked; the URC is checked by the caller."""
    bench = registered_bc66(objects=objects)
    bench.server._mid = mid - 1
    bench.exchange = getattr(bench.server, operation)(NODE, path, **more)
    return bench


def test_4_2_8_read():
    bench = asked("read", "/9/0/0", 62953)
    assert bench.wait(100) == ['+QLWURC: "read",62953,9,0,0']
    dialogue(bench, ('AT+QLWRDRSP=62953,1,9,0,0,1,5,"abcde",0', ["OK", "+QLWRDRSP: 0"]))
    assert bench.exchange.code == 205
    assert bench.exchange.value in ("abcde", b"abcde")


def test_4_2_9_write_in_both_spellings():
    for name in ("QLWRRSP", "QLWWRRSP"):
        bench = asked("write", "/9/0/0", 36560, payload=b"QUECTEL")
        assert bench.wait(100) == ['+QLWURC: "write",36560,9,0,0,2,7,"5155454354454C",0']
        dialogue(bench, ("AT+%s=36560,2" % name, ["OK", "+%s: 0" % name]))
        assert bench.exchange.code == 204


def test_4_2_10_execute():
    bench = asked("execute", "/15/0/5", 39040)
    assert bench.wait(100) == ['+QLWURC: "execute",39040,15,0,5']
    dialogue(bench, ("AT+QLWEXERSP=39040,2", ["OK", "+QLWEXERSP: 0"]))
    assert bench.exchange.code == 204


def test_4_2_11_observe():
    bench = asked("observe", "/9/0/0", 624)
    assert bench.wait(100) == ['+QLWURC: "observe",624,0,9,0,0']
    dialogue(bench, ('AT+QLWOBSRSP=624,1,9,0,0,1,5,"abcde",0', ["OK", "+QLWOBSRSP: 0"]))
    assert bench.exchange.code == 205


def test_4_2_13_buffer():
    bench = registered_bc66(objects=("9,0,5,0,1,2,3,4",))
    bench.say('AT+QLWCFG="access_mode",1')
    bench.restart()
    bench.say("AT+QLWREG", 1000)
    bench.server._mid = 36580
    bench.server.observe(NODE, "/9/0/0")
    for resource in (1, 2, 3):
        bench.server.read(NODE, "/9/0/%d" % resource)
    assert bench.wait(100) == ['+QLWURC: "buffer"']
    dialogue(bench, ("AT+QLWRD?", ["+QLWRD: 4", "OK"]), ("AT+QLWRD", ['+QLWRD: 3,"observe",36581,0,9,0,0', "OK"]))


def woken_after_manual_mode(**options):
    bench = registered_bc66(**options)
    bench.say('AT+QLWCFG="recovery_mode",1')
    bench.sleep()
    return bench


def test_4_2_15_recover():
    bench = woken_after_manual_mode()
    assert bench.wake() == BROM_WAKE + ["+CPIN: READY"]
    bench.say("ATE0")
    dialogue(bench, ("AT+QLWSTATUS?", ["+QLWSTATUS: 7", "OK"]), ("AT+QLWRECOVER", ["OK", '+QLWURC: "recovered",0']))


def test_5_1_auto_registration():
    bench = Bench(address="100.119.77.254", first_mid=38177)
    bench.say('AT+QLWCONFIG=0,"leshan.eclipse.org",5683,"%s",900,3' % NODE)
    bench.say('AT+QLWCFG="auto_reg",1')
    said = bench.restart()
    assert said[-5:] == ["RDY", "+CFUN: 1", "+CPIN: READY", "+IP: 100.119.77.254", "+QLWREG: 0"], said
    dialogue(bench,
             ("AT+QLWUPDATE=0,1000", ["+QLWUPDATE: 38177", "OK", "+QLWUPDATE: 0,38177"]),
             ("AT+QLWDEREG", ["OK", "+QLWDEREG: 0"]))


def test_5_2_persistence_across_reboots():
    bench = Bench(address="100.118.64.171")
    bench.say('AT+QLWCONFIG=0,"leshan.eclipse.org",5683,"%s",900,3' % NODE)
    bench.type('AT+QLWCFG="auto_reg",1', 'AT+QLWCFG="per_regstatus_feat",0')
    bench.restart()
    said = bench.restart()
    assert said[-5:] == ["RDY", "+CFUN: 1", "+CPIN: READY", "+IP: 100.118.64.171", '+QLWURC: "ping",0'], said
    dialogue(bench, ("AT+QLWDEREG", ["OK", "+QLWDEREG: 0"]))


def bootstrapping():
    bench = Bench(keys={PSK_EP: KEY}, address="100.88.40.249", first_mid=59797)
    bench.server.bootstrap = bootstrap_steps()
    dialogue(bench, ("AT+CEREG?", ["+CEREG: 0,1", "OK"]), ("AT+CGPADDR=1", ["+CGPADDR: 1,100.88.40.249", "OK"]))
    return bench


BOOTSTRAPPED = ["OK", '+QLWURC: "lifetime_changed",30', '+QLWURC: "min_period_changed",1', '+QLWURC: "max_period_changed",3600',
                '+QLWURC: "binding_changed","UQ"', '+QLWURC: "bs_finished"', "+QLWREG: 0"]


def open_after_bootstrap(bench):
    """The example's server wants no key from here on: the bootstrap server has had its say."""
    bench.server.accepts_key = lambda account: True
    return bench


def test_5_3_bootstrap_and_registration():
    bench = open_after_bootstrap(bootstrapping())
    dialogue(bench, (BOOTSTRAP, ["OK"]), ("AT+QLWREG", BOOTSTRAPPED),
             ("AT+QLWUPDATE=0,1000", ["+QLWUPDATE: 59797", "OK", "+QLWUPDATE: 0,59797"]),
             ("AT+QLWDEREG", ["OK", "+QLWDEREG: 0"]))


def test_5_4_custom_object_operations():
    bench = Bench(first_mid=34180)
    bench.say("AT+QLWADDOBJ?")
    dialogue(
        bench,
        ('AT+QLWCONFIG=0,220.180.239.212,8085,"Test_dev",30,3', ["OK"]), ("AT+QLWREG", ["OK", "+QLWREG: 0"]),
        ("AT+QLWADDOBJ=9,0,5,0,1,2,3,4", ["OK", "+QLWADDOBJ: 0", '+QLWURC: "ping",0']),
        ("AT+QLWADDOBJ=19,0,4,0,1,2,3", ["OK", "+QLWADDOBJ: 0", '+QLWURC: "ping",0']),
        ("AT+QLWADDOBJ=19,1,4,0,1,2,3", ["OK", "+QLWADDOBJ: 0", '+QLWURC: "ping",0']),
        ("AT+QLWADDOBJ?", ["+QLWADDOBJ: 9,0,5,0,1,2,3,4", "+QLWADDOBJ: 19,0,4,0,1,2,3", "+QLWADDOBJ: 19,1,4,0,1,2,3", "OK"]))
    bench.server._mid = 32190
    bench.server.read("Test_dev", "/9/0/0")
    assert bench.wait(100) == ['+QLWURC: "read",32191,9,0,0']
    dialogue(bench, ('AT+QLWRDRSP=32191,1,9,0,0,1,7,"quectel",0', ["OK", "+QLWRDRSP: 0"]))
    bench.server._mid = 32192
    bench.server.write("Test_dev", "/9/0/3", b"1", content_format=0)
    assert bench.wait(100) == ['+QLWURC: "write",32193,9,0,3,2,1,"31",0']
    dialogue(bench, ("AT+QLWWRRSP=32193,2", ["OK", "+QLWWRRSP: 0"]))
    bench.server._mid = 32197
    bench.server.execute("Test_dev", "/9/0/4")
    assert bench.wait(100) == ['+QLWURC: "execute",32198,9,0,4']
    dialogue(bench, ("AT+QLWEXERSP=32198,2", ["OK", "+QLWEXERSP: 0"]))
    bench.server._mid = 32200
    bench.server.observe("Test_dev", "/9/0/0")
    assert bench.wait(100) == ['+QLWURC: "observe",32201,0,9,0,0']
    dialogue(
        bench,
        ('AT+QLWOBSRSP=32201,1,9,0,0,1,7,"quectel",0', ["OK", "+QLWOBSRSP: 0"]),
        ('AT+QLWNOTIFY=9,0,0,1,10,"0123456789",0,1',
         ["OK", '+QLWURC: "report",34180', "+QLWNOTIFY: 0", '+QLWURC: "report_ack",0,34180']),
    )


def test_5_5_manual_recovery():
    bench = open_after_bootstrap(bootstrapping())
    dialogue(bench, ('AT+QLWCFG="recovery_mode",1', ["OK"]), (BOOTSTRAP, ["OK"]), ("AT+QLWREG", BOOTSTRAPPED),
             ("AT+QLWUPDATE=0,900", ["+QLWUPDATE: 59797", "OK", "+QLWUPDATE: 0,59797"]))
    bench.sleep()
    assert bench.wake() == BROM_WAKE + ["+CPIN: READY"]
    bench.say("ATE0")
    dialogue(bench, ("AT+QLWSTATUS?", ["+QLWSTATUS: 7", "OK"]), ("AT+QLWRECOVER", ["OK", '+QLWURC: "recovered",0']))


LESHAN_PSK = (
    'AT+QLWCONFIG=0,"leshan.eclipse.org",5684,"urn:imei:867997030056338",900,0,'
    '"urn:imei:867997030056338","30313233343536373839"'
)


def test_5_6_leshan_without_security():
    bench = Bench()
    dialogue(bench, ('AT+QLWCONFIG=0,"leshan.eclipse.org",5683,"urn:imei:866971030000717",900,3', ["OK"]))


def test_5_6_leshan_with_a_key():
    bench = Bench(keys={"urn:imei:867997030056338": b"0123456789"})
    dialogue(bench, ("AT+CEREG?", ["+CEREG: 0,1", "OK"]),
             ("AT+CGPADDR?", ["+CGPADDR: 1,100.97.37.69", "OK"]), (LESHAN_PSK, ["OK"]), ("AT+QLWREG", ["OK", "+QLWREG: 0"]),
             ("AT+QLWSTATUS?", ["+QLWSTATUS: 2", "OK"]))


def test_5_7_1_update_triggered_by_the_server():
    bench = registered_bc66()
    assert bench.told("execute", "/1/0/8", ms=500) == ['+QLWURC: "ping",0']


def test_5_7_2_1_lifetime():
    bench = Bench(first_mid=35270)
    bench.say('AT+QLWCONFIG=0,"leshan.eclipse.org",5683,"urn:imei:866971030000717",30,3')
    dialogue(bench, ("AT+QLWREG", ["OK", "+QLWREG: 0"]))
    assert bench.wait(15000) == ['+QLWURC: "ping",0']
    dialogue(bench, ("AT+QLWUPDATE=0,200", ["+QLWUPDATE: 35270", "OK", "+QLWUPDATE: 0,35270"]))


def test_5_7_2_2_binding():
    bench = registered_bc66(first_mid=38296)
    dialogue(bench, ("AT+QLWUPDATE=1,0", ["+QLWUPDATE: 38296", "OK", "+QLWUPDATE: 0,38296"]))
    assert bench.server.registrations[NODE].binding == "U"


def test_5_7_2_3_object_list():
    bench = Bench()
    dialogue(bench,
             ('AT+QLWCONFIG=0,"leshan.eclipse.org",5683,"urn:imei:866971030000717",3000,3', ["OK"]),
             ("AT+QLWREG", ["OK", "+QLWREG: 0"]),
             ("AT+QLWADDOBJ=3303,0,3,5601,5602,5603", ["OK", "+QLWADDOBJ: 0", '+QLWURC: "ping",0']))
    assert "/3303/0" in bench.server.registrations[NODE].objects


def leshan_3303(mid, **more):
    bench = registered_bc66(objects=("3303,0,3,5601,5602,5605",), **more)
    bench.server._mid = mid - 1
    return bench


def test_5_8_1_observe_resource_and_instance():
    bench = leshan_3303(16987)
    assert bench.told("observe", "/3303/0/5601") == ['+QLWURC: "observe",16987,0,3303,0,5601']
    dialogue(bench, ("AT+QLWOBSRSP=16987,1,3303,0,5601,4,4,88.88,0", ["OK", "+QLWOBSRSP: 0"]))
    exchange = bench.server.observe(NODE, "/3303/0")
    assert bench.wait(100) == ['+QLWURC: "observe",16988,0,3303,0,-1']
    dialogue(bench, ("AT+QLWOBSRSP=16988,1,3303,0,5601,4,4,88.88,0", ["OK", "+QLWOBSRSP: 0"]))
    assert exchange.values[0].path == (3303, 0, 5601)


def test_5_8_2_notify():
    bench = leshan_3303(1, first_mid=17111)
    bench.asked("observe", "/3303/0/5601")
    bench.say("AT+QLWOBSRSP=1,1,3303,0,5601,4,4,88.88,0", 100)
    dialogue(
        bench,
        ("AT+QLWNOTIFY=3303,0,5601,4,4,88.88,0,1",
         ["OK", '+QLWURC: "report",17111', "+QLWNOTIFY: 0", '+QLWURC: "report_ack",0,17111']),
    )
    assert bench.server.deliveries[-1].value == 88.88


def test_5_8_3_read():
    bench = leshan_3303(17123)
    assert bench.told("read", "/3303/0/5601") == ['+QLWURC: "read",17123,3303,0,5601']
    dialogue(bench, ("AT+QLWRDRSP=17123,1,3303,0,5601,4,4,66.66,0", ["OK", "+QLWRDRSP: 0"]))


def test_5_8_4_execute():
    bench = leshan_3303(27452)
    assert bench.told("execute", "/3303/0/5605") == ['+QLWURC: "execute",27452,3303,0,5605']
    dialogue(bench, ("AT+QLWEXERSP=27452,2", ["OK", "+QLWEXERSP: 0"]))
