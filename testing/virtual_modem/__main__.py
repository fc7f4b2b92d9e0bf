"""A modem on your desk: `python -m testing.virtual_modem --family bc66 --server coap://127.0.0.1:5683`.

Then, in another terminal, type at it (`screen PATH`, `minicom -D PATH`, `picocom PATH`) or give PATH to your program.
Commands end with Enter; ATE1 shows what you type. `AT+QLWSTATUS?` is a good first one.
"""

import asyncio
import contextlib
import inspect
import os
import re
import signal
import sys

from testing.virtual_modem import FAMILIES
from testing.virtual_modem.control import Control
from testing.virtual_modem.faults import KINDS, QUIRKS
from testing.virtual_modem.transport import VirtualModem
from tools import arguments as typed


def parser():
    """The command line."""
    made = typed.Parser("make modem", __doc__, epilog="Control port: " + Control.command(Control(None), "help")[3:])
    made.add_argument("--family", type=typed.one_of(*FAMILIES), default="bc66", help="which module (bc66)")
    made.add_argument("--server", type=typed.server, metavar="URI", help="lead every server account here: coap://HOST:PORT")
    made.add_argument("--bootstrap-server", type=typed.server, metavar="URI", help="lead every bootstrap account here")
    made.add_argument("--pty", action="store_true", help="a pseudo terminal for AT commands (the default line)")
    made.add_argument("--tcp", type=typed.tcp_port, metavar="PORT", help="AT commands on a TCP port of 127.0.0.1 (0: any)")
    made.add_argument("--serial", metavar="PATH", help="AT commands on a serial port; CTS wake, DSR reset, RTS status")
    made.add_argument("--baud", type=typed.whole(300, 3000000), default=115200, help="of the serial port (115200)")
    made.add_argument("--control", type=typed.tcp_port, default=0, metavar="PORT", help="control port (any free one)")
    made.add_argument("--nvram", type=typed.place, metavar="FILE", help="keep the module's memory in this JSON file")
    made.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of the model; see --list")
    made.add_argument("--hostile", nargs="?", const="all", metavar="QUIRK,...", help="habits of real firmware: --list")
    made.add_argument("--seed", type=typed.whole(0, 1 << 32), metavar="N", help="faults at random, the same for each N")
    made.add_argument("--fault", action="append", default=[], metavar="KIND@N",
                      help="a fault at the N-th line; KIND@N:VALUE; see --list")
    made.add_argument("--script", type=typed.file, metavar="FILE", help="control commands, one a line, `wait MS` between them")
    made.add_argument("--quiet", action="store_true", help="no live view: print the lines' names and the dialogue")
    made.add_argument("--list", action="store_true", help="list options, quirks and faults, and end")
    return made


def model_class(family):
    """The class of a family's model, whose OPTIONS hold the defaults."""
    from testing.virtual_modem import model
    from testing.virtual_modem.transport import RealClock

    class NoLink:
        on_request = None

        def __getattr__(self, name):
            return lambda *args, **more: None

    loop = asyncio.new_event_loop()
    try:
        return type(model(family, RealClock(loop, 0), NoLink(), start="off"))
    finally:
        loop.close()


def listing(family):
    """What --list prints."""
    chosen = model_class(family)
    told = option_notes(chosen)
    lines = [f"options of {family} (--option NAME=VALUE):"]
    for name in sorted(chosen.OPTIONS):
        lines.append(f"  {name} = {chosen.OPTIONS[name]!r}" + (f"   {told[name]}" if told.get(name) else ""))
    lines += ["", "quirks (--hostile):"]
    for name, (families, text, section) in QUIRKS.items():
        if family in families.split():
            lines.append(f"  {name}: {text} (field note {section})")
    lines += ["", "faults (control port, --script):"] + [f"  {name}: {text}" for name, text in KINDS.items()]
    return "\n".join(lines)


