"""Bytes and heap of the registry and of a node's tree.

    sizes()                    .mpy bytes of each module of lwnode.lwm2m
    heap()                     heap after each step, in MicroPython's 32-bit webassembly build (needs node)
    frozen("path/micropython") the same for an interpreter that has lib/ frozen in, such as a unix build made with
                               make -C ports/unix CFLAGS_EXTRA=-m32 LDFLAGS_EXTRA=-m32 FROZEN_MANIFEST=manifest.py
                               where manifest.py is: package("lwnode", base_path="<this repository>/lib")
"""

import base64
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools.mpy import compile_tree
from tools.objects import ROOT

RELEASE = "1.28"
LIMIT_S = 120
_EIGHT = "def nothing(): return 21.46\nfor o in (3303, 3304, 3315, 3301, 3316, 3325, 3330, 3320): "
STEPS = (("interpreter", "import gc, sys"),
         ("lwnode.lwm2m", "sys.path.insert(0, '/board'); import lwnode.lwm2m"),
         ("registry", "from lwnode.lwm2m import registry; registry.lookup(3303, 5700)"),
         ("ObjectTree", "from lwnode.lwm2m import ObjectTree, Path, Request; tree = ObjectTree()"),
         ("eight sensors", _EIGHT + "tree.sensor(o, nothing, resolution=0.1)"), ("sampled", "tree.sample(1790000000)"),
         ("reported", "tree.reports(1790000000); None"),
         ("a read answered", "tree.handle(Request('read', Path(3303, 0), 1)); None"),
         ("a pack made", "from lwnode.lwm2m import pack_senml; None"), ("state dumped", "tree.dump(); None"),
         ("a row with rules", "tree.sensor(3303, nothing, 1, resolution=0.1, pmin=5, pmax=50); None"))


def compiled(folder: Path) -> "dict[str, Path]":
    """lwnode.lwm2m below a folder as .mpy, by module."""
    target = folder / "lwnode" / "lwm2m"
    shutil.copytree(ROOT / "lib/lwnode/lwm2m", target, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "lib/lwnode/__init__.py", folder / "lwnode")
    compile_tree(folder)
    return {path.stem: path for path in sorted(target.glob("*.mpy"))}


def sizes() -> "dict[str, int]":
    """Bytes of .mpy by module."""
    with tempfile.TemporaryDirectory() as folder:
        return {name: path.stat().st_size for name, path in compiled(Path(folder)).items()}


def heap() -> "list[tuple[str, int]]":
    """[(step, bytes live after it)], everything loaded from .mpy files into RAM; Missing where node is not."""
    from tools.matrix.webassembly import Builds

    module = Builds().module(RELEASE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compiled(folder)
        files = {
            "/board/" + str(path.relative_to(folder)): base64.b64encode(path.read_bytes()).decode()
            for path in folder.rglob("*.mpy")
        }
        job = folder / "job.json"
        job.write_text(json.dumps({"heap": 1 << 20, "files": files, "steps": STEPS}))
        done = subprocess.run(["node", str(ROOT / "tools/bench/node.mjs"), str(module), str(job)], input="\n" * len(STEPS),
                              capture_output=True, text=True, timeout=LIMIT_S)  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the interpreter stopped: {done.stderr[-500:]}")
    return [(step, used) for _, step, used, _, _ in map(json.loads, done.stdout.splitlines())]


def frozen(interpreter: str) -> "list[tuple[str, int]]":
    """[(step, bytes live after it)] in an interpreter with lib/ frozen in."""
    program = "import gc\n" + "".join(
        f"{code}\ngc.collect(); print({step!r}, gc.mem_alloc(), sep='|')\n" for step, code in STEPS
    )
    done = subprocess.run([interpreter, "-c", program], capture_output=True, text=True, timeout=LIMIT_S, cwd="/")
    if done.returncode:
        raise RuntimeError(f"{interpreter} stopped: {done.stderr[-500:]}")
    return [(line.split("|")[0], int(line.split("|")[1])) for line in done.stdout.splitlines() if "|" in line]
