"""The ME910C1's model, command by command: every form is answered, and refused once with a wrong value."""

from fakes.telit import Desk, definition, ready
from testing.virtual_modem.me910c1_errors import CME, CMS, NUMERIC

READ_IS_OK = "R E W STS SET NEWINST GET FOTACFG INJKEYS NFYACKURI NFYACKENA EXIST"
TESTS = {
    "STAT": [],
    "MON": ["#LWM2MMON: (0,1),(1-65535)"],
    "ENA": ["#LWM2MENA: (0,1),(1-6),(0,1),(1-100),(1-100)"],
    "ACK": ["#LWM2MACK: (1)"],
    "R": ["#LWM2MR: (0),(0-65535),(0-65535),(0-65535),(0-65535)"],
    "E": ["#LWM2ME: (0),(0-65535),(0-65535),(0-65535),(0-65535)"],
    "W": ["#LWM2MW: (0),(0-65535),(0-65535),(0-65535),(0-65535)"],
    "STS": [],
    "SET": ["#LWM2MSET: (0-3)"],
    "NEWINST": ["#LWM2MNEWINST: (0),(7-65534),(0-65534)"],
    "GET": ["#LWM2MGET: (0-3),(0-65535),(0-65535),(0-65535),(0-65535)"],
    "FOTACFG": ["#LWM2MFOTACFG: (0),(0-3)"],
    "FOTAACK": ["#LWM2MFOTAACK: (0),(1)"],
    "INJKEYS": [],
    "NFYACKURI": ["#LWM2MNFYACKURI: (0),(0-2),(0-65535),(0-65535),(0-65535)"],
    "NFYACKENA": ["#LWM2MNFYACKENA: (0),(0-2)"],
    "EXIST": ["#LWM2MEXIST: (0),(0-65535),(0-65535),(0-65535),(0-65535)"],
}


def accepts(desk, *lines):
    for line in lines:
        assert desk.lines(line)[-1] == "OK", line


def refuses(desk, *lines):
    for line in lines:
        assert desk.lines(line)[-1] == "ERROR", line


def test_every_test_form_gives_its_ranges():
    desk = Desk()
    for name in TESTS:
        assert desk.lines("AT#LWM2M%s=?" % name) == TESTS[name] + ["OK"], name


def test_read_forms_that_say_ok_and_those_not_supported():
    desk = Desk()
    for name in READ_IS_OK.split():
        assert desk.lines("AT#LWM2M%s?" % name) == ["OK"], name
    refuses(desk, "AT#LWM2MSTAT?", "AT#LWM2MACK?", "AT#LWM2MFOTAACK?")


def test_mon_takes_six_objects_and_not_the_security_object():
    desk = Desk()
    accepts(desk, *["AT#LWM2MMON=1,%d" % number for number in (1, 3, 4, 5, 6, 65535)])
    refuses(desk, "AT#LWM2MMON=1,7", "AT#LWM2MMON=0,7", "AT#LWM2MMON=1,0", "AT#LWM2MMON=1,65536", "AT#LWM2MMON=2,3")
    accepts(desk, "AT#LWM2MMON=1,3", "AT#LWM2MMON=0,3", "AT#LWM2MMON=1,7")
    assert desk.lines("AT#LWM2MMON?")[:6] == ['#LWM2MMON: "%d"' % number for number in (1, 4, 5, 6, 65535, 7)]


def test_ena_checks_its_ranges_and_refuses_a_second_time():
    desk = Desk(ready())
    refuses(desk, "AT#LWM2MENA=2", "AT#LWM2MENA=1,7", "AT#LWM2MENA=1,0", "AT#LWM2MENA=1,1,2")
    refuses(desk, "AT#LWM2MENA=1,1,1,0", "AT#LWM2MENA=1,1,1,101", "AT#LWM2MENA=1,1,1,5,101", "AT#LWM2MENA=")
    accepts(desk, "AT#LWM2MENA=0", "AT#LWM2MENA=1,2")
    refuses(desk, "AT#LWM2MENA=1")
    assert desk.lines("AT#LWM2MENA?") == ['#LWM2MENA: 1,2,0,5,5,"ACTIVE"', "OK"]


