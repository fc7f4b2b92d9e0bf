"""Runs tests of one file under MicroPython: `micropython driver.py PATHS FILE TEST...`, PATHS joined by colons.

Answers line by line on stdout, each line begun with MARK so that what a test prints cannot be mistaken for it:

    run NAME            the test starts; lines without MARK from here on are what it printed
    pass NAME | fail NAME | skip NAME
    | TEXT              a line of the traceback after fail, of the reason after skip
    done                all were run; where it is missing, the interpreter died on the way
"""

import gc
import io
import sys

MARK = "\x01"


class Collector:
    """gc without threshold(): a board walks its own objects every few KB, here the models' megabytes would be walked too."""

    def __init__(self):
        for name in ("collect", "disable", "enable", "isenabled", "mem_alloc", "mem_free"):
            setattr(self, name, getattr(gc, name))

    def threshold(self, *size):
        """Nothing to set."""


def say(text):
    """One line of the protocol."""
    print(MARK + text)


def traceback(error):
    """The traceback as the interpreter prints it, line by line behind MARK."""
    text = io.StringIO()
    sys.print_exception(error, text)
    for line in text.getvalue().splitlines():
        say("| " + line)


def lacking(module):
    """What the file says it NEEDS ("vfs.VfsLfs2") and this interpreter has not, or an empty string."""
    for needed in getattr(module, "NEEDS", "").split():
        home, _, name = needed.partition(".")
        try:
            if not name or hasattr(__import__(home), name):
                continue
        except ImportError:
            pass
        return needed
    return ""


def run(module, name, missing):
    """One test, whatever it does."""
    say("run " + name)
    if missing:
        say("skip " + name)
        say("| this interpreter has no " + missing)
        return
    gc.collect()
    try:
        getattr(module, name)()
    except BaseException as error:  # noqa: BLE001  a test that calls sys.exit() has failed, too
        say("fail " + name)
        traceback(error)
    else:
        say("pass " + name)


def main(paths, file, names):
    """Import the file and run the tests called `names`."""
    sys.path[:] = paths.split(":") + [".frozen"]
    sys.modules["gc"] = Collector()
    folder, _, module = file.rpartition("/")
    sys.path.insert(0, folder)
    try:
        module = __import__(module[: -len(".py")])
    except BaseException as error:  # noqa: BLE001
        for name in names:
            say("run " + name)
            say("fail " + name)
            say("| the file cannot be imported:")
            traceback(error)
    else:
        missing = lacking(module)
        for name in names:
            run(module, name, missing)
    say("done")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
