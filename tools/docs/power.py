"""The power budget's figures: times of simulated lives, multiplied with lwnode.features.usage, as tables and plots.

    measure()      lives some days of each configuration (testing.simulate); writes docs/power-times.tsv and power-wake.tsv
    plots()        name -> SVG: days by interval, a cell over its life, shares, current over one wake
    page(text)     docs/power.md with its tables between the markers written anew

Times and currents are kept apart on purpose: a better figure for a current needs no new simulation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tools.energy.sources import Floor

ROOT = Path(__file__).resolve().parents[2]
TIMES, WAKES = ROOT / "docs" / "power-times.tsv", ROOT / "docs" / "power-wake.tsv"
CAPACITY_MAH = 3000

# Those of testing.simulate.charge.PARTS in fewer words, by the begin of their names.
_SHORT = {"board asleep": "board asleep", "board awake": "board awake", "board dozing": "board dozing",
          "module asleep": "module asleep", "module in light": "light sleep", "module awake": "module idle",
          "module starts": "starts, searches", "radio connected, sending": "connected",
          "radio connected, the": "network's tail"}  # fmt: skip
FAMILIES = ("bc66", "bc20", "bg96", "me910c1")
_BOARDS = {"esp32": ("ESP32", "esp32"), "rp2": ("Pico", "rp2040")}
_INTERVALS = (900, 3600, 21600, 86400)
_WORDS = {900: "15 min", 3600: "1 h", 21600: "6 h", 86400: "1 day"}
# Days at 15 minutes and at one report a day: as printed before the meter was corrected (issue 19), after it, and asked for.
_HISTORY = {"bc66": ((120, 731), (121, 741), (240, 1500)), "bg96": ((77, 1222), (78, 1261), (90, 1300)),
            "me910c1": ((33, 940), (32, 1006), (60, 1200))}  # fmt: skip


class Life(NamedTuple):
    """One configuration and its hours a day in each part of testing.simulate.charge.PARTS."""

    port: str
    family: str
    report_every: int
    sample_every: int
    options: str  # "sleep=light", or nothing
    hours: tuple[float, ...]

    @property
    def name(self) -> str:
        return f"{_BOARDS[self.port][0]} with {self.family.upper()}"

    @property
    def interval(self) -> str:
        return _WORDS[self.report_every]

    def mah(self) -> list[float]:
        """mAh a day of each part."""
        from testing.simulate.charge import currents

        return [hours * ua / 1000 for hours, ua in zip(self.hours, currents(_BOARDS[self.port][1], self.family))]

    def days(self) -> float:
        """Days that a cell of CAPACITY_MAH lasts, with the derating of testing.simulate.charge."""
        from testing.simulate.charge import lifetime

        return lifetime(CAPACITY_MAH, sum(self.mah()))

    def floor(self) -> Floor:
        """The least that its contacts can cost."""
        from tools.energy.sources import floor

        return floor(_BOARDS[self.port][1], self.family, 86400 / self.report_every)

    def switched(self) -> float:
        """Days with the board's power cut between wakes."""
        from testing.simulate.charge import lifetime
        from tools.energy.sources import switched

        cut = switched(_BOARDS[self.port][1], sum(self.mah()), self.hours[0], 86400 / self.sample_every)
        return lifetime(CAPACITY_MAH, cut)

    def above(self) -> float:
        """mAh a day above sleep."""
        return sum(self.mah()) - self.floor().sleep


class Wake(NamedTuple):
    """What board and module did in one wake: (begin, end, part) in seconds since the board woke."""

    family: str
    spans: tuple[tuple[float, float, int], ...]

    @property
    def name(self) -> str:
        return f"ESP32 with {self.family.upper()}"

    @property
    def seconds(self) -> float:
        return max(end for _, end, _ in self.spans)

    def areas(self) -> list[tuple[float, float, int, float, float]]:
        """(begin, end, part, from mA, to mA): the module's current on top of the board's."""
        from testing.simulate.charge import PARTS, currents

        ua = currents("esp32", self.family)
        board = [span for span in self.spans if PARTS[span[2]].startswith("board")]
        found = [(begin, end, part, 0.0, ua[part] / 1000) for begin, end, part in board]
        for begin, end, part in self.spans:
            if not PARTS[part].startswith("board"):
                for start, stop, below in board:
                    if max(begin, start) < min(end, stop):
                        low = ua[below] / 1000
                        found.append((max(begin, start), min(end, stop), part, low, low + ua[part] / 1000))
        return found

    def millicoulombs(self) -> float:
        """The charge of it, sleep included."""
        from testing.simulate.charge import currents

        ua = currents("esp32", self.family)
        return sum((end - begin) * ua[part] / 1000 for begin, end, part in self.spans)


