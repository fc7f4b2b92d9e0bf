"""The wiring of a board as an SVG: board, level shifter, transistors, module, sensors, supply. Pins from boards/NAME/board.py.

    drawing("RPI_PICO")   -> the text of docs/wiring-pico.svg

Each pin's text carries its name and GPIO number as data attributes, so that a test reads them back and compares them.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

_WIDTH, _HEIGHT = 1000, 800
_BOARD = (20, 262)  # left and right edge
_MIDDLE = (405, 585)
_MODULE = (720, 980)
_UART, _KEY, _BUS, _POWER, _GROUND = "#2a6fb0", "#8a4fa3", "#2e8b57", "#c0392b", "#333333"

# Header pins of the Pico and Pico 2 by GPIO (Pico datasheet, figure "pinout").
_PICO_HEADER = dict(zip(range(23), (1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17, 19, 20, 21, 22, 24, 25, 26, 27, 29))) | {
    26: 31, 27: 32, 28: 34}  # fmt: skip

# name, y, what it meets at the module, whether the arrow points to the module
_SHIFTED = (("tx", 130, "RXD", True), ("rx", 166, "TXD", False),
            ("status", 202, "VDD_EXT / STATUS / PWRMON", False), ("ring", 238, "RI", False))  # fmt: skip
_PULLED = (("power_key", 306, "PWRKEY / ON_OFF*"), ("reset", 346, "RESET_N / HW_SHUTDOWN*"),
           ("wake", 386, "PSM_EINT / DTR"))  # fmt: skip
_WORDS = {"tx": "UART TX", "rx": "UART RX", "sda": "I2C SDA", "scl": "I2C SCL"}


def definition(name: str) -> Any:
    """The values of one board.py."""
    from boards.check import load

    return load(str(ROOT / "boards" / name / "board.py"))


def numbers(board: Any) -> dict[str, int]:
    """GPIO of every name in the drawing."""
    found = {"tx": board.UART["tx"], "rx": board.UART["rx"], "sda": board.I2C["sda"], "scl": board.I2C["scl"]}
    found.update(board.PINS)
    found["battery"] = board.BATTERY["pin"]
    return found


class Sheet:
    """Parts of one SVG, in the order in which they are drawn."""

    def __init__(self, board: Any) -> None:
        self.board = board
        self.gpio = numbers(board)
        self.parts: list[str] = []

    def box(self, x: int, y: int, width: int, height: int, title: str, fill: str) -> None:
        """A part with its title inside, at the top."""
        self.parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{fill}" stroke="#444"/>')
        self.text(x + width // 2, y + 22, title, "middle", 15, bold=True)

    def text(self, x: int, y: int, words: str, place: str = "start", size: int = 13, bold: bool = False,
             data: str = "") -> None:
        """Words; place is start, middle or end."""
        weight = ' font-weight="bold"' if bold else ""
        where = f'x="{x}" y="{y}" text-anchor="{place}" font-size="{size}"'
        self.parts.append(f"<text {where}{weight}{data}>{escape(words)}</text>")

    def wire(self, x: int, y: int, to: int, colour: str, arrow: str = "") -> None:
        """A level wire; arrow is "end", "start" or nothing."""
        marker = f' marker-{arrow}="url(#arrow)"' if arrow else ""
        self.parts.append(f'<line x1="{x}" y1="{y}" x2="{to}" y2="{y}" stroke="{colour}" stroke-width="2"{marker}/>')

    def path(self, steps: str, colour: str, arrow: bool = False) -> None:
        """A wire with corners."""
        marker = ' marker-end="url(#arrow)"' if arrow else ""
        self.parts.append(f'<path d="{steps}" fill="none" stroke="{colour}" stroke-width="2"{marker}/>')

    def pin(self, name: str, y: int, note: str = "") -> None:
        """A pin at the board's right edge: its name, then its number."""
        gpio = self.gpio[name]
        label = f"GPIO {gpio}" if self.board.PORT == "esp32" else f"GP{gpio}"
        if self.board.PORT == "rp2" and gpio in _PICO_HEADER:
            label += f" (pin {_PICO_HEADER[gpio]})"
        self.text(_BOARD[0] + 12, y + 4, note or _WORDS.get(name, name))
        self.text(_BOARD[1] - 10, y + 4, label, "end", 13, bold=True, data=f' data-name="{name}" data-gpio="{gpio}"')

    def svg(self) -> str:
        """The whole file."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" '
            f'font-family="sans-serif" role="img" aria-label="Wiring of {self.board.NAME}">'
        )
        arrow = (
            '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="5" markerHeight="5" '
            'orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="#222"/></marker></defs>'
        )
        return "\n".join([head, arrow, f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>', *self.parts, "</svg>", ""])


def drawing(name: str) -> str:
    """The wiring of one board."""
    sheet = Sheet(definition(name))
    sheet.text(20, 30, f"{name} and a cellular module", size=20, bold=True)
    sheet.text(20, 52, "Pins as in boards/%s/board.py. Arrows show who drives a wire." % name)
    sheet.box(_BOARD[0], 66, _BOARD[1] - _BOARD[0], 580, name, "#eef4fb")
    sheet.box(_MODULE[0], 66, _MODULE[1] - _MODULE[0], 580, "Module", "#f7efe6")
    sheet.text((_MODULE[0] + _MODULE[1]) // 2, 480, "BC66, BC20, BG96 or ME910C1", "middle")
    sheet.text((_MODULE[0] + _MODULE[1]) // 2, 500, "signals at 1.8 V", "middle")
    sheet.text((_MODULE[0] + _MODULE[1]) // 2, 520, "antenna and SIM as its maker says", "middle", 12)
    _shifter(sheet)
    _transistors(sheet)
    _sensors(sheet)
    _others(sheet)
    _supply(sheet)
    return sheet.svg()


def _shifter(sheet: Sheet) -> None:
    left, right = _MIDDLE
    sheet.box(left, 66, right - left, 196, "Level shifter", "#f2f2f2")
    sheet.text(left + 8, 108, "3.3 V side", size=12)
    sheet.text(right - 8, 108, "1.8 V side", "end", 12)
    sheet.text(_BOARD[1] - 10, 104, "3V3", "end", 13, bold=True)
    sheet.wire(_BOARD[1], 100, left, _POWER, "end")
    sheet.text(_MODULE[0] + 12, 112, "1.8 V out: VDD_EXT / PWRMON")
    sheet.wire(right, 108, _MODULE[0], _POWER, "start")
    for name, y, meets, outwards in _SHIFTED:
        sheet.pin(name, y)
        sheet.wire(_BOARD[1], y, left, _UART, "end" if outwards else "start")
        sheet.wire(right, y, _MODULE[0], _UART, "end" if outwards else "start")
        sheet.text(_MODULE[0] + 12, y + 4, meets)
        sheet.text((left + right) // 2, y + 4, "→" if outwards else "←", "middle", 15)


def _transistors(sheet: Sheet) -> None:
    left, right = _MIDDLE
    sheet.box(left, 270, right - left, 160, "", "#f2f2f2")
    sheet.text((left + right) // 2, 287, "one NPN transistor each", "middle", 12)
    for name, y, meets in _PULLED:
        sheet.pin(name, y)
        sheet.wire(_BOARD[1], y, left + 30, _KEY)
        # Base resistor, base, collector to the module, emitter to ground.
        place = f'x="{left + 14}" y="{y - 6}" width="34" height="12"'
        sheet.parts.append(f'<rect {place} fill="white" stroke="{_KEY}" stroke-width="2"/>')
        sheet.wire(left + 48, y, left + 84, _KEY)
        sheet.path(f"M{left + 84} {y - 11}V{y + 11}", _KEY)
        sheet.path(f"M{left + 84} {y - 4}L{left + 102} {y - 12}H{right - 40}V{y}H{_MODULE[0]}", _KEY)
        sheet.path(f"M{left + 84} {y + 4}L{left + 102} {y + 14}", _KEY, arrow=True)
        sheet.path(f"M{left + 96} {y + 15}H{left + 110}", _GROUND)
        sheet.text(left + 116, y + 18, "GND", size=11)
        sheet.text(_MODULE[0] + 12, y + 4, meets)
    sheet.text((left + right) // 2, 424, "GPIO high = module's pin low", "middle", 11)


def _sensors(sheet: Sheet) -> None:
    left, right = _MIDDLE
    sheet.box(left, 440, right - left, 88, "Sensors", "#eaf6ee")
    sheet.text((left + right) // 2, 518, "3.3 V; 4.7 kΩ to 3V3 on each", "middle", 11)
    for name, y in (("sda", 474), ("scl", 500)):
        sheet.pin(name, y)
        sheet.wire(_BOARD[1], y, left, _BUS)
        sheet.text(left + 10, y + 4, name.upper())


def _others(sheet: Sheet) -> None:
    left = _MIDDLE[0]
    sheet.pin("relay", 544)
    sheet.wire(_BOARD[1], 544, left, _BUS, "end")
    sheet.text(left + 6, 548, "relay or lamp driver (example actuator)", size=12)
    sheet.pin("stay_awake", 576)
    sheet.wire(_BOARD[1], 576, 320, _GROUND)
    sheet.path("M320 576L352 564", _GROUND)
    sheet.wire(356, 576, left, _GROUND)
    sheet.text(left + 6, 580, "GND by a jumper or button: closed = awake", size=12)
    ratio = sheet.board.BATTERY["ratio_1000"] / 1000
    sheet.pin("battery", 608)
    if sheet.board.PORT == "rp2" and sheet.board.BATTERY["pin"] not in _PICO_HEADER:
        sheet.text(_BOARD[1] + 10, 612, f"inside the board: VSYS divided by {ratio:g}; nothing to wire", size=12)
    else:
        sheet.wire(_BOARD[1], 608, left, _POWER, "start")
        sheet.text(left + 6, 612, f"cell, divided by {ratio:g} (two equal resistors)", size=12)


def _supply(sheet: Sheet) -> None:
    supplied = "VSYS (pin 39)" if sheet.board.PORT == "rp2" else "5V / VIN"
    sheet.box(20, 690, 220, 84, "Cell or supply", "#fdeeee")
    sheet.text(130, 734, "its peak: see docs/wiring.md", "middle", 12)
    sheet.box(405, 690, 240, 84, "Regulator of the module", "#fdeeee")
    sheet.text(525, 734, "never the board's 3V3 pin", "middle", 12)
    sheet.text(_BOARD[0] + 12, 640, "GND", bold=True)
    sheet.text(_BOARD[1] - 10, 640, supplied, "end", 13, bold=True)
    sheet.path(f"M180 690V670H{_BOARD[1] + 24}V636H{_BOARD[1]}", _POWER, arrow=True)
    sheet.wire(240, 720, 405, _POWER, "end")
    sheet.path("M645 720H760V646", _POWER, arrow=True)
    sheet.text(768, 640, "VBAT", bold=True)
    # The capacitor beside the module.
    sheet.path("M700 720V738", _POWER)
    sheet.path("M684 738H716", _GROUND)
    sheet.path("M684 746H716", _GROUND)
    sheet.path("M700 746V762", _GROUND)
    sheet.text(724, 747, "≥ 100 µF, low ESR, close by", size=12)
    sheet.path("M60 646V690", _GROUND)
    sheet.path("M60 774V786H930V646", _GROUND)
    sheet.path("M525 774V786", _GROUND)
    sheet.path("M700 762V786", _GROUND)
    sheet.text(914, 640, "GND", bold=True)
    sheet.text(760, 780, "one common ground", size=12)
