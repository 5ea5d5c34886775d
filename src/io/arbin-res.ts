/**
 * Arbin .res: a Jet 4 database (arbin-jet.ts) with one row a sample in Channel_Normal_Table: Test_ID, Data_Point,
 * Test_Time (s), DateTime (days since 1899-12-30, local), Cycle_Index, Current (A), Voltage (V), Charge_Capacity and
 * Discharge_Capacity (Ah, upwards, often anew with a cycle), Charge_Energy and Discharge_Energy (Wh). Rows lie in no
 * order: Data_Point has it. Global_Table says what was tested, by Test_ID.
 */
import type { CyclingFile, ProgrammeStep } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { openJet, type JetTable, type JetValue } from "./arbin-jet.js";
import type { ByteSource } from "./bytes.js";
import { civilText, clockZero, fromOleDays } from "./civil-time.js";
import { cyclesOf, cyclingRecord } from "./cycling-record.js";
import { warningsOf } from "./number-table.js";
import { baseName } from "./text.js";

/** A run of more rows is refused. */
export const ARBIN_ROWS = 10_000_000;

const wanted = [
  "Test_ID",
  "Data_Point",
  "Test_Time",
  "DateTime",
  "Cycle_Index",
  "Current",
  "Voltage",
  "Charge_Capacity",
  "Discharge_Capacity",
  "Charge_Energy",
  "Discharge_Energy",
] as const;

type Column = (typeof wanted)[number];
const needed: readonly Column[] = ["Data_Point", "Test_Time", "Current", "Voltage"];

const described = [
  "Test_ID",
  "Test_Name",
  "Channel_Index",
  "Start_DateTime",
  "Schedule_File_Name",
  "Item_ID",
  "Mass",
  "Specific_Capacity",
  "Capacity",
] as const;

/**
 * Reads an Arbin .res: rows in the order of Data_Point, `charge_mAh` what the file counts in and out, running on
 * where its counters begin anew. `start` is the first row's date less its time, in whole seconds where the dates are.
 * Masses in the file are mostly defaults: they stand in the settings and are not used. Names of people are left out.
 *
 * A file that was cut gives the rows that it still has, with a warning: rows are missing in between. Throws FormatError
 * for a database that is not Arbin's (it names the tables), one with several tests (it names them: which cell each
 * belongs to is not for us to guess), one over ARBIN_ROWS, and as `openJet` does.
 */
export async function readArbinRes(source: ByteSource): Promise<CyclingFile> {
  const { warnings, say } = warningsOf(source.name);
  const refuse = (what: string): FormatError => new FormatError(`${source.name}: ${what}`, { path: source.name });
  const database = await openJet(source);
  if (!database.names.includes("Channel_Normal_Table")) {
    const few = database.names.slice(0, 8).join(", ");
    throw refuse(
      `is a Jet database without Arbin's Channel_Normal_Table; its tables are ${few === "" ? "none" : few}. Export the record as CSV.`,
    );
  }
  const table = await database.table("Channel_Normal_Table");
  const names = new Set(table.columns.map(({ name }) => name));
  const missing = needed.filter((name) => !names.has(name));
  if (missing.length > 0) {
    throw refuse(
      `Channel_Normal_Table lacks ${missing.join(", ")}; its columns are ${[...names].join(", ")}. Export the record as CSV.`,
    );
  }
  const tests: Test[] = [];
  const global = await definitionOf(() => database.table("Global_Table"));
  const gathered = gather(source.name);
  const broken = await database.rows([
    { table, columns: wanted, take: gathered.take },
    ...(global === null
      ? []
      : [
          { table: global, columns: described, take: (fields: readonly JetValue[]) => void tests.push(testOf(fields)) },
        ]),
  ]);
  const rows = gathered.columns();
  if (rows.Test_ID.length === 0 && table.rows > 0) {
    throw refuse(
      `the database was cut after ${source.size} bytes: none of its ${table.rows} rows is left. Copy the file again.`,
    );
  }
  const listed = new Set(tests.map(({ id }) => id));
  const anyListed = rows.Test_ID.some((id) => listed.has(id));
  const ids = [...new Set(rows.Test_ID)].filter((id) => !anyListed || listed.has(id));
  if (ids.length > 1) throw refuse(severalTests(ids, rows.Test_ID, tests));
  // A test that Global_Table does not know, beside one that it does, is a damaged row.
  const column = inOrder(rows, ids[0]);
  if (column.Test_Time.length < table.rows) {
    const what = source.size % 4096 === 0 && broken === 0 ? "are missing" : "are missing or damaged";
    say(
      `the file should hold ${table.rows} rows and holds ${column.Test_Time.length}: ${table.rows - column.Test_Time.length} ${what}${gapsOf(column.Data_Point)}. The file was cut (it has ${source.size} bytes) or is damaged: copy it again.`,
    );
  } else if (broken > 0) say(`${broken} rows of its tables are damaged and were left out.`);

  const milli = (values: Float64Array): Float64Array => values.map((value) => 1000 * value);
  const counters = (
    [
      ["Charge_Capacity", "charge in"],
      ["Discharge_Capacity", "charge out"],
      ["Charge_Energy", "energy in"],
      ["Discharge_Energy", "energy out"],
    ] as const
  ).filter(([name]) => names.has(name));
  const test = tests.find(({ id }) => id === (ids[0] ?? id));
  return cyclingRecord({
    name: source.name,
    format: "arbin-res",
    start: startOf(column.DateTime, column.Test_Time),
    columns: table.columns.map(({ name }) => name),
    time_s: column.Test_Time,
    potential_V: column.Voltage,
    current_mA: milli(column.Current),
    charge_mAh:
      names.has("Charge_Capacity") && names.has("Discharge_Capacity")
        ? netCharge(milli(column.Charge_Capacity), milli(column.Discharge_Capacity))
        : null,
    chargeYields: true,
    counted: counters.map(([name, kind]) => ({ name, kind, values: milli(column[name]) })),
    rest: false,
    cycles: names.has("Cycle_Index") ? cyclesOf(null, column.Cycle_Index, say) : null,
    ...(test === undefined ? {} : { settings: test.settings }),
    warnings,
  });
}

