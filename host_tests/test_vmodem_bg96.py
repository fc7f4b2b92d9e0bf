"""BG96 model: the guide's examples, every sub-command, the state machine with its retries, files, DFOTA, quirks."""

from fakes.vmodem import Bench
from test_vmodem_bc66_examples import bootstrap_steps

from testing.virtual_modem import bg96_files

# The guide's examples: 3.3.3 "A typical content", 3.3.2, and 6.1 with a pre-shared key.
SAMPLE_SETTINGS = """{
APN=carrier_apn;
RETRY_TIMEOUT=30;
RETRY_EXPONENT_VAL=2;
MAX_RETRY_TIMEOUT=640;
MAX_NO_RETRIES=5;
ACK_TIMEOUT=30;
REG_RETRY_TIMEOUT=60;
REG_RETRY_EXPONENT=2;
REG_RETRY_MAXTIMEOUT=480;
ROAMING_FEAT=1;
PER_REGSTATUS_FEAT=0;
BATTERY_LEVEL_THRESHOLD=20;
REBOOTSTRAP_REG_FAILS_MAX_NO_ATTEMPTS=5;
CARRIER_TYPE=0;
REG_EP_NAME=4;
BOOTSTRAP_EP_NAME=7;
BOOT_UP_SLEEP_TIME=10;
}
"""
SAMPLE_CARRIERS = """/* Existing APN config */
APN_NAME=vzwadmin
APN_CLASS=2
SHORT_SERVER_ID1=102
; /* New APN config */
APN_NAME=vzwinternet
APN_CLASS=3
SHORT_SERVER_ID1=103
"""
SAMPLE_BOOTSTRAP = """{"bn":"/0/1/",
"e":[
{"n":"0","sv":"coaps://leshan.eclipse.org:5684"},
{"n":"1","bv":false},
{"n":"2","v":0},
{"n":"10","v":101
}]}
"""
EP = "urn:imei:866971030000717"
URI = "coap://127.0.0.1:5683"


def bench_of(*lines, **options):
    """A bench whose module is ready for commands, after `lines`."""
    bench = Bench("bg96", **options)
    bench.wait(3000)
    bench.say("ATE0")
    for line in lines:
        assert bench.say("AT+QLWM2M=" + line) == ["OK"], line
    return bench


LESHAN = ('"select",0', '"bootstrap",1,"%s"' % URI)
READY = ['+QLWEVENT: 0,"STATE_INITIAL"', '+QLWEVENT: 3,"STATE_REGISTER_REQUIRED"', '+QLWEVENT: 4,"STATE_REGISTERING"',
         '+QLWEVENT: 5,"STATE_READY"']


def registered(*lines, **options):
    bench = bench_of(*(LESHAN + lines), **options)
    assert bench.say('AT+QLWM2M="register"', 500) == ["OK"] + READY
    return bench


def observed(**options):
    bench = registered(**options)
    bench.server.observe(EP, "/19/0/0")
    said = bench.wait(100)
    assert len(said) == 1 and said[0].startswith('+QLWOBSERVE: "') and said[0].endswith('","/19/0/0"'), said
    return bench


# ---- worked examples (chapters 3.3, 6.1, 6.2)


