/**
 * The paper's table: every row that simulations can answer, run from seeds and written with its pictures.
 *
 *     npm run paper -- [--seed 2021] [--only GROUP] [--out docs]
 *
 * Writes DIR/paper.md and DIR/paper/*.png, both whole or not at all; minutes of two cores. `--only` runs the groups whose
 * names contain the word and writes nothing but what it found, to standard output. A row that is missed is a result, printed
 * and written; the status says only whether all could be run.
 */
import { fork, type ChildProcess } from "node:child_process";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { shippedFont } from "../../src/figures/font.node.js";
import { renderPng } from "../../src/figures/render.js";
import { currentRows } from "./current-rows.js";
import { diffusivityRows } from "./diffusivity-rows.js";
import { coverageRows } from "./coverage-rows.js";
import { ladderRows } from "./ladder-rows.js";
import { orderingRows } from "./ordering-rows.js";
import { pageOf, tableOf } from "./page.js";
import { regimeRows } from "./regime-rows.js";
import type { Answer, Drawing, Group } from "./row.js";
import { singleParticleRows } from "./single-particle-rows.js";
import { twinCycleRows } from "./twin-cycle-rows.js";
import { twinRows } from "./twin-rows.js";

/** The groups in the order of the page. */
const groups: Readonly<Record<string, Group>> = {
  ladder: ladderRows,
  "single-particle": singleParticleRows,
  current: currentRows,
  twins: twinRows,
  cycle: twinCycleRows,
  ordering: orderingRows,
  diffusivity: diffusivityRows,
  coverage: coverageRows,
  regime: regimeRows,
};
/** Longest first, so that two processes end together. */
const order = [
  "coverage",
  "single-particle",
  "regime",
  "ladder",
  "twins",
  "diffusivity",
  "ordering",
  "cycle",
  "current",
];

/** What a process that runs one group says. */
type Word = { readonly now: string } | { readonly answer: Answer; readonly cpu_s: number };

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "2021" },
    only: { type: "string" },
    out: { type: "string", default: "docs" },
    group: { type: "string" },
  },
});
const seed = Number(values.seed);
if (!Number.isInteger(seed) || seed < 0 || seed > 200_000) {
  console.error(`--seed is ${values.seed}. Give a whole number from 0 to 200000.`);
  process.exit(2);
}

/** Runs a group in this process and says what it does to its parent; ends with it. */
async function runOne(group: Group): Promise<void> {
  process.once("disconnect", () => process.exit());
  const answer = await group.run(seed, (now) => void process.send!({ now } satisfies Word));
  const { user, system } = process.cpuUsage();
  const word: Word = { answer, cpu_s: (user + system) / 1e6 };
  await new Promise((resolve) => process.send!(word, undefined, undefined, resolve));
  process.disconnect();
}

async function runAll(): Promise<void> {
  const wanted = order.filter((name) => values.only === undefined || name.includes(values.only));
  if (wanted.length === 0) {
    console.error(`--only is ${values.only}. Give one of ${Object.keys(groups).join(", ")}.`);
    process.exit(2);
  }
  const running = new Set<ChildProcess>();
  process.once("SIGINT", () => {
    for (const child of running) child.kill();
    console.error("Stopped; nothing was written.");
    process.exit(130);
  });
  const answers = new Map<string, Answer>();
  let cpu_s = 0;
  const waiting = [...wanted];
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const done = await inProcess(name, running);
      answers.set(name, done.answer);
      cpu_s += done.cpu_s;
      console.error(`${name}: done in ${done.cpu_s.toFixed(0)} s of CPU`);
    }
  };
  await Promise.all([work(), work()]);
  const found = Object.entries(groups).flatMap(([name, group]) => {
    const answer = answers.get(name);
    return answer === undefined ? [] : [{ group, answer }];
  });
  const pictures = await drawn(found.flatMap(({ answer }) => answer.drawings));
  if (values.only === undefined) write(pageOf(found, seed), pictures);
  else {
    console.log(found.map(({ answer }) => tableOf(answer.rows)).join("\n"));
    if (pictures.length > 0 && values.out !== "docs") write(pageOf(found, seed), pictures);
  }
  const missed = found.flatMap(({ answer }) => answer.rows).filter(({ held }) => held === false);
  for (const { observable, ours } of missed) console.error(`missed: ${observable}: ${ours}`);
  console.error(`${cpu_s.toFixed(0)} s of CPU; ${missed.length} rows missed`);
}

function inProcess(name: string, running: Set<ChildProcess>): Promise<{ answer: Answer; cpu_s: number }> {
  const child = fork(import.meta.filename, ["--group", name, "--seed", String(seed)], { serialization: "advanced" });
  running.add(child);
  return new Promise((resolve, reject) => {
    child.on("message", (word) => {
      const said = word as Word;
      if ("now" in said) console.error(`${name}: ${said.now}`);
      else resolve(said);
    });
    child.once("exit", (code, signal) => {
      running.delete(child);
      // What was said last may still be on its way.
      setTimeout(() => reject(new Error(`${name} ended with ${code ?? signal} before it had an answer`)), 500);
    });
  });
}

/** Pictures are drawn at so many pixels for each of their own. */
const SCALE = 1.5;

async function drawn(drawings: readonly Drawing[]): Promise<{ name: string; png: Uint8Array }[]> {
  await shippedFont();
  const pictures = [];
  for (const { name, figure } of drawings) pictures.push({ name, png: await renderPng(figure, SCALE) });
  return pictures;
}

/** Writes page and pictures beside their places and then renames them, so that none is ever half there. */
function write(page: string, pictures: readonly { name: string; png: Uint8Array }[]): void {
  const folder = path.join(values.out, "paper");
  const beside = `${folder}.new`;
  rmSync(beside, { recursive: true, force: true });
  mkdirSync(beside, { recursive: true });
  for (const { name, png } of pictures) writeFileSync(path.join(beside, `${name}.png`), png);
  const besidePage = path.join(values.out, "paper.md.new");
  writeFileSync(besidePage, page);
  rmSync(folder, { recursive: true, force: true });
  renameSync(beside, folder);
  renameSync(besidePage, path.join(values.out, "paper.md"));
  console.error(`wrote ${path.join(values.out, "paper.md")} and ${pictures.length} pictures`);
}

if (values.group === undefined) await runAll();
else await runOne(groups[values.group]!);
