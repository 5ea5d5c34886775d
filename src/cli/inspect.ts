/** `ionoscope inspect FILE`: what a file holds. */
import type { ProgrammeStep } from "../model/cycling.js";
import { ParameterError } from "../model/errors.js";
import type { CyclingFacts, Facts, MovieFacts } from "../operations/inspect.js";
import { inspectPath } from "../operations/inspect.node.js";
import { openOptions } from "../operations/files.node.js";
import { filesParams } from "../operations/sources.js";
import { jsonText } from "../operations/summary.js";
import { flagHelp, flagsOf, readArguments, type Flag } from "./flags.js";

const flags: readonly Flag[] = [
  { name: "json", path: ["json"], description: "Print one JSON value.", wanted: "", boolean: true, many: false },
  {
    name: "full",
    path: ["full"],
    description: "Decode every frame of a movie.",
    wanted: "",
    boolean: true,
    many: false,
  },
  ...flagsOf(filesParams).filter(({ name }) => name === "dataset"),
  { name: "help", path: ["help"], description: "Show this.", wanted: "", boolean: true, many: false },
];

const usage = "ionoscope inspect FILE [--json] [--full]";

/** Prints the facts of one file. */
export async function inspectCommand(args: readonly string[], signal: AbortSignal): Promise<void> {
  const { positionals, values } = readArguments(args, flags);
  if (values.get("help") === true) {
    process.stdout.write(`${usage}\n\n${flags.map(flagHelp).join("\n")}\n`);
    return;
  }
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0) {
    throw new ParameterError(`inspect takes one file, ${positionals.length} were given. Use ${usage}`, {
      parameter: "file",
      value: positionals,
    });
  }
  const facts = await inspectPath(name, {
    ...openOptions({ dataset: (values.get("dataset") as string | undefined) ?? null }, signal),
    full: values.get("full") === true,
  });
  process.stdout.write(values.get("json") === true ? `${jsonText(facts)}\n` : text(name, facts));
}

function text(name: string, facts: Facts): string {
  const rows: [string, string][] =
    facts.kind === "movie"
      ? movieRows(facts)
      : facts.kind === "cycling"
        ? cyclingRows(facts)
        : [["what it is", facts.description], ...programmeRows(facts)];
  const lines = [`${name}: ${facts.kind}, ${facts.format}`];
  for (const [label, value] of rows) lines.push(`  ${label.padEnd(12)} ${value}`);
  for (const warning of facts.warnings) lines.push(`  warning      ${warning}`);
  return `${lines.join("\n")}\n`;
}

function movieRows(facts: MovieFacts): [string, string][] {
  const { time } = facts;
  return [
    ["frames", `${facts.frames} of ${facts.width} x ${facts.height} px, ${facts.dtype}`],
    [
      "pixel size",
      facts.pixelSize_um === null
        ? "not in the file; analyse asks for --pixel-size-um"
        : `${facts.pixelSize_um} um (${facts.pixelSizeSource})`,
    ],
    [
      "time",
      time === null
        ? "not in the file; analyse asks for --interval-s"
        : `${time.first_s} to ${time.last_s} s, a frame every ${time.median_interval_s ?? "?"} s, at most ${time.longest_interval_s ?? "?"} s apart (${time.source})`,
    ],
    ["start", facts.start ?? "not in the file"],
    ...seriesRows(facts),
    ["first frame", statsText(facts.firstFrame)],
    ["last frame", statsText(facts.lastFrame)],
    ...(facts.allFrames === undefined ? [] : [["all frames", statsText(facts.allFrames)] as [string, string]]),
  ];
}

function seriesRows({ series, dataset }: MovieFacts): [string, string][] {
  const rows: [string, string][] = [];
  if (series !== undefined) {
    const { positions, channels, slices, times, channelNames, positionNames } = series;
    const named = (count: number, word: string, names?: readonly string[]): string =>
      `${count} ${word}${count === 1 ? "" : "s"}${names === undefined || count === 1 ? "" : ` (${names.join(", ")})`}`;
    rows.push([
      "series",
      [
        named(positions, "position", positionNames),
        named(channels, "channel", channelNames),
        named(slices, "slice"),
        named(times, "time"),
      ].join(", "),
    ]);
  }
  if (dataset !== undefined) {
    const { files, missing, frames } = dataset;
    const lost = missing.length === 0 ? "" : `; missing are ${missing.join(", ")}`;
    rows.push(["set", `one of ${files.length} files with ${frames} frames in all${lost}`]);
  }
  return rows;
}

function statsText({ min, max, sum }: MovieFacts["firstFrame"]): string {
  return `min ${min ?? "none"}, max ${max ?? "none"}, sum ${sum}`;
}

function cyclingRows(facts: CyclingFacts): [string, string][] {
  const span = (range: { min: number | null; max: number | null }, unit: string): string =>
    range.min === null || range.max === null
      ? "none"
      : `${range.min.toPrecision(6)} to ${range.max.toPrecision(6)} ${unit}`;
  return [
    ["rows", `${facts.rows}${facts.cycles === null ? "" : `, ${facts.cycles} cycles`}`],
    ["start", facts.start ?? "not in the file"],
    ["time", facts.rows === 0 ? "none" : `${facts.time_s.first} to ${facts.time_s.last} s`],
    ["potential", span(facts.potential_V, "V")],
    ["current", span(facts.current_mA, "mA")],
    ["charge", facts.charge_mAh.last === null ? "none" : `${facts.charge_mAh.last.toPrecision(6)} mAh at the end`],
    ["columns", facts.columns.join(" | ")],
    ...programmeRows(facts),
  ];
}

/** What the file says of cell and programme; what is null is not told. */
function programmeRows({ settings, programme }: Pick<CyclingFacts, "settings" | "programme">): [string, string][] {
  const text = (step: ProgrammeStep): string =>
    Object.entries(step)
      .filter(([, value]) => value !== null && value !== "")
      .map(([name, value]) => `${name} ${typeof value === "number" ? Number(value.toPrecision(7)) : value}`)
      .join(" | ");
  return [
    ...(settings === undefined ? [] : [["settings", text(settings)] as [string, string]]),
    ...(programme ?? []).map((step, number): [string, string] => [`step ${number}`, text(step)]),
  ];
}
