"""The keys that only some families have: each is taken in its range, refused beside it, and refused of another family."""

from fakes.calm import late
from fakes.refusal import raised
from fakes.clock import VirtualClock
from fakes.uart import FakeUart
from fakes.world import CONFIG, World

from lwnode import config
from lwnode.at import AtClient
from lwnode.modem import Server, Unsupported, open_modem

FAMILIES = ("bc20", "bc66", "bg96", "me910c1")


class Pins:
    """A board that has every pin."""

    def pulse(self, name, ms):
        return True

    def set(self, name, active):
        return True

    def get(self, name):
        return None


def checked(family, **keys):
    return config.checked(dict(CONFIG, family=family, **keys))


def refused(family, **keys):
    """The sentence by which a configuration is refused."""
    return str(raised(config.ConfigError, checked, family, **keys))


def driver(settings, **more):
    made = open_modem(settings.family, AtClient(FakeUart(VirtualClock()), VirtualClock()), pins=Pins(), **settings.options)
    made.options.update(more)
    return made


def stopped(settings, **account):
    """The sentence by which a driver refuses an account, unasked; empty where it takes it."""
    try:
        driver(settings, awake_budget_ms=int(settings.awake_budget) * 1000, ack_timeout=settings.ack_timeout,
               max_retransmit=settings.max_retransmit).check(Server("host", 5683, "node-1", **account))
    except (ValueError, Unsupported) as error:
        return str(error)
    return ""


def rows(family):
    """What that family can be told: key, kind, then smallest and largest, or choices."""
    found = [row.split(" ") for row in (config.ANY + config.OPTIONS[family]).split(";")]
    return {row[0]: (row[0], row[1]) + tuple(row[3:]) for row in found}


def samples(key, kind, *ends):
    """(values that fit, values that do not)."""
    if kind == "b":
        return (True, False), (1, "true", None)
    if len(ends) == 1:
        found = ends[0].split(",")
        return [int(one) for one in found] if kind == "i" else found, ("nothing of it", -1, True)
    low, high = [int(end) for end in ends]
    if kind == "i":
        return (low, high), (low - 1, high + 1, "1", True, 1.5)
    entry = 3306 if kind == "n" else "/3303/0/5700" if key == "acknowledge" else "text"
    return ([entry] * low, [entry] * high), ([entry] * (high + 1), [None] * high, entry)


def test_each_key_is_taken_in_its_range_and_refused_beside_it():
    for family in FAMILIES:
        for key, row in rows(family).items():
            good, bad = samples(*row)
            for value in good:
                made = driver(checked(family, **{key: value}))
                assert family == made.FAMILY, key
            for value in bad:
                assert '"%s" must be' % key in refused(family, **{key: value})


def test_each_key_is_refused_of_the_families_that_lack_it():
    for key in sorted({key for family in FAMILIES for key in rows(family)}):
        having = [family for family in FAMILIES if key in rows(family)]
        for family in FAMILIES:
            if family not in having:
                text = refused(family, **{key: 1})
                assert '"%s" is a key of %s, not of %s' % (key, ", ".join(having), family) in text
    assert "is not a key of this firmware" in refused("bc66", anything=1)


def test_keys_become_what_the_driver_goes_by():
    made = driver(checked("me910c1", psm_tau=3600, psm_active=20, ack_wait=60, rat="nbiot", ack_mode=True,
                          acknowledge=["/3303/0/5700"], monitor=[3306]))
    assert made.options["psm"] == (3600, 20) and made.deadline_ms == 65000 and made.ACCESS == 5
    assert [path.ids for path in made.options["acknowledge"]] == [(3303, 0, 5700)] and made.options["monitor"] == [3306]
    assert driver(checked("bc66", psm_tau=0)).options["psm"][0] is None
    assert "looks like /3303/0/5700" in refused("me910c1", acknowledge=["temperature"])
    assert '"monitor" must be' in refused("me910c1", monitor=[70000])
    assert driver(checked("bc66", buffered=True)).capabilities.buffered


def test_the_deadline_of_a_report_follows_the_keys_and_must_fit_the_awake_budget():
    """BC66 4.2.2: 2 s x (1+2+4+8+16) at the defaults, 62 s; each repetition after the same time with retransmit_mode 1."""
    assert driver(checked("bc66")).deadline_ms == 62000
    assert "awake_budget" in refused("bc66", ack_timeout=20, max_retransmit=8)
    assert "awake_budget" in refused("bc66", ack_timeout=20, awake_budget=300)
    fixed = checked("bc66", ack_timeout=20, max_retransmit=8, retransmit_mode=1)
    made = driver(fixed, ack_timeout=20, max_retransmit=8)
    assert made.deadline_ms == 180000 and stopped(fixed) == ""
    assert "ack_wait" in stopped(checked("me910c1", ack_wait=300)) and stopped(checked("me910c1")) == ""
    assert "128 s" in stopped(checked("bc20", awake_budget=100))


