"""python -m testing.lwm2m.server: an LwM2M server at a terminal.

Prints what happens, one line per event, and takes commands on standard input and, with --control PORT, from a TCP
connection on 127.0.0.1 (one command per line, one answer per line; `nc` will do).
"""

import asyncio
import json
import sys
import time

from testing.lwm2m.codec import CodecError
from testing.lwm2m.names import TEXT_PLAIN, path_text
from testing.lwm2m.server import Lwm2mServer
from tools import arguments as typed

COMMANDS = """\
clients                            who is registered
read EP PATH                       read EP /3303/0 or /3303/0/5700
write EP PATH VALUE                write one resource, as text/plain
execute EP PATH [ARGUMENTS]
observe EP PATH                    notifications are logged as they come
cancel EP PATH
discover EP PATH
attributes EP PATH pmin=5 gt=25    notification attributes
create EP OBJECT                   an instance, its number chosen by the client
delete EP PATH
deliveries                         number of readings delivered by notifications
help
quit"""


async def command(server, line):
    """Carry out one typed line; the answer is a string, JSON where it is more than a word."""
    words = line.split()
    verb, arguments = (words[0], words[1:]) if words else ("help", [])
    simple = {"help": lambda: COMMANDS, "clients": lambda: json.dumps([_client(each) for each in server.clients.values()]),
              "deliveries": lambda: str(len(server.deliveries))}
    if verb in simple:
        return simple[verb]()
    operations = {"read": lambda ep, path: server.read(ep, path), "write": lambda ep, path,
                  *text: server.write(ep, path, " ".join(text).encode(), TEXT_PLAIN), "execute": lambda ep, path,
                  *text: server.execute(ep, path, " ".join(text)), "observe": lambda ep, path: server.observe(ep, path),
                  "cancel": lambda ep, path: server.cancel(ep, path), "discover": lambda ep, path: server.discover(ep, path),
                  "attributes": lambda ep, path, *query: server.write_attributes(ep, path, *query), "create": lambda ep,
                  path: server.create(ep, path), "delete": lambda ep, path: server.delete(ep, path)}
    if verb not in operations:
        return f"unknown command {verb!r}: type help"
    try:
        return _shown(await operations[verb](*arguments))
    except TypeError:
        return f"{verb}: wrong number of words, type help"
    except (KeyError, ValueError, CodecError) as error:
        return str(error.args[0] if error.args else error)


def _client(client):
    return {"endpoint": client.endpoint, "lifetime": client.lifetime, "binding": client.binding, "objects": client.objects,
            "updates": client.updates, "observed": [path_text(path) for path in client.observations.values()]}


def _shown(answer):
    if answer.code is None:
        return "no answer"
    parts = [f"{answer.code // 100}.{answer.code % 100:02d}"]
    for each in answer.values:
        parts.append(f"{path_text(each.path)}={each.value.hex() if isinstance(each.value, bytes) else each.value}")
    if not answer.values and answer.payload:
        parts.append(answer.payload.decode("utf-8", "replace"))
    return " ".join(parts)


def _options():
    parser = typed.Parser(
        "python -m testing.lwm2m.server", "An LwM2M 1.0 server for a bench: logs what nodes do, and asks them what you type.",
        epilog="commands:\n" + COMMANDS)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=typed.tcp_port, default=5683, help="UDP port (default %(default)s)")
    parser.add_argument("--control", type=typed.tcp_port, metavar="PORT",
                        help="take commands on this TCP port of 127.0.0.1 too")
    parser.add_argument("--observe", action="append", default=[], metavar="PATH",
                        help="observe it on every client that registers")
    parser.add_argument("--psk", type=typed.file, metavar="FILE",
                        help="speak DTLS with PSK: a file of lines IDENTITY:HEXKEY (extra dtls)")
    return parser


def _log(sentence):
    print("{}  {}".format(time.strftime("%H:%M:%S"), sentence), flush=True)


async def _serve_control(server, port):
    async def serve(reader, writer):
        while line := await reader.readline():
            text = line.decode("utf-8", "replace").strip()
            if text == "quit":
                break
            writer.write((await command(server, text) + "\n").encode())
            await writer.drain()
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", port)


async def _serve_terminal(server):
    loop = asyncio.get_running_loop()
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if line.strip() == "quit":
            return
        if not line:  # no terminal: serve until killed
            await asyncio.Event().wait()
        if line.strip():
            print(await command(server, line), flush=True)


async def _run(options):
    server = Lwm2mServer(options.host, options.port, log=_log, auto_observe=options.observe)
    front = control = None
    try:
        if options.psk:
            from testing.lwm2m.dtls import DtlsFront, read_keys

            server.port = 0
            await server.start()
            front = DtlsFront((options.host, options.port), (options.host, server.port), read_keys(options.psk), _log)
            await front.start()
            _log(f"DTLS with PSK on {options.host}:{front.port}, {len(front.keys)} keys")
        else:
            await server.start()
        if options.control:
            control = await _serve_control(server, options.control)
        await _serve_terminal(server)
    finally:
        for each in (front, control):
            if each is not None:
                each.close()
        await server.close()


def main(arguments=None):
    """Run until `quit` or Ctrl-C. 0; 1 with one sentence when it cannot start."""
    try:
        asyncio.run(_run(_options().parse_args(arguments)))
    except KeyboardInterrupt:
        pass
    except (OSError, ImportError, ValueError) as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 1
    return 0
