"""MicroPython's unix port with a ROM: `python launcher.py IMAGE ARGUMENT...`, the arguments being the interpreter's own.

A board whose image has the application in flash (frozen, or in a ROMFS) runs its bytecode from there; only objects are on
the heap. Here the image lies in memory of this process outside MicroPython's heap, at the address in $ROMFS ("address
length"), where start.py mounts it: MicroPython uses what is in a ROMFS in place.
"""

import ctypes
import os
import sys


def main(image: str, arguments: list[str]) -> int:
    """Load the image and become MicroPython."""
    from micropython_unix import run_main

    with open(image, "rb") as file:
        data = file.read()
    memory = ctypes.create_string_buffer(data, len(data))
    os.environ["ROMFS"] = f"{ctypes.addressof(memory)} {len(data)}"
    return int(run_main(["micropython", *arguments]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
