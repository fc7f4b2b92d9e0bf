"""Reporting rules: a table of cases for each rule, both directions, with the reason that is kept."""

from lwnode.lwm2m import FLOAT, ObjectTree, Path, Request
from lwnode.lwm2m.rules import Rules, parse

NOW = 1790000000


def run(rules, samples):
    """The fate of each (seconds, value), as its reason."""
    judge = Rules(**rules)
    return [judge.judge(value, None if at is None else NOW + at) for at, value in samples]


def words(reasons):
    return [reason.split(":")[0] for reason in reasons]


CASES = (
    # rules, samples, fates
    ({"deadband": 0.5}, ((0, 20.0), (1, 20.25), (2, 20.5), (3, 20.25), (4, 20.0)), "sent dropped sent dropped sent"),
    ({"deadband": 0.5}, ((0, 20.0), (1, 19.75), (2, 19.5), (3, 19.25)), "sent dropped sent dropped"),
    ({"deadband_percent": 10}, ((0, 100.0), (1, 109.0), (2, 110.0), (3, 99.5), (4, 98.0)),
     "sent dropped sent dropped sent"),
    ({"deadband_percent": 10}, ((0, -100.0), (1, -109.0), (2, -110.0)), "sent dropped sent"),
    ({"deadband_percent": 10, "deadband": 5}, ((0, 10.0), (1, 14.0), (2, 15.0)), "sent dropped sent"),
    # gt: crossing upwards and downwards, equality is not above
    ({"gt": 30}, ((0, 29.0), (1, 30.0), (2, 30.5), (3, 40.0), (4, 31.0), (5, 30.0), (6, 29.0)),
     "sent dropped sent dropped dropped sent dropped"),
    # lt: crossing downwards and upwards, equality is not below
    ({"lt": 5}, ((0, 6.0), (1, 5.0), (2, 4.5), (3, 1.0), (4, 4.0), (5, 5.0), (6, 6.0)),
     "sent dropped sent dropped dropped sent dropped"),
    ({"gt": 30, "lt": 5}, ((0, 20.0), (1, 31.0), (2, 4.0), (3, 20.0)), "sent sent sent sent"),
    # a jump over both thresholds is one report
    ({"gt": 30, "lt": 5}, ((0, 31.0), (1, 4.0), (2, 4.5)), "sent sent dropped"),
    # hysteresis: with a deadband the way back is longer, and no alarm is missed
    ({"gt": 30, "deadband": 1}, ((0, 29.0), (1, 30.25), (2, 29.75), (3, 30.25), (4, 29.0)),
     "sent sent dropped dropped sent"),
    ({"gt": 30, "deadband": 1}, ((0, 28.0), (1, 29.5), (2, 30.0), (3, 30.25)), "sent dropped dropped sent"),
    ({"lt": 5, "deadband": 1}, ((0, 7.0), (1, 5.5), (2, 5.0), (3, 4.75)), "sent dropped dropped sent"),
    ({"lt": 5, "deadband": 1}, ((0, 6.0), (1, 4.75), (2, 5.25), (3, 4.75), (4, 6.0)), "sent sent dropped dropped sent"),
    # st: against the last reported value, not the last observed
    ({"st": 1}, ((0, 20.0), (1, 20.5), (2, 20.75), (3, 21.0), (4, 20.5), (5, 20.0)),
     "sent dropped dropped sent dropped sent"),
    ({"st": 1, "gt": 30}, ((0, 29.75), (1, 30.25), (2, 30.5), (3, 31.25)), "sent sent dropped sent"),
    # without thresholds any change counts
    ({"pmin": 0}, ((0, 20.0), (1, 20.0), (2, 20.1)), "sent dropped sent"),
    # pmin defers, and the newest value goes when it is over
    ({"pmin": 60}, ((0, 20.0), (10, 21.0), (20, 22.0), (60, 22.0)), "sent deferred deferred sent"),
    ({"pmin": 60, "gt": 30}, ((0, 20.0), (10, 31.0), (20, 29.0), (70, 29.0)), "sent deferred deferred sent"),
    ({"pmin": 60}, ((0, 20.0), (10, 20.0), (59, 20.0)), "sent dropped dropped"),
    # pmax repeats what would be dropped
    ({"pmax": 60, "deadband": 5}, ((0, 20.0), (59, 21.0), (60, 21.0), (119, 21.0), (120, 21.0)),
     "sent dropped sent dropped sent"),
    ({"pmax": 3600, "pmin": 60}, ((0, 20.0), (3600, 20.0)), "sent sent"),
    # text and booleans
    ({"pmin": 0}, ((0, "a"), (1, "a"), (2, "b")), "sent dropped sent"),
    ({"gt": 0}, ((0, False), (1, True), (2, True), (3, False)), "sent sent dropped sent"),
    # times that are not known: never deferred, pmax does not run
    ({"pmin": 60}, ((None, 20.0), (None, 21.0), (None, 21.0)), "sent sent dropped"),
    ({"pmax": 60}, ((None, 20.0), (None, 20.0)), "sent dropped"),
    # a clock that was set back does not hold a reading for years
    ({"pmin": 60}, ((0, 20.0), (-31536000, 21.0)), "sent sent"),
)  # fmt: skip


