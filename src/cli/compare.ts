/** `ionoscope compare DIR ...`: several analyses in one table and figure. */
import path from "node:path";
import { ParameterError } from "../model/errors.js";
import { frontRows, readAndCompare, writeComparison } from "../operations/compare.node.js";
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
  { name: "json", path: ["json"], description: "Print one JSON value.", wanted: "", boolean: true, many: false },
  { name: "help", path: ["help"], description: "Show this.", wanted: "", boolean: true, many: false },
];

/** Compares the analyses in the named folders. */
export async function compareCommand(args: readonly string[], signal: AbortSignal): Promise<void> {
  const { positionals, values } = readArguments(args, flags);
  if (values.get("help") === true) {
    process.stdout.write(`ionoscope compare DIR DIR ... --out DIR\n\n${flags.map(flagHelp).join("\n")}\n`);
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
