"""Run something against a Leshan of its own, as fleet-load, fleet-show and fleet-far do."""

import asyncio
import sys

from tools.boards.remedy import Remedy
from tools.interop.fetch import CACHE, KINDS, Missing, fetch
from tools.interop.process import LeshanError, own

ABSENT = 3


def against_leshan(name, kind, run, say):
    """The status of `await run(distribution, empty folder)`; with a sentence 1 where it cannot be done, ABSENT without Leshan.

    kind: of fetch.KINDS, None for the first that can be had.
    """
    try:
        return asyncio.run(run(fetch(say, kinds=(kind,) if kind else KINDS), own(CACHE / name)))
    except Missing as absent:
        print(f"make fleet-{name}: {absent}", file=sys.stderr)
        return ABSENT
    except (LeshanError, Remedy) as error:
        print(f"make fleet-{name}: {error}", file=sys.stderr)
        return 1
