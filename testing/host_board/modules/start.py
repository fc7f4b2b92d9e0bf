"""What a board's ROM and port do before user code: mount the flash, say where modules are, run boot.py and main.py.

    micropython -X heapsize=240k start.py FOLDER PORT FLASH WIRE TTY

FOLDER is where this file lies, PORT esp32 or rp2, FLASH the folder that is the board's file system, WIRE and TTY the
open file descriptors of the runner's socket and of the module's UART.
"""

import os
import sys


def rom(folder, port, flash, wire, tty):
    """Prepare the interpreter so that it looks like a board that has just started."""
    dev = os.VfsPosix(folder)
    os.umount("/")
    os.mount(os.VfsPosix(flash), "/")
    os.mount(dev, "/.rom")
    os.chdir("/")
    sys.path[:] = ["/.rom/" + port, "/.rom/common", "", ".frozen", "/lib"]
    romfs = os.getenv("ROMFS")  # launcher.py
    if romfs:
        import uctypes
        import vfs

        address, length = romfs.split()
        vfs.mount(vfs.VfsRom(uctypes.bytearray_at(int(address), int(length))), "/rom")
        sys.path[:] = ["/rom/port", "", ".frozen", "/lib", "/rom/lib"]
    sys.argv[:] = []
    import _host

    _host.connect(int(wire), int(tty))


def there(path):
    """Whether there is such a file."""
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def burnt(name, space):
    """Run a frozen file, here by import: a board gives it the name __main__, which firmware/main.py takes for start()."""
    start = getattr(__import__(name[:-3]), "start", None)
    if start:
        start()


def run(name):
    """Run one of the user's files as a board does; True unless it raised."""
    import _host

    try:
        program = burnt if there("/rom/lib/" + name[:-3] + ".mpy") else execfile if there(name) else None  # noqa: F821
        if program:
            program(name, space)
    except SystemExit:
        _host.stop("soft_reset", "friendly")
    except KeyboardInterrupt:
        to_repl("KeyboardInterrupt in " + name)
    except BaseException as error:  # noqa: B036  a board prints whatever it is and goes on to the REPL
        sys.print_exception(error)
        to_repl("%s in %s: %s" % (type(error).__name__, name, error))
    return True


def to_repl(why):
    """Where a board ends that does not sleep: at the prompt, if somebody plays the person, else dead."""
    import _host

    if not _host.boot["repl"]:
        _host.stop("repl", why)
    import _repl

    _repl._busy(False)
    _host.tell("at_repl", why)
    _repl.serve(_host.boot["repl"], space)


space = {"__name__": "__main__"}
rom(*sys.argv[1:])
del rom
# A soft reset from the raw REPL skips main.py (MicroPython docs/reference/reset_boot.rst).
if run("boot.py") and sys.modules["_host"].boot["repl"] != "raw":
    run("main.py")
    to_repl("main.py returned")
to_repl("raw REPL")
