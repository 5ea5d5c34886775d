/**
 * The streams (.ndc) in a Neware .ndax: pages of records, little-endian.
 *
 * Byte 0 kind (1 data, 5 auxiliary, 7 steps, 9 log, 16 programme, 18 runInfo), byte 2 version. A header of one page, then
 * pages of 4096 bytes: byte 0 kind + 1, u16 at 2 the number of records in the page, from 4 a bit for each
 * place (lowest first) that tells whether it holds a record, records from 132. A place may be empty before the last.
 * Versions 2, 4: pages of 512 bytes, records from 5, no bits: a record's own number is 0 where there is none.
 *
 *     data       11, 13, 16: f32 0.1 mV, f32 mA         12, 14, 17: f32 V, f32 A         2, 4, 5: whole rows
 *     steps      u32 cycle - 1, u32 step, u8 status at 24, u32 first row at 33; 37 bytes, 100 in 16 and 17
 *     runInfo    0  u32 ms in the step               5  f32 charge in, out, f32 energy in, out (mA.s; A.h in 12, 14, 17)
 *                29 i32 ms since the row before      33 u32 s since 1970, UTC      37 u32 steps begun
 *                41 u32 number of the row            45 u16 ms of the date         47 + 0, 8 or 53 bytes
 *
 * runInfo is sparse: rows that follow each other evenly are left out. Source: NewareNDA and fastnda (BSD-3), checked on
 * streams of versions 2, 14, 16 and 17; that the bits and the count tell empty places is our own finding.
 */
import type { RowLayout } from "./neware-layouts.js";

/** Kinds of streams by their first byte. */
export const ndcKinds = { data: 1, auxiliary: 5, steps: 7, runInfo: 18 } as const;

/** How the streams of a version are built. */
export interface NdcLayout {
  /** mA of a unit of current, V of a unit of potential, mAh of a unit of charge. */
  readonly current_mA: number;
  readonly potential_V: number;
  readonly charge_mAh: number;
  readonly stepBytes: number;
  readonly runInfoBytes: number;
  readonly checked: boolean;
}

const counts = { current_mA: 1, potential_V: 1e-4, charge_mAh: 1 / 3600 };
const units = { current_mA: 1000, potential_V: 1, charge_mAh: 1000 };

/** By the version of the data stream, where rows are spread over several streams. */
export const ndcLayouts: ReadonlyMap<number, NdcLayout> = new Map([
  [11, { ...counts, stepBytes: 37, runInfoBytes: 47, checked: true }],
  [12, { ...units, stepBytes: 37, runInfoBytes: 47, checked: false }],
  [13, { ...counts, stepBytes: 37, runInfoBytes: 55, checked: false }],
  [14, { ...units, stepBytes: 37, runInfoBytes: 55, checked: true }],
  [16, { ...counts, stepBytes: 100, runInfoBytes: 100, checked: true }],
  [17, { ...units, stepBytes: 100, runInfoBytes: 100, checked: true }],
]);

const PAGE = 4096;
const FIRST = 132;
const BITS = 4;
/** The last byte of a page holds no record. */
const END = 1;

/** Where a stream's records lie. */
export interface NdcPlaces {
  /** Byte offset of each record. */
  readonly at: Float64Array;
  /** Its place among all places of all pages, from 0. */
  readonly place: Float64Array;
}

/** The records of a stream with pages of 4096 bytes; those that a cut leaves whole. */
export function ndcPlaces(stream: Uint8Array, recordBytes: number): NdcPlaces {
  const each = Math.floor((PAGE - FIRST - END) / recordBytes);
  const room = each * Math.max(0, Math.ceil(stream.length / PAGE) - 1);
  const at = new Float64Array(room);
  const place = new Float64Array(room);
  let count = 0;
  for (let page = PAGE, first = 0; page + FIRST <= stream.length; page += PAGE, first += each) {
    const records = Math.min(each, stream[page + 2]! | (stream[page + 3]! << 8));
    const bit = (slot: number): number => (stream[page + BITS + (slot >>> 3)]! >>> (slot & 7)) & 1;
    let marked = 0;
    for (let slot = 0; slot < each; slot++) marked += bit(slot);
    const byBits = marked === records;
    for (let slot = 0; slot < each; slot++) {
      const offset = page + FIRST + slot * recordBytes;
      if (offset + recordBytes > stream.length) break;
      if (byBits ? bit(slot) === 0 : slot >= records) continue;
      at[count] = offset;
      place[count] = first + slot;
      count++;
    }
  }
  return { at: at.subarray(0, count), place: place.subarray(0, count) };
}

