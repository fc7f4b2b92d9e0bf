"""Time, sleep and what survives sleep. Holds bytes: knows no reading, no module and no board.

A wake, seen from here (`board` is a lwnode.board.Board, `cold` a FileStore):

    guard = BootGuard(board.protected)
    mode = guard.enter(board.reset_cause())          # "normal" or "safe", before imports that can fail
    state = RetainedState(board.retained, 1, behind=cold)
    clock = Clock(board.clock); clock.load(state.load("clock"))
    journal = Journal(state if board.retained.size else None, cold)
    slot = schedule.due(clock.now())
    if slot is not None:
        journal.append(pack(reading, clock.stamp()))  # on flash or in RTC memory before anything can fail
        schedule.serve(slot)
    ...                                               # talk; journal.remove(acknowledged)
    journal.flush(); state.save("clock", clock.dump()); state.commit()
    guard.completed()
    board.sleep(clock.sleep_ms(schedule.seconds_to_next(clock.now())))

Names are imported on first use: a safe mode that only needs BootGuard loads only that file.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lwnode.power.backoff import Backoff as Backoff
    from lwnode.power.clock import Clock as Clock
    from lwnode.power.guard import BootGuard as BootGuard
    from lwnode.power.journal import Journal as Journal
    from lwnode.power.retained import RetainedState as RetainedState
    from lwnode.power.schedule import Schedule as Schedule
    from lwnode.power.schedule import device_offset as device_offset
    from lwnode.power.store import FileStore as FileStore
    from lwnode.power.store import TwinStore as TwinStore

# Name, file: loaded on first use.
_LATER = (
    "Backoff backoff BootGuard guard Clock clock FileStore store Journal journal RetainedState retained Schedule schedule "
    "TwinStore store device_offset schedule"
)


def __getattr__(name: str) -> object:
    """Import the file that holds `name`, once."""
    names = _LATER.split(" ")
    for index in range(0, len(names), 2):
        if names[index] == name:
            value: object = getattr(__import__("lwnode.power." + names[index + 1], None, None, (name,)), name)
            globals()[name] = value
            return value
    raise AttributeError(name)
