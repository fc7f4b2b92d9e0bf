"""BC66 against its virtual modem and an LwM2M server: what the scripted dialogues cannot show."""

from fakes.modem_field import Field

from lwnode.lwm2m import FLOAT, OPAQUE, Path, Response
from lwnode.modem import NEED_RECOVER, NOT_REGISTERED, REGISTERED, Server
from lwnode.modem.recovery import bring_back

OBJECTS = [(3303, 0, (5601, 5602, 5605, 5700)), (3306, 0, (5850,))]
TEMPERATURE = Path(3303, 0, 5700)


def reading(value="21.5"):
    return [(TEMPERATURE, FLOAT, value, None)]


def answered(request):
    if request.operation in ("read", "observe"):
        return Response(205, [(TEMPERATURE, FLOAT, "21.5")])
    return Response(204)


def online(**options):
    field = Field("bc66", **options)
    field.response = answered
    field.online(OBJECTS)
    return field


def observed(**options):
    field = online(**options)
    field.server.observe("node-1", "/3303/0/5700")
    field.modem.service(2000)
    assert field.told("observed") == [TEMPERATURE]
    return field


def test_a_cold_start_registers_and_says_so_once():
    field = online()
    assert field.told("registered") == ["server"]
    assert "node-1" in field.server.registrations
    links = field.server.registrations["node-1"].objects
    assert "/3303/0" in "".join([str(link) for link in links])


def test_the_server_reads_writes_executes_and_observes():
    field = online()
    read = field.server.read("node-1", "/3303/0/5700")
    write = field.server.write("node-1", "/3306/0/5850", b"1")
    execute = field.server.execute("node-1", "/3303/0/5605")
    observe = field.server.observe("node-1", "/3303/0/5700")
    field.modem.service(5000)
    assert (read.code, read.value) == (205, 21.5)
    assert write.code == 204
    assert execute.code == 204
    assert observe.code == 205
    assert sorted([request.operation for request in field.requests]) == ["execute", "observe", "read", "write"]


def test_a_written_number_is_the_same_in_each_reading_of_4_3_3():
    """TLV stripped to type 2, typed, or whole: nothing that came before counts, and bytes that are ASCII digits are bytes."""
    from lwnode.lwm2m import ObjectTree
    from testing.lwm2m import codec
    from testing.lwm2m.names import FLOAT as REAL
    from testing.lwm2m.names import INTEGER, TLV

    for how in ("stripped", "typed", "whole_record"):
        field = Field("bc66", {"write_as": how})
        tree, told = ObjectTree(), []
        tree.write_format = field.modem.options["write_format"]
        tree.actuator(3311, {5850: told.append, 5851: told.append}, initial=False, values={5851: 0})
        tree.actuator(3308, told.append, initial=0)
        field.response = tree.handle
        field.online(tree.objects())
        dimmer, level = (3311, 0, 5851), (3308, 0, 5900)
        for kind, path, text in ((INTEGER, dimmer, "57"), (INTEGER, dimmer, "48"), (REAL, level, "21.5"),
                                 (REAL, level, "-0.25"), (INTEGER, dimmer, "1"), (REAL, level, "825307441")):
            write = field.server.write("node-1", path, codec.encode(TLV, path, [(path, kind, text)]), TLV)
            field.modem.service(3000)
            assert write.code == 204 and told[-1] == float(text), (how, text, write.code, told)


def test_no_write_that_the_note_allows_is_lost_by_a_buffer():
    """4.3.3: 512 bytes of opaque, 1024 of text are 1024 and 2048 digits; direct and from the module's buffer (4.2.13)."""
    for buffered in (False, True):
        for how, kind, length in (("stripped", 42, 512), ("typed", 0, 1024)):
            field = Field("bc66", {"write_as": how}, buffered=buffered)
            field.response = answered
            field.online([(19, 1, (0,))])
            data = bytes([33 + number % 90 for number in range(length)])
            for _ in range(3):
                write = field.server.write("node-1", "/19/1/0", data, kind)
                field.modem.service(1000)
                assert write.code == 204 and field.requests[-1].value == data, (how, buffered, write.code)
            # Several at once: what the queue's bytes do not hold is refused, and nobody waits for ever.
            writes = [field.server.write("node-1", "/19/1/0", data, kind) for _ in range(6)]
            field.modem.service(5000)
            codes = [each.code for each in writes]
            assert len(field.requests) == 3 + codes.count(204) >= 4 and set(codes) <= {204, 400}, (how, buffered, codes)


