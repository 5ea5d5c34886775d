/** The parameters of BioLogic's techniques: the words that EC-Lab shows for stored numbers, and their units made one. */
import type { ProgrammeStep } from "../model/cycling.js";

const prefixes = ["", "m", "µ", "n", "p"];
const references = ["Eoc", "Ectrl", "Emeas", "Ei", "Ref"];
const rates = ["I", "C / N", "C x N"];
const signs = ["> 0", "< 0"];
const decades = ["1 A", "100 mA", "10 mA", "1 mA", "100 µA", "10 µA"];

/** Words for stored numbers; a number without a word stays a number. */
const words: readonly (readonly [name: RegExp, word: (value: number) => string | undefined])[] = [
  [/^unit (Is|Im|Imax|Imin|dI)$/, (value) => unit(value, "A")],
  [/^dunit dI\/dt$/, (value) => unit(value, "A/s")],
  [/^unit d[qQ]M?$/, (value) => unit(value, "A.h")],
  [/^Is vs\.$/, (value) => (value === 2 ? "<None>" : undefined)],
  [/^E.* vs\.$/, (value) => references[value]],
  [/^Set I\/C$/, (value) => rates[value]],
  [/^I sign$/, (value) => signs[value]],
  // Each series of instruments has its own numbers for the same ranges; those of the VMP3 and SP families.
  [/^I Range( min| max| init)?$/, (value) => (value === 123 ? "Unset" : (decades[value - 8] ?? decades[value - 36]))],
];

function unit(value: number, base: string): string | undefined {
  const prefix = prefixes[value];
  return prefix === undefined ? undefined : prefix + base;
}

/** A stored number as EC-Lab shows it: a limit that is not a number is "pass", a single-precision one loses its tail. */
export function asShown(name: string, value: number): string | number {
  if (Number.isNaN(value)) return "pass";
  const word = words.find(([pattern]) => pattern.test(name))?.[1](value);
  return word ?? singleDigits(value);
}

/** A number of single precision by the fewest digits that give it again. */
export function singleDigits(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

const factors: Readonly<Record<string, number>> = { A: 1e3, mA: 1, µA: 1e-3, nA: 1e-6, pA: 1e-9 };

/**
 * Parameters with their units in their names, each quantity in one unit: "Is" and "unit Is" become "Is (mA)",
 * charges "(mA.h)", times of hours, minutes and seconds "(s)". Other units stay as they stand.
 */
export function foldUnits(values: ReadonlyMap<string, string | number>): ProgrammeStep {
  const folded: Record<string, string | number | null> = {};
  for (const [name, value] of values) {
    if (unitName(name, values) !== null) continue;
    const unit =
      values.get(`unit ${name}`) ??
      values.get(`dunit ${name}`) ??
      values.get(`${name}_unit`) ??
      values.get(`${name} unit`);
    if (name.includes("(h:m:s)")) folded[name.replace("h:m:s", "s")] = value;
    else if (typeof unit !== "string" || unit === "") folded[name] = value;
    else {
      const [, base, rest] = /^([mµnp]?A)(.*)$/.exec(unit) ?? [];
      const factor = base === undefined ? 1 : factors[base]!;
      const shown = base === undefined ? unit : `mA${rest}`;
      folded[`${name} (${shown})`] = typeof value === "number" ? Number((value * factor).toPrecision(12)) : value;
    }
  }
  return folded;
}

/** The parameter whose unit this one is; null where it is none. */
function unitName(name: string, values: ReadonlyMap<string, string | number>): string | null {
  const of = /^d?unit\s+(.+)$/.exec(name)?.[1] ?? /^(.+)[_ ]unit$/.exec(name)?.[1];
  return of !== undefined && values.has(of) ? of : null;
}