def test_other_commands_fail_while_the_context_comes_up():
    """3.1.3, and field_quirks 2.6; ENA itself is answered."""
    desk = Desk(ready())
    accepts(desk, "AT#LWM2MENA=1")
    refuses(desk, "AT#LWM2MSTAT", "AT#LWM2MMON?", "AT#LWM2MSET=0,3,0,9,0,1", "AT#LWM2MEXIST=0")
    desk.clock.advance(2000)
    accepts(desk, "AT#LWM2MSTAT", "AT#LWM2MMON?", "AT#LWM2MSET=0,3,0,9,0,1", "AT#LWM2MEXIST=0")


def test_ack_is_refused_where_nothing_waits():
    desk = Desk(ready())
    refuses(desk, "AT#LWM2MACK=1", "AT#LWM2MACK=0", "AT#LWM2MACK=2")
    assert desk.lines("AT#LWM2MENA=1,1,1") == ["OK", '#LWM2MRING: "REG"']
    assert desk.lines("AT#LWM2MACK=1", 3000) == ["OK"]
    refuses(desk, "AT#LWM2MACK=1")


def test_r_e_and_w_want_the_agent_enabled():
    desk = Desk(ready(3306))
    refuses(desk, "AT#LWM2MR=0,3,0,9,0", "AT#LWM2MW=0,3306,0,5850,0,1", "AT#LWM2ME=0,3,0,12,0")
    desk.registered()
    accepts(desk, "AT#LWM2MR=0,3,0,9,0", "AT#LWM2MW=0,3306,0,5850,0,1", "AT#LWM2ME=0,3,0,12,0")


def test_r_e_and_w_keep_away_from_closed_objects():
    desk = Desk(ready()).registered()
    for number in (0, 1, 2, 5):
        refuses(desk, "AT#LWM2MR=0,%d,0,0,0" % number, "AT#LWM2ME=0,%d,0,0,0" % number, "AT#LWM2MW=0,%d,0,0,0,1" % number)


def test_r_answers_as_the_field_saw_it():
    desk = Desk(ready(3303)).registered()
    assert desk.lines("AT#LWM2MR=0,3,0,9,0") == ["#LWM2MR: 100", "OK"]
    assert desk.lines("AT#LWM2MR=0,3303,0,5700,0") == ["#LWM2MR: 0.0", "OK"]
    refuses(desk, "AT#LWM2MR=0,3303,0,5605,0", "AT#LWM2MR=0,3303,1,5700,0", "AT#LWM2MR=0,3303,0,5700,1")
    refuses(desk, "AT#LWM2MR=1,3,0,9,0", "AT#LWM2MR=5,3,0,9,0", "AT#LWM2MR=0,3,0,9", "AT#LWM2MR=0,65536,0,0,0")


def test_e_executes_what_can_be_executed():
    desk = Desk(ready(3303)).registered()
    accepts(desk, "AT#LWM2ME=0,3303,0,5605,0")
    refuses(desk, "AT#LWM2ME=0,3303,0,5700,0", "AT#LWM2ME=0,3303,0,5605,0,1", "AT#LWM2ME=2,3303,0,5605,0")
    assert '#LWM2MINFO: "GEN","DEVICE REBOOT"' in desk.lines("AT#LWM2ME=0,3,0,4,0", 400)
    desk.clock.advance(12000)
    assert desk.model.counters["restarts"] == 1


def test_w_writes_what_can_be_written_and_minds_the_type():
    desk = Desk(ready(3306)).registered()
    accepts(desk, "AT#LWM2MW=0,3306,0,5850,0,1", 'AT#LWM2MW=0,3306,0,5750,0,"a b"', "AT#LWM2MW=0,3306,0,5851,0,-7")
    assert desk.lines("AT#LWM2MR=0,3306,0,5750,0")[0] == "#LWM2MR: a b"
    refuses(desk, "AT#LWM2MW=0,3306,0,5850,0,2", "AT#LWM2MW=0,3306,0,5851,0,x", "AT#LWM2MW=0,3306,0,5851,0,2147483648")
    refuses(desk, "AT#LWM2MW=0,3,0,9,0,5", "AT#LWM2MW=0,3306,0,5850,0", "AT#LWM2MW=0,3306,0,5850,1,1")


