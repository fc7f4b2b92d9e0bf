"""An application written for one module runs on the others: the same rows, the same server, four families, both ports."""

from fakes.families import live


def _check(family, port, unreported=0):
    carried = live(family, port)
    assert carried.taken >= 40, (family, port, carried.taken)
    assert carried.lost <= unreported, (family, port, carried.lost)
    assert carried.actuator, (family, port)


def test_bc66_on_both_ports():
    _check("bc66", "esp32")
    _check("bc66", "rp2")


def test_me910c1_on_both_ports():
    _check("me910c1", "esp32")
    _check("me910c1", "rp2")


def test_bc20_on_both_ports():
    _check("bc20", "esp32")
    _check("bc20", "rp2")


def test_bg96_on_both_ports():
    # It reports no delivery (guide 4.1): what it took in the one wake in which coverage went is gone, and declared so.
    _check("bg96", "esp32", unreported=2)
    _check("bg96", "rp2", unreported=2)