def test_6_2_client_configuration():
    bench = bench_of(hostile=("space_states", "three_fields"))
    bench.server.bootstrap = bootstrap_steps(86400)
    for line in ('"select",2', '"cdp","127.103.233.1",5783', '"epns",0,"QUEC"',
                 '"mbsps","QUEC","992185","01212345678","904978","LWTHM"'):
        assert bench.say("AT+QLWM2M=" + line) == ["OK"]
    assert bench.say('AT+QLWM2M="register"', 500) == [
        "OK", '+QLWEVENT: 0,"STATE_INITIAL"', '+QLWEVENT: 1,"STATE_BOOTSTRAP_REQUIRED"', '+QLWEVENT: 2,"STATE_BOOTSTRAPPING"',
        '+QLWEVENT: 0,"STATE INITIAL"', '+QLWEVENT: 3,"STATE REGISTER REQUIRED"', '+QLWEVENT: 4,"STATE_REGISTERING"',
        '+QLWEVENT: 5,"STATE_READY"']
    name = "QUEC_866971030000717"
    for path in ("/10250/0/0", "/26241/0/0"):
        bench.server.observe(name, path)
        said = bench.wait(100)[0]
        assert said.startswith('+QLWOBSERVE: "') and said.endswith('","%s"' % path) and len(said.split('"')[1]) == 16
    assert bench.say('AT+QLWM2M="uldata",10250,5,"hello"', 100) == ["OK"]
    assert bench.say('AT+QLWM2M="ulhex",10250,5,"3031323334"', 100) == ["OK"]
    assert [each.value for each in bench.server.deliveries] == [b"hello", b"01234"]
    bench.say('AT+QLWM2M="dltype",1')
    assert bench.told("write", "/10250/0/1", b"01", content_format=42) == ['+QLWDLDATA: "10250/0/1",2,"3031"']


def test_6_1_bootstrap_ini_of_the_guide():
    server = bg96_files.Settings({bg96_files.BOOTSTRAP: SAMPLE_BOOTSTRAP}).server()
    assert server["uri"] == "coaps://leshan.eclipse.org:5684"
    assert (server["security"], server["ssid"], server["bootstrap"]) == (0, 101, False)
    made = bg96_files.bootstrap_text(server, 86400)
    assert made.startswith(SAMPLE_BOOTSTRAP)


def test_3_3_2_carrier_apn_cfg_of_the_guide():
    settings = bg96_files.Settings({bg96_files.CARRIER: SAMPLE_CARRIERS, bg96_files.CFG: "{\nAPN=other;\n}"})
    assert settings.apn(102) == "vzwadmin" and settings.apn(103) == "vzwinternet" and settings.apn(101) == "other"


def test_3_3_3_lwm2m_cfg_of_the_guide():
    cfg = bg96_files.Settings({bg96_files.CFG: SAMPLE_SETTINGS}).cfg
    assert (cfg["APN"], cfg["ACK_TIMEOUT"], cfg["BOOT_UP_SLEEP_TIME"]) == ("carrier_apn", 30, 10)
    assert cfg["REBOOTSTRAP_REG_FAILS_MAX_NO_ATTEMPTS"] == 5
    assert bg96_files.Settings({}).cfg["ACK_TIMEOUT"] == 60  # what is left out has the table's default
    assert bg96_files.Settings({bg96_files.CFG: "FER_REGSTATUS_FEAT=1;"}).cfg["PER_REGSTATUS_FEAT"] == 1


def test_damaged_files_are_survived():
    for text in ("", "{", '{"bn":"/0/1/","e":[{"n":"0"}]}', "}{}{", '{"bn":"/x/","e":[{"n":"y"}]}', "nonsense"):
        assert bg96_files.Settings({bg96_files.BOOTSTRAP: text, bg96_files.CFG: text}).server() is None


# ---- forms


def test_the_test_form_lists_every_sub_command():
    said = bench_of().say("AT+QLWM2M=?")
    assert len(said) == 22 and said[0] == '+QLWM2M: "select",(0-5)' and said[-1] == "OK"


def test_queries():
    bench = bench_of('"select",2', '"cdp","10.0.0.1",5783', '"epns",1,"node"', '"mbsps","a","b","c","d","e","f"')
    assert bench.say('AT+QLWM2M="select"') == ['+QLWM2M: "select",2', "OK"]
    assert bench.say('AT+QLWM2M="cdp"') == ['+QLWM2M: "cdp","10.0.0.1",5783', "OK"]
    assert bench.say('AT+QLWM2M="epns"') == ['+QLWM2M: "epns","node"', "OK"]
    assert bench.say('AT+QLWM2M="bsmode"') == ['+QLWM2M: "bsmode",1', "OK"]
    assert bench.say('AT+QLWM2M="mbsps"') == ['+QLWM2M: "mbsps","a","b","c","d","e","f"', "OK"]
    bench.say('AT+QLWM2M="bsmode",0')
    assert bench.say('AT+QLWM2M="bsmode"') == ['+QLWM2M: "bsmode",0', "OK"]


