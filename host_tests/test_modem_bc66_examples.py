"""The thirty worked examples of the BC66 application note V2.1: the driver emits the manual's lines."""

from fakes.modem_bench import BC66, Bench
from lwnode.lwm2m import BOOLEAN, FLOAT, STRING, Path, Response
from lwnode.modem import REGISTERED, Server
from lwnode.modem.recovery import bring_back

IMEI = "urn:imei:867997030052996"
KEY = "3083693CF1E6766A2408BFD88278249A2DB498B40A6BF6049300FD47DE325CFC"
BOOTSTRAP = Server(
    "bootp.iot.t-mobile.com", 5584, IMEI, 900, security="psk", psk_identity=IMEI, psk=KEY, bootstrap=True)
BOOTSTRAP_LINE = (
    'AT+QLWCONFIG=1,"bootp.iot.t-mobile.com",5584,"urn:imei:867997030052996",900,0,"urn:imei:867997030052996",'
    '"3083693CF1E6766A2408BFD88278249A2DB498B40A6BF6049300FD47DE325CFC"')
SETTINGS = [
    '+QLWCFG: "auto_reg",0', '+QLWCFG: "per_regstatus_feat",0', '+QLWCFG: "rai_enable",0', '+QLWCFG: "retransmit",2,4',
    '+QLWCFG: "auto_ack",0', '+QLWCFG: "access_mode",0', '+QLWCFG: "recovery_mode",0', '+QLWCFG: "retransmit_mode",0',
    "OK",
]


def answers(**more):
    """The module of the examples: not registered, everything accepted."""
    table = dict(BC66, **{
        "AT+QLWCFG?": list(SETTINGS), "AT+QLWRECOVER": ["OK", (800, '+QLWURC: "recovered",0')],
        "AT+QLWUPDATE=": ["+QLWUPDATE: 59797", "OK", (900, "+QLWUPDATE: 0,59797")]})
    table.update(more)
    return table


def content(kind, value):
    return lambda request: Response(205, [(request.path, kind, value)])


def test_example_01_of_3_2_2_adds_a_custom_object_and_reads_the_list():
    bench = Bench("bc66", answers())
    bench.modem.declare([(3303, 0, (5601, 5602, 5603, 5604, 5605, 5700, 5701))])
    assert bench.commands == ["AT+QLWADDOBJ?", "AT+QLWADDOBJ=3303,0,7,5601,5602,5603,5604,5605,5700,5701"]
    bench.say('+QLWURC: "ping",0')
    assert bench.told("updated") == [None]


def test_example_02_of_4_2_1_configures_the_bootstrap_server_and_finds_it_again():
    """The set command of 4.2.1 has its closing quote behind the port; 5.3 prints the same line right."""
    bench = Bench("bc66", answers(), recovery_mode=0)
    assert not bench.modem.configure(BOOTSTRAP)
    assert bench.commands[-1] == BOOTSTRAP_LINE
    printed = "+QLWCONFIG:" + BOOTSTRAP_LINE.partition("=")[2]
    again = Bench("bc66", answers(**{"AT+QLWCONFIG?": printed}), recovery_mode=0)
    assert not again.modem.configure(BOOTSTRAP)
    assert again.talker.said("AT+QLWCONFIG=") == []


def test_example_03_of_4_2_2_sets_each_option_after_reading_them():
    bench = Bench(
        "bc66", answers(), auto_reg=True, persistent=False, rai=True, ack_timeout=4, max_retransmit=3, auto_ack=True,
        buffered=True, recovery_mode=1, retransmit_mode=1)  # rai_enable: with recovery_mode 0 only
    assert bench.modem.configure(BOOTSTRAP)
    assert bench.commands[:8] == [
        "AT+QLWCFG?", 'AT+QLWCFG="auto_reg",1', 'AT+QLWCFG="per_regstatus_feat",1',
        'AT+QLWCFG="retransmit",4,3', 'AT+QLWCFG="auto_ack",1', 'AT+QLWCFG="access_mode",1',
        'AT+QLWCFG="recovery_mode",1', 'AT+QLWCFG="retransmit_mode",1']


