/** `ionoscope twin SCENARIO`: a synthetic experiment whose answer is known. */
import path from "node:path";
import { ParameterError } from "../model/errors.js";
import { readScenario, scenarioNames, writeTwin } from "../operations/twin.node.js";
import { flagHelp, flagValue, readArguments, type Flag } from "./flags.js";
import { reporter } from "./progress.js";

const flags: readonly Flag[] = [
  { name: "out", path: ["out"], description: "Folder to write.", wanted: "text", boolean: false, many: false },
  {
    name: "seed",
    path: ["seed"],
    description: "Seed of noise and speckle.",
    wanted: "number",
    boolean: false,
    many: false,
  },
  { name: "list", path: ["list"], description: "Name the scenarios.", wanted: "", boolean: true, many: false },
  { name: "json", path: ["json"], description: "Print one JSON value.", wanted: "", boolean: true, many: false },
  { name: "help", path: ["help"], description: "Show this.", wanted: "", boolean: true, many: false },
];

/** Writes movie, cycling and truth of a scenario, or lists the scenarios. */
export async function twinCommand(args: readonly string[], signal: AbortSignal): Promise<void> {
  const { positionals, values } = readArguments(args, flags);
  const json = values.get("json") === true;
  if (values.get("help") === true) {
    process.stdout.write(`ionoscope twin SCENARIO --out DIR\n\n${flags.map(flagHelp).join("\n")}\n`);
    return;
  }
  if (values.get("list") === true) {
    const names = scenarioNames();
    process.stdout.write(
      json
        ? `${JSON.stringify(names, null, 2)}\n`
        : names.map(({ name, summary }) => `${name.padEnd(20)} ${summary}\n`).join(""),
    );
    return;
  }
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0) {
    throw new ParameterError(
      `twin takes one scenario, ${positionals.length} were given. Name one of --list, or a JSON file with one.`,
      { parameter: "scenario", value: positionals },
    );
  }
  const dir = values.get("out");
  if (typeof dir !== "string") {
    throw new ParameterError("--out is missing: the folder to write. Give --out DIR.", {
      parameter: "out",
      value: undefined,
    });
  }
  const seedFlag = flags.find((flag) => flag.name === "seed")!;
  const typed = values.get("seed");
  const seed = typed === undefined ? null : (flagValue(seedFlag, typed) as number);
  if (seed !== null && (!Number.isInteger(seed) || seed < 0)) {
    throw new ParameterError(`seed is ${seed}. Give a whole number, 0 or more.`, { parameter: "seed", value: seed });
  }
  const report = await reporter(false);
  try {
    const scenario = await readScenario(name);
    let computing = hasPhaseField(scenario);
    if (computing) report.step("lithium", 0, 100);
    await writeTwin(scenario, seed, dir, {
      signal,
      onProgress: (share) => report.step("lithium", Math.round(100 * share), 100),
      onFrame: (done, total) => {
        if (computing) report.done("lithium", "computed");
        computing = false;
        report.step("twin", done, total);
      },
    });
    report.done("twin", `written to ${dir}`);
  } finally {
    report.stop();
  }
  const files = ["movie.ome.tif", "cycling.csv", "truth.json"].map((file) => path.join(dir, file));
  process.stdout.write(json ? `${JSON.stringify({ scenario: name, dir, files }, null, 2)}\n` : `${files.join("\n")}\n`);
}

/** Whether lithium is computed before the first frame. */
function hasPhaseField(scenario: unknown): boolean {
  return typeof scenario === "object" && scenario !== null && "phaseField" in scenario;
}
