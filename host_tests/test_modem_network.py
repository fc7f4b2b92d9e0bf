"""SIM, attachment, signal, clock and power saving: what all families ask in nearly the same way."""

from doctor import identity
from fakes.modem_bench import ATTACHED as READY, Bench
from fakes.store import Store
from fakes.modem_field import Field
from fakes.refusal import raised

from lwnode.modem import network as timers
from lwnode.node.contact import back_off_reason



def bench(family="bc66", **answers):
    table = dict(READY)
    if "AT+CPIN?" in answers or "AT+CFUN?" in answers:  # nobody is registered before SIM and radio are in order
        table["AT+CEREG?"] = in_turn("+CEREG: 0,0", "+CEREG: 0,1")
    table.update(answers)
    return Bench(family, table)


def in_turn(*answers):
    left = list(answers)
    return lambda line: left.pop(0) if len(left) > 1 else left[0]


# ---- identity


def test_identity_tells_what_the_module_tells():
    one = bench(**{"AT+CGMM": "BC66", "AT+CGMR": "Revision: BC66NBR01A10", "AT+CGSN=1": "+CGSN: 867997030052996",
                   "AT+QCCID": "+QCCID: 89882390000012345678"})
    assert identity(one.modem) == {
        "model": "BC66", "revision": "BC66NBR01A10", "imei": "867997030052996", "iccid": "89882390000012345678"}
    assert "AT+CIMI" not in one.commands


def test_identity_of_a_bare_answer_and_of_a_refused_one():
    one = bench("bg96", **{"AT+CGMM": "BG96", "AT+CGMR": "BG96MAR04A02M1G", "AT+CGSN": "864508030012428",
                           "AT+QCCID": "+CME ERROR: 10"})
    assert identity(one.modem) == {"model": "BG96", "revision": "BG96MAR04A02M1G", "imei": "864508030012428"}


def test_a_urc_in_between_is_not_taken_for_an_identity():
    one = bench(**{"AT+CGMR": ["+IP: 10.0.0.1", "Revision: BC66NBR01A10", "OK"]})
    assert identity(one.modem)["revision"] == "BC66NBR01A10"


# ---- SIM


def test_a_sim_that_is_busy_is_waited_for():
    one = bench(**{"AT+CPIN?": in_turn("+CME ERROR: 14", "+CME ERROR: 14", "+CPIN: READY")})
    assert one.modem.attach(60000)


def test_a_missing_sim_is_told_at_once():
    for answer in ("+CME ERROR: 10", "+CME ERROR: SIM not inserted"):
        one = bench(**{"AT+CPIN?": answer})
        began = one.clock.now
        assert not one.modem.attach(60000)
        assert one.told("refused") == ["SIM: not inserted"]
        assert one.clock.now - began < 5000


def test_a_sim_that_only_a_person_can_help_is_told_by_name():
    for answer, told in (("+CME ERROR: 13", "SIM: SIM failure"), ("+CME ERROR: 15", "SIM: SIM wrong"),
                         ("+CME ERROR: 12", "SIM: SIM PUK required"), ("+CME ERROR: SIM wrong", "SIM: SIM wrong")):
        one = bench(**{"AT+CPIN?": answer})
        assert not one.modem.attach(60000)
        assert one.modem.refusal == told
        assert back_off_reason(one.modem.refusal, 1, 0) == "no_sim"


def test_a_damaged_answer_is_no_word_of_the_sim_and_sends_no_node_to_rest_for_a_day():
    one = bench(**{"AT+CPIN?": in_turn("ERROR", "ERROR", "ERROR", "+CPIN: REAFY", "+CPIN: READY")})
    assert one.modem.attach(60000)
    for answer in ("ERROR", "+CPIN: REAFY", "+CME ERROR: 14"):
        one = bench(**{"AT+CPIN?": answer})
        assert not one.modem.attach(60000)
        assert back_off_reason(one.modem.refusal, 1, 0) == "", one.modem.refusal
    one = bench(**{"AT+CPIN?": "+CME ERROR: 10"})
    assert not one.modem.attach(60000)
    assert back_off_reason(one.modem.refusal, 1, 0) == "no_sim"


