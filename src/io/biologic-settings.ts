/**
 * The settings of a BioLogic .mpr: technique, cell, and the numbers that EC-Lab holds of it.
 *
 *     settings module          u8 technique at 0
 *     0x007 comments           0x107 f4 mass / mg     0x10b f4 x of that mass     0x10f f4 molecular weight
 *     0x113 f4 weight of ion   0x117 f4 x0            0x11b u2 electrons an ion   0x11e electrode material
 *     0x1c0 electrolyte        0x211 f4 area          0x215 reference electrode
 *     0x24c f4 characteristic mass, u8 its unit at 0x251 (1 g, 2 mg)
 *     0x25c f4 battery capacity / mA.h, u8 unit in which it is shown
 *     log module               EC-Lab's version at 0x3b7, start as OLE days at 0x249 (465, 469 or 473 in old ones)
 *     loop module              u32 n, n times u32 first row
 *     ExtDev module            names of the analogue inputs at 0x36 and 0x63
 *
 * Texts have their length in a byte before them. File, host and address in the log may name people: they are not read.
 */
import type { ProgrammeStep } from "../model/cycling.js";
import { singleDigits } from "./biologic-parameters.js";
import { pascalText, type MprModule } from "./biologic-modules.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { civilText, fromOleDays } from "./civil-time.js";

/** Names of techniques by the first byte of the settings, as EC-Lab writes them. */
const techniques: Readonly<Record<number, string>> = {
  0x04: "Galvanostatic Cycling with Potential Limitation",
  0x06: "Cyclic Voltammetry",
  0x0b: "Open Circuit Voltage",
  0x0c: "Galvanostatic Cycling with Potential Limitation 2",
  0x16: "Modular Potentio",
  0x18: "Chronoamperometry / Chronocoulometry",
  0x19: "Chronopotentiometry",
  0x1c: "Wait",
  0x1d: "Potentio Electrochemical Impedance Spectroscopy",
  0x1e: "Galvano Electrochemical Impedance Spectroscopy",
  0x30: "Cyclic Voltammetry",
  0x32: "IR compensation (PEIS)",
  0x33: "Cyclic Voltammetry Advanced",
  0x6c: "Linear Sweep Voltammetry",
  0x75: "Constant Voltage",
  0x76: "Constant Current",
  0x77: "Galvanostatic Cycling with Potential Limitation",
  0x7f: "Modulo Bat",
  0x88: "Battery Capacity Determination",
};

/** The settings module is read up to here: sequences of parameters lie within. */
const SETTINGS_BYTES = 1 << 20;
const LOG_BYTES = 0x400;
/** So many loops are told by their first rows. */
const LOOPS = 100;

/** What the modules beside the data say. */
export interface MprContext {
  /** The first byte of the settings; NaN where there is none. */
  readonly technique: number;
  readonly settings: ProgrammeStep;
  /** The bytes of the settings module, for the programme in it. */
  readonly bytes: Uint8Array;
  /** Names of the analogue inputs, by their number from 1. */
  readonly inputs: ReadonlyMap<number, string>;
  readonly start: string | null;
}

/** Reads settings, log, loops and external device. What a module lacks is left out; nothing is thrown. */
export async function readContext(source: ByteSource, modules: readonly MprModule[]): Promise<MprContext> {
  const part = async (name: string, limit: number): Promise<Uint8Array> => {
    const module = modules.find((each) => each.name === name);
    return module === undefined ? new Uint8Array() : readBytes(source, module.body, Math.min(module.present, limit));
  };
  const bytes = await part("VMP Set", SETTINGS_BYTES);
  const log = await part("VMP LOG", LOG_BYTES);
  const loop = await part("VMP loop", 4 + 4 * LOOPS);
  const external = await part("VMP ExtDev", LOG_BYTES);
  const technique = bytes[0] ?? NaN;
  return {
    technique,
    bytes,
    inputs: inputsOf(external),
    start: startOf(log),
    settings: {
      ...(bytes.length === 0 ? {} : { Technique: techniques[technique] ?? `technique ${technique}` }),
      ...versionOf(log),
      ...cellOf(bytes),
      ...loopsOf(loop),
    },
  };
}

/** What EC-Lab writes where nobody filled in the field. */
const untouched: Readonly<Record<string, readonly number[]>> = {
  "Mass of active material (mg)": [7000, 0.001],
  "Molecular weight of active material (g/mol)": [90.93, 0.001],
  "Atomic weight of intercalated ion (g/mol)": [6.94, 0.001],
  x0: [0.9],
  "Electrode surface area": [0.001],
  "Characteristic mass (g)": [0.001],
  "Characteristic mass (mg)": [0.001],
};

