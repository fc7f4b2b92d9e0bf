"""One measurement inside MicroPython: `micropython workload.py CASE COUNT`, or `run(case, count)` without command line.

Prints one line: the case, then the figure. The UART is a fake whose reply is readable as soon as a command ended; its
reads go to a native BytesIO, i.e. the same C stream code as machine.UART. Its own cost is the floor.
"""

import gc
import sys
import time
from io import BytesIO

OK = b"\r\nOK\r\n"
QUERY = b"\r\n+X: 1,2,3\r\n" + OK
URC = b'\r\n+CEREG: 5,"1A2B","01A2D101",9\r\n'


class Uart:
    """Answers every command with `reply`."""

    def __init__(self, reply):
        self.io = BytesIO(reply)
        self.size = len(reply)
        self.left = 0

    def any(self):
        return self.left

    def readinto(self, buf):
        count = self.io.readinto(buf)
        self.left -= count
        return count

    def write(self, data):
        self.io.seek(0)
        self.left = self.size
        return len(data)

    def wait(self, ms):
        return


class Clock:
    """Sleeps cost nothing here; the latency case uses the real one."""

    ticks_ms = time.ticks_ms
    ticks_add = time.ticks_add
    ticks_diff = time.ticks_diff

    @staticmethod
    def sleep_ms(ms):
        return


def client(uart):
    from lwnode.at import AtClient

    return AtClient(uart, Clock)


def floor_step(reply, lines):
    uart = Uart(reply)
    buf = bytearray(1536)

    def step():
        uart.write(b"AT\r")
        return uart.readinto(buf)

    return step, lines


def at_step():
    at = client(Uart(OK))
    return lambda: at.send("AT"), 1


def query_step():
    at = client(Uart(QUERY))
    return lambda: at.read("+X"), 1


def long_step(size):
    at = client(Uart(b"\r\n+X: " + b"x" * size + b"\r\n" + OK))
    return lambda: at.send("AT+X?"), 1


class Counter:
    count = 0

    def heard(self, line):
        self.count += 1


def urc_step():
    uart = Uart(URC * 20)
    at = client(uart)
    counter = Counter()
    at.subscribe("+CEREG", counter.heard)

    def step():
        uart.write(b"")
        at.poll(0)

    return step, 20


CASES = {"floor_at": lambda: floor_step(OK, 1), "floor_query": lambda: floor_step(QUERY, 1),
         "floor_urc": lambda: floor_step(URC * 20, 20), "at": at_step, "query": query_step, "urc": urc_step,
         "long100": lambda: long_step(100), "long300": lambda: long_step(300)}


def heap(case, count):
    """Bytes of heap that one AT, query or URC line leaves to the collector."""
    step, lines = CASES[case]()
    step()
    step()
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(count):
        step()
    used = gc.mem_alloc() - before
    gc.enable()
    return used / (count * lines)


def imported(modules):
    """Bytes of heap that stay after an import."""
    gc.collect()
    before = gc.mem_alloc()
    for name in modules.split(","):
        __import__(name)
    gc.collect()
    return gc.mem_alloc() - before


def latency():
    """Milliseconds from the answer being readable to send() returning: mean and worst of 20."""

    class Late(Uart):
        wait = None

        def write(self, data):
            self.ready = time.ticks_add(time.ticks_us(), self.delay * 1000)
            return Uart.write(self, data)

        def any(self):
            return self.left if time.ticks_diff(time.ticks_us(), self.ready) >= 0 else 0

    from lwnode.at import AtClient

    del Late.wait, Uart.wait
    uart = Late(OK)
    uart.ready = time.ticks_us()
    at = AtClient(uart, time, gap_ms=0)
    added = []
    for index in range(20):
        uart.delay = 3 + index * 26
        at.send("AT", timeout_ms=2000)
        added.append(time.ticks_diff(time.ticks_us(), uart.ready) / 1000)
    return sum(added) / len(added), max(added)


def run(case, count):
    if case == "latency":
        print(case, "%.2f %.2f" % latency())
    elif case.startswith("import="):
        print("import", imported(case[7:]))
    elif case.startswith("loop="):  # for an instruction counter outside
        step, lines = CASES[case[5:]]()
        for _ in range(count // lines):
            step()
    else:
        print(case, heap(case, count))


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]))