def _pinned(store, refusal, pin="1234", **more):
    table = {"AT+CPIN?": "+CPIN: SIM PIN", "AT+CPIN=": refusal, "AT+CEREG?": "+CEREG: 0,0"}
    if more:
        table["AT+CEREG?"] = in_turn("+CEREG: 0,0", "+CEREG: 0,1")
    table.update(more)
    return Bench("bc66", dict(READY, **table), pin=pin, store=store)


def _tries(one):
    return len(one.talker.said("AT+CPIN="))


def test_a_pin_is_tried_once_whatever_the_answer_was():
    """A SIM locks after three; a plain ERROR, a silence and a number count alike."""
    for refusal in ("ERROR", "+CME ERROR: 16", "+CME ERROR: incorrect password", []):
        store, asked = Store(), 0
        for _ in range(4):  # each a new life of the node: what it knows is in the store
            one = _pinned(store, refusal)
            assert not one.modem.attach(60000)
            assert not one.modem.attach(60000)
            assert "is not tried again until it is changed" in one.modem.refusal
            asked += _tries(one)
        assert asked == 1, (refusal, asked)
        changed = _pinned(store, refusal, pin="4321")
        assert not changed.modem.attach(60000)
        assert _tries(changed) == 1
        assert b"1234" not in repr(store.kept).encode() and b"4321" not in repr(store.kept).encode()


def test_a_pin_is_tried_once_where_there_is_no_store():
    one = _pinned(None, "ERROR")
    for _ in range(3):
        assert not one.modem.attach(60000)
    assert _tries(one) == 1


def test_a_reset_in_the_middle_of_a_pin_gives_it_no_second_try():
    class Cut(BaseException):
        pass

    def cut(line):
        raise Cut

    store = Store()
    raised(Cut, _pinned(store, cut).modem.attach, 60000)
    one = _pinned(store, "OK")
    assert not one.modem.attach(60000) and _tries(one) == 0


def test_a_right_pin_whose_answer_was_lost_is_known_by_the_state_of_the_sim():
    store = Store()
    one = _pinned(store, "ERROR", **{"AT+CPIN?": in_turn("+CPIN: SIM PIN", "+CPIN: READY")})
    assert one.modem.attach(60000)
    assert not store.load("pin-refused")
    again = _pinned(store, "OK", **{"AT+CPIN?": in_turn("+CPIN: SIM PIN", "+CME ERROR: 14", "+CPIN: READY")})
    assert again.modem.attach(60000) and _tries(again) == 1


def test_a_taken_pin_that_opens_nothing_is_not_sent_again_in_that_attach():
    one = _pinned(Store(), "OK")
    assert not one.modem.attach(60000)
    assert _tries(one) == 1


def test_a_pin_is_entered_where_the_sim_wants_it():
    table = dict(READY)
    table["AT+CPIN?"] = in_turn("+CPIN: SIM PIN", "+CPIN: READY")
    table["AT+CEREG?"] = in_turn("+CEREG: 0,0", "+CEREG: 0,1")
    store = Store()
    seen = []
    one = Bench("bc66", table, pin="1234", store=store)
    one.at.trace_to(lambda direction, data: seen.append(bytes(data)))
    assert one.modem.attach(60000)
    assert 'AT+CPIN="1234"' in one.commands
    assert b"1234" not in b"".join(seen)
    assert not store.load("pin-refused")


def test_a_pin_without_configuration_is_asked_for_by_name():
    one = bench(**{"AT+CPIN?": "+CPIN: SIM PIN"})
    assert not one.modem.attach(60000)
    assert "no pin is configured" in one.modem.refusal


def test_a_puk_is_not_touched():
    one = bench(**{"AT+CPIN?": "+CPIN: SIM PUK"})
    assert not one.modem.attach(60000)
    assert one.modem.refusal == "SIM: SIM PUK"
    assert one.talker.said("AT+CPIN=") == []


# ---- attachment


def test_progress_and_success():
    one = bench(**{"AT+CEREG?": in_turn("+CEREG: 0,2", "+CEREG: 0,2", "+CEREG: 0,5")})
    assert one.modem.attach(60000)
    assert one.told("attach") == ["searching"]
    assert one.modem.roaming