REFUSED = (
    '"nothing"',
    '"select",6',
    '"cdp","host"',
    '"cdp","host",65536',
    '"epns",2,"name"',
    '"epns",1',
    '"bsmode",2',
    '"mbsps","a","b"',
    '"register",2',
    '"register"',  # no files, no server
    '"update",101',
    '"update"',
    '"deregister"',
    '"deregister",1',
    '"lifetime",101,29',
    '"lifetime",101,86401',
    '"lifetime",101,900',
    '"uldata",19,5,"hello"',
    '"ulhex",19,5,"3031323334"',
    '"dltype",2',
    '"ippref",2',
    '"enable",2',
    '"bootstrap",5',
    '"bootstrap",0',
    '"bootstrap",1,"http://host"',
    '"bootstrap",2,86401',
    '"bootstrap",3,2',
    '"bootstrap",4,1',
    '"qcli_en",2',
    '"psk",2',
    '"psk",1',
    '"apn"',
    '"endpoint",4,5',
    '"reset",1',
    '"clean",1',
)


def test_wrong_values_are_plain_errors():
    bench = bench_of()
    for line in REFUSED:
        assert bench.say("AT+QLWM2M=" + line, 100) == ["ERROR"], line
    assert bench.say("AT+QLWM2M?") == ["ERROR"]


def test_wrong_data():
    bench = observed()
    for line in (
        '"uldata",19,4,"hello"',
        '"uldata",19,0,""',
        '"uldata",20,5,"hello"',
        '"uldata",10250,5,"hello"',  # LGU+ only
        '"uldata",x,5,"hello"',
        '"ulhex",19,2,"303"',
        '"ulhex",19,1,"XY"',
        '"ulhex",19,1461,"%s"' % ("30" * 1461),
    ):
        assert bench.say("AT+QLWM2M=" + line) == ["ERROR"], line[:40]


def test_1460_bytes_go_up():
    bench = observed()
    assert bench.say('AT+QLWM2M="ulhex",19,1460,"%s"' % ("5A" * 1460), 500) == ["OK"]
    assert bench.server.deliveries[-1].value == b"Z" * 1460


def test_text_with_commas_quotes_and_semicolons():
    bench = observed()
    text = 'a,b;c"d'
    assert bench.say('AT+QLWM2M="uldata",19,%d,"%s"' % (len(text), text), 500) == ["OK"]
    assert bench.server.deliveries[-1].value == text.encode()


# ---- boot and module


def test_commands_between_rdy_and_app_ready_are_errors():
    bench = Bench("bg96", quiet=False)
    assert bench.wait(600) == ["RDY"]
    bench.say("ATE0")
    assert bench.say("AT") == ["OK"]
    assert bench.say("AT+CFUN?") == ["ERROR"]
    assert bench.wait(1000) == ["+CFUN: 1", "+CPIN: READY", "APP RDY"]
    assert bench.say("AT+CFUN?") == ["+CFUN: 1", "OK"]


