"""What each key of config.json and secrets.json means, for people: docs/configuration.md, and the sentence of a refusal.

    explained("port")                    -> "UDP port of the server"
    explained("sleep", "bg96")           -> "psm, or light: DTR wakes (the wake pin)"
    rows(lwnode.config.KEYS)["port"]     -> ("i", 5683, 1, 65535)

The node itself has ranges alone (lwnode.config and the KEYS of lwnode.features).
"""

from __future__ import annotations

import re
from typing import Any

KEYS = {
    "family": "the module on the UART",
    "host": "LwM2M server (or bootstrap server) name or IP address",
    "port": "UDP port of the server",
    "endpoint": "endpoint client name; {id} becomes the board's unique id in hex",
    "lifetime": "registration lifetime (seconds); a BC66 takes four `report_every` by default where that is longer",
    "binding": "binding: U, or UQ for queue mode",
    "security": "DTLS with a pre-shared key, or none",
    "bootstrap": "host and port are a bootstrap server's",
    "apn": "access point name; empty takes the network's default",
    "sample_every": "period of sampling, aligned slots (seconds)",
    "report_every": "period of contact with the server, aligned slots (seconds)",
    "report_at": (
        'times of the day for these contacts, `["06:00", "18:00"]` in UTC; before the clock is known `report_every` holds, and '
        "an alarm waits for neither"),
    "spread": (
        "longest delay of this device's slots, and of its first contact after power-on: by its own id, at most a "
        "quarter of `sample_every` (seconds)"),
    "listen": "how long the server may ask after a report, at most: 1.5 s of silence end it (seconds)",
    "attach_timeout": "longest wait for the network (seconds)",
    "awake_budget": "longest wake; what is not done by then waits (seconds)",
    "ack_timeout": "first CoAP retransmission after (seconds)",
    "max_retransmit": "CoAP retransmissions",
    "history": "late readings: SenML pack on 19/0/0, or replayed in order, without times",
    "journal_bytes": "room for readings that wait (bytes)",
    "journal_batch": "readings exposed to power loss where RAM is the only quick store (RP2)",
    "watchdog": "hardware watchdog while awake (milliseconds)",
    "maintenance_window": "wait for mpremote after power-on or reset button (seconds)",
    "battery": "the cell whose voltage BATTERY of the board file measures: a weak one stretches intervals, a dead one rests",
    "data_budget": "bytes over the air in a month, headers included; 0 no limit; alarms pass it",
    "billing_day": "day on which that month begins",
    "defer_longest": "longest wait of a report for a better signal, asked each time (seconds); 0 never",
    "defer_below": "signal (RSRP) below which a report waits (dBm)",
    "node_objects": "declare 26250 and 26251, the node's own settings and health",
    "trial_wakes": "contacts that may fail before a setting of the server is taken back",
    "health_every": "how often the node's health is told unasked (seconds)",
    "commands": "take a server's commands on 19/1/0",
    "pins": "look at the wake pins and at the module's status pin",
    "diagnosis": "answer the server's questions for last error, signal, cell and crash text, as object 26252",
    "server_updates": "take update packages from the server, as object 9; needs a key in secrets.json",
    "planned_restart": "restart the board after so many wakes, where RAM is kept; 0 never",
    "psk_identity": "PSK identity",
    "psk": "pre-shared key, hexadecimal",
    "pin": "SIM PIN",
    "update_key": "key of update packages, hexadecimal; without it one derived from psk",
}
# What each feature does, and how it is switched on and off beside its keys.
FEATURES = {
    "battery": "watches the cell, contacts less often where it is weak, and rests where it is empty",
    "usage": "counts bytes and charge, keeps within the month's budget, and shows health as object 26251",
    "settings": "lets the server set periods and rules as object 26250, on trial, and order the node to stay awake",
    "deferral": "lets a report wait for a better signal",
    "calendar": "reports at times of the day instead of at every period",
    "pins": "reports what a pin of WAKE in the board file tells, and switches a module off that does not sleep by its pin"
            " `status`; deployed to boards with such pins",
    "ship": "sleeps from the factory to the field with the module off, over changes of the battery too. Ordered by the server"
            " (26250/0/4 = 1) or at the prompt (`board.protected.save(\"ship\", b\"1\")`), ended by the pin `ship` of the board"
            " file: without that pin it is not deployed, and refused",
    "commands": "takes a server's commands on 19/1/0, the way back of modules that pass bytes only",
    "update": "takes signed packages from the server, tries them, goes back from a bad one",
    "diagnosis": "tells a far server what is wrong, with the crash text, as object 26252",
}
# By key, or by key and family where a key means different things; sections are those of the family's manual.
OPTIONS = {
    "psm_tau": "PSM: tracking area update asked for (seconds, TS 24.008 10.5.7.4a), by default four `report_every`, a day at"
    " least; 0 no PSM",
    "psm_active": "PSM: active time asked for (seconds, TS 24.008 10.5.7.3), by default `listen` and 3; ME910C1: 2",
    "edrx": "eDRX cycle asked for (seconds, TS 24.008 10.5.5.32); 0 none",
    "roaming": "in a foreign network: never uses it, allowed reports there too (its own cost, often a contract of its own)",
    "module_update": "firmware of the module itself (object 5): never, ask (waits for a person), allow",
    "buffered": "requests wait in the module until they are read (BC20 3.5, BC66 4.2.2)",
    "read_length": "bytes read from the buffer at a time (3.10)",
    "receive_hex": "writes of the server come as hexadecimal digits, else as text (3.11)",
    "retransmit_mode": "0 each repetition waits twice as long, 1 all the same (4.2.2)",
    "write_format": "what digits mean that a server writes: tlv, bytes of a number, or text (4.3.3)",
    "auto_reg": "the module registers by itself after it has started (4.2.2)",
    "persistent": "the registration outlives a restart of the module (4.2.2)",
    "rai": "say with the last report of a contact that the network may release the radio (4.2.12)",
    "auto_ack": "the module itself answers an observe (4.2.2)",
    "recovery_mode": "session after deep sleep: 0 recovered by the module, 1 by the node (4.2.2)",
    "sleep bg96": "psm, or light: DTR wakes (the wake pin)",
    "server_type": "0 Leshan, 1 T-Mobile, 2 LGU+, 3 Verizon, 4 Ericsson, 5 AT&T (guide 4.1)",
    "ssid": "short server id (guide 4.1)",
    "name_form": "endpoint of IMEI, or of IMEI and MSISDN (guide 4.1)",
    "data_object": "object that carries the packs (guide 4.1)",
    "auto_register": "the module registers by itself from then on (guide 4.1)",
    "auto_name": "the module makes the endpoint from IMSI and ICCID: LGU+ alone (guide 4.1)",
    "mbsps": "service code, serial number, CTN, ICCID, module[, MAC]: LGU+ alone (guide 4.1)",
    "key_file": "the pre-shared key lies in the module as ssl/<ssid>_server.psk: tools/bg96_files (guide 3.3.4)",
    "sleep me910c1": "psm; cfun5: radio on, DTR wakes; off: between wakes",
    "rat": "radio access (AT#WS46)",
    "cid": "PDP context of the agent (3.1.3)",
    "ack_mode": "the module asks before it uses the radio (3.1.3)",
    "guard_request": "ACK mode: how early it asks (seconds, 3.1.3)",
    "guard_release": "ACK mode: how long the session stays open (seconds, 3.1.3)",
    "ack_wait": "longest wait for the acknowledgement of a report (seconds)",
    "disable_s": "silence after SUSPENDED; the module does not say 1/x/5 (seconds)",
    "registration_urcs": "switch the registration URCs on (33211/0/0/1)",
    "monitor": "objects whose writes are told; the actuators without it (3.1.2)",
    "acknowledge": "paths whose delivery is told; the main readings without it (3.1.15)",
}


