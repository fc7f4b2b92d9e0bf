"""The text of a command line: commands, their form, their parameters.

    split_commands('AT+CSQ;+CFUN?')          -> ["+CSQ", "+CFUN?"]
    parse('+QLWUPDATE=0,1000')               -> ("+QLWUPDATE", "write", "0,1000")
    fields('9,0,"a,b",,x')                   -> (["9", "0", "a,b", None, "x"], [False, False, True, False, False])

An empty parameter is None, an empty quoted one is "": the manuals tell them apart (omitted keeps its value).

What a command has and takes is a Row of its family's table COMMANDS, as the manuals print it:

    "+QLWDELOBJ": Row(write="delete_object", takes=(whole(0, 65535),)),
    "+QNBIOTRAI": Row(test="(0-2)", read=lambda m: "%d" % m.setting("rai"), write=..., takes=(whole(0, 2),)),
"""

TEST = "test"
READ = "read"
WRITE = "write"
RUN = "run"

_BASIC = "EVQIZ"


class Refused(Exception):
    """A command that ends in anything but OK; `result` is the final result code to send, `why` is for people."""

    def __init__(self, result, why=""):
        super().__init__(result)
        self.result = result
        self.why = why


def split_commands(line):
    """Commands of one line, the AT taken off: at `;` outside quotes (V.250, 5.2.3), basic ones also by letter."""
    body = line[2:]
    commands = []
    while body:
        body = body.strip(" ;")
        if not body:
            break
        if body[0].upper() in _BASIC or body[0] == "&" or body[0].upper() == "S" and body[1:2].isdigit():
            end = _basic_end(body)
        else:
            end = _extended_end(body)
        command = body[:end].strip()
        if command:
            commands.append(command)
        body = body[end:]
    return commands


def _basic_end(body):
    """E0, &W, S3=13, S3?: a letter and a number; the next basic command may follow without a separator."""
    end = 2 if body[0] == "&" else 1
    while end < len(body) and body[end].isdigit():
        end += 1
    if body[0].upper() == "S" and body[end : end + 1] in ("=", "?"):
        end += 1
        while end < len(body) and body[end].isdigit():
            end += 1
    return end


def _extended_end(body):
    quoted = False
    for index in range(len(body)):
        if body[index] == '"':
            quoted = not quoted
        elif body[index] == ";" and not quoted:
            return index
    return len(body)


def parse(command):
    """One command -> (name in capitals, form, text after the equals sign)."""
    if command[0].upper() in _BASIC or command[0] == "&":
        length = 2 if command[0] == "&" else 1
        return command[:length].upper(), RUN, command[length:]
    if command[0].upper() == "S" and command[1:2].isdigit():
        return "S", RUN, command[1:]
    name, equals, text = command.partition("=")
    if equals:
        return name.strip().upper(), TEST if text.strip() == "?" else WRITE, text
    if name.rstrip().endswith("?"):
        return name.rstrip()[:-1].upper(), READ, ""
    return name.strip().upper(), RUN, ""


def fields(text):
    """Parameters of a write form -> (values, quoted flags). Blanks outside quotes do not count."""
    values = []
    quoted = []
    for part in _split_fields(text):
        part = part.strip()
        in_quotes = len(part) >= 2 and part[0] == '"' and part[-1] == '"'
        if in_quotes:
            values.append(part[1:-1])
        else:
            values.append(part if part else None)
        quoted.append(in_quotes)
    return values, quoted


def _split_fields(text):
    parts = []
    start = 0
    inside = False
    for index in range(len(text)):
        if text[index] == '"':
            inside = not inside
        elif text[index] == "," and not inside:
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    return parts


def whole_number(text):
    """Decimal text with an optional sign -> int, None when it is not that."""
    if text is None:
        return None
    digits = text[1:] if text[:1] in ("-", "+") else text
    return int(text) if digits.isdigit() and max(digits) <= "9" else None  # "¹" is a digit too, and no number


