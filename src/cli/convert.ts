/** `ionoscope convert IN ... OUT`: movies and records to open formats. */
import { ParameterError } from "../model/errors.js";
import { convert } from "../operations/convert.node.js";
import { filesParams } from "../operations/sources.js";
import { jsonText } from "../operations/summary.js";
import { flagHelp, flagsOf, flagValue, readArguments, type Flag } from "./flags.js";
import { reporter } from "./progress.js";

const taken = [
  "position",
  "channel",
  "slice",
  "pixel-size-um",
  "interval-s",
  "dataset",
  "potentiostat-rows",
  "width",
  "height",
];

const flags: readonly Flag[] = [
  ...flagsOf(filesParams).filter(({ name }) => taken.includes(name)),
  ...["width", "height"].map((name) => ({
    name,
    path: [name],
    description: `Image ${name} in px, for a label image of outlines that do not tell it.`,
    wanted: "number",
    boolean: false,
    many: false,
  })),
  {
    name: "check",
    path: ["check"],
    description: "Read the result back and compare it; --no-check leaves that out.",
    wanted: "",
    boolean: true,
    many: false,
  },
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

const usage = `ionoscope convert IN ... OUT

A movie becomes OME-TIFF (OUT ends in .ome.tif; BigTIFF above 4 GiB) or OME-Zarr (.ome.zarr), with its frame times and
pixel size where it has them; several movies are joined in sequence. A cycler's files become Battery Data Format
(.bdf.csv or .bdf.parquet). Outlines, or those of a folder that analyse wrote, become .roi.zip, .geojson or labels .tif.
What is written is read back and compared.`;

/** Converts and tells what was written. */
export async function convertCommand(args: readonly string[], signal: AbortSignal): Promise<void> {
  const { positionals, values } = readArguments(args, flags);
  if (values.get("help") === true) {
    process.stdout.write(`${usage}\n\n${flags.map(flagHelp).join("\n")}\n`);
    return;
  }
  const inputs = positionals.slice(0, -1);
  const output = positionals.at(-1);
  if (output === undefined || inputs.length === 0) {
    throw new ParameterError(
      `convert takes what to convert and where to, ${positionals.length} ${positionals.length === 1 ? "name was" : "names were"} given. Use ionoscope convert IN OUT`,
      { parameter: "out", value: positionals },
    );
  }
  const given = Object.fromEntries(
    flags
      .filter(({ name }) => taken.includes(name) && values.has(name))
      .map((flag) => [flag.path[0], flagValue(flag, values.get(flag.name)!)]),
  );
  const report = await reporter(values.get("quiet") === true);
  try {
    const done = await convert(inputs, output, {
      ...given,
      check: values.get("check") !== false,
      signal,
      onProgress: (stage, frame, total) => report.step(stage, frame, total),
    });
    const what = { movie: "frames", cycling: "rows", outlines: "outlines" }[done.kind];
    report.done("convert", `${done.count} ${what} as ${done.format}${done.checked ? ", read back and the same" : ""}`);
    report.stop();
    if (values.get("json") === true) process.stdout.write(`${jsonText(done)}\n`);
    else {
      const lines = [done.output, ...done.warnings.map((warning) => `warning: ${warning}`)];
      process.stdout.write(`${lines.join("\n")}\n`);
    }
  } finally {
    report.stop();
  }
}
