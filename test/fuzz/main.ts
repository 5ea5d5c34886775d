/**
 * Fuzzing: files of every format that is read, changed at random from a seed, are read in a process that may be
 * stopped.
 *
 *     npm run fuzz -- --seconds 600 [--seed 1] [--format tiff] [--keep DIR]
 *
 * What counts as a finding: no answer within 2 s (tried twice, alone), an error other than a refusal of one line, a process
 * that dies, or memory beyond the stated limit. Each finding is told with format, seed and number, which repeat it,
 * and its bytes are kept in DIR. Status 1 where there is one.
 */
import { fork, type ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { random } from "../../src/kernels/random.js";
import { corpus, type Sample } from "./corpus.js";
import { mutate } from "./mutators.js";
import type { Case, Outcome } from "./reader.js";

/** A reader answers within this, or hangs. */
const DEADLINE_MS = 2000;
/** Resident memory of the reading process, libraries and garbage included; no file of the corpus is above 1 MiB. */
const MEMORY_BYTES = 700 * 2 ** 20;
/** Cases a process reads before it is replaced, so that its memory is that of few files. */
const CASES_A_PROCESS = 2000;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    format: { type: "string" },
    only: { type: "string" },
    keep: { type: "string", default: "fuzz-findings" },
  },
});

interface Reader {
  readonly process: ChildProcess;
  cases: number;
}

function startReader(): Reader {
  const file = path.join(import.meta.dirname, "reader.js");
  return {
    process: fork(file, [], { serialization: "advanced", execArgv: ["--max-old-space-size=512"], silent: true }),
    cases: 0,
  };
}

type Answer = Outcome | { readonly kind: "hung" | "died"; readonly text: string; readonly peak_bytes: number };

function ask(reader: Reader, one: Case): Promise<Answer> {
  reader.cases++;
  return new Promise((resolve) => {
    let words = "";
    const hear = (chunk: Buffer): void => void (words = (words + chunk.toString()).slice(-2000));
    reader.process.stderr?.on("data", hear);
    const done = (answer: Answer): void => {
      clearTimeout(timer);
      reader.process.stderr?.off("data", hear);
      reader.process.removeAllListeners("message");
      reader.process.removeAllListeners("exit");
      resolve(answer);
    };
    const timer = setTimeout(() => {
      reader.process.kill("SIGKILL");
      done({ kind: "hung", text: `no answer within ${DEADLINE_MS} ms`, peak_bytes: 0 });
    }, DEADLINE_MS);
    reader.process.once("message", (outcome) => done(outcome as Outcome));
    reader.process.once("exit", (code, signal) => {
      done({ kind: "died", text: `ended with ${code ?? signal}: ${words}`, peak_bytes: 0 });
    });
    reader.process.send(one);
  });
}

/** The case of a number: which sample and how it is changed follow from seed and number alone. */
function caseOf(samples: readonly Sample[], seed: number, number: number): { sample: Sample; one: Case } {
  const draws = random((Math.imul(seed, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b)) >>> 0);
  const sample = samples[number % samples.length]!;
  const names = Object.keys(sample.files);
  const files = { ...sample.files };
  const target = names[draws.integer(names.length)]!;
  if (names.length > 1 && draws.uniform() < 0.1) delete files[target];
  else files[target] = mutate(files[target]!, draws);
  return { sample, one: { name: sample.name, files, folder: sample.folder } };
}

const seed = Number(values.seed);
const samples = (await corpus()).filter(({ format }) => values.format === undefined || format === values.format);
if (samples.length === 0) throw new Error(`no sample of ${values.format}`);
const end = performance.now() + 1000 * Number(values.seconds);
const counts = new Map<string, { read: number; refused: number }>();
const findings: string[] = [];
let reader = startReader();
let number = 0;
const limit = values.only === undefined ? Infinity : 1;

/** Every sample as it is has to be read: a corpus that is refused would test nothing. */
for (const { name, format, files, folder } of samples) {
  const answer = await ask(reader, { name, files, folder });
  if (answer.kind !== "read") findings.push(`${format} ${name}, unchanged: ${answer.kind}: ${answer.text}`);
}

for (let done = 0; done < limit && performance.now() < end; done++, number++) {
  const at = values.only === undefined ? number : Number(values.only);
  const { sample, one } = caseOf(samples, seed, at);
  if (reader.cases >= CASES_A_PROCESS) {
    reader.process.kill();
    reader = startReader();
  }
  let answer = await ask(reader, one);
  if (answer.kind === "hung" || answer.kind === "died") {
    // A busy machine, or what came before, may be to blame: the case is tried again in a process of its own.
    reader = startReader();
    await ask(reader, { name: samples[0]!.name, files: samples[0]!.files, folder: samples[0]!.folder });
    answer = await ask(reader, one);
    if (answer.kind === "hung" || answer.kind === "died") reader = startReader();
  }
  const count = counts.get(sample.format) ?? { read: 0, refused: 0 };
  counts.set(sample.format, count);
  const fat = answer.peak_bytes > MEMORY_BYTES;
  if (answer.kind === "read" || answer.kind === "refused") {
    count[answer.kind]++;
    if (!fat) continue;
  }
  const what = fat ? `${Math.round(answer.peak_bytes / 2 ** 20)} MiB resident` : `${answer.kind}: ${answer.text}`;
  findings.push(`${sample.format} ${sample.name} --seed ${seed} --only ${at}: ${what}`);
  keep(one, `${sample.format}-${seed}-${at}`);
  if (fat) {
    reader.process.kill();
    reader = startReader();
  }
  if (findings.length >= 50) break;
}
reader.process.kill();

function keep(one: Case, folder: string): void {
  for (const [name, bytes] of Object.entries(one.files)) {
    const file = path.join(values.keep, folder, one.folder ? name : path.basename(one.name));
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
}

for (const [format, { read, refused }] of [...counts].sort()) {
  console.log(`${format.padEnd(16)} ${String(read).padStart(7)} read ${String(refused).padStart(7)} refused`);
}
console.log(`${number} cases from seed ${seed}, ${findings.length} findings`);
for (const finding of findings) console.log(finding);
process.exitCode = findings.length > 0 ? 1 : 0;