/**
 * A number of the settings, or words that say that it is EC-Lab's own and nobody's. The ion's weight and x0 are told
 * so only with a mass that is, as lithium's weight is right where lithium is meant.
 */
export function cellNumbers(numbers: Readonly<Record<string, number>>): ProgrammeStep {
  const isDefault = (name: string): boolean =>
    (untouched[name] ?? []).some((value) => Math.abs(numbers[name]! - value) <= 1e-6 * value);
  const nobody = isDefault("Mass of active material (mg)");
  const follows = ["Atomic weight of intercalated ion (g/mol)", "x0"];
  return Object.fromEntries(
    Object.entries(numbers).map(([name, value]) => [
      name,
      isDefault(name) && (nobody || !follows.includes(name)) ? `${value} (untouched default)` : value,
    ]),
  );
}

function cellOf(bytes: Uint8Array): ProgrammeStep {
  if (bytes.length < 0x262) return {};
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const f4 = (at: number): number => singleDigits(view.getFloat32(at, true));
  const words: Record<string, string> = {};
  const say = (name: string, at: number): void => {
    const text = freeText(pascalText(bytes, at));
    if (text !== "" && text !== "(unspecified)") words[name] = text;
  };
  say("Comments", 0x007);
  say("Electrode material", 0x11e);
  say("Electrolyte", 0x1c0);
  say("Reference electrode", 0x215);
  const numbers: Record<string, number> = {};
  const count = (name: string, value: number, used = value !== 0): void => {
    if (used && Number.isFinite(value) && Math.abs(value) < 1e12) numbers[name] = value;
  };
  count("Mass of active material (mg)", f4(0x107));
  count("at x", f4(0x10b), f4(0x107) !== 0);
  count("Molecular weight of active material (g/mol)", f4(0x10f));
  count("Atomic weight of intercalated ion (g/mol)", f4(0x113));
  count("x0", f4(0x117));
  count("Number of e- transfered per intercalated ion", view.getUint16(0x11b, true));
  // Mostly cm², but mm² in some files: which one is not known to stand anywhere.
  count("Electrode surface area", f4(0x211));
  const unit = view.getUint8(0x251);
  count(`Characteristic mass (${unit === 1 ? "g" : unit === 2 ? "mg" : "unit unknown"})`, f4(0x24c));
  count("Battery capacity (mA.h)", f4(0x25c));
  return { ...words, ...cellNumbers(numbers) };
}

/** What a person wrote, without line ends; "" where it holds a path or an address, which may name people. */
export function freeText(text: string): string {
  const line = text.replace(/[\s\0]+/g, " ").trim();
  return /[a-z]:\\|\\\w+\\|\/\w+\/|\w@\w/i.test(line) ? "" : line;
}

function versionOf(log: Uint8Array): ProgrammeStep {
  const version = log.length > 0x3b7 ? pascalText(log, 0x3b7) : "";
  return /^\d+\.\d+/.test(version) ? { "Software version": version } : {};
}

/** When the acquisition started: OLE days, at a place that moved between versions. */
function startOf(log: Uint8Array): string | null {
  const view = new DataView(log.buffer, log.byteOffset, log.length);
  for (const at of [0x249, 465, 469, 473]) {
    if (at + 8 > log.length) continue;
    const days = view.getFloat64(at, true);
    if (days > 40000 && days < 50000) return civilText(fromOleDays(days));
  }
  return null;
}

function loopsOf(loop: Uint8Array): ProgrammeStep {
  if (loop.length < 4) return {};
  const view = new DataView(loop.buffer, loop.byteOffset, loop.length);
  const count = view.getUint32(0, true);
  const there = Math.min(count, LOOPS, Math.floor(loop.length / 4) - 1);
  if (count === 0) return {};
  const rows = Array.from({ length: there }, (_, at) => view.getUint32(4 + 4 * at, true));
  return { Loops: count, "First row of each loop": `${rows.join(", ")}${there < count ? ", ..." : ""}` };
}

function inputsOf(external: Uint8Array): Map<number, string> {
  const inputs = new Map<number, string>();
  for (const [number, at] of [
    [1, 0x36],
    [2, 0x63],
  ] as const) {
    const name = external.length > at ? freeText(pascalText(external, at)) : "";
    if (name !== "" && name.length < 40) inputs.set(number, name);
  }
  return inputs;
}