def test_strings_are_taken_with_and_without_quotes_and_blanks_do_not_count_outside():
    """2.2.1."""
    desk = Desk(ready(3306)).registered()
    accepts(desk, "AT#LWM2MW = 0, 3306 ,0,5750 , 0 , Abc", 'AT#LWM2MW=0,3306,0,5750,0,"Abc"')
    assert desk.lines("AT#LWM2MR=0,3306,0,5750,0")[0] == "#LWM2MR: Abc"


def test_set_and_get_know_the_whitelist_only():
    desk = Desk(ready(3303)).registered()
    for number in (6, 7, 8, 9, 20):
        accepts(desk, "AT#LWM2MSET=0,3,0,%d,0,101" % number)  # 101 % of battery: no range check (3.1.9)
        assert desk.lines("AT#LWM2MGET=0,3,0,%d,0" % number) == ["#LWM2MGET: 101", "OK"]
    accepts(desk, 'AT#LWM2MSET=2,3,0,17,0,"Sensor node"')
    refuses(desk, "AT#LWM2MSET=0,3,0,10,0,1", "AT#LWM2MGET=0,3,0,10,0", "AT#LWM2MSET=0,3,0,9,1,1")
    accepts(desk, "AT#LWM2MSET=1,3303,0,5700,0,-21.5")  # read-only, of a created instance
    refuses(desk, 'AT#LWM2MSET=2,3303,0,5750,0,"x"', "AT#LWM2MGET=2,3303,0,5750,0")  # the server may write it: W
    refuses(desk, "AT#LWM2MSET=4,3,0,9,0,1", "AT#LWM2MSET=1,3,0,9,0,1", "AT#LWM2MSET=0,3,0,9,0", "AT#LWM2MGET=0,3,0,9")


def test_set_takes_32_bits_and_proper_floats():
    desk = Desk(ready(3303)).registered()
    accepts(desk, "AT#LWM2MSET=0,3,0,9,0,2147483647", "AT#LWM2MSET=0,3,0,9,0,-2147483648")
    refuses(desk, "AT#LWM2MSET=0,3,0,9,0,2147483648", "AT#LWM2MSET=0,3,0,9,0,-2147483649", "AT#LWM2MSET=0,3,0,9,0,1.5")
    accepts(desk, "AT#LWM2MSET=1,3303,0,5700,0,1e3")
    refuses(desk, "AT#LWM2MSET=1,3303,0,5700,0,nan", "AT#LWM2MSET=1,3303,0,5700,0,warm")


def test_opaque_values_are_hexadecimal():
    desk = Desk(ready(19)).registered()
    accepts(desk, "AT#LWM2MW=0,19,0,0,0,00ff")
    assert desk.lines("AT#LWM2MR=0,19,0,0,0")[0] == "#LWM2MR: 00FF"
    refuses(desk, "AT#LWM2MW=0,19,0,0,0,0FF", "AT#LWM2MW=0,19,0,0,0,zz")


def test_newinst_wants_a_definition_and_creates_once():
    nvram = ready(3303)
    nvram["instances"] = {}
    desk = Desk(nvram)
    refuses(desk, "AT#LWM2MNEWINST=0,6,0", "AT#LWM2MNEWINST=0,65535,0", "AT#LWM2MNEWINST=0,3303,65535")
    refuses(desk, "AT#LWM2MNEWINST=0,3304,0", "AT#LWM2MNEWINST=1,3303,0", "AT#LWM2MNEWINST=0,3303")
    accepts(desk, "AT#LWM2MNEWINST=0,3303,0", "AT#LWM2MNEWINST=0,3303,7")
    refuses(desk, "AT#LWM2MNEWINST=0,3303,0")
    assert desk.lines("AT#LWM2MGET=1,3303,7,5700,0")[0] == "#LWM2MGET: 0.0"  # defaults (3.1.10)


def test_newinst_of_a_registered_module_tells_the_server():
    nvram = ready(3303)
    nvram["instances"] = {}
    desk = Desk(nvram).registered()
    assert "/3303" in desk.server.registrations["node-1"].objects
    assert desk.lines("AT#LWM2MNEWINST=0,3303,0", 2000) == ["OK"]
    assert "/3303/0" in desk.server.registrations["node-1"].objects