def test_table_of_cases():
    for rules, samples, fates in CASES:
        found = run(rules, samples)
        assert words(found) == fates.split(" "), (rules, samples, found)


def test_the_reason_says_which_rule():
    assert run({"gt": 30}, ((0, 20.0), (1, 31.0), (2, 32.0), (3, 20.0))) == [
        "sent: first reading", "sent: rose above gt", "dropped: crossed no threshold", "sent: fell back to gt",
    ]  # fmt: skip
    assert run({"lt": 5}, ((0, 20.0), (1, 4.0), (2, 20.0)))[1:] == ["sent: fell below lt", "sent: rose back to lt"]
    both = run({"gt": 30, "lt": 5}, ((0, 4.0), (1, 31.0), (2, 4.0), (3, 6.0)))
    assert both[1:] == ["sent: rose above gt", "sent: fell below lt", "sent: rose back to lt"]
    assert run({"st": 1}, ((0, 20.0), (1, 20.5), (2, 21.0)))[1:] == ["dropped: moved less than st", "sent: moved by st"]
    assert run({"deadband": 1}, ((0, 20.0), (1, 20.5), (2, 21.0)))[1:] == [
        "dropped: within the deadband", "sent: changed",
    ]  # fmt: skip
    assert run({"pmin": 60}, ((0, 20.0), (1, 21.0), (60, 21.0)))[1:] == ["deferred: pmin is not over", "sent: pmin is over"]
    assert run({"pmax": 60}, ((0, 20.0), (60, 20.0)))[1] == "sent: pmax is over"


def test_contradictions_are_refused_with_a_sentence():
    for rules in (
        {"pmin": -1}, {"pmin": 60, "pmax": 30}, {"pmax": 0}, {"gt": 5, "lt": 5},
        {"gt": 5, "lt": 10}, {"gt": 10, "lt": 5, "st": 3}, {"st": -1}, {"deadband": -0.1}, {"deadband": float("nan")},
        {"pmim": 5},
    ):  # fmt: skip
        try:
            Rules(**rules)
            assert False, rules
        except ValueError as error:
            assert " " in str(error), rules


def test_attributes_as_a_server_writes_them():
    assert parse("pmin=10&pmax=60&gt=25.5&lt=-5&st=0.5") == {"pmin": 10, "pmax": 60, "gt": 25.5, "lt": -5.0, "st": 0.5}
    assert parse("gt=&lt") == {"gt": None, "lt": None}
    for wrong in ("", "dim=5", "pmin=soon", "pmin=1.5", "deadband=1"):
        try:
            parse(wrong)
            assert False, wrong
        except ValueError:
            pass


def tree_with(**rules):
    tree = ObjectTree()
    tree.sensor(3303, lambda: None, resolution=0.1, **rules)
    return tree, tree.resource("/3303/0/5700")


def test_a_printed_text_that_stays_the_same_is_no_change():
    tree, main = tree_with(pmin=0)
    for value in (21.46, 21.49, 21.51, 21.56):
        main.update(value, NOW)
    assert [record[2] for record in tree.reports(NOW)] == ["21.5", "21.6"]
    assert main.reason == "sent: changed"


def test_a_deferred_reading_goes_out_when_pmin_is_over_with_its_own_time():
    tree, main = tree_with(pmin=60)
    main.update(20.0, NOW)
    assert len(tree.reports(NOW)) == 1
    main.update(21.0, NOW + 10)
    main.update(22.0, NOW + 20)
    assert tree.reports(NOW + 30) == []
    assert main.reason[:8] == "deferred"
    assert tree.reports(NOW + 61) == [(Path(3303, 0, 5700), FLOAT, "22.0", NOW + 20)]
    assert tree.reports(NOW + 200) == []


def test_pmax_repeats_a_reading_unless_its_sensor_fails():
    tree, main = tree_with(pmax=3600)
    main.update(20.0, NOW)
    tree.reports(NOW)
    assert tree.reports(NOW + 3600) == [(Path(3303, 0, 5700), FLOAT, "20.0", NOW)]
    main.update(float("nan"), NOW + 3700)
    assert tree.reports(NOW + 9000) == []


def test_each_reading_is_kept_and_goes_out_once_in_order():
    tree, main = tree_with()
    for second in range(5):
        main.update(20.0 + second, NOW + second)
    assert [record[3] - NOW for record in tree.reports(NOW + 9)] == [0, 1, 2, 3, 4]
    assert tree.reports(NOW + 9) == []


def test_readings_that_nobody_collects_drop_the_oldest_and_are_counted():
    tree, main = tree_with()
    for second in range(70):
        main.update(20.0 + second, NOW + second)
    kept = tree.reports(NOW + 99)
    assert (len(kept), tree.overflowed, kept[0][3] - NOW) == (64, 6, 6)


