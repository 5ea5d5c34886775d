/** `ionoscope formats`: what is read, what is written, what is refused. */
import { ParameterError } from "../model/errors.js";
import { formats, type Format } from "../operations/formats.js";
import { jsonText } from "../operations/summary.js";
import { readArguments, type Flag } from "./flags.js";

const flags: readonly Flag[] = [
  { name: "json", path: ["json"], description: "Print one JSON value.", wanted: "", boolean: true, many: false },
  { name: "help", path: ["help"], description: "Show this.", wanted: "", boolean: true, many: false },
];

const titles: Readonly<Record<Format["holds"], string>> = {
  movie: "Movies",
  cycling: "Cycler's records",
  outlines: "Outlines",
  pack: "Packed",
};

/** Prints the list of formats. */
export async function formatsCommand(args: readonly string[]): Promise<void> {
  const { positionals, values } = readArguments(args, flags);
  if (values.get("help") === true) {
    process.stdout.write("ionoscope formats [--json]\n");
    return;
  }
  if (positionals.length > 0) {
    throw new ParameterError(`formats takes no name, ${positionals[0]} was given. To look into a file use inspect.`, {
      parameter: "formats",
      value: positionals,
    });
  }
  if (values.get("json") === true) {
    process.stdout.write(`${jsonText(formats)}\n`);
    return;
  }
  const lines: string[] = ["A file is told by its content, never by its name.", ""];
  for (const [holds, title] of Object.entries(titles)) {
    lines.push(title);
    for (const { name, files, reads, writes, refuses } of formats.filter((format) => format.holds === holds)) {
      lines.push(`  ${name.padEnd(14)} ${files}`, ...wrapped("read", reads));
      if (writes !== null) lines.push(...wrapped("written", writes));
      if (refuses !== null) lines.push(...wrapped("refused", refuses));
    }
    lines.push("");
  }
  process.stdout.write(`${lines.join("\n")}`);
}

/** Words in lines of a terminal's width, under a label. */
function wrapped(label: string, words: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > 72) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((text, at) => `    ${(at === 0 ? label : "").padEnd(8)} ${text}`);
}
