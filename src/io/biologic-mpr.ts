/** BioLogic .mpr, the binary record of EC-Lab and BT-Lab, in the module frames before and since version 11.50. */
import type { CyclingFile, OtherFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { mprColumn, mprWidth, type MprColumn } from "./biologic-columns.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { civilText, fromOleDays } from "./civil-time.js";
import { countDistinct, currentFromCharge, cyclingRecord, differences, runningSum } from "./cycling-record.js";
import { baseName } from "./text.js";

const MAGIC = "BIO-LOGIC MODULAR FILE\x1a";
const FIRST_MODULE = 52;

interface Module {
  readonly name: string;
  /** Where the body begins in the file. */
  readonly body: number;
  /** Bytes of the body that the frame promises. */
  readonly length: number;
  /** Bytes of it that the file has. */
  readonly present: number;
  readonly version: number;
  readonly newFrame: boolean;
}

interface Field extends MprColumn {
  readonly id: number;
  /** Byte offset in a record. */
  readonly at: number;
}

/** Whether a file's first bytes are those of an .mpr. */
export function sniffMpr(head: Uint8Array): boolean {
  return MAGIC === String.fromCharCode(...head.subarray(0, MAGIC.length));
}

/**
 * Reads an .mpr.
 *
 * `potential_V` is Ewe, else <Ewe>. `current_mA` is I, else <I>, else 3600 dq / dt with dq the charge since the last
 * row (as EC-Lab exports it: 0 in the first row, the last value where dt is 0), else the slope of (Q-Qo). `charge_mAh`
 * is the file's (Q-Qo), else the running sum of dq, else the integral of the current. `cycles` is half the number of
 * half cycles. `start` comes from the log module; masses in the file are mostly defaults and are not read.
 *
 * A file that was cut gives its whole rows and a warning. Throws FormatError, with the byte offset, for a file cut
 * before its data, and for columns of unknown width that leave the place of the others open.
 */
export async function readMpr(source: ByteSource): Promise<CyclingFile | OtherFile> {
  const warnings: string[] = [];
  const say = (sentence: string): void => void warnings.push(`${baseName(source.name)}: ${sentence}`);
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
  const start = await readStart(source, modules);
  if (start === null) say("the file has no log module with a start time: when it began is unknown.");
  const settings = modules.find(({ name }) => name === "VMP Set");
  const technique = settings === undefined ? NaN : ((await readBytes(source, settings.body, 1))[0] ?? NaN);
  const columns = layout.fields.map(({ name }) => name);

  const has = (id: number): Field | undefined => layout.fields.find((field) => field.id % 256 === id);
  const time = has(4);
  const potential = has(6) ?? has(77) ?? has(174);
  if (layout.rows > 0 && (time === undefined || potential === undefined)) {
    const missing = time === undefined ? "time" : "working electrode potential";
    return {
      name: source.name,
      format: "biologic-mpr",
      description: `${has(32) === undefined ? "a BioLogic record" : "an impedance spectrum"} without a column of ${missing}.`,
      start,
      rows: layout.rows,
      columns,
      warnings,
    };
  }
  const wanted = [4, 6, 77, 174, 8, 11, 76, 7, 13, 178, 20, 212, 24, 1].map(has).filter((field) => field !== undefined);
  const values = await readRecords(source, layout, wanted);
  const column = (...ids: number[]): Float64Array | null => {
    for (const id of ids) {
      const field = has(id);
      if (field !== undefined) return values.get(field)!;
    }
    return null;
  };

  const empty = new Float64Array(0);
  const time_s = column(4) ?? empty;
  const dq_mAh = column(7);
  const charge_mAh = column(13) ?? scaled(column(178), 1 / 3.6) ?? runningSum(dq_mAh);
  let current_mA = column(8) ?? column(11, 76);
  if (current_mA === null && charge_mAh !== null) {
    current_mA = currentFromCharge(time_s, dq_mAh ?? differences(charge_mAh));
  }
  if (current_mA === null && has(20) !== undefined) {
    current_mA = column(20);
    say("the file has no measured current: the set current is used.");
  }
  if (has(32) !== undefined && has(37) !== undefined && current_mA !== null && [0x1d, 0x1e].includes(technique)) {
    say("the rows are the frequencies of an impedance spectrum, with the mean potential and current of each.");
  }
  const halfCycle = column(212);
  const cycle = column(24);
  const mode = column(1);
  return cyclingRecord({
    name: source.name,
    format: "biologic-mpr",
    start,
    columns,
    time_s,
    potential_V: column(6, 77, 174) ?? empty,
    current_mA,
    charge_mAh,
    rest: technique === 0x0b || (mode !== null && mode.every((bits) => (bits & 3) === 3)),
    cycles: halfCycle !== null ? countDistinct(halfCycle) / 2 : cycle !== null ? countDistinct(cycle) : null,
    warnings,
  });
}

/** Walks the modules; stops with a sentence where the file ends or something else stands in a module's place. */
async function readModules(source: ByteSource, say: (sentence: string) => void): Promise<Module[]> {
  const modules: Module[] = [];
  let at = FIRST_MODULE;
  while (at < source.size) {
    const frame = await readBytes(source, at, 65);
    if (frame.length < 57 || latin(frame, 0, 6) !== "MODULE") {
      const what = frame.length < 57 ? "the file was cut" : "there is no module";
      say(`${what} at byte ${at}: what follows was not read.`);
      break;
    }
    const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
    const newFrame = view.getUint32(41, true) === 0xffffffff;
    const length = view.getUint32(newFrame ? 45 : 41, true);
    const body = at + (newFrame ? 65 : 57);
    modules.push({
      name: latin(frame, 6, 16).trim(),
      body,
      length,
      present: Math.max(0, Math.min(length, source.size - body)),
      version: newFrame ? 0 : view.getUint32(45, true),
      newFrame,
    });
    at = body + length;
    if (at > source.size && modules.at(-1)!.name !== "VMP data") {
      say(`the file was cut inside its module ${modules.at(-1)!.name}.`);
    }
  }
  return modules;
}

interface Layout {
  readonly fields: readonly Field[];
  /** Whole rows that the file has. */
  readonly rows: number;
  readonly recordBytes: number;
  /** Where the first record begins in the file. */
  readonly first: number;
}

async function readLayout(source: ByteSource, data: Module, say: (sentence: string) => void): Promise<Layout> {
  const head = await readBytes(source, data.body, Math.min(data.present, 1007));
  const refuse = (message: string, offset: number): never => {
    throw new FormatError(`${source.name}: ${message}`, {
      path: source.name,
      offset: Math.min(source.size, data.body + offset),
    });
  };
  const wide = data.newFrame || data.version >= 2;
  const count = head[4] ?? 0;
  if (head.length < 5 + (wide ? 2 : 1) * count) {
    refuse(`the file was cut after ${source.size} bytes, inside the list of its columns. Copy it again.`, head.length);
  }
  const firstRecord = data.newFrame ? 1007 : { 0: 100, 2: 405, 3: 406 }[data.version];
  if (firstRecord === undefined) {
    return refuse(
      `data module of version ${data.version}; versions 0, 2, 3 and those of EC-Lab 11.50 and later are read. Export it as text (.mpt).`,
      0,
    );
  }
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const rows = view.getUint32(0, true);
  const ids = Array.from({ length: count }, (_, index) =>
    wide ? view.getUint16(5 + 2 * index, !data.newFrame) : head[5 + index]!,
  );
  const recordBytes = rows === 0 ? 0 : (data.length - firstRecord) / rows;
  const fields = placeFields(ids, rows === 0 ? null : recordBytes);
  if (rows > 0 && fields === null) {
    const unknown = ids.filter((id) => mprColumn(id) === null);
    refuse(
      `${rows} rows of ${ids.length} columns do not fill the ${data.length - firstRecord} bytes of the data module` +
        (unknown.length === 0 ? "" : `; column ids of unknown width: ${unknown.join(", ")}`) +
        ". Export the run as text (.mpt).",
      firstRecord,
    );
  }
  const unknown = ids.filter((id) => mprColumn(id) === null);
  if (rows > 0 && unknown.length > 0) {
    say(`column ids ${unknown.join(", ")} are not known; their width follows from the length of a row.`);
  }
  const there = rows === 0 ? 0 : Math.max(0, Math.floor((data.present - firstRecord) / recordBytes));
  if (there < rows) say(`the file was cut: ${rows - there} of ${rows} rows are lost.`);
  return { fields: fields ?? [], rows: Math.min(rows, there), recordBytes, first: data.body + firstRecord };
}

/** Where each column lies in a record; unknown ids share what its length leaves. Null where it cannot be so. */
function placeFields(ids: readonly number[], recordBytes: number | null): Field[] | null {
  const known = ids.map(mprColumn);
  const unknown = known.filter((column) => column === null).length;
  let hasFlags = false;
  let bytes = 0;
  for (const column of known) {
    if (column === null) continue;
    if (column.type === "flag" && hasFlags) continue;
    hasFlags ||= column.type === "flag";
    bytes += mprWidth[column.type];
  }
  const types = { 1: "u1", 2: "u2", 4: "f4", 8: "f8" } as const;
  const left = recordBytes === null ? 4 : (recordBytes - bytes) / Math.max(1, unknown);
  const type = types[left as keyof typeof types];
  if (recordBytes !== null && (bytes === 0 || (unknown === 0 ? left !== 0 : type === undefined))) return null;

  const fields: Field[] = [];
  let at = 0;
  let flags = -1;
  for (const [index, id] of ids.entries()) {
    const column = known[index] ?? { name: `column ${id}`, type: type ?? "f4" };
    if (column.type === "flag" && flags >= 0) {
      fields.push({ ...column, id, at: flags });
      continue;
    }
    if (column.type === "flag") flags = at;
    fields.push({ ...column, id, at });
    at += mprWidth[column.type];
  }
  return fields;
}

const CHUNK_BYTES = 1 << 22;

async function readRecords(
  source: ByteSource,
  { rows, recordBytes, first }: Layout,
  fields: readonly Field[],
): Promise<Map<Field, Float64Array>> {
  const values = new Map(fields.map((field) => [field, new Float64Array(rows)]));
  const rowsAtOnce = Math.max(1, Math.floor(CHUNK_BYTES / Math.max(1, recordBytes)));
  for (let row = 0; row < rows; row += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - row);
    const bytes = await readBytes(source, first + row * recordBytes, count * recordBytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (const [{ at, type }, column] of values) {
      for (let index = 0, offset = at; index < count; index++, offset += recordBytes) {
        column[row + index] = readValue(view, offset, type);
      }
    }
  }
  return values;
}

function readValue(view: DataView, offset: number, type: MprColumn["type"]): number {
  switch (type) {
    case "f8":
      return view.getFloat64(offset, true);
    case "f4":
      return view.getFloat32(offset, true);
    case "u4":
      return view.getUint32(offset, true);
    case "u2":
      return view.getUint16(offset, true);
    default:
      return view.getUint8(offset);
  }
}

/** When the acquisition started: OLE days in the log module, at a place that moved between versions. */
async function readStart(source: ByteSource, modules: readonly Module[]): Promise<string | null> {
  const log = modules.find(({ name }) => name === "VMP LOG");
  if (log === undefined) return null;
  const bytes = await readBytes(source, log.body, Math.min(log.present, 0x251));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const at of [0x249, 465, 469, 473]) {
    if (at + 8 > bytes.length) continue;
    const days = view.getFloat64(at, true);
    if (days > 40000 && days < 50000) return civilText(fromOleDays(days));
  }
  return null;
}

function latin(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

function scaled(column: Float64Array | null, factor: number): Float64Array | null {
  return column === null ? null : column.map((value) => value * factor);
}