def test_a_foreign_network_is_none_where_roaming_is_never():
    for state in (5, 10):
        for family in ("bc66", "bc20", "bg96", "me910c1"):
            one = Bench(family, dict(READY, **{"AT+CEREG?": "+CEREG: 0,%d" % state}), roaming="never")
            assert not one.modem.attach(180000) and "roaming" in one.modem.refusal, family
            assert back_off_reason(one.modem.refusal, 1, 0) == "denied", "the network will not change by itself"
            assert "AT+CGPADDR=1" not in one.commands
    assert Bench("bc66", READY, roaming="never").modem.attach(180000)


def test_both_shapes_of_the_answer_are_read():
    """low_power 3.1: <n> first, location and causes behind; a URC has no <n>."""
    for line in ("+CEREG: 0,1", '+CEREG: 2,1,"1A2B","01A2D101",9', '+CEREG: 3,1,"1A2B","01A2D101",9,,', "+CEREG:0,1"):
        assert bench(**{"AT+CEREG?": line}).modem.attach(5000)


def denied(answer, timeout_ms=600000, **more):
    """(seconds until attach gave up, refusal, back-off) where the network answers that for good."""
    one = bench(**dict({"AT+CEREG?": answer}, **more))
    began = one.clock.now
    assert not one.modem.attach(timeout_ms), answer
    assert one.told("refused") == [one.modem.refusal]
    return (one.clock.now - began) // 1000, one.modem.refusal, back_off_reason(one.modem.refusal, 1, 0)


def test_a_denial_counts_when_it_has_lasted_a_minute_or_is_permanent():
    """openwrt 10054; 24.301 9.9.3.9: 3, 6, 7, 8 are of SIM and module, 11 to 15 of this network."""
    for line, seconds, told in (
        ("+CEREG: 0,3", 60, "network: registration denied"),
        ('+CEREG: 3,3,"1A2B","01A2D101",9,0,11', 60, "network: denied (EMM cause 11)"),
        ("+CEREG: 5,3,,,,,0,15", 60, "network: denied (EMM cause 15)"),  # BC66: one field more before the cause
        ("+CEREG: 3,3,,,,0,7", 0, "network: denied (EMM cause 7)"),
        ("+CEREG: 3,3,,,,0,22", 60, "network: denied (EMM cause 22)"),
        ('+CEREG: 5,3,,,,,0,8,"00100001","00000110"', 0, "network: denied (EMM cause 8)"),
        ("+CEREG: 3,3,,,,1,7", 60, "network: registration denied"),  # a cause of the maker's own
    ):
        lasted, refusal, rest = denied(line)
        assert seconds <= lasted <= seconds + 3 and refusal.startswith(told) and rest == "denied", (line, lasted, refusal)
        assert "EMM cause 0" not in refusal
    # Ended by the time allowed: what may still pass is no denial; but no other network came.
    for line, rest in (("+CEREG: 0,3", ""), ("+CEREG: 3,3,,,,0,22", ""), ("+CEREG: 3,3,,,,0,13", "denied")):
        assert denied(line, 20000)[2] == rest, line


def test_a_denial_of_some_seconds_is_outlasted():
    for seconds in (5, 20, 50):
        one = bench(**{"AT+CEREG?": lambda line: "+CEREG: 0,%d" % (3 if one.clock.now < seconds * 1000 else 5)})
        assert one.modem.attach(180000) and one.modem.roaming, seconds
    one = bench(**{"AT+CEREG?": in_turn("+CEREG: 0,3", "+CEREG: 0,2", "+CEREG: 0,1")})
    assert one.modem.attach(60000)


def test_a_module_on_2g_is_attached_although_lte_says_no():
    """TinyGSM PR 467: BG96 on EGPRS, ME910C1 on 2G; asked only where CEREG is not 1 or 5."""
    for family in ("bg96", "me910c1"):
        for name, line in (("+CGREG", "0,5"), ("+CREG", "0,1"), ("+CGREG", "0,9"), ("+CREG", "0,10")):
            one = bench(family, **{"AT+CEREG?": "+CEREG: 0,0", "AT+CGREG?": "+CGREG: 0,0", "AT+CREG?": "+CREG: 0,0",
                                   "AT%s?" % name: "%s: %s" % (name, line)})
            assert one.modem.attach(5000), (family, name)
            assert one.modem.roaming == (line in ("0,5", "0,10"))
        one = bench(family, **{"AT+CGREG?": "+CGREG: 0,5"})
        assert one.modem.attach(5000) and one.talker.said("AT+CGREG") == []
    assert denied("+CEREG: 0,6", 5000)[1] == "network: registered for SMS only"


