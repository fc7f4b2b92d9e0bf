// Runs workload.py on MicroPython's 32-bit WebAssembly build: node load.mjs MICROPYTHON.mjs FOLDER CASE COUNT
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modulePath, folder, testCase, count] = process.argv.slice(2);
const { loadMicroPython } = await import(pathToFileURL(modulePath));
const mp = await loadMicroPython({ heapsize: 4 * 1024 * 1024, stdout: (line) => console.log(line), linebuffer: true });

function copy(from, to) {
  for (const name of readdirSync(from)) {
    const source = join(from, name);
    if (statSync(source).isDirectory()) {
      mp.FS.mkdir(`${to}/${name}`);
      copy(source, `${to}/${name}`);
    } else {
      mp.FS.writeFile(`${to}/${name}`, readFileSync(source));
    }
  }
}

mp.FS.mkdir("/bench");
copy(folder, "/bench");
mp.runPython(`import gc, sys; sys.path.insert(0, "/bench")`);

// This build collects only between two calls from here, because it cannot see the C stack: so an import is measured from outside.
function heapInUse() {
  mp.runPython("gc.collect()");
  mp.runPython("gc.collect(); in_use = gc.mem_alloc()");
  return mp.globals.get("in_use");
}

if (testCase.startsWith("import=")) {
  const before = heapInUse();
  mp.runPython(`for name in "${testCase.slice(7)}".split(","): __import__(name)`);
  console.log("import", heapInUse() - before);
} else {
  mp.runPython(`import workload; workload.run("${testCase}", ${count})`);
}