def test_example_04_of_4_2_3_registers():
    bench = Bench("bc66", answers())
    assert bench.modem.register(30000)
    assert bench.commands == ["AT+QLWSTATUS?", "AT+QLWREG"]
    assert bench.told("registered") == ["server"]


def test_example_05_of_4_2_4_updates_lifetime_and_binding():
    bench = Bench("bc66", answers(**{
        "AT+QLWUPDATE=1,1": ["+QLWUPDATE: 61459", "OK", (900, "+QLWUPDATE: 0, 61459")]}))
    assert bench.modem.update(lifetime=1000)
    assert bench.modem.update(binding="UQ")
    assert bench.commands == ["AT+QLWUPDATE=0,1000", "AT+QLWUPDATE=1,1"]


def test_example_06_of_4_2_5_deregisters():
    bench = Bench("bc66", answers())
    assert bench.modem.deregister()
    assert bench.commands == ["AT+QLWDEREG"]


def test_example_07_of_4_2_6_adds_four_instances_and_finds_them_again():
    objects = [(3303, instance, (5601, 5602, 5603)) for instance in range(4)]
    bench = Bench("bc66", answers())
    bench.modem.declare(objects)
    assert bench.talker.said("AT+QLWADDOBJ=") == [
        "AT+QLWADDOBJ=3303,%d,3,5601,5602,5603" % instance for instance in range(4)]
    listed = ["+QLWADDOBJ: 3303,%d,3,5601,5602,5603" % instance for instance in range(4)] + ["OK"]
    again = Bench("bc66", answers(**{"AT+QLWADDOBJ?": listed}))
    again.modem.declare(objects)
    assert again.commands == ["AT+QLWADDOBJ?"]


def test_example_08_of_4_2_7_deletes_an_object():
    bench = Bench("bc66", answers())
    assert bench.modem.undeclare(17)
    assert bench.commands == ["AT+QLWDELOBJ=17"]


def test_example_09_of_4_2_8_answers_a_read():
    bench = Bench("bc66", answers())
    bench.response = content(STRING, "abcde")
    bench.say('+QLWURC: "read",62953,9,0,0')
    assert bench.commands == ['AT+QLWRDRSP=62953,1,9,0,0,1,5,"abcde",0']


def test_example_10_of_4_2_9_answers_a_write_with_the_name_of_5_4_or_the_one_printed():
    bench = Bench("bc66", answers())
    bench.say('+QLWURC: "write",36560,9,0,0,2,7,"5155454354454C",0')
    assert bench.commands == ["AT+QLWWRRSP=36560,2"]
    assert bench.requests[0].value == b"QUECTEL"
    printed = Bench("bc66", answers(**{"AT+QLWWRRSP=": "ERROR", "AT+QLWRRSP=": ["OK", "+QLWRRSP: 0"]}))
    printed.say('+QLWURC: "write",36560,9,0,0,2,7,"5155454354454C",0')
    assert printed.commands[-1] == "AT+QLWRRSP=36560,2"


def test_example_11_of_4_2_10_answers_an_execute():
    bench = Bench("bc66", answers())
    bench.say('+QLWURC: "execute",39040,15,0,5')
    assert bench.commands == ["AT+QLWEXERSP=39040,2"]


def test_example_12_of_4_2_11_answers_an_observe():
    bench = Bench("bc66", answers())
    bench.response = content(STRING, "abcde")
    bench.say('+QLWURC: "observe",624,0,9,0,0')
    assert bench.commands == ['AT+QLWOBSRSP=624,1,9,0,0,1,5,"abcde",0']
    assert bench.told("observed") == [Path(9, 0, 0)]


def test_example_13_of_4_2_13_reads_what_is_cached():
    bench = Bench("bc66", answers(), buffered=True)
    bench.talker.answers["AT+QLWRD"] = lambda line: (
        '+QLWRD: 3,"observe",36581,0,9,0,0' if bench.commands.count("AT+QLWRD") == 1 else "+QLWRD: 0")
    bench.response = content(STRING, "abcde")
    bench.say('+QLWURC: "buffer"')
    assert bench.commands == ["AT+QLWRD", 'AT+QLWOBSRSP=36581,1,9,0,0,1,5,"abcde",0', "AT+QLWRD"]