def rows(table: str) -> dict[str, tuple[Any, ...]]:
    """Key -> (kind, default, smallest or choices, largest) of a table of lwnode.config or of a feature."""
    found: dict[str, tuple[Any, ...]] = {}
    for key, kind, usual, *ends in [row.split(" ") for row in table.split(";") if row]:
        of = int if kind == "i" else str
        default = None if usual == "-" else usual == "true" if kind == "b" else usual if usual == "!" else of(usual)
        if len(ends) == 2:
            found[key] = (kind, default, int(ends[0]), int(ends[1]))
        else:
            found[key] = (kind, default, tuple(of(each) for end in ends for each in end.split(",")), None)
    return found


def options(family: str) -> dict[str, tuple[Any, ...]]:
    """What the driver of that family can be told."""
    from lwnode import config

    return rows(config.ANY + config.OPTIONS[family])


def with_meaning(sentence: str, family: str = "") -> str:
    """A refusal of lwnode.config, and what the key that it names means."""
    found = re.search(r'"(\w+)" (?:must be|is missing)', sentence)
    about = explained(found.group(1), family) if found else ""
    return f"{sentence} ({about})" if about else sentence


def explained(key: str, family: str = "") -> str:
    """The meaning of a key; empty where it is none."""
    return KEYS.get(key) or OPTIONS.get(key) or OPTIONS.get(f"{key} {family}", "")
