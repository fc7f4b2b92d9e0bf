"""Sessions by hand with the virtual modems, played anew in virtual time: docs/virtual-modem-session*.md.

    played(text, "bg96")        the page with everything that modem, server and console say written anew

A page says when something is typed and by whom; what follows is made. `you` types at the modem, `server` at the server,
`control` at the modem's control port. Message ids in what is typed follow those that the modem now gives.
"""

from __future__ import annotations

import re
from typing import Any

PAGES = {"virtual-modem-session.md": "bc66", "virtual-modem-session-bc20.md": "bc20",
         "virtual-modem-session-bg96.md": "bg96", "virtual-modem-session-me910c1.md": "me910c1"}  # fmt: skip
# Typed before the page begins: echo off, and waits that nobody wants to read through.
BEFORE = {"bc66": ('AT+QLWCFG="retransmit",1,1',), "bc20": (), "bg96": (), "me910c1": ()}
OPTIONS: dict[str, dict[str, object]] = {"bc20": {"ack_timeout_s": 1, "banner": False}, "bc66": {"banner": False}}
STEP_MS = 20
SETTLE_MS = 5000
BLOCK = re.compile(r"^```text\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
LINE = re.compile(r"^ *(\d+\.\d)  (you|modem|server|control|console) +(.*)$", re.MULTILINE)
ASKED = re.compile(r'"(?:read|write|execute|observe)",(\d+),')


class Player:
    """A bench of one modem, at which the lines of a page are typed at their times."""

    def __init__(self, family: str) -> None:
        from fakes.vmodem import Bench

        self.bench = Bench(family, **OPTIONS.get(family, {}))
        for line in BEFORE[family]:
            self.bench.say(line)
        self.bench.restart(12000)
        self.bench.modem.on_explain = lambda sentence: self.lines.append((self.now, "console", sentence))
        self.now = 0
        self.lines: list[tuple[int, str, str]] = []
        self.ids: list[str] = []
        self.asked: Any = None

    def until(self, ms: int) -> None:
        """Let time pass and write down what is said."""
        while True:
            for line in self.bench.take():
                self.ids += ASKED.findall(line)
                self.lines.append((self.now, "modem", line))
            if self.asked is not None and self.asked.code is not None:
                self.lines.append((self.now, "server", "-> " + shown(self.asked)))
                self.asked = None
            if self.now >= ms:
                return
            self.bench.clock.advance(STEP_MS)
            self.now += STEP_MS

    def type(self, who: str, text: str) -> None:
        """One line of the page that somebody types."""
        self.lines.append((self.now, who, text))
        if who == "you":
            ended = "" if text.startswith("<LWM2M>") else "\r"  # data after a prompt
            self.bench.modem.receive(text.encode() + ended.encode())
        elif who == "control" and text.startswith("radio"):
            up = text.endswith("up")
            self.bench.link.radio(up=up)
            self.bench.modem.set_coverage(up)
        elif who == "control":
            for level in (True, False):
                self.bench.modem.pin("wake", level)
        else:
            verb, *words = text.split()
            if verb == "deliveries":
                self.lines.append((self.now, "server", f"-> {len(self.bench.server.deliveries)}"))
            elif verb == "write":
                value = bytes.fromhex(words[2]) if words[1].startswith("/19") else words[2].encode()
                self.asked = self.bench.server.write(words[0], words[1], value, 42 if words[1].startswith("/19") else 0)
            else:
                self.asked = getattr(self.bench.server, verb)(*words)


def shown(answer: Any) -> str:
    """What the server shows of an answer."""
    code = f"{answer.code // 100}.{answer.code % 100:02d}"
    if answer.code != 205:
        return code
    value = answer.value
    if isinstance(value, (bytes, bytearray)):
        value = value.hex()
    return code if value in (None, "") else f"{code} {value}"


def played(text: str, family: str) -> str:
    """The page as it would be recorded now."""
    player = Player(family)
    written = ASKED.findall(text)
    blocks = [[(float(at), who, line) for at, who, line in LINE.findall(block) if who in ("you", "control")
               or who == "server" and not line.startswith("-> ")] for block in BLOCK.findall(text)]  # fmt: skip
    made = []
    for number, block in enumerate(blocks):
        player.lines = []
        for at, who, line in block:
            player.until(round(at * 1000))
            for old, new in zip(written, player.ids):
                line = line.replace(f"={old},", f"={new},")
            player.type(who, line)
            player.until(player.now)
        following = blocks[number + 1][0][0] if number + 1 < len(blocks) else player.now / 1000 + SETTLE_MS / 1000
        player.until(round(following * 1000) - STEP_MS)
        made.append("".join(f"{at / 1000:6.1f}  {who:7}  {line}\n" for at, who, line in player.lines))
    return BLOCK.sub(lambda _: f"```text\n{made.pop(0)}```\n", text)
