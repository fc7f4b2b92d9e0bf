"""Virtual modem: the project's four modules in software, on a pty, a TCP port or a real serial port.

    python -m testing.virtual_modem --family bc66 --server coap://127.0.0.1:5683

    from testing.virtual_modem import model
    modem = model("bc66", clock, link)          # a model is free of I/O: bytes in by receive(), bytes out by out()
    modem.out = print
    modem.receive(b"AT+QLWSTATUS?\r")           # \r\n+QLWSTATUS: 0\r\n\r\nOK\r\n

How it is built, from the bottom: `atline` (text), `core` (bytes to commands, results, timers), `power` (boot, pins,
deep sleep), `radio` (network, RRC, PSM), `generic` (3GPP commands), one file or more per family, `faults` (what goes
wrong on purpose). All of that runs under MicroPython too. `transport` and `view` are CPython: asyncio and terminals.
"""

FAMILIES = ("bc66", "bc20", "bg96", "me910c1")


def model(family, clock, link, nvram=None, **options):
    """The model of one family; only its own file is imported. ValueError names the families there are."""
    name = family.lower()
    if name == "bc66":
        from testing.virtual_modem.bc66 import Bc66 as chosen
    elif name == "bc20":
        from testing.virtual_modem.bc20 import Bc20 as chosen
    elif name == "bg96":
        from testing.virtual_modem.bg96 import Bg96 as chosen
    elif name == "me910c1":
        from testing.virtual_modem.me910c1 import Me910c1 as chosen
    else:
        raise ValueError("family %r: expected one of %s" % (family, ", ".join(FAMILIES)))
    return chosen(clock, link, nvram, **options)
