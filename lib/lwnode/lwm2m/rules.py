"""Reporting rules: which readings go out now, which wait, which are dropped, and why.

    >>> rules = Rules(pmin=60, pmax=3600, gt=30)
    >>> rules.judge(21.4, 1000)
    'sent: first reading'
    >>> rules.judge(21.5, 1300)
    'dropped: crossed no threshold'
    >>> rules.judge(30.2, 1320)
    'sent: rose above gt'
    >>> rules.judge(29.0, 1330)
    'deferred: pmin is not over'

gt, lt, st, pmin and pmax follow OMA LwM2M 1.0.2 section 5.1.2: a crossing counts in both directions,
st is measured against the last reported value, pmin defers to the newest value, pmax repeats. Where one
of gt, lt, st is set, a plain change is no reason to send. deadband (in the unit) and deadband_percent
(of the last reported value) are ours: smaller changes are noise; a threshold then has that much hysteresis.
A pmin or pmax needs times: readings without one are never deferred. A pmax smaller than pmin is ignored (LwM2M 1.1 section
5.1.2). samples=3 is ours too: so many readings in a row lie beyond gt or lt, or back, before the crossing is told.
"""

from .values import FLOAT, INTEGER
from .values import decimal, from_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable

    from .values import Plain

NAMES = ("pmin", "pmax", "gt", "lt", "st", "deadband", "deadband_percent", "samples")
STATE = ("reported", "reported_at", "side", "waiting", "pending", "streak")  # what they remember over sleep


def give(owner: "object", names: "Iterable[str]", values: "Iterable[Any]") -> None:
    """Set attributes; what is as it was costs no heap, defaults live in the class."""
    for name, value in zip(names, values):
        if value != getattr(owner, name):
            setattr(owner, name, value)


