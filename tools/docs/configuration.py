"""docs/configuration.md, from the tables by which the firmware itself checks a configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tools.docs.keys import FEATURES, explained, options, rows

ROOT = Path(__file__).resolve().parents[2]

_GROUPS = (
    ("Module and server", ("family", "host", "port", "endpoint", "lifetime", "binding", "security", "bootstrap", "apn")),
    ("When", ("sample_every", "report_every", "report_at", "spread", "listen")),
    ("How long to try", ("attach_timeout", "awake_budget", "ack_timeout", "max_retransmit")),
    ("What waits, and what watches", ("history", "journal_bytes", "journal_batch", "watchdog", "maintenance_window",
                                      "planned_restart")),
    ("Battery, link and month", ("battery", "data_budget", "billing_day", "defer_longest", "defer_below")),
    ("What the server may set and see", ("node_objects", "trial_wakes", "health_every", "commands", "pins",
                                         "diagnosis", "server_updates")),
)  # fmt: skip

_HEAD = """\
# Configuration

<!-- Written by `make docs` from lib/lwnode/config.py, the features' KEYS and tools/docs/keys.py: edit those, not this page. -->

Two files lie beside `main.py` on the board. `config.json` may be shown to anybody; `secrets.json` may not, is in
`.gitignore`, and is never printed. `make provision` checks both with the table below before it copies them; the node
checks them again at every cold start. A wrong or unknown key stops the start with its name, what was expected and what
was found.

The example in the repository, `firmware/config.json`:

```json
{example}
```
"""

_OPTIONS = """\
Without such a key the driver's own value holds; for another family it is refused by its name. Sections are those of the
module's manual.

"""

_FEATURES = """\
A feature is a file of `lib/lwnode/features`. `make deploy` and `make image` bring those that the configuration asks for, and no
others: a key of a feature that is not on the board stops the start with the name of the file that is missing. `false`, `0` and
`"none"` ask for nothing; `"node_objects": false` switches settings off, and usage too where no `data_budget` is given. A node
without any feature says `"node_objects": false, "commands": false, "pins": false`.

"""

_TAIL = """\
## What must fit together

- `security` `psk` needs `psk` and `psk_identity` in `secrets.json`, and a `psk` of an even number of hexadecimal digits; so
  has `update_key`.
- `report_every` is not shorter than `sample_every`.
- `awake_budget` is not shorter than the longest wait for one acknowledgement plus `listen`. That wait is `ack_timeout`
  doubled at each of `max_retransmit` repetitions (RFC 7252, 4.2): with the defaults {wait} s.
- Text holds no quote, line end, NUL, Ctrl-Z or Escape: it must not be able to end an AT command.

## Checking without a board

    make provision BOARD=ESP32_GENERIC CONFIG=firmware/config.json DRY_RUN=1

says what it would copy, or what is wrong. [Start: ESP32](start-esp32.md) and [Start: Pico](start-pico.md) show it in use.
"""


def expected(kind: str, low: Any, high: Any) -> str:
    """The range of one key, for a table."""
    if high is None and low:
        return ", ".join(f"`{value}`" for value in low)
    if kind in ("n", "t"):
        return f"list of {low} to {high}"
    if kind == "b":
        return "`true`, `false`"
    if kind == "i":
        return f"{low} to {high}"
    return f"text, {low} to {high} characters"


def default(value: Any) -> str:
    """The default of one key, for a table."""
    if value == "!":
        return "**must be given**"
    return "none" if value is None else f"`{json.dumps(value)}`"


def table(rows: dict[str, tuple[Any, ...]]) -> str:
    """A markdown table of keys."""
    lines = ["| key | default | range | what it is |", "|---|---|---|---|"]
    for key, (kind, usual, low, high) in rows.items():
        lines.append(f"| `{key}` | {default(usual)} | {expected(kind, low, high)} | {explained(key)} |")
    return "\n".join(lines) + "\n"


def options_table() -> str:
    """A markdown table of the keys that only some families have."""
    from lwnode import config

    found: dict[tuple[Any, ...], list[str]] = {}
    for family in config.FAMILIES:
        for key, row in options(family).items():
            found.setdefault((key, *row, explained(key, family)), []).append(family)
    lines = ["| key | families | range | what it is |", "|---|---|---|---|"]
    for (key, kind, _, low, high, about), families in found.items():
        shown = "all" if len(families) == len(config.FAMILIES) else ", ".join(families)
        lines.append(f"| `{key}` | {shown} | {expected(kind, low, high)} | {about} |")
    return "\n".join(lines) + "\n"


def known_rows() -> dict[str, tuple[Any, ...]]:
    """Every key of config.json that is not one family's, those of the features too."""
    from lwnode import config, features

    found = rows(config.KEYS)
    for name, keys, _ in asked_by():
        feature = features.installed(name)
        own = rows(feature.KEYS)
        if set(own) - set(keys):
            raise SystemExit(f"lib/lwnode/features: FEATURES does not name all keys of {name}")
        found |= own
    return found


def asked_by() -> list[tuple[str, list[str], bool]]:
    """(name, keys that ask for it, whether it is there without any) of each feature."""
    from lwnode import features

    found = [row.split() for row in features.FEATURES.split(";")]
    return [(name, keys, always == "+") for name, always, *keys in found]


def features_table() -> str:
    """A markdown table of the features: by which keys each is asked for, and what it does."""
    unknown = {name for name, _, _ in asked_by()} ^ set(FEATURES)
    if unknown:
        raise SystemExit(f"tools/docs/keys.py: FEATURES says nothing of {', '.join(sorted(unknown))}, or too much")
    lines = ["| feature | keys | without a key | what it does |", "|---|---|---|---|"]
    for name, keys, always in asked_by():
        shown = ", ".join(f"`{key}`" for key in keys) or "none"
        lines.append(f"| {name} | {shown} | {'on' if always else 'off'} | {FEATURES[name]} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """The whole page."""
    from lwnode import config

    known = known_rows()
    grouped = [key for _, keys in _GROUPS for key in keys]
    rest = {key: row for key, row in known.items() if key not in grouped}
    parts = [_HEAD.replace("{example}", (ROOT / "firmware" / "config.json").read_text(encoding="utf-8").strip())]
    for title, keys in _GROUPS:
        parts.append(f"## {title}\n\n" + table({key: known[key] for key in keys if key in known}))
    if rest:
        parts.append("## Further keys\n\n" + table(rest))
    parts.append("## Features, and what switches each on\n\n" + _FEATURES + features_table())
    parts.append("## What one module can be told beyond that\n\n" + _OPTIONS + options_table())
    secrets = "`secrets.json` may be absent; it holds one JSON object with these keys, all of them optional."
    parts.append(f"## Secrets\n\n{secrets}\n\n" + table(rows(config.SECRETS)))
    wait = config.report_wait(known["ack_timeout"][1], known["max_retransmit"][1])
    parts.append(_TAIL.replace("{wait}", str(wait)))
    return "\n".join(parts)