def test_a_confirmed_report_reaches_the_server_and_is_told_as_delivered():
    field = observed()
    ticket = field.modem.publish(reading("22.5"))
    assert field.modem.settle(field.modem.deadline_ms)
    assert field.told("delivered") == [ticket]
    assert [(entry.path, entry.value) for entry in field.server.deliveries][-1] == ((3303, 0, 5700), 22.5)


def test_a_report_into_an_outage_fails_after_its_deadline_and_no_earlier():
    field = observed()
    field.link.radio(up=False)
    began = field.clock.now
    ticket = field.modem.publish(reading())
    field.modem.settle(field.modem.deadline_ms + 1000)
    assert [detail[0] for detail in field.told("failed")] == [ticket]
    # 2 s x (1+2+4+8+16); RFC 7252 draws the first wait from 1 to 1.5 times that.
    assert 55000 <= field.clock.now - began <= 64000


def test_the_first_wake_with_a_kept_session_costs_few_exchanges():
    """Wake pin, AT, QSCLK=0, QLWSTATUS?, QLWRECOVER, QLWNOTIFY, QSCLK=1, QRELLOCK."""
    field = observed()
    field.modem.sleep()  # whether it does is not waited for here
    field.clock.advance(60000)
    assert field.target.state()["power"] == "asleep"
    kept = field.modem.snapshot()
    field.boot()
    assert field.modem.restore(kept)
    assert field.modem.wake()
    assert not field.modem.configure(Server("192.0.2.7", 5683, "node-1", 900))
    assert not field.modem.declare(OBJECTS)
    assert field.modem.status() == NEED_RECOVER
    assert field.modem.recover(60000)
    ticket = field.modem.publish(reading("19.5"))
    assert field.modem.settle(field.modem.deadline_ms)
    assert field.told("delivered")[-1] == ticket
    field.modem.sleep()
    assert field.exchanges() <= 8, [line for line in field.target.recent]


def test_sleep_is_confirmed_by_event_or_status_pin():
    field = online(sleep_confirm_ms=60000)
    assert field.modem.sleep()
    field.clock.advance(1000)  # it says so before it goes down
    assert field.target.state()["power"] == "asleep"


def test_bring_back_after_sleep_recovers_without_registering_again():
    field = observed()
    field.modem.sleep()
    field.clock.advance(60000)
    assert field.modem.wake()
    assert bring_back(field.modem, 60000)
    assert field.modem.stats["tried_recover"] == 1
    assert "tried_register" not in field.modem.stats
    assert len(field.told("registered")) == 1


def test_bring_back_registers_where_the_registration_is_gone():
    field = online()
    assert field.modem.deregister()
    assert bring_back(field.modem, 60000)
    assert field.modem.status() == REGISTERED


def test_a_module_that_is_off_is_switched_on_by_start():
    """Issue 14: 23 s of asking before the key was pressed, and no pulse of the wake pin before it."""
    field = Field("bc66", playing={"start": "off"})
    began, pressed, move = field.clock.now, [], field.target.pin

    def moved(name, active):
        pressed.append((name, field.clock.now - began))
        move(name, active)

    field.target.pin = moved
    assert field.modem.start()
    assert [name for name, _ in pressed[::2]] == ["wake", "power_key"]
    assert pressed[2][1] < 11000
    assert field.told("restarted") == ["power"]