class Rules:
    """The rules of one resource and what they need to remember. All are optional, None is no rule."""

    pmin: "int | None" = None
    pmax: "int | None" = None
    gt: "float | None" = None
    lt: "float | None" = None
    st: "float | None" = None
    deadband: "float | None" = None
    deadband_percent: "float | None" = None
    samples: "int | None" = None
    # last reported value and its time, side of the thresholds (1 above gt, 2 below lt), whether a newer value waits for pmin
    reported: "Plain | None" = None
    reported_at: "int | None" = None
    side = 0
    waiting = False
    pending = 0  # the side that the last readings were on and that is not told yet
    streak = 0  # readings on them in a row
    by_server = False

    def __init__(self, **rules: "float | None") -> None:
        """Rules of a row; ValueError where they clash, or where pmax can never come to bear."""
        self.change(rules)
        if self.pmax is not None and self.pmax < (self.pmin or 0):
            raise ValueError("pmax %s is below pmin %s" % (self.pmax, self.pmin))

    def change(self, rules: "dict[str, float | None]") -> None:
        """Set some rules (None removes one); ValueError with a sentence, and nothing changed, if they clash."""
        merged = self.merged(rules)
        give(self, merged, merged.values())

    def merged(self, rules: "dict[str, float | None]") -> "dict[str, float | None]":
        """All rules as they would be with these changes; ValueError for a name that is none, or where they clash.

        What clashes is said in LwM2M 1.0.2 table 4.
        """
        merged = {name: getattr(self, name) for name in NAMES}
        for name in rules:
            value, least = rules[name], 1 if name in ("pmax", "samples") else 0
            if name not in merged:
                raise ValueError("the rules are %s, not %s" % (" ".join(NAMES), name))
            if value is not None and name not in ("gt", "lt") and not value >= least:
                raise ValueError("%s is %s at least, not %s" % (name, least, value))
            merged[name] = value
        high, low, step = merged["gt"], merged["lt"], merged["st"] or 0
        if high is not None and low is not None and not low + 2 * step < high:
            raise ValueError("lt %s plus twice st %s must be below gt %s" % (low, step, high))
        return merged

    def text(self, names: "tuple[str, ...]" = NAMES) -> str:
        """The rules as a query: pmin=60&gt=30."""
        return "&".join(["%s=%s" % (name, decimal(getattr(self, name))) for name in names if getattr(self, name) is not None])

    def judge(self, value: "Plain", when: "int | None", same: bool = False) -> str:
        """The reason for this reading's fate; begins with sent, deferred or dropped. same: the printed text did not change.

        What comes first is reported: so a value that went out before there were rules is taken, too.
        """
        if self.reported is None:
            self._sides(value, 0)
            reason = "sent: first reading"
        else:
            reason = self._trigger(value, same)
            free, repeats = self._times(when)
            if reason[0] != "s" and repeats:
                reason = "sent: pmax is over"
            if reason[0] != "s" and not self.waiting:
                return reason
            if not free:
                self.waiting = True
                return "deferred: pmin is not over"
            if self.waiting:
                reason = "sent: pmin is over"
        self.reported, self.reported_at, self.waiting = value, when, False
        return reason

    def due(self, value: "Plain", when: "int | None") -> "str | None":
        """A reason to send the last value again or at last, without a new reading; None if there is none."""
        free, repeats = self._times(when)
        if self.reported is not None:
            if repeats or (self.waiting and free):
                reason = "sent: pmin is over" if self.waiting and free else "sent: pmax is over"
                self.reported, self.reported_at, self.waiting = value, when, False
                return reason
            if self.reported_at is None:
                self.reported_at = when  # the time has become known: pmax counts from here
        return None

    def _times(self, when: "int | None") -> "tuple[bool, bool]":
        """(whether pmin is over, whether pmax is): yes and no where no times are, or the clock was set back."""
        if when is None or self.reported_at is None:
            return True, False
        passed, least, most = when - self.reported_at, self.pmin or 0, self.pmax
        return not 0 <= passed < least, most is not None and most >= least and passed >= most

    def _trigger(self, value: "Plain", same: bool) -> str:
        last = self.reported
        if isinstance(value, (str, bytes)) or isinstance(last, (str, bytes, type(None))):
            return "dropped: not changed" if value == last else "sent: changed"
        noise: float = max(self.deadband or 0, abs(last) * (self.deadband_percent or 0) / 100)
        crossed = self._sides(value, noise)
        if crossed:
            return crossed
        change = abs(value - last)
        if self.st is not None:
            return "sent: moved by st" if change >= self.st else "dropped: moved less than st"
        if self.gt is not None or self.lt is not None:
            return "dropped: beyond it for too short" if self.streak else "dropped: crossed no threshold"
        if same or not change:
            return "dropped: not changed"
        return "dropped: within the deadband" if change < noise else "sent: changed"

    def _sides(self, value: "Plain", noise: float) -> str:
        """Which threshold the value has crossed, if any; coming back takes the deadband, the noise, more."""
        if isinstance(value, (str, bytes)):
            return ""
        side = self.side
        now = side if self.gt is None else 1 if value > self.gt - (noise if side & 1 else 0) else 0
        below = side if self.lt is None else 2 if value < self.lt + (noise if side & 2 else 0) else 0
        now = now & 1 | below & 2
        if now == side:
            self.streak = 0
            return ""
        if self.samples is not None and self.samples > 1:
            self.streak = self.streak + 1 if now == self.pending else 1
            self.pending = now
            if self.streak < self.samples:
                return ""
            self.streak = 0
        self.side = now
        if side & 2 > now & 2 and now & 1 <= side & 1:
            return "sent: rose back to lt"
        return "sent: fell below lt" if now & 2 > side & 2 else "sent: rose above gt" if now & 1 else "sent: fell back to gt"


def parse(query: str) -> "dict[str, float | None]":
    """Attributes as a server writes them, pmin=10&gt=25.5; a bare name removes a rule. ValueError if malformed."""
    rules: "dict[str, float | None]" = {}
    for part in query.split("&"):
        name, equals, text = part.partition("=")
        if name not in NAMES[:5]:
            raise ValueError("the rules are %s, not %s" % (" ".join(NAMES[:5]), name))
        if not equals or not text:
            rules[name] = None
        else:
            rules[name] = int(from_wire(INTEGER, text)) if name[0] == "p" else float(from_wire(FLOAT, text))
    return rules
