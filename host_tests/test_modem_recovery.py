"""The way back is one for all families: ask, recover, register, restart, power-cycle; each step bounded and counted."""

from fakes.refusal import raised
from fakes.modem_bench import Bench, Pins
from fakes.modem_field import Field

from lwnode.at import AtError, BudgetExceeded
from lwnode.lwm2m import Response
from lwnode.modem import NOT_REGISTERED, REGISTERED, Server
from lwnode.modem.recovery import bring_back, hard_steps_due

FAMILIES = ("bc20", "bc66", "bg96", "me910c1")
STEPS = ("ask", "register", "restart", "power_cycle")
NETWORK = {"AT+CPIN?": "+CPIN: READY", "AT+CFUN?": "+CFUN: 1", "AT+CEREG?": "+CEREG: 0,1",
           "AT+CGPADDR=1": "+CGPADDR: 1,10.0.0.1"}
REGISTERS = {
    "bc66": {"AT+QLWSTATUS?": "+QLWSTATUS: 0", "AT+QLWREG": ["OK", (900, "+QLWREG: 0")]},
    "bc20": {"AT+QLWUPDATE": ["OK", (500, "UPDATE FAIL")], "AT+QLWOPEN=0": ["OK", (900, "CONNECT OK")]},
    "bg96": {'AT+QLWM2M="update",101': "ERROR", 'AT+QLWM2M="register"': ["OK", (900, '+QLWEVENT: 5,"STATE_READY"')]},
}


def shadow():
    """ME910C1: what its agent says depends on whether it has been enabled."""
    on = []

    def enable(line):
        on.append(line)
        return ["OK", (900, 'LWM2M-TLT:"REGISTERED",SSID=99,"coap://h:5683"')]

    return {"AT#LWM2MENA=1": enable, "AT#LWM2MSTAT": lambda line: '#LWM2MGETSTAT: 1,"IDLE"' if on else '#LWM2MGETSTAT: 0,"DIS"',
            "AT#LWM2MMON?": "OK"}


REGISTERS["me910c1"] = shadow


def bench(family, pins=None, **options):
    table = dict(NETWORK)
    own = REGISTERS[family]
    table.update(own() if callable(own) else own)
    return Bench(family, table, pins=pins, command_ms=300, **options)


def counted(modem):
    return [step for step in STEPS if modem.stats.get("tried_" + step)]


def test_a_registration_that_is_gone_is_made_again_without_a_restart():
    for family in REGISTERS:
        one = bench(family)
        assert bring_back(one.modem, 200000), family
        assert counted(one.modem) == ["ask", "register"], family
        assert one.modem._status == REGISTERED
        assert one.modem.failures == 0


def test_a_session_that_stands_costs_one_question():
    for family, answer in (("bc66", {"AT+QLWSTATUS?": "+QLWSTATUS: 2"}), ("bc20", {"AT+QLWUPDATE": ["OK", "UPDATE OK"]}),
                           ("bg96", {'AT+QLWM2M="update",101': "OK"}),
                           ("me910c1", {"AT#LWM2MSTAT": '#LWM2MGETSTAT: 1,"IDLE"'})):
        one = bench(family)
        one.talker.answers.update(answer)
        assert bring_back(one.modem, 60000), family
        assert counted(one.modem) == ["ask"], family


def test_a_silent_module_gets_every_step_and_comes_back_by_its_pins():
    for family in REGISTERS:
        pins = Pins("power_key", "reset")
        one = bench(family, pins=pins)
        one.talker.silent = True

        def pulse(name, one=one):
            one.talker.silent = name != "reset"

        pins.on_pulse = pulse
        assert bring_back(one.modem, 900000), family
        assert counted(one.modem) == list(STEPS), family
        assert ("reset", one.modem.RESET_MS) in pins.pulses, family


def test_a_dead_module_ends_within_the_time_given_and_is_counted():
    for family in FAMILIES:
        one = Bench(family, {}, pins=Pins("power_key", "reset"), command_ms=300)
        one.talker.silent = True
        began = one.clock.now
        assert not bring_back(one.modem, 60000), family
        assert one.modem.failures == 1, family
        assert one.clock.now - began < 300000, (family, one.clock.now - began)


def test_a_silent_module_is_power_cycled_ever_more_seldom():
    """Issue 15 G: each time is a minute of awake time; what it cures it cures the first times."""
    for family in FAMILIES:
        one = Bench(family, {}, pins=Pins("power_key", "reset"), command_ms=300)
        one.talker.silent = True
        cycled = []
        for attempt in range(40):
            before = len(one.pins.pulses)
            assert not one.modem.start(hard_steps_due(one.modem))
            if len(one.pins.pulses) > before:
                cycled.append(attempt)
        assert cycled == [0, 1, 2, 4, 8, 16, 32], (family, cycled)
        before = len(one.pins.pulses)
        assert not one.modem.start() and len(one.pins.pulses) > before  # a person asks for it
        one.talker.silent = False
        assert one.modem.start(), family


