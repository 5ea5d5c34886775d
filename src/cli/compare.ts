/** `ionoscope compare DIR ...`: several analyses in one table and figure; of cyclers' files, their records over each other. */
import path from "node:path";
import { ParameterError } from "../model/errors.js";
import { frontRows, readAndCompare, writeComparison } from "../operations/compare.node.js";
import { namesRecord, overlayRows, readAndOverlay, writeOverlay } from "../operations/compare-records.node.js";
import { jsonText } from "../operations/summary.js";
import { plainTable } from "../operations/table-text.js";
import { flagHelp, readArguments, type Flag } from "./flags.js";

const flags: readonly Flag[] = [
  { name: "out", path: ["out"], description: "Folder to write.", wanted: "text", boolean: false, many: false },
  {
    name: "figures",
    path: ["figures"],
    description: "Whether figures are drawn.",
    wanted: "none | report | all",
    boolean: false,
    many: false,
    default: "report",
  },
  ...choices("imaged", ["working", "counter"], "Which electrode a record's microscope looks at; for records alone."),
  ...choices("role", ["cathode", "anode", "unknown"], "What it is in a full cell; for records alone."),
  ...choices("current-sign", ["anodic-positive", "cathodic-positive"], "How the cyclers count; for records alone."),
  { name: "json", path: ["json"], description: "Print one JSON value.", wanted: "", boolean: true, many: false },
  { name: "help", path: ["help"], description: "Show this.", wanted: "", boolean: true, many: false },
];

/** A flag with one of some values, the first by default. */
function choices(name: string, values: readonly string[], description: string): Flag[] {
  return [
    { name, path: [name], description, wanted: values.join(" | "), boolean: false, many: false, default: values[0]! },
  ];
}

/** One of the values of such a flag. */
function chosen<Value extends string>(given: unknown, name: string, values: readonly Value[]): Value {
  const found = values.find((value) => value === (given ?? values[0]));
  if (found !== undefined) return found;
  throw new ParameterError(
    `--${name} is ${String(given)}. Give ${values.slice(0, -1).join(", ")} or ${values.at(-1)!}.`,
    {
      parameter: name,
      value: given,
    },
  );
}

/** Compares the analyses in the named folders, or the named records. */
export async function compareCommand(args: readonly string[], signal: AbortSignal): Promise<void> {
  const { positionals, values } = readArguments(args, flags);
  if (values.get("help") === true) {
    process.stdout.write(
      `ionoscope compare DIR DIR ... --out DIR\nionoscope compare RECORD RECORD ... --out DIR\n\nA RECORD is a cycler's file, or the folder of an analysis beside one.\n\n${flags.map(flagHelp).join("\n")}\n`,
    );
    return;
  }
  const out = values.get("out");
  if (typeof out !== "string") {
    throw new ParameterError("--out is missing: the folder to write. Give --out DIR.", {
      parameter: "out",
      value: undefined,
    });
  }
  const figures = values.get("figures") ?? "report";
  if (figures !== "none" && figures !== "report" && figures !== "all") {
    throw new ParameterError(`figures is ${String(figures)}. Give none, report or all.`, {
      parameter: "figures",
      value: figures,
    });
  }
  if (await namesRecord(positionals)) {
    const options = {
      imaged: chosen(values.get("imaged"), "imaged", ["working", "counter"]),
      role: chosen(values.get("role"), "role", ["cathode", "anode", "unknown"]),
      currentSign: chosen(values.get("current-sign"), "current-sign", ["anodic-positive", "cathodic-positive"]),
    } as const;
    const compared = await readAndOverlay(positionals, options, signal);
    const told = await writeOverlay(compared, out, { figures: figures !== "none", signal });
    if (values.get("json") === true) {
      process.stdout.write(`${jsonText(told)}\n`);
      return;
    }
    const { columns, rows } = overlayRows(compared.overlays);
    const lines = [...plainTable(columns, rows), ...compared.warnings.map((warning) => `warning: ${warning}`)];
    process.stdout.write(`${[...lines, "", `The report is ${path.join(out, "report.html")}`].join("\n")}\n`);
    return;
  }
  const found = await readAndCompare(positionals, signal);
  const told = await writeComparison(found, out, { figures: figures !== "none", signal });
  const { comparison } = found;
  if (values.get("json") === true) {
    process.stdout.write(`${jsonText(told)}\n`);
    return;
  }
  const { columns, rows } = frontRows(comparison);
  const lines = rows.length === 0 ? ["no front has a velocity in any of them."] : plainTable(columns, rows);
  for (const warning of comparison.warnings) lines.push(`warning: ${warning}`);
  process.stdout.write(`${[...lines, "", `The report is ${path.join(out, "report.html")}`].join("\n")}\n`);
}