def test_a_module_asleep_since_before_power_on_is_woken_by_its_wake_pin():
    field = online()
    field.modem.sleep()
    field.clock.advance(60000)
    field.boot()
    field.pins.pulses.clear()
    began = field.clock.now
    assert field.modem.start() and field.clock.now - began < 8000
    assert [name for name, _ in field.pins.pulses] == ["wake"], "the power key would have switched it off"


def test_the_second_configuration_costs_nothing():
    field = online()
    field.exchanges()
    assert not field.modem.configure(Server("192.0.2.7", 5683, "node-1", 900))
    assert not field.modem.declare(OBJECTS)
    assert field.exchanges() == 0


def test_another_server_is_configured_after_leaving_the_first():
    field = online()
    field.modem.configure(Server("192.0.2.8", 5683, "node-1", 900))
    assert field.modem.register(60000)
    assert field.modem.status() == REGISTERED


def test_history_goes_as_opaque_on_19_0_0():
    field = Field("bc66")
    field.response = lambda request: Response(205, [(Path(19, 0, 0), OPAQUE, b"")])
    field.online([(19, 0, (0,))])
    field.server.observe("node-1", "/19/0/0")
    field.modem.service(2000)
    from lwnode.lwm2m import pack_senml
    pack, used = pack_senml([(TEMPERATURE, FLOAT, "21.5", 1767225600), (TEMPERATURE, FLOAT, "21.6", 1767225660)], 512)
    assert used == 2
    ticket = field.modem.publish([(Path(19, 0, 0), OPAQUE, pack, None)])
    assert field.modem.settle(field.modem.deadline_ms)
    assert field.told("delivered") == [ticket]
    assert [(entry.path, entry.time) for entry in field.server.deliveries][-2:] == [
        ((3303, 0, 5700), 1767225600), ((3303, 0, 5700), 1767225660)]


# ---- what the module does by itself (3.3, 3.4, 4.2.1)


def test_the_back_off_chains_end_in_a_registration_or_a_reason():
    """3.3: nothing is sent while a chain runs; its end is +QLWREG."""
    field = Field("bc66", ack_timeout=1, max_retransmit=1)
    field.response = answered
    assert field.modem.start()
    if field.modem.configure(Server("192.0.2.7", 5683, "node-1", 900)):
        field.modem.restart()
    field.modem.declare(OBJECTS)
    assert field.modem.attach(60000)
    field.link.radio(up=False)
    assert not field.modem.register(60000)
    assert field.modem.refusal == "registration: status 1"
    field.link.radio(up=True)
    assert bring_back(field.modem, 60000)
    # Case 3: the server has forgotten us, the update fails, the module registers again by itself.
    field.server.restart()
    field.exchanges()
    assert not field.modem.update()
    field.modem.service(20000)
    assert field.modem.status() == REGISTERED
    assert len(field.told("lost")) == 1
    assert field.told("lost")[0].startswith("update: ")
    assert len(field.told("registered")) == 2
    assert field.exchanges() == 2  # QLWUPDATE and QLWSTATUS?, no QLWREG


def test_auto_registration_is_waited_for():
    """3.4 case 2: with auto_reg 1 the module registers after +IP."""
    field = Field("bc66", auto_reg=True)
    field.response = answered
    field.online(OBJECTS)
    assert "AT+QLWREG" not in [line for _, direction, line in field.target.recent if direction == ">"]
    assert "node-1" in field.server.registrations


def test_an_operator_sim_is_found_and_set_right():
    """3.4 case 1: at its first boot the module has configured and registered itself with the operator's server."""
    field = Field("bc66", playing={"operator_sim": True})
    field.server.accepts_key = lambda account: True
    field.response = answered
    field.clock.advance(5000)
    field.online(OBJECTS)
    assert "node-1" in field.server.registrations
    assert field.target.nvram["bs"] == 0