def option_notes(chosen):
    """What the sources say beside each option: name -> comment."""
    notes = {}
    for base in chosen.__mro__[:-1]:
        for line in inspect.getsource(base).splitlines():
            found = re.match(r'\s+"(\w+)": (?:"[^"]*"|[^"#])*#\s*(.*)', line)
            if found:
                notes.setdefault(found.group(1), found.group(2))
    return notes


def armed_fault(text):
    """"error@3" or "late@2:2500" -> arguments of Faults.arm."""
    kind, _, rest = text.partition("@")
    at, _, value = rest.partition(":")
    if at and not at.isdigit():
        raise ValueError(f"--fault {text}: expected KIND@N or KIND@N:VALUE")
    return kind, int(at) if at else 1, value or None


def option_values(pairs, defaults):
    """["attach_ms=100"] -> {"attach_ms": 100}, by the type of the option's default; ValueError says what is wrong.

    Where that is a text, digits stay a text (an IMEI, a PIN).
    """
    values = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or name not in defaults:
            raise ValueError(f"--option {pair}: expected NAME=VALUE, NAME being one of: {', '.join(sorted(defaults))}")
        values[name] = text if isinstance(defaults[name], str) else option_value(text)
    return values


def option_value(text):
    """A switch, a number, or a text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return int(text)
    except ValueError:
        return text


async def run_script(modem, path, stop):
    """Control commands from a file; `wait MS` lets time pass, `end` closes the modem."""
    with open(path) as file:
        lines = file.read().splitlines()
    for number, line in enumerate(lines, 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "wait":
            await asyncio.sleep(int(words[1]) / 1000)
        elif words[0] == "end":
            stop.set()
        else:
            answer = modem.control.command(" ".join(words))
            if answer.startswith("error"):
                print(f"{path}:{number}: {answer}", file=sys.stderr)


def listen(modem, loop):
    """What is typed at the console is a command of the control port; the answer is shown like everything else."""

    def typed():
        if sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) != os.getpgrp():
            return  # in the background: the line is the shell's
        line = sys.stdin.readline()
        if not line:
            loop.remove_reader(sys.stdin)
        elif line.strip():
            modem.model.explain(f"{line.strip()}: {modem.control.command(line)}")

    try:
        loop.add_reader(sys.stdin, typed)
    except (OSError, ValueError):
        pass  # a file, or closed: nobody types


async def main(arguments):
    """Run until interrupted."""
    options = option_values(arguments.option, model_class(arguments.family).OPTIONS)
    if arguments.hostile:
        options["hostile"] = arguments.hostile
    other_line = arguments.tcp is not None or arguments.serial
    modem = VirtualModem(arguments.family, arguments.server, bootstrap_uri=arguments.bootstrap_server,
                         pty=arguments.pty or not other_line, tcp_port=arguments.tcp, serial=arguments.serial,
                         baudrate=arguments.baud, control_port=arguments.control, nvram_file=arguments.nvram, **options)
    await modem.start()
    if arguments.quiet:
        modem.model.on_note = lambda direction, line: print(direction, line, flush=True)
    if arguments.quiet or not sys.stdout.isatty():
        modem.model.on_explain = lambda sentence: print("*", sentence, flush=True)
        modem.on_trouble = lambda sentence: print("!", sentence, flush=True)
    for text in arguments.fault:
        modem.model.faults.arm(*armed_fault(text))
    if arguments.seed is not None:
        modem.model.faults.random(arguments.seed)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    for line in modem.line_names():
        print(line, flush=True)
    listen(modem, loop)
    script = asyncio.ensure_future(run_script(modem, arguments.script, stop)) if arguments.script else None
    try:
        if arguments.quiet or not sys.stdout.isatty():
            await stop.wait()
        else:
            from testing.virtual_modem.view import watch

            await watch(modem, stop)
    finally:
        if script is not None:
            script.cancel()
        await modem.close()


def entry():
    """The command."""
    arguments = parser().parse_args()
    if arguments.list:
        print(listing(arguments.family))
        return 0
    try:
        asyncio.run(main(arguments))
    except (ValueError, TypeError, RuntimeError, OSError) as error:
        print(f"virtual modem: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(typed.run(entry))
