"""Runs one test file under CPython and under MicroPython: plugin.py is pytest's side, driver.py MicroPython's.

A portable test file is `host_tests/test_*.py`: plain functions `test_*` with `assert`, no fixtures, no classes, so that both
interpreters can run it. Each of its tests appears twice, as `test_name[cpython]` and `test_name[micropython]`, and is
selected like any other (`-k`, node ids; `file.py::test_name` means both). Files deeper down (host_tests/host/) are for
CPython alone.

    CPYTHON_ONLY = "hypothesis does not run on MicroPython"      in a portable file: not run there, the reason is printed
    MICROPYTHON_ONLY = "the heap of CPython cannot be limited"   the other way round

    NEEDS = "vfs.VfsLfs2"                                        skipped by a MicroPython that lacks it, saying so

    REAL_TIME = "mpremote talks to a board"                      waits more than it works: runs beside the others (lanes.py)

A file under host_tests/host/ that imports lwnode must give CPYTHON_ONLY too.
"""
