/**
 * The benches: how quick each part is, beside its twin in plain TypeScript and beside others' tools where they are installed.
 *
 *     npm run bench -- [NAME ...] [--quick] [--write]
 *
 * Runs the named benches, or all (about five minutes), and prints their tables. `--quick` takes smaller work and fewer runs;
 * `--write` writes docs/performance.md, whole or not at all. Peers are found at run time: IONOSCOPE_PYTHON or python3 with
 * numpy, scipy, scikit-image, OpenCV and tifffile; gcc with FFTW. Status 0 where it ran, however much is missed.
 */
import { renameSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import * as frames from "./frames.js";
import * as fronts from "./fronts.js";
import * as kernels from "./kernels.js";
import * as linear from "./linear.js";
import * as phaseField from "./phase-field.js";
import * as registration from "./registration.js";
import * as river from "./river.js";
import { machineText, pageOf, terminalTable, type Found } from "./page.js";
import { wishesOf, type Bench } from "./row.js";
import * as start from "./start.js";

const benches: Readonly<Record<string, Bench>> = {
  kernels,
  "phase-field": phaseField,
  river,
  registration,
  fronts,
  frames,
  linear,
  start,
};
const PAGE = "docs/performance.md";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, write: { type: "boolean", default: false } },
});
for (const name of positionals) {
  if (benches[name] !== undefined) continue;
  console.error(`There is no bench ${name}. Give some of ${Object.keys(benches).join(", ")}, or none for all.`);
  process.exit(2);
}
if (values.write && (positionals.length > 0 || values.quick)) {
  console.error("--write takes all benches in full. Leave out names and --quick.");
  process.exit(2);
}

const machine = machineText();
console.log(`${machine}\n`);
const found: Found[] = [];
for (const [name, bench] of Object.entries(benches)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const from = performance.now();
  console.log(`## ${name}\n`);
  const one = await taken(name, bench);
  found.push({ ...one, wall_s: (performance.now() - from) / 1000 });
  console.log(`${one.failed ?? terminalTable(one.rows)}\n(${found.at(-1)!.wall_s.toFixed(0)} s)\n`);
}
for (const { what, wanted, measured, held } of wishesOf(found.flatMap(({ rows }) => rows))) {
  console.log(
    `${held === null ? "unknown" : held ? "held   " : "MISSED "}  ${what}: ${measured ?? "not installed"} for ${wanted}`,
  );
}
if (values.write) {
  writeFileSync(`${PAGE}.new`, pageOf(found, machine, new Date().toISOString().slice(0, 10)));
  renameSync(`${PAGE}.new`, PAGE);
}

async function taken(name: string, { about, rows }: Bench): Promise<Omit<Found, "wall_s">> {
  try {
    return { name, about, rows: await rows(values.quick) };
  } catch (error) {
    // One bench that fails does not take the others with it.
    return { name, about, rows: [], failed: error instanceof Error ? error.message : String(error) };
  }
}