def test_sts_names_a_server_for_the_next_reboot():
    desk = Desk(ready())
    accepts(desk, "AT#LWM2MSTS=0,10", "AT#LWM2MSTS=0,11", "AT#LWM2MSTS=0,12", "AT#LWM2MSTS=0,20")
    accepts(desk, 'AT#LWM2MSTS=0,999,"coaps://a.b",1', 'AT#LWM2MSTS=0,999,"coap://other:5699"')
    refuses(desk, "AT#LWM2MSTS=0,13", "AT#LWM2MSTS=0,999", 'AT#LWM2MSTS=0,999,"http://a"', 'AT#LWM2MSTS=0,999,"coap://"')
    refuses(desk, "AT#LWM2MSTS=1", 'AT#LWM2MSTS=0,999,"coap://a",2', "AT#LWM2MSTS=0,1000")
    assert desk.model.dm_account()[0] == "coap://host:5683"
    accepts(desk, "AT#REBOOT")
    desk.clock.advance(12000)
    assert desk.model.dm_account()[0] == "coap://other:5699"
    desk.say("AT#LWM2MSTS=0")
    desk.say("AT#REBOOT", 12000)
    assert desk.model.first_server() == ["coaps://bs-engr.telit.io:5684", 1]


def test_sts_default_ports():
    desk = Desk(ready())
    assert desk.model.link_account("coap://a", "", "").port == 5683
    assert desk.model.link_account("coaps://a", "i", "00").port == 5684
    assert desk.model.link_account("coap://a:1", "", "").port == 1


def test_injkeys_counts_from_the_next_reboot():
    desk = Desk(ready())
    accepts(desk, 'AT#LWM2MINJKEYS=0,1,"name","me","AABB"')
    refuses(desk, 'AT#LWM2MINJKEYS=0,1,"name","me"', "AT#LWM2MINJKEYS=0,4", "AT#LWM2MINJKEYS=0,1")
    refuses(desk, 'AT#LWM2MINJKEYS=0,1,"%s","",""' % ("x" * 65), 'AT#LWM2MINJKEYS=1,1,"a","b","cc"')
    assert desk.model.endpoint() == "node-1"
    desk.say("AT#REBOOT", 12000)
    assert desk.model.endpoint() == "name"
    accepts(desk, "AT#LWM2MINJKEYS=0,2,,,")
    accepts(desk, "AT#LWM2MINJKEYS=0,3", "AT#LWM2MINJKEYS=0,0")
    desk.say("AT#REBOOT", 12000)
    assert desk.model.endpoint() == "urn:imei:866971030000717"


def test_injkeys_short_form_is_the_fields_and_can_be_refused():
    """field_quirks 3: the manual wants identity and key, a guide does without."""
    accepts(Desk(ready(), keys_optional=True), 'AT#LWM2MINJKEYS=0,1,"name"')
    refuses(Desk(ready()), 'AT#LWM2MINJKEYS=0,1,"name"')


def test_every_lwm2m_command_wants_a_sim():
    """"SIM Presence: Required" in each table of 3.1."""
    desk = Desk(ready(3303), sim="absent")
    desk.say("AT+CMEE=2")
    for name in (READ_IS_OK + " STAT ENA ACK MON FOTAACK").split(" "):
        for form in ("=?", "?", "=0,1", ""):
            assert desk.lines("AT#LWM2M" + name + form) == ["+CME ERROR: SIM not inserted"], name + form
    accepts(desk, "AT", "AT+CGSN", 'AT#M2MLIST=/XML')


def test_nfyackuri_takes_six():
    desk = Desk()
    accepts(desk, *["AT#LWM2MNFYACKURI=0,1,3303,%d,5700" % number for number in range(6)])
    refuses(desk, "AT#LWM2MNFYACKURI=0,1,3303,6,5700", "AT#LWM2MNFYACKURI=0,0,3303,6,5700", "AT#LWM2MNFYACKURI=0,3")
    refuses(desk, "AT#LWM2MNFYACKURI=0,1,3303,6", "AT#LWM2MNFYACKURI=1,2", "AT#LWM2MNFYACKURI=0,1,3303,6,65536")
    accepts(desk, "AT#LWM2MNFYACKURI=0,0,3303,0,5700", "AT#LWM2MNFYACKURI=0,1,3303,6,5700")
    assert len(desk.lines("AT#LWM2MNFYACKURI=0,2")) == 7