def test_an_account_that_a_module_cannot_hold_is_refused_by_key_unasked():
    psk = dict(security="psk", psk_identity="me", psk="00112233")
    for family, key, account in (
        ("bc20", "lifetime", dict(lifetime=3600)), ("bc20", "security", psk), ("bc20", "bootstrap", dict(bootstrap=True)),
        ("bc20", "binding", dict(binding="UQ")), ("bg96", "binding", dict(binding="UQ")), ("bg96", "key_file", psk),
        ("bg96", "lifetime", dict(lifetime=20)), ("bg96", "lifetime", dict(lifetime=86401)),
        ("me910c1", "lifetime", dict(lifetime=3600)), ("me910c1", "binding", dict(binding="UQ")),
    ):
        assert key in stopped(checked(family), **account), (family, key)
    for family in ("bc20", "bg96", "me910c1"):
        assert "ack_timeout" in stopped(checked(family, ack_timeout=3))


def test_sleep_by_dtr_wants_a_wake_pin():
    settings = checked("me910c1", sleep="cfun5")
    assert stopped(settings) == ""
    made = open_modem("me910c1", AtClient(FakeUart(VirtualClock()), VirtualClock()), **settings.options)
    assert "wake pin" in str(raised(ValueError, made.check, Server("host", 5683, "node-1")))


def test_psm_and_edrx_are_asked_of_the_network_by_every_family():
    for family in FAMILIES:
        world = World("rp2", {"family": family, "psm_tau": 7200, "psm_active": 20, "edrx": 82})
        world.run(minutes=10)
        assert world.model.psm_setting()[0] == 1 and world.model.tau_s() == 7200, family
        assert world.model.active_time_s() == 20, family
        assert world.model.stored("edrx", None), family
        assert world.delivered(), family


def test_psm_follows_the_schedule_where_no_key_says_else():
    """Issue 19: T3412 and registration outlast four intervals and a day, T3324 `listen` and a paging cycle of 2.56 s; an
    ME910C1, which waits it out at 16 mA and wakes without a session, asks for the least."""
    for report_every, listen, tau, active in ((900, 5, 86400, 8), (86400, 5, 345600, 8), (604800, 60, 2419200, 63)):
        for family in FAMILIES:
            made = checked(family, report_every=report_every, listen=listen)
            assert made.options["psm"] == (tau, 2 if family == "me910c1" else active), family
            assert made.lifetime == (tau if family == "bc66" else 86400), family
    assert checked("bc66", psm_tau=3600).options["psm"] == (3600, 4)
    assert checked("bc66", psm_active=30, lifetime=600).options["psm"] == (86400, 30)
    assert checked("bc66", lifetime=600).lifetime == 600
    assert checked("bc20", psm_tau=0).options["psm"][0] is None
    assert "psm" not in checked("bg96", sleep="light").options and "psm" not in checked("me910c1", sleep="cfun5").options


def test_what_the_network_makes_of_the_timers_is_read_kept_and_lived_with():
    """Granted as asked, otherwise (an hour, half a minute), or not at all: then what cannot sleep lightly is switched off."""
    for family in FAMILIES:
        usual = (86400, 2 if family == "me910c1" else 4)
        for granted, found, told in (
            (None, usual, ""), (("00100001", "00001111"), (3600, 30), "T3412 of 3600 s, 86400 s were asked for"),
            ("refused", (-1, -1), "no PSM"),
        ):
            world = World("rp2", {"family": family}, granted=granted)
            world.run(hours=2)
            node = world.node()
            assert node.modem.granted() == found, (family, node.modem.granted())
            assert told in node.warnings.get("psm", "") and bool(told) == ("psm" in node.warnings), (family, node.warnings)
            assert not late(world), (family, granted)
            if granted == "refused" and family in ("bg96", "me910c1"):
                assert world.model.state_name == "off", family
                world.model.options["granted"] = None
                world.run(hours=1)
                assert world.node().modem.granted() == usual and world.model.state_name == "asleep", family


def test_each_option_carries_a_life_without_a_lost_reading():
    """Three hours of a whole node; registrations are counted where a sleep leaves the session alone."""
    for family, keys, registrations in (
        ("bc20", {"buffered": True, "read_length": 8}, 1), ("bc66", {"buffered": True}, 1), ("bc66", {"auto_reg": True}, 1),
        ("bc66", {"rai": True, "auto_ack": True}, 1), ("bc66", {"recovery_mode": 0}, 1), ("bc66", {"persistent": False}, 1),
        ("bc66", {"retransmit_mode": 1, "max_retransmit": 6}, 1), ("bc66", {"psm_tau": 0, "edrx": 82}, 1),
        ("bg96", {"sleep": "light"}, 1), ("bg96", {"auto_register": True, "ssid": 7}, 0), ("bg96", {"name_form": 7}, 0),
        ("me910c1", {"sleep": "cfun5", "ack_mode": True}, 1), ("me910c1", {"sleep": "cfun5", "psm_tau": 0, "edrx": 82}, 1),
        ("me910c1", {"sleep": "off"}, 0), ("me910c1", {"rat": "nbiot", "cid": 2, "ack_wait": 10}, 0),
        ("me910c1", {"registration_urcs": False, "acknowledge": [], "monitor": []}, 0),
    ):
        world = World("esp32", dict(keys, family=family))
        world.run(hours=3)
        assert len(world.taken) == 24, (family, keys)
        assert [reading for reading in world.lost() if reading[2] < world.clock.unix() - 1800] == [], (family, keys)
        made = len([event for event in world.server.events if "registered" in event[2]])
        assert made == registrations or not registrations and made, (family, keys, made)
