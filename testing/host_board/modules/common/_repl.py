"""The REPL of a board, raw and friendly, on stdin and stdout: what mpremote talks to.

The raw REPL's bytes are those of MicroPython's shared/runtime/pyexec.c (docs/reference/repl.rst, "Raw mode" and "Raw-paste
mode"). While something runs, the runner makes a signal of Ctrl-C, as a port makes an exception of it.
"""

import sys
from time import sleep_ms

import _host

CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E = b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"
_WINDOW = 2048
_in = sys.stdin.buffer
_out = sys.stdout.buffer


def _busy(on):
    """Tell the runner whether a Ctrl-C is a signal for what runs, or a byte for the prompt; swallow one that came late."""
    told = False
    while not told:
        try:
            _host.tell("busy", on)
            told = True
            if not on:
                sleep_ms(5)
        except KeyboardInterrupt:
            pass


def _read():
    """One byte."""
    byte = _in.read(1)
    if not byte:
        raise SystemExit  # the runner has gone
    return byte


def _write(data):
    _out.write(data)


def _paste():
    """Raw-paste mode: the host sends as fast as it is told that there is room."""
    _write(b"R\x01" + bytes((_WINDOW & 0xFF, _WINDOW >> 8)))
    code = bytearray()
    while True:
        byte = _read()
        if byte == CTRL_C:
            _write(CTRL_D)
            return None
        if byte == CTRL_D:
            _write(CTRL_D)
            return bytes(code)
        code.extend(byte)
        if len(code) % _WINDOW == 0:
            _write(CTRL_A)


def _run(code, space):
    """Execute; what it prints, the end mark, its traceback, the end mark."""
    failure = None
    try:
        _busy(True)
        exec(compile(code, "<stdin>", "exec"), space)
    except BaseException as error:  # noqa: B036  a REPL shows whatever it is
        failure = error
    _busy(False)
    if isinstance(failure, SystemExit):
        _soft_reset("raw")
    _write(CTRL_D)
    if failure:
        sys.print_exception(failure)
    _write(CTRL_D)


def _soft_reset(mode):
    _write(b"MPY: soft reboot\r\n")
    _host.stop("soft_reset", mode)


def raw(space):
    """Raw mode, until Ctrl-B."""
    _write(b"raw REPL; CTRL-B to exit\r\n")
    while True:
        _write(b">")
        code = bytearray()
        while True:
            byte = _read()
            if byte == CTRL_A:
                _write(b"raw REPL; CTRL-B to exit\r\n>")
                code = bytearray()
            elif byte == CTRL_B:
                _write(b"\r\n")
                return
            elif byte == CTRL_C:
                code = bytearray()
            elif byte == CTRL_E and not code:
                if _read() + _read() == b"A\x01":
                    pasted = _paste()
                    if pasted is not None:
                        _run(pasted, space)
                    break
            elif byte == CTRL_D:
                if not code:
                    _write(b"\r\n")
                    _soft_reset("raw")
                _write(b"OK")
                _run(bytes(code), space)
                break
            else:
                code.extend(byte)


def _line():
    """One line of the friendly REPL, echoed; a control character alone ends it."""
    line = b""
    while True:
        byte = _read()
        if byte in (CTRL_A, CTRL_B, CTRL_C, CTRL_D) and (not line or byte == CTRL_C):
            return byte
        if byte in (b"\r", b"\n"):
            _write(b"\r\n")
            return line
        if byte in (b"\x08", b"\x7f"):
            if line:
                line = line[:-1]
                _write(b"\x08 \x08")
        elif byte >= b" ":
            line += byte
            _write(byte)


def _evaluate(line, space):
    """A line of the friendly REPL: an expression's value is shown."""
    failure = None
    try:
        _busy(True)
        try:
            code = compile(line, "<stdin>", "eval")
        except SyntaxError:
            exec(compile(line, "<stdin>", "exec"), space)
        else:
            value = eval(code, space)
            if value is not None:
                print(repr(value))
    except BaseException as error:  # noqa: B036
        failure = error
    _busy(False)
    if isinstance(failure, SystemExit):
        _soft_reset("friendly")
    if failure:
        sys.print_exception(failure)


def friendly(space):
    """The prompt for people; one line at a time."""
    import os

    banner = "MicroPython %s; %s\r\nType \"help()\" for more information.\r\n" % (os.uname().version, os.uname().machine)
    _write(banner.encode())
    while True:
        _write(b">>> ")
        line = _line()
        if line == CTRL_A:
            raw(space)
            _write(banner.encode())
        elif line == CTRL_B:
            _write(b"\r\n" + banner.encode())
        elif line == CTRL_C:
            _write(b"\r\n")
        elif line == CTRL_D:
            _soft_reset("friendly")
        elif line.strip():
            _evaluate(line.decode(), space)


def serve(mode, space):
    """Serve until the board restarts."""
    if mode == "raw":
        raw(space)
    friendly(space)
