/**
 * The records of Neware's BTS 9 (.nda versions 129 and 130), little-endian.
 *
 *     16  u16 generation of the records               82  u64 begin and length of the records
 *     Where begin is 0 and a header "NEWARE" stands at 1024: one header after another, each with its records (82 in it)
 *     and, at 242, begin and length of its last block, behind which the next header stands.
 *
 *     generations 2, 3 (BTS 9.0), 88 bytes        generations from 19 (BTS 9.1), 52, 56 or 60 bytes
 *     0   device, unit, channel                   0   u8 0x55, u8 device
 *     4   u8 0x55 a row                           2   u8 step, u8 status
 *     9   u8 step, u8 status                      8   u32 number of the row
 *     16  u32 number of the row                   12  u32 s, u32 ns since the test began
 *     28  u64 us since the step began             20  f32 mA, f32 V
 *     36  f32 V, f32 mA                           28  f32 mA.s, f32 mW.s in the step, discharging negative
 *     52  f32 mA.s, mW.s in, mA.s, mW.s out       52, 56 bytes: 36 u32 cycle, 44 u32 s, u32 ns UTC, 52 f32 temperature
 *     68  u64 us since 1970, UTC                  60 bytes: 36 u32 s, u32 ns UTC, 48 f32 temperature, 52 u32 cycle
 *
 * Source: NewareNDA and fastnda (BSD-3), checked on files of generations 3 and 19 against the vendor's exports.
 */
import type { CyclingFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { newareColumns, newareRecord, type NewareRows } from "./neware-record.js";
import { baseName } from "./text.js";

const HEADER_BYTES = 1024;
const CHUNK_BYTES = 1 << 22;
/** Blocks of records that are followed. */
const BLOCKS = 10_000;
const KIND = 0x55;
const checkedGenerations = new Set([2, 3, 19]);
const CURE = "Open it in Neware's BTSDA and export it as CSV.";
/** Stamps are so coarse that the time in the step orders rows between them. */
const RESOLUTION_S = 0.02;

interface Block {
  readonly begin: number;
  readonly length: number;
}

interface Fields {
  readonly bytes: number;
  readonly kind: number;
  readonly old: boolean;
  /** Of cycle and date in a record of BTS 9.1. */
  readonly cycle: number;
  readonly date: number;
}

/** Reads an .nda of BTS 9. Throws FormatError for records of unknown length or kind. Memory: about three times the file's size. */
export async function readBts9(source: ByteSource, version: number): Promise<CyclingFile> {
  const warnings: string[] = [];
  const say = (sentence: string): void => void warnings.push(`${baseName(source.name)}: ${sentence}`);
  const head = await readBytes(source, 0, HEADER_BYTES);
  const generation = head.length < 18 ? 0 : new DataView(head.buffer, head.byteOffset).getUint16(16, true);
  const blocks = await findBlocks(source, head);
  const fields = await fieldsOf(source, blocks);
  if (fields !== null && !checkedGenerations.has(generation)) {
    say(`records of generation ${generation} have not been compared with the vendor's own export: check the values.`);
  }
  const rows = await readRows(source, blocks, fields, say);
  return newareRecord(rows, {
    name: source.name,
    format: "neware-nda",
    columns: fields?.bytes === 56 || fields?.bytes === 60 ? [...newareColumns, "T1"] : newareColumns,
    resolution_s: RESOLUTION_S,
    elapsed: fields?.old === false ? "test" : "step",
    clock: "utc",
    started: null,
    settings: { "nda version": version, "generation of records": generation },
    warnings,
  });
}

async function findBlocks(source: ByteSource, head: Uint8Array): Promise<Block[]> {
  if (head.length < HEADER_BYTES) {
    throw new FormatError(
      `${source.name}: the file was cut after ${source.size} bytes, inside its header. Copy it again.`,
      { path: source.name, offset: source.size },
    );
  }
  const pointer = (bytes: Uint8Array, at: number): Block => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return { begin: Number(view.getBigUint64(at, true)), length: Number(view.getBigUint64(at + 8, true)) };
  };
  const main = pointer(head, 82);
  if (main.begin >= HEADER_BYTES && main.begin < source.size && main.length > 0) return [main];
  const blocks: Block[] = [];
  for (let at = HEADER_BYTES; main.begin === 0 && blocks.length < BLOCKS;) {
    const next = await readBytes(source, at, 258);
    if (next.length < 258 || String.fromCharCode(...next.subarray(0, 6)) !== "NEWARE") break;
    const block = pointer(next, 82);
    if (block.length > 0 && block.begin > at && block.begin < source.size) blocks.push(block);
    const last = pointer(next, 242);
    if (!(last.begin + last.length > at)) break;
    at = last.begin + last.length;
  }
  if (blocks.length > 0) return blocks;
  return source.size > HEADER_BYTES ? [{ begin: HEADER_BYTES, length: source.size - HEADER_BYTES }] : [];
}

