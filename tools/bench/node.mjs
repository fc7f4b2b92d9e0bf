// One life of a node in MicroPython's webassembly build: `node node.mjs MODULE JOB.json`.
//
// JOB: {"heap": bytes, "files": {path: base64}, "rom": base64, "steps": [[name, code], ...]}. The ROM's address and
// length, outside MicroPython's heap, are the file /address. After each step its garbage is collected (this
// build collects between programs only) and the world is told ["step", name, bytes in use, 0, largest block].
//
// The world is at the other end of stdin and stdout: each question is a line of JSON, each answer too, and both are read
// and written synchronously, because the interpreter waits inside a call.

import { readFileSync, readSync, writeSync } from "node:fs";

const { loadMicroPython } = await import(process.argv[2]);
const job = JSON.parse(readFileSync(process.argv[3], "utf8"));

class Stopped extends Error {}

let pending = "";
const chunk = Buffer.alloc(65536);

function readLine() {
  for (;;) {
    const end = pending.indexOf("\n");
    if (end >= 0) {
      const line = pending.slice(0, end);
      pending = pending.slice(end + 1);
      return line;
    }
    const count = readSync(0, chunk, 0, chunk.length, null);
    if (count === 0) throw new Stopped("the world has gone");
    pending += chunk.toString("utf8", 0, count);
  }
}

globalThis.wire = {
  ask(question) {
    writeSync(1, question + "\n");
    return readLine();
  },
};

let largest = 0, measuring = false;
const mp = await loadMicroPython({
  heapsize: job.heap,
  stdout: (line) => {
    const found = /max blk sz: (\d+)/.exec(line);
    if (found) largest = 16 * Number(found[1]);
    else if (!measuring) writeSync(2, line + "\n");
  },
  stderr: (line) => writeSync(2, line + "\n"),
  linebuffer: true,
});
const made = new Set();
for (const [path, content] of Object.entries(job.files)) {
  let folder = "";
  for (const part of path.split("/").slice(1, -1)) {
    folder += "/" + part;
    if (!made.has(folder)) {
      try { mp.FS.mkdir(folder); } catch { /* the build's own */ }
      made.add(folder);
    }
  }
  mp.FS.writeFile(path, Buffer.from(content, "base64"));
}
if (job.rom) {
  const image = Buffer.from(job.rom, "base64");
  const address = mp._module._malloc(image.length);
  mp._module.HEAPU8.set(image, address);
  mp.FS.writeFile("/address", `${address} ${image.length}`);
}
let status = 0;
try {
  for (const [name, code] of job.steps) {
    mp.runPython(code);
    measuring = true;
    // Twice: the collector is conservative, and a word left on the stack can keep a whole module alive.
    for (let round = 0; round < 2; round++) mp.runPython("import gc, micropython; gc.collect()");
    mp.runPython("micropython.mem_info(); _used = gc.mem_alloc()");
    measuring = false;
    globalThis.wire.ask(JSON.stringify(["step", name, mp.globals.get("_used"), 0, largest]));
  }
} catch (caught) {
  if (!(caught instanceof Stopped)) {
    writeSync(2, String(caught?.message ?? caught) + "\n");
    status = 1;
  }
}
process.exit(status);
