/**
 * The potentiostat's record in an operando recording: /potentiostat_value, rows without names.
 *
 * What a row means is not in the file and has been misread in print, so it is never guessed: the user states it, seeing
 * what each row looks like, and a statement that the numbers contradict is refused.
 */
import type { CyclingFile } from "../model/cycling.js";
import { FormatError, ParameterError } from "../model/errors.js";
import type { CyclingOptions } from "./cycling.js";
import { castColumns, type Role } from "./csv-roles.js";
import { cyclingRecord, medianStep } from "./cycling-record.js";
import type { Hdf5Dataset, Hdf5File } from "./hdf5.js";
import { cameraTimes, rangeInWords } from "./operando-hdf5.js";
import { baseName } from "./text.js";

/** The table of a file with /potentiostat_value; undefined where there is none. */
export function potentiostatTable(file: Hdf5File): Hdf5Dataset | undefined {
  return file.find("/potentiostat_value");
}

const mostRows = 32;
const flag = "--potentiostat-rows";

/**
 * The record of /potentiostat_value, its rows named by `options.potentiostatRows`: time_s, potential_V, current_mA,
 * charge_mAh and the like in other units (time_ms, current_A), "" for a row of no use.
 * Throws ParameterError (parameter "potentiostatRows") without names, saying what each row looks like, and where the
 * numbers contradict a name; FormatError where the table cannot be rows of one length.
 */
export function readPotentiostat(file: Hdf5File, table: Hdf5Dataset, options: CyclingOptions = {}): CyclingFile {
  const { name } = file;
  const warnings: string[] = [];
  const say = (sentence: string): void => void warnings.push(`${baseName(name)}: ${sentence}`);
  const rows = tableRows(file, table, say);
  const looks = rows.map(lookOf);
  const told = looks.map((look, row) => `row ${row}: ${look.words}`).join("; ");
  const wrong = (what: string, value: unknown): ParameterError =>
    new ParameterError(`${name}: ${what} The rows of ${table.path} look so: ${told}.`, {
      parameter: "potentiostatRows",
      value,
    });
  const names = options.potentiostatRows;
  if (names === undefined) {
    const guess = looks.map(({ likely }) => likely).join(",");
    const inAmperes = guess.includes("current_mA") ? " (or current_A)" : "";
    throw wrong(
      `the file does not say what the rows of ${table.path} are; confirm it by ${flag} ${guess}${inAmperes}.`,
      null,
    );
  }
  const value = names.join(",");
  if (names.length !== rows.length) {
    throw wrong(
      `${flag} names ${names.length} rows (${value}), the file has ${rows.length}. Leave a name empty for no use.`,
      value,
    );
  }
  const roles = castColumns(names);
  const { time, potential, current, charge } = roles;
  const used = [time, potential, current, charge].flatMap((role) => (role === null ? [] : [role.at]));
  const unknown = names.findIndex((text, at) => text !== "" && !used.includes(at));
  if (unknown >= 0) {
    throw wrong(
      `${flag}: "${names[unknown]}" is no name of a row, or the second of its kind. Known are time_s, potential_V, current_mA, charge_mAh, other units (time_ms, current_A), and nothing.`,
      value,
    );
  }
  if (time === null || potential === null) {
    throw wrong(`${flag} ${value} names no ${time === null ? "time" : "potential"}.`, value);
  }
  refuseContradictions({ time, potential, current }, rows, looks, (what) => wrong(`${flag} ${value}: ${what}`, value));
  const scaled = (role: Role | null): Float64Array | null =>
    role === null ? null : rows[role.at]!.map((number) => number * role.factor);
  const time_s = scaled(time)!;
  sayOfClock(file, time_s, say);
  return cyclingRecord({
    name,
    format: "operando-hdf5",
    start: null,
    columns: names.map((text, row) => (text === "" ? `row ${row}` : text)),
    time_s,
    potential_V: scaled(potential)!,
    current_mA: scaled(current),
    charge_mAh: scaled(charge),
    rest: false,
    cycles: null,
    warnings,
  });
}

/** The table's rows, whichever way round it was written, without the zeros that its writer did not fill. */
function tableRows(file: Hdf5File, table: Hdf5Dataset, say: (sentence: string) => void): Float64Array[] {
  const { shape } = table;
  const [first, second] = shape;
  const refuse = (what: string): never => {
    throw new FormatError(
      `${file.name}: ${table.path} is ${shape.join(" x ") || "scalar"} ${table.typeName}, ${what}.`,
      { path: file.name },
    );
  };
  if (shape.length !== 2 || table.type === null) return refuse("not rows of numbers");
  const [count, length] = first! <= second! ? [first!, second!] : [second!, first!];
  if (count < 2 || count > mostRows) return refuse(`${count} rows; 2 to ${mostRows} are expected`);
  const numbers = file.numbers(table);
  const rows = Array.from({ length: count }, (_, row) =>
    first! <= second!
      ? numbers.slice(row * length, (row + 1) * length)
      : Float64Array.from({ length }, (_, at) => numbers[at * count + row]!),
  );
  let filled = length;
  while (filled > 0 && rows.every((row) => row[filled - 1] === 0 || Number.isNaN(row[filled - 1]))) filled--;
  if (filled < length) say(`the last ${length - filled} entries of ${table.path} are empty and are left out.`);
  return rows.map((row) => row.subarray(0, filled));
}

