"""The node's only entry: runs at every boot and every wake, and ends in sleep or reset whatever happened (design, rule 6).

A board runs main.py from its source, at each wake anew: what a life does stands in life.py, which is deployed as bytecode.
"""

import gc
import sys

# Rest after something that a restart does not mend, and while an update is on trial, which goes back after three such starts.
REST_MS = 3600000
TRIAL_REST_MS = 60000
# Bytes allocated between two collections, so that what lives long lies together; from the first contact on it is a third.
GC_EVERY = 24576


def start() -> None:
    """Open the board and run; where not even that works, rest and try again."""
    gc.threshold(GC_EVERY)
    try:
        swap = sys.modules.get("swap")  # boot.py has loaded it where an update is on trial
        if swap is not None:
            swap.begin()
        import board as definition
        from life import main
        from lwnode.board import open_board
        main(open_board(definition))
    except Exception as error:
        print("lwnode:", error)
        # The one place outside lwnode.board that needs `machine`: there is no board to ask.
        import machine
        machine.deepsleep(REST_MS if swap is None else TRIAL_REST_MS)


if __name__ == "__main__":
    start()