/** How the records are built, by the first of them; null where there are none. */
async function fieldsOf(source: ByteSource, blocks: readonly Block[]): Promise<Fields | null> {
  const [first] = blocks;
  if (first === undefined) return null;
  const bytes = await readBytes(source, first.begin, Math.min(first.length, 1024));
  if (bytes.length < 52) return null;
  const repeats = (length: number, from: number, to: number): boolean => {
    for (let at = from; at < to; at++) if (length + at < bytes.length && bytes[at] !== bytes[length + at]) return false;
    return true;
  };
  if (bytes[0] === KIND && !(bytes[4] === KIND && repeats(88, 0, 4))) {
    const fits = (length: number): number => (first.length % length === 0 ? 0 : 1);
    for (const length of [56, 52, 60].sort((a, b) => fits(a) - fits(b))) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      if (!repeats(length, 0, 2)) continue;
      if (length + 12 <= bytes.length && view.getUint32(length + 8, true) - view.getUint32(8, true) > 1000) continue;
      const late = length === 60;
      return { bytes: length, kind: 0, old: false, cycle: late ? 52 : 36, date: late ? 36 : 44 };
    }
  }
  if (bytes[4] === KIND) return { bytes: 88, kind: 4, old: true, cycle: -1, date: 68 };
  throw new FormatError(
    `${source.name}: the records at byte ${first.begin} begin with ${hex(bytes.subarray(0, 8))}, or have another length ` +
      `than the 52, 56, 60 and 88 bytes that are known. ${CURE}`,
    { path: source.name, offset: first.begin },
  );
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

async function readRows(
  source: ByteSource,
  blocks: readonly Block[],
  fields: Fields | null,
  say: (sentence: string) => void,
): Promise<NewareRows> {
  const size = fields?.bytes ?? 1;
  const present = blocks.map(({ begin, length }) => ({
    begin,
    records: fields === null ? 0 : Math.floor(Math.min(length, source.size - begin) / size),
  }));
  const room = Math.min(
    present.reduce((sum, { records }) => sum + records, 0),
    Math.ceil(source.size / size),
  );
  const lost = blocks.reduce((sum, { begin, length }) => sum + Math.max(0, begin + length - source.size), 0);
  if (lost > 0 && fields === null) say(`the file was cut after ${source.size} bytes, before its first row.`);
  else if (lost > 0) {
    say(
      `the file was cut after ${source.size} bytes: ${Math.ceil(lost / size)} of ${room + Math.ceil(lost / size)} records are lost.`,
    );
  }
  const column = (): Float64Array => new Float64Array(room);
  const [index, step, cycle, stamp_s] = [column(), column(), column(), column()];
  const [elapsed_s, potential_V, current_mA, stepCharge_mAh] = [column(), column(), column(), column()];
  let row = 0;
  const take = (view: DataView, at: number, { kind, old, ...place }: Fields): void => {
    const number = view.getUint32(at + (old ? 16 : 8), true);
    if (row >= room || view.getUint8(at + kind) !== KIND || number === 0) return;
    index[row] = number;
    step[row] = view.getUint8(at + (old ? 9 : 2));
    if (old) {
      stamp_s[row] = Number(view.getBigUint64(at + place.date, true)) / 1e6;
      elapsed_s[row] = Number(view.getBigUint64(at + 28, true)) / 1e6;
      potential_V[row] = view.getFloat32(at + 36, true);
      current_mA[row] = view.getFloat32(at + 40, true);
      const [into, out] = [view.getFloat32(at + 52, true), view.getFloat32(at + 60, true)];
      stepCharge_mAh[row] = (Math.abs(into) - Math.abs(out)) / 3600;
    } else {
      cycle[row] = view.getUint32(at + place.cycle, true) + 1;
      stamp_s[row] = view.getUint32(at + place.date, true) + view.getUint32(at + place.date + 4, true) / 1e9;
      elapsed_s[row] = view.getUint32(at + 12, true) + view.getUint32(at + 16, true) / 1e9;
      current_mA[row] = view.getFloat32(at + 20, true);
      potential_V[row] = view.getFloat32(at + 24, true);
      stepCharge_mAh[row] = view.getFloat32(at + 28, true) / 3600;
    }
    if (!(stamp_s[row]! > FIRST_STAMP_S && stamp_s[row]! < LAST_STAMP_S)) stamp_s[row] = NaN;
    row++;
  };
  const atOnce = Math.max(1, Math.floor(CHUNK_BYTES / size));
  for (const { begin, records } of fields === null ? [] : present) {
    for (let record = 0; record < records; record += atOnce) {
      const bytes = await readBytes(source, begin + record * size, Math.min(atOnce, records - record) * size);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let at = 0; at + size <= bytes.length; at += size) take(view, at, fields!);
    }
  }
  const cut = (values: Float64Array): Float64Array => values.subarray(0, row);
  return {
    index: cut(index),
    step: cut(step),
    cycle: fields?.old === false ? cut(cycle) : null,
    stamp_s: cut(stamp_s),
    elapsed_s: cut(elapsed_s),
    potential_V: cut(potential_V),
    current_mA: cut(current_mA),
    stepCharge_mAh: cut(stepCharge_mAh),
  };
}

const FIRST_STAMP_S = Date.UTC(1990) / 1000;
const LAST_STAMP_S = Date.UTC(2100) / 1000;
