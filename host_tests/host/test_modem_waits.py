"""Every wait of the drivers has a deadline, and beside each figure stands where it is from."""

import ast
from pathlib import Path

CPYTHON_ONLY = "the sources are parsed"

ROOM = Path(__file__).resolve().parent.parent.parent / "lib" / "lwnode" / "modem"
# What waits, and the place of the time among its arguments.
WAITS = {"poll": 0, "wait": 1, "sleep_ms": 0, "_await": 1, "pulse": 1, "service": 0, "settle": 0}


def commented(lines, number):
    """Whether a line has a comment of its own, or stands below one, perhaps with others like it."""
    if "  # " in lines[number - 1]:
        return True
    while number > 1 and lines[number - 1].strip() and not lines[number - 1].strip().startswith(("def ", "class ")):
        number -= 1
        if lines[number - 1].strip().startswith("# "):
            return True
        if "  # " in lines[number - 1] or not lines[number - 1].rstrip().endswith(","):
            return False
    return False


def figures(tree):
    """(line, what) of each time in milliseconds that is named, and of those that are not."""
    named, bare = [], []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.endswith("_MS"):
            named.append((node.lineno, node.targets[0].id))
        elif isinstance(node, ast.keyword) and (node.arg or "").endswith("_ms") and isinstance(node.value, ast.Constant):
            (bare if node.arg == "timeout_ms" else named).append((node.value.lineno, node.arg))
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values):
                if isinstance(key, ast.Constant) and str(key.value).endswith("_ms") and isinstance(value, ast.Constant):
                    if value.value is not None:
                        named.append((key.lineno, key.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WAITS:
            place = WAITS[node.func.attr]
            within = list(ast.walk(node.args[place])) if place < len(node.args) else []
            units = [one.right for one in within if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Mult)]  # seconds
            for value in within:
                figure = isinstance(value, ast.Constant) and isinstance(value.value, int) and value.value >= 250
                if figure and value not in units:
                    bare.append((value.lineno, node.func.attr))
    return named, bare


def test_each_figure_of_a_wait_has_its_source_beside_it():
    seen = 0
    wrong = []
    for path in sorted(ROOM.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        lines = text.split("\n")
        named, bare = figures(ast.parse(text))
        seen += len(named)
        wrong += ["%s:%d %s has no source" % (path.name, *one) for one in named if not commented(lines, one[0])]
        wrong += ["%s:%d a bare figure in %s" % (path.name, *one) for one in bare]
    assert seen >= 40 and not wrong, "\n".join(wrong)


def test_no_wait_of_a_driver_is_without_an_end():
    """A loop that asks the line ends by a deadline or by a count."""
    loops = 0
    for path in sorted(ROOM.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.While):
                continue
            body = ast.get_source_segment(text, node) or ""
            if any([word in body for word in ("poll(", ".ask(", "_query(", ".send(", "_begin(", "_listen(", "_pause(")]):
                loops += 1
                ends = "ticks_diff" in body or ".left(" in body or "poll(0)" in body or "_busy()" in body
                assert ends, "%s:%d waits for ever" % (path.name, node.lineno)
    assert loops >= 8, loops
