"""One life of the node: from the crash guard to sleep or reset, whatever happens (design, rule 6). Run by main.py.

Order: board -> reset cause -> crash guard -> maintenance window (cold boot only) -> configuration -> node. The imports
that can fail come after the guard, so that a broken file counts as a crash and not as a dead node.

A person at the cable is never locked out: KeyboardInterrupt (mpremote's Ctrl-C) passes every handler here and reaches
the REPL; the window of a cold boot waits for it.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Rest after something that a restart does not mend: long enough to spare the battery, short enough to see a new file.
REST_MS = 3600000
# Waiting for a person when the configuration is wrong or the crash guard has said stop (seconds).
LONG_WINDOW_S = 60


def window(board: "Any", seconds: int, why: str) -> None:
    """Wait for Ctrl-C for some seconds, saying why; does nothing for 0."""
    if seconds > 0:
        print("lwnode: %s; Ctrl-C within %d s stops here" % (why, seconds))
    for _ in range(seconds * 10):
        board.clock.sleep_ms(100)


def note(error: BaseException, files: "Any" = None) -> None:
    """Keep the last failure where the next session by cable finds it: crash.txt, its last KB, and the console."""
    import io
    text = io.StringIO()
    print_exception = getattr(sys, "print_exception", None)
    if print_exception is not None:
        print_exception(error, text)
    else:
        text.write("%s: %s\n" % (type(error).__name__, error))
    print("lwnode:", text.getvalue())
    try:
        with (files.open if files else open)("crash.txt", "w") as file:
            file.write(text.getvalue()[-1024:])  # its end says what it was
    except OSError:
        pass  # a full or broken file system must not keep the node from sleeping


def made(board: "Any", guard: "Any", parts: "Any") -> "Any":
    """Return the node by its configuration; None where that is wrong and has been waited for."""
    cold = guard.window_s > 0
    settings = configuration(board, guard, cold, parts)
    if settings is None:
        return None
    if cold:
        window(board, settings.maintenance_window, "maintenance window after power-on")
    if board.stay_awake() and cold:
        window(board, LONG_WINDOW_S, "the stay-awake pin or a cable keeps this node awake")
    from lwnode.node import Node
    node = Node(board, settings, (parts or sensors(board)).declare, getattr(parts, "files", None))
    wrong = "" if node.registration.configured else node.connect().check()
    if wrong:
        refuse(board, guard, cold, "config.json: " + wrong)
        return None
    return node


def sensors(board: "Any") -> "Any":
    """Return sensors.py; where it went with the filesystem, a node without sensors still says what has happened."""
    try:
        import sensors
        return sensors
    except ImportError:
        if board.filesystem != "lost":
            raise
        return Lost


class Lost:
    """Stands in for a sensors.py that is lost."""

    @staticmethod
    def declare(tree: "Any", board: "Any") -> None:
        """Declare nothing."""


def refuse(board: "Any", guard: "Any", cold: bool, sentence: str) -> None:
    """Say what is wrong with the configuration, wait for a person, rest, and look again: no crash loop."""
    print("lwnode:", sentence)
    window(board, LONG_WINDOW_S if cold else 0, "waiting for a corrected config.json")
    board.sleep(REST_MS)
    guard.planned("configuration")
    board.restart("configuration")


def configuration(board: "Any", guard: "Any", cold: bool, parts: "Any" = None) -> "Any":
    """Return the checked settings, from the backup copy where config.json is lost or wrong.

    Where there is no backup copy either, say so, wait for a person, rest, and return None.
    """
    given = getattr(parts, "settings", None)
    if given is not None:
        return given
    from lwnode.config import ConfigError, keep, kept, read
    files = getattr(parts, "files", None)
    settings = None
    try:
        settings = read("", files)
        if board.reset_cause() != "deep_sleep":
            keep(settings, board.protected, files)
    except ConfigError as error:
        lost = board.filesystem == "lost"
        settings = kept(board.protected, files, "filesystem lost" if lost else str(error))
        if settings is None:
            refuse(board, guard, cold, str(error))
            return None
        print("lwnode:", error)
        window(board, LONG_WINDOW_S if cold else 0, "waiting for a corrected config.json; then on with the last good one")
    return settings


def main(board: "Any", parts: "Any" = None) -> None:
    """Run one life of the firmware: until sleep, reset or Ctrl-C. `parts`: settings, declare and files of a simulation."""
    from lwnode.power import BootGuard
    guard = BootGuard(board.protected)
    mode = guard.enter(board.reset_cause())
    node = None
    try:
        if guard.rest_s:
            # Somebody who presses the reset button again and again looks like a failing battery: let them in first.
            window(board, guard.window_s, "brown-out or repeated power-on, then a rest of %d s" % guard.rest_s)
            board.sleep(guard.rest_s * 1000)
        if mode == "safe":
            window(board, guard.window_s, "safe mode after repeated crashes")
            board.sleep(guard.SAFE_SLEEP_S * 1000)
            guard.planned("safe mode is over")
            board.restart("safe mode is over")
        else:
            node = made(board, guard, parts)
            if node is not None:
                node.run(guard)
    except KeyboardInterrupt:
        board.watchdog_stop()  # or the person's session ends after eight seconds
        guard.visited()
        swap = sys.modules.get("swap")
        if swap is not None:
            swap.visited()
        raise
    except (Exception, SystemExit) as error:
        # sys.exit() is no way out either: it would restart main.py at once, a loop that never sleeps.
        note(error, getattr(parts, "files", None))
        try:
            if node is not None:
                node.flush()
        except Exception as another:
            print("lwnode:", another)
        board.sleep(guard.crashed() * 1000)
        board.restart("crash")
