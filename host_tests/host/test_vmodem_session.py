"""docs/virtual-modem-session*.md are what the models say, and what they tell people where AT gives no reason."""

import pytest
from fakes.vmodem import Bench

from tools.docs import sessions
from tools.docs.__main__ import DOCS

# What each page must show: a reading that arrives, and that sleep and a refusal are explained.
SHOWN = {"bc66": ("-> 2.05 21.5", "-> 2.04", '"report_ack",1', "console  asleep"),
         "bc20": ("SEND OK", "SEND FAIL: nobody observes", "SEND FAIL: no acknowledgement", "console  asleep"),
         "bg96": ("STATE_READY", "+QLWDLDATA", "console  AT+QLWM2M refused", "console  asleep"),
         "me910c1": ("-> 2.05 21.5", "counts from AT#REBOOT on", "NEWINST makes", "-> 1", "console  asleep")}  # fmt: skip


@pytest.mark.parametrize("page, family", sorted(sessions.PAGES.items()))
def test_a_page_is_what_the_model_says(page, family):
    text = (DOCS / page).read_text(encoding="utf-8")
    assert sessions.played(text, family) == text, "run make docs"
    assert [words for words in SHOWN[family] if words not in text] == []


def test_what_nobody_answers_is_told_on_the_console():
    bench = Bench("bc66")
    told = []
    bench.modem.on_explain = told.append
    for typed, words in ((b"AT\n\r", "LF alone"), (b"hello\r", "begin with AT"), (b"AT+FOO\r", "a BC66 has no such command"),
                         (b"AT+CFUN=9\r", "AT+CFUN refused: a value is wrong")):
        bench.modem.receive(typed)
        assert words in told[-1], (typed, told)
    bench.sleep()
    assert told[-1].startswith("asleep: it hears no AT now; to wake it type `wake`")
    for _ in range(3):
        bench.modem.receive(b"AT\r")
    assert [sentence for sentence in told if sentence.startswith("not heard")] == told[-1:], "once in each sleep"
    bench.wake()
    assert bench.say("AT", 100) == ["OK"]