def test_the_last_verdicts_can_be_seen():
    tree, main = tree_with(deadband=1)
    for second in range(20):
        main.update(20.0 + second % 2 / 2, NOW + second)
    assert [when - NOW for _, when, _ in tree.recent] == list(range(4, 20))
    resource, when, reason = tree.recent[-1]
    assert resource is main and when == NOW + 19 and reason[:7] == "dropped"
    assert "dropped" in repr(tree)


def test_rules_from_the_server_take_effect_and_survive_sleep():
    tree, main = tree_with()
    main.update(20.0, NOW)
    answer = tree.handle(Request("write_attributes", Path(3303, 0), 9, value=b"pmin=60&gt=30"))
    assert answer.code == 204
    tree.reports(NOW)
    main.update(25.0, NOW + 100)
    assert tree.reports(NOW + 100) == []
    woken, again = tree_with()
    assert woken.load(tree.dump())
    again.update(31.0, NOW + 200)
    assert [record[2] for record in woken.reports(NOW + 200)] == ["31.0"]
    assert again.reason == "sent: rose above gt" and again.rules.text() == "pmin=60&gt=30"


def test_rules_of_the_server_are_all_or_nothing():
    tree, main = tree_with(pmin=60)
    for query, code in ((b"gt=5&lt=9", 400), (b"pmax=often", 400), (b"\xff", 400), (b"pmin=1.5", 400), (b"gt=.", 400),
                        (b"gt=e5", 400), (b"pmin=&pmax=30", 204)):  # fmt: skip
        assert tree.handle(Request("write_attributes", Path(3303, 0, 5700), None, value=query)).code == code, query
        assert main.rules.pmin == (None if code == 204 else 60) and main.rules.gt is None
    assert tree.handle(Request("write_attributes", Path(3304, 0), None, value=b"pmin=1")).code == 404


def test_a_pmax_below_pmin_is_taken_and_ignored_while_it_is():
    """LwM2M 1.0.2 section 5.1.2 has pmax not smaller than pmin, 1.1 has it ignored where it is; in either order."""
    for queries, sent in (
        (("pmin=60&pmax=60",), (60, 120, 180)), (("pmin=60&pmax=30",), ()), (("pmax=30", "pmin=60"), ()),
        (("pmin=60", "pmax=30"), ()), (("pmin=60", "pmax=30", "pmin=10"), (30, 60, 90, 120, 150, 180)),
        (("pmin=90&pmax=30", "pmax=120"), (120,)), (("pmin=60&pmax=30", "pmax="), ()),
    ):
        tree, main = tree_with()
        main.update(20.0, NOW)
        tree.reports(NOW)
        for query in queries:
            assert tree.handle(Request("write_attributes", Path(3303, 0), None, value=query.encode())).code == 204, queries
        found = [second for second in range(10, 190, 10) if tree.reports(NOW + second)]
        assert found == list(sent), (queries, found)
    tree, main = tree_with(pmax=3600)
    assert tree.handle(Request("write_attributes", Path(3303, 0), None, value=b"pmin=7200")).code == 204
    assert (main.rules.pmin, main.rules.pmax) == (7200, 3600)


def test_samples_are_so_many_in_a_row_before_a_crossing_is_told():
    up = tuple(enumerate((20.0, 31.0, 31.0, 20.0, 31.0, 32.0, 33.0, 34.0, 20.0, 20.0, 20.0)))
    assert words(run({"gt": 30, "samples": 3}, up)) == (
        "sent dropped dropped dropped dropped dropped sent dropped dropped dropped sent".split(" "))
    assert run({"gt": 30, "samples": 3}, up)[5:7] == [
        "dropped: beyond it for too short", "sent: rose above gt"]  # fmt: skip
    # from one end to the other the count begins anew; the first reading is no alarm, the ones after it may be
    assert words(run({"gt": 30, "lt": 5, "samples": 2}, ((0, 20.0), (1, 31.0), (2, 4.0), (3, 4.0)))) == (
        ["sent", "dropped", "dropped", "sent"])
    assert run({"gt": 30, "samples": 2}, ((0, 31.0), (1, 31.0), (2, 31.0)))[1] == "sent: rose above gt"
    tree, main = tree_with(gt=30, samples=3)
    for second, value in ((0, 20.0), (1, 31.0), (2, 31.0)):
        main.update(value, NOW + second)
    woken, again = tree_with(gt=30, samples=3)
    assert woken.load(tree.dump())
    again.update(31.0, NOW + 3)
    assert again.reason == "sent: rose above gt", "counted over a deep sleep"


def test_rules_of_a_row_come_with_the_row_after_sleep():
    tree, main = tree_with(gt=30)
    main.update(31.0, NOW)
    record = tree.dump()
    woken, again = tree_with(gt=35)
    assert woken.load(record)
    assert again.rules.gt == 35 and again.rules.side == 1