def test_nfyackena_answers_without_a_hash():
    """3.1.16 prints LWM2MNFYACKENA."""
    desk = Desk()
    assert desk.lines("AT#LWM2MNFYACKENA=0,2") == ["LWM2MNFYACKENA: 0,0", "OK"]
    accepts(desk, "AT#LWM2MNFYACKENA=0,1")
    assert desk.lines("AT#LWM2MNFYACKENA=0,2") == ["LWM2MNFYACKENA: 0,1", "OK"]
    refuses(desk, "AT#LWM2MNFYACKENA=0,3", "AT#LWM2MNFYACKENA=1,1", "AT#LWM2MNFYACKENA=0")


def test_fotacfg_and_fotaack():
    desk = Desk()
    accepts(desk, *["AT#LWM2MFOTACFG=0,%d" % mode for mode in range(4)])
    refuses(desk, "AT#LWM2MFOTACFG=0,4", "AT#LWM2MFOTACFG=1,0", "AT#LWM2MFOTACFG=0")
    refuses(desk, "AT#LWM2MFOTAACK=0,1", "AT#LWM2MFOTAACK=0,0", "AT#LWM2MFOTAACK=1,1")


def test_exist_takes_partial_paths_and_objects_without_instances():
    nvram = ready(3303)
    nvram["instances"] = {}
    desk = Desk(nvram)
    accepts(desk, "AT#LWM2MEXIST=0", "AT#LWM2MEXIST=0,3", "AT#LWM2MEXIST=0,3,0", "AT#LWM2MEXIST=0,3,0,9")
    accepts(desk, "AT#LWM2MEXIST=0,3,0,9,0", "AT#LWM2MEXIST=0,3303")
    refuses(desk, "AT#LWM2MEXIST=0,3303,0", "AT#LWM2MEXIST=0,3,0,9,1", "AT#LWM2MEXIST=0,9999")


def test_exist_has_words_of_its_own():
    desk = Desk()
    desk.say("AT+CMEE=2")
    assert desk.lines("AT#LWM2MEXIST=1") == ["+CME ERROR: Invalid agent"]
    assert desk.lines("AT#LWM2MEXIST=0,9999") == ["+CME ERROR: Invalid URI"]
    assert desk.lines("AT#LWM2MEXIST=0,x") == ["+CME ERROR: Invalid args"]
    assert desk.lines("AT#LWM2MEXIST=0,3,0,9,0,0") == ["+CME ERROR: Invalid args"]
    assert Desk(cmee=2, internal_error=True).lines("AT#LWM2MEXIST=0,3") == ["+CME ERROR: Internal Error"]
    desk.say("AT+CMEE=1")
    assert desk.lines("AT#LWM2MEXIST=1") == ["+CME ERROR: 100"]


# ---- line and results (section 2)


def test_errors_by_cmee():
    desk = Desk()
    assert desk.lines("AT#LWM2MACK=1") == ["ERROR"]
    assert desk.lines("AT+CMEE=1;#LWM2MACK=1") == ["+CME ERROR: 3"]
    assert desk.lines("AT+CMEE=2;#LWM2MACK=1") == ["+CME ERROR: operation not allowed"]
    assert desk.lines("AT#LWM2MACK=7") == ["+CME ERROR: operation not supported"]
    assert desk.lines("AT+CMEE=3") == ["+CME ERROR: operation not supported"]


def test_the_error_tables_are_whole():
    """2.2.2.1 and 2.2.2.2; 569 has no text, so its number stands for it."""
    assert len(CME) == 173 and len(CMS) == 28 and CME[569] == ""
    desk = Desk(cmee=2)
    assert desk.model.cme(569) == "+CME ERROR: 569"
    for code in CME:
        if CME[code]:
            assert desk.model.cme(code) == "+CME ERROR: " + CME[code]


def test_cms_errors_are_numbers():
    desk = Desk(cmee=2)
    assert desk.lines("AT+CMGR=1") == ["+CMS ERROR: 321"]
    assert desk.lines("AT+CMGR=999") == ["+CME ERROR: operation not supported"]
    assert Desk(sim="absent").lines("AT+CMGR=1") == ["+CMS ERROR: 310"]


