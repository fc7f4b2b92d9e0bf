"""python -m tools.docs.links: relative links and anchors of every .md file of the repository. Needs Python alone.

A link is right where its file exists in the tree and its anchor is one of the headings there (as the common forges make
anchors of headings). Addresses of other sites are not opened: a check that needs the network fails for other reasons.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[2]
_SKIPPED = {".venv", "build", "node_modules", ".git", ".pytest_cache"}
_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^|(?<=\n\n))(?:(?: {4}|\t)[^\n]*\n)+", re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s+<?(\S+?)>?\s*$", re.MULTILINE)
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$", re.MULTILINE)
_ID = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")
_ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def anchor(heading: str) -> str:
    """The anchor of a heading: lower case, punctuation dropped, blanks to hyphens."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """All anchors of a file; a heading that comes again gets a number."""
    found: set[str] = set(_ID.findall(text))
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        name = anchor(heading)
        candidate, number = name, 0
        while candidate in found:
            number += 1
            candidate = f"{name}-{number}"
        found.add(candidate)
    return found


def links(text: str) -> list[str]:
    """Targets of all links and pictures outside code."""
    prose = _CODE.sub("", _INDENTED.sub("\n", _FENCE.sub("", text)))
    return _LINK.findall(prose) + _REFERENCE.findall(prose)


def documents(root: Path) -> list[Path]:
    """Every .md file of the tree."""
    return sorted(path for path in root.rglob("*.md") if not _SKIPPED & set(path.relative_to(root).parts))


def broken(root: Path) -> list[str]:
    """A sentence for each link that leads nowhere."""
    sentences = []
    for document in documents(root):
        for target in links(document.read_text(encoding="utf-8")):
            reason = fault(root, document, target)
            if reason:
                sentences.append(f"{document.relative_to(root)}: {target}: {reason}")
    return sentences


def fault(root: Path, document: Path, target: str) -> str:
    """Why a link leads nowhere; empty where it is right or leads to another site."""
    if _ELSEWHERE.match(target):
        return ""
    name, _, fragment = unquote(target).partition("#")
    path = (document.parent / name).resolve() if name else document.resolve()
    if not path.is_relative_to(root.resolve()):
        return "it leads out of the repository"
    if not path.exists():
        return "there is no such file"
    if fragment and path.suffix == ".md" and fragment not in anchors(path.read_text(encoding="utf-8")):
        return "that file has no such heading"
    return ""


def main() -> int:
    """Check all; exit status 1 where a link leads nowhere."""
    sentences = broken(ROOT)
    for sentence in sentences:
        print(sentence)
    files = documents(ROOT)
    count = sum(len(links(path.read_text(encoding="utf-8"))) for path in files)
    print(f"links: {len(files)} files, {count} links, {len(sentences)} broken")
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