def test_the_radio_is_switched_on_before_the_sim_is_judged():
    """particle device-os PR 2328, LilyGo-Modem-Series 463; also a host that lost its power between CFUN=0 and CFUN=1."""
    for off in ("+CME ERROR: 13", "+CME ERROR: 10", "ERROR", "+CME ERROR: SIM failure"):
        for state, delay_ms in ((0, 0), (4, 0), (0, 4000)):
            on = []
            one = bench(**{
                "AT+CFUN?": "+CFUN: %d" % state, "AT+CFUN=1": lambda line: on.append(one.clock.now) or "OK",
                "AT+CPIN?": lambda line: "+CPIN: READY" if on and one.clock.now >= on[0] + delay_ms else off})
            assert one.modem.attach(60000), (off, state, one.modem.refusal)
            assert len(on) == 1
        one = bench(**{"AT+CFUN?": "+CFUN: 0", "AT+CPIN?": off})
        assert not one.modem.attach(60000)
        assert back_off_reason(one.modem.refusal, 1, 0) == ("" if off == "ERROR" else "no_sim")


def test_no_network_ends_at_the_deadline():
    one = bench(**{"AT+CEREG?": "+CEREG: 0,2"})
    began = one.clock.now
    assert not one.modem.attach(30000)
    assert one.modem.refusal == "network: searching"
    assert 30000 <= one.clock.now - began <= 33000


def test_registered_without_an_address_is_not_attached():
    """Recovers a lost +IP URC; 0.0.0.0, sixteen zeros and :: are none (TinyGSM 649)."""
    for none in ("+CGPADDR: 1", "+CGPADDR: 1,0.0.0.0", '+CGPADDR: 1,"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"', '+CGPADDR: 1,"::"',
                 '+CGPADDR: 1,"0.0.0.0","::"', "+CGPADDR:1", "+CGPADDR: 1,,"):
        one = bench(**{"AT+CGPADDR=1": in_turn(none, none, '+CGPADDR:1,"10.0.0.7"')})
        assert one.modem.attach(60000) and len(one.talker.said("AT+CGPADDR")) == 3, none
    one = Bench("bc66", dict(READY, **{"AT+CGPADDR=1": "+CGPADDR: 1"}), apn="iot.example")
    assert not one.modem.attach(10000)
    assert one.modem.refusal == "network: registered, but no address (check the APN, now iot.example)"
    assert bench(**{"AT+CGPADDR=1": '+CGPADDR: 1,"0.0.0.0","2001:db8::7"'}).modem.attach(1000)


def test_the_address_of_the_context_in_use_is_asked_for():
    """zephyr PR 118345: with cid 3 an ME910C1 never attached."""
    one = Bench("me910c1", dict(READY, **{"AT+CGPADDR=1": "+CGPADDR: 1", "AT+CGPADDR=3": '+CGPADDR: 3,"10.0.0.7"'}), cid=3)
    assert one.modem.attach(5000)


def test_a_radio_that_is_off_is_switched_on():
    one = bench(**{"AT+CFUN?": "+CFUN: 0"})
    assert one.modem.attach(10000)
    assert "AT+CFUN=1" in one.commands


def test_a_damaged_state_is_no_state():
    """field_quirks 1.7: single-bit errors."""
    one = bench(**{"AT+CEREG?": in_turn("+CEREG: 0,19", "+CEREG: 0,x", "+CEREG:", "+CEREG: 0,1")})
    assert one.modem.attach(60000)


# ---- signal and time


def test_signal_in_dbm_and_impossible_numbers_left_out():
    one = bench(**{"AT+CSQ": "+CSQ: 18,99", "AT+CESQ": "+CESQ: 99,99,255,255,17,45"})
    assert one.modem.signal() == {"rssi": -77, "rsrp": -95, "rsrq": -12}
    unknown = bench(**{"AT+CSQ": "+CSQ: 89,99", "AT+CESQ": "+CESQ: 99,99,255,255,255,255"})
    assert unknown.modem.signal() == {}
    refused = bench(**{"AT+CSQ": "ERROR", "AT+CESQ": "+CME ERROR: 3"})
    assert refused.modem.signal() == {}


