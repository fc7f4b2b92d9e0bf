"""A board on this machine: MicroPython's unix port playing an ESP32 or an RP2, so that firmware/ runs unchanged.

modules/ holds what the port offers (machine, esp32, rp2, time, os) in MicroPython; runner.py is everything that a process
cannot be for itself: power, reset, sleep, what survives them, the wires to the module and to the sensors.
See runner.HostBoard.
"""
