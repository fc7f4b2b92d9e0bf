"""LocalLink: the client of a module, talking to a LocalServer in virtual time; portable, no sockets.

    clock = VirtualClock()
    server = LocalServer(clock)
    link = LocalLink(clock, server)
    link.register(Account("host", 5683), "node-1", 300, "U", ["/3303/0"], codes.append)
    clock.advance(100)                       # codes == [201], server.registrations["node-1"].lifetime == 300
    link.radio(up=False)                     # an outage: what is on the way is lost, repeated by CoAP's rules

Messages are calls between the two objects; what the network does to them is played here: one-way delay, loss by a
seeded generator (the same run loses the same messages), outage in either direction, repetitions that follow.
`clock` needs now (ms), unix(), after(ms, fn) and cancel(handle).

A repetition that the receiver has seen before is answered again and counted in `server.duplicates`, as CoAP asks.
"""

from testing.lwm2m.link import ACKNOWLEDGED, RESET, Link, ServerRequest
from testing.lwm2m.local_server import Delivery, Exchange, LocalServer

__all__ = ["Delivery", "Exchange", "LocalLink", "LocalServer"]


class LocalLink(Link):
    """The link of one module to one LocalServer."""

    def __init__(self, clock, server, delay_ms=20, seed=1):
        super().__init__()
        self.clock = clock
        self.server = server
        self.delay_ms = delay_ms
        self.number = None
        self.sent = 0
        self._seed = seed
        self._held = []
        self._life = 0  # counted up by a power cycle: what was on the way before it concerns nobody

    # the module's side

    def register(self, account, endpoint, lifetime, binding, objects, done):
        self.objects = list(objects)

        def arrive():
            if not self.server.accepts_key(account):
                return None  # a failed handshake is silence
            return self.server.handle_register(self, endpoint, lifetime, binding, objects)

        def answered(reply):
            code, number = reply if reply is not None else (None, None)
            if code == 201:
                self.number = number
                self.observed_paths = {}
            done(code)

        self._confirmable(arrive, answered)

    def update(self, done, lifetime=None, binding=None, objects=None):
        if objects is not None:
            self.objects = list(objects)
        number = self.number

        def answered(code):
            if code == 404:
                self.number = None
            done(code)

        self._confirmable(lambda: self.server.handle_update(number, lifetime, binding, objects), answered)

    def deregister(self, done):
        number, self.number = self.number, None
        self.observed_paths = {}
        self._confirmable(lambda: self.server.handle_deregister(number), done)

    def bootstrap(self, account, endpoint, on_write, done):
        def arrive():
            if not self.server.accepts_key(account):
                return None
            return 204 if self.server.bootstrap else 400

        def asked(code):
            if code != 204:
                done(code)
                return
            for step in self.server.bootstrap:
                answer = on_write(ServerRequest(*bootstrap_step(step)))
                if answer is not None and answer >= 400:
                    done(answer)
                    return
            done(204)

        self._confirmable(arrive, asked)

    def _answer(self, entry, code, payload, content_format):
        def arrive():
            entry[2](code, payload, content_format)
            return 0

        self._confirmable(arrive, lambda outcome: None)

    def _notify(self, observation, payload, content_format, confirm, done):
        def arrive():
            return self.server.handle_notification(self, observation.token, payload, content_format)

        if confirm:
            self._confirmable(arrive, done)
        else:
            self._non_confirmable(arrive, observation, done)

    def _later(self, done, outcome):
        self.clock.after(0, lambda: done(outcome))

    def resume(self):
        super().resume()
        held, self._held = self._held, []
        for each in held:
            each()

    def cut(self):
        super().cut()
        self._abandon()

    def forget(self):
        super().forget()
        self.number = None
        self._abandon()

    def _abandon(self):
        self._open = {}
        self._held = []
        self._life += 1

    # the server's side

    def server_asks(self, request, token, answered, patience_ms):
        """A request of the server sets out; answered(code, payload, content_format) once, code None for silence."""
        state = {"over": False, "heard": False}

        def finish(code, payload=b"", content_format=None):
            if not state["over"]:
                state["over"] = True
                self.clock.cancel(state["patience"])
                self._open.pop(request.mid, None)
                answered(code, payload, content_format)

        def attempt(left, wait_ms):
            if state["over"] or state["heard"]:
                return
            if self._passes():
                self.clock.after(self.delay_ms, hear)
            if left:
                self.clock.after(wait_ms, lambda: attempt(left - 1, wait_ms * 2))

        def hear():
            if state["heard"] or self.suspended or not self.up:
                return
            state["heard"] = True  # the empty acknowledgement; that it can be lost changes nothing but traffic
            self._open[request.mid] = (request, token, finish)
            self.hand_over(request)

        state["patience"] = self.clock.after(patience_ms, lambda: finish(None))
        attempt(4, 2000)

    # inside

    def _non_confirmable(self, arrive, observation, done):
        def travel():
            self.sent += 1
            if self._passes():
                self.clock.after(self.delay_ms, land)
            self.clock.after(0, lambda: done(ACKNOWLEDGED))

        def land():
            if arrive() == RESET and self._passes():
                self.clock.after(self.delay_ms, lambda: self.cancelled_by_reset(observation))

        if self.suspended:
            self._held.append(travel)
        else:
            travel()

    def _confirmable(self, arrive, answered):
        """One confirmable message: repeated until its reply is back; answered(reply) or answered(None)."""
        intervals = self.intervals_ms()
        state = {"over": False, "timer": None, "reply": None, "arrived": False}
        life = self._life

        def attempt(number):
            state["timer"] = None
            if state["over"] or life != self._life:
                return
            if number > self.max_retransmit or number >= len(intervals):
                state["over"] = True
                answered(None)
                return
            if self.suspended:
                self._held.append(lambda: attempt(number))
                return
            self.sent += 1
            if self._passes():
                self.clock.after(self.delay_ms, land)
            state["timer"] = self.clock.after(intervals[number], lambda: attempt(number + 1))

        def land():
            if not self.server.up:
                return
            if state["arrived"]:
                self.server.duplicates += 1
            else:
                state["arrived"] = True
                state["reply"] = arrive()
            if state["reply"] is not None and self._passes():
                self.clock.after(self.delay_ms, back)

        def back():
            if state["over"] or self.suspended or not self.up or life != self._life:
                return
            state["over"] = True
            if state["timer"] is not None:
                self.clock.cancel(state["timer"])
            answered(state["reply"])

        self.clock.after(0, lambda: attempt(0))

    def _passes(self):
        """Does a message that is sent now get through? By a linear congruential generator, the same everywhere."""
        if not self.up:
            return False
        self._seed = (self._seed * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._seed >> 8) % 100 >= self.loss


def bootstrap_step(step):
    """("write", path, content_format, payload) or ("delete", path) -> the arguments of a ServerRequest."""
    if step[0] == "delete":
        return "delete", step[1]
    return "write", step[1], step[3], step[2]
