"""What is known of the registration with the server, and when it may or should be contacted: all a wake without contact needs.

    registration = RegistrationState(config, clock)
    registration.load(state.load("session"))
    registration.may_contact(now), registration.renewal()
    state.save("session", registration.dump())

Session goes on from it in a contact. Bounds: 20 bytes of state; nothing is sent here.
"""

import struct
from binascii import crc32

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lwnode.config import Settings
    from lwnode.power import Clock

LONGEST_SILENCE_S = 7 * 86400
# An update leaves this much before the lifetime ends: the CoAP retransmissions of one exchange (RFC 7252, 93 s).
MARGIN_S = 93

_FORMAT = const("<IIIBBBBI")
_CONFIGURED = const(1)
_QUEUE = const(2)


class RegistrationState:
    """When the server was heard of last, what it has changed of the account, and whether the module is set up."""

    registrations = 0
    configured = False
    confirmed_at = 0  # seconds of the last registration or update the server has answered; 0: one is due
    renewals = 0  # registrations made anew for that reason since reports last arrived
    unheard = 0  # contacts in a row that found a registration, but whose reports did not arrive
    silent_until = 0  # seconds: `disable` forbids contact before (LwM2M 1.0, 1/x/4)

    def __init__(self, config: "Settings", clock: "Clock") -> None:
        self.config = config
        self.clock = clock
        self.now = clock.now  # seconds since 1970 where known, else the port's count; both go on over sleep
        self.lifetime = int(config.lifetime)
        self.binding = str(config.binding)
        self._account = crc32(repr((
            config.family, config.host, config.port, config.endpoint, config.lifetime, config.binding, config.bootstrap,
            config.security, config.secret("psk_identity"), config.secret("psk"), config.apn,
            sorted(config.options.items()))).encode())

    def load(self, data: "bytes | None") -> bool:
        """Take the state of an earlier wake; anything unreadable, and an account edited since, leave a cold session.

        Returns whether it was taken.
        """
        if data is None or len(data) != struct.calcsize(_FORMAT) or struct.unpack(_FORMAT, data)[-1] != self._account:
            return False
        (self.confirmed_at, self.lifetime, self.silent_until, flags, self.registrations, self.unheard,
         self.renewals, _) = struct.unpack(_FORMAT, data)
        self.configured = bool(flags & _CONFIGURED)
        self.binding = "UQ" if flags & _QUEUE else "U"
        return True

    def dump(self) -> bytes:
        """Return what must survive sleep."""
        return struct.pack(_FORMAT, self.confirmed_at, self.lifetime, self.silent_until,
                           (_CONFIGURED if self.configured else 0) | (_QUEUE if self.binding == "UQ" else 0),
                           min(self.registrations, 255), self.unheard, self.renewals, self._account)

    def may_contact(self, now: int) -> bool:
        """Say whether the server allows contact at `now` (seconds)."""
        # Further ahead than any `disable`: the count began anew, and only a contact tells the time.
        return now >= self.silent_until or self.silent_until - now > LONGEST_SILENCE_S

    def renewal(self) -> "int | None":
        """When to contact the server between the slots: where it has changed lifetime or binding itself, else None."""
        if (self.lifetime, self.binding) == (self.config.lifetime, self.config.binding):
            return None
        # Before the lifetime ends, and at once where the server has not been told yet.
        return self.confirmed_at and self.confirmed_at + self.lifetime - min(MARGIN_S, self.lifetime // 4)

    def is_due(self, now: int) -> bool:
        """Say whether that time has come."""
        renewal = self.renewal()
        return renewal is not None and renewal <= now

    def rebase(self, moved: int) -> None:
        """Follow a step of the clock (Clock.moved); a time that would then lie ahead was of the new count already."""
        now = self.now()
        if self.confirmed_at + moved <= now:
            self.confirmed_at = max(0, self.confirmed_at + moved)
        if self.silent_until and self.silent_until + moved <= now + LONGEST_SILENCE_S:
            self.silent_until = max(0, self.silent_until + moved)