def measure() -> None:
    """Write both tables of times anew; a line for each life, and a line at the end."""
    from testing.simulate.charge import PARTS
    from tools.energy.lived import live, wake

    chosen = [("esp32", family, every, every, "") for family in FAMILIES for every in _INTERVALS]
    chosen += [("rp2", family, every, every, "") for family in FAMILIES for every in _INTERVALS]
    chosen += [("esp32", "bc66", every, 900, "") for every in _INTERVALS[1:]]
    light = (("bg96", "sleep=light"), ("me910c1", "sleep=cfun5"))
    chosen += [("esp32", family, every, every, option) for family, option in light for every in (900, 86400)]
    lines = ["\t".join(("port", "family", "report_every", "sample_every", "options", *PARTS))]
    for number, choice in enumerate(chosen):
        port, family, report, sample, options = choice
        keys = dict(pair.split("=") for pair in options.split(",") if pair)
        charge = live(port, family, {"report_every": report, "sample_every": sample, **keys})
        hours = tuple(round(row[1] / charge.lived_days(), 6) for row in charge.rows())
        lines.append("\t".join(map(str, (*choice, *hours))))
        found = Life(*choice, hours)
        print(f"{number + 1} of {len(chosen)}: {found.name} {options}, {found.interval}: {found.days():.0f} days", flush=True)
    TIMES.write_text("\n".join(lines) + "\n", encoding="utf-8")
    lines = ["family\tbegin\tend\tpart"]
    for family in FAMILIES:
        lines += [f"{family}\t{begin}\t{end}\t{part}" for begin, end, part in wake("esp32", family)]
    WAKES.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("docs: one wake of each module")


def lives(options: str = "") -> list[Life]:
    """The rows of docs/power-times.tsv with these options."""
    found = []
    for line in TIMES.read_text(encoding="utf-8").splitlines()[1:]:
        port, family, report_every, sample_every, given, *hours = line.split("\t")
        if given == options:
            found.append(Life(port, family, int(report_every), int(sample_every), given, tuple(map(float, hours))))
    return found


def wakes() -> list[Wake]:
    """The rows of docs/power-wake.tsv."""
    from testing.simulate.charge import PARTS

    rows = [line.split("\t") for line in WAKES.read_text(encoding="utf-8").splitlines()[1:]]
    spans = [(name, (float(begin), float(end), PARTS.index(part))) for name, begin, end, part in rows]
    return [Wake(family, tuple(span for name, span in spans if name == family)) for family in FAMILIES]


def _even(keep: Callable[[Life], bool] = lambda row: True) -> list[Life]:
    rows = [row for row in lives() if row.report_every == row.sample_every and keep(row)]
    return sorted(rows, key=lambda row: (row.port, FAMILIES.index(row.family), row.report_every))


def words() -> Sequence[str]:
    """The parts in few words, in their order."""
    from testing.simulate.charge import PARTS

    return [next(short for name, short in _SHORT.items() if part.startswith(name)) for part in PARTS]


def plots() -> dict[str, Callable[[], str]]:
    """Name in docs/ -> what draws it."""
    from testing.simulate.charge import PARTS, USABLE_PERCENT

    from . import plots as draw

    return {
        "power-life.svg": lambda: draw.life(_even(lambda row: row.port == "esp32" or row.family == "bc66"), CAPACITY_MAH),
        "power-battery.svg": lambda: draw.battery(_even(lambda row: row.port == "esp32" or row.family == "bc66"), CAPACITY_MAH,
                                                  USABLE_PERCENT),
        "power-shares.svg": lambda: draw.shares(_even(lambda row: row.port == "esp32" or row.family == "bc66"), PARTS, words()),
        "power-wake.svg": lambda: draw.wake(wakes(), PARTS, words()),
    }


