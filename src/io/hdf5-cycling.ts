/**
 * Cycling in HDF5: the potentiostat's rows of an operando recording, or tables with named columns.
 *
 * A file that holds neither is told by its list of datasets.
 */
import type { CyclingFile, OtherFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import type { ByteSource } from "./bytes.js";
import type { CyclingOptions } from "./cycling.js";
import { countDistinct, cyclingRecord } from "./cycling-record.js";
import type { Role } from "./csv-roles.js";
import { datasetsInWords, maxNumbers, openHdf5, type Hdf5File } from "./hdf5.js";
import { namedTables, recordRoles, type NamedTable } from "./hdf5-pandas.js";
import { potentiostatTable, readPotentiostat } from "./hdf5-potentiostat.js";
import { baseName } from "./text.js";

/**
 * Reads the cycling record of an HDF5 file, else says what the file holds. Tables with named columns of time, potential
 * and current are taken as they are, several in the order of their names; the rows of /potentiostat_value need
 * `options.potentiostatRows` and are taken where that is given or nothing else is there.
 * Throws FormatError for a file that the library cannot read, ParameterError for rows without or against their names.
 */
export async function readHdf5Cycling(
  source: ByteSource,
  options: CyclingOptions = {},
): Promise<CyclingFile | OtherFile> {
  const file = await openHdf5(source);
  try {
    const rows = potentiostatTable(file);
    const tables = namedTables(file).filter((table) => recordRoles(table) !== null);
    if (rows !== undefined && (options.potentiostatRows !== undefined || tables.length === 0)) {
      return readPotentiostat(file, rows, options);
    }
    if (tables.length > 0) return readTables(file, tables, rows !== undefined);
    return {
      name: source.name,
      format: "hdf5",
      description: `an HDF5 file with ${datasetsInWords(file)}.`,
      warnings: [],
    };
  } finally {
    file.close();
  }
}

const natural = new Intl.Collator("en", { numeric: true });

function readTables(file: Hdf5File, found: readonly NamedTable[], hasRows: boolean): CyclingFile {
  const warnings: string[] = [];
  const say = (sentence: string): void => void warnings.push(`${baseName(file.name)}: ${sentence}`);
  const tables = [...found].sort((a, b) => natural.compare(a.path, b.path));
  const total = tables.reduce((sum, { rows }) => sum + rows, 0);
  if (total > maxNumbers / 4) {
    throw new FormatError(
      `${file.name}: holds ${total} rows of a record; up to ${maxNumbers / 4} are read. Split it.`,
      {
        path: file.name,
      },
    );
  }
  const joined = (pick: (table: NamedTable) => Role | null): Float64Array => {
    const all = new Float64Array(total);
    let at = 0;
    for (const table of tables) {
      const role = pick(table);
      if (role === null) all.fill(NaN, at, at + table.rows);
      else
        all.set(
          table.column(role.at).map((value) => value * role.factor),
          at,
        );
      at += table.rows;
    }
    return all;
  };
  const roles = new Map(tables.map((table) => [table, recordRoles(table)!]));
  if (tables.length > 1)
    say(`${tables.length} tables are laid one after another: ${tables.map(({ path }) => path).join(", ")}.`);
  if (hasRows)
    say(
      "the rows of /potentiostat_value are not used: the named table is. Name them by --potentiostat-rows to use them.",
    );
  for (const [table, { time, potential, current }] of roles) {
    for (const role of [time, potential, current]) {
      if (!role!.unitStated)
        say(`column ${table.columns[role!.at]} of ${table.path} names no unit; s, V and A are taken.`);
    }
  }
  const oneCharge = tables.length === 1 && roles.get(tables[0]!)!.charge !== null;
  const [only] = tables;
  const cycle = tables.length === 1 ? roles.get(only!)!.cycle : null;
  const half = tables.length === 1 ? roles.get(only!)!.halfCycle : null;
  return cyclingRecord({
    name: file.name,
    format: "pandas-hdf5",
    start: null,
    columns: [...new Set(tables.flatMap(({ columns }) => columns))],
    time_s: joined((table) => roles.get(table)!.time),
    potential_V: joined((table) => roles.get(table)!.potential),
    current_mA: joined((table) => roles.get(table)!.current),
    charge_mAh: oneCharge ? joined((table) => roles.get(table)!.charge) : null,
    rest: false,
    cycles:
      half !== null
        ? countDistinct(only!.column(half.at)) / 2
        : cycle !== null
          ? countDistinct(only!.column(cycle.at))
          : null,
    warnings,
  });
}
