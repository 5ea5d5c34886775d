/** What the head of a column says: a quantity and its unit, however the cycler's software writes them. */

/** A head taken apart: "Total Time (s)", "Test Time / s", "U[V]" and "test_time_second" alike. */
export interface ColumnHead {
  /** Lower case, words parted by one blank: "total time", "<ewe>". */
  readonly quantity: string;
  /** As it stands; null where the head names none. */
  readonly unit: string | null;
}

const inBrackets = /^(.*?)\s*[([]([^()[\]]*)[)\]]\s*$/;
const bracketedWhole = /^<(.+)\/(.+)>$/;
const afterSlash = /^(.*\S)\s*\/\s*([^/]+)$/;
const afterBlank = /^(.*\S)\s+((?:[mµμu]?[AV]|[mµμu]?A[.·*]?h|m?Wh|m?s|min|h|sec)\.?)$/u;
const afterUnderscore = /^(.*)_((?:(?:milli|micro)?(?:ampere|watt)_)?[^_]+)$/i;

// Maccor calls columns by their unit alone.
const thousandthUnits: Readonly<Record<string, string>> = { amp: "mA", volt: "mV", "amp-hr": "mAh", "watt-hr": "mWh" };

/** Takes a head apart. */
export function columnHead(text: string): ColumnHead {
  const trimmed = text.replace(/^[\uFEFF\s~#"']+|[\s"']+$/g, "").replace(bracketedWhole, "<$1>/$2");
  for (const pattern of [inBrackets, afterSlash, afterUnderscore, afterBlank]) {
    const match = pattern.exec(trimmed);
    if (match === null) continue;
    const unit = match[2]!.trim();
    // What follows a slash or an underscore may belong to the name: dV/dt, Step_Index.
    if (pattern === inBrackets || knownUnit(unit)) {
      // "(Q-Qo)" is all name.
      if (match[1] === "") continue;
      return { quantity: words(match[1]!), unit };
    }
  }
  const thousandths = /^m(amp|volt|amp-hr|watt-hr)s?$/i.exec(trimmed)?.[1]?.toLowerCase();
  if (thousandths !== undefined && trimmed.startsWith("m")) {
    return { quantity: thousandths, unit: thousandthUnits[thousandths]! };
  }
  return { quantity: words(trimmed), unit: null };
}

function words(text: string): string {
  return text
    .replace(/[_.\s]+/g, " ")
    .trim()
    .toLowerCase();
}

/** What a column may be measured in. */
export type Dimension = "time" | "potential" | "current" | "charge" | "energy" | "power";

// Factors to s, V, mA, mAh, mWh and mW.
const units: Readonly<Record<Dimension, Readonly<Record<string, number>>>> = {
  time: {
    ...alike(1, "s", "sec", "secs", "second", "seconds"),
    ...alike(1e-3, "ms", "msec", "millisecond", "milliseconds"),
    ...alike(60, "min", "mins", "minute", "minutes"),
    ...alike(3600, "h", "hr", "hrs", "hour", "hours"),
    ...alike(86400, "d", "day", "days"),
  },
  potential: {
    ...alike(1, "v", "volt", "volts"),
    ...alike(1e-3, "mv", "millivolt"),
    ...alike(1e-6, "uv", "microvolt"),
  },
  current: {
    ...alike(1e3, "a", "amp", "amps", "ampere"),
    ...alike(1, "ma", "milliampere", "milliamp"),
    ...alike(1e-3, "ua", "microampere", "microamp"),
    ...alike(1e-6, "na", "nanoampere"),
  },
  charge: {
    ...alike(1e3, "ah", "amp-hr", "ampere_hour"),
    ...alike(1, "mah", "milliampere_hour"),
    ...alike(1e-3, "uah", "microampere_hour"),
    ...alike(1 / 3.6, "as", "c", "coulomb", "coulombs"),
    ...alike(1 / 3600, "mas", "mc"),
  },
  energy: {
    ...alike(1e3, "wh", "watt-hr", "watt_hour"),
    ...alike(1, "mwh", "milliwatt_hour"),
    ...alike(1e-3, "uwh"),
    ...alike(1 / 3.6, "ws", "j", "joule", "joules"),
    ...alike(1 / 3600, "mws"),
  },
  power: {
    ...alike(1e3, "w", "watt", "watts"),
    ...alike(1, "mw", "milliwatt"),
    ...alike(1e-3, "uw"),
  },
};

function alike(factor: number, ...names: string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, factor]));
}

/** The factor from a unit to the house's (s, V, mA, mAh, mWh, mW); NaN where it is no unit of that dimension. */
export function unitFactor(dimension: Dimension, unit: string): number {
  return units[dimension][plainUnit(unit)] ?? NaN;
}

// A potential may name its reference (V vs. Li/Li+). The micro sign comes as one of two characters, as "u", or broken by a wrong encoding.
function plainUnit(unit: string): string {
  return unit
    .trim()
    .replace(/\s+vs\b.*$/i, "")
    .replace(/^(?:Âµ|Î¼|ï¿½|¦Ì|[\u00B5\u03BC\uFFFD?u])(?=[AVCW]|s$)/, "u")
    .replace(/(?<=[AW])[.·*\s]?(?=h$)/, "")
    .toLowerCase();
}

function knownUnit(unit: string): boolean {
  return (
    unit === "1" || Object.keys(units).some((dimension) => !Number.isNaN(unitFactor(dimension as Dimension, unit)))
  );
}