/** What says more of the test is not worth losing its rows. */
async function definitionOf(define: () => Promise<JetTable>): Promise<JetTable | null> {
  try {
    return await define();
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

type Columns = Record<Column, Float64Array>;

function gather(name: string): { take(fields: readonly JetValue[]): void; columns(): Columns } {
  let room = 4096;
  let rows = 0;
  let columns = wanted.map(() => new Float64Array(room));
  return {
    take(fields) {
      if (rows === ARBIN_ROWS) {
        throw new FormatError(`${name}: the run has more than ${ARBIN_ROWS} rows. Export a part of it as CSV.`, {
          path: name,
        });
      }
      if (rows === room) {
        room *= 2;
        columns = columns.map((column) => {
          const larger = new Float64Array(room);
          larger.set(column);
          return larger;
        });
      }
      for (const [index, field] of fields.entries()) columns[index]![rows] = typeof field === "number" ? field : NaN;
      rows++;
    },
    columns: () => Object.fromEntries(wanted.map((key, index) => [key, columns[index]!.subarray(0, rows)])) as Columns,
  };
}

/** Rows of a test by Data_Point, each once; what has no time or no potential is left out. */
function inOrder(rows: Columns, test: number | undefined): Columns {
  const point = rows.Data_Point;
  const order = Uint32Array.from(point, (_, row) => row)
    .filter(
      (row) =>
        Object.is(rows.Test_ID[row], test) &&
        Number.isFinite(rows.Test_Time[row]!) &&
        Number.isFinite(rows.Voltage[row]!),
    )
    .sort((a, b) => point[a]! - point[b]! || rows.Test_Time[a]! - rows.Test_Time[b]!);
  const once = order.filter((row, at) => at === 0 || point[row] !== point[order[at - 1]!]);
  return Object.fromEntries(wanted.map((key) => [key, Float64Array.from(once, (row) => rows[key][row]!)])) as Columns;
}

function gapsOf(point: Float64Array): string {
  let gaps = 0;
  let widest = 1;
  let at = 0;
  for (let row = 0; row < point.length; row++) {
    const step = point[row]! - (row === 0 ? 0 : point[row - 1]!);
    if (step <= 1) continue;
    gaps++;
    if (step > widest) [widest, at] = [step, point[row]! - step + 1];
  }
  return gaps === 0 ? "" : `, in ${gaps} gaps, the longest of ${widest - 1} rows from data point ${at}`;
}

interface Test {
  readonly id: number;
  readonly name: string;
  readonly channel: number;
  readonly settings: ProgrammeStep;
}

function testOf(fields: readonly JetValue[]): Test {
  const [id, name, channel, start, schedule, item, mass, specific, capacity] = fields;
  const settings: Record<string, string | number> = {};
  const add = (key: string, value: JetValue | undefined): void => {
    if ((typeof value === "string" && value !== "") || (typeof value === "number" && value !== 0))
      settings[key] = value;
  };
  add("test", name);
  add("channel index", channel);
  add("start", typeof start === "number" && isDate(start) ? civilText(fromOleDays(start)) : null);
  add("schedule", typeof schedule === "string" ? baseName(schedule) : null);
  add("item", item);
  add("mass / g", mass);
  add("specific capacity / Ah/g", specific);
  add("capacity / Ah", capacity);
  return { id: Number(id), name: String(name ?? ""), channel: Number(channel), settings };
}

function severalTests(ids: readonly number[], column: Float64Array, tests: readonly Test[]): string {
  const told = ids.slice(0, 6).map((id) => {
    const rows = column.reduce((count, each) => count + (each === id ? 1 : 0), 0);
    const test = tests.find((each) => each.id === id);
    return `Test_ID ${id}${test === undefined ? "" : ` "${test.name}" of channel index ${test.channel}`}, ${rows} rows`;
  });
  return `holds ${ids.length} tests (${told.join("; ")}). Export the one that is wanted as CSV.`;
}

function isDate(days: number): boolean {
  return days > 20_000 && days < 80_000;
}

/** When Test_Time was 0. Older software writes whole seconds. */
function startOf(dates: Float64Array, time_s: Float64Array): string | null {
  const first = dates.findIndex((days, row) => isDate(days) && Math.abs(time_s[row]!) < 1e10);
  if (first < 0) return null;
  const isWhole = dates
    .subarray(0, 1000)
    .every((days) => !isDate(days) || Math.abs(days * 86400 - Math.round(days * 86400)) < 2e-3);
  return civilText(clockZero(fromOleDays(dates[first]!), time_s[first]!, isWhole));
}

/** Charge in minus charge out through the record; a counter that falls to less than half began anew at 0. */
function netCharge(charged: Float64Array, discharged: Float64Array): Float64Array {
  const net = new Float64Array(charged.length);
  const gain = (counter: Float64Array, row: number): number => {
    const [before, now] = [counter[row - 1]!, counter[row]!];
    const passed = now < 0.5 * before ? now : now - before;
    return Number.isNaN(passed) ? 0 : passed;
  };
  for (let row = 1; row < net.length; row++) net[row] = net[row - 1]! + gain(charged, row) - gain(discharged, row);
  return net;
}
