"""Stand-ins for the outside world, shared by the tests of every room. Portable: CPython and MicroPython."""
