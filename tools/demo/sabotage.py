"""One protection switched off, in the copy of lib/ on the host board's flash: the demo must then fail.

The patch is appended to the file that holds the protection; the repository's own files are never touched. A demo that
passed all the same would be a check that cannot fail.
"""

from __future__ import annotations

from pathlib import Path

PATCHES = {
    "journal": ("lib/lwnode/node/__init__.py", '''

_kept_pause = Node.pause


def _forgetful_pause(self):
    """Whatever has not arrived by the end of a wake is forgotten."""
    self.journal.remove([number for number, _ in self.journal.entries()])
    self.journal.flush()
    self.state.commit()
    return _kept_pause(self)


Node.pause = _forgetful_pause
'''),
    "recover": ("lib/lwnode/node/session.py", '''

_careful_open = Session.open


def _believing_open(self, defer=None):
    """The session is taken for granted after sleep: nobody recovers it."""
    self.modem.recover = lambda timeout_ms: True
    return _careful_open(self, defer)


Session.open = _believing_open
'''),
    "confirm": ("lib/lwnode/node/delivery.py", '''

def _hasty_publish(self, record, entries):
    """A reading counts as delivered as soon as the module took it."""
    self.modem.publish([record], confirm=False)
    self.journal.remove(entries or [])


Delivery._publish = _hasty_publish
'''),
}

# The families whose demo notices it: only a BC66 recovers a session, and a BG96 never says what the server has.
NOTICED = {"recover": ("bc66",), "confirm": ("bc66", "bc20", "me910c1")}


def apply(name: str, flash: Path) -> str:
    """Patch the deployed copy; return the sentence that says what is off."""
    file, text = PATCHES[name]
    target = flash / file
    target.write_text(target.read_text() + text)
    return text.split('"""')[1]
