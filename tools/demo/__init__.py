"""The whole of the main job on one machine: server, virtual modem, and a node under real MicroPython. `make demo`."""