def test_the_registered_binding_is_the_configured_one_and_is_said_once():
    """Figure 15 registers with UQ; QLWUPDATE=1,0 makes it U (Figure 16), and the next registration keeps that (Figure 17)."""
    for binding, line in (("U", "AT+QLWUPDATE=1,0"), ("UQ", "AT+QLWUPDATE=1,1")):
        field = Field("bc66")
        field.response = answered
        field.online(OBJECTS, Server("192.0.2.7", 5683, "node-1", 900, binding))
        assert field.server.registrations["node-1"].binding == binding
        assert len([each for each in field.target.recent if line in str(each)]) == 1
        kept = field.modem.snapshot()
        field.boot()
        assert field.modem.restore(kept) and field.modem.wake() and field.modem.deregister()
        assert field.modem.register(60000)
        assert field.server.registrations["node-1"].binding == binding
        assert len([each for each in field.target.recent if line in str(each)]) == 1


def test_the_module_updates_by_itself_in_the_formulas_time():
    """4.2.1: 30 s of lifetime are refreshed after 15 s; the driver only hears of it."""
    field = Field("bc66")
    field.response = answered
    field.online(OBJECTS, Server("192.0.2.7", 5683, "node-1", 30))
    field.exchanges()
    del field.events[:]
    field.modem.service(46000)
    assert field.told("updated") == [None, None, None]
    assert field.exchanges() == 0


def test_lost_lines_are_recovered_by_asking():
    """Every URC may be lost; each has a query, or a deadline, that brings the same state."""
    for lost, check in (("+QLWREG", lambda field: field.modem.register(3000)),
                        ("recovered", lambda field: field.modem.recover(3000))):
        field = observed()
        if lost == "recovered":
            field.modem.sleep()
            field.clock.advance(60000)
            assert field.modem.wake()
            assert field.modem.status() == NEED_RECOVER
        else:
            assert field.modem.deregister()
        field.target.faults.arm("lost_urc", value=lost)
        assert check(field), lost
    field = observed()
    field.target.faults.arm("lost_urc", value='"report"')
    ticket = field.modem.publish(reading("20.5"))
    assert field.modem.settle(field.modem.deadline_ms)
    assert field.told("delivered") == [ticket]
    field.target.faults.arm("lost_urc", value="report_ack")
    ticket = field.modem.publish(reading("20.4"))
    field.modem.settle(field.modem.deadline_ms + 1000)
    assert [detail[0] for detail in field.told("failed")] == [ticket]


def test_each_setting_of_the_model_can_be_asked_alone():
    """4.2.2: the query of one row. The driver asks so where the list lacks a row."""
    field = online()
    for name in ("auto_reg", "per_regstatus_feat", "rai_enable", "retransmit", "auto_ack", "access_mode", "recovery_mode",
                 "retransmit_mode"):
        assert field.at.write("+QLWCFG", name)[0][0] == name


# ---- security, bootstrap, the server's own wishes


def test_a_key_opens_the_server_and_a_wrong_one_does_not():
    for psk, done in (("00ff00ff", True), ("00ff00fe", False)):
        field = Field("bc66", playing={"backoff_ms": 10}, keys={"me": "00ff00ff"}, ack_timeout=1, max_retransmit=1)
        account = Server("192.0.2.7", 5684, "node-1", 900, security="psk", psk_identity="me", psk=psk)
        assert field.modem.start()
        if field.modem.configure(account):
            field.modem.restart()
        assert field.modem.attach(60000)
        assert field.modem.register(60000) is done
        assert done or field.modem.refusal == "registration: status 1"


def boot_account(field):
    """A bootstrap server that hands out the account of the same server, and lifetime and binding with it."""
    from testing.lwm2m import codec
    from testing.lwm2m.names import BOOLEAN, INTEGER, STRING, TLV

    security = [((0, 1, 0), STRING, "coap://host:5683"), ((0, 1, 1), BOOLEAN, "0"), ((0, 1, 2), INTEGER, "3"),
                ((0, 1, 10), INTEGER, "1")]
    server = [((1, 0, 0), INTEGER, "1"), ((1, 0, 1), INTEGER, "1800"), ((1, 0, 2), INTEGER, "1"),
              ((1, 0, 3), INTEGER, "3600"), ((1, 0, 7), STRING, "UQ")]
    field.server.bootstrap = [
        ("delete", (0, 1)), ("write", (0, 1), TLV, codec.encode(TLV, (0, 1), security)),
        ("write", (1, 0), TLV, codec.encode(TLV, (1, 0), server))]
    return Server("boot.example.org", 5683, "node-1", 900, bootstrap=True)