def _life_table() -> str:
    head = " | ".join(_WORDS[every] for every in _INTERVALS)
    lines = [f"| board and module | {head} |", "|---|" + "---|" * len(_INTERVALS)]
    rows = {row[:4]: row for row in lives()}
    for port, family in [("esp32", family) for family in FAMILIES] + [("rp2", family) for family in FAMILIES]:
        found = [rows[(port, family, every, every)] for every in _INTERVALS]
        lines.append(f"| {found[0].name} | " + " | ".join(f"{row.days():.0f} ({sum(row.mah()):.2f})" for row in found) + " |")
    mixed = [rows[("esp32", "bc66", every, 900)] for every in _INTERVALS]
    lines.append("| the same ESP32 and BC66, sampling every 15 min | "
                 + " | ".join(f"{row.days():.0f} ({sum(row.mah()):.2f})" for row in mixed) + " |")  # fmt: skip
    return "\n".join(lines)


def _floor_table() -> str:
    """Before, corrected, now and floor, with the charge above sleep beside the floor's."""
    head = "ESP32 with|report|before|meter corrected|**now**|asked for|floor|mAh a day above sleep: now|floor|ratio".split("|")
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    rows = {row[:4]: row for row in lives()}
    for family in FAMILIES:
        for place, every in enumerate((900, 86400)):
            row = rows[("esp32", family, every, every)]
            before, corrected, asked = [str(days[place]) for days in _HISTORY.get(family, ())] or ["", "", ""]
            least = row.floor()
            cells = (family.upper(), row.interval, before, corrected, f"**{row.days():.0f}**", asked,
                     f"{least.days(CAPACITY_MAH):.0f}", f"{row.above():.3f}", f"{least.above:.3f}",
                     f"{row.above() / least.above:.2f}")
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _switched_table() -> str:
    """A Pico asleep, and one whose power is cut."""
    lines = ["| Pico with | " + " | ".join(_WORDS.values()) + " |", "|---" * (1 + len(_WORDS)) + "|"]
    for family in FAMILIES:
        rows = [row for row in _even() if row[:2] == ("rp2", family)]
        cells = [f"{row.days():.0f} -> **{row.switched():.0f}**" for row in rows]
        lines.append(f"| {family.upper()} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _light_table() -> str:
    """What light sleep between contacts costs instead of PSM."""
    lines = ["| ESP32 with | setting | 15 min | 1 day |", "|---|---|---|---|"]
    for option in ("sleep=light", "sleep=cfun5"):
        found = sorted(lives(option), key=lambda row: row.report_every)
        key, _, value = option.partition("=")
        lines.append(f"| {found[0].family.upper()} | `\"{key}\": \"{value}\"` | "
                     + " | ".join(f"{row.days():.0f} days ({sum(row.mah()):.1f} mAh a day)" for row in found) + " |")
    return "\n".join(lines)


def _sources_table() -> str:
    from tools.energy.sources import all_figures

    lines = ["| part | figure of | figure | kind | where from |", "|---|---|---|---|---|"]
    return "\n".join(lines + [f"| {part} | {state} | {figure} | {source.kind} | {source.text} |"
                              for part, state, figure, source in all_figures()])


def page(text: str) -> str:
    """docs/power.md with its tables written anew."""
    tables = {"life": _life_table, "floor": _floor_table, "light": _light_table, "switched": _switched_table,
              "sources": _sources_table}  # fmt: skip
    for name, table in tables.items():
        begin, end = f"<!-- {name}: written by make docs -->", f"<!-- /{name} -->"
        if begin not in text or end not in text:
            raise SystemExit(f"docs/power.md: the markers {begin} and {end} are missing; put them where the table belongs")
        before, _, rest = text.partition(begin)
        text = before + f"{begin}\n{table()}\n{end}" + rest.partition(end)[2]
    return text
