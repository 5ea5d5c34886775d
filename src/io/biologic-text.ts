/**
 * What the header of an .mpt and a settings file .mps say: "key : value" lines of the cell, then the parameters of each
 * technique in rows of 20-character columns, the name first, then one column a sequence. Number and unit stand in rows
 * of their own ("Is", "unit Is").
 */
import type { ProgrammeStep } from "../model/cycling.js";
import { foldUnits } from "./biologic-parameters.js";
import { cellNumbers, freeText } from "./biologic-settings.js";
import { numberOf } from "./text.js";

const COLUMN = 20;
/** EC-Lab allows 100 sequences in each of 20 linked techniques, and has some eighty parameters in the longest. */
const SEQUENCES = 100;
const PARAMETERS = 500;
const TECHNIQUES = 20;

/** Keys whose words describe the cell. Users, hosts, files and folders are not among them. */
const wordKeys =
  /^(Electrode material|Initial state|Electrolyte|Comments|Reference electrode|Cable|Cycle Definition|Electrode connection|Potential control|Device)$/;

/** Keys with a number, and what they are called. */
const numberKeys: readonly (readonly [key: RegExp, name: string])[] = [
  [/^Mass of active material$/, "Mass of active material"],
  [/^at x =\s*/, "at x"],
  [/^Molecular weight of active material/, "Molecular weight of active material"],
  [/^Atomic weight of intercalated ion$/, "Atomic weight of intercalated ion"],
  [/^Acquisition started at$/, "x0"],
  [/^Number of e-/, "Number of e- transfered per intercalated ion"],
  [/^Battery capacity$/, "Battery capacity"],
  [/^Electrode surface area$/, "Electrode surface area"],
  [/^Characteristic mass$/, "Characteristic mass"],
  [/^Equivalent Weight$/, "Equivalent Weight"],
  [/^Density$/, "Density"],
];

const charges_mAh: Readonly<Record<string, number>> = { "A.h": 1e3, "mA.h": 1, "µA.h": 1e-3, "nA.h": 1e-6 };

/**
 * The cell's settings from the lines of a header. Numbers have their unit in their name, a battery capacity in mA.h;
 * those that EC-Lab writes where nobody filled them in say so.
 */
export function textSettings(lines: readonly string[]): ProgrammeStep {
  const words: Record<string, string> = {};
  const numbers: Record<string, number> = {};
  for (const line of lines) {
    const version = /^(?:EC|BT)-Lab for windows v(\S+) \(software\)/.exec(line)?.[1];
    if (version !== undefined) words["Software version"] = version;
    const [, key, value] = /^\s*([^:]+?)\s*:\s*(.*?)\s*$/.exec(line) ?? /^\s*(at x) = (.*?)\s*$/.exec(line) ?? [];
    if (key === undefined || value === undefined || value === "") continue;
    if (wordKeys.test(key)) {
      const text = freeText(value.replace(/\s*\(SN .*\)$/, ""));
      if (text !== "") words[key] = text;
      continue;
    }
    const name = key === "at x" ? key : numberKeys.find(([pattern]) => pattern.test(key))?.[1];
    const [, digits, unit] = /^(?:xo =\s*)?([-+]?\d+(?:[.,]\d+)?(?:e[-+]?\d+)?)\s*(\S*)$/i.exec(value) ?? [];
    if (name === undefined || digits === undefined) continue;
    const number = numberOf(digits, digits.includes(","));
    const factor = name === "Battery capacity" ? charges_mAh[unit!.replace("μ", "µ")] : undefined;
    if (number === 0) continue;
    if (factor !== undefined) numbers[`${name} (mA.h)`] = Number((number * factor).toPrecision(12));
    else numbers[/^(|cm[^a-z]?)$/.test(unit!) ? name : `${name} (${unit})`] = number;
  }
  return { ...words, ...cellNumbers(numbers) };
}

/** A technique of a settings file or a header. */
export interface TextTechnique {
  readonly name: string;
  readonly sequences: readonly ProgrammeStep[];
}

/** The techniques of a settings file, in their order. */
export function settingsTechniques(lines: readonly string[]): TextTechnique[] {
  const techniques: TextTechnique[] = [];
  for (const [at, line] of lines.entries()) {
    if (!/^Technique : \d+/.test(line) || techniques.length === TECHNIQUES) continue;
    const name = (lines[at + 1] ?? "").trim();
    techniques.push({ name, sequences: sequencesOf(block(lines, at + 2)) });
  }
  return techniques;
}

/** The technique of an export's header: its name in the fourth line, its rows after the cell's keys. */
export function headerTechnique(header: readonly string[]): TextTechnique | null {
  const name = (header[3] ?? "").trim();
  if (name === "" || name.includes(":")) return null;
  const from = header.findIndex(
    (line, at) => at > 3 && line.length >= 2 * COLUMN && line.length % COLUMN === 0 && isRow(line),
  );
  return { name, sequences: from < 0 ? [] : sequencesOf(block(header, from)) };
}

/** Rows up to the first line that is none. */
function block(lines: readonly string[], from: number): string[] {
  const end = lines.findIndex((line, at) => at >= from && !isRow(line));
  return lines.slice(from, Math.min(end < 0 ? lines.length : end, from + PARAMETERS));
}

function isRow(line: string): boolean {
  return line.trim() !== "" && !/^\s|\t| : /.test(line) && (line.length <= COLUMN || line[COLUMN - 1] === " ");
}

function sequencesOf(rows: readonly string[]): ProgrammeStep[] {
  const columns = rows.reduce(
    (most, row) => Math.min(SEQUENCES, Math.max(most, Math.ceil(row.trimEnd().length / COLUMN) - 1)),
    0,
  );
  return Array.from({ length: columns }, (_, sequence) => {
    const values = new Map<string, string | number>();
    let quantity = "";
    for (const row of rows) {
      let name = row.slice(0, COLUMN).trim();
      if (name === "vs.") name = `${quantity} vs.`;
      else if (!/^d?unit /.test(name)) quantity = name.replace(/\s*\(.*\)$/, "");
      const cell = row.slice(COLUMN * (sequence + 1), COLUMN * (sequence + 2)).trim();
      if (cell !== "") values.set(name, valueOf(cell, name));
    }
    return { Ns: sequence, ...foldUnits(values) };
  });
}

/** A cell as a number where it is one, hours, minutes and seconds as seconds, else as it stands. */
function valueOf(cell: string, name: string): string | number {
  const clock = /^(\d+):(\d+):(\d+(?:[.,]\d+)?)$/.exec(cell);
  if (clock !== null && name.includes("(h:m:s)")) {
    const [, hours, minutes, seconds] = clock;
    return 3600 * Number(hours) + 60 * Number(minutes) + Number(seconds!.replace(",", "."));
  }
  const number = numberOf(cell, cell.includes(","));
  return Number.isNaN(number) ? cell : number;
}
