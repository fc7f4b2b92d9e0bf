"""What each module declares of itself, and what a configuration becomes on it.

    for family in FAMILIES:
        print(family, fitted(declare, family))
"""

from dataclasses import dataclass
from typing import Any, Callable, Iterator

from tools.objects import units

FAMILIES = ("bc66", "me910c1", "bc20", "bg96")


class Anything:
    """Stands in for the board that a configuration is declared with: whatever is asked of it is there, and one of each."""

    def __getattr__(self, name: str) -> "Anything":
        return self

    def __call__(self, *arguments: object, **keywords: object) -> "Anything":
        return self

    def __iter__(self) -> "Iterator[Anything]":
        return iter([self])


@dataclass
class Fitted:
    contract: str
    history: str
    objects: "list[tuple[int, int, tuple[int, ...]]]"
    dropped: "list[str]"
    wrong: "list[str]"


def wrong_units(tree: Any) -> "list[str]":
    """A sentence for each row whose unit SenML does not know."""
    found = [(row, units.check(str(row.entry(5701)[1]))) for row in tree.rows if 5701 in row.offered and row.entry(5701)]
    return [f"{row.path()}: {sentence}" for row, sentence in found if sentence]


def wrong_rows(tree: Any) -> "list[str]":
    """A sentence for each keyword of a row that a node would only meet while it measures."""
    found = []
    for row in tree.rows:
        read = getattr(row, "read", tree.sample)
        if not callable(read):
            found.append(f"{row.path()}: read is a function, not {read!r}: give it without its brackets")
        for name in ("every", "power_ms", "warm_up_ms", "scale", "offset", "unit"):
            value, kinds = getattr(row, name, None), (str,) if name == "unit" else (int, float)
            if value is not None and not isinstance(value, (*kinds, Anything)):
                found.append(f"{row.path()}: {name} is a {'text' if str in kinds else 'number'}, not {value!r}")
        for resource in row.resources:
            value = resource.resolution
            if value is not None and not isinstance(value, Anything) and not (isinstance(value, (int, float)) and value > 0):
                found.append(f"{resource.path}: resolution is a step above 0, not {value!r}")
    return found


def unseen_writes(tree: Any, most: "int | None") -> "list[str]":
    """A sentence for each object whose writes (kind 16) a module does not tell of: it tells of so many, actuators first."""
    ranked = []
    for row in tree.rows:
        if any(row.kind(id) & 16 for id in row.offered) and row.object_id not in [object_id for _, object_id in ranked]:
            ranked.append((not row.kind(row.resources[0].id) & 16 if row.resources else True, row.object_id))
    ranked.sort(key=lambda one: one[0])
    return [f"/{object_id}: the module tells of writes to {most} objects, writes to this one stay unseen"
            for _, object_id in ranked[most:] if most is not None]  # fmt: skip


def fitted(declare: "Callable[[Any, Any], None]", family: str) -> Fitted:
    """A configuration as one module holds it, by what its driver declares before it has met the module."""
    from fakes.clock import VirtualClock
    from fakes.uart import FakeUart
    from lwnode.at import AtClient
    from lwnode.lwm2m import ObjectTree
    from lwnode.modem import open_modem

    clock = VirtualClock()
    capabilities = open_modem(family, AtClient(FakeUart(clock), clock)).capabilities
    tree = ObjectTree(clock)
    declare(tree, Anything())
    wrong = wrong_units(tree) + wrong_rows(tree)
    if not capabilities.typed:
        rows = ["{}".format(row.path()) for row in tree.rows]
        sentence = "{} objects without a place in the module travel inside 19/0/0, {} bytes a pack: {}".format(
            len(rows), capabilities.limits.get("pack", "?"), " ".join(rows))
        return Fitted(capabilities.contract, capabilities.history, tree.objects()[-2:], [sentence], wrong)
    objects, dropped = tree.fit(capabilities.limits, capabilities.executes)
    dropped += unseen_writes(tree, capabilities.limits.get("monitored"))
    return Fitted(capabilities.contract, capabilities.history, objects, dropped, wrong)