/** Offsets of what may be whole rows in a stream of version 2, 4 or 5: a row's own kind and number tell whether it is. */
export function ndcRowPlaces(stream: Uint8Array, version: number, layout: RowLayout): ArrayLike<number> {
  if (version === 5) {
    const marked = ndcPlaces(stream, layout.bytes).at;
    if (marked.length > 0) return marked;
  }
  const [page, first] = version === 5 ? [PAGE, FIRST] : [512, 5];
  const places: number[] = [];
  for (let from = page; from < stream.length; from += page) {
    for (let at = from + first; at + layout.bytes <= Math.min(from + page, stream.length); at += layout.bytes) {
      places.push(at);
    }
  }
  return places;
}

/** Potential and current of every row. */
export interface NdcData {
  /** A row's place in the stream, from 0. */
  readonly place: Float64Array;
  readonly potential_V: Float64Array;
  readonly current_mA: Float64Array;
}

/** The data stream of a version whose rows are spread over several streams. */
export function readNdcData(stream: Uint8Array, layout: NdcLayout): NdcData {
  const { at, place } = ndcPlaces(stream, 8);
  const view = viewOf(stream);
  const single = layout.potential_V !== 1;
  return {
    place,
    // f32 of 0.1 mV are whole counts: dividing keeps them exact.
    potential_V: at.map((offset) => view.getFloat32(offset, true) / (single ? 10_000 : 1)),
    current_mA: at.map((offset) => view.getFloat32(offset + 4, true) * layout.current_mA + 0),
  };
}

/** One entry of runInfo. */
export interface RunInfo {
  /** Number of the row, from 1. */
  readonly index: number;
  readonly elapsed_s: number;
  /** Since the row before, and between the rows that follow. */
  readonly interval_s: number;
  /** Seconds since 1970, UTC; NaN for none. */
  readonly stamp_s: number;
  readonly step: number;
  /** Charge passed within the step, charging positive. */
  readonly charge_mAh: number;
}

/** The entries of runInfo in the order of their rows, the first of each row. */
export function readRunInfo(stream: Uint8Array, layout: NdcLayout): RunInfo[] {
  const view = viewOf(stream);
  const entries: RunInfo[] = [];
  let isSorted = true;
  for (const at of ndcPlaces(stream, layout.runInfoBytes).at) {
    const index = view.getUint32(at + 41, true);
    const before = entries.at(-1)?.index ?? 0;
    if (index === 0 || index === before) continue;
    if (index < before) isSorted = false;
    const seconds = view.getUint32(at + 33, true);
    const charge = Math.abs(view.getFloat32(at + 5, true)) - Math.abs(view.getFloat32(at + 9, true));
    entries.push({
      index,
      elapsed_s: view.getUint32(at, true) / 1000,
      interval_s: Math.max(0, view.getInt32(at + 29, true)) / 1000,
      stamp_s: seconds === 0 ? NaN : seconds + (view.getUint16(at + 45, true) % 1000) / 1000,
      step: view.getUint32(at + 37, true),
      charge_mAh: Number.isFinite(charge) ? charge * layout.charge_mAh : NaN,
    });
  }
  if (isSorted) return entries;
  entries.sort((a, b) => a.index - b.index);
  return entries.filter(({ index }, at) => at === 0 || index !== entries[at - 1]!.index);
}

/** One step begun. */
export interface BegunStep {
  /** As the file counts: how often its loops were run through, from 1. */
  readonly cycle: number;
  /** Kind of the step (neware-status.ts). */
  readonly status: number;
}

/** The steps begun, in order. */
export function readSteps(stream: Uint8Array, layout: NdcLayout): BegunStep[] {
  const view = viewOf(stream);
  return Array.from(ndcPlaces(stream, layout.stepBytes).at, (at) => ({
    cycle: view.getUint32(at, true) + 1,
    status: view.getUint8(at + 24),
  }));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
