"""What each module's contract lets a server do, and by what it is seen: where the demo of one family differs from another's.

    pull    BC66            the host answers: write, execute, observe of typed objects
    shadow  ME910C1         the module answers for the host: a write is seen by it, an execute never (it is not handed on)
    pipe    BC20, BG96      bytes: readings go up in packs on 19/0/0, commands come down on 19/1/0
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tools.demo.ledger import PATHS

PACKS, COMMANDS, RELAY = "/19/0/0", "/19/1/0", "/3306/0/5850"


@dataclass(frozen=True)
class Contract:
    """`report` begins the AT command that carries a reading; `stays`: the session outlives sleep, else each wake registers.

    `acknowledges`: it says what the server has, so that a report may be cut off; `patience_s`: it has given up by then.
    `config` and `model` (options of the virtual module) keep its waits short enough to be watched.
    """

    name: str
    report: str
    stays: bool = True
    acknowledges: bool = True
    patience_s: float = 10.0
    config: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)

    @property
    def observed(self) -> tuple[str, ...]:
        """What the server observes."""
        return (PACKS,) if self.name == "pipe" else (*PATHS.values(), RELAY, PACKS)

    @property
    def write(self) -> str:
        """The check of the way back."""
        return "the actuator followed the server's " + ("command on 19/1/0" if self.name == "pipe" else "write")

    @property
    def outage(self) -> str:
        """The check that there was something to survive."""
        return "an outage began " + ("with a notification in flight" if self.acknowledges else "between two reports")

    @property
    def execute(self) -> str:
        """The check of the second thing that the server asks for."""
        return {"pull": "5605 reset minimum and maximum", "pipe": "5605 reset minimum and maximum, by a command on 19/1/0",
                "shadow": "the module answered a read with the latest reading"}[self.name]  # fmt: skip


CONTRACTS = {
    "bc66": Contract("pull", "AT+QLWNOTIFY", config={"ack_timeout": 1, "max_retransmit": 2, "awake_budget": 60}),
    "bc20": Contract("pipe", "AT+QLWDATASEND", patience_s=40, model={"ack_timeout_s": 1}),
    "bg96": Contract("pipe", 'AT+QLWM2M="ulhex"', stays=False, acknowledges=False, patience_s=30),
    "me910c1": Contract("shadow", "AT#LWM2MSET", stays=False, patience_s=30, config={"ack_wait": 5}),
}
