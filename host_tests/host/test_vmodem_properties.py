"""Properties of every model: whatever bytes come and whatever fails, it neither raises nor stops answering."""

import pytest
from fakes.vmodem import Bench
from hypothesis import given, settings
from hypothesis import strategies as st

from testing.virtual_modem import FAMILIES
from testing.virtual_modem.atline import Args, Refused, fields, parse, split_commands
from testing.virtual_modem.faults import KINDS

_ROUNDS = settings(max_examples=40, deadline=None)
_NAMES = {"bc66": ["QLWCONFIG", "QLWCFG", "QLWREG", "QLWUPDATE", "QLWADDOBJ", "QLWRDRSP", "QLWNOTIFY", "QLWRD", "QLWWRRSP"],
          "bc20": ["QLWSERV", "QLWCONF", "QLWADDOBJ", "QLWDELOBJ", "QLWOPEN", "QLWDATASEND", "QLWRD", "QLWCFG"],
          "bg96": ["QLWM2M", "CFUN", "QCFG", "CPSMS"], "me910c1": ["CFUN", "CPSMS", "CMEE"]}
_field = st.one_of(
    st.integers(-2, 70000).map(str),
    st.sampled_from(['"select"', '"uldata"', '"bootstrap"', '"dataformat"', '"retransmit"', "", '""', "nan", "19", "3303"]),
    st.text(alphabet='0123456789ABCDEFxyz"; ?=,', max_size=12))


def lines(family):
    """Command lines that are nearly right."""
    name = st.sampled_from(_NAMES[family])
    form = st.sampled_from(["", "?", "=?", "="])
    return st.builds(lambda name, form, values: "AT+" + name + form + (",".join(values) if form == "=" else ""), name, form,
                     st.lists(_field, max_size=10))  # fmt: skip


def bench_of(family, **options):
    """A bench whose module has booted, however long that takes."""
    bench = Bench(family, **options)
    bench.wait(8000)
    bench.say("ATE0")
    return bench


def answers(bench):
    """The module takes a plain AT, woken if it sleeps, at the latest after the longest of its commands."""
    for _ in range(3):
        if bench.modem.state_name == "asleep":
            bench.wait(1000)
            bench.wake(8000)
        bench.modem.receive(b"\r")
        if "OK" in bench.say("AT", 3000):
            return True
    return False


@pytest.mark.parametrize("family", FAMILIES)
@_ROUNDS
@given(data=st.binary(max_size=200))
def test_any_bytes(family, data):
    bench = bench_of(family)
    bench.modem.receive(data)
    bench.wait(6000)
    bench.restart(10000)  # the bytes may have been ATQ1
    assert answers(bench)


@pytest.mark.parametrize("family", FAMILIES)
@_ROUNDS
@given(data=st.data())
def test_nearly_right_commands(family, data):
    bench = bench_of(family)
    for line in data.draw(st.lists(lines(family), max_size=8)):
        on = bench.modem.state_name == "on"
        said = bench.say(line, 6000)
        assert said or not on, line
    if bench.modem.state_name == "on":
        assert answers(bench)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1 << 20), hostile=st.booleans())
def test_random_faults(family, seed, hostile):
    bench = bench_of(family, hostile="all" if hostile else ())
    bench.modem.faults.random(seed, permille=300)
    for _ in range(25):
        bench.say("AT+CFUN?", 3000)
    bench.modem.faults.random(seed, permille=0)
    bench.modem.faults.disarm()
    bench.wait(10000)
    assert answers(bench)


@given(st.text(max_size=80))
def test_the_line_parser_takes_any_text(text):
    for command in split_commands("AT" + text):
        assert command
        name, form, rest = parse(command)
        values, quoted = fields(rest)
        assert len(values) == len(quoted)
        args = Args(rest, "count", "value")
        for index in range(len(values) + 1):
            for check in (lambda: args.integer(index, 0, 9), lambda: args.string(index, 9)):  # noqa: B023
                try:
                    check()
                except Refused as refusal:
                    assert refusal.result in ("count", "value")


@given(st.lists(st.one_of(st.none(), st.text(alphabet="abc0, ;?", max_size=5)), min_size=1, max_size=6))
def test_fields_come_back_as_they_were_written(values):
    text = ",".join(["" if value is None else f'"{value}"' for value in values])
    assert fields(text)[0] == values


def test_every_fault_kind_is_played_by_some_seed():
    seen = set()
    for seed in range(30):
        bench = Bench()
        bench.modem.faults.random(seed, permille=500)
        for _ in range(20):
            bench.say("AT", 7000)
        seen.update(kind for _, kind in bench.modem.faults.played)
    assert seen == set(KINDS)
