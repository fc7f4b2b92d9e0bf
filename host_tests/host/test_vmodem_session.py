"""docs/virtual-modem-session.md, typed at the model in virtual time: the page says what the modem says."""

import re
from pathlib import Path

from fakes.vmodem import Bench

PAGE = Path(__file__).resolve().parent.parent.parent / "docs/virtual-modem-session.md"
LINE = re.compile(r"^ *(\d+\.\d)  (you|modem|server|control) +(.*)$", re.M)
ASKED = re.compile(r'"(read|write|observe)",(\d+),')  # URCs that carry the message id of a request


def replay():
    """Every line of the page in its order -> [(what the page says, what the model or its server said)]."""
    bench = Bench("bc66")
    bench.say('AT+QLWCFG="retransmit",1,1')
    bench.restart(6000)
    bench.take()
    said, mids, compared, asked, now = [], {}, [], None, 0.0
    for time, who, text in LINE.findall(PAGE.read_text()):
        said += bench.wait(max(0, round((float(time) - now) * 1000)))
        now = max(now, float(time))
        if who == "you":
            for page, model in mids.items():
                text = text.replace(f"={page},", f"={model},")
            said += bench.say(text)
        elif who == "control":
            bench.link.radio(up=text == "radio up")
        elif who == "server" and text.startswith("-> "):
            said += bench.wait(100)
            compared.append((text[3:], answer(bench, asked)))
        elif who == "server":
            asked = ask(bench, *text.split())
        else:
            said += bench.wait(100) if not said else []
            line = said.pop(0) if said else "(nothing)"
            theirs, ours = ASKED.search(text), ASKED.search(line)
            if theirs and ours:
                mids[theirs.group(2)] = ours.group(2)
                line = line.replace(ours.group(2), theirs.group(2), 1)
            compared.append((text, line))
    return compared + [("", line) for line in said + bench.wait(5000)], bench


def ask(bench, verb, endpoint="", path="", *value):
    """What is typed at the server."""
    if verb == "deliveries":
        return None
    if verb == "write":
        return bench.server.write(endpoint, path, value[0].encode(), content_format=0)
    return getattr(bench.server, verb)(endpoint, path)


def answer(bench, asked):
    """What the server then shows."""
    if asked is None:
        return str(len(bench.server.deliveries))
    shown = f"{asked.code // 100}.{asked.code % 100:02d}"
    return shown if asked.code == 204 else f"{shown} /3303/0/5700={asked.value}"


def test_the_recorded_session_is_what_the_model_says():
    compared, bench = replay()
    assert len(compared) > 30
    assert [page for page, _ in compared] == [said for _, said in compared]
    assert [each.value for each in bench.server.deliveries] == [22.0, 22.5]