def test_clock_strings_of_all_forms():
    """low_power 3.7."""
    for text, wanted in (
        ('"20/11/27,03:37:40+32"', (1606448260, 28800)), ("24/02/19,14:57:04-20", (1708354624, -18000)),
        ("2023/03/09,14:02:31GMT-5", (1678370551, -18000)), ('"2017/01/13,03:40:48+32,0"', None),
        ('"2026/10/02,23:50:20"', (1790985020, None)), ('"80/01/06,02:08:09+00"', None), ("70/01/01,00:00:00", None),
        ("00/01/01,00:00:00+00", None), ("", None), ("moon", None), ("26/13/01,00:00:00", None), ("26/01/01,25:00:00", None),
        ('"26/01/01,00:00:00+00"', (1767225600, 0)),
    ):
        assert timers.parse_clock(text) == wanted, text


def test_network_time_is_utc_or_none():
    assert bench(**{"AT+CCLK?": '+CCLK: "26/01/01,00:00:48+32"'}).modem.network_time() == 1767225648
    assert bench(**{"AT+CCLK?": '+CCLK: "80/01/06,00:00:48+00"'}).modem.network_time() is None
    assert bench(**{"AT+CCLK?": "ERROR"}).modem.network_time() is None


def test_answers_without_the_blank_are_read_alike():
    """Modules print +NAME:1 too."""
    one = bench(**{
        "AT+CSQ": "+CSQ:18,99", "AT+CESQ": "+CESQ:99,99,255,255,17,45", "AT+CCLK?": '+CCLK:"26/01/01,00:00:48+32"',
        "AT+CGSN=1": "+CGSN:867997030052996", "AT+QCCID": "+QCCID:89882390000012345678", "AT+CGMM": "BC66",
        "AT+CGMR": "Revision:BC66NBR01A10", "AT+CPSMS?": '+CPSMS:1,,,"00111000","00011110"', "AT+CFUN?": "+CFUN:1",
        "AT+CPIN?": "+CPIN:READY", "AT+CEREG?": in_turn("+CEREG:0,2", "+CEREG:0,5"), "AT+CGPADDR=1": "+CGPADDR:1,10.0.0.1",
        "AT+CEDRXRDP": '+CEDRXRDP:5,"0101","0011","0001"'})
    assert one.modem.signal() == {"rssi": -77, "rsrp": -95, "rsrq": -12}
    assert one.modem.network_time() == 1767225648
    assert identity(one.modem) == {
        "model": "BC66", "revision": "BC66NBR01A10", "imei": "867997030052996", "iccid": "89882390000012345678"}
    assert not one.modem.power_saving(86400, 60) and not one.modem.edrx(81.92)
    assert not one.talker.said("AT+CEDRXS")
    assert one.modem.attach(20000) and "AT+CFUN=1" not in one.commands
    assert bench("bg96", **{"AT+QLTS=1": '+QLTS:"2026/01/01,00:00:48+32,0"'}).modem.network_time() == 1767225648


# ---- power saving


# low_power 3.1: three bits of unit (600 s, 3600 s...), five of count
_TAU = (600, 3600, 36000, 2, 30, 60, 1152000)
_ACTIVE = (2, 60, 360)


def periodic_tau_s(bits):
    return _TAU[int(bits[:3], 2)] * int(bits[3:], 2)


def active_time_s(bits):
    return _ACTIVE[int(bits[:3], 2)] * int(bits[3:], 2)


def test_timer_codes_differ_between_the_two_timers():
    """3GPP TS 24.008: the same digits mean an hour to T3412 and a minute to T3324."""
    def coded(seconds, units):
        return "{:08b}".format(timers.octet_of(seconds, units))

    assert coded(3600, timers.TAU) == "00000110" and periodic_tau_s("00100001") == 3600
    assert coded(60, timers.ACTIVE) == "00011110" and active_time_s("00100001") == 60
    for seconds in (0, 2, 60, 62, 63, 600, 930, 3600, 18600, 111600, 1116000, 35712000):
        assert seconds <= periodic_tau_s(coded(seconds, timers.TAU)), seconds
    for seconds in (0, 2, 62, 63, 1860, 11160):
        assert seconds <= active_time_s(coded(seconds, timers.ACTIVE)), seconds
    for call in (lambda: coded(35712001, timers.TAU), lambda: coded(11161, timers.ACTIVE),
                 lambda: timers.edrx_code(10486, timers.NB_IOT)):
        assert "expected" in str(raised(ValueError, call))


