"""The virtual modem's outside, CPython only: a pty, a TCP port or a serial port on one side, CoAP on the other.

    modem = VirtualModem("bc66", "coap://127.0.0.1:5683")
    await modem.start()
    modem.pty_path                      # /dev/pts/7: a raw terminal, `screen /dev/pts/7` or a node's UART
    modem.control_port                  # pins, radio, faults: see `control`
    modem.trace = lambda direction, data: ...       # bytes: ">" what the host wrote, "<" what the module wrote
    modem.model.on_note = lambda direction, line: ...       # lines, keys and PINs left out: for people and logs
    modem.on_trouble = lambda sentence: ...         # what its client cannot say in AT: a refused key, an unknown host
    await modem.close()

Everything runs in the event loop of the caller; bytes are handed on when they arrive, nothing polls.

Bounds: bytes that nobody fetches from the pty are lost beyond `_UNREAD`, as on a wire nobody listens to.
"""

import asyncio
import json
import os
import socket
import tty
from pathlib import Path
from urllib.parse import urlsplit

from testing.virtual_modem import model as make_model
from testing.virtual_modem.control import Control
from testing.virtual_modem.real_clock import RealClock

__all__ = ["RealClock", "VirtualModem"]

_UNREAD = 65536
_CHUNK = 4096


class VirtualModem:
    """A model with its line, its control port and its LwM2M client.

    family            "bc66", "bc20", "bg96" or "me910c1"
    server_uri        "coap://host:port": every account is led there, whatever the host configured; None: as configured
    pty, tcp_port     lines for AT commands (0: any free port); both may be open
    serial            path of a serial port, with `baudrate`, or an open port
    control_port      0: any free port of 127.0.0.1
    nvram_file        JSON file that keeps the module's memory; None: forgotten at the end
    link              a started link instead of a CoapLink of our own
    options           of the model, see its OPTIONS
    """

    def __init__(self, family, server_uri=None, *, pty=True, tcp_port=None, serial=None, baudrate=115200, control_port=0,
                 bootstrap_uri=None, link=None, nvram_file=None, **options):  # fmt: skip
        self.family, self.server_uri, self.bootstrap_uri = family, server_uri, bootstrap_uri
        self.pty, self.tcp_port, self.serial, self.baudrate = pty, tcp_port, serial, baudrate
        self.host, self.control_port = "127.0.0.1", control_port
        self.link, self._own_link = link, link is None
        self._nvram_file, self._saved = Path(nvram_file) if nvram_file else None, ""
        self.options = options
        self.troubles = []
        self.trace = self.on_trouble = self.pty_path = self.clock = self.model = self.control = None
        self._master = self._slave = self._serial_line = None
        self._pending = bytearray()
        self._servers, self._writers = [], []

    async def start(self):
        """Open the lines, switch the module on. Returns itself."""
        loop = asyncio.get_running_loop()
        self.clock = RealClock(loop)
        if self._own_link:
            from testing.lwm2m.client import CoapLink

            self.link = CoapLink(trouble=self._trouble)
            await self.link.start()
        nvram = self._load()
        options = dict(self.options)
        options.setdefault("start", "boot")
        self.model = make_model(self.family, self.clock, self.link, nvram, **options)
        self.model.out = self._out
        self.model.redirect = self._redirect
        self.control = Control(self)
        server = await asyncio.start_server(self.control.serve, self.host, self.control_port)
        self.control_port = server.sockets[0].getsockname()[1]
        self._servers.append(server)
        if self.pty:
            self._open_pty(loop)
        if self.tcp_port is not None:
            server = await asyncio.start_server(self._tcp_client, self.host, self.tcp_port)
            self.tcp_port = server.sockets[0].getsockname()[1]
            self._servers.append(server)
        if self.serial:
            from testing.virtual_modem.serial_line import SerialLine

            self._serial_line = SerialLine(self, self.serial, self.baudrate)
            self._serial_line.open(loop)
        return self

    async def close(self):
        """Close everything; the memory is saved."""
        self.save()
        for server in self._servers:
            server.close()
        for writer in self._writers:
            writer.close()
        if self.control is not None:
            self.control.close()
        if self._serial_line is not None:
            self._serial_line.close()
        if self._master is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._master)
            loop.remove_writer(self._master)
            os.close(self._master)
            os.close(self._slave)
            self._master = None
        if self.clock is not None:
            self.clock.close()
        if self._own_link and self.link is not None:
            await self.link.close()

    def line_names(self):
        """The open lines, for people."""
        names = [f"pty {self.pty_path}"] if self.pty_path else []
        if self.tcp_port is not None:
            names.append(f"tcp {self.host}:{self.tcp_port}")
        if self.serial:
            names.append(f"serial {self.serial} at {self.baudrate}")
        return [*names, f"control {self.host}:{self.control_port}"]

    def _trouble(self, sentence):
        self.troubles.append(sentence)
        del self.troubles[:-20]
        if self.on_trouble:
            self.on_trouble(sentence)

    def _redirect(self, host, port, bootstrap):
        uri = self.bootstrap_uri if bootstrap else self.server_uri
        if not uri:
            return host, port
        parts = urlsplit(uri)
        return parts.hostname, parts.port or (5684 if parts.scheme == "coaps" else 5683)

    # ---- memory

    def _load(self):
        if self._nvram_file is None or not self._nvram_file.exists():
            return {}
        try:
            return json.loads(self._nvram_file.read_text())
        except ValueError as error:
            wrong = f"{self._nvram_file} is not the JSON that a virtual modem writes ({error}); delete it"
            raise ValueError(wrong) from None

    def save(self):
        """Write the module's non-volatile memory, if it changed."""
        if self._nvram_file is None or self.model is None:
            return
        text = json.dumps(self.model.nvram, indent=1)
        if text != self._saved:
            temporary = self._nvram_file.with_suffix(".new")
            temporary.write_text(text)
            temporary.replace(self._nvram_file)
            self._saved = text

    # ---- bytes

    def _in(self, data):
        if self.trace:
            self.trace(">", data)
        self.model.receive(data)
        self.save()

    def _out(self, data):
        if self.trace:
            self.trace("<", data)
        if self._master is not None:
            self._to_pty(data)
        for writer in self._writers:
            writer.write(data)
        if self._serial_line is not None:
            self._serial_line.write(data)

    def _open_pty(self, loop):
        self._master, self._slave = os.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)  # the host may open it without a setting of its own
        os.set_blocking(self._master, False)
        self.pty_path = os.ttyname(self._slave)
        loop.add_reader(self._master, self._from_pty)

    def _from_pty(self):
        try:
            data = os.read(self._master, _CHUNK)
        except (BlockingIOError, OSError):
            return
        if data:
            self._in(data)

    def _to_pty(self, data):
        self._pending.extend(data)
        del self._pending[:-_UNREAD]
        self._drain_pty()

    def _drain_pty(self):
        loop = asyncio.get_running_loop()
        try:
            sent = os.write(self._master, self._pending) if self._pending else 0
        except BlockingIOError:
            sent = 0
        del self._pending[:sent]
        if self._pending:
            loop.add_writer(self._master, self._drain_pty)
        else:
            loop.remove_writer(self._master)

    async def _tcp_client(self, reader, writer):
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._writers.append(writer)
        try:
            while data := await reader.read(_CHUNK):
                self._in(data)
        except (ConnectionError, asyncio.CancelledError):
            pass  # hung up, or the modem is closed
        finally:
            self._writers.remove(writer)
            writer.close()
