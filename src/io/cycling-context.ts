/** Records of one run with the settings files that lie beside them. */
import type { CyclingFile, OtherFile, ProgrammeStep } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { isCycling, joinCycling } from "./cycling.js";
import { baseName } from "./text.js";

/**
 * Joins records to one. A settings file (.mps) among them gives settings and programme where the records tell none;
 * where both tell a thing differently, both are said: neither is to be trusted.
 *
 * Throws FormatError for a file that is neither record nor settings, and where there is no record.
 */
export function joinWithContext(files: readonly (CyclingFile | OtherFile)[]): CyclingFile {
  const records = files.filter(isCycling);
  const others = files.filter((file): file is OtherFile => !isCycling(file));
  const wrong = others.find(({ format }) => format !== "biologic-mps" || records.length === 0);
  if (wrong !== undefined) {
    throw new FormatError(
      `${wrong.name}: is ${wrong.description} It holds no cycling record: name one ${others.length < files.length ? "instead" : "that does"}.`,
      { path: wrong.name },
    );
  }
  const joined = joinCycling(records);
  if (others.length === 0) return joined;
  const settings = others.find((file) => file.settings !== undefined)?.settings;
  const programme = others.flatMap((file) => file.programme ?? []);
  return {
    ...joined,
    ...(joined.settings !== undefined || settings === undefined ? {} : { settings }),
    ...(joined.programme !== undefined || programme.length === 0 ? {} : { programme }),
    warnings: [
      ...joined.warnings,
      ...others.flatMap(({ warnings }) => warnings),
      ...others.flatMap((file) => contradictions(joined.settings, file)),
    ],
  };
}

/** What a settings file says otherwise than the record. */
function contradictions(own: ProgrammeStep | undefined, { name, settings }: OtherFile): string[] {
  if (own === undefined || settings === undefined) return [];
  const differ = Object.entries(settings).flatMap(([key, value]) => {
    const other = own[key];
    if (other === undefined || other === null || value === null || same(other, value)) return [];
    return [`${key} ${value}, the record ${other}`];
  });
  if (differ.length === 0) return [];
  const shown = differ.slice(0, 4).join("; ");
  const more = differ.length > 4 ? ` and ${differ.length - 4} more` : "";
  return [`${baseName(name)} says ${shown}${more}: neither is used as a fact.`];
}

function same(a: string | number, b: string | number): boolean {
  if (typeof a === "number" && typeof b === "number") return Math.abs(a - b) <= 1e-6 * Math.abs(b);
  return String(a).trim().toLowerCase() === String(b).trim().toLowerCase();
}
