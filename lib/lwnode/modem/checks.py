"""What BC20, BG96 and ME910C1 refuse of a configuration before it reaches the wire, beyond the ranges of lwnode.config.

    within("BG96 guide 4.1", "lifetime", 20, 30, 86400)    ValueError: lifetime: expected 30 to 86400 (BG96 guide 4.1), found 20
    budget(modem, "ack_wait")                              ValueError where one report may take longer than a wake

BC66 takes all that lwnode.config lets pass, and loads none of this.
"""

from lwnode.modem import Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:

    from lwnode.modem.driver import Modem


def within(source: str, name: str, value: int, low: int, high: int) -> None:
    """ValueError with the manual's range, which is that of `source`."""
    if not low <= value <= high:
        raise ValueError("%s: expected %d to %d (%s), found %s" % (name, low, high, source, value))


def wake_pin(modem: "Modem", sleep: str) -> None:
    """ValueError where a sleep that ends by DTR alone is asked for on a board that has not wired it."""
    if modem.options["sleep"] == sleep and (modem.pins is None or not modem.pins.set("wake", True)):
        raise ValueError("sleep: %s ends by DTR alone; expected a board with a wake pin, found none" % sleep)


def budget(modem: "Modem", name: str) -> None:
    """ValueError where one report may take longer than a wake."""
    limit = modem.options["awake_budget_ms"]
    if limit is not None and modem.deadline_ms > limit:
        raise ValueError("%s: a report may take %d ms, more than the awake budget of %d ms; lower it, or raise the budget" % (
            name, modem.deadline_ms, limit))


def no_retransmission(modem: "Modem", instead: str) -> None:
    """Unsupported where CoAP's timing is configured for a module that has no command for it."""
    if modem.options["ack_timeout"] != 2 or modem.options["max_retransmit"] != 4:
        raise Unsupported("%s cannot set ack_timeout or max_retransmit: %s" % (modem.FAMILY, instead))
