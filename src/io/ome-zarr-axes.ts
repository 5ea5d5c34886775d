/**
 * Axes of an OME-Zarr image, their scale and their units.
 *
 *     0.1, 0.2   no axes: t, c, z, y, x
 *     0.3        axes as names: ["t", "y", "x"]
 *     0.4, 0.5   axes as { name, type: "time" | "channel" | "space", unit }, and for each level and for the whole
 *                coordinateTransformations: [{ type: "scale", scale: [one number an axis] }, ...], to be multiplied
 *
 * Units are words of UDUNITS-2: "micrometer", "nanometer", "second", "minute" ...
 * Source: ngff.openmicroscopy.org, 0.1 to 0.5.
 */
import type { FormatError } from "../model/errors.js";
import { lengthUnit_um, timeUnit_s } from "./units.js";
import { list, object, said, type Json } from "./zarr-metadata.js";
import type { StackAxes } from "./zarr-stack.js";

/** Axes with the unit of each, null where it has none. */
export interface NamedAxes extends StackAxes {
  readonly units: readonly (string | null)[];
}

const implicit = ["t", "c", "z", "y", "x"];
const kinds = new Map([
  ["t", "time"],
  ["time", "time"],
  ["c", "channel"],
  ["channel", "channel"],
  ["z", "space"],
  ["y", "space"],
  ["x", "space"],
]);

/** The axes that a multiscales entry tells for an array of `rank` axes. Throws what `fault` makes. */
export function axesOf(told: unknown, rank: number, fault: (what: string) => FormatError): NamedAxes {
  if (told === undefined || told === null) {
    if (rank === implicit.length) return { t: 0, c: 1, z: 2, y: 3, x: 4, units: implicit.map(() => null) };
    throw fault(`it names no axes, and its array has ${rank}, not the 5 (t, c, z, y, x) that go unnamed.`);
  }
  const axes = list(told).map((axis) => {
    const { name, type, unit } =
      typeof axis === "string" ? { name: axis, type: undefined, unit: undefined } : object(axis);
    const word = typeof name === "string" ? name.toLowerCase() : "";
    return { word, kind: type ?? kinds.get(word) ?? null, unit: typeof unit === "string" ? unit : null };
  });
  if (axes.length !== rank) throw fault(`it names ${axes.length} axes but its array has ${rank}.`);
  const spaces = [...axes.keys()].filter((axis) => axes[axis]!.kind === "space");
  const called = (word: string): number => spaces.findIndex((axis) => axes[axis]!.word === word);
  const take = (word: string): number | undefined => spaces.splice(called(word), 1)[0];
  // Where they bear other names, the last two are the image's.
  const x = take("x");
  const y = take("y");
  const single = (kind: string): number | null => {
    const all = [...axes.keys()].filter((axis) => axes[axis]!.kind === kind);
    if (all.length > 1) throw fault(`it names ${all.length} axes of ${kind}, not one.`);
    return all[0] ?? null;
  };
  if (x === undefined || y === undefined || spaces.length > 1) {
    throw fault(`its axes are ${said(told)}: not one y and one x, with at most one z.`);
  }
  return { t: single("time"), c: single("channel"), z: spaces[0] ?? null, y, x, units: axes.map(({ unit }) => unit) };
}

/** The scale of each axis: a level's times the whole image's; null where there is none. */
export function scaleOf(level: Json, whole: Json, rank: number, warnings: string[]): readonly number[] | null {
  let product: number[] | null = null;
  for (const part of [level, whole]) {
    for (const told of list(part["coordinateTransformations"]).map(object)) {
      if (told["type"] !== "scale") continue;
      const scale = list(told["scale"]);
      if (scale.length !== rank || !scale.every((value) => typeof value === "number")) {
        warnings.push(`its scale is ${said(told["scale"] ?? told["path"])}, not ${rank} numbers: it is not used.`);
        return null;
      }
      product = scale.map((value, axis) => (value as number) * (product?.[axis] ?? 1));
    }
  }
  return product;
}

/** A scale along one axis in the unit that `unitOf` knows; null where it is not told, with a warning where it is odd. */
export function scaleAlong(
  axis: { readonly name: string; readonly value: number | undefined; readonly unit: string | null },
  unitOf: (unit: string) => number | null,
  warnings: string[],
): number | null {
  const { name, value, unit } = axis;
  if (value === undefined) return null;
  if (unit === null) {
    if (value !== 1) warnings.push(`its scale along ${name} is ${value} without a unit: it is not used.`);
    return null;
  }
  const factor = unitOf(unit);
  if (factor === null) {
    warnings.push(`its scale along ${name} is ${value} ${unit}: that unit is not used.`);
    return null;
  }
  if (value > 0 && Number.isFinite(value * factor)) return factor === 1 ? value : roundOff(value * factor);
  warnings.push(`its scale along ${name} is ${value} ${unit}, no number above 0: it is not used.`);
  return null;
}

/** Products of decimal fractions without the last bits' dust: 100 nm are 0.1 um. */
function roundOff(value: number): number {
  const rounded = Number(value.toPrecision(15));
  return Math.abs(rounded / value - 1) < 1e-15 ? rounded : value;
}

const prefixes = new Map([
  ["yocto", -24],
  ["zepto", -21],
  ["atto", -18],
  ["femto", -15],
  ["pico", -12],
  ["nano", -9],
  ["micro", -6],
  ["milli", -3],
  ["centi", -2],
  ["deci", -1],
  ["", 0],
  ["deca", 1],
  ["hecto", 2],
  ["kilo", 3],
  ["mega", 6],
  ["giga", 9],
  ["tera", 12],
  ["peta", 15],
  ["exa", 18],
  ["zetta", 21],
  ["yotta", 24],
]);

const inches = new Map([
  ["inch", 1],
  ["foot", 12],
  ["yard", 36],
  ["mile", 63_360],
]);

/** Micrometres in a unit of length by its UDUNITS word; null for another. */
export function lengthWord_um(word: string): number | null {
  const metres = /^([a-z]*?)met(?:er|re)s?$/i.exec(word.trim());
  const power = prefixes.get(metres?.[1]?.toLowerCase() ?? "none");
  if (power !== undefined) return power + 6 < 0 ? 1 / 10 ** -(power + 6) : 10 ** (power + 6);
  const inch = inches.get(word.trim().toLowerCase());
  return inch === undefined ? lengthUnit_um(word) : 25_400 * inch;
}

/** Seconds in a unit of time by its UDUNITS word; null for another. */
export function timeWord_s(word: string): number | null {
  const seconds = /^([a-z]*?)seconds?$/i.exec(word.trim());
  const power = prefixes.get(seconds?.[1]?.toLowerCase() ?? "none");
  if (power !== undefined) return power < 0 ? 1 / 10 ** -power : 10 ** power;
  return /^days?$/i.test(word.trim()) ? 86_400 : timeUnit_s(word);
}
