"""Core of every model: bytes to commands, commands to results, timers, and the two kinds of memory.

A family has a table COMMANDS, name -> Row (see `atline`). What a row's function does:

    return "%d" % self.status                   # information text behind the command's name; OK follows
    return PENDING                              # and self.finish() later
    raise self.error(50); self.urc("+QLWREG: 0"); self.info("a line of its own")

Memory: `nvram` is a dict that JSON can hold and outlives everything; `kept` outlives deep sleep, not a reset; what
`booted` sets outlives nothing. Timers: `after` ends with the next sleep or reset, `after_rtc` goes on in deep sleep.

Bounds: a line holds `line_limit` characters, `_LINES_WAITING` lines wait while one runs, `recent` keeps the last 40.
"""

from testing.virtual_modem.atline import RAW, RUN, TEST, WRITE, Args, Refused, Row, parse, remembered, split_commands, whole
from testing.virtual_modem.output import Output

PENDING = object()
_LINES_WAITING = 16

# TS 27.007, 9.2, as far as the models use it.
CME_TEXTS = {3: "operation not allowed", 4: "operation not supported", 10: "SIM not inserted", 11: "SIM PIN required",
             13: "SIM failure", 14: "SIM busy", 16: "incorrect password", 30: "no network service", 50: "incorrect parameters",
             100: "unknown"}


def joined(base, more):
    """The table of a class: that of the one below, and what it adds or changes."""
    table = dict(base)
    table.update(more)
    return table


class Timer:
    """One call in the future; `cancel` before, and nothing happens."""

    def __init__(self, owner, kind, function):
        self._function = function
        self._owner = owner
        self._generation = owner.generations[kind]
        self._kind = kind
        self.handle = None
        self.due = 0

    def fire(self):
        """What the clock calls."""
        function = self._function
        self._function = None
        if function is not None and self._owner.generations[self._kind] == self._generation:
            function()

    def cancel(self):
        """Forget it; harmless once it has run."""
        if self._function is not None:
            self._function = None
            cancel = getattr(self._owner.clock, "cancel", None)
            if cancel is not None:
                cancel(self.handle)

    @property
    def active(self):
        """True while the call is still to come."""
        return self._function is not None and self._owner.generations[self._kind] == self._generation


