"""What Leshan's REST interface shows and takes, as Python values: its milestones differ in both.

    answer = Answer(200, text)      # answer.code 205, answer.value 21.5, answer.values {5700: 21.5}, answer.links
    typed(True, modern)             # {"type": "boolean", "value": True}: part of a write's body
"""

import json
import re
import urllib.parse


class Answer:
    """What Leshan shows of a request: `code` (205, 405; 504 no answer; 400 sleeping or unknown), `content`, `text`."""

    def __init__(self, status, text):
        self.http = status
        self.text = text
        try:
            self.document = json.loads(text)
        except ValueError:
            self.document = {}
        if not isinstance(self.document, dict):
            self.document = {}
        found = re.search(r"\d{3}", str(self.document.get("status", "")).replace(".", ""))
        self.code = int(found.group(0)) if found else status
        self.delayed = bool(self.document.get("delayed"))

    @property
    def content(self):
        """The LwM2M node, as Leshan's JSON has it."""
        return self.document.get("content") or {}

    @property
    def value(self):
        """The value of a single resource: number, bool or text."""
        return plain(self.content.get("value"))

    @property
    def values(self):
        """{resource: value} of an instance; {(instance, resource): value} of an object."""
        return node_values(self.content)

    @property
    def links(self):
        """Paths and attributes of a discover."""
        links = self.document.get("objectLinks", [])
        return [(each.get("url") or each.get("uriReference"), each.get("attributes", {})) for each in links]

    def __repr__(self):
        return f"{self.code} {self.text[:200]}"


def plain(value):
    """Leshan's newer milestones send numbers as text."""
    if isinstance(value, str):
        for kind in (int, float):
            try:
                return kind(value)
            except ValueError:
                pass
    return value


def node_values(content):
    """The values below an instance or an object, by resource or by (instance, resource)."""
    if "instances" in content:
        found = {}
        for instance in content["instances"]:
            for resource, value in node_values(instance).items():
                found[(instance["id"], resource)] = value
        return found
    found = {}
    for resource in content.get("resources", []):
        if "values" in resource:
            found[resource["id"]] = {int(key): plain(value) for key, value in resource["values"].items()}
        else:
            found[resource["id"]] = plain(resource.get("value"))
    return found


def quoted(endpoint):
    """An endpoint name as part of a path."""
    return urllib.parse.quote(endpoint, safe=":")


def typed(value, modern):
    """A value as the REST interface wants it: newer milestones take numbers as text and want the type."""
    if isinstance(value, bool):
        return {"type": "boolean", "value": value}
    if isinstance(value, bytes):
        return {"type": "opaque", "value": value.hex()}
    if isinstance(value, (int, float)):
        kind = "integer" if isinstance(value, int) else "float"
        return {"type": kind, "value": str(value) if modern else value}
    return {"type": "string", "value": value}
