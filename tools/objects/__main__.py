"""`make objects`: the objects that a configuration yields on each module, what was dropped, and what it all costs.

    python -m tools.objects                              firmware/sensors.py and an example that is too large
    python -m tools.objects --rows my/sensors.py         a file with declare(tree, board)
    python -m tools.objects --frozen path/to/micropython an interpreter with lib/ frozen in: heap of the frozen registry
"""

import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, Callable

from tools import arguments as typed
from tools.boards.package import WRAPPED
from tools.objects import ROOT, cost, example
from tools.objects.families import FAMILIES, Anything, fitted

REGISTRY_LIMIT = 4160  # bytes of .mpy, code and whole table
FROZEN_LIMIT = 600  # bytes of heap, frozen


def handed_in(name: str) -> Anything:
    """What a driver's module has of that name: anything but what every module has or has not."""
    if name.startswith("__"):
        raise AttributeError(name)
    return Anything()


def declaration(path: Path) -> "Callable[[Any, Any], None]":
    """declare() of a configuration file; SystemExit with a sentence where it has none, or cannot be run on a computer."""
    spec = importlib.util.spec_from_file_location("rows_of_a_node", path)
    if spec is None or spec.loader is None or not path.exists():
        raise SystemExit(f"{path}: a Python file with declare(tree, board) was expected")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    for name in WRAPPED:  # drivers of MicroPython's own are handed in, and not called here
        stand_in = ModuleType(name)
        stand_in.__getattr__ = handed_in  # type: ignore[method-assign]
        sys.modules.setdefault(name, stand_in)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001  whatever a person's file raises is told by its line
        raise SystemExit(why(path, error)) from None
    if not hasattr(module, "declare"):
        raise SystemExit(f"{path}: has no declare(tree, board)")

    def declare(tree: Any, board: Any) -> None:
        try:
            module.declare(tree, board)
        except Exception as error:  # noqa: BLE001
            raise SystemExit(why(path, error)) from None

    return declare


def why(path: Path, error: Exception) -> str:
    """What is wrong with somebody's rows, in one sentence, with the line of that file where it shows."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    if isinstance(error, SyntaxError):
        lines = [error.lineno]
    where = f"{path}:{lines[-1]}: " if lines else f"{path}: "
    missing = error.name if isinstance(error, ModuleNotFoundError) else ""
    if missing in ("machine", "esp32", "rp2"):
        return f"{where}{missing} is there on a board only: use board.machine inside declare(), and rows can be tested anywhere"
    if missing:
        return f"{where}there is no {missing}.py beside it; onto the board goes what mpremote mip install {missing} brings"
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{where}{text if isinstance(error, ValueError) else f'{type(error).__name__}: {text}'}"


def show(title: str, declare: "Callable[[Any, Any], None]") -> bool:
    """Print what one configuration becomes on each family; whether a row has a unit that SenML does not know."""
    wrong: "list[str]" = []
    print(f"\n{title}")
    for family in FAMILIES:
        found = fitted(declare, family)
        history = "packs on 19/0/0" if found.history == "pack" else "replayed in order, without times"
        resources = sum(len(ids) for _, _, ids in found.objects)
        print(f"\n  {family}: {found.contract}, {len(found.objects)} instances, {resources} resources; history: {history}")
        for object_id, instance, ids in found.objects:
            print(f"    /{object_id}/{instance}: {' '.join(map(str, ids))}")
        for sentence in found.dropped or ["nothing dropped"]:
            print(f"    - {sentence}")
        wrong = found.wrong
    for sentence in wrong:
        print(f"\n  ! {sentence}")
    return bool(wrong)


def costs(interpreter: "str | None") -> int:
    """Print bytes and heap; 1 where the registry is above its limit."""
    sizes = cost.sizes()
    registry = sizes["registry"] + sizes["registry_table"]
    print(f"\nregistry: {registry} bytes of .mpy, code and table (limit {REGISTRY_LIMIT})")
    print(f"lwnode.lwm2m: {sum(sizes.values())} bytes of .mpy in {len(sizes)} modules; tlv is for other programs than a node")
    failed = registry > REGISTRY_LIMIT
    try:
        _steps(f"heap, 32-bit MicroPython {cost.RELEASE}, loaded from .mpy into RAM", cost.heap())
    except Exception as error:  # noqa: BLE001  what is missing is told in its own words; sizes stand without it
        print(f"heap not measured: {error}")
    if interpreter:
        steps = cost.frozen(interpreter)
        _steps(f"heap, frozen in {interpreter}", steps)
        used = dict(steps)
        failed = failed or used["registry"] - used["lwnode.lwm2m"] > FROZEN_LIMIT
    return 1 if failed else 0


def _steps(title: str, steps: "list[tuple[str, int]]") -> None:
    print(f"\n{title}")
    before = steps[0][1]
    for name, used in steps[1:]:
        print(f"  {name:20} {used - before:+7}   {used - steps[0][1]:7} bytes")
        before = used


def main(arguments: "list[str] | None" = None) -> int:
    parser = typed.Parser("make objects", __doc__)
    parser.add_argument("--rows", type=typed.file, help="a file with declare(tree, board)")
    parser.add_argument("--frozen", type=typed.file, help="an interpreter with lib/ frozen in")
    options = parser.parse_args(arguments)
    if options.rows:
        wrong = show(str(options.rows), declaration(options.rows))
    else:
        wrong = show("firmware/sensors.py", declaration(ROOT / "firmware/sensors.py"))
        show("tools/objects/example.py, more than a module holds", example.declare)
    return costs(options.frozen) or wrong


if __name__ == "__main__":
    sys.exit(typed.run(main, "objects"))