def test_example_14_of_4_2_15_recovers_after_deep_sleep():
    bench = Bench("bc66", answers(**{"AT+QLWSTATUS?": "+QLWSTATUS: 7"}))
    bench.modem.status()
    assert bench.modem.recover(30000)
    assert bench.commands == ["AT+QLWSTATUS?", "AT+QLWRECOVER"]
    assert bench.told("recovered") == ["status 0"]


def test_example_15_of_5_1_registers_by_itself():
    bench = Bench("bc66", answers())
    bench.say("RDY", "+CFUN: 1", "+CPIN: READY", "+IP: 100.119.77.254", "+QLWREG: 0")
    assert bench.told("registered") == ["server"]
    assert bench.modem.update(lifetime=1000)
    assert bench.modem.deregister()
    assert bench.commands[-2:] == ["AT+QLWUPDATE=0,1000", "AT+QLWDEREG"]


def test_example_16_of_5_2_keeps_the_registration_over_a_reboot():
    bench = Bench("bc66", answers())
    bench.say("RDY", "+CFUN: 1", "+CPIN: READY", "+IP: 100.118.64.171", '+QLWURC: "ping",0')
    assert bench.told("updated") == [None]
    assert bench.modem.deregister()


def test_example_17_of_5_3_bootstraps_registers_updates_and_leaves():
    bench = Bench("bc66", answers(**{"AT+QLWREG": [
        "OK", '+QLWURC: "lifetime_changed",30', '+QLWURC: "min_period_changed",1', '+QLWURC: "max_period_changed",3600',
        '+QLWURC: "binding_changed","UQ"', '+QLWURC: "bs_finished"', "+QLWREG: 0"]}), recovery_mode=0)
    assert bench.modem.attach(60000)
    bench.modem.configure(BOOTSTRAP)
    assert bench.modem.register(60000)
    assert bench.modem.update(lifetime=1000)
    assert bench.modem.deregister()
    for line in ("AT+CEREG?", "AT+CGPADDR=1", BOOTSTRAP_LINE, "AT+QLWREG", "AT+QLWUPDATE=0,1000", "AT+QLWDEREG"):
        assert line in bench.commands
    bench.modem.service(10)
    assert ("lifetime", 30) in bench.events
    assert ("binding", "UQ") in bench.events
    assert ("bootstrapped", None) in bench.events


def test_example_18_of_5_4_walks_through_a_custom_object():
    bench = Bench("bc66", answers(), recovery_mode=0)
    bench.modem.configure(Server("220.180.239.212", 8085, "Test_dev", 30))
    assert bench.commands[-1] == 'AT+QLWCONFIG=0,220.180.239.212,8085,"Test_dev",30,3'
    assert bench.modem.register(60000)
    bench.modem.declare([(9, 0, (0, 1, 2, 3, 4)), (19, 0, (0, 1, 2, 3)), (19, 1, (0, 1, 2, 3))])
    assert bench.talker.said("AT+QLWADDOBJ=") == [
        "AT+QLWADDOBJ=9,0,5,0,1,2,3,4", "AT+QLWADDOBJ=19,0,4,0,1,2,3", "AT+QLWADDOBJ=19,1,4,0,1,2,3"]
    bench.response = content(STRING, "quectel")
    bench.say('+QLWURC: "read",32191,9,0,0')
    assert bench.commands[-1] == 'AT+QLWRDRSP=32191,1,9,0,0,1,7,"quectel",0'
    bench.response = Response(204)
    bench.say('+QLWURC: "write",32193,9,0,3,2,1,"31",0')
    assert bench.commands[-1] == "AT+QLWWRRSP=32193,2"
    bench.say('+QLWURC: "execute",32198,9,0,4')
    assert bench.commands[-1] == "AT+QLWEXERSP=32198,2"
    bench.response = content(STRING, "quectel")
    bench.say('+QLWURC: "observe",32201,0,9,0,0')
    assert bench.commands[-1] == 'AT+QLWOBSRSP=32201,1,9,0,0,1,7,"quectel",0'
    ticket = bench.modem.publish([(Path(9, 0, 0), STRING, "0123456789", None)])
    assert bench.commands[-1] == 'AT+QLWNOTIFY=9,0,0,1,10,"0123456789",0,1'
    assert bench.modem.settle(5000)
    assert bench.told("delivered") == [ticket]