class Core(Output):
    """A module's AT interface without any command of its own."""

    family = ""
    # Documented knobs of a model: name -> default. A family adds to them; see `python -m testing.virtual_modem --help`.
    OPTIONS = {
        "latency_ms": 0,  # before each answer; the manuals allow 300
        "line_limit": 4096,  # characters of a command line; a longer one is an ERROR
        "echo": 1,  # the factory's ATE
        "cmee": 1,  # the factory's AT+CMEE
    }

    def __init__(self, clock, link, nvram=None, **options):
        super().__init__()
        self.clock = clock
        self.link = link
        self.nvram = {} if nvram is None else nvram
        self.options = dict(self.OPTIONS)
        for name in options:
            if name not in self.options:
                raise TypeError("no option %r; there are: %s" % (name, ", ".join(sorted(self.options))))
        self.options.update(options)
        self.generations = {"boot": 0, "rtc": 0, "world": 0}
        self.kept = {}
        self.redirect = None  # set by a transport: (host, port, bootstrap) -> (host, port), in place of a name server
        self._reset_line()

    def _reset_line(self):
        self._buffer = bytearray()
        self._lines = []
        self._last_line = "AT"
        self._todo = []
        self._busy = False
        self._infos = []
        self._swallow = None
        self._skip_newline = False

    # ---- memory

    def stored(self, name, default):
        """A value of the non-volatile memory, put there on first use."""
        if name not in self.nvram:
            self.nvram[name] = default
        return self.nvram[name]

    def setting(self, name):
        """A setting that outlives deep sleep; after a reset it is what AT&W stored, else the default."""
        if name not in self.kept:
            profile = self.nvram.get("profile", {})
            self.kept[name] = profile.get(name, self.defaults().get(name, 0))
        return self.kept[name]

    def defaults(self):
        """The settings AT&F restores and AT&W stores."""
        return {"E": self.options["echo"], "V": 1, "Q": 0, "S3": 13, "S4": 10, "cmee": self.options["cmee"]}

    # ---- time

    def after(self, ms, function, kind="boot"):
        """Call `function` in `ms`, unless the module sleeps or restarts before."""
        timer = Timer(self, kind, function)
        timer.due = self.clock.now + ms
        timer.handle = self.clock.after(ms, timer.fire)
        return timer

    def after_rtc(self, ms, function):
        """As `after`, but it goes on in deep sleep (the module's real-time clock)."""
        return self.after(ms, function, "rtc")

    def unix(self):
        """World time in seconds."""
        unix = getattr(self.clock, "unix", None)
        return unix() if unix is not None else self.clock.time()

    # ---- bytes in

    def receive(self, data):
        """Bytes from the host's UART."""
        if self.deaf or not self.powered:
            self.counters["ignored_bytes"] += len(data)
            self.unheard()
            return
        self._echoes = bytearray()
        for byte in bytes(data):
            if self._swallow is not None:
                self._swallow_byte(byte)
            elif byte == self.setting("S3"):
                self._echo(b"\r")
                self._flush_echo()
                self._end_line()
            elif byte == 10 and not self._buffer:
                continue  # the LF of hosts that end lines with CR LF
            elif byte in (8, 127):
                self._buffer = self._buffer[:-1]
            else:
                if byte == 10:
                    self.explain("a line ended in LF alone, a module waits for CR (0x0D): have your program end lines with \\r")
                self._buffer.append(byte)
                self._echo(bytes([byte]))
                if byte == 47 and bytes(self._buffer) in (b"A/", b"a/", b"AT#/", b"at#/"):
                    self._buffer = bytearray()
                    self._flush_echo()
                    self._take_line(self._last_line)
            if self.deaf:
                return
        self._flush_echo()

    def unheard(self):
        """Bytes came while the module cannot hear."""

    def take_bytes(self, count, done):
        """Take the next `count` bytes as data (after a prompt); `done(bytes)` then ends the command."""
        self._swallow = [count, bytearray(), done]

    def _swallow_byte(self, byte):
        count, data, done = self._swallow
        data.append(byte)
        if len(data) >= count:
            self._swallow = None
            done(bytes(data))

    def _end_line(self):
        raw = bytes(self._buffer)
        self._buffer = bytearray()
        if not raw:
            return
        try:
            line = raw.decode()
        except (UnicodeError, ValueError):
            line = "".join([chr(byte) for byte in raw])
        if line[:2].upper() == "AT":
            self._last_line = line
            self._take_line(line)
        else:
            self.explain("this was no command line: it must begin with AT, and a module answers nothing else")

    def _take_line(self, line):
        if self._busy:
            if len(self._lines) < _LINES_WAITING:
                self._lines.append(line)
            return
        self._busy = True
        self.counters["commands"] += 1
        self.note(">", line)
        delay = self.options["latency_ms"] + self.faults.delay(line)
        if delay:
            self.after(delay, lambda: self._start(line))
        else:
            self._start(line)

    def _start(self, line):
        if self.faults.take_line(line):
            return
        if len(line) > self.options["line_limit"]:
            self.finish("ERROR")
            return
        self._todo = split_commands(line)
        self._next_command()

    # ---- commands

    def _next_command(self):
        while self._todo:
            command = self._todo.pop(0)
            try:
                if self._run(command) is PENDING:
                    return
            except Refused as refusal:
                if refusal.result != "OK":
                    name = parse(command)[0]
                    self.explain("AT%s refused: %s" % (name, self.reason(name, refusal.why)))
                self.finish(refusal.result)
                return
            if not self._busy:
                return  # it restarted the module
            self._flush_infos()
        self.finish("OK")

    def _run(self, command):
        name, form, text = parse(command)
        row = self.row(name)
        if row is None:
            raise Refused("ERROR", "a %s has no such command" % self.family.upper())
        if form == TEST and row.test is not None:
            said = row.test
        else:
            action = row.forms.get(form)
            if action is None:
                raise self.no_form(form)
            if isinstance(action, str):
                action = getattr(type(self), action)
            if row.takes is RAW and form in (WRITE, RUN):
                said = action(self, self.args(name, form, text))
            elif form == WRITE:
                said = action(self, *self.args(name, form, text).take(row.takes, row.most))
            else:
                said = action(self)
        if said is PENDING:
            return said
        for line in (said,) if isinstance(said, str) else said or ():
            self.info(line if row.bare else "%s: %s" % (name, line))
        return None

    def row(self, name):
        """The Row of a command; None where the module does not know it."""
        return self.COMMANDS.get(name)

    def args(self, name, form, text):
        """The parameters, with the errors that this command gives for wrong ones."""
        wrong = self.cme(50)
        return Args(text if form == WRITE or form == RUN else "", wrong, wrong)

    def alone(self, line, head):
        """Take a line whose data may hold quotes and semicolons as one command; False where it begins otherwise."""
        if line[: len(head)].upper() != head:
            return False
        if not self.faults.take_line(line):
            self._todo = [line[2:]]
            self._next_command()
        return True

    def led(self, host, port, bootstrap=False):
        """Where this server is reached."""
        return (host, port) if self.redirect is None else self.redirect(host, port, bootstrap)

    def no_form(self, form):
        """The refusal of a form that the command does not have; a test form that has nothing to say is OK."""
        return Refused("OK" if form == TEST else self.cme(4), "the command has no such form")

    def cme(self, code):
        """A +CME ERROR as AT+CMEE wants it."""
        mode = self.setting("cmee")
        if mode == 0:
            return "ERROR"
        return "+CME ERROR: %s" % (code if mode == 1 else CME_TEXTS.get(code, code))

    def cme_text(self, code):
        """The manual's words for an error."""
        return CME_TEXTS.get(code, "error %s" % code)

    def reason(self, name, why):
        """Why a command was refused, for people; `why` is what the refusal itself says."""
        return why or "it does not fit the module's state now, or a value is wrong"

    def error(self, code):
        """The exception for a +CME ERROR."""
        return Refused(self.cme(code), self.cme_text(code))

    def finish(self, result="OK"):
        """Send the final result and go on with the line, or with the next line."""
        if result == "OK" and self._todo:
            self._next_command()
            return
        self._todo = []
        self._flush_infos()
        self._busy = False
        if result != "OK":
            self.counters["errors"] += 1
        self.faults.before_final()
        self._send_final(result)
        self.faults.answered()
        self.answered()
        if self._lines and not self._busy:
            self._take_line(self._lines.pop(0))

    def answered(self):
        """Called after each final result; `power` restarts its sleep lock here."""

    @property
    def busy(self):
        """True between a command line and its final result."""
        return self._busy