def test_identity_and_network():
    bench = bench_of()
    assert bench.say("ATI") == ["Quectel", "BG96", "Revision: BG96MAR02A07M1G", "OK"]
    assert bench.say("AT+CGSN") == ["866971030000717", "OK"]
    assert bench.say("AT+GSN") == ["866971030000717", "OK"]
    assert bench.say("AT+CGMR") == ["BG96MAR02A07M1G", "OK"]
    assert bench.say("AT+QNWINFO")[0] == '+QNWINFO: "CAT-NB1","46011","LTE BAND 5",2506'
    assert bench.say("AT+QCSQ")[0] == '+QCSQ: "CAT-NB1",-52,-81,195,-10'
    assert bench.say("AT+CGPADDR=1") == ['+CGPADDR: 1,"100.97.37.69"', "OK"]
    assert bench.say("AT+CEREG=4;+CEREG=?") == ["+CEREG: (0-2,4)", "OK"]
    for mode in ("3", "5"):
        assert bench.say("AT+CEREG=" + mode) == ["+CME ERROR: 50"], mode
    assert bench.say("AT+QLTS=1")[0].startswith('+QLTS: "2026/01/01,00:00:')
    assert bench.say("AT+QCCID")[0] == "+QCCID: 89860317482035195680"


def test_reset_and_power_down():
    bench = bench_of()
    said = bench.say("AT+CFUN=1,1", 3000)
    assert said[:3] == ["OK", "POWERED DOWN", "RDY"] and "APP RDY" in said
    bench.say("ATE0")
    assert bench.say("AT+QPOWD=1", 500) == ["OK", "POWERED DOWN"]
    assert bench.modem.state_name == "off"


def test_quirk_a_urc_of_an_earlier_life_between_power_down_and_rdy():
    said = bench_of(hostile="stray_urc").say("AT+CFUN=1,1", 3000)
    assert said[:4] == ["OK", "POWERED DOWN", '+QIURC: "closed",0', "RDY"]


def test_quirk_kilobytes_of_noise_after_app_rdy():
    bench = bench_of(hostile="boot_noise")
    bench.modem.receive(b"AT+CFUN=1,1\r")
    bench.clock.advance(3000)
    raw = bench.take_raw()
    assert b"\x00\x1a\xff\n" * 512 in raw[raw.index(b"APP RDY") :]
    assert bench.say("AT")[-1:] == ["OK"]


def test_psm_powers_down_and_the_key_brings_it_back():
    bench = bench_of()
    bench.say('AT+QCFG="psm/urc",1')
    assert bench.say('AT+CPSMS=1,,,"00100001","00000001"') == ["OK"]
    said = []
    while not said:
        said = bench.wait(100)
    assert said == ["PSM POWER DOWN"]
    assert bench.say("AT", 100) == []
    bench.modem.pin("power_key", True)
    bench.modem.pin("power_key", False)  # within a second: not seen
    assert bench.wait(1000) == []
    bench.modem.pin("power_key", True)
    bench.modem.pin("power_key", False)
    said = bench.wait(3000)
    assert said[0] == "RDY" and "APP RDY" in said and "+QPSMTIMER: 3600,2" in said


def test_psm_at_once():
    bench = bench_of()
    bench.type('AT+CPSMS=1,,,"00100001","00101111"', 'AT+QCFG="psm/enter",1')
    assert "PSM POWER DOWN" in bench.wait(15000)


def test_no_psm_from_the_factory():
    bench = bench_of()
    bench.wait(300000)
    assert bench.modem.state_name == "on"


# ---- state machine


def test_registration_lists_own_passed_and_data_objects():
    bench = registered()
    numbers = (0, 1, 2, 3, 4, 6, 7, 5, 9, 15, 19)
    assert bench.server.registrations[EP].objects == ["/%d/0" % number for number in numbers]


def test_configuration_needs_a_boot_once_the_client_runs():
    bench = registered()
    assert bench.say('AT+QLWM2M="epns",1,"other"') == ["OK"]
    assert bench.say('AT+QLWM2M="register"') == ["ERROR"]
    bench.say('AT+QLWM2M="reset"')
    assert bench.restart(20000)[-1] == '+QLWEVENT: 5,"STATE_READY"'
    assert "other" in bench.server.registrations


