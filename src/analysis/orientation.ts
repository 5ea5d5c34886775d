/** The record's signs made the house's: positive current delithiates the imaged electrode. */
import { median } from "../kernels/stats.js";
import type { Cycling } from "../model/cycling.js";
import type { CellFacts } from "../model/experiment.js";
import { directionOf, findSteps } from "./cycling-steps.js";

/** A potential that moves less than this through a tenth of a driven stretch says nothing of its direction. */
const LEAST_MOVE_V = 0.005;
/** Nor does less than this the wrong way: a plateau begins with an overshoot of some ten millivolts. */
const LEAST_WRONG_V = 0.1;

/**
 * The record with current and charge positive where the imaged electrode loses lithium; potentials and times stay.
 *
 * Oxidation takes lithium out. The current of a cycler that counts oxidation at its working electrode as positive is
 * right where that electrode is imaged; it is turned once where the counter electrode is imaged, once where the cycler
 * counts the other way, and twice is not at all. Rows without a time are left out.
 *
 * A driven electrode moves its own potential: that of the working electrode against the other rises while it is
 * oxidised, in a half cell and in a full one. Where the record says otherwise by the weight of its volts, a warning
 * tells; nothing is changed, since only the user knows which statement is wrong.
 */
export function orientCycling(
  file: Cycling,
  cell: Pick<CellFacts, "imaged" | "role" | "currentSign">,
): { readonly cycling: Cycling; readonly warnings: string[] } {
  const turned = (cell.imaged === "counter") !== (cell.currentSign === "cathodic-positive");
  const warnings: string[] = [];
  const timed = Array.from(file.time_s.keys()).filter((row) => Number.isFinite(file.time_s[row]!));
  if (timed.length < file.time_s.length) {
    warnings.push(`${file.time_s.length - timed.length} rows of the cycler's record have no time and are left out.`);
  }
  const column = (values: Float64Array, sign: 1 | -1): Float64Array =>
    Float64Array.from(timed, (row) => (values[row] === 0 ? 0 : sign * values[row]!));
  const cycling = {
    time_s: column(file.time_s, 1),
    potential_V: column(file.potential_V, 1),
    current_mA: column(file.current_mA, turned ? -1 : 1),
    charge_mAh: column(file.charge_mAh, turned ? -1 : 1),
  };
  const contradiction = contradicts(cycling, cell);
  if (contradiction !== null) warnings.push(contradiction);
  return { cycling, warnings };
}

/** What speaks against the stated signs, in a sentence; null where nothing does. */
function contradicts(cycling: Cycling, cell: Pick<CellFacts, "imaged" | "role" | "currentSign">): string | null {
  const rising = cell.imaged === "working" ? 1 : -1;
  let agreeing_V = 0;
  let opposing_V = 0;
  const directions = new Set<number>();
  for (const step of findSteps(cycling)) {
    if (step.kind !== "charge" && step.kind !== "discharge") continue;
    const { up_V, down_V } = moves(cycling.potential_V.subarray(step.first, step.last + 1));
    const with_V = directionOf(step) * rising > 0 ? up_V : down_V;
    if (up_V + down_V > 0) directions.add(directionOf(step));
    agreeing_V += with_V;
    opposing_V += up_V + down_V - with_V;
  }
  if (opposing_V < Math.max(LEAST_WRONG_V, 0.25 * (agreeing_V + opposing_V))) return null;
  if (directions.size === 1 && agreeing_V > 0.25 * (agreeing_V + opposing_V)) {
    return "the current has one sign while the potential both rises and falls: the record seems to give it without its sign, and half of the half cycles are named the wrong way.";
  }
  if (opposing_V <= agreeing_V) return null;
  const how = rising > 0 ? "falls" : "rises";
  return (
    `the potential ${how} while the ${cell.imaged} electrode, as a ${cell.role === "unknown" ? "electrode of unknown role" : cell.role}, ` +
    `is said to lose lithium (current ${cell.currentSign}): charge and discharge may be exchanged. Check --imaged and --current-sign.`
  );
}

/** How far the potential goes up and down within a stretch, by the medians of its tenths; noise is no move. */
function moves(potential_V: Float64Array): { up_V: number; down_V: number } {
  const parts = Math.min(10, Math.floor(potential_V.length / 2));
  let up_V = 0;
  let down_V = 0;
  let before_V = NaN;
  for (let part = 0; part < parts; part++) {
    const from = Math.round((part * potential_V.length) / parts);
    const to = Math.round(((part + 1) * potential_V.length) / parts);
    const now_V = median(potential_V.subarray(from, to));
    if (now_V - before_V > LEAST_MOVE_V) up_V += now_V - before_V;
    if (before_V - now_V > LEAST_MOVE_V) down_V += before_V - now_V;
    before_V = now_V;
  }
  return { up_V, down_V };
}
