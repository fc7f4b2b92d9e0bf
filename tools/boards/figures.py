"""The figures of docs/session-board.md that follow from the tree: files and bytes of the deployed application.

    refreshed(text)        the page with today's figures; as it is where counts agree and sizes lie within 5 percent

`make docs` writes them; everything else on the page is recorded by make board-session RECORD=1.
"""

from __future__ import annotations

import re

from tools.boards import application, catalog

FOLDERS = ("at", "lwm2m", "modem", "power", "board", "node", "features", "drivers")
NEAR = 0.05


def sizes() -> list[str]:
    """A line for each part of the application, and one for all."""
    files = application.files(catalog.find("ESP32_GENERIC"), "bc66")
    rows = {f"lwnode.{name}": [data for path, data in files.items() if path.startswith(f"/lib/lwnode/{name}/")]
            for name in FOLDERS}  # fmt: skip
    rows["lwnode, rest"] = [data for path, data in files.items() if re.fullmatch(r"/lib/lwnode/\w+\.mpy", path)]
    rows["firmware, board"] = [data for path, data in files.items() if not path.startswith("/lib/")]
    rows["all"] = list(files.values())
    return [f"  {name:16} {len(parts):4} files {sum(map(len, parts)):8} bytes" for name, parts in rows.items()]


def counted(lines: list[str]) -> list[tuple[str, int, int]]:
    """(part, files, bytes) of such lines."""
    found = [re.match(r"  (\S.*?) +(\d+) files +(\d+) bytes$", line) for line in lines]
    return [(one.group(1), int(one.group(2)), int(one.group(3))) for one in found if one]


def refreshed(text: str) -> str:
    """The page with today's figures."""
    now, was = counted(sizes()), counted(text.splitlines())
    same = [(name, files) for name, files, _ in now] == [(name, files) for name, files, _ in was]
    if same and all(abs(new - old) <= NEAR * old for (_, _, new), (_, _, old) in zip(now, was)):
        return text
    files, size = now[-1][1:]
    found = re.search(r"deploy: (\d+) files, (\d+) KB for ESP32", text)
    if not found or not was:
        return text
    old, was_kb, kb = *found.groups(), f"{size / 1024:.0f}"
    for before, after in ((f"deploy: {old} files, {was_kb} KB", f"deploy: {files} files, {kb} KB"),
                          (f"copying {old} of {old} files ({was_kb} KB)", f"copying {files} of {files} files ({kb} KB)"),
                          (f"copying 0 of {old} files", f"copying 0 of {files} files"),
                          (f"verified {old} files", f"verified {files} files")):  # fmt: skip
        text = text.replace(before, after)
    text = re.sub(rf"(?m)^( +\d+)/{old} /", rf"\1/{files} /", text)
    first = re.search(rf"(?m)^  {re.escape(was[0][0])} +\d+ files +\d+ bytes$", text)
    last = re.search(r"(?m)^  all +\d+ files +\d+ bytes$", text)
    assert first and last
    return text[: first.start()] + "\n".join(sizes()) + text[last.end() :]
