// Runs programs in MicroPython's webassembly build: `node run.mjs MODULE < job.json`, a JSON line of results on stdout.
//
// job: {"heap": bytes, "files": {"/path": "text" or {"base64": "..."}}, "programs": [{"name": "...", "code": "..."}]}
// Each program gets an interpreter of its own with those files; its result is {"name", "output", "error"}.

import { readFileSync } from "node:fs";

const { loadMicroPython } = await import(process.argv[2]);
const job = JSON.parse(readFileSync(0, "utf8"));

for (const program of job.programs) {
  const output = [];
  const decoder = new TextDecoder();
  const write = (data) => { output.push(typeof data === "string" ? data : decoder.decode(data, { stream: true })); };
  let error = null;
  try {
    const mp = await loadMicroPython({ heapsize: job.heap, stdout: write, stderr: write, linebuffer: false });
    const made = new Set(["/"]);
    for (const [path, content] of Object.entries(job.files)) {
      let folder = "";
      for (const part of path.split("/").slice(1, -1)) {
        folder += "/" + part;
        if (!made.has(folder)) {
          try { mp.FS.mkdir(folder); } catch { /* the build's own */ }
          made.add(folder);
        }
      }
      mp.FS.writeFile(path, typeof content === "string" ? content : Buffer.from(content.base64, "base64"));
    }
    mp.runPython(program.code);
  } catch (caught) {
    error = String(caught?.message ?? caught);
  }
  process.stdout.write(JSON.stringify({ name: program.name, output: output.join(""), error }) + "\n");
}
