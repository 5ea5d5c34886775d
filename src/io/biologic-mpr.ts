/** BioLogic .mpr, the binary record of EC-Lab and BT-Lab, in the module frames before and since version 11.50. */
import type { CyclingFile, OtherFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { FIRST_MODULE, readModules } from "./biologic-modules.js";
import { readProgramme } from "./biologic-programme.js";
import { readLayout, readRecords, type MprField, type MprLayout } from "./biologic-records.js";
import { readContext } from "./biologic-settings.js";
import type { ByteSource } from "./bytes.js";
import { currentFromCharge, cyclesOf, cyclingRecord, differences, runningSum } from "./cycling-record.js";
import { warningsOf } from "./number-table.js";

export { sniffMpr } from "./biologic-modules.js";

/**
 * Reads an .mpr.
 *
 * `potential_V` is Ewe, else <Ewe>, else Ecell (Ewe-Ece). `current_mA` is I, else <I>, else 3600 dq / dt with dq the
 * charge since the last row (as EC-Lab exports it: 0 in the first row, the last value where dt is 0), else the slope
 * of (Q-Qo). `charge_mAh` is the file's (Q-Qo), else the running sum of dq, else the integral of the current. `cycles`
 * is half the number of half cycles. `start` comes from the log module. `settings` hold what the file says of
 * technique and cell; numbers that EC-Lab writes where nobody filled them in say so. `programme` holds the sequences.
 *
 * A file that was cut gives its whole rows and a warning. Throws FormatError, with the byte offset, for a file cut
 * before its data, and for columns of unknown width that leave the place of time, potential or current open.
 */
export async function readMpr(source: ByteSource): Promise<CyclingFile | OtherFile> {
  const { warnings, say } = warningsOf(source.name);
  const modules = await readModules(source, say);
  const data = modules.find(({ name }) => name === "VMP data");
  if (data === undefined) {
    const last = modules.at(-1);
    const end = last === undefined ? FIRST_MODULE : last.body + last.length;
    throw new FormatError(
      end > source.size
        ? `${source.name}: the file was cut after ${source.size} bytes, before its data. Copy it again from the instrument's computer.`
        : `${source.name}: holds no data module, only ${modules.map(({ name }) => name).join(", ") || "none"}. Is it a settings file?`,
      { path: source.name, offset: Math.min(end, source.size) },
    );
  }
  const layout = await readLayout(source, data, say);
  const { technique, settings, bytes, inputs, start } = await readContext(source, modules);
  if (start === null) say("the file has no log module with a start time: when it began is unknown.");
  const programme = readProgramme(bytes, technique, data.newFrame)?.map((step) => ({
    Technique: settings["Technique"]!,
    ...step,
  }));
  const told = { settings, ...(programme === undefined ? {} : { programme }) };
  const columns = layout.fields.map(({ name }) => inputName(name, inputs));

  const has = (...wanted: string[]): MprField | undefined => {
    for (const name of wanted) {
      const field = layout.fields.find((each) => each.name === name);
      if (field === undefined) continue;
      return layout.rows === 0 || field.at !== null ? field : refuseLost(source, layout, name);
    }
    return undefined;
  };
  const time = has("time/s");
  const potential = has(...POTENTIAL);
  const spectrum = has("freq/Hz") !== undefined;
  if (layout.rows > 0 && (time === undefined || potential === undefined)) {
    const missing = time === undefined ? "time" : "working electrode potential";
    return {
      name: source.name,
      format: "biologic-mpr",
      description: `${spectrum ? "an impedance spectrum" : "a BioLogic record"} without a column of ${missing}.`,
      start,
      rows: layout.rows,
      columns,
      ...told,
      warnings,
    };
  }
  const current = has("I/mA") ?? has("<I>/mA");
  const wanted = [
    time,
    potential,
    current,
    ...["dq/mA.h", "(Q-Qo)/mA.h", "(Q-Qo)/C", "control/mA", "half cycle", "cycle number", "mode"].map((name) =>
      has(name),
    ),
  ].filter((field) => field !== undefined);
  const values = await readRecords(source, layout, layout.rows === 0 ? [] : wanted);
  const column = (field: MprField | undefined): Float64Array | null =>
    field === undefined ? null : (values.get(field) ?? new Float64Array(0));

  const empty = new Float64Array(0);
  const time_s = column(time) ?? empty;
  const dq_mAh = column(has("dq/mA.h"));
  const charge_mAh = column(has("(Q-Qo)/mA.h")) ?? scaled(column(has("(Q-Qo)/C")), 1 / 3.6) ?? runningSum(dq_mAh);
  let current_mA = column(current);
  if (current_mA === null && charge_mAh !== null) {
    current_mA = currentFromCharge(time_s, dq_mAh ?? differences(charge_mAh));
  }
  if (current_mA === null && has("control/mA") !== undefined) {
    current_mA = column(has("control/mA"));
    say("the file has no measured current: the set current is used.");
  }
  if (potential?.name === "Ewe-Ece/V") say("the file has no Ewe: the potential is that of the cell (Ewe-Ece).");
  if (spectrum && has("Re(Z)/Ohm") !== undefined && current_mA !== null && [0x1d, 0x1e].includes(technique)) {
    say("the rows are the frequencies of an impedance spectrum, with the mean potential and current of each.");
  }
  const halfCycle = column(has("half cycle"));
  const cycle = column(has("cycle number"));
  const mode = column(has("mode"));
  return cyclingRecord({
    name: source.name,
    format: "biologic-mpr",
    start,
    columns,
    time_s,
    potential_V: column(potential) ?? empty,
    current_mA,
    charge_mAh,
    rest: technique === 0x0b || (mode !== null && mode.every((bits) => (bits & 3) === 3)),
    cycles: cyclesOf(halfCycle, cycle, say),
    ...told,
    warnings,
  });
}

const POTENTIAL = ["Ewe/V", "<Ewe>/V", "Ewe-Ece/V"];

/** What is needed and stands among columns of unknown width is refused; what else has a place is named. */
function refuseLost(source: ByteSource, { fields, first }: MprLayout, name: string): never {
  const placed = fields.filter(({ at }) => at !== null).map((field) => field.name);
  const unknown = fields.filter((field) => field.name === `column ${field.id}` && field.at === null);
  throw new FormatError(
    `${source.name}: column ${name} stands among columns of unknown width (ids ${unknown.map(({ id }) => id).join(", ")}); ` +
      `still readable: ${placed.join(", ") || "none"}. Export the run as text (.mpt).`,
    { path: source.name, offset: first },
  );
}

/** "Analog IN 1/V" under the name that the external device's module gives it. */
function inputName(name: string, inputs: ReadonlyMap<number, string>): string {
  const number = /^Analog IN (\d)\/V$/.exec(name)?.[1];
  return (number === undefined ? undefined : inputs.get(Number(number))) ?? name;
}

function scaled(column: Float64Array | null, factor: number): Float64Array | null {
  return column === null ? null : column.map((value) => value * factor);
}
