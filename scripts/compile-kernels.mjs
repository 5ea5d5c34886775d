/** Compiles assembly/ to WebAssembly and writes the bytes as a module: src/kernels/compiled-bytes.ts. */
import { readFile, writeFile } from "node:fs/promises";
import { main } from "assemblyscript/asc";

const target = new URL("../src/kernels/compiled-bytes.ts", import.meta.url);
const assembly = new URL("../assembly/", import.meta.url);

/** What both builds share: no runtime, no checks, memory that the caller owns. */
const common = ["-O3", "--noAssert", "--runtime", "stub", "--importMemory"];
/** With memory that threads share, and for pages without it. */
const builds = {
  shared: [
    "--enable",
    "simd,threads,bulk-memory",
    "--sharedMemory",
    "--initialMemory",
    "16",
    "--maximumMemory",
    "16384",
  ],
  plain: ["--enable", "simd,bulk-memory", "--initialMemory", "16", "--maximumMemory", "16384"],
};

/** The module's text from a fresh compilation. */
export async function compiledModule() {
  const lines = [
    "/** The compiled kernels, written by `npm run build` from assembly/: WebAssembly in base 64. Not to be edited. */",
    "",
  ];
  for (const [name, flags] of Object.entries(builds)) {
    const bytes = await compile(flags);
    lines.push(`export const ${name}Kernels =`, `  "${Buffer.from(bytes).toString("base64")}";`, "");
  }
  return lines.join("\n");
}

async function compile(flags) {
  let bytes = null;
  const { error, stderr } = await main(["index.ts", "-o", "kernels.wasm", ...common, ...flags], {
    readFile: (name) => readFile(new URL(name, assembly), "utf8").catch(() => null),
    writeFile: (name, contents) => {
      if (name === "kernels.wasm") bytes = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || bytes === null) throw new Error(`the kernels do not compile: ${stderr.toString()}`);
  return bytes;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const text = await compiledModule();
  const before = await readFile(target, "utf8").catch(() => "");
  if (before !== text) await writeFile(target, text);
}