interface Look {
  readonly rises: boolean;
  readonly likely: "" | "time_s" | "potential_V" | "current_mA";
  readonly words: string;
}

/** What a row looks like; `likely` is a suggestion for the user to confirm, not a fact. */
function lookOf(row: Float64Array): Look {
  let min = Infinity;
  let max = -Infinity;
  let negative = 0;
  let falls = 0;
  for (let at = 0; at < row.length; at++) {
    const value = row[at]!;
    if (value < min) min = value;
    if (value > max) max = value;
    if (value < 0) negative++;
    if (at > 0 && value < row[at - 1]!) falls++;
  }
  const rises = row.length > 1 && falls === 0 && max > min;
  const inVolts = min >= -0.5 && max <= 6;
  const signed = negative > 0 && negative < row.length;
  const likely =
    rises && max - min > 6
      ? "time_s"
      : inVolts && !rises && max > 0.5 && median(row) > 0.05
        ? "potential_V"
        : signed && max - min < 1e4
          ? "current_mA"
          : "";
  const course = max === min ? "constant" : rises ? "never falls" : `falls ${falls} times`;
  const meaning =
    likely === "time_s"
      ? max > 1e12
        ? "a clock's ticks"
        : "a time, unit not told"
      : likely === "potential_V"
        ? "likely volts"
        : likely === "current_mA"
          ? "likely a current, unit not told"
          : "unknown";
  return { rises, likely: max > 1e12 ? "" : likely, words: `${rangeInWords(row)}, ${course}, ${meaning}` };
}

function median(row: Float64Array): number {
  const step = Math.max(1, Math.floor(row.length / 10_000));
  const some = row.filter((value, at) => at % step === 0 && Number.isFinite(value)).sort();
  return some[some.length >> 1] ?? NaN;
}

function refuseContradictions(
  { time, potential, current }: { readonly time: Role; readonly potential: Role; readonly current: Role | null },
  rows: readonly Float64Array[],
  looks: readonly Look[],
  wrong: (what: string) => ParameterError,
): void {
  const clock = rows[time.at]!;
  if (clock.some((value, at) => !Number.isFinite(value) || (at > 0 && value < clock[at - 1]!))) {
    throw wrong(`row ${time.at} is no time, for it falls.`);
  }
  if (clock.length > 2 && medianStep(clock) === 0 && !looks[time.at]!.rises)
    throw wrong(`row ${time.at} is no time, for it stands still.`);
  const volts = largest(rows[potential.at]!) * potential.factor;
  if (volts > 20) throw wrong(`row ${potential.at} is no potential, for it reaches ${volts.toPrecision(4)} V.`);
  if (current === null) return;
  const milliamperes = largest(rows[current.at]!) * current.factor;
  if (milliamperes > 1e6)
    throw wrong(`row ${current.at} is no current, for it reaches ${milliamperes.toPrecision(4)} mA.`);
  if (looks[current.at]!.likely === "time_s") throw wrong(`row ${current.at} is no current, for it never falls.`);
  if (looks[potential.at]!.likely === "current_mA" && looks[current.at]!.likely === "potential_V") {
    throw wrong(`rows ${potential.at} and ${current.at} look exchanged: the current has the range of a potential.`);
  }
}

function largest(row: Float64Array): number {
  return row.reduce((most, value) => (Math.abs(value) > most ? Math.abs(value) : most), 0);
}

/** What is known of the record's clock and the camera's: both count seconds, their zeros are not stated. */
function sayOfClock(file: Hdf5File, time_s: Float64Array, say: (sentence: string) => void): void {
  const movie = file.find("/movie");
  const frames = movie?.shape[0] ?? 0;
  const camera = frames > 0 ? cameraTimes(file, frames, () => undefined) : null;
  const span = `${Number((time_s[0] ?? NaN).toPrecision(8))} to ${Number((time_s.at(-1) ?? NaN).toPrecision(8))} s`;
  if (camera === null) {
    say(`the record runs from ${span}; where its zero lies on the camera's clock is not in the file.`);
    return;
  }
  const last_s = camera.first_s + (camera.time_s.findLast((value) => !Number.isNaN(value)) ?? 0);
  const seconds = (value: number): number => Number(value.toPrecision(8));
  say(
    `the record runs from ${span}, the camera from ${seconds(camera.first_s)} to ${seconds(last_s)} s; that both count from one ` +
      `moment is not in the file. If they do, say --offset-s ${seconds(-camera.first_s) || 0}.`,
  );
  const ratio = ((time_s.at(-1) ?? 0) - (time_s[0] ?? 0)) / (last_s - camera.first_s);
  if (ratio > 100 || ratio < 0.01) {
    say(`the record lasts ${ratio.toPrecision(2)} times as long as the movie; check the unit of its time.`);
  }
}