def bootstrapped(**options):
    field = Field("bc66", playing={"backoff_ms": 10}, **options)
    field.response = answered
    field.online(OBJECTS, boot_account(field))
    return field


def test_a_registration_begins_with_the_bootstrap_server():
    field = bootstrapped()
    field.modem.service(1000)
    assert ("bootstrapped", None) in field.events
    assert ("lifetime", 1800) in field.events
    assert ("binding", "UQ") in field.events
    assert field.server.registrations["node-1"].lifetime == 1800


def chain(boots, accepted, codes):
    """What the module tries, and what register() makes of it: answers of the bootstrap server and of the server in turn."""
    field = Field("bc66", playing={"backoff_ms": 10, "refusal_status": True})
    field.response = answered
    account = boot_account(field)
    assert field.modem.start()
    if field.modem.configure(account):
        field.modem.restart()
    assert field.modem.attach(60000)
    tried = []
    bootstrap, register = field.link.bootstrap, field.link.register

    def boot(account, endpoint, write, done):
        tried.append("bootstrap")
        if boots[tried.count("bootstrap") - 1]:
            bootstrap(account, endpoint, write, done)
        else:
            field.clock.after(300, lambda: done(None))

    def enter(account, *more):
        tried.append("register")
        if accepted[tried.count("register") - 1]:
            register(account, *more)
        else:
            field.clock.after(300, lambda: more[-1](codes))

    field.link.bootstrap, field.link.register = boot, enter
    done = field.modem.register(190000)
    assert field.modem.status() == (REGISTERED if done else NOT_REGISTERED)
    return tried, done, field.modem.refusal, len(field.told("bootstrapped"))


def test_a_bootstrap_that_fails_is_tried_twice_by_the_module_and_told_once():
    """3.3 case 1."""
    assert chain([False, False], [], None) == (["bootstrap"] * 2, False, "registration: status 1", 0)
    assert chain([False, True], [True], None) == (["bootstrap"] * 2 + ["register"], True, "", 1)


def test_a_server_that_fails_behind_a_bootstrap_leads_back_to_the_bootstrap_server():
    """3.3 case 2: the server twice, the bootstrap server again, and +QLWREG: 1 when that fails too."""
    once = ["bootstrap", "register", "register"]
    assert chain([True, False, False], [False, False], None) == (
        once + ["bootstrap"] * 2, False, "registration: status 1", 1)
    assert chain([True, True], [False, False, True], None) == (once + ["bootstrap", "register"], True, "", 2)
    assert chain([True], [False, True], None) == (once, True, "", 1)


def test_an_update_or_a_recovery_that_fails_leads_to_the_bootstrap_server_too():
    """3.3 cases 3 and 4: a registration, its retry, then the bootstrap server, and +QLWREG; nothing is sent meanwhile."""
    for begin in ("update", "recovery"):
        for boots in (True, False):
            field = bootstrapped(ack_timeout=1, max_retransmit=1)
            tried, register, bootstrap = [], field.link.register, field.link.bootstrap

            def enter(account, *more, field=field, tried=tried, register=register):
                tried.append("register")
                if "bootstrap" in tried:
                    register(account, *more)
                else:
                    field.clock.after(300, lambda: more[-1](None))

            def boot(*given, field=field, tried=tried, bootstrap=bootstrap, boots=boots):
                tried.append("bootstrap")
                if boots:
                    bootstrap(*given)
                else:
                    field.clock.after(300, lambda: given[-1](None))

            if begin == "recovery":
                field.modem.sleep()
                field.clock.advance(60000)
            field.server.restart()
            field.link.register, field.link.bootstrap = enter, boot
            del field.target.recent[:]
            if begin == "update":
                assert not field.modem.update()
                field.modem.service(20000)
            else:
                assert field.modem.wake() and field.modem.recover(70000) is boots
            assert tried == ["register"] * 2 + (["bootstrap", "register"] if boots else ["bootstrap"] * 2), (begin, tried)
            assert field.modem.status() == (REGISTERED if boots else NOT_REGISTERED)
            said = [line for _, _, line in field.target.recent]
            assert "+QLWREG: %d" % (not boots) in said and "AT+QLWREG" not in said