def test_example_19_of_5_5_recovers_by_hand():
    bench = Bench("bc66", answers(), recovery_mode=1)
    bench.modem.attach(60000)
    assert bench.modem.configure(BOOTSTRAP)
    assert 'AT+QLWCFG="recovery_mode",1' in bench.commands
    assert BOOTSTRAP_LINE in bench.commands
    assert bench.modem.register(60000)
    bench.talker.say("F1: 0000 0000", "V0: 0000 0000 [0001]", "00: 0000 0000", "U0: 0000 0001 [0000]", "T0: 0000 001E",
                     "Leaving the BROM", "+CPIN: READY")
    bench.talker.answers["AT+QLWSTATUS?"] = "+QLWSTATUS: 7"
    assert bench.modem.wake()
    assert bring_back(bench.modem, 60000)
    assert bench.commands[-2:] == ["AT+QLWSTATUS?", "AT+QLWRECOVER"]


def test_example_20_of_5_6_configures_leshan_without_security():
    bench = Bench("bc66", answers(), recovery_mode=0)
    bench.modem.configure(Server("leshan.eclipse.org", 5683, "urn:imei:866971030000717", 900))
    assert bench.commands[-1] == 'AT+QLWCONFIG=0,"leshan.eclipse.org",5683,"urn:imei:866971030000717",900,3'


def leshan_psk():
    name = "urn:imei:867997030056338"
    return Server(
        "leshan.eclipse.org", 5684, name, 900, security="psk", psk_identity=name, psk="30313233343536373839")


LESHAN_PSK = (
    'AT+QLWCONFIG=0,"leshan.eclipse.org",5684,"urn:imei:867997030056338",900,0,"urn:imei:867997030056338",'
    '"30313233343536373839"')


def test_example_21_of_5_6_configures_leshan_with_psk():
    bench = Bench("bc66", answers(), recovery_mode=0)
    bench.modem.configure(leshan_psk())
    assert bench.commands[-1] == LESHAN_PSK


def test_example_22_of_5_6_registers_at_leshan():
    bench = Bench("bc66", answers(), recovery_mode=0)
    assert bench.modem.attach(60000)
    bench.modem.configure(leshan_psk())
    assert bench.modem.register(60000)
    bench.talker.answers["AT+QLWSTATUS?"] = "+QLWSTATUS: 2"
    assert bench.modem.status() == REGISTERED
    # The binding is not in QLWCONFIG: an update names it once (4.2.4).
    assert bench.commands[-5:] == [LESHAN_PSK, "AT+QLWSTATUS?", "AT+QLWREG", "AT+QLWUPDATE=1,0", "AT+QLWSTATUS?"]


def test_example_23_of_5_7_1_is_told_of_an_update_that_the_server_triggered():
    bench = Bench("bc66", answers())
    bench.say('+QLWURC: "ping",0')
    assert bench.told("updated") == [None]


def test_example_24_of_5_7_2_1_changes_the_lifetime():
    bench = Bench("bc66", answers(**{
        "AT+QLWUPDATE=0,200": ["+QLWUPDATE: 35270", "OK", (900, "+QLWUPDATE: 0,35270")]}), recovery_mode=0)
    bench.modem.configure(Server("leshan.eclipse.org", 5683, "urn:imei:866971030000717", 30))
    assert bench.commands[-1] == 'AT+QLWCONFIG=0,"leshan.eclipse.org",5683,"urn:imei:866971030000717",30,3'
    assert bench.modem.register(60000)
    bench.say('+QLWURC: "ping",0')
    assert bench.modem.update(lifetime=200)
    assert bench.commands[-1] == "AT+QLWUPDATE=0,200"