class V250(Core):
    """The commands of V.250 and AT+CMEE, which every module has: ATE, ATV, ATQ, ATS3, ATS4, ATZ, AT&F, AT&W."""

    def _line_character(self, args):
        """ATS3 and ATS4: the characters that end lines."""
        number, sign, value = (args.text or "").partition("=")
        if not sign:
            number = number.rstrip("?")
        if number not in ("3", "4"):
            raise Refused("ERROR")
        if not sign:
            return "%03d" % self.setting("S" + number)
        if not value.isdigit() or int(value) > 127:
            raise Refused("ERROR")
        self.kept["S" + number] = int(value)
        return None

    def _stored_settings(self, args):
        """ATZ: back to them."""
        self.kept = {name: self.kept[name] for name in self.kept if name not in self.defaults()}

    def _store_settings(self, args):
        """AT&W."""
        self.nvram["profile"] = {name: self.setting(name) for name in self.defaults()}

    def _switch(self, args):
        value = args.text or "0"
        if value not in ("0", "1"):
            raise Refused("ERROR")
        return int(value)

    COMMANDS = {
        "E": Row(run=lambda m, args: m.kept.update(E=m._switch(args)), takes=RAW),  # echo
        "V": Row(run=lambda m, args: m.kept.update(V=m._switch(args)), takes=RAW),  # results in words or numbers
        "Q": Row(run=lambda m, args: m.kept.update(Q=m._switch(args)), takes=RAW),  # results or none
        "S": Row(run=_line_character, takes=RAW, bare=True),
        "Z": Row(run=_stored_settings, takes=RAW),
        "&F": Row(run=lambda m, args: m.kept.update(m.defaults()), takes=RAW),
        "&W": Row(run=_store_settings, takes=RAW),
        "+CMEE": remembered("kept", "cmee", whole(0, 2), "(0-2)"),
    }
