"""What a node does once at its start, and what it does while a person wants it awake: loaded then, and dropped again.

    start.set_options(modem.options, settings)
    start.fit(node)               objects and module held against each other, in words where they do not fit
    start.hold(node)              the first contact after a power-on comes at this device's own time
    start.check(node)             -> "" or which key of the configuration this module cannot do
    start.wait(node, 58000)       awake, as long as somebody wants that, for so many milliseconds at most
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.settings import Settings


def set_options(options: "dict[str, Any]", config: "Settings") -> None:
    """Hand on what the configuration says and this family can be told; the others keep to their own ways."""
    for name, value in (("ack_timeout", config.ack_timeout), ("max_retransmit", config.max_retransmit),
                        # Whether it slept is seen at the next wake, for nothing: waiting for it costs awake time.
                        ("sleep_confirm_ms", 0)):
        if name in options:
            options[name] = value


def fit(node: "Any") -> None:
    """Hold the rows against what the module can carry, and say what was dropped (issue 6)."""
    capabilities = node.modem.capabilities
    node.tree.device_errors = capabilities.contract == "pipe"
    if capabilities.typed:
        node.tree.fit(capabilities.limits, capabilities.executes)
        if not node.session.configured:
            for sentence in node.tree.dropped:
                print("lwnode:", sentence)


def hold(node: "Any") -> None:
    """Have a contact soon after a power-on, at this device's own time: a thousand nodes may have got their power together.

    The slot that was served last says nothing: the count of time has begun anew. Who is at the cable does not wait.
    """
    board, standing, now = node.board, node.standing, node.standing.now()
    if board.reset_cause() in ("power_on", "brown_out"):
        node.reporting.forget()
        if standing.may_contact(now) and not board.stay_awake():
            standing.silent_until = now + node.sampling.offset_s


def check(node: "Any") -> str:
    """Return why this module cannot do what the configuration asks, by key, or nothing; asks the module nothing."""
    if node.standing.configured:
        return ""
    from lwnode.modem import Unsupported
    try:
        node.modem.check(node.session.server())
    except (ValueError, Unsupported) as error:
        return str(error)
    return ""


def wait(node: "Any", pause: int) -> None:
    """Wait awake while the jumper, a cable or an order of the server says so; slots are served by the loop around this."""
    board = node.board
    clock = board.clock
    end = clock.ticks_add(clock.ticks_ms(), pause)
    while clock.ticks_diff(end, clock.ticks_ms()) > 0 and node.wanted_awake():
        clock.sleep_ms(100)
        board.feed()
        if node.awake_until is not None and clock.ticks_diff(node.awake_until, clock.ticks_ms()) <= 0:
            node.awake_until = None
            node.late("remote", "orders_over")(node)