def test_persistent_files_keep_the_old_server():
    bench = registered()
    old = dict(bench.modem.server())
    bench.say('AT+QLWM2M="bootstrap",1,"coap://10.9.9.9:5683"')
    bench.restart(20000)
    assert bench.modem.server()["uri"] == old["uri"]
    bench.say('AT+QLWM2M="reset"')
    bench.restart(20000)
    assert bench.modem.server()["uri"] == "coap://10.9.9.9:5683"


def test_the_client_starts_at_boot_after_its_sleep_time():
    bench = bench_of(*LESHAN)
    said = bench.restart(6000)
    assert "+QLWEVENT" not in " ".join(said)
    assert bench.wait(3000) == READY


def test_a_client_that_was_started_by_hand_is_not_started_again_after_its_sleep_time():
    bench = bench_of(*LESHAN)
    bench.restart(3000)
    assert bench.say('AT+QLWM2M="register"', 500) == ["OK"] + READY
    assert bench.say('AT+QLWM2M="deregister"', 200) == ["OK", '+QLWEVENT: 0,"STATE_INITIAL"']
    assert bench.wait(30000) == [] and EP not in bench.server.registrations


def test_disabled_and_cleaned_clients_stay_off():
    for line in ('"enable",0', '"clean"'):
        bench = bench_of(*(LESHAN + (line,)))
        assert "+QLWEVENT" not in " ".join(bench.restart(30000))


def test_persistence_across_reboot():
    files = bg96_files.built_in(0)
    bg96_files.set_cfg(files, PER_REGSTATUS_FEAT=1)
    for persistent, number in ((True, 1), (False, 2)):
        bench = bench_of(files=files if persistent else bg96_files.built_in(0))
        bench.say('AT+QLWM2M="register"', 1000)
        bench.restart(20000)
        assert bench.server.registrations[EP].number == number