def test_example_25_of_5_7_2_2_changes_the_binding():
    bench = Bench("bc66", answers(**{
        "AT+QLWUPDATE=1,0": ["+QLWUPDATE: 38296", "OK", (900, "+QLWUPDATE: 0,38296")]}))
    assert bench.modem.update(binding="U")
    assert bench.commands == ["AT+QLWUPDATE=1,0"]


def test_example_26_of_5_7_2_3_adds_an_object_while_registered():
    bench = Bench("bc66", answers(), recovery_mode=0)
    bench.modem.configure(Server("leshan.eclipse.org", 5683, "urn:imei:866971030000717", 3000))
    assert bench.commands[-1] == 'AT+QLWCONFIG=0,"leshan.eclipse.org",5683,"urn:imei:866971030000717",3000,3'
    assert bench.modem.register(60000)
    bench.modem.declare([(3303, 0, (5601, 5602, 5603))])
    assert bench.commands[-1] == "AT+QLWADDOBJ=3303,0,3,5601,5602,5603"


def old_length(command):
    """A module that wants the float length of the manual's examples: 4 for 88.88 (contradiction of 4.2.12 and 5.8)."""
    def answer(line):
        result = "0" if ",4,4," in line else "3"
        lines = ["OK", f"+{command}: {result}"]
        if command == "QLWNOTIFY" and result == "0":
            lines[1:1] = ['+QLWURC: "report",17111']
            lines.append((400, '+QLWURC: "report_ack",0,17111'))
        return lines
    return {f"AT+{command}=": answer}


def test_example_27_of_5_8_1_answers_observations_of_resource_and_instance():
    bench = Bench("bc66", answers(**old_length("QLWOBSRSP")))
    bench.response = lambda request: Response(205, [(Path(3303, 0, 5601), FLOAT, "88.88")])
    bench.say('+QLWURC: "observe",16987,0,3303,0,5601', '+QLWURC: "observe",16988,0,3303,0,-1')
    assert "AT+QLWOBSRSP=16987,1,3303,0,5601,4,4,88.88,0" in bench.commands
    assert "AT+QLWOBSRSP=16988,1,3303,0,5601,4,4,88.88,0" in bench.commands
    assert bench.told("observed") == [Path(3303, 0, 5601), Path(3303, 0)]


def test_example_28_of_5_8_2_notifies_with_confirmation():
    bench = Bench("bc66", answers(**old_length("QLWNOTIFY")))
    ticket = bench.modem.publish([(Path(3303, 0, 5601), FLOAT, "88.88", None)])
    assert bench.commands[-1] == "AT+QLWNOTIFY=3303,0,5601,4,4,88.88,0,1"
    assert bench.modem.settle(5000)
    assert bench.told("delivered") == [ticket]


def test_example_29_of_5_8_3_answers_a_read_of_a_float():
    bench = Bench("bc66", answers(**old_length("QLWRDRSP")))
    bench.response = content(FLOAT, "66.66")
    bench.say('+QLWURC: "read",17123,3303,0,5601')
    assert bench.commands[-1] == "AT+QLWRDRSP=17123,1,3303,0,5601,4,4,66.66,0"


def test_example_30_of_5_8_4_answers_an_execute():
    bench = Bench("bc66", answers())
    bench.say('+QLWURC: "execute",27452,3303,0,5605')
    assert bench.commands == ["AT+QLWEXERSP=27452,2"]


def test_a_float_is_first_sent_with_its_number_of_characters():
    """4.2.12: <len> is the number of characters. That a module with the examples' 4 exists is not known."""
    bench = Bench("bc66", answers())
    bench.modem.publish([(Path(3303, 0, 5700), FLOAT, "88.88", None), (Path(3306, 0, 5850), BOOLEAN, "1", None)])
    assert bench.commands == ["AT+QLWNOTIFY=3303,0,5700,4,5,88.88,0,1", "AT+QLWNOTIFY=3306,0,5850,5,1,1,0,1"]
