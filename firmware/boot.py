"""Nothing happens here on purpose: an exception in boot.py would keep main.py from running (low-power notes, section 0).

MicroPython runs this file before main.py. What the node does is in main.py; what it measures in sensors.py.
"""
