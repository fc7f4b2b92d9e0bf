"""The rows of the four manuals, and what of the recorded traffic counts for each.

A form counts for a line that begins as the row does; a row without parameters only for the line itself. Two spellings of
one command are divided by " / ". Behaviour and files have no form: they count by named tests, see evidence.tsv.
"""

from pathlib import Path
from typing import NamedTuple

FAMILIES = {"BC20": "bc20", "BC66": "bc66", "BG96": "bg96", "Telit": "me910c1"}
_HERE = Path(__file__).parent


class Row(NamedTuple):
    """One line of rows.tsv."""

    family: str
    kind: str
    section: str
    text: str

    @property
    def by_tests(self) -> bool:
        """Whether named tests, not traffic, are its evidence."""
        return self.kind in ("behaviour", "file")


class Evidence(NamedTuple):
    """Tests that stand for a row, or a reason in place of them."""

    driver: "tuple[str, ...]"
    model: "tuple[str, ...]"
    reason: str


def load_rows() -> "list[Row]":
    """All rows, in the order of the manuals."""
    lines = (_HERE / "rows.tsv").read_text(encoding="utf-8").splitlines()
    return [Row(*line.split("\t")) for line in lines[1:] if line.strip()]


def load_evidence() -> "dict[tuple[str, str], Evidence]":
    """(family, row text) -> evidence."""
    found = {}
    for line in (_HERE / "evidence.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        if not line.strip():
            continue
        family, text, driver, model, reason = (line.split("\t") + ["", "", ""])[:5]
        found[(family, text)] = Evidence(tuple(driver.split()), tuple(model.split()), reason.strip())
    return found


def patterns(row: Row) -> "list[tuple[str, bool]]":
    """(beginning of a line, whether the line must end there) for each spelling of a row."""
    texts = row.text.split(" / ")
    if len(texts) > 1 and "=" not in texts[0] and "=" in texts[1]:  # AT+QLWRRSP / AT+QLWWRRSP=<mid>,<result>
        texts[0] += texts[1][texts[1].index("="):]
    found = []
    for text in texts:
        text = text.strip()
        if row.kind in ("urc", "deferred result"):
            if text.startswith("LWM2M-TLT"):
                found.append(("LWM2M-TLT:", False))
                continue
            colon = text.find(": ")
            if text.startswith("+QLWURC"):
                found.append((text.split(",")[0], False))
            elif text.startswith("#LWM2MMON"):
                found.append(("#LWM2MMON: UPD", False))
            else:
                found.append((text if colon < 0 else text[:colon + 1], colon < 0))
            continue
        ends = [text.index(mark) for mark in "<[" if mark in text]
        found.append((text[:min(ends)], False) if ends else (text, True))
    return found


def matches(row: Row, line: str) -> bool:
    """Whether a line of traffic is an instance of this row."""
    line, secret, _ = line.partition("***")  # models show no keys
    for beginning, whole in patterns(row):
        if secret and (beginning.startswith(line) or line.startswith(beginning)) and "=" in line:
            return True
        if line == beginning or (not whole and line.startswith(beginning) and not line.endswith("=?")):
            return True
    return False


def command_name(row: Row) -> str:
    """AT+QLWSERV of AT+QLWSERV?, for refusals of any of its forms; of BG96 with its sub-command."""
    text = row.text.split(" / ")[-1]
    if row.family == "BG96" and '"' in text:
        return text[:text.index('"', text.index('"') + 1) + 1]
    for mark in ("=", "?", "<", "["):
        text = text.split(mark)[0]
    return text


def is_write(row: Row) -> bool:
    """Whether a row hands over values, so that a wrong one must have been refused in that form."""
    return row.kind == "form" and ("<" in row.text or "[" in row.text) and row.family != "BG96"
