"""Time, sleep and what survives sleep. Holds bytes: knows no reading, no module and no board.

A wake, seen from here (`board` is a lwnode.board.Board, `flash` a FileStore):

    guard = BootGuard(board.protected)
    mode = guard.enter(board.reset_cause())          # "normal" or "safe", before imports that can fail
    state = RetainedState(board.retained, 1, behind=flash)
    clock = Clock(board.clock); clock.load(state.load("clock"))
    journal = Journal(state if board.retained.size else None, flash)
    slot = schedule.due(clock.now())
    if slot is not None:
        journal.append(pack(reading, clock.stamp()))  # on flash or in RTC memory before anything can fail
        schedule.serve(slot)
    ...                                               # talk; journal.remove(acknowledged)
    journal.flush(); state.save("clock", clock.dump()); state.commit()
    guard.completed()
    board.sleep(clock.sleep_ms(schedule.seconds_to_next(clock.now())))

Bounds: stated in each file.
"""

from lwnode.power.clock import Backoff as Backoff, Clock as Clock, Schedule as Schedule, device_offset as device_offset
from lwnode.power.guard import BootGuard as BootGuard
from lwnode.power.journal import Journal as Journal
from lwnode.power.store import FileStore as FileStore, RetainedState as RetainedState, TwinStore as TwinStore
