/** Units as files of microscopes spell them, in the house's own: um and s. */

const lengths_um = new Map<string, number>([
  ["pm", 1e-6],
  ["Å", 1e-4],
  ["angstrom", 1e-4],
  ["nm", 1e-3],
  ["nanometer", 1e-3],
  ["µm", 1],
  ["um", 1],
  ["micron", 1],
  ["microns", 1],
  ["micrometer", 1],
  ["mm", 1e3],
  ["cm", 1e4],
  ["m", 1e6],
]);

const times_s = new Map<string, number>([
  ["ns", 1e-9],
  ["µs", 1e-6],
  ["us", 1e-6],
  ["usec", 1e-6],
  ["ms", 1e-3],
  ["msec", 1e-3],
  ["s", 1],
  ["sec", 1],
  ["second", 1],
  ["seconds", 1],
  ["min", 60],
  ["minute", 60],
  ["minutes", 60],
  ["h", 3600],
  ["hour", 3600],
  ["hours", 3600],
  ["d", 86_400],
]);

/** Micrometres in a unit of length; null for a unit that is none in the sample ("pixel", "inch") or unknown. */
export function lengthUnit_um(unit: string): number | null {
  return lengths_um.get(spelling(unit)) ?? null;
}

/** Seconds in a unit of time; null for an unknown one. */
export function timeUnit_s(unit: string): number | null {
  return times_s.get(spelling(unit)) ?? null;
}

/** One spelling for micro (U+00B5, U+03BC, an escape in ASCII) and for Angstrom. */
function spelling(unit: string): string {
  const plain = unit
    .trim()
    .replace(/\\u00B5/i, "µ")
    .replace("μ", "µ")
    .replace("\u212b", "Å");
  return plain.length > 2 ? plain.toLowerCase() : plain;
}
