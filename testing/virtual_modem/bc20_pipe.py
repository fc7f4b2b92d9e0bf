"""BC20: the pipe itself - bytes up by QLWDATASEND, bytes down by +QLWDATARECV or through the buffer.

Bounds: the receive buffer holds `_NODES` writes of up to 512 bytes.
"""

from binascii import hexlify, unhexlify

from testing.lwm2m import codec
from testing.lwm2m.names import OCTET_STREAM, OPAQUE, TEXT_PLAIN, TIMEOUT
from testing.virtual_modem.atline import READ, TEST, WRITE, Refused, whole_number
from testing.virtual_modem.quectel import UNOBSERVED
from testing.virtual_modem.bc20_session import (FAILED, GOT_RESET, OPEN, OPENING, SUCCESS, TIMED_OUT, WAITING, Bc20Session)

_NODES = 32
_LONGEST = 512


class Bc20Pipe(Bc20Session):
    """What the host sends and the server writes."""

    # ---- up

    def at_qlwdatasend(self, form, args):
        """Send bytes on a declared path: 0x0000 NON, 0x0100 CON (3.8)."""
        self.need(form, WRITE)
        path, data, mode = self._datasend(args.text)
        if self.phase != OPEN or self.sent == WAITING:
            raise Refused("ERROR")
        confirm = mode == "0x0100"
        if confirm:
            self.sent = WAITING
        self.after(10, lambda: self._send(path, data, confirm))

    def _datasend(self, text):
        parts = text.split(",", 4)
        numbers = [whole_number(part.strip()) for part in parts[:4]]
        if len(parts) != 5 or None in numbers or not 1 <= numbers[3] <= _LONGEST:
            raise Refused("ERROR")
        place, size = tuple(numbers[:3]), numbers[3]
        hexadecimal = self.dataformat()[0] == 1
        raw = parts[4].encode()
        length = 2 * size if hexadecimal else size
        data, rest = raw[:length], raw[length:].decode().strip()
        if len(data) != length or rest not in (",0x0000", ",0x0100") or not self.declared(place):
            raise Refused("ERROR")
        if hexadecimal:
            try:
                data = unhexlify(data)
            except ValueError:
                raise Refused("ERROR")
        return place, data, rest[1:]

    def declared(self, path):
        """True for a path at or above a declared resource, and for the resource."""
        for entry in self.objects():
            if entry[0] == path[0] and (len(path) < 2 or entry[1] == path[1]):
                if len(path) < 3 or path[2] in entry[2]:
                    return True
        return False

    def _send(self, path, data, confirm):
        def done(outcome):
            if not confirm:
                return
            if outcome is TIMEOUT:
                self.sent = TIMED_OUT
            else:
                self.sent = SUCCESS if outcome == 0 else GOT_RESET
            self.explain_send(outcome, path)
            self.urc("SEND OK" if outcome == 0 else "SEND FAIL")

        if not self.link.observed(path):
            # "a data send before an observe": nothing can carry it (RFC 7641), a CON is told so.
            if confirm:
                self.sent = FAILED
                self.explain_send(UNOBSERVED, path)
                self.urc("SEND FAIL")
            return
        self.begin()
        self.link.notify(path, [(path, OPAQUE, data)], confirm, self.guarded(done))

    def at_qlwdatastatus(self, form, args):
        """State of the last CON (3.9)."""
        self.need(form, READ)
        self.info("+QLWDATASTATUS:%s%d" % (" " if self.options["status_blank"] else "", self.sent))

    # ---- down

    def may_execute(self, path):
        """What the server may execute on the module's own objects."""
        return path in ((1, 0, 8), (1, 0, 4), (3, 0, 4))

    def server_wrote(self, path, value):
        """A server sets lifetime or binding: an update carries it."""
        name = {(1, 0, 1): "lifetime", (1, 0, 7): "binding"}.get(path)
        if name:
            self.kept[name] = value
            self.update(None, **{name: value})

    def server_executed(self, path):
        """Update trigger, disable, reboot: silently, the manual has no URC for them."""
        if path == (1, 0, 8):
            self.update(None)
        elif path == (3, 0, 4):
            self.after(500, self.restart)
        elif path == (1, 0, 4):
            self.begin()
            self.link.deregister(self.guarded(lambda code: self.lose_context()))

    def asked(self, request):
        """A request of the server: the module answers, the host is told."""
        if self.state_name == "asleep":
            self.paged(request, self.asked)
        if not self.hears(request, self.asked, self.phase == OPENING):
            return
        operation, path = request.operation, request.path
        if self.builtin.has(path[0]):
            self.builtin.answer(request)
        elif not self.declared(path):
            self.link.respond(request, 404)
        elif operation in ("observe", "cancel"):
            self._observed(request)
        elif operation == "write":
            self._written(request)
        else:
            self.link.respond(request, 405)  # a pipe: nobody can be asked for a value

    def _observed(self, request):
        path = tuple(list(request.path) + [-1, -1])[:3]
        place = (path[0], max(0, path[1]), max(0, path[2]))
        cancelled = request.operation == "cancel"
        self.link.respond(request, 205, () if cancelled else [(place, OPAQUE, b"")])
        self.urc("+QLWOBSERVE: %d,%d,%d,%d" % (cancelled, path[0], path[1], path[2]))

    def _written(self, request):
        try:
            values = self._raw_values(request)
        except ValueError:
            values = []
        if not values or any([len(raw) > _LONGEST for _, raw in values]):
            self.link.respond(request, 400)
            return
        if self.buffered_mode and len(self.nodes) + len(values) > _NODES:
            self.link.respond(request, 503)
            return
        self.link.respond(request, 204)
        for path, raw in values:
            self._received(path, raw)

    @staticmethod
    def _raw_values(request):
        if request.content_format in (None, TEXT_PLAIN, OCTET_STREAM):
            return [(tuple(list(request.path) + [0, 0])[:3], request.payload)]
        return codec.decode_raw(request.content_format, request.path, request.payload)

    def _received(self, path, raw):
        place = "%d,%d,%d" % (path[0], path[1], path[2])
        length = len(raw) + (14 if self.quirk("recv_length") else 0)  # seen: 27 declared, 13 brought
        if not self.buffered_mode:
            self.urc("+QLWDATARECV: %s,%d,%s" % (place, length, self._shown(raw)))
            return
        self.nodes.append(raw)
        if len(self.nodes) == 1:
            self.urc("+QLWDATARECV: %s,%d" % (place, length))

    def _shown(self, raw):
        if self.dataformat()[1] == 1:
            return hexlify(raw).decode().upper()
        return "".join([chr(byte) for byte in raw])

    def at_qlwrd(self, form, args):
        """Fetch up to 512 bytes of the oldest node (3.10)."""
        if form == TEST:
            self.info("+QLWRD: (1-512)")
            return
        self.need(form, WRITE)
        wanted = args.expect(1).integer(0, 1, _LONGEST)
        if not self.nodes:
            self.info("+QLWRD: 0")
            return
        node = self.nodes[0]
        part, left = node[:wanted], node[wanted:]
        if left:
            self.nodes[0] = left
        else:
            self.nodes.pop(0)
        self.info("+QLWRD: %d,%d" % (len(part), len(left)))
        self.info(self._shown(part))
