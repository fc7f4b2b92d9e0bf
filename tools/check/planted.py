"""Mistakes that strict types must find, planted in a copy of lib/ and firmware/.

Two kinds: a module of our own beside main.py with one wrong call a line, and real lines of the board room with one
letter changed, so that the room itself is known to be looked at.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

CALLS = {
    "esp32": ["machine.deepslep(1000)", 'machine.deepsleep("1000")', "machine.Pin(4, machine.Pin.OUT, walue=1)",
              "machine.UART(1).redinto(bytearray(5))", "machine.RTC().memory(b'a', b'b')",
              'esp32.NVS("lwnode").set_i32("key", "value")', "esp32.wake_on_ext0(4)", "print(machine.mem_backup)"],
    "rp2": ["machine.lightslep(1000)", 'machine.lightsleep("1000")', "machine.Pin(4, machine.Pin.OUT, walue=1)",
            "machine.UART(1).redinto(bytearray(5))", "machine.WDT(timeout='8000')", "rp2.bootsel_buton()",
            "print(machine.DEEPSLEEP_RESET_)"],
}
# In the board room's own file: what is searched, and what it becomes.
LETTERS = {"esp32": [("self.machine.deepsleep(", "self.machine.deepslep("), ("self._esp32.gpio_deep", "self._esp32.gpio_dep")],
           "rp2": [("self.machine.lightsleep(", "self.machine.lightslep("), ("self.machine.reset()", "self.machine.resett()")]}


def plant(root: Path, copy: Path, port: str) -> dict[str, str]:
    """Copy the sources to `copy` with the mistakes; {file:line: mistake}."""
    shutil.rmtree(copy, ignore_errors=True)
    for folder in ("lib", "firmware"):
        shutil.copytree(root / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    wanted = {}
    lines = ["import machine", f"import {port}", f"print(machine, {port})"]
    for call in CALLS[port]:
        lines.append(call)
        wanted[f"firmware/planted.py:{len(lines)}"] = call
    (copy / "firmware" / "planted.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    room = copy / "lib" / "lwnode" / "board" / f"{port}.py"
    source = room.read_text(encoding="utf-8").splitlines()
    for right, wrong in LETTERS[port]:
        number = next((number for number, line in enumerate(source) if re.search(r"(?<![`\w])" + re.escape(right), line)
                       and not line.lstrip().startswith("#")), None)  # fmt: skip
        place = f"lib/lwnode/board/{port}.py:{'?' if number is None else number + 1}"
        if number is not None:
            source[number] = source[number].replace(right, wrong)
        wanted[place] = f"{right}...) written as {wrong}"
    room.write_text("\n".join(source) + "\n", encoding="utf-8")
    return wanted
