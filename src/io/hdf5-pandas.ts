/**
 * Tables with named columns in HDF5, as pandas and PyTables write them.
 *
 *     fixed frame    group with axis0 (names), axis1 (index), block<k>_items (names), block<k>_values (rows, names)
 *     structured     dataset of one axis whose elements are records of named numbers, or of rows of them (pandas' tables)
 *
 * Names come as text of fixed length. Blocks of Python objects are not read.
 */
import { castColumns, type Roles } from "./csv-roles.js";
import type { Hdf5Dataset, Hdf5File } from "./hdf5.js";
import { sampleType, toNumbers, type SampleType } from "./hdf5-samples.js";

/** A table whose columns have names, read when asked for. */
export interface NamedTable {
  /** "/time_series_data". */
  readonly path: string;
  readonly rows: number;
  /** Names of its columns of numbers. */
  readonly columns: readonly string[];
  column(at: number): Float64Array;
}

/** All tables with named columns of a file. */
export function namedTables(file: Hdf5File): NamedTable[] {
  const frames = file.datasets
    .filter(({ path }) => path.endsWith("/axis0"))
    .flatMap(({ path }) => fixedFrame(file, path.slice(0, -"/axis0".length)) ?? []);
  return [...frames, ...file.datasets.flatMap((dataset) => structured(file, dataset) ?? [])];
}

/** The columns that make a cycling record; null where a table lacks time, potential or current. */
export function recordRoles(table: NamedTable): Roles | null {
  const roles = castColumns(table.columns);
  return roles.time === null || roles.potential === null || roles.current === null ? null : roles;
}

function fixedFrame(file: Hdf5File, group: string): NamedTable | null {
  const columns: string[] = [];
  const places: {
    readonly block: Hdf5Dataset;
    readonly at: number;
    readonly width: number;
    readonly transposed: boolean;
  }[] = [];
  let rows: number | null = null;
  for (const values of file.datasets) {
    const block = /^(.*)\/block(\d+)_values$/.exec(values.path);
    if (block === null || block[1] !== group || values.type === null || values.shape.length !== 2) continue;
    const items = file.find(`${group}/block${block[2]}_items`);
    const names = items === undefined ? [] : file.texts(items);
    const transposed = values.shape[1] !== names.length;
    const [length, width] = transposed ? [values.shape[1]!, values.shape[0]!] : [values.shape[0]!, values.shape[1]!];
    if (width !== names.length || (rows !== null && rows !== length)) continue;
    rows = length;
    for (const [at, name] of names.entries()) {
      columns.push(name);
      places.push({ block: values, at, width, transposed });
    }
  }
  if (rows === null) return null;
  const length = rows;
  const read = new Map<string, Float64Array>();
  return {
    path: group,
    rows,
    columns,
    column(index) {
      const { block, at, width, transposed } = places[index]!;
      const numbers = read.get(block.path) ?? file.numbers(block);
      read.set(block.path, numbers);
      return Float64Array.from({ length }, (_, row) => numbers[transposed ? at * length + row : row * width + at]!);
    },
  };
}

/** Rows of records read at once. */
const batchBytes = 1 << 22;

/** A named column among the bytes of a record. */
interface Field {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly sample: SampleType;
}

/** Numbers by their names; of a member that is a row of numbers, those whose names pandas keeps in an attribute. */
function fieldsOf(file: Hdf5File, { path, stored }: Hdf5Dataset): Field[] {
  return (stored.compound_type?.members ?? []).flatMap((member): Field[] => {
    const { name, offset, size, array_type } = member;
    const single = sampleType(member).type;
    if (single !== null) return [{ name, offset, size, sample: single }];
    const each = array_type === undefined ? null : sampleType(array_type).type;
    if (array_type === undefined || each === null) return [];
    // A pickled list of texts, one on a line behind a V.
    const kind = file.attribute(path, `${name}_kind`);
    const names = typeof kind === "string" ? [...kind.matchAll(/^a?V(.*)$/gm)].map((match) => match[1]!) : [];
    if (names.length !== array_type.total_size) return [];
    return names.map((text, at) => ({
      name: text,
      offset: offset + at * array_type.size,
      size: array_type.size,
      sample: each,
    }));
  });
}

function structured(file: Hdf5File, dataset: Hdf5Dataset): NamedTable | null {
  const fields = fieldsOf(file, dataset);
  if (fields.length === 0 || dataset.shape.length !== 1) return null;
  const rows = dataset.shape[0]!;
  return {
    path: dataset.path,
    rows,
    columns: fields.map(({ name }) => name),
    column(at) {
      const { offset, size, sample } = fields[at]!;
      const numbers = new Float64Array(rows);
      const most = Math.max(1, Math.floor(batchBytes / dataset.bytes));
      const packed = new Uint8Array(most * size);
      for (let first = 0; first < rows; first += most) {
        const count = Math.min(most, rows - first);
        const bytes = new Uint8Array(count * dataset.bytes);
        file.readBlock(dataset, [first], [count], bytes);
        for (let row = 0; row < count; row++) {
          const from = row * dataset.bytes + offset;
          packed.set(bytes.subarray(from, from + size), row * size);
        }
        numbers.set(toNumbers(packed.subarray(0, count * size), sample), first);
      }
      return numbers;
    },
  };
}