def test_a_module_of_another_family_is_refused_by_its_name():
    """A node that was configured for the wrong module says so at its first start, with the right name."""
    for family, models in (("bc66", ("BG96", "Quectel BC20", "ME910C1-WW")), ("bg96", ("BC66", "NE910C1-EU")),
                           ("me910c1", ("BC66NB-04", "BG96")), ("bc20", ("BC66", "ML865C1-EA"))):
        for model in models:
            one = bench(family)
            one.talker.answers["AT+CGMM"] = model
            error = raised(AtError, one.modem.start)
            right = [name for name in FAMILIES if name[:4] == model.lower().replace("quectel ", "")[:4]]
            right = right or ["me910c1"]
            assert '"family": "%s"; set "family": "%s"' % (family, right[0]) in str(error)
            assert model.upper() in one.modem.refusal == one.told("refused")[0]
    for family, model in (("bc66", "BC66-NA"), ("me910c1", "NE910C1-WW"), ("bg96", "Unheard Of"), ("bc20", "")):
        one = bench(family)
        one.talker.answers["AT+CGMM"] = model or "ERROR"
        assert one.modem.start(), (family, model)


def test_no_network_is_no_reason_for_a_restart():
    for family in REGISTERS:
        one = bench(family, pins=Pins("power_key", "reset"))
        one.talker.answers["AT+CEREG?"] = "+CEREG: 0,2"
        for _ in range(3):
            assert not bring_back(one.modem, 20000), family
        assert "tried_restart" not in one.modem.stats, family
        assert not bring_back(one.modem, 20000)
        assert one.modem.failures == 4


def test_a_configuration_that_recovery_could_not_finish_is_told():
    server = Server("192.0.2.7", 5683, "urn:imei:1", 900)
    one = bench("bg96")
    one.modem.configure(server)
    one.talker.answers.update({"AT+CEREG?": "+CEREG: 0,3", 'AT+QLWM2M="endpoint",4,4': "ERROR"})
    one.modem.failures = 3  # the fourth restarts a module that answers
    assert not bring_back(one.modem, 120000)
    assert one.told("factory_reset") == ["configuration interrupted"]


def test_the_budget_ends_every_step():
    for family in FAMILIES:
        one = Bench(family, {}, pins=Pins("power_key", "reset"), command_ms=300)
        one.talker.silent = True

        def over(one=one):
            if one.clock.now > 4000:
                raise BudgetExceeded("awake for 4 s")

        one.at.idle = over
        raised(BudgetExceeded, bring_back, one.modem, 600000)
        assert one.clock.now < 6000, family


def test_a_restart_in_the_middle_of_everything_is_survived():
    """The module restarts by itself at random moments of a start; the next attempt completes it."""
    for family, server in (("bc66", Server("192.0.2.7", 5683, "node-1", 900)),
                           ("bg96", Server("192.0.2.7", 5683, "urn:imei:1", 900)),
                           ("bc20", Server("192.0.2.7", 5683, "867724030023557")),
                           ("me910c1", Server("192.0.2.7", 5683, "node-1"))):
        for after_ms in (700, 1500, 2130, 2210, 2290, 2450, 2490, 3900, 6300):
            field = Field(family)
            field.response = lambda request: Response(404)

            def reset(field=field):
                field.target.pin("reset", True)
                field.target.pin("reset", False)

            field.clock.after(after_ms, reset)
            for _ in range(4):
                modem = field.modem
                try:
                    modem.start()
                    due = modem.configure(server)
                    due = modem.declare([(3303, 0, (5700,))]) or due
                    if due:
                        modem.restart()
                    if bring_back(modem, 240000):
                        break
                except Exception as error:
                    assert type(error).__name__ in ("AtTimeout", "LinkError", "CommandError"), (family, after_ms, error)
            # The last of them may have come after the registration: the next wake finds out.
            assert field.modem.wake(), (family, after_ms)
            assert bring_back(field.modem, 240000), (family, after_ms, field.modem.refusal)
            assert field.modem.status() == REGISTERED, (family, after_ms)
            assert len(field.server.registrations) == 1


def test_failures_are_kept_over_sleep():
    one = bench("bc66")
    one.talker.answers["AT+QLWREG"] = ["OK", (900, "+QLWREG: 1")]
    for _ in range(3):
        assert not bring_back(one.modem, 60000)
    two = bench("bc66")
    assert two.modem.restore(one.modem.snapshot())
    assert two.modem.failures == 3
    assert two.modem._status == NOT_REGISTERED
