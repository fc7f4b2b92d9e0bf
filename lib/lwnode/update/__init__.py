"""New application files for a node in the field: a signed package is checked and staged; swap.py then tries it.

    >>> from lwnode.update import key_of, stage
    >>> stage(key_of(settings.secret), "ESP32_GENERIC/bc66", counter=board.vault)      # /update/package lies there
    1790000000
    >>> board.restart("update")                                    # boot.py puts the files in place

A package (made by `make update-package`), all numbers little-endian:

    "LWU1", total length u32, version u32, rows u16, target: length u8 and text BOARD/family
    per row: flags u8 (1: content, 0: remove), path: length u8 and text, size u32, SHA-256
    contents in the order of the rows, then HMAC-SHA256 over everything before it (RFC 2104)

Nothing on the node changes until the whole package was held against its HMAC, each file on flash against its hash, and the
version against the highest one ever accepted; then one rename (update/plan) accepts it all. A package that is cut, forged,
replayed, for another board or too big is refused with an UpdateError. A cut of power before that rename leaves nothing but
files in /update that the next package sweeps away.

The key: `update_key` of secrets.json, else one derived from the PSK. Where MicroPython has lwnode frozen, /lib/lwnode is
never looked at (sys.path is "", ".frozen", "/lib"), so a package with such files is refused there: files in / come first.

Bounds: 512 bytes of buffer, 200 files, and what is staged must fit beside what is there. A swap needs both old and new.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


class UpdateError(Exception):
    """A package that changes nothing, and why: a sentence with its remedy."""


def key_of(secret: "Callable[[str], str | None]") -> bytes:
    """The key of this node's packages, by its secrets (Settings.secret). UpdateError where there is none."""
    from lwnode.update import staging
    return staging.key_of(secret)


def stage(key: bytes, target: str, files: "Any" = None, counter: "Any" = None, free: "int | None" = None,
          idle: "Callable[[], object] | None" = None, frozen: "bool | None" = None) -> int:
    """Check /update/package and stage it; the version that the next boot tries. UpdateError: nothing has changed.

    target: BOARD/family of this node. counter: a store that outlives the filesystem (board.vault). free: bytes of room, None
    where not known. idle is called between blocks (the watchdog). frozen: whether lwnode is; None looks.
    """
    from lwnode.update.staging import Stage
    return Stage(key, target, files, counter, idle, frozen).run(free)