def test_edrx_codes_by_access():
    assert timers.edrx_code(20.48, timers.NB_IOT) == "0010"
    assert timers.edrx_code(5.12, timers.LTE_M) == "0000"
    assert timers.edrx_code(60, timers.NB_IOT) == "0101"
    assert timers.edrx_code(60, timers.LTE_M) == "0100"
    # Each value of 24.008 10.5.5.32, asked for by its cycle and by a moment more than the one before; NB-IoT has ten of them.
    cycles = (5.12, 10.24, 20.48, 40.96, 61.44, 81.92, 102.4, 122.88, 143.36, 163.84, 327.68, 655.36, 1310.72, 2621.44, 5242.88,
              10485.76)
    for value, cycle in enumerate(cycles):
        assert int(timers.edrx_code(cycle, timers.LTE_M), 2) == value
        assert int(timers.edrx_code(cycle - 0.1, timers.LTE_M), 2) == value, "the shortest that is long enough"
        there = [each for each in (2, 3, 5, 9, 10, 11, 12, 13, 14, 15) if each >= value]
        assert int(timers.edrx_code(cycle, timers.NB_IOT), 2) == there[0]


def test_psm_is_written_only_where_it_differs():
    """On the air a changed setting costs a tracking area update."""
    one = bench(**{"AT+CPSMS?": '+CPSMS: 1,,,"00111000","00011110"'})
    assert not one.modem.power_saving(86400, 60)
    assert one.modem.power_saving(3600, 60)
    assert one.commands[-1] == 'AT+CPSMS=1,,,"00000110","00011110"'
    assert one.modem.power_saving(None)
    assert one.commands[-1] == "AT+CPSMS=0"
    # A module that writes an hour in its own way: compared by duration.
    same = bench(**{"AT+CPSMS?": '+CPSMS: 1,,,"00100001","00100001"'})
    assert not same.modem.power_saving(3600, 60)
    assert same.modem.power_saving(3600, 20) and same.modem.power_saving(7200, 60)
    off = bench(**{"AT+CPSMS?": "+CPSMS: 0"})
    assert not off.modem.power_saving(None)


def test_edrx_is_asked_for_unless_the_network_grants_it():
    """AT+CEDRXS? shows the request even where eDRX is off: CEDRXRDP counts."""
    one = bench(**{"AT+CEDRXRDP": in_turn("+CEDRXRDP: 0", '+CEDRXRDP: 5,"0101","0011","0001"')})
    one.modem.edrx(81.92)
    assert 'AT+CEDRXS=1,5,"0101"' in one.commands
    same = bench(**{"AT+CEDRXRDP": '+CEDRXRDP: 5,"0101","0101","0001"'})
    same.modem.edrx(81.92)
    assert same.talker.said("AT+CEDRXS") == []
    same.modem.edrx(None)
    assert same.commands[-1] == "AT+CEDRXS=0,5"


# ---- against the models


def test_the_models_agree():
    for family in ("bc66", "bc20", "bg96"):
        field = Field(family, apn="iot.example")
        assert field.modem.start()
        known = identity(field.modem)
        assert known["imei"].isdigit() and len(known["imei"]) == 15, family
        assert known["iccid"].startswith("89"), family
        assert field.modem.attach(60000), field.modem.refusal
        assert "rssi" in field.modem.signal(), family
        assert abs(field.modem.network_time() - field.clock.unix()) < 3, family
        assert field.modem.power_saving(7200, 120), family
        assert not field.modem.power_saving(7200, 120), family


def test_who_is_registered_is_asked_neither_for_the_sim_nor_for_the_radio():
    one = bench()
    assert one.modem.attach(60000)
    assert one.talker.commands == ["AT+CEREG?", "AT+CGPADDR=1"]


def test_a_pin_that_turns_out_right_by_a_registration_is_forgotten():
    """Else the next start, with its SIM locked again, would take it for one that was refused."""
    store = Store()
    lost = _pinned(store, [])
    assert not lost.modem.attach(60000) and store.load("pin-refused")
    lost.talker.answers["AT+CEREG?"] = "+CEREG: 0,1"
    assert lost.modem.attach(60000) and not store.load("pin-refused")