def test_numeric_results():
    """2.1: no LF, and the numbers of 2.2.3."""
    desk = Desk()
    assert desk.say("ATV0") == "0\r"
    assert desk.say("AT#LWM2MACK=1") == "4\r"
    assert desk.say("AT+CMEE?") == "+CMEE: 0\r\n0\r"
    assert desk.say("ATV1") == "\r\nOK\r\n"
    assert [NUMERIC[word] for word in ("NO CARRIER", "NO ANSWER", "CONNECT 1200/75")] == ["3", "8", "23"]


def test_s3_and_s4_move_the_ends_of_lines():
    desk = Desk()
    assert desk.say("ATS4=33") == "\r!OK\r!"
    assert desk.say("ATS4=10") == "\r\nOK\r\n"
    desk.model.receive(b"ATS3=30\r")
    assert desk.hear() == "\x1e\nOK\x1e\n"
    desk.model.receive(b"AT+CMEE?\x1e")
    assert desk.hear() == "\x1e\n+CMEE: 0\x1e\n\x1e\nOK\x1e\n"


def test_several_commands_in_a_line_stop_at_the_first_error():
    desk = Desk()
    assert desk.lines("AT#LWM2MMON=1,3;#LWM2MACK=1;#LWM2MMON=1,4") == ["ERROR"]
    assert desk.lines("AT#LWM2MMON?") == ['#LWM2MMON: "3"', "OK"]


def test_the_last_line_is_repeated():
    desk = Desk()
    desk.say("at#lwm2mmon=1,3;#LWM2MMON?")
    for again in (b"A/", b"a/", b"AT#/", b"at#/"):
        desk.model.receive(again)
        assert '#LWM2MMON: "3"' in desk.hear(20), again


def test_400_characters_and_not_one_more():
    desk = Desk(ready(3306)).registered()
    line = 'AT#LWM2MW=0,3306,0,5750,0,"%s"'
    room = 400 - len(line % "")
    accepts(desk, line % ("x" * room))
    refuses(desk, "AT#LWM2MMON=1,3;" + line % ("y" * room))
    assert desk.lines("AT#LWM2MMON?") == ["OK"]  # nothing of it was executed
    assert desk.lines("AT#LWM2MR=0,3306,0,5750,0")[0] == "#LWM2MR: " + "x" * room


def test_all_parameters_left_out_keeps_the_values():
    """2.2: AT+CMD= is OK where all of its parameters are optional."""
    desk = Desk(cmee=2)
    accepts(desk, "AT+CMEE=", "AT+CEREG=")
    assert desk.lines("AT+CMEE?")[0] == "+CMEE: 2"
    assert desk.lines("AT#LWM2MENA=") == ["+CME ERROR: operation not supported"]


def test_profiles():
    desk = Desk(echo=1)
    desk.say("ATE0")
    accepts(desk, "AT&W", "AT&Y0", "AT&P0")
    refuses(desk, "AT&P7")
    desk.say("AT#REBOOT", 12000)
    assert desk.say("AT") == "\r\nOK\r\n"
    desk.say("AT&F")
    assert desk.say("AT").startswith("AT\r")


# ---- generic commands (low_power 3.5) and files


def test_identity():
    desk = Desk()
    assert desk.lines("AT+CGSN") == ["866971030000717", "OK"]
    assert desk.lines("AT#CGSN") == ["#CGSN: 866971030000717", "OK"]
    assert desk.lines("AT#CCID") == ["#CCID: 89860317482035195680", "OK"]
    assert desk.lines("AT+CGMM")[0] == "ME910C1-E1"
    assert desk.lines("AT+CGMR")[0] == "30.00.xx8"
    assert Desk(sim="absent").lines("AT#CCID") == ["ERROR"]
    refuses(desk, "AT+QCCID", "AT+QLWSTATUS?")


