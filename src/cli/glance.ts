/** `ionoscope glance MOVIE`: a look in under a minute. */
import path from "node:path";
import { ParameterError } from "../model/errors.js";
import { glanceAt } from "../operations/glance.node.js";
import { glanceFacts, glanceRows } from "../operations/glance-facts.js";
import { filesParams } from "../operations/sources.js";
import { jsonText } from "../operations/summary.js";
import { flagHelp, flagsOf, flagValue, readArguments, type Flag } from "./flags.js";
import { reporter } from "./progress.js";

const choices = ["position", "channel", "slice"] as const;

const flags: readonly Flag[] = [
  {
    name: "out",
    path: ["out"],
    description: "Folder for glance.png, glance.svg and glance.json; without it nothing is written.",
    wanted: "text",
    boolean: false,
    many: false,
  },
  ...flagsOf(filesParams).filter(({ name }) => choices.some((choice) => choice === name)),
  { name: "json", path: ["json"], description: "Print one JSON value.", wanted: "", boolean: true, many: false },
  {
    name: "quiet",
    path: ["quiet"],
    description: "No progress on standard error.",
    wanted: "",
    boolean: true,
    many: false,
  },
  { name: "help", path: ["help"], description: "Show this.", wanted: "", boolean: true, many: false },
];

const usage = `ionoscope glance MOVIE [--out DIR]

Looks at up to 100 moments spread over a movie, for at most half a minute: light, saturation, flicker, repeated and dark
frames, sharpness, drift, pauses in the frame times. Several movies are taken in sequence.`;

/** Prints what was seen of a movie and draws it where a folder is named. */
export async function glanceCommand(args: readonly string[], signal: AbortSignal): Promise<void> {
  const { positionals, values } = readArguments(args, flags);
  if (values.get("help") === true) {
    process.stdout.write(`${usage}\n\n${flags.map(flagHelp).join("\n")}\n`);
    return;
  }
  if (positionals.length === 0) {
    throw new ParameterError("glance takes a movie and none was given. Use ionoscope glance MOVIE [--out DIR]", {
      parameter: "movie",
      value: positionals,
    });
  }
  const choice = Object.fromEntries(
    flags
      .filter(({ name }) => choices.some((one) => one === name) && values.has(name))
      .map((flag) => [flag.path[0], flagValue(flag, values.get(flag.name)!)]),
  );
  const typed = values.get("out");
  const out = typeof typed === "string" ? typed : null;
  const report = await reporter(values.get("quiet") === true);
  try {
    const seen = await glanceAt(positionals, out, choice, {
      signal,
      onMoment: (done, total) => report.step("glance", done, total),
    });
    report.done("glance", `${seen.moments.length} moments of ${seen.movie.frames} frames`);
    report.stop();
    if (values.get("json") === true) {
      process.stdout.write(`${jsonText(glanceFacts(seen))}\n`);
      return;
    }
    const lines = [`${seen.movie.name}: ${seen.movie.format}`];
    for (const [label, text] of glanceRows(seen)) lines.push(`  ${label.padEnd(12)} ${text}`);
    for (const warning of seen.warnings) lines.push(`warning: ${warning}`);
    if (out !== null) lines.push("", `The picture is ${path.join(out, "glance.png")}`);
    process.stdout.write(`${lines.join("\n")}\n`);
  } finally {
    report.stop();
  }
}
