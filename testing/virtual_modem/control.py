"""The control port beside the UART: what a person, a board or a test does to the module and to the network.

One command a line, one line back: `ok`, a JSON object, or `error` and a sentence.

    wake                            out of deep sleep: a pulse of the wake pin
    pin wake 1                      a pin of the host: power_key, reset, wake; 1 = active
    status                          {"status": true, "ring": false, "power": "on", "lwm2m": 2, ...}
    radio up | down                 coverage
    radio delay 300                 one-way delay in ms
    radio loss 20                   percent of the packets
    radio address                   the network gives the client another address and port
    advance 60000                   the module's clock jumps ahead; what falls due on the way happens
    fault lost_urc at 3 report_ack  a fault (see `fault`), at the n-th line from now, with its value
    fault random 7 20               faults by seed 7 in 20 of 1000 exchanges; `fault off` ends it
    urc +CSCON: 0                   the module says this
    help
"""

import asyncio
import json

from testing.virtual_modem.faults import KINDS


class Control:
    """The commands; a transport serves them on a port, a script runs them from a file."""

    def __init__(self, owner):
        self._owner = owner
        self._tasks = set()
        self._writers = set()

    async def serve(self, reader, writer):
        """One client of the control port."""
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                writer.write((self.command(line.decode(errors="replace")) + "\n").encode())
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass  # hung up, or the modem is closed
        finally:
            self._writers.discard(writer)
            writer.close()

    def close(self):
        """Hang up on every client."""
        for writer in list(self._writers):
            writer.close()

    def command(self, line):
        """Run one line, return its answer."""
        words = line.split()
        if not words:
            return "error nothing was asked; try help"
        method = getattr(self, "_do_" + words[0], None)
        if method is None:
            return f"error no command {words[0]!r}; try help"
        try:
            return method(words[1:], line.strip()) or "ok"
        except (ValueError, IndexError) as error:
            return f"error {error}"

    def _do_help(self, words, line):
        return "ok wake; pin NAME 0|1; status; radio up|down|delay MS|loss PERCENT|address; advance MS; " + (
            "fault KIND [at N] [VALUE]; fault random SEED PERMILLE [KIND...]; fault off; urc TEXT")

    def _do_pin(self, words, line):
        if len(words) != 2 or words[1] not in ("0", "1"):
            raise ValueError("expected: pin NAME 0|1")
        self._owner.model.pin(words[0], words[1] == "1")

    def _do_wake(self, words, line):
        for level in (True, False):
            self._owner.model.pin("wake", level)

    def _do_status(self, words, line):
        model = self._owner.model
        answer = {"status": model.status_pin, "ring": model.ring_pin, "now": model.clock.now}
        answer.update(model.state())
        return json.dumps(answer)

    def _do_radio(self, words, line):
        link, model = self._owner.link, self._owner.model
        what = words[0] if words else ""
        if what in ("up", "down"):
            link.radio(up=what == "up")
            model.set_coverage(what == "up")
        elif what == "delay":
            link.radio(delay_ms=_between(words[1], 0, 600000, "milliseconds"))
        elif what == "loss":
            link.radio(loss=_between(words[1], 0, 100, "percent"))
        elif what == "address":
            change = link.change_address()
            if asyncio.iscoroutine(change):
                task = asyncio.ensure_future(change)
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        else:
            raise ValueError("expected: radio up|down|delay MS|loss PERCENT|address")

    def _do_advance(self, words, line):
        ms = int(words[0]) if len(words) == 1 else -1
        if ms < 0:
            raise ValueError("expected: advance MS, MS from 0")
        self._owner.clock.advance(ms)

    def _do_fault(self, words, line):
        faults = self._owner.model.faults
        if not words:
            raise ValueError("expected a kind: " + ", ".join(sorted(KINDS)))
        if words[0] == "off":
            faults.random(0, 0)
            faults.disarm()
        elif words[0] == "random":
            faults.random(int(words[1]), int(words[2]), words[3:] or None)
        else:
            rest = words[1:]
            at = 1
            if rest[:1] == ["at"]:
                at, rest = int(rest[1]), rest[2:]
            faults.arm(words[0], at, " ".join(rest) or None)

    def _do_urc(self, words, line):
        self._owner.model.urc(line.partition(" ")[2])


def _between(text, least, most, unit):
    value = int(text)
    if not least <= value <= most:
        raise ValueError(f"expected {least}..{most} {unit}, got {text}")
    return value
