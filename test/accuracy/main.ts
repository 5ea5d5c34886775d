/**
 * The accuracy of every measurement: draws of all groups in two processes, written as a page.
 *
 *     npm run accuracy -- [--seed 594] [--only GROUP] [--draws 0.1] [--out docs]
 *
 * Writes DIR/accuracy.md, whole or not at all; about half an hour of two cores. `--only` runs the groups whose names
 * contain the word and writes nothing but their tables, to standard output; `--draws` takes a part of the full draws. Status 0
 * where it ran, however many statements are missed: a missed figure is a result.
 */
import { fork, type ChildProcess } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { version } from "../../src/operations/version.js";
import type { AccuracyGroup } from "./group.js";
import { groups, seedsOf } from "./groups.js";
import { type Answered, type FailedDraw, missedOf, pageOf, sideTableOf, tableOf } from "./page.js";
import { type PeerDraw, peers, pythonVersions } from "./peers.js";

/** One draw to be made. */
interface Task {
  readonly name: string;
  readonly seed: number;
}

/** What a process says of a draw. */
type Word = { readonly draw: unknown } | { readonly why: string };

/** All that is drawn: the groups, and movies for the table of peers. */
const sources: Readonly<Record<string, Pick<AccuracyGroup, "draws" | "cost_s" | "draw">>> = { ...groups, peers };

const PROCESSES = 2;
/** Progress is said so often, in seconds. */
const EVERY_S = 10;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "594" },
    only: { type: "string" },
    draws: { type: "string", default: "1" },
    out: { type: "string", default: "docs" },
    drawing: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const share = Number(values.draws);
if (!Number.isInteger(seed) || seed < 0) refuse(`--seed is ${values.seed}. Give a whole number from 0.`);
if (!(share > 0 && share <= 1))
  refuse(`--draws is ${values.draws}. Give a part of the full draws, above 0 and at most 1.`);

function refuse(sentence: string): never {
  console.error(sentence);
  process.exit(2);
}

/** Makes the draws that are asked for, one after another, until nobody asks. */
function drawOnDemand(): void {
  process.once("disconnect", () => process.exit());
  // Ctrl-C reaches all; it is the first process that ends the others.
  process.on("SIGINT", () => undefined);
  process.on("message", (message) => {
    const { name, seed } = message as Task;
    void (async () => {
      let word: Word;
      try {
        word = { draw: await sources[name]!.draw(seed) };
      } catch (error) {
        word = { why: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
      }
      process.send!(word);
    })();
  });
}

async function runAll(): Promise<void> {
  const names = Object.keys(sources).filter((name) => values.only === undefined || name.includes(values.only));
  if (names.length === 0) refuse(`--only is ${values.only}. Give one of ${Object.keys(sources).join(", ")}.`);
  // The costly ones first, so that both processes end together.
  const tasks = names
    .toSorted((a, b) => sources[b]!.cost_s - sources[a]!.cost_s)
    .flatMap((name) =>
      seedsOf(seed, name, Math.ceil(share * sources[name]!.draws)).map((one): Task => ({ name, seed: one })),
    );
  const words = await drawn(tasks);
  const of = (wanted: string): { draws: unknown[]; failed: FailedDraw[] } => {
    const own = tasks.flatMap(({ name, seed }, at) => (name === wanted ? [{ seed, word: words[at]! }] : []));
    return {
      draws: own.flatMap(({ word }) => ("draw" in word ? [word.draw] : [])),
      failed: own.flatMap(({ seed, word }) => ("why" in word ? [{ seed, why: word.why }] : [])),
    };
  };
  const answers = names.flatMap((name): Answered[] => {
    if (groups[name] === undefined) return [];
    const { title, about, rows } = groups[name];
    const { draws, failed } = of(name);
    return [
      { name, title, about, rows: draws.length > 0 ? rows(draws) : [], draws: draws.length + failed.length, failed },
    ];
  });
  const tables = names.includes("peers")
    ? [peers.table(of("peers").draws as PeerDraw[], of("peers").failed, await pythonVersions())]
    : [];
  const date = new Date().toISOString().slice(0, 10);
  if (values.only === undefined) write(pageOf(answers, tables, { seed, version, date, share }));
  else {
    for (const { title, rows } of answers) console.log(`## ${title}\n\n${tableOf(rows)}\n`);
    for (const table of tables) console.log(`## ${table.title}\n\n${sideTableOf(table)}\n`);
  }
  const missed = missedOf(answers);
  for (const one of missed) console.error(`missed: ${one}`);
  console.error(`${missed.length} missed`);
}

/** The words of all tasks, in their order, from processes that take one task after another. */
async function drawn(tasks: readonly Task[]): Promise<Word[]> {
  const words: Word[] = [];
  const children = Array.from({ length: PROCESSES }, () => fork(import.meta.filename, ["--drawing"]));
  process.once("SIGINT", () => {
    for (const child of children) child.kill();
    console.error("Stopped; nothing was written.");
    process.exit(130);
  });
  const report = progressOf(tasks);
  let next = 0;
  const work = async (child: ChildProcess): Promise<void> => {
    for (let at = next++; at < tasks.length; at = next++) {
      words[at] = await answerOf(child, tasks[at]!);
      report(tasks[at]!, words[at]!);
    }
    child.disconnect();
  };
  try {
    await Promise.all(children.map(work));
  } finally {
    for (const child of children) child.kill();
  }
  return words;
}

function answerOf(child: ChildProcess, task: Task): Promise<Word> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null, signal: string | null): void => {
      reject(new Error(`a process ended with ${code ?? signal} in a draw of ${task.name}, seed ${task.seed}`));
    };
    child.once("exit", ended);
    child.once("message", (word) => {
      child.off("exit", ended);
      resolve(word as Word);
    });
    child.send(task);
  });
}

/** Says now and then how many draws are done and how long the others will take, by what the groups say they cost. */
function progressOf(tasks: readonly Task[]): (task: Task, word: Word) => void {
  const cost_s = ({ name }: Task): number => sources[name]!.cost_s;
  const all_s = tasks.reduce((sum, task) => sum + cost_s(task), 0);
  const start_ms = performance.now();
  let [done, done_s, said_ms] = [0, 0, start_ms];
  return (task, word) => {
    done++;
    done_s += cost_s(task);
    if ("why" in word) console.error(`failed: ${task.name}, seed ${task.seed}: ${word.why}`);
    const now_ms = performance.now();
    if (now_ms - said_ms < 1000 * EVERY_S && done < tasks.length) return;
    said_ms = now_ms;
    const left_s = ((now_ms - start_ms) / 1000) * (all_s / done_s - 1);
    console.error(`${done} of ${tasks.length} draws, ${minutes(left_s)} left (now ${task.name})`);
  };
}

function minutes(time_s: number): string {
  return time_s < 90 ? `${Math.ceil(time_s)} s` : `${Math.ceil(time_s / 60)} min`;
}

/** Writes the page beside its place and then renames it, so that it is never half there. */
function write(page: string): void {
  mkdirSync(values.out, { recursive: true });
  const place = path.join(values.out, "accuracy.md");
  writeFileSync(`${place}.new`, page);
  renameSync(`${place}.new`, place);
  console.error(`wrote ${place}`);
}

if (values.drawing) drawOnDemand();
else await runAll();