class Args:
    """The parameters of one command, checked by range; what is wrong becomes the family's own error.

    `count_error` and `value_error` are final results ("+CMEE ERROR: 2"); where they are equal nobody can tell.
    """

    def __init__(self, text, count_error, value_error):
        self.text = text
        self.values, self.quoted = fields(text) if text else ([], [])
        self.count_error = count_error
        self.value_error = value_error

    def __len__(self):
        return len(self.values)

    def expect(self, low, high=None):
        """Refuse any other number of parameters."""
        if not low <= len(self.values) <= (low if high is None else high):
            raise Refused(self.count_error, "a value is missing, or there are too many")
        return self

    def has(self, index):
        """True when the parameter was given, be it as an empty string in quotes."""
        return index < len(self.values) and self.values[index] is not None

    def wrong(self):
        """The error for a wrong value, to be raised."""
        return Refused(self.value_error, "a value is wrong")

    def integer(self, index, low, high, default=None):
        """The parameter as int within low..high; `default` (if not None) when it was left out."""
        if not self.has(index):
            if default is None:
                raise Refused(self.count_error, "a value is missing, or there are too many")
            return default
        value = whole_number(self.values[index])
        if value is None or not low <= value <= high:
            raise self.wrong()
        return value

    def one_of(self, index, allowed, default=None):
        """The parameter as int out of `allowed`."""
        value = self.integer(index, -(1 << 30), 1 << 30, default)
        if value not in allowed:
            raise self.wrong()
        return value

    def string(self, index, longest, default=None, shortest=0):
        """The parameter as text, quoted or not."""
        if not self.has(index):
            if default is None:
                raise Refused(self.count_error, "a value is missing, or there are too many")
            return default
        value = self.values[index]
        if not shortest <= len(value) <= longest:
            raise self.wrong()
        return value

    def take(self, kinds, most=None, start=0):
        """The parameters from `start` on by their kinds, in order; their number is checked first."""
        least = max([0] + [n + 1 for n in range(len(kinds)) if not kinds[n][1]])
        self.expect(start + least, start + (len(kinds) if most is None else most))
        return [kinds[n][0](self, start + n) for n in range(len(kinds))]


# Kinds of parameters: (function of Args and index, whether it may be left out).
def whole(low, high, default=None):
    """A number of low..high."""
    return (lambda args, n: args.integer(n, low, high, default)), default is not None


def among(*allowed, default=None):
    """One of some numbers."""
    return (lambda args, n: args.one_of(n, allowed, default)), default is not None


def words(longest, shortest=0, default=None):
    """Text, quoted or not."""
    return (lambda args, n: args.string(n, longest, default, shortest)), default is not None


def one_word(*allowed):
    """One of some words."""
    def check(args, n):
        if args.string(n, 30) not in allowed:
            raise args.wrong()
        return args.values[n]

    return check, False


def bits(length):
    """So many binary digits; "" where left out."""
    def check(args, n):
        if args.string(n, length, "", length).strip("01"):
            raise args.wrong()
        return args.values[n] if args.has(n) else ""

    return check, True


GIVEN = (lambda args, n: args.values[n], False)  # anything, as it came
SKIPPED = (lambda args, n: None, True)
ID = whole(0, 65535)
SWITCH = whole(0, 1)
RAW = "raw"  # as `takes`: the function gets the Args themselves


class Row:
    """A command's forms: None where it has none, else a function of the model (or its method's name).

    What it returns goes out as information text behind the command's name (`bare`: without it): a string or several, None
    for nothing; PENDING leaves the final result for later. `test` is the text itself. `most` parameters are allowed, where
    there are more than it takes.
    """

    def __init__(self, test=None, read=None, run=None, write=None, takes=(), most=None, bare=False):
        self.test = test
        self.forms = {READ: read, RUN: run, WRITE: write}
        self.takes = takes
        self.most = most
        self.bare = bare

    def but(self, test=None, **forms):
        """The same command with other functions, and another text for its test form."""
        row = Row(self.test if test is None else test, takes=self.takes, most=self.most, bare=self.bare)
        row.forms.update(self.forms)
        row.forms.update(forms)
        return row


def remembered(memory, name, kind, test=None, default=0):
    """A Row that keeps one number in `memory` of the model: "kept" (over deep sleep) or "nvram", and reads it back."""
    def read(model):
        return "%d" % (model.setting(name) if memory == "kept" else model.stored(name, default))

    def write(model, value):
        getattr(model, memory)[name] = value

    return Row(test, read, None, write, (kind,))