def test_clock_unset_local_and_utc():
    """80/01/06 until the network has said (low_power 1.6)."""
    desk = Desk(attach_ms=10000, zone_quarters=8)
    assert desk.lines("AT+CCLK?")[0].startswith('+CCLK: "80/01/06,')
    desk.clock.advance(10000)
    assert desk.lines("AT+CCLK?")[0] == '+CCLK: "26/01/01,02:00:12+08"'
    assert desk.lines("AT#CCLK?")[0].startswith('#CCLK: "26/01/01,02:00:12+08,0"')
    accepts(desk, "AT#CCLKMODE=1", "AT+CTZU=1")
    assert desk.lines("AT+CCLK?")[0] == '+CCLK: "26/01/01,00:00:12+08"'
    refuses(desk, "AT#CCLKMODE=2", "AT+CTZU=2")


def test_radio_access_context_and_bands():
    desk = Desk()
    accepts(desk, "AT#WS46=1", "AT+WS46=28", "AT#BND=5,0,524420", "AT#SGACT=1,0")
    assert desk.lines("AT#WS46?")[0] == "#WS46: 1"
    assert desk.lines("AT#SGACT=1,1") == ["#SGACT: 100.97.37.69", "OK"]
    refuses(desk, "AT#SGACT=1,1", "AT#SGACT=7,1", "AT#WS46=4", "AT+WS46=29", "AT#BND=6")


def test_psm_in_seconds_and_its_urc():
    desk = Desk()
    accepts(desk, "AT#CPSMS=1,,,3600,10", "AT#PSMURC=1")
    assert desk.lines("AT#CPSMS?")[0] == "#CPSMS: 1,,,3600,10"
    refuses(desk, "AT#CPSMS=1,,,-1,10", "AT#CPSMS=1", "AT#PSMURC=2")
    assert "#PSMURC: 10,3600" in desk.hear(60000)
    assert desk.model.state_name == "asleep" and not desk.model.status_pin


def test_reboot_says_nothing_when_it_is_done():
    desk = Desk(echo=1)
    assert desk.say("AT#REBOOT", 8050) == "AT#REBOOT\r\r\nOK\r\n"
    assert desk.say("AT") == ""
    desk.clock.advance(2000)
    assert desk.say("AT") == "AT\r\r\nOK\r\n"


def test_switched_off_and_on_by_its_key():
    desk = Desk()
    accepts(desk, "AT#SHDN")
    desk.clock.advance(2000)
    assert desk.model.state_name == "off" and not desk.model.status_pin
    desk.model.pin("power_key", True)
    desk.clock.advance(5500)
    desk.model.pin("power_key", False)
    desk.clock.advance(10000)
    assert desk.lines("AT") == ["OK"] and desk.model.status_pin


def test_cfun_5_is_deaf_until_dtr():
    desk = Desk(ready()).registered()
    accepts(desk, "AT+CFUN=5")
    desk.clock.advance(1000)
    assert desk.say("AT") == ""
    desk.model.pin("wake", True)
    assert desk.lines("AT#LWM2MSTAT")[0] == '#LWM2MGETSTAT: 1,"IDLE"'
    refuses(desk, "AT+CFUN=9")


def test_files_are_written_listed_and_removed():
    desk = Desk()
    text = definition(3303)
    assert desk.say('AT#M2MWRITE="/XML/object_3303.xml",%d' % len(text)) == "\r\n>>> "
    desk.model.receive(text.encode())
    assert desk.hear() == "\r\nOK\r\n"
    assert desk.lines("AT#M2MLIST=/XML") == ['#M2MLIST: "object_3303.xml",%d' % len(text), "OK"]
    refuses(desk, 'AT#M2MWRITE="/tmp/x.xml",5', 'AT#M2MWRITE="/XML/x.xml",0', "AT#M2MLIST=/tmp")
    refuses(desk, "AT#LWM2MNEWINST=0,3303,0")  # counts from the next boot
    desk.say("AT#REBOOT", 12000)
    accepts(desk, "AT#LWM2MNEWINST=0,3303,0", 'AT#M2MDEL="/XML/object_3303.xml"')
    refuses(desk, 'AT#M2MDEL="/XML/object_3303.xml"')


def test_a_broken_definition_is_no_object():
    desk = Desk({"files": {"/XML/object_3303.xml": "<LWM2M><Object><ObjectID>x</ObjectID>", "/XML/empty.xml": ""}})
    refuses(desk, "AT#LWM2MEXIST=0,3303")