def test_the_status_code_of_a_refusal_is_told_by_name():
    """Chapter 6, and what the model makes of CoAP's codes."""
    for code, name in ((400, "status 10"), (403, "status 13"), (404, "status 14"), (412, "status 22"), (None, "status 1")):
        tried, done, refusal, _ = chain([True, True], [False] * 4, code)
        assert not done and refusal == "registration: " + name, (code, refusal)
        field = online()
        update = field.server.handle_update
        field.server.handle_update = lambda *_, code=code: code
        done = field.modem.update()
        field.server.handle_update = update
        if code is not None:
            assert not done and field.told("lost") == ["update: " + name]
            field.modem.service(20000)
            assert field.modem.status() == REGISTERED
    field = online()
    field.server.handle_update = lambda *_: 500  # what has no number of its own
    assert not field.modem.update() and field.told("lost") == ["update: status 4"]


def test_the_server_asks_for_another_bootstrap():
    """4.3.17: nothing is registered by us; bs_finished and +QLWREG follow by themselves."""
    field = bootstrapped()
    field.server.execute("node-1", "/1/0/9")
    field.modem.service(20000)
    assert field.told("bootstrapping") == ["status 0"]
    assert len(field.told("bootstrapped")) == 2
    assert field.modem.status() == REGISTERED


def test_the_server_resets_the_module_to_its_factory_state():
    """4.3.16, note 1: deregistered, reset, bootstrapped again; what we have declared is declared again."""
    field = bootstrapped()
    field.server.execute("node-1", "/3/0/5")
    field.modem.service(60000)
    assert field.told("factory_reset") == ["status 0"]
    assert bring_back(field.modem, 120000)
    links = "".join([str(link) for link in field.server.registrations["node-1"].objects])
    assert "/3303/0" in links
    assert "/3306/0" in links


def test_the_server_forbids_contact_for_a_while():
    """4.3.15: the module is silent for 1/0/5 seconds, then registers by itself."""
    field = online()
    field.server.write("node-1", "/1/0/5", b"120", 0)
    field.server.execute("node-1", "/1/0/4")
    field.modem.service(5000)
    assert field.told("disabled") == [120]
    assert not field.modem.register(5000)
    field.modem.service(180000)
    assert field.modem.status() == REGISTERED


def test_the_server_changes_lifetime_and_binding():
    from testing.lwm2m.names import TEXT_PLAIN

    field = online()
    field.server.write("node-1", "/1/0/1", b"1200", TEXT_PLAIN)
    field.server.write("node-1", "/1/0/7", b"UQ", TEXT_PLAIN)
    field.modem.service(5000)
    assert ("lifetime", 1200) in field.events
    assert ("binding", "UQ") in field.events


def test_requests_wait_in_buffer_mode_while_the_host_sleeps():
    field = Field("bc66", buffered=True)
    field.response = answered
    field.online(OBJECTS)
    field.target.faults.arm("lost_urc", value="buffer")  # the host did not listen
    read = field.server.read("node-1", "/3303/0/5700")
    field.modem.service(3000)
    assert field.requests == []
    assert field.modem.wake()
    field.modem.service(3000)
    assert (read.code, read.value) == (205, 21.5)
