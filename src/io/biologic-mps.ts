/** BioLogic .mps, the settings file of EC-Lab and BT-Lab: text in cp1252, no measured rows. */
import type { OtherFile } from "../model/cycling.js";
import { settingsTechniques, textSettings } from "./biologic-text.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { warningsOf } from "./number-table.js";
import { headLines } from "./text.js";

const SETTINGS_BYTES = 1 << 22;
const title = /^(EC|BT)-LAB SETTING FILE/i;

/** Whether a file's first bytes are those of an .mps. */
export function sniffMps(head: Uint8Array): boolean {
  return title.test(headLines(head.subarray(0, 4096))[0] ?? "");
}

/**
 * Reads an .mps: the cell's settings, and each sequence of each technique as one step of the programme. A file of more
 * than 4 MiB is read so far. What it says of the cell may contradict the record's own: neither is to be trusted.
 */
export async function readMps(source: ByteSource): Promise<OtherFile> {
  const { warnings, say } = warningsOf(source.name);
  const lines = headLines(await readBytes(source, 0, SETTINGS_BYTES));
  const techniques = settingsTechniques(lines);
  const linked = Number(/^Number of linked techniques : (\d+)/m.exec(lines.join("\n"))?.[1] ?? NaN);
  if (linked > techniques.length) {
    say(
      `it says that ${linked} techniques are linked, ${techniques.length} are there: the file was cut, or never whole.`,
    );
  }
  const first = lines.findIndex((line) => /^Technique : \d+/.test(line));
  const names = techniques.map(({ name }) => name).join(", ") || "no technique";
  return {
    name: source.name,
    format: "biologic-mps",
    description: `settings of a BioLogic run, no measured rows: ${names}.`,
    settings: textSettings(lines.slice(1, first < 0 ? lines.length : first)),
    programme: techniques.flatMap(({ name, sequences }) =>
      sequences.length === 0 ? [{ Technique: name }] : sequences.map((step) => ({ Technique: name, ...step })),
    ),
    warnings,
  };
}
