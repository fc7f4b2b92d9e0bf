"""32-bit floats under CPython: what a board computes, for tests of arithmetic that a 64-bit host would hide.

    python host_tests/cpython/float32.py host_tests/test_lwm2m_rules.py ...

runs the tests of portable files with each float of theirs, and of lwnode.lwm2m, rounded to 32 bits: literals, float(),
quotients, powers, unpacked structs, and every sum and product of these. Prints one line for each failure and a count;
ends with 1 if there was one. Not seen: floats that C code of CPython makes inside other calls.
"""

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import struct
import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHIMMED = "lwnode.lwm2m"


def rounded(value):
    """The nearest 32-bit float as a Float32; anything that is no float comes back as it is."""
    if not isinstance(value, float):
        return value
    try:
        return Float32(struct.unpack(">f", struct.pack(">f", value))[0])
    except OverflowError:
        return Float32("inf" if value > 0 else "-inf")


class Float32(float):
    """A float whose arithmetic rounds to 32 bits."""


def _operation(name):
    inherited = getattr(float, name)

    def operate(self, *others):
        return rounded(inherited(self, *others))

    return operate


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    for _prefix in ("", "r"):
        setattr(Float32, f"__{_prefix}{_name}__", _operation(f"__{_prefix}{_name}__"))
for _name in ("neg", "pos", "abs", "round"):
    setattr(Float32, f"__{_name}__", _operation(f"__{_name}__"))


def to_float(value=0.0):
    return rounded(float(value))


def unpack(form, data):
    return tuple(rounded(value) for value in struct.unpack(form, data))


class Shim(ast.NodeTransformer):
    """Wraps what makes floats in a call that rounds."""

    @staticmethod
    def _wrap(node):
        return ast.copy_location(ast.Call(ast.Name("__rounded__", ast.Load()), [node], []), node)

    def visit_Constant(self, node):
        return self._wrap(node) if isinstance(node.value, float) else node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        return self._wrap(node) if isinstance(node.op, (ast.Div, ast.Pow)) else node

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "float":
            node.func = ast.copy_location(ast.Name("__float__", ast.Load()), node.func)
        elif ast.unparse(node.func) == "struct.unpack":
            node.func = ast.copy_location(ast.Name("__unpack__", ast.Load()), node.func)
        return node


class Loader(importlib.machinery.SourceFileLoader):
    def source_to_code(self, data, path, *, _optimize=-1):
        tree = Shim().visit(ast.parse(data, path))
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)

    def get_code(self, fullname):  # no cache: a .pyc would be without the shim, or bring it elsewhere
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)

    def exec_module(self, module):
        module.__dict__.update(__rounded__=rounded, __float__=to_float, __unpack__=unpack)
        super().exec_module(module)


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name != SHIMMED and not name.startswith(SHIMMED + "."):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.origin:
            spec.loader = Loader(name, spec.origin)
        return spec


def run(path):
    """(count of tests, [(name, traceback)] of those that failed) of one file."""
    loader = Loader(path.stem, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(path.stem, loader))
    loader.exec_module(module)
    tests = [(name, value) for name, value in vars(module).items() if name.startswith("test_")]
    failed = []
    for name, test in tests:
        try:
            test()
        except Exception:
            failed.append((name, traceback.format_exc()))
    return len(tests), failed


def main(arguments):
    for folder in ("", "lib", "firmware", "host_tests", "host_tests/cpython"):
        sys.path.insert(0, str(ROOT / folder))
    sys.meta_path.insert(0, Finder())
    count = bad = 0
    for argument in arguments:
        tests, failed = run(Path(argument).resolve())
        count, bad = count + tests, bad + len(failed)
        for name, text in failed:
            print(f"{argument}::{name}\n{text}")
    print(f"{count} tests with 32-bit floats, {bad} failed")
    return 1 if bad or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
