/** `ionoscope demo`: the standard twin, made and analysed, its findings beside the truth. */
import path from "node:path";
import { ParameterError } from "../model/errors.js";
import { readScenario, standardFacts, standardScenario, writeTwin } from "../operations/twin.node.js";
import { analyseCommand } from "./analyse.js";
import { flagHelp, readArguments, type Flag } from "./flags.js";
import { reporter } from "./progress.js";

const flags: readonly Flag[] = [
  {
    name: "out",
    path: ["out"],
    description: "Folder to write.",
    default: "ionoscope-demo",
    wanted: "text",
    boolean: false,
    many: false,
  },
  { name: "help", path: ["help"], description: "Show this.", wanted: "", boolean: true, many: false },
];

/** Writes DIR/twin and DIR/analysis and prints the findings. */
export async function demoCommand(args: readonly string[], signal: AbortSignal): Promise<void> {
  const { positionals, values } = readArguments(args, flags);
  if (values.get("help") === true) {
    process.stdout.write(`ionoscope demo [--out DIR]\n\n${flags.map(flagHelp).join("\n")}\n`);
    return;
  }
  if (positionals.length > 0) {
    throw new ParameterError(`demo takes no file, ${positionals[0]} was given. Use ionoscope analyse for files.`, {
      parameter: "file",
      value: positionals[0],
    });
  }
  const dir = String(values.get("out") ?? "ionoscope-demo");
  const twin = path.join(dir, "twin");
  const report = await reporter(false);
  try {
    await writeTwin(await readScenario(standardScenario), null, twin, {
      signal,
      onFrame: (done, total) => report.step("twin", done, total),
    });
    report.done("twin", `${standardScenario} written to ${twin}`);
  } finally {
    report.stop();
  }
  const movie = path.join(twin, "movie.ome.tif");
  const cycling = path.join(twin, "cycling.csv");
  const analysis = path.join(dir, "analysis");
  const { blackLevel, active_mass_mg } = standardFacts;
  await analyseCommand(
    [movie, cycling, "--out", analysis, "--black-level", `${blackLevel}`, "--active-mass-mg", `${active_mass_mg}`],
    signal,
  );
}