def test_data_call_retries_double_and_end():
    bench = bench_of('"select",0', '"apn","wrong"', network_apn="right")
    bench.say('AT+QLWM2M="register"', 100)
    waited = []
    tries = bench.modem._tries
    for _ in range(2000):
        bench.wait(1000)
        if bench.modem._tries != tries:
            tries = bench.modem._tries
            waited.append(bench.clock.now // 1000)
    gaps = [waited[n + 1] - waited[n] for n in range(len(waited) - 1)]
    assert bench.modem._tries == 5 and gaps == [60, 120, 240], gaps
    assert bench.modem.attached  # the network is there, LwM2M is not (FAQ 1)
    assert bench.say("AT+CEREG?") == ["+CEREG: 0,1", "OK"]


def test_registration_retries_double_up_to_480_s():
    bench = bench_of(*LESHAN)
    bench.server.refuse = 403
    bench.say('AT+QLWM2M="register",1', 1000)
    tried = []
    for _ in range(2400):
        if '+QLWEVENT: 4,"STATE_REGISTERING"' in bench.wait(1000):
            tried.append(bench.clock.now // 1000)
    gaps = [tried[n + 1] - tried[n] for n in range(len(tried) - 1)]
    assert gaps[:4] == [120, 240, 480, 480], gaps  # the first, of 60 s, lies before


def test_registration_once_is_not_repeated():
    bench = bench_of(*LESHAN)
    bench.server.refuse = 403
    said = bench.say('AT+QLWM2M="register",0', 600000)
    assert said == ["OK"] + READY[:3] + ['+QLWEVENT: 3,"STATE_REGISTER_REQUIRED"']


def test_bootstrap_instead_where_the_carrier_says_so():
    files = bg96_files.built_in(0)
    files[bg96_files.BOOTSTRAP] += bg96_files.bootstrap_text(
        {"uri": "coap://boot:5783", "bootstrap": True, "security": 3, "ssid": 100}, 0).replace("/0/1/", "/0/2/")
    files[bg96_files.CARRIER] = "APN_NAME=a\nSHORT_SERVER_ID1=101\nBS_IF_REG_FAILS=1\n"
    bg96_files.set_cfg(files, BOOTSTRAP_EP_NAME=4)
    bench = bench_of(files=files)
    bench.server.refuse = 403
    said = bench.say('AT+QLWM2M="register"', 1000)
    assert '+QLWEVENT: 2,"STATE_BOOTSTRAPPING"' in said and said[-1] == '+QLWEVENT: 1,"STATE_BOOTSTRAP_REQUIRED"'


def test_several_accounts_in_bootstrap_ini():
    """3.3: the first that is no bootstrap server's counts, with the APN of its own section in carrier_apn_cfg (3.3.2)."""
    files = bg96_files.built_in(0)
    accounts = (("coap://boot:5783", True, 100), ("coap://10.0.0.2:5683", False, 102), ("coap://10.0.0.1:5683", False, 101))
    files[bg96_files.BOOTSTRAP] = "".join([
        bg96_files.bootstrap_text({"uri": uri, "bootstrap": boot, "security": 3, "ssid": ssid}, 900).replace(
            "/0/1/", "/0/%d/" % place).replace("/1/1/", "/1/%d/" % place)
        for place, (uri, boot, ssid) in enumerate(accounts)])
    files[bg96_files.CARRIER] = "APN_NAME=a\nSHORT_SERVER_ID1=101\n;\nAPN_NAME=b\nSHORT_SERVER_ID1=102\n"
    bench = bench_of(files=files, network_apn="b")
    assert bench.say('AT+QLWM2M="register"', 500)[-1] == '+QLWEVENT: 5,"STATE_READY"'
    assert bench.modem.server()["uri"] == "coap://10.0.0.2:5683" and bench.say('AT+QLWM2M="update",102') == ["OK"]
    assert bench.modem.settings.bootstrap()["ssid"] == 100


def test_what_a_person_alone_sets_is_taken_and_kept():
    """4.1: IP version and debug port, and the files of the maker's back-up."""
    bench = bench_of('"select",0', '"ippref",1', '"qcli_en",0', '"bootstrap",1,"coap://10.9.9.9:5683"', '"bootstrap",0')
    assert bench.modem.nvram["ippref"] == 1 and bg96_files.QCLI not in bench.modem.files()
    assert bench.modem.files()[bg96_files.BOOTSTRAP] == bench.modem.files()[bg96_files.FACTORY]


def test_a_carrier_type_is_kept_and_changes_nothing_that_a_host_sees():
    """3.3.3 names two and says no more of them."""
    for kind in (0, 1):
        files = bg96_files.built_in(0)
        bg96_files.set_cfg(files, CARRIER_TYPE=kind)
        bench = bench_of(files=files)
        assert bench.say('AT+QLWM2M="register"', 500) == ["OK"] + READY and bench.modem.settings.cfg["CARRIER_TYPE"] == kind


def test_what_a_reset_deletes_is_used_until_the_next_boot():
    """4.1, reset: "to make all configurations take effect after module resetting"; 3.3, note: read at boot."""
    bench = registered()
    for line in ('"deregister"', '"bootstrap",1,"coap://10.9.9.9:5683"', '"reset"'):
        assert bench.say("AT+QLWM2M=" + line, 300)[0] == "OK"
    assert bench.say('AT+QLWM2M="register"', 500)[-1] == '+QLWEVENT: 5,"STATE_READY"' and bench.modem.server()["uri"] == URI
    for name in (False, True):
        files = {"ssl/101_server.psk": "node-1:00FF"}
        bench = bench_of('"clean"', files=files, clean_keys=name)
        assert ("ssl/101_server.psk" in bench.modem.files()) is not name


def test_bootstrap_attempts_are_limited():
    for most, expected in ((0, 1), (2, 3)):
        bench = bench_of('"select",0', '"bsmode",1', '"endpoint",4,4')
        bg96_files.set_cfg(bench.modem.files(), REBOOTSTRAP_REG_FAILS_MAX_NO_ATTEMPTS=most)
        said = bench.say('AT+QLWM2M="register"', 900000)
        assert said.count('+QLWEVENT: 2,"STATE_BOOTSTRAPPING"') == expected


def test_no_lwm2m_while_roaming_unless_allowed():
    for allowed, last in ((1, '+QLWEVENT: 0,"STATE_INITIAL"'), (0, '+QLWEVENT: 5,"STATE_READY"')):
        bench = bench_of(*LESHAN, roaming=True)
        bg96_files.set_cfg(bench.modem.files(), ROAMING_FEAT=allowed)
        assert bench.say('AT+QLWM2M="register"', 5000)[-1] == last


def test_endpoint_7_needs_a_telephone_number():
    bench = bench_of(*(LESHAN + ('"endpoint",7,7',)))
    assert bench.say('AT+QLWM2M="register"', 60000)[-1] == '+QLWEVENT: 3,"STATE_REGISTER_REQUIRED"'
    bench = bench_of(*(LESHAN + ('"endpoint",7,7',)), msisdn="5755127091")
    assert bench.say('AT+QLWM2M="register"', 1000)[-1] == '+QLWEVENT: 5,"STATE_READY"'
    assert "urn:imei-msisdn:866971030000717-5755127091" in bench.server.registrations


def test_update_lifetime_deregister():
    bench = registered()
    registration = bench.server.registrations[EP]
    assert bench.say('AT+QLWM2M="update",101', 200) == ["OK"]
    assert bench.say('AT+QLWM2M="update",101,1', 200) == ["OK"]
    assert registration.updates == 2
    assert bench.say('AT+QLWM2M="update",7') == ["ERROR"]
    assert bench.say('AT+QLWM2M="lifetime",101,900', 200) == ["OK"]
    assert registration.lifetime == 900
    assert bench.say('AT+QLWM2M="deregister"', 200) == ["OK", '+QLWEVENT: 0,"STATE_INITIAL"']
    assert EP not in bench.server.registrations


def test_a_server_that_forgot_us_is_registered_with_anew():
    bench = registered()
    bench.server.restart()
    said = bench.say('AT+QLWM2M="update",101', 500)
    assert said == ["OK"] + READY[1:]


def test_network_loss_leaves_ready():
    bench = registered()
    bench.link.radio(up=False)
    bench.modem.set_coverage(False)
    assert '+QLWEVENT: 0,"STATE_INITIAL"' in bench.wait(12000)
    bench.link.radio(up=True)
    bench.modem.set_coverage(True)
    assert bench.wait(5000)[-1] == '+QLWEVENT: 5,"STATE_READY"'


# ---- server


def test_observe_and_cancel():
    bench = observed(observe_flag=False)
    bench.server.cancel(EP, "/19/0/0")
    said = bench.wait(100)
    assert said[0].endswith(',"/19/0/0",1')
    bench = registered(observe_flag=True)
    assert bench.told("observe", "/19/0/0")[0].endswith(',"/19/0/0",0')
    assert bench.say('AT+QLWM2M="uldata",19,2,"hi"', 100) == ["OK"]


def test_data_without_an_observation_is_an_error():
    assert registered().say('AT+QLWM2M="uldata",19,2,"hi"') == ["ERROR"]


def test_downlink_in_text_and_hex():
    bench = registered()
    assert bench.told("write", "/19/1/0", b"hello", content_format=0) == ['+QLWDLDATA: "/19/1/0",4,5,"hello"']
    assert bench.told("write", "/19/1/0", b"\x00\xff", content_format=42) == ['+QLWDLDATA: "/19/1/0",5,2,"00FF"']
    bench.say('AT+QLWM2M="dltype",1')
    assert bench.told("write", "/19/1/0", b"hello", content_format=0) == ['+QLWDLDATA: "/19/1/0",4,5,"68656C6C6F"']


def test_what_a_pipe_cannot_do():
    bench = registered()
    asked = ((bench.server.read(EP, "/19/0/0"), 405),
             (bench.server.execute(EP, "/19/0/0"), 405), (bench.server.read(EP, "/3303/0"), 404),
             (bench.server.read(EP, "/10250/0"), 404),
             (bench.server.discover(EP, "/19/0"), 205),
             (bench.server.write_attributes(EP, "/19/0", ("pmin=5",)), 204), (bench.server.read(EP, "/3/0/1"), 205))
    assert bench.wait(300) == []
    for exchange, code in asked:
        assert exchange.code == code, exchange.path


def test_server_triggers():
    bench = registered(executes=False)  # 3.3: "only reading/writing of objects"
    asked = [bench.server.execute(EP, path) for path in ("/1/0/8", "/3/0/4", "/5/0/2")]
    bench.wait(300)
    assert [exchange.code for exchange in asked] == [405] * 3
    bench = registered()
    bench.asked("execute", "/1/0/8", ms=200)
    assert bench.server.registrations[EP].updates == 1
    bench.asked("write", "/1/0/1", b"900", content_format=0, ms=200)
    assert bench.server.registrations[EP].lifetime == 900
    bench.asked("write", "/1/0/7", b"UQ", content_format=0, ms=200)
    assert bench.server.registrations[EP].binding == "UQ"
    bench.asked("write", "/1/0/5", b"60", content_format=0, ms=200)
    bench.asked("execute", "/1/0/4", ms=59000)
    assert EP not in bench.server.registrations
    bench.wait(2000)
    assert bench.server.registrations[EP].binding == "UQ"
    bench.server.execute(EP, "/3/0/4")
    assert "RDY" in bench.wait(2000)


def test_dfota_in_band_and_out_of_band():
    for uri in ("coap://host/fw", "https://host/fw"):
        bench = registered()
        bench.asked("observe", "/5/0/3")
        bench.server.write(EP, "/5/0/1", uri.encode(), content_format=0)
        early = bench.asked("execute", "/5/0/2", ms=21000)
        assert early.code == 405
        assert [each.value for each in bench.server.deliveries] == [1, 2]
        assert bench.server.execute(EP, "/5/0/2").code is None
        said = bench.wait(10000)
        assert "RDY" in said
        assert bench.server.deliveries[-1].value == 3
        bench.say("ATE0")
        assert bench.say("AT+CGMR") == ["BG96MAR02A08M1G", "OK"]


def test_dfota_refuses_what_it_cannot_fetch():
    for uri, result in (("ftp://host/fw", 9), ("nonsense", 7)):
        bench = registered()
        bench.asked("write", "/5/0/1", uri.encode(), content_format=0, ms=200)
        exchange = bench.asked("read", "/5/0/5", ms=200)
        assert exchange.value == result


def test_a_key_is_made_and_shown_and_kept_out_of_the_record():
    bench = bench_of(*(LESHAN + ('"bootstrap",4,0',)))
    assert bench.say('AT+QLWM2M="psk",0') == ["OK"]
    said = bench.say('AT+QLWM2M="psk",1')
    assert said[0].startswith('+QLWM2M: "psk","') and len(said[0]) == len('+QLWM2M: "psk",""') + 64
    assert said[0].split('"')[3] not in repr(bench.modem.recent)
    assert bench.modem.account(bench.modem.settings.server() or bench.modem._account()).psk_identity.startswith("IMEI:")


def test_quirk_cme_zero():
    assert bench_of(hostile="cme_zero").say("AT+CFUN=9") == ["+CME ERROR: 0"]


def test_access_mode_as_a_word():
    bench = bench_of('"select",0', '"bootstrap",3,"true"')
    assert bench.say('AT+QLWM2M="bsmode"') == ['+QLWM2M: "bsmode",1', "OK"]
